/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds src/core/segment.c to what may stand between the IP header and TCP (options, extension
 * headers in any order), to fragments (the first may hold the whole TCP header or not, the others
 * never do), and to captures that end early: whatever is missing, the answer is "truncated" and not
 * "malformed", since the packet itself is sound, and as soon as the TCP header is all there the
 * answer is the same as for the whole packet.
 */
#include "unit.h"

#include "packet.h"

#define HOP_BY_HOP  0
#define ROUTING	    43
#define FRAGMENT    44
#define DESTINATION 60

static const char *const peer4 = "198.51.100.11", *const host4 = "10.99.0.1";
static const char *const peer6 = "fd99:1::185", *const host6 = "fd99::1";

static void expect(const struct packet_made *p, enum synpaws_decode should)
{
	struct synpaws_segment seg;

	assert_string_equal(synpaws_decode_name(packet_decode_all(&seg, p)),
			    synpaws_decode_name(should));
}

/* Taken, with the fields of the usual SYN and this payload. */
static void expect_usual(const struct packet_made *p, size_t payload)
{
	const bool six = p->bytes[0] >> 4 == 6;
	const struct packet_made plain = six ? packet_syn6(payload) : packet_syn4(payload);
	struct synpaws_segment seg, usual;

	assert_int_equal(packet_decode_all(&usual, &plain), SYNPAWS_DECODE_OK);
	assert_string_equal(synpaws_decode_name(packet_decode_all(&seg, p)), "ok");
	assert_true(packet_same(&seg, &usual));
	assert_int_equal(seg.tsval, 1000000);
	assert_int_equal(seg.payload, payload);
}

static void put_syn(struct packet_made *p, size_t payload)
{
	packet_tcp(p, SYNPAWS_SYN, packet_usual, sizeof(packet_usual), payload);
	packet_finish(p);
}

static void test_ipv4_options(void **state)
{
	struct packet_made p;
	size_t options;

	(void)state;
	for (options = 0; options <= 40; options += 4) {
		packet_ipv4(&p, peer4, host4, options);
		put_syn(&p, 5);
		expect_usual(&p, 5);
		p.bytes[p.tcp - 1] ^= 1; /* the last byte of the header is under its checksum */
		expect(&p, SYNPAWS_DECODE_CHECKSUM);
	}
}

static void test_each_extension_header(void **state)
{
	static const uint8_t kinds[] = { HOP_BY_HOP, ROUTING, DESTINATION };
	struct packet_made p;
	size_t i, units;

	(void)state;
	for (i = 0; i < COUNT(kinds); i++) {
		for (units = 0; units < 256; units += units < 4 ? 1 : 63) {
			packet_ipv6(&p, peer6, host6);
			packet_extension(&p, kinds[i], units, 0xfff9);
			put_syn(&p, 7);
			expect_usual(&p, 7);
		}
	}
}

static void test_chains_of_extension_headers(void **state)
{
	static const uint8_t kinds[] = { HOP_BY_HOP, DESTINATION, ROUTING, FRAGMENT, DESTINATION };
	struct packet_made p;
	size_t length, i;

	(void)state;
	for (length = 1; length <= COUNT(kinds); length++) {
		packet_ipv6(&p, peer6, host6);
		for (i = 0; i < length; i++)
			packet_extension(&p, kinds[i], kinds[i] == FRAGMENT ? 0 : i, 0);
		put_syn(&p, 1);
		expect_usual(&p, 1);
	}
	packet_ipv6(&p, peer6, host6);
	for (i = 0; i < 100; i++) /* more than anybody sends */
		packet_extension(&p, DESTINATION, 0, 0);
	put_syn(&p, 0);
	expect_usual(&p, 0);
}

/* The chain ends with something else than TCP, at any place. */
static void test_chains_that_do_not_end_in_tcp(void **state)
{
	static const uint8_t ends[] = { 17, 58, 59, 50, 51, 132, 255 };
	struct packet_made p;
	size_t i, last;

	(void)state;
	for (i = 0; i < COUNT(ends); i++) {
		packet_ipv6(&p, peer6, host6);
		packet_extension(&p, HOP_BY_HOP, 0, 0);
		packet_extension(&p, DESTINATION, 1, 0);
		last = p.next;
		put_syn(&p, 0);
		p.bytes[last] = ends[i];
		expect(&p, SYNPAWS_DECODE_NOT_TCP);
	}
}

