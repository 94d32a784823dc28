/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "core_load.h"

/* A conversation, whole. */
enum step { OPEN, ANSWER, CONFIRM, REQUEST, TAKE, HOST_FIN, COVER, PEER_FIN, LAST, STEPS };

struct talk_step {
	bool host;
	uint8_t flags;
	uint8_t peer_said, host_said, heard; /* sequence numbers, and the other's */
	uint8_t payload;
	uint8_t tsval, tsecr; /* so many ticks after the SYN's, as in the traces of real kernels */
};

static const struct talk_step talk_steps[STEPS] = {
	[OPEN] = { .flags = SYNPAWS_SYN },
	[ANSWER] = { .host = true, .flags = SYNPAWS_SYN | SYNPAWS_ACK, .peer_said = 1 },
	[CONFIRM] = { .flags = SYNPAWS_ACK, .peer_said = 1, .host_said = 1, .tsval = 10 },
	[REQUEST] = { .flags = SYNPAWS_ACK,
		      .peer_said = 1,
		      .host_said = 1,
		      .payload = 100,
		      .tsval = 20 },
	[TAKE] = { .host = true,
		   .flags = SYNPAWS_ACK,
		   .peer_said = 101,
		   .host_said = 1,
		   .tsecr = 20 },
	[HOST_FIN] = { .host = true,
		       .flags = SYNPAWS_FIN | SYNPAWS_ACK,
		       .peer_said = 101,
		       .host_said = 1,
		       .tsecr = 20 },
	[COVER] = { .flags = SYNPAWS_ACK, .peer_said = 101, .host_said = 2, .tsval = 30 },
	[PEER_FIN] = { .flags = SYNPAWS_FIN | SYNPAWS_ACK,
		       .peer_said = 101,
		       .host_said = 2,
		       .tsval = 40 },
	[LAST] = { .host = true,
		   .flags = SYNPAWS_ACK,
		   .peer_said = 102,
		   .host_said = 2,
		   .tsecr = 40 },
};

/* What the rules of each evidence show of it. */
static const uint8_t by_close[] = { OPEN, HOST_FIN, COVER, PEER_FIN };
static const uint8_t by_answer[] = { OPEN, ANSWER, HOST_FIN, COVER, PEER_FIN, LAST };
static const uint8_t by_full[] = { OPEN,     ANSWER, CONFIRM,  REQUEST, TAKE,
				   HOST_FIN, COVER,  PEER_FIN, LAST };

/* As fast as the mirror has room for the outcomes that wait, for so many segments and flows. */
#define PACE_NS_LEAST  2000ULL
#define ROUND_NS_LEAST 50000000ULL
#define TICKS_BETWEEN  100
#define HOST_TSVAL     0x70000000U /* never one of a SYN cookie, by its last five bits */

struct core_talks core_talks_of(uint64_t flows, uint8_t ip_version, enum synpaws_evidence evidence,
				uint64_t seed)
{
	struct core_talks talks = {
		.order = core_order_of(flows, seed),
		.seed = seed,
		.pace_ns = ROUND_NS_LEAST / flows > PACE_NS_LEAST ? ROUND_NS_LEAST / flows
								  : PACE_NS_LEAST,
		.ip_version = ip_version,
		.steps = sizeof(by_full),
		.script = by_full,
	};

	if (evidence == SYNPAWS_EVIDENCE_CLOSE) {
		talks.steps = sizeof(by_close);
		talks.script = by_close;
	} else if (evidence == SYNPAWS_EVIDENCE_ANSWER) {
		talks.steps = sizeof(by_answer);
		talks.script = by_answer;
	}
	return talks;
}

static void put_ends(const struct core_talks *talks, struct synpaws_segment *seg, uint64_t flow,
		     uint16_t port, bool from_host)
{
	core_address(talks->ip_version, flow, from_host ? seg->destination : seg->source);
	core_host(talks->ip_version, from_host ? seg->source : seg->destination);
	seg->source_port = from_host ? 443 : port;
	seg->destination_port = from_host ? port : 443;
	seg->way = from_host ? SYNPAWS_WAY_OUT : SYNPAWS_WAY_IN;
}

/* A socket counts; a mini-socket, which has the last word, has none of its own. */
static uint16_t ip_id_of(const struct talk_step *step, uint32_t isn)
{
	const ptrdiff_t number = step - talk_steps;

	return (uint16_t)(number == LAST ? core_mix(isn) : isn + (uint32_t)number);
}

/* Segment number `at` of all that a flow is ever shown. */
static void fill_step(const struct core_talks *talks, struct synpaws_segment *seg, uint64_t flow,
		      uint64_t at, uint64_t passed_ns)
{
	const uint64_t talk = at / talks->steps;
	const struct talk_step *step = &talk_steps[talks->script[at % talks->steps]];
	const uint64_t random = core_mix(flow ^ talks->seed << 32);
	const uint32_t isn = (uint32_t)core_mix(random + talk);
	const uint32_t tsval = (uint32_t)(random >> 32) + (uint32_t)talk * TICKS_BETWEEN;
	const uint32_t peer = isn + step->peer_said, host = ~isn + step->host_said;
	const bool syn = (step->flags & SYNPAWS_SYN) != 0;

	memset(seg, 0, sizeof(*seg));
	seg->order_ns = CORE_SECOND * 1000000000ULL + passed_ns;
	seg->time_ns = seg->order_ns;
	seg->second = (uint32_t)(seg->order_ns / 1000000000);
	seg->ifindex = 2;
	seg->ip_version = talks->ip_version;
	put_ends(talks, seg, flow, (uint16_t)(1024 + (random + talk * 7) % 64000), step->host);
	seg->flags = step->flags;
	seg->has_timestamp = true;
	seg->sack_permitted = syn;
	seg->window_scale = syn ? 7 : -1;
	seg->window = syn ? 29200 : 500;
	seg->payload = step->payload;
	seg->seq = step->host ? host : peer;
	if ((step->flags & SYNPAWS_ACK) != 0)
		seg->ack = step->host ? peer : host;
	seg->tsval = step->host ? HOST_TSVAL + (uint32_t)(passed_ns / 1000000 << 5)
				: tsval + step->tsval;
	if (step->host)
		seg->tsecr = tsval + step->tsecr;
	if (step->host && talks->ip_version == 4)
		seg->ip_id = ip_id_of(step, isn);
}

/* Flows set in one after the other in the first rounds; so each is at another step afterwards. */
static uint64_t head_start(const struct core_talks *talks, uint64_t flow)
{
	return flow % talks->steps + 1;
}

/* The next segment of all; false for a flow that has not set in yet. */
static bool fill_next(struct core_talks *talks, struct synpaws_segment *seg)
{
	const uint64_t flow = core_order_at(&talks->order, talks->next % talks->order.count);
	const uint64_t at = talks->next / talks->order.count + head_start(talks, flow);
	const uint64_t passed_ns = talks->next++ * talks->pace_ns;

	if (at < talks->steps)
		return false;
	fill_step(talks, seg, flow, at - talks->steps, passed_ns);
	return true;
}

void core_talks_begin(struct core_talks *talks, struct synpaws_mirror *mirror)
{
	struct synpaws_segment seg;

	while (talks->next < talks->order.count * talks->steps) {
		if (fill_next(talks, &seg))
			synpaws_mirror_take(mirror, &seg);
	}
}

void core_talks_fill(void *context, struct synpaws_segment *block, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		fill_next(context, &block[i]);
}
