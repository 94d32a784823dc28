/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds src/core/save.c to its promise: a mirror that is saved and loaded again, into one with
 * another key, answers like one that never stopped, and holds the same to the last byte. Streams
 * are recorded ones of three kernels, over IPv4 and IPv6, and random ones between few ends that
 * reach what no conversation would, with tables so small that all of them overflow.
 */
#include "save_streams.h"

#include <glob.h>

#define RESTARTS   50
#define RANDOM	   30000
#define ETHERNET   14
#define FRAME_MOST 2048

static struct answers pieces; /* of the mirrors that go on from each other */

/* The mirror ends, and another one goes on. */
static struct synpaws_mirror *restart(struct synpaws_mirror *mirror,
				      const struct synpaws_mirror_config *config, uint64_t *dice)
{
	struct bytes bytes = saved(mirror), again;
	struct synpaws_mirror *next = make(*config, &pieces, dice);

	assert_int_equal(load(next, &bytes), SYNPAWS_LOADED);
	assert_int_equal(bytes.read, bytes.size);
	again = saved(next);
	assert_int_equal(again.size, bytes.size);
	assert_memory_equal(again.at, bytes.at, bytes.size);
	synpaws_mirror_free(mirror);
	free(bytes.at);
	free(again.at);
	return next;
}

static void compare_answers(void)
{
	size_t i;

	assert_int_equal(whole.count, pieces.count);
	for (i = 0; i < whole.count; i++) {
		const struct synpaws_segment *a = &whole.at[i].syn, *b = &pieces.at[i].syn;
		const struct synpaws_outcome *is = &pieces.at[i].outcome;
		const struct synpaws_outcome *should = &whole.at[i].outcome;

		assert_memory_equal(a, b, sizeof(*a));
		assert_int_equal(is->fate, should->fate);
		assert_int_equal(is->predicted, should->predicted);
		assert_int_equal(is->guess, should->guess);
		assert_int_equal(is->contradicted, should->contradicted);
		assert_int_equal(is->answer, should->answer);
		assert_int_equal(is->recorded, should->recorded);
		assert_int_equal(is->recorded_tsval, should->recorded_tsval);
		assert_int_equal(is->recorded_at, should->recorded_at);
		assert_int_equal(is->behind, should->behind);
		assert_int_equal(is->age, should->age);
		assert_int_equal(is->wait, should->wait);
	}
}

/* All that a mirror holds is in what it saves, so that equal bytes are equal mirrors. */
static void compare_mirrors(const struct synpaws_mirror *a, const struct synpaws_mirror *b)
{
	struct synpaws_mirror_stats of_a, of_b;
	struct bytes is = saved(a), should = saved(b);

	assert_int_equal(is.size, should.size);
	assert_memory_equal(is.at, should.at, is.size);
	synpaws_mirror_stats(a, &of_a);
	synpaws_mirror_stats(b, &of_b);
	assert_memory_equal(&of_a, &of_b, sizeof(of_a));
	free(is.at);
	free(should.at);
}

static void run(const struct synpaws_mirror_config *config, size_t count, uint64_t *dice)
{
	uint64_t same_key = *dice;
	struct synpaws_mirror *never = make(*config, &whole, dice);
	struct synpaws_mirror *often = make(*config, &pieces, &same_key);
	size_t i, restarts = 0;

	whole.count = pieces.count = 0;
	for (i = 0; i < count; i++) {
		/* In each part of the stream one, anywhere. */
		if (restarts < RESTARTS && i * RESTARTS / count >= restarts &&
		    (unit_below(dice, 40) == 0 || (i + 1) * RESTARTS / count > restarts)) {
			often = restart(often, config, dice);
			restarts++;
		}
		synpaws_mirror_take(never, &stream[i]);
		synpaws_mirror_take(often, &stream[i]);
	}
	assert_int_equal(restarts, RESTARTS);
	compare_mirrors(never, often);
	synpaws_mirror_flush(never);
	synpaws_mirror_flush(often);
	compare_answers();
	synpaws_mirror_free(never);
	synpaws_mirror_free(often);
}

