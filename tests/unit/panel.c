/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds src/cmd/panel.c to being the one way from segments to lines: every profile judges the same
 * stream by its own rules, its drops, tallies and summaries are its own, and time comes in with the
 * segments alone, so that a queue and a capture are equals.
 */
#include "unit.h"

#include <syslog.h>

#include "cmd/panel.h"
#include "syn.h"

#define LINES_MOST 4000
#define N	   UNIT_SECOND
#define PEER	   "198.51.100.11"
#define HOST	   "10.99.0.1"
#define HOST_B	   "10.99.0.2"

/* What was written. */
struct written {
	size_t count;
	int priority[LINES_MOST];
	char *line[LINES_MOST];
};

static struct written written;
static struct panel_options options;

static void write_line(void *context, int priority, const char *line)
{
	struct written *to = context;

	assert_non_null(line);
	assert_null(strchr(line, '\n'));
	assert_true(to->count < LINES_MOST);
	to->priority[to->count] = priority;
	to->line[to->count++] = strdup(line);
}

static void name_interface(void *context, uint32_t ifindex, char name[IF_NAMESIZE])
{
	(void)context;
	snprintf(name, IF_NAMESIZE, "eth%u", ifindex);
}

static void forget(void)
{
	while (written.count > 0)
		free(written.line[--written.count]);
}

static struct panel *start(const char *profiles, bool each)
{
	struct panel_config config = { .options = &options,
				       .each = each,
				       .hash_key = { 1, 2, 3 },
				       .write = write_line,
				       .interface = name_interface,
				       .context = &written };
	char names[128], *name, *rest = NULL;
	struct panel *panel;

	forget();
	panel_options_init(&options);
	options.evidence = SYNPAWS_EVIDENCE_SYN;
	options.sink = LOG_SINK_STDOUT;
	options.peers = options.flows = 1000;
	options.profile_count = 0;
	strcpy(names, profiles);
	for (name = strtok_r(names, ",", &rest); name != NULL; name = strtok_r(NULL, ",", &rest))
		options.profiles[options.profile_count++] = synpaws_profile_find(name);
	config.sysctls = options.sysctls;
	panel = panel_new(&config);
	assert_non_null(panel);
	return panel;
}

static void show(struct panel *panel, struct synpaws_segment seg)
{
	panel_decode(panel, SYNPAWS_DECODE_OK, 1);
	panel_take(panel, &seg, 1);
}

static void summarise(struct panel *panel)
{
	const struct tally_context context = { .seconds = 7 };

	forget();
	panel_summarise(panel, &context);
}

/* How many lines begin with `start` and hold `part`. */
static size_t lines(const char *start_of_line, const char *part)
{
	size_t i, n = 0;

	for (i = 0; i < written.count; i++)
		n += strncmp(written.line[i], start_of_line, strlen(start_of_line)) == 0 &&
		     strstr(written.line[i], part) != NULL;
	return n;
}

static void test_one_profile(void **state)
{
	struct panel *panel = start("el7", false);
	struct synpaws_segment low = syn(PEER, HOST, N + 1, 10);

	(void)state;
	low.ifindex = 4;
	show(panel, syn(PEER, HOST, N, 1000));
	assert_int_equal(written.count, 0);
	show(panel, low);
	assert_int_equal(written.count, 1);
	assert_int_equal(written.priority[0], LOG_WARNING);
	assert_int_equal(lines("paws-drop ", " profile=el7 evidence=syn src=198.51.100.11 "), 1);
	assert_int_equal(lines("paws-drop ", " in=eth4 tsval=10 recorded_tsval=1000 "), 1);
	summarise(panel);
	assert_int_equal(written.count, 3);
	assert_int_equal(lines("summary profile=el7 evidence=syn ", " syns=2 "), 1);
	assert_int_equal(lines("summary ", " watched_seconds=7 "), 1);
	assert_int_equal(lines("missed ", " not_syn_to_host=0 "), 1);
	assert_int_equal(lines("facts profile=el7 ", " more=0"), 1);
	assert_int_equal(written.priority[0], LOG_NOTICE);
	panel_free(panel);
}

