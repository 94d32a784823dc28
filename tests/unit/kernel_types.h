/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KERNEL_TYPES_H
#define KERNEL_TYPES_H

/*
 * What the simulated kernel of kernel.c is made of. Numbers behind "kernel-semantics" are sections
 * of that text, from which all of this is written; none of it is from src/core.
 */
#include "unit.h"

#include <synpaws/mirror.h>

#define MS	1000000ULL
#define SECOND	1000000000ULL
#define NEVER	UINT64_MAX
#define PEERS	48 /* addresses of peers, a few of them in use at a time */
#define HOSTS	3
#define SOCKETS 256
#define BEHIND	4 /* early segments that a socket keeps */

/* Where a record would be looked for by which version, and so on: section 0 to E, one row each. */
struct rules {
	const char *profile;
	bool plain_age;		/* A.2: now < stamp + 60, and stamp + 60 < now */
	bool by_host;		/* C.1 */
	bool ipv6;		/* A.6 */
	bool drops_without_ts;	/* A.1, surprise 1 */
	bool dual_never;	/* A.7: recorded under a key that is never consulted */
	bool dual_no_fin;	/* A.7: so is E3 */
	bool dual_fin_is_short; /* A.7: it is written, though where nobody looks: B.4 recycle_ok */
	bool early_ts;		/* B.2: before ACK validation */
	bool zero_clause;	/* B.2 */
	bool challenge;		/* RFC 5961 */
	bool cookies_always;	/* A.3 row 7, I.10 */
	bool md5;		/* I.12 */
	bool exact_timers;	/* B.4, I.2 */
	bool limits_acks;	/* D.3 */
	bool v6_tw_checked;	/* I.4 */
	bool consecutive_zero;	/* I.7: a mini-socket's packets have ID 0, else one by a hash */
};

/* What the mirror is shown, what it is told, and what is true. */
enum world {
	WORLD_FULL,
	WORLD_ANSWER,
	WORLD_CLOSE,
	WORLD_UNCHECKED, /* full evidence of a host without the check */
	WORLDS
};

enum state {
	CLOSED,
	COOKIE, /* a SYN-ACK was sent and nothing kept */
	SYN_RECV,
	SYN_SENT,
	ESTABLISHED,
	FIN_WAIT1,
	FIN_WAIT2,
	CLOSING,
	CLOSE_WAIT,
	LAST_ACK,
	MINI_FIN_WAIT2,
	MINI_TIME_WAIT,
	STATES
};

/* B.1: what makes records. */
enum event { E1A, E1B, E1C, E2, E3, E4, EVENTS };

/* What the application behind a port does. */
enum service {
	CLOSES_AT_ONCE,
	CLOSES_AFTER_BYTE,
	READS_TO_END,
	SHUTS_DOWN,	  /* after a byte, then reads to the end */
	SHUTS_AND_CLOSES, /* after a byte, and closes some seconds later in any case */
	RESETS,		  /* after a byte: SO_LINGER 0 */
	ECHOES,		  /* closes at the end, or when it has had enough */
	NEVER_ACCEPTS,
	ANSWERS,  /* after a byte: writes 41 and closes */
	DUAL,	  /* as CLOSES_AFTER_BYTE, by an IPv6 socket that takes IPv4 */
	NOBODY,	  /* closed port */
	CONNECTS, /* the host's own end of a connection that it opened */
	SERVICES
};

#define PORT_OF(service) ((uint16_t)(8000 + (service)))
#define OWN_PORT	 32768 /* the first that the host opens connections from */
#define OWN_PORTS	 60
#define CLOSE_AFTER	 2 /* seconds, of SHUTS_AND_CLOSES */

struct tuple {
	bool six;
	uint8_t peer, host;
	uint16_t peer_port, host_port;
};

struct early {
	uint32_t seq, end;
	bool fin;
};

/* A socket of any kind. The fields are named as kernel-semantics does. */
struct socket {
	struct tuple tuple;
	enum state state;
	enum service service;
	bool ts;      /* negotiated: ts_recent_stamp != 0 */
	bool phantom; /* with the check this connection would not be */
	bool orphan, fin_sent, eof;
	bool delays; /* its ACKs of data and FINs */
	uint32_t rcv_isn, rcv_nxt, rcv_wup, rcv_wnd, snd_una, snd_nxt, snd_wl1;
	uint8_t scale;
	uint32_t ts_recent, ts_second;
	bool ts_after_fin; /* ts_recent was stored after that */
	uint32_t unread, received;
	struct early early[BEHIND];
	uint32_t earlies;
	uint16_t ip_id;
	uint32_t rto; /* ms */
	unsigned int resent;
	bool acked_out_of_window; /* at oow_ns */
	bool recycles;		  /* B.4: recycle_ok */
	uint64_t born, used, oow_ns;
	/* Timers; NEVER if not set. */
	uint64_t app, ack, resend, convert, dies;
	/* B.4, I.1 to I.3: it may be gone from then on, it is gone from then on. With the check
	 * off on the host: in the imagined kernel that has it. */
	uint64_t earliest, latest;
	bool retried; /* the imagined one has only taken a later SYN, of this TSval */
	uint32_t syn_ts;
	bool poked;  /* in TIME_WAIT, so that it lasts 60 s again */
	bool unsure; /* the imagined one may or may not have been there then */
};

