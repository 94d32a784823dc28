/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KERNEL_TALK_H
#define KERNEL_TALK_H

/* Clients: mostly they do what is proper, and else what comes to mind. */
#include "kernel_world.h"

static inline uint32_t clock_now(const struct host_world *w, unsigned int clock)
{
	return w->clock_base[clock] +
	       (uint32_t)(w->kernel.now / 1000 * w->clock_hz[clock] / 1000000);
}

/* A timestamp: the client's clock as a rule; at times an old one, a neighbour's, or none. */
static inline void talk_ts(struct host_world *w, struct talk *t, struct synpaws_segment *seg)
{
	const uint32_t now = clock_now(w, t->clock), luck = unit_below(&w->dice, 100);

	if (!t->uses_ts || luck < 2)
		return;
	seg->has_timestamp = true;
	seg->tsecr = t->host_ts;
	if (luck < 4)
		seg->tsval = now - unit_below(&w->dice, 6);
	else if (luck < 6)
		seg->tsval = t->last_ts - 1 - unit_below(&w->dice, 3);
	else if (luck < 8)
		seg->tsval = t->last_ts;
	else if (luck == 8 && one_in(&w->dice, 3))
		seg->tsval = clock_now(w, unit_below(&w->dice, CLOCKS));
	else if (luck == 9 && one_in(&w->dice, 8))
		seg->tsval = 0;
	else
		seg->tsval = t->last_ts = now;
}

static inline struct synpaws_segment talk_segment(struct host_world *w, struct talk *t,
						  uint8_t flags, uint32_t seq, uint32_t payload)
{
	struct synpaws_segment seg = segment_of(&w->kernel, &t->tuple, false);

	seg.flags = flags;
	seg.seq = seq;
	seg.payload = payload;
	seg.window = 502;
	if ((flags & SYNPAWS_ACK) != 0)
		seg.ack = t->host_next;
	if ((flags & SYNPAWS_SYN) != 0) {
		seg.window_scale = 7;
		seg.sack_permitted = true;
	}
	if ((flags & SYNPAWS_RST) == 0 || one_in(&w->dice, 5)) /* Linux sends RSTs without */
		talk_ts(w, t, &seg);
	return seg;
}

static inline void talk_post(struct host_world *w, struct talk *t,
			     const struct synpaws_segment *seg)
{
	t->history[t->past++ % HISTORY] = *seg;
	if ((seg->flags & SYNPAWS_ACK) != 0)
		t->last_ack = seg->ack;
	send_off(w, &t->tuple, seg);
}

static inline void talk_send(struct host_world *w, struct talk *t, uint8_t flags, uint32_t seq,
			     uint32_t payload)
{
	const struct synpaws_segment seg = talk_segment(w, t, flags, seq, payload);

	talk_post(w, t, &seg);
}

/* A SYN to a 4-tuple that may have been in use: what it will be compared with is well chosen. */
static inline void talk_syn(struct host_world *w, struct talk *t, const struct socket *old)
{
	static const uint32_t edges[] = { 0U - 5000, 0U - 2, 0U - 1, 0,	       1,
					  2,	     700,    5000,   1U << 30, 3U << 30 };
	struct synpaws_segment seg;

	t->isn = any_isn(&w->dice);
	if (old != NULL)
		t->isn = old->rcv_nxt + edges[unit_below(&w->dice, COUNT(edges))];
	if (old != NULL && w->kernel.world != WORLD_CLOSE && one_in(&w->dice, 8))
		t->isn = old->rcv_nxt + old->rcv_wnd + unit_below(&w->dice, 3) - 1;
	t->next = t->isn + 1;
	t->answered = t->acked = t->fin_sent = t->host_fin = t->reset = t->refused = false;
	t->past = 0;
	t->uses_ts = !one_in(&w->dice, 12);
	t->wants = unit_below(&w->dice, 3);
	t->lazy = one_in(&w->dice, 4);
	t->patience =
		one_in(&w->dice, 4) ? 3 + unit_below(&w->dice, 4) : 8 + unit_below(&w->dice, 40);
	t->steps = 0;
	if (!one_in(&w->dice, 3))
		t->clock = t->tuple.peer * 3U % CLOCKS + unit_below(&w->dice, 3);
	t->clock %= CLOCKS;
	seg = talk_segment(w, t, SYNPAWS_SYN, t->isn, 0);
	if (old != NULL && seg.has_timestamp && one_in(&w->dice, 2))
		seg.tsval = old->ts_recent + unit_below(&w->dice, 5) - 2;
	if (seg.has_timestamp && record_of(&w->kernel, &t->tuple)->made && one_in(&w->dice, 6))
		seg.tsval = record_of(&w->kernel, &t->tuple)->ts - unit_below(&w->dice, 4);
	seg.tsecr = 0;
	t->uses_ts = seg.has_timestamp;
	seg.has_md5 = old == NULL && one_in(&w->dice, 60);
	talk_post(w, t, &seg);
}

