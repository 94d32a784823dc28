/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds src/source/capture.c to one clear line for each file that it cannot read, and to giving
 * what stands before the damage where a file ends too early, wherever that is.
 */
#include <sys/resource.h>

#include "packet.h"
#include "savefile.h"

#define NS 1000000000ULL

/* Open these paths, which cannot be, and return the line that says why. */
static const char *refusal(const char *const *paths, size_t count)
{
	static char why[512];

	memset(why, 0, sizeof(why));
	assert_null(capture_open(paths, count, why, sizeof(why)));
	assert_true(why[0] != '\0');
	assert_null(strchr(why, '\n'));
	return why;
}

static void expect_words(const char *line, const char *path, const char *words)
{
	if (strncmp(line, path, strlen(path)) != 0 || strstr(line, words) == NULL)
		fail_msg("\"%s\" does not begin with \"%s\" and go on with \"%s\"", line, path,
			 words);
}

struct refused_row {
	const char *name;
	const char *bytes;
	size_t length;
	const char *words;
};

#define BYTES(string) string, sizeof(string) - 1

static const struct refused_row rows[] = {
	{ "an empty file", BYTES(""), ": empty" },
	{ "a file of one byte", BYTES("\xd4"), ": no capture (pcap or pcapng" },
	{ "a text", BYTES("SYN ACK and so on, no capture at all"), ": no capture (pcap" },
	{ "half of a header", BYTES("\xd4\xc3\xb2\xa1\2\0\4\0"), ": no capture (pcap" },
	{ "a packed capture", BYTES("\x1f\x8b\x08\0\0\0\0\0"),
	  ": packed by gzip, unpack it: gzip -dc /tmp" },
	{ "one packed by xz",
	  BYTES("\xfd"
		"7zXZ"),
	  ": packed by xz, unpack it: xz -dc /tmp" },
	{ "one packed by zstd", BYTES("\x28\xb5\x2f\xfd"), "zstd -dc /tmp" },
	{ "one packed by bzip2", BYTES("BZh91AY"), "bzip2 -dc /tmp" },
	{ "a link layer that nobody knows",
	  BYTES("\xd4\xc3\xb2\xa1\2\0\4\0\0\0\0\0\0\0\0\0\xff\xff\0\0\x69\0\0\0"),
	  ": link type IEEE802_11 (105)" },
};

static void test_refused_row(void **state)
{
	const struct refused_row *row = *state;
	const char *paths[2];
	struct savefile good, bad;
	char good_path[SAVEFILE_PATHS], path[SAVEFILE_PATHS];

	savefile_start(&good, SAVEFILE_MICRO, false, SAVEFILE_RAW);
	memset(&bad, 0, sizeof(bad));
	savefile_put(&bad, row->bytes, row->length);
	savefile_write(&good, good.length, good_path);
	savefile_write(&bad, bad.length, path);
	paths[0] = good_path;
	paths[1] = path;
	expect_words(refusal(paths, 2), path, row->words);
	unlink(good_path);
	unlink(path);
}

static void test_paths_that_lead_nowhere(void **state)
{
	static const char *const twice[] = { "-", "/nowhere/at-all", "-" };
	const char *path = "/nowhere/at-all";

	(void)state;
	expect_words(refusal(&path, 1), "/nowhere/at-all: ", "No such file");
	path = "/tmp";
	expect_words(refusal(&path, 1), "/tmp: ", "Is a directory");
	expect_words(refusal(twice, COUNT(twice)), "standard input", "give - once");
}

/* Let standard input be a file with these bytes. */
static void set_input(const char *bytes, size_t length)
{
	char path[SAVEFILE_PATHS];
	struct savefile file;
	int fd;

	memset(&file, 0, sizeof(file));
	savefile_put(&file, bytes, length);
	savefile_write(&file, length, path);
	fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	assert_int_equal(dup2(fd, STDIN_FILENO), STDIN_FILENO);
	close(fd);
	unlink(path);
	clearerr(stdin);
}

static void test_standard_input(void **state)
{
	const char *input = "-";

	(void)state;
	set_input("", 0);
	expect_words(refusal(&input, 1), "standard input: ", "empty");
	set_input("\x1f", 1);
	expect_words(refusal(&input, 1), "standard input: packed by gzip",
		     "gzip -dc | synpaws replay ... -");
}

/* More files than the process may have open: it says what to do. */
static void test_more_files_than_can_be_open(void **state)
{
	const char *paths[100];
	char path[SAVEFILE_PATHS];
	struct savefile file;
	struct rlimit limit, less;
	size_t i;

	(void)state;
	savefile_start(&file, SAVEFILE_MICRO, false, SAVEFILE_RAW);
	savefile_write(&file, file.length, path);
	for (i = 0; i < COUNT(paths); i++)
		paths[i] = path;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	less = limit;
	less.rlim_cur = COUNT(paths);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &less), 0);
	expect_words(refusal(paths, COUNT(paths)), path, "ulimit -n");
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	unlink(path);
}

