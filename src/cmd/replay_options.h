/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REPLAY_OPTIONS_H
#define REPLAY_OPTIONS_H

#include "panel_options.h"

/* What `synpaws replay` was told, checked. */
struct replay_options {
	bool check_only;
	bool help;
	bool each; /* a JSON line for every SYN */
	struct panel_options panel;
	const char *const *files; /* in argv */
	size_t file_count;
};

/* As options_parse(), for the command line of `synpaws replay`. */
bool replay_options_parse(struct replay_options *options, int argc, char **argv, char *why,
			  size_t size);

/* Print the usage of `synpaws replay` on standard output. */
void replay_options_help(void);

#endif
