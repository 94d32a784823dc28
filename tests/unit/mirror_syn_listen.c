/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds the mirror to what a listener does before the per-peer check, or instead of it, on each
 * kernel: cookies, signatures, no timestamps; and to ports on which nobody listens.
 */
#include "unit.h"

#include "conversation.h"

static struct synpaws_mirror *mirror;

static void end(void)
{
	synpaws_mirror_free(mirror);
}

static const char *const kernels[] = { "2.6.32", "el6", "3.2", "3.10", "3.16", "el7", "4.x" };

/* The peer's record is at 90040, and the SYN is low. */
static struct talk low_of(const struct synpaws_mirror_config *config)
{
	struct talk high;

	mirror = begin_with(config);
	high = talk_between(mirror, PEER, 40001, HOST, PORT);
	talk_whole(&high, 90000);
	return talk_between(mirror, PEER, 40000, HOST, PORT);
}

/* tcp_syncookies=2 is 1 up to 3.13, and answers all by cookies afterwards. */
static void test_cookies_always(void **state)
{
	size_t k;

	for (k = 0; k < COUNT(kernels); k++) {
		struct synpaws_mirror_config config = usual(kernels[k], evidence_of(state));
		struct talk low;

		config.sysctls.tcp_syncookies = 2;
		low = low_of(&config);
		if (k < 4)
			EXPECT(&low, PAWS_DROP, NOTHING, .tsval = 1000);
		else
			EXPECT(&low, COOKIE, COOKIE, .tsval = 1000);
		end();
	}
}

/* A kernel with signatures discards those that nobody expects. */
static void test_md5(void **state)
{
	size_t k;

	for (k = 0; k < COUNT(kernels); k++) {
		struct synpaws_mirror_config config = usual(kernels[k], evidence_of(state));
		struct talk low = low_of(&config);

		if (strcmp(kernels[k], "el7") == 0)
			EXPECT(&low, MD5, NOTHING, .tsval = 1000, .md5 = true);
		else
			EXPECT(&low, PAWS_DROP, NOTHING, .tsval = 1000, .md5 = true);
		end();
	}
}

/* tcp_timestamps=0: the option is not looked at, and 3.17 drops what has none. */
static void test_timestamps_off(void **state)
{
	size_t k;

	for (k = 0; k < COUNT(kernels); k++) {
		struct synpaws_mirror_config config = usual(kernels[k], evidence_of(state));
		const bool drops = k >= 5;
		struct talk low;

		config.sysctls.tcp_timestamps = false;
		low = low_of(&config);
		assert_true(probe(&low).recorded);
		expect_fate(fate(&low, (struct say){ .tsval = 1000 }, drops ? NOTHING : SYN_ACK),
			    drops ? SYNPAWS_FATE_PAWS_DROP : SYNPAWS_FATE_PASS);
		low.peer_port++;
		low.peer_port++;
		expect_fate(fate(&low, (struct say){ .bare = true }, drops ? NOTHING : SYN_ACK),
			    drops ? SYNPAWS_FATE_PAWS_DROP : SYNPAWS_FATE_PASS);
		end();
	}
}

/* Nobody listens: a RST before any check, and the record tells of it all the same. */
static void test_closed_port_told(void **state)
{
	const struct synpaws_mirror_config config = usual("4.x", evidence_of(state));
	struct talk low = low_of(&config);
	struct synpaws_outcome outcome;

	synpaws_mirror_tell(mirror, PORT, SYNPAWS_FACT_CLOSED, true, 0, SYNPAWS_SOURCE_TOLD);
	outcome = ask(&low, (struct say){ .tsval = 1000 }, RESET);
	expect_fate(outcome.fate, SYNPAWS_FATE_CLOSED_PORT);
	assert_false(outcome.guess || outcome.contradicted);
	assert_int_equal(outcome.answer, SYNPAWS_ANSWER_RST);
	assert_int_equal(outcome.recorded_tsval, 90040);
	assert_int_equal(outcome.wait, 0);
	EXPECT(&low, CLOSED_PORT, RESET, .tsval = 99000, .seq = 50);
	expect_record(&low, 90040, 0);
	end();
}

/* ... or by its RST, which the next SYN is then thought to get; until it does not. */
static void test_closed_port_learnt(void **state)
{
	const struct synpaws_mirror_config config = usual("4.x", evidence_of(state));
	struct talk low = low_of(&config);
	struct synpaws_service service;
	struct synpaws_outcome outcome;

	outcome = ask(&low, (struct say){ .tsval = 1000 }, RESET);
	expect_fate(outcome.fate, SYNPAWS_FATE_CLOSED_PORT);
	assert_true(outcome.contradicted);
	assert_true(synpaws_mirror_service(mirror, 0, &service));
	assert_int_equal(service.fact, SYNPAWS_FACT_CLOSED);
	assert_int_equal(service.port, PORT);
	assert_int_equal(service.source, SYNPAWS_SOURCE_LEARNT);
	EXPECT(&low, CLOSED_PORT, RESET, .tsval = 1000);
	/* Somebody listens by now. */
	EXPECT(&low, PAWS_DROP, NOTHING, .tsval = 1000);
	assert_false(synpaws_mirror_service(mirror, 0, &service));
	EXPECT(&low, PAWS_DROP, NOTHING, .tsval = 1000);
	end();
}

/* A queue that is full makes cookies and no check: their timestamp shows it. */
static void test_cookie_is_recognised(void **state)
{
	const struct synpaws_mirror_config config = usual("3.10", evidence_of(state));
	const bool shown = evidence_of(state) != SYNPAWS_EVIDENCE_CLOSE;
	struct talk low = low_of(&config);
	struct synpaws_outcome outcome = ask(&low, (struct say){ .tsval = 1000 }, COOKIE);

	expect_fate(outcome.fate, shown ? SYNPAWS_FATE_COOKIE : SYNPAWS_FATE_PAWS_DROP);
	assert_int_equal(outcome.contradicted, shown);
	assert_int_equal(outcome.answer, shown ? SYNPAWS_ANSWER_COOKIE : SYNPAWS_ANSWER_UNSEEN);
	assert_int_equal(stats_of(mirror).contradicted, shown);
	end();
}

/* Between two hosts of one machine: only what comes in is a SYN to judge. */
static void test_way(void **state)
{
	static const uint8_t ways[] = { SYNPAWS_WAY_OUT, SYNPAWS_WAY_IN, SYNPAWS_WAY_ANY };
	size_t i;

	for (i = 0; i < COUNT(ways); i++) {
		struct talk talk;

		mirror = begin("4.x", evidence_of(state));
		talk = talk_between(mirror, HOST_B, 40000, HOST, PORT);
		talk.way = ways[i];
		talk_syn(&talk, 1000);
		synpaws_mirror_flush(mirror);
		assert_int_equal(heard.count, ways[i] != SYNPAWS_WAY_OUT);
		end();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH_EVIDENCE(test_cookies_always),
		EACH_EVIDENCE(test_md5),
		EACH_EVIDENCE(test_timestamps_off),
		EACH_EVIDENCE(test_closed_port_told),
		EACH_EVIDENCE(test_closed_port_learnt),
		EACH_EVIDENCE(test_cookie_is_recognised),
		EACH_EVIDENCE(test_way),
	};

	return cmocka_run_group_tests_name("mirror: listeners", tests, NULL, NULL);
}
