/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds src/core/segment.c to how a kernel reads TCP options. Most rows are what was sent to real
 * kernels in golden/s06_options, with what those were seen to take; then random options go through
 * a second parser, which was written from the same findings and walks an index instead of eating
 * the list up.
 */
#include "unit.h"

#include "packet.h"

#define RANDOM_OPTIONS 200000

struct option_row {
	const char *name;
	const char *hex; /* padded with zeros to a multiple of four bytes */
	bool has_timestamp;
	uint32_t tsval, tsecr;
};

#define NOPS_28 "01010101010101010101010101010101010101010101010101010101"

static const struct option_row rows[] = {
	{ "no options at all", "", false, 0, 0 },
	{ "no timestamp option", "020405b401010402", false, 0, 0 },
	{ "TSval 0 is a timestamp", "020405b40402080a0000000000000000", true, 0, 0 },
	{ "what Linux sends", "020405b40402080a000013880000000001030307", true, 5000, 0 },
	{ "TSecr is read and irrelevant", "020405b40402080a0000138800003039", true, 5000, 12345 },
	{ "TSval and TSecr all ones", "0101080affffffffffffffff", true, UINT32_MAX, UINT32_MAX },
	{ "aligned as on established connections", "0101080a0000138800000000", true, 5000, 0 },
	{ "odd alignment: one NOP", "01080a0000138800000000", true, 5000, 0 },
	{ "odd alignment: three NOPs", "010101080a0000138800000000", true, 5000, 0 },
	{ "no alignment at all", "080a0000138800000000", true, 5000, 0 },
	{ "after the end of the list", "0001080a0000138800000000", false, 0, 0 },
	{ "after the end of the list, aligned", "020405b400000000080a0000138800000000", false, 0,
	  0 },
	{ "before the end of the list", "080a000013880000000000080a0000000900000000", true, 5000,
	  0 },
	{ "low, then high: the last wins", "080a0000138800000000080a001e848000000000", true,
	  2000000, 0 },
	{ "high, then low: the last wins", "080a001e848000000000080a0000138800000000", true, 5000,
	  0 },
	{ "three: the last wins", "080a0000138800000000080a001e848000000000080a0000138800000007",
	  true, 5000, 7 },
	{ "then a second one cut short: the first counts", "080a0000138800000000080a", true, 5000,
	  0 },
	{ "then one of length 9: the first counts", "080a0000138800000000080900000000000000", true,
	  5000, 0 },
	{ "then one of length 0: the first counts", "080a00001388000000000800001e848000000000",
	  true, 5000, 0 },
	{ "then junk of length 1, then another: the first counts",
	  "080a00001388000000006301080a001e848000000000", true, 5000, 0 },
	{ "then junk past the end, then another: the first counts",
	  "080a00001388000000006328080a001e848000000000", true, 5000, 0 },
	{ "kind 8 of length 0", "080000001388000000000000", false, 0, 0 },
	{ "kind 8 of length 1", "080100001388000000000000", false, 0, 0 },
	{ "kind 8 of length 2", "080200001388000000000000", false, 0, 0 },
	{ "kind 8 of length 9", "080900001388000000000000", false, 0, 0 },
	{ "kind 8 of length 11", "080b00001388000000000000", false, 0, 0 },
	{ "kind 8 of length 12", "080c00001388000000000000", false, 0, 0 },
	{ "kind 8 of length 9, then a good one", "080900001388000000080a0000177000000001", true,
	  6000, 1 },
	{ "kind 8 of length 11, then a good one", "080b000013880000000000080a0000177000000001",
	  true, 6000, 1 },
	{ "cut off by doff after 6 bytes", "0101080a00001388", false, 0, 0 },
	{ "cut off by doff after 9 bytes", "010101080a00001388000000", false, 0, 0 },
	{ "kind 8 as the last byte", "01010108", false, 0, 0 },
	{ "kind 8 and length 10, then nothing", "0101080a", false, 0, 0 },
	{ "an unknown kind is stepped over", "63040000080a0000138800000000", true, 5000, 0 },
	{ "an unknown kind of length 2", "6302080a0000138800000000", true, 5000, 0 },
	{ "an unknown kind of length 0 stops", "63000000080a0000138800000000", false, 0, 0 },
	{ "an unknown kind of length 1 stops", "63010000080a0000138800000000", false, 0, 0 },
	{ "an unknown kind past the end stops", "63280000080a0000138800000000", false, 0, 0 },
	{ "an unknown kind up to the very end", "6310080a000013880000000000000000", false, 0, 0 },
	{ "an unknown kind one byte past the end stops", "6311080a000013880000000000000000", false,
	  0, 0 },
	{ "kind 255 is a kind", "ff03ff080a0000138800000000", true, 5000, 0 },
	{ "MSS of length 3", "020305080a0000138800000000", true, 5000, 0 },
	{ "MSS 0", "02040000080a0000138800000000", true, 5000, 0 },
	{ "SACK permitted of length 3", "040300080a0000138800000000", true, 5000, 0 },
	{ "window scale 15", "03030f01080a0000138800000000", true, 5000, 0 },
	{ "an MD5 signature before it", "131200000000000000000000000000000000080a0000138800000000",
	  true, 5000, 0 },
	{ "40 NOPs", NOPS_28 "010101010101010101010101", false, 0, 0 },
	{ "28 NOPs, NOP, NOP, timestamp", NOPS_28 "0101080a0000138800000000", true, 5000, 0 },
	{ "30 NOPs and one byte less than it needs", NOPS_28 "010101080a00001388000000", false, 0,
	  0 },
	{ "a timestamp inside another option", "630c080a0000138800000000", false, 0, 0 },
};

