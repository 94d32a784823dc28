/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REPORT_JSON_H
#define REPORT_JSON_H

#include <stdio.h>

#include "report.h"

/*
 * Write a report as one JSON object and a newline; contrib/doc/report.md explains the fields. Needs
 * no JSON library. What is not UTF-8 in a text becomes U+FFFD. False with errno if the stream
 * failed.
 */
bool report_json(const struct report *report, FILE *out);

#endif
