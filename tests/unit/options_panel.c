/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds src/cmd/panel_options.c, panel_facts.c and replay_options.c to what `watch` and `replay`
 * share: profiles, evidence, facts told of ports and settings. Whatever is wrong is refused with
 * one line that names the option; of settings that contradict each other the last one wins.
 */
#include "unit.h"

#include "cmd/options.h"
#include "cmd/replay_options.h"
#include "sink/json.h"
#include "words.h"

static struct words words;

static bool parse(const char *line, struct replay_options *options, char why[256])
{
	words_split(&words, "replay", line);
	memset(options, 0x5a, sizeof(*options));
	memset(why, 0, 256);
	return replay_options_parse(options, words.argc, words.argv, why, 256);
}

static struct replay_options good(const char *line)
{
	struct replay_options options;
	char why[256];

	if (!parse(line, &options, why))
		fail_msg("'%s' is refused: %s", line, why);
	return options;
}

static void test_defaults_of_replay(void **state)
{
	const struct replay_options options = good("a.pcap");

	(void)state;
	assert_false(options.check_only || options.help || options.each);
	assert_int_equal(options.file_count, 1);
	assert_string_equal(options.files[0], "a.pcap");
	assert_string_equal(options.panel.profiles[0]->name, "el7");
	assert_int_equal(options.panel.profile_count, 1);
	assert_int_equal(options.panel.evidence, SYNPAWS_EVIDENCE_FULL);
	assert_int_equal(options.panel.sink, LOG_SINK_STDOUT);
	assert_int_equal(options.panel.peers, 1048576);
	assert_int_equal(options.panel.flows, 262144);
}

static void test_files_stand_anywhere(void **state)
{
	const struct replay_options options = good("a.pcap --each - -n b.pcap");

	(void)state;
	assert_true(options.each && options.check_only);
	assert_int_equal(options.file_count, 3);
	assert_string_equal(options.files[0], "a.pcap");
	assert_string_equal(options.files[1], "-");
	assert_string_equal(options.files[2], "b.pcap");
	assert_string_equal(good("-- --each").files[0], "--each");
	assert_true(good("--help").help);
}

/* Without --host nobody says that two addresses are one machine. */
static void test_a_gateway_is_implied_without_hosts(void **state)
{
	(void)state;
	assert_true(good("x").panel.gateway);
	assert_false(good("--host 192.0.2.1 x").panel.gateway);
	assert_true(good("--host 192.0.2.1 --gateway x").panel.gateway);
}

static void expect_profiles(const char *line, const char *names)
{
	const struct replay_options options = good(line);
	char text[160];

	panel_options_names(&options.panel, text, sizeof(text));
	assert_string_equal(text, names);
}

static void test_profiles(void **state)
{
	(void)state;
	expect_profiles("--profile 2.6.32 x", "2.6.32");
	expect_profiles("--profile el6,el7,4.x x", "el6,el7,4.x");
	expect_profiles("--profile 4.x,el6 x", "4.x,el6");
	expect_profiles("--profile 4.4 x", "4.x");
	expect_profiles("--profile 2.6.32,el6,3.2,3.10,3.16,el7,4.x x",
			"2.6.32,el6,3.2,3.10,3.16,el7,4.x");
	expect_profiles("--profile el6,el7 --profile 3.2 x", "3.2");
}

static void test_names_that_do_not_fit_are_cut(void **state)
{
	const struct replay_options options = good("--profile el6,el7,4.x x");
	char text[8];

	(void)state;
	panel_options_names(&options.panel, text, sizeof(text));
	assert_string_equal(text, "el6,el7");
}

static void test_evidence(void **state)
{
	(void)state;
	assert_int_equal(good("--evidence syn x").panel.evidence, SYNPAWS_EVIDENCE_SYN);
	assert_int_equal(good("--evidence close x").panel.evidence, SYNPAWS_EVIDENCE_CLOSE);
	assert_int_equal(good("--evidence answer x").panel.evidence, SYNPAWS_EVIDENCE_ANSWER);
	assert_int_equal(good("--evidence full x").panel.evidence, SYNPAWS_EVIDENCE_FULL);
	assert_int_equal(good("--evidence full --evidence syn x").panel.evidence,
			 SYNPAWS_EVIDENCE_SYN);
}

