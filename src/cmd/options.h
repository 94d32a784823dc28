/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../os/sandbox.h"
#include "../source/capture_live.h"
#include "panel_options.h"

#define OPTIONS_QUEUES_MOST 16

/* What `synpaws watch` was told, checked. */
struct watch_options {
	bool check_only;
	bool debug;
	bool help;
	const char *interfaces[CAPTURE_LIVE_MOST]; /* argv's; none: queues */
	size_t interface_count;
	const char *queue_option; /* the last one told that is for queues alone, or NULL */
	uint16_t first_queue;
	size_t queue_count;
	struct panel_options panel;
	int facility;
	const char *socket; /* argv's: where reports are asked for; NULL: nowhere */
	const char *state;  /* argv's: the file to go on from; NULL: none */
	size_t buffer;
	bool pin;	       /* a receiver to a processor */
	unsigned int features; /* of nfqueue.h */
	struct sandbox_user user;
	struct sandbox_user analyst; /* of what reads packets */
};

/*
 * Parse and check the command line of `synpaws watch`. False if something is wrong; `why` then
 * holds one line that says what, and what to do.
 */
bool options_parse(struct watch_options *options, int argc, char **argv, char *why, size_t size);

/* Print the usage of `synpaws watch` on standard output. */
void options_help(void);

#endif
