/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds the mirror to what decides over a SYN before the per-peer check, or instead of it: closed
 * ports, what is left of an older connection between the same ends, handshakes in progress,
 * cookies, signatures. The host answers as such a host does; the fate is the same on each evidence.
 */
#include "unit.h"

#include "conversation.h"

static struct synpaws_mirror *mirror;

static struct talk start(const char *kernel, void **state)
{
	mirror = begin(kernel, evidence_of(state));
	return talk_between(mirror, PEER, 40000, HOST, PORT);
}

/* A connection in TIME_WAIT; its last TSval is 1040. */
static struct talk time_wait(const char *kernel, void **state)
{
	struct talk talk = start(kernel, state);

	talk_whole(&talk, 1000);
	return talk;
}

static void end(void)
{
	synpaws_mirror_free(mirror);
}

/* Each condition of TIME_WAIT, on a connection of its own. */
static const struct {
	struct say syn;
	bool accepted;
} conditions[] = {
	{ { .tsval = 1039, .seq = 100000 }, false }, { { .tsval = 1039, .seq = -100000 }, false },
	{ { .tsval = 1040, .seq = 1 }, true },	     { { .tsval = 1040, .seq = 0 }, false },
	{ { .tsval = 1040, .seq = -1 }, false },     { { .tsval = 1041, .seq = 1 }, true },
	{ { .tsval = 1041, .seq = -100000 }, true }, { { .tsval = 0x80000400U, .seq = -1 }, true },
	{ { .bare = true, .seq = 1 }, true },	     { { .bare = true, .seq = 0 }, false },
	{ { .bare = true, .seq = -1 }, false },
};

static void test_time_wait(void **state)
{
	static const char *const kernels[] = { "2.6.32", "3.2", "3.10", "el7", "4.x" };
	size_t i, k;

	for (k = 0; k < COUNT(kernels); k++) {
		for (i = 0; i < COUNT(conditions); i++) {
			struct talk talk = time_wait(kernels[k], state);
			const bool accepted = conditions[i].accepted;

			expect_fate(fate(&talk, conditions[i].syn, accepted ? SYN_ACK : ACK),
				    accepted ? SYNPAWS_FATE_TW_ACCEPT : SYNPAWS_FATE_TW_REFUSE_ACK);
			end();
		}
	}
}

/* One segment that acknowledges and ends leads there at once. */
static void test_time_wait_by_one_segment(void **state)
{
	struct talk talk = start("4.x", state);

	talk_until_fin(&talk, 1000);
	IN(&talk, .flags = FIN, .tsval = 1040);
	OUT(&talk, .mini = true);
	EXPECT(&talk, TW_REFUSE_ACK, ACK, .tsval = 1039, .seq = 1);
	end();
}

/* Without timestamps only the sequence number tells; and nothing shortens the minute. */
static void test_time_wait_without_timestamps(void **state)
{
	struct talk talk = start("4.x", state);

	talk.bare = true;
	talk_whole(&talk, 0);
	talk.bare = false;
	wait_ms(20000);
	EXPECT(&talk, TW_REFUSE_ACK, ACK, .tsval = 99999, .seq = 0);
	wait_ms(1000);
	EXPECT(&talk, TW_REFUSE_ACK, ACK, .bare = true, .seq = -1);
	wait_ms(30000);
	EXPECT(&talk, TW_ACCEPT, SYN_ACK, .tsval = 1, .seq = 1);
	end();
}

/* A value of 0 compares with nothing, but on 2.6.32. */
static void test_time_wait_with_zero(void **state)
{
	struct talk talk = start("3.10", state);

	talk_whole(&talk, 0U - 40);
	EXPECT(&talk, TW_ACCEPT, SYN_ACK, .tsval = 0xfffffff0U, .seq = 1);
	end();
	talk = start("2.6.32", state);
	talk_whole(&talk, 0U - 40);
	EXPECT(&talk, TW_REFUSE_ACK, ACK, .tsval = 0xfffffff0U, .seq = 1);
	end();
}

