/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds src/sink/facts.c and compare.c to the lines that stand beside a summary: what the answer
 * rests on and who says so, in a line of bounded length that says how much it leaves out, and the
 * profiles side by side.
 */
#include "unit.h"

#ifdef HAVE_JANSSON
#include <jansson.h>
#endif

#include "sink/compare.h"
#include "sink/facts.h"
#include "syn.h"

#define LINE_MOST 1024
#define JSON_MOST 2048

static struct sysctls sysctls;
static struct facts facts;

static void begin(void)
{
	sysctls_init(&sysctls);
	memset(&facts, 0, sizeof(facts));
	facts.profile = "el7";
	facts.sysctls = &sysctls;
}

static void add(uint16_t port, enum synpaws_fact fact, enum synpaws_source source)
{
	struct synpaws_service *service = &facts.services[facts.service_count++];

	service->port = port;
	service->fact = fact;
	service->source = source;
}

static void expect(const char *should)
{
	char line[LINE_MOST];

	facts_text(&facts, line, sizeof(line));
	assert_string_equal(line, should);
}

static void test_nothing_known(void **state)
{
	(void)state;
	begin();
	expect("facts profile=el7 tcp_fin_timeout=60(default) tcp_syncookies=1(default) "
	       "tcp_timestamps=1(default) tcp_tw_recycle=unknown(default) half_close=- dual_stack=- "
	       "closed=- more=0");
}

static void test_each_with_its_source(void **state)
{
	(void)state;
	begin();
	sysctl_set(&sysctls, SYSCTL_FIN_TIMEOUT, 30, SYSCTL_TOLD);
	sysctl_set(&sysctls, SYSCTL_SYNCOOKIES, 2, SYSCTL_BY_HOST);
	sysctl_set(&sysctls, SYSCTL_TIMESTAMPS, 0, SYSCTL_BY_HOST);
	facts.checking = facts.check_known = true;
	add(8099, SYNPAWS_FACT_CLOSED, SYNPAWS_SOURCE_LEARNT);
	add(8003, SYNPAWS_FACT_HALF_CLOSE, SYNPAWS_SOURCE_TOLD);
	add(8008, SYNPAWS_FACT_HALF_CLOSE, SYNPAWS_SOURCE_LEARNT);
	add(8009, SYNPAWS_FACT_DUAL_STACK, SYNPAWS_SOURCE_SOCKETS);
	facts.more = 3;
	expect("facts profile=el7 tcp_fin_timeout=30(told) tcp_syncookies=2(host) "
	       "tcp_timestamps=0(host) tcp_tw_recycle=on(learnt) "
	       "half_close=8003(told),8008(learnt) dual_stack=8009(sockets) "
	       "closed=8099(learnt) more=3");
}

/* What was told or read is said, whatever the answers look like. */
static void test_whether_the_check_is_on(void **state)
{
	static const struct {
		int value; /* -1: not known */
		enum sysctl_source source;
		bool known, checking;
		const char *text;
	} rows[] = {
		{ -1, SYSCTL_BY_DEFAULT, false, false, " tcp_tw_recycle=unknown(default) " },
		{ -1, SYSCTL_BY_DEFAULT, true, false, " tcp_tw_recycle=off(learnt) " },
		{ -1, SYSCTL_BY_DEFAULT, true, true, " tcp_tw_recycle=on(learnt) " },
		{ 0, SYSCTL_BY_HOST, true, false, " tcp_tw_recycle=off(host) " },
		{ 1, SYSCTL_BY_HOST, true, true, " tcp_tw_recycle=on(host) " },
		{ 1, SYSCTL_TOLD, true, true, " tcp_tw_recycle=on(told) " },
		{ 0, SYSCTL_TOLD, true, true, " tcp_tw_recycle=off(told) " },
	};
	char line[LINE_MOST];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		begin();
		if (rows[i].value >= 0)
			sysctl_set(&sysctls, SYSCTL_TW_RECYCLE, (unsigned long)rows[i].value,
				   rows[i].source);
		facts.checking = rows[i].checking;
		facts.check_known = rows[i].known;
		facts_text(&facts, line, sizeof(line));
		if (strstr(line, rows[i].text) == NULL)
			fail_msg("'%s' is not in '%s'", rows[i].text, line);
	}
}

