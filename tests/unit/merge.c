/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds src/source/merge.c, and the stamps of src/source/ring.c that it goes by, to single cases:
 * empty rings, one ring, equal stamps, batches in hand in each of their stages. merge_order.c has
 * the random ones.
 *
 * Receivers and analyst are two processes, as in the daemon: a struct ring keeps the place of the
 * side that uses it. The receivers' process does as it is told, a command at a time.
 */
#include "unit.h"

#include <sys/socket.h>
#include <sys/wait.h>

#include "source/merge.h"

#define RINGS	 3
#define SLOTS	 8
#define HANG_SEC 60
#define MS	 1000000ULL
#define T	 (1ULL << 40) /* some time after the boot */
#define SLACK_NS (4 * MS)     /* of ring_shown_up_to() */

enum todo { BEGIN, STAMP, PUBLISH };

/* What the receiver of a ring is told to do. */
struct command {
	enum todo todo;
	size_t ring, count;
	uint64_t order_ns;
};

static struct ring *rings[RINGS];
static int control[2];
static pid_t receivers;
static struct merge merge;
static uint64_t seed;

static void obey(const struct command *command)
{
	struct ring *ring = rings[command->ring];
	size_t i;

	switch (command->todo) {
	case BEGIN:
		ring_stamp_begin(ring);
		break;
	case STAMP:
		ring_stamp(ring, command->order_ns);
		break;
	case PUBLISH:
		if (ring_room(ring, command->count) != command->count)
			_exit(3);
		for (i = 0; i < command->count; i++) {
			ring_free_slot(ring, i)->order_ns = command->order_ns;
			ring_free_slot(ring, i)->length = (uint32_t)i;
			ring_free_slot(ring, i)->bytes[0] = (uint8_t)command->ring;
		}
		ring_publish(ring, command->count);
		break;
	}
}

static void receive(void)
{
	struct command command;

	alarm(HANG_SEC);
	while (read(control[1], &command, sizeof(command)) == sizeof(command)) {
		obey(&command);
		if (write(control[1], "", 1) != 1)
			_exit(2);
	}
	_exit(0);
}

static int set_up(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < RINGS; i++) {
		rings[i] = ring_new(SLOTS);
		assert_non_null(rings[i]);
	}
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, control), 0);
	fflush(NULL);
	receivers = fork();
	assert_true(receivers >= 0);
	if (receivers == 0) {
		close(control[0]);
		receive();
	}
	close(control[1]);
	merge_start(&merge, rings, RINGS);
	return 0;
}

static int tear_down(void **state)
{
	int status = -1;
	size_t i;

	(void)state;
	close(control[0]);
	assert_int_equal(waitpid(receivers, &status, 0), receivers);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	for (i = 0; i < RINGS; i++)
		ring_free(rings[i]);
	return 0;
}

static void tell(size_t ring, enum todo todo, size_t count, uint64_t order_ns)
{
	const struct command command = {
		.todo = todo, .ring = ring, .count = count, .order_ns = order_ns
	};
	char done;

	assert_int_equal(write(control[0], &command, sizeof(command)), sizeof(command));
	assert_int_equal(read(control[0], &done, 1), 1);
}

/* A whole batch. */
static void batch(size_t ring, size_t count, uint64_t order_ns)
{
	tell(ring, BEGIN, 0, 0);
	tell(ring, STAMP, 0, order_ns);
	tell(ring, PUBLISH, count, order_ns);
}

/* The next slots are `count` of this stamp, in the order in which they were published. */
static void expect(uint64_t horizon_ns, size_t count, uint64_t order_ns)
{
	const struct ring_slot *slot;
	size_t i;

	for (i = 0; i < count; i++) {
		slot = merge_next(&merge, horizon_ns);
		assert_non_null(slot);
		assert_true(slot->order_ns == order_ns);
		assert_int_equal(slot->length, i);
	}
}

static void expect_none(uint64_t horizon_ns)
{
	assert_null(merge_next(&merge, horizon_ns));
}

