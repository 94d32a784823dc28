/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inner.h"

#define TIMEWAIT_SECONDS 60 /* TCP_TIMEWAIT_LEN */

/* How long an RST of the host may take, as any answer. */
#define RESET_NS     SYNPAWS_HOLD_NS
#define RESET_FAR_NS NS_PER_SEC /* behind a gateway */

/* tcp_paws_check(): true if the segment's TSval lies more than `window` behind. */
static bool is_older(const struct synpaws_mirror *mirror, const struct flow *flow,
		     const struct synpaws_segment *seg, int32_t window)
{
	if (!seg->has_timestamp || ticks_behind(flow->ts_recent, seg->tsval) <= window)
		return false;
	if (flow->ts_recent == 0 && mirror->config.profile->zero_ts_recent)
		return false;
	return seg->second < (uint64_t)flow->ts_second + PAWS_24_DAYS;
}

static bool paws_fails(const struct synpaws_mirror *mirror, const struct flow *flow,
		       const struct synpaws_segment *seg, int32_t window)
{
	return flow->has_timestamp && is_older(mirror, flow, seg, window);
}

/* tcp_replace_ts_recent() */
static void replace_ts_recent(const struct synpaws_mirror *mirror, struct flow *flow,
			      const struct synpaws_segment *seg)
{
	if (!flow->has_timestamp || !seg->has_timestamp || after(seg->seq, flow->rcv_wup) ||
	    paws_fails(mirror, flow, seg, 0))
		return;
	flow->ts_recent = seg->tsval;
	flow->ts_second = seg->second;
}

static void expect_reset(struct synpaws_mirror *mirror, struct flow *flow, uint64_t now_ns)
{
	flow->reset_expected =
		mirror_expect(mirror, flow, DEADLINE_RESET,
			      now_ns + (mirror->many_hosts ? RESET_FAR_NS : RESET_NS));
}

/* Keep what came too early; where there is no room the peer's retransmission has to do. */
static void keep_range(struct flow *flow, uint32_t from, uint32_t to)
{
	size_t i;

	for (i = 0; i < FLOW_RANGES && from != to; i++) {
		struct flow_range *range = &flow->ranges[i];

		if (range->from == range->to) {
			range->from = from;
			range->to = to;
			return;
		}
		if (!after(from, range->to) && !after(range->from, to)) {
			range->from = before(from, range->from) ? from : range->from;
			range->to = after(to, range->to) ? to : range->to;
			return;
		}
	}
}

static void join_ranges(struct flow *flow)
{
	size_t i, round;

	for (round = 0; round < FLOW_RANGES; round++) {
		for (i = 0; i < FLOW_RANGES; i++) {
			struct flow_range *range = &flow->ranges[i];

			if (range->from == range->to || after(range->from, flow->rcv_nxt))
				continue;
			if (after(range->to, flow->rcv_nxt))
				flow->rcv_nxt = range->to;
			range->from = range->to = 0;
		}
	}
}

/* Nothing comes after a FIN, so that of two the first counts; but not one of the past. */
static bool is_first_fin(const struct flow *flow, uint32_t fin)
{
	return !flow->peer_fin_taken && !before(fin, flow->rcv_nxt) &&
	       (!flow->peer_fin_seen || before(flow->peer_fin, flow->rcv_nxt) ||
		before(fin, flow->peer_fin));
}

/* tcp_data_queue(). True if the peer's FIN has been reached now, with nothing missing before it. */
static bool take_text(struct flow *flow, const struct synpaws_segment *seg)
{
	const uint32_t end = seg->seq + seg->payload;

	if ((seg->flags & SYNPAWS_FIN) != 0 && is_first_fin(flow, end)) {
		flow->peer_fin_seen = true;
		flow->peer_fin = end;
	}
	if (after(seg->seq, flow->rcv_nxt))
		keep_range(flow, seg->seq, end);
	else if (after(end, flow->rcv_nxt))
		flow->rcv_nxt = end;
	join_ranges(flow);
	if (!flow->peer_fin_seen || flow->peer_fin_taken || flow->rcv_nxt != flow->peer_fin)
		return false;
	flow->peer_fin_taken = true;
	flow->rcv_nxt++;
	return true;
}

