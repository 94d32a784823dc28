/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds the mirror to what time and silence tell: a host that gives up a peer, an answer that comes
 * too late, silence of hosts that may be far away, and SYNs that crowd the room for outcomes.
 */
#include "unit.h"

#include "conversation.h"

static struct synpaws_mirror *mirror;

static void end(void)
{
	synpaws_mirror_free(mirror);
}

static bool sees_answers(void **state)
{
	return evidence_of(state) != SYNPAWS_EVIDENCE_CLOSE;
}

/* tcp_tw_recycle as told; the peer's record is at 90040, of the host or of one behind it. */
static void start_at(int8_t recycle, bool forwarded, size_t flows, void **state)
{
	struct synpaws_mirror_config config = usual("4.x", evidence_of(state));
	struct talk high;

	config.sysctls.tcp_tw_recycle = recycle;
	config.flows = flows;
	mirror = begin_with(&config);
	high = talk_between(mirror, PEER, 30000, HOST, PORT);
	high.forwarded = forwarded;
	talk_whole(&high, 90000);
	synpaws_mirror_flush(mirror);
	heard.count = 0;
}

static void start(int8_t recycle, void **state)
{
	start_at(recycle, false, 1000, state);
}

static struct talk by_port(uint16_t port)
{
	return talk_between(mirror, PEER, port, HOST, PORT);
}

/* A SYN that gets no answer, or of which none is seen. */
static struct synpaws_outcome ask_alone(const struct talk *talk)
{
	return ask(talk, (struct say){ .tsval = 1000 }, NOTHING);
}

/* The host's FIN, which is sent again after 200, 400 ms and so on. */
static void send_fins(struct talk *talk, unsigned int times)
{
	uint64_t pause = 200;

	OUT(talk, .flags = FIN);
	for (; times > 0; times--, pause *= 2) {
		wait_ms(pause);
		OUT(talk, .flags = FIN, .seq = -1);
	}
}

/* As long as the FIN comes again the connection is there; when the next is overdue it is not. */
static void test_gives_up_a_fin(void **state)
{
	size_t passive;

	for (passive = 0; passive < 2; passive++) {
		struct synpaws_outcome outcome;
		struct talk talk;

		start(1, state);
		talk = by_port(40000);
		talk_open(&talk, 91000);
		if (passive)
			IN(&talk, .flags = FIN, .tsval = 91025);
		send_fins(&talk, 6);
		wait_ms(11000); /* of 12.8 s */
		outcome = ask_alone(&talk);
		expect_fate(outcome.fate, SYNPAWS_FATE_OLD_CONNECTION);
		assert_false(outcome.guess);
		wait_ms(1800);
		OUT(&talk, .flags = FIN, .seq = -1);
		wait_ms(25000); /* of 25.6 s */
		expect_fate(ask_alone(&talk).fate, SYNPAWS_FATE_OLD_CONNECTION);
		wait_ms(6000);
		outcome = ask_alone(&talk);
		expect_fate(outcome.fate, SYNPAWS_FATE_PAWS_DROP);
		assert_int_equal(outcome.guess, !sees_answers(state)); /* silence tells */
		end();
	}
}

/* A FIN that was never sent again was lost for good, or the host was. */
static void test_gives_up_a_single_fin(void **state)
{
	struct synpaws_outcome outcome;
	struct talk talk;

	start(1, state);
	talk = by_port(40000);
	talk_until_fin(&talk, 91000);
	wait_ms(4000);
	expect_fate(ask_alone(&talk).fate, SYNPAWS_FATE_OLD_CONNECTION);
	wait_ms(1500);
	outcome = ask_alone(&talk);
	expect_fate(outcome.fate, SYNPAWS_FATE_PAWS_DROP);
	assert_int_equal(outcome.guess, !sees_answers(state));
	end();
}

/* Silence has said that the check is on; then the answer comes, and it was none. */
static void test_a_late_answer_takes_silence_back(void **state)
{
	struct talk talk;

	if (!sees_answers(state))
		return;
	start(-1, state);
	talk = by_port(40000);
	talk_syn(&talk, 1000);
	pass_ms(mirror, 150);
	assert_int_equal(heard.count, 1);
	assert_true(stats_of(mirror).checking);
	OUT(&talk, .flags = SYN);
	assert_false(stats_of(mirror).checking);
	/* It counts once. */
	OUT(&talk, .flags = SYN, .seq = -1);
	talk = by_port(40001);
	expect_fate(ask(&talk, (struct say){ .tsval = 1000 }, NOTHING).fate,
		    SYNPAWS_FATE_PAWS_DROP);
	assert_true(stats_of(mirror).checking);
	end();
}

/* Behind a gateway the answer may still be on its way: what rests on silence is a guess. */
static void test_silence_from_afar(void **state)
{
	size_t afar;

	for (afar = 0; afar < 2; afar++) {
		struct synpaws_outcome outcome;
		struct talk talk;

		start_at(1, afar != 0, 1000, state);
		talk = by_port(40000);
		talk.forwarded = afar != 0;
		talk_until_fin(&talk, 91000);
		IN(&talk, .tsval = 91030);
		IN(&talk, .flags = FIN, .tsval = 91040);
		wait_ms(720); /* of a TIME_WAIT that may be gone by now */
		outcome = ask(&talk, (struct say){ .tsval = 1000 }, NOTHING);
		assert_int_equal(outcome.guess, !sees_answers(state) || afar != 0);
		assert_false(outcome.contradicted);
		end();
	}
}

/* SYNs of one 4-tuple, more of them than fit: each has its outcome, in order and once. */
static void test_room_full_of_one_peer(void **state)
{
	const size_t room = 4, count = 20;
	struct talk talk;
	size_t i;

	start_at(1, false, room, state);
	talk = by_port(40000);
	for (i = 0; i < count; i++) {
		talk_syn(&talk, 1000 + (uint32_t)i);
		talk.peer_next--;
		assert_int_equal(heard.count, i < room ? 0 : i + 1 - room);
		assert_int_equal(stats_of(mirror).unsettled, heard.count);
	}
	synpaws_mirror_flush(mirror);
	assert_int_equal(heard.count, count);
	for (i = 0; i < count; i++) {
		assert_int_equal(heard.syn[i].tsval, 1000 + i);
		expect_fate(heard.outcome[i].fate, SYNPAWS_FATE_PAWS_DROP);
	}
	assert_int_equal(stats_of(mirror).unsettled, count - room);
	assert_int_equal(stats_of(mirror).syns, count + 1);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH_EVIDENCE(test_gives_up_a_fin),
		EACH_EVIDENCE(test_gives_up_a_single_fin),
		EACH_EVIDENCE(test_a_late_answer_takes_silence_back),
		EACH_EVIDENCE(test_silence_from_afar),
		EACH_EVIDENCE(test_room_full_of_one_peer),
	};

	return cmocka_run_group_tests_name("mirror: time and silence", tests, NULL, NULL);
}
