/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KERNEL_JUDGE_H
#define KERNEL_JUDGE_H

/* The mirror beside the kernel: what each outcome has to be, and a report where it is not. */
#include <inttypes.h>

#include "kernel_host.h"

#define TRACES 16384
#define HELD   4096
#define SHOWN  40

/* What a run was made of; and the exceptions, which judge_exception() explains. */
struct counts {
	uint64_t segments, syns, fates[SYNPAWS_FATE_KINDS];
	uint64_t silent, names, unheard, either, unsure, late; /* exceptions */
	uint64_t guesses, contradicted, unknowable;
	uint64_t events[EVENTS];
};

/* A segment, and what it found and left. */
struct trace {
	struct synpaws_segment seg;
	struct tuple tuple;
	bool from_host;
	enum state state;
	bool orphan, phantom;
	uint32_t rcv_nxt, rcv_wup, ts_recent, ts_second;
	struct record record;
	struct synpaws_outcome mirrored; /* the mirror's record, afterwards */
	enum synpaws_fate fate;
};

struct expected {
	struct synpaws_segment seg;
	struct truth truth;
	struct tuple tuple;
	enum state state; /* in which the SYN found its 4-tuple */
};

struct judge {
	struct kernel *k;
	struct synpaws_mirror *mirror;
	const char *title;
	struct counts counts;
	struct expected held[HELD];
	uint64_t first, last; /* of those */
	struct trace traces[TRACES];
	uint64_t traced;
	bool failed;
};

static const char *const state_names[STATES] = {
	"-",	     "COOKIE",	"SYN_RECV",   "SYN_SENT", "ESTABLISHED",    "FIN_WAIT1",
	"FIN_WAIT2", "CLOSING", "CLOSE_WAIT", "LAST_ACK", "mini-FIN_WAIT2", "TIME_WAIT",
};

static inline void trace_print(const struct trace *t)
{
	static const char letters[] = "FSR.A";
	char flags[8] = "", ts[32] = "", text[48] = "none";
	size_t i, n = 0;

	for (i = 0; i < 5; i++) {
		if ((t->seg.flags & 1U << i) != 0)
			flags[n++] = letters[i];
	}
	if (t->seg.has_timestamp)
		snprintf(ts, sizeof(ts), " ts %u", t->seg.tsval);
	if (t->record.made)
		snprintf(text, sizeof(text), "%u@%u%s%s%s", t->record.ts, t->record.stamp,
			 t->record.unsure ? "?" : "", t->record.lost ? "??" : "",
			 t->record.late ? "!" : "");
	fprintf(stderr, "  %.6f %u v%d %u:%u %c %u:%u %-3s seq %u ack %u +%u%s",
		(double)t->seg.order_ns / 1e9, t->seg.second, t->seg.ip_version, t->tuple.peer,
		t->tuple.peer_port, t->from_host ? '<' : '>', t->tuple.host, t->tuple.host_port,
		flags, t->seg.seq, t->seg.ack, t->seg.payload, ts);
	if (t->from_host && t->seg.has_timestamp)
		fprintf(stderr, " ecr %u", t->seg.tsecr);
	if (t->fate != SYNPAWS_FATE_NONE)
		fprintf(stderr, " => %s", synpaws_fate_name(t->fate));
	fprintf(stderr, " | %s%s%s nxt %u wup %u recent %u@%u | record %s", state_names[t->state],
		t->orphan ? " orphan" : "", t->phantom ? " phantom" : "", t->rcv_nxt, t->rcv_wup,
		t->ts_recent, t->ts_second, text);
	if (t->mirrored.recorded_tsval != t->record.ts ||
	    t->mirrored.recorded_at != t->record.stamp)
		fprintf(stderr, " mirror %u@%u", t->mirrored.recorded_tsval,
			t->mirrored.recorded_at);
	fprintf(stderr, "\n");
}

