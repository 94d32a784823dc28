/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds src/report/plot*.c to a true picture: every SYN where it belongs on an axis that is cut,
 * clocks as they run, stamps with their owners, and time in round steps.
 */
#include "report_fixture.h"

#include "report/plot.h"
#include "report/plot_bands.h"
#include "report/plot_lines.h"
#include "report/plot_time.h"

static struct fixture fixture;

static const struct report_source *source_of(enum fixture_kind kind, size_t i)
{
	fixture_make(&fixture, kind);
	return &fixture.sources[i];
}

static void bands_of(struct bands *bands, const struct report_source *s)
{
	assert_true(bands_make(bands, s, s->first_ns, s->last_ns));
}

/* Clocks 10^9 ticks apart get a band each; every SYN is in the band of its clock, at its TSval. */
static void test_bands(void **state)
{
	const struct report_source *s = source_of(FIXTURE_NAT, 0);
	const size_t band_of_clock[] = { 2, 0, 1 };
	struct bands bands;
	double height;
	size_t i, band;

	(void)state;
	bands_of(&bands, s);
	assert_int_equal(bands.count, 3);
	for (i = 0; i < s->sample_count; i++) {
		assert_true(bands_find(&bands, s->samples[i].tsval, &band, &height));
		assert_int_equal(band, band_of_clock[s->verdict.clock_of[i]]);
		assert_in_range(bands_tsval(&bands, band, height) - s->samples[i].tsval + 2, 0, 4);
	}
	assert_false(bands_find(&bands, 2500000000U, &band, &height));
}

/* Clocks that are close share a band, one above the other. */
static void test_close_clocks(void **state)
{
	const struct report_source *s = source_of(FIXTURE_NAT, 2);
	struct bands_line low, high;
	struct bands bands;

	(void)state;
	bands_of(&bands, s);
	assert_int_equal(bands.count, 1);
	assert_true(bands_line(&bands, s, 0, &low));
	assert_true(bands_line(&bands, s, 1, &high));
	assert_true(high.from > low.from + 0.05 && high.to > low.to + 0.05);
	assert_true(high.to - high.from - low.to + low.from < 0.001);
	assert_int_equal(low.from_ns, s->first_ns);
	assert_int_equal(low.to_ns, s->last_ns);
}

/* A clock that wraps stays in one band and rises. */
static void test_wrap(void **state)
{
	const struct report_source *s = source_of(FIXTURE_NAT, 3);
	struct bands bands;
	double first, last, height;
	size_t i, band, other;

	(void)state;
	bands_of(&bands, s);
	assert_int_equal(bands.count, 2);
	assert_true(bands_find(&bands, 4293000000U, &band, &first));
	assert_true(bands_find(&bands, 5000000, &other, &last));
	assert_int_equal(band, other);
	assert_true(last > first);
	for (i = 0; i < s->sample_count; i++)
		assert_true(bands_find(&bands, s->samples[i].tsval, &band, &height));
}

static void test_random_has_the_whole_circle(void **state)
{
	const struct report_source *s = source_of(FIXTURE_RANDOM, 0);
	struct bands bands;

	(void)state;
	bands_of(&bands, s);
	assert_int_equal(bands.count, 1);
	assert_int_equal(bands_tsval(&bands, 0, 0), 0);
	assert_int_equal(bands_tsval(&bands, 0, 1), UINT32_MAX);
}

static void test_nothing_to_show(void **state)
{
	struct report_source empty = { .first_ns = 1, .last_ns = 2 };
	struct bands bands;

	(void)state;
	assert_false(bands_make(&bands, &empty, 1, 2));
}

static void test_lines(void **state)
{
	const struct report_source *s = source_of(FIXTURE_NAT, 0);
	size_t i;

	(void)state;
	for (i = 0; i < s->sample_count; i++) {
		const uint32_t at = lines_at(s, s->verdict.clock_of[i], s->samples[i].time_ns);

		assert_in_range(at - s->samples[i].tsval + 2, 0, 4);
	}
}