/* Recycled, it is soon gone: then the per-peer check decides. */
static void test_recycled_time_wait_is_short(void **state)
{
	struct talk talk = time_wait("4.x", state);

	wait_ms(2000);
	EXPECT(&talk, PAWS_DROP, NOTHING, .tsval = 1030);
	EXPECT(&talk, PASS, SYN_ACK, .tsval = 1039, .seq = -1);
	end();
}

static void poke_ack(struct talk *talk)
{
	IN(talk, .tsval = 1040);
}

static void poke_fin(struct talk *talk)
{
	IN(talk, .flags = FIN, .tsval = 1040, .seq = -1);
}

static void poke_old_data(struct talk *talk)
{
	IN(talk, .tsval = 1020, .payload = 100, .seq = -101);
}

static void poke_old_ack(struct talk *talk)
{
	IN(talk, .tsval = 1000);
}

static void poke_old_syn(struct talk *talk)
{
	EXPECT(talk, TW_REFUSE_ACK, ACK, .tsval = 1000, .seq = 100);
}

/* Any segment that it answers by an ACK gives it a minute from then on. */
static void test_time_wait_is_renewed(void **state)
{
	static void (*const pokes[])(struct talk *) = { poke_ack, poke_fin, poke_old_data,
							poke_old_ack, poke_old_syn };
	static const char *const kernels[] = { "2.6.32", "3.10", "el7", "4.x" };
	size_t i, k;

	for (k = 0; k < COUNT(kernels); k++) {
		for (i = 0; i < COUNT(pokes); i++) {
			struct talk talk = time_wait(kernels[k], state);

			wait_ms(5);
			pokes[i](&talk);
			pass_ms(mirror, 50000);
			EXPECT(&talk, TW_REFUSE_ACK, ACK, .tsval = 1000, .seq = 100);
			pass_ms(mirror, 66000);
			EXPECT(&talk, PASS, SYN_ACK, .tsval = 1000, .seq = 100);
			end();
		}
	}
}

/* A SYN that only its sequence number makes old does not. */
static void test_time_wait_is_not_renewed(void **state)
{
	struct talk talk = time_wait("4.x", state);

	EXPECT(&talk, TW_REFUSE_ACK, ACK, .tsval = 1040, .seq = -1);
	wait_ms(2000);
	EXPECT(&talk, PAWS_DROP, NOTHING, .tsval = 1000);
	end();
}

/* A pure ACK moves the mini-socket's own TSval, and that alone. */
static void test_time_wait_keeps_the_last_tsval(void **state)
{
	struct talk talk = time_wait("4.x", state);

	IN(&talk, .tsval = 1500);
	EXPECT(&talk, TW_REFUSE_ACK, ACK, .tsval = 1499, .seq = 100);
	expect_record(&talk, 1040, 0);
	EXPECT(&talk, TW_ACCEPT, SYN_ACK, .tsval = 1501, .seq = -100);
	end();
}

/* RFC 1337: the RST that the ACK provokes ends it, unless it is too old or elsewhere. */
static void test_time_wait_assassination(void **state)
{
	struct talk talk = time_wait("4.x", state);

	EXPECT(&talk, TW_REFUSE_ACK, ACK, .tsval = 1000, .seq = 100);
	IN(&talk, .flags = RST, .bare = true, .seq = 1);
	IN(&talk, .flags = RST, .tsval = 1039);
	wait_ms(1000);
	EXPECT(&talk, TW_REFUSE_ACK, ACK, .tsval = 1000, .seq = 100);
	IN(&talk, .flags = RST, .bare = true);
	EXPECT(&talk, PAWS_DROP, NOTHING, .tsval = 1000, .seq = 100);
	end();
}

/* What TIME_WAIT takes skips the per-peer check; but IPv6 on 4.9. */
static void test_accepted_by_time_wait_is_not_checked(void **state)
{
	static const char *const kernels[] = { "3.10", "el7", "4.x" };
	static const char *const peers[] = { PEER, PEER6 }, *const hosts[] = { HOST, HOST6 };
	size_t k, v;

	for (k = 0; k < COUNT(kernels); k++) {
		for (v = 0; v < 2; v++) {
			const bool checked = v == 1 && k == 2;
			struct talk talk, high;

			mirror = begin(kernels[k], evidence_of(state));
			talk = talk_between(mirror, peers[v], 40000, hosts[v], PORT);
			high = talk_between(mirror, peers[v], 40001, hosts[v], PORT);
			talk_open(&high, 90000);
			talk_whole(&talk, 1000);
			OUT(&high, .flags = FIN);
			IN(&high, .flags = FIN, .tsval = 90040);
			expect_fate(fate(&talk, (struct say){ .tsval = 1041 },
					 checked ? NOTHING : SYN_ACK),
				    checked ? SYNPAWS_FATE_PAWS_DROP : SYNPAWS_FATE_TW_ACCEPT);
			end();
		}
	}
}

