/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "calendar.h"
#include "flows.h"
#include "wire.h"

#define SCALE_MOST 14 /* RFC 7323, 2.3 */

static bool is_sound(const struct flow *flow)
{
	return flow->state <= FLOW_CLOSED && flow->place <= CALENDAR_PLACES &&
	       flow->fin_repeated <= FLOW_REPEATS_MOST &&
	       (flow->window_scale <= SCALE_MOST || flow->window_scale == FLOW_SCALE_UNKNOWN);
}

static void wire_times(struct flow *flow, struct wire *wire)
{
	wire_u64(wire, &flow->touched_ns);
	wire_u64(wire, &flow->syn_ns);
	wire_u64(wire, &flow->fin_ns);
	wire_u64(wire, &flow->heard_ns);
	wire_u64(wire, &flow->early_ns);
	wire_u64(wire, &flow->likely_ns);
	wire_u64(wire, &flow->late_ns);
	wire_u64(wire, &flow->ack_ns);
	wire_u32(wire, &flow->round_us);
}

static void wire_numbers(struct flow *flow, struct wire *wire)
{
	size_t i;

	wire_u32(wire, &flow->isn);
	wire_u32(wire, &flow->ts_recent);
	wire_u32(wire, &flow->ts_second);
	wire_u32(wire, &flow->rcv_nxt);
	wire_u32(wire, &flow->rcv_wup);
	wire_u32(wire, &flow->rcv_wnd);
	wire_u32(wire, &flow->snd_una);
	wire_u32(wire, &flow->snd_nxt);
	wire_u32(wire, &flow->peer_fin);
	wire_u32(wire, &flow->past_fin);
	wire_u32(wire, &flow->early_seq);
	wire_u32(wire, &flow->early_tsval);
	wire_u32(wire, &flow->early_second);
	for (i = 0; i < FLOW_RANGES; i++) {
		wire_u32(wire, &flow->ranges[i].from);
		wire_u32(wire, &flow->ranges[i].to);
	}
}

static void wire_undo(struct flow_undo *undo, struct wire *wire)
{
	wire_bool(wire, &undo->written);
	wire_bool(wire, &undo->possible);
	wire_u32(wire, &undo->tsval);
	wire_u32(wire, &undo->second);
	wire_u32(wire, &undo->new_tsval);
	wire_u32(wire, &undo->new_second);
	wire_u32(wire, &undo->ack);
}

static void wire_flags(struct flow *flow, struct wire *wire)
{
	bool *const flags[] = {
		&flow->records,	      &flow->has_timestamp, &flow->early_has_timestamp,
		&flow->host_fin_seen, &flow->peer_fin_seen, &flow->peer_fin_taken,
		&flow->orphan,	      &flow->dual_stack,    &flow->reset_expected,
		&flow->late_fin,      &flow->id_known,	    &flow->voted,
		&flow->counted,	      &flow->silent,	    &flow->confirmed,
		&flow->cookie,	      &flow->guessed,
	};
	size_t i;

	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		wire_bool(wire, flags[i]);
}

void flow_wire(struct flow *flow, struct wire *wire)
{
	wire_u64(wire, &flow->name);
	wire_u64(wire, &flow->peer);
	wire_u64(wire, &flow->host);
	wire_times(flow, wire);
	wire_u32(wire, &flow->held);
	wire_numbers(flow, wire);
	wire_undo(&flow->undo, wire);
	wire_u16(wire, &flow->host_port);
	wire_u16(wire, &flow->last_id);
	wire_u32(wire, &flow->place_round);
	wire_u8(wire, &flow->place);
	wire_u8(wire, &flow->state);
	wire_u8(wire, &flow->window_scale);
	wire_u8(wire, &flow->repeated);
	wire_u8(wire, &flow->fin_repeated);
	wire_flags(flow, wire);
	if (wire_reads(wire))
		wire_expect(wire, is_sound(flow) && (flow->peer != 0 || flow->name == 0));
}
