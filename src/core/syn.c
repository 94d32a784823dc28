/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "hold.h"
#include "table.h"

#define HOLDS_MOST 16384

/* So many SYNs between the same ends are told apart while they wait. */
#define WAITING_MOST 64

/* So many releases ahead their memory is asked for. */
#define FETCH_FAR  8
#define FETCH_NEAR 4

/* What is before most SYNs. */
static const struct flow nothing;

/* Kept apart from the holds, since few need it and it is longer than they are. */
static void keep_before(struct synpaws_mirror *mirror, struct hold *hold, const struct flow *flow)
{
	struct flow *before = &mirror->befores[hold - mirror->holds];

	*before = *flow;
	hold->before = before;
}

bool syn_start(struct synpaws_mirror *mirror)
{
	mirror->hold_room =
		mirror->config.flows < HOLDS_MOST ? (uint32_t)mirror->config.flows : HOLDS_MOST;
	mirror->holds = calloc(mirror->hold_room, sizeof(*mirror->holds));
	mirror->befores = calloc(mirror->hold_room, sizeof(*mirror->befores));
	return mirror->holds != NULL && mirror->befores != NULL;
}

void syn_touch(struct synpaws_mirror *mirror)
{
	table_touch(mirror->holds, mirror->hold_room, sizeof(*mirror->holds));
}

size_t syn_bytes(const struct synpaws_mirror *mirror)
{
	return mirror->hold_room * (sizeof(*mirror->holds) + sizeof(*mirror->befores));
}

static void start_handshake(const struct synpaws_mirror *mirror, struct flow *flow,
			    const struct synpaws_segment *syn)
{
	flow->state = FLOW_HANDSHAKE;
	flow->isn = syn->seq;
	flow->syn_ns = syn->order_ns;
	flow->rcv_nxt = flow->rcv_wup = syn->seq + 1;
	flow->has_timestamp = syn->has_timestamp && mirror->config.sysctls.tcp_timestamps;
	flow->ts_recent = flow->has_timestamp ? syn->tsval : 0;
	flow->ts_second = syn->second;
}

/* What the SYN leaves behind on the host, if its fate is `fate`. NULL: what there was stays. */
static struct flow *apply(struct synpaws_mirror *mirror, struct flow *flow,
			  const struct synpaws_segment *syn, struct ends *ends,
			  enum synpaws_fate fate)
{
	switch (fate) {
	case SYNPAWS_FATE_SYN_RECV:
		if (flow->repeated < UINT8_MAX)
			flow->repeated++;
		return flow;
	case SYNPAWS_FATE_OLD_CONNECTION:
		receive_syn(mirror, flow, syn);
		return flow;
	case SYNPAWS_FATE_TW_REFUSE_ACK:
		if (timewait_paws_rejects(mirror, flow, syn))
			timewait_renew(mirror, flow, syn->order_ns);
		timewait_refuse(flow, syn);
		return flow;
	case SYNPAWS_FATE_FIN_WAIT2_ACK:
		timewait_refuse(flow, syn);
		return flow;
	case SYNPAWS_FATE_PASS:
	case SYNPAWS_FATE_NOT_CHECKED:
	case SYNPAWS_FATE_COOKIE:
	case SYNPAWS_FATE_TW_ACCEPT:
		flow = host_new_flow(mirror, flow, syn, ends);
		start_handshake(mirror, flow, syn);
		flow->cookie = fate == SYNPAWS_FATE_COOKIE;
		return flow;
	case SYNPAWS_FATE_NONE:
	case SYNPAWS_FATE_PAWS_DROP:
	case SYNPAWS_FATE_CLOSED_PORT:
	case SYNPAWS_FATE_MD5:
	case SYNPAWS_FATE_FIN_WAIT2_RST:
	case SYNPAWS_FATE_KINDS:
		break;
	}
	flow = host_new_flow(mirror, flow, syn, ends);
	flow->state = FLOW_GHOST;
	flow->isn = syn->seq;
	return flow;
}

