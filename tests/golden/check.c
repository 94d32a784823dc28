/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check: hold decoder and check against what real kernels did.
 *
 * usage: check PROFILE DIRECTORY TRACE
 *
 * DIRECTORY/TRACE.pcap.gz holds every frame, DIRECTORY/TRACE.jsonl.gz the fate of every SYN and, on
 * kernels that tell it, the stamp that they held for the peer just then (see README.md beside the
 * traces). The frame is decoded, and the rule applied to the kernel's own stamp. Nothing is
 * estimated, so it must agree for every SYN that reached the check. The traces of BYPASSES hold
 * SYNs that were accepted without it (TIME_WAIT, handshakes in progress, cookies, sysctls); a drop
 * must be predicted in them too. What the mirror makes of whole traces is for score.c.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include <synpaws/segment.h>

#include "core/paws.h"

#define PCAP_NANO  0xa1b23c4dU
#define ETHERNET   14
#define FRAME_MOST 2048
#define LINE_MOST  65536

static const char *const BYPASSES[] = { "s07", "s08", "s14", "s16" };

struct frame {
	uint64_t time_ns;
	size_t length;
	uint8_t bytes[FRAME_MOST];
};

struct score {
	unsigned int syns, checked, bypassed, wrong_check;
};

struct trace {
	FILE *pcap, *events;
	unsigned long frames;
	const struct synpaws_profile *profile;
	struct score score;
};

static FILE *open_gz(const char *directory, const char *trace, const char *ending)
{
	char command[512];
	FILE *file;

	snprintf(command, sizeof(command), "gzip -dc '%s/%s.%s.gz'", directory, trace, ending);
	file = popen(command, "r");
	if (file == NULL) {
		perror(command);
		exit(1);
	}
	return file;
}

static bool read_frame(struct trace *trace, struct frame *frame)
{
	uint32_t header[4];

	if (fread(header, sizeof(header), 1, trace->pcap) != 1 || header[2] > FRAME_MOST ||
	    fread(frame->bytes, 1, header[2], trace->pcap) != header[2])
		return false;
	frame->time_ns = (uint64_t)header[0] * 1000000000ULL + header[1];
	frame->length = header[2];
	trace->frames++;
	return true;
}

/* The frame that an event is about. Frames are numbered from 1, events come in their order. */
static bool seek_frame(struct trace *trace, unsigned long number, struct frame *frame)
{
	while (trace->frames < number) {
		if (!read_frame(trace, frame))
			return false;
	}
	return trace->frames == number;
}

static enum synpaws_decode decode(const struct frame *frame, struct synpaws_segment *seg)
{
	memset(seg, 0, sizeof(*seg));
	seg->time_ns = frame->time_ns;
	seg->second = (uint32_t)(frame->time_ns / 1000000000ULL);
	return synpaws_segment_decode(seg, frame->bytes + ETHERNET, frame->length - ETHERNET,
				      frame->length - ETHERNET, 0);
}

static void check_alone(struct trace *trace, const json_t *event, const struct synpaws_segment *seg,
			bool dropped)
{
	const json_t *record = json_object_get(event, "rec");
	const uint32_t now = (uint32_t)json_number_value(json_object_get(event, "gt"));
	struct stamp stamp = { .tsval = 0 };
	bool drops = false;

	if (json_is_string(record) && strcmp(json_string_value(record), "na") == 0)
		return;
	if (json_is_object(record)) {
		stamp.tsval = (uint32_t)json_integer_value(json_object_get(record, "ts"));
		stamp.second = now - (uint32_t)json_integer_value(json_object_get(record, "age"));
		drops = paws_drops(trace->profile, &stamp, seg->has_timestamp, seg->tsval, now);
	}
	trace->score.checked++;
	if (drops == dropped)
		return;
	trace->score.bypassed += !dropped;
	trace->score.wrong_check += dropped;
	printf("# frame %lu: the kernel %s it\n", trace->frames, dropped ? "drops" : "takes");
}

static void judge(struct trace *trace, const json_t *event, const struct frame *frame)
{
	const char *fate = json_string_value(json_object_get(event, "fate"));
	const bool dropped = strcmp(fate, "paws_drop") == 0;
	const bool reached = dropped || strcmp(fate, "synack") == 0;
	struct synpaws_segment seg;
	const enum synpaws_decode result = decode(frame, &seg);

	if (result == SYNPAWS_DECODE_OK) {
		if (reached && synpaws_segment_is_syn(&seg))
			check_alone(trace, event, &seg, dropped);
	} else if (reached && result != SYNPAWS_DECODE_FRAGMENT) {
		trace->score.wrong_check++;
		printf("# frame %lu: taken for %s, yet the kernel judged it\n", trace->frames,
		       synpaws_decode_name(result));
	}
	trace->score.syns++;
}

static void run(struct trace *trace)
{
	static char line[LINE_MOST];
	struct frame frame;
	json_t *event;
	const char *kind;

	while (fgets(line, sizeof(line), trace->events) != NULL) {
		event = json_loads(line, 0, NULL);
		kind = json_string_value(json_object_get(event, "ev"));
		if (kind != NULL && strcmp(kind, "syn") == 0 &&
		    seek_frame(trace,
			       (unsigned long)json_integer_value(json_object_get(event, "frame")),
			       &frame))
			judge(trace, event, &frame);
		json_decref(event);
	}
}

static bool has_bypasses(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(BYPASSES) / sizeof(BYPASSES[0]); i++) {
		if (strncmp(name, BYPASSES[i], strlen(BYPASSES[i])) == 0)
			return true;
	}
	return false;
}

static int report(const struct trace *trace, const char *directory, const char *name)
{
	const struct score *score = &trace->score;
	const unsigned int agreed = score->checked - score->bypassed - score->wrong_check;
	const bool good = score->syns > 0 && score->wrong_check == 0 &&
			  (score->bypassed == 0 || has_bypasses(name));

	if (score->checked > 0 || !good)
		printf("%s - %s %s: the check agrees with the kernel on %u of %u SYNs\n",
		       good ? "ok" : "not ok", directory, name, agreed, score->checked);
	return good ? 0 : 1;
}

int main(int argc, char **argv)
{
	struct trace trace = { .frames = 0 };
	uint32_t header[6];
	int status;

	if (argc != 4 || (trace.profile = synpaws_profile_find(argv[1])) == NULL) {
		fprintf(stderr, "usage: check PROFILE DIRECTORY TRACE\n");
		return 2;
	}
	trace.pcap = open_gz(argv[2], argv[3], "pcap");
	trace.events = open_gz(argv[2], argv[3], "jsonl");
	if (fread(header, sizeof(header), 1, trace.pcap) != 1 || header[0] != PCAP_NANO) {
		fprintf(stderr, "check: cannot read %s/%s\n", argv[2], argv[3]);
		return 1;
	}
	run(&trace);
	status = report(&trace, argv[2], argv[3]);
	pclose(trace.events);
	pclose(trace.pcap);
	return status;
}
