/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds src/source/ring.c to being a border. A consumer that a stranger has taken over writes
 * whatever it likes into the memory that is its own: the producer must never see more room than
 * the ring has slots, must never be led outside of it, and must have its room back as soon as the
 * lies end. And what a consumer that died left there must not lead its successor astray.
 *
 * The lies are told in place, which takes the ring's insides: so this test compiles the module in
 * once more, under other names.
 */
#include "unit.h"

#include <limits.h>

#define ring_new	      inside_new
#define ring_free	      inside_free
#define ring_room	      inside_room
#define ring_free_slot	      inside_free_slot
#define ring_publish	      inside_publish
#define ring_counters_mutable inside_counters_mutable
#define ring_restrict	      inside_restrict
#define ring_take_over	      inside_take_over
#define ring_peek	      inside_peek
#define ring_begin	      inside_begin
#define ring_release	      inside_release
#define ring_counters	      inside_counters
#define ring_begin_anew	      inside_begin_anew
#define ring_stamp_begin      inside_stamp_begin
#define ring_stamp	      inside_stamp
#define ring_shown_up_to      inside_shown_up_to

#include "../../src/source/ring.c"

#define SLOTS 8
#define LIES  100000

static uint64_t seed;

static struct ring *new_ring(void)
{
	struct ring *ring = ring_new(SLOTS);

	assert_non_null(ring);
	return ring;
}

/* The truth, and its neighbours, and what is far away. */
static unsigned long lie(unsigned long head, uint64_t *dice)
{
	switch (unit_below(dice, 4)) {
	case 0:
		return head - unit_below(dice, 2 * SLOTS + 2);
	case 1:
		return head + unit_below(dice, 2 * SLOTS + 2);
	case 2:
		return 0UL - unit_below(dice, 4);
	}
	return (unsigned long)unit_random(dice);
}

/* What the producer may believe: a tail between the head and a ring's length before it. */
static size_t room_by_rule(unsigned long head, unsigned long tail)
{
	size_t unread;

	for (unread = 0; unread <= SLOTS; unread++) {
		if (tail + unread == head)
			return SLOTS - unread;
	}
	return 0;
}

static void check_slots(struct ring *ring, size_t room)
{
	const uintptr_t first = (uintptr_t)&ring->producer->slots[0];
	uintptr_t place;
	size_t i, j;

	for (i = 0; i < room; i++) {
		place = (uintptr_t)ring_free_slot(ring, i) - first;
		assert_int_equal(place % sizeof(struct ring_slot), 0);
		assert_true(place / sizeof(struct ring_slot) < SLOTS);
		for (j = 0; j < i; j++)
			assert_ptr_not_equal(ring_free_slot(ring, i), ring_free_slot(ring, j));
	}
}

static void test_a_lying_tail_never_makes_more_room(void **state)
{
	struct ring *ring = new_ring();
	uint64_t dice = seed;
	unsigned long tail;
	size_t room, i;

	(void)state;
	for (i = 0; i < LIES; i++) {
		tail = lie(ring->next, &dice);
		atomic_store(&ring->consumer->tail, tail);
		room = ring_room(ring, SIZE_MAX);
		assert_true(room <= SLOTS);
		assert_int_equal(room, room_by_rule(ring->next, tail));
		assert_int_equal(ring_room(ring, 3), room < 3 ? room : 3);
		check_slots(ring, room);
		ring_publish(ring, unit_below(&dice, (uint32_t)room + 1));
		assert_int_equal(ring->producer->head, ring->next);
	}
	ring_free(ring);
}

static void test_the_usual_lies_by_name(void **state)
{
	static const struct {
		unsigned long tail;
		size_t room;
	} rows[] = {
		{ 100, 8 },	       /* all read */
		{ 92, 0 },	       /* nothing read */
		{ 96, 4 },	       /* half of it */
		{ 91, 0 },	       /* further back than the ring is long */
		{ 101, 0 },	       /* beyond the head */
		{ 108, 0 },	       /* a whole round beyond */
		{ 0, 0 },	       /* the past */
		{ ULONG_MAX, 0 },      /* the end of all numbers */
		{ LONG_MAX + 1UL, 0 }, /* half of them */
#if ULONG_MAX > 0xffffffff
		{ 0x100000064, 0 }, /* the head, were it 32 bits */
		{ 0x10000005c, 0 }, /* nothing read, were it 32 bits */
#endif
	};
	struct ring *ring = new_ring();
	size_t i;

	(void)state;
	ring_publish(ring, 100);
	for (i = 0; i < COUNT(rows); i++) {
		atomic_store(&ring->consumer->tail, rows[i].tail);
		assert_int_equal(ring_room(ring, SIZE_MAX), rows[i].room);
	}
	ring_free(ring);
}

