/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef WIRE_FRAMES_H
#define WIRE_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NOTHING (-1) /* where 0 is as usual */

/*
 * What a frame of the list is made of. What is zero is as usual: both families, TCP, everything
 * right. The IPv6 extension headers are a chain of these:
 *
 * h  hop by hop, 8 bytes           d  destination options, 8 bytes    D  the same, 24 bytes
 * r  routing, used up, 24 bytes    f  fragment                        A  authentication, 24 bytes
 * t  the first 4 bytes of d        x  no byte of d                    o  d that says 2048 bytes
 */
struct spec {
	const char *set;
	const char *name;
	int family;	  /* only this one */
	int protocol;	  /* IPPROTO_ICMP is ICMPv6 in IPv6 */
	uint8_t flags;	  /* TCP flags */
	uint8_t traffic;  /* type of service, traffic class */
	int doff;	  /* data offset in words that the header claims, NOTHING for 0 */
	uint16_t spoil;	  /* xor this into the checksum */
	uint16_t data;	  /* bytes after the header */
	uint16_t padding; /* Ethernet padding after the packet */
	int keep;	  /* bytes of the segment that are sent, from `from` on */
	uint16_t from;
	bool fragment;
	bool more;	   /* more fragments follow */
	bool same_id;	   /* fragment of the same datagram as the frame before */
	const char *chain; /* by default "f" if this is a fragment, or else none */
	const char *options;
	size_t options_length;
	const char *ip_options; /* IPv4 */
	size_t ip_options_length;
};

/* The list; the set of the one after the last is NULL. */
extern const struct spec FRAMES[];

#endif
