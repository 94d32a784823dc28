/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <synpaws/mirror.h>

#include "siphash.h"
#include "stamps.h"
#include "table.h"
#include "wire.h"

#define CACHE_LINE 64
#define WAYS	   (CACHE_LINE / sizeof(struct stamp))

/* With two buckets of four to choose from, and one move, all fit if one slot in four stays free. */
#define FILL_SPARE 3

struct bucket {
	struct stamp stamp[WAYS];
};

struct stamps {
	struct bucket *buckets;
	uint32_t bucket_count;
	size_t room;
	size_t count;
	uint64_t evicted;
	uint8_t hash_key[16];
};

struct stamps *stamps_new(size_t peers, const uint8_t hash_key[16])
{
	const size_t slots_most = (size_t)UINT32_MAX / 2;
	struct stamps *stamps;
	size_t buckets;

	if (peers == 0 || peers > slots_most) {
		errno = EINVAL;
		return NULL;
	}
	buckets = (peers + peers / FILL_SPARE + WAYS) / WAYS;
	stamps = calloc(1, sizeof(*stamps));
	if (stamps == NULL)
		return NULL;
	stamps->buckets = table_new(buckets, sizeof(struct bucket));
	if (stamps->buckets == NULL) {
		free(stamps);
		return NULL;
	}
	stamps->bucket_count = (uint32_t)buckets;
	stamps->room = peers;
	memcpy(stamps->hash_key, hash_key, sizeof(stamps->hash_key));
	return stamps;
}

void stamps_free(struct stamps *stamps)
{
	if (stamps == NULL)
		return;
	table_free(stamps->buckets, stamps->bucket_count, sizeof(struct bucket));
	free(stamps);
}

void stamps_touch(struct stamps *stamps)
{
	table_touch(stamps->buckets, stamps->bucket_count, sizeof(struct bucket));
}

uint64_t stamps_peer(const struct stamps *stamps, uint8_t ip_version, const uint8_t peer[16],
		     const uint8_t host[16])
{
	uint8_t bytes[2 * 16];
	uint64_t hash;

	/* Lengths that the compiler knows make a hash twice as fast. */
	if (host == NULL) {
		hash = ip_version == 4 ? siphash(stamps->hash_key, peer, 4)
				       : siphash(stamps->hash_key, peer, 16);
	} else if (ip_version == 4) {
		memcpy(bytes, peer, 4);
		memcpy(bytes + 4, host, 4);
		hash = siphash(stamps->hash_key, bytes, 8);
	} else {
		memcpy(bytes, peer, 16);
		memcpy(bytes + 16, host, 16);
		hash = siphash(stamps->hash_key, bytes, 32);
	}
	return hash != 0 ? hash : 1;
}

/* Maps 32 random bits to a bucket without a division. */
static struct bucket *bucket_at(const struct stamps *stamps, uint32_t bits)
{
	return &stamps->buckets[((uint64_t)bits * stamps->bucket_count) >> 32];
}

static struct bucket *first_bucket(const struct stamps *stamps, uint64_t peer)
{
	return bucket_at(stamps, (uint32_t)peer);
}

static struct bucket *second_bucket(const struct stamps *stamps, uint64_t peer)
{
	return bucket_at(stamps, (uint32_t)(peer >> 32));
}

void stamps_prefetch(const struct stamps *stamps, uint64_t peer)
{
	__builtin_prefetch(first_bucket(stamps, peer), 1);
	__builtin_prefetch(second_bucket(stamps, peer), 1);
}

static struct stamp *find_in(struct bucket *bucket, uint64_t peer)
{
	size_t i;

	for (i = 0; i < WAYS; i++) {
		if (bucket->stamp[i].peer == peer)
			return &bucket->stamp[i];
	}
	return NULL;
}

struct stamp *stamps_find(struct stamps *stamps, uint64_t peer)
{
	struct bucket *second = second_bucket(stamps, peer);
	struct stamp *stamp;

	__builtin_prefetch(second);
	stamp = find_in(first_bucket(stamps, peer), peer);
	return stamp != NULL ? stamp : find_in(second, peer);
}

static size_t used(const struct bucket *bucket)
{
	size_t i, n = 0;

	for (i = 0; i < WAYS; i++)
		n += bucket->stamp[i].peer != 0;
	return n;
}

static struct stamp *oldest_of(struct bucket *a, struct bucket *b)
{
	struct stamp *oldest = &a->stamp[0];
	size_t i;

