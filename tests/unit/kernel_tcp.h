/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KERNEL_TCP_H
#define KERNEL_TCP_H

/* Full sockets: what they do with segments, and what their applications do. */
#include "kernel_record.h"

/* B.2: with PAWS window 0, and only up to what the last segment sent has acknowledged. */
static inline void store_ts(struct kernel *k, struct socket *s, const struct synpaws_segment *in)
{
	if (!s->ts || !in->has_timestamp || after(in->seq, s->rcv_wup) ||
	    !paws_passes(k, s, in->tsval, 0))
		return;
	s->ts_recent = in->tsval;
	s->ts_second = kernel_second(k);
	s->ts_after_fin = s->fin_sent;
}

static inline void dup_ack(struct kernel *k, struct socket *s, const struct synpaws_segment *in)
{
	if ((in->flags & SYNPAWS_RST) == 0 && !ack_limited(k, s, in))
		send_ack(k, s);
}

/* All that is not acknowledged, in one segment. */
static inline void send_outstanding(struct kernel *k, struct socket *s)
{
	const uint8_t fin = s->fin_sent ? SYNPAWS_FIN : 0;
	const uint64_t wait = (200 * MS) << s->resent;

	send_full(k, s, (uint8_t)(SYNPAWS_ACK | fin), s->snd_una,
		  s->snd_nxt - s->snd_una - s->fin_sent);
	s->resend = k->now + (wait < 120 * SECOND ? wait : 120 * SECOND); /* TCP_RTO_MAX */
}

static inline void send_data(struct kernel *k, struct socket *s, uint32_t length)
{
	send_full(k, s, SYNPAWS_ACK, s->snd_nxt, length);
	s->snd_nxt += length;
	s->resend = k->now + 200 * MS;
	s->resent = 0;
}

/* FIN, by itself or on the last of the data. */
static inline void send_fin(struct kernel *k, struct socket *s, uint32_t length)
{
	send_full(k, s, SYNPAWS_ACK | SYNPAWS_FIN, s->snd_nxt, length);
	s->snd_nxt += length + 1;
	s->fin_sent = true;
	s->ts_after_fin = false;
	s->resend = k->now + 200 * MS;
	s->resent = 0;
}

/* tcp_close() */
static inline void app_close(struct kernel *k, struct socket *s, uint32_t last_words)
{
	s->app = NEVER;
	if (s->unread > 0 || s->service == RESETS) {
		if (s->state == FIN_WAIT2)
			record_of(k, &s->tuple)->spared = k->now;
		send_full(k, s, SYNPAWS_RST | SYNPAWS_ACK, s->snd_nxt, 0);
		socket_close(s);
		return;
	}
	s->orphan = true;
	if (s->state == ESTABLISHED || s->state == CLOSE_WAIT) {
		s->state = s->state == ESTABLISHED ? FIN_WAIT1 : LAST_ACK;
		send_fin(k, s, last_words);
	} else if (s->state == FIN_WAIT2 && k->fin_timeout > 60) {
		s->convert = k->now + (k->fin_timeout - 60) * SECOND;
	} else if (s->state == FIN_WAIT2) {
		time_wait(k, s, E1B, k->fin_timeout);
	}
}

static inline void app_shutdown(struct kernel *k, struct socket *s)
{
	s->state = FIN_WAIT1;
	send_fin(k, s, 0);
	/* From when the FIN left, as the mirror is told. */
	s->app = s->service == SHUTS_AND_CLOSES ? k->now + CLOSE_AFTER * SECOND : NEVER;
}

/* The application's turn. */
static inline void app_run(struct kernel *k, struct socket *s)
{
	s->app = NEVER;
	switch (s->service) {
	case CLOSES_AT_ONCE:
	case CONNECTS:
		app_close(k, s, 0);
		return;
	case NEVER_ACCEPTS:
	case NOBODY:
	case SERVICES:
		return;
	case SHUTS_AND_CLOSES:
		if (s->fin_sent) {
			app_close(k, s, 0);
			return;
		}
		break;
	default:
		break;
	}
	s->unread = 0;
	if (s->eof)
		app_close(k, s, 0);
	else if (s->received > 0 && (s->service == SHUTS_DOWN || s->service == SHUTS_AND_CLOSES)) {
		if (s->state == ESTABLISHED)
			app_shutdown(k, s);
	} else if (s->received > 0 && s->service == ECHOES && !one_in(k->dice, 3))
		send_data(k, s, 1 + unit_below(k->dice, 500));
	else if (s->received > 0 && s->service == ANSWERS && one_in(k->dice, 2)) {
		send_data(k, s, 41);
		app_close(k, s, 0);
	} else if (s->received > 0 && s->service != READS_TO_END)
		app_close(k, s, s->service == ANSWERS ? 41 : 0);
}