static struct synpaws_segment decode(const uint8_t *options, size_t length, bool six)
{
	struct packet_made p;
	struct synpaws_segment seg;

	if (six)
		packet_ipv6(&p, "fd99:1::185", "fd99::1");
	else
		packet_ipv4(&p, "198.51.100.11", "10.99.0.1", 0);
	packet_tcp(&p, SYNPAWS_SYN, options, length, 0);
	packet_finish(&p);
	assert_int_equal(packet_decode_all(&seg, &p), SYNPAWS_DECODE_OK);
	assert_int_equal(seg.payload, 0);
	return seg;
}

static void test_option_row(void **state)
{
	const struct option_row *row = *state;
	struct synpaws_segment seg;
	uint8_t options[40];
	unsigned int value;
	size_t n;
	int six;

	for (n = 0; sscanf(row->hex + 2 * n, "%2x", &value) == 1; n++)
		options[n] = (uint8_t)value;
	for (six = 0; six < 2; six++) {
		seg = decode(options, n, six != 0);
		assert_int_equal(seg.has_timestamp, row->has_timestamp);
		assert_int_equal(seg.tsval, row->tsval);
		assert_int_equal(seg.tsecr, row->tsecr);
	}
}

/* Every kind and every length before a good timestamp, which is seen if the length is sane. */
static void test_every_kind_and_length_in_front(void **state)
{
	uint8_t options[40];
	struct synpaws_segment seg;
	unsigned int kind, length;

	(void)state;
	for (kind = 2; kind < 256; kind++) {
		for (length = 0; length < 256; length++) {
			memset(options, 1, sizeof(options));
			options[0] = (uint8_t)kind;
			options[1] = (uint8_t)length;
			memcpy(options + 30, "\x08\x0a\x00\x00\x13\x88\x00\x00\x00\x00", 10);
			seg = decode(options, sizeof(options), false);
			assert_int_equal(seg.has_timestamp, length >= 2 && length <= 30);
			assert_int_equal(seg.tsval, seg.has_timestamp ? 5000 : 0);
		}
	}
}

static uint32_t number_at(const uint8_t *at)
{
	return (((uint32_t)at[0] * 256 + at[1]) * 256 + at[2]) * 256 + at[3];
}

/* Finding 11, and A.5 of kernel-semantics.md. */
static void parse(const uint8_t *options, size_t size, struct option_row *found)
{
	size_t at = 0;

	memset(found, 0, sizeof(*found));
	while (at < size && options[at] != 0) {
		size_t length = 1;

		if (options[at] != 1) {
			if (at + 1 == size || options[at + 1] < 2 || at + options[at + 1] > size)
				break;
			length = options[at + 1];
			if (options[at] == 8 && length == 10) {
				found->has_timestamp = true;
				found->tsval = number_at(options + at + 2);
				found->tsecr = number_at(options + at + 6);
			}
		}
		at += length;
	}
}

struct other_row {
	const char *name;
	const char *hex;
	bool has_md5, sack_permitted;
	int window_scale; /* -1: none */
};

#define MD5_16 "00112233445566778899aabbccddeeff"

/* What tcp_parse_options() makes of the others that the mirror needs. */
static const struct other_row others[] = {
	{ "others: no options at all", "", false, false, -1 },
	{ "others: what Linux sends", "020405b40402080a000013880000000001030307", false, true, 7 },
	{ "others: window scale 0 is one", "03030001", false, false, 0 },
	{ "others: window scale 14", "03030e01", false, false, 14 },
	{ "others: window scale 15 becomes 14", "03030f01", false, false, 14 },
	{ "others: window scale 255 becomes 14", "0303ff01", false, false, 14 },
	{ "others: window scale of length 2", "03020101", false, false, -1 },
	{ "others: window scale of length 4", "03040707", false, false, -1 },
	{ "others: window scale twice, the last wins", "0303070103030201", false, false, 2 },
	{ "others: SACK permitted", "04020101", false, true, -1 },
	{ "others: SACK permitted of length 3", "04030001", false, false, -1 },
	{ "others: SACK, which is not SACK permitted", "0101050a0000000100000002", false, false,
	  -1 },
	{ "others: MD5", "1312" MD5_16 "0101", true, false, -1 },
	{ "others: MD5 of length 17", "1311" MD5_16 "0101", false, false, -1 },
	{ "others: MD5 of length 19", "1313" MD5_16 "0001", false, false, -1 },
	{ "others: MD5 cut short", "1312001122334455", false, false, -1 },
	{ "others: all of them", "1312" MD5_16 "0402030305", true, true, 5 },
	{ "others: after the end of the list", "000402030305", false, false, -1 },
	{ "others: after junk", "0402630103030501", false, true, -1 },
};

