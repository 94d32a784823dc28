/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds src/sink/drop.c to the line of the log, to the letter: scripts cut it into fields, so the
 * names, their order and the ways to say "unknown" are fixed. The JSON has the same fields in the
 * same order. Neither writes beyond the line it is given, and 512 bytes are always enough.
 */
#include "unit.h"

#ifdef HAVE_JANSSON
#include <jansson.h>
#endif

#include "sink/drop.h"
#include "syn.h"

#define LINE_MOST 512

static struct drop ipv4_drop(void)
{
	struct drop drop;

	memset(&drop, 0, sizeof(drop));
	drop.seg = syn("198.51.100.11", "10.99.0.1", UNIT_SECOND, 5000);
	drop.seg.time_ns = 1795357599174412999ULL;
	drop.seg.source_port = 30126;
	drop.seg.destination_port = 8001;
	drop.outcome = (struct synpaws_outcome){ .fate = SYNPAWS_FATE_PAWS_DROP,
						 .recorded = true,
						 .recorded_tsval = 1000000,
						 .recorded_at = UNIT_SECOND - 7,
						 .behind = 995000,
						 .age = 7,
						 .wait = 53 };
	strcpy(drop.interface, "eth0");
	drop.folded = 3;
	return drop;
}

static struct drop ipv6_drop_without_timestamp(void)
{
	struct drop drop = ipv4_drop();

	drop.seg = syn_plain("fd99:1::185", "fd99::1", UNIT_SECOND);
	drop.seg.time_ns = 1; /* the first nanosecond but one of 1970 */
	drop.seg.source_port = 65535;
	drop.seg.destination_port = 0;
	drop.outcome.behind = 0;
	drop.interface[0] = '\0';
	drop.folded = 0;
	return drop;
}

/* The longest of everything. */
static struct drop widest_drop(void)
{
	static const char wide[] = "2001:db8:1111:2222:3333:4444:255:255";
	struct drop drop = ipv4_drop();

	drop.seg = syn(wide, wide, UNIT_SECOND, UINT32_MAX);
	memset(drop.seg.source, 0xfe, 16);
	memset(drop.seg.destination, 0xfd, 16);
	drop.seg.time_ns = UINT64_MAX;
	drop.seg.source_port = drop.seg.destination_port = 65535;
	drop.outcome.recorded_tsval = UINT32_MAX;
	drop.outcome.behind = INT32_MIN;
	drop.outcome.age = INT32_MIN;
	drop.outcome.wait = UINT32_MAX;
	memset(drop.interface, 'w', sizeof(drop.interface) - 1);
	drop.folded = UINT64_MAX;
	drop.outcome.guess = true;
	return drop;
}

static void expect_text(const struct drop *drop, const char *profile, const char *should)
{
	char line[LINE_MOST];

	assert_int_equal(drop_text(drop, profile, "syn", line, sizeof(line)), strlen(should));
	assert_string_equal(line, should);
}

static void test_text_of_an_ipv4_drop(void **state)
{
	const struct drop drop = ipv4_drop();

	(void)state;
	expect_text(&drop, "el7",
		    "paws-drop time=2026-11-22T14:26:39.174412Z profile=el7 evidence=syn "
		    "src=198.51.100.11 sport=30126 dst=10.99.0.1 dport=8001 in=eth0 tsval=5000 "
		    "recorded_tsval=1000000 behind=995000 age=7 wait=53 folded=3 guess=no");
}

/* What it rests on stands in the line: the evidence, and whether it was enough. */
static void test_evidence_and_guess(void **state)
{
	struct drop drop = ipv4_drop();
	char line[LINE_MOST];

	(void)state;
	drop.outcome.guess = true;
	assert_true(drop_text(&drop, "4.x", "close", line, sizeof(line)) > 0);
	assert_non_null(strstr(line, " profile=4.x evidence=close src="));
	assert_non_null(strstr(line, " folded=3 guess=yes"));
}

