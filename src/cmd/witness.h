/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef WITNESS_H
#define WITNESS_H

#include "../os/counters.h"
#include "../os/metrics.h"
#include "../sink/log.h"
#include "panel.h"

/* The host's own counters beside what was predicted, where the host has the check. */
struct witness {
	int netstat; /* -1: there is nothing to go by */
	struct counters before;
};

/* Open what cannot be opened any more without /proc; -1 if it is not there. */
int witness_open(void);

/* From here on it counts. Takes the descriptor over. */
void witness_start(struct witness *witness, int netstat);

/* The kernel's stamps that still count, held against the mirror's. */
struct witness_stamps {
	uint64_t equal, differing;
	uint64_t unknown; /* to the mirror: from before it began, or by what it did not see */
};

/* Count one of the kernel's, as it is at second `now`. One too old to count is passed over. */
void witness_compare(struct witness_stamps *stamps, const struct panel *panel, const char *profile,
		     const struct metrics_entry *entry, uint32_t now);

/* A line for the counters and one for the stamps, where there is anything to say. */
void witness_write(const struct witness *witness, const struct panel *panel, bool json,
		   struct log *log);

#endif
