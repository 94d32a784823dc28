/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KERNEL_WORLD_H
#define KERNEL_WORLD_H

/* The way to the host: time, loss, duplicates and delays; and what no evidence could tell. */
#include "kernel_judge.h"

#define TALKS	   20
#define HISTORY	   6
#define DELAYED	   48
#define CLOCKS	   12
#define NEIGHBOURS 4 /* addresses of peers in use at a time */

/* A client's end of a connection; or of one that the host opens. */
struct talk {
	bool live, called; /* `called`: by the host */
	struct tuple tuple;
	unsigned int clock;
	bool uses_ts;
	uint32_t isn, next; /* what it has sent */
	uint32_t last_ts, last_ack;
	bool answered, acked, fin_sent; /* SYN-ACK seen, ACKed */
	uint32_t host_next, host_ts;	/* what it has from the host */
	bool host_fin, reset, refused;
	bool lazy; /* slow to close when the host has */
	uint32_t refusal;
	uint32_t wants, steps, patience;
	uint64_t at;
	struct synpaws_segment history[HISTORY];
	uint32_t past;
};

struct delayed {
	uint64_t at; /* NEVER: free */
	struct tuple tuple;
	struct synpaws_segment seg;
};

struct host_world {
	struct kernel kernel;
	struct judge judge;
	uint64_t dice;
	struct talk talks[TALKS];
	struct delayed delayed[DELAYED];
	uint32_t clock_base[CLOCKS], clock_hz[CLOCKS];
	uint8_t neighbours[NEIGHBOURS];
	uint8_t next_peer;
	uint16_t next_port;
	bool quiet; /* no loss and so on */
};

/* The mirror cannot be sure whether this mini-socket is still there. */
static inline bool mini_uncertain(const struct kernel *k, const struct socket *s)
{
	const bool recycled = s->state == MINI_TIME_WAIT && s->recycles;
	/* Nobody sees the RTO (I.3), and beyond 4 s a calendar has cells of 7.5 s. */
	const uint64_t margin = (recycled && !k->rules->exact_timers ? 15 : 5) * SECOND;

	if (k->now > s->latest + margin && k->now > s->dies && !s->unsure)
		return false;
	if (s->unsure || k->now >= s->dies)
		return k->now < s->dies + 70 * SECOND;
	/* `close` does not show what pokes a TIME_WAIT. */
	if (s->state == MINI_TIME_WAIT && k->world == WORLD_CLOSE && s->poked)
		return true;
	if (recycled && !s->poked)
		return true;
	return k->now + margin > s->earliest;
}

/* Without a view of what comes before the host's FIN, and in `close` of SYN-ACKs. */
static inline bool is_unseen(const struct kernel *k, const struct socket *s,
			     const struct synpaws_segment *in)
{
	if (k->world == WORLD_CLOSE && s->state >= SYN_RECV && !is_mini(s) && !s->fin_sent &&
	    after(in->seq, s->rcv_nxt) && !synpaws_segment_is_syn(in))
		return true; /* it would wait, unseen, for what fills the gap after the FIN */
	/* Without a view of data before the FIN, which RST is the exact one? And without a view of
	 * SYN-ACKs, what does an RST in answer to a wrong ACK mean? */
	if ((in->flags & SYNPAWS_RST) != 0 && s->state >= SYN_RECV && !is_mini(s) && !s->fin_sent &&
	    in->seq != s->rcv_nxt)
		return true;
	if (k->world == WORLD_CLOSE && s->state == SYN_RECV && (in->flags & SYNPAWS_ACK) != 0 &&
	    in->ack != s->snd_nxt)
		return true;
	/* Nor what a socket discards before the FIN: the SYN's TSval is all that is known of it. */
	if (!synpaws_segment_is_syn(in) && !is_mini(s) && !s->fin_sent &&
	    ((in->has_timestamp && !paws_passes(k, s, in->tsval, 0)) ||
	     ((in->flags & SYNPAWS_FIN) != 0 && s->state <= SYN_RECV)))
		return true;
	/* Nor of a FIN whether data had been where it is. */
	if ((in->flags & SYNPAWS_FIN) != 0 && s->state >= SYN_RECV && !is_mini(s) && !s->fin_sent &&
	    !s->eof && after(in->seq, s->rcv_isn) && !after(segment_end(in), s->rcv_nxt))
		return true;
	/* Nor since when a mini-socket has had the TSval that an RST may be too old for. */
	if ((in->flags & SYNPAWS_RST) != 0 && in->has_timestamp && is_mini(s) && !s->ts_after_fin &&
	    !paws_passes(k, s, in->tsval, 0))
		return true;
	/* Nor what had been acknowledged before the FIN left. */
	if (s->fin_sent && !is_mini(s) && (in->flags & SYNPAWS_ACK) != 0 &&
	    before(in->ack, s->snd_una))
		return true;
	return false;
}

