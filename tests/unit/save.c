/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds src/core/save.c to trusting nothing that it reads: what was damaged is refused, or does no
 * harm; what is of another mirror is told from that.
 */
#include "save_streams.h"

/* A mirror with something in every table. */
static struct bytes small_state(struct synpaws_mirror_config *config, uint64_t *dice)
{
	struct synpaws_mirror_stats stats = { .peers = 0 };
	struct synpaws_mirror *mirror;
	struct bytes bytes = { .at = NULL };
	size_t i;

	while (stats.peers == 0 || stats.flows == 0) {
		free(bytes.at);
		*config = random_config(dice, SYNPAWS_EVIDENCE_ANSWER);
		config->peers = 10;
		config->flows = 12;
		make_stream(dice, 500);
		mirror = make(*config, &whole, dice);
		synpaws_mirror_saw_socket(mirror, 80, true);
		synpaws_mirror_tell(mirror, 443, SYNPAWS_FACT_DUAL_STACK, true, 0,
				    SYNPAWS_SOURCE_SOCKETS);
		whole.count = 0;
		for (i = 0; i < 500; i++)
			synpaws_mirror_take(mirror, &stream[i]);
		synpaws_mirror_stats(mirror, &stats);
		bytes = saved(mirror);
		synpaws_mirror_free(mirror);
	}
	return bytes;
}

/* What was let in is used, by segments of its own time. */
static void use(struct synpaws_mirror *mirror)
{
	struct synpaws_mirror_stats stats;
	size_t i;

	whole.count = 0;
	for (i = 0; i < 500; i++)
		synpaws_mirror_take(mirror, &stream[i]);
	synpaws_mirror_flush(mirror);
	synpaws_mirror_stats(mirror, &stats);
}

/* Whatever byte is another: refused, or of no harm. */
static void test_damaged(void **state)
{
	static const uint8_t masks[] = { 0x01, 0x80, 0xff };
	struct synpaws_mirror_config config;
	uint64_t dice = seed + 2;
	struct bytes bytes = small_state(&config, &dice);
	size_t i, mask, refused = 0;

	(void)state;
	for (i = 0; i < bytes.size; i++) {
		for (mask = 0; mask < COUNT(masks); mask++) {
			struct synpaws_mirror *mirror = make(config, &whole, &dice);

			bytes.at[i] ^= masks[mask];
			if (load(mirror, &bytes) == SYNPAWS_LOADED)
				use(mirror);
			else
				refused++;
			bytes.at[i] ^= masks[mask];
			synpaws_mirror_free(mirror);
		}
	}
	assert_true(refused > bytes.size / 4);
	free(bytes.at);
}

static void test_cut_short(void **state)
{
	struct synpaws_mirror_config config;
	uint64_t dice = seed + 3;
	struct bytes bytes = small_state(&config, &dice), part = bytes;

	(void)state;
	for (part.size = 0; part.size < bytes.size; part.size++) {
		struct synpaws_mirror *mirror = make(config, &whole, &dice);

		/* A copy of its own, so that a read behind its end is seen. */
		part.at = malloc(part.size);
		memcpy(part.at, bytes.at, part.size);
		assert_int_equal(load(mirror, &part), SYNPAWS_LOADED_DAMAGED);
		free(part.at);
		synpaws_mirror_free(mirror);
	}
	free(bytes.at);
}

static enum synpaws_loaded load_into(struct synpaws_mirror_config config, struct bytes *bytes)
{
	uint64_t dice = seed;
	struct synpaws_mirror *mirror = make(config, &whole, &dice);
	const enum synpaws_loaded result = load(mirror, bytes);

	synpaws_mirror_free(mirror);
	return result;
}

