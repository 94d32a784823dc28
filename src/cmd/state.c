/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../core/wire.h"
#include "../os/clock.h"
#include "../os/file.h"
#include "state.h"

#define BOOT_FILE "/proc/sys/kernel/random/boot_id"

#define MAGIC "synpaws state"

/* To be raised with each change of what stands around the mirrors; see core/save.c too. */
#define FORMAT 1

#define SUM_BYTES    4
#define TALLIES_MOST (32U << 20)

/* A file that is read or written from its start on. */
struct stream {
	int fd;
	uint32_t sum;
	size_t at, end; /* in `bytes` */
	uint64_t left;	/* to be read yet */
	uint8_t bytes[65536];
};

/* When it was written, and by whom. */
struct head {
	char magic[sizeof(MAGIC)];
	uint32_t format;
	char boot[STATE_BOOT_MOST];
	uint64_t order_ns, time_ns;
};

/* CRC-32C (RFC 3720, 12.1), half a byte at a time. */
static uint32_t add_sum(uint32_t sum, const uint8_t *bytes, size_t size)
{
	static const uint32_t table[16] = {
		0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
		0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
		0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
	};

	for (; size > 0; size--, bytes++) {
		sum ^= *bytes;
		sum = sum >> 4 ^ table[sum & 15];
		sum = sum >> 4 ^ table[sum & 15];
	}
	return sum;
}

static bool start_reading(struct stream *stream, int fd, uint64_t size)
{
	stream->fd = fd;
	stream->sum = UINT32_MAX;
	stream->at = stream->end = 0;
	stream->left = size;
	return lseek(fd, 0, SEEK_SET) == 0;
}

static bool fill(struct stream *stream)
{
	const size_t most =
		stream->left < sizeof(stream->bytes) ? (size_t)stream->left : sizeof(stream->bytes);
	ssize_t got;

	do
		got = most > 0 ? read(stream->fd, stream->bytes, most) : 0;
	while (got < 0 && errno == EINTR);
	if (got <= 0)
		return false;
	stream->sum = add_sum(stream->sum, stream->bytes, (size_t)got);
	stream->left -= (uint64_t)got;
	stream->at = 0;
	stream->end = (size_t)got;
	return true;
}

static bool get(void *context, void *bytes, size_t size)
{
	struct stream *stream = context;
	uint8_t *to = bytes;
	size_t part;

	for (; size > 0; size -= part, to += part) {
		if (stream->at == stream->end && !fill(stream))
			return false;
		part = stream->end - stream->at;
		if (part > size)
			part = size;
		memcpy(to, stream->bytes + stream->at, part);
		stream->at += part;
	}
	return true;
}

static bool flush(struct stream *stream)
{
	size_t at = 0;
	ssize_t written;

	while (at < stream->end) {
		written = write(stream->fd, stream->bytes + at, stream->end - at);
		if (written < 0 && errno != EINTR)
			return false;
		at += written > 0 ? (size_t)written : 0;
	}
	stream->end = 0;
	return true;
}

static bool put(void *context, const void *bytes, size_t size)
{
	struct stream *stream = context;
	const uint8_t *from = bytes;
	size_t part;

	stream->sum = add_sum(stream->sum, bytes, size);
	for (; size > 0; size -= part, from += part) {
		if (stream->end == sizeof(stream->bytes) && !flush(stream))
			return false;
		part = sizeof(stream->bytes) - stream->end;
		if (part > size)
			part = size;
		memcpy(stream->bytes + stream->end, from, part);
		stream->end += part;
	}
	return true;
}

static void wire_head(struct wire *wire, struct head *head)
{
	wire_bytes(wire, head->magic, sizeof(head->magic));
	wire_u32(wire, &head->format);
	wire_bytes(wire, head->boot, sizeof(head->boot));
	wire_u64(wire, &head->order_ns);
	wire_u64(wire, &head->time_ns);
}

/* Read it all, up to the sum at its end. */
static bool sum_is_right(struct stream *stream, int fd, uint64_t size)
{
	struct wire wire = { .get = get, .context = stream };
	uint32_t sum, stored = 0;

	if (size < SUM_BYTES || !start_reading(stream, fd, size - SUM_BYTES))
		return false;
	while (stream->left > 0) {
		if (!fill(stream))
			return false;
	}
	sum = ~stream->sum;
	stream->at = stream->end;
	stream->left = SUM_BYTES;
	wire_u32(&wire, &stored);
	return !wire.failed && sum == stored;
}

/* No file of ours is larger, since tables in memory have room that a file does not need. */
static uint64_t size_most(const struct panel *panel)
{
	return 2 * (uint64_t)panel_bytes(panel) + TALLIES_MOST;
}

static const char *what_is_wrong(enum synpaws_loaded loaded)
{
	switch (loaded) {
	case SYNPAWS_LOADED:
		break;
	case SYNPAWS_LOADED_DAMAGED:
		return "is damaged";
	case SYNPAWS_LOADED_OTHER_FORMAT:
		return "is of another version of synpaws";
	case SYNPAWS_LOADED_OTHER_MIRROR:
		return "is of other profiles, evidence, --peers or --flows";
	}
	return NULL;
}

