/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds src/cmd/replay.c to what a user of `synpaws replay` relies on: the lines, where they go,
 * and the exit status, also when a capture is damaged or nobody takes the output. Each run is a
 * process of its own with its streams in files; captures are made here, of IPv4 SYNs.
 */
#include "unit.h"

#include <fcntl.h>
#include <sys/wait.h>

#include "cmd/option.h"
#include "cmd/replay.h"
#include "packet.h"
#include "source/capture.h"
#include "words.h"

#define OUTPUT_MOST 16384

static char directory[64];

struct run {
	int status;
	char out[OUTPUT_MOST], err[OUTPUT_MOST];
};

static void path_of(const char *name, char path[128])
{
	snprintf(path, 128, "%s/%s", directory, name);
}

static void write_all(FILE *file, const void *bytes, size_t length)
{
	assert_int_equal(fwrite(bytes, 1, length, file), length);
}

/* A frame with a SYN of this TSval, so many microseconds after UNIT_SECOND. */
static void put_syn(FILE *file, uint32_t tsval, uint32_t micro)
{
	struct packet_made packet = packet_syn4(0);
	uint8_t ethernet[14] = { [12] = 0x08, [13] = 0x00 };
	const uint32_t length = (uint32_t)(packet.length + sizeof(ethernet));
	const uint32_t header[4] = { UNIT_SECOND + micro / 1000000, micro % 1000000 * 1000 + 7,
				     length, length };

	packet_put32(packet.bytes + packet.tcp + 28, tsval);
	packet_finish(&packet);
	write_all(file, header, sizeof(header));
	write_all(file, ethernet, sizeof(ethernet));
	write_all(file, packet.bytes, packet.length);
}

/* A nanosecond pcap of Ethernet: a high SYN, then `drops` low ones. */
static void make_capture(const char *name, unsigned int drops)
{
	const uint32_t header[6] = { 0xa1b23c4d, 4 << 16 | 2, 0, 0, 65535, 1 };
	char path[128];
	FILE *file;
	unsigned int i;

	path_of(name, path);
	file = fopen(path, "w");
	assert_non_null(file);
	write_all(file, header, sizeof(header));
	put_syn(file, 1000000, 0);
	for (i = 0; i < drops; i++)
		put_syn(file, 5000 + i, 1000 + i);
	assert_int_equal(fclose(file), 0);
}

static void read_back(const char *name, char text[OUTPUT_MOST])
{
	char path[128];
	FILE *file;

	path_of(name, path);
	file = fopen(path, "r");
	assert_non_null(file);
	text[fread(text, 1, OUTPUT_MOST - 1, file)] = '\0';
	fclose(file);
}

static void redirect(int stream, const char *name)
{
	char path[128];
	int fd;

	path_of(name, path);
	fd = open(name[0] == '/' ? name : path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || dup2(fd, stream) < 0)
		_exit(99);
	close(fd);
}

/* The child: its streams to files, then the command. Without a name it keeps standard output. */
static void become(const char *out, const char *line)
{
	static struct words words;
	int status;

	words_split(&words, "replay", line);
	if (out != NULL)
		redirect(STDOUT_FILENO, out);
	redirect(STDERR_FILENO, "err");
	if (chdir(directory) != 0)
		_exit(98);
	status = replay_main(words.argc, words.argv);
	fflush(NULL);
	_exit(status);
}

static void finish(pid_t child, struct run *run)
{
	int status;

	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	run->status = WEXITSTATUS(status);
	read_back("err", run->err);
}

/* Run with standard output to a file in our directory, or at an absolute path. */
static struct run *replay(const char *out, const char *line)
{
	static struct run run;
	pid_t child;

	fflush(NULL);
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		become(out, line);
	memset(&run, 0, sizeof(run));
	finish(child, &run);
	if (out[0] != '/')
		read_back(out, run.out);
	return &run;
}

static size_t count(const char *text, const char *part)
{
	size_t n = 0;

	for (; (text = strstr(text, part)) != NULL; text++)
		n++;
	return n;
}

static void expect_syns(const struct run *run, const char *numbers)
{
	if (strstr(run->out, numbers) == NULL)
		fail_msg("'%s' is not in '%s' (%s)", numbers, run->out, run->err);
}

static void test_lines_and_summary(void **state)
{
	const struct run *run;

	(void)state;
	make_capture("a.pcap", 3);
	run = replay("out", "--evidence syn --fold 0 a.pcap");
	assert_string_equal(run->err, "");
	assert_int_equal(run->status, 0);
	assert_int_equal(count(run->out, "paws-drop time=2026-11-22T14:26:39.00100"), 3);
	expect_syns(run, " syns=4 with_timestamp=4 not_checked=0 drop_syns=3 ");
	assert_int_equal(count(run->out, "\nmissed packets=4 "), 1);
	assert_int_equal(count(run->out, "\nfacts profile=el7 "), 1);
}

/* Those of one source fold, as in the daemon, and all is out at the end. */
static void test_folded_lines(void **state)
{
	const struct run *run;

	(void)state;
	make_capture("a.pcap", 50);
	run = replay("out", "--evidence syn a.pcap");
	assert_int_equal(run->status, 0);
	assert_int_equal(count(run->out, "paws-drop "), 2);
	assert_int_equal(count(run->out, " folded=48 "), 1);
}

