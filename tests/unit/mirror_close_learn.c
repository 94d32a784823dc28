/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds the mirror to what it learns of how a service closes, by shutdown() or by close(): from a
 * RST that comes or does not, from the host's IP identification, from its socket table.
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

static void end(void)
{
	synpaws_mirror_free(mirror);
}

/* Data behind a FIN that no RST answers: somebody reads it, so nothing was recorded so far. */
static void test_data_without_a_reset(void **state)
{
	struct talk talk = start(state), before = next_talk(40001);

	talk_whole(&before, 500);
	talk_until_fin(&talk, 1000);
	IN(&talk, .tsval = 1030);
	expect_record(&talk, 1030, 0);
	wait_ms(500);
	IN(&talk, .tsval = 1050, .payload = 10);
	pass_ms(mirror, 110);
	expect_record(&talk, 540, 0);
	OUT(&talk);
	wait_ms(1000);
	IN(&talk, .flags = FIN, .tsval = 1060);
	expect_record(&talk, 1060, 1);
	assert_int_equal(stats_of(mirror).undone, 1);
	end();
}

static void test_data_and_fin_without_a_reset(void **state)
{
	struct talk talk = start(state);

	talk_until_fin(&talk, 1000);
	IN(&talk, .tsval = 1030);
	IN(&talk, .flags = FIN, .tsval = 1050, .payload = 10);
	pass_ms(mirror, 110);
	expect_record(&talk, 1050, 0);
	end();
}

/* The same if an ACK of the host shows it at once, where such ACKs are seen. */
static void test_data_is_acknowledged(void **state)
{
	struct talk talk = start(state);

	talk_until_fin(&talk, 1000);
	IN(&talk, .tsval = 1030);
	IN(&talk, .tsval = 1050, .payload = 10);
	OUT(&talk);
	if (evidence_of(state) != SYNPAWS_EVIDENCE_CLOSE)
		expect_nothing(&talk);
	IN(&talk, .flags = FIN, .tsval = 1060);
	/* Where the host's ACK is not shown, only time tells that no RST comes. */
	if (evidence_of(state) == SYNPAWS_EVIDENCE_CLOSE)
		pass_ms(mirror, 101);
	expect_record(&talk, 1060, 0);
	end();
}

/* More may be on its way before the RST: that it has not come yet proves nothing. */
static void test_data_comes_in_two(void **state)
{
	struct talk talk = start(state);

	talk_until_fin(&talk, 1000);
	IN(&talk, .tsval = 1030);
	IN(&talk, .tsval = 1035, .payload = 10);
	IN(&talk, .tsval = 1036, .payload = 10);
	OUT(&talk, .flags = RST);
	expect_record(&talk, 1030, 0);
	end();
}

static bool learnt_half_close(void)
{
	struct synpaws_service service;

	if (!synpaws_mirror_service(mirror, 0, &service))
		return false;
	assert_int_equal(service.port, PORT);
	assert_int_equal(service.fact, SYNPAWS_FACT_HALF_CLOSE);
	assert_int_equal(service.source, SYNPAWS_SOURCE_LEARNT);
	assert_false(synpaws_mirror_service(mirror, 1, &service));
	return true;
}

/* ... and the next connection of that service is known to wait for the peer's FIN. */
static void test_lack_of_a_reset_is_learnt(void **state)
{
	struct talk talk = start(state), second = next_talk(40001);

	talk_until_fin(&talk, 500);
	IN(&talk, .tsval = 530, .payload = 10);
	pass_ms(mirror, 110);
	assert_true(learnt_half_close());
	IN(&talk, .flags = RST, .bare = true);
	talk_until_fin(&second, 1000);
	IN(&second, .tsval = 1030);
	expect_nothing(&second);
	end();
}

