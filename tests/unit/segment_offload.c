/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds src/core/segment.c to SYNPAWS_CHECKSUM_PARTIAL_OK: what a capture shows of a segment that
 * the sending host's hardware has yet to finish is taken with it, and only with it, and nothing
 * else that is wrong is taken because of it.
 */
#include "unit.h"

#include "packet.h"

#define PARTIAL SYNPAWS_CHECKSUM_PARTIAL_OK

static struct packet_made make(bool six, size_t payload)
{
	return six ? packet_syn6(payload) : packet_syn4(payload);
}

/* The sum over the pseudo-header of a segment that is so long. */
static unsigned int pseudo_sum(const struct packet_made *p, size_t length)
{
	const bool four = p->bytes[0] >> 4 == 4;

	return packet_sum(6 + (uint32_t)length, p->bytes + (four ? 12 : 8), four ? 8 : 32);
}

static void put_checksum(struct packet_made *p, unsigned int checksum)
{
	packet_put16(p->bytes + p->tcp + 16, checksum);
}

static void expect(const struct packet_made *p, unsigned int options, enum synpaws_decode should)
{
	struct synpaws_segment seg;
	const enum synpaws_decode is = packet_decode(&seg, p->bytes, p->length, p->length, options);

	assert_string_equal(synpaws_decode_name(is), synpaws_decode_name(should));
}

/* Taken with the option, and all its fields as if it were finished. */
static void expect_taken(const struct packet_made *p, size_t captured, size_t payload)
{
	const struct packet_made finished = make(p->bytes[0] >> 4 == 6, payload);
	struct synpaws_segment seg, should;

	assert_int_equal(packet_decode_all(&should, &finished), SYNPAWS_DECODE_OK);
	assert_string_equal(
		synpaws_decode_name(packet_decode(&seg, p->bytes, captured, p->length, PARTIAL)),
		"ok");
	assert_true(packet_same(&seg, &should));
}

static void test_a_pseudo_header_sum_is_good_with_the_option_only(void **state)
{
	struct packet_made p;
	size_t payload;
	int six;

	(void)state;
	for (six = 0; six < 2; six++) {
		for (payload = 0; payload < 2000; payload += 1 + payload / 3) {
			p = make(six != 0, payload);
			expect(&p, PARTIAL, SYNPAWS_DECODE_OK);
			put_checksum(&p, pseudo_sum(&p, p.length - p.tcp));
			expect(&p, 0, SYNPAWS_DECODE_CHECKSUM);
			expect(&p, SYNPAWS_CHECKSUM_PENDING, SYNPAWS_DECODE_OK);
			expect_taken(&p, p.length, payload);
		}
	}
}

/* Every other value of the field: one is the right checksum, one is the pseudo-header's sum. */
static void test_all_checksums_there_are(void **state)
{
	struct packet_made p;
	struct synpaws_segment seg;
	unsigned int checksum, taken;
	int six;

	(void)state;
	for (six = 0; six < 2; six++) {
		p = make(six != 0, 3);
		for (checksum = taken = 0; checksum < 0x10000; checksum++) {
			put_checksum(&p, checksum);
			taken += packet_decode(&seg, p.bytes, p.length, p.length, PARTIAL) ==
				 SYNPAWS_DECODE_OK;
		}
		assert_int_equal(taken, 2);
	}
}

/* The sum is one over a length: that of another segment is wrong. */
static void test_sums_of_other_lengths_are_wrong(void **state)
{
	struct packet_made p;
	int six;

	(void)state;
	for (six = 0; six < 2; six++) {
		p = make(six != 0, 3);
		put_checksum(&p, pseudo_sum(&p, 0));
		expect(&p, PARTIAL, SYNPAWS_DECODE_CHECKSUM);
		put_checksum(&p, pseudo_sum(&p, p.length));
		expect(&p, PARTIAL, SYNPAWS_DECODE_CHECKSUM);
		put_checksum(&p, ~pseudo_sum(&p, p.length - p.tcp) & 0xffff);
		expect(&p, PARTIAL, SYNPAWS_DECODE_CHECKSUM);
	}
}

static void test_the_ipv4_header_needs_its_checksum(void **state)
{
	struct packet_made p = make(false, 3);

	(void)state;
	p.bytes[11] ^= 1;
	expect(&p, PARTIAL, SYNPAWS_DECODE_CHECKSUM);
	packet_put16(p.bytes + 10, 0);
	expect(&p, PARTIAL, SYNPAWS_DECODE_CHECKSUM);
}

/* As e1000_tso() of Linux 2.6.32 leaves it for the hardware. */
static struct packet_made make_tso(bool six, size_t payload)
{
	struct packet_made p = make(six, payload);

	packet_put16(p.bytes + (six ? 4 : 2), 0);
	if (!six)
		packet_put16(p.bytes + 10, 0);
	put_checksum(&p, pseudo_sum(&p, 0));
	return p;
}

static void test_no_length_is_that_of_the_wire_with_the_option_only(void **state)
{
	struct packet_made p;
	size_t payload, captured;
	int six;

	(void)state;
	for (six = 0; six < 2; six++) {
		for (payload = 0; payload < 3000; payload += 1 + payload / 3) {
			p = make_tso(six != 0, payload);
			expect(&p, 0, SYNPAWS_DECODE_MALFORMED);
			expect(&p, SYNPAWS_CHECKSUM_PENDING, SYNPAWS_DECODE_MALFORMED);
			for (captured = p.tcp + 40; captured < p.length; captured += 99)
				expect_taken(&p, captured, payload);
			expect_taken(&p, p.length, payload);
			put_checksum(&p, pseudo_sum(&p, p.length - p.tcp));
			expect_taken(&p, p.length, payload);
			put_checksum(&p, pseudo_sum(&p, p.length - p.tcp) + 1);
			expect(&p, PARTIAL, SYNPAWS_DECODE_CHECKSUM);
		}
	}
}

/* More than an IP header's 16 bits could tell: TCP of later kernels makes such (BIG TCP). */
static void test_a_length_that_no_header_can_tell(void **state)
{
	struct packet_made p;
	struct synpaws_segment seg;
	int six;

	(void)state;
	for (six = 0; six < 2; six++) {
		p = make_tso(six != 0, 1400);
		assert_int_equal(packet_decode(&seg, p.bytes, p.length, 180000, PARTIAL),
				 SYNPAWS_DECODE_OK);
		assert_int_equal(seg.payload, 180000 - p.tcp - 40);
	}
}

static void test_no_length_anywhere(void **state)
{
	struct packet_made p;
	struct synpaws_segment seg;
	int six;

	(void)state;
	for (six = 0; six < 2; six++) {
		p = make_tso(six != 0, 3);
		assert_int_equal(packet_decode(&seg, p.bytes, p.length, SIZE_MAX, PARTIAL),
				 SYNPAWS_DECODE_MALFORMED);
	}
}

int main(void)
{
	const struct CMUnitTest segment_offload[] = {
		cmocka_unit_test(test_a_pseudo_header_sum_is_good_with_the_option_only),
		cmocka_unit_test(test_all_checksums_there_are),
		cmocka_unit_test(test_sums_of_other_lengths_are_wrong),
		cmocka_unit_test(test_the_ipv4_header_needs_its_checksum),
		cmocka_unit_test(test_no_length_is_that_of_the_wire_with_the_option_only),
		cmocka_unit_test(test_a_length_that_no_header_can_tell),
		cmocka_unit_test(test_no_length_anywhere),
	};

	return cmocka_run_group_tests(segment_offload, NULL, NULL);
}
