/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds src/cmd/progress.c to a line that says how far it is, whatever the numbers, and to silence
 * where there is no terminal: in a pseudo-terminal of its own it shows, and what is read there is
 * what a person would see.
 */
#include "unit.h"

#include <fcntl.h>
#include <sys/ioctl.h>

#include "cmd/progress.h"
#include "savefile.h"

#define SECOND UINT64_C(1000000000)
#define LONG   1000
#define MARK   "$"

struct row {
	const char *name;
	struct progress_counts counts;
	unsigned int columns;
	const char *line;
};

static const struct row rows[] = {
	{ "nothing yet", { 0, 1000, 0, 0, 0 }, LONG, "0 %: 0 packets, 0 SYNs, 0 packets/s" },
	{ "a quarter",
	  { 250, 1000, 4096, 12, 2 * SECOND },
	  LONG,
	  "25 %: 4,096 packets, 12 SYNs, 2,048 packets/s, 0:07 left" },
	{ "all",
	  { 1000, 1000, 1000000, 1000000, SECOND },
	  LONG,
	  "100 %: 1,000,000 packets, 1,000,000 SYNs, 1,000,000 packets/s, 0:00 left" },
	{ "a file that has grown",
	  { 3000, 1000, 999, 100, SECOND },
	  LONG,
	  "100 %: 999 packets, 100 SYNs, 999 packets/s, 0:00 left" },
	{ "not quite all",
	  { 999999, 1000000, 1000, 1, SECOND },
	  LONG,
	  "99 %: 1,000 packets, 1 SYNs, 1,000 packets/s, 0:01 left" },
	{ "an hour",
	  { 1, 3, 123456, 0, 1800 * SECOND },
	  LONG,
	  "33 %: 123,456 packets, 0 SYNs, 68 packets/s, 1:00:01 left" },
	{ "a pipe",
	  { 123456789, 0, 4096, 5, SECOND },
	  LONG,
	  "123.5 MB: 4,096 packets, 5 SYNs, 4,096 packets/s" },
	{ "no room", { 250, 1000, 4096, 12, 2 * SECOND }, 10, "25 %: 4,09" },
	{ "no room at all", { 250, 1000, 4096, 12, 2 * SECOND }, 0, "" },
};

static void test_row(void **state)
{
	const struct row *row = *state;
	char line[PROGRESS_MOST];

	progress_format(&row->counts, row->columns, line);
	assert_string_equal(line, row->line);
}

static void test_largest_numbers(void **state)
{
	const struct progress_counts counts = { 1, UINT64_MAX, UINT64_MAX, UINT64_MAX, 1 };
	const struct progress_counts slow = { 1, UINT64_MAX, UINT64_MAX, 0, 3600 * SECOND };
	char line[PROGRESS_MOST];

	(void)state;
	progress_format(&counts, LONG, line);
	assert_non_null(strstr(line, "18,446,744,073,709,551,615 packets"));
	progress_format(&slow, LONG, line);
	assert_true(strlen(line) < PROGRESS_MOST);
}

/* What `show` writes to standard error: on a terminal of `columns`, or in a pipe. */
static void written(void (*show)(void), unsigned short columns, char *text, size_t size)
{
	const struct winsize window = { .ws_row = 24, .ws_col = columns };
	const int saved = dup(STDERR_FILENO);
	int near, far, ends[2];
	size_t all = 0;
	ssize_t length;

	if (columns > 0) {
		near = posix_openpt(O_RDWR | O_NOCTTY);
		assert_true(near >= 0 && grantpt(near) == 0 && unlockpt(near) == 0);
		far = open(ptsname(near), O_RDWR | O_NOCTTY);
		assert_true(far >= 0 && ioctl(far, TIOCSWINSZ, &window) == 0);
	} else {
		assert_int_equal(pipe(ends), 0);
		near = ends[0];
		far = ends[1];
	}
	dup2(far, STDERR_FILENO);
	show();
	dup2(saved, STDERR_FILENO);
	/* What was written comes in pieces, and then the mark. */
	assert_int_equal(write(far, MARK, 1), 1);
	alarm(10);
	do {
		length = read(near, text + all, size - 1 - all);
		assert_true(length > 0);
		all += (size_t)length;
	} while (text[all - 1] != *MARK);
	alarm(0);
	text[all - 1] = '\0';
	close(saved);
	close(near);
	close(far);
}

