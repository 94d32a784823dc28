/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds src/os/counters.c to the kernel's table: each counter by its name, wherever it stands, none
 * made up where the file is old, damaged or cut short, and differences that survive a counter that
 * goes round.
 */
#include "unit.h"

#include <errno.h>

#include "os/counters.h"

/* The order of Linux 3.10, with what stands around these. */
static const char sample[] =
	"TcpExt: SyncookiesSent SyncookiesRecv SyncookiesFailed EmbryonicRsts TW TWRecycled "
	"TWKilled PAWSPassive PAWSActive PAWSEstab DelayedACKs ListenOverflows ListenDrops "
	"TCPTimeWaitOverflow TCPReqQFullDoCookies TCPReqQFullDrop TCPACKSkippedTimeWait\n"
	"TcpExt: 1 2 3 4 5 6 7 8316 9 10 11 12 13 14 15 16 17\n"
	"IpExt: InNoRoutes PAWSPassive\n"
	"IpExt: 99 98\n";

static int file_with(const char *text)
{
	FILE *file = tmpfile();
	int fd;

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
	assert_int_equal(fflush(file), 0);
	fd = dup(fileno(file));
	fclose(file);
	assert_true(fd >= 0);
	return fd;
}

static struct counters counters_in(const char *text)
{
	const int fd = file_with(text);
	struct counters counters;

	assert_int_equal(counters_read_open(fd, &counters), 0);
	close(fd);
	return counters;
}

static void expect(const struct counters *counters, enum counter which, uint64_t value)
{
	assert_true(counters->present[which]);
	assert_int_equal(counters->value[which], value);
}

static void expect_none(const struct counters *counters)
{
	enum counter which;

	for (which = 0; which < COUNTER_KINDS; which++)
		assert_false(counters->present[which]);
}

static void test_each_by_its_name(void **state)
{
	const struct counters counters = counters_in(sample);

	(void)state;
	expect(&counters, COUNTER_PAWS_PASSIVE, 8316);
	expect(&counters, COUNTER_PAWS_ACTIVE, 9);
	expect(&counters, COUNTER_PAWS_ESTAB, 10);
	expect(&counters, COUNTER_LISTEN_OVERFLOWS, 12);
	expect(&counters, COUNTER_LISTEN_DROPS, 13);
	expect(&counters, COUNTER_TW, 5);
	expect(&counters, COUNTER_TW_RECYCLED, 6);
	expect(&counters, COUNTER_TW_KILLED, 7);
	expect(&counters, COUNTER_TIME_WAIT_OVERFLOW, 14);
	expect(&counters, COUNTER_COOKIES_SENT, 1);
	expect(&counters, COUNTER_COOKIES_RECEIVED, 2);
	expect(&counters, COUNTER_COOKIES_FAILED, 3);
	expect(&counters, COUNTER_REQUEST_FULL_COOKIES, 15);
	expect(&counters, COUNTER_REQUEST_FULL_DROP, 16);
	expect(&counters, COUNTER_ACK_SKIPPED_TIME_WAIT, 17);
	assert_false(counters.present[COUNTER_PAWS_TIMEWAIT]);
}

static void test_again_from_the_start(void **state)
{
	const int fd = file_with(sample);
	struct counters counters;
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		assert_int_equal(counters_read_open(fd, &counters), 0);
		expect(&counters, COUNTER_PAWS_PASSIVE, 8316);
	}
	close(fd);
}

/* What the running kernel writes fits, and is understood. */
static void test_of_this_kernel(void **state)
{
	struct counters counters;

	(void)state;
	assert_int_equal(counters_read(COUNTERS_FILE, &counters), 0);
	assert_true(counters.present[COUNTER_LISTEN_DROPS]);
	assert_true(counters.present[COUNTER_PAWS_ESTAB]);
	assert_true(counters.present[COUNTER_TW]);
}