/* A host acknowledges at once, for all that is seen; where its ACKs are seen, these tell. */
static void suppose_ack(const struct synpaws_mirror *mirror, struct flow *flow)
{
	if (mirror->config.evidence < SYNPAWS_EVIDENCE_ANSWER)
		flow->rcv_wup = flow->rcv_nxt;
}

/* tcp_fin() */
static void take_fin(struct synpaws_mirror *mirror, struct flow *flow, uint32_t ack,
		     uint64_t now_ns, uint32_t now)
{
	if (flow->reset_expected) {
		flow->late_fin = true;
		return;
	}
	if (flow->state == FLOW_FIN_WAIT1)
		flow->state = FLOW_CLOSING;
	else if (flow->state == FLOW_FIN_WAIT2)
		timewait_enter(mirror, flow, now_ns, record_write(mirror, flow, ack, now));
}

void receive_owned(struct synpaws_mirror *mirror, struct flow *flow, uint64_t now_ns, uint32_t now)
{
	flow->reset_expected = false;
	flow->orphan = false;
	/* Then it was none either when its FIN was acknowledged. */
	record_undo(mirror, flow);
	if (!flow->voted)
		services_vote_half_close(mirror->services, flow->host, flow->host_port, true);
	flow->voted = true;
	if (flow->late_fin) {
		flow->late_fin = false;
		take_fin(mirror, flow, flow->snd_nxt, now_ns, now);
	}
}

void receive_acknowledged(struct synpaws_mirror *mirror, struct flow *flow,
			  const struct synpaws_segment *seg)
{
	if ((flow->state != FLOW_FIN_WAIT1 && flow->state != FLOW_FIN_WAIT2) ||
	    !after(seg->ack, flow->rcv_nxt))
		return;
	flow->rcv_nxt = seg->ack;
	join_ranges(flow);
	if (!flow->peer_fin_seen || flow->peer_fin_taken || flow->rcv_nxt != flow->peer_fin + 1)
		return;
	flow->peer_fin_taken = true;
	take_fin(mirror, flow, seg->seq, seg->order_ns, seg->second);
}

/* tcp_rcv_state_process(), TCP_FIN_WAIT1: the host's FIN is acknowledged. True if that was all. */
static bool fin_acknowledged(struct synpaws_mirror *mirror, struct flow *flow,
			     const struct synpaws_segment *seg)
{
	const uint32_t timeout = mirror->config.sysctls.tcp_fin_timeout;

	flow->state = FLOW_FIN_WAIT2;
	flow->heard_ns = seg->order_ns; /* tcp_fin_timeout begins */
	if (seg->order_ns - flow->fin_ns < NS_PER_SEC)
		flow->round_us = (uint32_t)((seg->order_ns - flow->fin_ns) / 1000);
	/* In one segment with the peer's FIN nothing tells a full socket from an orphan. */
	flow->voted = flow->voted || (seg->flags & SYNPAWS_FIN) != 0 || timeout > TIMEWAIT_SECONDS;
	if (!flow->orphan || (seg->payload > 0 && after(seg->seq + seg->payload, flow->rcv_nxt)))
		return false;
	if (timeout > TIMEWAIT_SECONDS) {
		mirror_expect(mirror, flow, DEADLINE_EXPIRE,
			      seg->order_ns + (timeout - TIMEWAIT_SECONDS) * NS_PER_SEC);
		return false;
	}
	if ((seg->flags & SYNPAWS_FIN) != 0)
		return false;
	record_write(mirror, flow, seg->ack, seg->second);
	timewait_enter_half(mirror, flow, seg->order_ns, timeout);
	return true;
}

