/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inner.h"

/* A full socket numbers its IPv4 packets one by one; a large one may be several on the wire. */
#define ID_STEP_MOST 64

/* Where the host's windows have no scale that was seen, the one Linux uses most. */
#define WINDOW_SCALE_GUESS 7

void host_forget(struct synpaws_mirror *mirror, struct flow *flow)
{
	calendar_leave(&mirror->calendar, flow, mirror->now_ns);
	flows_remove(mirror->flows, flow);
}

struct flow *host_new_flow(struct synpaws_mirror *mirror, struct flow *flow,
			   const struct synpaws_segment *seg, struct ends *ends)
{
	const struct synpaws_profile *profile = mirror->config.profile;
	uint32_t held = 0;

	if (flow != NULL) {
		held = flow->held;
		host_forget(mirror, flow);
	}
	flow = flows_add(mirror->flows, ends->name, seg->order_ns);
	flow->held = held;
	ends_name_both(mirror, seg, ends);
	flow->peer = ends->peer_name;
	flow->host = ends->host_name;
	flow->host_port = ends->host_port;
	flow->records = seg->ip_version == 4 || profile->ipv6;
	flow->dual_stack =
		seg->ip_version == 4 &&
		services_is_told(mirror->services, ends->host_port, SYNPAWS_FACT_DUAL_STACK);
	return flow;
}

static uint32_t window_of(const struct flow *flow, const struct synpaws_segment *seg)
{
	const unsigned int scale =
		flow->window_scale != FLOW_SCALE_UNKNOWN ? flow->window_scale : WINDOW_SCALE_GUESS;

	return (uint32_t)seg->window << scale;
}

/* The TSecr of every segment of the host is its ts_recent (RFC 7323, 3.2). */
static void trust_tsecr(struct flow *flow, const struct synpaws_segment *seg)
{
	if (!flow->has_timestamp || !seg->has_timestamp || !after(seg->tsecr, flow->ts_recent))
		return;
	flow->ts_recent = seg->tsecr;
	flow->ts_second = seg->second;
}

static void note_id(struct flow *flow, const struct synpaws_segment *seg)
{
	flow->last_id = seg->ip_id;
	flow->id_known = seg->ip_version == 4;
}

/*
 * The ACK of the peer's FIN comes from the full socket, or from a mini-socket that the socket
 * became when it was an orphan: the IPv4 identification tells.
 */
static void vote_by_id(struct synpaws_mirror *mirror, struct flow *flow,
		       const struct synpaws_segment *seg)
{
	const uint16_t step = (uint16_t)(seg->ip_id - flow->last_id);

	if (flow->voted || !flow->id_known || seg->ip_version != 4 ||
	    flow->state != FLOW_TIME_WAIT || seg->ack != flow->rcv_nxt || seg->payload != 0)
		return;
	flow->voted = true;
	services_vote_half_close(mirror->services, flow->host, flow->host_port,
				 step >= 1 && step <= ID_STEP_MOST);
}

/* The service's way of closing: an orphan at once, later, or not before the peer has closed. */
static void decide_orphan(struct synpaws_mirror *mirror, struct flow *flow, uint64_t now_ns)
{
	const uint32_t delay = services_close_delay(mirror->services, flow->host_port);

	flow->orphan = !services_is(mirror->services, flow->host, flow->host_port,
				    SYNPAWS_FACT_HALF_CLOSE);
	if (!flow->orphan && delay != SYNPAWS_NEVER)
		mirror_expect(mirror, flow, DEADLINE_CLOSE, now_ns + delay * NS_PER_SEC);
}

/* Short of full evidence any acknowledgement of what came before the FIN is believed. */
#define UNACKNOWLEDGED (1U << 30)

