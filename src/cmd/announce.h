/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ANNOUNCE_H
#define ANNOUNCE_H

#include "../sink/log.h"
#include "../source/nfqueue.h"
#include "options.h"

/* What the daemon says of itself when it starts: what it has to do without, what it watches. */
void announce_missing(struct log *log, const struct watch_options *options,
		      const struct nfqueue *queue);

/* In one line, what this build or kernel cannot keep the processes from. */
void announce_lacking(struct log *log, const char *role, bool receiver);

/* With --debug: what this process is and may do. */
void announce_process(struct log *log, const char *role);

void announce_ready(struct log *log, const struct watch_options *options);

/* With --debug: what each queue can do. */
void announce_queues(struct log *log, struct nfqueue *const *queues, size_t count);

/* What is watched without queues. */
void announce_interfaces(struct log *log, const struct watch_options *options);

#endif
