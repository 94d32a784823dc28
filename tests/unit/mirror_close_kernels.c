/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds the mirror to what the families of kernels do not share when a connection ends: whose stamp
 * is written and where (hosts, gateways, IPv6, dual-stack listeners), when a TSval is taken, which
 * RST counts; and to tcp_fin_timeout, the clock and the write rule, as they show through closings.
 */
#include "unit.h"

#include "conversation.h"

#define PROFILES 7

static struct synpaws_mirror *mirror;

static const char *kernel(size_t index)
{
	const struct synpaws_profile *profile = synpaws_profile_at(index);

	assert_non_null(profile);
	return profile->name;
}

/* What the profiles, in their order, remember; 0 is nothing. */
static void expect_tsval(const struct talk *talk, size_t profile, const uint32_t should[PROFILES])
{
	const struct synpaws_outcome outcome = probe(talk);
	const uint32_t is = outcome.recorded ? outcome.recorded_tsval : 0;

	if (is != should[profile])
		print_error("profile %s\n", kernel(profile));
	assert_int_equal(is, should[profile]);
}

static struct talk start(size_t profile, void **state)
{
	mirror = begin(kernel(profile), evidence_of(state));
	return talk_between(mirror, PEER, 40000, HOST, PORT);
}

static void half_close(uint32_t seconds)
{
	synpaws_mirror_tell(mirror, PORT, SYNPAWS_FACT_HALF_CLOSE, true, seconds,
			    SYNPAWS_SOURCE_TOLD);
}

static void end(void)
{
	synpaws_mirror_free(mirror);
}

/* Up to 3.13 a record is the peer's, from then on that of peer and host. */
static void test_keys(void **state)
{
	static const uint32_t elsewhere[PROFILES] = { 1040, 1040, 1040, 1040 };
	static const uint32_t same[PROFILES] = { 1040, 1040, 1040, 1040, 1040, 1040, 1040 };
	static const uint32_t never[PROFILES];
	size_t p;

	for (p = 0; p < PROFILES; p++) {
		struct talk talk = start(p, state);
		struct talk other_host = talk_between(mirror, PEER, 40000, HOST_B, PORT);
		struct talk other_port = talk_between(mirror, PEER, 40000, HOST, 443);
		struct talk other_peer = talk_between(mirror, PEER_B, 40000, HOST, PORT);

		talk_whole(&talk, 1000);
		expect_tsval(&talk, p, same);
		expect_tsval(&other_port, p, same);
		expect_tsval(&other_host, p, elsewhere);
		expect_tsval(&other_peer, p, never);
		end();
	}
}

/* Behind a gateway every host is a machine of its own. */
static void test_forwarded(void **state)
{
	static const uint32_t same[PROFILES] = { 1040, 1040, 1040, 1040, 1040, 1040, 1040 };
	static const uint32_t never[PROFILES];
	size_t p;

	for (p = 0; p < PROFILES; p++) {
		struct talk talk = start(p, state), other;

		talk.forwarded = true;
		talk_whole(&talk, 1000);
		other = talk_between(mirror, PEER, 40000, HOST_B, PORT);
		other.forwarded = true;
		expect_tsval(&talk, p, same);
		expect_tsval(&other, p, never);
		end();
	}
}

static void test_ipv6(void **state)
{
	static const uint32_t same[PROFILES] = { 0, 0, 1040, 1040, 1040, 1040, 1040 };
	static const uint32_t elsewhere[PROFILES] = { 0, 0, 1040, 1040 };
	size_t p;

	for (p = 0; p < PROFILES; p++) {
		struct talk talk = start(p, state), other;

		talk = talk_between(mirror, PEER6, 40000, HOST6, PORT);
		other = talk_between(mirror, PEER6, 40000, HOST6B, PORT);
		talk_whole(&talk, 1000);
		expect_tsval(&talk, p, same);
		expect_tsval(&other, p, elsewhere);
		expect_fate(probe(&talk).fate,
			    p < 2 ? SYNPAWS_FATE_NOT_CHECKED : SYNPAWS_FATE_PAWS_DROP);
		assert_int_equal(stats_of(mirror).records, p < 2 ? 0 : 2);
		end();
	}
}

