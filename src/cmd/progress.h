/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PROGRESS_H
#define PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A line on the terminal of standard error that tells how far a long job is: from the second second
 * on, four times a second at the most, always in the same place. Nothing on anything but a
 * terminal.
 */
struct progress {
	bool on;
	bool shown; /* the line stands there now */
	uint64_t started_ns;
	uint64_t next_ns;
};

#define PROGRESS_MOST 160

struct progress_counts {
	uint64_t bytes, total; /* read, and of all; 0 if that is not known */
	uint64_t packets;
	uint64_t syns;
	uint64_t ns; /* since it began */
};

/* The line, without an end, cut to what fits into `columns`. */
void progress_format(const struct progress_counts *counts, unsigned int columns,
		     char line[PROGRESS_MOST]);

void progress_start(struct progress *progress);

/* Show the line if it is time to. Fills in `ns`. */
void progress_show(struct progress *progress, struct progress_counts *counts);

/* Take the line away, before another one or at the end. */
void progress_clear(struct progress *progress);

#endif