/* Steps 1 to 4 of RFC 9293, 3.10.7.4, as tcp_validate_incoming() has them. False: discarded. */
static bool acceptable(const struct synpaws_mirror *mirror, const struct flow *flow,
		       const struct synpaws_segment *seg)
{
	const uint32_t window = flow->rcv_wnd;

	if (!(seg->flags & SYNPAWS_RST) && paws_fails(mirror, flow, seg, SYNPAWS_PAWS_WINDOW))
		return false;
	return !before(segment_end(seg), flow->rcv_wup) && !after(seg->seq, flow->rcv_nxt + window);
}

static bool resets(const struct synpaws_mirror *mirror, const struct flow *flow,
		   const struct synpaws_segment *seg)
{
	return !mirror->config.profile->challenge_ack || seg->seq == flow->rcv_nxt;
}

/* Step 5. True if nothing of the segment is left to be done. */
static bool take_ack(struct synpaws_mirror *mirror, struct flow *flow,
		     const struct synpaws_segment *seg)
{
	/* tcp_rcv_established() discards what acknowledges the future, the other states do not. */
	if (after(seg->ack, flow->snd_nxt))
		return flow->state == FLOW_OPEN;
	if (before(seg->ack, flow->snd_una))
		return false;
	if (!mirror->config.profile->early_ts_recent)
		replace_ts_recent(mirror, flow, seg);
	flow->snd_una = seg->ack;
	if (!flow->host_fin_seen || flow->snd_una != flow->snd_nxt)
		return false;
	switch (flow->state) {
	case FLOW_FIN_WAIT1:
		return fin_acknowledged(mirror, flow, seg);
	case FLOW_CLOSING:
		timewait_enter(mirror, flow, seg->order_ns,
			       record_write(mirror, flow, seg->ack, seg->second));
		return true;
	case FLOW_LAST_ACK:
		flow->state = FLOW_CLOSED;
		return true;
	default:
		return false;
	}
}

static void receive_full(struct synpaws_mirror *mirror, struct flow *flow,
			 const struct synpaws_segment *seg)
{
	const uint32_t end = seg->seq + seg->payload;

	if (!acceptable(mirror, flow, seg))
		return;
	if (seg->flags & SYNPAWS_RST) {
		if (resets(mirror, flow, seg))
			host_forget(mirror, flow);
		return;
	}
	if ((seg->flags & SYNPAWS_SYN) != 0 || (seg->flags & SYNPAWS_ACK) == 0)
		return;
	if (mirror->config.profile->early_ts_recent)
		replace_ts_recent(mirror, flow, seg);
	if (take_ack(mirror, flow, seg))
		return;
	/* Nothing comes after a FIN. */
	if (flow->peer_fin_taken || flow->state == FLOW_LAST_ACK)
		return;
	if (flow->orphan && !flow->reset_expected && seg->payload > 0 && after(end, flow->rcv_nxt))
		expect_reset(mirror, flow, seg->order_ns);
	if (take_text(flow, seg))
		take_fin(mirror, flow, seg->ack, seg->order_ns, seg->second);
	suppose_ack(mirror, flow);
}

void receive_unwanted(struct synpaws_mirror *mirror, struct flow *flow,
		      const struct synpaws_segment *seg)
{
	flow->state = FLOW_FIN_WAIT2;
	receive_full(mirror, flow, seg);
}

void receive_early_fin(const struct synpaws_mirror *mirror, struct flow *flow)
{
	const bool stamped = flow->has_timestamp && flow->early_has_timestamp;

	if (before(flow->peer_fin, flow->rcv_nxt))
		flow->peer_fin_seen = false; /* of an older connection */
	if (flow->early_seq != flow->rcv_nxt && flow->peer_fin != flow->rcv_nxt)
		return;
	/* Now that the FIN tells what ts_recent was: the host had discarded the peer's. */
	if (stamped && ticks_behind(flow->ts_recent, flow->early_tsval) > SYNPAWS_PAWS_WINDOW) {
		flow->peer_fin_seen = false;
		return;
	}
	if (stamped && !after(flow->early_seq, flow->rcv_wup) &&
	    ticks_behind(flow->ts_recent, flow->early_tsval) <= 0) {
		flow->ts_recent = flow->early_tsval;
		flow->ts_second = flow->early_second;
	}
	flow->rcv_nxt = flow->peer_fin + 1;
	flow->peer_fin_taken = true;
	flow->state = FLOW_CLOSING;
	suppose_ack(mirror, flow);
}