/* What `watch` refuses counts only if it stays. */
static void test_evidence_of_watch(void **state)
{
	static struct watch_options options;
	char why[256];

	(void)state;
	words_split(&words, "watch", "--evidence full --evidence answer --gateway --flows 5");
	assert_true(options_parse(&options, words.argc, words.argv, why, sizeof(why)));
	assert_int_equal(options.panel.evidence, SYNPAWS_EVIDENCE_ANSWER);
	assert_true(options.panel.gateway);
	assert_int_equal(options.panel.flows, 5);
	words_split(&words, "watch", "--evidence answer --evidence full");
	assert_false(options_parse(&options, words.argc, words.argv, why, sizeof(why)));
	assert_non_null(strstr(why, "replay"));
}

static void expect_ports(const struct panel_ports *ports, enum synpaws_fact fact, uint16_t first,
			 uint16_t last, uint32_t seconds)
{
	assert_int_equal(ports->fact, fact);
	assert_int_equal(ports->first, first);
	assert_int_equal(ports->last, last);
	assert_int_equal(ports->seconds, seconds);
}

static void test_ports(void **state)
{
	const struct replay_options options =
		good("--half-close 80,8000-8009:2,1:0 --closed 65535 --dual-stack 1-65535,7-7 "
		     "--half-close 81:86400 x");

	(void)state;
	assert_int_equal(options.panel.port_count, 7);
	expect_ports(&options.panel.ports[0], SYNPAWS_FACT_HALF_CLOSE, 80, 80, SYNPAWS_NEVER);
	expect_ports(&options.panel.ports[1], SYNPAWS_FACT_HALF_CLOSE, 8000, 8009, 2);
	expect_ports(&options.panel.ports[2], SYNPAWS_FACT_HALF_CLOSE, 1, 1, 0);
	expect_ports(&options.panel.ports[3], SYNPAWS_FACT_CLOSED, 65535, 65535, SYNPAWS_NEVER);
	expect_ports(&options.panel.ports[4], SYNPAWS_FACT_DUAL_STACK, 1, 65535, SYNPAWS_NEVER);
	expect_ports(&options.panel.ports[5], SYNPAWS_FACT_DUAL_STACK, 7, 7, SYNPAWS_NEVER);
	expect_ports(&options.panel.ports[6], SYNPAWS_FACT_HALF_CLOSE, 81, 81, 86400);
}

static void test_as_many_ports_as_there_may_be(void **state)
{
	struct replay_options options;
	char line[4096] = "x ", why[256];
	int i;

	(void)state;
	for (i = 0; i < PANEL_PORTS_MOST; i++)
		strcat(line, "--closed 1 ");
	assert_int_equal(good(line).panel.port_count, PANEL_PORTS_MOST);
	strcat(line, "--closed 2");
	assert_false(parse(line, &options, why));
	assert_non_null(strstr(why, "--closed"));
}

static void test_sysctls(void **state)
{
	const struct replay_options options =
		good("--sysctl tcp_fin_timeout=2 --sysctl net.ipv4.tcp_syncookies=2 "
		     "--sysctl tcp_timestamps=0 --sysctl tcp_tw_recycle=1 "
		     "--sysctl tcp_tw_recycle=0 x");
	const struct sysctls *sysctls = &options.panel.sysctls;
	enum sysctl which;

	(void)state;
	assert_int_equal(sysctls->values.tcp_fin_timeout, 2);
	assert_int_equal(sysctls->values.tcp_syncookies, 2);
	assert_false(sysctls->values.tcp_timestamps);
	assert_int_equal(sysctls->values.tcp_tw_recycle, 0);
	for (which = 0; which < SYSCTL_KINDS; which++)
		assert_int_equal(sysctls->source[which], SYSCTL_TOLD);
	assert_int_equal(good("--sysctl tcp_fin_timeout=86400 x").panel.sysctls.source[1],
			 SYSCTL_BY_DEFAULT);
}

static void test_log(void **state)
{
	(void)state;
	assert_int_equal(good("--log stdout x").panel.sink, LOG_SINK_STDOUT);
	if (json_available())
		assert_int_equal(good("--log json x").panel.sink, LOG_SINK_JSON);
	assert_int_equal(good("--fold 0 x").panel.fold_seconds, 0);
	assert_int_equal(good("--log-rate 7 x").panel.log_rate, 7);
	assert_int_equal(good("--flows 67108864 x").panel.flows, 67108864);
}

struct bad_row {
	const char *line;
	const char *named; /* what the reason has to name */
};

