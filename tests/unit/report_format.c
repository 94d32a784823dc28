/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Holds src/report/format.c to writing numbers as people read them, and never as more than is true.
 */
#include "unit.h"

#include "os/clock.h"
#include "report/format.h"

struct number {
	const char *name; /* what it is to be written as */
	uint64_t value;
};

static void test_count(void **state)
{
	const struct number *row = *state;
	char text[FORMAT_COUNT];

	assert_string_equal(format_count(row->value, text), row->name);
}

static void test_duration(void **state)
{
	const struct number *row = *state;
	char text[FORMAT_DURATION];

	assert_string_equal(format_duration(row->value, text), row->name);
}

static void test_share(void **state)
{
	char text[FORMAT_SHARE];

	(void)state;
	assert_string_equal(format_share(0, 0, text), "-");
	assert_string_equal(format_share(0, 10, text), "0 %");
	assert_string_equal(format_share(1, 1000000, text), "< 0.01 %");
	assert_string_equal(format_share(4, 10000, text), "0.04 %");
	assert_string_equal(format_share(31, 1000, text), "3.1 %");
	assert_string_equal(format_share(1, 2, text), "50.0 %");
	assert_string_equal(format_share(9998, 10000, text), "99.98 %");
	assert_string_equal(format_share(999999, 1000000, text), "> 99.99 %");
	assert_string_equal(format_share(5, 5, text), "100 %");
}

static void test_time(void **state)
{
	const uint64_t ns = UNIT_SECOND * NS_PER_SECOND + 204829123;
	char text[FORMAT_TIME];

	(void)state;
	assert_string_equal(format_date(ns, text), "2026-11-22 14:26:39");
	assert_string_equal(format_clock(ns, false, text), "14:26:39");
	assert_string_equal(format_clock(ns, true, text), "11-22 14:26");
	assert_string_equal(format_rfc3339(ns, text), "2026-11-22T14:26:39.204829Z");
	assert_string_equal(format_date(0, text), "-");
	assert_string_equal(format_clock(0, false, text), "-");
	assert_false(format_dated(ns, ns + 3600 * NS_PER_SECOND));
	assert_true(format_dated(ns, ns + 86400 * NS_PER_SECOND));
}

static void test_address(void **state)
{
	const uint8_t four[16] = { 203, 0, 113, 7 };
	const uint8_t six[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 };
	char text[FORMAT_ADDRESS];

	(void)state;
	assert_string_equal(format_address(4, four, text), "203.0.113.7");
	assert_string_equal(format_address(6, six, text), "2001:db8::1");
	assert_string_equal(format_endpoint(4, four, 80, text), "203.0.113.7:80");
	assert_string_equal(format_endpoint(6, six, 65535, text), "[2001:db8::1]:65535");
}

static void test_ticks(void **state)
{
	char text[FORMAT_COUNT];

	(void)state;
	assert_string_equal(format_ticks(1732041794, 1000000, text), "1,732 M");
	assert_string_equal(format_ticks(1732041794, 10000, text), "1,732.04 M");
	assert_string_equal(format_ticks(1732041794, 1000, text), "1,732.0417 M");
	assert_string_equal(format_ticks(1732041794, 10, text), "1,732,041,794");
}

static char *written(void (*writer)(FILE *out))
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	writer(out);
	fclose(out);
	return text;
}

static void put(FILE *out)
{
	format_put(out,
		   "a\x1b[2J\n\x7f\xc2\x9b"
		   "b\xc3\xa9",
		   12);
	fputc('|', out);
	format_put(out, NULL, 3);
	fputc('|', out);
	format_put(out, "too long", 3);
}

static void test_put(void **state)
{
	char *text = written(put);

	(void)state;
	assert_string_equal(text, "a?[2J???b\xc3\xa9  |-  |too long");
	free(text);
}

static void wrap(FILE *out)
{
	size_t i;

	fputs("ab", out);
	for (i = 0; i < 2; i++)
		format_wrap(out,
			    "  1 345678901234567890123456789012345678901234567890 "
			    "345678901234567890123456789012345678901234567890123456789012345678 x",
			    2);
	format_wrap(out, NULL, 0);
}

static void test_wrap(void **state)
{
	char *text = written(wrap), *line, *rest = NULL;
	size_t lines = 0;

	(void)state;
	for (line = strtok_r(text, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest), lines++)
		assert_true(strlen(line) <= FORMAT_COLUMNS);
	assert_int_equal(lines, 5);
	assert_memory_equal(text, "ab1 3456", 8);
	free(text);
}

static const struct number counts[] = {
	{ "0", 0 },
	{ "999", 999 },
	{ "1,000", 1000 },
	{ "1,310", 1310 },
	{ "18,446,744,073,709,551,615", UINT64_MAX },
};

#define S NS_PER_SECOND

static const struct number durations[] = {
	{ "0 s", 0 },
	{ "< 1 ms", 1000 },
	{ "400 ms", S * 2 / 5 },
	{ "1 s", S },
	{ "1.5 s", S * 3 / 2 },
	{ "2 s", S * 2 - 20000000 },
	{ "22 s", 22 * S },
	{ "1 min", 60 * S },
	{ "1 min 30 s", 90 * S },
	{ "2 h 10 min", 7800 * S },
	{ "2 h", 7200 * S },
	{ "1 d", 86400 * S },
	{ "3 d 4 h", (3 * 86400 + 4 * 3600) * S },
};

int main(void)
{
	struct CMUnitTest tests[COUNT(counts) + COUNT(durations)];
	const struct CMUnitTest others[] = {
		cmocka_unit_test(test_share),	cmocka_unit_test(test_time),
		cmocka_unit_test(test_address), cmocka_unit_test(test_ticks),
		cmocka_unit_test(test_put),	cmocka_unit_test(test_wrap),
	};
	size_t i, n = 0;
	int failed;

	for (i = 0; i < COUNT(counts); i++)
		tests[n++] = unit_row(counts[i].name, test_count, &counts[i]);
	for (i = 0; i < COUNT(durations); i++)
		tests[n++] = unit_row(durations[i].name, test_duration, &durations[i]);
	failed = cmocka_run_group_tests_name("report_format: numbers", tests, NULL, NULL);
	return failed + cmocka_run_group_tests_name("report_format", others, NULL, NULL);
}
