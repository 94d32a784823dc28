/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "merge.h"

void merge_start(struct merge *merge, struct ring *const *rings, size_t count)
{
	merge->rings = rings;
	merge->count = count;
	merge->ring = NULL;
	merge->until_ns = 0;
	merge->horizon_ns = 0;
}

uint64_t merge_horizon(struct merge *merge, uint64_t now_ns)
{
	uint64_t horizon_ns = now_ns;
	size_t i;

	for (i = 0; i < merge->count; i++) {
		const uint64_t shown_ns = ring_shown_up_to(merge->rings[i], now_ns);

		if (shown_ns < horizon_ns)
			horizon_ns = shown_ns;
	}
	if (horizon_ns > merge->horizon_ns)
		merge->horizon_ns = horizon_ns;
	return merge->horizon_ns;
}

/* The ring whose oldest slot arrived first; its slots come first until another ring's is due. */
static void choose(struct merge *merge, uint64_t horizon_ns)
{
	uint64_t first_ns = UINT64_MAX, second_ns = UINT64_MAX;
	size_t i;

	merge->ring = NULL;
	for (i = 0; i < merge->count; i++) {
		const struct ring_slot *slot = ring_peek(merge->rings[i]);

		if (slot == NULL)
			continue;
		if (slot->order_ns < first_ns) {
			second_ns = first_ns;
			first_ns = slot->order_ns;
			merge->ring = merge->rings[i];
		} else if (slot->order_ns < second_ns) {
			second_ns = slot->order_ns;
		}
	}
	merge->until_ns = second_ns < horizon_ns ? second_ns : horizon_ns;
	if (first_ns > horizon_ns)
		merge->ring = NULL;
}

const struct ring_slot *merge_next(struct merge *merge, uint64_t horizon_ns)
{
	const struct ring_slot *slot = merge->ring != NULL ? ring_peek(merge->ring) : NULL;

	if (slot == NULL || slot->order_ns > merge->until_ns) {
		choose(merge, horizon_ns);
		if (merge->ring == NULL)
			return NULL;
		slot = ring_peek(merge->ring);
	}
	ring_begin(merge->ring);
	return slot;
}

void merge_release(const struct merge *merge)
{
	size_t i;

	for (i = 0; i < merge->count; i++)
		ring_release(merge->rings[i]);
}
