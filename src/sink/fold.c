/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "../core/siphash.h"
#include "fold.h"

#define SETS	      1024
#define WAYS	      4
#define BURST_SECONDS 2

/* A source that has had a line within the last period. */
struct source {
	uint64_t hash;	/* 0: free */
	uint32_t since; /* second of its last line */
	uint64_t held;	/* drops since then */
	struct drop latest;
};

struct fold {
	struct fold_config config;
	uint64_t tokens; /* lines that may be written now */
	uint32_t filled; /* second up to which tokens were given out */
	uint64_t suppressed;
	struct source sources[SETS][WAYS];
};

struct fold *fold_new(const struct fold_config *config)
{
	struct fold *fold = calloc(1, sizeof(*fold));

	if (fold == NULL)
		return NULL;
	fold->config = *config;
	fold->tokens = (uint64_t)config->rate * BURST_SECONDS;
	return fold;
}

void fold_free(struct fold *fold)
{
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
static void emit_held(struct fold *fold, struct source *source, uint32_t now)
{
	source->latest.folded = source->held - 1;
	source->held = 0;
	source->since = now;
	emit(fold, &source->latest);
}

/* The source with this hash, or the one in its set that is best given up for it. */
static struct source *place(struct fold *fold, uint64_t hash)
{
	struct source *set = fold->sources[hash % SETS], *oldest = set;
	size_t i;

	for (i = 0; i < WAYS; i++) {
		if (set[i].hash == hash)
			return &set[i];
		if (oldest->hash != 0 && (set[i].hash == 0 || set[i].since < oldest->since))
			oldest = &set[i];
	}
	return oldest;
}

void fold_drop(struct fold *fold, const struct drop *drop, uint32_t now)
{
	const size_t address = drop->seg.ip_version == 4 ? 4 : 16;
	uint64_t hash = siphash(fold->config.hash_key, drop->seg.source, address);
	struct source *source;

	hash = hash != 0 ? hash : 1;
	refill(fold, now);
	source = place(fold, hash);
	if (source->hash == hash && now - source->since < fold->config.period) {
		source->latest = *drop;
		source->held++;
		return;
	}
	if (source->held > 0)
		emit_held(fold, source, now);
	source->hash = hash;
	source->since = now;
	source->latest = *drop;
	source->latest.folded = 0;
	emit(fold, &source->latest);
}

static void emit_due(struct fold *fold, uint32_t now, uint32_t period)
{
	struct source *source = fold->sources[0];
	size_t i;

	refill(fold, now);
	for (i = 0; i < SETS * WAYS; i++, source++) {
		if (source->held > 0 && now - source->since >= period)
			emit_held(fold, source, now);
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
