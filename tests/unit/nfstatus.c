/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds src/source/nfstatus.c to reading the kernel's table of queues: the line of the right queue
 * out of many, with every number in its place, also where the table is longer than the buffer it
 * is read through, and never a number from a line that is something else.
 */
#include "unit.h"

#include "source/nfqueue.h"

/* Queue, owner, waiting, copy mode, copy range, queue dropped, user dropped, id sequence, 1. */
static const char sample[] = "    0   3271    12 2   160     3     4     5019  1\n"
			     "    1  -4096     0 2   160     0     0        0  1\n"
			     "   10 4294901234  7 2 65531 4294967295 2147483648 4294967295  1\n"
			     "65535     77     1 0     0     8     9        1  1\n";

/* The file as the kernel would show it. */
static int file_with(const char *text, size_t length)
{
	FILE *file = tmpfile();
	int fd;

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, length, file), length);
	assert_int_equal(fflush(file), 0);
	fd = dup(fileno(file));
	fclose(file);
	assert_true(fd >= 0);
	return fd;
}

static void expect(int fd, uint16_t number, uint32_t owner, uint32_t dropped,
		   uint32_t socket_dropped, uint32_t last_id)
{
	struct nfqueue_status status = { 1, 1, 1, 1 };

	assert_true(nfqueue_status_read(fd, number, &status));
	assert_int_equal(status.owner, owner);
	assert_int_equal(status.queue_dropped, dropped);
	assert_int_equal(status.socket_dropped, socket_dropped);
	assert_int_equal(status.last_id, last_id);
}

static void expect_none(int fd, uint16_t number)
{
	struct nfqueue_status status = { 5, 6, 7, 8 };

	assert_false(nfqueue_status_read(fd, number, &status));
	assert_int_equal(status.owner, 5); /* and nothing is written */
	assert_int_equal(status.last_id, 8);
}

static void test_the_line_of_the_right_queue(void **state)
{
	const int fd = file_with(sample, strlen(sample));

	(void)state;
	expect(fd, 0, 3271, 3, 4, 5019);
	expect(fd, 1, 4294963200U, 0, 0, 0); /* Linux before 3.8 writes port ids with a sign */
	expect(fd, 10, 4294901234U, 4294967295U, 2147483648U, 4294967295U);
	expect(fd, 65535, 77, 8, 9, 1);
	expect(fd, 0, 3271, 3, 4, 5019); /* again, from the start */
	expect_none(fd, 2);
	expect_none(fd, 6553);
	expect_none(fd, 77);
	close(fd);
}

static void test_no_queue_and_no_file(void **state)
{
	const int fd = file_with("", 0);

	(void)state;
	expect_none(fd, 0);
	close(fd);
	expect_none(-1, 0);
}

static void test_lines_that_are_something_else(void **state)
{
	static const char text[] = "queue owner waiting mode range dropped user_dropped id 1\n"
				   "\n"
				   "3 4 5 6 7 8\n"
				   "3 4 5 6 7 8 9\n"
				   "3 4 5 6 7 8 x 9 1\n"
				   "    4   100    20 2   160     1     2     3  1\n";
	const int fd = file_with(text, strlen(text));

	(void)state;
	expect_none(fd, 3);
	expect(fd, 4, 100, 1, 2, 3);
	close(fd);
}

/* Each line ends somewhere else with regard to the edges of any buffer. */
static void test_a_table_longer_than_a_page(void **state)
{
	static char text[64 * 1024];
	size_t length = 0;
	uint16_t i;
	int fd;

	(void)state;
	for (i = 0; i < 1000; i++)
		length += (size_t)snprintf(text + length, sizeof(text) - length,
					   "%5u %6u %5u 2 %5u %5u %5u %8u  1\n", i, 7000U + i,
					   i * 3U, 160U, i * 7U, i * 11U, i * 13U);
	assert_true(length > 5 * 4096);
	fd = file_with(text, length);
	for (i = 0; i < 1000; i++)
		expect(fd, i, 7000U + i, i * 7U, i * 11U, i * 13U);
	expect_none(fd, 1000);
	close(fd);
}

/* No kernel writes that: it must end all the same. */
static void test_a_line_without_end(void **state)
{
	static char text[20000];
	int fd;

	(void)state;
	memset(text, '1', sizeof(text));
	alarm(30);
	fd = file_with(text, sizeof(text));
	expect_none(fd, 1);
	close(fd);
	memset(text + 100, 0, 1000);
	fd = file_with(text, sizeof(text));
	expect_none(fd, 1);
	close(fd);
	alarm(0);
}

int main(void)
{
	const struct CMUnitTest nfstatus[] = {
		cmocka_unit_test(test_the_line_of_the_right_queue),
		cmocka_unit_test(test_no_queue_and_no_file),
		cmocka_unit_test(test_lines_that_are_something_else),
		cmocka_unit_test(test_a_table_longer_than_a_page),
		cmocka_unit_test(test_a_line_without_end),
	};

	return cmocka_run_group_tests(nfstatus, NULL, NULL);
}
