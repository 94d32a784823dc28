/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds the mirror to what becomes of a SYN's outcome while it waits for the host's answer: when it
 * is given and in which order, what each answer makes of it, and when it is a guess.
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

/* tcp_tw_recycle as told; the peer's record is at 90040. */
static void start(const char *kernel, int8_t recycle, void **state)
{
	struct synpaws_mirror_config config = usual(kernel, evidence_of(state));
	struct talk high;

	config.sysctls.tcp_tw_recycle = recycle;
	mirror = begin_with(&config);
	high = talk_between(mirror, PEER, 30000, HOST, PORT);
	talk_whole(&high, 90000);
	synpaws_mirror_flush(mirror);
	heard.count = 0;
}

static struct talk by_port(uint16_t port)
{
	return talk_between(mirror, PEER, port, HOST, PORT);
}

/* Nothing before 100 ms, then all that is due. */
static void test_not_before_its_time(void **state)
{
	struct talk talk;

	start("4.x", 1, state);
	talk = by_port(40000);
	talk_syn(&talk, 1000);
	now_ns -= PACE;
	synpaws_mirror_advance(mirror, now_ns + SYNPAWS_HOLD_NS - 1);
	assert_int_equal(heard.count, 0);
	synpaws_mirror_advance(mirror, now_ns + SYNPAWS_HOLD_NS);
	assert_int_equal(heard.count, 1);
	expect_fate(heard.outcome[0].fate, SYNPAWS_FATE_PAWS_DROP);
	assert_int_equal(heard.outcome[0].answer,
			 sees_answers(state) ? SYNPAWS_ANSWER_SILENCE : SYNPAWS_ANSWER_UNSEEN);
	assert_int_equal(heard.outcome[0].wait, 60);
	assert_int_equal(heard.outcome[0].behind, 89040);
	assert_int_equal(heard.outcome[0].age, 0);
	assert_int_equal(heard.syn[0].source_port, 40000);
	assert_int_equal(heard.syn[0].tsval, 1000);
	assert_int_equal(heard.syn[0].order_ns, now_ns);
	synpaws_mirror_advance(mirror, now_ns + SEC);
	synpaws_mirror_flush(mirror);
	assert_int_equal(heard.count, 1);
	end();
}

/* An answer settles its SYN at once, but the one before it goes first. */
static void test_order(void **state)
{
	struct talk first, second, third;

	start("4.x", 1, state);
	first = by_port(40000);
	second = by_port(40001);
	third = by_port(40002);
	talk_syn(&first, 99000);
	talk_syn(&second, 99000);
	talk_syn(&third, 99000);
	OUT(&second, .flags = RST, .anew = true, .bare = true);
	pass_ms(mirror, 10);
	assert_int_equal(heard.count, 0);
	OUT(&first, .flags = RST, .anew = true, .bare = true);
	pass_ms(mirror, 10);
	assert_int_equal(heard.count, 2);
	assert_int_equal(heard.syn[0].source_port, 40000);
	assert_int_equal(heard.syn[1].source_port, 40001);
	synpaws_mirror_flush(mirror);
	assert_int_equal(heard.count, 3);
	assert_int_equal(heard.syn[2].source_port, 40002);
	end();
}

/* A SYN again before the first one's answer: each has an outcome of its own. */
static void test_syn_again(void **state)
{
	struct talk talk;

	start("4.x", 1, state);
	talk = by_port(40000);
	talk_syn(&talk, 1000);
	talk.peer_next--;
	talk_syn(&talk, 1005);
	synpaws_mirror_flush(mirror);
	assert_int_equal(heard.count, 2);
	assert_int_equal(heard.syn[0].tsval, 1000);
	assert_int_equal(heard.syn[1].tsval, 1005);
	expect_fate(heard.outcome[0].fate, SYNPAWS_FATE_PAWS_DROP);
	expect_fate(heard.outcome[1].fate, SYNPAWS_FATE_PAWS_DROP);
	end();
}

/* Where there is no room to hold another, the oldest is given before its time, and counted. */
static void test_no_room(void **state)
{
	struct synpaws_mirror_config config = usual("4.x", evidence_of(state));
	uint16_t port;

	config.flows = 4;
	mirror = begin_with(&config);
	for (port = 40000; port < 40004; port++) {
		struct talk talk = by_port(port);

		talk_syn(&talk, 1000);
		assert_int_equal(heard.count, 0);
	}
	assert_int_equal(stats_of(mirror).unsettled, 0);
	for (; port < 40010; port++) {
		struct talk talk = by_port(port);

		talk_syn(&talk, 1000);
		assert_int_equal(heard.count, port - 40003);
		assert_int_equal(heard.syn[port - 40004].source_port, port - 4);
		assert_int_equal(stats_of(mirror).unsettled, port - 40003);
	}
	/* Whether they had an answer nobody knows: they stay in view, and it is said. */
	assert_int_equal(stats_of(mirror).flows_evicted, 6);
	assert_int_equal(stats_of(mirror).guesses, sees_answers(state) ? 6 : 0);
	assert_int_equal(stats_of(mirror).flows, 4);
	synpaws_mirror_flush(mirror);
	assert_int_equal(heard.count, 10);
	assert_int_equal(stats_of(mirror).syns, 10);
	end();
}

