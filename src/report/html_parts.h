/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HTML_PARTS_H
#define HTML_PARTS_H

#include <stdio.h>

#include "format.h"
#include "report.h"

/* The parts of the page, for html.c. Each writes a section, or nothing where there is none. */

/* Sources that get charts. */
#define HTML_CHARTS 8

/* The sheet of styles, and the script that shows numbers under the pointer. */
extern const char *const html_style[];
extern const char html_script[];

void html_felt(const struct report *report, FILE *out);
void html_timeline(const struct report *report, FILE *out);
void html_sources(const struct report *report, FILE *out);
void html_clocks(const struct report *report, FILE *out);
void html_services(const struct report *report, FILE *out);
void html_variants(const struct report *report, FILE *out);
void html_coverage(const struct report *report, FILE *out);

/* The chart of one source from `from_ns` to `to_ns`; `mark_ns` to `mark_end_ns` are marked in it.
 */
struct html_window {
	uint64_t from_ns, to_ns;
	uint64_t mark_ns, mark_end_ns; /* 0: none */
};

void html_chart(const struct report *report, const struct report_source *source,
		const struct html_window *window, FILE *out);

/* Text as text: markup and control characters lose their meaning. NULL is "-". */
void html_text(const char *text, FILE *out);

/* <section> with a heading, and a line under it that may be NULL; both plain text. */
void html_open(const char *id, const char *heading, const char *note, FILE *out);
void html_close(FILE *out);

/* A cell; `label` is what it is called where the table is shown as cards. Plain text in both. */
void html_cell(const char *label, const char *text, FILE *out);

/* The same with a bar for its share under it. */
void html_bar_cell(const char *label, const char *text, uint64_t part, uint64_t whole, FILE *out);

/* A round number, 1, 2 or 5 times a power of ten, that fits `span` at most `marks` times. */
double html_step(double span, unsigned int marks);

#endif