static const struct bad_row bad_rows[] = {
	{ "", "no capture" },
	{ "--each", "no capture" },
	{ "-n", "no capture" },
	{ "--profile el7,el7 x", "twice" },
	{ "--profile 4.4,4.x x", "twice" },
	{ "--profile el7, x", "--profile" },
	{ "--profile ,el7 x", "--profile" },
	{ "--profile el7,,el6 x", "--profile" },
	{ "--profile el7,linux x", "linux" },
	{ "--evidence '' x", "--evidence" },
	{ "--evidence SYN x", "--evidence" },
	{ "--evidence all x", "--evidence" },
	{ "--gateway=1 x", "--gateway" },
	{ "--half-close '' x", "--half-close" },
	{ "--half-close 0 x", "--half-close" },
	{ "--half-close 65536 x", "--half-close" },
	{ "--half-close 80, x", "--half-close" },
	{ "--half-close ,80 x", "--half-close" },
	{ "--half-close 80- x", "--half-close" },
	{ "--half-close -80 x", "--half-close" },
	{ "--half-close 80-79 x", "--half-close" },
	{ "--half-close 80-81-82 x", "--half-close" },
	{ "--half-close 80: x", "--half-close" },
	{ "--half-close 80:86401 x", "--half-close" },
	{ "--half-close 80:-1 x", "--half-close" },
	{ "--half-close 80:2-81 x", "--half-close" },
	{ "--half-close 80:2:3 x", "--half-close" },
	{ "--half-close http x", "--half-close" },
	{ "--half-close 0000000000000000000000000000000000080 x", "--half-close" },
	{ "--dual-stack 80:2 x", "--dual-stack" },
	{ "--dual-stack 80;81 x", "--dual-stack" },
	{ "--closed 80:2 x", "--closed" },
	{ "--closed +80 x", "--closed" },
	{ "--sysctl '' x", "--sysctl" },
	{ "--sysctl tcp_fin_timeout x", "--sysctl" },
	{ "--sysctl tcp_fin_timeout= x", "--sysctl" },
	{ "--sysctl =60 x", "--sysctl" },
	{ "--sysctl tcp_fin_timeout=-1 x", "--sysctl" },
	{ "--sysctl tcp_fin_timeout=86401 x", "86400" },
	{ "--sysctl tcp_fin_timeout=60s x", "--sysctl" },
	{ "--sysctl tcp_syncookies=3 x", "--sysctl" },
	{ "--sysctl tcp_timestamps=2 x", "--sysctl" },
	{ "--sysctl tcp_tw_recycle=2 x", "--sysctl" },
	{ "--sysctl tcp_tw_reuse=1 x", "--sysctl" },
	{ "--sysctl net.ipv4.=1 x", "--sysctl" },
	{ "--sysctl net.ipv6.tcp_syncookies=1 x", "--sysctl" },
	{ "--sysctl tcp_syncookiesx=1 x", "--sysctl" },
	{ "--flows 0 x", "--flows" },
	{ "--flows 67108865 x", "--flows" },
	{ "--log syslog x", "--log" },
	{ "--queue 3 x", "--queue" },
	{ "--frobnicate x", "synpaws replay --help" },
	{ "--half-close", "--half-close" },
	{ "--sysctl", "--sysctl" },
};

static void test_bad_row(void **state)
{
	const struct bad_row *row = *state;
	struct replay_options options;
	char why[256];

	if (parse(row->line, &options, why))
		fail_msg("'%s' is taken", row->line);
	assert_true(strlen(why) > 0);
	assert_null(strchr(why, '\n'));
	if (strstr(why, row->named) == NULL)
		fail_msg("'%s' does not name %s", why, row->named);
}

#define ALONE 12

int main(void)
{
	const struct CMUnitTest alone[ALONE] = {
		cmocka_unit_test(test_defaults_of_replay),
		cmocka_unit_test(test_files_stand_anywhere),
		cmocka_unit_test(test_a_gateway_is_implied_without_hosts),
		cmocka_unit_test(test_profiles),
		cmocka_unit_test(test_names_that_do_not_fit_are_cut),
		cmocka_unit_test(test_evidence),
		cmocka_unit_test(test_evidence_of_watch),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_as_many_ports_as_there_may_be),
		cmocka_unit_test(test_sysctls),
		cmocka_unit_test(test_log),
		cmocka_unit_test(test_defaults_of_replay), /* nothing of the above has stayed */
	};
	struct CMUnitTest options[ALONE + COUNT(bad_rows)];
	static char names[COUNT(bad_rows)][128];
	size_t i;

	memcpy(options, alone, sizeof(alone));
	for (i = 0; i < COUNT(bad_rows); i++) {
		snprintf(names[i], sizeof(names[i]), "refuses: %s", bad_rows[i].line);
		options[ALONE + i] = unit_row(names[i], test_bad_row, &bad_rows[i]);
	}
	return cmocka_run_group_tests(options, NULL, NULL);
}
