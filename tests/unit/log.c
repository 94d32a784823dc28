/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds src/sink/log.c to the manners of syslog(3), facility, priority, ident and all, and to the
 * one thing that syslog(3) does not do: it never waits. Sockets, pipes and terminals whose reader
 * has gone to sleep are filled up here; the line that no longer fits must be lost and counted. If
 * it waits instead, alarm() ends the test program, which is a failure.
 *
 * log_streams.c has what goes to standard output and standard error.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "sink/log.h"

#define HANG_SEC  30
#define LINE_MOST 8192

/* A log to syslog whose other end is here. */
struct wire {
	struct log *log;
	int far; /* what the syslog daemon reads */
};

static int connect_wire(void **state)
{
	struct wire *wire = malloc(sizeof(*wire));
	int pair[2];

	assert_non_null(wire);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair), 0);
	wire->log = log_new(LOG_SINK_SYSLOG, LOG_LOCAL3);
	assert_non_null(wire->log);
	log_started(wire->log);
	log_set_socket(wire->log, pair[0]);
	wire->far = pair[1];
	*state = wire;
	alarm(HANG_SEC);
	return 0;
}

static int disconnect_wire(void **state)
{
	struct wire *wire = *state;

	alarm(0);
	log_free(wire->log);
	if (wire->far >= 0)
		close(wire->far);
	free(wire);
	return 0;
}

/* The next datagram, or "" if there is none. */
static const char *arrived(const struct wire *wire)
{
	static char text[LINE_MOST];
	const ssize_t length = recv(wire->far, text, sizeof(text) - 1, MSG_DONTWAIT);

	text[length > 0 ? length : 0] = '\0';
	return text;
}

/* RFC 3164: "<PRI>Mmm dd hh:mm:ss ident[pid]: line", with nothing behind it. */
static void expect_datagram(const struct wire *wire, int priority, pid_t pid, const char *line)
{
	const char *text = arrived(wire);
	char pattern[512];
	regex_t regex;

	snprintf(pattern, sizeof(pattern),
		 "^<%d>(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ 1-3][0-9] "
		 "[0-2][0-9]:[0-5][0-9]:[0-6][0-9] synpaws\\[%d\\]: %s$",
		 LOG_LOCAL3 | priority, (int)pid, line);
	assert_int_equal(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
	if (regexec(&regex, text, 0, NULL, 0) != 0)
		fail_msg("'%s' does not match '%s'", text, pattern);
	regfree(&regex);
}

static void test_a_record_on_the_wire(void **state)
{
	const struct wire *wire = *state;

	log_record(wire->log, LOG_WARNING, "paws-drop time=1 src=192.0.2.1");
	expect_datagram(wire, LOG_WARNING, getpid(), "paws-drop time=1 src=192.0.2.1");
	log_record(wire->log, LOG_NOTICE, "summary %s %n"); /* no format */
	expect_datagram(wire, LOG_NOTICE, getpid(), "summary %s %n");
	assert_string_equal(arrived(wire), "");
	assert_int_equal(log_lost(wire->log), 0);
	assert_false(log_disconnected(wire->log));
}

static void test_the_five_verbs(void **state)
{
	const struct wire *wire = *state;

	log_err(wire->log, "error %d", 1);
	expect_datagram(wire, LOG_ERR, getpid(), "error 1");
	errno = ENOENT;
	log_warn(wire->log, "cannot open %s", "it");
	expect_datagram(wire, LOG_WARNING, getpid(), "cannot open it: No such file or directory");
	errno = ENOENT;
	log_warnx(wire->log, "as it is");
	expect_datagram(wire, LOG_WARNING, getpid(), "as it is");
	log_info(wire->log, "%s", "%d");
	expect_datagram(wire, LOG_INFO, getpid(), "%d");
	log_debug(wire->log, "not wanted");
	assert_string_equal(arrived(wire), "");
	log_set_debug(wire->log, true);
	log_debug(wire->log, "wanted");
	expect_datagram(wire, LOG_DEBUG, getpid(), "wanted");
	log_set_debug(wire->log, false);
	log_debug(wire->log, "not wanted again");
	assert_string_equal(arrived(wire), "");
}

/* After fork() the ident has the child's pid once log_set_pid() has been called. */
static void test_the_pid_is_the_callers(void **state)
{
	const struct wire *wire = *state;
	pid_t child;

	fflush(stdout);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		log_info(wire->log, "before");
		log_set_pid(wire->log);
		log_info(wire->log, "after");
		_exit(0);
	}
	assert_int_equal(waitpid(child, NULL, 0), child);
	expect_datagram(wire, LOG_INFO, getpid(), "before");
	expect_datagram(wire, LOG_INFO, child, "after");
}

static void test_a_line_too_long_is_cut(void **state)
{
	const struct wire *wire = *state;
	char line[LINE_MOST];
	const char *text;

	memset(line, 'x', sizeof(line));
	line[sizeof(line) - 1] = '\0';
	log_record(wire->log, LOG_WARNING, line);
	text = arrived(wire);
	assert_in_range(strlen(text), 1024, 4096);
	assert_int_equal(text[strlen(text) - 1], 'x');
	log_info(wire->log, "%s", line);
	text = arrived(wire);
	assert_in_range(strlen(text), 512, 4096);
	errno = ENOENT;
	log_warn(wire->log, "%s", line);
	assert_in_range(strlen(arrived(wire)), 512, 4096);
	assert_int_equal(log_lost(wire->log), 0);
}

