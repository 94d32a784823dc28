/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "../os/clock.h"
#include "format.h"
#include "plot_time.h"

#define MS 1000000ULL

/* In milliseconds, up to a week. */
static const uint64_t steps[] = { 100,	    200,      500,	1000,	   2000,     5000,
				  10000,    15000,    30000,	60000,	   120000,   300000,
				  600000,   900000,   1800000,	3600000,   7200000,  10800000,
				  21600000, 43200000, 86400000, 172800000, 604800000 };

#define STEPS (sizeof(steps) / sizeof(steps[0]))

uint64_t plot_time_step(uint64_t span_ns, unsigned int marks)
{
	uint64_t step;
	size_t i;

	for (i = 0; i < STEPS; i++) {
		if (span_ns / (steps[i] * MS) < marks)
			return steps[i] * MS;
	}
	step = steps[STEPS - 1] * MS;
	return step * (1 + span_ns / step / marks);
}

const char *plot_time_minute(const struct report *report, char text[64])
{
	if (report->minute_seconds == 60)
		return strcpy(text, "minute");
	return format_duration(report->minute_seconds * NS_PER_SECOND, text);
}

uint64_t plot_time_first(uint64_t from_ns, uint64_t step_ns)
{
	return (from_ns + step_ns - 1) / step_ns * step_ns;
}

const char *plot_time_text(uint64_t ns, uint64_t step_ns, bool dated, char text[64])
{
	const time_t seconds = (time_t)(ns / NS_PER_SECOND);
	size_t length;
	struct tm tm;

	memset(&tm, 0, sizeof(tm));
	gmtime_r(&seconds, &tm);
	length = strftime(text, 64, dated ? "%m-%d %H:%M" : "%H:%M", &tm);
	if (step_ns % (60 * NS_PER_SECOND) != 0)
		length += strftime(text + length, 64 - length, ":%S", &tm);
	if (step_ns % NS_PER_SECOND != 0)
		snprintf(text + length, 64 - length, ".%u",
			 (unsigned int)(ns % NS_PER_SECOND / (100 * MS)));
	return text;
}

/* How long a slot has to be; a multiple of the report's minutes where there is such a step. */
static uint64_t slot_length(const struct report *report, size_t most)
{
	const uint64_t minute = report->minute_seconds * NS_PER_SECOND;
	const struct report_minute *last = &report->minutes[report->minute_count - 1];
	const uint64_t span = last->start_ns + minute - report->minutes[0].start_ns;
	size_t i;

	for (i = 0; i < STEPS; i++) {
		const uint64_t step = steps[i] * MS;

		if (step >= minute && step % minute == 0 && span / step + 2 <= most)
			return step;
	}
	return minute * (span / minute / (most - 1) + 1);
}

static void add(struct slots *slots, const struct report_minute *minute)
{
	const uint64_t offset = minute->start_ns - slots->slot[0].start_ns;
	struct report_minute *slot;

	if (minute->start_ns < slots->slot[0].start_ns || offset / slots->slot_ns >= slots->count)
		return;
	slot = &slots->slot[offset / slots->slot_ns];
	slot->syns += minute->syns;
	slot->drop_syns += minute->drop_syns;
	slot->drop_connections += minute->drop_connections;
	if (slot->syns > slots->most_syns)
		slots->most_syns = slot->syns;
	if (slot->drop_syns > slots->most_drops)
		slots->most_drops = slot->drop_syns;
}

void slots_make(struct slots *slots, const struct report *report, size_t most)
{
	uint64_t start;
	size_t i;

	memset(slots, 0, sizeof(*slots));
	if (report->minute_count == 0 || report->minute_seconds == 0)
		return;
	slots->slot_ns = slot_length(report, most);
	start = report->minutes[0].start_ns / slots->slot_ns * slots->slot_ns;
	slots->count = (size_t)((report->minutes[report->minute_count - 1].start_ns - start) /
				slots->slot_ns) +
		       1;
	if (slots->count > most)
		slots->count = most;
	for (i = 0; i < slots->count; i++)
		slots->slot[i].start_ns = start + i * slots->slot_ns;
	for (i = 0; i < report->minute_count; i++)
		add(slots, &report->minutes[i]);
	slots->worst = slots->count;
	if (report->worst_minute < report->minute_count)
		slots->worst = (size_t)((report->minutes[report->worst_minute].start_ns - start) /
					slots->slot_ns);
}
