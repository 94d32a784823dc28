/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inner.h"
#include "paws.h"

/* Where the dual-stack listener's connections leave their stamps: A.7 of the kernels' history. */
static bool written_elsewhere(const struct synpaws_mirror *mirror, const struct flow *flow)
{
	const enum synpaws_dual_stack rule = mirror->config.profile->dual_stack;

	return flow->dual_stack &&
	       (rule == SYNPAWS_DUAL_STACK_NEVER ||
		(rule == SYNPAWS_DUAL_STACK_NO_FIN && flow->state == FLOW_HALF_DEAD));
}

bool record_write(struct synpaws_mirror *mirror, struct flow *flow, uint32_t ack, uint32_t now)
{
	const struct synpaws_profile *profile = mirror->config.profile;
	struct stamp *stamp;

	if (!flow->has_timestamp || !flow->records)
		return false;
	/* inetpeer of 2.6.32 asks for an IPv4 socket, later kernels file it under another key. */
	if (written_elsewhere(mirror, flow))
		return profile->wrapping_age;
	stamp = stamps_find(mirror->stamps, flow->peer);
	if (stamp == NULL)
		stamp = stamps_add(mirror->stamps, flow->peer, now);
	flow->undo.tsval = stamp->tsval;
	flow->undo.second = stamp->second;
	flow->undo.ack = ack;
	flow->undo.possible = flow->undo.written =
		paws_record(profile, stamp, flow->ts_recent, flow->ts_second, now);
	flow->undo.new_tsval = stamp->tsval;
	flow->undo.new_second = stamp->second;
	mirror->records += flow->undo.possible;
	return true;
}

void record_undo(struct synpaws_mirror *mirror, struct flow *flow)
{
	struct flow_undo *undo = &flow->undo;
	struct stamp *stamp = undo->written ? stamps_find(mirror->stamps, flow->peer) : NULL;

	if (stamp == NULL || stamp->tsval != undo->new_tsval || stamp->second != undo->new_second)
		return;
	/* A stamp of second 0 never counts, as if it had not been made. */
	stamp->tsval = undo->tsval;
	stamp->second = undo->second;
	undo->possible = undo->written = false;
	mirror->undone++;
}
