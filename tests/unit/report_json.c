/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Holds src/report/report_json.c to writing JSON that parses and says what stands in the report. */
#include "report_fixture.h"

#include "report/format.h"
#include "report/report_json.h"

static struct fixture fixture;

static void test_full(void **state)
{
	(void)state;
	fixture_full(report_json);
}

#ifdef HAVE_JANSSON

#include <jansson.h>

static json_t *parsed(const struct report *report)
{
	char *text = fixture_write(report_json, report);
	json_error_t error;
	json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error);

	if (root == NULL)
		fail_msg("%s in column %d of %s", error.text, error.column, text);
	free(text);
	return root;
}

static void assert_count(json_t *object, const char *name, uint64_t value)
{
	json_t *number = json_object_get(object, name);

	if (!json_is_integer(number) || (uint64_t)json_integer_value(number) != value)
		fail_msg("%s is not %llu", name, (unsigned long long)value);
}

static void assert_real(json_t *object, const char *name, double value)
{
	json_t *number = json_object_get(object, name);
	const double off = json_number_value(number) - value;

	if (!json_is_number(number) || off > 1e-6 || off < -1e-6)
		fail_msg("%s is not %f", name, value);
}

static void assert_text(json_t *object, const char *name, const char *value)
{
	if (json_string_value(json_object_get(object, name)) == NULL)
		fail_msg("there is no text %s", name);
	assert_string_equal(json_string_value(json_object_get(object, name)), value);
}

static void assert_null_value(json_t *object, const char *name)
{
	assert_true(json_is_null(json_object_get(object, name)));
}

/* How many fields an object has: a new one wants a line here and in contrib/doc/report.md. */
static void assert_fields(json_t *object, size_t count)
{
	assert_int_equal(json_object_size(object), count);
}

static void assert_counts(json_t *object, uint64_t syns, uint64_t connections, uint64_t drop_syns,
			  uint64_t drop_connections)
{
	assert_count(object, "syns", syns);
	assert_count(object, "connections", connections);
	assert_count(object, "drop_syns", drop_syns);
	assert_count(object, "drop_connections", drop_connections);
}

static void test_head(void **state)
{
	const struct report *r = fixture_make(&fixture, FIXTURE_NAT);
	json_t *root = parsed(r);

	(void)state;
	assert_fields(root, 29);
	assert_text(root, "event", "report");
	assert_count(root, "schema", 1);
	assert_text(root, "version", SYNPAWS_VERSION);
	assert_text(root, "decision", "hurts");
	assert_true(json_is_false(json_object_get(root, "checking")));
	assert_text(root, "sentence", r->sentence);
	assert_int_equal(json_array_size(json_object_get(root, "unseen")), 2);
	assert_string_equal(json_string_value(json_array_get(json_object_get(root, "unseen"), 1)),
			    r->unseen[1]);
	assert_text(root, "profile", "el7");
	assert_text(root, "kernels", "RHEL and CentOS 7");
	assert_text(root, "evidence", "close");
	assert_text(root, "first", "2026-11-22T14:26:00.000000Z");
	assert_text(root, "last", "2026-11-22T16:36:00.000000Z");
	assert_real(root, "watched_seconds", 7800);
	assert_counts(root, r->syns, r->connections, r->drop_syns, r->drop_connections);
	assert_count(root, "no_timestamp", r->no_timestamp);
	assert_count(root, "sources", 1310);
	assert_count(root, "sources_hit", 41);
	json_decref(root);
}

static void test_coverage(void **state)
{
	json_t *root, *coverage;

	(void)state;
	fixture_make(&fixture, FIXTURE_NAT);
	fixture.report.coverage = (struct report_coverage){ .offered = 1,
							    .missed = 2,
							    .answers = 3,
							    .evicted = 4,
							    .guesses = 5,
							    .contradicted = 6,
							    .sources_left_out = 7,
							    .capture_errors = 8,
							    .percent = 99.98 };
	root = parsed(&fixture.report);
	coverage = json_object_get(root, "coverage");
	assert_fields(coverage, 9);
	assert_count(coverage, "offered", 1);
	assert_count(coverage, "missed", 2);
	assert_count(coverage, "answers", 3);
	assert_count(coverage, "evicted", 4);
	assert_count(coverage, "guesses", 5);
	assert_count(coverage, "contradicted", 6);
	assert_count(coverage, "sources_left_out", 7);
	assert_count(coverage, "capture_errors", 8);
	assert_real(coverage, "percent", 99.98);
	json_decref(root);
}

