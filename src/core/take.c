/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inner.h"
#include "paws.h"

/* So many segments are looked up together; their lines have to stay in the first cache. */
#define TOGETHER 16

/* A segment whose places in the tables are known. */
struct place {
	const struct synpaws_segment *seg;
	bool arrives, leaves; /* at a host, from a host; both where every address is one */
	uint64_t peer;	      /* stamps_peer(); SYN evidence only, and */
	struct ends to, from; /* other evidence only */
};

/* SYN evidence: a SYN that passes is taken for a connection that the host closes first. */
static void estimate(struct synpaws_mirror *mirror, const struct place *place,
		     struct synpaws_outcome *outcome)
{
	const struct synpaws_profile *profile = mirror->config.profile;
	const struct synpaws_segment *seg = place->seg;
	struct stamp *stamp;

	if (seg->ip_version == 6 && !profile->ipv6) {
		outcome->fate = SYNPAWS_FATE_NOT_CHECKED;
		return;
	}
	stamp = stamps_find(mirror->stamps, place->peer);
	if (stamp != NULL) {
		judge_tell(stamp, seg, outcome);
		if (paws_drops(profile, stamp, seg->has_timestamp, seg->tsval, seg->second)) {
			outcome->fate = SYNPAWS_FATE_PAWS_DROP;
			outcome->wait = paws_fresh_for(profile, stamp, seg->second);
			return;
		}
	}
	outcome->fate = SYNPAWS_FATE_PASS;
	if (!seg->has_timestamp)
		return;
	if (stamp == NULL)
		stamp = stamps_add(mirror->stamps, place->peer, seg->second);
	paws_record(profile, stamp, seg->tsval, seg->second, seg->second);
}

/* Is the segment one that the rule set for this evidence queues? A capture holds more. */
static bool is_shown(const struct synpaws_mirror *mirror, const struct flow *flow,
		     const struct synpaws_segment *seg, bool from_host)
{
	const enum synpaws_evidence evidence = mirror->config.evidence;
	const uint8_t kind = seg->flags & (SYNPAWS_SYN | SYNPAWS_ACK);
	const bool marked = flow != NULL && flow->host_fin_seen;

	if (evidence == SYNPAWS_EVIDENCE_FULL || (seg->flags & (SYNPAWS_FIN | SYNPAWS_RST)) != 0)
		return true;
	if (!from_host)
		return kind == SYNPAWS_SYN || marked;
	return evidence == SYNPAWS_EVIDENCE_ANSWER &&
	       (kind == (SYNPAWS_SYN | SYNPAWS_ACK) || marked || (flow != NULL && flow->held != 0));
}

static void take_from_host(struct synpaws_mirror *mirror, const struct synpaws_segment *seg,
			   struct ends *ends)
{
	struct flow *flow = flows_find(mirror->flows, ends->name);

	if (!is_shown(mirror, flow, seg, true))
		return;
	mirror->segments++;
	mirror->answers++;
	mirror->ends += (seg->flags & (SYNPAWS_FIN | SYNPAWS_RST)) != 0;
	if (flow != NULL && flow->held != 0) {
		syn_answered(mirror, flow, seg);
		flow = flows_find(mirror->flows, ends->name);
	}
	host_sends(mirror, flow, seg, ends);
}

static void take_to_host(struct synpaws_mirror *mirror, const struct synpaws_segment *seg,
			 struct ends *ends)
{
	struct flow *flow = flows_find(mirror->flows, ends->name);

	if (!is_shown(mirror, flow, seg, false))
		return;
	mirror->segments++;
	mirror->ends += (seg->flags & (SYNPAWS_FIN | SYNPAWS_RST)) != 0;
	if (synpaws_segment_is_syn(seg)) {
		mirror->syns++;
		syn_arrives(mirror, flow, seg, ends);
		return;
	}
	if (flow == NULL && (seg->flags & SYNPAWS_FIN) != 0 && (seg->flags & SYNPAWS_RST) == 0) {
		/* Whether the host has closed before it, its own FIN will tell. */
		flow = host_new_flow(mirror, NULL, seg, ends);
		flow->state = FLOW_OPEN;
	}
	if (flow != NULL)
		receive_segment(mirror, flow, seg);
}

static void pass_time(struct synpaws_mirror *mirror, uint64_t now_ns)
{
	struct deadline deadline;

	mirror->now_ns = now_ns;
	syn_release(mirror, now_ns);
	while (deadlines_take(mirror->deadlines, now_ns, &deadline))
		receive_deadline(mirror, &deadline,
				 (uint32_t)((deadline.ns + mirror->wall_ahead_ns) / NS_PER_SEC));
}