/* A new conversation, from a port that was never used. */
static inline void talk_new(struct host_world *w, struct talk *t)
{
	const uint32_t n = unit_below(&w->dice, NEIGHBOURS);
	struct tuple *tuple = &t->tuple;

	memset(t, 0, sizeof(*t));
	t->live = true;
	tuple->six = one_in(&w->dice, 4);
	tuple->host = (uint8_t)unit_below(&w->dice, HOSTS);
	tuple->peer = w->neighbours[n];
	if (record_of(&w->kernel, tuple)->lost && w->next_peer < PEERS)
		tuple->peer = w->neighbours[n] = w->next_peer++;
	tuple->peer_port = w->next_port++;
	tuple->host_port = PORT_OF(unit_below(&w->dice, CONNECTS));
	if (tuple->host_port == PORT_OF(NOBODY) && !one_in(&w->dice, 4))
		tuple->host_port = PORT_OF(CLOSES_AFTER_BYTE);
	t->at = w->kernel.now;
	if (!one_in(&w->dice, 12)) {
		talk_syn(w, t, NULL);
		return;
	}
	t->called = true;
	t->uses_ts = !one_in(&w->dice, 8);
	t->clock = unit_below(&w->dice, CLOCKS);
	t->patience = 20;
	tuple->host_port = (uint16_t)(OWN_PORT + unit_below(&w->dice, OWN_PORTS));
	w->kernel.sent_count = 0;
	host_connect(&w->kernel, tuple);
	judge_sent(&w->judge, tuple);
	world_sent(w, tuple);
	t->isn = any_isn(&w->dice);
	t->next = t->isn + 1;
}

/* The end of it; another one from the same port may follow. */
static inline void talk_over(struct host_world *w, struct talk *t)
{
	struct socket *s = socket_trace(&w->kernel, &t->tuple);

	/* Of a recycled TIME_WAIT little time is left. */
	if (s != NULL && !one_in(&w->dice, 3) && t->steps != 0) {
		t->called = false;
		talk_syn(w, t, s);
		if (one_in(&w->dice, 2))
			t->at = w->kernel.now + between(&w->dice, 1000, 900 * MS);
	} else {
		talk_new(w, t);
	}
}

/* SYN sent, or with `called` awaited. */
static inline void talk_open(struct host_world *w, struct talk *t)
{
	const uint32_t luck = unit_below(&w->dice, 100);

	if (t->called) {
		struct synpaws_segment seg =
			talk_segment(w, t, SYNPAWS_SYN | SYNPAWS_ACK, t->isn, 0);

		t->answered = true;
		talk_post(w, t, &seg);
		return;
	}
	if (t->refused && luck < 60) {
		t->refused = false;
		talk_send(w, t, SYNPAWS_RST, t->refusal, 0);
	} else if (t->reset || luck >= 85) {
		talk_over(w, t);
	} else if (luck < 60) {
		talk_send(w, t, SYNPAWS_SYN, t->isn, 0);
	} else if (luck < 64) {
		talk_send(w, t, SYNPAWS_RST, t->isn + unit_below(&w->dice, 3), 0);
	} else if (luck < 68) {
		talk_send(w, t, SYNPAWS_ACK, t->next, unit_below(&w->dice, 2));
	} else if (luck < 71 && w->judge.counts.segments % 2 == 0) {
		talk_send(w, t, SYNPAWS_SYN, t->isn + unit_below(&w->dice, 5000), 0);
	}
}

/* What the host has not got is sent again, with a new timestamp. False if it has all. */
static inline bool talk_again(struct host_world *w, struct talk *t)
{
	const struct socket *s = socket_trace(&w->kernel, &t->tuple);
	uint32_t i;

	if (s == NULL || !before(s->rcv_nxt, t->next) || s->state == SYN_RECV)
		return false;
	for (i = 0; i < HISTORY && i < t->past; i++) {
		struct synpaws_segment seg = t->history[i];

		if (seg.seq != s->rcv_nxt || segment_end(&seg) == seg.seq)
			continue;
		seg.ack = t->last_ack = t->host_next;
		seg.has_timestamp = false;
		seg.tsval = 0;
		talk_ts(w, t, &seg);
		send_off(w, &t->tuple, &seg);
		return true;
	}
	return false;
}

