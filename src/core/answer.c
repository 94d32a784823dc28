/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hold.h"

/* Is there, or was there lately, a mini-socket that would treat the SYN so? */
static bool mini_would(const struct synpaws_mirror *mirror, const struct hold *hold,
		       enum synpaws_fate fate)
{
	return (hold->before->state == FLOW_TIME_WAIT || hold->before->state == FLOW_HALF_DEAD) &&
	       timewait_judge(mirror, hold->before, &hold->syn) == fate;
}

/*
 * tcp_timewait_state_process() chooses the sequence number of the SYN-ACK if TIME_WAIT gives way to
 * a SYN; tcp_v6_fill_cb() of 4.9 forgets it again.
 */
static bool is_from_time_wait(const struct synpaws_mirror *mirror, const struct hold *hold)
{
	const uint32_t isn = hold->before->snd_nxt + 65535 + 2;

	if (!mini_would(mirror, hold, SYNPAWS_FATE_TW_ACCEPT))
		return false;
	if (hold->syn.ip_version == 6 && mirror->config.profile->ipv6_tw_checked)
		return hold->outcome.fate == SYNPAWS_FATE_TW_ACCEPT;
	return hold->isn == (isn != 0 ? isn : 1);
}

/* The handshake was not over, although a FIN or so made it look like that. */
static bool is_same_request(const struct hold *hold)
{
	return hold->before->confirmed && hold->before->isn == hold->syn.seq &&
	       !hold->before->host_fin_seen;
}

static enum synpaws_fate fate_by_syn_ack(const struct synpaws_mirror *mirror,
					 const struct hold *hold, bool checks)
{
	const enum synpaws_fate fate = hold->outcome.fate;

	switch (fate) {
	case SYNPAWS_FATE_PAWS_DROP:
		if (!checks)
			return fate;
		break;
	case SYNPAWS_FATE_PASS:
	case SYNPAWS_FATE_TW_ACCEPT:
	case SYNPAWS_FATE_NOT_CHECKED:
	case SYNPAWS_FATE_COOKIE:
		if (!checks)
			return fate;
		break;
	case SYNPAWS_FATE_CLOSED_PORT:
	case SYNPAWS_FATE_MD5:
	case SYNPAWS_FATE_TW_REFUSE_ACK:
	case SYNPAWS_FATE_FIN_WAIT2_ACK:
	case SYNPAWS_FATE_FIN_WAIT2_RST:
	case SYNPAWS_FATE_OLD_CONNECTION:
		if (is_same_request(hold))
			return SYNPAWS_FATE_SYN_RECV;
		if (!checks)
			return hold->alone;
		break;
	case SYNPAWS_FATE_SYN_RECV: /* a request answers for its own SYN only */
		if (is_same_request(hold) || hold->before->isn == hold->syn.seq || !checks)
			return fate;
		break;
	default:
		return fate;
	}
	if (is_from_time_wait(mirror, hold))
		return SYNPAWS_FATE_TW_ACCEPT;
	if (hold->alone == SYNPAWS_FATE_COOKIE || hold->alone == SYNPAWS_FATE_NOT_CHECKED ||
	    fate == SYNPAWS_FATE_PASS)
		return hold->alone;
	/* One SYN-ACK in 32 looks like a cookie's: it has to explain something. */
	if (hold->outcome.answer == SYNPAWS_ANSWER_COOKIE && hold->alone == SYNPAWS_FATE_PAWS_DROP)
		return SYNPAWS_FATE_COOKIE;
	return SYNPAWS_FATE_PASS;
}

