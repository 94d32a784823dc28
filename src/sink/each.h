/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef EACH_H
#define EACH_H

#include <stddef.h>

#include <synpaws/mirror.h>

/* The longest line there can be, with its end. */
#define EACH_MOST 512

/*
 * One SYN and what one profile makes of it, as a JSON object without a newline: time, src, sport,
 * dst, dport, tsval, fate, profile, guess, contradicted, answer, evidence,
 * predicted, and where there was a stamp
 * recorded_tsval and recorded_at. The time is a number in seconds with nine decimals, more than a
 * double holds. Needs no JSON library. Returns its length.
 */
size_t each_line(const struct synpaws_segment *syn, const struct synpaws_outcome *outcome,
		 const char *profile, const char *evidence, char line[EACH_MOST]);

#endif
