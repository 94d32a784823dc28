/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds src/cmd/options.c to the command line of `synpaws watch`: every option arrives where it
 * belongs, the defaults are those that --help tells, and whatever is wrong is refused with one line
 * that names the option, never half taken and never misread as something else.
 */
#include "unit.h"

#include <pwd.h>

#include "cmd/options.h"
#include "sink/json.h"
#include "source/nfqueue.h"
#include "syn.h"
#include "words.h"

/* `line` is a command line, split at blanks. */
static bool parse(const char *line, struct watch_options *options, char why[256])
{
	static struct words words;

	words_split(&words, "watch", line);
	memset(options, 0x5a, sizeof(*options));
	memset(why, 0, 256);
	return options_parse(options, words.argc, words.argv, why, 256);
}

static struct watch_options good(const char *words)
{
	struct watch_options options;
	char why[256];

	if (!parse(words, &options, why))
		fail_msg("'%s' is refused: %s", words, why);
	return options;
}

static void test_defaults(void **state)
{
	const struct watch_options options = good("");

	(void)state;
	assert_false(options.check_only);
	assert_false(options.debug);
	assert_false(options.help);
	assert_int_equal(options.first_queue, 0);
	assert_int_equal(options.queue_count, 1);
	assert_int_equal(options.panel.profile_count, 1);
	assert_string_equal(options.panel.profiles[0]->name, "el7");
	assert_int_equal(options.panel.evidence, SYNPAWS_EVIDENCE_SYN);
	assert_false(options.panel.gateway);
	assert_int_equal(options.panel.flows, 262144);
	assert_int_equal(options.panel.port_count, 0);
	assert_memory_equal(&options.panel.sysctls.values, &synpaws_sysctls_default,
			    sizeof(synpaws_sysctls_default));
	assert_int_equal(options.panel.host_count, 0);
	assert_int_equal(options.panel.sink, LOG_SINK_SYSLOG);
	assert_int_equal(options.facility, LOG_DAEMON);
	assert_int_equal(options.panel.peers, 1048576);
	assert_int_equal(options.buffer, 8388608);
	assert_int_equal(options.panel.fold_seconds, 10);
	assert_int_equal(options.panel.log_rate, 100);
	assert_int_equal(options.features, NFQUEUE_ALL_FEATURES);
	assert_false(options.pin);
	assert_true(good("--pin").pin);
	assert_int_not_equal(options.user.uid, 0);
}