static void test_neighbours_are_a_range(void **state)
{
	char line[LINE_MOST];
	uint16_t port;

	(void)state;
	begin();
	for (port = 8000; port < 8010; port++)
		add(port, SYNPAWS_FACT_HALF_CLOSE,
		    port < 8005 ? SYNPAWS_SOURCE_TOLD : SYNPAWS_SOURCE_LEARNT);
	add(8011, SYNPAWS_FACT_HALF_CLOSE, SYNPAWS_SOURCE_LEARNT);
	add(65535, SYNPAWS_FACT_HALF_CLOSE, SYNPAWS_SOURCE_LEARNT);
	add(0, SYNPAWS_FACT_DUAL_STACK, SYNPAWS_SOURCE_LEARNT);
	facts_text(&facts, line, sizeof(line));
	assert_non_null(strstr(line, " half_close=8000-8004(told),8005-8009(learnt),8011(learnt),"
				     "65535(learnt) dual_stack=0(learnt) closed=- more=0"));
}

/* However many there are, the line is bounded and what it lacks is counted. */
static void test_a_bounded_line(void **state)
{
	static const enum synpaws_fact kinds[] = { SYNPAWS_FACT_CLOSED, SYNPAWS_FACT_HALF_CLOSE,
						   SYNPAWS_FACT_DUAL_STACK };
	char line[LINE_MOST];
	size_t i, shown = 0;
	const char *at;

	(void)state;
	begin();
	sysctl_set(&sysctls, SYSCTL_FIN_TIMEOUT, 86400, SYSCTL_BY_DEFAULT);
	facts.profile = "2.6.32";
	for (i = 0; i < FACTS_SERVICES_MOST; i++)
		add((uint16_t)(65000 - 2 * (i % 170)), kinds[i * 3 / FACTS_SERVICES_MOST],
		    SYNPAWS_SOURCE_SOCKETS);
	facts.more = SIZE_MAX / 2;
	facts_text(&facts, line, sizeof(line));
	assert_true(strlen(line) < 1000);
	facts.more = 0;
	facts_text(&facts, line, sizeof(line));
	for (at = line; (at = strstr(at, "(sockets)")) != NULL; at++)
		shown++;
	assert_in_range(shown, 30, 60);
	assert_int_equal(atoi(strstr(line, " more=") + 6), FACTS_SERVICES_MOST - shown);
}

static void test_lines_that_are_too_small(void **state)
{
	size_t size;

	(void)state;
	begin();
	add(8099, SYNPAWS_FACT_CLOSED, SYNPAWS_SOURCE_LEARNT);
	for (size = 1; size < 250; size++) {
		char *line = malloc(size);

		assert_non_null(line);
		facts_text(&facts, line, size);
		assert_true(strlen(line) < size);
		free(line);
	}
}

/* From a mirror: all that it was told, sorted, and a count of those beyond the room. */
static void test_collects_from_a_mirror(void **state)
{
	const struct synpaws_mirror_config config = { .profile = synpaws_profile_find("el7"),
						      .evidence = SYNPAWS_EVIDENCE_FULL,
						      .peers = 10,
						      .flows = 10,
						      .sysctls = synpaws_sysctls_default };
	struct synpaws_mirror *mirror = syn_mirror(config);
	uint32_t port;

	(void)state;
	assert_non_null(mirror);
	begin();
	facts_collect(&facts, mirror);
	assert_int_equal(facts.service_count + facts.more, 0);
	synpaws_mirror_tell(mirror, 81, SYNPAWS_FACT_DUAL_STACK, true, SYNPAWS_NEVER,
			    SYNPAWS_SOURCE_SOCKETS);
	synpaws_mirror_tell(mirror, 80, SYNPAWS_FACT_DUAL_STACK, true, SYNPAWS_NEVER,
			    SYNPAWS_SOURCE_TOLD);
	synpaws_mirror_tell(mirror, 82, SYNPAWS_FACT_DUAL_STACK, false, SYNPAWS_NEVER,
			    SYNPAWS_SOURCE_TOLD);
	facts_collect(&facts, mirror);
	expect("facts profile=el7 tcp_fin_timeout=60(default) tcp_syncookies=1(default) "
	       "tcp_timestamps=1(default) tcp_tw_recycle=unknown(default) half_close=- "
	       "dual_stack=80(told),81(sockets) closed=- more=0");
	for (port = 1; port <= 3000; port++)
		synpaws_mirror_tell(mirror, (uint16_t)port, SYNPAWS_FACT_CLOSED, true,
				    SYNPAWS_NEVER, SYNPAWS_SOURCE_TOLD);
	facts_collect(&facts, mirror);
	assert_int_equal(facts.service_count, FACTS_SERVICES_MOST);
	assert_int_equal(facts.more, 3002 - FACTS_SERVICES_MOST);
	synpaws_mirror_free(mirror);
}

