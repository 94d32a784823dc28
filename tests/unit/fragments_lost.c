/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds src/source/fragments.c to giving up what cannot be one packet, what does not become whole
 * in time, and the oldest where there is no place; to counting each fragment that was lost, once;
 * and to being sound afterwards: the next packet becomes whole as if nothing had been.
 */
#include "unit.h"

#include "pieces.h"

/* Two pieces that cannot be of one packet: both are lost, and what follows begins anew. */
struct contradiction {
	const char *name;
	size_t offset, length;
	bool more;
	size_t offset2, length2;
	bool more2;
};

static const struct contradiction contradictions[] = {
	{ "a piece that overlaps the end of another", 0, 64, true, 56, 64, true },
	{ "a piece that overlaps the beginning of another", 56, 64, true, 0, 64, true },
	{ "a piece that has another in it", 64, 8, true, 0, 136, true },
	{ "a piece that goes on behind the end", 64, 76, false, 72, 80, true },
	{ "an end before what is there already", 64, 64, true, 56, 8, false },
	{ "two ends", 64, 76, false, 64, 12, false },
	{ "two ends, neither within the other", 64, 8, false, 72, 8, false },
};

static void test_contradiction(void **state)
{
	const struct contradiction *row = *state;
	struct fragments *fragments = pieces_fragments();
	int six;

	for (six = 0; six < 2; six++) {
		const struct pieces_original o = pieces_original(six != 0, 200, 1);

		assert_int_equal(
			pieces_take_cut(fragments, &o, row->offset, row->length, row->more, 0),
			FRAGMENTS_KEPT);
		assert_int_equal(
			pieces_take_cut(fragments, &o, row->offset2, row->length2, row->more2, 0),
			FRAGMENTS_KEPT);
		assert_int_equal(fragments_lost(fragments), 2 * six + 2);
		pieces_expect_again(fragments, &o, 64, false);
	}
	pieces_expect_lost(fragments, 4);
	fragments_free(fragments);
}

/* A piece that belongs to another packet is none of this one. */
static void test_pieces_of_different_packets_are_not_mixed(void **state)
{
	struct fragments *fragments = pieces_fragments();
	struct pieces_original o = pieces_original(false, 100, 1);
	const struct pieces_original other_id = pieces_original(false, 100, 2);
	struct packet_made p;

	(void)state;
	assert_int_equal(pieces_take_cut(fragments, &o, 0, 64, true, 0), FRAGMENTS_KEPT);
	assert_int_equal(pieces_take_cut(fragments, &other_id, 64, pieces_data(&o) - 64, false, 0),
			 FRAGMENTS_KEPT);
	p = pieces_cut(&o, 64, pieces_data(&o) - 64, false);
	p.bytes[15] ^= 2; /* another source */
	packet_put16(p.bytes + 10, 0);
	packet_put16(p.bytes + 10, ~packet_sum(0, p.bytes, o.header) & 0xffff);
	assert_int_equal(pieces_take(fragments, &p, 0), FRAGMENTS_KEPT);
	assert_int_equal(pieces_take_cut(fragments, &o, 64, pieces_data(&o) - 64, false, 0),
			 FRAGMENTS_WHOLE);
	pieces_expect_lost(fragments, 2);
	fragments_free(fragments);
}

/* The kernel drops one by itself if it is empty, and in IPv6 if it leaves part of a block open. */
static void test_pieces_of_impossible_length(void **state)
{
	struct fragments *fragments = pieces_fragments();
	const struct pieces_original four = pieces_original(false, 100, 1);
	const struct pieces_original six = pieces_original(true, 100, 1);
	struct packet_made p;

	(void)state;
	assert_int_equal(pieces_take_cut(fragments, &four, 8, 0, false, 0), FRAGMENTS_KEPT);
	assert_int_equal(pieces_take_cut(fragments, &four, 8, 7, true, 0), FRAGMENTS_KEPT);
	assert_int_equal(pieces_take_cut(fragments, &six, 8, 0, true, 0), FRAGMENTS_KEPT);
	assert_int_equal(pieces_take_cut(fragments, &six, 8, 15, true, 0), FRAGMENTS_KEPT);
	assert_int_equal(fragments_lost(fragments), 4);
	/* IPv4 takes the blocks that are whole */
	assert_int_equal(pieces_take_cut(fragments, &four, 0, 71, true, 0), FRAGMENTS_KEPT);
	p = pieces_cut(&four, 64, pieces_data(&four) - 64, false);
	assert_int_equal(pieces_take(fragments, &p, 0), FRAGMENTS_WHOLE);
	pieces_expect_lost(fragments, 4);
	fragments_free(fragments);
}

