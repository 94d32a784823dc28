/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds the mirror to what real kernels remember when a connection ends, row by row as traces of
 * them tell (TSvals: SYN 1000, handshake 1010, request 1020, ACK of the host's FIN 1030, FIN 1040),
 * on each evidence that shows closings. A row that no packet decides is told to the mirror.
 */
#include "unit.h"

#include "conversation.h"

/* As many kernels do it; mirror_close_kernels.c has what they do not share. */
#define KERNEL "4.x"

static struct synpaws_mirror *mirror;

static struct talk start(void **state)
{
	mirror = begin(KERNEL, evidence_of(state));
	return talk_between(mirror, PEER, 40000, HOST, PORT);
}

/* A service that calls shutdown() and reads on, and never close() unless told. */
static struct talk start_half_close(void **state, uint32_t seconds)
{
	struct talk talk = start(state);

	synpaws_mirror_tell(mirror, PORT, SYNPAWS_FACT_HALF_CLOSE, true, seconds,
			    SYNPAWS_SOURCE_TOLD);
	return talk;
}

static void end(void)
{
	synpaws_mirror_free(mirror);
}

/* E1a, then E3: the ACK that covers the FIN of an orphan, and the FIN three seconds later. */
static void test_close(void **state)
{
	struct talk talk = start(state);

	talk_until_fin(&talk, 1000);
	expect_nothing(&talk);
	IN(&talk, .tsval = 1030);
	expect_record(&talk, 1030, 0);
	wait_ms(3000);
	IN(&talk, .flags = FIN, .tsval = 4040);
	expect_record(&talk, 4040, 3);
	OUT(&talk, .mini = true);
	expect_record(&talk, 4040, 3);
	assert_int_equal(stats_of(mirror).records, 2);
	assert_int_equal(stats_of(mirror).undone, 0);
	end();
}

/* A capture holds more than the rules for an evidence would show: that is left out. */
static void test_what_is_shown(void **state)
{
	static const uint64_t segments[SYNPAWS_EVIDENCE_KINDS] = { 1, 4, 6, 9 };
	struct talk talk = start(state);

	talk_whole(&talk, 1000);
	assert_int_equal(stats_of(mirror).segments, segments[evidence_of(state)]);
	assert_int_equal(stats_of(mirror).syns, 1);
	end();
}

/* E2: the full socket gets both at once. */
static void test_one_segment_acknowledges_and_ends(void **state)
{
	struct talk talk = start(state);

	talk_until_fin(&talk, 1000);
	wait_ms(1000);
	IN(&talk, .flags = FIN, .tsval = 1040);
	expect_record(&talk, 1040, 1);
	assert_int_equal(stats_of(mirror).records, 1);
	end();
}

static void test_fin_not_covered_yet(void **state)
{
	struct talk talk = start(state);

	talk_open(&talk, 1000);
	OUT(&talk, .flags = FIN, .payload = 41);
	IN(&talk, .tsval = 1030, .ack = -1);
	expect_nothing(&talk);
	IN(&talk, .tsval = 1031, .ack = -42);
	expect_nothing(&talk);
	IN(&talk, .tsval = 1035);
	expect_record(&talk, 1035, 0);
	end();
}

static void test_fin_never_acknowledged(void **state)
{
	struct talk talk = start(state);

	talk_until_fin(&talk, 1000);
	wait_ms(200);
	OUT(&talk, .flags = FIN, .seq = -1);
	wait_ms(400);
	OUT(&talk, .flags = FIN, .seq = -1);
	pass_ms(mirror, 30000);
	expect_nothing(&talk);
	end();
}

static void test_peer_never_ends(void **state)
{
	struct talk talk = start(state);

	talk_until_fin(&talk, 1000);
	IN(&talk, .tsval = 1030);
	pass_ms(mirror, 59000);
	expect_record(&talk, 1030, 0);
	assert_int_equal(probe(&talk).wait, 1);
	pass_ms(mirror, 1000);
	expect_record(&talk, 1030, 0);
	expect_fate(probe(&talk).fate, SYNPAWS_FATE_PASS);
	end();
}

/* E4 */
static void test_simultaneous_close(void **state)
{
	struct talk talk = start(state);

	talk_until_fin(&talk, 1000);
	IN(&talk, .flags = FIN, .tsval = 1040, .ack = -1);
	expect_nothing(&talk);
	OUT(&talk);
	expect_nothing(&talk);
	wait_ms(2000);
	IN(&talk, .tsval = 1050);
	expect_record(&talk, 1050, 2);
	end();
}

/* It does not matter who owns the socket. */
static void test_simultaneous_shutdown(void **state)
{
	struct talk talk = start_half_close(state, SYNPAWS_NEVER);

	talk_until_fin(&talk, 1000);
	IN(&talk, .flags = FIN, .tsval = 1040, .ack = -1);
	OUT(&talk);
	expect_nothing(&talk);
	IN(&talk, .tsval = 1050);
	expect_record(&talk, 1050, 0);
	end();
}

/* The socket still has an owner: nothing but the peer's FIN ends FIN_WAIT2. */
static void test_shutdown(void **state)
{
	struct talk talk = start_half_close(state, SYNPAWS_NEVER);

	talk_until_fin(&talk, 1000);
	IN(&talk, .tsval = 1030);
	pass_ms(mirror, 120000);
	expect_nothing(&talk);
	IN(&talk, .flags = FIN, .tsval = 1040);
	expect_record(&talk, 1040, 120);
	end();
}

static void test_data_after_shutdown(void **state)
{
	struct talk talk = start_half_close(state, SYNPAWS_NEVER);

	talk_until_fin(&talk, 1000);
	IN(&talk, .tsval = 1030);
	IN(&talk, .tsval = 1050, .payload = 10);
	OUT(&talk);
	expect_nothing(&talk);
	IN(&talk, .flags = FIN, .tsval = 1060);
	expect_record(&talk, 1060, 0);
	end();
}

static void test_data_and_fin_after_shutdown(void **state)
{
	struct talk talk = start_half_close(state, SYNPAWS_NEVER);

	talk_until_fin(&talk, 1000);
	IN(&talk, .tsval = 1030);
	IN(&talk, .flags = FIN, .tsval = 1050, .payload = 10);
	expect_record(&talk, 1050, 0);
	end();
}

/* The FIN is taken when nothing is missing before it; its own TSval came out of order. */
static void test_fin_before_missing_data(void **state)
{
	struct talk talk = start_half_close(state, SYNPAWS_NEVER);

	talk_until_fin(&talk, 1000);
	IN(&talk, .tsval = 1030);
	IN(&talk, .flags = FIN, .tsval = 1060, .seq = 10);
	OUT(&talk);
	expect_nothing(&talk);
	wait_ms(1000);
	IN(&talk, .tsval = 1050, .payload = 10);
	expect_record(&talk, 1050, 1);
	end();
}

/* As before with several pieces, in the worst order that fits. */
static void test_fin_before_two_missing_pieces(void **state)
{
	struct talk talk = start_half_close(state, SYNPAWS_NEVER);

	talk_until_fin(&talk, 1000);
	IN(&talk, .tsval = 1030);
	IN(&talk, .flags = FIN, .tsval = 1090, .seq = 30, .payload = 10);
	IN(&talk, .tsval = 1080, .seq = 10, .payload = 10);
	IN(&talk, .tsval = 1040, .payload = 10);
	OUT(&talk, .ack = 10);
	expect_nothing(&talk);
	IN(&talk, .tsval = 1070, .seq = 10, .payload = 10);
	expect_record(&talk, 1070, 0);
	end();
}

/* E1b: no packet tells of the close(); the application was said to call it two seconds later. */
static void test_shutdown_then_close(void **state)
{
	struct talk talk = start_half_close(state, 2);

	talk_until_fin(&talk, 1000);
	IN(&talk, .tsval = 1030);
	pass_ms(mirror, 1990);
	expect_nothing(&talk);
	pass_ms(mirror, 20);
	expect_record(&talk, 1030, 0);
	wait_ms(1000);
	IN(&talk, .flags = FIN, .tsval = 3500);
	expect_record(&talk, 3500, 3);
	end();
}

/* The application has called close() before the FIN is acknowledged: then it is an orphan's. */
static void test_shutdown_then_close_before_the_ack(void **state)
{
	struct talk talk = start_half_close(state, 2);

	talk_until_fin(&talk, 1000);
	pass_ms(mirror, 3000);
	expect_nothing(&talk);
	IN(&talk, .tsval = 1030);
	expect_record(&talk, 1030, 3);
	end();
}

/* A close() that comes behind the peer's FIN finds a TIME_WAIT already. */
static void test_shutdown_then_close_after_the_fin(void **state)
{
	struct talk talk = start_half_close(state, 2);

	talk_until_fin(&talk, 1000);
	IN(&talk, .tsval = 1030);
	IN(&talk, .flags = FIN, .tsval = 1040);
	pass_ms(mirror, 3000);
	expect_record(&talk, 1040, 0);
	assert_int_equal(stats_of(mirror).records, 1);
	end();
}

/* What was to come for a connection does not come for the next one between the same ends. */
static void test_close_of_the_connection_before(void **state)
{
	struct talk talk = start_half_close(state, 2);

	talk_until_fin(&talk, 500);
	IN(&talk, .tsval = 530);
	IN(&talk, .flags = RST, .bare = true);
	wait_ms(1500);
	talk.peer_next += 100000;
	talk_until_fin(&talk, 1000);
	IN(&talk, .tsval = 1030);
	pass_ms(mirror, 1000);
	expect_nothing(&talk);
	pass_ms(mirror, 1100);
	expect_record(&talk, 1030, 1);
	end();
}

/* The peer closes first: nothing, and what there was is neither raised nor refreshed. */
static void test_peer_closes_first(void **state)
{
	struct talk talk = start(state), other;

	other = talk_between(mirror, PEER, 40001, HOST, PORT);
	talk_open(&talk, 1000);
	IN(&talk, .flags = FIN, .tsval = 1030);
	OUT(&talk, .flags = FIN);
	IN(&talk, .tsval = 1040);
	expect_nothing(&talk);
	talk_whole(&other, 500);
	talk = talk_between(mirror, PEER, 40002, HOST, PORT);
	wait_ms(2000);
	talk_open(&talk, 2000);
	IN(&talk, .flags = FIN, .tsval = 2030);
	OUT(&talk);
	OUT(&talk, .flags = FIN);
	IN(&talk, .tsval = 2040);
	expect_record(&talk, 540, 0);
	end();
}

static void test_time_wait_records_nothing(void **state)
{
	struct talk talk = start(state);

	talk_whole(&talk, 1000);
	expect_record(&talk, 1040, 0);
	IN(&talk, .flags = FIN, .tsval = 1400, .seq = -1);
	OUT(&talk, .mini = true);
	IN(&talk, .tsval = 1500);
	wait_ms(2000);
	IN(&talk, .flags = FIN, .tsval = 1600);
	IN(&talk, .flags = FIN, .tsval = 1700, .payload = 10);
	expect_record(&talk, 1040, 0);
	assert_int_equal(stats_of(mirror).records, 2);
	end();
}

/* Port 8000 of the traces: the orphan resets, what the ACK has left stays. */
static void test_data_behind_a_close(void **state)
{
	struct talk talk = start(state);

	talk_until_fin(&talk, 1000);
	IN(&talk, .tsval = 1030);
	IN(&talk, .tsval = 1050, .payload = 10);
	OUT(&talk, .flags = RST, .bare = true);
	expect_record(&talk, 1030, 0);
	IN(&talk, .flags = FIN, .tsval = 1060);
	expect_record(&talk, 1030, 0);
	end();
}

static void test_data_and_fin_behind_a_close(void **state)
{
	struct talk talk = start(state);

	talk_until_fin(&talk, 1000);
	IN(&talk, .tsval = 1030);
	IN(&talk, .flags = FIN, .tsval = 1050, .payload = 10);
	expect_record(&talk, 1030, 0);
	OUT(&talk, .flags = RST, .bare = true);
	expect_record(&talk, 1030, 0);
	end();
}

static void test_data_covers_the_fin_of_a_close(void **state)
{
	struct talk talk = start(state);

	talk_until_fin(&talk, 1000);
	IN(&talk, .tsval = 1030, .payload = 10);
	OUT(&talk, .flags = RST, .bare = true);
	expect_nothing(&talk);
	IN(&talk, .flags = FIN, .tsval = 1040);
	expect_nothing(&talk);
	end();
}

/* Data that the host has had before is nothing new. */
static void test_old_data_covers_the_fin_of_a_close(void **state)
{
	struct talk talk = start(state);

	talk_until_fin(&talk, 1000);
	IN(&talk, .tsval = 1030, .payload = 100, .seq = -100);
	expect_record(&talk, 1030, 0);
	end();
}

static void test_without_timestamps(void **state)
{
	struct talk talk = start(state), other;

	talk.bare = true;
	talk_whole(&talk, 1000);
	other = talk_between(mirror, PEER, 40001, HOST, PORT);
	expect_nothing(&other);
	talk_whole(&other, 500);
	wait_ms(1000);
	talk = talk_between(mirror, PEER, 40002, HOST, PORT);
	talk.bare = true;
	talk_whole(&talk, 1000);
	expect_record(&other, 540, 0);
	end();
}

/* Timestamps are an option of both: a host that does not echo has none. */
static void test_timestamps_not_agreed(void **state)
{
	struct talk talk = start(state);

	talk_syn(&talk, 1000);
	OUT(&talk, .flags = SYN, .bare = true);
	IN(&talk, .bare = true, .payload = 100);
	OUT(&talk, .bare = true);
	OUT(&talk, .flags = FIN, .bare = true);
	IN(&talk, .tsval = 1030);
	IN(&talk, .flags = FIN, .tsval = 1040);
	expect_nothing(&talk);
	end();
}

static void test_low_connection_outlives_a_high_one(void **state)
{
	struct talk low = start(state);
	struct talk high = talk_between(mirror, PEER, 40001, HOST, PORT);

	talk_open(&low, 1000);
	talk_whole(&high, 90000);
	wait_ms(1000);
	OUT(&low, .flags = FIN);
	IN(&low, .tsval = 1030);
	IN(&low, .flags = FIN, .tsval = 1040);
	expect_record(&low, 90040, 0);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH_EVIDENCE(test_close),
		EACH_EVIDENCE(test_what_is_shown),
		EACH_EVIDENCE(test_one_segment_acknowledges_and_ends),
		EACH_EVIDENCE(test_fin_not_covered_yet),
		EACH_EVIDENCE(test_fin_never_acknowledged),
		EACH_EVIDENCE(test_peer_never_ends),
		EACH_EVIDENCE(test_simultaneous_close),
		EACH_EVIDENCE(test_simultaneous_shutdown),
		EACH_EVIDENCE(test_shutdown),
		EACH_EVIDENCE(test_data_after_shutdown),
		EACH_EVIDENCE(test_data_and_fin_after_shutdown),
		EACH_EVIDENCE(test_fin_before_missing_data),
		EACH_EVIDENCE(test_fin_before_two_missing_pieces),
		EACH_EVIDENCE(test_shutdown_then_close),
		EACH_EVIDENCE(test_shutdown_then_close_before_the_ack),
		EACH_EVIDENCE(test_shutdown_then_close_after_the_fin),
		EACH_EVIDENCE(test_close_of_the_connection_before),
		EACH_EVIDENCE(test_peer_closes_first),
		EACH_EVIDENCE(test_time_wait_records_nothing),
		EACH_EVIDENCE(test_data_behind_a_close),
		EACH_EVIDENCE(test_data_and_fin_behind_a_close),
		EACH_EVIDENCE(test_data_covers_the_fin_of_a_close),
		EACH_EVIDENCE(test_old_data_covers_the_fin_of_a_close),
		EACH_EVIDENCE(test_without_timestamps),
		EACH_EVIDENCE(test_timestamps_not_agreed),
		EACH_EVIDENCE(test_low_connection_outlives_a_high_one),
	};

	return cmocka_run_group_tests_name("mirror: what closings leave", tests, NULL, NULL);
}
