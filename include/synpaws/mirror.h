/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNPAWS_MIRROR_H
#define SYNPAWS_MIRROR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <synpaws/profile.h>
#include <synpaws/segment.h>

/*
 * The mirror keeps what a kernel with tcp_tw_recycle=1 remembers of its peers and tells what that
 * kernel would do with each SYN. It does no I/O, reads no clock and allocates only in
 * synpaws_mirror_new(). One thread at a time may use a mirror. contrib/doc/mirror.md explains it.
 */
struct synpaws_mirror;

/* include/net/tcp.h, 2.6.32 to 4.11 */
#define SYNPAWS_PAWS_MSL    60 /* seconds in which a stamp counts */
#define SYNPAWS_PAWS_WINDOW 1  /* ticks that a SYN may lie behind */

/*
 * For so long the outcome of a SYN is held until the host's answer is seen; never the packet. Of
 * hosts behind a gateway (`forwarded`) silence for so long says nothing.
 */
#define SYNPAWS_HOLD_NS 100000000ULL

/* What a mirror is shown, and so what it may rest its answers on. Each holds the ones before. */
enum synpaws_evidence {
	SYNPAWS_EVIDENCE_SYN,	 /* SYNs: an estimate */
	SYNPAWS_EVIDENCE_CLOSE,	 /* FINs and RSTs both ways, all from the peer after a host's FIN */
	SYNPAWS_EVIDENCE_ANSWER, /* SYN-ACKs and all from the host after its FIN; refusing ACKs */
	SYNPAWS_EVIDENCE_FULL,	 /* every segment, as in a capture */
	SYNPAWS_EVIDENCE_KINDS
};

/* What the kernel would do with a SYN. Only PASS and PAWS_DROP come from the per-peer check. */
enum synpaws_fate {
	SYNPAWS_FATE_NONE,	     /* not a SYN, or not for one of the hosts */
	SYNPAWS_FATE_PASS,	     /* checked and let through */
	SYNPAWS_FATE_NOT_CHECKED,    /* this kernel has no check for it (IPv6 on 2.6.32) */
	SYNPAWS_FATE_PAWS_DROP,	     /* silently dropped, PAWSPassive + 1 */
	SYNPAWS_FATE_CLOSED_PORT,    /* nobody listens: RST */
	SYNPAWS_FATE_COOKIE,	     /* answered by a SYN cookie */
	SYNPAWS_FATE_MD5,	     /* discarded for a signature that nobody expects */
	SYNPAWS_FATE_SYN_RECV,	     /* belongs to a handshake in progress */
	SYNPAWS_FATE_OLD_CONNECTION, /* belongs to a connection that is still there: ACK or RST */
	SYNPAWS_FATE_TW_ACCEPT,	     /* TIME_WAIT gives way to it: SYN-ACK */
	SYNPAWS_FATE_TW_REFUSE_ACK,  /* TIME_WAIT refuses it: ACK */
	SYNPAWS_FATE_FIN_WAIT2_ACK,  /* FIN_WAIT2 refuses it: ACK */
	SYNPAWS_FATE_FIN_WAIT2_RST,  /* FIN_WAIT2 is ended by it: RST */
	SYNPAWS_FATE_KINDS
};

/* What the host was seen to answer to a SYN within SYNPAWS_HOLD_NS. */
enum synpaws_answer {
	SYNPAWS_ANSWER_UNSEEN, /* this evidence does not show it */
	SYNPAWS_ANSWER_SYN_ACK,
	SYNPAWS_ANSWER_COOKIE, /* a SYN-ACK whose timestamp is that of a SYN cookie */
	SYNPAWS_ANSWER_ACK,
	SYNPAWS_ANSWER_RST,
	SYNPAWS_ANSWER_SILENCE,
	SYNPAWS_ANSWER_KINDS
};

/* Addresses of hosts: all whose first `bits` bits equal those of `address`. */
struct synpaws_prefix {
	uint8_t ip_version;  /* 4 or 6 */
	uint8_t bits;	     /* 0 to 32, or 0 to 128 */
	uint8_t address[16]; /* network byte order, IPv4 in the first four */
};

/* The host's settings that no packet shows; names and units as in net.ipv4. */
struct synpaws_sysctls {
	uint32_t tcp_fin_timeout; /* seconds; 60 by default */
	uint8_t tcp_syncookies;	  /* 0, 1 or 2; 1 by default */
	bool tcp_timestamps;	  /* true by default */
	int8_t tcp_tw_recycle;	  /* 1: the check is on, so an answer contradicts a drop; 0: it is
				     off, and this is what would be; -1: tell by the answers */
};

extern const struct synpaws_sysctls synpaws_sysctls_default; /* 60, 1, true, -1 */

