/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNPAWS_SEGMENT_H
#define SYNPAWS_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * One decoded TCP segment. Numbers are in host byte order, addresses in network byte order;
 * an IPv4 address fills the first four bytes of its field and the rest is zero.
 */
struct synpaws_segment {
	uint64_t time_ns; /* arrival, wall clock, nanoseconds since 1970 */
	uint32_t second;  /* arrival as the kernel's get_seconds() gives it: whole seconds as of
			     the last timer tick, never rounded up */
	uint32_t ifindex; /* interface it came in by, 0 if unknown */
	bool forwarded;	  /* seen on its way through a gateway: each host is a machine of its own */
	uint8_t ip_version; /* 4 or 6 */
	uint8_t flags;	    /* SYNPAWS_FIN and so on */
	bool has_timestamp; /* carries a TCP timestamp option that Linux takes (RFC 7323, 3.2) */
	uint8_t source[16];
	uint8_t destination[16];
	uint16_t source_port;
	uint16_t destination_port;
	uint32_t seq;
	uint32_t ack;
	uint32_t payload; /* bytes of data, by the IP header's length */
	uint32_t tsval;	  /* with has_timestamp; else 0, as the kernel takes it */
	uint32_t tsecr;
};

/* RFC 9293, 3.1 */
#define SYNPAWS_FIN 0x01
#define SYNPAWS_SYN 0x02
#define SYNPAWS_RST 0x04
#define SYNPAWS_ACK 0x10

/* What synpaws_segment_decode() found. All but OK leave the segment undefined. */
enum synpaws_decode {
	SYNPAWS_DECODE_OK,
	SYNPAWS_DECODE_NOT_TCP,	  /* another protocol, or neither IPv4 nor IPv6 */
	SYNPAWS_DECODE_FRAGMENT,  /* a fragment that does not hold the whole TCP header */
	SYNPAWS_DECODE_TRUNCATED, /* the capture ends before the TCP header does */
	SYNPAWS_DECODE_MALFORMED, /* lengths contradict each other: the kernel discards it */
	SYNPAWS_DECODE_CHECKSUM,  /* wrong IPv4 or TCP checksum: the kernel discards it */
	SYNPAWS_DECODE_KINDS
};

/* The TCP checksum is still to be filled in by hardware (NFQA_SKB_CSUMNOTREADY). */
#define SYNPAWS_CHECKSUM_PENDING 0x01

/*
 * Decode an IP packet. `packet` holds its first `captured` bytes from the IP header on, `length`
 * is how long it was on the wire (captured <= length), or SIZE_MAX where only the IP header tells.
 * `options` is 0 or SYNPAWS_CHECKSUM_PENDING. Checksums are verified where all bytes are there.
 *
 * Fills everything in `seg` but time_ns, second, ifindex and forwarded, which the caller owns.
 *
 * Discards what ip_rcv(), ipv6_rcv() and tcp_v4_rcv() discard before they look for a socket; reads
 * options as tcp_parse_options() does (Linux 2.6.32 to 4.9): kind 8 counts with length 10 exactly,
 * the last one wins, and a length that cannot be ends the walk but keeps what was found.
 */
enum synpaws_decode synpaws_segment_decode(struct synpaws_segment *seg, const void *packet,
					   size_t captured, size_t length, unsigned int options);

/* A name for statistics, such as "not-tcp". Static storage. */
const char *synpaws_decode_name(enum synpaws_decode result);

/* True for a segment that opens a connection: SYN alone among SYN, ACK, RST and FIN. */
static inline bool synpaws_segment_is_syn(const struct synpaws_segment *seg)
{
	return (seg->flags & (SYNPAWS_FIN | SYNPAWS_SYN | SYNPAWS_RST | SYNPAWS_ACK)) ==
	       SYNPAWS_SYN;
}

#endif
