/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds src/core/profile.c to the table of mirror profiles: what each kernel family does with a SYN
 * without timestamp, how it takes an age, by what it finds a stamp, and whether it checks IPv6.
 */
#include "unit.h"

#include <synpaws/profile.h>

struct family {
	const char *name;
	const char *alias; /* NULL: none */
	bool drops_without_timestamp;
	bool wrapping_age;
	enum synpaws_key key;
	bool ipv6;
	enum synpaws_dual_stack dual_stack;
};

static const struct family families[] = {
	{ "2.6.32", NULL, false, false, SYNPAWS_KEY_PEER, false, SYNPAWS_DUAL_STACK_NO_FIN },
	{ "el6", NULL, false, false, SYNPAWS_KEY_PEER, false, SYNPAWS_DUAL_STACK_NO_FIN },
	{ "3.2", NULL, false, true, SYNPAWS_KEY_PEER, true, SYNPAWS_DUAL_STACK_NO_FIN },
	{ "3.10", NULL, false, true, SYNPAWS_KEY_PEER, true, SYNPAWS_DUAL_STACK_NEVER },
	{ "3.16", NULL, false, true, SYNPAWS_KEY_HOST_PEER, true, SYNPAWS_DUAL_STACK_SAME },
	{ "el7", NULL, true, true, SYNPAWS_KEY_HOST_PEER, true, SYNPAWS_DUAL_STACK_SAME },
	{ "4.x", "4.9", true, true, SYNPAWS_KEY_HOST_PEER, true, SYNPAWS_DUAL_STACK_SAME },
};

static void test_rules_of_a_family(void **state)
{
	const struct family *family = *state;
	const struct synpaws_profile *profile = synpaws_profile_find(family->name);

	assert_non_null(profile);
	assert_string_equal(profile->name, family->name);
	assert_int_equal(profile->needs_timestamp, family->drops_without_timestamp);
	assert_int_equal(profile->wrapping_age, family->wrapping_age);
	assert_int_equal(profile->key, family->key);
	assert_int_equal(profile->ipv6, family->ipv6);
	assert_int_equal(profile->dual_stack, family->dual_stack);
	assert_true(strlen(profile->kernels) > 0);
	if (family->alias != NULL)
		assert_ptr_equal(synpaws_profile_find(family->alias), profile);
}

static void test_listed_oldest_first_and_no_others(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(families); i++)
		assert_string_equal(synpaws_profile_at(i)->name, families[i].name);
	assert_null(synpaws_profile_at(COUNT(families)));
	assert_null(synpaws_profile_at(SIZE_MAX));
}

static void test_nothing_but_a_whole_name_finds(void **state)
{
	static const char *const wrong[] = { "",     " ", "el",	  "el77",  "el7 ", " el7",
					     "EL7",  "3", "3.1",  "3.",	   "4",	   "4.x,",
					     "el6,", ",", "el7,", "2.6.3", "4.xx", "-" };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(wrong); i++) {
		if (synpaws_profile_find(wrong[i]) != NULL)
			fail_msg("'%s' finds a profile", wrong[i]);
	}
}

int main(void)
{
	struct CMUnitTest profile[COUNT(families) + 2];
	size_t i;

	for (i = 0; i < COUNT(families); i++)
		profile[i] = unit_row(families[i].name, test_rules_of_a_family, &families[i]);
	profile[i++] = (struct CMUnitTest)cmocka_unit_test(test_listed_oldest_first_and_no_others);
	profile[i++] = (struct CMUnitTest)cmocka_unit_test(test_nothing_but_a_whole_name_finds);
	return cmocka_run_group_tests(profile, NULL, NULL);
}
