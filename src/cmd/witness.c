/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <syslog.h>
#include <unistd.h>

#include "../os/clock.h"
#include "../os/kernel.h"
#include "witness.h"

#define LINE_MOST 512

int witness_open(void)
{
	return open(COUNTERS_FILE, O_RDONLY | O_CLOEXEC);
}

void witness_start(struct witness *witness, int netstat)
{
	witness->netstat = netstat;
	if (netstat < 0 || counters_read_open(netstat, &witness->before) == 0)
		return;
	close(netstat);
	witness->netstat = -1;
}

/* The second of a stamp may be told as it turns. */
static bool is_near(uint32_t second, uint32_t other)
{
	return second - other + 1 <= 2;
}

void witness_compare(struct witness_stamps *stamps, const struct panel *panel, const char *profile,
		     const struct metrics_entry *entry, uint32_t now)
{
	struct synpaws_segment syn = { .ip_version = entry->ip_version,
				       .flags = SYNPAWS_SYN,
				       .second = now,
				       .window_scale = -1 };
	struct synpaws_outcome outcome;

	if (!entry->has_stamp || entry->age < 0 || entry->age >= SYNPAWS_PAWS_MSL)
		return;
	memcpy(syn.source, entry->peer, sizeof(syn.source));
	if (entry->has_local)
		memcpy(syn.destination, entry->local, sizeof(syn.destination));
	panel_ask(panel, profile, &syn, &outcome);
	if (!outcome.recorded)
		stamps->unknown++;
	else if (outcome.recorded_tsval == entry->tsval &&
		 is_near(outcome.recorded_at, now - (uint32_t)entry->age))
		stamps->equal++;
	else
		stamps->differing++;
}

struct comparison {
	struct witness_stamps stamps;
	const struct panel *panel;
	const char *profile;
	uint32_t now;
};

static void take_entry(void *context, const struct metrics_entry *entry)
{
	struct comparison *comparison = context;

	witness_compare(&comparison->stamps, comparison->panel, comparison->profile, entry,
			comparison->now);
}

static void write_stamps(const struct panel *panel, const char *profile, bool json, struct log *log)
{
	struct comparison comparison = { .panel = panel,
					 .profile = profile,
					 .now = (uint32_t)(clock_ns(CLOCK_REALTIME) /
							   NS_PER_SECOND) };
	const struct witness_stamps *stamps = &comparison.stamps;
	struct metrics_counts counts;
	char line[LINE_MOST];

	if (metrics_dump(take_entry, &comparison, &counts, line, sizeof(line)) < 0 ||
	    counts.stamped == 0)
		return;
	snprintf(line, sizeof(line),
		 json ? "{\"event\":\"stamps\",\"equal\":%" PRIu64 ",\"differing\":%" PRIu64
			",\"unknown\":%" PRIu64 "}"
		      : "stamps equal=%" PRIu64 " differing=%" PRIu64 " unknown=%" PRIu64,
		 stamps->equal, stamps->differing, stamps->unknown);
	log_record(log, LOG_NOTICE, line);
}

void witness_write(const struct witness *witness, const struct panel *panel, bool json,
		   struct log *log)
{
	struct counters now, since;
	struct utsname system;
	const char *profile;
	char line[LINE_MOST];

	if (witness->netstat < 0 || counters_read_open(witness->netstat, &now) < 0)
		return;
	counters_since(&witness->before, &now, &since);
	profile = uname(&system) == 0 ? kernel_profile(system.release) : NULL;
	if ((json ? counters_json : counters_line)(&since, panel_drop_syns(panel, profile), line,
						   sizeof(line)) > 0)
		log_record(log, LOG_NOTICE, line);
	if (profile != NULL)
		write_stamps(panel, profile, json, log);
}
