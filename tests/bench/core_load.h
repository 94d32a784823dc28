/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CORE_LOAD_H
#define CORE_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <synpaws/mirror.h>

/*
 * Segments to measure the core with. Each is computed from its number alone, so that making them
 * takes no memory but the block they go to, and leaves the caches to the mirror.
 */

#define CORE_SECOND 1795357599U /* when it all begins: a second in autumn 2026 */

/* splitmix64 (Steele, Lea, Flood 2014), as a function of a number. */
static inline uint64_t core_mix(uint64_t z)
{
	z += 0x9e3779b97f4a7c15ULL;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

/* The numbers below `count` in random order. */
struct core_order {
	uint64_t count, seed, mask;
	unsigned int shift;
};

struct core_order core_order_of(uint64_t count, uint64_t seed);
uint64_t core_order_at(const struct core_order *order, uint64_t index);

/* SYNs of `order.count` peers, each once a round, and the next round in another order. */
struct core_syns {
	struct core_order order;
	uint64_t next;
	uint64_t seed;
	uint64_t pace_ns;
	uint32_t drop_every; /* so often a TSval is too old; 0 never */
	uint8_t ip_version;
	const uint8_t *addresses; /* 16 bytes each; NULL: address number i of core_address() */
};

struct core_syns core_syns_of(uint64_t peers, uint8_t ip_version, uint64_t seed);

/* Fits core_fill. */
void core_syns_fill(void *context, struct synpaws_segment *block, size_t count);

/*
 * Conversations, one segment at a time from each of `order.count` flows in turn, in an order that
 * stays the same: so each flow that is new takes the place of the one untouched for longest. A new
 * conversation is of the same peer by another port. The host closes first.
 */
struct core_talks {
	struct core_order order;
	uint64_t next;
	uint64_t seed;
	uint64_t pace_ns;
	uint8_t ip_version;
	uint8_t steps;	       /* how many segments of a conversation are shown */
	const uint8_t *script; /* which */
};

/* `evidence`: what its rules show, beyond SYNs. */
struct core_talks core_talks_of(uint64_t flows, uint8_t ip_version, enum synpaws_evidence evidence,
				uint64_t seed);

/* Fits core_fill. */
void core_talks_fill(void *context, struct synpaws_segment *block, size_t count);

/* Show `mirror` the first rounds, in which all flows set in; core_talks_fill() goes on from there.
 */
void core_talks_begin(struct core_talks *talks, struct synpaws_mirror *mirror);

/* Address number `number`, different for each below 2^30, never in the hosts' prefixes. */
void core_address(uint8_t ip_version, uint64_t number, uint8_t address[16]);

/* 10.99.0.0/16 and fd99::/64. */
extern const struct synpaws_prefix core_hosts[2];

/* The host of all segments: the first one in its prefix. */
void core_host(uint8_t ip_version, uint8_t address[16]);

/* An IP packet with the SYN of a Linux client, 60 or 80 bytes; its length. */
#define CORE_PACKET_MOST 80
size_t core_packet(uint8_t packet[CORE_PACKET_MOST], uint8_t ip_version, uint64_t number);

#endif
