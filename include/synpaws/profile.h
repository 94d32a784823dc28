/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNPAWS_PROFILE_H
#define SYNPAWS_PROFILE_H

#include <stdbool.h>
#include <stddef.h>

/* By what a kernel finds its stamp of a peer. Ports are never part of it. */
enum synpaws_key {
	SYNPAWS_KEY_PEER,      /* remote address: inetpeer, tcp_metrics up to 3.13 */
	SYNPAWS_KEY_HOST_PEER, /* local and remote address: tcp_metrics of 3.16, el7 and later */
};

/* What becomes of a connection that an IPv6 listener accepted over IPv4 (kernel's v4-mapped). */
enum synpaws_dual_stack {
	SYNPAWS_DUAL_STACK_SAME,   /* 3.16, el7 and later: like any other */
	SYNPAWS_DUAL_STACK_NO_FIN, /* up to 3.5: the FIN that ends FIN_WAIT2 records nothing */
	SYNPAWS_DUAL_STACK_NEVER,  /* 3.6 to 3.13: nothing is recorded where the check would look */
};

/*
 * The rules of one kernel family, read in net/ipv4/tcp_ipv4.c (tcp_v4_conn_request), and from 3.17
 * in tcp_input.c (tcp_conn_request) and tcp_metrics.c (tcp_peer_is_proven).
 */
struct synpaws_profile {
	const char *name;
	const char *aliases; /* comma-separated, or "" */
	const char *kernels; /* which kernels those are, for people */
	enum synpaws_key key;
	bool ipv6;	      /* 2.6.38 and later check and record IPv6 peers */
	bool needs_timestamp; /* 3.17 and el7 drop a SYN without timestamp while a stamp is fresh */
	bool wrapping_age;    /* 2.6.37 and later take the age as u32(now - stamp) < 60; before that
				 it is now < stamp + 60, so a clock stepped back keeps stamps fresh */
	enum synpaws_dual_stack dual_stack; /* tcp_remember_stamp(), tcp_v4_tw_remember_stamp() */
	bool early_ts_recent; /* tcp_validate_incoming() takes a TSval before the ACK is looked at
				 (2.6.32, 3.2, 3.6); later and in el6 tcp_ack() does, after it */
	bool zero_ts_recent; /* tcp_paws_check(): a ts_recent of 0 compares with nothing; not 2.6.32
			      */
	bool challenge_ack;  /* RFC 5961, 3.2 and 4.2 (3.6 and later): only an exact RST resets */
	bool cookies_always; /* tcp_syncookies=2 answers every SYN by a cookie (3.13, el7) */
	bool discards_md5;   /* el7 is built with TCP_MD5SIG: unexpected signatures are discarded */
	bool exact_timers;   /* 4.8 and later: TIME_WAIT ends by a timer of its own, never early */
	bool ack_rate_limit; /* tcp_invalid_ratelimit: one such ACK in 500 ms (4.0, el7) */
	bool ipv6_tw_checked; /* tcp_v6_fill_cb() of 4.9: a SYN that TIME_WAIT takes is checked too
			       */
};

/* The profile called `name`, by its name or an alias; NULL if there is none. Static storage. */
const struct synpaws_profile *synpaws_profile_find(const char *name);

/* The profile number `index`, oldest kernels first; NULL past the end. Static storage. */
const struct synpaws_profile *synpaws_profile_at(size_t index);

#endif