	for (i = 0; i < WAYS; i++) {
		if (a->stamp[i].second < oldest->second)
			oldest = &a->stamp[i];
		if (b->stamp[i].second < oldest->second)
			oldest = &b->stamp[i];
	}
	return oldest;
}

/* A kernel would let anything not older overwrite it, and lets every SYN pass it. */
static bool counts(const struct stamp *stamp, uint32_t now)
{
	return (uint64_t)stamp->second + SYNPAWS_PAWS_MSL >= now;
}

/* Make room in a full bucket by moving one of its stamps to its other bucket. NULL if none can. */
static struct stamp *move_one(const struct stamps *stamps, struct bucket *bucket)
{
	size_t i;

	for (i = 0; i < WAYS; i++) {
		struct stamp *stamp = &bucket->stamp[i];
		struct bucket *other = first_bucket(stamps, stamp->peer);
		struct stamp *room;

		if (other == bucket)
			other = second_bucket(stamps, stamp->peer);
		room = find_in(other, 0);
		if (room != NULL) {
			*room = *stamp;
			return stamp;
		}
	}
	return NULL;
}

static struct stamp *claim(struct stamp *stamp, uint64_t peer)
{
	stamp->peer = peer;
	stamp->tsval = 0;
	stamp->second = 0;
	return stamp;
}

struct stamp *stamps_add(struct stamps *stamps, uint64_t peer, uint32_t now)
{
	struct bucket *a = first_bucket(stamps, peer), *b = second_bucket(stamps, peer);
	struct stamp *stamp = find_in(used(b) < used(a) ? b : a, 0), *oldest;

	if (stamp == NULL) {
		oldest = oldest_of(a, b);
		if (!counts(oldest, now))
			return claim(oldest, peer);
		stamp = move_one(stamps, a);
		if (stamp == NULL)
			stamp = move_one(stamps, b);
		if (stamp == NULL) {
			stamps->evicted++;
			return claim(oldest, peer);
		}
	}
	stamps->count++;
	return claim(stamp, peer);
}

uint64_t stamps_evicted(const struct stamps *stamps)
{
	return stamps->evicted;
}

size_t stamps_count(const struct stamps *stamps)
{
	return stamps->count;
}

size_t stamps_room(const struct stamps *stamps)
{
	return stamps->room;
}

size_t stamps_bytes(const struct stamps *stamps)
{
	return (size_t)stamps->bucket_count * sizeof(struct bucket);
}

void stamps_clear(struct stamps *stamps)
{
	memset(stamps->buckets, 0, stamps_bytes(stamps));
	stamps->count = 0;
}

static void wire_stamp(struct wire *wire, uint32_t *slot, struct stamp *stamp)
{
	wire_u32(wire, slot);
	wire_u64(wire, &stamp->peer);
	wire_u32(wire, &stamp->tsval);
	wire_u32(wire, &stamp->second);
}

static void save_stamps(const struct stamps *stamps, struct wire *wire)
{
	uint32_t slot;

	for (slot = 0; slot / WAYS < stamps->bucket_count; slot++) {
		struct stamp stamp = stamps->buckets[slot / WAYS].stamp[slot % WAYS];

		if (stamp.peer != 0)
			wire_stamp(wire, &slot, &stamp);
	}
}

/* Which one gives way hangs on where each stands. */
static void load_stamp(struct stamps *stamps, struct wire *wire)
{
	struct bucket *bucket;
	struct stamp stamp = { .peer = 0 };
	uint32_t slot = 0;

	wire_stamp(wire, &slot, &stamp);
	wire_expect(wire, stamp.peer != 0 && slot / WAYS < stamps->bucket_count);
	if (wire->failed)
		return;
	bucket = &stamps->buckets[slot / WAYS];
	wire_expect(wire, bucket->stamp[slot % WAYS].peer == 0 &&
				  stamps_find(stamps, stamp.peer) == NULL &&
				  (bucket == first_bucket(stamps, stamp.peer) ||
				   bucket == second_bucket(stamps, stamp.peer)));
	if (wire->failed)
		return;
	bucket->stamp[slot % WAYS] = stamp;
	stamps->count++;
}

void stamps_wire(struct stamps *stamps, struct wire *wire)
{
	uint64_t left = stamps->count;

	wire_bytes(wire, stamps->hash_key, sizeof(stamps->hash_key));
	wire_u64(wire, &stamps->evicted);
	wire_u64(wire, &left);
	if (!wire_reads(wire))
		save_stamps(stamps, wire);
	else
		for (; left > 0 && !wire->failed; left--)
			load_stamp(stamps, wire);
}
