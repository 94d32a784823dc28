/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SAVE_STREAMS_H
#define SAVE_STREAMS_H

/* What the tests of save.c share: mirrors saved to memory, and random streams for them. */

#include <synpaws/mirror.h>

#include "unit.h"

#define STREAM	   60000 /* segments, and so outcomes, at the most */
#define WALL_AHEAD 1795357599000000000ULL

struct bytes {
	uint8_t *at;
	size_t size, room, read;
	size_t fail_at; /* put() fails when it would get longer */
};

static inline bool put(void *context, const void *bytes, size_t size)
{
	struct bytes *to = context;

	if (to->size + size > to->fail_at)
		return false;
	if (to->size + size > to->room) {
		to->room = 2 * to->room + size;
		to->at = realloc(to->at, to->room);
		assert_non_null(to->at);
	}
	memcpy(to->at + to->size, bytes, size);
	to->size += size;
	return true;
}

static inline bool get(void *context, void *bytes, size_t size)
{
	struct bytes *from = context;

	if (size > from->size - from->read)
		return false;
	memcpy(bytes, from->at + from->read, size);
	from->read += size;
	return true;
}

static inline struct bytes saved(const struct synpaws_mirror *mirror)
{
	struct bytes bytes = { .fail_at = SIZE_MAX };

	assert_true(synpaws_mirror_save(mirror, put, &bytes));
	return bytes;
}

static inline enum synpaws_loaded load(struct synpaws_mirror *mirror, struct bytes *bytes)
{
	bytes->read = 0;
	return synpaws_mirror_load(mirror, get, bytes, SYNPAWS_CARRY_ALL);
}

/* Outcomes in their order. */
struct answers {
	size_t count;
	struct {
		struct synpaws_segment syn;
		struct synpaws_outcome outcome;
	} at[STREAM];
};

static struct answers whole;
static struct synpaws_segment stream[STREAM];

static inline void keep(void *context, const struct synpaws_segment *syn,
			const struct synpaws_outcome *outcome)
{
	struct answers *answers = context;

	assert_true(outcome->fate > SYNPAWS_FATE_NONE && outcome->fate < SYNPAWS_FATE_KINDS);
	assert_true(answers->count < STREAM);
	answers->at[answers->count].syn = *syn;
	answers->at[answers->count++].outcome = *outcome;
}

static inline struct synpaws_mirror *make(struct synpaws_mirror_config config,
					  struct answers *answers, uint64_t *dice)
{
	struct synpaws_mirror *mirror;
	size_t i;

	config.emit = keep;
	config.context = answers;
	for (i = 0; i < sizeof(config.hash_key); i++)
		config.hash_key[i] = (uint8_t)unit_random(dice);
	mirror = synpaws_mirror_new(&config);
	assert_non_null(mirror);
	return mirror;
}

/* A segment between few ends, with numbers near each other. */
static inline void next_segment(uint64_t *dice, struct synpaws_segment *seg, uint64_t *now_ns)
{
	static const uint64_t waits[] = { 0,	    1000000,   1000000,	   1000000,    90000000,
					  90000000, 700000000, 2000000000, 61000000000 };
	const uint8_t peer = (uint8_t)(2 + unit_below(dice, 40));
	const uint16_t port = (uint16_t)(1000 + unit_below(dice, 3));
	static const uint8_t flags[] = { 0x02, 0x02, 0x12, 0x10, 0x10, 0x11, 0x11, 0x14, 0x04 };
	const bool from_host = unit_below(dice, 2) == 0;

	memset(seg, 0, sizeof(*seg));
	*now_ns += waits[unit_below(dice, unit_below(dice, 8) == 0 ? COUNT(waits) : 4)];
	seg->order_ns = *now_ns;
	seg->time_ns = *now_ns + WALL_AHEAD;
	seg->second = (uint32_t)(seg->time_ns / 1000000000ULL);
	seg->forwarded = unit_below(dice, 4) == 0;
	seg->ip_version = peer % 2 == 0 ? 4 : 6;
	seg->source[3] = from_host ? 1 : peer;
	seg->destination[3] = from_host ? peer : 1;
	seg->source_port = from_host ? 80 : port;
	seg->destination_port = from_host ? port : 80;
	seg->flags = flags[unit_below(dice, COUNT(flags))];
	seg->has_timestamp = unit_below(dice, 4) != 0;
	seg->seq = unit_below(dice, 8);
	seg->ack = unit_below(dice, 8);
	seg->payload = unit_below(dice, 8) == 0;
	seg->window = 5;
	seg->window_scale = (int8_t)(unit_below(dice, 16) - 1);
	seg->tsval = seg->has_timestamp ? unit_below(dice, 256) : 0;
	seg->tsecr = seg->has_timestamp ? unit_below(dice, 256) : 0;
	seg->ip_id = (uint16_t)unit_below(dice, 64);
}

static inline void make_stream(uint64_t *dice, size_t count)
{
	uint64_t now_ns = 1;
	size_t i;

	for (i = 0; i < count; i++)
		next_segment(dice, &stream[i], &now_ns);
}

static const struct synpaws_prefix hosts[] = { { 4, 32, { 0, 0, 0, 1 } },
					       { 6, 128, { 0, 0, 0, 1 } } };

static inline struct synpaws_mirror_config random_config(uint64_t *dice,
							 enum synpaws_evidence evidence)
{
	struct synpaws_mirror_config config = { .profile = synpaws_profile_at(unit_below(dice, 7)),
						.evidence = evidence,
						.peers = 4 + unit_below(dice, 30),
						.flows = 2 + unit_below(dice, 60),
						.hosts = hosts,
						.host_count = COUNT(hosts),
						.sysctls = synpaws_sysctls_default };

	config.sysctls.tcp_fin_timeout = unit_below(dice, 2) != 0 ? 90 : 60;
	config.sysctls.tcp_tw_recycle = (int8_t)(unit_below(dice, 3) - 1);
	return config;
}

static uint64_t seed;

#endif
