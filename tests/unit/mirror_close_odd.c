/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds the mirror to what real kernels remember when the segments that end a connection are odd:
 * old, without timestamps, behind a hole or outside the window. TSvals as in mirror_close.c.
 */
#include "unit.h"

#include "conversation.h"

#define KERNEL "4.x"

static struct synpaws_mirror *mirror;

static struct talk start(void **state)
{
	mirror = begin(KERNEL, evidence_of(state));
	return talk_between(mirror, PEER, 40000, HOST, PORT);
}

static void end(void)
{
	synpaws_mirror_free(mirror);
}

static void test_ack_without_timestamp(void **state)
{
	struct talk talk = start(state);

	talk_open(&talk, 1000);
	OUT(&talk, .flags = FIN);
	IN(&talk, .bare = true);
	assert_true(probe(&talk).recorded);
	assert_int_equal(probe(&talk).recorded_tsval, 1020);
	end();
}

/* ... and with the second in which the value came, where all is seen (case y of the traces). */
static void test_ack_without_timestamp_is_as_old_as_the_value(void **state)
{
	struct talk talk;

	(void)state;
	mirror = begin(KERNEL, SYNPAWS_EVIDENCE_FULL);
	talk = talk_between(mirror, PEER, 40000, HOST, PORT);
	talk_open(&talk, 1000);
	wait_ms(2000);
	OUT(&talk, .flags = FIN);
	IN(&talk, .bare = true);
	expect_record(&talk, 1020, 0);
	end();
}

static void test_old_ack(void **state)
{
	struct talk talk = start(state);

	talk_until_fin(&talk, 1000);
	IN(&talk, .tsval = 1015);
	OUT(&talk);
	expect_nothing(&talk);
	wait_ms(1000);
	IN(&talk, .tsval = 1016, .flags = FIN);
	talk.peer_next--;
	expect_nothing(&talk);
	IN(&talk, .tsval = 1025);
	expect_record(&talk, 1025, 1);
	end();
}

/* One tick is within PAWS' window, but no value to keep. */
static void test_ack_older_by_a_tick(void **state)
{
	struct talk talk = start(state);

	talk_until_fin(&talk, 1000);
	IN(&talk, .tsval = 1019);
	expect_record(&talk, 1020, 0);
	end();
}

static void test_ack_behind_a_hole(void **state)
{
	struct talk talk = start(state);

	talk_until_fin(&talk, 1000);
	IN(&talk, .tsval = 1030, .seq = 10);
	expect_record(&talk, 1020, 0);
	end();
}

static void test_ack_before_the_window(void **state)
{
	struct talk talk = start(state);

	talk_until_fin(&talk, 1000);
	IN(&talk, .tsval = 1030, .seq = -1);
	expect_nothing(&talk);
	IN(&talk, .tsval = 1031, .seq = 500 << 7);
	expect_record(&talk, 1020, 0);
	end();
}

static void test_ack_behind_the_window(void **state)
{
	struct talk talk = start(state);

	talk_until_fin(&talk, 1000);
	IN(&talk, .tsval = 1030, .seq = (500 << 7) + 1);
	expect_nothing(&talk);
	end();
}

static void test_old_fin(void **state)
{
	struct talk talk = start(state);

	talk_until_fin(&talk, 1000);
	IN(&talk, .tsval = 1030);
	wait_ms(1000);
	IN(&talk, .flags = FIN, .tsval = 1025);
	expect_record(&talk, 1030, 0);
	talk.peer_next--;
	IN(&talk, .flags = FIN, .tsval = 1030);
	expect_record(&talk, 1030, 1);
	end();
}

/* The mini-socket's old value, with its old second. */
static void test_fin_without_timestamp(void **state)
{
	struct talk talk = start(state);

	talk_until_fin(&talk, 1000);
	IN(&talk, .tsval = 1030);
	wait_ms(1000);
	IN(&talk, .flags = FIN, .bare = true);
	expect_record(&talk, 1030, 0);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH_EVIDENCE(test_ack_without_timestamp),
		EACH_EVIDENCE(test_old_ack),
		EACH_EVIDENCE(test_ack_older_by_a_tick),
		EACH_EVIDENCE(test_ack_behind_a_hole),
		EACH_EVIDENCE(test_ack_before_the_window),
		EACH_EVIDENCE(test_ack_behind_the_window),
		EACH_EVIDENCE(test_old_fin),
		EACH_EVIDENCE(test_fin_without_timestamp),
		cmocka_unit_test(test_ack_without_timestamp_is_as_old_as_the_value),
	};

	return cmocka_run_group_tests_name("mirror: odd segments at the end", tests, NULL, NULL);
}
