/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REPORT_WRITE_H
#define REPORT_WRITE_H

#include <stdbool.h>
#include <stdio.h>

#include "../report/collect.h"
#include "report_options.h"

/* How large a picture of text is, where nobody says. */
#define REPORT_COLUMNS 100
#define REPORT_ROWS    28

/*
 * Write the report of `collect` in the form that was asked for; `plot` is the source of
 * REPORT_FORM_PLOT. False with one line in `why`.
 */
bool report_write(enum report_form form, struct collect *collect, const struct report *report,
		  const struct synpaws_prefix *plot, FILE *out, char *why, size_t size);

/* The request for status_ask() that means this form, and back. */
void report_request(enum report_form form, const char *plot_text, char *request, size_t size);
bool report_understand(const char *request, enum report_form *form, struct synpaws_prefix *plot);

#endif
