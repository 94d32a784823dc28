/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "../core/siphash.h"
#include "../core/table.h"
#include "fold.h"

#define SETS	      1024
#define WAYS	      4
#define BURST_SECONDS 2

/* Sources that have had a line within the last period: what is looked at to find one, a line. */
struct set {
	uint64_t hash[WAYS];  /* 0: free */
	uint32_t since[WAYS]; /* second of its last line */
	uint32_t held[WAYS];  /* drops since then */
};

struct fold {
	struct fold_config config;
	uint64_t tokens; /* lines that may be written now */
	uint32_t filled; /* second up to which tokens were given out */
	uint64_t suppressed;
	struct set *sets;
	struct drop (*latest)[WAYS]; /* of each set */
};

struct fold *fold_new(const struct fold_config *config)
{
	struct fold *fold = calloc(1, sizeof(*fold));

	if (fold == NULL)
		return NULL;
	fold->config = *config;
	fold->tokens = (uint64_t)config->rate * BURST_SECONDS;
	fold->sets = table_new(SETS, sizeof(*fold->sets));
	fold->latest = calloc(SETS, sizeof(*fold->latest));
	if (fold->sets == NULL || fold->latest == NULL) {
		fold_free(fold);
		return NULL;
	}
	return fold;
}

void fold_free(struct fold *fold)
{
	if (fold == NULL)
		return;
	table_free(fold->sets, SETS, sizeof(*fold->sets));
	free(fold->latest);
	free(fold);
}

static void refill(struct fold *fold, uint32_t now)
{
	const uint64_t most = (uint64_t)fold->config.rate * BURST_SECONDS;

	if (now == fold->filled)
		return;
	fold->tokens += (uint64_t)(now - fold->filled) * fold->config.rate;
	if (fold->tokens > most)
		fold->tokens = most;
	fold->filled = now;
}

static void emit(struct fold *fold, const struct drop *drop)
{
	if (fold->tokens == 0) {
		fold->suppressed += 1 + drop->folded;
		return;
	}
	fold->tokens--;
	fold->config.emit(fold->config.context, drop);
}

/* The line for what a source has held back; it starts a new period. */
static void emit_held(struct fold *fold, size_t at, size_t way, uint32_t now)
{
	struct set *set = &fold->sets[at];

	fold->latest[at][way].folded = set->held[way] - 1;
	set->held[way] = 0;
	set->since[way] = now;
	emit(fold, &fold->latest[at][way]);
}

/* The source with this hash, or the one in its set that is best given up for it. */
static size_t place(const struct set *set, uint64_t hash)
{
	size_t i, oldest = 0;

	for (i = 0; i < WAYS; i++) {
		if (set->hash[i] == hash)
			return i;
		if (set->hash[oldest] != 0 &&
		    (set->hash[i] == 0 || set->since[i] < set->since[oldest]))
			oldest = i;
	}
	return oldest;
}

void fold_drop(struct fold *fold, const struct drop *drop, uint32_t now)
{
	const uint64_t hash = drop->seg.ip_version == 4
				      ? siphash(fold->config.hash_key, drop->seg.source, 4)
				      : siphash(fold->config.hash_key, drop->seg.source, 16);
	const uint64_t name = hash != 0 ? hash : 1;
	const size_t at = name % SETS, way = place(&fold->sets[at], name);
	struct set *set = &fold->sets[at];

	refill(fold, now);
	if (set->hash[way] == name && now - set->since[way] < fold->config.period) {
		fold->latest[at][way] = *drop;
		set->held[way] += set->held[way] < UINT32_MAX;
		return;
	}
	if (set->held[way] > 0)
		emit_held(fold, at, way, now);
	set->hash[way] = name;
	set->since[way] = now;
	fold->latest[at][way] = *drop;
	fold->latest[at][way].folded = 0;
	emit(fold, &fold->latest[at][way]);
}

static void emit_due(struct fold *fold, uint32_t now, uint32_t period)
{
	size_t at, way;

	refill(fold, now);
	for (at = 0; at < SETS; at++) {
		const struct set *set = &fold->sets[at];

		for (way = 0; way < WAYS; way++) {
			if (set->held[way] > 0 && now - set->since[way] >= period)
				emit_held(fold, at, way, now);
		}
	}
}

void fold_tick(struct fold *fold, uint32_t now)
{
	emit_due(fold, now, fold->config.period);
}

void fold_flush(struct fold *fold, uint32_t now)
{
	emit_due(fold, now, 0);
}

uint64_t fold_suppressed(const struct fold *fold)
{
	return fold->suppressed;
}