/*
 * Before anything told whether the check is on: a SYN that should be dropped and has no answer yet,
 * while one that came after it has.
 */
static bool seems_to_check(const struct synpaws_mirror *mirror, uint64_t host)
{
	bool dropped = false;
	uint32_t i;

	for (i = 0; i < mirror->hold_count; i++) {
		const struct hold *hold =
			&mirror->holds[(mirror->hold_first + i) % mirror->hold_room];

		if (hold->host != host)
			continue;
		if (!hold->settled)
			dropped = dropped || hold->outcome.fate == SYNPAWS_FATE_PAWS_DROP;
		else if (dropped && hold->outcome.fate != SYNPAWS_FATE_PAWS_DROP)
			return true;
	}
	return false;
}

bool mirror_checks(const struct synpaws_mirror *mirror, uint64_t host)
{
	const int8_t told = mirror->config.sysctls.tcp_tw_recycle;

	return told >= 0 ? told != 0 : services_checks(mirror->services, host);
}

static struct hold *hold_at(const struct synpaws_mirror *mirror, uint32_t link)
{
	return link != 0 ? &mirror->holds[link - 1] : NULL;
}

/* Does the flow still stand where it stood when the outcome was held? */
static struct flow *flow_of(const struct synpaws_mirror *mirror, const struct hold *hold)
{
	struct flow *flow = flows_at(mirror->flows, hold->flow);

	return flow->name == hold->name ? flow : NULL;
}

/* Silence from afar may be an answer on its way. */
static bool tells(const struct hold *hold)
{
	return hold->outcome.answer != SYNPAWS_ANSWER_UNSEEN &&
	       (hold->outcome.answer != SYNPAWS_ANSWER_SILENCE || hold_is_near(hold));
}

/* It may be on its way from afar, or be an ACK that was held back. */
static bool is_doubtful(const struct synpaws_mirror *mirror, const struct hold *hold)
{
	return hold->outcome.answer == SYNPAWS_ANSWER_SILENCE &&
	       (!hold_is_near(hold) || hold_is_limited(mirror, hold) ||
		(hold->outcome.fate == SYNPAWS_FATE_OLD_CONNECTION &&
		 mirror->config.profile->ack_rate_limit));
}

/* A FIN of the peer's that came since. */
static void keep_fin(struct flow *was, const struct flow *flow)
{
	if (was->state != FLOW_HANDSHAKE || !flow->peer_fin_seen)
		return;
	was->state = FLOW_OPEN;
	was->peer_fin_seen = true;
	was->peer_fin = flow->peer_fin;
	was->past_fin = flow->past_fin;
	was->early_seq = flow->early_seq;
	was->early_tsval = flow->early_tsval;
	was->early_second = flow->early_second;
	was->early_has_timestamp = flow->early_has_timestamp;
}

/* The host shows that the SYN had another fate than was thought. */
static void correct(struct synpaws_mirror *mirror, struct hold *hold, struct flow *flow,
		    enum synpaws_fate fate)
{
	struct ends ends;
	const bool was_guess = hold->outcome.guess;
	const bool keeps = fate == SYNPAWS_FATE_SYN_RECV || fate == SYNPAWS_FATE_OLD_CONNECTION ||
			   fate == SYNPAWS_FATE_FIN_WAIT2_ACK || fate == SYNPAWS_FATE_TW_REFUSE_ACK;

