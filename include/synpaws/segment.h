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
	uint64_t time_ns;  /* arrival, wall clock, nanoseconds since 1970 */
	uint64_t order_ns; /* arrival on a clock that is never set; of a capture, time_ns again */
	uint32_t second;   /* arrival as the kernel's get_seconds() gives it: whole seconds as of
			      the last timer tick, never rounded up */
	uint32_t ifindex;  /* interface it came in by, 0 if unknown */
	bool forwarded; /* seen on its way through a gateway: each host is a machine of its own */
	uint8_t way;	/* SYNPAWS_WAY_IN and so on */
	uint8_t ip_version;  /* 4 or 6 */
	uint8_t flags;	     /* SYNPAWS_FIN and so on */
	bool has_timestamp;  /* carries a TCP timestamp option that Linux takes (RFC 7323, 3.2) */
	bool has_md5;	     /* carries an MD5 signature (RFC 2385, 3.0) */
	bool sack_permitted; /* RFC 2018, 2 */
	int8_t window_scale; /* RFC 7323, 2.2; -1 without the option */
	uint8_t source[16];
	uint8_t destination[16];
	uint16_t source_port;
	uint16_t destination_port;
	uint32_t seq;
	uint32_t ack;
	uint32_t payload; /* bytes of data, by the IP header's length */
	uint16_t window;  /* as it stands in the header, not scaled */
	uint16_t ip_id;	  /* IPv4 identification; 0 in IPv6 */
	uint32_t tsval;	  /* with has_timestamp; else 0, as the kernel takes it */
	uint32_t tsecr;
};

/* Where it was seen. Without a host's own hooks, its addresses tell whether it goes in or out. */
#define SYNPAWS_WAY_ANY 0 /* a gateway or a capture */
#define SYNPAWS_WAY_IN	1 /* on the way into this machine */
#define SYNPAWS_WAY_OUT 2 /* on the way out of it */

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
 * What was captured on the host that sent it may have left the kernel unfinished (CHECKSUM_PARTIAL,
 * TSO): a TCP checksum that is just the pseudo-header's sum is good, and a length of 0 in the IP
 * header means the length on the wire, the IPv4 header's checksum then being hardware's too. What
 * came in over a network never looks so, unless somebody forges it: for captures only.
 */
#define SYNPAWS_CHECKSUM_PARTIAL_OK 0x02

/*
 * Decode an IP packet. `packet` holds its first `captured` bytes from the IP header on, `length`
 * is how long it was on the wire (captured <= length), or SIZE_MAX where only the IP header tells.
 * `options` is a sum of SYNPAWS_CHECKSUM_PENDING and SYNPAWS_CHECKSUM_PARTIAL_OK. Checksums are
 * verified where all bytes are there.
 *
 * Fills everything in `seg` but time_ns, order_ns, second, ifindex, forwarded and way, which the
 * caller owns.
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
