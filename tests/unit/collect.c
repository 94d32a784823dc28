/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds the report's numbers to what a reader would count by hand: retries against the stamp as it
 * then stands, lock-outs, minutes, services, and the words of the decision. The traffic is SYNs on
 * SYN evidence, where a stamp is simply the TSval of the last SYN that passed.
 */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "os/clock.h"
#include "report/collect.h"

#define START 1700000040ULL /* the first second of a minute */

struct scene {
	struct synpaws_mirror *mirror;
	struct collect *collect;
	struct tally_context tally;
	struct collect_context context;
};

static const uint8_t key[16] = { 1 };

static void take_outcome(void *context, const struct synpaws_segment *syn,
			 const struct synpaws_outcome *outcome)
{
	struct scene *scene = context;

	collect_outcome(scene->collect, syn, outcome);
}

static int set_up(void **state)
{
	static struct scene scene;
	const struct synpaws_mirror_config config = {
		.profile = synpaws_profile_find("el7"),
		.evidence = SYNPAWS_EVIDENCE_SYN,
		.peers = 1000,
		.sysctls = synpaws_sysctls_default,
		.emit = take_outcome,
		.context = &scene,
	};

	memset(&scene, 0, sizeof(scene));
	scene.mirror = synpaws_mirror_new(&config);
	scene.collect = collect_new(key);
	scene.context.profile = config.profile;
	scene.context.evidence = SYNPAWS_EVIDENCE_SYN;
	scene.context.tally = &scene.tally;
	*state = &scene;
	return scene.mirror == NULL || scene.collect == NULL;
}

static int tear_down(void **state)
{
	struct scene *scene = *state;

	synpaws_mirror_free(scene->mirror);
	collect_free(scene->collect);
	return 0;
}

/* A SYN `at` seconds after the start. */
static void send_syn(struct scene *scene, double at, uint8_t source, uint16_t sport, uint32_t tsval,
		     uint16_t port)
{
	struct synpaws_segment syn = {
		.ip_version = 4,
		.flags = SYNPAWS_SYN,
		.has_timestamp = tsval != 0,
		.source = { 198, 51, 100, source },
		.destination = { 192, 0, 2, 80 },
		.source_port = sport,
		.destination_port = port,
		.seq = sport,
		.tsval = tsval,
		.window_scale = -1,
	};

	syn.time_ns = START * NS_PER_SECOND + (uint64_t)(at * 1e9);
	syn.order_ns = syn.time_ns;
	syn.second = (uint32_t)(syn.time_ns / NS_PER_SECOND);
	collect_advance(scene->collect, syn.order_ns, scene->mirror);
	synpaws_mirror_take(scene->mirror, &syn);
}

static const struct report *finish(struct scene *scene, double at)
{
	collect_advance(scene->collect, START * NS_PER_SECOND + (uint64_t)(at * 1e9),
			scene->mirror);
	return collect_report(scene->collect, &scene->context);
}

/* anna's clock is ahead of bert's; her stamp of second 0 counts up to second 59. */
static void test_retries_meet_the_stamp_of_their_time(void **state)
{
	struct scene *scene = *state;
	const struct report *report;

	send_syn(scene, 0, 7, 1000, 90000000, 80);
	send_syn(scene, 1, 7, 2000, 5000, 80);	 /* all of 1, 3, 7, 15, 31 s later too early */
	send_syn(scene, 50, 7, 2001, 54000, 80); /* in after 15 s, or 11 in the other schedule */
	report = finish(scene, 300);
	assert_int_equal(report->felt[REPORT_CLASSIC].timed_out, 1);
	assert_int_equal(report->felt[REPORT_CLASSIC].connections[3], 1);
	assert_int_equal(report->felt[REPORT_LINEAR].timed_out, 1);
	assert_int_equal(report->felt[REPORT_LINEAR].connections[6], 1);
	assert_int_equal(report->felt[REPORT_LINEAR].at[6], 11);
	assert_int_equal(report->felt[REPORT_CLASSIC].open, 0);
	assert_true(report->felt[REPORT_CLASSIC].median == 15.0);
}

/* A stamp that is renewed meanwhile keeps the retries out, one that a slower clock renews as well.
 */
static void test_retries_meet_what_was_recorded_since(void **state)
{
	struct scene *scene = *state;
	const struct report *report;

	send_syn(scene, 0, 7, 1000, 90000000, 80);
	send_syn(scene, 50, 7, 2000, 5000, 80);
	send_syn(scene, 62, 7, 1001, 90062000, 80);
	report = finish(scene, 300);
	assert_int_equal(report->felt[REPORT_CLASSIC].connections[3], 0);
	assert_int_equal(report->felt[REPORT_CLASSIC].timed_out, 1);
}