/* What stands before byte `length` of the file, and one line if that is within a frame. */
static void test_cut(const struct savefile *file, size_t length, size_t whole, bool clean)
{
	char path[SAVEFILE_PATHS], why[512] = "", words[64];
	const char *name = path;
	struct capture_packet packet;
	struct capture *capture;
	size_t i;

	savefile_write(file, length, path);
	capture = capture_open(&name, 1, why, sizeof(why));
	if (capture == NULL)
		fail_msg("%s", why);
	for (i = 0; i < whole; i++)
		assert_int_equal(capture_next(capture, &packet), CAPTURE_PACKET);
	assert_int_equal(capture_next(capture, &packet), CAPTURE_END);
	snprintf(words, sizeof(words), ": cut short after packet %zu: ", whole);
	if (clean)
		assert_null(capture_error(capture, 0));
	else
		expect_words(capture_error(capture, 0), path, words);
	assert_null(capture_error(capture, 1));
	assert_int_equal(capture_counters(capture).packets, whole);
	capture_close(capture);
	unlink(path);
}

static void test_files_cut_short(enum savefile_format format)
{
	const struct packet_made syn = packet_syn4(2);
	struct savefile file;
	size_t ends[4], i, length;

	savefile_start(&file, format, false, SAVEFILE_RAW);
	for (i = 0; i < COUNT(ends); i++) {
		ends[i] = file.length;
		savefile_frame(&file, i * NS, syn.bytes, syn.length, syn.length);
	}
	for (i = 0, length = ends[0]; length < file.length; length++) {
		if (i + 1 < COUNT(ends) && length >= ends[i + 1])
			i++;
		test_cut(&file, length, i, length == ends[i]);
	}
	test_cut(&file, file.length, COUNT(ends), true);
}

static void test_pcap_cut_short_anywhere(void **state)
{
	(void)state;
	test_files_cut_short(SAVEFILE_MICRO);
}

static void test_pcapng_cut_short_anywhere(void **state)
{
	(void)state;
	if (savefile_readable(__func__, SAVEFILE_NG))
		test_files_cut_short(SAVEFILE_NG);
}

/* Damage in one file is no reason to leave the others. */
static void test_damage_in_one_file_of_three(void **state)
{
	const struct packet_made syn = packet_syn4(0);
	struct savefile files[3];
	struct capture_packet packet;
	struct capture *capture;
	size_t i, k;

	(void)state;
	for (i = 0; i < COUNT(files); i++) {
		savefile_start(&files[i], SAVEFILE_MICRO, false, SAVEFILE_RAW);
		for (k = 0; k < 3; k++)
			savefile_frame(&files[i], k * NS, syn.bytes, syn.length, syn.length);
	}
	files[0].length -= 1;
	memset(files[2].bytes + 24 + 8, 0xff, 4); /* 4 GB captured of its first frame */
	capture = savefile_open(files, COUNT(files));
	for (i = 0; i < 5; i++)
		assert_int_equal(capture_next(capture, &packet), CAPTURE_PACKET);
	assert_int_equal(capture_next(capture, &packet), CAPTURE_END);
	assert_non_null(strstr(capture_error(capture, 0), ": cut short after packet 2: "));
	assert_non_null(strstr(capture_error(capture, 1), " after packet 0: "));
	assert_null(capture_error(capture, 2));
	capture_close(capture);
}

/* Returns how many failed. */
static int test_a_build_without_libpcap(void)
{
	const char *path = "/tmp/capture.pcap";
	char why[256] = "";
	const bool right = capture_open(&path, 1, why, sizeof(why)) == NULL &&
			   strncmp(why, path, strlen(path)) == 0 &&
			   strstr(why, "install libpcap") != NULL;

	printf("%s a build without libpcap says so\n", right ? "ok" : "not ok");
	return right ? 0 : 1;
}

#define ALONE 6

int main(void)
{
	const struct CMUnitTest alone[ALONE] = {
		cmocka_unit_test(test_paths_that_lead_nowhere),
		cmocka_unit_test(test_standard_input),
		cmocka_unit_test(test_more_files_than_can_be_open),
		cmocka_unit_test(test_pcap_cut_short_anywhere),
		cmocka_unit_test(test_pcapng_cut_short_anywhere),
		cmocka_unit_test(test_damage_in_one_file_of_three),
	};
	struct CMUnitTest capture_refused[COUNT(rows) + ALONE];
	size_t i;

	if (!capture_available())
		return test_a_build_without_libpcap();
	for (i = 0; i < COUNT(rows); i++)
		capture_refused[i] = unit_row(rows[i].name, test_refused_row, &rows[i]);
	memcpy(&capture_refused[i], alone, sizeof(alone));
	return cmocka_run_group_tests(capture_refused, NULL, NULL);
}
