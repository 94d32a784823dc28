/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KERNEL_RECORD_H
#define KERNEL_RECORD_H

/* The records of peers, mini-sockets and how long they live; and what a host sends. */
#include "kernel_types.h"

static inline struct record *record_of(struct kernel *k, const struct tuple *tuple)
{
	const bool by_host = k->rules->by_host || k->gateway;

	return &k->records[tuple->six][tuple->peer][by_host ? tuple->host : 0];
}

/* A.2, in 64 bits where the kernel has unsigned long. */
static inline bool record_fresh(const struct kernel *k, const struct record *r)
{
	const uint32_t now = kernel_second(k);

	if (!r->made)
		return false;
	return k->rules->plain_age ? now < (uint64_t)r->stamp + 60 : now - r->stamp < 60;
}

static inline bool record_expired(const struct kernel *k, const struct record *r)
{
	const uint32_t now = kernel_second(k);

	return k->rules->plain_age ? (uint64_t)r->stamp + 60 < now : now - r->stamp > 60;
}

/* A.1 steps 2, 7 and 8. */
static inline bool check_drops(struct kernel *k, const struct synpaws_segment *in,
			       const struct record *r)
{
	if (!record_fresh(k, r))
		return false;
	if (!in->has_timestamp)
		return k->rules->drops_without_ts;
	return (int32_t)(r->ts - in->tsval) > 1;
}

/* B.3. `unsure`: the mirror cannot know nstamp. */
static inline void record_write(struct kernel *k, struct record *r, uint32_t nts, uint32_t nstamp,
				bool unsure)
{
	const bool newer = !r->made || (int32_t)(r->ts - nts) <= 0;

	if (!newer && (r->unsure || unsure))
		r->lost = true; /* whether it is written hangs on what the mirror cannot know */
	/* Or on what it thinks for a moment, until it sees the RST. */
	if (r->spared != 0 && k->now - r->spared < MS)
		r->lost = true;
	if (!newer && !(record_expired(k, r) && r->stamp <= nstamp))
		return;
	r->made = true;
	r->ts = nts;
	r->stamp = nstamp;
	r->unsure = unsure;
	r->late = false;
}

/*
 * tcp_remember_stamp(), and with `by_fin` tcp_tw_remember_stamp(): whether a record was written or
 * found, so that TIME_WAIT is short.
 */
static inline bool remember(struct kernel *k, struct socket *s, bool by_fin)
{
	/* What `close` and `answer` see first is the FIN: it tells ts_recent, not its second. */
	const bool unsure =
		k->world != WORLD_FULL && k->world != WORLD_UNCHECKED && !s->ts_after_fin;
	const bool dual = s->service == DUAL && !s->tuple.six;
	const bool imagined = s->retried && before(s->ts_recent, s->syn_ts);

	if (!s->ts || (s->tuple.six && !k->rules->ipv6))
		return false;
	if (dual && k->rules->dual_never)
		return true;
	if (dual && by_fin && k->rules->dual_no_fin)
		return k->rules->dual_fin_is_short;
	if (!s->phantom)
		record_write(k, record_of(k, &s->tuple), imagined ? s->syn_ts : s->ts_recent,
			     s->ts_second, unsure);
	return true;
}

/* How long a timer of `ms` may take: B.4 and I.1 to I.3. */
static inline void timer_range(const struct kernel *k, uint64_t ms, uint64_t *least, uint64_t *most)
{
	if (k->rules->exact_timers) {
		*least = ms * MS;
		*most = *least + (ms < 500 ? 8 : ms < 4000 ? 64 : ms < 32000 ? 512 : 4096) * MS;
	} else if (ms <= 4096) {
		*least = MS;
		*most = (ms + 128) * MS;
	} else {
		const uint64_t slot = ms >= 60000 ? 7 : (ms + 7499) / 7500;

		*least = (slot > 7 ? 7 : slot) * 7500 * MS;
		*most = *least + 7500 * MS;
	}
}

/* TIME_WAIT for `ms`; on a host without the check, where there is no recycling, for `real` ms. */
static inline void mini_live(struct kernel *k, struct socket *s, uint64_t ms, uint64_t real)
{
	uint64_t least, most;

	timer_range(k, ms, &s->earliest, &s->latest);
	s->earliest += k->now;
	s->latest += k->now;
	timer_range(k, k->world == WORLD_UNCHECKED ? real : ms, &least, &most);
	s->dies = k->now + between(k->dice, least, most);
}

static inline uint64_t recycled_ms(const struct socket *s)
{
	return 4 * s->rto - s->rto / 2;
}

