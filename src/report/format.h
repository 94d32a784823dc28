/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FORMAT_H
#define FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "report.h"

/* How numbers, times and addresses are written for people. Each call returns `text`. */

#define FORMAT_COUNT	32
#define FORMAT_SHARE	32
#define FORMAT_DURATION 64
#define FORMAT_TIME	64
#define FORMAT_ADDRESS	64

/* Room for any of these, in a ring: a printf() can have up to FORMAT_SLOTS of them at once. */
#define FORMAT_SLOTS 16
#define FORMAT_MOST  64

struct format {
	size_t next; /* set it to 0 */
	char text[FORMAT_SLOTS][FORMAT_MOST];
};

static inline char *format_in(struct format *format)
{
	return format->text[format->next++ % FORMAT_SLOTS];
}

/* The longest line of text for people. */
#define FORMAT_COLUMNS 118

/* "1,310" */
const char *format_count(uint64_t count, char text[FORMAT_COUNT]);

/* `part` of `whole`: "3.1 %", "0.04 %", "< 0.01 %"; never "100 %" unless it is all; "-" of 0. */
const char *format_share(uint64_t part, uint64_t whole, char text[FORMAT_SHARE]);

/* 99.98 is "99.98 %"; what is under 100 is never written as 100. */
const char *format_percent(double percent, char text[FORMAT_SHARE]);

/* "400 ms", "22 s", "1 min 30 s", "2 h 10 min", "3 d 4 h" */
const char *format_duration(uint64_t ns, char text[FORMAT_DURATION]);

/* UTC: "2026-11-22 16:54:43", or "-" for 0. */
const char *format_date(uint64_t ns, char text[FORMAT_TIME]);

/* UTC: "16:54:43", or "11-22 16:54" where `dated`, or "-" for 0. */
const char *format_clock(uint64_t ns, bool dated, char text[FORMAT_TIME]);

/* UTC: "2026-11-22T16:54:43.204829Z" */
const char *format_rfc3339(uint64_t ns, char text[FORMAT_TIME]);

/* "203.0.113.7", "2001:db8::1" */
const char *format_address(uint8_t ip_version, const uint8_t address[16],
			   char text[FORMAT_ADDRESS]);

/* "203.0.113.7:80", "[2001:db8::1]:80" */
const char *format_endpoint(uint8_t ip_version, const uint8_t address[16], uint16_t port,
			    char text[FORMAT_ADDRESS]);

/* Ticks in millions, with as many decimals as a step of `step` ticks needs: "1,732.04 M". */
const char *format_ticks(uint32_t ticks, double step, char text[FORMAT_COUNT]);

/* True if the two times fall on different days, so that a time of day alone would mislead. */
bool format_dated(uint64_t first_ns, uint64_t last_ns);

/*
 * Write `text` on one terminal line, padded to `width` columns: whatever a terminal might obey is
 * written as '?'. NULL is "-".
 */
void format_put(FILE *out, const char *text, size_t width);

/*
 * The same in lines of up to FORMAT_COLUMNS, broken at blanks, with a newline at the end. The first
 * line begins at column `indent`, where the others are indented to.
 */
void format_wrap(FILE *out, const char *text, size_t indent);

/* What shares of a schedule are shares of: the connections of which the end is known. */
uint64_t format_decided(const struct report_felt *felt);

/* What has been written is out: false with errno if any of it failed. */
bool format_done(FILE *out);

#endif
