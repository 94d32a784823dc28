/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inner.h"
#include "paws.h"

/* tcp_synack_retries is 5: the last wait ends after 63 s, or 189 s while the first took 3 s. */
#define HANDSHAKE_NS	 (63 * NS_PER_SEC)
#define HANDSHAKE_OLD_NS (189 * NS_PER_SEC)

/* A SYN comes again after a second, and after another one or two (RFC 6298, 2 and 5). */
#define TWICE_NS (2 * NS_PER_SEC)

#define RTO_FIRST_NS (4 * NS_PER_SEC)	/* on any path that is of use */
#define RTO_MOST_NS  (120 * NS_PER_SEC) /* TCP_RTO_MAX */

void judge_tell(const struct stamp *stamp, const struct synpaws_segment *syn,
		struct synpaws_outcome *outcome)
{
	outcome->recorded = true;
	outcome->recorded_tsval = stamp->tsval;
	outcome->recorded_at = stamp->second;
	outcome->age = (int32_t)(syn->second - stamp->second);
	outcome->behind = syn->has_timestamp ? paws_behind(stamp, syn->tsval) : 0;
}

enum synpaws_fate judge_alone(const struct synpaws_mirror *mirror,
			      const struct synpaws_segment *syn, uint64_t peer,
			      struct synpaws_outcome *outcome)
{
	const struct synpaws_profile *profile = mirror->config.profile;
	const struct synpaws_sysctls *sysctls = &mirror->config.sysctls;
	const bool has_timestamp = syn->has_timestamp && sysctls->tcp_timestamps;
	struct stamp *stamp;

	if (syn->ip_version == 6 && !profile->ipv6)
		return SYNPAWS_FATE_NOT_CHECKED;
	stamp = stamps_find(mirror->stamps, peer);
	if (stamp != NULL && stamp->second != 0)
		judge_tell(stamp, syn, outcome);
	if (profile->discards_md5 && syn->has_md5)
		return SYNPAWS_FATE_MD5;
	if (profile->cookies_always && sysctls->tcp_syncookies == 2)
		return SYNPAWS_FATE_COOKIE;
	if (!outcome->recorded ||
	    !paws_drops(profile, stamp, has_timestamp, syn->tsval, syn->second))
		return SYNPAWS_FATE_PASS;
	outcome->wait = paws_fresh_for(profile, stamp, syn->second);
	return SYNPAWS_FATE_PAWS_DROP;
}

/*
 * A host answers a SYN that comes again at once. A peer that has not heard even that, and sends its
 * SYN for the third time, was not answered: the first one was dropped, whatever was thought of it.
 */
static bool is_unheard(const struct flow *flow, uint64_t age)
{
	return !flow->confirmed && flow->repeated > 0 && age >= TWICE_NS;
}

static uint64_t handshake_ns(const struct synpaws_mirror *mirror)
{
	return mirror->config.profile->wrapping_age ? HANDSHAKE_NS : HANDSHAKE_OLD_NS;
}

/* Where all SYN-ACKs are seen, one that does not come again has been acknowledged. */
static bool is_answered(const struct synpaws_mirror *mirror, const struct flow *flow,
			uint64_t now_ns)
{
	return mirror->config.evidence == SYNPAWS_EVIDENCE_ANSWER && flow->confirmed &&
	       now_ns - flow->touched_ns > handshake_ns(mirror) / 2;
}

/* Short of full evidence nobody knows whether a handshake was completed, or has come to nothing. */
static enum synpaws_fate judge_handshake(const struct synpaws_mirror *mirror,
					 const struct flow *flow, const struct synpaws_segment *syn,
					 enum synpaws_fate alone, struct synpaws_outcome *outcome)
{
	const uint64_t age = syn->order_ns - flow->syn_ns;
	const bool full = mirror->config.evidence == SYNPAWS_EVIDENCE_FULL;
	const bool again = syn->seq == flow->isn;