/* A fragment header counts eight bytes, whatever its second byte, which is reserved, says. */
static void test_an_atomic_fragment_is_a_whole_packet(void **state)
{
	struct packet_made p;
	size_t header;

	(void)state;
	packet_ipv6(&p, peer6, host6);
	header = p.length;
	packet_extension(&p, FRAGMENT, 0, 0x0006); /* reserved bits only */
	put_syn(&p, 3);
	p.bytes[header + 1] = 0xff;
	expect_usual(&p, 3);
	p.bytes[p.length - 1] ^= 1;
	expect(&p, SYNPAWS_DECODE_CHECKSUM);
}

static void test_extension_headers_longer_than_the_packet(void **state)
{
	struct packet_made p;
	unsigned int units;

	(void)state;
	packet_ipv6(&p, peer6, host6);
	packet_extension(&p, DESTINATION, 0, 0);
	put_syn(&p, 0);
	for (units = 0; units < 256; units++) { /* 5 units take in all of TCP, 6 are too many */
		p.bytes[41] = (uint8_t)units;
		expect(&p, units == 0 ? SYNPAWS_DECODE_OK : SYNPAWS_DECODE_MALFORMED);
	}
	for (units = 0; units < 8; units++) { /* the packet ends within an extension header */
		packet_ipv6(&p, peer6, host6);
		packet_extension(&p, units % 2 != 0 ? FRAGMENT : HOP_BY_HOP, 0, 0);
		p.length = p.tcp = 40 + units;
		packet_put16(p.bytes + 4, units);
		expect(&p, SYNPAWS_DECODE_MALFORMED);
	}
}

/* Spoil what a first fragment has no use for: the TCP checksum is one over the whole datagram. */
static void make_first_fragment(struct packet_made *p, size_t keep)
{
	const bool four = p->bytes[0] >> 4 == 4;

	p->length = p->tcp + keep;
	if (four) {
		p->bytes[6] = 0x20;
		packet_put16(p->bytes + 2, (unsigned int)p->length);
		packet_put16(p->bytes + 10, 0);
		packet_put16(p->bytes + 10, ~packet_sum(0, p->bytes, p->tcp) & 0xffff);
	} else {
		packet_put16(p->bytes + 4, (unsigned int)p->length - 40);
	}
}

/* 40 bytes of TCP header: 39 are not enough, and what lies behind is payload. */
static void test_first_fragments(void **state)
{
	struct packet_made p;
	size_t keep;
	int six;

	(void)state;
	for (six = 0; six < 2; six++) {
		for (keep = 0; keep <= 72; keep++) {
			if (six != 0) {
				packet_ipv6(&p, peer6, host6);
				packet_extension(&p, FRAGMENT, 0, 1);
			} else {
				packet_ipv4(&p, peer4, host4, 0);
			}
			put_syn(&p, 200);
			make_first_fragment(&p, keep);
			if (keep < 40)
				expect(&p, SYNPAWS_DECODE_FRAGMENT);
			else
				expect_usual(&p, keep - 40);
		}
	}
}

static void test_later_fragments(void **state)
{
	static const unsigned int offsets[] = { 1, 2, 3, 185, 0x1000, 0x1fff };
	struct packet_made p;
	size_t i;
	int more;

	(void)state;
	for (i = 0; i < COUNT(offsets); i++) {
		for (more = 0; more < 2; more++) {
			p = packet_syn4(64);
			packet_put16(p.bytes + 6, offsets[i] | (more != 0 ? 0x2000 : 0));
			packet_checksums(&p);
			expect(&p, SYNPAWS_DECODE_FRAGMENT);
			packet_ipv6(&p, peer6, host6);
			packet_extension(&p, HOP_BY_HOP, 0, 0);
			packet_extension(&p, FRAGMENT, 0, offsets[i] << 3 | (unsigned int)more);
			put_syn(&p, 64);
			expect(&p, SYNPAWS_DECODE_FRAGMENT);
		}
	}
}