static void expect_held(uint64_t now_ns, uint64_t stamp_ns)
{
	const uint64_t horizon_ns = merge_horizon(&merge, now_ns);

	assert_true(horizon_ns < stamp_ns);
	assert_true(horizon_ns >= stamp_ns - SLACK_NS);
}

static void test_empty_rings(void **state)
{
	(void)state;
	assert_true(merge_horizon(&merge, T) == T);
	expect_none(T);
	expect_none(UINT64_MAX);
	merge_release(&merge);
	batch(1, 2, T + 1); /* and none of them has stopped */
	expect(T + 1, 2, T + 1);
	expect_none(T + 1);
}

/* One ring's slots come as they are, with nothing to wait for but its own receiver. */
static void test_one_ring(void **state)
{
	(void)state;
	merge_start(&merge, rings, 1);
	batch(0, 3, T);
	batch(0, 2, T + 5);
	batch(1, 2, T + 1); /* of no concern */
	assert_true(merge_horizon(&merge, T + 9) == T + 9);
	expect(T + 9, 3, T);
	expect(T + 9, 2, T + 5);
	expect_none(T + 9);
	tell(0, BEGIN, 0, 0);
	assert_true(merge_horizon(&merge, T + 70 * MS) == T + 9); /* it never goes back */
}

static void test_by_arrival(void **state)
{
	(void)state;
	batch(2, 1, T + 10);
	batch(0, 2, T + 20);
	batch(2, 3, T + 30);
	batch(1, 2, T + 15);
	batch(0, 1, T + 31);
	expect(T + 40, 1, T + 10);
	expect(T + 40, 2, T + 15);
	expect(T + 40, 2, T + 20);
	expect(T + 40, 3, T + 30);
	expect(T + 40, 1, T + 31);
	expect_none(T + 40);
}

/* What has come since the horizon was asked for, another ring may have to come before. */
static void test_nothing_behind_the_horizon(void **state)
{
	(void)state;
	batch(0, 2, T + 10);
	batch(0, 1, T + 20);
	expect(T + 10, 2, T + 10); /* what arrived just then counts */
	expect_none(T + 10);
	expect_none(T + 19);
	batch(1, 1, T + 15);
	expect(T + 20, 1, T + 15);
	expect(T + 20, 1, T + 20);
}

/* The same while the slots of one ring are being taken. */
static void test_a_ring_goes_on_only_up_to_the_horizon(void **state)
{
	(void)state;
	batch(0, 1, T + 10);
	batch(0, 1, T + 20);
	batch(0, 1, T + 30);
	expect(T + 20, 1, T + 10);
	batch(1, 1, T + 25);
	expect(T + 20, 1, T + 20);
	expect_none(T + 20);
	expect(T + 30, 1, T + 25);
	expect(T + 30, 1, T + 30);
}

/* Which of them comes first nobody can say; all come, and each ring's in its order. */
static void test_equal_stamps(void **state)
{
	size_t i, seen[RINGS] = { 0 };

	(void)state;
	batch(0, 2, T);
	batch(1, 2, T);
	batch(2, 2, T);
	batch(1, 1, T + 1);
	for (i = 0; i < 6; i++) {
		const struct ring_slot *slot = merge_next(&merge, T + 1);

		assert_non_null(slot);
		assert_true(slot->order_ns == T);
		assert_int_equal(slot->length, seen[slot->bytes[0]]++);
	}
	expect(T + 1, 1, T + 1);
	expect_none(T + 1);
}

