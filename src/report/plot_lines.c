/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "../os/clock.h"
#include "plot_lines.h"

/* A stamp is as exact as its whole second; a machine that closed late is a little behind. */
#define OWNER_SECONDS 5
#define OWNER_TICKS   50

/* A kernel heeds a stamp for a minute. */
#define STAMP_NS (60 * NS_PER_SECOND)

size_t lines_samples(const struct report_source *source)
{
	return source->sample_count < CLOCKS_SAMPLES ? source->sample_count : CLOCKS_SAMPLES;
}

static double ticks_between(uint64_t from_ns, uint64_t to_ns, double hz)
{
	return (double)(int64_t)(to_ns - from_ns) / (double)NS_PER_SECOND * hz;
}

static uint32_t advance(uint32_t tsval, double ticks)
{
	return tsval + (uint32_t)(int64_t)(ticks < 0 ? ticks - 0.5 : ticks + 0.5);
}

uint32_t lines_at(const struct report_source *source, size_t clock, uint64_t time_ns)
{
	const double hz = source->verdict.clocks[clock].hz;
	const struct clocks_sample *first = NULL;
	double sum = 0;
	size_t i, n = 0;

	for (i = 0; i < lines_samples(source); i++) {
		const struct clocks_sample *s = &source->samples[i];

		if (!s->has_timestamp || source->verdict.clock_of[i] != clock)
			continue;
		if (first == NULL)
			first = s;
		sum += (double)(int32_t)(s->tsval - first->tsval) -
		       ticks_between(first->time_ns, s->time_ns, hz);
		n++;
	}
	if (first == NULL)
		return advance(source->verdict.clocks[clock].offset,
			       source->sample_count == 0
				       ? 0
				       : ticks_between(source->samples[0].time_ns, time_ns, hz));
	return advance(first->tsval, ticks_between(first->time_ns, time_ns, hz) + sum / (double)n);
}

uint8_t lines_owner(const struct report_source *source, uint32_t tsval, uint32_t second)
{
	const uint64_t time_ns = second * NS_PER_SECOND + NS_PER_SECOND / 2;
	uint8_t owner = CLOCKS_NO_CLOCK;
	double nearest = 0;
	size_t i;

	for (i = 0; i < source->verdict.clock_count; i++) {
		const double off = (double)(int32_t)(tsval - lines_at(source, i, time_ns));
		const double far = off < 0 ? -off : off;

		if (far > source->verdict.clocks[i].hz * OWNER_SECONDS + OWNER_TICKS)
			continue;
		if (owner == CLOCKS_NO_CLOCK || far < nearest) {
			owner = (uint8_t)i;
			nearest = far;
		}
	}
	return owner;
}

static size_t row_of(uint8_t clock)
{
	return clock < CLOCKS_MOST ? clock : CLOCKS_MOST;
}

void lines_lockouts(const struct report_source *source, struct lines_lockouts *lockouts)
{
	size_t i;

	memset(lockouts, 0, sizeof(*lockouts));
	for (i = 0; i < lines_samples(source); i++) {
		const struct clocks_sample *s = &source->samples[i];

		if (s->dropped && s->recorded)
			lockouts->count[row_of(source->verdict.clock_of[i])][row_of(
				lines_owner(source, s->recorded_tsval, s->recorded_at))]++;
	}
}

size_t lines_worst_lockout(const struct lines_lockouts *lockouts, size_t clock, uint32_t *count)
{
	size_t i, worst = CLOCKS_MOST;

	*count = 0;
	for (i = 0; i < CLOCKS_MOST; i++) {
		if (lockouts->count[clock][i] > *count) {
			*count = lockouts->count[clock][i];
			worst = i;
		}
	}
	return worst;
}

/* The stamp of `s` stood at least from when the sample before it met another one. */
static void add_stamp(struct lines_stamp *list, size_t *n, const struct clocks_sample *s)
{
	struct lines_stamp stamp = { s->recorded_at * NS_PER_SECOND, s->time_ns,
				     s->recorded_tsval };
	struct lines_stamp *last = *n > 0 ? &list[*n - 1] : NULL;

	if (stamp.from_ns > stamp.to_ns)
		stamp.from_ns = stamp.to_ns;
	if (stamp.to_ns - stamp.from_ns >= STAMP_NS || (last != NULL && last->to_ns > stamp.to_ns))
		return;
	if (last != NULL && last->tsval == stamp.tsval && stamp.to_ns - last->from_ns < STAMP_NS) {
		last->to_ns = stamp.to_ns;
		return;
	}
	if (last != NULL && stamp.from_ns < last->to_ns)
		stamp.from_ns = last->to_ns;
	if (last != NULL)
		last->to_ns = stamp.from_ns - last->from_ns < STAMP_NS ? stamp.from_ns
								       : last->from_ns + STAMP_NS;
	list[(*n)++] = stamp;
}

size_t lines_stamps(const struct report_source *source, struct lines_stamp *list)
{
	size_t i, n = 0;

	for (i = 0; i < lines_samples(source); i++) {
		if (source->samples[i].recorded)
			add_stamp(list, &n, &source->samples[i]);
	}
	return n;
}
