/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FELT_H
#define FELT_H

#include <synpaws/mirror.h>

#include "report.h"

/*
 * What people would have felt: a client whose SYN gets no answer sends it again, and each of these
 * is checked against the stamp as it stands by then. Traffic that was let through shows no such
 * SYNs, so they are imagined: the first SYN with a TSval that has gone on at 1,000 ticks a second.
 */
struct felt;

/* NULL with errno ENOMEM. */
struct felt *felt_new(void);
void felt_free(struct felt *felt);

/* A connection's first SYN that would have been dropped. They come in order of time. */
void felt_take(struct felt *felt, const struct synpaws_segment *syn);

/* Time has come to `order_ns`: ask `mirror` about the retries that have become due. */
void felt_advance(struct felt *felt, uint64_t order_ns, const struct synpaws_mirror *mirror);

/* Before that time felt_advance() has nothing to do; UINT64_MAX if nothing waits. */
uint64_t felt_due(const struct felt *felt);

/* Fill in a schedule's row. */
void felt_report(const struct felt *felt, enum report_schedule schedule, struct report_felt *to);

#endif
