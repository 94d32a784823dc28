/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds the mirror to hosts that have the check on or off, as was told or as their answers say:
 * what contradicts a drop, what would have been, and connections that the imagined host does not
 * have.
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

/* tcp_tw_recycle=0 was told: this is what would be, and the host cannot contradict it. */
static void test_check_is_off(void **state)
{
	struct synpaws_outcome outcome;
	struct talk talk, ghost;

	start("4.x", 0, state);
	talk = by_port(40000);
	outcome = ask(&talk, (struct say){ .tsval = 1000 }, SYN_ACK);
	expect_fate(outcome.fate, SYNPAWS_FATE_PAWS_DROP);
	assert_false(outcome.contradicted);
	assert_int_equal(outcome.wait, 60);
	assert_false(stats_of(mirror).checking);
	/* The connection that it opened is none of the imagined host's. */
	ghost = by_port(40001);
	talk_until_fin(&ghost, 2000);
	wait_ms(61000);
	IN(&ghost, .tsval = 2030);
	IN(&ghost, .flags = FIN, .tsval = 99999);
	expect_record(&ghost, 90040, 0);
	assert_int_equal(stats_of(mirror).records, 2);
	end();
}

/* Nor does silence tell anything else: what was told holds. */
static void test_check_is_off_whatever_is_seen(void **state)
{
	struct synpaws_outcome outcome;
	struct talk talk;
	uint16_t port;

	start("4.x", 0, state);
	for (port = 40000; port < 40010; port++) {
		talk = by_port(port);
		ask(&talk, (struct say){ .tsval = 1000 }, NOTHING);
	}
	assert_false(stats_of(mirror).checking);
	talk = by_port(port);
	outcome = ask(&talk, (struct say){ .tsval = 1000 }, SYN_ACK);
	expect_fate(outcome.fate, SYNPAWS_FATE_PAWS_DROP);
	assert_false(outcome.contradicted);
	end();
}

/* tcp_tw_recycle=1 was told: the host's FIN shows that the SYN passed after all. */
static void test_check_is_on(void **state)
{
	struct talk talk;

	start("4.x", 1, state);
	assert_true(stats_of(mirror).checking);
	talk = by_port(40001);
	talk_until_fin(&talk, 2000);
	IN(&talk, .tsval = 99990);
	IN(&talk, .flags = FIN, .tsval = 99999);
	expect_record(&talk, 99999, 0);
	end();
}

/* Nothing was told: an answer to what should be dropped says that the check is off. */
static void test_learns_that_it_is_off(void **state)
{
	struct synpaws_outcome outcome;
	struct talk talk;
	uint16_t port;

	start("4.x", -1, state);
	for (port = 40000; port < 40003; port++) {
		talk = by_port(port);
		outcome = ask(&talk, (struct say){ .tsval = 1000 }, SYN_ACK);
		expect_fate(outcome.fate, SYNPAWS_FATE_PAWS_DROP);
		assert_false(outcome.contradicted);
	}
	assert_false(stats_of(mirror).checking);
	/* The host's FIN tells it too. */
	talk = by_port(40005);
	talk_until_fin(&talk, 2000);
	IN(&talk, .tsval = 99990);
	IN(&talk, .flags = FIN, .tsval = 99999);
	expect_record(&talk, 90040, 0);
	assert_false(stats_of(mirror).checking);
	end();
}

/* Silence says that it is on; an answer is then an error of ours. */
static void test_learns_that_it_is_on(void **state)
{
	struct synpaws_outcome outcome;
	struct talk talk;

	if (!sees_answers(state))
		return;
	start("4.x", -1, state);
	assert_false(stats_of(mirror).checking);
	talk = by_port(40000);
	outcome = ask(&talk, (struct say){ .tsval = 1000 }, NOTHING);
	expect_fate(outcome.fate, SYNPAWS_FATE_PAWS_DROP);
	assert_true(stats_of(mirror).checking);
	talk = by_port(40001);
	outcome = ask(&talk, (struct say){ .tsval = 1000 }, SYN_ACK);
	expect_fate(outcome.fate, SYNPAWS_FATE_PASS);
	assert_true(outcome.contradicted);
	end();
}

/*
 * ... or one that has no answer yet while a later SYN has: then the next that is answered, though
 * it should not be, is an error of ours.
 */
static void test_an_answer_out_of_turn(void **state)
{
	size_t waiting;

	if (!sees_answers(state))
		return;
	for (waiting = 0; waiting < 2; waiting++) {
		struct talk first, second, third;

		start("4.x", -1, state);
		first = by_port(40000);
		second = by_port(40001);
		third = by_port(40002);
		if (waiting)
			talk_syn(&first, 1000);
		talk_syn(&third, 1000);
		talk_syn(&second, 99000);
		OUT(&second, .flags = SYN, .anew = true);
		OUT(&third, .flags = SYN, .anew = true);
		synpaws_mirror_flush(mirror);
		assert_int_equal(heard.count, 2 + waiting);
		assert_int_equal(heard.syn[waiting].source_port, 40002);
		expect_fate(heard.outcome[waiting].fate,
			    waiting ? SYNPAWS_FATE_PASS : SYNPAWS_FATE_PAWS_DROP);
		assert_int_equal(heard.outcome[waiting].contradicted, waiting);
		end();
	}
}

/* Where answers are not seen, a SYN again tells that there was none. */
static void test_learns_by_retransmissions(void **state)
{
	struct talk talk;

	if (sees_answers(state))
		return;
	start("4.x", -1, state);
	talk = by_port(40000);
	talk_syn(&talk, 1000);
	talk.peer_next--;
	pass_ms(mirror, 1000);
	assert_false(stats_of(mirror).checking);
	talk_syn(&talk, 2000);
	pass_ms(mirror, 1000);
	assert_true(stats_of(mirror).checking);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH_EVIDENCE(test_check_is_off),
		EACH_EVIDENCE(test_check_is_off_whatever_is_seen),
		EACH_EVIDENCE(test_check_is_on),
		EACH_EVIDENCE(test_learns_that_it_is_off),
		EACH_EVIDENCE(test_learns_that_it_is_on),
		EACH_EVIDENCE(test_an_answer_out_of_turn),
		EACH_EVIDENCE(test_learns_by_retransmissions),
	};

	return cmocka_run_group_tests_name("mirror: is the check on", tests, NULL, NULL);
}
