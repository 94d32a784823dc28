/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds src/core/segment.c to what a kernel does with a packet before it looks for a socket: what
 * it takes, down to the last field; what it discards, and by which name the decoder says so. The
 * first packets come from the recorded traces, so that decoder and test cannot share a mistake.
 * segment_options.c has the TCP options, segment_headers.c fragments, extension headers and
 * captures that end early, segment_random.c what no human would think of.
 */
#include "unit.h"

#include "packet.h"

struct recorded {
	const char *name;
	const char *hex;
	struct synpaws_segment seg;
};

/* golden/4.9.0: s03_boundary, frames 1 and 10; s12_ipv6, frames 1 and 10; without Ethernet. */
static const struct recorded recordings[] = {
	{ "a recorded IPv4 SYN",
	  "4500003c00dc400039060c3ec633640b0a63000175ae1f4170838b4400000000a002faf04566"
	  "0000020405b40402080a000f42400000000001030307",
	  { .ip_version = 4,
	    .flags = 0x02,
	    .has_timestamp = true,
	    .source = { 198, 51, 100, 11 },
	    .destination = { 10, 99, 0, 1 },
	    .source_port = 30126,
	    .destination_port = 8001,
	    .seq = 1887669060,
	    .tsval = 1000000 } },
	{ "another recorded IPv4 SYN",
	  "4500003c00e1400039060c39c633640b0a63000175af1f415b24c6dc00000000a002faf01f2b"
	  "0000020405b40402080a000f42410000000001030307",
	  { .ip_version = 4,
	    .flags = 0x02,
	    .has_timestamp = true,
	    .source = { 198, 51, 100, 11 },
	    .destination = { 10, 99, 0, 1 },
	    .source_port = 30127,
	    .destination_port = 8001,
	    .seq = 1529136860,
	    .tsval = 1000001 } },
	{ "a recorded IPv6 SYN",
	  "6000000000280639fd990001000000000000000000000185fd99000000000000000000000000"
	  "000178291f41d202ab9d00000000a002faf0f8fa0000020405b40402080a000f424000000000"
	  "01030307",
	  { .ip_version = 6,
	    .flags = 0x02,
	    .has_timestamp = true,
	    .source = { 0xfd, 0x99, 0, 1, [14] = 0x01, [15] = 0x85 },
	    .destination = { 0xfd, 0x99, [15] = 1 },
	    .source_port = 30761,
	    .destination_port = 8001,
	    .seq = 3523390365U,
	    .tsval = 1000000 } },
	{ "another recorded IPv6 SYN",
	  "6000000000280639fd990001000000000000000000000185fd99000000000000000000000000"
	  "0001782a1f41ac67849f00000000a002faf045920000020405b40402080a000f424100000000"
	  "01030307",
	  { .ip_version = 6,
	    .flags = 0x02,
	    .has_timestamp = true,
	    .source = { 0xfd, 0x99, 0, 1, [14] = 0x01, [15] = 0x85 },
	    .destination = { 0xfd, 0x99, [15] = 1 },
	    .source_port = 30762,
	    .destination_port = 8001,
	    .seq = 2892465311U,
	    .tsval = 1000001 } },
};

static size_t from_hex(const char *hex, uint8_t *bytes)
{
	unsigned int value;
	size_t n;

	for (n = 0; sscanf(hex + 2 * n, "%2x", &value) == 1; n++)
		bytes[n] = (uint8_t)value;
	return n;
}

static void expect(const struct packet_made *p, enum synpaws_decode should)
{
	struct synpaws_segment seg;

	assert_string_equal(synpaws_decode_name(packet_decode_all(&seg, p)),
			    synpaws_decode_name(should));
}

static void test_recorded(void **state)
{
	const struct recorded *recorded = *state;
	struct synpaws_segment seg;
	uint8_t bytes[128];
	const size_t length = from_hex(recorded->hex, bytes);

	assert_int_equal(packet_decode(&seg, bytes, length, length, 0), SYNPAWS_DECODE_OK);
	assert_true(packet_same(&seg, &recorded->seg));
	assert_true(synpaws_segment_is_syn(&seg));
}