/* The last segments of this 4-tuple and of this peer. */
static inline void judge_report(struct judge *j, const struct tuple *tuple)
{
	const char *more = getenv("SHOWN");
	const uint64_t most = more != NULL ? strtoull(more, NULL, 0) : SHOWN;
	uint64_t from = j->traced, shown = 0;

	while (from > 0 && j->traced - from < TRACES - 1 && shown < most) {
		const struct trace *t = &j->traces[--from % TRACES];

		shown += t->tuple.six == tuple->six && t->tuple.peer == tuple->peer;
	}
	for (; from < j->traced; from++) {
		const struct trace *t = &j->traces[from % TRACES];

		if (t->tuple.six == tuple->six && t->tuple.peer == tuple->peer)
			trace_print(t);
	}
}

/* The mirror takes a segment. */
static inline void judge_show(struct judge *j, const struct tuple *tuple,
			      const struct synpaws_segment *seg, bool from_host)
{
	const struct socket *s = socket_trace(j->k, tuple);
	struct trace *t = &j->traces[j->traced++ % TRACES];
	struct synpaws_segment ask = segment_of(j->k, tuple, false);

	memset(t, 0, sizeof(*t));
	t->seg = *seg;
	t->tuple = *tuple;
	t->from_host = from_host;
	t->record = *record_of(j->k, tuple);
	if (socket_is_there(j->k, s)) {
		t->state = s->state;
		t->orphan = s->orphan;
		t->phantom = s->phantom;
		t->rcv_nxt = s->rcv_nxt;
		t->rcv_wup = s->rcv_wup;
		t->ts_recent = s->ts_recent;
		t->ts_second = s->ts_second;
	}
	if (!from_host && synpaws_segment_is_syn(seg))
		t->fate = j->k->truth.fate;
	j->counts.segments++;
	synpaws_mirror_take(j->mirror, seg);
	synpaws_mirror_ask(j->mirror, &ask, &t->mirrored);
}

/*
 * What no observer can know, and so may be called either way. All else has to be equal.
 *
 * - silent: a TIME_WAIT or FIN_WAIT2 whose life may be over (I.1, I.2) has been touched within half
 *   a second. If it is there, its ACK is held back (D.3); if not, the SYN may be dropped.
 *
 * - names: without a view of the handshake's end (`close`, `answer`), a SYN that finds a socket
 *   finds a handshake, a cookie's or a connection. The one as the other, it is not checked. Of a
 *   SYN that comes twice in a moment, the one dropped and the other not, as well. With the check
 *   off (`unchecked`) the real host and the imagined one may differ in this.
 *
 * - unheard: without a view of SYN-ACKs (`close`) a peer that goes on sending its SYN is taken for
 *   one that was not answered; with a limit on ACKs (D.3) silence may be a socket's. The mirror has
 *   to call that a guess.
 *
 * - either: I.4, an IPv6 SYN that TIME_WAIT lets through is checked too: if it passes both, the
 *   mirror may name either. The ISN does not tell either, nor whether the TIME_WAIT was still
 *   there: then it has to be called a guess.
 *
 * - unsure: a record whose second `close` and `answer` cannot know: I.6.
 */
static inline bool is_handshake(enum synpaws_fate fate)
{
	return fate == SYNPAWS_FATE_SYN_RECV || fate == SYNPAWS_FATE_OLD_CONNECTION ||
	       fate == SYNPAWS_FATE_COOKIE;
}

