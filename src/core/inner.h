/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef INNER_H
#define INNER_H

/* What the parts of the mirror share: mirror.c leads, the others are in the order of the data. */

#include <synpaws/mirror.h>

#include "calendar.h"
#include "deadlines.h"
#include "flows.h"
#include "services.h"
#include "stamps.h"

#define NS_PER_MS  1000000ULL
#define NS_PER_SEC 1000000000ULL

/* TCP_PAWS_24DAYS: an older ts_recent compares with nothing */
#define PAWS_24_DAYS (24U * 24 * 60 * 60)

struct hold;

struct synpaws_mirror {
	struct synpaws_mirror_config config;
	struct stamps *stamps;
	struct flows *flows; /* these four are NULL on SYN evidence */
	struct services *services;
	struct deadlines *deadlines;
	struct calendar calendar;
	struct hold *holds;   /* a ring of outcomes that are held */
	struct flow *befores; /* for each what was there before it, if anything */
	uint32_t hold_room, hold_first, hold_count;
	uint64_t now_ns;	/* order_ns of the last segment, or what time has come to */
	bool many_hosts;	/* each with a calendar of its own */
	uint64_t wall_ahead_ns; /* wall clock minus order_ns, of the last segment */
	uint64_t segments, syns, answers, ends;
	uint64_t unsettled, records, undone, guesses, contradicted;
};

/* The two ends of a connection, from the host's side, and their names in the tables. */
struct ends {
	const uint8_t *host, *peer;
	uint16_t host_port, peer_port;
	uint64_t name;	    /* flows_name() */
	uint64_t peer_name; /* stamps_peer(); 0 before ends_name_both() */
	uint64_t host_name; /* services_host(), likewise */
};

/* Sequence numbers and TSvals compare modulo 2^32 (RFC 9293, 3.4; RFC 7323, 5.2). */
static inline bool before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

static inline bool after(uint32_t a, uint32_t b)
{
	return before(b, a);
}

/* How far `tsval` lies behind `recent`; the kernels compare just so, which matters at 2^31. */
static inline int32_t ticks_behind(uint32_t recent, uint32_t tsval)
{
	return (int32_t)(recent - tsval);
}

/* The sequence number behind a segment. */
static inline uint32_t segment_end(const struct synpaws_segment *seg)
{
	return seg->seq + seg->payload + ((seg->flags & SYNPAWS_SYN) != 0) +
	       ((seg->flags & SYNPAWS_FIN) != 0);
}

/* The segment belongs to a peer whose stamps are kept per host as well. */
static inline bool by_host(const struct synpaws_mirror *mirror, const struct synpaws_segment *seg)
{
	return mirror->config.profile->key == SYNPAWS_KEY_HOST_PEER || seg->forwarded;
}

/* Something will happen on the host at `ns` without a packet. False, and counted, without room. */
bool mirror_expect(struct synpaws_mirror *mirror, const struct flow *flow, enum deadline_kind kind,
		   uint64_t ns);

/* tcp_in_window(): `from` is what is expected next, `edge` what may not come yet. */
static inline bool in_window(const struct synpaws_segment *seg, uint32_t from, uint32_t edge)
{
	const uint32_t end = segment_end(seg);

	return seg->seq == from || (after(end, from) && before(seg->seq, edge)) ||
	       (seg->seq == edge && end == seg->seq);
}

/* Does the host really have the check on? By settings, else by what its answers told. */
bool mirror_checks(const struct synpaws_mirror *mirror, uint64_t host);

/* Is the address one of the hosts? */
bool mirror_is_host(const struct synpaws_mirror *mirror, uint8_t ip_version,
		    const uint8_t address[16]);

/* ends.c: of a segment that arrives at the host, or leaves it. They point into the segment. */
void ends_of_arrival(const struct synpaws_mirror *mirror, const struct synpaws_segment *seg,
		     struct ends *ends);
void ends_of_departure(const struct synpaws_mirror *mirror, const struct synpaws_segment *seg,
		       struct ends *ends);

/* The same connection from the other end's side. */
void ends_exchange(const struct ends *from, struct ends *ends);

/* Few segments need the names of each end, so these are made when asked for. */
void ends_name_both(const struct synpaws_mirror *mirror, const struct synpaws_segment *seg,
		    struct ends *ends);

/* record.c: a connection ends and its last TSval is written, or that is taken back. */

/*
 * tcp_remember_stamp() and tcp_tw_remember_stamp() at second `now`. True if there is a stamp for
 * the peer now, so that its TIME_WAIT is recycled. `ack` is that of the segment that caused it.
 */
bool record_write(struct synpaws_mirror *mirror, struct flow *flow, uint32_t ack, uint32_t now);

/* Take the flow's last write back, if it is still what the stamp says. */
void record_undo(struct synpaws_mirror *mirror, struct flow *flow);

/* timewait.c: mini-sockets. */

/* Is one likely to be there at `now_ns`? */
bool timewait_likely(struct synpaws_mirror *mirror, const struct flow *flow, uint64_t now_ns);

/* tcp_time_wait(FIN_WAIT2): the orphan becomes a mini-socket for `seconds`. */
void timewait_enter_half(struct synpaws_mirror *mirror, struct flow *flow, uint64_t now_ns,
			 uint32_t seconds);

