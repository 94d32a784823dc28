/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds src/core/segment.c to two promises on bytes that strangers chose. It reads nothing but what
 * it was given: each packet is decoded from memory that ends where the packet does, so that ASan
 * sees a byte too many. And a packet that is cut off never becomes another segment: whenever the
 * front part of a packet decodes, it decodes to what the whole one does.
 *
 * The samples have every kind of header; each is cut at every byte, then many thousands of times
 * changed in a few places and cut again.
 */
#include "unit.h"

#include "packet.h"

#define SAMPLES	  10
#define MUTATIONS 300000

static struct packet_made samples[SAMPLES];

static uint64_t seed;

static int make_samples(void **state)
{
	static const uint8_t odd[] = { 1, 8, 10, 0, 0, 0x13, 0x88, 0, 0, 0, 7, 99, 4, 0, 0 };
	struct packet_made *p = samples;
	size_t i;

	(void)state;
	*p++ = packet_syn4(0);
	*p++ = packet_syn6(0);
	*p++ = packet_syn4(60);
	*p++ = packet_syn6(61);
	for (i = 0; i <= 40; i += 40, p++) {
		packet_ipv4(p, "198.51.100.11", "10.99.0.1", i);
		packet_tcp(p, SYNPAWS_SYN | SYNPAWS_ACK, odd, sizeof(odd), i);
		packet_finish(p);
	}
	for (i = 0; i < 4; i++, p++) {
		packet_ipv6(p, "fd99:1::185", "fd99::1");
		packet_extension(p, 0, i, 0);
		if (i > 0)
			packet_extension(p, 60, 0, 0);
		if (i > 1)
			packet_extension(p, 44, 0, i == 3);
		packet_tcp(p, SYNPAWS_SYN, odd, sizeof(odd), 10 * i);
		packet_finish(p);
	}
	return 0;
}

static void check_prefix(const struct packet_made *p, size_t captured, size_t wire,
			 unsigned int options)
{
	struct synpaws_segment front, whole;
	enum synpaws_decode result = packet_decode(&front, p->bytes, captured, wire, options);

	if ((unsigned int)result >= SYNPAWS_DECODE_KINDS)
		fail_msg("there is no result %d", (int)result);
	if (result != SYNPAWS_DECODE_OK)
		return;
	/* The whole one may have a wrong TCP checksum, which cannot be seen in a part of it. */
	result = packet_decode(&whole, p->bytes, p->length, wire, SYNPAWS_CHECKSUM_PENDING);
	assert_int_equal(result, SYNPAWS_DECODE_OK);
	if (!packet_same(&front, &whole))
		fail_msg("%zu bytes of %zu decode to another segment", captured, p->length);
	assert_true(front.ip_version == 4 || front.ip_version == 6);
	assert_true(front.has_timestamp || (front.tsval == 0 && front.tsecr == 0));
	assert_true(front.payload < wire);
}

static void test_every_prefix_of_every_sample(void **state)
{
	struct synpaws_segment seg;
	size_t i, captured;

	(void)state;
	for (i = 0; i < SAMPLES; i++) {
		assert_int_equal(packet_decode_all(&seg, &samples[i]), SYNPAWS_DECODE_OK);
		for (captured = 0; captured <= samples[i].length; captured++) {
			check_prefix(&samples[i], captured, samples[i].length, 0);
			check_prefix(&samples[i], captured, samples[i].length,
				     SYNPAWS_CHECKSUM_PENDING);
			check_prefix(&samples[i], captured, samples[i].length + 1000, 0);
			check_prefix(&samples[i], captured, SIZE_MAX, 0);
		}
	}
}

/* A few bytes become others: an edge of what a length or a kind can be, or anything. */
static void mutate(struct packet_made *p, uint64_t *dice)
{
	static const uint8_t edges[] = { 0,  1,	 2,  4,	   5,	 6,    7,    8,	   9,	10,
					 11, 20, 40, 43,   44,	 51,   59,   60,   127, 128,
					 15, 16, 17, 0x20, 0x3f, 0x45, 0x4f, 0x60, 254, 255 };
	uint32_t changes = unit_below(dice, 4);

	if (unit_below(dice, 8) == 0)
		p->length = unit_below(dice, (uint32_t)p->length + 1);
	for (; changes > 0 && p->length > 0; changes--) {
		const size_t at = unit_below(dice, (uint32_t)p->length);

		p->bytes[at] = unit_below(dice, 2) != 0 ? edges[unit_below(dice, COUNT(edges))]
							: (uint8_t)unit_random(dice);
	}
}

/* Half of them get right checksums again, so that they reach what lies behind. */
static void mend(struct packet_made *p)
{
	const bool four = p->length >= 20 && p->bytes[0] >> 4 == 4;
	const size_t header = four ? (size_t)(p->bytes[0] & 15) * 4 : 40;

	if (p->length < header + 20 || header < 20)
		return;
	if (four)
		p->tcp = header;
	if (p->length >= p->tcp + 20)
		packet_checksums(p);
}

static void test_random_mutations_and_random_prefixes(void **state)
{
	unsigned int taken = 0;
	uint64_t dice = seed;
	struct synpaws_segment seg;
	size_t i;

	(void)state;
	for (i = 0; i < MUTATIONS; i++) {
		struct packet_made p = samples[unit_below(&dice, SAMPLES)];
		const unsigned int options = unit_below(&dice, 2);
		const size_t wires[] = { p.length, p.length, p.length + 100, SIZE_MAX };
		const size_t wire = wires[unit_below(&dice, COUNT(wires))];

		mutate(&p, &dice);
		if (unit_below(&dice, 2) != 0)
			mend(&p);
		check_prefix(&p, p.length, wire, options);
		check_prefix(&p, unit_below(&dice, (uint32_t)p.length + 1), wire, options);
		taken += packet_decode(&seg, p.bytes, p.length, wire, options) == SYNPAWS_DECODE_OK;
	}
	/* Were all refused, or none, nothing would have been seen. */
	assert_in_range(taken, MUTATIONS / 10, MUTATIONS - MUTATIONS / 10);
}

/* Nothing but dice, with a version that gets them past the first look. */
static void test_random_bytes(void **state)
{
	uint64_t dice = seed + 1;
	struct packet_made p;
	size_t i, j;

	(void)state;
	memset(&p, 0, sizeof(p));
	for (i = 0; i < MUTATIONS / 3; i++) {
		p.length = unit_below(&dice, 120);
		for (j = 0; j < p.length; j++)
			p.bytes[j] = (uint8_t)unit_random(&dice);
		p.bytes[0] = (uint8_t)(i % 2 != 0 ? 0x45 : 0x60);
		if (p.length > 6 && i % 2 == 0)
			p.bytes[6] = i % 4 == 0 ? 6 : 60;
		check_prefix(&p, p.length, p.length, (unsigned int)i % 2);
		check_prefix(&p, p.length / 2, p.length, SYNPAWS_CHECKSUM_PENDING);
		check_prefix(&p, p.length, p.length + 40000, SYNPAWS_CHECKSUM_PENDING);
	}
}

int main(void)
{
	const struct CMUnitTest segment_random[] = {
		cmocka_unit_test(test_every_prefix_of_every_sample),
		cmocka_unit_test(test_random_mutations_and_random_prefixes),
		cmocka_unit_test(test_random_bytes),
	};

	seed = unit_seed("segment_random");
	return cmocka_run_group_tests(segment_random, make_samples, NULL);
}
