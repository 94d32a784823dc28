/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PLOT_BANDS_H
#define PLOT_BANDS_H

#include "report.h"

/*
 * A broken axis for TSvals. Clocks behind one address may be 10^9 ticks apart, and go on by a few
 * millions while they are watched: on one axis every line would be flat. So the axis is cut where
 * nothing happens; what is left is one band per clock, or per group of clocks that are close. All
 * bands show the same number of ticks: lines of the same rate are parallel across bands.
 *
 * The circle of 2^32 is cut in its widest gap, so that no band is torn by the wrap; the highest
 * band is the highest of the circle seen from there.
 */
#define BANDS_MOST (CLOCKS_MOST + 1)

struct bands {
	uint64_t from_ns, to_ns;
	uint32_t base; /* TSval from which all others are counted */
	double ticks;  /* that each band shows */
	size_t count;
	double low[BANDS_MOST]; /* from `base` to the lower edge of each, lowest band first */
};

/* The bands for what `source` shows from `from_ns` to `to_ns`; false if there is nothing. */
bool bands_make(struct bands *bands, const struct report_source *source, uint64_t from_ns,
		uint64_t to_ns);

/*
 * Where a TSval is: its band, and how high in it, 0 to 1. False if it is in none.
 */
bool bands_find(const struct bands *bands, uint32_t tsval, size_t *band, double *height);

/* The TSval at a height of a band. */
uint32_t bands_tsval(const struct bands *bands, size_t band, double height);

/* The part of a clock's line that runs through a band: its ends as times and heights. */
struct bands_line {
	size_t band;
	uint64_t from_ns, to_ns;
	double from, to;
};

/* False if the clock's line does not cross the picture. */
bool bands_line(const struct bands *bands, const struct report_source *source, size_t clock,
		struct bands_line *line);

#endif