static inline void app_wake(struct kernel *k, struct socket *s)
{
	uint64_t delay = between(k->dice, 20000, 2 * MS);

	if (s->orphan || (s->service == SHUTS_AND_CLOSES && s->fin_sent))
		return; /* nobody is there, or asleep */
	if (s->service == CLOSES_AT_ONCE && s->app != NEVER)
		return;
	if (s->service == CONNECTS && !s->eof)
		return;
	if (one_in(k->dice, 12))
		delay = between(k->dice, 2 * MS, one_in(k->dice, 4) ? 3 * SECOND : 200 * MS);
	s->app = k->now + delay;
}

/* ACK now, or let it wait for 40 ms: on some connections, now and then. */
static inline void schedule_ack(struct kernel *k, struct socket *s)
{
	if (s->delays && one_in(k->dice, 2)) {
		if (s->ack == NEVER)
			s->ack = k->now + 40 * MS;
	} else {
		send_ack(k, s);
	}
}

/* tcp_fin() */
static inline void receive_fin(struct kernel *k, struct socket *s)
{
	s->eof = true;
	s->earlies = 0;
	if (s->state == ESTABLISHED) {
		s->state = CLOSE_WAIT;
		schedule_ack(k, s);
	} else if (s->state == FIN_WAIT1) {
		send_ack(k, s);
		s->state = CLOSING;
	} else if (s->state == FIN_WAIT2) {
		send_ack(k, s);
		time_wait(k, s, E2, 0);
		return;
	}
	app_wake(k, s);
}

/* What is next in order, in whole or in its last part. */
static inline void receive_data(struct kernel *k, struct socket *s, uint32_t end, bool fin)
{
	const uint32_t length = end - fin - s->rcv_nxt;

	s->rcv_nxt = end;
	if (length != 0) {
		s->received += length;
		s->unread += length;
		app_wake(k, s);
	}
	if (fin)
		receive_fin(k, s);
}

/* What was early and is now next. */
static inline void receive_early(struct kernel *k, struct socket *s)
{
	uint32_t i = 0;

	while (i < s->earlies && !is_mini(s) && !s->eof) {
		const struct early e = s->early[i];

		if (after(e.seq, s->rcv_nxt)) {
			i++;
			continue;
		}
		s->early[i] = s->early[--s->earlies];
		i = 0;
		if (after(e.end, s->rcv_nxt))
			receive_data(k, s, e.end, e.fin);
	}
}

/* tcp_data_queue() */
static inline void queue_data(struct kernel *k, struct socket *s, const struct synpaws_segment *in)
{
	const uint32_t end = segment_end(in);
	const bool fin = (in->flags & SYNPAWS_FIN) != 0;

	if (in->seq == end)
		return;
	if (!after(end, s->rcv_nxt)) {
		send_ack(k, s);
	} else if (!after(in->seq, s->rcv_nxt)) {
		const bool had_early = s->earlies > 0;

		receive_data(k, s, end, fin);
		receive_early(k, s);
		if (s->eof || is_mini(s))
			return;
		if (had_early)
			send_ack(k, s);
		else
			schedule_ack(k, s);
	} else {
		if (s->earlies < BEHIND) {
			s->early[s->earlies].seq = in->seq;
			s->early[s->earlies].end = end;
			s->early[s->earlies++].fin = fin;
		}
		send_ack(k, s);
	}
}

static inline void abort_on_data(struct kernel *k, struct socket *s,
				 const struct synpaws_segment *in)
{
	send_reset(k, &s->tuple, in);
	socket_close(s);
}

