/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds src/source/fragments.c to giving back the packet that was cut up, byte for byte, however it
 * was cut and in whatever order the pieces come, and to leaving alone what it has no business with.
 * fragments_lost.c has the pieces that never become whole.
 */
#include "unit.h"

#include "pieces.h"

#define PIECES_MOST 1024
#define ROUNDS	    500

static uint64_t dice;

struct piece {
	size_t of; /* the original's index */
	size_t offset, length;
	bool more;
};

/* Returns the number of pieces. */
static size_t cut_randomly(const struct pieces_original *o, size_t of, struct piece *pieces)
{
	size_t at = 0, n = 0;

	while (at < pieces_data(o)) {
		const size_t size = 8 + 8 * (size_t)unit_below(&dice, 40),
			     left = pieces_data(o) - at;
		/* never all at once, which would not be a fragment */
		const size_t length = n == 0 && size >= left ? 8 : size < left ? size : left;

		pieces[n].of = of;
		pieces[n].offset = at;
		pieces[n].length = length;
		at += length;
		pieces[n++].more = at < pieces_data(o);
	}
	return n;
}

static void shuffle(struct piece *pieces, size_t n)
{
	for (; n > 1; n--) {
		const size_t other = unit_below(&dice, (uint32_t)n);
		const struct piece piece = pieces[n - 1];

		pieces[n - 1] = pieces[other];
		pieces[other] = piece;
	}
}

static void test_every_size_of_pieces_in_both_directions(void **state)
{
	struct fragments *fragments = pieces_fragments();
	size_t size;
	int six;

	(void)state;
	for (six = 0; six < 2; six++) {
		const struct pieces_original o = pieces_original(six != 0, 1003, 7);

		for (size = 8; size < pieces_data(&o); size += 8) {
			pieces_expect_again(fragments, &o, size, false);
			pieces_expect_again(fragments, &o, size, true);
		}
	}
	pieces_expect_lost(fragments, 0);
	fragments_free(fragments);
}

/* Several at once, in pieces of random sizes and order, some of them twice. */
static void test_random_pieces_of_several_packets_at_once(void **state)
{
	struct fragments *fragments = pieces_fragments();
	struct piece pieces[PIECES_MOST];
	struct pieces_original originals[PIECES_PLACES];
	struct capture_packet packet;
	size_t round, i, n;

	(void)state;
	for (round = 0; round < ROUNDS; round++) {
		size_t left[PIECES_PLACES] = { 0 };

		n = 0;
		for (i = 0; i < PIECES_PLACES; i++) {
			originals[i] = pieces_original(unit_below(&dice, 2) != 0,
						       unit_below(&dice, 2000), (uint32_t)i);
			n += left[i] = cut_randomly(&originals[i], i, pieces + n);
		}
		shuffle(pieces, n);
		for (i = 0; i < n; i++) {
			const struct piece *at = &pieces[i];
			const struct pieces_original *o = &originals[at->of];
			const struct packet_made p =
				pieces_cut(o, at->offset, at->length, at->more);

			/* Twice, unless a second one would be the first of a new datagram. */
			if (left[at->of] > 1 && unit_below(&dice, 4) == 0)
				assert_int_equal(pieces_take(fragments, &p, 0), FRAGMENTS_KEPT);
			assert_int_equal(pieces_take_captured(fragments, &p, p.length, 0, &packet),
					 --left[at->of] > 0 ? FRAGMENTS_KEPT : FRAGMENTS_WHOLE);
			if (left[at->of] == 0)
				pieces_expect_original(&packet, o);
		}
	}
	pieces_expect_lost(fragments, 0);
	fragments_free(fragments);
}