/* The host answered what should have been dropped. */
static void test_a_contradiction(void **state)
{
	static const struct {
		enum synpaws_fate fate;
		const char *end;
	} rows[] = {
		{ SYNPAWS_FATE_COOKIE, " fate=cookie answer=cookie cause=syn-cookie" },
		{ SYNPAWS_FATE_TW_ACCEPT, " fate=tw-accept answer=cookie cause=time-wait" },
		{ SYNPAWS_FATE_OLD_CONNECTION,
		  " fate=old-connection answer=cookie cause=old-connection" },
		{ SYNPAWS_FATE_PASS, " fate=pass answer=cookie cause=unknown" },
	};
	struct drop drop = ipv4_drop();
	char line[LINE_MOST];
	size_t i;

	(void)state;
	drop.outcome.answer = SYNPAWS_ANSWER_COOKIE;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		drop.outcome.fate = rows[i].fate;
		assert_true(drop_text(&drop, "4.x", "answer", line, sizeof(line)) > 0);
		assert_memory_equal(line, "contradiction time=", 19);
		assert_string_equal(strstr(line, " fate="), rows[i].end);
	}
}

static void test_text_of_an_ipv6_drop(void **state)
{
	struct drop drop = ipv6_drop_without_timestamp();

	(void)state;
	drop.seg.has_timestamp = true;
	drop.seg.tsval = 0;
	drop.outcome.behind = -2147483647 - 1;
	strcpy(drop.interface, "a-long-name.409");
	expect_text(&drop, "3.2",
		    "paws-drop time=1970-01-01T00:00:00.000000Z profile=3.2 evidence=syn "
		    "src=fd99:1::185 sport=65535 dst=fd99::1 dport=0 in=a-long-name.409 tsval=0 "
		    "recorded_tsval=1000000 behind=-2147483648 age=7 wait=53 folded=0 guess=no");
}

static void test_text_without_timestamp_and_interface(void **state)
{
	const struct drop drop = ipv6_drop_without_timestamp();

	(void)state;
	expect_text(&drop, "el7",
		    "paws-drop time=1970-01-01T00:00:00.000000Z profile=el7 evidence=syn "
		    "src=fd99:1::185 sport=65535 dst=fd99::1 dport=0 in=- tsval=- "
		    "recorded_tsval=1000000 behind=- age=7 wait=53 folded=0 guess=no");
}

/* Times are UTC, and cut to microseconds, never rounded up. */
static void test_times(void **state)
{
	static const struct {
		uint64_t ns;
		const char *text;
	} rows[] = {
		{ 0, " time=1970-01-01T00:00:00.000000Z " },
		{ 999, " time=1970-01-01T00:00:00.000000Z " },
		{ 1000, " time=1970-01-01T00:00:00.000001Z " },
		{ 999999999, " time=1970-01-01T00:00:00.999999Z " },
		{ 1709251199999999999ULL, " time=2024-02-29T23:59:59.999999Z " },
		{ 2147483648000000000ULL, " time=2038-01-19T03:14:08.000000Z " },
		{ 4294967296000000000ULL, " time=2106-02-07T06:28:16.000000Z " },
	};
	struct drop drop = ipv4_drop();
	char line[LINE_MOST];
	size_t i;

	(void)state;
	setenv("TZ", "Pacific/Auckland", 1);
	tzset();
	for (i = 0; i < COUNT(rows); i++) {
		drop.seg.time_ns = rows[i].ns;
		assert_true(drop_text(&drop, "el7", "syn", line, sizeof(line)) > 0);
		assert_non_null(strstr(line, rows[i].text));
	}
}

static void test_the_widest_line_fits(void **state)
{
	const struct drop drop = widest_drop();
	char line[LINE_MOST];
	size_t length = drop_text(&drop, "2.6.32", "syn", line, sizeof(line));

	(void)state;
	assert_true(length > 0);
	assert_non_null(strstr(line, " time=2554-07-21T23:34:33.709551Z "));
	assert_non_null(strstr(line, " behind=-2147483648 age=-2147483648 wait=4294967295 "));
	assert_string_equal(line + length - 30, "18446744073709551615 guess=yes");
}

/* 0 is said for every line that is too small, and nothing is written behind it. */
static void test_lines_that_are_too_small(void **state)
{
	const struct drop drop = ipv4_drop();
	char line[LINE_MOST], *small;
	const size_t text = drop_text(&drop, "el7", "syn", line, sizeof(line));
	const size_t json = drop_json(&drop, "el7", "syn", line, sizeof(line));
	size_t size;

	(void)state;
	for (size = 1; size <= LINE_MOST; size++) {
		small = malloc(size);
		assert_non_null(small);
		assert_int_equal(drop_text(&drop, "el7", "syn", small, size),
				 size > text ? text : 0);
		assert_int_equal(drop_json(&drop, "el7", "syn", small, size),
				 size > json ? json : 0);
		free(small);
	}
}

#ifdef HAVE_JANSSON

