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
 * synpaws_mirror_new(). One thread at a time may use a mirror.
 */
struct synpaws_mirror;

/* include/net/tcp.h, 2.6.32 to 4.11 */
#define SYNPAWS_PAWS_MSL    60 /* seconds in which a stamp counts */
#define SYNPAWS_PAWS_WINDOW 1  /* ticks that a SYN may lie behind */

/* What the kernel would do with a segment. */
enum synpaws_fate {
	SYNPAWS_FATE_NONE,	  /* not a SYN, or not for one of the hosts */
	SYNPAWS_FATE_PASS,	  /* checked and let through */
	SYNPAWS_FATE_NOT_CHECKED, /* this kernel has no check for it (IPv6 on 2.6.32) */
	SYNPAWS_FATE_PAWS_DROP,	  /* silently dropped, PAWSPassive + 1 */
	SYNPAWS_FATE_KINDS
};

/* Addresses of hosts: all whose first `bits` bits equal those of `address`. */
struct synpaws_prefix {
	uint8_t ip_version;  /* 4 or 6 */
	uint8_t bits;	     /* 0 to 32, or 0 to 128 */
	uint8_t address[16]; /* network byte order, IPv4 in the first four */
};

struct synpaws_mirror_config {
	const struct synpaws_profile *profile;
	size_t peers; /* how many stamps to keep; more are evicted and counted */
	const struct synpaws_prefix *hosts; /* whose SYNs are judged; borrowed, may be NULL */
	size_t host_count;		    /* 0: every destination is a host */
	uint8_t hash_key[16];		    /* secret, so that nobody can choose colliding peers */
};

/* One judged segment. Ages and waits are whole seconds of the wall clock. */
struct synpaws_outcome {
	enum synpaws_fate fate;
	bool recorded; /* there was a stamp before this SYN, and these four tell of it: */
	uint32_t recorded_tsval;
	uint32_t recorded_at; /* second in which recorded_tsval was current */
	int32_t behind;	      /* recorded_tsval - tsval as signed 32 bits; 0 without timestamp */
	int32_t age;	      /* now - recorded_at; negative after the clock was stepped back */
	uint32_t wait;	      /* with PAWS_DROP: seconds until the same SYN would pass */
};

struct synpaws_mirror_stats {
	uint64_t evicted; /* stamps that still counted, lost for want of room: later drops go unseen
			   */
	size_t peers;	  /* stamps held */
	size_t room;	  /* stamps that fit, but for a few in a million; a third more may */
	size_t bytes;	  /* memory of the table */
};

/*
 * A mirror for `config`, which is copied except for the hosts it points to. NULL with errno set to
 * EINVAL (no profile, no peers) or ENOMEM. To be freed with synpaws_mirror_free().
 */
struct synpaws_mirror *synpaws_mirror_new(const struct synpaws_mirror_config *config);
void synpaws_mirror_free(struct synpaws_mirror *mirror);

/*
 * Judge one segment and take it into account. Segments come in order of arrival.
 *
 * The check is tcp_v4_conn_request() and tcp_conn_request() as the profile has them; the write is
 * tcp_v4_remember_stamp() (2.6.32) and tcp_remember_stamp() (3.2 to 4.11). On SYN evidence each SYN
 * that passes and carries a timestamp becomes the peer's stamp, as if the host had closed that
 * connection first, just then. That is an estimate: contrib/doc/estimate.md says how it errs.
 */
void synpaws_mirror_judge(struct synpaws_mirror *mirror, const struct synpaws_segment *seg,
			  struct synpaws_outcome *outcome);

/* Fill `stats` with the state of the table. */
void synpaws_mirror_stats(const struct synpaws_mirror *mirror, struct synpaws_mirror_stats *stats);

/* "pass", "not-checked", "paws-drop" or "none". Static storage. */
const char *synpaws_fate_name(enum synpaws_fate fate);

#endif