/* What answers make of predictions, on a host that has the check on. */
static const struct {
	const char *name;
	uint32_t tsval;
	enum reply reply;
	enum synpaws_fate fate;
	bool contradicted;
	enum synpaws_answer answer;
} answers[] = {
	{ "drop, silence", 1000, NOTHING, SYNPAWS_FATE_PAWS_DROP, false, SYNPAWS_ANSWER_SILENCE },
	{ "drop, SYN-ACK", 1000, SYN_ACK, SYNPAWS_FATE_PASS, true, SYNPAWS_ANSWER_SYN_ACK },
	{ "drop, cookie", 1000, COOKIE, SYNPAWS_FATE_COOKIE, true, SYNPAWS_ANSWER_COOKIE },
	{ "drop, ACK", 1000, ACK, SYNPAWS_FATE_OLD_CONNECTION, true, SYNPAWS_ANSWER_ACK },
	{ "drop, RST", 1000, RESET, SYNPAWS_FATE_CLOSED_PORT, true, SYNPAWS_ANSWER_RST },
	{ "pass, SYN-ACK", 99000, SYN_ACK, SYNPAWS_FATE_PASS, false, SYNPAWS_ANSWER_SYN_ACK },
	{ "pass, silence", 99000, NOTHING, SYNPAWS_FATE_PASS, false, SYNPAWS_ANSWER_SILENCE },
	{ "pass, ACK", 99000, ACK, SYNPAWS_FATE_OLD_CONNECTION, true, SYNPAWS_ANSWER_ACK },
	{ "pass, RST", 99000, RESET, SYNPAWS_FATE_CLOSED_PORT, true, SYNPAWS_ANSWER_RST },
};

static void test_answers(void **state)
{
	size_t i;

	for (i = 0; i < COUNT(answers); i++) {
		struct synpaws_outcome outcome;
		struct talk talk;
		bool seen;

		start("4.x", 1, state);
		talk = by_port(40000);
		outcome = ask(&talk, (struct say){ .tsval = answers[i].tsval }, answers[i].reply);
		seen = sees_answers(state) || answers[i].reply == RESET;
		if (seen && outcome.fate != answers[i].fate)
			print_error("%s\n", answers[i].name);
		if (seen)
			expect_fate(outcome.fate, answers[i].fate);
		else
			expect_fate(outcome.fate, answers[i].tsval == 1000 ? SYNPAWS_FATE_PAWS_DROP
									   : SYNPAWS_FATE_PASS);
		assert_int_equal(outcome.contradicted, seen && answers[i].contradicted);
		assert_int_equal(outcome.answer, seen ? answers[i].answer : SYNPAWS_ANSWER_UNSEEN);
		assert_int_equal(outcome.wait, outcome.fate == SYNPAWS_FATE_PAWS_DROP ? 60 : 0);
		/* What should be let in and has no answer may rest on what came before. */
		assert_int_equal(outcome.guess, outcome.fate == SYNPAWS_FATE_PASS &&
							outcome.answer == SYNPAWS_ANSWER_SILENCE);
		assert_int_equal(stats_of(mirror).contradicted, outcome.contradicted);
		end();
	}
}

/* An answer that comes too late, or is none, settles nothing. */
static void test_no_answers(void **state)
{
	struct talk talk;

	start("4.x", 1, state);
	talk = by_port(40000);
	talk_syn(&talk, 1000);
	talk.host_next = 777;
	OUT(&talk, .flags = RST, .bare = true, .ack = 50);
	wait_ms(120);
	OUT(&talk, .flags = SYN, .anew = true);
	synpaws_mirror_flush(mirror);
	assert_int_equal(heard.count, 1);
	expect_fate(heard.outcome[0].fate, SYNPAWS_FATE_PAWS_DROP);
	assert_false(heard.outcome[0].contradicted);
	end();
}