/* 3.10 knows a peer by its address alone, 4.x by the pair: only the former drops at another host.
 */
static void test_profiles_judge_by_their_own_rules(void **state)
{
	struct panel *panel = start("3.10,4.x,2.6.32", false);

	(void)state;
	show(panel, syn(PEER, HOST, N, 1000));
	show(panel, syn(PEER, HOST_B, N, 10));
	assert_int_equal(lines("paws-drop ", " profile=3.10 "), 1);
	assert_int_equal(lines("paws-drop ", " profile=2.6.32 "), 1);
	assert_int_equal(written.count, 2);
	summarise(panel);
	assert_int_equal(lines("summary profile=", ""), 3);
	assert_int_equal(lines("summary profile=3.10 ", " drop_syns=1 "), 1);
	assert_int_equal(lines("summary profile=4.x ", " drop_syns=0 "), 1);
	assert_int_equal(lines("missed ", " profile=4.x"), 1);
	assert_int_equal(lines("facts ", ""), 3);
	assert_string_equal(written.line[6], "compare 3.10=1 4.x=0 2.6.32=1 3.10_connections=1 "
					     "4.x_connections=0 2.6.32_connections=1");
	panel_free(panel);
}

static void test_each(void **state)
{
	struct panel *panel = start("3.10,4.x", true);
	struct synpaws_segment fin = syn(PEER, HOST, N, 1000);

	(void)state;
	fin.flags = SYNPAWS_FIN | SYNPAWS_ACK;
	show(panel, syn(PEER, HOST, N, 1000));
	show(panel, fin);
	show(panel, syn(PEER, HOST_B, N, 10));
	panel_flush(panel);
	assert_int_equal(written.count, 4);
	assert_int_equal(lines("{\"time\":", "\"fate\":\"paws-drop\",\"profile\":\"3.10\""), 1);
	assert_int_equal(lines("{\"time\":", "\"fate\":\"pass\",\"profile\":\"4.x\""), 2);
	assert_int_equal(written.priority[3], LOG_INFO);
	panel_free(panel);
}

/* Folded lines come out as time goes on, be it by segments of others or without any. */
static void test_time_brings_folded_lines(void **state)
{
	struct panel *panel = start("el7", false);

	(void)state;
	show(panel, syn(PEER, HOST, N, 1000));
	show(panel, syn(PEER, HOST, N, 10));
	show(panel, syn(PEER, HOST, N + 1, 11));
	show(panel, syn(PEER, HOST, N + 2, 12));
	assert_int_equal(written.count, 1);
	show(panel, syn("198.51.100.99", HOST, N + 10, 5));
	assert_int_equal(written.count, 2);
	assert_int_equal(lines("paws-drop ", " tsval=12 "), 1);
	assert_int_equal(lines("paws-drop ", " folded=1 "), 1);
	show(panel, syn(PEER, HOST, N + 11, 13));
	assert_int_equal(written.count, 2);
	panel_advance(panel, (N + 19) * 1000000000ULL);
	assert_int_equal(written.count, 2);
	panel_advance(panel, (N + 20) * 1000000000ULL);
	assert_int_equal(written.count, 3);
	panel_free(panel);
}

static void test_the_end_brings_all(void **state)
{
	struct panel *panel = start("el7", false);

	(void)state;
	show(panel, syn(PEER, HOST, N, 1000));
	show(panel, syn(PEER, HOST, N, 10));
	show(panel, syn(PEER, HOST, N, 11));
	panel_flush(panel);
	assert_int_equal(written.count, 2);
	panel_flush(panel);
	assert_int_equal(written.count, 2);
	panel_free(panel);
}

/*
 * A segment that is older than one before it, or time that is told late, must not make a source's
 * period endless nor a retransmission a new connection.
 */
