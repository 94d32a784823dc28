/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds src/core/paws.c to the two boundary tables of the kernel's rules, row by row and for every
 * profile. Each row is a test of its own, so that a failure names it.
 *
 * A row's letters stand for the profiles from the oldest kernels on: 2.6.32, el6, 3.2, 3.10, 3.16,
 * el7, 4.x. In the first table 'D' is a drop and 'p' a pass; in the second 'W' is a write and 'r' a
 * refusal. The rows are checked around several seconds N: the rules only know distances. Where the
 * 32 bits of the second wrap, kernels from 2.6.37 on just go on for the check; 2.6.32 is not asked
 * there, since its seconds are unsigned long and do not wrap on the machines that still run it.
 */
#include "unit.h"

#include <synpaws/mirror.h>

#include "core/paws.h"

#define PROFILES 7

/* The first so many take an age plainly: their seconds do not wrap. */
#define PLAIN_AGE 2

static const uint32_t ordinary[] = { UNIT_SECOND, 1767225600, 1798761599,
				     0x7fffffff,  0x80000000, 0xffff0000 };
static const uint32_t wrapping[] = { 0xffffffff, 0xfffffffe, 0xffffffc5, 0xffffffc4,
				     0xffffffc3, 0xffffffe2, 0,		 1 };

struct check_row {
	const char *name;
	uint32_t recorded;
	int later; /* seconds from the stamp to the SYN */
	bool has_timestamp;
	uint32_t tsval;
	const char *verdicts;
};

static const struct check_row check_rows[] = {
	{ "recorded 1000, 0 s, TSval 1000: difference 0", 1000, 0, true, 1000, "ppppppp" },
	{ "recorded 1000, 0 s, TSval 999: difference 1", 1000, 0, true, 999, "ppppppp" },
	{ "recorded 1000, 0 s, TSval 998: difference 2", 1000, 0, true, 998, "DDDDDDD" },
	{ "recorded 1000, 59 s, TSval 998: still within", 1000, 59, true, 998, "DDDDDDD" },
	{ "recorded 1000, 60 s, TSval 998: just outside", 1000, 60, true, 998, "ppppppp" },
	{ "recorded 1000, -1 s, TSval 998: clock stepped back", 1000, -1, true, 998, "DDppppp" },
	{ "recorded 5, 0 s, TSval 0xffffffff: signed 6", 5, 0, true, 0xffffffff, "DDDDDDD" },
	{ "recorded 0x80000010, 0 s, TSval 0x10: -2^31", 0x80000010, 0, true, 0x10, "ppppppp" },
	{ "recorded 0x80000010, 0 s, TSval 0x11: 2^31-1", 0x80000010, 0, true, 0x11, "DDDDDDD" },
	{ "recorded 1000, 0 s, TSval 0: nothing special", 1000, 0, true, 0, "DDDDDDD" },
	{ "recorded 0x90000000, 0 s, TSval 0: negative", 0x90000000, 0, true, 0, "ppppppp" },
	/* Not in the table, but in the formulas above it. */
	{ "recorded 1000, 1 s, TSval 998", 1000, 1, true, 998, "DDDDDDD" },
	{ "recorded 1000, 61 s, TSval 998", 1000, 61, true, 998, "ppppppp" },
	{ "recorded 1000, 0 s, TSval 1001: ahead", 1000, 0, true, 1001, "ppppppp" },
	{ "recorded 1000, -60 s, TSval 998: stepped back more", 1000, -60, true, 998, "DDppppp" },
	{ "recorded 1000, -3600 s, TSval 998: stepped back an hour", 1000, -3600, true, 998,
	  "DDppppp" },
	{ "recorded 0, 0 s, TSval 0xffffffff: 1 across the wrap", 0, 0, true, 0xffffffff,
	  "ppppppp" },
	{ "recorded 0, 0 s, TSval 0xfffffffe: 2 across the wrap", 0, 0, true, 0xfffffffe,
	  "DDDDDDD" },
	{ "recorded 0x7fffffff, 0 s, TSval 0: 2^31-1", 0x7fffffff, 0, true, 0, "DDDDDDD" },
	{ "recorded 0x80000000, 0 s, TSval 0: -2^31", 0x80000000, 0, true, 0, "ppppppp" },
	{ "recorded 1000, 0 s, no timestamp", 1000, 0, false, 0, "pppppDD" },
	{ "recorded 1000, 59 s, no timestamp", 1000, 59, false, 0, "pppppDD" },
	{ "recorded 1000, 60 s, no timestamp", 1000, 60, false, 0, "ppppppp" },
	{ "recorded 1000, -1 s, no timestamp: clock stepped back", 1000, -1, false, 0, "ppppppp" },
	{ "recorded 0x90000000, 0 s, no timestamp: not the TSval 0", 0x90000000, 0, false, 0,
	  "pppppDD" },
	{ "recorded 0, 0 s, no timestamp", 0, 0, false, 0, "pppppDD" },
};

