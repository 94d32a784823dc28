/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Small scenarios whose instructions tests/bench/check counts with callgrind: everything in them is
 * given, so the counts repeat exactly. Only what core_counted() calls is counted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core_load.h"
#include "core_report.h"

#define SEED  20260101U
#define PEERS 10000U
#define FLOWS 1000U

/* Conversations of each flow that are counted */
#define TALKS 3U

#define PACKETS	     16U
#define DECODE_TIMES 2000U

struct scenario {
	const char *name, *profile;
	enum synpaws_evidence evidence;
	uint8_t ip_version;
	bool batch, decode;
};

/* 2.6.32 keys by the peer alone and takes ts_recent early; 4.x ends TIME_WAIT by exact timers. */
static const struct scenario scenarios[] = {
	{ "decode-ipv4", "el7", SYNPAWS_EVIDENCE_SYN, 4, false, true },
	{ "decode-ipv6", "el7", SYNPAWS_EVIDENCE_SYN, 6, false, true },
	{ "syn-el7", "el7", SYNPAWS_EVIDENCE_SYN, 4, false, false },
	{ "syn-el7-batch", "el7", SYNPAWS_EVIDENCE_SYN, 4, true, false },
	{ "syn-el7-ipv6", "el7", SYNPAWS_EVIDENCE_SYN, 6, false, false },
	{ "syn-el7-ipv6-batch", "el7", SYNPAWS_EVIDENCE_SYN, 6, true, false },
	{ "syn-2.6.32", "2.6.32", SYNPAWS_EVIDENCE_SYN, 4, false, false },
	{ "close-el7", "el7", SYNPAWS_EVIDENCE_CLOSE, 4, false, false },
	{ "close-el7-batch", "el7", SYNPAWS_EVIDENCE_CLOSE, 4, true, false },
	{ "close-2.6.32", "2.6.32", SYNPAWS_EVIDENCE_CLOSE, 4, false, false },
	{ "answer-el7", "el7", SYNPAWS_EVIDENCE_ANSWER, 4, false, false },
	{ "full-el7", "el7", SYNPAWS_EVIDENCE_FULL, 4, false, false },
	{ "full-4.x-ipv6", "4.x", SYNPAWS_EVIDENCE_FULL, 6, false, false },
};

static uint8_t packets[PACKETS][CORE_PACKET_MOST];
static size_t packet_length;

static void take_packets(void *context, const struct synpaws_segment *segs, size_t count)
{
	size_t i;

	(void)segs;
	for (i = 0; i < count; i++) {
		if (synpaws_segment_decode(context, packets[i % PACKETS], packet_length,
					   packet_length, 0) != SYNPAWS_DECODE_OK)
			abort();
	}
}

/* callgrind knows it by this name. */
void core_counted(core_take *take, void *taker, const struct synpaws_segment *segs, size_t count)
	__attribute__((noinline));

void core_counted(core_take *take, void *taker, const struct synpaws_segment *segs, size_t count)
{
	take(taker, segs, count);
	__asm__ volatile("" : : : "memory"); /* no tail call: what is called is inside */
}

static struct synpaws_segment *segments(core_fill *fill, void *filler, size_t count)
{
	struct synpaws_segment *segs = calloc(count, sizeof(*segs));

	if (segs == NULL) {
		perror("core");
		exit(2);
	}
	fill(filler, segs, count);
	return segs;
}

static void require(const struct scenario *scenario, bool holds)
{
	if (holds)
		return;
	fprintf(stderr, "core: %s does not happen as it is meant\n", scenario->name);
	exit(2);
}

static size_t count_decode(const struct scenario *scenario)
{
	struct synpaws_segment seg;
	size_t i;

	for (i = 0; i < PACKETS; i++)
		packet_length = core_packet(packets[i], scenario->ip_version, i);
	core_counted(take_packets, &seg, NULL, DECODE_TIMES);
	return DECODE_TIMES;
}

/* Peers that are known already, and then once more; one SYN in four is too old. */
static size_t count_syns(const struct scenario *scenario)
{
	struct core_syns syns = core_syns_of(PEERS, scenario->ip_version, SEED);
	struct synpaws_mirror *mirror =
		core_mirror(synpaws_profile_find(scenario->profile), scenario->evidence, PEERS, 0);
	struct synpaws_segment *segs;
	struct core_outcomes outcomes;

	syns.drop_every = 4;
	segs = segments(core_syns_fill, &syns, (size_t)2 * PEERS);
	core_take_single(mirror, segs, PEERS);
	core_outcomes();
	core_counted(scenario->batch ? core_take_batch : core_take_single, mirror, segs + PEERS,
		     PEERS);
	outcomes = core_outcomes();
	require(scenario, outcomes.fates[SYNPAWS_FATE_PAWS_DROP] == PEERS / 4);
	require(scenario, outcomes.fates[SYNPAWS_FATE_PASS] == PEERS - PEERS / 4);
	synpaws_mirror_free(mirror);
	free(segs);
	return PEERS;
}

static size_t count_talks(const struct scenario *scenario)
{
	struct core_talks talks =
		core_talks_of(FLOWS, scenario->ip_version, scenario->evidence, SEED);
	struct synpaws_mirror *mirror = core_mirror(synpaws_profile_find(scenario->profile),
						    scenario->evidence, FLOWS, (size_t)2 * FLOWS);
	const size_t count = (size_t)TALKS * FLOWS * talks.steps;
	struct synpaws_segment *segs;
	struct synpaws_mirror_stats stats;
	uint64_t records;

	core_talks_begin(&talks, mirror);
	segs = segments(core_talks_fill, &talks, count);
	synpaws_mirror_stats(mirror, &stats);
	records = stats.records;
	core_counted(scenario->batch ? core_take_batch : core_take_single, mirror, segs, count);
	synpaws_mirror_stats(mirror, &stats);
	require(scenario, stats.records - records >= 2 * TALKS * FLOWS && stats.flows >= FLOWS);
	synpaws_mirror_free(mirror);
	free(segs);
	return count;
}

int core_count(const char *name)
{
	bool found = false;
	size_t i;

	for (i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
		const struct scenario *scenario = &scenarios[i];
		size_t count;

		if (name != NULL && strcmp(scenario->name, name) != 0)
			continue;
		found = true;
		if (scenario->decode)
			count = count_decode(scenario);
		else if (scenario->evidence == SYNPAWS_EVIDENCE_SYN)
			count = count_syns(scenario);
		else
			count = count_talks(scenario);
		printf("%s %zu\n", scenario->name, count);
	}
	return found && fflush(stdout) == 0 ? 0 : 2;
}
