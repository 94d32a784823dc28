/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FRAGMENTS_H
#define FRAGMENTS_H

#include "capture.h"

/*
 * Puts IPv4 and IPv6 fragments together, as a host's kernel does before TCP sees them. A live queue
 * needs none of this: the kernel has done it by then.
 *
 * As in Linux (ip_frag_queue(), ip6_frag_queue()): fragments belong together by source,
 * destination, identification and protocol; what is not whole after 30 seconds (IPv6: 60) of the
 * capture's time is given up; so is what contradicts itself. One that was seen before, as where the
 * same packet was captured on two interfaces, is passed over. Fragments that overlap otherwise make
 * an end of their datagram, which is what RFC 5722 and later kernels do; earlier ones trim them.
 *
 * Fragments that were not captured to their end are put together by their lengths; the packet is
 * then one that was not captured to its end either.
 *
 * Only what may hold TCP is kept, in so many places as told at the start, 68 KB each, of which only
 * what is used becomes memory; where they do not suffice the oldest datagram is given up.
 */
struct fragments;

enum fragments_result {
	FRAGMENTS_NONE,	 /* nothing to put together: the packet goes on as it is */
	FRAGMENTS_KEPT,	 /* a fragment, which waits for others or is lost */
	FRAGMENTS_WHOLE, /* the last that was missing: `packet` has become the whole one */
};

/* NULL if there is no memory. */
struct fragments *fragments_new(size_t datagrams);
void fragments_free(struct fragments *fragments);

/*
 * Take a packet; its bytes are needed during the call only. A whole packet's bytes stay until the
 * next call, its time is that of the fragment that completed it, and its IP header is that of the
 * first fragment with new lengths, new checksum, and no sign of fragments. The lengths of `packet`
 * are believed, anything in its bytes is checked; whatever is wrong with a header is left for the
 * decoder to say, as FRAGMENTS_NONE.
 */
enum fragments_result fragments_take(struct fragments *fragments, struct capture_packet *packet);

/* Nothing more comes: give up what still waits. */
void fragments_finish(struct fragments *fragments);

/* Fragments so far whose packet never became whole. */
uint64_t fragments_lost(const struct fragments *fragments);

#endif