void receive_syn(const struct synpaws_mirror *mirror, struct flow *flow,
		 const struct synpaws_segment *syn)
{
	const bool followed =
		flow->host_fin_seen || mirror->config.evidence == SYNPAWS_EVIDENCE_FULL;

	if (mirror->config.profile->early_ts_recent && followed && acceptable(mirror, flow, syn))
		replace_ts_recent(mirror, flow, syn);
}

/* In less than that nobody sends the 2 GB after which an old sequence number is a new one. */
#define WRAP_LEAST_NS (100 * NS_PER_MS)

/* One that was on its way since the last connection between these ends. */
static bool is_before_syn(const struct flow *flow, const struct synpaws_segment *fin)
{
	const bool stamped = flow->has_timestamp && fin->has_timestamp;

	if (flow->state != FLOW_HANDSHAKE || flow->cookie || after(fin->seq, flow->isn))
		return false;
	return (stamped && ticks_behind(flow->ts_recent, fin->tsval) >= 0) ||
	       fin->order_ns - flow->syn_ns < WRAP_LEAST_NS;
}

/* The host has sent no FIN yet. */
static void receive_open(struct synpaws_mirror *mirror, struct flow *flow,
			 const struct synpaws_segment *seg)
{
	if ((seg->flags & SYNPAWS_FIN) != 0) {
		flow->early_seq = seg->seq;
		flow->early_tsval = seg->tsval;
		flow->early_second = seg->second;
		flow->early_has_timestamp = seg->has_timestamp;
	}
	if (mirror->config.evidence == SYNPAWS_EVIDENCE_FULL) {
		receive_full(mirror, flow, seg);
		return;
	}
	if ((seg->flags & SYNPAWS_RST) != 0) {
		host_forget(mirror, flow);
	} else if ((seg->flags & SYNPAWS_FIN) != 0 && !is_before_syn(flow, seg)) {
		flow->state = FLOW_OPEN;
		if (seg->seq + seg->payload != flow->peer_fin)
			flow->past_fin = flow->peer_fin;
		flow->peer_fin_seen = true;
		flow->peer_fin = seg->seq + seg->payload;
	}
}

/* The request becomes a socket, whose ts_recent is as old as itself. */
static void open_handshake(struct flow *flow, const struct synpaws_segment *seg)
{
	flow->state = FLOW_OPEN;
	flow->confirmed = true;
	flow->rcv_nxt = flow->rcv_wup = flow->isn + 1;
	flow->snd_una = flow->snd_nxt = seg->ack;
	flow->ts_second = seg->second;
}

/* cookie_v4_check(): the host has kept nothing, all that it knows of the peer is in this ACK. */
static void receive_cookie(struct synpaws_mirror *mirror, struct flow *flow,
			   const struct synpaws_segment *seg)
{
	if ((seg->flags & (SYNPAWS_SYN | SYNPAWS_RST | SYNPAWS_ACK)) != SYNPAWS_ACK ||
	    seg->seq != flow->isn + 1 || (flow->confirmed && seg->ack != flow->snd_una))
		return;
	flow->cookie = false;
	flow->ts_recent = flow->has_timestamp ? seg->tsval : 0;
	open_handshake(flow, seg);
	receive_open(mirror, flow, seg);
}