static void test_64_bits(void **state)
{
	const struct counters counters =
		counters_in("TcpExt: PAWSPassive PAWSEstab TW TWKilled\n"
			    "TcpExt: 18446744073709551615 4294967296 18446744073709551616 -1\n");

	(void)state;
	expect(&counters, COUNTER_PAWS_PASSIVE, UINT64_MAX);
	expect(&counters, COUNTER_PAWS_ESTAB, 4294967296ULL);
	assert_false(counters.present[COUNTER_TW]);
	assert_false(counters.present[COUNTER_TW_KILLED]);
}

static void test_damaged_lines(void **state)
{
	struct counters counters = counters_in("TcpExt: PAWSPassive PAWSEstab TW\nTcpExt: 4 5\n");

	(void)state;
	expect(&counters, COUNTER_PAWS_PASSIVE, 4);
	expect(&counters, COUNTER_PAWS_ESTAB, 5);
	assert_false(counters.present[COUNTER_TW]);
	counters = counters_in("TcpExt: PAWSPassive PAWSEstab TW PAWSPassiv\nTcpExt: x 5z 6 7 8\n");
	assert_false(counters.present[COUNTER_PAWS_PASSIVE]);
	assert_false(counters.present[COUNTER_PAWS_ESTAB]);
	expect(&counters, COUNTER_TW, 6);
	counters = counters_in("TcpExt: \nTcpExt: 1\n");
	expect_none(&counters);
}

/* A pair of which one line is missing or cut short shifts nothing into the next. */
static void test_no_pair_no_counters(void **state)
{
	static const char *const texts[] = {
		"",
		"\n",
		"TcpExt: PAWSPassive",
		"TcpExt: PAWSPassive\n",
		"TcpExt: PAWSPassive\nTcpExt: 4",
		"TcpExt: PAWSPassive\nIpExt: 4\n",
		"IpExt: PAWSPassive\nIpExt: 4\n",
		"TcpExt:PAWSPassive\nTcpExt:4\n",
	};
	struct counters counters;
	size_t i;
	int fd;

	(void)state;
	for (i = 0; i < COUNT(texts); i++) {
		fd = file_with(texts[i]);
		memset(&counters, 0xff, sizeof(counters));
		assert_int_equal(counters_read_open(fd, &counters), -1);
		assert_int_equal(errno, EBADMSG);
		expect_none(&counters);
		close(fd);
	}
}

static void test_no_file(void **state)
{
	struct counters counters;

	(void)state;
	assert_int_equal(counters_read("/no/such/file", &counters), -1);
	assert_int_equal(errno, ENOENT);
	expect_none(&counters);
	assert_int_equal(counters_read("/", &counters), -1);
	assert_int_equal(errno, EISDIR);
}

/* A file without end is read as far as it goes, and what was whole before counts. */
static void test_a_file_too_long(void **state)
{
	char *text = malloc(200000);
	struct counters counters;
	size_t length;

	(void)state;
	assert_non_null(text);
	length = (size_t)sprintf(text, "TcpExt: PAWSPassive\nTcpExt: 4\nTcpExt: TW ");
	memset(text + length, 'x', 200000 - length);
	memcpy(text + 200000 - 12, "\nTcpExt: 7\n", 12);
	counters = counters_in(text);
	expect(&counters, COUNTER_PAWS_PASSIVE, 4);
	assert_false(counters.present[COUNTER_TW]);
	free(text);
}

static uint64_t since(uint64_t before, uint64_t after, bool *present)
{
	struct counters from, to, difference;

	memset(&from, 0, sizeof(from));
	memset(&to, 0, sizeof(to));
	from.present[COUNTER_TW] = to.present[COUNTER_TW] = true;
	from.value[COUNTER_TW] = before;
	to.value[COUNTER_TW] = after;
	counters_since(&from, &to, &difference);
	assert_false(difference.present[COUNTER_PAWS_PASSIVE]);
	*present = difference.present[COUNTER_TW];
	return difference.value[COUNTER_TW];
}