static void test_every_field(void **state)
{
	static const uint8_t timestamp[] = {
		8, 10, 0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10
	};
	struct synpaws_segment should = { .ip_version = 4,
					  .flags = 0xff,
					  .has_timestamp = true,
					  .source = { 255, 254, 253, 252 },
					  .destination = { 128, 0, 0, 127 },
					  .source_port = 40001,
					  .destination_port = 443,
					  .seq = 0xdeadbeef,
					  .ack = 0x01020304,
					  .payload = 1000,
					  .tsval = 0xfedcba98,
					  .tsecr = 0x76543210 };
	struct synpaws_segment seg;
	struct packet_made p;

	(void)state;
	packet_ipv4(&p, "255.254.253.252", "128.0.0.127", 0);
	packet_tcp(&p, 0xff, timestamp, sizeof(timestamp), 1000);
	packet_finish(&p);
	assert_int_equal(packet_decode_all(&seg, &p), SYNPAWS_DECODE_OK);
	assert_true(packet_same(&seg, &should));
	packet_ipv6(&p, "fffe:fdfc:fbfa:f9f8:f7f6:f5f4:f3f2:f1f0", "::1");
	packet_tcp(&p, 0, NULL, 0, 0);
	packet_finish(&p);
	memset(&should, 0, sizeof(should));
	should.ip_version = 6;
	memcpy(should.source, p.bytes + 8, 16);
	memcpy(should.destination, p.bytes + 24, 16);
	should.source_port = 40001;
	should.destination_port = 443;
	should.seq = 0xdeadbeef;
	should.ack = 0x01020304;
	assert_int_equal(packet_decode_all(&seg, &p), SYNPAWS_DECODE_OK);
	assert_true(packet_same(&seg, &should));
}

/* Time and interface are the caller's, and stay as they are. */
static void test_leaves_the_callers_fields_alone(void **state)
{
	const struct packet_made p = packet_syn4(0);
	struct synpaws_segment seg = { .time_ns = 1, .second = 2, .ifindex = 3, .forwarded = true };

	(void)state;
	assert_int_equal(synpaws_segment_decode(&seg, p.bytes, p.length, p.length, 0),
			 SYNPAWS_DECODE_OK);
	assert_int_equal(seg.time_ns, 1);
	assert_int_equal(seg.second, 2);
	assert_int_equal(seg.ifindex, 3);
	assert_true(seg.forwarded);
}

static void test_only_a_lone_syn_is_a_syn(void **state)
{
	struct synpaws_segment seg = { .ip_version = 4 };
	unsigned int flags;

	(void)state;
	for (flags = 0; flags < 256; flags++) {
		seg.flags = (uint8_t)flags;
		assert_int_equal(synpaws_segment_is_syn(&seg), (flags & 0x17) == 0x02);
	}
}

static void test_not_tcp(void **state)
{
	struct packet_made p;
	unsigned int i;

	(void)state;
	for (i = 0; i < 256; i++) {
		p = packet_syn4(0);
		p.bytes[9] = (uint8_t)i;
		packet_checksums(&p);
		expect(&p, i == 6 ? SYNPAWS_DECODE_OK : SYNPAWS_DECODE_NOT_TCP);
		p = packet_syn6(0);
		p.bytes[6] = (uint8_t)i;
		if (i != 0 && i != 43 && i != 44 && i != 60)
			expect(&p, i == 6 ? SYNPAWS_DECODE_OK : SYNPAWS_DECODE_NOT_TCP);
	}
	for (i = 0; i < 16; i++) {
		p = packet_syn4(0);
		p.bytes[0] = (uint8_t)(i << 4 | 5);
		if (i != 4 && i != 6)
			expect(&p, SYNPAWS_DECODE_NOT_TCP);
	}
}