static void test_a_watch_that_ends_leaves_retries_open(void **state)
{
	struct scene *scene = *state;
	const struct report *report;

	send_syn(scene, 0, 7, 1000, 90000000, 80);
	send_syn(scene, 1, 7, 2000, 5000, 80);
	report = finish(scene, 20);
	assert_int_equal(report->felt[REPORT_CLASSIC].open, 1);
	assert_int_equal(report->felt[REPORT_CLASSIC].timed_out, 0);
}

/* Drops at 1 (for 59 s more), 2 and 31, and at 80 s. */
static void test_lock_outs_and_retransmissions(void **state)
{
	struct scene *scene = *state;
	const struct report_source *source;
	const struct report *report;

	send_syn(scene, 0, 7, 1000, 90000000, 80);
	send_syn(scene, 1, 7, 2000, 5000, 80);
	send_syn(scene, 2, 7, 2000, 6000, 80); /* the same SYN again */
	send_syn(scene, 31, 7, 2001, 35000, 443);
	send_syn(scene, 70, 7, 1001, 90070000, 80);
	send_syn(scene, 80, 7, 2002, 84000, 80);
	send_syn(scene, 80, 8, 2002, 84000, 80);
	report = finish(scene, 300);
	assert_int_equal(report->connections, 6);
	assert_int_equal(report->drop_connections, 3);
	assert_int_equal(report->drop_syns, 4);
	assert_int_equal(report->source_count, 2);
	assert_int_equal(report->sources_hit, 1);
	assert_int_equal(report->sources_shown, 2);
	source = &report->sources[0];
	assert_int_equal(source->address[3], 7);
	assert_int_equal(source->longest_ns, 30 * NS_PER_SECOND);
	assert_int_equal(source->drop_connections, 3);
	assert_int_equal(source->sample_count, 6);
	assert_int_equal(report->service_count, 2);
	assert_int_equal(report->services[0].port, 80);
	assert_int_equal(report->services[0].drop_connections, 2);
	assert_int_equal(report->services[1].drop_connections, 1);
	assert_int_equal(report->minute_count, 2);
	assert_int_equal(report->worst_minute, 0);
	assert_int_equal(report->minutes[0].drop_connections, 2);
	assert_int_equal(report->minutes[1].drop_connections, 1);
}

/* 4,000 minutes are 1,000 of four, and no SYN is lost in joining them. */
static void test_a_long_watch_is_told_in_longer_minutes(void **state)
{
	struct scene *scene = *state;
	const struct report *report;
	uint64_t syns = 0;
	size_t i;
	unsigned int minute;

	for (minute = 0; minute < 4000; minute++)
		send_syn(scene, minute * 60.0 + 1, 7, (uint16_t)(minute + 1), minute * 60000 + 1,
			 80);
	report = finish(scene, 4000 * 60);
	assert_int_equal(report->minute_seconds, 240);
	assert_true(report->minute_count == 1000 || report->minute_count == 1001);
	for (i = 0; i < report->minute_count; i++)
		syns += report->minutes[i].syns;
	assert_int_equal(syns, 4000);
	assert_int_equal(report->worst_minute, report->minute_count);
	assert_int_equal(report->sources[0].sample_count + report->sources[0].samples_left_out,
			 4000);
}

static void test_too_little_is_never_safe(void **state)
{
	struct scene *scene = *state;
	const struct report *report;

	send_syn(scene, 0, 7, 1000, 90000000, 80);
	report = finish(scene, 10);
	assert_int_equal(report->decision, REPORT_TOO_LITTLE);
	assert_non_null(strstr(report->sentence, "Too little was seen to decide"));
	assert_non_null(report->unseen[0]);
	assert_non_null(strstr(report->unseen[0], "Few connections were seen (1)"));
}

/* 2,000 connections of 40 sources in two hours, none refused; then one more, refused. */
static void test_decisions(void **state)
{
	struct scene *scene = *state;
	const struct report *report;
	unsigned int i;

	for (i = 0; i < 2000; i++)
		send_syn(scene, i * 3.7, (uint8_t)(i % 40), (uint16_t)(i + 1), i * 3700 + 1, 80);
	scene->tally.offered = 2000;
	report = finish(scene, 7500);
	assert_int_equal(report->decision, REPORT_NONE_SEEN);
	assert_non_null(strstr(report->sentence, "Nobody seen would be hurt"));
	assert_non_null(strstr(report->sentence, "2,000 connections from 40 sources"));
	send_syn(scene, 7501, 39, 5000, 90000000, 80);
	send_syn(scene, 7502, 39, 5001, 7502000, 80);
	report = finish(scene, 7700);
	assert_int_equal(report->decision, REPORT_HURTS);
	assert_non_null(strstr(report->sentence, "Do not enable tcp_tw_recycle: up to 0.0"));
	assert_non_null(strstr(report->sentence, "1 of 40 sources would have been refused"));
	assert_non_null(strstr(report->advice[0].what, "tcp_tw_recycle"));
	scene->tally.mirror.checking = true;
	report = finish(scene, 7700);
	assert_non_null(strstr(report->sentence, "Switch tcp_tw_recycle off"));
	assert_non_null(strstr(report->sentence, "were refused"));
}

