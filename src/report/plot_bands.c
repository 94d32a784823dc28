/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "../os/clock.h"
#include "plot_bands.h"
#include "plot_lines.h"

#define CIRCLE 4294967296.0
/* Room above and below what a band shows, as a part of it. */
#define MARGIN 0.12
/* Two SYNs are kept apart by this many ticks at least, or a band would show nothing but jitter. */
#define LEAST_TICKS 100.0

/* What has to be in the picture. */
struct values {
	size_t count;
	uint32_t value[2 * CLOCKS_SAMPLES + 2 * CLOCKS_MOST];
};

static void add_samples(struct values *values, const struct report_source *source,
			const struct bands *bands)
{
	struct lines_stamp stamps[CLOCKS_SAMPLES];
	size_t i, n = lines_stamps(source, stamps);

	for (i = 0; i < lines_samples(source); i++) {
		const struct clocks_sample *s = &source->samples[i];

		if (s->has_timestamp && s->time_ns >= bands->from_ns && s->time_ns <= bands->to_ns)
			values->value[values->count++] = s->tsval;
	}
	if (values->count == 0)
		return;
	for (i = 0; i < n; i++) {
		if (stamps[i].to_ns >= bands->from_ns && stamps[i].from_ns <= bands->to_ns)
			values->value[values->count++] = stamps[i].tsval;
	}
}

static void add_clocks(struct values *values, const struct report_source *source,
		       const struct bands *bands)
{
	size_t i;

	for (i = 0; i < source->verdict.clock_count; i++) {
		const struct clocks_clock *clock = &source->verdict.clocks[i];

		if (clock->samples == 0 || clock->last_ns < bands->from_ns ||
		    clock->first_ns > bands->to_ns)
			continue;
		values->value[values->count++] = lines_at(
			source, i,
			clock->first_ns > bands->from_ns ? clock->first_ns : bands->from_ns);
		values->value[values->count++] = lines_at(
			source, i, clock->last_ns < bands->to_ns ? clock->last_ns : bands->to_ns);
	}
}