/* NULL if all is well so far; else what is not. */
static const char *check(struct stream *stream, int fd, const struct panel *panel,
			 struct head *head, uint64_t *size)
{
	struct wire wire = { .get = get, .context = stream };
	struct stat stat;

	if (fstat(fd, &stat) < 0 || !start_reading(stream, fd, (uint64_t)stat.st_size))
		return "cannot be read";
	*size = (uint64_t)stat.st_size;
	wire_head(&wire, head);
	if (wire.failed || memcmp(head->magic, MAGIC, sizeof(head->magic)) != 0)
		return "is no state of synpaws";
	if (head->format != FORMAT)
		return what_is_wrong(SYNPAWS_LOADED_OTHER_FORMAT);
	if (*size > size_most(panel))
		return what_is_wrong(SYNPAWS_LOADED_OTHER_MIRROR);
	if (!sum_is_right(stream, fd, *size))
		return what_is_wrong(SYNPAWS_LOADED_DAMAGED);
	return NULL;
}

/* A kernel that started anew has forgotten its stamps, but those of hosts behind a gateway not. */
static enum synpaws_carry carried(const struct state *state, const struct head *head)
{
	if (memcmp(state->boot, head->boot, sizeof(head->boot)) == 0 &&
	    head->order_ns <= clock_ns(CLOCK_MONOTONIC))
		return SYNPAWS_CARRY_ALL;
	return state->gateway ? SYNPAWS_CARRY_STAMPS : SYNPAWS_CARRY_COUNTS;
}

static void describe(const struct panel *panel, const struct head *head, enum synpaws_carry carry,
		     char *line, size_t size)
{
	static const char *const holds[] = {
		"goes on",
		"goes on with stamps alone, since this machine was started anew",
		"goes on with totals alone, since this machine was started anew",
	};
	const uint64_t now_ns = clock_ns(CLOCK_REALTIME);
	const uint64_t away = now_ns > head->time_ns ? (now_ns - head->time_ns) / NS_PER_SECOND : 0;
	struct synpaws_mirror_stats stats;

	panel_stats(panel, &stats);
	snprintf(line, size,
		 "%s after %" PRIu64 " s in which it saw nothing: %zu stamps, %zu connections",
		 holds[carry], away, stats.peers, stats.flows);
}

bool state_load(struct state *state, struct panel *panel, char *line, size_t size)
{
	const int fd = state->fd;
	static struct stream stream;
	struct wire wire = { .get = get, .context = &stream };
	struct head head = { .format = 0 };
	enum synpaws_carry carry = SYNPAWS_CARRY_ALL;
	uint64_t length = 0;
	const char *wrong = check(&stream, fd, panel, &head, &length);

	if (wrong == NULL && !start_reading(&stream, fd, length - SUM_BYTES))
		wrong = "cannot be read";
	if (wrong == NULL) {
		wire_head(&wire, &head);
		tally_context_wire(&state->before, &wire);
		carry = carried(state, &head);
		wrong = what_is_wrong(wire.failed ? SYNPAWS_LOADED_DAMAGED
						  : panel_load(panel, get, &stream, carry));
	}
	if (wrong == NULL && (stream.left > 0 || stream.at < stream.end))
		wrong = what_is_wrong(SYNPAWS_LOADED_DAMAGED);
	if (wrong == NULL) {
		describe(panel, &head, carry, line, size);
		return true;
	}
	memset(&state->before, 0, sizeof(state->before));
	snprintf(line, size, "%s: starting without it", wrong);
	return false;
}

bool state_save(const struct state *state, int fd, const struct panel *panel,
		const struct tally_context *totals)
{
	static struct stream stream;
	struct wire wire = { .put = put, .context = &stream };
	struct tally_context copy = *totals;
	struct head head = { .magic = MAGIC,
			     .format = FORMAT,
			     .order_ns = clock_ns(CLOCK_MONOTONIC),
			     .time_ns = clock_ns(CLOCK_REALTIME) };
	uint32_t sum;
	bool good;

	memset(&stream, 0, sizeof(stream));
	stream.fd = fd;
	stream.sum = UINT32_MAX;
	memcpy(head.boot, state->boot, sizeof(head.boot));
	wire_head(&wire, &head);
	tally_context_wire(&copy, &wire);
	good = !wire.failed && panel_save(panel, put, &stream);
	sum = ~stream.sum;
	wire_u32(&wire, &sum);
	good = good && !wire.failed && flush(&stream);
	if (!good) {
		const int error = errno;

		if (ftruncate(fd, 0) < 0)
			return false;
		errno = error;
	}
	return good;
}

void state_read_boot(struct state *state)
{
	memset(state->boot, 0, sizeof(state->boot));
	if (file_read(BOOT_FILE, state->boot, sizeof(state->boot)) < 0)
		state->boot[0] = '\0';
}