	hold->outcome.guess = is_doubtful(mirror, hold);
	hold->outcome.contradicted = !was_guess && !hold->outcome.guess;
	hold->outcome.fate = fate;
	/* A connection that may yet be there stays in view. */
	if (flow == NULL || (hold->outcome.guess && fate == SYNPAWS_FATE_PAWS_DROP &&
			     hold->outcome.predicted == SYNPAWS_FATE_OLD_CONNECTION))
		return;
	/* By now its FIN has told more of it than was known then. */
	if (keeps && flow->host_fin_seen && !hold->before->host_fin_seen)
		return;
	if (keeps && hold->before->state == FLOW_FREE) {
		host_forget(mirror, flow);
		return;
	}
	if (keeps) { /* all that was known of it, at its place in the table */
		struct flow was = *hold->before;

		was.chain = flow->chain;
		was.older = flow->older;
		was.newer = flow->newer;
		was.held = flow->held;
		was.listed_early = flow->listed_early;
		was.place = 0;
		keep_fin(&was, flow);
		*flow = was;
		timewait_revive(mirror, flow, hold->before, hold->syn.order_ns);
	}
	ends_of_arrival(mirror, &hold->syn, &ends);
	apply(mirror, flow, &hold->syn, &ends, fate)->guessed = hold->outcome.guess;
}

/* Let in, and yet silence: a stamp from before the watch, a full queue, or a loss on the way. */
static bool is_unanswered(const struct hold *hold)
{
	return hold->outcome.answer == SYNPAWS_ANSWER_SILENCE &&
	       (hold->outcome.fate == SYNPAWS_FATE_PASS ||
		hold->outcome.fate == SYNPAWS_FATE_TW_ACCEPT ||
		hold->outcome.fate == SYNPAWS_FATE_COOKIE ||
		hold->outcome.fate == SYNPAWS_FATE_NOT_CHECKED);
}

/* tcp_v6_fill_cb() of 4.9 makes the SYN-ACK after TIME_WAIT like any other. */
static bool is_lost_isn(const struct synpaws_mirror *mirror, const struct hold *hold)
{
	return hold->syn.ip_version == 6 && mirror->config.profile->ipv6_tw_checked &&
	       hold->outcome.fate == SYNPAWS_FATE_TW_ACCEPT;
}

/* True if a silence was counted. */
static bool learn(struct synpaws_mirror *mirror, const struct hold *hold)
{
	const enum synpaws_answer answer = hold->outcome.answer;
	const uint16_t port = hold->syn.destination_port;
	const bool dropped = hold->outcome.fate == SYNPAWS_FATE_PAWS_DROP && !hold->outcome.guess;

	if (answer == SYNPAWS_ANSWER_RST &&
	    (hold->before->state == FLOW_FREE || hold->before->state == FLOW_GHOST))
		services_vote_closed(mirror->services, hold->host, port, true);
	else if (answer != SYNPAWS_ANSWER_RST &&
		 (answer != SYNPAWS_ANSWER_UNSEEN || hold_is_near(hold)))
		services_vote_closed(mirror->services, hold->host, port, false);
	/* Behind a gateway it is the SYN sent again that tells. */
	if (!dropped || !tells(hold) ||
	    (answer != SYNPAWS_ANSWER_SYN_ACK && answer != SYNPAWS_ANSWER_SILENCE))
		return false;
	services_vote_check(mirror->services, hold->host, answer == SYNPAWS_ANSWER_SYN_ACK);
	return answer == SYNPAWS_ANSWER_SILENCE;
}

/* Whether the host has the check on, as far as this answer is concerned. */
static bool checks_here(const struct synpaws_mirror *mirror, const struct hold *hold)
{
	if (mirror->config.sysctls.tcp_tw_recycle >= 0 ||
	    services_check_is_known(mirror->services, hold->host))
		return mirror_checks(mirror, hold->host);
	/* A SYN-ACK speaks against it, also one that looks like a cookie's: one in 32 does. */
	return (hold->outcome.answer != SYNPAWS_ANSWER_SYN_ACK &&
		hold->outcome.answer != SYNPAWS_ANSWER_COOKIE) ||
	       seems_to_check(mirror, hold->host);
}

/*
 * What was there before this SYN was not, or was there after all: so it was, or was not, when the
 * ones came that wait behind it.
 */