static void assert_felt(json_t *felt, const struct report_felt *is)
{
	json_t *retries = json_object_get(felt, "retries");
	size_t i;

	assert_fields(felt, 6);
	assert_int_equal(json_array_size(retries), is->retries);
	for (i = 0; i < is->retries; i++) {
		assert_fields(json_array_get(retries, i), 2);
		assert_count(json_array_get(retries, i), "after_seconds", is->at[i]);
		assert_count(json_array_get(retries, i), "connections", is->connections[i]);
	}
	assert_count(felt, "timed_out", is->timed_out);
	assert_count(felt, "gives_up_seconds", is->gives_up);
	assert_count(felt, "open", is->open);
	assert_real(felt, "median_seconds", is->median);
}

static void test_felt_and_advice(void **state)
{
	const struct report *r = fixture_make(&fixture, FIXTURE_NAT);
	json_t *root = parsed(r), *felt = json_object_get(root, "felt");
	json_t *advice = json_object_get(root, "advice");

	(void)state;
	assert_fields(felt, 2);
	assert_felt(json_object_get(felt, "classic"), &r->felt[REPORT_CLASSIC]);
	assert_felt(json_object_get(felt, "linear"), &r->felt[REPORT_LINEAR]);
	assert_int_equal(json_array_size(advice), 2);
	assert_fields(json_array_get(advice, 0), 3);
	assert_text(json_array_get(advice, 1), "what", r->advice[1].what);
	assert_text(json_array_get(advice, 1), "why", r->advice[1].why);
	assert_text(json_array_get(advice, 1), "side_effect", r->advice[1].side_effect);
	json_decref(root);
}

static void assert_sample(json_t *sample, const struct clocks_sample *is, uint8_t clock)
{
	char hash[20], when[FORMAT_TIME];

	assert_fields(sample, 9);
	assert_text(sample, "time", format_rfc3339(is->time_ns, when));
	snprintf(hash, sizeof(hash), "%016llx", (unsigned long long)is->connection);
	assert_text(sample, "connection", hash);
	assert_text(sample, "host", "8000000000000001");
	assert_count(sample, "source_port", is->source_port);
	if (is->has_timestamp)
		assert_count(sample, "tsval", is->tsval);
	else
		assert_null_value(sample, "tsval");
	assert_int_equal(json_is_true(json_object_get(sample, "dropped")), is->dropped);
	if (is->recorded) {
		assert_count(sample, "recorded_tsval", is->recorded_tsval);
		assert_count(sample, "recorded_at", is->recorded_at);
	} else {
		assert_null_value(sample, "recorded_tsval");
		assert_null_value(sample, "recorded_at");
	}
	if (clock != CLOCKS_NO_CLOCK)
		assert_count(sample, "clock", clock);
	else
		assert_null_value(sample, "clock");
}

static void assert_clock(json_t *clock, const struct clocks_clock *is)
{
	assert_fields(clock, 8);
	assert_real(clock, "ticks_per_second", is->hz);
	assert_true(json_is_true(json_object_get(clock, "measured")));
	assert_count(clock, "offset", is->offset);
	assert_count(clock, "samples", is->samples);
	assert_count(clock, "connections", is->connections);
	assert_count(clock, "dropped", is->dropped);
	assert_true(json_is_string(json_object_get(clock, "first")));
	assert_true(json_is_string(json_object_get(clock, "last")));
}

static void assert_source(json_t *source, const struct report_source *is)
{
	json_t *samples = json_object_get(source, "samples");
	json_t *clocks = json_object_get(source, "clocks");
	size_t i;

	assert_fields(source, 18);
	assert_counts(source, is->syns, is->connections, is->drop_syns, is->drop_connections);
	assert_count(source, "no_timestamp", is->no_timestamp);
	assert_count(source, "guesses", is->guesses);
	assert_real(source, "longest_seconds", (double)is->longest_ns / 1e9);
	assert_text(source, "why", clocks_why_name(is->verdict.why));
	assert_int_equal(json_is_true(json_object_get(source, "sure")), is->verdict.sure);
	assert_count(source, "machines", is->verdict.machines);
	assert_count(source, "samples_left_out", is->samples_left_out);
	assert_int_equal(json_array_size(clocks), is->verdict.clock_count);
	for (i = 0; i < is->verdict.clock_count; i++)
		assert_clock(json_array_get(clocks, i), &is->verdict.clocks[i]);
	assert_int_equal(json_array_size(samples), is->sample_count);
	for (i = 0; i < is->sample_count; i++)
		assert_sample(json_array_get(samples, i), &is->samples[i], is->verdict.clock_of[i]);
}