/* tcp_time_wait(TIME_WAIT); `recycled` shortens it to 3.5 RTO. */
void timewait_enter(struct synpaws_mirror *mirror, struct flow *flow, uint64_t now_ns,
		    bool recycled);

/* It lives for 60 s from now on. */
void timewait_renew(struct synpaws_mirror *mirror, struct flow *flow, uint64_t now_ns);

/* It is there after all, as it was before it was given up for `flow`. */
void timewait_revive(struct synpaws_mirror *mirror, struct flow *flow, const struct flow *was,
		     uint64_t now_ns);

/* tcp_paws_reject(): true if the mini-socket finds the segment too old. */
bool timewait_paws_rejects(const struct synpaws_mirror *mirror, const struct flow *flow,
			   const struct synpaws_segment *seg);

/* It answers a segment by an ACK, unless it did so lately: tcp_timewait_check_oow_rate_limit(). */
void timewait_refuse(struct flow *flow, const struct synpaws_segment *seg);

#define TIMEWAIT_ACK_NS (500 * NS_PER_MS) /* tcp_invalid_ratelimit */

/* What tcp_timewait_state_process() does with a SYN, if the mini-socket is still there. */
enum synpaws_fate timewait_judge(const struct synpaws_mirror *mirror, const struct flow *flow,
				 const struct synpaws_segment *syn);

/* The rest of tcp_timewait_state_process(): the flow may be gone afterwards. */
void timewait_receive(struct synpaws_mirror *mirror, struct flow *flow,
		      const struct synpaws_segment *seg);

/* host.c: what the host sends. */

/* Nothing is left of the connection. */
void host_forget(struct synpaws_mirror *mirror, struct flow *flow);

/* `flow` may be NULL, and be gone afterwards. */
void host_sends(struct synpaws_mirror *mirror, struct flow *flow, const struct synpaws_segment *seg,
		struct ends *ends);

/* A new flow, or a used one made new, for these ends. */
struct flow *host_new_flow(struct synpaws_mirror *mirror, struct flow *flow,
			   const struct synpaws_segment *seg, struct ends *ends);

/* receive.c: what reaches the host. */

/* No SYN; the flow may be gone afterwards. */
void receive_segment(struct synpaws_mirror *mirror, struct flow *flow,
		     const struct synpaws_segment *seg);

/* A SYN that reaches a socket still has its TSval taken by kernels that take it early. */
void receive_syn(const struct synpaws_mirror *mirror, struct flow *flow,
		 const struct synpaws_segment *syn);

/* A FIN that had come before the host's own left turns out to be behind it. */
void receive_early_fin(const struct synpaws_mirror *mirror, struct flow *flow);

/* Data beyond the host's FIN: an orphan sends an RST. */
void receive_unwanted(struct synpaws_mirror *mirror, struct flow *flow,
		      const struct synpaws_segment *seg);

/* An orphan should have sent an RST and did not: somebody owns it. */
void receive_owned(struct synpaws_mirror *mirror, struct flow *flow, uint64_t now_ns, uint32_t now);

/* The host acknowledges what was not seen to come: its socket is there, and has it. */
void receive_acknowledged(struct synpaws_mirror *mirror, struct flow *flow,
			  const struct synpaws_segment *seg);

/* A deadline of a flow has come. */
void receive_deadline(struct synpaws_mirror *mirror, const struct deadline *deadline, uint32_t now);

/* judge.c: what the kernel does with a SYN. */

/* Put down what was remembered of the peer when the SYN came. */
void judge_tell(const struct stamp *stamp, const struct synpaws_segment *syn,
		struct synpaws_outcome *outcome);

/* If nothing is left of an older connection between the same ends, and the port is open; `peer` is
 * stamps_peer(). */
enum synpaws_fate judge_alone(const struct synpaws_mirror *mirror,
			      const struct synpaws_segment *syn, uint64_t peer,
			      struct synpaws_outcome *outcome);

/* A connection lives that the check would have prevented: it is off. */
void judge_answered(struct synpaws_mirror *mirror, struct flow *ghost);

/* With what may be left of one, which decides first (tcp_v4_rcv()); `alone` is the fate without. */
enum synpaws_fate judge_syn(struct synpaws_mirror *mirror, const struct flow *flow,
			    const struct synpaws_segment *syn, enum synpaws_fate alone,
			    struct synpaws_outcome *outcome);

/* syn.c: what becomes of a SYN, and of what is held until the host has answered. */

void syn_arrives(struct synpaws_mirror *mirror, struct flow *flow,
		 const struct synpaws_segment *syn, struct ends *ends);

/* The host's segment may answer a SYN. */
void syn_answered(struct synpaws_mirror *mirror, struct flow *flow,
		  const struct synpaws_segment *answer);

/* Give outcomes whose time has come at `now_ns`. */
void syn_release(struct synpaws_mirror *mirror, uint64_t now_ns);

/* The end: give all outcomes, those too whose answer may still come. */
void syn_flush(struct synpaws_mirror *mirror);

/* Room for outcomes; false without memory. */
bool syn_start(struct synpaws_mirror *mirror);

void syn_touch(struct synpaws_mirror *mirror);

size_t syn_bytes(const struct synpaws_mirror *mirror);

#endif