static void tell_later(struct synpaws_mirror *mirror, const struct hold *hold,
		       enum synpaws_fate fate)
{
	const bool stays = fate == SYNPAWS_FATE_FIN_WAIT2_ACK || fate == SYNPAWS_FATE_TW_REFUSE_ACK;
	struct hold *later = hold_at(mirror, hold->next);
	struct flow was = *hold->before, gone;
	size_t i;

	timewait_refuse(&was, &hold->syn);
	for (i = 0; i < WAITING_MOST && later != NULL && later->name == hold->name; i++) {
		if (!later->settled && !stays) {
			gone = *later->before;
			gone.state = FLOW_FREE;
			keep_before(mirror, later, &gone);
		} else if (!later->settled) {
			keep_before(mirror, later, &was);
			if (timewait_judge(mirror, &was, &later->syn) == fate)
				later->outcome.fate = fate;
			later->outcome.guess = true;
		}
		later = hold_at(mirror, later->next);
	}
}

static void settle(struct synpaws_mirror *mirror, struct hold *hold, enum synpaws_answer answer)
{
	struct flow *flow = hold->next != 0 ? NULL : flow_of(mirror, hold);
	enum synpaws_fate fate;
	bool checks;

	hold->outcome.answer = answer;
	hold->settled = true;
	checks = checks_here(mirror, hold);
	if (learn(mirror, hold) && flow != NULL)
		flow->silent = true;
	fate = answer_fate(mirror, hold, checks);
	if (fate != hold->outcome.predicted && hold->next != 0)
		tell_later(mirror, hold, fate);
	if (fate != hold->outcome.predicted)
		correct(mirror, hold, flow, fate);
	else if (checks && tells(hold) && !is_lost_isn(mirror, hold))
		hold->outcome.guess =
			is_unanswered(hold) || (hold->outcome.guess && is_doubtful(mirror, hold));
	flow = hold->next != 0 ? NULL : flow_of(mirror, hold);
	if (flow == NULL)
		return;
	flow->held = 0;
	if (answer == SYNPAWS_ANSWER_SYN_ACK || answer == SYNPAWS_ANSWER_COOKIE)
		flow->confirmed = true;
	else if (answer == SYNPAWS_ANSWER_ACK && flow->state != FLOW_TIME_WAIT &&
		 flow->state != FLOW_HALF_DEAD)
		flow->ack_ns = hold->syn.order_ns;
	else if (answer == SYNPAWS_ANSWER_RST ||
		 (answer == SYNPAWS_ANSWER_SILENCE && flow->state == FLOW_HANDSHAKE &&
		  flow->isn == hold->syn.seq && !flow->confirmed))
		host_forget(mirror, flow); /* no request waits on the host */
}

/* A SYN-ACK echoes the timestamp of the SYN that it answers (RFC 7323, 3.2). */
static bool echoes(const struct hold *hold, const struct synpaws_segment *answer)
{
	return !hold->syn.has_timestamp || !answer->has_timestamp ||
	       answer->tsecr == hold->syn.tsval;
}

/* The SYN that an answer belongs to, if several wait: the last, unless an older one fits better. */
static struct hold *held_for(const struct synpaws_mirror *mirror, const struct flow *flow,
			     const struct synpaws_segment *answer)
{
	struct hold *last = flow != NULL ? hold_at(mirror, flow->held) : NULL, *hold = last;
	size_t i;

	/* An ACK of what is there says nothing of the SYN. */
	if ((answer->flags & (SYNPAWS_SYN | SYNPAWS_RST)) == 0)
		return last;
	for (i = 0; i < WAITING_MOST && hold != NULL; i++) {
		if (hold->name != last->name || hold->settled)
			break;
		if (answer->ack == hold->syn.seq + 1 && echoes(hold, answer))
			return hold;
		hold = hold_at(mirror, hold->previous);
	}
	return last;
}