/* An index of 32 bits wraps after some months of SYNs, and does no harm. */
static void test_indices_that_wrap(void **state)
{
	struct ring *ring = new_ring();
	size_t i;

	(void)state;
	ring->next = ULONG_MAX - 20;
	atomic_store(&ring->consumer->tail, ring->next);
	for (i = 0; i < 50; i++) {
		assert_int_equal(ring_room(ring, SIZE_MAX), SLOTS);
		check_slots(ring, SLOTS);
		ring_publish(ring, 3);
		assert_int_equal(ring_room(ring, SIZE_MAX), SLOTS - 3);
		atomic_store(&ring->consumer->tail, ring->next);
	}
	ring_free(ring);
}

/* A head so much further than the tail, with so many begun; what may a successor skip? */
static void check_take_over(struct ring *ring, unsigned long head, unsigned long tail,
			    unsigned long begun)
{
	struct ring consumer = *ring; /* a successor has a struct of its own, as after a fork */
	size_t skipped, left = 0;

	atomic_store(&ring->producer->head, head);
	atomic_store(&ring->consumer->tail, tail);
	atomic_store(&ring->consumer->begun, begun);
	skipped = ring_take_over(&consumer);
	assert_true(skipped <= SLOTS);
	for (; ring_peek(&consumer) != NULL && left <= SLOTS; left++)
		ring_begin(&consumer);
	assert_true(skipped + left <= SLOTS);
	assert_int_equal(consumer.next, head);
	ring_release(&consumer);
	assert_int_equal(ring->consumer->tail, head);
	if (head - tail <= SLOTS && begun - tail <= head - tail) {
		assert_int_equal(skipped, begun - tail);
		assert_int_equal(left, head - begun);
	}
}

static void test_take_over_from_a_liar(void **state)
{
	struct ring *ring = new_ring();
	uint64_t dice = seed;
	unsigned long head;
	size_t i;

	(void)state;
	for (i = 0; i < LIES; i++) {
		head = unit_below(&dice, 2) != 0 ? unit_below(&dice, 100)
						 : (unsigned long)unit_random(&dice);
		check_take_over(ring, head, lie(head, &dice), lie(head, &dice));
	}
	ring_free(ring);
}

static void test_take_over_of_every_honest_state(void **state)
{
	struct ring *ring = new_ring();
	unsigned long unread, begun;

	(void)state;
	for (unread = 0; unread <= SLOTS; unread++) {
		for (begun = 0; begun <= unread; begun++) {
			check_take_over(ring, 1000, 1000 - unread, 1000 - unread + begun);
			check_take_over(ring, 3, 3 - unread, 3 - unread + begun); /* wraps */
		}
	}
	ring_free(ring);
}

/* What the consumer writes is not in the memory that the producer shows, and the other way. */
static void test_each_side_has_memory_of_its_own(void **state)
{
	struct ring *ring = new_ring();
	const uintptr_t a = (uintptr_t)ring->producer_memory.address;
	const uintptr_t b = (uintptr_t)ring->consumer_memory.address;
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

	(void)state;
	assert_true(ring->producer_memory.size >=
		    sizeof(struct producer_side) + SLOTS * sizeof(struct ring_slot));
	assert_true(a + ring->producer_memory.size <= b || b + ring->consumer_memory.size <= a);
	assert_int_equal(a % page, 0);
	assert_int_equal(b % page, 0);
	/* Netlink messages are written into the slots, and read there as they lie. */
	assert_int_equal((uintptr_t)ring->producer->slots[0].bytes % 8, 0);
	assert_int_equal((uintptr_t)ring->producer->slots[1].bytes % 8, 0);
	ring_free(ring);
}

int main(void)
{
	const struct CMUnitTest ring_border[] = {
		cmocka_unit_test(test_a_lying_tail_never_makes_more_room),
		cmocka_unit_test(test_the_usual_lies_by_name),
		cmocka_unit_test(test_indices_that_wrap),
		cmocka_unit_test(test_take_over_from_a_liar),
		cmocka_unit_test(test_take_over_of_every_honest_state),
		cmocka_unit_test(test_each_side_has_memory_of_its_own),
	};

	seed = unit_seed("ring_border");
	return cmocka_run_group_tests(ring_border, NULL, NULL);
}