static void test_other_row(void **state)
{
	const struct other_row *row = *state;
	uint8_t options[40];
	unsigned int value;
	size_t n;
	int six;

	for (n = 0; sscanf(row->hex + 2 * n, "%2x", &value) == 1; n++)
		options[n] = (uint8_t)value;
	for (six = 0; six < 2; six++) {
		const struct synpaws_segment seg = decode(options, n, six != 0);

		assert_int_equal(seg.has_md5, row->has_md5);
		assert_int_equal(seg.sack_permitted, row->sack_permitted);
		assert_int_equal(seg.window_scale, row->window_scale);
	}
}

/* The window is not scaled, whatever the options say; an IPv6 header has no identification. */
static void test_window_and_identification(void **state)
{
	static const unsigned int values[] = { 0, 1, 255, 256, 0x8001, 0xfffe, 0xffff };
	struct packet_made p;
	struct synpaws_segment seg;
	size_t i;
	int six;

	(void)state;
	for (i = 0; i < COUNT(values); i++) {
		for (six = 0; six < 2; six++) {
			p = six != 0 ? packet_syn6(0) : packet_syn4(0);
			packet_put16(p.bytes + p.tcp + 14, values[i]);
			if (six == 0)
				packet_put16(p.bytes + 4, 0xffff - values[i]);
			packet_checksums(&p);
			assert_int_equal(packet_decode_all(&seg, &p), SYNPAWS_DECODE_OK);
			assert_int_equal(seg.window, values[i]);
			assert_int_equal(seg.ip_id, six != 0 ? 0 : 0xffff - values[i]);
		}
	}
}

static uint64_t seed;

static void test_random_options_through_a_second_parser(void **state)
{
	static const uint8_t kinds[] = { 0, 1, 1, 2, 4, 8, 8, 8, 10, 99, 255 };
	static const uint8_t lengths[] = { 0, 1, 2, 3, 4, 9, 10, 10, 10, 11, 40 };
	uint64_t dice = seed;
	struct synpaws_segment seg;
	struct option_row should;
	unsigned int with = 0;
	uint8_t options[40];
	size_t i, n, size;

	(void)state;
	for (n = 0; n < RANDOM_OPTIONS; n++) {
		size = 4 * (size_t)unit_below(&dice, 11);
		for (i = 0; i < size; i++) {
			const uint32_t what = unit_below(&dice, 8);

			options[i] = (uint8_t)unit_random(&dice);
			if (what < 5)
				options[i] = kinds[unit_below(&dice, COUNT(kinds))];
			else if (what < 7)
				options[i] = lengths[unit_below(&dice, COUNT(lengths))];
		}
		seg = decode(options, size, n % 2 != 0);
		parse(options, size, &should);
		assert_int_equal(seg.has_timestamp, should.has_timestamp);
		assert_int_equal(seg.tsval, should.tsval);
		assert_int_equal(seg.tsecr, should.tsecr);
		with += seg.has_timestamp;
	}
	assert_in_range(with, RANDOM_OPTIONS / 50, RANDOM_OPTIONS / 2);
}

#define ALONE 3

int main(void)
{
	const struct CMUnitTest alone[ALONE] = {
		cmocka_unit_test(test_window_and_identification),
		cmocka_unit_test(test_every_kind_and_length_in_front),
		cmocka_unit_test(test_random_options_through_a_second_parser),
	};
	struct CMUnitTest segment_options[COUNT(rows) + COUNT(others) + ALONE];
	size_t i;

	seed = unit_seed("segment_options");
	for (i = 0; i < COUNT(rows); i++)
		segment_options[i] = unit_row(rows[i].name, test_option_row, &rows[i]);
	for (i = 0; i < COUNT(others); i++)
		segment_options[COUNT(rows) + i] =
			unit_row(others[i].name, test_other_row, &others[i]);
	memcpy(&segment_options[COUNT(rows) + COUNT(others)], alone, sizeof(alone));
	return cmocka_run_group_tests(segment_options, NULL, NULL);
}