/* One judged SYN. Ages and waits are whole seconds of the wall clock. */
struct synpaws_outcome {
	enum synpaws_fate fate;
	enum synpaws_fate predicted; /* before the host's answer was seen */
	bool guess;		     /* the fate rests on what this evidence does not show */
	bool contradicted; /* the host did not do as predicted, and the fate is what it did */
	enum synpaws_answer answer;
	bool recorded; /* there was a stamp before this SYN, and these four tell of it: */
	uint32_t recorded_tsval;
	uint32_t recorded_at; /* second in which recorded_tsval was current */
	int32_t behind;	      /* recorded_tsval - tsval as signed 32 bits; 0 without timestamp */
	int32_t age;	      /* now - recorded_at; negative after the clock was stepped back */
	uint32_t wait;	      /* with PAWS_DROP: seconds until the same SYN would pass */
};

/* Takes the outcome of one SYN; both are the mirror's and go after the call. */
typedef void synpaws_mirror_emit(void *context, const struct synpaws_segment *syn,
				 const struct synpaws_outcome *outcome);

struct synpaws_mirror_config {
	const struct synpaws_profile *profile;
	enum synpaws_evidence evidence;
	size_t peers; /* how many stamps to keep; more are evicted and counted */
	size_t flows; /* how many connections to keep in view; unused with SYNPAWS_EVIDENCE_SYN */
	const struct synpaws_prefix *hosts; /* whose SYNs are judged; borrowed, may be NULL */
	size_t host_count;		    /* 0: every address is a host */
	struct synpaws_sysctls sysctls;
	uint8_t hash_key[16];	   /* secret, so that nobody can choose colliding peers */
	synpaws_mirror_emit *emit; /* gets every outcome, in the order of the SYNs */
	void *context;		   /* its first argument */
};

struct synpaws_mirror_stats {
	uint64_t evicted; /* stamps that still counted, lost for want of room: later drops go unseen
			   */
	size_t peers;	  /* stamps held */
	size_t room;	  /* stamps that fit, but for a few in a million; a third more may */
	size_t bytes;	  /* memory of all tables */
	uint64_t segments;	/* segments to or from hosts that this evidence takes */
	uint64_t syns;		/* those of them that are SYNs */
	uint64_t answers;	/* those from hosts; none on SYN evidence */
	uint64_t ends;		/* those with FIN or RST, either way */
	size_t flows;		/* connections in view */
	uint64_t flows_evicted; /* lost for want of room: their records go unseen */
	uint64_t unsettled;    /* what waited and could not, for want of room: outcomes given before
				  their time, and changes on hosts that no packet shows */
	uint64_t records;      /* stamps written or renewed */
	uint64_t undone;       /* of these, taken back when the host showed that it had not */
	uint64_t guesses;      /* outcomes that say so */
	uint64_t contradicted; /* outcomes that the host corrected */
	bool checking;	       /* by settings or by its answers, the host has the check on */
	bool check_known;      /* ... or off; else nothing has told */
};

/*
 * A mirror for `config`, which is copied except for the hosts it points to. NULL with errno set to
 * EINVAL (no profile, no peers, no flows where they are needed, no emit, a prefix too long) or
 * ENOMEM. To be freed with synpaws_mirror_free().
 */
struct synpaws_mirror *synpaws_mirror_new(const struct synpaws_mirror_config *config);
void synpaws_mirror_free(struct synpaws_mirror *mirror);

/*
 * Take all the memory that the tables may ever need from the system now. Without it each page is
 * taken when it is first used, which costs more time than judging a hundred SYNs.
 */
void synpaws_mirror_touch(struct synpaws_mirror *mirror);

/*
 * Take one segment into account, in order of arrival. What the evidence leaves out is left out
 * here too, so a capture may be shown whole. Outcomes come through `emit`, with evidence beyond
 * SYNs up to SYNPAWS_HOLD_NS later.
 *
 * The check is tcp_v4_conn_request() and tcp_conn_request() as the profile has them; the write is
 * tcp_v4_remember_stamp() (2.6.32) and tcp_remember_stamp() (3.2 to 4.11), at the moments when
 * tcp_time_wait() and tcp_timewait_state_process() call them. On SYN evidence each SYN that passes
 * and carries a timestamp becomes the peer's stamp, as if the host had closed that connection
 * first, just then: an estimate, and contrib/doc/estimate.md says how it errs.
 */
void synpaws_mirror_take(struct synpaws_mirror *mirror, const struct synpaws_segment *seg);

/*
 * The same for `count` segments in order, faster: their places in the tables are looked up
 * together, so that the waits for memory overlap.
 */
void synpaws_mirror_take_batch(struct synpaws_mirror *mirror, const struct synpaws_segment *segs,
			       size_t count);

/* Time has come to `order_ns` without a segment: give the outcomes that have been held for long
 * enough. */
void synpaws_mirror_advance(struct synpaws_mirror *mirror, uint64_t order_ns);

/* The end: give all outcomes that are held. */
void synpaws_mirror_flush(struct synpaws_mirror *mirror);

/* Is the address one of the hosts? Without any, all are. */
bool synpaws_mirror_is_host(const struct synpaws_mirror *mirror, uint8_t ip_version,
			    const uint8_t address[16]);

