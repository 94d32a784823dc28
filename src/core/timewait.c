/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inner.h"
#include "paws.h"

#define RTO_LEAST_NS	 (200 * NS_PER_MS)
#define TIMEWAIT_SECONDS 60 /* TCP_TIMEWAIT_LEN */

/* tcp_time_wait(): 3.5 RTO */
#define RECYCLED(rto_ns) ((rto_ns) / 2 * 7)

/* A slow path, or one that was slow once, makes for a longer RTO. */
#define RECYCLED_MOST_NS (4500 * NS_PER_MS)

/* The timer wheel of 4.8 and later rounds up by an eighth of the distance at the most. */
#define WHEEL_PART 14

/* calendar.h: rows of so long, up to the last but one of 32, and cells for what is longer */
#define ROW_NS	 (128 * NS_PER_MS)
#define CELL_NS	 (7500 * NS_PER_MS)
#define ROWS_NS	 (31 * ROW_NS)
#define CELLS_NS (7 * CELL_NS)

static uint64_t round_up(uint64_t ns, uint64_t step)
{
	return (ns + step - 1) / step * step;
}

/* How long a timer of `ns` may really take. */
static void set_life(struct synpaws_mirror *mirror, struct flow *flow, uint64_t now_ns, uint64_t ns)
{
	uint64_t cells;

	if (mirror->config.profile->exact_timers) {
		flow->early_ns = now_ns + ns;
		flow->likely_ns = now_ns + ns + ns / WHEEL_PART / 2;
		flow->late_ns = now_ns + ns + ns / WHEEL_PART + ROW_NS;
	} else if (ns <= ROWS_NS) {
		flow->early_ns = now_ns;
		flow->likely_ns = now_ns + ns;
		flow->late_ns = now_ns + round_up(ns, ROW_NS) + ROW_NS;
	} else {
		cells = round_up(ns, CELL_NS);
		if (cells > CELLS_NS)
			cells = CELLS_NS;
		flow->early_ns = now_ns + cells;
		flow->likely_ns = now_ns + cells + CELL_NS / 2;
		flow->late_ns = now_ns + cells + CELL_NS + ROW_NS;
	}
	calendar_enter(&mirror->calendar, flow, now_ns, ns);
}

bool timewait_likely(struct synpaws_mirror *mirror, const struct flow *flow, uint64_t now_ns)
{
	/* A gateway's hosts have a calendar each, and few of its entries are in view. */
	if (mirror->config.profile->exact_timers || mirror->many_hosts)
		return now_ns < flow->likely_ns;
	return calendar_holds(&mirror->calendar, flow, now_ns);
}

void timewait_enter_half(struct synpaws_mirror *mirror, struct flow *flow, uint64_t now_ns,
			 uint32_t seconds)
{
	uint64_t ns = seconds * NS_PER_SEC;

	if (ns < RECYCLED(RTO_LEAST_NS))
		ns = RECYCLED(RTO_LEAST_NS);
	flow->ack_ns = 0; /* tcp_time_wait(): tw_last_oow_ack_time */
	flow->state = FLOW_HALF_DEAD;
	set_life(mirror, flow, now_ns, ns);
	if (flow->late_ns < now_ns + RECYCLED_MOST_NS)
		flow->late_ns = now_ns + RECYCLED_MOST_NS;
}

void timewait_enter(struct synpaws_mirror *mirror, struct flow *flow, uint64_t now_ns,
		    bool recycled)
{
	uint64_t round_trip;

	if (flow->state != FLOW_HALF_DEAD)
		flow->ack_ns = 0;
	flow->state = FLOW_TIME_WAIT;
	if (!recycled) {
		timewait_renew(mirror, flow, now_ns);
		return;
	}
	/* The answer to the FIN is the one round trip that every evidence shows. */
	round_trip = flow->round_us * 1000ULL;
	set_life(mirror, flow, now_ns, RECYCLED(RTO_LEAST_NS + round_trip));
	flow->early_ns = now_ns;
	if (mirror->config.profile->exact_timers)
		flow->early_ns += RECYCLED(RTO_LEAST_NS);
	if (flow->late_ns < now_ns + RECYCLED_MOST_NS)
		flow->late_ns = now_ns + RECYCLED_MOST_NS;
}

void timewait_renew(struct synpaws_mirror *mirror, struct flow *flow, uint64_t now_ns)
{
	set_life(mirror, flow, now_ns, TIMEWAIT_SECONDS * NS_PER_SEC);
}

void timewait_revive(struct synpaws_mirror *mirror, struct flow *flow, const struct flow *was,
		     uint64_t now_ns)
{
	if (flow->state != FLOW_TIME_WAIT && flow->state != FLOW_HALF_DEAD)
		return;
	calendar_rejoin(&mirror->calendar, flow, was);
	if (flow->place != 0 && now_ns < flow->likely_ns)
		return;
	/* It outlived what was thought likely: by how much more, nobody knows. */
	if (flow->place == 0)
		calendar_enter(&mirror->calendar, flow, now_ns, RECYCLED(RTO_LEAST_NS));
	flow->likely_ns = flow->late_ns;
}

