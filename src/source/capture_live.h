/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CAPTURE_LIVE_H
#define CAPTURE_LIVE_H

#include <net/if.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture.h"

/*
 * Packets of this machine's interfaces, by libpcap: copies, which hold nobody up. A filter in the
 * kernel leaves out what the evidence has no use for, and only headers are copied. Fragments are
 * not put together: what is in the first one is seen, if that is the whole TCP header.
 *
 * Memory is bounded: for each interface a buffer, where what finds no room is missed and counted.
 */
struct capture_live;

#define CAPTURE_LIVE_MOST 8

/* What the kernel lets through. Each holds the ones before. */
enum capture_want {
	CAPTURE_WANT_SYN,     /* SYNs, without SYN-ACKs */
	CAPTURE_WANT_CLOSE,   /* also FINs and RSTs */
	CAPTURE_WANT_NO_DATA, /* also SYN-ACKs and all that carries no data */
	CAPTURE_WANT_ALL,     /* all TCP */
};

struct capture_live_config {
	const char *const *names; /* of interfaces; "any" is all of them */
	size_t count;		  /* from 1 to CAPTURE_LIVE_MOST */
	enum capture_want want;
	size_t buffer;	  /* bytes, for each interface */
	bool promiscuous; /* also what is for other machines, as on a mirror port */
};

/* A packet, and where it was seen. */
struct capture_live_packet {
	struct capture_packet packet;
	uint32_t ifindex; /* 0 if unknown */
	bool sent;	  /* it leaves this machine; false where that is not known */
	bool any;	  /* by way of "any" */
};

enum capture_live_change {
	CAPTURE_LIVE_DOWN, /* nothing is seen there until it is up again */
	CAPTURE_LIVE_UP,
	CAPTURE_LIVE_GONE, /* for good; the text says why */
};

/* Tells of a change of an interface; `why` is NULL but for CAPTURE_LIVE_GONE. */
typedef void capture_live_tell(void *context, const char *name, enum capture_live_change change,
			       const char *why);

/* The filter for one kind of packets, as pcap-filter(7) has it; `size` should be 2048 at least. */
void capture_live_filter(enum capture_want want, bool vlan, char *filter, size_t size);

/* NULL with one line in `why` that says which interface, what is wrong and what to do. */
struct capture_live *capture_live_open(const struct capture_live_config *config, char *why,
				       size_t size);

/* NULL is allowed. */
void capture_live_close(struct capture_live *live);

/* Wait until there may be packets, a signal of those not in `signals` comes, or time is up. */
void capture_live_wait(struct capture_live *live, int milliseconds, const sigset_t *signals);

/*
 * The next packet of all interfaces, in order of time as far as it is not after `horizon_ns`; false
 * if there is none before the next capture_live_wait(). Its bytes stay until the next call.
 */
bool capture_live_next(struct capture_live *live, uint64_t horizon_ns,
		       struct capture_live_packet *packet);

/*
 * Look after the interfaces and their counters, once a second or so. Returns how many are left; a
 * capture without any gives no packets.
 */
size_t capture_live_check(struct capture_live *live, capture_live_tell *tell, void *context);

struct capture_live_counters {
	uint64_t frames;	    /* read, of all kinds */
	uint64_t not_ip;	    /* of these, those that hold no IP packet */
	uint64_t missed;	    /* the buffer had no room for them */
	uint64_t interface_dropped; /* the hardware or its driver had none, where that is told */
};

/* As of the last capture_live_check(). */
struct capture_live_counters capture_live_counters(const struct capture_live *live);

#endif
