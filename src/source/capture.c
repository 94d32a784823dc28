/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture.h"
#include "capture_file.h"
#include "capture_link.h"
#include "fragments.h"

#define DATAGRAMS 256

struct source {
	struct capture_file *file;
	struct capture_packet frame; /* the one to come */
	uint64_t newest_ns;	     /* of those before */
};

struct capture {
	struct capture_counters counters;
	struct fragments *fragments;
	size_t count; /* of the sources */
	struct source *sources;
	size_t waiting; /* sources that have a frame: a heap, the one that comes first on top */
	size_t *heap;
	bool taken; /* the frame on top is with the caller */
};

/* True if the frame of source `a` comes before that of source `b`. */
static bool before(const struct capture *capture, size_t a, size_t b)
{
	const uint64_t time_a = capture->sources[a].frame.time_ns;
	const uint64_t time_b = capture->sources[b].frame.time_ns;

	return time_a != time_b ? time_a < time_b : a < b;
}

/* Let the source at `place` of the heap sink to where it belongs. */
static void sink(struct capture *capture, size_t place)
{
	size_t *heap = capture->heap;

	for (;;) {
		const size_t moving = heap[place];
		size_t child = 2 * place + 1;

		if (child >= capture->waiting)
			return;
		if (child + 1 < capture->waiting && before(capture, heap[child + 1], heap[child]))
			child++;
		if (before(capture, moving, heap[child]))
			return;
		heap[place] = heap[child];
		heap[child] = moving;
		place = child;
	}
}

/* Read the next frame of a source, which overwrites the one before; false at its end. */
static bool advance(struct capture *capture, struct source *source)
{
	if (!capture_file_next(source->file, &source->frame))
		return false;
	capture->counters.packets++;
	if (source->frame.time_ns < source->newest_ns)
		capture->counters.out_of_order++;
	else
		source->newest_ns = source->frame.time_ns;
	return true;
}

/* The first frame of each source. */
static void start(struct capture *capture)
{
	size_t i;

	for (i = 0; i < capture->count; i++) {
		if (advance(capture, &capture->sources[i]))
			capture->heap[capture->waiting++] = i;
	}
	for (i = capture->waiting / 2; i-- > 0;)
		sink(capture, i);
}

/* The source with the next frame of all; NULL if there is none. */
static struct source *next_source(struct capture *capture)
{
	if (capture->taken) {
		if (!advance(capture, &capture->sources[capture->heap[0]]))
			capture->heap[0] = capture->heap[--capture->waiting];
		sink(capture, 0);
	}
	capture->taken = capture->waiting > 0;
	return capture->taken ? &capture->sources[capture->heap[0]] : NULL;
}

enum capture_result capture_next(struct capture *capture, struct capture_packet *packet)
{
	struct source *source;

	while ((source = next_source(capture)) != NULL) {
		*packet = source->frame;
		if (!capture_link_strip(capture_file_link(source->file), packet))
			capture->counters.not_ip++;
		else if (fragments_take(capture->fragments, packet) != FRAGMENTS_KEPT)
			return CAPTURE_PACKET;
	}
	fragments_finish(capture->fragments);
	return CAPTURE_END;
}

/* Standard input can be read once. */
static bool check_paths(const char *const *paths, size_t count, char *why, size_t size)
{
	size_t i, inputs = 0;

	for (i = 0; i < count; i++)
		inputs += strcmp(paths[i], "-") == 0;
	if (inputs > 1)
		snprintf(why, size, "standard input can be read once: give - once");
	return inputs <= 1;
}

static struct capture *allocate(size_t count)
{
	struct capture *capture = calloc(1, sizeof(*capture));

	if (capture == NULL)
		return NULL;
	capture->sources = calloc(count + 1, sizeof(*capture->sources));
	capture->heap = calloc(count + 1, sizeof(*capture->heap));
	capture->fragments = fragments_new(DATAGRAMS);
	if (capture->sources != NULL && capture->heap != NULL && capture->fragments != NULL)
		return capture;
	capture_close(capture);
	return NULL;
}

struct capture *capture_open(const char *const *paths, size_t count, char *why, size_t size)
{
	struct capture *capture;

	if (!check_paths(paths, count, why, size))
		return NULL;
	capture = allocate(count);
	if (capture == NULL) {
		snprintf(why, size, "no memory to read %zu captures", count);
		return NULL;
	}
	for (; capture->count < count; capture->count++) {
		struct source *source = &capture->sources[capture->count];

		source->file = capture_file_open(paths[capture->count], why, size);
		if (source->file == NULL) {
			capture_close(capture);
			return NULL;
		}
	}
	start(capture);
	return capture;
}

void capture_close(struct capture *capture)
{
	if (capture == NULL)
		return;
	while (capture->count > 0)
		capture_file_close(capture->sources[--capture->count].file);
	fragments_free(capture->fragments);
	free(capture->heap);
	free(capture->sources);
	free(capture);
}

const char *capture_error(const struct capture *capture, size_t index)
{
	size_t i;

	for (i = 0; i < capture->count; i++) {
		const char *error = capture_file_error(capture->sources[i].file);

		if (error != NULL && index-- == 0)
			return error;
	}
	return NULL;
}

struct capture_counters capture_counters(const struct capture *capture)
{
	struct capture_counters counters = capture->counters;

	counters.fragments_lost = fragments_lost(capture->fragments);
	return counters;
}

struct capture_progress capture_progress(const struct capture *capture)
{
	struct capture_progress all = { 0, 0 };
	bool known = true;
	size_t i;

	for (i = 0; i < capture->count; i++) {
		const struct capture_progress one = capture_file_progress(capture->sources[i].file);

		all.bytes += one.bytes;
		all.total += one.total;
		known = known && one.total > 0;
	}
	if (!known)
		all.total = 0;
	return all;
}