static struct progress_counts quarter(void)
{
	const struct progress_counts counts = { 250, 1000, 4096, 12, 0 };

	return counts;
}

static void show_early(void)
{
	struct progress_counts counts = quarter();
	struct progress progress;

	progress_start(&progress);
	progress_show(&progress, &counts);
	progress_clear(&progress);
}

/* As if it had begun ten seconds before. */
static void show_late(void)
{
	struct progress_counts counts = quarter();
	struct progress progress;
	int i;

	progress_start(&progress);
	progress.started_ns -= 10 * SECOND;
	progress.next_ns -= 10 * SECOND;
	for (i = 0; i < 1000; i++)
		progress_show(&progress, &counts);
	progress_clear(&progress);
	progress_clear(&progress);
}

static void test_not_in_the_first_second(void **state)
{
	char text[512];

	(void)state;
	written(show_early, 80, text, sizeof(text));
	assert_string_equal(text, "");
}

/* Once, however often it is called within a quarter of a second, and gone at the end. */
static void test_on_a_terminal(void **state)
{
	char text[512];

	(void)state;
	written(show_late, 200, text, sizeof(text));
	assert_string_equal(text, "\r\033[K25 %: 4,096 packets, 12 SYNs, 409 packets/s, 0:31 left"
				  "\r\033[K");
}

static void test_never_as_wide_as_the_terminal(void **state)
{
	char text[512];

	(void)state;
	written(show_late, 20, text, sizeof(text));
	assert_string_equal(text, "\r\033[K25 %: 4,096 packets\r\033[K");
}

static void test_not_in_a_pipe(void **state)
{
	char text[512];

	(void)state;
	written(show_late, 0, text, sizeof(text));
	assert_string_equal(text, "");
}

/* Of files the bytes of all; of a pipe there is no total. */
static void test_bytes_of_captures(void **state)
{
	static struct savefile files[2];
	const uint8_t frame[64] = { 0 };
	struct capture_packet packet;
	struct capture_progress progress;
	struct capture *capture;
	int i;

	(void)state;
	if (!capture_available())
		skip();
	for (i = 0; i < 20; i++) {
		if (i % 10 == 0)
			savefile_start(&files[i / 10], SAVEFILE_NANO, false, SAVEFILE_RAW);
		savefile_frame(&files[i / 10], (uint64_t)i * SECOND, frame, sizeof(frame),
			       sizeof(frame));
	}
	capture = savefile_open(files, 2);
	progress = capture_progress(capture);
	assert_int_equal(progress.total, files[0].length + files[1].length);
	assert_true(progress.bytes < progress.total);
	while (capture_next(capture, &packet) == CAPTURE_PACKET)
		continue;
	progress = capture_progress(capture);
	assert_int_equal(progress.bytes, progress.total);
	capture_close(capture);
}

int main(void)
{
	const struct CMUnitTest others[] = {
		cmocka_unit_test(test_largest_numbers),
		cmocka_unit_test(test_not_in_the_first_second),
		cmocka_unit_test(test_on_a_terminal),
		cmocka_unit_test(test_never_as_wide_as_the_terminal),
		cmocka_unit_test(test_not_in_a_pipe),
		cmocka_unit_test(test_bytes_of_captures),
	};
	struct CMUnitTest tests[COUNT(rows)];
	int failed;
	size_t i;

	for (i = 0; i < COUNT(rows); i++)
		tests[i] = unit_row(rows[i].name, test_row, &rows[i]);
	failed = cmocka_run_group_tests_name("lines", tests, NULL, NULL);
	return failed + cmocka_run_group_tests_name("others", others, NULL, NULL);
}
