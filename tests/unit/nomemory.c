/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds stamps_new() and synpaws_mirror_new() to what they promise when memory is short: NULL with
 * errno ENOMEM, and nothing left behind, whichever of their allocations fails. A machine cannot be
 * made to run out of memory at will, so this test compiles all modules that allocate in and takes
 * calloc() away from them; the copies in libsynpaws.a are then not linked.
 */
#include "unit.h"

#include <errno.h>

#include "syn.h"

static int allocations_until_failure;

static void *rationed_calloc(size_t count, size_t size)
{
	if (allocations_until_failure-- == 0) {
		errno = ENOMEM;
		return NULL;
	}
	return calloc(count, size);
}

#define calloc rationed_calloc
#include "../../src/core/deadlines.c"
#include "../../src/core/flows.c"
#include "../../src/core/mirror.c"
#include "../../src/core/services.c"
#include "../../src/core/stamps.c"
#include "../../src/core/syn.c"
#undef calloc

/* How many allocations it takes; each of them has to be able to fail. */
static int allocations_of_a_mirror(enum synpaws_evidence evidence)
{
	const struct synpaws_mirror_config config = {
		.profile = synpaws_profile_at(0), .evidence = evidence, .peers = 100, .flows = 100
	};
	struct synpaws_mirror *mirror = NULL;
	int taken;

	for (taken = 0; mirror == NULL && taken < 100; taken++) {
		allocations_until_failure = taken;
		errno = 0;
		mirror = syn_mirror(config);
		if (mirror == NULL)
			assert_int_equal(errno, ENOMEM);
	}
	assert_non_null(mirror);
	synpaws_mirror_free(mirror);
	return taken - 1;
}

static void test_no_memory_for_a_mirror(void **state)
{
	(void)state;
	assert_in_range(allocations_of_a_mirror(SYNPAWS_EVIDENCE_SYN), 1, 10);
	assert_in_range(allocations_of_a_mirror(SYNPAWS_EVIDENCE_CLOSE), 5, 20);
}

static void test_no_memory_for_stamps(void **state)
{
	const uint8_t key[16] = { 0 };
	struct stamps *stamps = NULL;
	int taken;

	(void)state;
	for (taken = 0; stamps == NULL && taken < 100; taken++) {
		allocations_until_failure = taken;
		errno = 0;
		stamps = stamps_new(100, key);
		if (stamps == NULL)
			assert_int_equal(errno, ENOMEM);
	}
	assert_non_null(stamps);
	assert_in_range(taken, 2, 10);
	stamps_free(stamps);
}

/* What is wrong with the configuration is said even then. */
static void test_wrong_is_wrong_without_memory_too(void **state)
{
	const struct synpaws_mirror_config config = { .peers = 100 };

	(void)state;
	allocations_until_failure = 0;
	assert_null(syn_mirror(config));
	assert_int_equal(errno, EINVAL);
	allocations_until_failure = 0;
	assert_null(stamps_new(0, config.hash_key));
	assert_int_equal(errno, EINVAL);
}

/* Once made, a mirror allocates nothing, however many peers come. */
static void test_a_mirror_never_allocates_again(void **state)
{
	const struct synpaws_mirror_config config = { .profile = synpaws_profile_at(0),
						      .evidence = SYNPAWS_EVIDENCE_FULL,
						      .peers = 100,
						      .flows = 100 };
	struct synpaws_segment seg = { .ip_version = 4 };
	struct synpaws_mirror *mirror;
	uint32_t i;

	(void)state;
	allocations_until_failure = 100;
	mirror = syn_mirror(config);
	allocations_until_failure = 0;
	for (i = 0; i < 10000; i++) {
		memcpy(seg.source, &i, sizeof(i));
		seg.flags = i % 5 != 0 ? SYNPAWS_SYN : SYNPAWS_FIN | SYNPAWS_ACK;
		seg.has_timestamp = i % 3 != 0;
		seg.second = UNIT_SECOND;
		syn_judge(mirror, &seg);
	}
	assert_int_equal(allocations_until_failure, 0);
	synpaws_mirror_free(mirror);
}

int main(void)
{
	const struct CMUnitTest nomemory[] = {
		cmocka_unit_test(test_no_memory_for_a_mirror),
		cmocka_unit_test(test_no_memory_for_stamps),
		cmocka_unit_test(test_wrong_is_wrong_without_memory_too),
		cmocka_unit_test(test_a_mirror_never_allocates_again),
	};

	return cmocka_run_group_tests(nomemory, NULL, NULL);
}
