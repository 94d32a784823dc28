/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds src/core/calendar.c to net/ipv4/inet_timewait_sock.c before 4.4, by a second calendar that
 * keeps every mini-socket in its list, lives through every millisecond, and is otherwise told from
 * that file's rules: 32 rows of 128 ms whose base moves only when their timer fires, 8 cells of
 * 7.5 s whose timer starts with the first mini-socket of all and stops with the last.
 */
#include "unit.h"

#include "core/calendar.h"

#define MS	1000000ULL
#define SOCKETS 24
#define NOWHERE SIZE_MAX
#define ROW_MS	128
#define CELL_MS 7500
#define ROWS	32U
#define CELLS	8U

static uint64_t seed;

/* A slow calendar. Lists 0 to 31 are the rows, 32 to 39 the cells. */
struct slow {
	uint64_t ms;
	size_t list_of[SOCKETS];
	int hand; /* twcal_hand: -1 while its timer is stopped */
	uint64_t base, row_expires;
	unsigned int slot; /* the cell that ends next */
	bool cell_timer;
	uint64_t cell_expires;
};

static size_t slow_count(const struct slow *slow)
{
	size_t i, count = 0;

	for (i = 0; i < SOCKETS; i++)
		count += slow->list_of[i] != NOWHERE;
	return count;
}

static bool slow_is_empty(const struct slow *slow, size_t list)
{
	size_t i;

	for (i = 0; i < SOCKETS; i++) {
		if (slow->list_of[i] == list)
			return false;
	}
	return true;
}

static void slow_kill(struct slow *slow, size_t list)
{
	size_t i;

	for (i = 0; i < SOCKETS; i++) {
		if (slow->list_of[i] == list)
			slow->list_of[i] = NOWHERE;
	}
}

/* inet_twdr_twcal_tick() */
static void slow_row_tick(struct slow *slow)
{
	unsigned int row = (unsigned int)slow->hand, n;
	uint64_t at = slow->base;
	bool advanced = false;

	for (n = 0; n < ROWS; n++, at += ROW_MS, row = (row + 1) % ROWS) {
		if (at <= slow->ms) {
			slow_kill(slow, row);
			continue;
		}
		if (!advanced) {
			advanced = true;
			slow->base = at;
			slow->hand = (int)row;
		}
		if (!slow_is_empty(slow, row)) {
			slow->row_expires = at;
			break;
		}
	}
	if (n == ROWS)
		slow->hand = -1;
	if (slow_count(slow) == 0)
		slow->cell_timer = false;
}

/* inet_twdr_hangman() */
static void slow_cell_tick(struct slow *slow)
{
	slow_kill(slow, ROWS + slow->slot);
	slow->slot = (slow->slot + 1) % CELLS;
	slow->cell_expires = slow->ms + CELL_MS;
	slow->cell_timer = slow_count(slow) != 0;
}

static void slow_timers(struct slow *slow)
{
	if (slow->hand >= 0 && slow->row_expires <= slow->ms)
		slow_row_tick(slow);
	if (slow->cell_timer && slow->cell_expires <= slow->ms)
		slow_cell_tick(slow);
}

static void slow_advance(struct slow *slow, uint64_t ms)
{
	slow_timers(slow);
	while (slow->ms < ms) {
		slow->ms++;
		slow_timers(slow);
	}
}

/* inet_twsk_deschedule() */
static void slow_leave(struct slow *slow, size_t socket)
{
	slow->list_of[socket] = NOWHERE;
	if (slow_count(slow) == 0)
		slow->cell_timer = false;
}

static unsigned int slow_row(struct slow *slow, unsigned int slot)
{
	if (slow->hand < 0) {
		slow->hand = 0;
		slow->base = slow->ms;
		slow->row_expires = slow->ms + slot * ROW_MS;
		return slot;
	}
	if (slow->row_expires > slow->ms + slot * ROW_MS)
		slow->row_expires = slow->ms + slot * ROW_MS;
	return ((unsigned int)slow->hand + slot) % ROWS;
}

