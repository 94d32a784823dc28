/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "../core/table.h"
#include "../core/wire.h"
#include "seen.h"

#define WAYS 8

/*
 * A set fills one cache line. Its place and a tag make 46 bits of a hash or more: that a new one is
 * taken for one in the set happens once in 500 million times.
 */
struct set {
	uint32_t tag[WAYS]; /* 0: free */
	uint32_t second[WAYS];
};

struct seen {
	struct set *sets;
	size_t set_count;
	uint32_t seconds;
	uint64_t forgotten;
};

struct seen *seen_new(size_t entries, uint32_t seconds)
{
	struct seen *seen = calloc(1, sizeof(*seen));

	if (seen == NULL)
		return NULL;
	seen->set_count = entries / WAYS + 1;
	seen->seconds = seconds;
	seen->sets = table_new(seen->set_count, sizeof(*seen->sets));
	if (seen->sets == NULL) {
		free(seen);
		return NULL;
	}
	return seen;
}

void seen_free(struct seen *seen)
{
	if (seen == NULL)
		return;
	table_free(seen->sets, seen->set_count, sizeof(*seen->sets));
	free(seen);
}

static struct set *set_of(const struct seen *seen, uint64_t hash)
{
	return &seen->sets[(hash >> 32) * seen->set_count >> 32];
}

void seen_prefetch(const struct seen *seen, uint64_t hash)
{
	__builtin_prefetch(set_of(seen, hash), 1);
}

static bool alive(const struct seen *seen, const struct set *set, size_t way, uint32_t now)
{
	return set->tag[way] != 0 &&
	       (seen->seconds == SEEN_FOR_EVER || now - set->second[way] <= seen->seconds);
}

bool seen_add(struct seen *seen, uint64_t hash, uint32_t now)
{
	const uint32_t tag = (uint32_t)hash != 0 ? (uint32_t)hash : 1;
	struct set *set = set_of(seen, hash);
	size_t i, victim = 0;
	bool known;

	for (i = 0; i < WAYS; i++) {
		if (set->tag[i] == tag) {
			known = alive(seen, set, i, now);
			set->second[i] = now;
			return !known;
		}
	}
	for (i = 1; i < WAYS && alive(seen, set, victim, now); i++) {
		if (!alive(seen, set, i, now) || set->second[i] < set->second[victim])
			victim = i;
	}
	seen->forgotten += alive(seen, set, victim, now);
	set->tag[victim] = tag;
	set->second[victim] = now;
	return true;
}

uint64_t seen_forgotten(const struct seen *seen)
{
	return seen->forgotten;
}

static void wire_entry(struct seen *seen, struct wire *wire, uint32_t *slot)
{
	uint32_t tag = 0, second = 0;
	struct set *set;

	if (!wire_reads(wire)) {
		set = &seen->sets[*slot / WAYS];
		tag = set->tag[*slot % WAYS];
		second = set->second[*slot % WAYS];
	}
	wire_u32(wire, slot);
	wire_u32(wire, &tag);
	wire_u32(wire, &second);
	wire_expect(wire, *slot / WAYS < seen->set_count && tag != 0);
	if (!wire_reads(wire) || wire->failed)
		return;
	set = &seen->sets[*slot / WAYS];
	set->tag[*slot % WAYS] = tag;
	set->second[*slot % WAYS] = second;
}

static uint32_t count_of(const struct seen *seen)
{
	uint32_t slot, count = 0;

	for (slot = 0; slot / WAYS < seen->set_count; slot++)
		count += seen->sets[slot / WAYS].tag[slot % WAYS] != 0;
	return count;
}

void seen_wire(struct seen *seen, struct wire *wire)
{
	uint32_t left = wire_reads(wire) ? 0 : count_of(seen), slot = 0;

	wire_u64(wire, &seen->forgotten);
	wire_u32(wire, &left);
	if (wire_reads(wire)) {
		for (; left > 0 && !wire->failed; left--)
			wire_entry(seen, wire, &slot);
		return;
	}
	for (slot = 0; slot / WAYS < seen->set_count; slot++) {
		if (seen->sets[slot / WAYS].tag[slot % WAYS] != 0)
			wire_entry(seen, wire, &slot);
	}
}
