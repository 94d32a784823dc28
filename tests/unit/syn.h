/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYN_H
#define SYN_H

/* Segments by hand, for the tests of what comes behind the decoder. */

#include <arpa/inet.h>

#include <synpaws/segment.h>

#include "unit.h"

/* An address as struct synpaws_segment has it. Returns its IP version. */
static inline uint8_t syn_address(const char *text, uint8_t address[16])
{
	memset(address, 0, 16);
	if (inet_pton(AF_INET, text, address) == 1)
		return 4;
	assert_int_equal(inet_pton(AF_INET6, text, address), 1);
	return 6;
}

/* A SYN without timestamp. */
static inline struct synpaws_segment syn_plain(const char *source, const char *destination,
					       uint32_t second)
{
	struct synpaws_segment seg = {
		.time_ns = (uint64_t)second * 1000000000ULL,
		.second = second,
		.flags = SYNPAWS_SYN,
		.source_port = 40000,
		.destination_port = 443,
		.seq = 1,
	};

	seg.ip_version = syn_address(source, seg.source);
	assert_int_equal(syn_address(destination, seg.destination), seg.ip_version);
	return seg;
}

/* A SYN with one. */
static inline struct synpaws_segment syn(const char *source, const char *destination,
					 uint32_t second, uint32_t tsval)
{
	struct synpaws_segment seg = syn_plain(source, destination, second);

	seg.has_timestamp = true;
	seg.tsval = tsval;
	return seg;
}

#endif