/* What the FIN itself says of the socket as it was when the FIN left. */
static void take_fin(struct synpaws_mirror *mirror, struct flow *flow,
		     const struct synpaws_segment *seg)
{
	const bool followed =
		mirror->config.evidence == SYNPAWS_EVIDENCE_FULL && flow->state == FLOW_OPEN;

	flow->host_fin_seen = true;
	flow->fin_ns = flow->heard_ns = seg->order_ns;
	flow->fin_repeated = 0;
	flow->snd_nxt = segment_end(seg);
	flow->rcv_wup = seg->ack;
	flow->rcv_wnd = window_of(flow, seg);
	if (followed && flow->has_timestamp == seg->has_timestamp) {
		trust_tsecr(flow, seg);
		if (after(seg->ack, flow->rcv_nxt))
			flow->rcv_nxt = seg->ack;
		return;
	}
	flow->has_timestamp = seg->has_timestamp;
	flow->snd_una = seg->seq - UNACKNOWLEDGED;
	flow->rcv_nxt = seg->ack;
	/* The one thing that it does not say is the second of its ts_recent. */
	flow->ts_recent = seg->tsecr;
	flow->ts_second = seg->second;
}

/* Nothing comes after a FIN, so that what acknowledges one ends with it. */
static bool is_behind_fin(const struct flow *flow, uint32_t ack)
{
	return flow->peer_fin_seen && (ack == flow->peer_fin + 1 || ack == flow->past_fin + 1);
}

static void sends_fin(struct synpaws_mirror *mirror, struct flow *flow,
		      const struct synpaws_segment *seg, struct ends *ends)
{
	const bool again = flow != NULL && flow->host_fin_seen && flow->state != FLOW_GHOST &&
			   flow->snd_nxt == segment_end(seg);

	if (flow != NULL && flow->state == FLOW_GHOST) {
		judge_answered(mirror, flow);
		flow->host_fin_seen = true;
		if (!mirror_checks(mirror, flow->host))
			return;
	}
	if (again) {
		flow->rcv_wup = seg->ack;
		flow->heard_ns = seg->order_ns;
		if (flow->fin_repeated < FLOW_REPEATS_MOST)
			flow->fin_repeated++;
		return;
	}
	if (flow == NULL || flow->state == FLOW_GHOST || flow->host_fin_seen)
		flow = host_new_flow(mirror, flow, seg, ends);
	services_vote_closed(mirror->services, flow->host, flow->host_port, false);
	take_fin(mirror, flow, seg);
	decide_orphan(mirror, flow, seg->order_ns);
	if (is_behind_fin(flow, seg->ack)) {
		flow->state = FLOW_LAST_ACK;
		flow->rcv_nxt = seg->ack;
	} else {
		flow->state = FLOW_FIN_WAIT1;
		if (flow->peer_fin_seen)
			receive_early_fin(mirror, flow);
	}
	flows_touch(mirror->flows, flow, seg->order_ns);
}

/*
 * A request stays when the ACK of something else is answered by an RST (tcp_check_req()), and
 * behind a cookie there is nothing that could end.
 */
static bool leaves_request(const struct synpaws_mirror *mirror, const struct flow *flow,
			   const struct synpaws_segment *seg)
{
	if ((seg->flags & SYNPAWS_ACK) != 0 || flow->host_fin_seen)
		return false;
	if (flow->state != FLOW_HANDSHAKE && mirror->config.evidence == SYNPAWS_EVIDENCE_FULL)
		return false;
	return flow->cookie || (flow->confirmed && seg->seq != flow->snd_una);
}

static void sends_rst(struct synpaws_mirror *mirror, struct flow *flow,
		      const struct synpaws_segment *seg)
{
	if (flow == NULL || flow->state == FLOW_GHOST)
		return;
	if (leaves_request(mirror, flow, seg))
		return;
	/* The segment that made a record met no socket after all. */
	if (flow->undo.possible && seg->seq == flow->undo.ack)
		record_undo(mirror, flow);
	if (flow->reset_expected && !flow->voted)
		services_vote_half_close(mirror->services, flow->host, flow->host_port, false);
	host_forget(mirror, flow);
}

/* With full evidence a connection comes into view by any segment of the host. */
static void open_flow(struct flow *flow, const struct synpaws_segment *seg)
{
	flow->state = FLOW_OPEN;
	flow->cookie = false;
	flow->has_timestamp = seg->has_timestamp;
	flow->ts_recent = seg->tsecr;
	flow->ts_second = seg->second;
	flow->rcv_nxt = seg->ack;
	flow->snd_una = flow->snd_nxt = seg->seq;
	flow->confirmed = true;
}