/* A SYN without timestamp on 4.9: as traces have it. */
static void test_accepted_without_timestamp(void **state)
{
	struct talk talk = time_wait("4.x", state);

	EXPECT(&talk, TW_ACCEPT, SYN_ACK, .bare = true, .seq = 100);
	end();
	mirror = begin("4.x", evidence_of(state));
	talk = talk_between(mirror, PEER6, 40000, HOST6, PORT);
	talk_whole(&talk, 1000);
	EXPECT(&talk, PAWS_DROP, NOTHING, .bare = true, .seq = 100);
	end();
}

/* FIN_WAIT2 without an owner */
static void test_orphan(void **state)
{
	static const struct {
		struct say syn;
		bool reset;
	} rows[] = {
		{ { .tsval = 1029, .seq = 0 }, false },
		{ { .tsval = 1029, .seq = 1 }, false },
		{ { .tsval = 1030, .seq = 0 }, true },
		{ { .tsval = 1031, .seq = 1 }, true },
		{ { .tsval = 2000, .seq = -1 }, false },
		{ { .tsval = 2000, .seq = -1000 }, false },
		{ { .tsval = 2000, .seq = (500 << 7) - 1 }, true },
		{ { .tsval = 2000, .seq = 500 << 7 }, false },
		{ { .bare = true, .seq = 0 }, true },
		{ { .bare = true, .seq = -1 }, false },
		{ { .tsval = 2000, .seq = -1, .payload = 10 }, false },
		{ { .tsval = 2000, .seq = 0, .payload = 10 }, true },
	};
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		struct talk talk = start("3.10", state);

		talk_until_fin(&talk, 1000);
		IN(&talk, .tsval = 1030);
		wait_ms(40000);
		expect_fate(fate(&talk, rows[i].syn, rows[i].reset ? RESET : ACK),
			    rows[i].reset ? SYNPAWS_FATE_FIN_WAIT2_RST
					  : SYNPAWS_FATE_FIN_WAIT2_ACK);
		/* The RST ends it. */
		wait_ms(100);
		if (rows[i].reset)
			EXPECT(&talk, PAWS_DROP, NOTHING, .tsval = 1000, .seq = 0);
		else
			EXPECT(&talk, FIN_WAIT2_ACK, ACK, .tsval = 1000, .seq = 0);
		end();
	}
}

/* A full socket answers by itself, whatever the SYN. */
static void test_old_connection(void **state)
{
	struct talk talk = start("4.x", state);

	talk_until_fin(&talk, 1000);
	EXPECT(&talk, OLD_CONNECTION, ACK, .tsval = 900);
	end();
	talk = start("4.x", state);
	synpaws_mirror_tell(mirror, PORT, SYNPAWS_FACT_HALF_CLOSE, true, SYNPAWS_NEVER,
			    SYNPAWS_SOURCE_TOLD);
	talk_until_fin(&talk, 1000);
	IN(&talk, .tsval = 1030);
	wait_ms(30000);
	EXPECT(&talk, OLD_CONNECTION, ACK, .tsval = 900);
	end();
	talk = start("4.x", state);
	talk_until_fin(&talk, 1000);
	IN(&talk, .flags = FIN, .tsval = 1040, .ack = -1);
	EXPECT(&talk, OLD_CONNECTION, ACK, .tsval = 2000, .seq = 1000);
	end();
}

