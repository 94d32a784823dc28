/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds src/sink/fold.c to what a reader of the log relies on: the first drop of a source is told
 * at once, a storm becomes one line a period that shows the latest drop and counts the others, the
 * number of lines a second has a bound, and nothing is lost without being counted: at any time when
 * nothing is held back, drops = lines + folded + suppressed.
 */
#include "unit.h"

#include "sink/fold.h"
#include "syn.h"

#define LINES_MOST 200000
#define N	   5000 /* a second of a clock that only goes forward */

struct line {
	uint8_t source; /* last byte of the address */
	uint8_t ip_version;
	uint32_t tsval;
	uint64_t folded;
};

/* What was written; `accounted` is what these lines stand for. */
struct lines {
	size_t count;
	uint64_t accounted;
	struct line line[64]; /* the first ones */
};

static struct lines lines;

static void note(void *context, const struct drop *drop)
{
	struct lines *to = context;
	struct line *line = &to->line[to->count % COUNT(to->line)];

	line->ip_version = drop->seg.ip_version;
	line->source = drop->seg.source[drop->seg.ip_version == 4 ? 3 : 15];
	line->tsval = drop->seg.tsval;
	line->folded = drop->folded;
	to->count++;
	to->accounted += 1 + drop->folded;
}

static struct fold *start(uint32_t period, uint32_t rate)
{
	const struct fold_config config = {
		.period = period,
		.rate = rate,
		.hash_key = { 9, 9, 9 },
		.emit = note,
		.context = &lines,
	};
	struct fold *fold = fold_new(&config);

	assert_non_null(fold);
	memset(&lines, 0, sizeof(lines));
	return fold;
}

/* A drop whose TSval tells it from others. Its `folded` is rubbish, and to be ignored. */
static struct drop drop_of(uint32_t source, uint32_t tsval)
{
	struct drop drop;

	memset(&drop, 0, sizeof(drop));
	drop.seg = syn("198.51.0.0", "10.99.0.1", UNIT_SECOND, tsval);
	drop.seg.source[2] = (uint8_t)(source >> 8);
	drop.seg.source[3] = (uint8_t)source;
	drop.seg.source[1] = (uint8_t)(source >> 16);
	drop.folded = 123456;
	return drop;
}

static void drop_one(struct fold *fold, uint32_t source, uint32_t tsval, uint32_t now)
{
	const struct drop drop = drop_of(source, tsval);

	fold_drop(fold, &drop, now);
}

static void expect_line(size_t index, uint8_t source, uint32_t tsval, uint64_t folded)
{
	assert_true(index < lines.count);
	assert_int_equal(lines.line[index].source, source);
	assert_int_equal(lines.line[index].tsval, tsval);
	assert_int_equal(lines.line[index].folded, folded);
}

static void test_the_first_drop_of_each_source_at_once(void **state)
{
	struct fold *fold = start(10, 100);
	uint32_t i;

	(void)state;
	for (i = 1; i <= 20; i++) {
		drop_one(fold, i, 100 + i, N);
		assert_int_equal(lines.count, i);
		expect_line(i - 1, (uint8_t)i, 100 + i, 0);
	}
	fold_flush(fold, N);
	assert_int_equal(lines.count, 20);
	fold_free(fold);
}

static void test_later_ones_fold_until_the_period_ends(void **state)
{
	struct fold *fold = start(10, 100);
	uint32_t i;

	(void)state;
	drop_one(fold, 1, 100, N);
	for (i = 1; i <= 7; i++) {
		drop_one(fold, 1, 100 + i, N + i);
		fold_tick(fold, N + i);
	}
	fold_tick(fold, N + 9);
	assert_int_equal(lines.count, 1);
	fold_tick(fold, N + 10);
	assert_int_equal(lines.count, 2);
	expect_line(0, 1, 100, 0);
	expect_line(1, 1, 107, 6); /* seven drops: the latest, and six like it */
	fold_tick(fold, N + 30);
	fold_flush(fold, N + 30);
	assert_int_equal(lines.count, 2);
	assert_int_equal(lines.accounted, 8);
	assert_int_equal(fold_suppressed(fold), 0);
	fold_free(fold);
}

/* One that was held back alone is not folded into anything: its line counts no others. */
static void test_a_single_held_drop(void **state)
{
	struct fold *fold = start(10, 100);

	(void)state;
	drop_one(fold, 1, 100, N);
	drop_one(fold, 1, 50, N + 1);
	fold_tick(fold, N + 10);
	expect_line(1, 1, 50, 0);
	fold_free(fold);
}