/* tcp_synack_options() with a cookie: cookie_init_timestamp() puts the SYN's options into TSval. */
static bool is_cookie(const struct synpaws_segment *syn, const struct synpaws_segment *syn_ack)
{
	const uint32_t scale = syn->window_scale < 0 ? 15 : (uint32_t)syn->window_scale;
	const uint32_t options = scale | (uint32_t)syn->sack_permitted << 4;

	return syn_ack->has_timestamp && (syn_ack->tsval & 0x1f) == options;
}

void syn_answered(struct synpaws_mirror *mirror, struct flow *flow,
		  const struct synpaws_segment *answer)
{
	struct hold *hold = held_for(mirror, flow, answer);
	const uint8_t kind =
		answer->flags & (SYNPAWS_SYN | SYNPAWS_RST | SYNPAWS_ACK | SYNPAWS_FIN);

	if (hold == NULL || hold->settled)
		return;
	if (answer->flags & SYNPAWS_RST) {
		/* One that answers a SYN acknowledges it, and has number 0 (RFC 9293, 3.10.7.1). */
		if ((answer->flags & SYNPAWS_ACK) != 0 && answer->seq == 0 &&
		    answer->ack == segment_end(&hold->syn))
			settle(mirror, hold, SYNPAWS_ANSWER_RST);
	} else if (kind == (SYNPAWS_SYN | SYNPAWS_ACK)) {
		if (answer->ack != hold->syn.seq + 1)
			return; /* an older request's, sent again */
		hold->isn = answer->seq;
		settle(mirror, hold,
		       mirror->config.sysctls.tcp_syncookies != 0 && is_cookie(&hold->syn, answer)
			       ? SYNPAWS_ANSWER_COOKIE
			       : SYNPAWS_ANSWER_SYN_ACK);
	} else if (kind == SYNPAWS_ACK && answer->payload == 0) {
		settle(mirror, hold, SYNPAWS_ANSWER_ACK);
	}
}

/* What is released before its time has not been silent for long enough to say so. */
static void release_first(struct synpaws_mirror *mirror, bool in_time)
{
	struct hold *hold = &mirror->holds[mirror->hold_first];
	struct flow *flow;

	if (!hold->settled)
		settle(mirror, hold,
		       in_time && mirror->config.evidence >= SYNPAWS_EVIDENCE_ANSWER
			       ? SYNPAWS_ANSWER_SILENCE
			       : SYNPAWS_ANSWER_UNSEEN);
	flow = flow_of(mirror, hold);
	if (flow != NULL && flow->held == mirror->hold_first + 1)
		flow->held = 0;
	mirror->hold_first = (mirror->hold_first + 1) % mirror->hold_room;
	mirror->hold_count--;
	if (hold->outcome.fate != SYNPAWS_FATE_PAWS_DROP)
		hold->outcome.wait = 0;
	mirror->guesses += hold->outcome.guess;
	mirror->contradicted += hold->outcome.contradicted;
	mirror->config.emit(mirror->config.context, &hold->syn, &hold->outcome);
}

/* An outcome that cannot wait for the host's answer. */
static void release_early(struct synpaws_mirror *mirror)
{
	struct hold *hold = &mirror->holds[mirror->hold_first];

	if (!hold->settled && mirror->config.evidence >= SYNPAWS_EVIDENCE_ANSWER)
		hold->outcome.guess = true;
	release_first(mirror, false);
}

void syn_flush(struct synpaws_mirror *mirror)
{
	while (mirror->hold_count > 0)
		release_early(mirror);
}

