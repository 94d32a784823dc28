/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REPORT_HTML_H
#define REPORT_HTML_H

#include <stdio.h>

#include "report.h"

/*
 * Write a report as one HTML page that needs nothing else: it loads no file, and all of it can be
 * read without JavaScript, in print, and on a dark screen. Under 1 MB. Text from elsewhere is
 * escaped. False with errno if the stream failed.
 */
bool report_html(const struct report *report, FILE *out);

#endif