/* Neither DF nor the bit that RFC 791 reserves makes a fragment. */
static void test_other_flags_are_no_fragments(void **state)
{
	static const unsigned int flags[] = { 0, 0x4000, 0x8000, 0xc000 };
	struct packet_made p;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(flags); i++) {
		p = packet_syn4(2);
		packet_put16(p.bytes + 6, flags[i]);
		packet_checksums(&p);
		expect_usual(&p, 2);
		p.bytes[p.length - 1] ^= 1;
		expect(&p, SYNPAWS_DECODE_CHECKSUM);
	}
}

/* Ethernet pads to 60 bytes: what lies behind the IP length is no part of the packet. */
static void test_padding_behind_the_packet(void **state)
{
	struct packet_made p;
	struct synpaws_segment seg;
	size_t padding;
	int six;

	(void)state;
	for (six = 0; six < 2; six++) {
		for (padding = 0; padding < 60; padding++) {
			p = six != 0 ? packet_syn6(3) : packet_syn4(3);
			memset(p.bytes + p.length, 0xee, padding);
			p.length += padding;
			expect_usual(&p, 3);
			p.bytes[p.length - padding - 1] ^= 1;
			expect(&p, SYNPAWS_DECODE_CHECKSUM);
			/* and neither is padding that the capture lacks */
			p.bytes[p.length - padding - 1] ^= 1;
			assert_int_equal(
				packet_decode(&seg, p.bytes, p.length - padding, p.length, 0),
				SYNPAWS_DECODE_OK);
		}
	}
}

/* An extension header may not reach into the padding either. */
static void test_headers_in_the_padding(void **state)
{
	struct packet_made p;

	(void)state;
	packet_ipv6(&p, peer6, host6);
	packet_extension(&p, DESTINATION, 0, 0);
	put_syn(&p, 0);
	packet_put16(p.bytes + 4, 8); /* TCP is all padding */
	expect(&p, SYNPAWS_DECODE_MALFORMED);
	packet_put16(p.bytes + 4, 7);
	expect(&p, SYNPAWS_DECODE_MALFORMED);
	p = packet_syn4(0);
	packet_put16(p.bytes + 2, 39);
	packet_checksums(&p);
	expect(&p, SYNPAWS_DECODE_MALFORMED);
}

struct sample {
	const char *name;
	size_t ipv4_options; /* with IPv4 */
	bool six;
	bool fragment;
	size_t payload;
};

static const struct sample samples[] = {
	{ "captures of an IPv4 SYN that end early", 0, false, false, 0 },
	{ "captures of an IPv4 SYN with data that end early", 0, false, false, 1400 },
	{ "captures of an IPv4 SYN with IP options that end early", 24, false, false, 30 },
	{ "captures of a first IPv4 fragment that end early", 0, false, true, 24 },
	{ "captures of an IPv6 SYN that end early", 0, true, false, 0 },
	{ "captures of an IPv6 SYN with data that end early", 0, true, false, 1400 },
	{ "captures of a first IPv6 fragment that end early", 0, true, true, 24 },
};

static void make_sample(const struct sample *sample, struct packet_made *p)
{
	if (sample->six) {
		packet_ipv6(p, peer6, host6);
		packet_extension(p, HOP_BY_HOP, 1, 0);
		packet_extension(p, DESTINATION, 0, 0);
		packet_extension(p, FRAGMENT, 0, sample->fragment ? 1 : 0);
	} else {
		packet_ipv4(p, peer4, host4, sample->ipv4_options);
	}
	put_syn(p, sample->payload);
	if (sample->fragment)
		make_first_fragment(p, 40 + sample->payload);
}

static void test_captures_that_end_early(void **state)
{
	struct packet_made p;
	struct synpaws_segment seg, whole;
	enum synpaws_decode result;
	size_t captured;

	make_sample(*state, &p);
	assert_int_equal(packet_decode_all(&whole, &p), SYNPAWS_DECODE_OK);
	for (captured = 0; captured < p.length; captured++) {
		result = packet_decode(&seg, p.bytes, captured, p.length, 0);
		if (result !=
		    (captured < p.tcp + 40 ? SYNPAWS_DECODE_TRUNCATED : SYNPAWS_DECODE_OK))
			fail_msg("%zu of %zu bytes: %s", captured, p.length,
				 synpaws_decode_name(result));
		if (result == SYNPAWS_DECODE_OK)
			assert_true(packet_same(&seg, &whole));
	}
}