static void test_time_that_goes_back(void **state)
{
	struct panel *panel = start("el7", false);
	struct synpaws_segment late = syn(PEER, HOST, N + 5, 10);

	(void)state;
	late.order_ns -= 2000000000ULL;
	show(panel, syn(PEER, HOST, N + 5, 1000));
	show(panel, syn(PEER, HOST, N + 5, 10));
	show(panel, late);
	panel_advance(panel, (N + 1) * 1000000000ULL);
	assert_int_equal(written.count, 1);
	panel_advance(panel, (N + 15) * 1000000000ULL);
	assert_int_equal(written.count, 2);
	summarise(panel);
	assert_int_equal(lines("summary ", " drop_syns=2 drop_connections=1 drop_peers=1 "), 1);
	panel_free(panel);
}

/* Outcomes that are held come out by themselves once they are due, at the latest at the end. */
static void test_held_outcomes(void **state)
{
	struct panel *panel;
	struct synpaws_segment seg = syn(PEER, HOST, N, 1000);

	(void)state;
	panel = start("el7", true);
	panel_free(panel);
	options.evidence = SYNPAWS_EVIDENCE_FULL;
	panel = panel_new(&(struct panel_config){ .options = &options,
						  .sysctls = options.sysctls,
						  .each = true,
						  .write = write_line,
						  .context = &written });
	assert_non_null(panel);
	show(panel, seg);
	panel_advance(panel, seg.order_ns + SYNPAWS_HOLD_NS + 1);
	assert_int_equal(written.count, 1);
	seg.source_port++;
	seg.order_ns += 1000000000ULL;
	show(panel, seg);
	panel_flush(panel);
	assert_int_equal(written.count, 2);
	panel_free(panel);
}

static void test_told_ports_reach_the_mirrors(void **state)
{
	struct panel *panel = start("el7", false);

	(void)state;
	panel_free(panel);
	options.evidence = SYNPAWS_EVIDENCE_CLOSE;
	options.ports[0] = (struct panel_ports){ 8000, 8003, SYNPAWS_FACT_HALF_CLOSE, 2 };
	options.ports[1] = (struct panel_ports){ 65535, 65535, SYNPAWS_FACT_CLOSED, SYNPAWS_NEVER };
	options.port_count = 2;
	panel = panel_new(&(struct panel_config){ .options = &options,
						  .sysctls = options.sysctls,
						  .write = write_line,
						  .context = &written });
	assert_non_null(panel);
	panel_tell(panel, 443, SYNPAWS_FACT_DUAL_STACK, true, SYNPAWS_SOURCE_SOCKETS);
	panel_saw_socket(panel, 443, true);
	summarise(panel);
	assert_int_equal(lines("facts ", " half_close=8000-8003(told) dual_stack=443(sockets) "
					 "closed=65535(told) more=0"),
			 1);
	panel_free(panel);
}

#ifdef HAVE_JANSSON

static void test_json_lines(void **state)
{
	struct panel *panel = start("3.10,el7", false);

	(void)state;
	options.sink = LOG_SINK_JSON;
	show(panel, syn(PEER, HOST, N, 1000));
	show(panel, syn(PEER, HOST, N, 10));
	assert_int_equal(lines("{\"event\":\"paws-drop\",", "\"guess\":\"no\"}"), 2);
	summarise(panel);
	assert_int_equal(written.count, 5);
	assert_int_equal(lines("{\"event\":\"summary\",\"profile\":\"el7\",", ""), 1);
	assert_int_equal(lines("{\"event\":\"compare\",", ""), 1);
	assert_int_equal(lines("{\"event\":\"facts\",\"profile\":\"el7\",", ""), 1);
	panel_free(panel);
}

#endif

static int clean(void **state)
{
	(void)state;
	forget();
	return 0;
}

int main(void)
{
	const struct CMUnitTest panel[] = {
		cmocka_unit_test(test_one_profile),
		cmocka_unit_test(test_profiles_judge_by_their_own_rules),
		cmocka_unit_test(test_each),
		cmocka_unit_test(test_time_brings_folded_lines),
		cmocka_unit_test(test_the_end_brings_all),
		cmocka_unit_test(test_time_that_goes_back),
		cmocka_unit_test(test_held_outcomes),
		cmocka_unit_test(test_told_ports_reach_the_mirrors),
#ifdef HAVE_JANSSON
		cmocka_unit_test(test_json_lines),
#endif
	};

	return cmocka_run_group_tests(panel, NULL, clean);
}
