/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds src/core/flows.c to being a table of connections that can be trusted when it is full: what
 * was added is found, wherever it collides; the one untouched for longest gives way, handshakes
 * first; what is lost is counted if it mattered.
 */
#include "unit.h"

#include <errno.h>

#include "core/flows.h"

#define T 1000000000ULL

static const uint8_t secret[16] = { 1, 6, 1, 8, 0, 3, 3, 9, 8, 8, 7, 4, 9, 8, 9, 4 };

static uint64_t seed;

static struct flows *table(size_t room)
{
	struct flows *flows = flows_new(room, secret);

	assert_non_null(flows);
	return flows;
}

static void test_room(void **state)
{
	(void)state;
	errno = 0;
	assert_null(flows_new(0, secret));
	assert_int_equal(errno, EINVAL);
	errno = 0;
	assert_null(flows_new(SIZE_MAX, secret));
	assert_int_equal(errno, EINVAL);
	flows_free(NULL);
}

/* The name tells both ends apart, and hides them from who does not have the key. */
static void test_names(void **state)
{
	static const uint8_t other_secret[16] = { 1 };
	struct flows *flows = table(1), *other = flows_new(1, other_secret);
	const uint8_t a[16] = { 1, 2, 3, 4 }, b[16] = { 1, 2, 3, 5 };
	const uint8_t a_long[16] = { 1, 2, 3, 4, 5 };
	const uint64_t name = flows_name(flows, 4, a, 80, b, 4000);

	(void)state;
	assert_int_not_equal(name, 0);
	assert_true(name == flows_name(flows, 4, a, 80, b, 4000));
	assert_true(name == flows_name(flows, 4, a_long, 80, b, 4000));
	assert_true(name != flows_name(flows, 6, a, 80, b, 4000));
	assert_true(name != flows_name(flows, 4, b, 80, a, 4000));
	assert_true(name != flows_name(flows, 4, a, 4000, b, 80));
	assert_true(name != flows_name(flows, 4, a, 81, b, 4000));
	assert_true(name != flows_name(flows, 4, a, 80, b, 4001));
	assert_true(name != flows_name(flows, 4, a, 80, a, 4000));
	assert_true(flows_name(flows, 6, a, 80, b, 1) != flows_name(flows, 6, a_long, 80, b, 1));
	assert_true(name != flows_name(other, 4, a, 80, b, 4000));
	flows_free(flows);
	flows_free(other);
}

/* All zero but for its name and time, also where another was before. */
static void expect_new(const struct flows *flows, const struct flow *flow, uint64_t name)
{
	assert_true(flow->name == name);
	assert_int_equal(flow->touched_ns, T);
	assert_int_equal(flow->state, FLOW_FREE);
	assert_int_equal(flow->held, 0);
	assert_int_equal(flow->place, 0);
	assert_int_equal(flow->rcv_nxt, 0);
	assert_int_equal(flow->ack_ns, 0);
	assert_false(flow->host_fin_seen || flow->peer_fin_seen || flow->undo.written);
	assert_int_equal(flow->window_scale, FLOW_SCALE_UNKNOWN);
	assert_true(flows_index(flows, flow) < 8);
}

static void test_add_find_remove(void **state)
{
	struct flows *flows = table(8);
	struct flow *flow;
	uint32_t index;

	(void)state;
	assert_null(flows_find(flows, 5));
	flow = flows_add(flows, 5, T);
	expect_new(flows, flow, 5);
	assert_ptr_equal(flows_find(flows, 5), flow);
	assert_null(flows_find(flows, 6));
	index = flows_index(flows, flow);
	assert_ptr_equal(flows_at(flows, index), flow);
	assert_int_equal(flows_count(flows), 1);
	memset(&flow->early_ns, 0xff, sizeof(flow->early_ns));
	flow->host_fin_seen = flow->undo.written = flow->peer_fin_seen = true;
	flow->held = flow->rcv_nxt = 7;
	flow->place = 3;
	flow->ack_ns = 9;
	flows_remove(flows, flow);
	assert_int_equal(flow->state, FLOW_FREE);
	assert_true(flow->name == 0);
	assert_null(flows_find(flows, 5));
	assert_int_equal(flows_count(flows), 0);
	expect_new(flows, flows_add(flows, 6, T), 6);
	assert_int_equal(flows_evicted(flows), 0);
	assert_true(flows_bytes(flows) >= 8 * sizeof(struct flow));
	flows_free(flows);
}