/* With nothing but the IP header to tell the length, all is as if it had been told. */
static void test_lengths_that_only_the_ip_header_tells(void **state)
{
	struct packet_made p;
	struct synpaws_segment seg, whole;
	size_t i, captured;

	(void)state;
	for (i = 0; i < COUNT(samples); i++) {
		make_sample(&samples[i], &p);
		assert_int_equal(packet_decode_all(&whole, &p), SYNPAWS_DECODE_OK);
		for (captured = 0; captured <= p.length; captured++) {
			const enum synpaws_decode result =
				packet_decode(&seg, p.bytes, captured, SIZE_MAX, 0);

			assert_int_equal(result, captured < p.tcp + 40 ? SYNPAWS_DECODE_TRUNCATED
								       : SYNPAWS_DECODE_OK);
			if (result == SYNPAWS_DECODE_OK)
				assert_true(packet_same(&seg, &whole));
		}
	}
	p = packet_syn4(0);
	p.bytes[p.length - 1] ^= 1;
	assert_int_equal(packet_decode(&seg, p.bytes, p.length, SIZE_MAX, 0),
			 SYNPAWS_DECODE_CHECKSUM);
	packet_put16(p.bytes + 2, 39); /* less than its TCP header, whatever follows */
	packet_checksums(&p);
	assert_int_equal(packet_decode(&seg, p.bytes, p.length, SIZE_MAX, 0),
			 SYNPAWS_DECODE_MALFORMED);
}

/* Where not all bytes are there the checksum cannot be had, and the segment is taken. */
static void test_a_wrong_checksum_shows_only_in_whole_packets(void **state)
{
	struct packet_made p = packet_syn4(100);
	struct synpaws_segment seg;

	(void)state;
	p.bytes[65] ^= 1;
	assert_int_equal(packet_decode(&seg, p.bytes, p.length - 1, p.length, 0),
			 SYNPAWS_DECODE_OK);
	assert_int_equal(packet_decode(&seg, p.bytes, p.length, p.length, 0),
			 SYNPAWS_DECODE_CHECKSUM);
}

static void test_nothing_at_all(void **state)
{
	struct synpaws_segment seg;
	const uint8_t bytes[1] = { 0x45 };

	(void)state;
	assert_int_equal(packet_decode(&seg, bytes, 0, 0, 0), SYNPAWS_DECODE_MALFORMED);
	assert_int_equal(packet_decode(&seg, bytes, 0, 60, 0), SYNPAWS_DECODE_TRUNCATED);
	assert_int_equal(packet_decode(&seg, bytes, 1, 60, 0), SYNPAWS_DECODE_TRUNCATED);
	assert_int_equal(packet_decode(&seg, bytes, 1, 1, 0), SYNPAWS_DECODE_MALFORMED);
}

#define ALONE 14

int main(void)
{
	const struct CMUnitTest alone[ALONE] = {
		cmocka_unit_test(test_ipv4_options),
		cmocka_unit_test(test_each_extension_header),
		cmocka_unit_test(test_chains_of_extension_headers),
		cmocka_unit_test(test_chains_that_do_not_end_in_tcp),
		cmocka_unit_test(test_an_atomic_fragment_is_a_whole_packet),
		cmocka_unit_test(test_extension_headers_longer_than_the_packet),
		cmocka_unit_test(test_first_fragments),
		cmocka_unit_test(test_later_fragments),
		cmocka_unit_test(test_other_flags_are_no_fragments),
		cmocka_unit_test(test_padding_behind_the_packet),
		cmocka_unit_test(test_headers_in_the_padding),
		cmocka_unit_test(test_a_wrong_checksum_shows_only_in_whole_packets),
		cmocka_unit_test(test_nothing_at_all),
		cmocka_unit_test(test_lengths_that_only_the_ip_header_tells),
	};
	struct CMUnitTest segment_headers[COUNT(samples) + ALONE];
	size_t i;

	for (i = 0; i < COUNT(samples); i++)
		segment_headers[i] =
			unit_row(samples[i].name, test_captures_that_end_early, &samples[i]);
	memcpy(&segment_headers[i], alone, sizeof(alone));
	return cmocka_run_group_tests(segment_headers, NULL, NULL);
}
