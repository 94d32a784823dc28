/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds src/os/sysctls.c to the host's settings: what is told stays, what can be read is taken as
 * the kernel takes it, and what is absent means something only where its neighbours are there.
 */
#include "unit.h"

#include <sys/stat.h>

#include "os/sysctls.h"

static char directory[64];

static int make_directory(void **state)
{
	(void)state;
	snprintf(directory, sizeof(directory), "/tmp/synpaws-sysctls.XXXXXX");
	return mkdtemp(directory) != NULL ? 0 : -1;
}

static void path_of(enum sysctl which, char path[128])
{
	snprintf(path, 128, "%s/%s", directory, sysctl_name(which));
}

static void forget_all(void)
{
	enum sysctl which;
	char path[128];

	for (which = 0; which < SYSCTL_KINDS; which++) {
		path_of(which, path);
		unlink(path);
	}
}

static int remove_directory(void **state)
{
	(void)state;
	forget_all();
	return rmdir(directory);
}

static void put(enum sysctl which, const char *text)
{
	char path[128];
	FILE *file;

	path_of(which, path);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

/* Each file with its text; NULL for one that is absent. */
static struct sysctls read_these(const char *fin_timeout, const char *syncookies,
				 const char *timestamps, const char *tw_recycle)
{
	const char *const texts[] = { fin_timeout, syncookies, timestamps, tw_recycle };
	struct sysctls sysctls;
	enum sysctl which;

	forget_all();
	for (which = 0; which < SYSCTL_KINDS; which++) {
		if (texts[which] != NULL)
			put(which, texts[which]);
	}
	sysctls_init(&sysctls);
	sysctls_read(&sysctls, directory);
	return sysctls;
}

static void expect(const struct sysctls *sysctls, enum sysctl which, long value,
		   enum sysctl_source source)
{
	assert_int_equal(sysctl_get(sysctls, which), value);
	assert_string_equal(sysctl_source_name(sysctls->source[which]), sysctl_source_name(source));
}

static void test_defaults(void **state)
{
	struct sysctls sysctls;

	(void)state;
	sysctls_init(&sysctls);
	expect(&sysctls, SYSCTL_FIN_TIMEOUT, 60, SYSCTL_BY_DEFAULT);
	expect(&sysctls, SYSCTL_SYNCOOKIES, 1, SYSCTL_BY_DEFAULT);
	expect(&sysctls, SYSCTL_TIMESTAMPS, 1, SYSCTL_BY_DEFAULT);
	expect(&sysctls, SYSCTL_TW_RECYCLE, -1, SYSCTL_BY_DEFAULT);
}

static void test_reads_the_host(void **state)
{
	const struct sysctls sysctls = read_these("30\n", "2\n", "0\n", "1\n");

	(void)state;
	expect(&sysctls, SYSCTL_FIN_TIMEOUT, 30, SYSCTL_BY_HOST);
	expect(&sysctls, SYSCTL_SYNCOOKIES, 2, SYSCTL_BY_HOST);
	expect(&sysctls, SYSCTL_TIMESTAMPS, 0, SYSCTL_BY_HOST);
	expect(&sysctls, SYSCTL_TW_RECYCLE, 1, SYSCTL_BY_HOST);
}

/* Linux 4.12 has no tcp_tw_recycle, and a kernel built without cookies no tcp_syncookies. */
static void test_absent_files_of_a_kernel_that_shows_others(void **state)
{
	const struct sysctls sysctls = read_these("60\n", NULL, NULL, NULL);

	(void)state;
	expect(&sysctls, SYSCTL_SYNCOOKIES, 0, SYSCTL_BY_HOST);
	expect(&sysctls, SYSCTL_TIMESTAMPS, 1, SYSCTL_BY_DEFAULT);
	expect(&sysctls, SYSCTL_TW_RECYCLE, 0, SYSCTL_BY_HOST);
}

static void test_nothing_shown_tells_nothing(void **state)
{
	struct sysctls sysctls = read_these(NULL, NULL, NULL, NULL);

	(void)state;
	expect(&sysctls, SYSCTL_SYNCOOKIES, 1, SYSCTL_BY_DEFAULT);
	expect(&sysctls, SYSCTL_TW_RECYCLE, -1, SYSCTL_BY_DEFAULT);
	sysctls_read(&sysctls, "/no/such/directory");
	expect(&sysctls, SYSCTL_TW_RECYCLE, -1, SYSCTL_BY_DEFAULT);
}

static void test_what_was_told_stays(void **state)
{
	struct sysctls sysctls;

	(void)state;
	read_these("30\n", "2\n", "0\n", NULL);
	sysctls_init(&sysctls);
	sysctl_set(&sysctls, SYSCTL_FIN_TIMEOUT, 5, SYSCTL_TOLD);
	sysctl_set(&sysctls, SYSCTL_TW_RECYCLE, 1, SYSCTL_TOLD);
	sysctls_read(&sysctls, directory);
	expect(&sysctls, SYSCTL_FIN_TIMEOUT, 5, SYSCTL_TOLD);
	expect(&sysctls, SYSCTL_SYNCOOKIES, 2, SYSCTL_BY_HOST);
	expect(&sysctls, SYSCTL_TW_RECYCLE, 1, SYSCTL_TOLD);
}

/* Linux takes what it is given; any value but 0 switches on, and only 2 is more than that. */
static void test_odd_values(void **state)
{
	struct sysctls sysctls = read_these("1000000\n", "7\n", "2\n", "-1\n");

	(void)state;
	expect(&sysctls, SYSCTL_FIN_TIMEOUT, 86400, SYSCTL_BY_HOST);
	expect(&sysctls, SYSCTL_SYNCOOKIES, 1, SYSCTL_BY_HOST);
	expect(&sysctls, SYSCTL_TIMESTAMPS, 1, SYSCTL_BY_HOST);
	expect(&sysctls, SYSCTL_TW_RECYCLE, 1, SYSCTL_BY_HOST);
	sysctls = read_these("-5\n", "", "yes\n", "1 2\n");
	expect(&sysctls, SYSCTL_FIN_TIMEOUT, 0, SYSCTL_BY_HOST);
	expect(&sysctls, SYSCTL_SYNCOOKIES, 1, SYSCTL_BY_DEFAULT);
	expect(&sysctls, SYSCTL_TIMESTAMPS, 1, SYSCTL_BY_DEFAULT);
	expect(&sysctls, SYSCTL_TW_RECYCLE, -1, SYSCTL_BY_DEFAULT);
}

int main(void)
{
	const struct CMUnitTest sysctls[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_reads_the_host),
		cmocka_unit_test(test_absent_files_of_a_kernel_that_shows_others),
		cmocka_unit_test(test_nothing_shown_tells_nothing),
		cmocka_unit_test(test_what_was_told_stays),
		cmocka_unit_test(test_odd_values),
	};

	return cmocka_run_group_tests(sysctls, make_directory, remove_directory);
}
