/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KERNEL_HOST_H
#define KERNEL_HOST_H

/* The listener with its check, requests, and the host as a whole: segments in, time goes on. */
#include "kernel_tcp.h"

/* The socket of a 4-tuple, also one that is gone by now or about to; NULL if there was none. */
static inline struct socket *socket_trace(struct kernel *k, const struct tuple *tuple)
{
	struct socket *found = NULL;
	size_t i;

	for (i = 0; i < SOCKETS; i++) {
		struct socket *s = &k->sockets[i];

		if (s->state == CLOSED || !same_tuple(&s->tuple, tuple))
			continue;
		assert_null(found);
		found = s;
	}
	return found;
}

static inline bool socket_is_there(const struct kernel *k, const struct socket *s)
{
	return s != NULL && !(is_mini(s) && k->now >= s->dies);
}

static inline struct socket *socket_new(struct kernel *k, const struct tuple *tuple)
{
	struct socket *s = NULL, *oldest = &k->sockets[0];
	size_t i;

	for (i = 0; i < SOCKETS && s == NULL; i++) {
		if (k->sockets[i].state == CLOSED)
			s = &k->sockets[i];
		else if (k->sockets[i].used < oldest->used)
			oldest = &k->sockets[i];
	}
	if (s == NULL)
		s = oldest; /* the world has long forgotten it */
	memset(s, 0, sizeof(*s));
	s->tuple = *tuple;
	s->service =
		tuple->host_port >= OWN_PORT ? CONNECTS : (enum service)(tuple->host_port - 8000);
	s->app = s->ack = s->resend = s->convert = s->dies = NEVER;
	s->born = s->used = k->now;
	s->scale = (uint8_t)unit_below(k->dice, 8);
	s->rcv_wnd = (uint32_t)between(k->dice, 14000, 60000) << s->scale;
	if (k->world == WORLD_CLOSE) { /* which does not see the scale */
		s->rcv_wnd >>= s->scale;
		s->scale = 0;
	}
	s->rto = (uint32_t)between(k->dice, 200, one_in(k->dice, 10) ? 1000 : 240);
	s->delays = k->world != WORLD_CLOSE && one_in(k->dice, 2);
	s->ip_id = (uint16_t)unit_random(k->dice);
	return s;
}

/* Numbers are near to where they wrap. */
static inline uint32_t any_isn(uint64_t *dice)
{
	return one_in(dice, 3) ? 0U - unit_below(dice, 3000) : (uint32_t)unit_random(dice);
}

static inline void send_syn_ack(struct kernel *k, struct socket *s)
{
	struct synpaws_segment *seg =
		send_plain(k, &s->tuple, SYNPAWS_SYN | SYNPAWS_ACK, s->snd_nxt - 1, s->rcv_isn + 1);

	seg->window = (uint16_t)(s->rcv_wnd < 65535 ? s->rcv_wnd : 65535);
	seg->window_scale = (int8_t)s->scale;
	seg->sack_permitted = true;
	if (s->ts)
		put_ts(k, seg, s->ts_recent);
	if (s->state == COOKIE && s->ts) { /* cookie_init_timestamp(): options in six bits */
		const uint32_t now = seg->tsval, bits = 16U | s->scale;

		seg->tsval = (now & ~63U) | bits;
		if (seg->tsval > now)
			seg->tsval -= 64;
	}
	s->resend = s->state == SYN_RECV && s->resent < 3
			    ? k->now + (SECOND << s->resent) + SECOND / 10
			    : NEVER;
}

static inline struct socket *request_new(struct kernel *k, const struct tuple *tuple,
					 const struct synpaws_segment *in, uint32_t isn)
{
	struct socket *s = socket_new(k, tuple);

	s->state = SYN_RECV;
	s->rcv_isn = in->seq;
	s->rcv_nxt = s->rcv_wup = s->snd_wl1 = in->seq + 1;
	s->snd_una = s->snd_nxt = isn + 1;
	s->ts = in->has_timestamp;
	s->ts_recent = in->has_timestamp ? in->tsval : 0;
	return s;
}

