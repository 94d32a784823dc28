/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <synpaws/mirror.h>

#include "inner.h"
#include "paws.h"

const struct synpaws_sysctls synpaws_sysctls_default = {
	.tcp_fin_timeout = 60,
	.tcp_syncookies = 1,
	.tcp_timestamps = true,
	.tcp_tw_recycle = -1,
};

/* So many things to come on hosts without a packet are kept in mind. */
#define DEADLINES_MOST 65536

static bool make_tables(struct synpaws_mirror *mirror)
{
	const struct synpaws_mirror_config *config = &mirror->config;

	mirror->stamps = stamps_new(config->peers, config->hash_key);
	if (mirror->stamps == NULL)
		return false;
	if (config->evidence == SYNPAWS_EVIDENCE_SYN)
		return true;
	mirror->flows = flows_new(config->flows, config->hash_key);
	mirror->services = services_new(config->hash_key);
	mirror->deadlines =
		deadlines_new(config->flows < DEADLINES_MOST ? config->flows : DEADLINES_MOST);
	return mirror->flows != NULL && mirror->services != NULL && mirror->deadlines != NULL &&
	       syn_start(mirror);
}

static bool is_valid(const struct synpaws_mirror_config *config)
{
	size_t i;

	for (i = 0; i < config->host_count; i++) {
		if (config->hosts[i].bits > (config->hosts[i].ip_version == 4 ? 32 : 128))
			return false;
	}
	return config->profile != NULL && config->emit != NULL &&
	       config->evidence < SYNPAWS_EVIDENCE_KINDS &&
	       (config->evidence == SYNPAWS_EVIDENCE_SYN || config->flows != 0);
}

struct synpaws_mirror *synpaws_mirror_new(const struct synpaws_mirror_config *config)
{
	struct synpaws_mirror *mirror;

	if (!is_valid(config)) {
		errno = EINVAL;
		return NULL;
	}
	mirror = calloc(1, sizeof(*mirror));
	if (mirror == NULL)
		return NULL;
	mirror->config = *config;
	if (!make_tables(mirror)) {
		const int error = errno;

		synpaws_mirror_free(mirror);
		errno = error;
		return NULL;
	}
	return mirror;
}

void synpaws_mirror_free(struct synpaws_mirror *mirror)
{
	if (mirror == NULL)
		return;
	stamps_free(mirror->stamps);
	flows_free(mirror->flows);
	services_free(mirror->services);
	deadlines_free(mirror->deadlines);
	free(mirror->holds);
	free(mirror);
}

static bool in_prefix(const struct synpaws_prefix *prefix, uint8_t ip_version,
		      const uint8_t address[16])
{
	const size_t whole = prefix->bits / 8;
	const unsigned int rest = prefix->bits % 8;

	if (prefix->ip_version != ip_version || memcmp(prefix->address, address, whole) != 0)
		return false;
	return rest == 0 || ((prefix->address[whole] ^ address[whole]) >> (8 - rest)) == 0;
}

static bool is_host(const struct synpaws_mirror_config *config, uint8_t ip_version,
		    const uint8_t address[16])
{
	size_t i;

	if (config->host_count == 0)
		return true;
	for (i = 0; i < config->host_count; i++) {
		if (in_prefix(&config->hosts[i], ip_version, address))
			return true;
	}
	return false;
}

bool mirror_expect(struct synpaws_mirror *mirror, const struct flow *flow, enum deadline_kind kind,
		   uint64_t ns)
{
	const struct deadline deadline = {
		.ns = ns,
		.name = flow->name,
		.fin_ns = flow->fin_ns,
		.flow = flows_index(mirror->flows, flow),
		.kind = kind,
	};

	if (deadlines_add(mirror->deadlines, &deadline))
		return true;
	mirror->unsettled++;
	return false;
}

/* SYN evidence: a SYN that passes is taken for a connection that the host closes first. */
static void estimate(struct synpaws_mirror *mirror, const struct synpaws_segment *seg,
		     struct synpaws_outcome *outcome)
{
	const struct synpaws_profile *profile = mirror->config.profile;
	struct stamp *stamp;
	uint64_t peer;