static const struct compare_row three[] = {
	{ "el6", 12, 5 },
	{ "el7", 31, 9 },
	{ "4.x", 0, UINT32_MAX },
};

static void test_profiles_side_by_side(void **state)
{
	static const char should[] = "compare el6=12 el7=31 4.x=0 el6_connections=5 "
				     "el7_connections=9 4.x_connections=4294967295";
	char line[LINE_MOST];
	size_t size;

	(void)state;
	assert_int_equal(compare_text(three, 3, line, sizeof(line)), strlen(should));
	assert_string_equal(line, should);
	for (size = 1; size < sizeof(should); size++) {
		char *small = malloc(size);

		assert_non_null(small);
		assert_int_equal(compare_text(three, 3, small, size), 0);
		assert_true(strlen(small) < size);
		free(small);
	}
}

static void test_eight_of_the_largest_fit(void **state)
{
	struct compare_row rows[8];
	char line[LINE_MOST];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++)
		rows[i] = (struct compare_row){ "2.6.32", UINT64_MAX, UINT64_MAX };
	assert_true(compare_text(rows, COUNT(rows), line, sizeof(line)) > 0);
}

#ifdef HAVE_JANSSON

static void test_json_to_the_letter(void **state)
{
	char line[JSON_MOST];
	size_t length;

	(void)state;
	begin();
	sysctl_set(&sysctls, SYSCTL_TW_RECYCLE, 1, SYSCTL_BY_HOST);
	add(8003, SYNPAWS_FACT_HALF_CLOSE, SYNPAWS_SOURCE_TOLD);
	add(8004, SYNPAWS_FACT_HALF_CLOSE, SYNPAWS_SOURCE_TOLD);
	length = facts_json(&facts, line, sizeof(line));
	assert_int_equal(length, strlen(line));
	assert_string_equal(line, "{\"event\":\"facts\",\"profile\":\"el7\","
				  "\"tcp_fin_timeout\":{\"value\":60,\"source\":\"default\"},"
				  "\"tcp_syncookies\":{\"value\":1,\"source\":\"default\"},"
				  "\"tcp_timestamps\":{\"value\":1,\"source\":\"default\"},"
				  "\"tcp_tw_recycle\":{\"value\":\"on\",\"source\":\"host\"},"
				  "\"half_close\":{\"8003-8004\":\"told\"},\"dual_stack\":{},"
				  "\"closed\":{},\"more\":0}");
	assert_true(compare_json(three, 2, line, sizeof(line)) > 0);
	assert_string_equal(line, "{\"event\":\"compare\",\"drop_syns\":{\"el6\":12,\"el7\":31},"
				  "\"drop_connections\":{\"el6\":5,\"el7\":9}}");
}

#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_known),
		cmocka_unit_test(test_each_with_its_source),
		cmocka_unit_test(test_whether_the_check_is_on),
		cmocka_unit_test(test_neighbours_are_a_range),
		cmocka_unit_test(test_a_bounded_line),
		cmocka_unit_test(test_lines_that_are_too_small),
		cmocka_unit_test(test_collects_from_a_mirror),
		cmocka_unit_test(test_profiles_side_by_side),
		cmocka_unit_test(test_eight_of_the_largest_fit),
#ifdef HAVE_JANSSON
		cmocka_unit_test(test_json_to_the_letter),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
