/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef COMPARE_H
#define COMPARE_H

#include <stddef.h>
#include <stdint.h>

/* What one profile made of the stream that all were shown. */
struct compare_row {
	const char *profile;
	uint64_t drop_syns;
	uint64_t drop_connections;
};

/*
 * Several profiles side by side: "compare el6=12 el7=31 el6_connections=5 el7_connections=9", the
 * would-be drops in SYNs and in connections. Returns its length, 0 if `size` is too small; 1024 is
 * enough for eight.
 */
size_t compare_text(const struct compare_row *rows, size_t count, char *line, size_t size);

/* {"event":"compare","drop_syns":{"el6":12,...},"drop_connections":{...}}; 0 if that failed. */
size_t compare_json(const struct compare_row *rows, size_t count, char *line, size_t size);

#endif
