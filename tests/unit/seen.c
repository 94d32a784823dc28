/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds src/sink/seen.c to being a set that forgets on purpose and never by accident without
 * saying so: whatever it calls new although it was there is counted, so that a number made from its
 * answers can be shown with how far it may be off.
 */
#include "unit.h"

#include "sink/seen.h"

#define N 5000

static uint64_t seed;

static struct seen *new_set(size_t entries, uint32_t seconds)
{
	struct seen *seen = seen_new(entries, seconds);

	assert_non_null(seen);
	return seen;
}

static void test_new_only_once(void **state)
{
	struct seen *seen = new_set(1000, 100);
	uint64_t dice = seed, hash;
	int i;

	(void)state;
	for (i = 0; i < 100; i++) {
		hash = unit_random(&dice);
		assert_true(seen_add(seen, hash, N));
		assert_false(seen_add(seen, hash, N));
	}
	for (dice = seed, i = 0; i < 100; i++)
		assert_false(seen_add(seen, unit_random(&dice), N + 1));
	assert_int_equal(seen_forgotten(seen), 0);
	seen_free(seen);
}

/* Zero is a hash like any other. */
static void test_the_hash_zero(void **state)
{
	struct seen *seen = new_set(1000, 100);

	(void)state;
	assert_true(seen_add(seen, 0, N));
	assert_false(seen_add(seen, 0, N));
	assert_true(seen_add(seen, UINT64_MAX, N));
	assert_false(seen_add(seen, UINT64_MAX, N));
	seen_free(seen);
}

static void test_forgets_after_its_time(void **state)
{
	struct seen *seen = new_set(100, 10);

	(void)state;
	assert_true(seen_add(seen, 77, N));
	assert_false(seen_add(seen, 77, N + 9));
	assert_false(seen_add(seen, 77, N + 18)); /* each time it is seen it starts anew */
	assert_true(seen_add(seen, 77, N + 29));
	assert_false(seen_add(seen, 77, N + 30));
	assert_int_equal(seen_forgotten(seen), 0);
	seen_free(seen);
}

static void test_for_ever_is_for_ever(void **state)
{
	struct seen *seen = new_set(100, SEEN_FOR_EVER);

	(void)state;
	assert_true(seen_add(seen, 77, 0));
	assert_false(seen_add(seen, 77, 86400));
	assert_false(seen_add(seen, 77, UINT32_MAX));
	seen_free(seen);
}

/* One set of eight: the one seen longest ago gives way, and is counted. */
static void test_the_oldest_gives_way(void **state)
{
	struct seen *seen = new_set(1, SEEN_FOR_EVER);
	uint64_t i;

	(void)state;
	for (i = 1; i <= 8; i++)
		assert_true(seen_add(seen, i, N + (uint32_t)i));
	assert_false(seen_add(seen, 1, N + 20));
	assert_true(seen_add(seen, 99, N + 21)); /* in the place of 2 */
	assert_int_equal(seen_forgotten(seen), 1);
	for (i = 1; i <= 8; i++) {
		if (i != 2)
			assert_false(seen_add(seen, i, N + 30));
	}
	assert_false(seen_add(seen, 99, N + 30));
	assert_true(seen_add(seen, 2, N + 31));
	assert_int_equal(seen_forgotten(seen), 2);
	seen_free(seen);
}

/* Those whose time is over make room without being missed, and before any other. */
static void test_what_is_over_is_not_missed(void **state)
{
	struct seen *seen = new_set(1, 10);
	uint64_t i;

	(void)state;
	for (i = 1; i <= 8; i++)
		assert_true(seen_add(seen, i, N));
	for (i = 1; i <= 8; i++) {
		if (i != 5)
			assert_false(seen_add(seen, i, N + 8));
	}
	assert_true(seen_add(seen, 99, N + 11)); /* 5 is over, the others are not */
	assert_int_equal(seen_forgotten(seen), 0);
	for (i = 1; i <= 8; i++) {
		if (i != 5)
			assert_false(seen_add(seen, i, N + 12));
	}
	for (i = 11; i <= 18; i++)
		assert_true(seen_add(seen, i, N + 100));
	assert_int_equal(seen_forgotten(seen), 0);
	seen_free(seen);
}

struct model {
	bool there[3000];
	uint32_t second[3000];
};

/* Against a set without bound: never "known" for a new one, and "new" wrongly only if counted. */
static void compare(size_t entries, uint32_t seconds, uint32_t hashes)
{
	static struct model model;
	struct seen *seen = new_set(entries, seconds);
	uint64_t dice = seed, wrong = 0;
	uint32_t now = N;
	int i;

	memset(&model, 0, sizeof(model));
	for (i = 0; i < 100000; i++) {
		const uint32_t which = unit_below(&dice, hashes);
		const uint64_t hash = (which + 1) * 0x9e3779b97f4a7c15ULL;
		const bool known = model.there[which] && (seconds == SEEN_FOR_EVER ||
							  now - model.second[which] <= seconds);
		const bool added = seen_add(seen, hash, now);

		if (!known)
			assert_true(added);
		wrong += known && added;
		assert_true(wrong <= seen_forgotten(seen));
		model.there[which] = true;
		model.second[which] = now;
		now += unit_below(&dice, 20) == 0;
	}
	if (hashes * 4 <= entries)
		assert_int_equal(wrong, 0);
	else
		assert_true(hashes < entries || wrong > 0);
	seen_free(seen);
}

static void test_wrong_answers_are_counted(void **state)
{
	(void)state;
	compare(4000, 50, 300);
	compare(1000, 50, 1000);
	compare(100, 50, 3000);
	compare(100, SEEN_FOR_EVER, 3000);
	compare(4000, SEEN_FOR_EVER, 300);
}

int main(void)
{
	const struct CMUnitTest seen[] = {
		cmocka_unit_test(test_new_only_once),
		cmocka_unit_test(test_the_hash_zero),
		cmocka_unit_test(test_forgets_after_its_time),
		cmocka_unit_test(test_for_ever_is_for_ever),
		cmocka_unit_test(test_the_oldest_gives_way),
		cmocka_unit_test(test_what_is_over_is_not_missed),
		cmocka_unit_test(test_wrong_answers_are_counted),
	};

	seed = unit_seed("seen");
	return cmocka_run_group_tests(seen, NULL, NULL);
}
