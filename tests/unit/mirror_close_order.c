/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds the mirror to what resets, FINs that cross, and second thoughts do to a closing: what a
 * RST leaves in each state, who closed first whatever was seen first, and what the host's answers
 * undo.
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

static struct talk next_talk(uint16_t port)
{
	return talk_between(mirror, PEER, port, HOST, PORT);
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

/* Nothing that still comes of the connection is recorded any more. */
static void expect_over(struct talk *talk)
{
	const uint64_t records = stats_of(mirror).records;

	IN(talk, .tsval = 2030);
	IN(talk, .flags = FIN, .tsval = 2040);
	IN(talk, .tsval = 2050);
	assert_int_equal(stats_of(mirror).records, records);
}

/*
 * How far a connection gets before its reset, and what the host remembers then. A mini-socket
 * resets nothing of its own accord.
 */
struct stage {
	void (*reach)(struct talk *talk);
	uint32_t tsval;
	bool mini;
};

static void reach_handshake(struct talk *talk)
{
	talk_syn(talk, 1000);
	OUT(talk, .flags = SYN);
}

static void reach_open(struct talk *talk)
{
	talk_open(talk, 1000);
}

static void reach_fin_wait1(struct talk *talk)
{
	talk_until_fin(talk, 1000);
}

static void reach_fin_wait2(struct talk *talk)
{
	half_close(SYNPAWS_NEVER);
	talk_until_fin(talk, 1000);
	IN(talk, .tsval = 1030);
}

static void reach_orphan(struct talk *talk)
{
	talk_until_fin(talk, 1000);
	IN(talk, .tsval = 1030);
}

static void reach_closing(struct talk *talk)
{
	talk_until_fin(talk, 1000);
	IN(talk, .flags = FIN, .tsval = 1040, .ack = -1);
	OUT(talk);
}

static void reach_last_ack(struct talk *talk)
{
	talk_open(talk, 1000);
	IN(talk, .flags = FIN, .tsval = 1030);
	OUT(talk, .flags = FIN);
}

static void reach_time_wait(struct talk *talk)
{
	talk_whole(talk, 1000);
}

static const struct stage stages[] = {
	{ reach_handshake, 0, false }, { reach_open, 0, false },
	{ reach_fin_wait1, 0, false }, { reach_fin_wait2, 0, false },
	{ reach_orphan, 1030, true },  { reach_closing, 0, false },
	{ reach_last_ack, 0, false },  { reach_time_wait, 1040, true },
};

static void expect_stage(const struct talk *talk, const struct stage *stage)
{
	if (stage->tsval == 0)
		expect_nothing(talk);
	else
		expect_record(talk, stage->tsval, 0);
}

/* A RST of either side ends it; its own TSval is never taken. */
static void test_resets(void **state)
{
	size_t i, from_host;

	for (i = 0; i < COUNT(stages); i++) {
		for (from_host = 0; from_host < 2U - stages[i].mini; from_host++) {
			struct talk talk = start(state);

			stages[i].reach(&talk);
			if (from_host)
				OUT(&talk, .flags = RST, .bare = true);
			else
				IN(&talk, .flags = RST, .tsval = 1900);
			expect_stage(&talk, &stages[i]);
			expect_over(&talk);
			expect_stage(&talk, &stages[i]);
			assert_int_equal(stats_of(mirror).undone, 0);
			end();
		}
	}
}

/* SO_LINGER with 0 closes by a RST, and no FIN was ever sent. */
static void test_linger(void **state)
{
	struct talk talk = start(state);

	talk_open(&talk, 1000);
	OUT(&talk, .flags = RST, .bare = true);
	expect_over(&talk);
	expect_nothing(&talk);
	end();
}

/* A RST that is not for this connection's window says nothing of it. */
static void test_stray_reset(void **state)
{
	struct talk talk = start(state);

	talk_until_fin(&talk, 1000);
	IN(&talk, .flags = RST, .bare = true, .seq = 500 << 7 | 1);
	IN(&talk, .flags = RST, .bare = true, .seq = -200);
	IN(&talk, .tsval = 1030);
	expect_record(&talk, 1030, 0);
	IN(&talk, .flags = RST, .bare = true, .seq = 500 << 7 | 1);
	IN(&talk, .flags = FIN, .tsval = 1040);
	expect_record(&talk, 1040, 0);
	end();
}

/* The host's FIN left before the peer's came in, but a capture has them in the other order. */
static void test_crossing_fins_seen_late(void **state)
{
	struct talk talk = start(state);

	talk_open(&talk, 1000);
	IN(&talk, .flags = FIN, .tsval = 1040);
	OUT(&talk, .flags = FIN, .ack = -1);
	expect_nothing(&talk);
	OUT(&talk);
	wait_ms(1000);
	IN(&talk, .tsval = 1050);
	expect_record(&talk, 1050, 1);
	end();
}

/* Its TSval counts, where the ACK that ends CLOSING has none. */
static void test_crossing_fin_seen_first_has_the_tsval(void **state)
{
	struct talk talk = start(state);

	talk_open(&talk, 1000);
	IN(&talk, .flags = FIN, .tsval = 1040);
	talk.ts_recent = 1020; /* the host's FIN left before */
	OUT(&talk, .flags = FIN, .ack = -1);
	wait_ms(1000);
	IN(&talk, .bare = true);
	expect_record(&talk, 1040, 0);
	end();
}

/* The peer closed first, and its FIN was seen again, or only after the host's. */
static void test_fin_that_the_host_has_acknowledged(void **state)
{
	struct talk talk = start(state);

	talk_open(&talk, 1000);
	IN(&talk, .flags = FIN, .tsval = 1030);
	OUT(&talk);
	OUT(&talk, .flags = FIN);
	IN(&talk, .flags = FIN, .tsval = 1035, .seq = -1);
	IN(&talk, .tsval = 1040);
	expect_nothing(&talk);
	end();
}

/* A FIN that finds no mini-socket is answered by a RST: the write did not happen. */
static void test_reset_undoes_the_fin(void **state)
{
	struct talk talk = start(state);

	talk_until_fin(&talk, 1000);
	IN(&talk, .tsval = 1030);
	wait_ms(2000);
	IN(&talk, .flags = FIN, .tsval = 3040);
	expect_record(&talk, 3040, 2);
	OUT(&talk, .flags = RST, .bare = true);
	expect_record(&talk, 1030, 0);
	assert_int_equal(stats_of(mirror).undone, 1);
	end();
}

/* Its sequence number tells which segment it answers. */
static void test_other_resets_undo_nothing(void **state)
{
	struct talk talk = start(state);

	talk_until_fin(&talk, 1000);
	IN(&talk, .tsval = 1030);
	IN(&talk, .flags = FIN, .tsval = 1040);
	OUT(&talk, .flags = RST, .bare = true, .seq = 1);
	expect_record(&talk, 1040, 0);
	end();
	talk = start(state);
	talk_until_fin(&talk, 1000);
	IN(&talk, .tsval = 1030);
	IN(&talk, .flags = FIN, .tsval = 1040);
	IN(&talk, .tsval = 1050);
	OUT(&talk, .flags = RST, .bare = true);
	expect_record(&talk, 1040, 0);
	assert_int_equal(stats_of(mirror).undone, 0);
	end();
}

/* What another connection has written since stays. */
static void test_undo_leaves_a_newer_record(void **state)
{
	struct talk talk = start(state), other = next_talk(40001);

	talk_until_fin(&other, 5000);
	talk_until_fin(&talk, 1000);
	IN(&talk, .tsval = 1030);
	IN(&talk, .flags = FIN, .tsval = 1040);
	IN(&other, .tsval = 5030);
	OUT(&talk, .flags = RST, .bare = true);
	expect_record(&talk, 5030, 0);
	assert_int_equal(stats_of(mirror).undone, 0);
	end();
}

/* ... even if it differs by its second alone. */
static void test_undo_leaves_a_newer_second(void **state)
{
	struct talk talk = start(state), other = next_talk(40001);

	talk_until_fin(&other, 1000);
	talk_until_fin(&talk, 1000);
	IN(&talk, .tsval = 1030);
	IN(&talk, .flags = FIN, .tsval = 1040);
	wait_ms(1000);
	IN(&other, .tsval = 1040);
	OUT(&talk, .flags = RST, .bare = true);
	expect_record(&talk, 1040, 1);
	end();
}

/* A FIN that was acknowledged was taken, whatever comes later. */
static void test_acknowledged_fin_is_not_undone(void **state)
{
	struct talk talk;

	if (evidence_of(state) == SYNPAWS_EVIDENCE_CLOSE)
		return;
	talk = start(state);
	talk_whole(&talk, 1000);
	OUT(&talk, .flags = RST, .bare = true);
	expect_record(&talk, 1040, 0);
	end();
}

/* A stamp that was made by what is undone is none. */
static void test_undo_of_the_first_record(void **state)
{
	struct talk talk = start(state);

	talk_until_fin(&talk, 1000);
	IN(&talk, .flags = FIN, .tsval = 1040);
	OUT(&talk, .flags = RST, .bare = true);
	expect_nothing(&talk);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH_EVIDENCE(test_resets),
		EACH_EVIDENCE(test_linger),
		EACH_EVIDENCE(test_stray_reset),
		EACH_EVIDENCE(test_crossing_fins_seen_late),
		EACH_EVIDENCE(test_crossing_fin_seen_first_has_the_tsval),
		EACH_EVIDENCE(test_fin_that_the_host_has_acknowledged),
		EACH_EVIDENCE(test_reset_undoes_the_fin),
		EACH_EVIDENCE(test_other_resets_undo_nothing),
		EACH_EVIDENCE(test_undo_leaves_a_newer_record),
		EACH_EVIDENCE(test_undo_leaves_a_newer_second),
		EACH_EVIDENCE(test_acknowledged_fin_is_not_undone),
		EACH_EVIDENCE(test_undo_of_the_first_record),
	};

	return cmocka_run_group_tests_name("mirror: resets, crossings, second thoughts", tests,
					   NULL, NULL);
}