/* 30 seconds in IPv4 and 60 in IPv6, from the first piece on, by the capture's time alone. */
static void test_time_runs_out(void **state)
{
	static const uint64_t timeouts[] = { 30, 60 };
	size_t six;

	(void)state;
	for (six = 0; six < 2; six++) {
		struct fragments *fragments = pieces_fragments();
		const struct pieces_original o = pieces_original(six != 0, 100, 1);
		const size_t rest = pieces_data(&o) - 64;
		const uint64_t timeout = timeouts[six];

		pieces_take_cut(fragments, &o, 0, 64, true, 1000);
		assert_int_equal(pieces_take_cut(fragments, &o, 64, rest, false, 1000 + timeout),
				 FRAGMENTS_WHOLE);
		pieces_take_cut(fragments, &o, 0, 64, true, 1000);
		assert_int_equal(pieces_take_cut(fragments, &o, 64, rest, false, 1001 + timeout),
				 FRAGMENTS_KEPT);
		assert_int_equal(fragments_lost(fragments), 1);
		/* what came last waits by itself now, and a clock that is set back harms nobody */
		assert_int_equal(pieces_take_cut(fragments, &o, 0, 64, true, 5), FRAGMENTS_WHOLE);
		pieces_take_cut(fragments, &o, 0, 64, true, UINT64_MAX / NS_PER_SECOND);
		assert_int_equal(pieces_take_cut(fragments, &o, 64, rest, false, 0),
				 FRAGMENTS_WHOLE);
		pieces_expect_lost(fragments, 1);
		fragments_free(fragments);
	}
}

/* The oldest has to go, not the one that has the lowest time. */
static void test_no_place_for_more(void **state)
{
	struct fragments *fragments = pieces_fragments();
	struct pieces_original o[PIECES_PLACES + 2];
	uint32_t i;

	(void)state;
	for (i = 0; i < PIECES_PLACES + 2; i++) {
		o[i] = pieces_original(i % 2 != 0, 100, i);
		pieces_take_cut(fragments, &o[i], 8, 8, true, 100 - i);
		pieces_take_cut(fragments, &o[i], 16, 8, true, 100 - i);
	}
	assert_int_equal(fragments_lost(fragments), 4);
	for (i = 2; i < PIECES_PLACES + 2; i++) {
		const size_t left = pieces_data(&o[i]) - 24;

		assert_int_equal(pieces_take_cut(fragments, &o[i], 0, 8, true, 100),
				 FRAGMENTS_KEPT);
		assert_int_equal(pieces_take_cut(fragments, &o[i], 24, left, false, 100),
				 FRAGMENTS_WHOLE);
	}
	pieces_take_cut(fragments, &o[0], 0, 8, true, 100);
	assert_int_equal(fragments_lost(fragments), 4);
	pieces_expect_lost(fragments, 5);
	assert_int_equal(pieces_take_cut(fragments, &o[0], 8, pieces_data(&o[0]) - 8, false, 100),
			 FRAGMENTS_KEPT);
	pieces_expect_lost(fragments, 6);
	fragments_free(fragments);
}

/* A packet of `total` bytes of data in blocks of 1024, whose content does not matter. */
static enum fragments_result take_large(struct fragments *fragments, bool six, size_t total)
{
	const struct pieces_original o = pieces_original(six, 1400, 1);
	enum fragments_result result = FRAGMENTS_NONE;
	size_t at;

	for (at = 0; at < total; at += 1024) {
		const size_t length = total - at < 1024 ? total - at : 1024;
		struct packet_made p = pieces_cut(&o, 0, length, at + length < total);

		if (six) {
			packet_put16(p.bytes + o.header + 2,
				     (unsigned int)at | (at + length < total));
		} else {
			packet_put16(p.bytes + 6,
				     (unsigned int)at / 8 | (at + length < total ? 0x2000 : 0));
			packet_put16(p.bytes + 10, 0);
			packet_put16(p.bytes + 10, ~packet_sum(0, p.bytes, o.header) & 0xffff);
		}
		result = pieces_take(fragments, &p, 0);
	}
	return result;
}

static void test_the_longest_packet_and_a_byte_more(void **state)
{
	struct fragments *fragments = pieces_fragments();
	size_t six;

	(void)state;
	for (six = 0; six < 2; six++) {
		const size_t most =
			six != 0 ? 65535 - (pieces_original(true, 0, 1).header - 40) : 65535 - 28;

		assert_int_equal(take_large(fragments, six != 0, most), FRAGMENTS_WHOLE);
		assert_int_equal(fragments_lost(fragments), 64 * six);
		assert_int_equal(take_large(fragments, six != 0, most + 1), FRAGMENTS_KEPT);
		assert_int_equal(fragments_lost(fragments), 64 * six + 64);
	}
	assert_int_equal(take_large(fragments, false, 65536), FRAGMENTS_KEPT);
	pieces_expect_lost(fragments, 64 * 3);
	fragments_free(fragments);
}

static void test_no_memory_for_what_is_too_much(void **state)
{
	(void)state;
	assert_null(fragments_new(0));
	assert_null(fragments_new(SIZE_MAX / 1000));
	fragments_free(NULL);
}

#define ALONE 6

int main(void)
{
	const struct CMUnitTest alone[ALONE] = {
		cmocka_unit_test(test_pieces_of_different_packets_are_not_mixed),
		cmocka_unit_test(test_pieces_of_impossible_length),
		cmocka_unit_test(test_time_runs_out),
		cmocka_unit_test(test_no_place_for_more),
		cmocka_unit_test(test_the_longest_packet_and_a_byte_more),
		cmocka_unit_test(test_no_memory_for_what_is_too_much),
	};
	struct CMUnitTest fragments_lost_tests[COUNT(contradictions) + ALONE];
	size_t i;

	for (i = 0; i < COUNT(contradictions); i++)
		fragments_lost_tests[i] =
			unit_row(contradictions[i].name, test_contradiction, &contradictions[i]);
	memcpy(&fragments_lost_tests[i], alone, sizeof(alone));
	return cmocka_run_group_tests(fragments_lost_tests, NULL, NULL);
}
