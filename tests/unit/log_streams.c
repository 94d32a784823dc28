/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds src/sink/log.c to what it says on standard output and standard error: records on the one,
 * messages on the other, whole lines only; messages of a daemon that logs to syslog as long as it
 * is starting or syslog is not there. And to never waiting for whoever reads them: a pipe nobody
 * empties, a terminal that is stopped or whose window has gone. What waits is ended by alarm().
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>

#include "sink/log.h"

#define HANG_SEC  10
#define TEXT_MOST 8192

/* Where a descriptor led before. */
struct detour {
	int fd, saved;
};

static struct detour redirect(int fd, int to)
{
	const struct detour detour = { fd, dup(fd) };

	fflush(stdout);
	fflush(stderr);
	dup2(to, fd);
	return detour;
}

static void restore(struct detour detour)
{
	dup2(detour.saved, detour.fd);
	close(detour.saved);
}

/*
 * A log whose standard output and error are pipes that end here. As long as it is open nothing can
 * be asserted, since that would be said into those pipes.
 */
struct session {
	struct log *log;
	struct detour detours[2];
	int pipes[2][2];
};

struct said {
	char out[TEXT_MOST], err[TEXT_MOST];
};

static void open_session(struct session *session, enum log_sink sink)
{
	int i;

	for (i = 0; i < 2; i++)
		assert_int_equal(pipe2(session->pipes[i], O_NONBLOCK), 0);
	for (i = 0; i < 2; i++)
		session->detours[i] = redirect(STDOUT_FILENO + i, session->pipes[i][1]);
	session->log = log_new(sink, LOG_DAEMON);
}

static void listen_to(const struct session *session, struct said *said)
{
	char *const texts[2] = { said->out, said->err };
	ssize_t length;
	int i;

	for (i = 0; i < 2; i++) {
		length = read(session->pipes[i][0], texts[i], TEXT_MOST - 1);
		texts[i][length > 0 ? length : 0] = '\0';
	}
}

static void close_session(struct session *session)
{
	int i;

	for (i = 0; i < 2; i++) {
		restore(session->detours[i]);
		close(session->pipes[i][0]);
		close(session->pipes[i][1]);
	}
}

static void say_a_few_things(struct log *log)
{
	log_record(log, LOG_WARNING, "first record");
	log_err(log, "an error %d", 7);
	errno = ENOENT;
	log_warn(log, "a warning");
	log_warnx(log, "%s", "another");
	log_info(log, "something");
	log_debug(log, "a secret");
	log_record(log, LOG_NOTICE, "second record %s");
}

static const char records[] = "first record\nsecond record %s\n";
static const char messages[] = "synpaws: an error 7\n"
			       "synpaws: a warning: No such file or directory\n"
			       "synpaws: another\n"
			       "synpaws: something\n";

static void test_records_and_messages_go_their_own_ways(void **state)
{
	static const enum log_sink sinks[] = { LOG_SINK_STDOUT, LOG_SINK_JSON };
	static struct said said[2];
	struct session session;
	size_t i, started;

	(void)state;
	for (i = 0; i < COUNT(sinks); i++) {
		open_session(&session, sinks[i]);
		for (started = 0; started < 2; started++) {
			say_a_few_things(session.log);
			listen_to(&session, &said[started]);
			log_started(session.log);
		}
		close_session(&session);
		for (started = 0; started < 2; started++) {
			assert_string_equal(said[started].out, records);
			assert_string_equal(said[started].err, messages);
		}
		assert_int_equal(log_sink(session.log), sinks[i]);
		assert_int_equal(log_lost(session.log), 0);
		assert_false(log_disconnected(session.log));
		log_free(session.log);
	}
}

/*
 * In turn: starting; started; and then syslogd goes, so that messages show again, and the summary
 * with them; the drop alone is lost.
 */