/* tcp_check_req(): what a request makes of a segment, as full evidence shows it. */
static void receive_request(struct synpaws_mirror *mirror, struct flow *flow,
			    const struct synpaws_segment *seg)
{
	const uint32_t first = flow->isn + 1;
	/* It compares timestamps even if none were negotiated. */
	const bool stamped = seg->has_timestamp && mirror->config.sysctls.tcp_timestamps;

	if ((seg->flags & SYNPAWS_ACK) != 0 && flow->confirmed && seg->ack != flow->snd_una)
		return;
	if ((stamped && is_older(mirror, flow, seg, 0)) ||
	    !in_window(seg, first, first + flow->rcv_wnd))
		return;
	if (stamped && !after(seg->seq, first))
		flow->ts_recent = seg->tsval;
	if ((seg->flags & (SYNPAWS_RST | SYNPAWS_SYN)) != 0) {
		host_forget(mirror, flow);
	} else if ((seg->flags & SYNPAWS_ACK) != 0) {
		open_handshake(flow, seg);
		receive_open(mirror, flow, seg);
	}
}

static void receive_handshake(struct synpaws_mirror *mirror, struct flow *flow,
			      const struct synpaws_segment *seg)
{
	if (mirror->config.evidence < SYNPAWS_EVIDENCE_FULL)
		receive_open(mirror, flow, seg);
	else if (flow->cookie)
		receive_cookie(mirror, flow, seg);
	else
		receive_request(mirror, flow, seg);
}

static void receive_ghost(struct synpaws_mirror *mirror, struct flow *flow,
			  const struct synpaws_segment *seg)
{
	if ((seg->flags & SYNPAWS_FIN) != 0)
		judge_answered(mirror, flow);
}

void receive_segment(struct synpaws_mirror *mirror, struct flow *flow,
		     const struct synpaws_segment *seg)
{
	flow->undo.possible = false;
	switch ((enum flow_state)flow->state) {
	case FLOW_FREE:
	case FLOW_CLOSED:
		break;
	case FLOW_GHOST:
		receive_ghost(mirror, flow, seg);
		break;
	case FLOW_HANDSHAKE:
		receive_handshake(mirror, flow, seg);
		break;
	case FLOW_OPEN:
		receive_open(mirror, flow, seg);
		break;
	case FLOW_FIN_WAIT1:
	case FLOW_FIN_WAIT2:
	case FLOW_CLOSING:
	case FLOW_LAST_ACK:
		receive_full(mirror, flow, seg);
		break;
	case FLOW_HALF_DEAD:
	case FLOW_TIME_WAIT:
		timewait_receive(mirror, flow, seg);
		break;
	}
}

/* tcp_close() of a socket that shutdown() had closed already. */
static void close_at_last(struct synpaws_mirror *mirror, struct flow *flow, uint64_t now_ns,
			  uint32_t now)
{
	const uint32_t timeout = mirror->config.sysctls.tcp_fin_timeout;

	flow->orphan = true;
	if (flow->state != FLOW_FIN_WAIT2)
		return;
	if (timeout > TIMEWAIT_SECONDS) {
		mirror_expect(mirror, flow, DEADLINE_EXPIRE,
			      now_ns + (timeout - TIMEWAIT_SECONDS) * NS_PER_SEC);
		return;
	}
	record_write(mirror, flow, flow->snd_nxt, now);
	timewait_enter_half(mirror, flow, now_ns, timeout);
}

void receive_deadline(struct synpaws_mirror *mirror, const struct deadline *deadline, uint32_t now)
{
	struct flow *flow = flows_at(mirror->flows, deadline->flow);
	const uint32_t timeout = mirror->config.sysctls.tcp_fin_timeout;

	if (flow->name != deadline->name || flow->fin_ns != deadline->fin_ns ||
	    !flow->host_fin_seen || flow->state == FLOW_GHOST)
		return;
	switch (deadline->kind) {
	case DEADLINE_CLOSE:
		close_at_last(mirror, flow, deadline->ns, now);
		break;
	case DEADLINE_EXPIRE: /* tcp_keepalive_timer() */
		if (flow->state != FLOW_FIN_WAIT2 || !flow->orphan)
			break;
		record_write(mirror, flow, flow->snd_nxt, now);
		timewait_enter_half(mirror, flow, deadline->ns, timeout - TIMEWAIT_SECONDS);
		break;
	case DEADLINE_RESET:
		if (flow->reset_expected)
			receive_owned(mirror, flow, deadline->ns, now);
		break;
	}
}
