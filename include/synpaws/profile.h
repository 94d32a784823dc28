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
};

/* The profile called `name`, by its name or an alias; NULL if there is none. Static storage. */
const struct synpaws_profile *synpaws_profile_find(const char *name);

/* The profile number `index`, oldest kernels first; NULL past the end. Static storage. */
const struct synpaws_profile *synpaws_profile_at(size_t index);

#endif
