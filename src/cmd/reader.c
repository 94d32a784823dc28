/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "../os/clock.h"
#include "reader.h"

/* Where nothing comes for longer, nobody may have watched. */
#define GAP_MOST_NS (60 * NS_PER_SECOND)

static uint64_t gap(uint64_t ns)
{
	return ns < GAP_MOST_NS ? ns : GAP_MOST_NS;
}

static bool take(struct reader *reader, const struct capture_packet *packet)
{
	struct synpaws_segment seg;
	const enum synpaws_decode result = synpaws_segment_decode(
		&seg, packet->bytes, packet->captured, packet->length, SYNPAWS_CHECKSUM_PARTIAL_OK);

	if (reader->first_ns == 0)
		reader->first_ns = packet->time_ns;
	if (packet->time_ns > reader->last_ns) {
		if (reader->last_ns != 0)
			reader->watched_ns += gap(packet->time_ns - reader->last_ns);
		reader->last_ns = packet->time_ns;
	}
	reader->packets++;
	reader->decode(reader->context, result);
	if (result != SYNPAWS_DECODE_OK)
		return true;
	reader->syns += synpaws_segment_is_syn(&seg);
	seg.time_ns = packet->time_ns;
	seg.order_ns = packet->time_ns;
	seg.second = (uint32_t)(packet->time_ns / NS_PER_SECOND);
	seg.ifindex = 0;
	seg.forwarded = reader->gateway;
	seg.way = SYNPAWS_WAY_ANY;
	return reader->take(reader->context, &seg);
}

static void show_progress(struct reader *reader)
{
	const struct capture_progress read = capture_progress(reader->capture);
	struct progress_counts counts = { .bytes = read.bytes,
					  .total = read.total,
					  .packets = reader->packets,
					  .syns = reader->syns };

	progress_show(&reader->progress, &counts);
}

bool reader_read(struct reader *reader)
{
	struct capture_packet packet;
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
	progress_start(&reader->progress);
	while (capture_next(reader->capture, &packet) == CAPTURE_PACKET && take(reader, &packet)) {
		if (reader->packets % PROGRESS_PACKETS == 0)
			show_progress(reader);
	}
	progress_clear(&reader->progress);
	return true;
}

void reader_close(struct reader *reader)
{
	capture_close(reader->capture);
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