static void test_the_periodic_line_starts_a_new_period(void **state)
{
	struct fold *fold = start(10, 100);

	(void)state;
	drop_one(fold, 1, 100, N);
	drop_one(fold, 1, 101, N + 5);
	fold_tick(fold, N + 12);
	assert_int_equal(lines.count, 2);
	drop_one(fold, 1, 102, N + 13);
	drop_one(fold, 1, 103, N + 21);
	fold_tick(fold, N + 21);
	assert_int_equal(lines.count, 2);
	fold_tick(fold, N + 22);
	assert_int_equal(lines.count, 3);
	expect_line(2, 1, 103, 1);
	fold_free(fold);
}

/* Nothing held, the period over: that is a first drop again. */
static void test_after_a_quiet_period_the_next_is_a_first(void **state)
{
	struct fold *fold = start(10, 100);

	(void)state;
	drop_one(fold, 1, 100, N);
	drop_one(fold, 1, 101, N + 10);
	assert_int_equal(lines.count, 2);
	expect_line(1, 1, 101, 0);
	drop_one(fold, 1, 102, N + 19);
	assert_int_equal(lines.count, 2);
	fold_free(fold);
}

/* No tick came in time: what is held is told before what comes after it. */
static void test_a_late_tick_loses_nothing(void **state)
{
	struct fold *fold = start(10, 100);

	(void)state;
	drop_one(fold, 1, 100, N);
	drop_one(fold, 1, 101, N + 1);
	drop_one(fold, 1, 102, N + 2);
	drop_one(fold, 1, 103, N + 50);
	fold_flush(fold, N + 50);
	assert_int_equal(lines.accounted, 4);
	expect_line(1, 1, 102, 1);
	expect_line(lines.count - 1, 1, 103, 0);
	fold_free(fold);
}

/* Each source has its own period. Ports and hosts do not make another source. */
static void test_a_source_is_an_address(void **state)
{
	struct fold *fold = start(10, 100);
	struct drop drop = drop_of(1, 100);

	(void)state;
	fold_drop(fold, &drop, N);
	drop.seg.source_port++;
	drop.seg.destination_port++;
	drop.seg.destination[3]++;
	fold_drop(fold, &drop, N);
	assert_int_equal(lines.count, 1);
	drop_one(fold, 2, 100, N);
	assert_int_equal(lines.count, 2);
	drop.seg.ip_version = 6; /* the same first bytes */
	fold_drop(fold, &drop, N);
	assert_int_equal(lines.count, 3);
	drop.seg.source[15] = 1;
	fold_drop(fold, &drop, N);
	assert_int_equal(lines.count, 4);
	fold_drop(fold, &drop, N);
	assert_int_equal(lines.count, 4);
	fold_free(fold);
}

static void test_period_zero_is_a_line_a_drop(void **state)
{
	struct fold *fold = start(0, 100);
	uint32_t i;

	(void)state;
	for (i = 0; i < 50; i++)
		drop_one(fold, 1, 100 + i, N);
	assert_int_equal(lines.count, 50);
	assert_int_equal(lines.accounted, 50);
	expect_line(49, 1, 149, 0);
	fold_tick(fold, N);
	fold_flush(fold, N);
	assert_int_equal(lines.count, 50);
	fold_free(fold);
}

/* Two seconds' worth may come at once, then so many a second; the rest is counted. */
static void test_the_rate_is_a_bound(void **state)
{
	struct fold *fold = start(0, 5);
	uint32_t i;

	(void)state;
	for (i = 0; i < 30; i++)
		drop_one(fold, i, 1, N);
	assert_int_equal(lines.count, 10);
	assert_int_equal(fold_suppressed(fold), 20);
	for (i = 0; i < 30; i++)
		drop_one(fold, i, 1, N + 1);
	assert_int_equal(lines.count, 15);
	for (i = 0; i < 30; i++)
		drop_one(fold, i, 1, N + 2);
	assert_int_equal(lines.count, 20);
	for (i = 0; i < 30; i++)
		drop_one(fold, i, 1, N + 1000);
	assert_int_equal(lines.count, 30);
	assert_int_equal(fold_suppressed(fold), 120 - 30);
	fold_free(fold);
}

/* A line that is not written takes with it what was folded into it. */
static void test_suppressed_counts_what_was_folded_in(void **state)
{
	struct fold *fold = start(10, 1);
	uint32_t i;

	(void)state;
	drop_one(fold, 1, 1, N);
	for (i = 0; i < 6; i++)
		drop_one(fold, 1, 2, N + 1);
	for (i = 2; i < 10; i++)
		drop_one(fold, i, 1, N + 10);
	assert_int_equal(lines.count, 3);
	assert_int_equal(fold_suppressed(fold), 6);
	fold_tick(fold, N + 10); /* the line for six drops, for which there is no room */
	assert_int_equal(lines.count, 3);
	assert_int_equal(fold_suppressed(fold), 12);
	fold_tick(fold, N + 100);
	assert_int_equal(lines.count, 3);
	fold_free(fold);
}