static void test_sources(void **state)
{
	const struct report *r = fixture_make(&fixture, FIXTURE_NAT);
	json_t *root, *sources, *last;
	size_t i;

	(void)state;
	fixture.samples[0][9].has_timestamp = false;
	root = parsed(r);
	sources = json_object_get(root, "worst_sources");
	last = json_array_get(sources, r->sources_shown - 1);
	assert_int_equal(json_array_size(sources), 7);
	for (i = 0; i < r->sources_shown; i++)
		assert_source(json_array_get(sources, i), &r->sources[i]);
	assert_text(json_array_get(sources, 0), "address", "203.0.113.7");
	assert_text(json_array_get(sources, 0), "first", "2026-11-22T14:26:20.000000Z");
	assert_text(last, "last", "2026-11-22T16:36:00.000000Z");
	assert_null_value(last, "first_drop");
	assert_null_value(last, "last_drop");
	json_decref(root);
}

static void test_services_minutes_variants(void **state)
{
	const struct report *r = fixture_make(&fixture, FIXTURE_WHAT_IF);
	json_t *root = parsed(r), *list = json_object_get(root, "services"), *one;

	(void)state;
	assert_int_equal(json_array_size(list), 4);
	one = json_array_get(list, 1);
	assert_fields(one, 6);
	assert_text(one, "address", "203.0.113.81");
	assert_count(one, "port", 80);
	assert_counts(one, r->services[1].syns, r->services[1].connections,
		      r->services[1].drop_syns, r->services[1].drop_connections);
	assert_count(root, "minute_seconds", 60);
	assert_count(root, "worst_minute", 65);
	list = json_object_get(root, "minutes");
	assert_int_equal(json_array_size(list), 130);
	one = json_array_get(list, 65);
	assert_fields(one, 4);
	assert_text(one, "start", "2026-11-22T15:31:00.000000Z");
	assert_count(one, "syns", r->minutes[65].syns);
	assert_count(one, "drop_syns", r->minutes[65].drop_syns);
	assert_count(one, "drop_connections", r->minutes[65].drop_connections);
	list = json_object_get(root, "variants");
	assert_int_equal(json_array_size(list), 4);
	one = json_array_get(list, 1);
	assert_fields(one, 6);
	assert_text(one, "name", "snat=10.0.0.0/30");
	assert_text(one, "note", "four addresses instead of one");
	assert_count(one, "connections", 42774);
	assert_count(one, "drop_connections", 702);
	assert_count(one, "drop_syns", 911);
	assert_count(one, "sources_hit", 17);
	json_decref(root);
}

static void test_nothing(void **state)
{
	json_t *root = parsed(fixture_make(&fixture, FIXTURE_EMPTY));

	(void)state;
	assert_text(root, "decision", "too-little");
	assert_null_value(root, "first");
	assert_null_value(root, "worst_minute");
	assert_int_equal(json_array_size(json_object_get(root, "worst_sources")), 0);
	assert_int_equal(json_array_size(json_object_get(root, "unseen")), 0);
	json_decref(root);
	root = parsed(fixture_make(&fixture, FIXTURE_NONE));
	assert_text(root, "decision", "none-seen");
	json_decref(root);
	root = parsed(fixture_make(&fixture, FIXTURE_IPV6));
	assert_true(json_is_true(json_object_get(root, "checking")));
	json_decref(root);
}

/* Whatever bytes a text has, the whole is JSON: what is UTF-8 stays, the rest is replaced. */
static void test_texts(void **state)
{
	json_t *root;

	(void)state;
	fixture_make(&fixture, FIXTURE_HOSTILES);
	strcpy(fixture.report.sentence, "\"\\/\x01\n\xc3\xa9\xff\xc3(\xed\xa0\x80\xf0\x9f\x90\xbe");
	root = parsed(&fixture.report);
	assert_text(root, "profile", FIXTURE_HOSTILE);
	assert_text(
		root, "sentence",
		"\"\\/\x01\n\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd(\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
		"\xf0\x9f\x90\xbe");
	json_decref(root);
}

#endif

static void test_one_line(void **state)
{
	char *text = fixture_write(report_json, fixture_make(&fixture, FIXTURE_HOSTILES));

	(void)state;
	assert_int_equal(text[0], '{');
	assert_int_equal(strcspn(text, "\n"), strlen(text) - 1);
	assert_int_equal(text[strlen(text) - 2], '}');
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#ifdef HAVE_JANSSON
		cmocka_unit_test(test_head),	 cmocka_unit_test(test_coverage),
		cmocka_unit_test(test_sources),	 cmocka_unit_test(test_felt_and_advice),
		cmocka_unit_test(test_nothing),	 cmocka_unit_test(test_services_minutes_variants),
		cmocka_unit_test(test_texts),
#endif
		cmocka_unit_test(test_one_line), cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests_name("report_json", tests, NULL, NULL);
}
