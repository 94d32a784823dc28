/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <time.h>

#include "core_time.h"

static double now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

void core_take_single(void *context, const struct synpaws_segment *block, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		synpaws_mirror_take(context, &block[i]);
}

void core_take_batch(void *context, const struct synpaws_segment *block, size_t count)
{
	size_t i;

	for (i = 0; i < count; i += CORE_BATCH)
		synpaws_mirror_take_batch(context, &block[i],
					  count - i < CORE_BATCH ? count - i : CORE_BATCH);
}

/* The loop and the clock, and nothing else. */
static void take_nothing(void *context, const struct synpaws_segment *block, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		__asm__ volatile("" : : "r"(context), "r"(&block[i]) : "memory");
}

/* One repetition: nanoseconds a segment. */
static double once(const struct core_job *job, core_take *take)
{
	static struct synpaws_segment block[CORE_BLOCK];
	double spent = 0;
	size_t done;

	for (done = 0; done < job->segments; done += CORE_BLOCK) {
		double from;

		job->fill(job->filler, block, CORE_BLOCK);
		from = now_ns();
		take(job->taker, block, CORE_BLOCK);
		spent += now_ns() - from;
	}
	return spent / (double)done;
}

static void fill_nothing(void *context, struct synpaws_segment *block, size_t count)
{
	(void)context;
	(void)block;
	(void)count;
}

static int compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static struct core_times sorted(double *ns, unsigned int reps)
{
	qsort(ns, reps, sizeof(*ns), compare);
	return (struct core_times){ .median = ns[reps / 2], .least = ns[0], .most = ns[reps - 1] };
}

static double empty_loop(void)
{
	const struct core_job nothing = { .fill = fill_nothing, .segments = CORE_BLOCK * 1024 };
	double ns[CORE_REPS];
	size_t i;

	for (i = 0; i < CORE_REPS; i++)
		ns[i] = once(&nothing, take_nothing);
	return sorted(ns, CORE_REPS).median;
}

void core_time(const struct core_job *job, struct core_times times[2])
{
	const double empty = empty_loop();
	double ns[2][CORE_REPS_MOST];
	unsigned int rep;
	size_t i;

	for (rep = 0; rep < job->reps; rep++) {
		for (i = 0; i < 2 && job->take[i] != NULL; i++)
			ns[i][rep] = once(job, job->take[i]) - empty;
	}
	for (i = 0; i < 2 && job->take[i] != NULL; i++)
		times[i] = sorted(ns[i], job->reps);
}
