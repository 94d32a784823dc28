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
	free(mirror->befores);
	free(mirror);
}

void synpaws_mirror_touch(struct synpaws_mirror *mirror)
{
	stamps_touch(mirror->stamps);
	if (mirror->flows == NULL)
		return;
	flows_touch_all(mirror->flows);
	syn_touch(mirror);
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

bool mirror_is_host(const struct synpaws_mirror *mirror, uint8_t ip_version,
		    const uint8_t address[16])
{
	const struct synpaws_mirror_config *config = &mirror->config;
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
	return mirror_is_host(mirror, ip_version, address);
}

void synpaws_mirror_ask(const struct synpaws_mirror *mirror, const struct synpaws_segment *syn,
			struct synpaws_outcome *outcome)
{
	const uint64_t peer = stamps_peer(mirror->stamps, syn->ip_version, syn->source,
					  by_host(mirror, syn) ? syn->destination : NULL);

	memset(outcome, 0, sizeof(*outcome));
	outcome->fate = outcome->predicted = judge_alone(mirror, syn, peer, outcome);
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