/* A pure SYN to a listener. A.3 from row 7; `isn` is that of TIME_WAIT or 0. */
static inline void listen_syn(struct kernel *k, const struct tuple *tuple,
			      const struct synpaws_segment *in, uint32_t isn)
{
	const bool checked = !tuple->six || k->rules->ipv6;
	bool cookie = k->cookies == 2 && k->rules->cookies_always, drops, taken = isn != 0;
	struct socket *s;

	if (in->has_md5 && k->rules->md5) {
		k->truth.fate = SYNPAWS_FATE_MD5;
		return;
	}
	if (taken && tuple->six && k->rules->v6_tw_checked)
		isn = 0; /* I.4 */
	cookie = cookie && isn == 0;
	drops = checked && !cookie && isn == 0 && check_drops(k, in, record_of(k, tuple));
	k->truth.both = taken && isn == 0;
	k->truth.fate = cookie	   ? SYNPAWS_FATE_COOKIE
			: drops	   ? SYNPAWS_FATE_PAWS_DROP
			: taken	   ? SYNPAWS_FATE_TW_ACCEPT
			: !checked ? SYNPAWS_FATE_NOT_CHECKED
				   : SYNPAWS_FATE_PASS;
	if (drops && k->world != WORLD_UNCHECKED)
		return;
	s = request_new(k, tuple, in, isn != 0 ? isn : any_isn(k->dice));
	s->phantom = drops;
	if (cookie)
		s->state = COOKIE;
	send_syn_ack(k, s);
	if (!cookie)
		s->resend = k->now + SECOND;
}

/* No socket of the 4-tuple but perhaps the port's listener. */
static inline void listen_receive(struct kernel *k, const struct tuple *tuple,
				  const struct synpaws_segment *in)
{
	const bool closed = tuple->host_port >= OWN_PORT || tuple->host_port == PORT_OF(NOBODY);

	if (synpaws_segment_is_syn(in) && !closed) {
		listen_syn(k, tuple, in, 0);
		return;
	}
	if (synpaws_segment_is_syn(in))
		k->truth.fate = SYNPAWS_FATE_CLOSED_PORT;
	if (closed || (in->flags & SYNPAWS_ACK) != 0)
		send_reset(k, tuple, in);
}

/* The three-way handshake is over: SYN_RECV becomes a connection and takes the segment. */
static inline void child_new(struct kernel *k, struct socket *s, const struct synpaws_segment *in)
{
	s->state = ESTABLISHED;
	s->ts_second = kernel_second(k);
	s->resend = NEVER;
	s->resent = 0;
	app_wake(k, s);
	full_receive(k, s, in);
}

/* A.3 row 6 and tcp_check_req() */
static inline void request_receive(struct kernel *k, struct socket *s,
				   const struct synpaws_segment *in)
{
	/* A request offers what its SYN-ACK says, which is never scaled. */
	const uint32_t offered = s->rcv_wnd < 65535 ? s->rcv_wnd : 65535;
	const uint32_t end = segment_end(in), edge = s->rcv_nxt + offered;
	const bool rst = (in->flags & SYNPAWS_RST) != 0, syn = synpaws_segment_is_syn(in);
	const bool rejected = in->has_timestamp && !paws_passes(k, s, in->tsval, 0);

	k->truth.fate = SYNPAWS_FATE_SYN_RECV;
	if (syn && s->phantom) {
		/* With the check there is no handshake: this one is judged like the first. */
		s->phantom = check_drops(k, in, record_of(k, &s->tuple));
		k->truth.fate = s->phantom ? SYNPAWS_FATE_PAWS_DROP : SYNPAWS_FATE_PASS;
		s->retried = !s->phantom;
		s->syn_ts = in->tsval;
	}
	if (syn && in->seq == s->rcv_isn && !rejected) {
		send_syn_ack(k, s);
		return;
	}
	if ((in->flags & SYNPAWS_ACK) != 0 && in->ack != s->snd_nxt) {
		send_reset(k, &s->tuple, in);
		return;
	}
	if (rejected ||
	    !(in->seq == s->rcv_nxt || (after(end, s->rcv_nxt) && before(in->seq, edge)) ||
	      (in->seq == edge && end == edge))) {
		if (!rst && !ack_limited(k, s, in))
			send_mini_ack(k, s, s->snd_nxt, s->rcv_nxt);
		return;
	}
	if (in->has_timestamp && !after(in->seq, s->rcv_nxt))
		s->ts_recent = in->tsval;
	if (rst || (in->flags & SYNPAWS_SYN) != 0) {
		send_reset(k, &s->tuple, in);
		socket_close(s);
	} else if ((in->flags & SYNPAWS_ACK) != 0) {
		child_new(k, s, in);
	}
}

/* What came back may hold a cookie; a SYN meets the listener, which remembers nothing. */
static inline void cookie_receive(struct kernel *k, struct socket *s,
				  const struct synpaws_segment *in)
{
	const struct tuple tuple = s->tuple;

	if ((in->flags & (SYNPAWS_ACK | SYNPAWS_RST | SYNPAWS_SYN)) == SYNPAWS_ACK &&
	    in->ack == s->snd_nxt && in->seq == s->rcv_nxt) {
		s->ts = s->ts && in->has_timestamp;
		s->ts_recent = s->ts ? in->tsval : 0;
		child_new(k, s, in);
		return;
	}
	if (synpaws_segment_is_syn(in))
		socket_close(s);
	listen_receive(k, &tuple, in);
}