static size_t read_trace(const char *path, struct synpaws_segment *segs, size_t room)
{
	char command[512];
	uint32_t header[6];
	uint8_t frame[FRAME_MOST];
	size_t count = 0;
	FILE *pcap;

	snprintf(command, sizeof(command), "gzip -dc '%s'", path);
	pcap = popen(command, "r");
	assert_non_null(pcap);
	assert_int_equal(fread(header, sizeof(header), 1, pcap), 1);
	assert_int_equal(header[0], 0xa1b23c4dU);
	while (count < room && fread(header, 16, 1, pcap) == 1 && header[2] <= FRAME_MOST &&
	       fread(frame, 1, header[2], pcap) == header[2]) {
		struct synpaws_segment *seg = &segs[count];

		memset(seg, 0, sizeof(*seg));
		if (synpaws_segment_decode(seg, frame + ETHERNET, header[2] - ETHERNET,
					   header[2] - ETHERNET,
					   SYNPAWS_CHECKSUM_PARTIAL_OK) != SYNPAWS_DECODE_OK)
			continue;
		seg->time_ns = seg->order_ns = header[0] * 1000000000ULL + header[1];
		seg->second = header[0];
		count++;
	}
	pclose(pcap);
	return count;
}

/* All traces of a kernel, one behind the other; they do not meet each other's minute. */
static size_t read_traces(const char *kernel)
{
	char pattern[128];
	size_t i, count = 0;
	glob_t found;

	snprintf(pattern, sizeof(pattern), "tests/golden/%s/s*.pcap.gz", kernel);
	assert_int_equal(glob(pattern, 0, NULL, &found), 0);
	for (i = 0; i < found.gl_pathc; i++)
		count += read_trace(found.gl_pathv[i], &stream[count], STREAM - count);
	globfree(&found);
	assert_true(count > 1000 && count < STREAM);
	return count;
}

struct row {
	const char *name, *kernel, *profile;
};

static const struct row rows[] = {
	{ "2.6.32, recorded", "2.6.32.69", "2.6.32" }, { "el6, recorded", "2.6.32.69", "el6" },
	{ "3.2, recorded", "3.10.105", "3.2" },	       { "3.10, recorded", "3.10.105", "3.10" },
	{ "3.16, recorded", "3.10.105", "3.16" },      { "el7, recorded", "3.10.105", "el7" },
	{ "4.x, recorded", "4.9.0", "4.x" },
};

static void test_recorded(void **state)
{
	const struct row *row = *state;
	const size_t count = read_traces(row->kernel);
	struct synpaws_mirror_config config = { .profile = synpaws_profile_find(row->profile),
						.peers = 1000,
						.flows = 1000,
						.sysctls = synpaws_sysctls_default };
	uint64_t dice = seed;
	int evidence;

	for (evidence = SYNPAWS_EVIDENCE_SYN; evidence < SYNPAWS_EVIDENCE_KINDS; evidence++) {
		config.evidence = (enum synpaws_evidence)evidence;
		run(&config, count, &dice);
		assert_true(whole.count > 100);
	}
}

static void test_random(void **state)
{
	uint64_t dice = seed + 1;
	int i;

	(void)state;
	for (i = 0; i < 40; i++) {
		const struct synpaws_mirror_config config =
			random_config(&dice, (enum synpaws_evidence)(i % SYNPAWS_EVIDENCE_KINDS));

		make_stream(&dice, RANDOM);
		run(&config, RANDOM, &dice);
	}
}

int main(void)
{
	struct CMUnitTest save_restarts[COUNT(rows) + 1] = { cmocka_unit_test(test_random) };
	size_t i;

	seed = unit_seed("save_restarts");
	for (i = 0; i < COUNT(rows); i++)
		save_restarts[1 + i] = unit_row(rows[i].name, test_recorded, &rows[i]);
	return cmocka_run_group_tests(save_restarts, NULL, NULL);
}