/* Our FIN may be acknowledged now. True if this segment has been dealt with. */
static inline bool fin_acked(struct kernel *k, struct socket *s, const struct synpaws_segment *in)
{
	const bool fin = (in->flags & SYNPAWS_FIN) != 0;
	const uint32_t end = segment_end(in);

	if (!s->fin_sent || s->snd_una != s->snd_nxt)
		return false;
	s->resend = NEVER;
	if (s->state == CLOSING) {
		time_wait(k, s, E4, 0);
		return true;
	}
	if (s->state == LAST_ACK) {
		socket_close(s);
		return true;
	}
	if (s->state != FIN_WAIT1)
		return false;
	s->state = FIN_WAIT2;
	if (!s->orphan)
		return false;
	if (in->seq != end && after(end - fin, s->rcv_nxt)) { /* I.9 */
		abort_on_data(k, s, in);
		return true;
	}
	if (k->fin_timeout > 60) {
		s->convert = k->now + (k->fin_timeout - 60) * SECOND;
		return false;
	}
	if (fin)
		return false;
	time_wait(k, s, E1A, k->fin_timeout);
	return true;
}

/* tcp_validate_incoming(). True if the segment is to be looked at further. */
static inline bool validate(struct kernel *k, struct socket *s, const struct synpaws_segment *in)
{
	const uint32_t end = segment_end(in);
	const bool rst = (in->flags & SYNPAWS_RST) != 0;
	/* tcp_disordered_ack(): a duplicate ACK that changes nothing, late by no more than RTO. */
	const bool disordered = (in->flags & SYNPAWS_ACK) != 0 && in->seq == end &&
				in->seq == s->rcv_nxt && in->ack == s->snd_una &&
				!after(in->seq, s->snd_wl1) &&
				(int32_t)(s->ts_recent - in->tsval) <= (int32_t)s->rto;

	if (s->ts && in->has_timestamp && !rst && !disordered && !paws_passes(k, s, in->tsval, 1)) {
		dup_ack(k, s, in);
		return false;
	}
	if (before(end, s->rcv_wup) || after(in->seq, s->rcv_wup + s->rcv_wnd)) {
		dup_ack(k, s, in);
		return false;
	}
	if (rst) {
		if (!k->rules->challenge || in->seq == s->rcv_nxt)
			socket_close(s);
		else if (!ack_limited(k, s, in))
			send_ack(k, s);
		return false;
	}
	if (k->rules->early_ts)
		store_ts(k, s, in);
	if ((in->flags & SYNPAWS_SYN) == 0)
		return true;
	if (k->rules->challenge) {
		dup_ack(k, s, in);
		return false;
	}
	if (!before(in->seq, s->rcv_nxt)) {
		abort_on_data(k, s, in);
		return false;
	}
	return true;
}

/* tcp_rcv_established() and tcp_rcv_state_process() */
static inline void full_receive(struct kernel *k, struct socket *s,
				const struct synpaws_segment *in)
{
	const uint32_t end = segment_end(in);

	k->truth.fate = SYNPAWS_FATE_OLD_CONNECTION;
	if (!validate(k, s, in))
		return;
	if ((in->flags & SYNPAWS_ACK) != 0) {
		if (after(in->ack, s->snd_nxt)) {
			assert_int_equal(in->seq, end); /* the world sends no other kind */
			return;
		}
		if (!before(in->ack, s->snd_una)) {
			if (!k->rules->early_ts)
				store_ts(k, s, in);
			if (after(in->ack, s->snd_una) || after(in->seq, s->snd_wl1))
				s->snd_wl1 = in->seq;
			s->snd_una = in->ack;
			if (s->snd_una == s->snd_nxt)
				s->resend = NEVER;
		}
		if (fin_acked(k, s, in))
			return;
	}
	switch (s->state) {
	case CLOSE_WAIT:
	case CLOSING:
	case LAST_ACK:
		if (!before(in->seq, s->rcv_nxt))
			return;
		break;
	default:
		break;
	}
	if (s->state != ESTABLISHED && (s->orphan || s->eof) && in->seq != end &&
	    after(end - ((in->flags & SYNPAWS_FIN) != 0), s->rcv_nxt))
		abort_on_data(k, s, in);
	else
		queue_data(k, s, in);
}

#endif
