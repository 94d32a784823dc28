/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REPORT_OPTIONS_H
#define REPORT_OPTIONS_H

#include "panel_options.h"
#include "what_if.h"

enum report_form {
	REPORT_FORM_TEXT,
	REPORT_FORM_JSON,
	REPORT_FORM_HTML,
	REPORT_FORM_PLOT,
};

/* What `synpaws report` was told, checked. */
struct report_options {
	bool check_only;
	bool help;
	enum report_form form;
	struct synpaws_prefix plot; /* REPORT_FORM_PLOT: the source */
	const char *plot_text;
	struct what_if_spec what_if[WHAT_IF_MOST];
	size_t what_if_count;
	const char *socket; /* the daemon's, where there are no files */
	struct panel_options panel;
	const char *const *files; /* in argv */
	size_t file_count;
};

/* As options_parse(), for the command line of `synpaws report`. */
bool report_options_parse(struct report_options *options, int argc, char **argv, char *why,
			  size_t size);

/* Print the usage of `synpaws report` on standard output. */
void report_options_help(void);

#endif