/* Where all is seen, an established one is known too. */
static void test_established(void **state)
{
	struct talk talk;

	(void)state;
	mirror = begin("4.x", SYNPAWS_EVIDENCE_FULL);
	talk = talk_between(mirror, PEER, 40000, HOST, PORT);
	talk_open(&talk, 1000);
	wait_ms(600000);
	EXPECT(&talk, OLD_CONNECTION, ACK, .tsval = 900);
	EXPECT(&talk, OLD_CONNECTION, ACK, .tsval = 2000, .seq = 1000);
	end();
}

/* Kernels wait for 1, 2, 4 s and so on before they repeat a SYN-ACK; before 3.1 for 3, 6, 12 s. */
static const struct {
	const char *kernel;
	uint64_t first_ms;
} handshakes[] = { { "2.6.32", 3000 }, { "3.10", 1000 }, { "4.x", 1000 } };

/* A SYN and all that the host answers. Meanwhile another raises the record. */
static struct talk in_handshake(size_t row, void **state)
{
	struct talk talk = start(handshakes[row].kernel, state);
	struct talk high = talk_between(mirror, PEER, 40001, HOST, PORT);
	uint64_t pause = handshakes[row].first_ms;
	int i;

	talk_syn(&talk, 1000);
	talk.peer_next--; /* the same SYN again */
	OUT(&talk, .flags = SYN, .ack = 1);
	for (i = 0; i < 5; i++, pause *= 2) {
		wait_ms(pause);
		OUT(&talk, .flags = SYN, .ack = 1, .seq = -1);
	}
	talk_whole(&high, 90000);
	return talk;
}

/* A handshake in progress goes on, whatever the record is by now. */
static void test_syn_recv(void **state)
{
	static const struct say syns[] = { { .tsval = 2000 }, { .tsval = 900 }, { .bare = true } };
	size_t i, s;

	for (i = 0; i < COUNT(handshakes); i++) {
		for (s = 0; s < COUNT(syns); s++) {
			struct talk talk = in_handshake(i, state);

			wait_ms(20000);
			expect_fate(fate(&talk, syns[s], s == 1 ? ACK : SYN_ACK),
				    SYNPAWS_FATE_SYN_RECV);
			end();
		}
	}
}

/*
 * tcp_synack_retries is 5: the host gives up when it has waited for a sixth time, twice as long.
 * Only who sees all knows that the peer has not completed it.
 */
static void test_handshake_ends(void **state)
{
	static const enum synpaws_evidence full = SYNPAWS_EVIDENCE_FULL;
	void *all = (void *)(uintptr_t)&full;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(handshakes); i++) {
		struct talk talk = in_handshake(i, &all);

		wait_ms(32 * handshakes[i].first_ms - 1000);
		EXPECT(&talk, SYN_RECV, SYN_ACK, .tsval = 2000);
		end();
		talk = in_handshake(i, &all);
		wait_ms(32 * handshakes[i].first_ms + 1000);
		/* Where the handshake lasts for three minutes, the record is over before it. */
		if (handshakes[i].first_ms > 1000)
			EXPECT(&talk, PASS, SYN_ACK, .tsval = 2000);
		else
			EXPECT(&talk, PAWS_DROP, NOTHING, .tsval = 2000);
		end();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH_EVIDENCE(test_time_wait),
		EACH_EVIDENCE(test_time_wait_by_one_segment),
		EACH_EVIDENCE(test_time_wait_without_timestamps),
		EACH_EVIDENCE(test_time_wait_with_zero),
		EACH_EVIDENCE(test_recycled_time_wait_is_short),
		EACH_EVIDENCE(test_time_wait_is_renewed),
		EACH_EVIDENCE(test_time_wait_is_not_renewed),
		EACH_EVIDENCE(test_time_wait_keeps_the_last_tsval),
		EACH_EVIDENCE(test_time_wait_assassination),
		EACH_EVIDENCE(test_accepted_by_time_wait_is_not_checked),
		EACH_EVIDENCE(test_accepted_without_timestamp),
		EACH_EVIDENCE(test_orphan),
		EACH_EVIDENCE(test_old_connection),
		cmocka_unit_test(test_established),
		EACH_EVIDENCE(test_syn_recv),
		cmocka_unit_test(test_handshake_ends),
	};

	return cmocka_run_group_tests_name("mirror: what decides before the check", tests, NULL,
					   NULL);
}