static inline bool judge_exception(struct judge *j, const struct expected *e,
				   const struct synpaws_outcome *o)
{
	const bool narrow = j->k->world == WORLD_CLOSE || j->k->world == WORLD_ANSWER;
	const enum synpaws_fate fate = e->truth.fate;

	if (e->truth.doubtful && e->truth.silent &&
	    (o->fate == SYNPAWS_FATE_TW_REFUSE_ACK || o->fate == SYNPAWS_FATE_FIN_WAIT2_ACK ||
	     o->fate == SYNPAWS_FATE_PAWS_DROP))
		return j->counts.silent++, true;
	if (narrow && is_handshake(fate) && is_handshake(o->fate))
		return j->counts.names++, true;
	if (e->truth.second && fate == SYNPAWS_FATE_PASS && o->fate == SYNPAWS_FATE_SYN_RECV)
		return j->counts.names++, true;
	if (j->k->world == WORLD_UNCHECKED && is_handshake(fate) &&
	    o->fate != SYNPAWS_FATE_PAWS_DROP)
		return j->counts.names++, true;
	if (is_handshake(fate) && o->guess &&
	    (j->k->world == WORLD_CLOSE || (narrow && e->truth.silent && j->k->rules->limits_acks)))
		return j->counts.unheard++, true;
	if ((e->truth.both || (o->guess && e->tuple.six && j->k->rules->v6_tw_checked)) &&
	    fate != SYNPAWS_FATE_PAWS_DROP &&
	    (o->fate == SYNPAWS_FATE_PASS || o->fate == SYNPAWS_FATE_TW_ACCEPT))
		return j->counts.either++, true;
	if ((e->truth.record.unsure || e->truth.record.lost) &&
	    (o->fate == SYNPAWS_FATE_PASS || o->fate == SYNPAWS_FATE_PAWS_DROP ||
	     is_handshake(o->fate)) &&
	    (fate == SYNPAWS_FATE_PASS || fate == SYNPAWS_FATE_PAWS_DROP || is_handshake(fate)))
		return j->counts.unsure++, true;
	return false;
}

/* A record that no longer counts may be forgotten (C.2). */
static inline bool record_agrees(struct judge *j, const struct truth *truth,
				 const struct synpaws_outcome *o)
{
	const struct record *r = &truth->record;

	if (r->unsure || r->lost)
		return true;
	if (o->fate != SYNPAWS_FATE_PASS && o->fate != SYNPAWS_FATE_PAWS_DROP && !o->recorded)
		return true;
	if (!o->recorded)
		return !truth->fresh;
	if (r->made && o->recorded_tsval == r->ts && o->recorded_at == r->stamp)
		return true;
	/* I.11: born too old to count, and so perhaps not worth to be remembered. */
	if (r->late && !truth->fresh)
		return j->counts.late++, true;
	return false;
}

/*
 * With ALL=TEXT a difference does not end the run, but all kinds of them are counted; except for
 * one that holds TEXT. True if so.
 */
static inline bool judge_count(const struct judge *j, const struct expected *e,
			       const struct synpaws_outcome *o, const char *what)
{
	static struct kind {
		char text[160];
		uint64_t count;
	} kinds[200];
	char text[160] = "";
	size_t i;

	if (e != NULL)
		snprintf(text, sizeof(text), "%s: %d in %s kernel %s, mirror %s by %s%s", what,
			 (int)j->k->world, state_names[e->state], synpaws_fate_name(e->truth.fate),
			 synpaws_fate_name(o->fate), synpaws_answer_name(o->answer),
			 o->contradicted ? ", contradicted" : "");
	for (i = 0; i < COUNT(kinds) - 1 && kinds[i].count != 0; i++) {
		if (e == NULL)
			fprintf(stderr, "%8" PRIu64 " %s\n", kinds[i].count, kinds[i].text);
		else if (strcmp(kinds[i].text, text) == 0)
			break;
	}
	if (e == NULL || strstr(text, getenv("ALL")) != NULL)
		return false;
	if (kinds[i].count++ == 0) {
		memcpy(kinds[i].text, text, sizeof(text));
		fprintf(stderr, "%s: SYN %" PRIu64 ": %s\n", j->title, j->counts.syns, text);
	}
	return true;
}

