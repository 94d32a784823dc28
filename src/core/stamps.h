/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef STAMPS_H
#define STAMPS_H

#include <stddef.h>
#include <stdint.h>

struct wire;

/*
 * The peer table: a fixed number of stamps in buckets of one cache line. A peer is known by a keyed
 * 64-bit hash of its addresses, 16 bytes a stamp instead of up to 40; among ten million peers the
 * chance that any two share a hash is three in a million, and nobody without the key can cause it.
 */
struct stamps;

struct stamp {
	uint64_t peer;	 /* stamps_peer(), never 0 */
	uint32_t tsval;	 /* what the kernel calls tcpm_ts or tcp_ts */
	uint32_t second; /* tcpm_ts_stamp or tcp_ts_stamp: when tsval was current */
};

/* A table with room for `peers` stamps. NULL with errno EINVAL (none, or too many) or ENOMEM. */
struct stamps *stamps_new(size_t peers, const uint8_t hash_key[16]);
void stamps_free(struct stamps *stamps);

/* See synpaws_mirror_touch(). */
void stamps_touch(struct stamps *stamps);

/* Have the lines that stamps_find() will read brought into the cache. */
void stamps_prefetch(const struct stamps *stamps, uint64_t peer);

/* The name of a peer in this table; `host` is NULL where the kernel's key is the peer alone. */
uint64_t stamps_peer(const struct stamps *stamps, uint8_t ip_version, const uint8_t peer[16],
		     const uint8_t host[16]);

/* The stamp of a peer, NULL if there is none. Valid until the next stamps_add(). */
struct stamp *stamps_find(struct stamps *stamps, uint64_t peer);

/*
 * A new, unset stamp for a peer that has none. Where its two buckets are full the oldest stamp
 * gives way; it is counted as evicted if at second `now` it was not more than a minute old.
 */
struct stamp *stamps_add(struct stamps *stamps, uint64_t peer, uint32_t now);

/* Forget all, but for what was evicted. */
void stamps_clear(struct stamps *stamps);

/* Save them, or load them into an empty table, with its key, where each stood. */
void stamps_wire(struct stamps *stamps, struct wire *wire);

uint64_t stamps_evicted(const struct stamps *stamps);
size_t stamps_count(const struct stamps *stamps);
size_t stamps_room(const struct stamps *stamps);
size_t stamps_bytes(const struct stamps *stamps);

#endif
