/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds the mirror to the kernel's write rule as closings show it: who may replace whose stamp and
 * when, what a clock that is set does to it, and what is too old to compare with anything.
 */
#include "unit.h"

#include "conversation.h"

static struct synpaws_mirror *mirror;
static uint16_t port;

static void start(const char *kernel, void **state)
{
	mirror = begin(kernel, evidence_of(state));
	port = 40000;
}

static struct talk talk_new(void)
{
	return talk_between(mirror, PEER, ++port, HOST, PORT);
}

static struct talk open_at(uint32_t tsval)
{
	struct talk talk = talk_new();

	talk_open(&talk, tsval);
	return talk;
}

/* The host closes it; its last TSval is `tsval`. */
static void close_at(struct talk *talk, uint32_t tsval)
{
	OUT(talk, .flags = FIN);
	IN(talk, .tsval = tsval);
	IN(talk, .flags = FIN, .tsval = tsval);
	OUT(talk, .mini = true);
}

static void to_second(uint32_t second)
{
	now_ns = (N + (uint64_t)second) * SEC + 100 * MS;
	synpaws_mirror_advance(mirror, now_ns);
}

static void end(void)
{
	synpaws_mirror_free(mirror);
}

static const char *const kernels[] = { "2.6.32", "el6", "3.2", "3.10", "3.16", "el7", "4.x" };

/* A low value replaces a high one that is more than 60 s old, not one of just 60. */
static void test_low_after_a_minute(void **state)
{
	size_t p;

	for (p = 0; p < COUNT(kernels); p++) {
		struct talk high, low, low_too;

		start(kernels[p], state);
		low = open_at(1000);
		low_too = open_at(1000);
		high = open_at(90000);
		close_at(&high, 90040);
		to_second(60);
		close_at(&low, 1040);
		expect_record(&low, 90040, 0);
		expect_fate(probe(&low).fate, SYNPAWS_FATE_PASS);
		to_second(61);
		close_at(&low_too, 1050);
		expect_record(&low, 1050, 61);
		expect_fate(probe(&low).fate, SYNPAWS_FATE_PAWS_DROP);
		end();
	}
}

/* Equal refreshes; less by one neither lowers nor refreshes. */
static void test_equal_and_less_by_one(void **state)
{
	struct talk first, less, equal;

	start("4.x", state);
	less = open_at(900);
	equal = open_at(900);
	first = open_at(1000);
	close_at(&first, 1040);
	to_second(10);
	close_at(&less, 1039);
	expect_record(&less, 1040, 0);
	to_second(20);
	close_at(&equal, 1040);
	expect_record(&equal, 1040, 20);
	end();
}

/* Values go round. */
static void test_values_wrap(void **state)
{
	struct talk first, second, third;

	start("4.x", state);
	first = open_at(0xffffff00U);
	second = open_at(0xfffffff0U);
	third = open_at(0xffffff80U);
	close_at(&first, 0xfffffff0U);
	close_at(&second, 0x10);
	expect_record(&first, 0x10, 0);
	close_at(&third, 0xfffffff8U);
	expect_record(&first, 0x10, 0);
	end();
	start("4.x", state);
	first = open_at(0);
	second = open_at(0x7ffffff0U);
	close_at(&first, 5);
	close_at(&second, 0x80000005U);
	expect_record(&first, 0x80000005U, 0);
	end();
}

/* A higher value wins though it came earlier: the stamp goes back, and protects for less. */
static void test_stamp_goes_back(void **state)
{
	struct talk low, high;

	start("4.x", state);
	low = open_at(1000);
	high = open_at(2000);
	synpaws_mirror_tell(mirror, 443, SYNPAWS_FACT_HALF_CLOSE, true, 50, SYNPAWS_SOURCE_TOLD);
	high.host_port = 443;
	high.peer_next = 5000;
	talk_until_fin(&high, 2000);
	IN(&high, .tsval = 2030);
	to_second(30);
	close_at(&low, 1040);
	expect_record(&low, 1040, 30);
	to_second(50);
	synpaws_mirror_advance(mirror, now_ns + SEC);
	expect_record(&low, 2030, 0);
	assert_int_equal(probe(&low).wait, 10);
	end();
}

/* Set back, the clock makes any stamp stale since 2.6.37, but none may go back by a low value. */
static void test_clock_set_back(void **state)
{
	size_t p;

	for (p = 0; p < COUNT(kernels); p++) {
		struct talk high, low;

		start(kernels[p], state);
		low = open_at(1000);
		high = open_at(90000);
		close_at(&high, 90040);
		ahead_ns = -(int64_t)(5 * SEC);
		expect_fate(probe(&low).fate, p < 2 ? SYNPAWS_FATE_PAWS_DROP : SYNPAWS_FATE_PASS);
		if (p < 2)
			assert_int_equal(probe(&low).wait, 65);
		assert_int_equal(probe(&low).age, -5);
		close_at(&low, 1040);
		expect_record(&low, 90040, 0);
		end();
	}
}

