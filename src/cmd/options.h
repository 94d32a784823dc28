/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <synpaws/mirror.h>

#include "../os/sandbox.h"
#include "../sink/log.h"

#define EXIT_USAGE 2 /* bad options: nothing was done */

#define OPTIONS_HOSTS_MOST  64
#define OPTIONS_QUEUES_MOST 16

/* What `synpaws watch` was told, checked. */
struct watch_options {
	bool check_only;
	bool debug;
	bool help;
	uint16_t first_queue;
	size_t queue_count;
	const struct synpaws_profile *profile;
	struct synpaws_prefix hosts[OPTIONS_HOSTS_MOST];
	size_t host_count;
	enum log_sink sink;
	int facility;
	size_t peers;
	size_t buffer;
	uint32_t fold_seconds;
	uint32_t log_rate;
	unsigned int features; /* of nfqueue.h */
	struct sandbox_user user;
};

/*
 * Parse and check the command line of `synpaws watch`. False if something is wrong; `why` then
 * holds one line that says what, and what to do.
 */
bool options_parse(struct watch_options *options, int argc, char **argv, char *why, size_t size);

/* Print the usage of `synpaws watch` on standard output. */
void options_help(void);

#endif