static void test_ipv4_lengths_that_contradict(void **state)
{
	static const unsigned int totals[] = { 0, 19, 59, 61, 65535 };
	struct synpaws_segment seg;
	struct packet_made p;
	unsigned int i;

	(void)state;
	for (i = 0; i < 5; i++) { /* a header shorter than 20 bytes */
		p = packet_syn4(0);
		p.bytes[0] = (uint8_t)(0x40 | i);
		expect(&p, SYNPAWS_DECODE_MALFORMED);
	}
	for (i = 0; i < COUNT(totals); i++) { /* TCP options cut off, and more than there is */
		p = packet_syn4(0);
		packet_put16(p.bytes + 2, totals[i]);
		packet_checksums(&p);
		expect(&p, SYNPAWS_DECODE_MALFORMED);
	}
	packet_ipv4(&p, "198.51.100.11", "10.99.0.1", 40);
	packet_tcp(&p, SYNPAWS_SYN, NULL, 0, 0);
	packet_finish(&p);
	packet_put16(p.bytes + 2, 59); /* less than its own header */
	packet_checksums(&p);
	expect(&p, SYNPAWS_DECODE_MALFORMED);
	for (i = 1; i < 20; i++) /* shorter on the wire than any IPv4 header */
		assert_int_equal(packet_decode(&seg, p.bytes, i, i, 0), SYNPAWS_DECODE_MALFORMED);
}

static void test_ipv6_lengths_that_contradict(void **state)
{
	static const unsigned int payloads[] = { 0, 19, 39, 41, 65535 };
	struct synpaws_segment seg;
	struct packet_made p;
	unsigned int i;

	(void)state;
	for (i = 0; i < COUNT(payloads); i++) {
		p = packet_syn6(0);
		packet_put16(p.bytes + 4, payloads[i]);
		expect(&p, SYNPAWS_DECODE_MALFORMED);
	}
	for (i = 1; i < 40; i++)
		assert_int_equal(packet_decode(&seg, p.bytes, i, i, 0), SYNPAWS_DECODE_MALFORMED);
}

/* With 20 bytes of options: doff 5 to 10 fits, less is no header, more runs past the end. */
static void test_doff(void **state)
{
	struct synpaws_segment seg;
	struct packet_made p;
	unsigned int doff, six;

	(void)state;
	for (six = 0; six < 2; six++) {
		for (doff = 0; doff < 16; doff++) {
			p = six ? packet_syn6(0) : packet_syn4(0);
			p.bytes[p.tcp + 12] = (uint8_t)(doff << 4 | 0x0f); /* reserved bits */
			packet_checksums(&p);
			if (doff < 5 || doff > 10) {
				expect(&p, SYNPAWS_DECODE_MALFORMED);
				continue;
			}
			assert_int_equal(packet_decode_all(&seg, &p), SYNPAWS_DECODE_OK);
			assert_int_equal(seg.payload, (10 - doff) * 4);
			assert_int_equal(seg.has_timestamp, doff >= 9);
		}
	}
}