/* The next thing that a proper client would do. */
static inline void talk_proper(struct host_world *w, struct talk *t)
{
	const enum service service = (enum service)(t->tuple.host_port - 8000);
	const bool first = service == READS_TO_END || service == ECHOES || one_in(&w->dice, 15);
	uint32_t length = 0;

	if (one_in(&w->dice, 3) && talk_again(w, t))
		return;
	if (t->wants > 0 && !t->fin_sent && (!t->host_fin || one_in(&w->dice, 3))) {
		length = 1 + unit_below(&w->dice, 1400);
		t->wants--;
	}
	if (!t->fin_sent && !(t->lazy && t->host_fin) &&
	    (t->host_fin || (first && t->wants == 0)) &&
	    (t->last_ack == t->host_next || one_in(&w->dice, 3))) {
		struct synpaws_segment seg = talk_segment(w, t, SYNPAWS_FIN | SYNPAWS_ACK, t->next,
							  one_in(&w->dice, 4) ? length : 0);

		if (t->host_fin && one_in(&w->dice, 8))
			seg.ack--; /* both have closed at the same time */
		talk_post(w, t, &seg);
		t->next = segment_end(&seg);
		t->fin_sent = true;
	} else if (length > 0 && !(t->past < 2 && one_in(&w->dice, 2))) {
		talk_send(w, t, SYNPAWS_ACK, t->next, length);
		t->next += length;
	} else {
		t->wants += length > 0;
		talk_send(w, t, SYNPAWS_ACK, t->next, 0);
	}
	if (t->fin_sent && t->host_fin && t->last_ack == t->host_next)
		t->patience = t->patience > t->steps + 3 ? t->steps + 3 : t->patience;
}

/* Something that a client should not do, or does only when segments are lost. */
static inline void talk_improper(struct host_world *w, struct talk *t)
{
	struct synpaws_segment seg =
		t->history[unit_below(&w->dice, HISTORY) % (t->past ? t->past : 1)];
	const uint32_t n = 1 + unit_below(&w->dice, 800);

	switch (unit_below(&w->dice, 15)) {
	case 0:
	case 1: /* once more as it was */
		send_off(w, &t->tuple, &seg);
		break;
	case 2:
	case 3: /* once more, with a new timestamp */
		seg.has_timestamp = false;
		seg.tsval = 0;
		talk_ts(w, t, &seg);
		send_off(w, &t->tuple, &seg);
		break;
	case 4:
		talk_send(w, t, SYNPAWS_ACK, t->next + n, 0);
		break;
	case 5:
		talk_send(w, t, SYNPAWS_ACK, t->next - 1, 0);
		break;
	case 6:
		talk_send(w, t, SYNPAWS_RST, t->next - (one_in(&w->dice, 3) ? n : 0), 0);
		break;
	case 7: /* data behind all, or lost */
		if (one_in(&w->dice, 2))
			talk_send(w, t, SYNPAWS_ACK, t->next, n);
		t->next += n;
		break;
	case 8: /* less is acknowledged than was received */
		seg = talk_segment(w, t, SYNPAWS_ACK, t->next, 0);
		seg.ack -= 1 + unit_below(&w->dice, 2);
		send_off(w, &t->tuple, &seg);
		break;
	case 9: /* and more */
		seg = talk_segment(w, t, SYNPAWS_ACK, t->next, 0);
		seg.ack += 70000;
		send_off(w, &t->tuple, &seg);
		break;
	case 10: /* with a gap before the FIN, which is filled later or not */
		if (!t->fin_sent) {
			talk_send(w, t, SYNPAWS_FIN | SYNPAWS_ACK, t->next + n, 0);
			if (one_in(&w->dice, 2))
				talk_send(w, t, SYNPAWS_ACK, t->next, n);
			t->next += n + 1;
			t->fin_sent = true;
		}
		break;
	case 11: /* FIN right behind data */
		if (!t->fin_sent) {
			talk_send(w, t, SYNPAWS_ACK, t->next, n);
			talk_send(w, t, SYNPAWS_FIN | SYNPAWS_ACK, t->next + n, 0);
			t->next += n + 1;
			t->fin_sent = true;
		}
		break;
	case 12: /* the SYN again, late */
		talk_send(w, t, SYNPAWS_SYN, t->isn, 0);
		break;
	case 13:
		talk_send(w, t, SYNPAWS_FIN | SYNPAWS_ACK, t->fin_sent ? t->next - 1 : t->next, 0);
		t->next += !t->fin_sent;
		t->fin_sent = true;
		break;
	default:
		if (!t->called)
			talk_syn(w, t, socket_trace(&w->kernel, &t->tuple));
		break;
	}
}

static inline void talk_step(struct host_world *w, struct talk *t)
{
	t->steps++;
	if (t->lazy && t->host_fin && one_in(&w->dice, 4))
		t->lazy = false;
	if (!t->answered)
		talk_open(w, t);
	else if (t->steps > t->patience || (t->reset && one_in(&w->dice, 3)))
		talk_over(w, t);
	else if (unit_below(&w->dice, 100) < (w->quiet ? 97U : 84U))
		talk_proper(w, t);
	else
		talk_improper(w, t);
}

/* How long until a client does something again. */
static inline uint64_t talk_pause(uint64_t *dice, const struct talk *t)
{
	const uint32_t luck = unit_below(dice, 1000);

	if (t->lazy && t->host_fin && !t->fin_sent && luck < 700)
		return between(dice, 300 * MS, one_in(dice, 5) ? 40 * SECOND : 3 * SECOND);
	if (luck < 700)
		return between(dice, 20000, 3 * MS);
	if (luck < 950)
		return between(dice, 3 * MS, 300 * MS);
	return luck < 992 ? between(dice, 300 * MS, 3 * SECOND)
			  : between(dice, 3 * SECOND, 20 * SECOND);
}

#endif