static void test_owner(void **state)
{
	const struct report_source *s = source_of(FIXTURE_NAT, 0);
	const uint32_t second = (uint32_t)(s->first_ns / NS_PER_SECOND) + 1000;

	(void)state;
	assert_int_equal(lines_owner(s, 4042010 + 1000500, second), 0);
	assert_int_equal(lines_owner(s, 1732041794 + 1000500, second), 1);
	assert_int_equal(lines_owner(s, 3102938000U + 250125, second), 2);
	assert_int_equal(lines_owner(s, 4042010 + 1010500, second), CLOCKS_NO_CLOCK);
	assert_int_equal(lines_owner(s, 2000000000, second), CLOCKS_NO_CLOCK);
}

/* Whose stamps dropped whose SYNs: on the circle each of the three is ahead of another one. */
static void test_lockouts(void **state)
{
	const struct report_source *s = source_of(FIXTURE_NAT, 0);
	struct lines_lockouts by;
	uint32_t times;
	size_t i, j, sum = 0;

	(void)state;
	lines_lockouts(s, &by);
	for (i = 0; i <= CLOCKS_MOST; i++) {
		for (j = 0; j <= CLOCKS_MOST; j++)
			sum += by.count[i][j];
	}
	assert_int_equal(sum, s->verdict.clocks[0].dropped + s->verdict.clocks[1].dropped +
				      s->verdict.clocks[2].dropped);
	assert_int_equal(lines_worst_lockout(&by, 0, &times), 1);
	assert_int_equal(times, s->verdict.clocks[0].dropped);
	assert_int_equal(lines_worst_lockout(&by, 1, &times), 2);
	assert_int_equal(lines_worst_lockout(&by, 2, &times), 0);
	assert_int_equal(lines_worst_lockout(&by, 3, &times), CLOCKS_MOST);
	assert_int_equal(times, 0);
}

/* No stamp lasts longer than a minute, and none begins before the one before it has ended. */
static void test_stamps(void **state)
{
	const struct report_source *s = source_of(FIXTURE_NAT, 4);
	struct lines_stamp stamps[CLOCKS_SAMPLES];
	size_t i, n = lines_stamps(s, stamps);

	(void)state;
	assert_in_range(n, 10, s->sample_count);
	for (i = 0; i < n; i++) {
		assert_true(stamps[i].from_ns <= stamps[i].to_ns);
		assert_true(stamps[i].to_ns - stamps[i].from_ns <= 60 * NS_PER_SECOND);
		if (i > 0)
			assert_true(stamps[i].from_ns >= stamps[i - 1].to_ns);
	}
}

static void test_time_steps(void **state)
{
	char text[64];

	(void)state;
	assert_int_equal(plot_time_step(7800 * NS_PER_SECOND, 10), 900 * NS_PER_SECOND);
	assert_int_equal(plot_time_step(120 * NS_PER_SECOND, 10), 15 * NS_PER_SECOND);
	assert_int_equal(plot_time_step(172800 * NS_PER_SECOND, 8), 43200 * NS_PER_SECOND);
	assert_int_equal(plot_time_step(NS_PER_SECOND, 6), 200000000);
	assert_int_equal(plot_time_first(FIXTURE_START, 900 * NS_PER_SECOND),
			 FIXTURE_START + 240 * NS_PER_SECOND);
	assert_string_equal(plot_time_text(FIXTURE_START, 900 * NS_PER_SECOND, false, text),
			    "14:26");
	assert_string_equal(plot_time_text(FIXTURE_START, NS_PER_SECOND, false, text), "14:26:00");
	assert_string_equal(plot_time_text(FIXTURE_START, 3600 * NS_PER_SECOND, true, text),
			    "11-22 14:26");
	assert_string_equal(plot_time_text(FIXTURE_START + 300000000, 100000000, false, text),
			    "14:26:00.3");
}