/* Section B.3. */
struct record {
	bool made;
	uint32_t ts, stamp;
	bool unsure;	 /* this evidence does not tell the second */
	bool lost;	 /* nor, since then, the value */
	bool late;	 /* of E1c; see I.11 */
	uint64_t spared; /* when a close() that was expected to write sent an RST instead */
};

/* What became of the SYN that was received last. */
struct truth {
	enum synpaws_fate fate;
	struct record record;
	bool fresh;
	bool doubtful; /* the end of a TIME_WAIT or FIN_WAIT2 of its 4-tuple is near or past */
	bool silent;   /* nothing was sent in answer */
	bool both;     /* I.4: TIME_WAIT and the check have let it through */
	bool second;   /* the same SYN was dropped less than SYNPAWS_HOLD_NS ago */
};

#define SENT 16

#define RETRIES 8 /* tcp_orphan_retries() */

struct kernel {
	const struct rules *rules;
	enum world world;
	uint64_t *dice;
	bool gateway; /* each address is a machine of its own */
	bool hooks;   /* the mirror is shown which way each segment goes */
	bool timestamps;
	uint8_t cookies;
	uint32_t fin_timeout;
	uint64_t now;	/* a clock that is never set */
	int64_t wall;	/* added to it, the wall clock */
	uint64_t tick;	/* phase of the timer tick */
	uint32_t clock; /* of its own TSvals */
	struct socket sockets[SOCKETS];
	struct record records[2][PEERS][HOSTS];
	struct truth truth;
	uint64_t events[EVENTS];
	struct synpaws_segment sent[SENT]; /* in answer to the last segment, or by a timer */
	unsigned int sent_count;
};

static inline bool before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

static inline bool after(uint32_t a, uint32_t b)
{
	return before(b, a);
}

static inline uint64_t between(uint64_t *dice, uint64_t low, uint64_t high)
{
	return low + unit_random(dice) % (high - low + 1);
}

static inline bool one_in(uint64_t *dice, uint32_t n)
{
	return unit_below(dice, n) == 0;
}

/* get_seconds(): the wall clock as of the last tick, of which there are 250 in a second. */
static inline uint32_t kernel_second(const struct kernel *k)
{
	const uint64_t wall = k->now + (uint64_t)k->wall;

	return (uint32_t)((wall - (wall + k->tick) % (4 * MS)) / SECOND);
}

static inline uint32_t segment_end(const struct synpaws_segment *seg)
{
	return seg->seq + seg->payload + ((seg->flags & SYNPAWS_FIN) != 0) +
	       ((seg->flags & SYNPAWS_SYN) != 0);
}

static inline bool same_tuple(const struct tuple *a, const struct tuple *b)
{
	return a->six == b->six && a->peer == b->peer && a->host == b->host &&
	       a->peer_port == b->peer_port && a->host_port == b->host_port;
}

static inline bool is_mini(const struct socket *s)
{
	return s->state == MINI_FIN_WAIT2 || s->state == MINI_TIME_WAIT;
}

static inline void put_address(uint8_t address[16], bool six, bool host, uint8_t number)
{
	memset(address, 0, 16);
	address[0] = six ? 0xfd : host ? 10 : 198;
	address[1] = six && host ? 1 : 51;
	address[six ? 15 : 3] = number;
}

/* A segment of this 4-tuple, addresses and times filled in. */
static inline struct synpaws_segment segment_of(const struct kernel *k, const struct tuple *tuple,
						bool from_host)
{
	struct synpaws_segment seg = {
		.time_ns = k->now + (uint64_t)k->wall,
		.order_ns = k->now,
		.second = kernel_second(k),
		.ifindex = 2,
		.forwarded = k->gateway,
		.way = !k->hooks || k->gateway ? SYNPAWS_WAY_ANY
		       : from_host	       ? SYNPAWS_WAY_OUT
					       : SYNPAWS_WAY_IN,
		.ip_version = tuple->six ? 6 : 4,
		.window_scale = -1,
		.source_port = from_host ? tuple->host_port : tuple->peer_port,
		.destination_port = from_host ? tuple->peer_port : tuple->host_port,
	};

	put_address(from_host ? seg.source : seg.destination, tuple->six, true, tuple->host);
	put_address(from_host ? seg.destination : seg.source, tuple->six, false, tuple->peer);
	return seg;
}

#endif