/* Every bit of an IPv4 packet is under one checksum or the other. */
static void test_no_ipv4_packet_with_one_wrong_bit_is_taken(void **state)
{
	struct synpaws_segment seg;
	struct packet_made p;
	size_t bit;

	(void)state;
	for (p = packet_syn4(33), bit = 0; bit < 8 * p.length; bit++) {
		p.bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
		if (packet_decode_all(&seg, &p) == SYNPAWS_DECODE_OK)
			fail_msg("taken with bit %zu of byte %zu wrong", bit % 8, bit / 8);
		p.bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
	expect(&p, SYNPAWS_DECODE_OK);
}

/* In IPv6 traffic class, flow label and hop limit are under none. */
static void test_no_ipv6_packet_with_one_wrong_bit_is_taken(void **state)
{
	struct synpaws_segment seg;
	struct packet_made p;
	size_t bit;

	(void)state;
	for (p = packet_syn6(33), bit = 0; bit < 8 * p.length; bit++) {
		const bool covered = bit / 8 > 3 ? bit / 8 != 7 : bit / 8 == 0 && bit % 8 >= 4;

		p.bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
		if ((packet_decode_all(&seg, &p) == SYNPAWS_DECODE_OK) == covered)
			fail_msg("bit %zu of byte %zu", bit % 8, bit / 8);
		p.bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
	expect(&p, SYNPAWS_DECODE_OK);
}

/* Right sums over any length, odd ones too, and with a carry out of every word. */
static void test_right_checksums_of_any_length(void **state)
{
	struct packet_made p;
	size_t payload;

	(void)state;
	for (payload = 0; payload < 200; payload++) {
		p = packet_syn4(payload);
		expect(&p, SYNPAWS_DECODE_OK);
		memset(p.bytes + 60, 0xff, payload);
		packet_checksums(&p);
		expect(&p, SYNPAWS_DECODE_OK);
		p = packet_syn6(payload);
		expect(&p, SYNPAWS_DECODE_OK);
		memset(p.bytes + p.tcp, 0xff, 4);
		memset(p.bytes + 80, 0xff, payload);
		packet_checksums(&p);
		expect(&p, SYNPAWS_DECODE_OK);
		p.bytes[p.length - 1] ^= 0x10;
		expect(&p, SYNPAWS_DECODE_CHECKSUM);
	}
}

static void test_a_wrong_checksum_has_that_name(void **state)
{
	struct packet_made p = packet_syn4(0);

	(void)state;
	packet_put16(p.bytes + 10, 0xffff); /* of the IPv4 header */
	expect(&p, SYNPAWS_DECODE_CHECKSUM);
	p = packet_syn4(0);
	packet_put16(p.bytes + p.tcp + 16, 0);
	expect(&p, SYNPAWS_DECODE_CHECKSUM);
	p = packet_syn6(0);
	packet_put16(p.bytes + p.tcp + 16, 0);
	expect(&p, SYNPAWS_DECODE_CHECKSUM);
}

/* Hardware that still has to fill in the TCP checksum says nothing of the IPv4 header's. */
static void test_pending_checksum(void **state)
{
	const struct packet_made good = packet_syn4(9);
	struct packet_made p = good;
	struct synpaws_segment seg, whole;

	(void)state;
	assert_int_equal(packet_decode_all(&whole, &good), SYNPAWS_DECODE_OK);
	packet_put16(p.bytes + p.tcp + 16, 0x1234);
	assert_int_equal(packet_decode(&seg, p.bytes, p.length, p.length, SYNPAWS_CHECKSUM_PENDING),
			 SYNPAWS_DECODE_OK);
	assert_true(packet_same(&seg, &whole));
	assert_int_equal(
		packet_decode(&seg, good.bytes, good.length, good.length, SYNPAWS_CHECKSUM_PENDING),
		SYNPAWS_DECODE_OK);
	p.bytes[8]++;
	assert_int_equal(packet_decode(&seg, p.bytes, p.length, p.length, SYNPAWS_CHECKSUM_PENDING),
			 SYNPAWS_DECODE_CHECKSUM);
	p = packet_syn6(9);
	packet_put16(p.bytes + p.tcp + 16, 0x1234);
	assert_int_equal(packet_decode(&seg, p.bytes, p.length, p.length, SYNPAWS_CHECKSUM_PENDING),
			 SYNPAWS_DECODE_OK);
}

static void test_names_of_results(void **state)
{
	static const char *const names[SYNPAWS_DECODE_KINDS] = { "ok",	      "not-tcp",
								 "fragment",  "truncated",
								 "malformed", "checksum" };
	int i;

	(void)state;
	for (i = 0; i < SYNPAWS_DECODE_KINDS; i++)
		assert_string_equal(synpaws_decode_name((enum synpaws_decode)i), names[i]);
}

#define ALONE 13

int main(void)
{
	const struct CMUnitTest alone[ALONE] = {
		cmocka_unit_test(test_every_field),
		cmocka_unit_test(test_leaves_the_callers_fields_alone),
		cmocka_unit_test(test_only_a_lone_syn_is_a_syn),
		cmocka_unit_test(test_not_tcp),
		cmocka_unit_test(test_ipv4_lengths_that_contradict),
		cmocka_unit_test(test_ipv6_lengths_that_contradict),
		cmocka_unit_test(test_doff),
		cmocka_unit_test(test_no_ipv4_packet_with_one_wrong_bit_is_taken),
		cmocka_unit_test(test_no_ipv6_packet_with_one_wrong_bit_is_taken),
		cmocka_unit_test(test_right_checksums_of_any_length),
		cmocka_unit_test(test_a_wrong_checksum_has_that_name),
		cmocka_unit_test(test_pending_checksum),
		cmocka_unit_test(test_names_of_results),
	};
	struct CMUnitTest segment[COUNT(recordings) + ALONE];
	size_t i;

	for (i = 0; i < COUNT(recordings); i++)
		segment[i] = unit_row(recordings[i].name, test_recorded, &recordings[i]);
	memcpy(&segment[i], alone, sizeof(alone));
	return cmocka_run_group_tests(segment, NULL, NULL);
}