/* However long the watch was, the slots hold all of it, and the worst minute is in the worst. */
static void test_slots(void **state)
{
	const size_t mosts[] = { 3, 40, SLOTS_MOST };
	const struct report *r = fixture_make(&fixture, FIXTURE_LONG);
	struct slots slots;
	size_t i, j;

	(void)state;
	for (i = 0; i < COUNT(mosts); i++) {
		uint64_t syns = 0, drops = 0;

		slots_make(&slots, r, mosts[i]);
		assert_in_range(slots.count, 2, mosts[i]);
		for (j = 0; j < slots.count; j++) {
			syns += slots.slot[j].syns;
			drops += slots.slot[j].drop_syns;
		}
		for (j = 0; j < r->minute_count; j++) {
			syns -= r->minutes[j].syns;
			drops -= r->minutes[j].drop_syns;
		}
		assert_int_equal(syns, 0);
		assert_int_equal(drops, 0);
		assert_true(slots.slot[slots.worst].start_ns <=
			    r->minutes[r->worst_minute].start_ns);
		assert_true(slots.slot[slots.worst].start_ns + slots.slot_ns >
			    r->minutes[r->worst_minute].start_ns);
	}
	slots_make(&slots, fixture_make(&fixture, FIXTURE_EMPTY), 40);
	assert_int_equal(slots.count, 0);
}

static char *plot_of(size_t source, unsigned int columns, unsigned int rows)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	assert_true(report_plot(&fixture.report, &fixture.sources[source], columns, rows, out));
	fclose(out);
	return text;
}

static void test_plot(void **state)
{
	const struct report_source *s = source_of(FIXTURE_NAT, 0);
	char *text = plot_of(0, 100, 40), *line, *rest = NULL;
	size_t lines = 0;

	(void)state;
	assert_non_null(strstr(text, "/~~~ 1,190,"));
	assert_non_null(
		strstr(text, "203.0.113.7: several clocks. 693 of 2,304 connections would "));
	assert_non_null(strstr(text, "15:30"));
	assert_non_null(strchr(strchr(text, '|'), '3'));
	assert_int_equal(s->verdict.clock_count, 3);
	for (line = strtok_r(text, "\n", &rest); line != NULL && line[0] == ' ';
	     line = strtok_r(NULL, "\n", &rest), lines++)
		assert_true(strlen(line) <= 104);
	assert_in_range(lines, 30, 40);
	free(text);
}

/* Any size a terminal may have, for any source. */
static void test_plot_sizes(void **state)
{
	const unsigned int sizes[] = { 0, 1, 61, 80, 399, 100000 };
	enum fixture_kind kind;
	size_t i, j;

	(void)state;
	for (kind = 0; kind < FIXTURE_KINDS; kind++) {
		fixture_make(&fixture, kind);
		for (i = 0; i < fixture.report.sources_shown; i++) {
			for (j = 0; j < COUNT(sizes); j++) {
				char *text = plot_of(i, sizes[j], sizes[COUNT(sizes) - 1 - j]);

				assert_non_null(strstr(text, "TSval\n"));
				free(text);
			}
		}
	}
}

static void test_full(void **state)
{
	FILE *out = fopen("/dev/full", "w");

	(void)state;
	assert_non_null(out);
	fixture_make(&fixture, FIXTURE_NAT);
	assert_false(report_plot(&fixture.report, fixture.sources, 100, 30, out));
	assert_int_equal(errno, ENOSPC);
	fclose(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bands),
		cmocka_unit_test(test_close_clocks),
		cmocka_unit_test(test_wrap),
		cmocka_unit_test(test_random_has_the_whole_circle),
		cmocka_unit_test(test_nothing_to_show),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_owner),
		cmocka_unit_test(test_lockouts),
		cmocka_unit_test(test_stamps),
		cmocka_unit_test(test_time_steps),
		cmocka_unit_test(test_slots),
		cmocka_unit_test(test_plot),
		cmocka_unit_test(test_plot_sizes),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests_name("report_plot", tests, NULL, NULL);
}
