/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Before kernel.c holds the mirror to the simulated kernel, this holds the simulated kernel to real
 * ones: finding 6 of the golden traces, "what is recorded, and when", step by step. As there, the
 * SYN has TSval 1000, the handshake's ACK 1010 and the first data 1020.
 */
#include "kernel_host.h"

#define PAWSLESS 0 /* no timestamp */

/* A segment of the client; `seq` counts from what the host has, `ack` from before its FIN. */
struct step {
	uint8_t flags;
	int seq;
	uint32_t payload, ack, ts;
	uint32_t wait;	   /* seconds before it */
	uint32_t recorded; /* after it; 0: nothing */
};

#define A  SYNPAWS_ACK
#define FA (SYNPAWS_FIN | SYNPAWS_ACK)
#define R  SYNPAWS_RST

struct story {
	const char *name;
	enum service service;
	bool plain; /* no timestamps at all */
	struct step steps[4];
	uint32_t later;	   /* wait so many seconds more, */
	uint32_t recorded; /* and then */
	uint32_t age;	   /* of the record */
};

static const struct story stories[] = {
	{ "the ACK of the FIN records",
	  CLOSES_AFTER_BYTE,
	  false,
	  { { A, 0, 0, 1, 1030, 0, 1030 } },
	  0,
	  1030,
	  0 },
	{ "so does the FIN, at its own time",
	  CLOSES_AFTER_BYTE,
	  false,
	  { { A, 0, 0, 1, 1030, 0, 1030 }, { FA, 0, 0, 1, 4040, 3, 4040 } },
	  0,
	  4040,
	  0 },
	{ "FIN and ACK in one",
	  CLOSES_AFTER_BYTE,
	  false,
	  { { FA, 0, 0, 1, 1040, 0, 1040 } },
	  0,
	  1040,
	  0 },
	{ "an ACK that does not cover the FIN",
	  CLOSES_AFTER_BYTE,
	  false,
	  { { A, 0, 0, 0, 1030, 0, 0 } },
	  1,
	  0,
	  0 },
	{ "simultaneous close",
	  CLOSES_AFTER_BYTE,
	  false,
	  { { FA, 0, 0, 0, 1040, 0, 0 }, { A, 0, 0, 1, 1050, 0, 1050 } },
	  0,
	  1050,
	  0 },
	{ "shutdown() waits for the FIN",
	  SHUTS_DOWN,
	  false,
	  { { A, 0, 0, 1, 1030, 0, 0 }, { FA, 0, 0, 1, 1040, 1, 1040 } },
	  0,
	  1040,
	  0 },
	{ "data behind a shutdown",
	  SHUTS_DOWN,
	  false,
	  { { A, 0, 0, 1, 1030, 0, 0 },
	    { A, 0, 9, 1, 1050, 1, 0 },
	    { FA, 0, 0, 1, 1060, 0, 1060 } },
	  0,
	  1060,
	  0 },
	{ "data and FIN in one behind a shutdown",
	  SHUTS_DOWN,
	  false,
	  { { FA, 0, 9, 1, 1050, 0, 1050 } },
	  0,
	  1050,
	  0 },
	{ "the FIN overtakes data",
	  SHUTS_DOWN,
	  false,
	  { { A, 0, 0, 1, 1030, 0, 0 },
	    { FA, 9, 0, 1, 1060, 0, 0 },
	    { A, 0, 9, 1, 1050, 0, 1050 } },
	  0,
	  1050,
	  0 },
	{ "shutdown() and later close()",
	  SHUTS_AND_CLOSES,
	  false,
	  { { A, 0, 0, 1, 1030, 0, 0 } },
	  3,
	  1030,
	  3 },
	{ "and then the FIN",
	  SHUTS_AND_CLOSES,
	  false,
	  { { A, 0, 0, 1, 1030, 0, 0 }, { FA, 0, 0, 1, 3500, 3, 3500 } },
	  0,
	  3500,
	  0 },
	{ "linger 0", RESETS, false, { { A, 0, 0, 0, 1030, 0, 0 } }, 0, 0, 0 },
	{ "RST in FIN_WAIT1",
	  CLOSES_AFTER_BYTE,
	  false,
	  { { R, 0, 0, 0, 1030, 0, 0 }, { A, 0, 0, 1, 1040, 0, 0 } },
	  0,
	  0,
	  0 },
	{ "RST in FIN_WAIT2",
	  CLOSES_AFTER_BYTE,
	  false,
	  { { A, 0, 0, 1, 1030, 0, 1030 },
	    { R, 0, 0, 0, 1040, 0, 1030 },
	    { FA, 0, 0, 1, 1050, 0, 1030 } },
	  0,
	  1030,
	  0 },
	{ "the client closes first",
	  READS_TO_END,
	  false,
	  { { FA, 0, 0, 0, 1030, 0, 0 }, { A, 0, 0, 1, 1040, 0, 0 } },
	  0,
	  0,
	  0 },
	{ "the ACK has no timestamp",
	  CLOSES_AFTER_BYTE,
	  false,
	  { { A, 0, 0, 1, PAWSLESS, 2, 1020 } },
	  0,
	  1020,
	  2 },
	{ "the ACK is older than the data",
	  CLOSES_AFTER_BYTE,
	  false,
	  { { A, 0, 0, 1, 1015, 0, 0 }, { A, 0, 0, 1, 1031, 0, 1031 } },
	  0,
	  1031,
	  0 },
	{ "the ACK has a gap before it",
	  CLOSES_AFTER_BYTE,
	  false,
	  { { A, 7, 0, 1, 1030, 0, 1020 } },
	  0,
	  1020,
	  0 },
	{ "the ACK is of the past",
	  CLOSES_AFTER_BYTE,
	  false,
	  { { A, -1, 0, 1, 1030, 0, 0 } },
	  0,
	  0,
	  0 },
	{ "the FIN is older than the ACK",
	  CLOSES_AFTER_BYTE,
	  false,
	  { { A, 0, 0, 1, 1030, 0, 1030 }, { FA, 0, 0, 1, 1025, 0, 1030 } },
	  0,
	  1030,
	  0 },
	{ "the FIN has no timestamp",
	  CLOSES_AFTER_BYTE,
	  false,
	  { { A, 0, 0, 1, 1030, 0, 1030 }, { FA, 0, 0, 1, PAWSLESS, 2, 1030 } },
	  0,
	  1030,
	  2 },
	{ "the FIN once more",
	  CLOSES_AFTER_BYTE,
	  false,
	  { { A, 0, 0, 1, 1030, 0, 1030 },
	    { FA, 0, 0, 1, 1040, 0, 1040 },
	    { FA, -1, 0, 1, 1400, 0, 1040 },
	    { A, 0, 0, 1, 1500, 0, 1040 } },
	  0,
	  1040,
	  0 },
	{ "data behind close()",
	  CLOSES_AFTER_BYTE,
	  false,
	  { { A, 0, 0, 1, 1030, 0, 1030 },
	    { A, 0, 5, 1, 1050, 0, 1030 },
	    { FA, 5, 0, 1, 1060, 0, 1030 } },
	  0,
	  1030,
	  0 },
	{ "data and the ACK of the FIN in one",
	  CLOSES_AFTER_BYTE,
	  false,
	  { { A, 0, 5, 1, 1030, 0, 0 }, { A, 0, 0, 1, 1040, 0, 0 } },
	  0,
	  0,
	  0 },
	{ "no timestamps",
	  CLOSES_AFTER_BYTE,
	  true,
	  { { A, 0, 0, 1, PAWSLESS, 0, 0 }, { FA, 0, 0, 1, PAWSLESS, 0, 0 } },
	  0,
	  0,
	  0 },
};

