/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../os/sandbox.h"
#include "panel_options.h"

#define OPTIONS_QUEUES_MOST 16

/* What `synpaws watch` was told, checked. */
struct watch_options {
	bool check_only;
	bool debug;
	bool help;
	uint16_t first_queue;
	size_t queue_count;
	struct panel_options panel;
	int facility;
	size_t buffer;
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