/* Whether the SYN passes hangs on a record that nobody can know without a view of answers. */
static inline bool hangs_on_unknown(struct kernel *k, const struct tuple *tuple,
				    const struct synpaws_segment *in)
{
	const struct record *r = record_of(k, tuple);

	if (k->world != WORLD_CLOSE || !synpaws_segment_is_syn(in))
		return false;
	return r->lost || (r->unsure && (in->has_timestamp ? (int32_t)(r->ts - in->tsval) > 1
							   : k->rules->drops_without_ts));
}

/*
 * Whether the evidence at hand can tell what this segment meets. What it cannot is lost on the way,
 * before anybody sees it; judge_exception() has the rest.
 */
static inline bool knowable(struct kernel *k, const struct tuple *tuple,
			    const struct synpaws_segment *in)
{
	const bool narrow = k->world == WORLD_CLOSE || k->world == WORLD_ANSWER;
	struct socket *s = socket_trace(k, tuple);

	if ((s == NULL || is_mini(s)) && hangs_on_unknown(k, tuple, in))
		return false;
	if (s == NULL)
		return true;
	if (!synpaws_segment_is_syn(in) && s->state >= ESTABLISHED && !is_mini(s) &&
	    (in->flags & SYNPAWS_ACK) != 0 && after(in->ack, s->snd_nxt) &&
	    segment_end(in) != in->seq)
		return false; /* not part of the specification */
	if (s->state == SYN_RECV && (in->flags & SYNPAWS_RST) != 0 && in->has_timestamp)
		return false; /* nor is what PAWS makes of it */
	if (s->retried && !is_mini(s) && in->has_timestamp && before(in->tsval, s->syn_ts))
		return false; /* the real connection and the imagined one differ in this */
	if (s->state == SYN_RECV && !s->ts && in->has_timestamp && k->timestamps)
		return false; /* nor is what was not offered */
	if (narrow && is_unseen(k, s, in))
		return false;
	/* A peer that sends its SYN for the third time is taken for one that was not heard. */
	if (k->world == WORLD_CLOSE && synpaws_segment_is_syn(in) && !is_mini(s) &&
	    in->seq == s->rcv_isn && k->now - s->born >= SECOND)
		return false;
	if (!synpaws_segment_is_syn(in))
		return true;
	if (in->has_md5 || s->state == SYN_SENT)
		return false;
	if (s->phantom) /* a second kernel is imagined, but not a second client */
		return s->state == SYN_RECV && in->seq == s->rcv_isn &&
		       in->has_timestamp == s->ts && in->tsval - s->ts_recent < 1U << 24 &&
		       k->now - s->born < 20 * SECOND;
	if (is_mini(s) && (k->world == WORLD_CLOSE || k->world == WORLD_UNCHECKED))
		return !mini_uncertain(k, s);
	if (is_mini(s))
		return true;
	/* When a host gives up a handshake or a silent peer is not part of the specification. */
	if (s->fin_sent && s->snd_una != s->snd_nxt && s->resent >= RETRIES)
		return false;
	return k->now - s->used < 20 * SECOND &&
	       (s->state != SYN_RECV || k->now - s->born < 20 * SECOND);
}

