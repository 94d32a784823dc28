/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds src/core/deadlines.c to giving what was put in, each once, the earliest first and none
 * before its time, against an array that is searched from end to end.
 */
#include "unit.h"

#include "core/deadlines.h"

#define ROOM 200

static uint64_t seed;

static struct deadlines *heap(size_t room)
{
	struct deadlines *deadlines = deadlines_new(room);

	assert_non_null(deadlines);
	return deadlines;
}

static bool add(struct deadlines *deadlines, uint64_t ns, uint64_t name)
{
	const struct deadline deadline = {
		.ns = ns, .name = name, .flow = (uint32_t)name + 1, .kind = DEADLINE_EXPIRE
	};

	return deadlines_add(deadlines, &deadline);
}

static void test_not_before_its_time(void **state)
{
	struct deadlines *deadlines = heap(4);
	struct deadline deadline;

	(void)state;
	assert_false(deadlines_take(deadlines, UINT64_MAX, &deadline));
	assert_true(add(deadlines, 100, 7));
	assert_false(deadlines_take(deadlines, 99, &deadline));
	assert_true(deadlines_take(deadlines, 100, &deadline));
	assert_int_equal(deadline.ns, 100);
	assert_int_equal(deadline.name, 7);
	assert_int_equal(deadline.flow, 8);
	assert_int_equal(deadline.kind, DEADLINE_EXPIRE);
	assert_false(deadlines_take(deadlines, UINT64_MAX, &deadline));
	deadlines_free(deadlines);
	deadlines_free(NULL);
}

/* Where there is no room nothing else is lost. */
static void test_room(void **state)
{
	struct deadlines *deadlines = heap(3);
	struct deadline deadline;
	uint64_t i;

	(void)state;
	assert_true(deadlines_bytes(deadlines) >= 3 * sizeof(struct deadline));
	for (i = 0; i < 3; i++)
		assert_true(add(deadlines, 30 - i, i));
	assert_false(add(deadlines, 1, 9));
	assert_true(deadlines_take(deadlines, 100, &deadline));
	assert_int_equal(deadline.name, 2);
	assert_true(add(deadlines, 1, 9));
	assert_false(add(deadlines, 1, 10));
	assert_true(deadlines_take(deadlines, 100, &deadline));
	assert_int_equal(deadline.name, 9);
	deadlines_free(deadlines);
}

/* Everything that is in, in no order. */
struct slow {
	struct {
		uint64_t ns, name;
	} item[ROOM];
	size_t count;
};

static void slow_take(struct slow *slow, const struct deadline *deadline)
{
	size_t i, at = slow->count;

	for (i = 0; i < slow->count; i++) {
		assert_true(slow->item[i].ns >= deadline->ns);
		if (slow->item[i].name == deadline->name)
			at = i;
	}
	assert_true(at < slow->count);
	assert_true(slow->item[at].ns == deadline->ns);
	assert_int_equal(deadline->flow, (uint32_t)deadline->name + 1);
	slow->item[at] = slow->item[--slow->count];
}

static bool slow_none_until(const struct slow *slow, uint64_t now)
{
	size_t i;

	for (i = 0; i < slow->count; i++) {
		if (slow->item[i].ns <= now)
			return false;
	}
	return true;
}

static void slow_add(struct slow *slow, struct deadlines *deadlines, uint64_t ns, uint64_t name)
{
	assert_int_equal(add(deadlines, ns, name), slow->count < ROOM);
	if (slow->count == ROOM)
		return;
	slow->item[slow->count].ns = ns;
	slow->item[slow->count++].name = name;
}

/* Few moments, so that many are equal; many, so that few are; full, empty and between. */
static void run(uint32_t moments, uint32_t adds_in_ten, uint64_t *random)
{
	struct deadlines *deadlines = heap(ROOM);
	struct slow slow = { .count = 0 };
	struct deadline deadline;
	uint64_t name;

	for (name = 1; name < 20000; name++) {
		const uint64_t now = unit_below(random, moments);

		if (unit_below(random, 10) < adds_in_ten)
			slow_add(&slow, deadlines, unit_below(random, moments), name);
		else if (deadlines_take(deadlines, now, &deadline)) {
			assert_true(deadline.ns <= now);
			slow_take(&slow, &deadline);
		} else {
			assert_true(slow_none_until(&slow, now));
		}
	}
	while (deadlines_take(deadlines, UINT64_MAX, &deadline))
		slow_take(&slow, &deadline);
	assert_int_equal(slow.count, 0);
	deadlines_free(deadlines);
}

static void test_random_use(void **state)
{
	uint64_t random = seed;
	uint32_t adds;

	(void)state;
	for (adds = 3; adds <= 7; adds++) {
		run(20, adds, &random);
		run(1000000, adds, &random);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_not_before_its_time),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_random_use),
	};

	seed = unit_seed("deadlines");
	return cmocka_run_group_tests_name("deadlines", tests, NULL, NULL);
}
