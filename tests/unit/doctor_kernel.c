/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds src/os/kernel.c to the releases that distributions print: to each the profile that mirrors
 * it, none to those without the check, and none made up for what is no release.
 */
#include "unit.h"

#include <synpaws/profile.h>

#include "os/kernel.h"

struct row {
	const char *release;
	enum kernel_check check;
	const char *profile; /* NULL for none */
};

static const struct row rows[] = {
	/* Red Hat's and what is built from them */
	{ "2.6.32-754.35.1.el6.x86_64", KERNEL_HAS_CHECK, "el6" },
	{ "2.6.32-71.el6.i686", KERNEL_HAS_CHECK, "el6" },
	{ "2.6.32-042stab145.3", KERNEL_HAS_CHECK, "el6" },
	{ "3.10.0-1160.119.1.el7.x86_64", KERNEL_HAS_CHECK, "el7" },
	{ "3.10.0-123.el7.x86_64", KERNEL_HAS_CHECK, "el7" },
	{ "3.10.0-962.3.2.lve1.5.63.el7.x86_64", KERNEL_HAS_CHECK, "el7" },
	{ "3.10.0-1160.105.1.vz7.214.3", KERNEL_HAS_CHECK, "el7" },
	{ "4.18.0-553.el8_10.x86_64", KERNEL_WITHOUT_CHECK, NULL },
	{ "5.14.0-427.13.1.el9_4.x86_64", KERNEL_WITHOUT_CHECK, NULL },
	/* Others' kernels on Red Hat's systems */
	{ "3.10.108-1.el6.elrepo.x86_64", KERNEL_HAS_CHECK, "3.10" },
	{ "3.10.0-1.el7.elrepo.x86_64", KERNEL_HAS_CHECK, "3.10" },
	{ "4.4.248-1.el7.elrepo.x86_64", KERNEL_HAS_CHECK, "4.x" },
	{ "5.4.278-1.el7.elrepo.x86_64", KERNEL_WITHOUT_CHECK, NULL },
	{ "2.6.32-300.3.1.el6uek.x86_64", KERNEL_HAS_CHECK, "2.6.32" },
	{ "2.6.39-400.297.3.el6uek.x86_64", KERNEL_HAS_CHECK, "3.2" },
	{ "3.8.13-118.48.1.el6uek.x86_64", KERNEL_HAS_CHECK, "3.10" },
	{ "4.1.12-124.48.6.el7uek.x86_64", KERNEL_HAS_CHECK, "4.x" },
	{ "4.14.35-2047.el7uek.x86_64", KERNEL_WITHOUT_CHECK, NULL },
	/* Debian */
	{ "2.6.32-5-amd64", KERNEL_HAS_CHECK, "2.6.32" },
	{ "3.2.0-4-amd64", KERNEL_HAS_CHECK, "3.2" },
	{ "3.16.0-11-amd64", KERNEL_HAS_CHECK, "3.16" },
	{ "4.9.0-19-amd64", KERNEL_HAS_CHECK, "4.x" },
	{ "4.19.0-27-amd64", KERNEL_WITHOUT_CHECK, NULL },
	/* Ubuntu */
	{ "2.6.32-74-server", KERNEL_HAS_CHECK, "2.6.32" },
	{ "3.13.0-170-generic", KERNEL_HAS_CHECK, "3.10" },
	{ "4.4.0-210-generic", KERNEL_HAS_CHECK, "4.x" },
	{ "4.10.0-42-generic", KERNEL_HAS_CHECK, "4.x" },
	{ "4.13.0-45-generic", KERNEL_WITHOUT_CHECK, NULL },
	{ "4.15.0-213-generic", KERNEL_WITHOUT_CHECK, NULL },
	/* SUSE */
	{ "2.6.32.59-0.19-default", KERNEL_HAS_CHECK, "2.6.32" },
	{ "3.0.101-108.138-default", KERNEL_HAS_CHECK, "3.2" },
	{ "3.12.74-60.64.124-default", KERNEL_HAS_CHECK, "3.10" },
	{ "4.12.14-122.222-default", KERNEL_WITHOUT_CHECK, NULL },
	/* kernel.org, at the ends of ranges */
	{ "2.6.31", KERNEL_HAS_CHECK, NULL },
	{ "2.6.32", KERNEL_HAS_CHECK, "2.6.32" },
	{ "2.6.32.71", KERNEL_HAS_CHECK, "2.6.32" },
	{ "2.6.38.8", KERNEL_HAS_CHECK, "2.6.32" },
	{ "2.6.39", KERNEL_HAS_CHECK, "3.2" },
	{ "3.0", KERNEL_HAS_CHECK, "3.2" },
	{ "3.5.7", KERNEL_HAS_CHECK, "3.2" },
	{ "3.6.0", KERNEL_HAS_CHECK, "3.10" },
	{ "3.10.108", KERNEL_HAS_CHECK, "3.10" },
	{ "3.13.11", KERNEL_HAS_CHECK, "3.10" },
	{ "3.14.79", KERNEL_HAS_CHECK, "3.16" },
	{ "3.16.85", KERNEL_HAS_CHECK, "3.16" },
	{ "3.17.0-rc1", KERNEL_HAS_CHECK, "4.x" },
	{ "3.19.8", KERNEL_HAS_CHECK, "4.x" },
	{ "4.0.9", KERNEL_HAS_CHECK, "4.x" },
	{ "4.11.12", KERNEL_HAS_CHECK, "4.x" },
	{ "4.12.0-rc1", KERNEL_WITHOUT_CHECK, NULL },
	{ "4.12", KERNEL_WITHOUT_CHECK, NULL },
	{ "5.0.0", KERNEL_WITHOUT_CHECK, NULL },
	{ "6.18.44", KERNEL_WITHOUT_CHECK, NULL },
	{ "10.0.1", KERNEL_WITHOUT_CHECK, NULL },
	/* Too old */
	{ "2.6.18-419.el5", KERNEL_HAS_CHECK, NULL },
	{ "2.4.37", KERNEL_HAS_CHECK, NULL },
	/* No release, or one to doubt */
	{ "", KERNEL_UNKNOWN, NULL },
	{ "?", KERNEL_UNKNOWN, NULL },
	{ "4", KERNEL_UNKNOWN, NULL },
	{ "4.", KERNEL_UNKNOWN, NULL },
	{ "v4.9.0", KERNEL_UNKNOWN, NULL },
	{ "-4.9.0", KERNEL_UNKNOWN, NULL },
	{ "0.0", KERNEL_UNKNOWN, NULL },
	{ ".el7", KERNEL_UNKNOWN, NULL },
	{ "99999999999999999999.9", KERNEL_UNKNOWN, NULL },
	{ "4.99999999999999999999", KERNEL_UNKNOWN, NULL },
	{ "3.10.99999999999999999999", KERNEL_HAS_CHECK, "3.10" },
	{ "2.6.32-1.el60", KERNEL_HAS_CHECK, "2.6.32" },
};

static void test_row(void **state)
{
	const struct row *row = *state;
	const char *profile = kernel_profile(row->release);

	assert_int_equal(kernel_check(row->release), row->check);
	if (row->profile == NULL) {
		assert_null(profile);
		return;
	}
	assert_non_null(profile);
	assert_string_equal(profile, row->profile);
	assert_non_null(synpaws_profile_find(profile));
}

static void test_since(void **state)
{
	(void)state;
	assert_true(kernel_since("3.10.0-1160.el7.x86_64", 3, 10));
	assert_false(kernel_since("3.9.11", 3, 10));
	assert_true(kernel_since("4.0", 3, 10));
	assert_false(kernel_since("2.6.32", 3, 10));
	assert_false(kernel_since("?", 0, 1));
}

int main(void)
{
	struct CMUnitTest kernels[COUNT(rows) + 1];
	size_t i;

	for (i = 0; i < COUNT(rows); i++)
		kernels[i] = unit_row(rows[i].release, test_row, &rows[i]);
	kernels[i] = (struct CMUnitTest)cmocka_unit_test(test_since);
	return cmocka_run_group_tests(kernels, NULL, NULL);
}
