/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SLOPES_H
#define SLOPES_H

#include "clocks.h"

/*
 * Finds the lines in a picture of TSvals: TSval = residual + hz * time, modulo 2^32. Destinations
 * do not matter here: a clock with an offset for each of them is as many lines.
 */

#define SLOPES_LINES (CLOCKS_SAMPLES / 2) /* each has two samples at least */
#define SLOPES_NONE  UINT16_MAX

struct slopes_line {
	double hz;
	uint32_t residual;  /* at second `at` */
	double at, drift;   /* ticks a second by which the residual moves; 0 if that is unknown */
	double first, last; /* second of its first and last sample, and their residuals */
	uint32_t first_residual, last_residual;
	size_t samples, connections;
	size_t moments;	    /* bursts of them count once */
	uint64_t host;	    /* of its first sample */
	bool several_hosts; /* it has the same offset for more than one */
};

struct slopes {
	double at[CLOCKS_SAMPLES];	  /* of each sample: seconds after the first of all */
	uint16_t again[CLOCKS_SAMPLES];	  /* the sample before with a TSval of this connection */
	uint16_t line_of[CLOCKS_SAMPLES]; /* SLOPES_NONE: it lies on none */
	size_t line_count;
	struct slopes_line line[SLOPES_LINES]; /* most samples first */
};

/* Find the lines in up to CLOCKS_SAMPLES samples. */
void slopes_find(struct slopes *slopes, const struct clocks_sample *samples, size_t count);

/* By how many ticks a TSval of second `at` is ahead of a line. */
double slopes_ahead(const struct slopes_line *line, uint32_t tsval, double at);

#endif