/* Fills the socket; what does not fit is lost at once and counted, and the rest arrives. */
static void test_a_full_socket_never_blocks(void **state)
{
	const struct wire *wire = *state;
	unsigned int i, sent = 0;

	for (i = 0; i < 100000 && log_lost(wire->log) < 1000; i++)
		log_record(wire->log, LOG_WARNING, "a line for a reader who sleeps");
	assert_int_equal(log_lost(wire->log), 1000);
	assert_false(log_disconnected(wire->log)); /* it is there, it only sleeps */
	while (strcmp(arrived(wire), "") != 0)
		sent++;
	assert_int_equal(sent + log_lost(wire->log), i);
	assert_true(sent > 0);
	log_record(wire->log, LOG_WARNING, "now it is awake");
	expect_datagram(wire, LOG_WARNING, getpid(), "now it is awake");
}

static void test_a_daemon_that_is_gone(void **state)
{
	struct wire *wire = *state;
	int pair[2];

	close(wire->far);
	wire->far = -1;
	log_record(wire->log, LOG_WARNING, "nobody there");
	assert_int_equal(log_lost(wire->log), 1);
	assert_true(log_disconnected(wire->log));
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair), 0);
	log_set_socket(wire->log, pair[0]);
	wire->far = pair[1];
	assert_false(log_disconnected(wire->log));
	log_record(wire->log, LOG_WARNING, "back again");
	expect_datagram(wire, LOG_WARNING, getpid(), "back again");
	assert_int_equal(log_lost(wire->log), 1);
}

static void test_without_any_socket(void **state)
{
	struct log *log = log_new(LOG_SINK_SYSLOG, LOG_DAEMON);

	(void)state;
	assert_non_null(log);
	assert_int_equal(log_sink(log), LOG_SINK_SYSLOG);
	assert_true(log_disconnected(log));
	log_record(log, LOG_WARNING, "into the void");
	assert_int_equal(log_lost(log), 1);
	assert_true(log_disconnected(log));
	log_free(log);
	log_free(NULL);
}

/* What could not be made into a line is a lost line, wherever it would have gone. */
static void test_a_record_that_could_not_be_made(void **state)
{
	static const enum log_sink sinks[] = { LOG_SINK_SYSLOG, LOG_SINK_STDOUT, LOG_SINK_JSON };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(sinks); i++) {
		struct log *log = log_new(sinks[i], LOG_DAEMON);

		log_record(log, LOG_WARNING, NULL);
		log_record(log, LOG_NOTICE, NULL);
		assert_int_equal(log_lost(log), 2);
		log_free(log);
	}
}

/* log_set_socket() takes the socket over, and gives back the one before it. */
static void test_no_socket_is_left_open(void **state)
{
	struct log *log = log_new(LOG_SINK_SYSLOG, LOG_DAEMON);
	int first[2], second[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, first), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, second), 0);
	log_set_socket(log, first[0]);
	log_set_socket(log, second[0]);
	assert_int_equal(fcntl(first[0], F_GETFD), -1);
	assert_true(fcntl(second[0], F_GETFD) >= 0);
	log_free(log);
	assert_int_equal(fcntl(second[0], F_GETFD), -1);
	close(first[1]);
	close(second[1]);
}

static void test_facilities(void **state)
{
	static const struct {
		const char *name;
		int facility;
	} rows[] = {
		{ "auth", LOG_AUTH },
		{ "authpriv", LOG_AUTHPRIV },
		{ "cron", LOG_CRON },
		{ "daemon", LOG_DAEMON },
		{ "ftp", LOG_FTP },
		{ "kern", LOG_KERN },
		{ "lpr", LOG_LPR },
		{ "mail", LOG_MAIL },
		{ "news", LOG_NEWS },
		{ "syslog", LOG_SYSLOG },
		{ "user", LOG_USER },
		{ "uucp", LOG_UUCP },
		{ "local0", LOG_LOCAL0 },
		{ "local1", LOG_LOCAL1 },
		{ "local2", LOG_LOCAL2 },
		{ "local3", LOG_LOCAL3 },
		{ "local4", LOG_LOCAL4 },
		{ "local5", LOG_LOCAL5 },
		{ "local6", LOG_LOCAL6 },
		{ "local7", LOG_LOCAL7 },
		{ "Daemon", LOG_DAEMON },
		{ "LOCAL7", LOG_LOCAL7 },
		{ "", -1 },
		{ "local8", -1 },
		{ "local", -1 },
		{ "daemon ", -1 },
		{ " daemon", -1 },
		{ "24", -1 },
		{ "none", -1 },
		{ "LOG_DAEMON", -1 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		if (log_facility(rows[i].name) != rows[i].facility)
			fail_msg("'%s' is %d", rows[i].name, log_facility(rows[i].name));
	}
}

#define WIRED(test) cmocka_unit_test_setup_teardown(test, connect_wire, disconnect_wire)

int main(void)
{
	const struct CMUnitTest log[] = {
		WIRED(test_a_record_on_the_wire),
		WIRED(test_the_five_verbs),
		WIRED(test_the_pid_is_the_callers),
		WIRED(test_a_line_too_long_is_cut),
		WIRED(test_a_full_socket_never_blocks),
		WIRED(test_a_daemon_that_is_gone),
		cmocka_unit_test(test_without_any_socket),
		cmocka_unit_test(test_a_record_that_could_not_be_made),
		cmocka_unit_test(test_no_socket_is_left_open),
		cmocka_unit_test(test_facilities),
	};

	return cmocka_run_group_tests(log, NULL, NULL);
}