static void test_syslog_and_standard_error_while_starting(void **state)
{
	static struct said said[3];
	struct session session;
	uint64_t lost, lost_then;
	int pair[2], i;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair), 0);
	open_session(&session, LOG_SINK_SYSLOG);
	log_set_socket(session.log, pair[0]);
	say_a_few_things(session.log);
	listen_to(&session, &said[0]);
	log_started(session.log);
	say_a_few_things(session.log);
	listen_to(&session, &said[1]);
	lost = log_lost(session.log);
	close(pair[1]);
	say_a_few_things(session.log);
	listen_to(&session, &said[2]);
	close_session(&session);
	lost_then = log_lost(session.log);
	log_free(session.log);
	for (i = 0; i < 3; i++)
		assert_string_equal(said[i].out, "");
	assert_string_equal(said[0].err, messages);
	assert_string_equal(said[1].err, "");
	assert_memory_equal(said[2].err, messages, strlen(messages));
	assert_string_equal(said[2].err + strlen(messages), "second record %s\n");
	assert_int_equal(lost, 0);
	assert_int_equal(lost_then, 1);
}

/* Writes lines to descriptor 1 or 2 until ten are lost. Returns how many of them were lost. */
static uint64_t pour(int fd, int to, unsigned int *written)
{
	struct detour detour = redirect(fd, to); /* first: a terminal is opened anew at start */
	struct log *log = log_new(LOG_SINK_STDOUT, LOG_DAEMON);
	unsigned int i;
	uint64_t lost;

	alarm(HANG_SEC);
	for (i = 0; i < 200000 && log_lost(log) < 10; i++) {
		if (fd == STDOUT_FILENO)
			log_record(log, LOG_WARNING, "a record for a reader who sleeps, 45 bytes");
		else
			log_err(log, "an error for a reader who sleeps");
	}
	restore(detour);
	alarm(0);
	lost = log_lost(log);
	log_free(log);
	*written = i - (unsigned int)lost;
	return lost;
}

/* Fills it up. Returns how many lines that took. */
static unsigned int fill(int fd, int to)
{
	unsigned int written;

	assert_int_equal(pour(fd, to, &written), 10);
	return written;
}

/* What is in the pipe: whole lines, and as many as were written. */
static void expect_whole_lines(int fd, unsigned int lines)
{
	char text[TEXT_MOST];
	unsigned int seen = 0;
	ssize_t length, i;
	char last = '\n';

	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	while ((length = read(fd, text, sizeof(text))) > 0) {
		for (i = 0; i < length; i++) {
			if (last == '\n')
				assert_true(text[i] == 'a' || text[i] == 's');
			last = text[i];
			seen += last == '\n';
		}
	}
	assert_int_equal(last, '\n');
	assert_int_equal(seen, lines);
}

static void test_a_full_pipe_never_blocks(void **state)
{
	int fd, ends[2];

	(void)state;
	for (fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++) {
		assert_int_equal(pipe(ends), 0);
		expect_whole_lines(ends[0], fill(fd, ends[1]));
		close(ends[0]);
		close(ends[1]);
	}
}

/* The reader takes a little, now and then, and never as much as there is. */
static void test_a_pipe_with_a_slow_reader_never_blocks(void **state)
{
	static const size_t bites[] = { 1, 7, 100, 4095, 4096, 5000 };
	char text[TEXT_MOST];
	unsigned int written = 0;
	int ends[2];
	size_t i;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	for (i = 0; i < 10 * COUNT(bites); i++) {
		written += fill(STDOUT_FILENO, ends[1]);
		assert_true(read(ends[0], text, bites[i % COUNT(bites)]) > 0);
	}
	assert_true(written > 1000);
	close(ends[0]);
	close(ends[1]);
}