bool timewait_paws_rejects(const struct synpaws_mirror *mirror, const struct flow *flow,
			   const struct synpaws_segment *seg)
{
	const uint64_t stamp = flow->ts_second;

	if (!flow->has_timestamp || !seg->has_timestamp ||
	    ticks_behind(flow->ts_recent, seg->tsval) <= 0)
		return false;
	if (flow->ts_recent == 0 && mirror->config.profile->zero_ts_recent)
		return false;
	if ((seg->flags & SYNPAWS_RST) != 0 && seg->second >= stamp + SYNPAWS_PAWS_MSL)
		return false;
	return seg->second < stamp + PAWS_24_DAYS;
}

enum synpaws_fate timewait_judge(const struct synpaws_mirror *mirror, const struct flow *flow,
				 const struct synpaws_segment *syn)
{
	const bool rejected = timewait_paws_rejects(mirror, flow, syn);

	if (flow->state == FLOW_HALF_DEAD) {
		if (rejected || !in_window(syn, flow->rcv_nxt, flow->rcv_nxt + flow->rcv_wnd) ||
		    before(syn->seq, flow->rcv_nxt))
			return SYNPAWS_FATE_FIN_WAIT2_ACK;
		return SYNPAWS_FATE_FIN_WAIT2_RST;
	}
	if (rejected)
		return SYNPAWS_FATE_TW_REFUSE_ACK;
	if (after(syn->seq, flow->rcv_nxt) || (flow->has_timestamp && syn->has_timestamp &&
					       ticks_behind(flow->ts_recent, syn->tsval) < 0))
		return SYNPAWS_FATE_TW_ACCEPT;
	return SYNPAWS_FATE_TW_REFUSE_ACK;
}

void timewait_refuse(struct flow *flow, const struct synpaws_segment *seg)
{
	/* tcp_oow_rate_limited(): data is answered always, and does not count. */
	if (!synpaws_segment_is_syn(seg) && segment_end(seg) != seg->seq)
		return;
	if (flow->ack_ns == 0 || seg->order_ns - flow->ack_ns >= TIMEWAIT_ACK_NS)
		flow->ack_ns = seg->order_ns;
}

static void take_timestamp(struct flow *flow, const struct synpaws_segment *seg)
{
	if (!flow->has_timestamp || !seg->has_timestamp)
		return;
	flow->ts_recent = seg->tsval;
	flow->ts_second = seg->second;
}

static void receive_half(struct synpaws_mirror *mirror, struct flow *flow,
			 const struct synpaws_segment *seg)
{
	const uint32_t end = segment_end(seg);

	if (timewait_paws_rejects(mirror, flow, seg) ||
	    !in_window(seg, flow->rcv_nxt, flow->rcv_nxt + flow->rcv_wnd)) {
		timewait_refuse(flow, seg);
		return;
	}
	if ((seg->flags & SYNPAWS_RST) != 0) {
		host_forget(mirror, flow);
		return;
	}
	if ((seg->flags & SYNPAWS_ACK) == 0 || !after(end, flow->rcv_nxt) || end == seg->seq)
		return;
	if ((seg->flags & SYNPAWS_FIN) == 0 || end != flow->rcv_nxt + 1) {
		receive_unwanted(mirror, flow, seg);
		return;
	}
	take_timestamp(flow, seg);
	flow->rcv_nxt = end;
	timewait_enter(mirror, flow, seg->order_ns,
		       record_write(mirror, flow, seg->ack, seg->second));
}

void timewait_receive(struct synpaws_mirror *mirror, struct flow *flow,
		      const struct synpaws_segment *seg)
{
	const bool rejected = timewait_paws_rejects(mirror, flow, seg);
	const bool reset = (seg->flags & SYNPAWS_RST) != 0;

	if (seg->order_ns >= flow->late_ns) {
		host_forget(mirror, flow);
		return;
	}
	if (flow->state == FLOW_HALF_DEAD) {
		receive_half(mirror, flow, seg);
		return;
	}
	if (!rejected && seg->seq == flow->rcv_nxt && (segment_end(seg) == seg->seq || reset)) {
		if (reset) { /* tcp_rfc1337 is 0 by default */
			host_forget(mirror, flow);
			return;
		}
		timewait_renew(mirror, flow, seg->order_ns);
		take_timestamp(flow, seg);
		return;
	}
	if (reset)
		return;
	if (rejected || (seg->flags & SYNPAWS_ACK) != 0)
		timewait_renew(mirror, flow, seg->order_ns);
	timewait_refuse(flow, seg);
}