/* However long the receiver is kept from showing it. */
static void test_the_horizon_waits_for_a_batch_in_hand(void **state)
{
	static const uint64_t later[] = { 1, MS, 3 * MS, 100 * MS, 10000 * MS, 90000000 * MS };
	size_t i;

	(void)state;
	batch(1, 1, T);
	tell(1, BEGIN, 0, 0);
	for (i = 0; i < COUNT(later); i++) /* no later than the last batch, for all we know */
		expect_held(T + later[i], T);
	tell(1, STAMP, 0, T + 20 * MS);
	for (i = 0; i < COUNT(later); i++)
		expect_held(T + 20 * MS + later[i], T + 20 * MS);
	batch(0, 1, T + 25 * MS);
	expect(merge_horizon(&merge, T + 30 * MS), 1, T);
	expect_none(merge_horizon(&merge, T + 30 * MS));
	tell(1, PUBLISH, 2, T + 20 * MS);
	assert_true(merge_horizon(&merge, T + 30 * MS) == T + 30 * MS);
	expect(T + 30 * MS, 2, T + 20 * MS);
	expect(T + 30 * MS, 1, T + 25 * MS);
}

/* A ring that has never had a batch may have its first from any time. */
static void test_the_first_batch_in_hand(void **state)
{
	(void)state;
	batch(0, 1, T);
	tell(2, BEGIN, 0, 0);
	assert_true(merge_horizon(&merge, T + 5) < SLACK_NS);
	expect_none(merge_horizon(&merge, T + 5));
	tell(2, STAMP, 0, T + 1);
	tell(2, PUBLISH, 0, 0); /* the ring had no room */
	assert_true(merge_horizon(&merge, T + 5) == T + 5);
	expect(T + 5, 1, T);
}

/* With several in hand the first counts. */
static void test_several_in_hand(void **state)
{
	(void)state;
	tell(0, STAMP, 0, T + 50 * MS);
	tell(1, STAMP, 0, T + 20 * MS);
	tell(2, STAMP, 0, T + 35 * MS);
	expect_held(T + 60 * MS, T + 20 * MS);
	tell(1, PUBLISH, 1, T + 20 * MS);
	expect_held(T + 60 * MS, T + 35 * MS);
	tell(2, PUBLISH, 1, T + 35 * MS);
	expect_held(T + 60 * MS, T + 50 * MS);
}

/* Never as late as the stamp, and not earlier than it says; to the nanosecond, wherever it falls.
 */
static void test_stamps_are_coarse_but_on_the_safe_side(void **state)
{
	uint64_t dice = seed;
	int i;

	(void)state;
	for (i = 0; i < 5000; i++) {
		const uint64_t stamp_ns = SLACK_NS + (unit_random(&dice) >> unit_below(&dice, 42));
		const uint64_t later_ns = unit_random(&dice) >> (20 + unit_below(&dice, 44));

		merge_start(&merge, rings, RINGS);
		tell(0, STAMP, 0, stamp_ns);
		if (stamp_ns <= UINT64_MAX - later_ns)
			expect_held(stamp_ns + later_ns, stamp_ns);
	}
}

/* Slots stay what they were until they are handed back, and then the receiver has all its room. */
static void test_release(void **state)
{
	const struct ring_slot *slots[SLOTS];
	size_t i;

	(void)state;
	batch(0, SLOTS, T);
	batch(1, SLOTS, T + 1);
	for (i = 0; i < SLOTS; i++)
		slots[i] = merge_next(&merge, T + 1);
	expect(T + 1, SLOTS / 2, T + 1);
	for (i = 0; i < SLOTS; i++)
		assert_int_equal(slots[i]->length, i);
	merge_release(&merge);
	batch(0, SLOTS, T + 2); /* that there is room, the receivers see to */
	batch(1, SLOTS / 2, T + 2);
	for (i = SLOTS / 2; i < SLOTS; i++)
		assert_int_equal(merge_next(&merge, T + 2)->length, i);
	expect(T + 2, SLOTS, T + 2);
	expect(T + 2, SLOTS / 2, T + 2);
	expect_none(T + 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_empty_rings, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_one_ring, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_by_arrival, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_nothing_behind_the_horizon, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_ring_goes_on_only_up_to_the_horizon, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_equal_stamps, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_horizon_waits_for_a_batch_in_hand, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_the_first_batch_in_hand, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_several_in_hand, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_stamps_are_coarse_but_on_the_safe_side, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_release, set_up, tear_down),
	};

	seed = unit_seed("merge");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