static void test_foreign(void **state)
{
	struct synpaws_mirror_config config, other;
	uint64_t dice = seed + 4;
	struct bytes bytes = small_state(&config, &dice);

	(void)state;
	assert_int_equal(load_into(config, &bytes), SYNPAWS_LOADED);
	other = config;
	other.profile = synpaws_profile_find(strcmp(config.profile->name, "el7") ? "el7" : "4.x");
	assert_int_equal(load_into(other, &bytes), SYNPAWS_LOADED_OTHER_MIRROR);
	other = config;
	other.evidence = SYNPAWS_EVIDENCE_SYN;
	assert_int_equal(load_into(other, &bytes), SYNPAWS_LOADED_OTHER_MIRROR);
	other = config;
	other.peers++;
	assert_int_equal(load_into(other, &bytes), SYNPAWS_LOADED_OTHER_MIRROR);
	other = config;
	other.flows++;
	assert_int_equal(load_into(other, &bytes), SYNPAWS_LOADED_OTHER_MIRROR);
	bytes.at[8]++; /* behind "synpaws\0" */
	assert_int_equal(load_into(config, &bytes), SYNPAWS_LOADED_OTHER_FORMAT);
	bytes.at[0]++;
	assert_int_equal(load_into(config, &bytes), SYNPAWS_LOADED_DAMAGED);
	free(bytes.at);
}

static void test_no_room_to_save(void **state)
{
	struct synpaws_mirror_config config;
	uint64_t dice = seed + 5;
	struct bytes bytes = small_state(&config, &dice), part = { .at = NULL };
	struct synpaws_mirror *mirror = make(config, &whole, &dice);

	(void)state;
	assert_int_equal(load(mirror, &bytes), SYNPAWS_LOADED);
	for (part.fail_at = 0; part.fail_at < bytes.size; part.fail_at += 7) {
		part.size = 0;
		assert_false(synpaws_mirror_save(mirror, put, &part));
	}
	synpaws_mirror_free(mirror);
	free(bytes.at);
	free(part.at);
}

static void test_carry(void **state)
{
	struct synpaws_mirror_config config;
	uint64_t dice = seed + 6;
	struct bytes bytes = small_state(&config, &dice);
	struct synpaws_mirror_stats all, stats;
	struct synpaws_mirror *mirror = make(config, &whole, &dice);

	(void)state;
	assert_int_equal(load(mirror, &bytes), SYNPAWS_LOADED);
	synpaws_mirror_stats(mirror, &all);
	assert_true(all.peers > 0 && all.flows > 0);
	synpaws_mirror_free(mirror);
	mirror = make(config, &whole, &dice);
	bytes.read = 0;
	assert_int_equal(synpaws_mirror_load(mirror, get, &bytes, SYNPAWS_CARRY_STAMPS),
			 SYNPAWS_LOADED);
	synpaws_mirror_stats(mirror, &stats);
	assert_int_equal(stats.peers, all.peers);
	assert_int_equal(stats.flows, 0);
	assert_int_equal(stats.syns, all.syns);
	assert_int_equal(stats.flows_evicted, all.flows_evicted);
	use(mirror);
	synpaws_mirror_free(mirror);
	mirror = make(config, &whole, &dice);
	bytes.read = 0;
	assert_int_equal(synpaws_mirror_load(mirror, get, &bytes, SYNPAWS_CARRY_COUNTS),
			 SYNPAWS_LOADED);
	synpaws_mirror_stats(mirror, &stats);
	assert_int_equal(stats.peers, 0);
	assert_int_equal(stats.flows, 0);
	assert_int_equal(stats.syns, all.syns);
	assert_int_equal(stats.evicted, all.evicted);
	use(mirror);
	synpaws_mirror_free(mirror);
	free(bytes.at);
}

int main(void)
{
	const struct CMUnitTest save[] = {
		cmocka_unit_test(test_damaged),		cmocka_unit_test(test_cut_short),
		cmocka_unit_test(test_foreign),		cmocka_unit_test(test_carry),
		cmocka_unit_test(test_no_room_to_save),
	};

	seed = unit_seed("save");
	return cmocka_run_group_tests(save, NULL, NULL);
}