/* A name whose upper, lower or middle half is like that of others, so that they share a chain. */
static uint64_t colliding(uint32_t number)
{
	switch (number % 3) {
	case 0:
		return 0x1111111100000000ULL + number;
	case 1:
		return ((uint64_t)number << 32) | 0x22222222;
	default:
		return (uint64_t)number << 16;
	}
}

#define NAMES 300
#define ROOM  100

/* A slow table: names in the order in which they were touched, the oldest first. */
struct slow {
	uint32_t number[ROOM];
	bool closed[ROOM]; /* the host's FIN was seen when it was touched last */
	size_t count, early;
};

static size_t slow_find(const struct slow *slow, uint32_t number)
{
	size_t i = 0;

	while (i < slow->count && slow->number[i] != number)
		i++;
	return i;
}

static void slow_remove(struct slow *slow, size_t at)
{
	slow->early -= !slow->closed[at];
	slow->count--;
	memmove(&slow->number[at], &slow->number[at + 1],
		(slow->count - at) * sizeof(slow->number[0]));
	memmove(&slow->closed[at], &slow->closed[at + 1],
		(slow->count - at) * sizeof(slow->closed[0]));
}

static void slow_append(struct slow *slow, uint32_t number, bool closed)
{
	slow->number[slow->count] = number;
	slow->closed[slow->count++] = closed;
	slow->early += !closed;
}

/* Handshakes give way first as soon as they hold more than half of the room. */
static void slow_evict(struct slow *slow)
{
	const bool early = slow->early > ROOM / 2 || slow->early == slow->count;
	size_t i = 0;

	while (slow->closed[i] == early)
		i++;
	slow_remove(slow, i);
}

static void step(struct flows *flows, struct slow *slow, uint64_t *random)
{
	const uint32_t number = unit_below(random, NAMES);
	const size_t at = slow_find(slow, number);
	struct flow *flow = flows_find(flows, colliding(number));

	assert_int_equal(flow != NULL, at < slow->count);
	if (flow == NULL) {
		if (slow->count == ROOM)
			slow_evict(slow);
		assert_non_null(flows_add(flows, colliding(number), T));
		slow_append(slow, number, false);
		return;
	}
	assert_true(flow->name == colliding(number));
	if (unit_below(random, 8) == 0) {
		flows_remove(flows, flow);
		slow_remove(slow, at);
		return;
	}
	flow->host_fin_seen = flow->host_fin_seen || unit_below(random, 4) == 0;
	flows_touch(flows, flow, T);
	slow_remove(slow, at);
	slow_append(slow, number, flow->host_fin_seen);
}

static void test_random_use(void **state)
{
	struct flows *flows = table(ROOM);
	struct slow slow = { .count = 0 };
	uint64_t random = seed;
	uint32_t i, n;

	(void)state;
	for (i = 0; i < 100000; i++) {
		step(flows, &slow, &random);
		assert_int_equal(flows_count(flows), slow.count);
		if (i % 1000 != 0)
			continue;
		for (n = 0; n < NAMES; n++)
			assert_int_equal(flows_find(flows, colliding(n)) != NULL,
					 slow_find(&slow, n) < slow.count);
	}
	assert_true(flows_evicted(flows) > 1000);
	flows_free(flows);
}

/* Handshakes and closed ones, alternating, `early` of the former; the closed ones are older. */
static struct flows *mixed(size_t early, size_t closed)
{
	struct flows *flows = table(early + closed);
	size_t i;

