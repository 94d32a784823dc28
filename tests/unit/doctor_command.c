/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds src/os/command.c to its word: each line of a program, its exit status, nothing of its
 * errors, and an end to one that does not end. No test waits longer than a second.
 */
#include "unit.h"

#include <errno.h>

#include "os/command.h"

struct seen {
	char text[256];
	size_t lines, longest;
};

static void take(void *context, const char *line)
{
	struct seen *seen = context;
	const size_t length = strlen(seen->text);

	snprintf(seen->text + length, sizeof(seen->text) - length, "%s|", line);
	if (strlen(line) > seen->longest)
		seen->longest = strlen(line);
	seen->lines++;
}

static int run(const char *script, unsigned int seconds, struct seen *seen)
{
	char shell[] = "/bin/sh", option[] = "-c", text[256];
	char *const argv[] = { shell, option, text, NULL };

	memset(seen, 0, sizeof(*seen));
	snprintf(text, sizeof(text), "%s", script);
	alarm(20);
	return command_lines(argv, seconds, take, seen);
}

static void test_lines(void **state)
{
	struct seen seen;

	(void)state;
	assert_int_equal(run("echo a; echo; echo b c; printf d; echo no >&2", 10, &seen), 0);
	assert_string_equal(seen.text, "a||b c|d|");
}

static void test_status(void **state)
{
	struct seen seen;

	(void)state;
	assert_int_equal(run("echo a; exit 3", 10, &seen), 3);
	assert_string_equal(seen.text, "a|");
}

static void test_input_and_environment(void **state)
{
	struct seen seen;

	(void)state;
	setenv("SYNPAWS_TEST", "seen", 1);
	assert_int_equal(run("cat; echo $LC_ALL $SYNPAWS_TEST", 10, &seen), 0);
	assert_string_equal(seen.text, "C|");
}

static void test_much(void **state)
{
	struct seen seen;

	(void)state;
	assert_int_equal(run("i=0; while [ $i -lt 3000 ]; do echo a line like many others; "
			     "i=$((i+1)); done",
			     20, &seen),
			 0);
	assert_int_equal(seen.lines, 3000);
	assert_int_equal(run("head -c 100000 /dev/zero | tr '\\0' x; echo; echo y", 10, &seen), 0);
	assert_int_equal(seen.lines, 2);
	assert_int_equal(seen.longest, COMMAND_LINE_MOST - 1);
}

static void test_what_does_not_end(void **state)
{
	struct seen seen;

	(void)state;
	assert_int_equal(run("exec sleep 1000", 1, &seen), -1);
	assert_int_equal(errno, ETIMEDOUT);
}

static void test_killed(void **state)
{
	struct seen seen;

	(void)state;
	assert_int_equal(run("kill -9 $$", 10, &seen), -1);
	assert_int_equal(errno, EINTR);
}

static void test_not_there(void **state)
{
	char path[] = "/no/such/program";
	char *const argv[] = { path, NULL };
	struct seen seen = { .lines = 0 };

	(void)state;
	assert_int_equal(command_lines(argv, 10, take, &seen), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(seen.lines, 0);
}

int main(void)
{
	const struct CMUnitTest command[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_input_and_environment),
		cmocka_unit_test(test_much),
		cmocka_unit_test(test_what_does_not_end),
		cmocka_unit_test(test_killed),
		cmocka_unit_test(test_not_there),
	};

	return cmocka_run_group_tests(command, NULL, NULL);
}