/* Set ahead, it makes them old at once. */
static void test_clock_set_ahead(void **state)
{
	size_t p;

	for (p = 0; p < COUNT(kernels); p++) {
		struct talk high, low;

		start(kernels[p], state);
		low = open_at(1000);
		high = open_at(90000);
		close_at(&high, 90040);
		ahead_ns = (int64_t)(100 * SEC);
		expect_fate(probe(&low).fate, SYNPAWS_FATE_PASS);
		close_at(&low, 1040);
		expect_record(&low, 1040, 100);
		end();
	}
}

/* A close() without a packet happens at a second of the wall clock too. */
static void test_wall_clock_of_a_close(void **state)
{
	struct talk high, low;

	start("4.x", state);
	synpaws_mirror_tell(mirror, 443, SYNPAWS_FACT_HALF_CLOSE, true, 2, SYNPAWS_SOURCE_TOLD);
	ahead_ns = (int64_t)(1000 * SEC);
	low = talk_between(mirror, PEER, 40100, HOST, 443);
	talk_open(&low, 1000);
	high = open_at(90000);
	close_at(&high, 90040);
	OUT(&low, .flags = FIN);
	IN(&low, .tsval = 1030);
	wait_ms(3000);
	synpaws_mirror_advance(mirror, now_ns);
	expect_record(&low, 90040, 1000);
	end();
}

/* TCP_PAWS_24DAYS: what a connection saw so long ago is compared with nothing. */
static void test_24_days(void **state)
{
	const uint32_t days = 24 * 24 * 60 * 60;
	uint32_t early;

	for (early = 0; early < 2; early++) {
		struct talk talk;

		start("3.10", state);
		synpaws_mirror_tell(mirror, PORT, SYNPAWS_FACT_HALF_CLOSE, true, SYNPAWS_NEVER,
				    SYNPAWS_SOURCE_TOLD);
		talk = open_at(1000);
		OUT(&talk, .flags = FIN);
		IN(&talk, .tsval = 1030);
		to_second(days - early);
		IN(&talk, .flags = FIN, .tsval = 10);
		if (early)
			expect_nothing(&talk);
		else
			expect_record(&talk, 10, (int32_t)days);
		end();
	}
}

/* RFC 7323, 4.3: data and FIN with no ACK of the host between, the FIN's TSval is not kept. */
static void test_fin_behind_unacknowledged_data(void **state)
{
	struct talk talk;

	start("4.x", state);
	synpaws_mirror_tell(mirror, PORT, SYNPAWS_FACT_HALF_CLOSE, true, SYNPAWS_NEVER,
			    SYNPAWS_SOURCE_TOLD);
	talk = open_at(1000);
	OUT(&talk, .flags = FIN);
	IN(&talk, .tsval = 1030);
	IN(&talk, .tsval = 1050, .payload = 10);
	IN(&talk, .flags = FIN, .tsval = 1060);
	/* Where the host's ACKs are not seen, it is thought to acknowledge at once. */
	expect_record(&talk, evidence_of(state) == SYNPAWS_EVIDENCE_CLOSE ? 1060 : 1050, 0);
	end();
}

/* The host's TSecr is its ts_recent: with it, what came before its FIN need not be seen. */
static void test_tsecr_tells_of_the_time_before(void **state)
{
	struct talk talk;

	start("4.x", state);
	talk = talk_new();
	talk.acked = talk.peer_next;
	talk.ts_recent = 7777;
	OUT(&talk, .flags = FIN);
	IN(&talk, .bare = true);
	expect_record(&talk, 7777, 0);
	end();
}

/* What was in view before is forgotten with a new connection between the same ends. */
static void test_ports_used_again(void **state)
{
	struct talk talk;

	start("4.x", state);
	talk = open_at(1000);
	close_at(&talk, 1040);
	to_second(2);
	talk.peer_next += 100000;
	talk_until_fin(&talk, 2000);
	expect_record(&talk, 1040, 0);
	IN(&talk, .tsval = 2030);
	expect_record(&talk, 2030, 2);
	IN(&talk, .flags = FIN, .tsval = 2040);
	expect_record(&talk, 2040, 2);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH_EVIDENCE(test_low_after_a_minute),
		EACH_EVIDENCE(test_equal_and_less_by_one),
		EACH_EVIDENCE(test_values_wrap),
		EACH_EVIDENCE(test_stamp_goes_back),
		EACH_EVIDENCE(test_clock_set_back),
		EACH_EVIDENCE(test_clock_set_ahead),
		EACH_EVIDENCE(test_wall_clock_of_a_close),
		EACH_EVIDENCE(test_24_days),
		EACH_EVIDENCE(test_fin_behind_unacknowledged_data),
		EACH_EVIDENCE(test_tsecr_tells_of_the_time_before),
		EACH_EVIDENCE(test_ports_used_again),
	};

	return cmocka_run_group_tests_name("mirror: what closings may write", tests, NULL, NULL);
}
