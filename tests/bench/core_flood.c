/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core_load.h"
#include "core_report.h"

#define PEERS	     1000000U
#define REP_SEGMENTS (1U << 20)

/*
 * Addresses that somebody would send who knows the hash and hopes that it has no key: all those of
 * one bucket of 4096 in IPv4, where there are no more, and of 65536 in IPv6.
 */
static unsigned int bits_of(uint8_t ip_version)
{
	return ip_version == 4 ? 12 : 16;
}

static void make_random(uint8_t (*address)[16], uint8_t ip_version)
{
	size_t i;

	for (i = 0; i < PEERS; i++)
		core_address(ip_version, i, address[i]);
}

/* The last bits of the address, as a plain modulo takes them. */
static void make_modulo(uint8_t (*address)[16], uint8_t ip_version)
{
	const size_t width = ip_version == 4 ? 4 : 16;
	size_t i;

	for (i = 0; i < PEERS; i++) {
		const uint64_t rest = (uint64_t)i << bits_of(ip_version);
		size_t at;

		memset(address[i], 0, 16);
		for (at = 0; at < width && at < 8; at++)
			address[i][width - 1 - at] = (uint8_t)(rest >> 8 * at);
	}
}

#define FNV_START 0x811c9dc5U
#define FNV_PRIME 0x01000193U

static uint32_t fnv(uint32_t hash, const uint8_t *bytes, size_t length)
{
	size_t i;

	for (i = 0; i < length; i++)
		hash = (hash ^ bytes[i]) * FNV_PRIME;
	return hash;
}

/* FNV-1a ends in zeros: the last byte sees to eight of the bits, and chance to the others. */
static void make_fnv(uint8_t (*address)[16], uint8_t ip_version)
{
	const size_t width = ip_version == 4 ? 4 : 16;
	const uint32_t mask = (1U << bits_of(ip_version)) - 1;
	uint32_t number = 0;
	size_t i = 0;

	while (i < PEERS) {
		uint8_t *is = address[i];
		uint32_t hash;

		memset(is, 0, 16);
		is[width - 2] = (uint8_t)number;
		is[width - 3] = (uint8_t)(number >> 8);
		is[width - 4] = (uint8_t)(number >> 16);
		if (ip_version == 6)
			is[width - 5] = (uint8_t)(number >> 24);
		number++;
		hash = fnv(FNV_START, is, width - 1);
		is[width - 1] = (uint8_t)hash;
		i += (fnv(FNV_START, is, width) & mask) == 0;
	}
}

static struct core_times measure(const struct core_wish *wish, uint8_t (*address)[16])
{
	struct core_syns syns = core_syns_of(PEERS, wish->ip_version, wish->seed);
	struct synpaws_mirror *mirror = core_mirror(wish->profile, SYNPAWS_EVIDENCE_SYN, PEERS, 0);
	const struct core_job job = {
		.fill = core_syns_fill,
		.filler = &syns,
		.take = { core_take_single },
		.taker = mirror,
		.segments = REP_SEGMENTS,
		.reps = wish->reps,
	};
	struct synpaws_mirror_stats stats;
	struct synpaws_segment seg;
	struct core_times times[2];
	size_t i;

	syns.addresses = address[0];
	for (i = 0; i < PEERS; i++) {
		core_syns_fill(&syns, &seg, 1);
		synpaws_mirror_take(mirror, &seg);
	}
	core_time(&job, times);
	synpaws_mirror_stats(mirror, &stats);
	synpaws_mirror_free(mirror);
	if (stats.evicted > 100)
		core_report_note("%llu stamps evicted", (unsigned long long)stats.evicted);
	return times[0];
}

void core_flood(const struct core_wish *wish)
{
	static const struct {
		const char *what, *title;
		void (*make)(uint8_t (*address)[16], uint8_t ip_version);
	} sets[] = {
		{ "flood-random", "SYN, random addresses from a list", make_random },
		{ "flood-modulo", "SYN, addresses ending alike", make_modulo },
		{ "flood-fnv", "SYN, addresses alike by FNV-1a", make_fnv },
	};
	uint8_t(*address)[16] = malloc(PEERS * sizeof(*address));
	double random = 0;
	size_t i;

	if (address == NULL) {
		perror("core: flood");
		exit(2);
	}
	for (i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		struct core_row row = { .what = sets[i].what,
					.title = sets[i].title,
					.ip_version = wish->ip_version,
					.count = PEERS };

		sets[i].make(address, wish->ip_version);
		row.ns = measure(wish, address);
		core_report_row(wish, &row);
		if (i == 0)
			random = row.ns.least;
		else
			core_report_note("%38s %11s %8.2f times random ones, the least of each", "",
					 "", row.ns.least / random);
	}
	free(address);
}
