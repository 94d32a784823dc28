/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "seen.h"

#define WAYS 8

struct entry {
	uint64_t hash; /* 0: free */
	uint32_t second;
};

struct seen {
	struct entry *entries;
	size_t sets;
	uint32_t seconds;
	uint64_t forgotten;
};

struct seen *seen_new(size_t entries, uint32_t seconds)
{
	struct seen *seen = calloc(1, sizeof(*seen));

	if (seen == NULL)
		return NULL;
	seen->sets = entries / WAYS + 1;
	seen->seconds = seconds;
	seen->entries = calloc(seen->sets * WAYS, sizeof(*seen->entries));
	if (seen->entries == NULL) {
		free(seen);
		return NULL;
	}
	return seen;
}

void seen_free(struct seen *seen)
{
	if (seen == NULL)
		return;
	free(seen->entries);
	free(seen);
}

static bool alive(const struct seen *seen, const struct entry *entry, uint32_t now)
{
	return entry->hash != 0 &&
	       (seen->seconds == SEEN_FOR_EVER || now - entry->second <= seen->seconds);
}

bool seen_add(struct seen *seen, uint64_t hash, uint32_t now)
{
	struct entry *set = &seen->entries[hash % seen->sets * WAYS], *victim = set;
	size_t i;
	bool known;

	hash = hash != 0 ? hash : 1;
	for (i = 0; i < WAYS; i++) {
		if (set[i].hash == hash) {
			known = alive(seen, &set[i], now);
			set[i].second = now;
			return !known;
		}
		if (alive(seen, victim, now) &&
		    (!alive(seen, &set[i], now) || set[i].second < victim->second))
			victim = &set[i];
	}
	seen->forgotten += alive(seen, victim, now);
	victim->hash = hash;
	victim->second = now;
	return true;
}

uint64_t seen_forgotten(const struct seen *seen)
{
	return seen->forgotten;
}