/* It has been so long that what the next ones need is in no cache any more. */
static void fetch_later(const struct synpaws_mirror *mirror)
{
	const struct hold *far, *near;

	if (mirror->hold_count <= FETCH_FAR)
		return;
	far = &mirror->holds[(mirror->hold_first + FETCH_FAR) % mirror->hold_room];
	near = &mirror->holds[(mirror->hold_first + FETCH_NEAR) % mirror->hold_room];
	__builtin_prefetch(&far->outcome);
	__builtin_prefetch(&far->name);
	__builtin_prefetch(flows_at(mirror->flows, near->flow), 1);
	flows_prefetch_head(mirror->flows, near->name);
}

void syn_release(struct synpaws_mirror *mirror, uint64_t now_ns)
{
	while (mirror->hold_count > 0) {
		const struct hold *hold = &mirror->holds[mirror->hold_first];

		if (!hold->settled && now_ns < hold->until_ns)
			return;
		fetch_later(mirror);
		release_first(mirror, true);
	}
}

/* All zero but for `syn`, which the caller fills in. */
static struct hold *new_hold(struct synpaws_mirror *mirror)
{
	struct hold *hold;
	uint32_t at;

	if (mirror->hold_count == mirror->hold_room) {
		mirror->unsettled++;
		release_early(mirror);
	}
	at = (mirror->hold_first + mirror->hold_count++) % mirror->hold_room;
	hold = &mirror->holds[at];
	memset((char *)hold + sizeof(hold->syn), 0, sizeof(*hold) - sizeof(hold->syn));
	hold->before = &nothing;
	return hold;
}

/* A SYN again where the first one should have been dropped: so it was. */
static void note_retransmission(struct synpaws_mirror *mirror, struct flow *flow,
				const struct synpaws_segment *syn)
{
	if ((mirror->config.evidence >= SYNPAWS_EVIDENCE_ANSWER && !syn->forwarded) ||
	    flow->state != FLOW_GHOST || flow->counted || flow->isn != syn->seq)
		return;
	services_vote_check(mirror->services, flow->host, false);
}

void syn_arrives(struct synpaws_mirror *mirror, struct flow *flow,
		 const struct synpaws_segment *syn, struct ends *ends)
{
	struct hold *hold;
	uint32_t previous;

	hold = new_hold(mirror);
	flow = flows_find(mirror->flows, ends->name);
	if (flow != NULL && flow->state == FLOW_CLOSED) {
		host_forget(mirror, flow);
		flow = NULL;
	}
	if (flow != NULL) {
		note_retransmission(mirror, flow, syn);
		keep_before(mirror, hold, flow);
		previous = flow->held;
		if (previous != 0 && !mirror->holds[previous - 1].settled) {
			hold->previous = previous;
			mirror->holds[previous - 1].next = (uint32_t)(hold - mirror->holds) + 1;
			/* Whether that one has met anything is not settled: nor is it here. */
			if (flow->state == FLOW_GHOST && flow->guessed)
				keep_before(mirror, hold, mirror->holds[previous - 1].before);
		}
	}
	hold->syn = *syn;
	hold->until_ns = syn->order_ns + SYNPAWS_HOLD_NS;
	ends_name_both(mirror, syn, ends);
	hold->host = ends->host_name;
	hold->alone = judge_alone(mirror, syn, ends->peer_name, &hold->outcome);
	hold->outcome.fate = judge_syn(mirror, flow, syn, hold->alone, &hold->outcome);
	if (hold->outcome.fate == hold->alone &&
	    services_is(mirror->services, hold->host, ends->host_port, SYNPAWS_FACT_CLOSED)) {
		hold->outcome.fate = SYNPAWS_FATE_CLOSED_PORT;
		hold->outcome.guess =
			!services_is_told(mirror->services, ends->host_port, SYNPAWS_FACT_CLOSED);
	}
	hold->outcome.predicted = hold->outcome.fate;
	flow = apply(mirror, flow, syn, ends, hold->outcome.fate);
	flow->guessed = hold->outcome.guess;
	flow->held = (uint32_t)(hold - mirror->holds) + 1;
	hold->flow = flows_index(mirror->flows, flow);
	hold->name = flow->name;
}
