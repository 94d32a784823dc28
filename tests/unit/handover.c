/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds src/os/handover.c to what two threads rely on: every place given is taken once, in order,
 * and by nobody while the other still works on it; who has to wait is woken, also by an end or a
 * stop; and an end loses nothing that was given before.
 *
 * What one thread alone can see is tested so. Where two are needed, they run many rounds with one
 * of them now faster, now slower; a wake-up that is lost makes them hang, and alarm() ends that.
 */
#include "unit.h"

#include <pthread.h>
#include <sched.h>

#include "os/handover.h"

#define HANG_SEC    60
#define PLACES_MOST 5
#define PASSED	    20000

static uint64_t seed;

/* What lies in the places; the numbers given count from 1. */
struct shelf {
	struct handover handover;
	size_t places;
	uint64_t contents[PLACES_MOST];
	uint64_t give, take; /* how many the giver has, the taker wants */
	uint64_t given;
	uint64_t dice;
};

static int set_up(void **state)
{
	(void)state;
	alarm(HANG_SEC);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	alarm(0);
	return 0;
}

/* As long as there is room and something to take, nobody waits; so one thread can do both. */
static void test_places_in_turn(void **state)
{
	struct handover handover;
	size_t place, i, k, next_free = 0, next_full = 0;

	(void)state;
	handover_start(&handover, 3);
	for (k = 0; k < 3; k++) {
		for (i = 0; i < 3; i++) {
			assert_true(handover_free_place(&handover, &place));
			assert_int_equal(place, next_free);
			assert_true(handover_free_place(&handover, &place)); /* not given yet */
			assert_int_equal(place, next_free);
			handover_give(&handover);
			next_free = (next_free + 1) % 3;
		}
		for (i = 0; i < 3; i++) {
			assert_true(handover_full_place(&handover, &place));
			assert_int_equal(place, next_full);
			assert_true(handover_full_place(&handover, &place)); /* not returned yet */
			assert_int_equal(place, next_full);
			handover_return(&handover);
			next_full = (next_full + 1) % 3;
		}
		assert_true(handover_free_place(&handover, &place)); /* begin elsewhere */
		handover_give(&handover);
		assert_true(handover_full_place(&handover, &place));
		handover_return(&handover);
		next_free = next_full = (next_full + 1) % 3;
	}
}

static void test_an_end_loses_nothing(void **state)
{
	struct handover handover;
	size_t place, i;

	(void)state;
	handover_start(&handover, 4);
	for (i = 0; i < 3; i++) {
		assert_true(handover_free_place(&handover, &place));
		handover_give(&handover);
	}
	handover_end(&handover);
	for (i = 0; i < 3; i++) {
		assert_true(handover_full_place(&handover, &place));
		assert_int_equal(place, i);
		handover_return(&handover);
	}
	assert_false(handover_full_place(&handover, &place));
	assert_false(handover_full_place(&handover, &place));
}

/* At once, whether there is room or not. */
static void test_a_stop_is_told(void **state)
{
	struct handover handover;
	size_t place;

	(void)state;
	handover_start(&handover, 1);
	handover_stop(&handover);
	assert_false(handover_free_place(&handover, &place));
	handover_give(&handover); /* what was under way when it came */
	assert_false(handover_free_place(&handover, &place));
}

/* At times for a while, so that the other has to wait. */
static void dawdle(uint64_t *dice)
{
	uint32_t i = unit_below(dice, 200) == 0 ? unit_below(dice, 50) : 0;

	for (; i > 0; i--)
		sched_yield();
}

static void *give(void *argument)
{
	struct shelf *shelf = argument;
	uint64_t dice = shelf->dice + 1;
	size_t place;

	while (shelf->given < shelf->give && handover_free_place(&shelf->handover, &place)) {
		dawdle(&dice);
		if (place >= shelf->places || shelf->contents[place] != 0)
			break; /* it was not free; the taker will miss it */
		shelf->contents[place] = ++shelf->given;
		handover_give(&shelf->handover);
	}
	handover_end(&shelf->handover);
	return NULL;
}

/* Returns how many were taken. */
static uint64_t take(struct shelf *shelf)
{
	uint64_t dice = shelf->dice + 2, taken = 0;
	size_t place;

	while (taken < shelf->take && handover_full_place(&shelf->handover, &place)) {
		assert_int_equal(shelf->contents[place], ++taken);
		dawdle(&dice);
		assert_int_equal(shelf->contents[place], taken);
		shelf->contents[place] = 0;
		handover_return(&shelf->handover);
	}
	handover_stop(&shelf->handover);
	return taken;
}

static struct shelf run(size_t places, uint64_t to_give, uint64_t to_take, uint64_t dice)
{
	struct shelf shelf = { .places = places, .give = to_give, .take = to_take, .dice = dice };
	pthread_t giver;
	uint64_t taken;

	handover_start(&shelf.handover, places);
	assert_int_equal(pthread_create(&giver, NULL, give, &shelf), 0);
	taken = take(&shelf);
	assert_int_equal(pthread_join(giver, NULL), 0);
	assert_int_equal(taken, to_give < to_take ? to_give : to_take);
	return shelf;
}

static void test_all_in_order(void **state)
{
	uint64_t dice = seed;
	size_t places;

	(void)state;
	for (places = 1; places <= PLACES_MOST; places++)
		assert_int_equal(run(places, PASSED, UINT64_MAX, unit_random(&dice)).given, PASSED);
}

/* The giver comes to an end, which the taker may be waiting for. */
static void test_the_end_wakes_the_taker(void **state)
{
	uint64_t dice = seed;
	uint64_t i;

	(void)state;
	for (i = 0; i < 1000; i++)
		run(1 + i % PLACES_MOST, i % 4, UINT64_MAX, unit_random(&dice));
}

/* The taker has had enough; the giver, perhaps without a free place, does not go on. */
static void test_a_stop_wakes_the_giver(void **state)
{
	uint64_t dice = seed;
	uint64_t i;

	(void)state;
	for (i = 0; i < 1000; i++) {
		const size_t places = 1 + i % PLACES_MOST;
		const struct shelf shelf = run(places, UINT64_MAX, i % 7, unit_random(&dice));

		assert_in_range(shelf.given, i % 7, i % 7 + places + 1);
	}
}

int main(void)
{
	const struct CMUnitTest handover[] = {
		cmocka_unit_test_setup_teardown(test_places_in_turn, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_an_end_loses_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_stop_is_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_all_in_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_end_wakes_the_taker, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_stop_wakes_the_giver, set_up, tear_down),
	};

	seed = unit_seed("handover");
	return cmocka_run_group_tests(handover, NULL, NULL);
}