/* inet_twsk_schedule() */
static void slow_enter(struct slow *slow, size_t socket, uint64_t ms)
{
	const unsigned int slot = (unsigned int)((ms + ROW_MS - 1) / ROW_MS);
	unsigned int cell = (unsigned int)((ms + CELL_MS - 1) / CELL_MS);
	size_t list;

	slow_leave(slow, socket);
	if (ms >= 60000 || cell >= CELLS)
		cell = CELLS - 1;
	list = slot < ROWS ? slow_row(slow, slot) : ROWS + (slow->slot + cell) % CELLS;
	if (slow_count(slow) == 0) {
		slow->cell_timer = true;
		slow->cell_expires = slow->ms + CELL_MS;
	}
	slow->list_of[socket] = list;
}

/* Both calendars, and the mini-sockets of the one under test. */
struct both {
	struct calendar calendar;
	struct flow flow[SOCKETS];
	struct slow slow;
};

static struct both *both_new(void)
{
	struct both *both = calloc(1, sizeof(*both));
	size_t i;

	assert_non_null(both);
	both->slow.ms = 1000000;
	both->slow.hand = -1;
	for (i = 0; i < SOCKETS; i++)
		both->slow.list_of[i] = NOWHERE;
	return both;
}

static void both_agree(struct both *both)
{
	size_t i;

	slow_timers(&both->slow);
	for (i = 0; i < SOCKETS; i++)
		assert_int_equal(
			calendar_holds(&both->calendar, &both->flow[i], both->slow.ms * MS),
			both->slow.list_of[i] != NOWHERE);
}

static void both_enter(struct both *both, size_t socket, uint64_t ms)
{
	slow_timers(&both->slow);
	calendar_enter(&both->calendar, &both->flow[socket], both->slow.ms * MS, ms * MS);
	slow_enter(&both->slow, socket, ms);
}

static void both_leave(struct both *both, size_t socket)
{
	calendar_leave(&both->calendar, &both->flow[socket], both->slow.ms * MS);
	slow_leave(&both->slow, socket);
}

/* It leaves and was there all the time: nothing has happened, if nothing else has. */
static void both_rejoin(struct both *both, size_t socket)
{
	struct flow was = both->flow[socket];

	calendar_leave(&both->calendar, &both->flow[socket], both->slow.ms * MS);
	memset(&both->flow[socket], 0x55, sizeof(both->flow[socket]));
	calendar_rejoin(&both->calendar, &both->flow[socket], &was);
}

/* The lives that the kernel gives: 3.5 RTO, tcp_fin_timeout, a minute; and any other. */
static uint64_t some_life(uint64_t *random)
{
	switch (unit_below(random, 8)) {
	case 0:
	case 1:
		return 60000;
	case 2:
		return unit_below(random, 60) * 1000;
	case 3:
		return 3968 - 1 + unit_below(random, 3); /* the edge of the rows */
	case 4:
		return unit_below(random, 70000);
	default:
		return 700 + unit_below(random, 300);
	}
}

/* `busy`: how many milliseconds pass at the most from one event to the next. */
static void run(uint32_t busy, uint32_t events, uint64_t *random)
{
	struct both *both = both_new();

	while (events-- > 0) {
		const size_t socket = unit_below(random, SOCKETS);

		slow_advance(&both->slow, both->slow.ms + unit_below(random, busy));
		switch (unit_below(random, 6)) {
		case 0:
			both_agree(both);
			both_leave(both, socket);
			break;
		case 1:
			both_agree(both);
			both_rejoin(both, socket);
			break;
		default:
			both_enter(both, socket, some_life(random));
			break;
		}
		if (unit_below(random, 3) == 0)
			both_agree(both);
	}
	slow_advance(&both->slow, both->slow.ms + 61000);
	both_agree(both);
	assert_int_equal(slow_count(&both->slow), 0);
	free(both);
}

static void test_random_schedules(void **state)
{
	uint64_t random = seed;
	unsigned int i;

	(void)state;
	for (i = 0; i < 10; i++) {
		run(20, 2000, &random);
		run(300, 2000, &random);
		run(3000, 300, &random);
		run(15000, 100, &random);
	}
}

/* The first of a row timer has a base of its own, the others share it: they end early. */
static void test_base_moves_with_the_timer_only(void **state)
{
	struct both *both = both_new();
	const uint64_t start = both->slow.ms;

	(void)state;
	both_enter(both, 0, 700); /* row 6, at 768 */
	slow_advance(&both->slow, start + 600);
	both_enter(both, 1, 700); /* row 6 as well */
	slow_advance(&both->slow, start + 767);
	both_agree(both);
	assert_int_equal(slow_count(&both->slow), 2);
	slow_advance(&both->slow, start + 768);
	both_agree(both);
	assert_int_equal(slow_count(&both->slow), 0);
	free(both);
}