/* A kernel without the check keeps its TIME_WAITs for a minute: its ACKs say nothing of ours. */
static enum synpaws_fate fate_by_ack(const struct synpaws_mirror *mirror, const struct hold *hold,
				     bool checks)
{
	switch (hold->outcome.fate) {
	case SYNPAWS_FATE_SYN_RECV:
	case SYNPAWS_FATE_OLD_CONNECTION:
	case SYNPAWS_FATE_TW_REFUSE_ACK:
	case SYNPAWS_FATE_FIN_WAIT2_ACK:
		return hold->outcome.fate;
	default:
		break;
	}
	if (!checks)
		return hold->outcome.fate;
	if (mini_would(mirror, hold, SYNPAWS_FATE_TW_REFUSE_ACK))
		return SYNPAWS_FATE_TW_REFUSE_ACK;
	/* Its window may be smaller than was thought. */
	if (hold->before->state == FLOW_HALF_DEAD)
		return SYNPAWS_FATE_FIN_WAIT2_ACK;
	return hold->before->state == FLOW_HANDSHAKE ? SYNPAWS_FATE_SYN_RECV
						     : SYNPAWS_FATE_OLD_CONNECTION;
}

static enum synpaws_fate fate_by_rst(const struct synpaws_mirror *mirror, const struct hold *hold)
{
	if (mini_would(mirror, hold, SYNPAWS_FATE_FIN_WAIT2_RST))
		return SYNPAWS_FATE_FIN_WAIT2_RST;
	if (hold->outcome.fate == SYNPAWS_FATE_OLD_CONNECTION ||
	    hold->outcome.fate == SYNPAWS_FATE_SYN_RECV)
		return hold->outcome.fate;
	return SYNPAWS_FATE_CLOSED_PORT;
}

/* Nothing came, where an answer would have been seen. */
static enum synpaws_fate fate_by_silence(const struct synpaws_mirror *mirror,
					 const struct hold *hold, bool checks)
{
	const struct flow *was = hold->before;
	const bool limited =
		hold->outcome.fate != SYNPAWS_FATE_TW_ACCEPT && hold_is_limited(mirror, hold);

	if (hold->outcome.fate == SYNPAWS_FATE_CLOSED_PORT)
		return hold_is_near(hold) ? hold->alone : SYNPAWS_FATE_CLOSED_PORT;
	/* A socket that is there may keep silent; it is not gone for that. */
	if (!hold->outcome.guess && (hold->outcome.fate == SYNPAWS_FATE_OLD_CONNECTION ||
				     (was->state == FLOW_HANDSHAKE && was->confirmed)))
		return hold->outcome.fate;
	if (checks && limited && mini_would(mirror, hold, SYNPAWS_FATE_TW_REFUSE_ACK))
		return SYNPAWS_FATE_TW_REFUSE_ACK;
	if (checks && limited && mini_would(mirror, hold, SYNPAWS_FATE_FIN_WAIT2_ACK))
		return SYNPAWS_FATE_FIN_WAIT2_ACK;
	if (!checks || hold->alone != SYNPAWS_FATE_PAWS_DROP || limited)
		return hold->outcome.fate;
	return SYNPAWS_FATE_PAWS_DROP;
}

enum synpaws_fate answer_fate(const struct synpaws_mirror *mirror, const struct hold *hold,
			      bool checks)
{
	switch (hold->outcome.answer) {
	case SYNPAWS_ANSWER_SYN_ACK:
	case SYNPAWS_ANSWER_COOKIE:
		return fate_by_syn_ack(mirror, hold, checks);
	case SYNPAWS_ANSWER_ACK:
		return fate_by_ack(mirror, hold, checks);
	case SYNPAWS_ANSWER_RST:
		return fate_by_rst(mirror, hold);
	case SYNPAWS_ANSWER_SILENCE:
		return fate_by_silence(mirror, hold, checks);
	case SYNPAWS_ANSWER_UNSEEN:
	case SYNPAWS_ANSWER_KINDS:
		break;
	}
	if (hold->outcome.fate == SYNPAWS_FATE_CLOSED_PORT && hold->outcome.guess &&
	    hold_is_near(hold))
		return hold->alone;
	return hold->outcome.fate;
}
