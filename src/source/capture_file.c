/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Captures may be larger than a 32-bit system's fopen() likes. */
#define _FILE_OFFSET_BITS 64

#include <stdio.h>

#include "capture_file.h"

#ifndef HAVE_PCAP

bool capture_available(void)
{
	return false;
}

struct capture_file *capture_file_open(const char *path, char *why, size_t size)
{
	snprintf(why, size,
		 "%s: this build reads no captures: install libpcap's development files and "
		 "build again",
		 path);
	return NULL;
}

void capture_file_close(struct capture_file *file)
{
	(void)file;
}

enum capture_link capture_file_link(const struct capture_file *file)
{
	(void)file;
	return CAPTURE_LINKS;
}

bool capture_file_next(struct capture_file *file, struct capture_packet *frame)
{
	(void)file;
	(void)frame;
	return false;
}

const char *capture_file_error(const struct capture_file *file)
{
	(void)file;
	return NULL;
}

struct capture_progress capture_file_progress(const struct capture_file *file)
{
	const struct capture_progress nothing = { 0, 0 };

	(void)file;
	return nothing;
}

#else

#include <errno.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <pcap.h>

#include "../os/clock.h"

/* Headers of old libpcap lack these. */
#ifndef DLT_LOOP
#define DLT_LOOP 108
#endif
#ifndef DLT_IPV4
#define DLT_IPV4 228
#endif
#ifndef DLT_IPV6
#define DLT_IPV6 229
#endif
#ifndef DLT_LINUX_SLL2
#define DLT_LINUX_SLL2 276
#endif

/* libpcap reads a packet by two calls of fread(). */
#define BUFFER_BYTES 262144

#define SECONDS_MOST (UINT64_MAX / NS_PER_SECOND - 1)

/* libpcap 1.5 can give nanoseconds. */
#ifdef PCAP_TSTAMP_PRECISION_NANO
#define NS_PER_TICK 1
#define open_stream(stream, error) \
	pcap_fopen_offline_with_tstamp_precision(stream, PCAP_TSTAMP_PRECISION_NANO, error)
#else
#define NS_PER_TICK		   1000
#define open_stream(stream, error) pcap_fopen_offline(stream, error)
#endif

struct capture_file {
	pcap_t *pcap;
	char *name; /* for people */
	enum capture_link kind;
	uint64_t frames; /* read */
	uint64_t bytes;	 /* in them */
	uint64_t size;	 /* of a regular file; else 0 */
	char *error;	 /* NULL while all is well */
};

bool capture_available(void)
{
	return true;
}

bool capture_file_kind(int dlt, enum capture_link *kind)
{
	static const struct {
		int dlt;
		enum capture_link kind;
	} known[] = {
		{ DLT_EN10MB, CAPTURE_LINK_ETHERNET },	  { DLT_LINUX_SLL, CAPTURE_LINK_COOKED },
		{ DLT_LINUX_SLL2, CAPTURE_LINK_COOKED2 }, { DLT_NULL, CAPTURE_LINK_LOOPBACK },
		{ DLT_LOOP, CAPTURE_LINK_LOOPBACK },	  { DLT_RAW, CAPTURE_LINK_IP },
		{ DLT_IPV4, CAPTURE_LINK_IPV4 },	  { DLT_IPV6, CAPTURE_LINK_IPV6 },
	};
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (known[i].dlt == dlt) {
			*kind = known[i].kind;
			return true;
		}
	}
	return false;
}

/* The program that unpacks what begins with this byte; NULL if no packer does. */
static const char *unpacker(int first)
{
	switch (first) {
	case 0x1f:
		return "gzip";
	case 0xfd:
		return "xz";
	case 0x28:
		return "zstd";
	case 'B':
		return "bzip2";
	default:
		return NULL;
	}
}

/* True if `stream` holds something that may be a capture, by its first byte. */
static bool look_at_first_byte(FILE *stream, const char *name, char *why, size_t size)
{
	const int first = getc(stream);
	const char *program = unpacker(first);

	if (first == EOF && ferror(stream))
		snprintf(why, size, "%s: %s", name, strerror(errno));
	else if (first == EOF)
		snprintf(why, size, "%s: empty, not even a capture's header is there", name);
	else if (program != NULL && stream == stdin)
		snprintf(why, size, "%s: packed by %s, unpack it: %s -dc | synpaws replay ... -",
			 name, program, program);
	else if (program != NULL)
		snprintf(why, size, "%s: packed by %s, unpack it: %s -dc %s | synpaws replay ... -",
			 name, program, program, name);
	else
		return ungetc(first, stream) == first;
	return false;
}

static FILE *open_file(const char *path, char *why, size_t size)
{
	FILE *stream;

	if (strcmp(path, "-") == 0) {
		if (!isatty(STDIN_FILENO))
			return stdin;
		snprintf(why, size, "standard input is a terminal: pipe a capture into it");
		return NULL;
	}
	stream = fopen(path, "rb");
	if (stream == NULL) {
		snprintf(why, size, "%s: %s%s", path, strerror(errno),
			 errno == EMFILE ? ": raise ulimit -n, or merge some with mergecap" : "");
		return NULL;
	}
	setvbuf(stream, NULL, _IOFBF, BUFFER_BYTES);
	__fsetlocking(stream, FSETLOCKING_BYCALLER); /* one thread reads it */
	return stream;
}