/* Any segment that makes a TIME_WAIT last 60 s again. */
static inline void mini_rearm(struct kernel *k, struct socket *s)
{
	const bool was_there = k->now < s->earliest || k->world != WORLD_UNCHECKED;

	s->poked = true;
	if (!was_there)
		s->unsure = true;
	mini_live(k, s, 60000, 60000);
}

/* tcp_time_wait(); `timeout` in seconds, of FIN_WAIT2. */
static inline void time_wait(struct kernel *k, struct socket *s, enum event event, uint32_t timeout)
{
	const uint64_t least = recycled_ms(s);
	const uint64_t life = timeout * 1000ULL > least ? timeout * 1000ULL : least;

	s->recycles = remember(k, s, false);
	/* What is left of the window that was announced last. */
	s->rcv_wnd = s->rcv_wup + s->rcv_wnd - s->rcv_nxt;
	s->state = event == E2 || event == E4 ? MINI_TIME_WAIT : MINI_FIN_WAIT2;
	k->events[event]++;
	s->app = s->ack = s->resend = s->convert = NEVER;
	s->acked_out_of_window = false;
	if (s->state == MINI_FIN_WAIT2)
		mini_live(k, s, life, life);
	else
		mini_live(k, s, s->recycles ? least : 60000, 60000);
}

static inline struct synpaws_segment *send_plain(struct kernel *k, const struct tuple *tuple,
						 uint8_t flags, uint32_t seq, uint32_t ack)
{
	struct synpaws_segment *seg;

	assert_true(k->sent_count < SENT);
	k->now += between(k->dice, 1000, 40000);
	seg = &k->sent[k->sent_count++];
	*seg = segment_of(k, tuple, true);
	seg->flags = flags;
	seg->seq = seq;
	seg->ack = ack;
	if (!tuple->six && !k->rules->consecutive_zero)
		seg->ip_id = (uint16_t)unit_random(k->dice);
	return seg;
}

static inline void put_ts(const struct kernel *k, struct synpaws_segment *seg, uint32_t tsecr)
{
	seg->has_timestamp = true;
	seg->tsval = k->clock + (uint32_t)(k->now / MS);
	seg->tsecr = tsecr;
}

/* tcp_v4_send_reset(): in answer to a segment, whatever socket there is or is not. */
static inline void send_reset(struct kernel *k, const struct tuple *tuple,
			      const struct synpaws_segment *in)
{
	if ((in->flags & SYNPAWS_RST) != 0)
		return;
	if ((in->flags & SYNPAWS_ACK) != 0)
		send_plain(k, tuple, SYNPAWS_RST, in->ack, 0);
	else
		send_plain(k, tuple, SYNPAWS_RST | SYNPAWS_ACK, 0, segment_end(in));
}

/* All that a full socket sends: it numbers its packets, and rcv_wup is the ACK sent last. */
static inline struct synpaws_segment *send_full(struct kernel *k, struct socket *s, uint8_t flags,
						uint32_t seq, uint32_t payload)
{
	struct synpaws_segment *seg = send_plain(k, &s->tuple, flags, seq, s->rcv_nxt);

	s->rcv_wup = s->rcv_nxt;
	s->ack = NEVER;
	seg->payload = payload;
	seg->window = (uint16_t)(s->rcv_wnd >> s->scale);
	seg->ip_id = s->tuple.six ? 0 : s->ip_id++;
	if (s->ts)
		put_ts(k, seg, s->ts_recent);
	return seg;
}

static inline void send_ack(struct kernel *k, struct socket *s)
{
	send_full(k, s, SYNPAWS_ACK, s->snd_nxt, 0);
}

/* The ACK of a mini-socket, and with other numbers that of a request. */
static inline void send_mini_ack(struct kernel *k, struct socket *s, uint32_t seq, uint32_t ack)
{
	struct synpaws_segment *seg = send_plain(k, &s->tuple, SYNPAWS_ACK, seq, ack);

	seg->window = (uint16_t)(s->rcv_wnd >> s->scale);
	if (s->ts && s->ts_recent != 0)
		put_ts(k, seg, s->ts_recent);
}

/* tcp_oow_rate_limited(): one ACK in 500 ms for segments without data, where there is a limit. */
static inline bool ack_limited(struct kernel *k, struct socket *s, const struct synpaws_segment *in)
{
	const bool data = in->payload != 0 || (in->flags & SYNPAWS_FIN) != 0;

	if (!k->rules->limits_acks || (data && (in->flags & SYNPAWS_SYN) == 0))
		return false;
	if (s->acked_out_of_window && k->now - s->oow_ns < 500 * MS)
		return true;
	s->acked_out_of_window = true;
	s->oow_ns = k->now;
	return false;
}