/* What is no fragment of TCP, or has a wrong header, is for the decoder to judge. */
static void test_what_is_left_as_it_is(void **state)
{
	struct fragments *fragments = pieces_fragments();
	const struct pieces_original four = pieces_original(false, 100, 1);
	const struct pieces_original six = pieces_original(true, 100, 1);
	struct capture_packet packet;
	struct packet_made p;
	size_t i;

	(void)state;
	assert_int_equal(pieces_take(fragments, &four.made, 0), FRAGMENTS_NONE);
	assert_int_equal(pieces_take(fragments, &six.made, 0), FRAGMENTS_NONE);
	p = pieces_cut(&six, 0, pieces_data(&six), false); /* RFC 6946 */
	assert_int_equal(pieces_take(fragments, &p, 0), FRAGMENTS_NONE);
	p = pieces_cut(&six, 0, 64, true);
	p.bytes[six.header] = 17;
	assert_int_equal(pieces_take(fragments, &p, 0), FRAGMENTS_NONE);
	p = pieces_cut(&four, 0, 64, true);
	p.bytes[9] = 17;
	packet_put16(p.bytes + 10, 0);
	packet_put16(p.bytes + 10, ~packet_sum(0, p.bytes, four.header) & 0xffff);
	assert_int_equal(pieces_take(fragments, &p, 0), FRAGMENTS_NONE);
	p = pieces_cut(&four, 0, 64, true);
	p.bytes[11] ^= 1;
	assert_int_equal(pieces_take(fragments, &p, 0), FRAGMENTS_NONE);
	p = pieces_cut(&four, 0, 64, true);
	p.length--; /* the wire had less than the header says */
	assert_int_equal(pieces_take(fragments, &p, 0), FRAGMENTS_NONE);
	for (i = 0; i < four.header; i++) {
		p = pieces_cut(&four, 0, 64, true);
		assert_int_equal(pieces_take_captured(fragments, &p, i, 0, &packet),
				 FRAGMENTS_NONE);
	}
	for (i = 0; i < six.header + 8; i++) {
		p = pieces_cut(&six, 0, 64, true);
		assert_int_equal(pieces_take_captured(fragments, &p, i, 0, &packet),
				 FRAGMENTS_NONE);
	}
	pieces_expect_lost(fragments, 0);
	fragments_free(fragments);
}

/* The whole of what was not captured to its end was not captured to its end. */
static void test_captures_that_end_early(void **state)
{
	struct fragments *fragments = pieces_fragments();
	struct capture_packet packet;
	struct packet_made first, second;
	struct synpaws_segment seg;
	size_t i, k, head;
	int six;

	(void)state;
	for (six = 0; six < 2; six++) {
		const struct pieces_original o = pieces_original(six != 0, 100, 1);

		first = pieces_cut(&o, 0, 96, true);
		second = pieces_cut(&o, 96, pieces_data(&o) - 96, false);
		head = first.length - 96;
		for (i = 0; i <= 96; i += 4) {
			for (k = 0; k <= 8; k += 4) {
				const size_t known = i < 96 ? i : 96 + k;

				pieces_take_captured(fragments, &first, head + i, 0, &packet);
				assert_int_equal(pieces_take_captured(fragments, &second, head + k,
								      0, &packet),
						 FRAGMENTS_WHOLE);
				assert_int_equal(packet.length, o.made.length);
				assert_int_equal(packet.captured, o.header + known);
				assert_memory_equal(packet.bytes, o.made.bytes, o.header + known);
				assert_int_equal(packet_decode(&seg, packet.bytes, packet.captured,
							       packet.length, 0),
						 packet.captured < o.made.tcp + 40
							 ? SYNPAWS_DECODE_TRUNCATED
							 : SYNPAWS_DECODE_OK);
			}
		}
	}
	pieces_expect_lost(fragments, 0);
	fragments_free(fragments);
}

int main(void)
{
	const struct CMUnitTest fragments[] = {
		cmocka_unit_test(test_every_size_of_pieces_in_both_directions),
		cmocka_unit_test(test_random_pieces_of_several_packets_at_once),
		cmocka_unit_test(test_what_is_left_as_it_is),
		cmocka_unit_test(test_captures_that_end_early),
	};

	dice = unit_seed("fragments");
	return cmocka_run_group_tests(fragments, NULL, NULL);
}