/* Lines of almost any length, among them such as are longer than what is free in the pipe. */
static void test_long_lines_into_an_almost_full_pipe(void **state)
{
	struct detour detour;
	char line[TEXT_MOST];
	struct log *log;
	int ends[2];
	size_t length;

	(void)state;
	memset(line, 'a', sizeof(line));
	assert_int_equal(pipe(ends), 0);
	alarm(HANG_SEC);
	detour = redirect(STDOUT_FILENO, ends[1]);
	log = log_new(LOG_SINK_JSON, LOG_DAEMON);
	for (length = 0; length < sizeof(line); length += 11) {
		line[length] = '\0';
		log_record(log, LOG_WARNING, line);
		line[length] = 'a';
	}
	restore(detour);
	alarm(0);
	assert_true(log_lost(log) > 0);
	log_free(log);
	close(ends[0]);
	close(ends[1]);
}

static void test_a_full_socket_never_blocks(void **state)
{
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	expect_whole_lines(pair[1], fill(STDOUT_FILENO, pair[0]));
	close(pair[0]);
	close(pair[1]);
}

/* In a process of its own, since whoever blocks there cannot go on with the tests. */
static void expect_no_hang(int to)
{
	unsigned int written;
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) /* which must not meet an assertion: those lead back into the tests */
		_exit(pour(STDOUT_FILENO, to, &written) == 10 ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status))
		fail_msg("ended by signal %d%s", WTERMSIG(status),
			 WTERMSIG(status) == SIGALRM ? ": it waited" : "");
	assert_int_equal(WEXITSTATUS(status), 0);
}

static int open_terminal(int *master)
{
	int slave;

	*master = posix_openpt(O_RDWR | O_NOCTTY);
	if (*master < 0 || grantpt(*master) != 0 || unlockpt(*master) != 0)
		skip();
	slave = open(ptsname(*master), O_RDWR | O_NOCTTY);
	assert_true(slave >= 0);
	return slave;
}

static void test_a_terminal_nobody_reads_never_blocks(void **state)
{
	int master, slave = open_terminal(&master);

	(void)state;
	expect_no_hang(slave);
	close(slave);
	close(master);
}

static void test_a_stopped_terminal_never_blocks(void **state)
{
	int master, slave = open_terminal(&master);

	(void)state;
	assert_int_equal(tcflow(slave, TCOOFF), 0); /* Ctrl-S */
	expect_no_hang(slave);
	close(slave);
	close(master);
}

/* The reader has gone: EPIPE, and no signal ends the daemon (which ignores SIGPIPE). */
static void test_a_reader_who_has_gone(void **state)
{
	int ends[2];

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(ends), 0);
	close(ends[0]);
	assert_int_equal(fill(STDOUT_FILENO, ends[1]), 0);
	close(ends[1]);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	close(ends[0]);
	signal(SIGPIPE, SIG_DFL); /* a socket must not need that */
	assert_int_equal(fill(STDOUT_FILENO, ends[1]), 0);
	close(ends[1]);
}

static void test_a_full_disk(void **state)
{
	const int fd = open("/dev/full", O_WRONLY);

	(void)state;
	if (fd < 0)
		skip();
	assert_int_equal(fill(STDOUT_FILENO, fd), 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest log_streams[] = {
		cmocka_unit_test(test_records_and_messages_go_their_own_ways),
		cmocka_unit_test(test_syslog_and_standard_error_while_starting),
		cmocka_unit_test(test_a_full_pipe_never_blocks),
		cmocka_unit_test(test_a_pipe_with_a_slow_reader_never_blocks),
		cmocka_unit_test(test_long_lines_into_an_almost_full_pipe),
		cmocka_unit_test(test_a_full_socket_never_blocks),
		cmocka_unit_test(test_a_terminal_nobody_reads_never_blocks),
		cmocka_unit_test(test_a_stopped_terminal_never_blocks),
		cmocka_unit_test(test_a_reader_who_has_gone),
		cmocka_unit_test(test_a_full_disk),
	};

	return cmocka_run_group_tests(log_streams, NULL, NULL);
}
