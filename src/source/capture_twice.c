/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "../core/siphash.h"
#include "capture_twice.h"

#define SIGHTS 16384

struct sight {
	uint64_t hash;
	uint64_t where;
	uint64_t time_ns; /* 0: free */
};

struct capture_twice {
	uint8_t key[16];
	struct sight sights[SIGHTS];
};

struct capture_twice *capture_twice_new(const uint8_t hash_key[16])
{
	struct capture_twice *twice = calloc(1, sizeof(*twice));

	if (twice != NULL)
		memcpy(twice->key, hash_key, sizeof(twice->key));
	return twice;
}

void capture_twice_free(struct capture_twice *twice)
{
	free(twice);
}

/* All that a packet keeps on its way. */
static uint64_t name(const struct capture_twice *twice, const struct synpaws_segment *seg)
{
	struct {
		uint8_t source[16], destination[16];
		uint32_t seq, ack, payload, tsval, tsecr;
		uint16_t source_port, destination_port, window, ip_id;
		uint8_t ip_version, flags, has_timestamp, filler;
	} all;

	memset(&all, 0, sizeof(all));
	memcpy(all.source, seg->source, sizeof(all.source));
	memcpy(all.destination, seg->destination, sizeof(all.destination));
	all.seq = seg->seq;
	all.ack = seg->ack;
	all.payload = seg->payload;
	all.tsval = seg->tsval;
	all.tsecr = seg->tsecr;
	all.source_port = seg->source_port;
	all.destination_port = seg->destination_port;
	all.window = seg->window;
	all.ip_id = seg->ip_id;
	all.ip_version = seg->ip_version;
	all.flags = seg->flags;
	all.has_timestamp = seg->has_timestamp;
	return siphash(twice->key, &all, sizeof(all));
}

static uint64_t between(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

bool capture_twice_seen(struct capture_twice *twice, const struct synpaws_segment *seg,
			uint64_t where)
{
	const uint64_t hash = name(twice, seg);
	struct sight *sight = &twice->sights[hash % SIGHTS];

	if (sight->time_ns != 0 && sight->hash == hash && sight->where != where &&
	    between(sight->time_ns, seg->time_ns) <= CAPTURE_TWICE_NS)
		return true;
	sight->hash = hash;
	sight->where = where;
	sight->time_ns = seg->time_ns;
	return false;
}