/* tcp_paws_check() */
static inline bool paws_passes(const struct kernel *k, const struct socket *s, uint32_t tsval,
			       int32_t window)
{
	if ((int32_t)(s->ts_recent - tsval) <= window)
		return true;
	return k->rules->zero_clause && s->ts_recent == 0;
}

static inline void socket_close(struct socket *s)
{
	s->state = CLOSED;
}

/* D.4 */
static inline void fin_wait2_receive(struct kernel *k, struct socket *s,
				     const struct synpaws_segment *in, bool rejected)
{
	const uint32_t end = segment_end(in), edge = s->rcv_nxt + s->rcv_wnd;
	const bool in_window = in->seq == s->rcv_nxt ||
			       (after(end, s->rcv_nxt) && before(in->seq, edge)) ||
			       (in->seq == edge && end == edge);

	if (rejected || !in_window) {
		if (!ack_limited(k, s, in)) /* even for an RST */
			send_mini_ack(k, s, s->snd_nxt, s->rcv_nxt);
	} else if ((in->flags & SYNPAWS_RST) != 0) {
		socket_close(s);
	} else if ((in->flags & SYNPAWS_SYN) != 0 && !before(in->seq, s->rcv_nxt)) {
		k->truth.fate = SYNPAWS_FATE_FIN_WAIT2_RST;
		send_reset(k, &s->tuple, in);
		socket_close(s);
	} else if ((in->flags & SYNPAWS_ACK) == 0 || !after(end, s->rcv_nxt) || end == in->seq) {
		/* A duplicate ACK. */
	} else if ((in->flags & SYNPAWS_FIN) == 0 || end != s->rcv_nxt + 1) {
		send_reset(k, &s->tuple, in);
		socket_close(s);
	} else { /* E3 */
		s->state = MINI_TIME_WAIT;
		s->rcv_nxt = end;
		if (in->has_timestamp) {
			s->ts_recent = in->tsval;
			s->ts_second = kernel_second(k);
			s->ts_after_fin = true;
		}
		k->events[E3]++;
		s->recycles = remember(k, s, true);
		mini_live(k, s, s->recycles ? recycled_ms(s) : 60000, 60000);
		send_mini_ack(k, s, s->snd_nxt, s->rcv_nxt);
	}
}

/* Section D.1 to D.3, of TIME_WAIT. True if it gives way to this SYN. */
static inline bool time_wait_receive(struct kernel *k, struct socket *s,
				     const struct synpaws_segment *in, bool rejected)
{
	const uint32_t end = segment_end(in);
	const bool rst = (in->flags & SYNPAWS_RST) != 0;

	if (!rejected && in->seq == s->rcv_nxt && (in->seq == end || rst)) {
		if (rst) {
			socket_close(s);
			return false;
		}
		mini_rearm(k, s);
		if (in->has_timestamp) {
			s->ts_recent = in->tsval;
			s->ts_second = kernel_second(k);
		}
		return false;
	}
	if (synpaws_segment_is_syn(in) && !rejected && s->service != CONNECTS &&
	    (after(in->seq, s->rcv_nxt) ||
	     (in->has_timestamp && (int32_t)(s->ts_recent - in->tsval) < 0)))
		return true;
	if (rst)
		return false;
	if (rejected || (in->flags & SYNPAWS_ACK) != 0)
		mini_rearm(k, s);
	if (!ack_limited(k, s, in))
		send_mini_ack(k, s, s->snd_nxt, s->rcv_nxt);
	return false;
}

/* tcp_timewait_state_process(). True if a SYN goes on to the listener. */
static inline bool mini_receive(struct kernel *k, struct socket *s, struct synpaws_segment in)
{
	bool rejected;

	if (!s->ts)
		in.has_timestamp = false;
	rejected = in.has_timestamp && !paws_passes(k, s, in.tsval, 0);
	if ((in.flags & SYNPAWS_RST) != 0 && (int32_t)(kernel_second(k) - s->ts_second) >= 60)
		rejected = false;
	if (s->state == MINI_TIME_WAIT) {
		k->truth.fate = SYNPAWS_FATE_TW_REFUSE_ACK;
		return time_wait_receive(k, s, &in, rejected);
	}
	k->truth.fate = SYNPAWS_FATE_FIN_WAIT2_ACK;
	fin_wait2_receive(k, s, &in, rejected);
	return false;
}

#endif
