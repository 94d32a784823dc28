/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REPORT_TEXT_H
#define REPORT_TEXT_H

#include <stdio.h>

#include "report.h"

/*
 * Write a report as text for people, the decision first. Lines have up to 118 columns. Whatever a
 * terminal might obey is written as '?'. False with errno if the stream failed.
 */
bool report_text(const struct report *report, FILE *out);

/* Parts of it, for text.c: who was hit, and how the machines behind one address met. */
void text_sources(const struct report *report, FILE *out);
void text_clocks(const struct report *report, FILE *out);

#endif
