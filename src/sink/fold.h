/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FOLD_H
#define FOLD_H

#include <stdint.h>

#include "drop.h"

/*
 * Keeps a storm of drops from becoming a storm of lines. The first drop of a source gets a line at
 * once; those that follow within the period fold into one line at its end, which shows the latest
 * and counts the others. Over all sources together at most so many lines a second are written; the
 * drops of lines that are not are counted. So drops = lines + folded + suppressed, exactly.
 */
struct fold;

struct fold_config {
	uint32_t period; /* seconds; 0: every drop gets a line of its own */
	uint32_t rate; /* lines a second, at the most; up to two seconds' worth may come at once */
	uint8_t hash_key[16];
	void (*emit)(void *context, const struct drop *drop);
	void *context;
};

/* NULL with errno ENOMEM. */
struct fold *fold_new(const struct fold_config *config);
void fold_free(struct fold *fold);

/* Take one drop at second `now` of a clock that only goes forward; `folded` in it is ignored. */
void fold_drop(struct fold *fold, const struct drop *drop, uint32_t now);

/* Write the lines that are due. To be called about once a second. */
void fold_tick(struct fold *fold, uint32_t now);

/* Write all that is held back. */
void fold_flush(struct fold *fold, uint32_t now);

/* Drops whose line was not written because there were too many. */
uint64_t fold_suppressed(const struct fold *fold);

#endif
