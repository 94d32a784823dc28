/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds src/core/mirror.c to what surrounds the kernel's two rules: which stamp a SYN meets (the
 * key of the profile, and a gateway's key of its own), which segments are judged at all, what a SYN
 * writes and what it must not, and every field of the outcome. mirror_hosts.c has the choice of
 * hosts, mirror_model.c compares long random runs with a second model.
 */
#include "unit.h"

#include <errno.h>

#include <synpaws/mirror.h>

#include "syn.h"

#define PROFILES 7
#define N	 UNIT_SECOND

#define PEER   "198.51.100.11"
#define HOST   "10.99.0.1"
#define HOST_B "10.99.0.2"
#define PEER6  "fd99:1::185"
#define HOST6  "fd99::1"
#define HOST6B "fd99::2"

/* The first so many profiles find a stamp by the peer alone, and leave IPv6 unchecked. */
#define BY_PEER 4
#define NO_IPV6 2

/* The last so many drop a SYN without timestamp while a stamp is fresh. */
#define NEED_TIMESTAMP 2

#define OUTCOME(what, tsval, at, is_behind, old, left)                                    \
	{                                                                                 \
		.fate = SYNPAWS_FATE_##what, .recorded = true, .recorded_tsval = (tsval), \
		.recorded_at = (at), .behind = (is_behind), .age = (old), .wait = (left)  \
	}

static struct synpaws_mirror *mirror_of(size_t profile)
{
	const struct synpaws_mirror_config config = {
		.profile = synpaws_profile_at(profile),
		.peers = 1000,
		.sysctls = synpaws_sysctls_default,
		.hash_key = { 3, 1, 4, 1, 5 },
	};
	struct synpaws_mirror *mirror = syn_mirror(config);

	assert_non_null(mirror);
	return mirror;
}

static struct synpaws_outcome judge(struct synpaws_mirror *mirror, struct synpaws_segment seg)
{
	return syn_judge(mirror, &seg);
}

static enum synpaws_fate fate(struct synpaws_mirror *mirror, struct synpaws_segment seg)
{
	return judge(mirror, seg).fate;
}

static size_t peers(const struct synpaws_mirror *mirror)
{
	struct synpaws_mirror_stats stats;

	synpaws_mirror_stats(mirror, &stats);
	return stats.peers;
}

static void expect(const struct synpaws_outcome *is, const struct synpaws_outcome *should)
{
	assert_string_equal(synpaws_fate_name(is->fate), synpaws_fate_name(should->fate));
	assert_int_equal(is->recorded, should->recorded);
	assert_int_equal(is->recorded_tsval, should->recorded_tsval);
	assert_int_equal(is->recorded_at, should->recorded_at);
	assert_int_equal(is->behind, should->behind);
	assert_int_equal(is->age, should->age);
	assert_int_equal(is->wait, should->wait);
}

/* A stamp made through one host meets a SYN to another where the key is the peer alone. */
static void test_key_of_each_profile(void **state)
{
	static const enum synpaws_fate fates[PROFILES] = {
		SYNPAWS_FATE_PAWS_DROP, SYNPAWS_FATE_PAWS_DROP, SYNPAWS_FATE_PAWS_DROP,
		SYNPAWS_FATE_PAWS_DROP, SYNPAWS_FATE_PASS,	SYNPAWS_FATE_PASS,
		SYNPAWS_FATE_PASS,
	};
	size_t p;

	(void)state;
	for (p = 0; p < PROFILES; p++) {
		struct synpaws_mirror *mirror = mirror_of(p);

		assert_int_equal(fate(mirror, syn(PEER, HOST, N, 1000)), SYNPAWS_FATE_PASS);
		assert_int_equal(fate(mirror, syn(PEER, HOST_B, N, 10)), fates[p]);
		assert_int_equal(fate(mirror, syn(PEER, HOST, N, 10)), SYNPAWS_FATE_PAWS_DROP);
		if (p >= NO_IPV6) {
			fate(mirror, syn(PEER6, HOST6, N, 1000));
			assert_int_equal(fate(mirror, syn(PEER6, HOST6B, N, 10)), fates[p]);
		}
		synpaws_mirror_free(mirror);
	}
}

