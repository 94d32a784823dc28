/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FLOOD_FRAMES_H
#define FLOOD_FRAMES_H

#include <stddef.h>
#include <stdint.h>

#include "../live/wire_common.h"

/* SYNs as Linux sends them, of many peers in random order, each frame made in a few nanoseconds. */

#define FRAME_MAX 128

struct plan {
	struct addresses addresses; /* the source is the first peer's */
	uint32_t peers;
	uint32_t drops; /* in a hundred peers: several clocks behind one address */
	uint32_t dport;
	uint64_t seed;
};

struct frames {
	struct plan plan;
	uint64_t random;
	uint32_t first; /* the last 32 bits of the first peer's address */
	size_t ip, tcp, length;
	uint32_t ip_sum, tcp_sum; /* of what is the same in every frame */
	uint8_t template[FRAME_MAX];
};

/* `ethernet` is the header, but for its type. */
void frames_start(struct frames *frames, const struct plan *plan, const uint8_t *ethernet);

/* Makes the next SYN, sent `ms` milliseconds after the first; its length is frames->length. */
void frames_next(struct frames *frames, uint8_t *frame, uint64_t ms);

#endif
