/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef COUNTS_H
#define COUNTS_H

#include <synpaws/segment.h>

#include "report.h"

/*
 * Counts by time and by service. Time is cut into minutes; when there are too many, two become one,
 * so that any length of watch fits. Of services as many are kept as there is room for.
 */
struct counts;

/* NULL with errno ENOMEM. */
struct counts *counts_new(const uint8_t hash_key[16]);
void counts_free(struct counts *counts);

void counts_take(struct counts *counts, const struct synpaws_segment *syn, bool dropped,
		 bool is_new, bool is_new_drop);

/* Fill in minutes and services, worst services first. Pointers live until counts_take(). */
void counts_report(struct counts *counts, struct report *report);

#endif