static struct synpaws_segment forwarded(struct synpaws_segment seg)
{
	seg.forwarded = true;
	return seg;
}

/* Behind a gateway each host is a machine of its own, whatever the key of its kernel. */
static void test_forwarded_is_always_per_host(void **state)
{
	size_t p;

	(void)state;
	for (p = 0; p < PROFILES; p++) {
		struct synpaws_mirror *mirror = mirror_of(p);

		fate(mirror, forwarded(syn(PEER, HOST, N, 1000)));
		assert_int_equal(fate(mirror, forwarded(syn(PEER, HOST_B, N, 10))),
				 SYNPAWS_FATE_PASS);
		assert_int_equal(fate(mirror, forwarded(syn(PEER, HOST, N, 10))),
				 SYNPAWS_FATE_PAWS_DROP);
		assert_int_equal(fate(mirror, forwarded(syn(PEER, HOST_B, N, 5))),
				 SYNPAWS_FATE_PAWS_DROP);
		synpaws_mirror_free(mirror);
	}
}

/* What a host behind the gateway remembers is not what the gateway itself remembers. */
static void test_the_gateway_itself_is_yet_another_host(void **state)
{
	size_t p;

	(void)state;
	for (p = 0; p < BY_PEER; p++) {
		struct synpaws_mirror *mirror = mirror_of(p);

		fate(mirror, forwarded(syn(PEER, HOST, N, 1000)));
		assert_int_equal(fate(mirror, syn(PEER, HOST_B, N, 10)), SYNPAWS_FATE_PASS);
		assert_int_equal(fate(mirror, syn(PEER, HOST_B, N, 1)), SYNPAWS_FATE_PAWS_DROP);
		assert_int_equal(fate(mirror, forwarded(syn(PEER, HOST, N, 10))),
				 SYNPAWS_FATE_PAWS_DROP);
		synpaws_mirror_free(mirror);
	}
}

static void test_ports_never_matter(void **state)
{
	size_t p;

	(void)state;
	for (p = 0; p < PROFILES; p++) {
		struct synpaws_mirror *mirror = mirror_of(p);
		struct synpaws_segment seg = syn(PEER, HOST, N, 10);

		fate(mirror, syn(PEER, HOST, N, 1000));
		seg.source_port = 1;
		seg.destination_port = 22;
		seg.seq = 77;
		seg.ifindex = 9;
		assert_int_equal(fate(mirror, seg), SYNPAWS_FATE_PAWS_DROP);
		synpaws_mirror_free(mirror);
	}
}

static void test_ipv6_is_not_checked_by_2_6_32(void **state)
{
	const struct synpaws_outcome nothing = { .fate = SYNPAWS_FATE_NOT_CHECKED };
	struct synpaws_outcome outcome;
	size_t p;

	(void)state;
	for (p = 0; p < PROFILES; p++) {
		struct synpaws_mirror *mirror = mirror_of(p);

		fate(mirror, syn(PEER6, HOST6, N, 1000));
		outcome = judge(mirror, syn(PEER6, HOST6, N, 10));
		if (p < NO_IPV6)
			expect(&outcome, &nothing);
		else
			assert_int_equal(outcome.fate, SYNPAWS_FATE_PAWS_DROP);
		assert_int_equal(peers(mirror), p < NO_IPV6 ? 0 : 1);
		synpaws_mirror_free(mirror);
	}
}

