/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the mirror itself costs, without a kernel: nanoseconds a segment and bytes a peer, for up to
 * ten million peers and flows in random order. `core --help` tells the options.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core_load.h"
#include "core_report.h"

#define REP_SEGMENTS (1U << 20)

/* The mirror is meant to stay within these. */
static double target_of(uint64_t peers)
{
	return peers == 1000000 ? 60 : peers == 10000000 ? 120 : 0;
}

static void check(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "core: not measured what was meant: %s\n", what);
	exit(2);
}

/* All peers known, and all SYNs pass. */
static void measure_syns(const struct core_wish *wish, uint64_t peers)
{
	struct core_syns syns = core_syns_of(peers, wish->ip_version, wish->seed);
	struct synpaws_mirror *mirror = core_mirror(wish->profile, SYNPAWS_EVIDENCE_SYN, peers, 0);
	const struct core_job job = {
		.fill = core_syns_fill,
		.filler = &syns,
		.take = { core_take_single, core_take_batch },
		.taker = mirror,
		.segments = REP_SEGMENTS,
		.reps = wish->reps,
	};
	struct core_times times[2];
	struct synpaws_mirror_stats stats;
	struct synpaws_segment seg;
	uint64_t i;

	for (i = 0; i < peers; i++) {
		core_syns_fill(&syns, &seg, 1);
		synpaws_mirror_take(mirror, &seg);
	}
	core_time(&job, times);
	synpaws_mirror_stats(mirror, &stats);
	synpaws_mirror_free(mirror);
	check(core_outcomes().fates[SYNPAWS_FATE_PASS] == syns.next, "SYNs that do not pass");
	check(stats.peers + stats.peers / 10000 >= peers, "peers that are not known");
	core_report_row(wish, &(struct core_row){ "syn", "SYN, known peers", wish->ip_version,
						  peers, times[0],
						  (double)stats.bytes / (double)stats.room, 0 });
	core_report_row(wish, &(struct core_row){ "syn-batch", "SYN, known peers, batches of 64",
						  wish->ip_version, peers, times[1],
						  (double)stats.bytes / (double)stats.room,
						  target_of(peers) });
}

/* Bytes of what is there for flows alone. */
static double flow_bytes(const struct core_wish *wish, const struct synpaws_mirror *mirror,
			 uint64_t flows)
{
	struct synpaws_mirror *alone = core_mirror(wish->profile, SYNPAWS_EVIDENCE_SYN, flows, 0);
	struct synpaws_mirror_stats with, without;

	synpaws_mirror_stats(mirror, &with);
	synpaws_mirror_stats(alone, &without);
	synpaws_mirror_free(alone);
	return (double)(with.bytes - without.bytes) / (double)flows;
}

/* What one may have, by MemAvailable. */
static double memory_free(void)
{
	FILE *file = fopen("/proc/meminfo", "r");
	unsigned long long kb = 0;
	char line[128];

	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		if (sscanf(line, "MemAvailable: %llu", &kb) == 1)
			break;
	}
	if (file != NULL)
		fclose(file);
	return (double)kb * 1024;
}

/* False if there is no memory for it. */
static bool measure_talks(const struct core_wish *wish, uint64_t flows)
{
	static double bytes_each; /* as it was with fewer */
	struct core_talks talks =
		core_talks_of(flows, wish->ip_version, SYNPAWS_EVIDENCE_CLOSE, wish->seed);
	struct core_job job = {
		.fill = core_talks_fill,
		.filler = &talks,
		.take = { core_take_single, core_take_batch },
		.segments = REP_SEGMENTS,
		.reps = wish->reps,
	};
	struct synpaws_mirror_stats before, stats;
	struct synpaws_mirror *mirror;
	struct core_times times[2];

	if (1.3 * bytes_each * (double)flows > memory_free()) {
		core_report_note("flows: no memory for %.0f MB", bytes_each * (double)flows / 1e6);
		return false;
	}
	mirror = core_mirror(wish->profile, SYNPAWS_EVIDENCE_CLOSE, flows, flows);
	bytes_each = flow_bytes(wish, mirror, flows);
	job.taker = mirror;
	core_talks_begin(&talks, mirror);
	synpaws_mirror_stats(mirror, &before);
	core_time(&job, times);
	synpaws_mirror_flush(mirror);
	synpaws_mirror_stats(mirror, &stats);
	synpaws_mirror_free(mirror);
	check(stats.flows + stats.flows / 100 >= flows, "flows that are not live");
	check(stats.records - before.records > (stats.syns - before.syns) * 3 / 2,
	      "closings that are not recorded");
	check(stats.unsettled == 0, "outcomes that cannot wait");
	core_report_row(wish,
			&(struct core_row){ "close", "segment of a flow, evidence close",
					    wish->ip_version, flows, times[0], bytes_each, 0 });
	core_report_row(wish,
			&(struct core_row){ "close-batch", "the same, batches of 64",
					    wish->ip_version, flows, times[1], bytes_each, 0 });
	return true;
}