static void test_flush_writes_all_that_is_held(void **state)
{
	struct fold *fold = start(3600, 100);
	uint32_t i;

	(void)state;
	for (i = 0; i < 60; i++)
		drop_one(fold, i % 20, 100 + i, N + i / 20);
	assert_int_equal(lines.count, 20);
	fold_flush(fold, N + 2);
	assert_int_equal(lines.count, 40);
	assert_int_equal(lines.accounted, 60);
	for (i = 20; i < 40; i++)
		assert_int_equal(lines.line[i].folded, 1);
	fold_flush(fold, N + 3);
	assert_int_equal(lines.count, 40);
	fold_free(fold);
}

/* Far more sources than there is memory for: the log gets longer, the account stays right. */
static void test_more_sources_than_fit(void **state)
{
	struct fold *fold = start(3600, LINES_MOST);
	uint32_t i, round;

	(void)state;
	for (round = 0; round < 3; round++) {
		for (i = 0; i < 20000; i++)
			drop_one(fold, i, round, N + round);
	}
	fold_flush(fold, N + 3);
	assert_int_equal(lines.accounted, 60000);
	assert_int_equal(fold_suppressed(fold), 0);
	assert_in_range(lines.count, 20000, 60000);
	fold_free(fold);
}

static uint64_t seed;

static void one_random_run(uint64_t *dice)
{
	static const uint32_t periods[] = { 0, 1, 2, 10, 600 }, rates[] = { 1, 5, 100, 100000 };
	struct fold *fold = start(periods[unit_below(dice, COUNT(periods))],
				  rates[unit_below(dice, COUNT(rates))]);
	const uint32_t sources = unit_below(dice, 2) != 0 ? 10 : 10000;
	uint32_t now = unit_below(dice, 2) != 0 ? 0 : N, i;
	uint64_t drops = 0;

	for (i = 0; i < 5000; i++) {
		switch (unit_below(dice, 50)) {
		case 0:
			now += unit_below(dice, 20);
			break;
		case 1:
			fold_tick(fold, now);
			break;
		case 2:
			fold_flush(fold, now);
			assert_int_equal(drops, lines.accounted + fold_suppressed(fold));
			break;
		default:
			drop_one(fold, unit_below(dice, sources), i, now);
			drops++;
		}
		assert_true(lines.accounted + fold_suppressed(fold) <= drops);
	}
	fold_flush(fold, now);
	assert_int_equal(drops, lines.accounted + fold_suppressed(fold));
	fold_free(fold);
}

static void test_nothing_is_lost_in_random_runs(void **state)
{
	uint64_t dice = seed;
	int i;

	(void)state;
	for (i = 0; i < 100; i++)
		one_random_run(&dice);
}

/* Never more lines than the bound, whatever comes: checked second by second. */
static void test_the_bound_holds_in_random_runs(void **state)
{
	uint64_t dice = seed;
	struct fold *fold = start(3, 7);
	uint32_t second, i;
	size_t before = 0;

	(void)state;
	for (second = 0; second < 3000; second++) {
		for (i = unit_below(&dice, 60); i > 0; i--)
			drop_one(fold, unit_below(&dice, 300), i, N + second);
		fold_tick(fold, N + second);
		assert_true(lines.count - before <= 14);
		assert_true(lines.count <= 14 + 7 * (size_t)second);
		before = lines.count;
	}
	fold_free(fold);
	fold_free(NULL);
}

int main(void)
{
	const struct CMUnitTest fold[] = {
		cmocka_unit_test(test_the_first_drop_of_each_source_at_once),
		cmocka_unit_test(test_later_ones_fold_until_the_period_ends),
		cmocka_unit_test(test_a_single_held_drop),
		cmocka_unit_test(test_the_periodic_line_starts_a_new_period),
		cmocka_unit_test(test_after_a_quiet_period_the_next_is_a_first),
		cmocka_unit_test(test_a_late_tick_loses_nothing),
		cmocka_unit_test(test_a_source_is_an_address),
		cmocka_unit_test(test_period_zero_is_a_line_a_drop),
		cmocka_unit_test(test_the_rate_is_a_bound),
		cmocka_unit_test(test_suppressed_counts_what_was_folded_in),
		cmocka_unit_test(test_flush_writes_all_that_is_held),
		cmocka_unit_test(test_more_sources_than_fit),
		cmocka_unit_test(test_nothing_is_lost_in_random_runs),
		cmocka_unit_test(test_the_bound_holds_in_random_runs),
	};

	seed = unit_seed("fold");
	return cmocka_run_group_tests(fold, NULL, NULL);
}
