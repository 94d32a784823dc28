/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * judge: what clocks_judge() makes of each source of a capture. Reads the lines of `synpaws replay
 * --each` of one profile, and prints a line for each source:
 *
 *	192.0.2.1 why=several-clocks sure=yes machines=2 samples=200 drops=80 clocks=2 hz=1000,250
 *
 * It judges the first SYNs of a source, as many as the daemon keeps. A connection is its ports and
 * addresses here, so one whose port is used again counts as the same.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Tools link nothing of the program. */
#include "../../src/report/clocks.c"
#include "../../src/report/slopes.c"
#include "../../src/report/tracks.c"

#define SOURCES	 64
#define LINE_MAX 2048

struct source {
	char address[64];
	struct clocks_sample samples[CLOCKS_SAMPLES];
	size_t count;
};

static struct source sources[SOURCES];

static struct source *source_of(const char *address)
{
	struct source *source = sources;

	while (source->count > 0 && strcmp(source->address, address) != 0) {
		if (++source == sources + SOURCES)
			exit(1);
	}
	snprintf(source->address, sizeof(source->address), "%s", address);
	return source;
}

/* FNV-1a */
static uint64_t hash(uint64_t seed, const char *text)
{
	uint64_t value = seed ^ 0xcbf29ce484222325ULL;

	while (*text != '\0')
		value = (value ^ (uint8_t)*text++) * 0x100000001b3ULL;
	return value;
}

/* A number of a line; false if it is null or not there. */
static bool number(const char *line, const char *name, uint32_t *value)
{
	const char *at = strstr(line, name);

	return at != NULL && sscanf(at + strlen(name), "%" SCNu32, value) == 1;
}

static bool read_sample(const char *line, char source[64], struct clocks_sample *sample)
{
	uint64_t second;
	uint32_t ns;
	unsigned int port, to_port;
	char to[64];

	memset(sample, 0, sizeof(*sample));
	if (sscanf(line,
		   "{\"time\":%" SCNu64 ".%" SCNu32 ",\"src\":\"%63[^\"]\",\"sport\":%u,"
		   "\"dst\":\"%63[^\"]\",\"dport\":%u",
		   &second, &ns, source, &port, to, &to_port) != 6)
		return false;
	sample->time_ns = second * 1000000000ULL + ns;
	sample->source_port = (uint16_t)port;
	sample->host = hash(0, to);
	sample->connection = hash((uint64_t)port << 32 | to_port, to);
	sample->has_timestamp = number(line, "\"tsval\":", &sample->tsval);
	sample->dropped = strstr(line, "\"fate\":\"paws-drop\"") != NULL;
	sample->recorded = number(line, "\"recorded_tsval\":", &sample->recorded_tsval) &&
			   number(line, "\"recorded_at\":", &sample->recorded_at);
	return true;
}

static void report(const struct source *source)
{
	struct clocks_verdict verdict;
	size_t drops = 0, i;

	for (i = 0; i < source->count; i++)
		drops += source->samples[i].dropped;
	clocks_judge(source->samples, source->count, &verdict);
	printf("%s why=%s sure=%s machines=%zu samples=%zu drops=%zu clocks=%zu hz=",
	       source->address, clocks_why_name(verdict.why), verdict.sure ? "yes" : "no",
	       verdict.machines, source->count, drops, verdict.clock_count);
	for (i = 0; i < verdict.clock_count; i++)
		printf("%s%g", i > 0 ? "," : "", verdict.clocks[i].hz);
	puts("");
}

int main(void)
{
	char line[LINE_MAX], address[64];
	struct clocks_sample sample;
	size_t i;

	while (fgets(line, sizeof(line), stdin) != NULL) {
		struct source *source;

		if (!read_sample(line, address, &sample))
			continue;
		source = source_of(address);
		if (source->count < CLOCKS_SAMPLES)
			source->samples[source->count++] = sample;
	}
	for (i = 0; i < SOURCES && sources[i].count > 0; i++)
		report(&sources[i]);
	return i == 0;
}