static void check_around(const struct check_row *row, const struct synpaws_profile *profile,
			 char verdict, uint32_t second)
{
	const struct stamp stamp = { .peer = 7, .tsval = row->recorded, .second = second };
	const uint32_t now = second + (uint32_t)row->later;

	if (paws_drops(profile, &stamp, row->has_timestamp, row->tsval, now) != (verdict == 'D'))
		fail_msg("%s, N=%u: %s", profile->name, second,
			 verdict == 'D' ? "passes, should drop" : "drops, should pass");
}

static void test_check_row(void **state)
{
	const struct check_row *row = *state;
	size_t p, i;

	for (p = 0; p < PROFILES; p++) {
		const struct synpaws_profile *profile = synpaws_profile_at(p);

		for (i = 0; i < COUNT(ordinary); i++)
			check_around(row, profile, row->verdicts[p], ordinary[i]);
		for (i = 0; i < COUNT(wrapping) && p >= PLAIN_AGE; i++)
			check_around(row, profile, row->verdicts[p], wrapping[i]);
	}
}

struct write_row {
	const char *name;
	uint32_t recorded;
	int stamped; /* seconds after N, as all here */
	uint32_t tsval;
	int seen;
	int now;
	const char *results;
};

static const struct write_row write_rows[] = {
	{ "(1000,N) takes (1000,N+10) at N+10: equality refreshes", 1000, 0, 1000, 10, 10,
	  "WWWWWWW" },
	{ "(1000,N) refuses (999,N+60) at N+60: 60 is not > 60", 1000, 0, 999, 60, 60, "rrrrrrr" },
	{ "(1000,N) takes (999,N+61) at N+61", 1000, 0, 999, 61, 61, "WWWWWWW" },
	{ "(1000,N) takes (2000,N-20) at N+40: the stamp moves back", 1000, 0, 2000, -20, 40,
	  "WWWWWWW" },
	{ "(1000,N+5) refuses (999,N) at N: clock stepped back, stamp <= nstamp fails", 1000, 5,
	  999, 0, 0, "rrrrrrr" },
	/* Not in the table, but in the formulas above it and in A.2. */
	{ "(1000,N+5) and (999,N+5) at N: old only where ages wrap", 1000, 5, 999, 5, 0,
	  "rrWWWWW" },
	{ "(1000,N) refuses (999,N) at N", 1000, 0, 999, 0, 0, "rrrrrrr" },
	{ "(1000,N) refuses (999,N+59) at N+59", 1000, 0, 999, 59, 59, "rrrrrrr" },
	{ "(1000,N) takes (999,N) at N+61: stamp = nstamp", 1000, 0, 999, 0, 61, "WWWWWWW" },
	{ "(1000,N) refuses (999,N-1) at N+61: stamp > nstamp", 1000, 0, 999, -1, 61, "rrrrrrr" },
	{ "(1000,N) refuses (999,N+1) at N+60: the age counts from now", 1000, 0, 999, 1, 60,
	  "rrrrrrr" },
	{ "(1000,N) takes (1001,N) at N", 1000, 0, 1001, 0, 0, "WWWWWWW" },
	{ "(1000,N) takes (1000,N-30) at N: equality moves the stamp back", 1000, 0, 1000, -30, 0,
	  "WWWWWWW" },
	{ "(0xfffffff0,N) takes (0x10,N+1) at N+1: an increase", 0xfffffff0, 0, 0x10, 1, 1,
	  "WWWWWWW" },
	{ "(5,N) refuses (0xffffffff,N+1) at N+1: a decrease", 5, 0, 0xffffffff, 1, 1, "rrrrrrr" },
	{ "(5,N) takes (0x80000005,N+1) at N+1: -2^31", 5, 0, 0x80000005, 1, 1, "WWWWWWW" },
	{ "(0x80000005,N) takes (5,N+1) at N+1: -2^31 back", 0x80000005, 0, 5, 1, 1, "WWWWWWW" },
	{ "(0x80000010,N) refuses (0x11,N+1) at N+1: 2^31-1", 0x80000010, 0, 0x11, 1, 1,
	  "rrrrrrr" },
	{ "(1000,N) refuses (0,N+1) at N+1: 0 is a TSval", 1000, 0, 0, 1, 1, "rrrrrrr" },
	{ "(0x90000000,N) takes (0,N+1) at N+1", 0x90000000, 0, 0, 1, 1, "WWWWWWW" },
};

static void write_around(const struct write_row *row, const struct synpaws_profile *profile,
			 bool taken, uint32_t n)
{
	const uint32_t before = n + (uint32_t)row->stamped, seen = n + (uint32_t)row->seen;
	struct stamp stamp = { .peer = 7, .tsval = row->recorded, .second = before };

	if (paws_record(profile, &stamp, row->tsval, seen, n + (uint32_t)row->now) != taken)
		fail_msg("%s, N=%u: %s", profile->name, n,
			 taken ? "refused, should be taken" : "taken, should be refused");
	assert_int_equal(stamp.peer, 7);
	assert_int_equal(stamp.tsval, taken ? row->tsval : row->recorded);
	assert_int_equal(stamp.second, taken ? seen : before);
}

