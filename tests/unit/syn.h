/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYN_H
#define SYN_H

/* Segments by hand, for the tests of what comes behind the decoder. */

#include <arpa/inet.h>

#include <synpaws/mirror.h>

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
		.order_ns = (uint64_t)second * 1000000000ULL,
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

/* What the last segment shown to a mirror of syn_mirror() led to. */
struct syn_last {
	bool emitted;
	struct synpaws_outcome outcome;
};

static struct syn_last syn_last;

static inline void syn_keep(void *context, const struct synpaws_segment *seg,
			    const struct synpaws_outcome *outcome)
{
	struct syn_last *last = context;

	(void)seg;
	last->emitted = true;
	last->outcome = *outcome;
}

/* A mirror whose outcomes syn_judge() gets; NULL with errno as synpaws_mirror_new(). */
static inline struct synpaws_mirror *syn_mirror(struct synpaws_mirror_config config)
{
	config.emit = syn_keep;
	config.context = &syn_last;
	return synpaws_mirror_new(&config);
}

/* On SYN evidence: the outcome of one segment, all zero if there was none. */
static inline struct synpaws_outcome syn_judge(struct synpaws_mirror *mirror,
					       const struct synpaws_segment *seg)
{
	memset(&syn_last, 0, sizeof(syn_last));
	synpaws_mirror_take(mirror, seg);
	return syn_last.outcome;
}

#endif
