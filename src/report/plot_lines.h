/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PLOT_LINES_H
#define PLOT_LINES_H

#include "report.h"

/* The clocks of a source as lines, the stamps that its SYNs met, and whose those were. */

/* What a clock shows at a time, by the samples that lie on it. */
uint32_t lines_at(const struct report_source *source, size_t clock, uint64_t time_ns);

/* The clock whose machine left a stamp, or CLOCKS_NO_CLOCK. */
uint8_t lines_owner(const struct report_source *source, uint32_t tsval, uint32_t second);

/* How many samples of clock [i] were dropped for a stamp of clock [j]; CLOCKS_MOST is no clock. */
struct lines_lockouts {
	uint32_t count[CLOCKS_MOST + 1][CLOCKS_MOST + 1];
};

void lines_lockouts(const struct report_source *source, struct lines_lockouts *lockouts);

/* The clock whose stamps dropped `clock` most often, and how often; CLOCKS_MOST if none did. */
size_t lines_worst_lockout(const struct lines_lockouts *lockouts, size_t clock, uint32_t *count);

/* A stamp, for as long as it stood and was younger than a minute. */
struct lines_stamp {
	uint64_t from_ns, to_ns;
	uint32_t tsval;
};

/* Those that the samples met, in order of time; `list` has room for CLOCKS_SAMPLES. */
size_t lines_stamps(const struct report_source *source, struct lines_stamp *list);

/* How many samples there are to show: never more than there are clock numbers for. */
size_t lines_samples(const struct report_source *source);

#endif