/* A guess: at a time when a recycled TIME_WAIT may be gone or not. Answers settle it. */
static void test_guess(void **state)
{
	struct synpaws_outcome outcome;
	struct talk talk;

	start("4.x", 1, state);
	talk = by_port(40000);
	talk_until_fin(&talk, 91000);
	IN(&talk, .tsval = 91030);
	IN(&talk, .flags = FIN, .tsval = 91040);
	wait_ms(600);
	outcome = ask(&talk, (struct say){ .tsval = 1000 }, ACK);
	expect_fate(outcome.fate, SYNPAWS_FATE_TW_REFUSE_ACK);
	assert_false(outcome.guess || outcome.contradicted);
	end();
	start("4.x", 1, state);
	talk = by_port(40000);
	talk_until_fin(&talk, 91000);
	IN(&talk, .tsval = 91030);
	IN(&talk, .flags = FIN, .tsval = 91040);
	wait_ms(720);
	outcome = ask(&talk, (struct say){ .tsval = 1000 }, NOTHING);
	if (sees_answers(state))
		expect_fate(outcome.fate, SYNPAWS_FATE_PAWS_DROP);
	assert_int_equal(outcome.guess, !sees_answers(state));
	assert_false(outcome.contradicted);
	assert_int_equal(stats_of(mirror).guesses, !sees_answers(state));
	end();
}

/* The second refusal within half a second is not answered on el7 and 4.x. */
static void test_rate_limited_ack(void **state)
{
	static const char *const kernels[] = { "3.10", "el7", "4.x" };
	size_t k;

	for (k = 0; k < COUNT(kernels); k++) {
		struct synpaws_outcome outcome;
		struct talk talk;

		start(kernels[k], 1, state);
		talk = by_port(40000);
		talk_whole(&talk, 91000);
		wait_ms(5);
		ask(&talk, (struct say){ .tsval = 1000 }, ACK);
		wait_ms(300);
		outcome = ask(&talk, (struct say){ .tsval = 1000 }, NOTHING);
		expect_fate(outcome.fate, sees_answers(state) && k == 0
						  ? SYNPAWS_FATE_PAWS_DROP
						  : SYNPAWS_FATE_TW_REFUSE_ACK);
		if (k != 0)
			assert_false(outcome.contradicted);
		wait_ms(600);
		outcome = ask(&talk, (struct say){ .tsval = 1000 }, NOTHING);
		if (sees_answers(state))
			expect_fate(outcome.fate, SYNPAWS_FATE_PAWS_DROP);
		end();
	}
}

/* An ACK shows that the old one was there, with all that was known of it. */
static void test_what_was_there_comes_back(void **state)
{
	struct synpaws_outcome outcome;
	struct talk talk;

	if (!sees_answers(state))
		return;
	start("4.x", 1, state);
	talk = by_port(40000);
	talk_until_fin(&talk, 91000);
	IN(&talk, .tsval = 91030);
	IN(&talk, .flags = FIN, .tsval = 91040);
	wait_ms(900);
	/* It should be gone by now, but has been renewed by something unseen. */
	outcome = ask(&talk, (struct say){ .tsval = 1000 }, ACK);
	expect_fate(outcome.fate, SYNPAWS_FATE_TW_REFUSE_ACK);
	wait_ms(40000);
	outcome = ask(&talk, (struct say){ .tsval = 1000 }, ACK);
	expect_fate(outcome.fate, SYNPAWS_FATE_TW_REFUSE_ACK);
	assert_false(outcome.contradicted);
	outcome = ask(&talk, (struct say){ .tsval = 91041 }, SYN_ACK);
	expect_fate(outcome.fate, SYNPAWS_FATE_TW_ACCEPT);
	end();
}

/* ... and its place in the calendar of kernels before 4.4. */
static void test_what_was_there_lives_on(void **state)
{
	struct synpaws_outcome outcome;
	struct talk talk;

	if (!sees_answers(state))
		return;
	start("3.10", 1, state);
	talk = by_port(40000);
	talk_whole(&talk, 91000);
	IN(&talk, .tsval = 91040); /* it gets a minute */
	wait_ms(1000);
	outcome = ask(&talk, (struct say){ .tsval = 91050 }, ACK);
	expect_fate(outcome.fate, SYNPAWS_FATE_OLD_CONNECTION);
	wait_ms(40000);
	outcome = ask(&talk, (struct say){ .tsval = 1000 }, ACK);
	expect_fate(outcome.fate, SYNPAWS_FATE_TW_REFUSE_ACK);
	assert_false(outcome.contradicted);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH_EVIDENCE(test_not_before_its_time),
		EACH_EVIDENCE(test_order),
		EACH_EVIDENCE(test_syn_again),
		EACH_EVIDENCE(test_no_room),
		EACH_EVIDENCE(test_answers),
		EACH_EVIDENCE(test_no_answers),
		EACH_EVIDENCE(test_guess),
		EACH_EVIDENCE(test_rate_limited_ack),
		EACH_EVIDENCE(test_what_was_there_comes_back),
		EACH_EVIDENCE(test_what_was_there_lives_on),
	};

	return cmocka_run_group_tests_name("mirror: outcomes that wait for answers", tests, NULL,
					   NULL);
}
