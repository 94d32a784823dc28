/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Holds src/cmd/options.c to `synpaws watch --interface`, as options.c here does to the rest. */
#include "unit.h"

#include "cmd/options.h"
#include "words.h"

static bool parse(const char *line, struct watch_options *options, char why[256])
{
	static struct words words;

	words_split(&words, "watch", line);
	memset(options, 0x5a, sizeof(*options));
	memset(why, 0, 256);
	return options_parse(options, words.argc, words.argv, why, 256);
}

static struct watch_options good(const char *line)
{
	struct watch_options options;
	char why[256];

	if (!parse(line, &options, why))
		fail_msg("'%s' is refused: %s", line, why);
	return options;
}

static void test_names(void **state)
{
	struct watch_options options = good("--interface eth0");

	(void)state;
	assert_int_equal(options.interface_count, 1);
	assert_string_equal(options.interfaces[0], "eth0");
	options = good("--interface a --interface eth0.7 --interface br-12ab --interface wlp3s0@x");
	assert_int_equal(options.interface_count, 4);
	assert_string_equal(options.interfaces[3], "wlp3s0@x");
	options = good("--interface any");
	assert_string_equal(options.interfaces[0], "any");
	assert_int_equal(good("").interface_count, 0);
	assert_int_equal(
		good("--interface 1 --interface 2 --interface 3 --interface 4 --interface 5 "
		     "--interface 6 --interface 7 --interface 8")
			.interface_count,
		CAPTURE_LIVE_MOST);
}

static void test_evidence(void **state)
{
	(void)state;
	assert_int_equal(good("").panel.evidence, SYNPAWS_EVIDENCE_SYN);
	assert_int_equal(good("--interface lo").panel.evidence, SYNPAWS_EVIDENCE_CLOSE);
	assert_int_equal(good("--interface lo --evidence syn").panel.evidence,
			 SYNPAWS_EVIDENCE_SYN);
	assert_int_equal(good("--evidence answer --interface lo").panel.evidence,
			 SYNPAWS_EVIDENCE_ANSWER);
	assert_int_equal(good("--evidence full --interface lo").panel.evidence,
			 SYNPAWS_EVIDENCE_FULL);
}

static void test_what_goes_with_it(void **state)
{
	const struct watch_options options = good("--interface lo --buffer 5000 --gateway --host "
						  "192.0.2.1 --profile el6,4.x -n");

	(void)state;
	assert_int_equal(options.buffer, 5000);
	assert_true(options.panel.gateway && options.check_only);
	assert_int_equal(options.panel.profile_count, 2);
}

static void test_refused(void **state)
{
	static const struct {
		const char *line, *words;
	} rows[] = {
		{ "--interface", "--interface" },
		{ "--interface lo --pin", "--pin is for queues" },
		{ "--interface ''", "give the name" },
		{ "--interface eth0:1", "give the name" },
		{ "--interface ../lo", "give the name" },
		{ "--interface 1234567890123456", "give the name" },
		{ "--interface lo --interface eth0 --interface lo", "twice" },
		{ "--interface lo --interface any", "that is all of them" },
		{ "--interface any --interface lo", "that is all of them" },
		{ "--interface 1 --interface 2 --interface 3 --interface 4 --interface 5 "
		  "--interface 6 --interface 7 --interface 8 --interface 9",
		  "there can be 8" },
		{ "--interface lo --queue 0", "--queue is for queues" },
		{ "--queue 0:3 --interface lo", "--queue is for queues" },
		{ "--interface lo --without gso", "--without is for queues" },
	};
	struct watch_options options;
	char why[256];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		if (parse(rows[i].line, &options, why))
			fail_msg("'%s' is taken", rows[i].line);
		assert_null(strchr(why, '\n'));
		if (strstr(why, rows[i].words) == NULL)
			fail_msg("'%s': '%s'", rows[i].line, why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_evidence),
		cmocka_unit_test(test_what_goes_with_it),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