	for (i = 0; i < closed; i++) {
		struct flow *flow = flows_add(flows, 1000 + i, T);

		flow->state = FLOW_FIN_WAIT1;
		flow->host_fin_seen = true;
		flows_touch(flows, flow, T);
	}
	for (i = 0; i < early; i++)
		flows_add(flows, 1 + i, T)->state = FLOW_HANDSHAKE;
	flows_add(flows, 99, T);
	assert_int_equal(flows_count(flows), early + closed);
	assert_int_equal(flows_evicted(flows), 1);
	return flows;
}

static void test_handshakes_give_way_beyond_half(void **state)
{
	struct flows *flows = mixed(6, 4);

	(void)state;
	assert_null(flows_find(flows, 1));
	assert_non_null(flows_find(flows, 1000));
	flows_free(flows);
	flows = mixed(5, 5);
	assert_non_null(flows_find(flows, 1));
	assert_null(flows_find(flows, 1000));
	assert_non_null(flows_find(flows, 1001));
	flows_free(flows);
	flows = mixed(0, 4);
	assert_null(flows_find(flows, 1000));
	flows_free(flows);
	flows = mixed(4, 0);
	assert_null(flows_find(flows, 1));
	flows_free(flows);
	flows = mixed(1, 0);
	assert_null(flows_find(flows, 1));
	flows_free(flows);
}

/* Is what gives way in this state, at a time relative to late_ns, counted? */
static uint64_t counted(enum flow_state state, int late)
{
	struct flows *flows = table(1);
	struct flow *flow = flows_add(flows, 1, T);
	uint64_t evicted;

	flow->state = (uint8_t)state;
	flow->late_ns = 5 * T;
	flows_add(flows, 2, 5 * T + (unsigned long long)late);
	assert_null(flows_find(flows, 1));
	assert_non_null(flows_find(flows, 2));
	evicted = flows_evicted(flows);
	flows_free(flows);
	return evicted;
}

static void test_counts_what_mattered(void **state)
{
	(void)state;
	assert_int_equal(counted(FLOW_TIME_WAIT, -1), 1);
	assert_int_equal(counted(FLOW_TIME_WAIT, 0), 0);
	assert_int_equal(counted(FLOW_TIME_WAIT, 1), 0);
	assert_int_equal(counted(FLOW_HALF_DEAD, -1), 1);
	assert_int_equal(counted(FLOW_HALF_DEAD, 0), 0);
	assert_int_equal(counted(FLOW_HANDSHAKE, 1), 1);
	assert_int_equal(counted(FLOW_OPEN, 1), 1);
	assert_int_equal(counted(FLOW_FIN_WAIT1, 1), 1);
	assert_int_equal(counted(FLOW_FIN_WAIT2, 1), 1);
	assert_int_equal(counted(FLOW_CLOSING, 1), 1);
	assert_int_equal(counted(FLOW_LAST_ACK, 1), 1);
}

static void test_touch(void **state)
{
	struct flows *flows = table(3);
	struct flow *flow;

	(void)state;
	flow = flows_add(flows, 1, T);
	flows_add(flows, 2, T);
	flows_add(flows, 3, T);
	flows_touch(flows, flow, 7 * T);
	assert_int_equal(flow->touched_ns, 7 * T);
	flows_add(flows, 4, T);
	assert_ptr_equal(flows_find(flows, 1), flow);
	assert_null(flows_find(flows, 2));
	flows_add(flows, 5, T);
	assert_null(flows_find(flows, 3));
	flows_add(flows, 6, T);
	assert_null(flows_find(flows, 1));
	flows_free(flows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_add_find_remove),
		cmocka_unit_test(test_random_use),
		cmocka_unit_test(test_handshakes_give_way_beyond_half),
		cmocka_unit_test(test_counts_what_mattered),
		cmocka_unit_test(test_touch),
	};

	seed = unit_seed("flows");
	return cmocka_run_group_tests_name("flows", tests, NULL, NULL);
}