/* It has data to send, or acknowledges some: whatever was seen to come, the handshake is over. */
static bool is_open(const struct flow *flow, const struct synpaws_segment *seg)
{
	return flow->state == FLOW_HANDSHAKE &&
	       (seg->payload > 0 || after(seg->ack, flow->isn + 1));
}

/* The answer to a SYN that is not held (any more), or of which nothing was seen. */
static void sends_syn_ack(struct synpaws_mirror *mirror, struct flow *flow,
			  const struct synpaws_segment *seg, struct ends *ends)
{
	if (flow != NULL && flow->state == FLOW_GHOST && flow->held == 0) {
		judge_answered(mirror, flow);
		if (!mirror_checks(mirror, flow->host))
			return;
		flow->state = FLOW_FREE;
	}
	if (flow == NULL || flow->state == FLOW_FREE) {
		flow = host_new_flow(mirror, flow, seg, ends);
		flow->state = FLOW_HANDSHAKE;
		flow->isn = seg->ack - 1;
		flow->syn_ns = seg->order_ns;
		flow->rcv_nxt = flow->rcv_wup = seg->ack;
		flow->has_timestamp = seg->has_timestamp;
		flow->ts_recent = seg->tsecr;
		flow->ts_second = seg->second;
	}
	if (flow->state != FLOW_HANDSHAKE)
		return;
	flow->confirmed = true;
	flow->snd_una = seg->seq + 1;
	flow->rcv_wnd = seg->window; /* never scaled in a SYN (RFC 7323, 2.2) */
	flow->window_scale = seg->window_scale < 0 ? 0 : (uint8_t)seg->window_scale;
	flow->touched_ns = seg->order_ns;
	note_id(flow, seg);
}

static void sends_other(struct synpaws_mirror *mirror, struct flow *flow,
			const struct synpaws_segment *seg, struct ends *ends)
{
	if (mirror->config.evidence == SYNPAWS_EVIDENCE_FULL &&
	    (flow == NULL || is_open(flow, seg))) {
		flow = flow != NULL ? flow : host_new_flow(mirror, NULL, seg, ends);
		open_flow(flow, seg);
	}
	if (flow == NULL || flow->state == FLOW_GHOST || flow->state == FLOW_HANDSHAKE)
		return;
	/* An acknowledgement of what an orphan would not have taken. */
	if (flow->reset_expected && after(seg->ack, flow->rcv_wup))
		receive_owned(mirror, flow, seg->order_ns, seg->second);
	receive_acknowledged(mirror, flow, seg);
	vote_by_id(mirror, flow, seg);
	note_id(flow, seg);
	flow->undo.possible = false;
	flow->heard_ns = seg->order_ns;
	flow->rcv_wup = seg->ack;
	flow->rcv_wnd = window_of(flow, seg);
	if (flow->state == FLOW_OPEN && after(seg->ack, flow->rcv_nxt))
		flow->rcv_nxt = seg->ack;
	if (flow->state == FLOW_OPEN && after(segment_end(seg), flow->snd_nxt))
		flow->snd_nxt = segment_end(seg);
	trust_tsecr(flow, seg);
}

void host_sends(struct synpaws_mirror *mirror, struct flow *flow, const struct synpaws_segment *seg,
		struct ends *ends)
{
	if (seg->flags & SYNPAWS_RST) {
		sends_rst(mirror, flow, seg);
	} else if ((seg->flags & (SYNPAWS_SYN | SYNPAWS_ACK)) == (SYNPAWS_SYN | SYNPAWS_ACK)) {
		sends_syn_ack(mirror, flow, seg, ends);
	} else if (seg->flags & SYNPAWS_SYN) {
		/* A connection that the host opens takes the place of an older one. */
		if (flow != NULL)
			host_forget(mirror, flow);
	} else if (seg->flags & SYNPAWS_FIN) {
		sends_fin(mirror, flow, seg, ends);
		flow = flows_find(mirror->flows, ends->name);
		if (flow != NULL)
			note_id(flow, seg);
	} else {
		sends_other(mirror, flow, seg, ends);
	}
}
