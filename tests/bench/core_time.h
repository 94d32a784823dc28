/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CORE_TIME_H
#define CORE_TIME_H

#include <stddef.h>
#include <stdint.h>

#include <synpaws/mirror.h>

/*
 * How long segments take. They are made a block at a time, which stays in the nearest caches, and
 * only what is done with a block is timed. What an empty loop takes is subtracted.
 */

#define CORE_BLOCK     256
#define CORE_BATCH     64
#define CORE_REPS      11
#define CORE_REPS_MOST 101

typedef void core_fill(void *context, struct synpaws_segment *block, size_t count);
typedef void core_take(void *context, const struct synpaws_segment *block, size_t count);

/* Nanoseconds a segment: of so many repetitions. */
struct core_times {
	double median, least, most;
};

/* Both fit core_take, with a mirror as context: one by one, and by batches of CORE_BATCH. */
void core_take_single(void *context, const struct synpaws_segment *block, size_t count);
void core_take_batch(void *context, const struct synpaws_segment *block, size_t count);

struct core_job {
	core_fill *fill;
	void *filler;	    /* its context */
	core_take *take[2]; /* each in turn, so that what changes by and by does not favour one */
	void *taker;	    /* its context */
	size_t segments;    /* a repetition */
	unsigned int reps;
};

/* Fills times[i] for each take[i] that is not NULL. */
void core_time(const struct core_job *job, struct core_times times[2]);

#endif
