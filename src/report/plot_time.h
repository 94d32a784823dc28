/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PLOT_TIME_H
#define PLOT_TIME_H

#include "report.h"

/* A report's minutes, so many of them made one that no more than `most` are left. */
#define SLOTS_MOST 240

struct slots {
	size_t count;
	uint64_t slot_ns; /* how long one is */
	size_t worst;	  /* the one that holds the worst minute; `count` if there is none */
	uint64_t most_syns, most_drops;
	struct report_minute slot[SLOTS_MOST]; /* without holes */
};

/* `most` is up to SLOTS_MOST. */
void slots_make(struct slots *slots, const struct report *report, size_t most);

/* "minute", or "2 min" where the report's minutes are longer. */
const char *plot_time_minute(const struct report *report, char text[64]);

/* A round length of time that fits `span_ns` at most `marks` times: 15 s, 5 min, 2 h. */
uint64_t plot_time_step(uint64_t span_ns, unsigned int marks);

/* The first multiple of `step_ns` that is not before `from_ns`. */
uint64_t plot_time_first(uint64_t from_ns, uint64_t step_ns);

/* UTC, as exact as such a step needs: "14:05", "14:05:30", "11-22 14:00". */
const char *plot_time_text(uint64_t ns, uint64_t step_ns, bool dated, char text[64]);

#endif