static void test_each(void **state)
{
	const struct run *run;

	(void)state;
	make_capture("a.pcap", 2);
	run = replay("out", "--evidence syn --each --profile el6,el7 a.pcap");
	assert_int_equal(run->status, 0);
	assert_int_equal(count(run->out, "\n"), 6);
	assert_int_equal(count(run->out, "{\"time\":1795357599.001000007,\"src\":"), 2);
	assert_int_equal(count(run->out, "\"fate\":\"paws-drop\",\"profile\":\"el6\""), 2);
	assert_int_equal(
		count(run->out, "\"recorded_tsval\":1000000,\"recorded_at\":1795357599}\n"), 4);
	assert_int_equal(count(run->err, "summary profile="), 2);
	assert_int_equal(count(run->err, "compare el6=2 el7=2 "), 1);
}

/* The same packets twice, as two gateways capture them, are merged by time. */
static void test_several_files(void **state)
{
	const struct run *run;

	(void)state;
	make_capture("a.pcap", 3);
	make_capture("b.pcap", 2);
	run = replay("out", "--evidence syn a.pcap b.pcap");
	assert_int_equal(run->status, 0);
	expect_syns(run, " syns=7 with_timestamp=7 not_checked=0 drop_syns=5 ");
}

static void test_hosts(void **state)
{
	(void)state;
	make_capture("a.pcap", 1);
	expect_syns(replay("out", "--evidence syn --host 10.99.0.0/24 a.pcap"), " syns=2 ");
	expect_syns(replay("out", "--evidence syn --host 10.98.0.0/24 a.pcap"), " syns=0 ");
	expect_syns(replay("out", "--host 10.98.0.0/24 a.pcap"), " not_syn_to_host=2 ");
}

/* What was read of a damaged capture counts; the status says that it is not all. */
static void test_a_truncated_capture(void **state)
{
	const struct run *run;
	char path[128];

	(void)state;
	make_capture("a.pcap", 3);
	path_of("a.pcap", path);
	assert_int_equal(truncate(path, 24 + 3 * (16 + 14 + 60) + 20), 0);
	run = replay("out", "--evidence syn a.pcap");
	assert_int_equal(run->status, 1);
	expect_syns(run, " syns=3 ");
	expect_syns(run, " capture_errors=1 ");
	assert_non_null(strstr(run->err, "synpaws: a.pcap"));
	assert_int_equal(count(run->err, "\n"), 1);
}

static void test_no_such_file(void **state)
{
	const struct run *run = replay("out", "there-is-none.pcap");

	(void)state;
	assert_int_equal(run->status, 1);
	assert_string_equal(run->out, "");
	assert_int_equal(count(run->err, "\n"), 1);
	assert_non_null(strstr(run->err, "there-is-none.pcap"));
}

static void test_a_full_disk(void **state)
{
	const struct run *run;

	(void)state;
	make_capture("a.pcap", 3);
	run = replay("/dev/full", "--evidence syn a.pcap");
	assert_int_equal(run->status, 1);
	assert_int_equal(count(run->err, "\n"), 1);
	assert_non_null(strstr(run->err, "standard output"));
	make_capture("a.pcap", 20000); /* more than a buffer holds */
	run = replay("/dev/full", "--evidence syn --each a.pcap");
	assert_int_equal(run->status, 1);
	assert_int_equal(count(run->err, "\n"), 1);
}

/* `| head` has had enough: nobody wants to read of it. */
static void test_a_closed_pipe(void **state)
{
	static struct run run;
	int ends[2];
	pid_t child;

	(void)state;
	make_capture("a.pcap", 20000);
	assert_int_equal(pipe(ends), 0);
	fflush(NULL);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		close(ends[0]);
		dup2(ends[1], STDOUT_FILENO);
		become(NULL, "--evidence syn --each a.pcap");
	}
	close(ends[0]);
	close(ends[1]);
	finish(child, &run);
	assert_int_equal(run.status, 1);
	assert_string_equal(run.err, "");
}

static void test_usage(void **state)
{
	(void)state;
	assert_int_equal(replay("out", "")->status, EXIT_USAGE);
	assert_int_equal(replay("out", "--frobnicate a.pcap")->status, EXIT_USAGE);
	assert_int_equal(replay("out", "-n a.pcap")->status, 0);
	assert_int_equal(replay("out", "--help")->status, 0);
	assert_int_equal(count(replay("out", "--evidence none a.pcap")->err, "\n"), 1);
}

static int make_directory(void **state)
{
	(void)state;
	snprintf(directory, sizeof(directory), "/tmp/synpaws-replay.XXXXXX");
	return mkdtemp(directory) != NULL ? 0 : -1;
}

static int remove_directory(void **state)
{
	static const char *const names[] = { "a.pcap", "b.pcap", "out", "err" };
	char path[128];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(names); i++) {
		path_of(names[i], path);
		unlink(path);
	}
	return rmdir(directory);
}

int main(void)
{
	const struct CMUnitTest always[] = {
		cmocka_unit_test(test_usage),
	};
	const struct CMUnitTest captures[] = {
		cmocka_unit_test(test_lines_and_summary),
		cmocka_unit_test(test_folded_lines),
		cmocka_unit_test(test_each),
		cmocka_unit_test(test_several_files),
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_a_truncated_capture),
		cmocka_unit_test(test_no_such_file),
		cmocka_unit_test(test_a_full_disk),
		cmocka_unit_test(test_a_closed_pipe),
	};
	int failed = cmocka_run_group_tests(always, make_directory, remove_directory);

	if (capture_available())
		failed += cmocka_run_group_tests(captures, make_directory, remove_directory);
	return failed;
}
