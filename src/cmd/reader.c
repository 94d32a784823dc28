/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../os/clock.h"
#include "reader.h"

/* Where nothing comes for longer, nobody may have watched. */
#define GAP_MOST_NS (60 * NS_PER_SECOND)

#define READER_BATCH 512
#define READER_LOADS 8

static uint64_t gap(uint64_t ns)
{
	return ns < GAP_MOST_NS ? ns : GAP_MOST_NS;
}

/* What one thread has read and decoded, and the other judges. */
struct reader_load {
	struct synpaws_segment segs[READER_BATCH];
	size_t count;
	uint64_t decode[SYNPAWS_DECODE_KINDS];
	struct progress_counts progress;
};

static void note_time(struct reader *reader, const struct capture_packet *packet)
{
	if (reader->first_ns == 0)
		reader->first_ns = packet->time_ns;
	if (packet->time_ns > reader->last_ns) {
		if (reader->last_ns != 0)
			reader->watched_ns += gap(packet->time_ns - reader->last_ns);
		reader->last_ns = packet->time_ns;
	}
}

static void put(struct reader *reader, struct reader_load *load,
		const struct capture_packet *packet)
{
	struct synpaws_segment *seg = &load->segs[load->count];
	const enum synpaws_decode result = synpaws_segment_decode(
		seg, packet->bytes, packet->captured, packet->length, SYNPAWS_CHECKSUM_PARTIAL_OK);

	note_time(reader, packet);
	reader->packets++;
	load->decode[result]++;
	if (result != SYNPAWS_DECODE_OK)
		return;
	reader->syns += synpaws_segment_is_syn(seg);
	seg->time_ns = packet->time_ns;
	seg->order_ns = packet->time_ns;
	seg->second = (uint32_t)(packet->time_ns / NS_PER_SECOND);
	seg->ifindex = 0;
	seg->forwarded = reader->gateway;
	seg->way = SYNPAWS_WAY_ANY;
	load->count++;
}

/* False at the end of the captures. */
static bool fill(struct reader *reader, struct reader_load *load, size_t most)
{
	struct capture_packet packet;
	struct capture_progress read;
	bool more = false;
	size_t i;

	load->count = 0;
	memset(load->decode, 0, sizeof(load->decode));
	for (i = 0; i < most; i++) {
		more = capture_next(reader->capture, &packet) == CAPTURE_PACKET;
		if (!more)
			break;
		put(reader, load, &packet);
	}
	read = capture_progress(reader->capture);
	load->progress.bytes = read.bytes;
	load->progress.total = read.total;
	load->progress.packets = reader->packets;
	load->progress.syns = reader->syns;
	return more;
}

/* Reading a capture and judging it take about the same time, so each has a thread. */
static void *read_all(void *argument)
{
	struct reader *reader = argument;
	/* Who pipes packets in as they come wants to see what becomes of them at once. */
	const size_t most = capture_progress(reader->capture).total > 0 ? READER_BATCH : 1;
	bool more = true;
	size_t place;

	while (more && handover_free_place(&reader->handover, &place)) {
		more = fill(reader, &reader->loads[place], most);
		handover_give(&reader->handover);
	}
	handover_end(&reader->handover);
	return NULL;
}

static bool take(struct reader *reader, struct reader_load *load)
{
	size_t kind;

	for (kind = 0; kind < SYNPAWS_DECODE_KINDS; kind++)
		reader->decode(reader->context, (enum synpaws_decode)kind, load->decode[kind]);
	progress_show(&reader->progress, &load->progress);
	return load->count == 0 || reader->take(reader->context, load->segs, load->count);
}

static bool take_all(struct reader *reader)
{
	pthread_t thread;
	size_t place;
	int error;

	handover_start(&reader->handover, READER_LOADS);
	error = pthread_create(&thread, NULL, read_all, reader);
	if (error != 0) {
		fprintf(stderr, "synpaws: cannot start a thread: %s\n", strerror(error));
		return false;
	}
	progress_start(&reader->progress);
	while (handover_full_place(&reader->handover, &place) &&
	       take(reader, &reader->loads[place]))
		handover_return(&reader->handover);
	handover_stop(&reader->handover);
	pthread_join(thread, NULL);
	progress_clear(&reader->progress);
	return true;
}

bool reader_read(struct reader *reader)
{
	char why[512];

	if (!capture_available()) {
		fprintf(stderr, "synpaws: this build reads no captures: install libpcap's "
				"development files and build again\n");
		return false;
	}
	reader->capture = capture_open(reader->files, reader->file_count, why, sizeof(why));
	if (reader->capture == NULL) {
		fprintf(stderr, "synpaws: %s\n", why);
		return false;
	}
	reader->loads = calloc(READER_LOADS, sizeof(*reader->loads));
	if (reader->loads == NULL) {
		fprintf(stderr, "synpaws: no memory\n");
		capture_close(reader->capture);
		return false;
	}
	if (take_all(reader))
		return true;
	reader_close(reader);
	return false;
}

void reader_close(struct reader *reader)
{
	capture_close(reader->capture);
	free(reader->loads);
}

size_t reader_errors(const struct reader *reader)
{
	const char *line;
	size_t i;

	for (i = 0; (line = capture_error(reader->capture, i)) != NULL; i++)
		fprintf(stderr, "synpaws: %s\n", line);
	return i;
}

struct tally_context reader_tally(const struct reader *reader)
{
	const struct capture_counters counters = capture_counters(reader->capture);
	struct tally_context context = {
		.seconds = (reader->last_ns - reader->first_ns) / NS_PER_SECOND,
		.offered = counters.packets,
		.not_ip = counters.not_ip,
		.fragments_lost = counters.fragments_lost,
		.out_of_order = counters.out_of_order,
	};

	while (capture_error(reader->capture, context.capture_errors) != NULL)
		context.capture_errors++;
	return context;
}