/* A minute is 52.5 to 60 s, as the phase of the cells has it. */
static void test_a_minute(void **state)
{
	uint64_t phase;

	(void)state;
	for (phase = 0; phase <= 7400; phase += 100) {
		struct both *both = both_new();
		const uint64_t start = both->slow.ms;
		uint64_t end;

		both_enter(both, 0, 60000);
		slow_advance(&both->slow, start + phase);
		both_enter(both, 1, 60000);
		for (end = 52400; both->slow.list_of[1] != NOWHERE; end += 50) {
			slow_advance(&both->slow, start + phase + end);
			both_agree(both);
		}
		assert_in_range(end - 50, 52500, 60000);
		free(both);
	}
}

/*
 * What leaves after a timer was due was there when the timer fired, whether anybody has asked the
 * calendar since or not: here the timer at 768 ms is set anew for number 1, at 2048.
 */
static void test_leave_when_a_timer_was_due(void **state)
{
	struct both *both = both_new();
	const uint64_t start = both->slow.ms;

	(void)state;
	both_enter(both, 0, 700);
	both_enter(both, 1, 2000);
	slow_advance(&both->slow, start + 900);
	both_leave(both, 1);
	slow_advance(&both->slow, start + 1000);
	both_enter(both, 2, 3000);
	slow_advance(&both->slow, start + 3967);
	both_agree(both);
	assert_true(both->slow.list_of[2] != NOWHERE);
	slow_advance(&both->slow, start + 3968);
	assert_true(both->slow.list_of[2] == NOWHERE);
	both_agree(both);
	free(both);
}

#define SECOND_NS (1000 * MS)

/* What left too early comes back to where it was, and ends when it would have ended. */
static void test_rejoin(void **state)
{
	struct calendar calendar = { .count = 0 };
	struct flow flow = { .name = 1 }, other = { .name = 2 }, was;

	(void)state;
	calendar_enter(&calendar, &other, 0, 60 * SECOND_NS);
	calendar_enter(&calendar, &flow, SECOND_NS, 60 * SECOND_NS);
	was = flow;
	calendar_leave(&calendar, &flow, SECOND_NS);
	assert_false(calendar_holds(&calendar, &flow, SECOND_NS));
	assert_true(calendar_holds(&calendar, &other, 8 * SECOND_NS));
	calendar_rejoin(&calendar, &flow, &was);
	assert_true(calendar_holds(&calendar, &flow, 59 * SECOND_NS));
	assert_false(calendar_holds(&calendar, &flow, 60 * SECOND_NS));
	calendar_rejoin(&calendar, &flow, &was);
	assert_false(calendar_holds(&calendar, &flow, 60 * SECOND_NS));
	memset(&was, 0, sizeof(was));
	calendar_rejoin(&calendar, &flow, &was);
	assert_false(calendar_holds(&calendar, &flow, 60 * SECOND_NS));
}

/* ... also if it is the only one, and a timer fired while it was thought to be gone. */
static void test_rejoin_of_the_last_one(void **state)
{
	struct calendar calendar = { .count = 0 };
	struct flow flow = { .name = 1 }, other = { .name = 2 }, was;

	(void)state;
	calendar_enter(&calendar, &flow, 0, 60 * SECOND_NS);
	was = flow;
	calendar_leave(&calendar, &flow, 0);
	assert_false(calendar_holds(&calendar, &other, 7510 * MS));
	calendar_rejoin(&calendar, &flow, &was);
	assert_true(calendar_holds(&calendar, &flow, 7520 * MS));
	assert_true(calendar_holds(&calendar, &flow, 52 * SECOND_NS));
	assert_false(calendar_holds(&calendar, &flow, 61 * SECOND_NS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_schedules),
		cmocka_unit_test(test_base_moves_with_the_timer_only),
		cmocka_unit_test(test_a_minute),
		cmocka_unit_test(test_leave_when_a_timer_was_due),
		cmocka_unit_test(test_rejoin),
		cmocka_unit_test(test_rejoin_of_the_last_one),
	};

	seed = unit_seed("calendar");
	return cmocka_run_group_tests_name("calendar", tests, NULL, NULL);
}