/* A peer that differs in any one bit, as neighbours in one /64 do, has nothing to do with it. */
static void test_neighbours_are_unaffected(void **state)
{
	static const char *const pairs[2][2] = { { PEER, HOST }, { PEER6, HOST6 } };
	size_t p, version, bit;

	(void)state;
	for (p = 0; p < PROFILES; p++) {
		for (version = p < NO_IPV6 ? 1 : 2; version-- > 0;) {
			struct synpaws_mirror *mirror = mirror_of(p);
			struct synpaws_segment seg =
				syn(pairs[version][0], pairs[version][1], N, 1000);

			fate(mirror, seg);
			seg.tsval = 10;
			for (bit = 0; bit < (version == 0 ? 32 : 128); bit++) {
				seg.source[bit / 8] ^= (uint8_t)(1U << bit % 8);
				assert_int_equal(fate(mirror, seg), SYNPAWS_FATE_PASS);
				seg.source[bit / 8] ^= (uint8_t)(1U << bit % 8);
			}
			assert_int_equal(fate(mirror, seg), SYNPAWS_FATE_PAWS_DROP);
			synpaws_mirror_free(mirror);
		}
	}
}

/* An IPv4 peer and an IPv6 peer whose addresses begin with the same bytes are two. */
static void test_versions_never_meet(void **state)
{
	size_t p;

	(void)state;
	for (p = NO_IPV6; p < PROFILES; p++) {
		struct synpaws_mirror *mirror = mirror_of(p);
		struct synpaws_segment seg = syn(PEER, HOST, N, 1000);

		fate(mirror, seg);
		seg.ip_version = 6;
		seg.tsval = 10;
		assert_int_equal(fate(mirror, seg), SYNPAWS_FATE_PASS);
		assert_int_equal(peers(mirror), 2);
		synpaws_mirror_free(mirror);
	}
}

/* SYN alone among SYN, ACK, RST and FIN opens a connection; PSH, URG, ECE and CWR do not matter. */
static void test_only_syns_are_judged(void **state)
{
	const struct synpaws_outcome nothing = { .fate = SYNPAWS_FATE_NONE };
	struct synpaws_outcome outcome;
	unsigned int flags;
	size_t p;

	(void)state;
	for (p = 0; p < PROFILES; p++) {
		struct synpaws_mirror *mirror = mirror_of(p);
		struct synpaws_segment seg = syn(PEER, HOST, N + 1, 10);

		fate(mirror, syn(PEER, HOST, N, 1000));
		for (flags = 0; flags < 256; flags++) {
			seg.flags = (uint8_t)flags;
			outcome = judge(mirror, seg);
			if ((flags & 0x17) == 0x02)
				assert_int_equal(outcome.fate, SYNPAWS_FATE_PAWS_DROP);
			else
				expect(&outcome, &nothing);
			seg.tsval = 5000;
			if ((flags & 0x17) != 0x02)
				judge(mirror, seg); /* and must not write */
			seg.tsval = 10;
		}
		outcome = judge(mirror, syn(PEER, HOST, N + 1, 1000));
		assert_int_equal(outcome.recorded_tsval, 1000);
		assert_int_equal(outcome.recorded_at, N);
		synpaws_mirror_free(mirror);
	}
}

static void test_a_dropped_syn_writes_nothing(void **state)
{
	struct synpaws_outcome outcome;
	size_t p;
	uint32_t i;

	(void)state;
	for (p = 0; p < PROFILES; p++) {
		struct synpaws_mirror *mirror = mirror_of(p);
		struct synpaws_outcome drop = { .fate = SYNPAWS_FATE_PAWS_DROP,
						.recorded = true,
						.recorded_tsval = 1000,
						.recorded_at = N };

		fate(mirror, syn(PEER, HOST, N, 1000));
		for (i = 0; i < 60; i++) {
			drop.behind = (int32_t)(1000 - i);
			drop.age = (int32_t)i;
			drop.wait = 60 - i;
			outcome = judge(mirror, syn(PEER, HOST, N + i, i));
			expect(&outcome, &drop);
		}
		assert_int_equal(fate(mirror, syn(PEER, HOST, N + 60, 60)), SYNPAWS_FATE_PASS);
		assert_int_equal(peers(mirror), 1);
		synpaws_mirror_free(mirror);
	}
}