static inline void judge_complain(struct judge *j, const struct expected *e,
				  const struct synpaws_outcome *o, const char *what)
{
	const struct record *r = &e->truth.record;

	if (j->failed)
		return;
	if (getenv("ALL") != NULL && judge_count(j, e, o, what))
		return;
	j->failed = true;
	fprintf(stderr,
		"%s: %s: SYN %" PRIu64 " (%.6f, v%d %u:%u > %u:%u) in %s:\n"
		"  kernel %s, record %s%u@%u; mirror %s%s%s by %s, record %s%u@%u\n",
		j->title, what, j->counts.syns, (double)e->seg.order_ns / 1e9, e->seg.ip_version,
		e->tuple.peer, e->tuple.peer_port, e->tuple.host, e->tuple.host_port,
		state_names[e->state], synpaws_fate_name(e->truth.fate), r->made ? "" : "none ",
		r->ts, r->stamp, synpaws_fate_name(o->fate), o->guess ? " (guess)" : "",
		o->contradicted ? " (contradicted)" : "", synpaws_answer_name(o->answer),
		o->recorded ? "" : "none ", o->recorded_tsval, o->recorded_at);
	judge_report(j, &e->tuple);
}

static inline void judge_emit(void *context, const struct synpaws_segment *syn,
			      const struct synpaws_outcome *o)
{
	struct judge *j = context;
	const struct expected *e = &j->held[j->first % HELD];

	if (o->fate == SYNPAWS_FATE_NONE || j->failed)
		return;
	j->counts.syns++;
	if (j->first == j->last) {
		fprintf(stderr, "%s: an outcome without a SYN\n", j->title);
		j->failed = true;
		return;
	}
	j->first++;
	if (syn->order_ns != e->seg.order_ns || syn->seq != e->seg.seq ||
	    syn->source_port != e->seg.source_port)
		judge_complain(j, e, o, "not the next SYN in order");
	else if (o->fate != e->truth.fate && !judge_exception(j, e, o))
		judge_complain(j, e, o, "fate");
	else if (!record_agrees(j, &e->truth, o))
		judge_complain(j, e, o, "record");
	j->counts.fates[e->truth.fate]++;
	j->counts.guesses += o->guess;
	j->counts.contradicted += o->contradicted;
}

/* No outcome is held for more than 100 ms. */
static inline void judge_time(struct judge *j, uint64_t now)
{
	const struct synpaws_outcome none = { .fate = SYNPAWS_FATE_NONE };

	if (j->first != j->last && j->held[j->first % HELD].seg.order_ns + SYNPAWS_HOLD_NS < now)
		judge_complain(j, &j->held[j->first % HELD], &none, "no outcome in time");
}

/* What the kernel has sent by itself or in answer. */
static inline void judge_sent(struct judge *j, const struct tuple *tuple)
{
	unsigned int i;

	for (i = 0; i < j->k->sent_count; i++)
		judge_show(j, tuple, &j->k->sent[i], true);
}

/* The same SYN just before: which of the two it is that is answered, nobody can tell. */
static inline bool was_dropped(const struct judge *j, const struct expected *e)
{
	uint64_t i;

	for (i = j->first; i + 1 < j->last; i++) {
		const struct expected *other = &j->held[i % HELD];

		if (same_tuple(&other->tuple, &e->tuple) && other->seg.seq == e->seg.seq &&
		    other->truth.fate == SYNPAWS_FATE_PAWS_DROP)
			return true;
	}
	return false;
}

/* A segment that the kernel has taken, and what it answered. */
static inline void judge_take(struct judge *j, const struct tuple *tuple,
			      const struct synpaws_segment *seg, enum state state)
{
	if (synpaws_segment_is_syn(seg)) {
		struct expected *e = &j->held[j->last++ % HELD];

		assert_true(j->last - j->first < HELD);
		e->seg = *seg;
		e->truth = j->k->truth;
		e->tuple = *tuple;
		e->state = state;
		e->truth.second = was_dropped(j, e);
	}
	judge_show(j, tuple, seg, false);
	judge_time(j, seg->order_ns);
	judge_sent(j, tuple);
}

#endif