	if (seg->ip_version == 6 && !profile->ipv6) {
		outcome->fate = SYNPAWS_FATE_NOT_CHECKED;
		return;
	}
	peer = stamps_peer(mirror->stamps, seg->ip_version, seg->source,
			   by_host(mirror, seg) ? seg->destination : NULL);
	stamp = stamps_find(mirror->stamps, peer);
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
		stamp = stamps_add(mirror->stamps, peer, seg->second);
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

static struct flow *find_flow(const struct synpaws_mirror *mirror,
			      const struct synpaws_segment *seg, const struct ends *ends)
{
	return flows_find(mirror->flows, flows_name(mirror->flows, seg->ip_version, ends->host,
						    ends->host_port, ends->peer, ends->peer_port));
}

static void take_from_host(struct synpaws_mirror *mirror, const struct synpaws_segment *seg)
{
	const struct ends ends = { .host = seg->source,
				   .peer = seg->destination,
				   .host_port = seg->source_port,
				   .peer_port = seg->destination_port };
	struct flow *flow = find_flow(mirror, seg, &ends);

	if (!is_shown(mirror, flow, seg, true))
		return;
	mirror->segments++;
	mirror->answers++;
	mirror->ends += (seg->flags & (SYNPAWS_FIN | SYNPAWS_RST)) != 0;
	if (flow != NULL && flow->held != 0) {
		syn_answered(mirror, flow, seg);
		flow = find_flow(mirror, seg, &ends);
	}
	host_sends(mirror, flow, seg, &ends);
}

static void take_to_host(struct synpaws_mirror *mirror, const struct synpaws_segment *seg)
{
	const struct ends ends = { .host = seg->destination,
				   .peer = seg->source,
				   .host_port = seg->destination_port,
				   .peer_port = seg->source_port };
	struct flow *flow = find_flow(mirror, seg, &ends);

	if (!is_shown(mirror, flow, seg, false))
		return;
	mirror->segments++;
	mirror->ends += (seg->flags & (SYNPAWS_FIN | SYNPAWS_RST)) != 0;
	if (synpaws_segment_is_syn(seg)) {
		mirror->syns++;
		syn_arrives(mirror, flow, seg, &ends);
		return;
	}
	if (flow == NULL && (seg->flags & SYNPAWS_FIN) != 0 && (seg->flags & SYNPAWS_RST) == 0) {
		/* Whether the host has closed before it, its own FIN will tell. */
		flow = host_new_flow(mirror, NULL, seg, &ends);
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

static void take_syn(struct synpaws_mirror *mirror, const struct synpaws_segment *seg)
{
	struct synpaws_outcome outcome = { .fate = SYNPAWS_FATE_NONE };

	if (!synpaws_segment_is_syn(seg))
		return;
	mirror->segments++;
	mirror->syns++;
	estimate(mirror, seg, &outcome);
	outcome.predicted = outcome.fate;
	mirror->config.emit(mirror->config.context, seg, &outcome);
}

void synpaws_mirror_take(struct synpaws_mirror *mirror, const struct synpaws_segment *seg)
{
	const struct synpaws_mirror_config *config = &mirror->config;
	const bool to_host =
		seg->way != SYNPAWS_WAY_OUT && is_host(config, seg->ip_version, seg->destination);
	const bool from_host =
		seg->way != SYNPAWS_WAY_IN && is_host(config, seg->ip_version, seg->source);

	if (config->evidence == SYNPAWS_EVIDENCE_SYN) {
		if (to_host)
			take_syn(mirror, seg);
		return;
	}
	mirror->many_hosts = seg->forwarded;
	mirror->wall_ahead_ns = seg->time_ns - seg->order_ns;
	pass_time(mirror, seg->order_ns);
	if (from_host)
		take_from_host(mirror, seg);
	if (to_host)
		take_to_host(mirror, seg);
}

void synpaws_mirror_take_batch(struct synpaws_mirror *mirror, const struct synpaws_segment *segs,
			       size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		synpaws_mirror_take(mirror, &segs[i]);
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

void synpaws_mirror_tell(struct synpaws_mirror *mirror, uint16_t port, enum synpaws_fact fact,
			 bool is_true, uint32_t seconds, enum synpaws_source source)
{
	if (mirror->services != NULL)
		services_tell(mirror->services, port, fact, is_true, seconds, source);
}

void synpaws_mirror_saw_socket(struct synpaws_mirror *mirror, uint16_t port, bool orphan)
{
	if (mirror->services != NULL)
		services_vote_socket(mirror->services, port, orphan);
}

bool synpaws_mirror_service(const struct synpaws_mirror *mirror, size_t index,
			    struct synpaws_service *service)
{
	return mirror->services != NULL && services_at(mirror->services, index, service);
}

bool synpaws_mirror_is_host(const struct synpaws_mirror *mirror, uint8_t ip_version,
			    const uint8_t address[16])
{
	return is_host(&mirror->config, ip_version, address);
}

void synpaws_mirror_ask(const struct synpaws_mirror *mirror, const struct synpaws_segment *syn,
			struct synpaws_outcome *outcome)
{
	const struct ends ends = { .host = syn->destination,
				   .peer = syn->source,
				   .host_port = syn->destination_port,
				   .peer_port = syn->source_port };

	memset(outcome, 0, sizeof(*outcome));
	outcome->fate = outcome->predicted = judge_alone(mirror, syn, &ends, outcome);
}

static size_t table_bytes(const struct synpaws_mirror *mirror)
{
	size_t bytes = stamps_bytes(mirror->stamps);

	if (mirror->flows != NULL)
		bytes += flows_bytes(mirror->flows) + deadlines_bytes(mirror->deadlines) +
			 services_bytes() + syn_bytes(mirror);
	return bytes;
}

void synpaws_mirror_stats(const struct synpaws_mirror *mirror, struct synpaws_mirror_stats *stats)
{
	const bool flows = mirror->flows != NULL;

	memset(stats, 0, sizeof(*stats));
	stats->evicted = stamps_evicted(mirror->stamps);
	stats->peers = stamps_count(mirror->stamps);
	stats->room = stamps_room(mirror->stamps);
	stats->bytes = table_bytes(mirror);
	stats->segments = mirror->segments;
	stats->syns = mirror->syns;
	stats->answers = mirror->answers;
	stats->ends = mirror->ends;
	stats->flows = flows ? flows_count(mirror->flows) : 0;
	stats->flows_evicted = flows ? flows_evicted(mirror->flows) : 0;
	stats->unsettled = mirror->unsettled;
	stats->records = mirror->records;
	stats->undone = mirror->undone;
	stats->guesses = mirror->guesses;
	stats->contradicted = mirror->contradicted;
	stats->check_known = mirror->config.sysctls.tcp_tw_recycle >= 0 ||
			     (flows && services_any_check_known(mirror->services));
	stats->checking = mirror->config.sysctls.tcp_tw_recycle > 0 ||
			  (mirror->config.sysctls.tcp_tw_recycle < 0 && flows &&
			   services_any_checks(mirror->services));
}

/* The name at `index` of a list, or "unknown". */
static const char *name_at(const char *const *names, size_t count, size_t index)
{
	return index < count ? names[index] : "unknown";
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const char *synpaws_fate_name(enum synpaws_fate fate)
{
	static const char *const names[] = {
		"none",		 "pass",	  "not-checked",   "paws-drop",	     "closed-port",
		"cookie",	 "md5",		  "syn-recv",	   "old-connection", "tw-accept",
		"tw-refuse-ack", "fin-wait2-ack", "fin-wait2-rst",
	};

	return name_at(names, COUNT(names), fate);
}

const char *synpaws_evidence_name(enum synpaws_evidence evidence)
{
	static const char *const names[] = { "syn", "close", "answer", "full" };

	return name_at(names, COUNT(names), evidence);
}

const char *synpaws_answer_name(enum synpaws_answer answer)
{
	static const char *const names[] = {
		"unseen", "syn-ack", "cookie", "ack", "rst", "silence"
	};

	return name_at(names, COUNT(names), answer);
}

const char *synpaws_fact_name(enum synpaws_fact fact)
{
	static const char *const names[] = { "closed", "half-close", "dual-stack" };

	return name_at(names, COUNT(names), fact);
}