/* What a client makes of the host's segments; some are lost on the way to it. */
static inline void talk_receive(struct host_world *w, const struct tuple *tuple,
				const struct synpaws_segment *seg)
{
	struct talk *t = NULL;
	size_t i;

	for (i = 0; i < TALKS && t == NULL; i++) {
		if (w->talks[i].live && same_tuple(&w->talks[i].tuple, tuple))
			t = &w->talks[i];
	}
	if (t == NULL || one_in(&w->dice, 25))
		return;
	t->host_ts = seg->has_timestamp ? seg->tsval : t->host_ts;
	if ((seg->flags & SYNPAWS_RST) != 0) {
		t->reset = true;
	} else if ((seg->flags & SYNPAWS_SYN) != 0) {
		if (!t->called && seg->ack != t->isn + 1)
			return;
		t->answered = true;
		t->host_next = seg->seq + 1;
	} else if (!t->answered) {
		t->refused = true;
		t->refusal = seg->ack;
	} else if (!after(seg->seq, t->host_next) && after(segment_end(seg), t->host_next)) {
		t->host_next = segment_end(seg);
		t->host_fin = (seg->flags & SYNPAWS_FIN) != 0;
	}
}

static inline void world_sent(struct host_world *w, const struct tuple *tuple)
{
	unsigned int i;

	for (i = 0; i < w->kernel.sent_count; i++)
		talk_receive(w, tuple, &w->kernel.sent[i]);
	w->kernel.sent_count = 0;
}

static inline void run_timer(struct host_world *w, struct socket *s)
{
	const struct tuple tuple = s->tuple;

	w->kernel.sent_count = 0;
	host_run_timer(&w->kernel, s);
	judge_sent(&w->judge, &tuple);
	world_sent(w, &tuple);
}

/* The segment is at the host, where the mirror looks first. */
static inline void deliver(struct host_world *w, const struct tuple *tuple,
			   struct synpaws_segment seg)
{
	struct kernel *k = &w->kernel;
	struct synpaws_segment when;
	struct socket *s;

	k->now += between(&w->dice, 1000, 20000);
	while ((s = host_next_timer(k, k->now)) != NULL)
		run_timer(w, s); /* what is due meanwhile comes first */
	if (!knowable(k, tuple, &seg)) {
		w->judge.counts.unknowable++;
		return;
	}
	when = segment_of(k, tuple, false);
	seg.time_ns = when.time_ns;
	seg.order_ns = when.order_ns;
	seg.second = when.second;
	s = socket_trace(k, tuple);
	k->sent_count = 0;
	{
		const enum state state = socket_is_there(k, s) ? s->state : CLOSED;

		host_receive(k, tuple, seg);
		judge_take(&w->judge, tuple, &seg, state);
	}
	world_sent(w, tuple);
}

/* Timers and delayed segments up to `until`, in order. */
static inline void world_run(struct host_world *w, uint64_t until)
{
	for (;;) {
		struct delayed *d = NULL;
		uint64_t limit = until;
		struct socket *s;
		size_t i;

		for (i = 0; i < DELAYED; i++) {
			if (w->delayed[i].at <= limit) {
				d = &w->delayed[i];
				limit = d->at;
			}
		}
		s = host_next_timer(&w->kernel, limit);
		if (s != NULL)
			limit = socket_due(s);
		if (s == NULL && d == NULL)
			break;
		if (w->kernel.now < limit)
			w->kernel.now = limit;
		if (s != NULL) {
			run_timer(w, s);
		} else {
			d->at = NEVER;
			deliver(w, &d->tuple, d->seg);
		}
	}
	if (w->kernel.now < until)
		w->kernel.now = until;
}

static inline void delay(struct host_world *w, const struct tuple *tuple,
			 const struct synpaws_segment *seg, uint64_t by)
{
	size_t i;

	for (i = 0; i < DELAYED; i++) {
		if (w->delayed[i].at != NEVER)
			continue;
		w->delayed[i].at = w->kernel.now + by;
		w->delayed[i].tuple = *tuple;
		w->delayed[i].seg = *seg;
		return;
	}
}

/* On the way a segment may be lost, doubled and overtaken. */
static inline void send_off(struct host_world *w, const struct tuple *tuple,
			    const struct synpaws_segment *seg)
{
	const uint32_t luck = w->quiet ? 50 : unit_below(&w->dice, 100);

	if (luck < 3)
		return;
	if (luck < 7) {
		delay(w, tuple, seg, between(&w->dice, 50000, 30 * MS));
		return;
	}
	if (luck < 9)
		delay(w, tuple, seg, between(&w->dice, 1000, 3 * MS));
	if (luck == 9)
		delay(w, tuple, seg, between(&w->dice, 10 * MS, 3 * SECOND));
	deliver(w, tuple, *seg);
	if (luck == 10)
		deliver(w, tuple, *seg);
}

#endif