static void test_write_row(void **state)
{
	const struct write_row *row = *state;
	size_t p, i;

	for (p = 0; p < PROFILES; p++) {
		for (i = 0; i < COUNT(ordinary); i++)
			write_around(row, synpaws_profile_at(p), row->results[p] == 'W',
				     ordinary[i]);
	}
}

/* "stamp <= nstamp" is a plain comparison: across the wrap a lower TSval stays out for good. */
static void test_write_across_the_wrap(void **state)
{
	size_t p;

	(void)state;
	for (p = PLAIN_AGE; p < PROFILES; p++) {
		const struct synpaws_profile *profile = synpaws_profile_at(p);
		struct stamp stamp = { .peer = 7, .tsval = 1000, .second = 0xffffffff };

		assert_false(paws_record(profile, &stamp, 999, 60, 60));
		assert_false(paws_record(profile, &stamp, 999, 61, 61));
		assert_int_equal(stamp.second, 0xffffffff);
		assert_true(paws_record(profile, &stamp, 1000, 61, 61));
		assert_int_equal(stamp.second, 61);
	}
}

/* What the table says in words: the write at N+40 ends the protection at once. */
static void test_a_stamp_that_moved_back_no_longer_counts(void **state)
{
	size_t p;

	(void)state;
	for (p = 0; p < PROFILES; p++) {
		const struct synpaws_profile *profile = synpaws_profile_at(p);
		struct stamp stamp = { .peer = 7, .tsval = 1000, .second = UNIT_SECOND };

		assert_true(paws_drops(profile, &stamp, true, 0, UNIT_SECOND + 40));
		assert_true(paws_record(profile, &stamp, 2000, UNIT_SECOND - 20, UNIT_SECOND + 40));
		assert_false(paws_drops(profile, &stamp, true, 0, UNIT_SECOND + 40));
	}
}

/* At the age of exactly 60 s a stamp neither blocks a SYN nor can be lowered. */
static void test_sixty_seconds_neither_block_nor_give_way(void **state)
{
	size_t p;

	(void)state;
	for (p = 0; p < PROFILES; p++) {
		const struct synpaws_profile *profile = synpaws_profile_at(p);
		struct stamp stamp = { .peer = 7, .tsval = 1000, .second = UNIT_SECOND };
		const uint32_t now = UNIT_SECOND + 60;

		assert_false(paws_drops(profile, &stamp, true, 10, now));
		assert_false(paws_drops(profile, &stamp, false, 0, now));
		assert_false(paws_record(profile, &stamp, 10, now, now));
		assert_int_equal(stamp.tsval, 1000);
	}
}

static void test_behind_is_signed_and_wraps(void **state)
{
	const struct stamp stamp = { .peer = 7, .tsval = 0x80000010, .second = UNIT_SECOND };

	(void)state;
	assert_true(paws_behind(&stamp, 0x80000010) == 0);
	assert_true(paws_behind(&stamp, 0x8000000f) == 1);
	assert_true(paws_behind(&stamp, 0x80000011) == -1);
	assert_true(paws_behind(&stamp, 0x11) == INT32_MAX);
	assert_true(paws_behind(&stamp, 0x10) == INT32_MIN);
	assert_true(paws_behind(&stamp, 0x0f) == -INT32_MAX);
}

/* So long the stamp counts: it still does in the last of these seconds, and not in the next. */
static void test_fresh_for(void **state)
{
	const struct stamp stamp = { .peer = 7, .tsval = 1000, .second = UNIT_SECOND };
	size_t p;
	int later;

	(void)state;
	for (p = 0; p < PROFILES; p++) {
		const struct synpaws_profile *profile = synpaws_profile_at(p);

		for (later = -130; later <= 130; later++) {
			const uint32_t now = UNIT_SECOND + (uint32_t)later;
			const uint32_t fresh = paws_fresh_for(profile, &stamp, now);
			const bool counts = later < 60 && (later >= 0 || p < PLAIN_AGE);

			assert_int_equal(fresh, counts ? 60 - later : 0);
			if (!counts)
				continue;
			assert_true(paws_drops(profile, &stamp, true, 1, now + fresh - 1));
			assert_false(paws_drops(profile, &stamp, true, 1, now + fresh));
		}
	}
}

#define ALONE 5

int main(void)
{
	const struct CMUnitTest alone[ALONE] = {
		cmocka_unit_test(test_write_across_the_wrap),
		cmocka_unit_test(test_a_stamp_that_moved_back_no_longer_counts),
		cmocka_unit_test(test_sixty_seconds_neither_block_nor_give_way),
		cmocka_unit_test(test_behind_is_signed_and_wraps),
		cmocka_unit_test(test_fresh_for),
	};
	struct CMUnitTest paws[COUNT(check_rows) + COUNT(write_rows) + ALONE];
	size_t i, n = 0;

	for (i = 0; i < COUNT(check_rows); i++)
		paws[n++] = unit_row(check_rows[i].name, test_check_row, &check_rows[i]);
	for (i = 0; i < COUNT(write_rows); i++)
		paws[n++] = unit_row(write_rows[i].name, test_write_row, &write_rows[i]);
	memcpy(&paws[n], alone, sizeof(alone));
	return cmocka_run_group_tests(paws, NULL, NULL);
}