/* A closing by close() weighs as much as one by shutdown(). */
static void test_a_reset_is_learnt(void **state)
{
	struct talk talk = start(state);
	uint16_t port;

	talk_until_fin(&talk, 500);
	IN(&talk, .tsval = 530, .payload = 10);
	OUT(&talk, .flags = RST, .bare = true);
	for (port = 40001; port <= 40002; port++) {
		talk = next_talk(port);
		talk_until_fin(&talk, 1000U * port);
		IN(&talk, .tsval = 1000U * port + 30, .payload = 10);
		pass_ms(mirror, 110);
		assert_int_equal(learnt_half_close(), port == 40002);
	}
	end();
}

/* A full socket counts its IPv4 packets, a mini-socket does not go through it. */
static void test_identification_tells_who_acknowledges(void **state)
{
	const bool shown = evidence_of(state) != SYNPAWS_EVIDENCE_CLOSE;
	struct talk talk = start(state), second = next_talk(40001);

	talk_until_fin(&talk, 500);
	IN(&talk, .tsval = 530);
	IN(&talk, .flags = FIN, .tsval = 540);
	OUT(&talk);
	assert_int_equal(learnt_half_close(), shown);
	wait_ms(100);
	talk_until_fin(&second, 1000);
	IN(&second, .tsval = 1030);
	expect_record(&second, shown ? 540 : 1030, 0);
	end();
	talk = start(state);
	talk_whole(&talk, 1000);
	assert_false(learnt_half_close());
	end();
}

/* A connection has one vote, however often its FIN is acknowledged. */
static void test_identification_votes_once(void **state)
{
	struct talk talk = start(state), second = next_talk(40001);

	talk_until_fin(&talk, 500);
	IN(&talk, .tsval = 530);
	IN(&talk, .flags = FIN, .tsval = 540);
	OUT(&talk);
	IN(&talk, .flags = FIN, .tsval = 541, .seq = -1);
	OUT(&talk);
	talk_whole(&second, 1000);
	assert_false(learnt_half_close());
	end();
}

/* One segment that acknowledges and ends comes to a full socket either way. */
static void test_identification_may_say_nothing(void **state)
{
	struct talk talk = start(state);

	talk_until_fin(&talk, 1000);
	IN(&talk, .flags = FIN, .tsval = 1040);
	OUT(&talk);
	assert_false(learnt_half_close());
	end();
	mirror = begin(KERNEL, evidence_of(state));
	talk = talk_between(mirror, PEER6, 40000, HOST6, PORT);
	talk_until_fin(&talk, 1000);
	IN(&talk, .tsval = 1030);
	IN(&talk, .flags = FIN, .tsval = 1040);
	OUT(&talk);
	assert_false(learnt_half_close());
	end();
}

static void test_socket_table_tells(void **state)
{
	struct talk talk = start(state);

	synpaws_mirror_saw_socket(mirror, PORT, false);
	talk_until_fin(&talk, 1000);
	IN(&talk, .tsval = 1030);
	expect_nothing(&talk);
	end();
	talk = start(state);
	synpaws_mirror_saw_socket(mirror, PORT, true);
	talk_until_fin(&talk, 1000);
	IN(&talk, .tsval = 1030);
	expect_record(&talk, 1030, 0);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH_EVIDENCE(test_data_without_a_reset),
		EACH_EVIDENCE(test_data_and_fin_without_a_reset),
		EACH_EVIDENCE(test_data_is_acknowledged),
		EACH_EVIDENCE(test_data_comes_in_two),
		EACH_EVIDENCE(test_lack_of_a_reset_is_learnt),
		EACH_EVIDENCE(test_a_reset_is_learnt),
		EACH_EVIDENCE(test_identification_tells_who_acknowledges),
		EACH_EVIDENCE(test_identification_votes_once),
		EACH_EVIDENCE(test_identification_may_say_nothing),
		EACH_EVIDENCE(test_socket_table_tells),
	};

	return cmocka_run_group_tests_name("mirror: how services close", tests, NULL, NULL);
}