#define PACKETS 64

static uint8_t packets[PACKETS][CORE_PACKET_MOST];
static size_t packet_length;

static void fill_nothing(void *context, struct synpaws_segment *block, size_t count)
{
	(void)context;
	(void)block;
	(void)count;
}

static void take_packets(void *context, const struct synpaws_segment *block, size_t count)
{
	struct synpaws_segment *seg = context;
	size_t i;

	(void)block;
	for (i = 0; i < count; i++)
		check(synpaws_segment_decode(seg, packets[i % PACKETS], packet_length,
					     packet_length, 0) == SYNPAWS_DECODE_OK,
		      "packets that are no TCP");
}

static void measure_decode(const struct core_wish *wish, uint8_t ip_version)
{
	struct synpaws_segment seg;
	const struct core_job job = {
		.fill = fill_nothing,
		.take = { take_packets },
		.taker = &seg,
		.segments = REP_SEGMENTS,
		.reps = wish->reps,
	};
	struct core_times times[2];
	uint64_t i;

	for (i = 0; i < PACKETS; i++)
		packet_length = core_packet(packets[i], ip_version, i);
	core_time(&job, times);
	core_report_row(wish,
			&(struct core_row){ "decode",
					    ip_version == 4 ? "decode a SYN of 60 bytes, IPv4"
							    : "decode a SYN of 80 bytes, IPv6",
					    ip_version, 0, times[0], 0, 0 });
}

static bool wished(const struct core_wish *wish, const char *what)
{
	return wish->only == NULL || strcmp(wish->only, what) == 0;
}

static void measure(const struct core_wish *wish)
{
	uint64_t number;

	if (wished(wish, "decode")) {
		measure_decode(wish, 4);
		measure_decode(wish, 6);
	}
	for (number = 1000; wished(wish, "syn") && number <= wish->most; number *= 10)
		measure_syns(wish, number);
	for (number = 1000; wished(wish, "close") && number <= wish->most; number *= 10) {
		if (!measure_talks(wish, number))
			break;
	}
	if (wished(wish, "flood"))
		core_flood(wish);
}

static void usage(FILE *out)
{
	fputs("Usage: core [--ipv6] [--profile NAME] [--most NUMBER] [--reps NUMBER]\n"
	      "            [--only decode|syn|close|flood] [--tsv FILE] [--seed NUMBER]\n"
	      "       core --count [SCENARIO]\n",
	      out);
}

/* False: what to do is not known. */
static bool read_options(struct core_wish *wish, int argc, char **argv)
{
	static const struct option options[] = {
		{ "ipv6", no_argument, NULL, '6' },
		{ "profile", required_argument, NULL, 'p' },
		{ "most", required_argument, NULL, 'm' },
		{ "reps", required_argument, NULL, 'r' },
		{ "only", required_argument, NULL, 'o' },
		{ "tsv", required_argument, NULL, 't' },
		{ "seed", required_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == '6')
			wish->ip_version = 6;
		else if (option == 'p')
			wish->profile = synpaws_profile_find(optarg);
		else if (option == 'm')
			wish->most = (uint64_t)strtod(optarg, NULL);
		else if (option == 'r')
			wish->reps = (unsigned int)strtoul(optarg, NULL, 10);
		else if (option == 'o')
			wish->only = optarg;
		else if (option == 't')
			wish->tsv = optarg;
		else if (option == 's')
			wish->seed = strtoull(optarg, NULL, 0);
		else
			return false;
	}
	return wish->profile != NULL && optind == argc && wish->reps > 0 &&
	       wish->reps <= CORE_REPS_MOST;
}

int main(int argc, char **argv)
{
	struct core_wish wish = {
		.profile = synpaws_profile_find("el7"),
		.ip_version = 4,
		.reps = CORE_REPS,
		.most = 10000000,
		.seed = 1,
	};

	if (argc > 1 && strcmp(argv[1], "--help") == 0) {
		usage(stdout);
		return 0;
	}
	if (argc > 1 && strcmp(argv[1], "--count") == 0)
		return core_count(argc > 2 ? argv[2] : NULL);
	if (!read_options(&wish, argc, argv)) {
		usage(stderr);
		return 2;
	}
	if (!core_report_begin(&wish))
		return 1;
	measure(&wish);
	return core_report_end() ? 0 : 1;
}
