/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CORE_REPORT_H
#define CORE_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core_time.h"

/* What is asked for, and where the results go. */
struct core_wish {
	const struct synpaws_profile *profile;
	uint8_t ip_version;
	unsigned int reps;
	uint64_t most; /* peers or flows */
	uint64_t seed;
	const char *only; /* NULL: all */
	const char *tsv;  /* NULL: none */
};

struct core_row {
	const char *what; /* in the TSV */
	const char *title;
	uint8_t ip_version;
	uint64_t count; /* peers, flows; 0: it makes no difference */
	struct core_times ns;
	double bytes;  /* each; 0: none */
	double target; /* ns; 0: none */
};

/* False if the file cannot be written. */
bool core_report_begin(const struct core_wish *wish);
void core_report_row(const struct core_wish *wish, const struct core_row *row);
void core_report_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
bool core_report_end(void);

/* A mirror for so many of each, with a key that is always the same. Ends the program without
 * memory. */
struct synpaws_mirror *core_mirror(const struct synpaws_profile *profile,
				   enum synpaws_evidence evidence, size_t peers, size_t flows);

/* So many outcomes were given since the last call. */
struct core_outcomes {
	uint64_t fates[SYNPAWS_FATE_KINDS];
};
struct core_outcomes core_outcomes(void);

/* core_flood.c: peers that share a bucket of a hash without a key. */
void core_flood(const struct core_wish *wish);

/* core_count.c: scenarios for tests/bench/check. An exit status. */
int core_count(const char *name);

#endif