/* The SYN-ACK of somebody whom the host has called. */
static inline void syn_sent_receive(struct kernel *k, struct socket *s,
				    const struct synpaws_segment *in)
{
	if ((in->flags & SYNPAWS_ACK) == 0 || in->ack != s->snd_nxt) {
		if ((in->flags & SYNPAWS_ACK) != 0)
			send_reset(k, &s->tuple, in);
		return;
	}
	if ((in->flags & SYNPAWS_RST) != 0) {
		socket_close(s);
		return;
	}
	if ((in->flags & SYNPAWS_SYN) == 0)
		return;
	s->state = ESTABLISHED;
	s->rcv_isn = in->seq;
	s->rcv_nxt = s->rcv_wup = s->snd_wl1 = in->seq + 1;
	s->snd_una = in->ack;
	s->ts = s->ts && in->has_timestamp;
	s->ts_recent = s->ts ? in->tsval : 0;
	s->ts_second = kernel_second(k);
	s->resend = NEVER;
	s->resent = 0;
	send_ack(k, s);
	if (one_in(k->dice, 2)) /* the others wait for the peer to close */
		s->app = k->now + between(k->dice, MS, 300 * MS);
}

static inline void host_connect(struct kernel *k, const struct tuple *tuple)
{
	struct socket *s = socket_new(k, tuple);
	struct synpaws_segment *seg;

	s->state = SYN_SENT;
	s->snd_una = any_isn(k->dice);
	s->snd_nxt = s->snd_una + 1;
	s->ts = k->timestamps;
	seg = send_full(k, s, SYNPAWS_SYN, s->snd_una, 0);
	seg->ack = 0;
	seg->tsecr = 0;
	seg->window_scale = (int8_t)s->scale;
	seg->sack_permitted = true;
}

static inline void host_receive(struct kernel *k, const struct tuple *tuple,
				struct synpaws_segment in)
{
	struct socket *s = socket_trace(k, tuple);
	uint32_t isn = 0;

	if (!k->timestamps) {
		in.has_timestamp = false;
		in.tsval = 0;
	}
	memset(&k->truth, 0, sizeof(k->truth));
	k->truth.record = *record_of(k, tuple);
	k->truth.fresh = record_fresh(k, &k->truth.record);
	k->truth.doubtful = s != NULL && is_mini(s) && k->now >= s->earliest &&
			    k->rules->limits_acks && s->acked_out_of_window &&
			    k->now - s->oow_ns < 500 * MS;
	if (s != NULL)
		s->used = k->now;
	if (socket_is_there(k, s) && is_mini(s)) {
		if (mini_receive(k, s, in)) {
			isn = s->snd_nxt + 65537;
			isn += isn == 0;
			socket_close(s);
			listen_syn(k, tuple, &in, isn);
		}
	} else if (s == NULL || is_mini(s)) {
		const struct socket ghost = s != NULL ? *s : (struct socket){ .state = CLOSED };

		if (s != NULL)
			socket_close(s);
		listen_receive(k, tuple, &in);
		if (s != NULL && k->sent_count == 0) {
			*s = ghost;		/* nobody has seen that it is gone, */
			ack_limited(k, s, &in); /* nor knows that this was not its ACK */
		}
	} else if (s->state == COOKIE) {
		cookie_receive(k, s, &in);
	} else if (s->state == SYN_RECV) {
		request_receive(k, s, &in);
	} else if (s->state == SYN_SENT) {
		syn_sent_receive(k, s, &in);
	} else {
		full_receive(k, s, &in);
	}
	k->truth.silent = k->sent_count == 0;
}

static inline uint64_t socket_due(const struct socket *s)
{
	uint64_t due = s->app;

	if (s->state == CLOSED || is_mini(s))
		return NEVER;
	due = s->ack < due ? s->ack : due;
	due = s->resend < due ? s->resend : due;
	return s->convert < due ? s->convert : due;
}

/* The timer that is due next, if it is up to `limit`. */
static inline struct socket *host_next_timer(struct kernel *k, uint64_t limit)
{
	struct socket *next = NULL;
	size_t i;

	for (i = 0; i < SOCKETS; i++) {
		const uint64_t due = socket_due(&k->sockets[i]);

		if (due <= limit) {
			limit = due;
			next = &k->sockets[i];
		}
	}
	return next;
}

static inline void host_run_timer(struct kernel *k, struct socket *s)
{
	const uint64_t due = socket_due(s);

	if (s->ack == due) {
		send_ack(k, s);
	} else if (s->app == due) {
		app_run(k, s);
	} else if (s->convert == due) {
		time_wait(k, s, E1C, k->fin_timeout - 60);
		record_of(k, &s->tuple)->late = true;
	} else {
		s->resend = NEVER;
		s->resent++;
		if (s->state == SYN_RECV)
			send_syn_ack(k, s);
		else if (s->state != SYN_SENT && s->resent <= RETRIES)
			send_outstanding(k, s);
	}
}

#endif
