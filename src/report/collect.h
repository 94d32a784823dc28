/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef COLLECT_H
#define COLLECT_H

#include <synpaws/mirror.h>

#include "../sink/tally.h"
#include "report.h"

/*
 * Collects outcomes of one profile and makes a report of them. Memory is fixed at the start, some
 * 12 MB; what finds no room is counted. Off the packet path.
 */
struct collect;

/* NULL with errno ENOMEM. */
struct collect *collect_new(const uint8_t hash_key[16]);
void collect_free(struct collect *collect);

/* See synpaws_mirror_touch(). */
void collect_touch(struct collect *collect);

/* One outcome of `mirror`. */
void collect_outcome(struct collect *collect, const struct synpaws_segment *syn,
		     const struct synpaws_outcome *outcome);

/* Time has come to `order_ns` with all that came before shown to `mirror`. */
void collect_advance(struct collect *collect, uint64_t order_ns,
		     const struct synpaws_mirror *mirror);

/* Before that time collect_advance() has nothing to do; UINT64_MAX if nothing waits. */
uint64_t collect_due(const struct collect *collect);

/* What only others know. */
struct collect_context {
	const struct synpaws_profile *profile;
	enum synpaws_evidence evidence;
	const struct tally_context *tally; /* of this profile, with its mirror's numbers */
	uint64_t unread;		   /* tally_unread() */
	uint64_t first_ns, last_ns;	   /* what was watched; 0: from the first to the last SYN */
	uint64_t watched_ns;		   /* without gaps; 0: all the time between these */
	const struct report_variant *variants; /* may be NULL */
	size_t variant_count;
};

/* The report so far. It and what it points to live until the next call. */
const struct report *collect_report(struct collect *collect, const struct collect_context *context);

/* One source with its verdict; false if it is not known (any more). */
bool collect_source(struct collect *collect, uint8_t ip_version, const uint8_t address[16],
		    struct report_source *source);

#endif