/* The rules of 3.10, but for dual-stack. */
static const struct rules rules = { .ipv6 = true, .zero_clause = true, .challenge = true };
static struct kernel kernel;
static const struct tuple tuple_of_all = { .peer = 1, .peer_port = 1000 };

static void wait_for(uint64_t ns)
{
	const uint64_t until = kernel.now + ns;
	struct socket *s;

	while ((s = host_next_timer(&kernel, until)) != NULL) {
		kernel.now = socket_due(s) > kernel.now ? socket_due(s) : kernel.now;
		kernel.sent_count = 0;
		host_run_timer(&kernel, s);
	}
	kernel.now = until > kernel.now ? until : kernel.now;
}

static void send_in(const struct tuple *tuple, uint8_t flags, uint32_t seq, uint32_t ack,
		    uint32_t payload, uint32_t ts)
{
	struct synpaws_segment seg = segment_of(&kernel, tuple, false);

	seg.flags = flags;
	seg.seq = seq;
	seg.ack = ack;
	seg.payload = payload;
	seg.has_timestamp = ts != PAWSLESS;
	seg.tsval = ts;
	kernel.sent_count = 0;
	host_receive(&kernel, tuple, seg);
}

static void expect_record(const struct tuple *tuple, uint32_t ts, size_t step)
{
	const struct record *r = record_of(&kernel, tuple);

	if ((r->made ? r->ts : 0) != ts)
		fail_msg("after step %zu: %u recorded instead of %u", step, r->made ? r->ts : 0,
			 ts);
}