/* An IPv6 listener that takes IPv4: up to 3.5 its E3 is lost, on 3.6 to 3.13 all that it does. */
static void test_dual_stack(void **state)
{
	static const uint32_t by_fin[PROFILES] = { 1030, 1030, 1030, 0, 1040, 1040, 1040 };
	static const uint32_t at_once[PROFILES] = { 2040, 2040, 2040, 0, 2040, 2040, 2040 };
	static const uint32_t crossed[PROFILES] = { 3050, 3050, 3050, 0, 3050, 3050, 3050 };
	static const uint32_t plain[PROFILES] = { 4040, 4040, 4040, 4040, 4040, 4040, 4040 };
	size_t p;

	for (p = 0; p < PROFILES; p++) {
		struct talk talk = start(p, state);

		synpaws_mirror_tell(mirror, PORT, SYNPAWS_FACT_DUAL_STACK, true, 0,
				    SYNPAWS_SOURCE_TOLD);
		talk_whole(&talk, 1000);
		expect_tsval(&talk, p, by_fin);
		talk = talk_between(mirror, PEER, 40001, HOST, PORT);
		talk_until_fin(&talk, 2000);
		IN(&talk, .flags = FIN, .tsval = 2040);
		expect_tsval(&talk, p, at_once);
		talk = talk_between(mirror, PEER, 40002, HOST, PORT);
		talk_until_fin(&talk, 3000);
		IN(&talk, .flags = FIN, .tsval = 3040, .ack = -1);
		OUT(&talk);
		IN(&talk, .tsval = 3050);
		expect_tsval(&talk, p, crossed);
		talk = talk_between(mirror, PEER, 40003, HOST, 80);
		talk_whole(&talk, 4000);
		expect_tsval(&talk, p, plain);
		end();
	}
}

/* Its IPv6 peers are like any. */
static void test_dual_stack_by_ipv6(void **state)
{
	static const uint32_t same[PROFILES] = { 0, 0, 1040, 1040, 1040, 1040, 1040 };
	size_t p;

	for (p = 0; p < PROFILES; p++) {
		struct talk talk = start(p, state);

		talk = talk_between(mirror, PEER6, 40000, HOST6, PORT);
		synpaws_mirror_tell(mirror, PORT, SYNPAWS_FACT_DUAL_STACK, true, 0,
				    SYNPAWS_SOURCE_TOLD);
		talk_whole(&talk, 1000);
		expect_tsval(&talk, p, same);
		end();
	}
}

/* 2.6.32 and 3.2 take a TSval before they find that the ACK is none of theirs. */
static void test_tsval_of_a_wrong_ack(void **state)
{
	static const uint32_t should[PROFILES] = { 1100, 1030, 1100, 1030, 1030, 1030, 1030 };
	size_t p, old;

	for (p = 0; p < PROFILES; p++) {
		for (old = 0; old < 2; old++) {
			struct talk talk = start(p, state);

			half_close(SYNPAWS_NEVER);
			talk_until_fin(&talk, 1000);
			IN(&talk, .tsval = 1030);
			IN(&talk, .tsval = 1100, .ack = old ? -40 : 40);
			IN(&talk, .flags = FIN, .bare = true);
			expect_tsval(&talk, p, should);
			end();
		}
	}
}

/* A ts_recent of 0 compares with nothing, but on 2.6.32. */
static void test_zero_compares_with_nothing(void **state)
{
	static const uint32_t should[PROFILES] = { 0,	       0xfffffff0, 0xfffffff0, 0xfffffff0,
						   0xfffffff0, 0xfffffff0, 0xfffffff0 };
	size_t p;

	for (p = 0; p < PROFILES; p++) {
		struct talk talk = start(p, state);

		talk_until_fin(&talk, 0xffffffecU);
		assert_int_equal(talk.ts_recent, 0);
		IN(&talk, .tsval = 0xfffffff0U);
		expect_tsval(&talk, p, should);
		end();
	}
}

/* RFC 5961, 3.2: from 3.6 on only the exact sequence number resets; mini-sockets never cared. */
static void test_inexact_reset(void **state)
{
	static const uint32_t full[PROFILES] = { 0, 0, 0, 1030, 1030, 1030, 1030 };
	static const uint32_t mini[PROFILES] = { 2030, 2030, 2030, 2030, 2030, 2030, 2030 };
	size_t p;

	for (p = 0; p < PROFILES; p++) {
		struct talk talk = start(p, state);

		talk_until_fin(&talk, 1000);
		IN(&talk, .flags = RST, .bare = true, .seq = 100);
		IN(&talk, .tsval = 1030);
		expect_tsval(&talk, p, full);
		talk = talk_between(mirror, PEER, 40001, HOST, PORT);
		talk_until_fin(&talk, 2000);
		IN(&talk, .tsval = 2030);
		IN(&talk, .flags = RST, .bare = true, .seq = 100);
		IN(&talk, .flags = FIN, .tsval = 2040);
		expect_tsval(&talk, p, mini);
		end();
	}
}

/* What the host opens itself is recorded all the same. */
static void test_host_initiated(void **state)
{
	size_t p, host_first;

	for (p = 0; p < PROFILES; p++) {
		for (host_first = 0; host_first < 2; host_first++) {
			struct talk talk = start(p, state);

			OUT(&talk, .flags = SYN, .no_ack = true);
			talk.acked = talk.peer_next;
			IN(&talk, .flags = SYN, .tsval = 1000);
			OUT(&talk);
			OUT(&talk, .payload = 10);
			IN(&talk, .tsval = 1020, .payload = 100);
			OUT(&talk);
			if (host_first) {
				OUT(&talk, .flags = FIN);
				IN(&talk, .tsval = 1030);
				IN(&talk, .flags = FIN, .tsval = 1040);
				expect_record(&talk, 1040, 0);
			} else {
				IN(&talk, .flags = FIN, .tsval = 1030);
				OUT(&talk, .flags = FIN);
				IN(&talk, .tsval = 1040);
				expect_nothing(&talk);
			}
			end();
		}
	}
}

