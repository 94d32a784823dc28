/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef METRICS_H
#define METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What the kernel remembers of peers in its table tcp_metrics, asked by generic netlink: from 3.7
 * to 4.11 the stamps of the check are there. It needs no privilege.
 */
struct metrics_entry {
	uint8_t ip_version;
	uint8_t peer[16]; /* IPv4: 4 bytes, then 0 */
	bool has_local;	  /* the table is per pair of addresses, since 3.14 and on el7 */
	uint8_t local[16];
	bool has_stamp;
	uint32_t tsval; /* the timestamp that is remembered */
	int32_t age; /* and how many seconds ago it was current; negative if the clock went back */
};

/*
 * Parse one message of a dump, all that stands in `length` bytes. False if it is cut short or names
 * no peer. Of an attribute that comes twice the last counts, as in the kernel's own parser; one
 * that is too short counts as absent.
 */
bool metrics_parse(const void *message, size_t length, struct metrics_entry *entry);

typedef void metrics_take(void *context, const struct metrics_entry *entry);

struct metrics_counts {
	uint64_t entries;
	uint64_t stamped; /* of which with a stamp */
	uint64_t damaged; /* messages that could not be parsed */
};

/*
 * Show `take` every entry; NULL only counts them. 0, or -1. Then, and where no entry had a stamp,
 * `note` holds one line that says why; else it is empty.
 */
int metrics_dump(metrics_take *take, void *context, struct metrics_counts *counts, char *note,
		 size_t note_size);

#endif