/* Up to the host's FIN or, of a service that waits for the client's, the end of data. */
static uint32_t open_connection(const struct tuple *tuple, bool plain)
{
	uint32_t ack;

	send_in(tuple, SYNPAWS_SYN, 99, 0, 0, plain ? PAWSLESS : 1000);
	assert_int_equal(kernel.sent_count, 1);
	ack = kernel.sent[0].seq + 1;
	send_in(tuple, SYNPAWS_ACK, 100, ack, 0, plain ? PAWSLESS : 1010);
	send_in(tuple, SYNPAWS_ACK, 100, ack, 5, plain ? PAWSLESS : 1020);
	return ack;
}

static void test_records_as_real_kernels_do(void **state)
{
	const struct story *story = *state;
	struct tuple tuple = tuple_of_all;
	uint64_t dice = 1;
	uint32_t ack;
	size_t i;

	memset(&kernel, 0, sizeof(kernel));
	kernel.rules = &rules;
	kernel.dice = &dice;
	kernel.timestamps = true;
	kernel.fin_timeout = 60;
	kernel.now = SECOND;
	kernel.wall = (int64_t)(UNIT_SECOND * SECOND);
	tuple.host_port = PORT_OF(story->service);
	ack = open_connection(&tuple, story->plain);
	kernel.sockets[0].delays = false;
	kernel.sockets[0].app = kernel.now + MS;
	for (i = 0; i < COUNT(story->steps) && story->steps[i].flags != 0; i++) {
		const struct step *step = &story->steps[i];
		const struct socket *s = socket_trace(&kernel, &tuple);
		uint32_t seq = (uint32_t)(105 + step->seq);

		wait_for(10 * MS + step->wait * SECOND);
		if (s != NULL)
			seq = s->rcv_nxt + (uint32_t)step->seq;
		send_in(&tuple, step->flags, seq, ack + step->ack, step->payload, step->ts);
		expect_record(&tuple, step->recorded, i + 1);
	}
	wait_for(story->later * SECOND);
	expect_record(&tuple, story->recorded, i + 1);
	if (story->recorded != 0)
		assert_int_equal(kernel_second(&kernel) - record_of(&kernel, &tuple)->stamp,
				 story->age);
}

int main(void)
{
	struct CMUnitTest kernel_sim[COUNT(stories)];
	size_t i;

	for (i = 0; i < COUNT(stories); i++)
		kernel_sim[i] =
			unit_row(stories[i].name, test_records_as_real_kernels_do, &stories[i]);
	return cmocka_run_group_tests(kernel_sim, NULL, NULL);
}
