/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ANALYST_H
#define ANALYST_H

#include "../sink/log.h"
#include "../source/ring.h"
#include "options.h"
#include "state.h"

/* All that the analyst works on. It belongs to the receiver, which made it before the fork. */
struct analyst_config {
	const struct watch_options *options;
	struct ring *rings[OPTIONS_QUEUES_MOST];
	size_t ring_count;
	struct sysctls sysctls; /* told, or read here if the hosts are this machine */
	struct log *log;
	int control;  /* see os/control.h */
	int listener; /* see status.h; -1: none */
	int netstat;  /* the kernel's counters of the host; -1 if they are another's */
	struct state state;
	uint8_t hash_key[16];
	uint64_t started; /* monotonic second at which the daemon started */
};

/*
 * The analyst's life: take segments from the rings in order of arrival, judge them, log. Returns
 * an exit status when the receiver says so or is gone. `restarts` and `last_signal` tell of
 * analysts before this one.
 */
int analyst_run(struct analyst_config *config, uint64_t restarts, int last_signal);

#endif