static void close_file(FILE *stream)
{
	if (stream != stdin)
		fclose(stream);
}

/* Let libpcap have the stream, which it closes together with the result. */
static pcap_t *open_pcap(FILE *stream, const char *name, char *why, size_t size)
{
	char error[PCAP_ERRBUF_SIZE] = "";
	pcap_t *pcap;

	if (!look_at_first_byte(stream, name, why, size)) {
		close_file(stream);
		return NULL;
	}
	pcap = open_stream(stream, error);
	if (pcap == NULL) {
		snprintf(why, size, "%s: no capture (pcap or pcapng, as tcpdump -w writes it): %s",
			 name, error);
		close_file(stream);
	}
	return pcap;
}

static bool check_kind(pcap_t *pcap, const char *name, enum capture_link *kind, char *why,
		       size_t size)
{
	const int dlt = pcap_datalink(pcap);
	const char *known = pcap_datalink_val_to_name(dlt);

	if (capture_file_kind(dlt, kind))
		return true;
	snprintf(why, size,
		 "%s: link type %s (%d) is none that synpaws knows: capture on an Ethernet "
		 "interface, or with tcpdump -i any",
		 name, known == NULL ? "unknown" : known, dlt);
	return false;
}

static uint64_t regular_size(pcap_t *pcap)
{
	struct stat status;

	if (fstat(fileno(pcap_file(pcap)), &status) < 0 || !S_ISREG(status.st_mode))
		return 0;
	return (uint64_t)status.st_size;
}

/* The file then owns `pcap`; NULL if there is no memory. */
static struct capture_file *new_file(pcap_t *pcap, const char *name, enum capture_link kind)
{
	struct capture_file *file = calloc(1, sizeof(*file));

	if (file == NULL)
		return NULL;
	file->name = strdup(name);
	if (file->name == NULL) {
		free(file);
		return NULL;
	}
	file->pcap = pcap;
	file->kind = kind;
	file->size = regular_size(pcap);
	return file;
}

struct capture_file *capture_file_open(const char *path, char *why, size_t size)
{
	const char *name = strcmp(path, "-") == 0 ? "standard input" : path;
	FILE *stream = open_file(path, why, size);
	pcap_t *pcap = stream == NULL ? NULL : open_pcap(stream, name, why, size);
	struct capture_file *file = NULL;
	enum capture_link kind;

	if (pcap == NULL)
		return NULL;
	if (check_kind(pcap, name, &kind, why, size)) {
		file = new_file(pcap, name, kind);
		if (file == NULL)
			snprintf(why, size, "%s: no memory", name);
	}
	if (file == NULL)
		pcap_close(pcap);
	return file;
}

void capture_file_close(struct capture_file *file)
{
	pcap_close(file->pcap);
	free(file->error);
	free(file->name);
	free(file);
}

enum capture_link capture_file_link(const struct capture_file *file)
{
	return file->kind;
}

static void keep_error(struct capture_file *file)
{
	const char *reason = pcap_geterr(file->pcap);
	const char *what = strstr(reason, "truncated") != NULL ? "cut short" : "cannot be read";

	if (asprintf(&file->error, "%s: %s after packet %llu: %s", file->name, what,
		     (unsigned long long)file->frames, reason) < 0)
		file->error = strdup("no memory to say what is wrong with a capture");
}

/* Whatever a file may claim its time to be, without going round. */
static uint64_t nanoseconds(const struct pcap_pkthdr *header)
{
	const uint64_t seconds = header->ts.tv_sec < 0 ? 0 : (uint64_t)header->ts.tv_sec;
	const uint64_t ticks = header->ts.tv_usec < 0 ? 0 : (uint64_t)header->ts.tv_usec;

	return (seconds < SECONDS_MOST ? seconds : SECONDS_MOST) * NS_PER_SECOND +
	       ticks % (NS_PER_SECOND / NS_PER_TICK) * NS_PER_TICK;
}

bool capture_file_next(struct capture_file *file, struct capture_packet *frame)
{
	struct pcap_pkthdr *header;
	const u_char *bytes;
	int result;

	if (file->error != NULL)
		return false;
	result = pcap_next_ex(file->pcap, &header, &bytes);
	if (result == -1)
		keep_error(file);
	if (result != 1)
		return false;
	file->frames++;
	file->bytes += header->caplen;
	frame->time_ns = nanoseconds(header);
	frame->bytes = bytes;
	frame->captured = header->caplen;
	frame->length = header->len > header->caplen ? header->len : header->caplen;
	return true;
}

const char *capture_file_error(const struct capture_file *file)
{
	return file->error;
}

struct capture_progress capture_file_progress(const struct capture_file *file)
{
	const off_t place = ftello(pcap_file(file->pcap));
	struct capture_progress progress = { .bytes = file->bytes, .total = file->size };

	if (place >= 0)
		progress.bytes = (uint64_t)place;
	return progress;
}

#endif