static void test_queues(void **state)
{
	static const struct {
		const char *words;
		uint16_t first;
		size_t count;
	} rows[] = {
		{ "--queue 3", 3, 1 },
		{ "--queue 0:3", 0, 4 },
		{ "--queue 65535", 65535, 1 },
		{ "--queue 0", 0, 1 },
		{ "--queue=7:7", 7, 1 },
		{ "--queue 0:15", 0, 16 },
		{ "--queue 65520:65535", 65520, 16 },
		{ "--queue 00012:0013", 12, 2 },
		{ "--queue 3 --queue 5", 5, 1 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		const struct watch_options options = good(rows[i].words);

		assert_int_equal(options.first_queue, rows[i].first);
		assert_int_equal(options.queue_count, rows[i].count);
	}
}

static void expect_host(const struct synpaws_prefix *host, const char *address, uint8_t bits)
{
	uint8_t bytes[16];

	assert_int_equal(host->ip_version, syn_address(address, bytes));
	assert_memory_equal(host->address, bytes, sizeof(bytes));
	assert_int_equal(host->bits, bits);
}

static void test_hosts(void **state)
{
	const struct watch_options options =
		good("--host 192.0.2.1 --host 192.0.2.0/24 --host 0.0.0.0/0 --host 10.0.0.1/32 "
		     "--host 2001:db8::1 --host 2001:db8::/32 --host ::/0 --host ::1/128 "
		     "--host ::ffff:192.0.2.1/127 --host 10.1.2.3/31");

	(void)state;
	assert_int_equal(options.panel.host_count, 10);
	expect_host(&options.panel.hosts[0], "192.0.2.1", 32);
	expect_host(&options.panel.hosts[1], "192.0.2.0", 24);
	expect_host(&options.panel.hosts[2], "0.0.0.0", 0);
	expect_host(&options.panel.hosts[3], "10.0.0.1", 32);
	expect_host(&options.panel.hosts[4], "2001:db8::1", 128);
	expect_host(&options.panel.hosts[5], "2001:db8::", 32);
	expect_host(&options.panel.hosts[6], "::", 0);
	expect_host(&options.panel.hosts[7], "::1", 128);
	expect_host(&options.panel.hosts[8], "::ffff:192.0.2.1", 127);
	expect_host(&options.panel.hosts[9], "10.1.2.3", 31);
}

static void test_as_many_hosts_as_there_may_be(void **state)
{
	struct watch_options options;
	char words[2048] = "", why[256];
	int i;

	(void)state;
	for (i = 0; i < PANEL_HOSTS_MOST; i++)
		strcat(words, "--host 192.0.2.1 ");
	assert_int_equal(good(words).panel.host_count, PANEL_HOSTS_MOST);
	strcat(words, "--host 192.0.2.2");
	assert_false(parse(words, &options, why));
	assert_non_null(strstr(why, "--host"));
}

static void test_log_and_facility(void **state)
{
	(void)state;
	assert_int_equal(good("--log syslog").panel.sink, LOG_SINK_SYSLOG);
	assert_int_equal(good("--log stdout").panel.sink, LOG_SINK_STDOUT);
	if (json_available())
		assert_int_equal(good("--log json").panel.sink, LOG_SINK_JSON);
	assert_int_equal(good("--facility local3").facility, LOG_LOCAL3);
	assert_int_equal(good("--facility KERN").facility, LOG_KERN);
}

static void test_numbers(void **state)
{
	(void)state;
	assert_int_equal(good("--fold 0").panel.fold_seconds, 0);
	assert_int_equal(good("--fold 86400").panel.fold_seconds, 86400);
	assert_int_equal(good("--log-rate 1").panel.log_rate, 1);
	assert_int_equal(good("--log-rate 1000000").panel.log_rate, 1000000);
	assert_int_equal(good("--peers 1").panel.peers, 1);
	assert_int_equal(good("--peers 1073741824").panel.peers, 1073741824);
	assert_int_equal(good("--buffer 4096").buffer, 4096);
	assert_int_equal(good("--buffer 1073741824").buffer, 1073741824);
}

static void test_without(void **state)
{
	(void)state;
	assert_int_equal(good("--without batch-verdict").features,
			 NFQUEUE_FAIL_OPEN | NFQUEUE_GSO | NFQUEUE_RECVMMSG);
	assert_int_equal(good("--without fail-open").features,
			 NFQUEUE_BATCH_VERDICT | NFQUEUE_GSO | NFQUEUE_RECVMMSG);
	assert_int_equal(good("--without gso").features,
			 NFQUEUE_BATCH_VERDICT | NFQUEUE_FAIL_OPEN | NFQUEUE_RECVMMSG);
	assert_int_equal(good("--without recvmmsg").features,
			 NFQUEUE_BATCH_VERDICT | NFQUEUE_FAIL_OPEN | NFQUEUE_GSO);
	assert_int_equal(good("--without gso --without gso --without fail-open").features,
			 NFQUEUE_BATCH_VERDICT | NFQUEUE_RECVMMSG);
}

static void test_user(void **state)
{
	const struct passwd *entry = getpwnam("nobody");
	struct watch_options options;
	struct passwd nobody;

	(void)state;
	if (entry == NULL)
		skip();
	nobody = *entry; /* options look others up */
	options = good("--user nobody");
	assert_int_equal(options.user.uid, nobody.pw_uid);
	assert_int_equal(options.user.gid, nobody.pw_gid);
	assert_int_not_equal(options.analyst.uid, nobody.pw_uid);
	assert_int_not_equal(options.analyst.uid, 0);
}

static void test_flags(void **state)
{
	(void)state;
	assert_true(good("-n").check_only);
	assert_true(good("--check").check_only);
	assert_true(good("-d").debug);
	assert_true(good("--debug").debug);
	assert_true(good("-h").help);
	assert_true(good("--help").help);
	assert_false(good("-n").debug);
	assert_false(good("-d").check_only);
	assert_true(good("-nd").debug && good("-nd").check_only);
	assert_true(good("-d --queue 5 -n").check_only);
}

static void test_many_options_at_once(void **state)
{
	const struct watch_options options =
		good("--queue 2:3 --profile 3.10 --host 192.0.2.1 --log stdout --facility user "
		     "--fold 1 --log-rate 2 --peers 3 --buffer 5000 --without gso -n -d");

	(void)state;
	assert_int_equal(options.first_queue, 2);
	assert_int_equal(options.queue_count, 2);
	assert_string_equal(options.panel.profiles[0]->name, "3.10");
	assert_int_equal(options.panel.host_count, 1);
	assert_int_equal(options.panel.sink, LOG_SINK_STDOUT);
	assert_int_equal(options.facility, LOG_USER);
	assert_int_equal(options.panel.fold_seconds, 1);
	assert_int_equal(options.panel.log_rate, 2);
	assert_int_equal(options.panel.peers, 3);
	assert_int_equal(options.buffer, 5000);
	assert_true(options.check_only && options.debug && !options.help);
}

struct bad_row {
	const char *words;
	const char *named; /* what the reason has to name */
};

static const struct bad_row bad_rows[] = {
	{ "--queue ''", "--queue" },
	{ "--queue x", "--queue" },
	{ "--queue -1", "--queue" },
	{ "--queue +1", "--queue" },
	{ "--queue 65536", "--queue" },
	{ "--queue 1:65536", "--queue" },
	{ "--queue 99999999999999999999", "--queue" },
	{ "--queue 3:2", "--queue" },
	{ "--queue 0:16", "--queue" },
	{ "--queue 0:65535", "--queue" },
	{ "--queue :3", "--queue" },
	{ "--queue 3:", "--queue" },
	{ "--queue :", "--queue" },
	{ "--queue 1:2:3", "--queue" },
	{ "--queue 0x10", "--queue" },
	{ "--queue 3,4", "--queue" },
	{ "--queue 0000000000000000000000001", "--queue" },
	{ "--profile ''", "--profile" },
	{ "--profile linux", "--profile" },
	{ "--evidence full", "--evidence full: only a capture" },
	{ "--each", "--each" },
	{ "--profile EL7", "--profile" },
	{ "--profile 3", "--profile" },
	{ "--host ''", "--host" },
	{ "--host example.com", "--host" },
	{ "--host 192.0.2", "--host" },
	{ "--host 192.0.2.256", "--host" },
	{ "--host 192.0.2.1/", "--host" },
	{ "--host 192.0.2.1/33", "--host" },
	{ "--host 192.0.2.1/-1", "--host" },
	{ "--host 192.0.2.1/255.255.255.0", "--host" },
	{ "--host 192.0.2.1/24/24", "--host" },
	{ "--host /24", "--host" },
	{ "--host 2001:db8::1/129", "--host" },
	{ "--host 2001:db8::g", "--host" },
	{ "--host fe80::1%eth0", "--host" },
	{ "--host [::1]", "--host" },
	{ "--host 1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc", "--host" },
	{ "--log ''", "--log" },
	{ "--log file", "--log" },
	{ "--log STDOUT", "--log" },
	{ "--facility ''", "--facility" },
	{ "--facility local8", "--facility" },
	{ "--facility 3", "--facility" },
	{ "--fold ''", "--fold" },
	{ "--fold -1", "--fold" },
	{ "--fold 86401", "--fold" },
	{ "--fold 10s", "--fold" },
	{ "--fold 1.5", "--fold" },
	{ "--log-rate 0", "--log-rate" },
	{ "--log-rate 1000001", "--log-rate" },
	{ "--log-rate many", "--log-rate" },
	{ "--peers 0", "--peers" },
	{ "--peers 1073741825", "--peers" },
	{ "--peers 18446744073709551617", "--peers" },
	{ "--peers 1e6", "--peers" },
	{ "--buffer 4095", "--buffer" },
	{ "--buffer 1073741825", "--buffer" },
	{ "--buffer 8M", "--buffer" },
	{ "--user ''", "--user" },
	{ "--user root", "--user" },
	{ "--user no-such-user-here", "--user" },
	{ "--without ''", "--without" },
	{ "--without all", "--without" },
	{ "--without GSO", "--without" },
	{ "--queue", "--queue" },
	{ "--profile", "--profile" },
	{ "--host", "--host" },
	{ "--log", "--log" },
	{ "--facility", "--facility" },
	{ "--fold", "--fold" },
	{ "--log-rate", "--log-rate" },
	{ "--peers", "--peers" },
	{ "--buffer", "--buffer" },
	{ "--user", "--user" },
	{ "--without", "--without" },
	{ "--frobnicate", "--frobnicate" },
	{ "--frobnicate=3", "--frobnicate" },
	{ "--queue 3 --frobnicate 4", "--frobnicate" },
	{ "-x", "-x" },
	{ "-nx", "x" },
	{ "-xn", "x" },
	{ "-x --queue 3", "-x" },
	{ "--check=3", "--check" },
	{ "--f 3", "--f" }, /* --facility, --flows or --fold? */
	{ "stray", "stray" },
	{ "--queue 3 stray", "stray" },
	{ "stray --queue 3", "stray" },
	{ "-n -- stray", "stray" },
	{ "3", "3" },
	{ "''", "''" },
};

static void test_bad_row(void **state)
{
	const struct bad_row *row = *state;
	struct watch_options options;
	char why[256];

	if (parse(row->words, &options, why))
		fail_msg("'%s' is taken", row->words);
	assert_true(strlen(why) > 0);
	assert_null(strchr(why, '\n'));
	if (strstr(why, row->named) == NULL)
		fail_msg("'%s' does not name %s", why, row->named);
	if (strstr(why, "watch: ") == why)
		fail_msg("'%s' names the subcommand", why);
}

/* A value of any length leaves one line that still ends where it has to. */
static void test_endless_values(void **state)
{
	static const char *const names[] = { "queue",	 "profile", "host",	"log",
					     "facility", "fold",    "log-rate", "peers",
					     "buffer",	 "user",    "without" };
	struct watch_options options;
	char words[1024], why[256];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(names); i++) {
		memset(words, '1', sizeof(words));
		words[sizeof(words) - 1] = '\0';
		memcpy(words, "--", 2);
		memcpy(words + 2, names[i], strlen(names[i]));
		words[2 + strlen(names[i])] = '=';
		assert_false(parse(words, &options, why));
		assert_true(strlen(why) < sizeof(why));
		assert_non_null(strstr(why, names[i]));
	}
}

#define ALONE 12

int main(void)
{
	const struct CMUnitTest alone[ALONE] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_queues),
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_as_many_hosts_as_there_may_be),
		cmocka_unit_test(test_log_and_facility),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_without),
		cmocka_unit_test(test_user),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_many_options_at_once),
		cmocka_unit_test(test_endless_values),
		cmocka_unit_test(test_defaults), /* again: nothing of the above has stayed */
	};
	struct CMUnitTest options[ALONE + COUNT(bad_rows)];
	static char names[COUNT(bad_rows)][128];
	size_t i;

	memcpy(options, alone, sizeof(alone));
	for (i = 0; i < COUNT(bad_rows); i++) {
		snprintf(names[i], sizeof(names[i]), "refuses: %s", bad_rows[i].words);
		options[ALONE + i] = unit_row(names[i], test_bad_row, &bad_rows[i]);
	}
	return cmocka_run_group_tests(options, NULL, NULL);
}