/* Of 100 packets five were never seen and five not looked at. */
/* Enough of everything, but for one thing each: then nobody is said to be safe. */
static void test_what_makes_it_unsound(void **state)
{
	struct scene *scene = *state;
	unsigned int i;

	for (i = 0; i < 2000; i++)
		send_syn(scene, i * 3.7, (uint8_t)(i % 40), (uint16_t)(i + 1), i * 3700 + 1, 80);
	scene->tally.offered = 2000;
	assert_int_equal(finish(scene, 7500)->decision, REPORT_NONE_SEEN);
	scene->tally.capture_errors = 1;
	assert_int_equal(finish(scene, 7500)->decision, REPORT_TOO_LITTLE);
	scene->tally.capture_errors = 0;
	scene->tally.mirror.guesses = 100;
	assert_int_equal(finish(scene, 7500)->decision, REPORT_TOO_LITTLE);
	scene->tally.mirror.guesses = 0;
	scene->tally.mirror.evicted = 100;
	assert_int_equal(finish(scene, 7500)->decision, REPORT_TOO_LITTLE);
	scene->tally.mirror.evicted = 0;
	scene->tally.missed_socket = 200;
	assert_int_equal(finish(scene, 7500)->decision, REPORT_TOO_LITTLE);
	scene->tally.missed_socket = 0;
	scene->context.watched_ns = 1800 * NS_PER_SECOND;
	assert_int_equal(finish(scene, 7500)->decision, REPORT_TOO_LITTLE);
	scene->context.watched_ns = 0;
	scene->context.evidence = SYNPAWS_EVIDENCE_FULL;
	assert_int_equal(finish(scene, 7500)->decision, REPORT_TOO_LITTLE);
	scene->tally.mirror.answers = 4000;
	assert_int_equal(finish(scene, 7500)->decision, REPORT_TOO_LITTLE);
	scene->tally.mirror.ends = 2000;
	assert_int_equal(finish(scene, 7500)->decision, REPORT_NONE_SEEN);
}

static void test_coverage_counts_all_that_was_missed(void **state)
{
	struct scene *scene = *state;
	const struct report *report;

	scene->tally.offered = 95;
	scene->tally.missed_socket = 5;
	scene->tally.missed_ring = 3;
	scene->context.unread = 2;
	send_syn(scene, 0, 7, 1000, 90000000, 80);
	report = finish(scene, 10);
	assert_int_equal(report->coverage.offered, 100);
	assert_int_equal(report->coverage.missed, 10);
	assert_true(report->coverage.percent > 89.9 && report->coverage.percent < 90.1);
}

/* More sources than there is room for: those without drops give way, and are counted. */
static void test_sources_with_drops_stay(void **state)
{
	struct scene *scene = *state;
	struct synpaws_segment syn = { .ip_version = 6, .flags = SYNPAWS_SYN, .window_scale = -1 };
	const struct synpaws_outcome pass = { .fate = SYNPAWS_FATE_PASS };
	const struct report *report;
	uint32_t i;

	send_syn(scene, 0, 7, 1000, 90000000, 80);
	send_syn(scene, 1, 7, 2000, 5000, 80);
	for (i = 0; i < 200000; i++) {
		memcpy(syn.source, &i, sizeof(i));
		syn.source_port = (uint16_t)i;
		syn.time_ns = syn.order_ns = (START + 2) * NS_PER_SECOND + i;
		collect_outcome(scene->collect, &syn, &pass);
	}
	report = finish(scene, 10);
	assert_int_equal(report->source_count, 200001);
	assert_int_equal(report->sources[0].address[3], 7);
	assert_int_equal(report->sources[0].drop_connections, 1);
	assert_int_equal(report->sources[0].sample_count, 2);
	assert_true(report->coverage.sources_left_out >= 200001 - 32768);
	assert_true(report->coverage.sources_left_out < 200001);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_retries_meet_the_stamp_of_their_time, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_retries_meet_what_was_recorded_since, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_a_watch_that_ends_leaves_retries_open, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_lock_outs_and_retransmissions, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_a_long_watch_is_told_in_longer_minutes, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_too_little_is_never_safe, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_decisions, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_makes_it_unsound, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_coverage_counts_all_that_was_missed, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_sources_with_drops_stay, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
