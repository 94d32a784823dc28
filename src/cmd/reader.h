/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef READER_H
#define READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <synpaws/segment.h>

#include "../os/handover.h"
#include "../sink/tally.h"
#include "../source/capture.h"
#include "progress.h"

struct reader_load;

/* Reads captures to the end, hands on their segments, and shows on a terminal how far it is. */
struct reader {
	const char *const *files;
	size_t file_count;
	bool gateway;
	/* So many packets were decoded with this result. */
	void (*decode)(void *context, enum synpaws_decode result, uint64_t count);
	/* False to stop. */
	bool (*take)(void *context, const struct synpaws_segment *segs, size_t count);
	void *context;
	/* Filled in: */
	struct capture *capture;
	uint64_t first_ns, last_ns; /* of all packets; 0 without any */
	uint64_t watched_ns;	    /* between them, gaps of more than a minute counted as one */
	uint64_t packets, syns;
	struct handover handover;  /* between the thread that reads and the one that judges, */
	struct reader_load *loads; /* of these */
	struct progress progress;
};

/* False if nothing could be read, with a line on standard error. Else reader_close() is due. */
bool reader_read(struct reader *reader);
void reader_close(struct reader *reader);

/* What went wrong in the captures, a line each on standard error. Returns how many lines. */
size_t reader_errors(const struct reader *reader);

/* What the captures know for a summary. */
struct tally_context reader_tally(const struct reader *reader);

#endif