static void test_since(void **state)
{
	static const struct {
		uint64_t before, after, difference;
		bool present;
	} rows[] = {
		{ 0, 0, 0, true },
		{ 5, 17, 12, true },
		{ 4294967295ULL, 4294967296ULL, 1, true }, /* 64 bits go on */
		{ 4294967295ULL, 0, 1, true },		   /* 32 bits go round */
		{ 4294967290ULL, 6, 12, true },
		{ 2147483648ULL, 2147483647ULL, 4294967295ULL, true },
		{ 2147483647ULL, 0, 0, false }, /* began anew */
		{ 17, 5, 0, false },
		{ 4294967296ULL, 0, 0, false }, /* no 32 bits */
		{ 0, UINT64_MAX, UINT64_MAX, true },
	};
	bool present;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		assert_int_equal(since(rows[i].before, rows[i].after, &present),
				 rows[i].difference);
		assert_int_equal(present, rows[i].present);
	}
}

static void test_since_wants_both(void **state)
{
	struct counters none, some, difference;

	(void)state;
	memset(&none, 0, sizeof(none));
	some = counters_in(sample);
	counters_since(&none, &some, &difference);
	expect_none(&difference);
	counters_since(&some, &none, &difference);
	expect_none(&difference);
}

static void test_the_line(void **state)
{
	struct counters difference;
	char line[400];

	(void)state;
	memset(&difference, 0, sizeof(difference));
	assert_int_equal(counters_line(&difference, 3, line, sizeof(line)), 0);
	assert_string_equal(line, "");
	difference.present[COUNTER_PAWS_PASSIVE] = true;
	difference.value[COUNTER_PAWS_PASSIVE] = 12;
	difference.present[COUNTER_TW_KILLED] = true;
	difference.value[COUNTER_TW_KILLED] = 40;
	difference.present[COUNTER_LISTEN_DROPS] = true;
	difference.value[COUNTER_LISTEN_DROPS] = 12;
	assert_true(counters_line(&difference, 11, line, sizeof(line)) > 0);
	assert_string_equal(line,
			    "kernel paws_passive=+12 predicted=11 listen_drops=+12 tw_killed=+40");
	assert_true(counters_json(&difference, 11, line, sizeof(line)) > 0);
	assert_string_equal(line, "{\"event\":\"kernel\",\"paws_passive\":12,\"predicted\":11,"
				  "\"listen_drops\":12,\"tw_killed\":40}");
}

typedef size_t writer(const struct counters *difference, uint64_t predicted, char *line,
		      size_t size);

/* At its longest it fits; what does not fit is left out whole, and the buffer is never overrun. */
static void test_the_longest_line(void **state)
{
	static writer *const writers[] = { counters_line, counters_json };
	struct counters difference;
	char line[400], *small;
	enum counter which;
	size_t i, size, length;

	(void)state;
	for (which = 0; which < COUNTER_KINDS; which++) {
		difference.present[which] = true;
		difference.value[which] = UINT64_MAX;
	}
	for (i = 0; i < COUNT(writers); i++) {
		length = writers[i](&difference, UINT64_MAX, line, sizeof(line));
		assert_true(length > 300);
		assert_int_equal(length, strlen(line));
		for (size = 1; size <= length; size++) {
			small = malloc(size);
			assert_non_null(small);
			assert_int_equal(writers[i](&difference, UINT64_MAX, small, size), 0);
			assert_int_equal(small[0], '\0');
			free(small);
		}
		small = malloc(length + 1);
		assert_non_null(small);
		assert_int_equal(writers[i](&difference, UINT64_MAX, small, length + 1), length);
		free(small);
	}
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(counter_name(COUNTER_PAWS_PASSIVE), "PAWSPassive");
	assert_string_equal(counter_key(COUNTER_REQUEST_FULL_DROP), "request_full_drop");
}

int main(void)
{
	const struct CMUnitTest counters[] = {
		cmocka_unit_test(test_each_by_its_name),
		cmocka_unit_test(test_again_from_the_start),
		cmocka_unit_test(test_of_this_kernel),
		cmocka_unit_test(test_64_bits),
		cmocka_unit_test(test_damaged_lines),
		cmocka_unit_test(test_no_pair_no_counters),
		cmocka_unit_test(test_no_file),
		cmocka_unit_test(test_a_file_too_long),
		cmocka_unit_test(test_since),
		cmocka_unit_test(test_since_wants_both),
		cmocka_unit_test(test_the_line),
		cmocka_unit_test(test_the_longest_line),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(counters, NULL, NULL);
}
