/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "../os/clock.h"
#include "../sink/connection.h"
#include "../sink/seen.h"
#include "collect.h"
#include "counts.h"
#include "decide.h"
#include "felt.h"
#include "sources.h"

#define CONNECTIONS_MOST 131072

/* A client gives up on a SYN after 127 s at the latest (tcp_syn_retries 6). */
#define RETRANSMISSION_SECONDS 128

#define WAITING_MOST 16

struct collect {
	uint8_t hash_key[16];
	struct seen *connections, *refused;
	struct sources *sources;
	struct counts *counts;
	struct felt *felt;
	uint64_t syns, connection_count, drop_syns, drop_connections;
	uint64_t first_ns, last_ns;
	struct report_source worst[REPORT_SOURCES];
	struct decide words;
	struct sources_syn waiting[WAITING_MOST]; /* not taken into account yet */
	size_t waiting_count;
	struct report report;
};

struct collect *collect_new(const uint8_t hash_key[16])
{
	struct collect *collect = calloc(1, sizeof(*collect));

	if (collect == NULL)
		return NULL;
	memcpy(collect->hash_key, hash_key, sizeof(collect->hash_key));
	collect->connections = seen_new(CONNECTIONS_MOST, RETRANSMISSION_SECONDS);
	collect->refused = seen_new(CONNECTIONS_MOST / 4, RETRANSMISSION_SECONDS);
	collect->sources = sources_new(hash_key);
	collect->counts = counts_new(hash_key);
	collect->felt = felt_new();
	if (collect->connections == NULL || collect->refused == NULL || collect->sources == NULL ||
	    collect->counts == NULL || collect->felt == NULL) {
		collect_free(collect);
		return NULL;
	}
	return collect;
}

void collect_free(struct collect *collect)
{
	if (collect == NULL)
		return;
	seen_free(collect->connections);
	seen_free(collect->refused);
	sources_free(collect->sources);
	counts_free(collect->counts);
	felt_free(collect->felt);
	free(collect);
}

void collect_touch(struct collect *collect)
{
	sources_touch(collect->sources);
}

static void take(struct collect *collect, struct sources_syn *syn)
{
	const struct synpaws_segment *seg = &syn->seg;
	const uint32_t second = (uint32_t)(seg->order_ns / NS_PER_SECOND);
	const bool dropped = syn->outcome.fate == SYNPAWS_FATE_PAWS_DROP;

	syn->is_new = seen_add(collect->connections, syn->connection, second);
	syn->is_new_drop = dropped && seen_add(collect->refused, syn->connection, second);
	if (collect->syns++ == 0)
		collect->first_ns = seg->time_ns;
	collect->last_ns = seg->time_ns;
	collect->connection_count += syn->is_new;
	collect->drop_syns += dropped;
	collect->drop_connections += syn->is_new_drop;
	sources_take(collect->sources, syn);
	counts_take(collect->counts, seg, dropped, syn->is_new, syn->is_new_drop);
	if (syn->is_new_drop)
		felt_take(collect->felt, seg);
}

/* The waits for memory of those that came together overlap. */
static void take_waiting(struct collect *collect)
{
	size_t i;

	for (i = 0; i < collect->waiting_count; i++)
		sources_prefetch(collect->sources, collect->waiting[i].name,
				 collect->waiting[i].seg.time_ns);
	for (i = 0; i < collect->waiting_count; i++)
		take(collect, &collect->waiting[i]);
	collect->waiting_count = 0;
}

void collect_outcome(struct collect *collect, const struct synpaws_segment *syn,
		     const struct synpaws_outcome *outcome)
{
	struct sources_syn *waiting = &collect->waiting[collect->waiting_count++];

	waiting->seg = *syn;
	waiting->outcome = *outcome;
	waiting->connection = connection_name(collect->hash_key, syn);
	waiting->name = sources_name(collect->sources, syn);
	seen_prefetch(collect->connections, waiting->connection);
	if (outcome->fate == SYNPAWS_FATE_PAWS_DROP)
		seen_prefetch(collect->refused, waiting->connection);
	sources_prefetch_set(collect->sources, waiting->name);
	if (collect->waiting_count == WAITING_MOST)
		take_waiting(collect);
}

uint64_t collect_due(const struct collect *collect)
{
	return felt_due(collect->felt);
}

void collect_advance(struct collect *collect, uint64_t order_ns,
		     const struct synpaws_mirror *mirror)
{
	take_waiting(collect);
	felt_advance(collect->felt, order_ns, mirror);
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* What /proc counts as dropped also shows as gaps in the packet ids, but for the last ones. */
static void fill_coverage(const struct collect_context *context, struct report_coverage *coverage)
{
	const struct tally_context *tally = context->tally;
	const struct synpaws_mirror_stats *mirror = &tally->mirror;
	const uint64_t unseen =
		larger(tally->missed_socket, tally->queue_dropped + tally->socket_dropped);

	coverage->offered = tally->offered + unseen;
	coverage->missed = unseen + tally->missed_ring + tally->missed_crash + tally->unparsed +
			   context->unread;
	coverage->answers = mirror->answers;
	coverage->ends = mirror->ends;
	coverage->restarts = tally->restarts;
	coverage->evicted = mirror->evicted + mirror->flows_evicted;
	coverage->guesses = mirror->guesses;
	coverage->contradicted = mirror->contradicted;
	coverage->capture_errors = tally->capture_errors;
	if (coverage->offered > coverage->missed)
		coverage->percent = 100.0 * (double)(coverage->offered - coverage->missed) /
				    (double)coverage->offered;
}

const struct report *collect_report(struct collect *collect, const struct collect_context *context)
{
	struct report *report = &collect->report;
	size_t s;

	take_waiting(collect);
	memset(report, 0, sizeof(*report));
	report->profile = context->profile->name;
	report->kernels = context->profile->kernels;
	report->evidence = synpaws_evidence_name(context->evidence);
	report->checking = context->tally->mirror.checking;
	report->first_ns = context->first_ns != 0 ? context->first_ns : collect->first_ns;
	report->last_ns = context->last_ns != 0 ? context->last_ns : collect->last_ns;
	report->watched_ns =
		context->watched_ns != 0 ? context->watched_ns : report->last_ns - report->first_ns;
	report->syns = collect->syns;
	report->connections = collect->connection_count;
	report->drop_syns = collect->drop_syns;
	report->drop_connections = collect->drop_connections;
	report->no_timestamp = sources_no_timestamp(collect->sources);
	report->source_count = sources_count(collect->sources);
	report->sources_hit = sources_hit(collect->sources);
	fill_coverage(context, &report->coverage);
	report->coverage.sources_left_out = sources_left_out(collect->sources);
	for (s = 0; s < REPORT_SCHEDULES; s++)
		felt_report(collect->felt, (enum report_schedule)s, &report->felt[s]);
	report->sources = collect->worst;
	report->sources_shown = sources_worst(collect->sources, collect->worst, REPORT_SOURCES);
	counts_report(collect->counts, report);
	report->variants = context->variants;
	report->variant_count = context->variant_count;
	decide(&collect->words, report);
	return report;
}

bool collect_source(struct collect *collect, uint8_t ip_version, const uint8_t address[16],
		    struct report_source *source)
{
	take_waiting(collect);
	return sources_find(collect->sources, ip_version, address, source);
}
