/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CAPTURE_H
#define CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Captured packets from files, by libpcap: pcap (also with nanoseconds) and pcapng; Ethernet, Linux
 * cooked v1 and v2, raw IP, BSD loopback, VLAN tags. Several files are read side by side and their
 * packets come in order of time, as captures of several gateways; at the same time the order of the
 * files counts. A file's own packets keep their order even where its time steps back. IP fragments
 * are put together as the host's kernel would (fragments.h).
 *
 * Memory is bounded: for each file libpcap's buffer of one packet, and the fragments' 17 MB. What
 * cannot be opened is refused at once; what turns out to be damaged later counts up to there.
 */
struct capture;

/* One IP packet, from its IP header on. */
struct capture_packet {
	uint64_t time_ns;     /* since 1970 */
	const uint8_t *bytes; /* the capture's, until the next call */
	size_t captured;      /* at most `length`; 0 if the capture ends before the IP header */
	size_t length;	      /* on the wire, link-layer padding included */
};

enum capture_result {
	CAPTURE_PACKET,
	CAPTURE_END,
};

/* False if this build has no libpcap; then nothing can be opened. */
bool capture_available(void);

/*
 * Open files for reading; "-" is standard input, once. NULL with one line in `why` that says which
 * file, what is wrong and what to do.
 */
struct capture *capture_open(const char *const *paths, size_t count, char *why, size_t size);

/* NULL is allowed. */
void capture_close(struct capture *capture);

/* The next IP packet of all files. After CAPTURE_END, errors and counters are final. */
enum capture_result capture_next(struct capture *capture, struct capture_packet *packet);

/*
 * The `index`th error met so far, one for a file at the most, such as "FILE: cut short after packet
 * 123: ..."; NULL past the last. What was read up to there counts.
 */
const char *capture_error(const struct capture *capture, size_t index);

struct capture_counters {
	uint64_t packets;	 /* frames read, of all kinds */
	uint64_t not_ip;	 /* frames that hold no IP packet: ARP and the like */
	uint64_t fragments_lost; /* TCP fragments whose packet never became whole */
	uint64_t out_of_order;	 /* frames older than one before them in their own file */
};

struct capture_counters capture_counters(const struct capture *capture);

/* How far reading has come, over all files. */
struct capture_progress {
	uint64_t bytes; /* of pipes those in frames, of files all */
	uint64_t total; /* 0 if it is not known, as of pipes */
};

struct capture_progress capture_progress(const struct capture *capture);

#endif
