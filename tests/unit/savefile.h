/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SAVEFILE_H
#define SAVEFILE_H

/*
 * Capture files, written byte by byte as their formats are described (pcap-savefile(5) and
 * draft-ietf-opsawg-pcapng), not by libpcap, into temporary files that are gone when the test is.
 */

#include <errno.h>
#include <fcntl.h>

#include "unit.h"

#include "source/capture.h"

#define SAVEFILE_MOST  65536
#define SAVEFILE_PATHS 64

#define SAVEFILE_ETHERNET 1
#define SAVEFILE_RAW	  101

enum savefile_format {
	SAVEFILE_MICRO,
	SAVEFILE_NANO,
	SAVEFILE_NG, /* with nanoseconds */
	SAVEFILE_FORMATS
};

struct savefile {
	enum savefile_format format;
	bool big; /* big-endian */
	uint8_t bytes[SAVEFILE_MOST];
	size_t length;
};

static inline void savefile_put(struct savefile *file, const void *bytes, size_t length)
{
	assert_true(file->length + length <= sizeof(file->bytes));
	if (length > 0)
		memcpy(file->bytes + file->length, bytes, length);
	file->length += length;
}

static inline void savefile_number(struct savefile *file, uint64_t value, size_t size)
{
	uint8_t bytes[8];
	size_t i;

	for (i = 0; i < size; i++)
		bytes[file->big ? size - 1 - i : i] = (uint8_t)(value >> 8 * i);
	savefile_put(file, bytes, size);
}

/* Section header block and interface description block. */
static inline void savefile_start_ng(struct savefile *file, uint16_t link_type)
{
	savefile_number(file, 0x0a0d0d0a, 4);
	savefile_number(file, 28, 4);
	savefile_number(file, 0x1a2b3c4d, 4);
	savefile_number(file, 1, 2);
	savefile_number(file, 0, 2);
	savefile_number(file, UINT64_MAX, 8); /* length of the section: unknown */
	savefile_number(file, 28, 4);

	savefile_number(file, 1, 4);
	savefile_number(file, 32, 4);
	savefile_number(file, link_type, 2);
	savefile_number(file, 0, 2);
	savefile_number(file, 65535, 4);
	savefile_number(file, 9, 2); /* if_tsresol: 10^-9 */
	savefile_number(file, 1, 2);
	savefile_put(file, "\x09\0\0\0", 4);
	savefile_number(file, 0, 4);
	savefile_number(file, 32, 4);
}

static inline void savefile_start(struct savefile *file, enum savefile_format format, bool big,
				  uint16_t link_type)
{
	memset(file, 0, sizeof(*file));
	file->format = format;
	file->big = big;
	if (format == SAVEFILE_NG) {
		savefile_start_ng(file, link_type);
		return;
	}
	savefile_number(file, format == SAVEFILE_NANO ? 0xa1b23c4d : 0xa1b2c3d4, 4);
	savefile_number(file, 2, 2);
	savefile_number(file, 4, 2);
	savefile_number(file, 0, 8);
	savefile_number(file, 65535, 4);
	savefile_number(file, link_type, 4);
}

/* A frame of which `captured` bytes of `length` are there. */
static inline void savefile_frame(struct savefile *file, uint64_t time_ns, const uint8_t *frame,
				  size_t captured, size_t length)
{
	const size_t padding = (4 - captured % 4) % 4;

	if (file->format != SAVEFILE_NG) {
		savefile_number(file, time_ns / 1000000000, 4);
		savefile_number(
			file, time_ns % 1000000000 / (file->format == SAVEFILE_NANO ? 1 : 1000), 4);
		savefile_number(file, captured, 4);
		savefile_number(file, length, 4);
		savefile_put(file, frame, captured);
		return;
	}
	savefile_number(file, 6, 4); /* enhanced packet block */
	savefile_number(file, 32 + captured + padding, 4);
	savefile_number(file, 0, 4);
	savefile_number(file, time_ns >> 32, 4);
	savefile_number(file, time_ns & 0xffffffff, 4);
	savefile_number(file, captured, 4);
	savefile_number(file, length, 4);
	savefile_put(file, frame, captured);
	savefile_put(file, "\0\0\0", padding);
	savefile_number(file, 32 + captured + padding, 4);
}

/* Write the first `length` bytes to a temporary file, whose name goes to `path`. */
static inline void savefile_write(const struct savefile *file, size_t length,
				  char path[SAVEFILE_PATHS])
{
	int fd;

	snprintf(path, SAVEFILE_PATHS, "/tmp/synpaws-capture.XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, file->bytes, length), length);
	close(fd);
}

/* Open captures from temporary files, which are gone as soon as they are open. */
static inline struct capture *savefile_open(const struct savefile *files, size_t count)
{
	char paths[8][SAVEFILE_PATHS], why[512] = "";
	const char *names[8];
	struct capture *capture;
	size_t i;

	assert_true(count <= COUNT(paths));
	for (i = 0; i < count; i++) {
		savefile_write(&files[i], files[i].length, paths[i]);
		names[i] = paths[i];
	}
	capture = capture_open(names, count, why, sizeof(why));
	for (i = 0; i < count; i++)
		unlink(paths[i]);
	if (capture == NULL)
		fail_msg("%s", why);
	return capture;
}

#ifdef HAVE_PCAP
#include <pcap.h>
#endif

/* True if these files can be read; else says which test is skipped. */
static inline bool savefile_readable(const char *test, enum savefile_format format)
{
#ifndef HAVE_PCAP
	(void)format;
	printf("skip %s: this build has no libpcap\n", test);
	return false;
#elif !defined(PCAP_TSTAMP_PRECISION_NANO)
	if (format != SAVEFILE_MICRO)
		printf("skip %s: this libpcap knows no nanoseconds\n", test);
	return format == SAVEFILE_MICRO;
#else
	(void)test;
	(void)format;
	return true;
#endif
}

#endif