/* E3 needs the mini-socket, which lives for tcp_fin_timeout. */
static void test_mini_socket_is_gone(void **state)
{
	size_t p;

	for (p = 0; p < PROFILES; p++) {
		struct talk talk = start(p, state);

		talk_until_fin(&talk, 1000);
		IN(&talk, .tsval = 1030);
		pass_ms(mirror, 50000);
		IN(&talk, .flags = FIN, .tsval = 1040);
		expect_record(&talk, 1040, 50);
		talk = talk_between(mirror, PEER, 40001, HOST, PORT);
		talk_until_fin(&talk, 2000);
		IN(&talk, .tsval = 2030);
		wait_ms(70000);
		IN(&talk, .flags = FIN, .tsval = 2040);
		expect_record(&talk, 2030, 50);
		end();
	}
}

static void test_short_fin_timeout(void **state)
{
	size_t p;

	for (p = 0; p < PROFILES; p++) {
		struct synpaws_mirror_config config = usual(kernel(p), evidence_of(state));
		struct talk talk;

		config.sysctls.tcp_fin_timeout = 2;
		mirror = begin_with(&config);
		talk = talk_between(mirror, PEER, 40000, HOST, PORT);
		talk_until_fin(&talk, 1000);
		IN(&talk, .tsval = 1030);
		wait_ms(3000);
		IN(&talk, .flags = FIN, .tsval = 1040);
		OUT(&talk, .flags = RST, .bare = true);
		expect_record(&talk, 1030, 0);
		end();
	}
}

static struct talk start_timeout(uint32_t seconds, void **state)
{
	struct synpaws_mirror_config config = usual("3.10", evidence_of(state));

	config.sysctls.tcp_fin_timeout = seconds;
	mirror = begin_with(&config);
	return talk_between(mirror, PEER, 40000, HOST, PORT);
}

/* Beyond 60 s nothing at the ACK, only at the FIN. */
static void test_long_fin_timeout(void **state)
{
	struct talk talk = start_timeout(61, state);

	talk_until_fin(&talk, 1000);
	IN(&talk, .tsval = 1030);
	expect_nothing(&talk);
	IN(&talk, .flags = FIN, .tsval = 1040);
	expect_record(&talk, 1040, 0);
	pass_ms(mirror, 5000);
	assert_int_equal(stats_of(mirror).records, 1);
	end();
}

/* E1c: when it has come down to 60 s the socket becomes a mini-socket, with the old value. */
static void test_long_fin_timeout_runs_out(void **state)
{
	struct talk talk = start_timeout(90, state);

	talk_until_fin(&talk, 1000);
	IN(&talk, .tsval = 1030);
	pass_ms(mirror, 29900);
	expect_nothing(&talk);
	pass_ms(mirror, 200);
	expect_record(&talk, 1030, 0);
	assert_int_equal(probe(&talk).wait, 30);
	IN(&talk, .flags = FIN, .tsval = 1040);
	expect_record(&talk, 1040, 30);
	end();
	talk = start_timeout(120, state);
	talk_until_fin(&talk, 1000);
	IN(&talk, .tsval = 1030);
	pass_ms(mirror, 60100);
	expect_record(&talk, 1030, 0);
	expect_fate(probe(&talk).fate, SYNPAWS_FATE_PASS);
	end();
}

/* The second phase lasts for what is left of it. */
static void test_long_fin_timeout_ends(void **state)
{
	struct talk talk = start_timeout(63, state);

	half_close(5);
	talk_until_fin(&talk, 1000);
	IN(&talk, .tsval = 1030);
	pass_ms(mirror, 7900);
	expect_nothing(&talk);
	pass_ms(mirror, 200);
	expect_record(&talk, 1030, 0);
	wait_ms(3500);
	IN(&talk, .flags = FIN, .tsval = 1040);
	OUT(&talk, .flags = RST, .bare = true);
	expect_record(&talk, 1030, 0);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH_EVIDENCE(test_keys),
		EACH_EVIDENCE(test_forwarded),
		EACH_EVIDENCE(test_ipv6),
		EACH_EVIDENCE(test_dual_stack),
		EACH_EVIDENCE(test_dual_stack_by_ipv6),
		EACH_EVIDENCE(test_tsval_of_a_wrong_ack),
		EACH_EVIDENCE(test_zero_compares_with_nothing),
		EACH_EVIDENCE(test_inexact_reset),
		EACH_EVIDENCE(test_host_initiated),
		EACH_EVIDENCE(test_mini_socket_is_gone),
		EACH_EVIDENCE(test_short_fin_timeout),
		EACH_EVIDENCE(test_long_fin_timeout),
		EACH_EVIDENCE(test_long_fin_timeout_runs_out),
		EACH_EVIDENCE(test_long_fin_timeout_ends),
	};

	return cmocka_run_group_tests_name("mirror: closings on each kernel", tests, NULL, NULL);
}
