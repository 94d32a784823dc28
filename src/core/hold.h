/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLD_H
#define HOLD_H

#include "inner.h"

/* A SYN whose outcome waits for the host's answer. */
struct hold {
	struct synpaws_segment syn;
	struct synpaws_outcome outcome;
	uint64_t name; /* of the flow */
	uint64_t host;
	uint64_t until_ns;
	uint32_t flow;		 /* its index */
	uint32_t isn;		 /* of the SYN-ACK that answered it */
	enum synpaws_fate alone; /* judge_alone() */
	uint32_t previous;	 /* SYN between the same ends that waits too; index + 1 */
	uint32_t next;		 /* a later one, which has changed the flow since; index + 1 */
	bool settled;
	const struct flow *before; /* what was there before the SYN; state FLOW_FREE if nothing */
};

/* The host itself answers at once; behind a gateway it may be far. */
static inline bool hold_is_near(const struct hold *hold)
{
	return !hold->syn.forwarded;
}

/* What was there had refused a SYN by an ACK so lately that it may not do so again. */
static inline bool hold_is_limited(const struct synpaws_mirror *mirror, const struct hold *hold)
{
	const struct flow *was = hold->before;

	return mirror->config.profile->ack_rate_limit && was->state != FLOW_FREE &&
	       was->ack_ns != 0 && hold->syn.order_ns - was->ack_ns < TIMEWAIT_ACK_NS;
}

/*
 * answer.c: the fate of a SYN in the light of what the host answered to it. `checks` is whether the
 * host has the check on, as far as this answer is concerned.
 */
enum synpaws_fate answer_fate(const struct synpaws_mirror *mirror, const struct hold *hold,
			      bool checks);

#endif
