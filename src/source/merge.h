/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef MERGE_H
#define MERGE_H

#include <stddef.h>
#include <stdint.h>

#include "ring.h"

/*
 * Takes the slots of several rings in order of arrival. One ring is a case of it that costs
 * nothing.
 */
struct merge {
	struct ring *const *rings;
	size_t count;
	struct ring *ring; /* the one that slots come from now, */
	uint64_t until_ns; /* as long as they are not later */
	uint64_t horizon_ns;
};

void merge_start(struct merge *merge, struct ring *const *rings, size_t count);

/*
 * Up to which arrival every slot is there to be taken: `now_ns`, which the monotonic clock has just
 * shown, or earlier if a receiver holds a batch that it has not shown yet. Never goes back.
 */
uint64_t merge_horizon(struct merge *merge, uint64_t now_ns);

/*
 * The next slot, marked as begun; NULL if none has arrived up to `horizon_ns`, a merge_horizon() or
 * UINT64_MAX at the end. It stays valid until merge_release().
 */
const struct ring_slot *merge_next(struct merge *merge, uint64_t horizon_ns);

/* Hand all slots begun back to the receivers. */
void merge_release(const struct merge *merge);

#endif