static void take_syn(struct synpaws_mirror *mirror, const struct place *place)
{
	struct synpaws_outcome outcome = { .fate = SYNPAWS_FATE_NONE };

	mirror->segments++;
	mirror->syns++;
	estimate(mirror, place, &outcome);
	outcome.predicted = outcome.fate;
	mirror->config.emit(mirror->config.context, place->seg, &outcome);
}

/* First step of a look-up: names, and the lines that they alone lead to. */
static void find_place(const struct synpaws_mirror *mirror, const struct synpaws_segment *seg,
		       struct place *place)
{
	place->seg = seg;
	place->arrives = seg->way != SYNPAWS_WAY_OUT &&
			 mirror_is_host(mirror, seg->ip_version, seg->destination);
	if (mirror->config.evidence == SYNPAWS_EVIDENCE_SYN) {
		place->arrives = place->arrives && synpaws_segment_is_syn(seg);
		if (!place->arrives)
			return;
		place->peer = stamps_peer(mirror->stamps, seg->ip_version, seg->source,
					  by_host(mirror, seg) ? seg->destination : NULL);
		stamps_prefetch(mirror->stamps, place->peer);
		return;
	}
	place->leaves =
		seg->way != SYNPAWS_WAY_IN && mirror_is_host(mirror, seg->ip_version, seg->source);
	if (place->arrives) {
		ends_of_arrival(mirror, seg, &place->to);
		flows_prefetch_head(mirror->flows, place->to.name);
	}
	if (place->leaves && place->arrives) {
		ends_exchange(&place->to, &place->from); /* in the same chain */
	} else if (place->leaves) {
		ends_of_departure(mirror, seg, &place->from);
		flows_prefetch_head(mirror->flows, place->from.name);
	}
}

/* Second step, where the first has led to flows. */
static void fetch_place(const struct synpaws_mirror *mirror, struct place *place)
{
	if (place->arrives)
		flows_prefetch(mirror->flows, place->to.name);
	else if (place->leaves)
		flows_prefetch(mirror->flows, place->from.name);
	if (!place->arrives || !synpaws_segment_is_syn(place->seg))
		return;
	ends_name_both(mirror, place->seg, &place->to);
	stamps_prefetch(mirror->stamps, place->to.peer_name);
}

static void take_place(struct synpaws_mirror *mirror, struct place *place)
{
	const struct synpaws_segment *seg = place->seg;

	if (mirror->config.evidence == SYNPAWS_EVIDENCE_SYN) {
		if (place->arrives)
			take_syn(mirror, place);
		return;
	}
	mirror->many_hosts = seg->forwarded;
	mirror->wall_ahead_ns = seg->time_ns - seg->order_ns;
	pass_time(mirror, seg->order_ns);
	if (place->leaves)
		take_from_host(mirror, seg, &place->from);
	if (place->arrives)
		take_to_host(mirror, seg, &place->to);
}

void synpaws_mirror_take(struct synpaws_mirror *mirror, const struct synpaws_segment *seg)
{
	struct place place;

	find_place(mirror, seg, &place);
	take_place(mirror, &place);
}

static void take_together(struct synpaws_mirror *mirror, const struct synpaws_segment *segs,
			  size_t count)
{
	struct place places[TOGETHER];
	size_t i;

	for (i = 0; i < count; i++)
		find_place(mirror, &segs[i], &places[i]);
	if (mirror->config.evidence != SYNPAWS_EVIDENCE_SYN) {
		for (i = 0; i < count; i++)
			fetch_place(mirror, &places[i]);
	}
	for (i = 0; i < count; i++)
		take_place(mirror, &places[i]);
}

void synpaws_mirror_take_batch(struct synpaws_mirror *mirror, const struct synpaws_segment *segs,
			       size_t count)
{
	size_t n;

	for (; count > 0; count -= n, segs += n) {
		n = count < TOGETHER ? count : TOGETHER;
		take_together(mirror, segs, n);
	}
}

void synpaws_mirror_advance(struct synpaws_mirror *mirror, uint64_t order_ns)
{
	if (mirror->config.evidence != SYNPAWS_EVIDENCE_SYN)
		pass_time(mirror, order_ns);
}

void synpaws_mirror_flush(struct synpaws_mirror *mirror)
{
	if (mirror->config.evidence != SYNPAWS_EVIDENCE_SYN)
		syn_flush(mirror);
}