static void test_a_syn_without_timestamp_writes_nothing(void **state)
{
	struct synpaws_outcome outcome;
	size_t p;

	(void)state;
	for (p = 0; p < PROFILES; p++) {
		struct synpaws_mirror *mirror = mirror_of(p);
		const struct synpaws_outcome first = { .fate = SYNPAWS_FATE_PASS };
		struct synpaws_outcome second = { .fate = SYNPAWS_FATE_PASS,
						  .recorded = true,
						  .recorded_tsval = 1000,
						  .recorded_at = N,
						  .age = 7 };

		outcome = judge(mirror, syn_plain(PEER, HOST, N - 100));
		expect(&outcome, &first);
		assert_int_equal(peers(mirror), 0);
		fate(mirror, syn(PEER, HOST, N, 1000));
		if (p >= PROFILES - NEED_TIMESTAMP) {
			second.fate = SYNPAWS_FATE_PAWS_DROP;
			second.wait = 53;
		}
		outcome = judge(mirror, syn_plain(PEER, HOST, N + 7));
		expect(&outcome, &second);
		second = (struct synpaws_outcome)OUTCOME(PASS, 1000, N, 0, 500, 0);
		outcome = judge(mirror, syn_plain(PEER, HOST, N + 500));
		expect(&outcome, &second);
		outcome = judge(mirror, syn_plain(PEER, HOST, N + 500));
		expect(&outcome, &second);
		synpaws_mirror_free(mirror);
	}
}

/* It passes, but neither lowers nor refreshes: from N+60 on anybody passes, at N+61 it writes. */
static void test_one_tick_behind_passes_without_a_trace(void **state)
{
	const struct synpaws_outcome pass = OUTCOME(PASS, 1000, N, 1, 30, 0);
	const struct synpaws_outcome next = OUTCOME(PASS, 1000, N, 2, 60, 0);
	const struct synpaws_outcome later = OUTCOME(PASS, 1000, N, 3, 61, 0);
	const struct synpaws_outcome last = OUTCOME(PASS, 997, N + 61, 0, 0, 0);
	struct synpaws_outcome outcome;
	size_t p;

	(void)state;
	for (p = 0; p < PROFILES; p++) {
		struct synpaws_mirror *mirror = mirror_of(p);

		fate(mirror, syn(PEER, HOST, N, 1000));
		outcome = judge(mirror, syn(PEER, HOST, N + 30, 999));
		expect(&outcome, &pass);
		outcome = judge(mirror, syn(PEER, HOST, N + 60, 998));
		expect(&outcome, &next);
		outcome = judge(mirror, syn(PEER, HOST, N + 61, 997));
		expect(&outcome, &later);
		outcome = judge(mirror, syn(PEER, HOST, N + 61, 997));
		expect(&outcome, &last);
		synpaws_mirror_free(mirror);
	}
}

/* Each SYN that passes with a TSval not behind becomes the stamp, also with the same TSval. */
static void test_a_passing_syn_becomes_the_stamp(void **state)
{
	const struct synpaws_outcome first = { .fate = SYNPAWS_FATE_PASS };
	const struct synpaws_outcome same = OUTCOME(PASS, 1000, N, 0, 40, 0);
	const struct synpaws_outcome more = OUTCOME(PASS, 1000, N + 40, -5, 59, 0);
	const struct synpaws_outcome drop = OUTCOME(PAWS_DROP, 1005, N + 99, 1005, 0, 60);
	struct synpaws_outcome outcome;
	size_t p;

	(void)state;
	for (p = 0; p < PROFILES; p++) {
		struct synpaws_mirror *mirror = mirror_of(p);

		outcome = judge(mirror, syn(PEER, HOST, N, 1000));
		expect(&outcome, &first);
		outcome = judge(mirror, syn(PEER, HOST, N + 40, 1000));
		expect(&outcome, &same);
		outcome = judge(mirror, syn(PEER, HOST, N + 99, 1005));
		expect(&outcome, &more);
		outcome = judge(mirror, syn(PEER, HOST, N + 99, 0));
		expect(&outcome, &drop);
		synpaws_mirror_free(mirror);
	}
}