/* Member for member what "name=value ..." says, in that order; "-" is null. */
static void compare_members(json_t *object, char *text)
{
	void *member = json_object_iter(object);
	char *word, *rest = NULL, *equals;
	const json_t *value;

	assert_string_equal(json_object_iter_key(member), "event");
	assert_string_equal(json_string_value(json_object_iter_value(member)),
			    strtok_r(text, " ", &rest));
	while ((word = strtok_r(NULL, " ", &rest)) != NULL) {
		equals = strchr(word, '=');
		assert_non_null(equals);
		*equals++ = '\0';
		member = json_object_iter_next(object, member);
		if (member == NULL)
			fail_msg("the JSON ends before %s", word);
		assert_string_equal(json_object_iter_key(member), word);
		value = json_object_iter_value(member);
		if (strcmp(equals, "-") == 0)
			assert_true(json_is_null(value));
		else if (json_is_string(value))
			assert_string_equal(json_string_value(value), equals);
		else
			assert_int_equal(json_integer_value(value), atoll(equals));
	}
	assert_null(json_object_iter_next(object, member));
}

static void expect_json_like_text(const struct drop *drop)
{
	char line[LINE_MOST], text[LINE_MOST];
	const size_t length = drop_json(drop, "2.6.32", "syn", line, sizeof(line));
	json_t *object;

	assert_true(length > 0);
	assert_int_equal(strlen(line), length);
	assert_null(strchr(line, '\n'));
	object = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(object);
	assert_true(drop_text(drop, "2.6.32", "syn", text, sizeof(text)) > 0);
	compare_members(object, text);
	json_decref(object);
}

static void test_json_says_the_same_in_the_same_order(void **state)
{
	struct drop drops[3] = { ipv4_drop(), ipv6_drop_without_timestamp(), widest_drop() };
	size_t i;

	(void)state;
	drops[2].folded = INT64_MAX;
	for (i = 0; i < COUNT(drops); i++)
		expect_json_like_text(&drops[i]);
}

static void test_json_to_the_letter(void **state)
{
	const struct drop drop = ipv6_drop_without_timestamp();
	char line[LINE_MOST];

	(void)state;
	drop_json(&drop, "el7", "syn", line, sizeof(line));
	assert_string_equal(line,
			    "{\"event\":\"paws-drop\",\"time\":\"1970-01-01T00:00:00.000000Z\","
			    "\"profile\":\"el7\",\"evidence\":\"syn\",\"src\":\"fd99:1::185\","
			    "\"sport\":65535,\"dst\":\"fd99::1\",\"dport\":0,\"in\":null,"
			    "\"tsval\":null,\"recorded_tsval\":1000000,\"behind\":null,"
			    "\"age\":7,\"wait\":53,\"folded\":0,"
			    "\"guess\":\"no\"}");
}

/* Linux takes any bytes but '/', ':' and white space for a name: no field may go missing by it. */
static void test_json_with_an_odd_interface_name(void **state)
{
	static const char *const names[] = { "\"quoted\\", "\x01\x7f", "\xc3\xa9", "\xff\xfe" };
	struct drop drop = ipv4_drop();
	char line[LINE_MOST];
	json_t *object;
	bool has_name;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(names); i++) {
		strcpy(drop.interface, names[i]);
		assert_true(drop_json(&drop, "el7", "syn", line, sizeof(line)) > 0);
		object = json_loads(line, 0, NULL);
		assert_non_null(object);
		has_name = json_object_get(object, "in") != NULL;
		json_decref(object);
		if (!has_name)
			fail_msg("there is no \"in\" in %s", line);
	}
}

#endif

int main(void)
{
	const struct CMUnitTest drop[] = {
		cmocka_unit_test(test_text_of_an_ipv4_drop),
		cmocka_unit_test(test_evidence_and_guess),
		cmocka_unit_test(test_a_contradiction),
		cmocka_unit_test(test_text_of_an_ipv6_drop),
		cmocka_unit_test(test_text_without_timestamp_and_interface),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_the_widest_line_fits),
		cmocka_unit_test(test_lines_that_are_too_small),
#ifdef HAVE_JANSSON
		cmocka_unit_test(test_json_says_the_same_in_the_same_order),
		cmocka_unit_test(test_json_to_the_letter),
		cmocka_unit_test(test_json_with_an_odd_interface_name),
#endif
	};

	return cmocka_run_group_tests(drop, NULL, NULL);
}
