/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TRACKS_H
#define TRACKS_H

/*
 * For slopes.c: samples that follow one another along a line, at each of some rates. A sample is on
 * one track for each rate, so that the tracks of a wrong rate are short.
 */

#include "slopes.h"

/*
 * How far a sample may be off its line: TSvals are whole ticks, SYNs are delayed, clocks are wrong
 * by 100 ppm, and NTP turns them by 500 ppm. Offsets are spread over 2^32 ticks, so that a stranger
 * is this near by chance once in many million times.
 */
#define TRACKS_TICKS  2.0
#define TRACKS_JITTER 0.03 /* seconds */
#define TRACKS_DRIFT  600e-6

/* Connections that share a line, and are no chance then. */
#define TRACKS_SURE 3

#define TRACKS_KNOWN	10 /* rates that are looked for first */
#define TRACKS_MEASURED 2  /* and further ones, found in the samples */
#define TRACKS_RATES	(TRACKS_KNOWN + TRACKS_MEASURED)

struct tracks_search {
	const struct clocks_sample *samples;
	struct slopes *slopes;
	uint16_t order[CLOCKS_SAMPLES]; /* samples with a TSval, by time */
	size_t timed;
	double hz[TRACKS_RATES];
	size_t rates;
	uint16_t track[TRACKS_RATES][CLOCKS_SAMPLES]; /* of each sample, at that rate */
};

/* Samples that follow one another along a line. */
struct track {
	uint16_t first, last; /* samples */
	size_t connections;   /* whose first SYN is on it */
	double low, high;     /* of its residuals, from the first one's */
};

/* Start with the known rates; the samples are in `order` by now. */
void tracks_start(struct tracks_search *search);

/* Look for a rate that is not known, and follow it too; false if there is none, or no room. */
bool tracks_measure_rate(struct tracks_search *search);

/* What is left of the tracks of a rate, by number: samples that are on no line yet. */
void tracks_left(const struct tracks_search *search, size_t rate, struct track *tracks);

static inline double tracks_absolute(double x)
{
	return x < 0 ? -x : x;
}

/* Modulo 2^32; exact, since time is bounded by 64 bits of nanoseconds. */
static inline uint32_t tracks_ticks_at(double hz, double at)
{
	return (uint32_t)(int64_t)(hz * at);
}

static inline double tracks_difference(uint32_t a, uint32_t b)
{
	return (double)(int32_t)(a - b);
}

static inline uint32_t tracks_residual(const struct tracks_search *search, double hz, size_t i)
{
	return search->samples[i].tsval - tracks_ticks_at(hz, search->slopes->at[i]);
}

/* By how much the residual of one sample is above another's. */
static inline double tracks_above(const struct tracks_search *search, double hz, size_t i, size_t j)
{
	return tracks_difference(tracks_residual(search, hz, i), tracks_residual(search, hz, j));
}

static inline double tracks_apart(const struct tracks_search *search, size_t i, size_t j)
{
	return tracks_absolute(search->slopes->at[i] - search->slopes->at[j]);
}

static inline double tracks_tolerance(double hz, double delay, double seconds)
{
	return TRACKS_TICKS + hz * (delay + TRACKS_DRIFT * seconds);
}

static inline bool tracks_is_near(const struct tracks_search *search, double hz, double delay,
				  size_t i, size_t j)
{
	return tracks_absolute(tracks_above(search, hz, i, j)) <=
	       tracks_tolerance(hz, delay, tracks_apart(search, i, j));
}

static inline bool tracks_is_stray(const struct tracks_search *search, size_t i)
{
	return search->slopes->line_of[i] == SLOPES_NONE;
}

#endif