/* The clock goes back by 10 s: 2.6.32 goes on dropping, the others stop, and all tell the age. */
static void test_a_clock_stepped_back(void **state)
{
	const struct synpaws_outcome drop = OUTCOME(PAWS_DROP, 1000, N, 990, -10, 70);
	const struct synpaws_outcome pass = OUTCOME(PASS, 1000, N, 990, -10, 0);
	const struct synpaws_outcome still = OUTCOME(PAWS_DROP, 1000, N, 991, 0, 60);
	struct synpaws_outcome outcome;
	size_t p;

	(void)state;
	for (p = 0; p < PROFILES; p++) {
		struct synpaws_mirror *mirror = mirror_of(p);

		fate(mirror, syn(PEER, HOST, N, 1000));
		outcome = judge(mirror, syn(PEER, HOST, N - 10, 10));
		expect(&outcome, p < NO_IPV6 ? &drop : &pass);
		/* stamp <= nstamp fails, so the SYN that passed did not lower the stamp. */
		outcome = judge(mirror, syn(PEER, HOST, N, 9));
		expect(&outcome, &still);
		synpaws_mirror_free(mirror);
	}
}

static void test_the_tsval_zero_and_the_half_circle(void **state)
{
	size_t p;

	(void)state;
	for (p = 0; p < PROFILES; p++) {
		struct synpaws_mirror *mirror = mirror_of(p);

		fate(mirror, syn(PEER, HOST, N, 1000));
		assert_int_equal(fate(mirror, syn(PEER, HOST, N, 0)), SYNPAWS_FATE_PAWS_DROP);
		fate(mirror, syn(PEER, HOST_B, N + 100, 0x80000010));
		assert_int_equal(fate(mirror, syn(PEER, HOST_B, N + 100, 0x11)),
				 SYNPAWS_FATE_PAWS_DROP);
		assert_int_equal(fate(mirror, syn(PEER, HOST_B, N + 100, 0x10)), SYNPAWS_FATE_PASS);
		/* -2^31 is "not behind", so it was written. */
		assert_int_equal(judge(mirror, syn_plain(PEER, HOST_B, N + 100)).recorded_tsval,
				 0x10);
		synpaws_mirror_free(mirror);
	}
}

int main(void)
{
	const struct CMUnitTest mirror[] = {
		cmocka_unit_test(test_key_of_each_profile),
		cmocka_unit_test(test_forwarded_is_always_per_host),
		cmocka_unit_test(test_the_gateway_itself_is_yet_another_host),
		cmocka_unit_test(test_ports_never_matter),
		cmocka_unit_test(test_ipv6_is_not_checked_by_2_6_32),
		cmocka_unit_test(test_neighbours_are_unaffected),
		cmocka_unit_test(test_versions_never_meet),
		cmocka_unit_test(test_only_syns_are_judged),
		cmocka_unit_test(test_a_dropped_syn_writes_nothing),
		cmocka_unit_test(test_a_syn_without_timestamp_writes_nothing),
		cmocka_unit_test(test_one_tick_behind_passes_without_a_trace),
		cmocka_unit_test(test_a_passing_syn_becomes_the_stamp),
		cmocka_unit_test(test_a_clock_stepped_back),
		cmocka_unit_test(test_the_tsval_zero_and_the_half_circle),
	};

	return cmocka_run_group_tests(mirror, NULL, NULL);
}
