/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PIECES_H
#define PIECES_H

/*
 * Packets cut into IP fragments. The pieces are handed over in memory that ends where they do, so
 * that ASan sees a byte too many.
 */

#include "packet.h"

#include "os/clock.h"
#include "source/fragments.h"

#define PIECES_PLACES 4 /* datagrams that can wait */

/* A packet to be cut up. */
struct pieces_original {
	struct packet_made made;
	size_t header;	/* what every piece begins with */
	size_t next_at; /* IPv6: where the fragment header announces itself */
	uint32_t id;
};

/* IPv4 with 8 bytes of options, IPv6 with two extension headers that each piece has and one not. */
static inline struct pieces_original pieces_original(bool six, size_t payload, uint32_t id)
{
	struct pieces_original o;

	memset(&o, 0, sizeof(o));
	o.id = id;
	if (six) {
		packet_ipv6(&o.made, "fd99:1::185", "fd99::1");
		packet_extension(&o.made, 0, 0, 0);
		packet_extension(&o.made, 43, 1, 0);
		o.header = o.made.length;
		o.next_at = o.made.next;
		packet_extension(&o.made, 60, 0, 0);
	} else {
		packet_ipv4(&o.made, "198.51.100.11", "10.99.0.1", 8);
		o.made.bytes[6] = 0;
		packet_put16(o.made.bytes + 4, id);
		o.header = o.made.length;
	}
	packet_tcp(&o.made, SYNPAWS_SYN, packet_usual, sizeof(packet_usual), payload);
	packet_finish(&o.made);
	return o;
}

static inline size_t pieces_data(const struct pieces_original *o)
{
	return o->made.length - o->header;
}

/* Make the piece with these bytes of the data; `more` as told, right or wrong. */
static inline struct packet_made pieces_cut(const struct pieces_original *o, size_t offset,
					    size_t length, bool more)
{
	const bool six = o->made.bytes[0] >> 4 == 6;
	struct packet_made p;
	uint8_t *after = p.bytes + o->header;

	memset(&p, 0, sizeof(p));
	memcpy(p.bytes, o->made.bytes, o->header);
	if (six) {
		after[0] = p.bytes[o->next_at];
		p.bytes[o->next_at] = 44;
		packet_put16(after + 2, (unsigned int)offset | (more ? 1 : 0));
		packet_put32(after + 4, o->id);
		after += 8;
	}
	assert_true(o->header + offset + length <= PACKET_MOST);
	memcpy(after, o->made.bytes + o->header + offset, length);
	p.length = (size_t)(after - p.bytes) + length;
	if (six) {
		packet_put16(p.bytes + 4, (unsigned int)p.length - 40);
		return p;
	}
	packet_put16(p.bytes + 2, (unsigned int)p.length);
	packet_put16(p.bytes + 6, (unsigned int)offset / 8 | (more ? 0x2000 : 0));
	packet_put16(p.bytes + 10, 0);
	packet_put16(p.bytes + 10, ~packet_sum(0, p.bytes, o->header) & 0xffff);
	return p;
}

/* What came of handing the first `captured` bytes over. */
static inline enum fragments_result pieces_take_captured(struct fragments *fragments,
							 const struct packet_made *p,
							 size_t captured, uint64_t second,
							 struct capture_packet *packet)
{
	uint8_t *copy = malloc(captured + (captured == 0));
	enum fragments_result result;

	assert_non_null(copy);
	memcpy(copy, p->bytes, captured);
	packet->time_ns = second * NS_PER_SECOND;
	packet->bytes = copy;
	packet->captured = captured;
	packet->length = p->length;
	result = fragments_take(fragments, packet);
	if (result == FRAGMENTS_NONE) {
		assert_ptr_equal(packet->bytes, copy);
		assert_int_equal(packet->captured, captured);
		assert_int_equal(packet->length, p->length);
	}
	free(copy);
	return result;
}

static inline enum fragments_result pieces_take(struct fragments *fragments,
						const struct packet_made *p, uint64_t second)
{
	struct capture_packet packet;

	return pieces_take_captured(fragments, p, p->length, second, &packet);
}

static inline enum fragments_result pieces_take_cut(struct fragments *fragments,
						    const struct pieces_original *o, size_t offset,
						    size_t length, bool more, uint64_t second)
{
	const struct packet_made p = pieces_cut(o, offset, length, more);

	return pieces_take(fragments, &p, second);
}

static inline struct fragments *pieces_fragments(void)
{
	struct fragments *fragments = fragments_new(PIECES_PLACES);

	assert_non_null(fragments);
	return fragments;
}

static inline void pieces_expect_lost(struct fragments *fragments, uint64_t count)
{
	fragments_finish(fragments);
	assert_int_equal(fragments_lost(fragments), count);
}

static inline void pieces_expect_original(const struct capture_packet *packet,
					  const struct pieces_original *o)
{
	struct synpaws_segment seg;

	assert_int_equal(packet->length, o->made.length);
	assert_int_equal(packet->captured, o->made.length);
	assert_memory_equal(packet->bytes, o->made.bytes, o->made.length);
	assert_int_equal(packet_decode(&seg, packet->bytes, packet->captured, packet->length, 0),
			 SYNPAWS_DECODE_OK);
	assert_int_equal(seg.tsval, 1000000);
}

/* Cut it into pieces of this size, but for the last, and hand them over. */
static inline void pieces_expect_again(struct fragments *fragments, const struct pieces_original *o,
				       size_t size, bool backwards)
{
	const size_t count = (pieces_data(o) + size - 1) / size;
	struct capture_packet packet;
	size_t i;

	for (i = 0; i < count; i++) {
		const size_t at = (backwards ? count - 1 - i : i) * size;
		const bool more = at + size < pieces_data(o);
		const struct packet_made p =
			pieces_cut(o, at, more ? size : pieces_data(o) - at, more);

		assert_int_equal(pieces_take_captured(fragments, &p, p.length, i / 8, &packet),
				 i + 1 < count ? FRAGMENTS_KEPT : FRAGMENTS_WHOLE);
	}
	assert_int_equal(packet.time_ns, (count - 1) / 8 * NS_PER_SECOND);
	pieces_expect_original(&packet, o);
}

#endif
