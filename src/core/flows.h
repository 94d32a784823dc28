/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FLOWS_H
#define FLOWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <synpaws/segment.h>

/*
 * The connections in view: a fixed number, found by a keyed 64-bit hash of both ends. Two lists by
 * age keep strangers' SYNs from pushing out what hosts have really closed: handshakes that nobody
 * has answered for give way first, as soon as they hold more than half of the room.
 */
struct flows;
struct wire;

/* What a host's kernel holds for a connection, as far as segments tell. */
enum flow_state {
	FLOW_FREE,
	FLOW_GHOST,	/* its SYN would have been dropped: the imagined kernel has nothing */
	FLOW_HANDSHAKE, /* its SYN passed */
	FLOW_OPEN,	/* established, or closed by the peer alone */
	FLOW_FIN_WAIT1, /* the host's FIN is out */
	FLOW_FIN_WAIT2, /* ... and acknowledged; a full socket */
	FLOW_HALF_DEAD, /* FIN_WAIT2 without an owner: a mini-socket */
	FLOW_CLOSING,	/* both FINs crossed */
	FLOW_LAST_ACK,	/* the peer closed first */
	FLOW_TIME_WAIT, /* a mini-socket */
	FLOW_CLOSED,	/* nothing, but the FIN of the host may be seen again */
};

/* Data that came before what should have been there. */
struct flow_range {
	uint32_t from, to; /* empty if equal */
};

#define FLOW_RANGES 2

/* The last write, so that it can be taken back. */
struct flow_undo {
	bool written;
	bool possible;		/* no other segment came since */
	uint32_t tsval, second; /* of the stamp before */
	uint32_t new_tsval, new_second;
	uint32_t ack; /* of the segment that caused it: the sequence number of an RST in answer */
};

struct flow {
	uint64_t name;		      /* flows_name(), never 0 while in use */
	uint64_t peer;		      /* stamps_peer() */
	uint64_t host;		      /* services_host() */
	uint64_t touched_ns;	      /* when it was last heard of */
	uint64_t syn_ns;	      /* when the peer's SYN came */
	uint64_t fin_ns;	      /* when the host's FIN was first seen */
	uint64_t heard_ns;	      /* when the host last sent anything, from that FIN on */
	uint64_t early_ns;	      /* a mini-socket may be gone from here on, */
	uint64_t likely_ns;	      /* is likely to be gone from here on, */
	uint64_t late_ns;	      /* and is gone from here on */
	uint64_t ack_ns;	      /* when the host last refused a SYN by an ACK; 0 never */
	uint32_t round_us;	      /* from the host's FIN to the answer */
	uint32_t chain, older, newer; /* links of the table; index + 1 */
	uint32_t held;		      /* the SYN whose outcome is held; index + 1 */
	uint32_t isn;		      /* of the peer's SYN */
	uint32_t ts_recent, ts_second;
	uint32_t rcv_nxt;  /* what the host expects next */
	uint32_t rcv_wup;  /* what it acknowledged last */
	uint32_t rcv_wnd;  /* what it offered then */
	uint32_t snd_una;  /* what the peer acknowledged last */
	uint32_t snd_nxt;  /* behind all that the host sent, its FIN included */
	uint32_t peer_fin; /* that of the peer's FIN, with peer_fin_seen */
	uint32_t past_fin; /* of the one before, if two were seen */
	uint32_t early_seq, early_tsval, early_second; /* of a FIN before the host's own */
	struct flow_range ranges[FLOW_RANGES];
	struct flow_undo undo;
	uint16_t host_port;
	uint16_t last_id;     /* IPv4 identification of the host's last segment */
	uint32_t place_round; /* see calendar.h */
	uint8_t place;	      /* in the calendar of mini-sockets; index + 1 */
	uint8_t state;	      /* enum flow_state */
	uint8_t window_scale; /* of the host's windows */
	uint8_t repeated;     /* how often the SYN came again */
	uint8_t fin_repeated; /* and the host's FIN, up to FLOW_REPEATS_MOST */
	bool listed_early;    /* in the list of those that give way first */
	bool records;	      /* this kernel has a stamp for such a peer */
	bool has_timestamp;   /* negotiated */
	bool early_has_timestamp;
	bool host_fin_seen;
	bool peer_fin_seen;
	bool peer_fin_taken; /* nothing is missing before it */
	bool orphan;	     /* left by close(), as far as known */
	bool dual_stack;     /* accepted by such a listener */
	bool reset_expected; /* if it is an orphan, an RST comes now */
	bool late_fin;	     /* the peer's FIN was taken meanwhile */
	bool id_known;
	bool voted;	/* its closing cannot tell, or has told, how the service closes */
	bool counted;	/* has told that the check is off */
	bool silent;	/* has told, by silence, that it is on */
	bool confirmed; /* the host answered its SYN */
	bool cookie;	/* by a cookie, so that it holds nothing itself */
	bool guessed;	/* what became of its SYN is a guess */
};

#define FLOW_SCALE_UNKNOWN 255
#define FLOW_REPEATS_MOST  15 /* tcp_retries2 */

/* A table for `count` connections. NULL with errno EINVAL (none, or too many) or ENOMEM. */
struct flows *flows_new(size_t count, const uint8_t hash_key[16]);
void flows_free(struct flows *flows);

/* See synpaws_mirror_touch(). */
void flows_touch_all(struct flows *flows);

/*
 * The name of the connection between a host's end and a peer's. With the ends exchanged only the
 * last bit of it is another.
 */
#define FLOWS_SWAPPED 1ULL

uint64_t flows_name(const struct flows *flows, uint8_t ip_version, const uint8_t host[16],
		    uint16_t host_port, const uint8_t peer[16], uint16_t peer_port);

/*
 * Have what flows_find() will read brought into the cache: first the head of its chain, and when
 * that has had time to come, the flow.
 */
void flows_prefetch_head(const struct flows *flows, uint64_t name);
void flows_prefetch(const struct flows *flows, uint64_t name);

/* NULL if it is not in view. Valid until it is removed or evicted. */
struct flow *flows_find(struct flows *flows, uint64_t name);

/*
 * A new flow, all zero but for its name and time. Where there is no room the one untouched for
 * longest gives way, and is counted as evicted if it could still matter.
 */
struct flow *flows_add(struct flows *flows, uint64_t name, uint64_t now_ns);

void flows_remove(struct flows *flows, struct flow *flow);

/* It was just heard of. One that a host has closed no longer gives way first. */
void flows_touch(struct flows *flows, struct flow *flow, uint64_t now_ns);

/* A flow's place in the table, which stays the same as long as it is there, and back. */
uint32_t flows_index(const struct flows *flows, const struct flow *flow);
struct flow *flows_at(struct flows *flows, uint32_t index);

/* Forget all, but for what was evicted. */
void flows_clear(struct flows *flows);

/* Save them, or load them into an empty table, with its key, where each stood. */
void flows_wire(struct flows *flows, struct wire *wire);

/* The same of one flow's fields, but for its links. */
void flow_wire(struct flow *flow, struct wire *wire);

/* No flow has this index or one above. */
uint32_t flows_end(const struct flows *flows);

uint64_t flows_evicted(const struct flows *flows);
size_t flows_count(const struct flows *flows);
size_t flows_bytes(const struct flows *flows);

#endif