static int compare(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/*
 * Cut the circle behind its widest gap, or at 0 if `whole`: values are counted from there, in
 * order.
 */
static uint32_t cut_circle(struct values *values, bool whole)
{
	uint32_t *v = values->value, widest, base;
	size_t i;

	qsort(v, values->count, sizeof(v[0]), compare);
	base = v[0];
	widest = v[0] - v[values->count - 1];
	for (i = 1; i < values->count; i++) {
		if (v[i] - v[i - 1] > widest) {
			widest = v[i] - v[i - 1];
			base = v[i];
		}
	}
	if (whole)
		base = 0;
	for (i = 0; i < values->count; i++)
		v[i] -= base;
	qsort(v, values->count, sizeof(v[0]), compare);
	return base;
}

/* True if this source's SYNs lie on lines: else no cut makes sense. */
static bool has_lines(const struct report_source *source)
{
	size_t i, on_lines = 0;

	if (source->verdict.why == CLOCKS_RANDOM)
		return false;
	for (i = 0; i < source->verdict.clock_count; i++)
		on_lines += source->verdict.clocks[i].samples;
	return 2 * on_lines >= lines_samples(source);
}

/* A gap wider than this is cut: four times what the fastest clock goes in the picture. */
static double cut_width(const struct report_source *source, const struct bands *bands)
{
	double hz = 100;
	size_t i;

	if (!has_lines(source))
		return CIRCLE;
	for (i = 0; i < source->verdict.clock_count; i++) {
		if (source->verdict.clocks[i].hz > hz)
			hz = source->verdict.clocks[i].hz;
	}
	return 1000 + 4 * hz * (double)(bands->to_ns - bands->from_ns) / (double)NS_PER_SECOND;
}

/* How many gaps are wider than `width`. */
static size_t count_cuts(const struct values *values, double width)
{
	size_t i, n = 0;

	for (i = 1; i < values->count; i++)
		n += (double)(values->value[i] - values->value[i - 1]) > width;
	return n;
}

static void set_bands(struct bands *bands, const struct values *values, double width)
{
	double high[BANDS_MOST];
	size_t i, last = 0;

	bands->count = 1;
	bands->low[0] = values->value[0];
	for (i = 1; i < values->count; i++) {
		if ((double)(values->value[i] - values->value[i - 1]) > width) {
			high[last] = values->value[i - 1];
			last = bands->count++;
			bands->low[last] = values->value[i];
		}
	}
	high[last] = values->value[values->count - 1];
	bands->ticks = LEAST_TICKS;
	for (i = 0; i < bands->count; i++) {
		if (high[i] - bands->low[i] > bands->ticks)
			bands->ticks = high[i] - bands->low[i];
	}
	bands->ticks *= 1 + 2 * MARGIN;
	for (i = 0; i < bands->count; i++)
		bands->low[i] = (bands->low[i] + high[i] - bands->ticks) / 2;
	if (bands->ticks >= CIRCLE) {
		bands->ticks = CIRCLE;
		bands->low[0] = 0;
		bands->base = 0;
	}
}

bool bands_make(struct bands *bands, const struct report_source *source, uint64_t from_ns,
		uint64_t to_ns)
{
	struct values values;
	double width;

	memset(bands, 0, sizeof(*bands));
	bands->from_ns = from_ns;
	bands->to_ns = to_ns > from_ns ? to_ns : from_ns + NS_PER_SECOND;
	values.count = 0;
	add_samples(&values, source, bands);
	if (values.count == 0)
		return false;
	add_clocks(&values, source, bands);
	bands->base = cut_circle(&values, !has_lines(source));
	width = cut_width(source, bands);
	while (count_cuts(&values, width) >= BANDS_MOST)
		width *= 1.5;
	set_bands(bands, &values, width);
	return true;
}

bool bands_find(const struct bands *bands, uint32_t tsval, size_t *band, double *height)
{
	const double ticks = (double)(uint32_t)(tsval - bands->base);
	size_t i;

	for (i = 0; i < bands->count; i++) {
		double part = (ticks - bands->low[i]) / bands->ticks;

		/* A little below the base is nearly a circle above it. */
		if (part > 1 && ticks - CIRCLE >= bands->low[i])
			part = (ticks - CIRCLE - bands->low[i]) / bands->ticks;
		if (part >= 0 && part <= 1) {
			*band = i;
			*height = part;
			return true;
		}
	}
	return false;
}

uint32_t bands_tsval(const struct bands *bands, size_t band, double height)
{
	const double ticks = bands->low[band] + height * bands->ticks;

	if (ticks >= CIRCLE && bands->base == 0)
		return UINT32_MAX;
	return bands->base + (uint32_t)(int64_t)ticks;
}

/* The time at which a line with this rate has moved by so much of a band. */
static uint64_t moved(const struct bands *bands, double hz, uint64_t from_ns, double heights)
{
	return from_ns + (uint64_t)(int64_t)(heights * bands->ticks / hz * (double)NS_PER_SECOND);
}

bool bands_line(const struct bands *bands, const struct report_source *source, size_t clock,
		struct bands_line *line)
{
	const struct clocks_clock *c = &source->verdict.clocks[clock];
	uint64_t known_ns = c->first_ns;
	double height, rise;

	if (c->hz <= 0)
		return false;
	if (known_ns < bands->from_ns && c->last_ns > bands->from_ns)
		known_ns = bands->from_ns;
	if (!bands_find(bands, lines_at(source, clock, known_ns), &line->band, &height))
		return false;
	rise = c->hz / bands->ticks / (double)NS_PER_SECOND;
	line->from_ns = bands->from_ns;
	line->from = height - rise * (double)(int64_t)(known_ns - bands->from_ns);
	line->to_ns = bands->to_ns;
	line->to = height + rise * (double)(int64_t)(bands->to_ns - known_ns);
	if (line->from < 0) {
		line->from_ns = moved(bands, c->hz, line->from_ns, -line->from);
		line->from = 0;
	}
	if (line->to > 1) {
		line->to_ns = moved(bands, c->hz, line->to_ns, 1 - line->to);
		line->to = 1;
	}
	return line->from_ns < line->to_ns;
}