	if (full && (flow->cookie || age >= handshake_ns(mirror)))
		return alone;
	outcome->guess = !flow->confirmed;
	if (flow->cookie ? again : again && is_unheard(flow, age))
		return alone;
	if (flow->cookie || age >= handshake_ns(mirror) ||
	    is_answered(mirror, flow, syn->order_ns)) {
		outcome->guess = true;
		return SYNPAWS_FATE_OLD_CONNECTION;
	}
	return SYNPAWS_FATE_SYN_RECV;
}

/*
 * A FIN that nobody acknowledges is sent again after an RTO, then after twice as long, and so on up
 * to TCP_RTO_MAX. When the next is overdue the host has given up.
 */
static bool fin_is_overdue(const struct flow *flow, uint64_t now_ns)
{
	const uint64_t span_ns = flow->heard_ns - flow->fin_ns, silent_ns = now_ns - flow->heard_ns;
	uint64_t due_ns = RTO_FIRST_NS;

	if (flow->fin_repeated > 0)
		due_ns = span_ns + span_ns / ((1U << flow->fin_repeated) - 1);
	if (due_ns > RTO_MOST_NS)
		due_ns = RTO_MOST_NS;
	return silent_ns > due_ns + due_ns / 8 + NS_PER_SEC / 2;
}

/* Or a full socket in FIN_WAIT2 without an owner has had its time. */
static bool is_given_up(const struct synpaws_mirror *mirror, const struct flow *flow,
			uint64_t now_ns)
{
	const uint64_t silent_ns = now_ns - flow->heard_ns;

	switch ((enum flow_state)flow->state) {
	case FLOW_FIN_WAIT1:
	case FLOW_CLOSING:
	case FLOW_LAST_ACK:
		return fin_is_overdue(flow, now_ns);
	case FLOW_FIN_WAIT2:
		return flow->orphan && silent_ns > RTO_MOST_NS &&
		       silent_ns > mirror->config.sysctls.tcp_fin_timeout * NS_PER_SEC;
	default:
		return false;
	}
}

void judge_answered(struct synpaws_mirror *mirror, struct flow *ghost)
{
	if (ghost->silent)
		services_unvote_silence(mirror->services, ghost->host);
	if (!ghost->counted)
		services_vote_check(mirror->services, ghost->host, true);
	ghost->silent = false;
	ghost->counted = true;
}

enum synpaws_fate judge_syn(struct synpaws_mirror *mirror, const struct flow *flow,
			    const struct synpaws_segment *syn, enum synpaws_fate alone,
			    struct synpaws_outcome *outcome)
{
	const uint64_t now_ns = syn->order_ns;
	enum synpaws_fate fate;

	switch (flow != NULL ? (enum flow_state)flow->state : FLOW_FREE) {
	case FLOW_FREE:
	case FLOW_CLOSED:
		return alone;
	case FLOW_GHOST:
		outcome->guess = flow->guessed;
		return alone;
	case FLOW_HANDSHAKE:
		return judge_handshake(mirror, flow, syn, alone, outcome);
	case FLOW_OPEN:
	case FLOW_FIN_WAIT1:
	case FLOW_FIN_WAIT2:
	case FLOW_CLOSING:
	case FLOW_LAST_ACK:
		outcome->guess = is_given_up(mirror, flow, now_ns);
		return outcome->guess ? alone : SYNPAWS_FATE_OLD_CONNECTION;
	case FLOW_HALF_DEAD:
	case FLOW_TIME_WAIT:
		break;
	}
	if (now_ns >= flow->late_ns)
		return alone;
	fate = timewait_judge(mirror, flow, syn);
	if (fate == SYNPAWS_FATE_TW_ACCEPT && syn->ip_version == 6 &&
	    mirror->config.profile->ipv6_tw_checked && alone != SYNPAWS_FATE_PASS)
		fate = alone;
	outcome->guess = now_ns >= flow->early_ns && fate != alone;
	return timewait_likely(mirror, flow, now_ns) ? fate : alone;
}