/*
 * What would become of `syn` if it came now and nothing were left of an older connection between
 * the same ends: PASS, PAWS_DROP or a fate that the settings or the profile decide. Changes nothing
 * and counts nothing; `outcome` tells of the stamp as with any other SYN.
 */
void synpaws_mirror_ask(const struct synpaws_mirror *mirror, const struct synpaws_segment *syn,
			struct synpaws_outcome *outcome);

/* Fill `stats` with the state of the tables. */
void synpaws_mirror_stats(const struct synpaws_mirror *mirror, struct synpaws_mirror_stats *stats);

/*
 * A mirror's memory can be carried over to another process. What is saved has no byte order and no
 * addresses of peers in clear, but the hash key: keep it as secret as that.
 */

/* Take `size` bytes. False if that failed, which ends the saving. */
typedef bool synpaws_mirror_put(void *context, const void *bytes, size_t size);

/* Give the next `size` bytes. False if there are not so many. */
typedef bool synpaws_mirror_get(void *context, void *bytes, size_t size);

/*
 * Save stamps, connections, what was learnt of services, the outcomes that are held, and counts.
 * What was told, and the settings, are not: tell them again. False if `put` said so.
 */
bool synpaws_mirror_save(const struct synpaws_mirror *mirror, synpaws_mirror_put *put,
			 void *context);

/* How much of what was saved holds on. */
enum synpaws_carry {
	SYNPAWS_CARRY_ALL,    /* order_ns has gone on since */
	SYNPAWS_CARRY_STAMPS, /* order_ns began anew: connections are forgotten */
	SYNPAWS_CARRY_COUNTS, /* so did the host, whose kernel has forgotten its stamps: they too */
};

enum synpaws_loaded {
	SYNPAWS_LOADED,
	SYNPAWS_LOADED_DAMAGED,	     /* not what synpaws_mirror_save() writes, or not all of it */
	SYNPAWS_LOADED_OTHER_FORMAT, /* written by a version that saves something else */
	SYNPAWS_LOADED_OTHER_MIRROR, /* of another profile, evidence, or size of tables */
};

/*
 * Load what was saved into a mirror that has not taken a segment yet; it goes by the hash key that
 * was saved from then on, and answers as the one that was saved would have. Nothing that is read is
 * trusted: whatever it is, no memory outside of the tables is touched and no loop is endless; but
 * a checksum is the caller's. If the result is not SYNPAWS_LOADED the mirror is good only for
 * synpaws_mirror_free().
 */
enum synpaws_loaded synpaws_mirror_load(struct synpaws_mirror *mirror, synpaws_mirror_get *get,
					void *context, enum synpaws_carry carry);

/*
 * Facts about services, which no SYN shows. Who says so, the weakest first: what was told outweighs
 * what the socket tables say, and that what was learnt from packets.
 */
enum synpaws_source {
	SYNPAWS_SOURCE_NOBODY, /* the default holds */
	SYNPAWS_SOURCE_LEARNT,
	SYNPAWS_SOURCE_SOCKETS,
	SYNPAWS_SOURCE_TOLD,
};

enum synpaws_fact {
	SYNPAWS_FACT_CLOSED,	 /* nobody listens on the port */
	SYNPAWS_FACT_HALF_CLOSE, /* closes by shutdown() and goes on reading, not by close() */
	SYNPAWS_FACT_DUAL_STACK, /* an IPv6 listener that takes IPv4 too */
	SYNPAWS_FACT_KINDS
};

#define SYNPAWS_NEVER UINT32_MAX

/*
 * Tell that `fact` is true or false of a port of the hosts. `source` is TOLD or SOCKETS. `seconds`
 * is for HALF_CLOSE alone: how long after its shutdown() the service calls close() even if the
 * peer goes on; SYNPAWS_NEVER if it waits for the peer.
 */
void synpaws_mirror_tell(struct synpaws_mirror *mirror, uint16_t port, enum synpaws_fact fact,
			 bool is_true, uint32_t seconds, enum synpaws_source source);

/* A socket of this port in FIN_WAIT2 was seen in the host's socket table, with an owner or without
 * (tcp_close() leaves an orphan, shutdown() does not). */
void synpaws_mirror_saw_socket(struct synpaws_mirror *mirror, uint16_t port, bool orphan);

/* A port for which a fact holds, and by whom. */
struct synpaws_service {
	uint16_t port;
	enum synpaws_fact fact;
	enum synpaws_source source;
};

/*
 * The `index`th true fact, from 0; false past the last. The list is made for this call, so its
 * order may change between segments. Learnt facts are per host and port; a port is listed once.
 */
bool synpaws_mirror_service(const struct synpaws_mirror *mirror, size_t index,
			    struct synpaws_service *service);

/* "pass", "paws-drop", "tw-accept" and so on, "syn" to "full", "syn-ack" and so on. Static storage.
 */
const char *synpaws_fate_name(enum synpaws_fate fate);
const char *synpaws_evidence_name(enum synpaws_evidence evidence);
const char *synpaws_answer_name(enum synpaws_answer answer);
const char *synpaws_fact_name(enum synpaws_fact fact);

#endif
