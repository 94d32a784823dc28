/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../core/siphash.h"
#include "../core/wire.h"
#include "connection.h"
#include "json.h"
#include "seen.h"
#include "tally.h"

#define PEERS_MOST	 65536
#define CONNECTIONS_MOST 65536

/* Linux gives up on a SYN after 63 s, or 127 s since tcp_syn_retries is 6. */
#define RETRANSMISSION_SECONDS 128

struct tally {
	uint64_t decode[SYNPAWS_DECODE_KINDS];
	uint64_t fate[SYNPAWS_FATE_KINDS];
	uint64_t with_timestamp;
	uint64_t drop_connections;
	uint64_t drop_peers;
	struct seen *connections;
	struct seen *peers;
	uint8_t hash_key[16];
};

struct tally *tally_new(const uint8_t hash_key[16])
{
	struct tally *tally = calloc(1, sizeof(*tally));

	if (tally == NULL)
		return NULL;
	memcpy(tally->hash_key, hash_key, sizeof(tally->hash_key));
	tally->connections = seen_new(CONNECTIONS_MOST, RETRANSMISSION_SECONDS);
	tally->peers = seen_new(PEERS_MOST, SEEN_FOR_EVER);
	if (tally->connections == NULL || tally->peers == NULL) {
		tally_free(tally);
		return NULL;
	}
	return tally;
}

void tally_free(struct tally *tally)
{
	if (tally == NULL)
		return;
	seen_free(tally->connections);
	seen_free(tally->peers);
	free(tally);
}

void tally_decode(struct tally *tally, enum synpaws_decode result, uint64_t count)
{
	tally->decode[result] += count;
}

void tally_outcome(struct tally *tally, const struct synpaws_segment *seg,
		   const struct synpaws_outcome *outcome, uint32_t now)
{
	const size_t address = seg->ip_version == 4 ? 4 : 16;

	tally->fate[outcome->fate]++;
	if (outcome->fate == SYNPAWS_FATE_NONE)
		return;
	tally->with_timestamp += seg->has_timestamp;
	if (outcome->fate != SYNPAWS_FATE_PAWS_DROP)
		return;
	tally->drop_connections +=
		seen_add(tally->connections, connection_name(tally->hash_key, seg), now);
	tally->drop_peers +=
		seen_add(tally->peers, siphash(tally->hash_key, seg->source, address), now);
}

uint64_t tally_drop_syns(const struct tally *tally)
{
	return tally->fate[SYNPAWS_FATE_PAWS_DROP];
}

uint64_t tally_drop_connections(const struct tally *tally)
{
	return tally->drop_connections;
}

uint64_t tally_unread(const struct tally *tally)
{
	return tally->decode[SYNPAWS_DECODE_TRUNCATED] + tally->decode[SYNPAWS_DECODE_FRAGMENT];
}

/* A summary is a list of named numbers; text and JSON are two ways to write it down. */
struct field {
	const char *name;
	uint64_t value;
};

static uint64_t syns(const struct tally *tally)
{
	uint64_t all = 0;
	int fate;

	for (fate = SYNPAWS_FATE_NONE + 1; fate < SYNPAWS_FATE_KINDS; fate++)
		all += tally->fate[fate];
	return all;
}

/* The share of SYNs that would have been dropped, in per cent with two decimals. */
static double share(const struct tally *tally)
{
	const uint64_t all = syns(tally);

	if (all == 0)
		return 0.0;
	return (double)(tally->fate[SYNPAWS_FATE_PAWS_DROP] * 10000 / all) / 100.0;
}

/* Segments that the evidence takes, for each SYN among them, with two decimals. */
static double per_syn(const struct tally_context *context)
{
	if (context->mirror.syns == 0)
		return 0.0;
	return (double)(context->mirror.segments * 100 / context->mirror.syns) / 100.0;
}

#define SUMMARY_FIELDS 24

static void summary_fields(const struct tally *tally, const struct tally_context *context,
			   struct field fields[SUMMARY_FIELDS])
{
	const struct field list[SUMMARY_FIELDS] = {
		{ "watched_seconds", context->seconds },
		{ "syns", syns(tally) },
		{ "with_timestamp", tally->with_timestamp },
		{ "not_checked", tally->fate[SYNPAWS_FATE_NOT_CHECKED] },
		{ "drop_syns", tally->fate[SYNPAWS_FATE_PAWS_DROP] },
		{ "drop_connections", tally->drop_connections },
		{ "drop_peers", tally->drop_peers },
		{ "peers_held", context->mirror.peers },
		{ "pass", tally->fate[SYNPAWS_FATE_PASS] },
		{ "closed_port", tally->fate[SYNPAWS_FATE_CLOSED_PORT] },
		{ "cookie", tally->fate[SYNPAWS_FATE_COOKIE] },
		{ "md5", tally->fate[SYNPAWS_FATE_MD5] },
		{ "syn_recv", tally->fate[SYNPAWS_FATE_SYN_RECV] },
		{ "old_connection", tally->fate[SYNPAWS_FATE_OLD_CONNECTION] },
		{ "tw_accept", tally->fate[SYNPAWS_FATE_TW_ACCEPT] },
		{ "tw_refuse_ack", tally->fate[SYNPAWS_FATE_TW_REFUSE_ACK] },
		{ "fin_wait2_ack", tally->fate[SYNPAWS_FATE_FIN_WAIT2_ACK] },
		{ "fin_wait2_rst", tally->fate[SYNPAWS_FATE_FIN_WAIT2_RST] },
		{ "guesses", context->mirror.guesses },
		{ "contradicted", context->mirror.contradicted },
		{ "records", context->mirror.records },
		{ "undone", context->mirror.undone },
		{ "flows_held", context->mirror.flows },
		{ "segments", context->mirror.segments },
	};

	memcpy(fields, list, sizeof(list));
}

/* TCP packets of no host, or that this evidence has no use for. */
static uint64_t unused(const struct tally *tally, const struct tally_context *context)
{
	const uint64_t decoded = tally->decode[SYNPAWS_DECODE_OK];

	return decoded > context->mirror.segments ? decoded - context->mirror.segments : 0;
}

#define MISSED_FIELDS 23

static void missed_fields(const struct tally *tally, const struct tally_context *context,
			  struct field fields[MISSED_FIELDS])
{
	const struct field list[MISSED_FIELDS] = {
		{ "packets", context->offered },
		{ "missed_socket", context->missed_socket },
		{ "missed_ring", context->missed_ring },
		{ "missed_crash", context->missed_crash },
		{ "queue_dropped", context->queue_dropped },
		{ "socket_dropped", context->socket_dropped },
		{ "netlink_errors", context->errors },
		{ "evicted", context->mirror.evicted },
		{ "connections_forgotten", seen_forgotten(tally->connections) },
		{ "peers_forgotten", seen_forgotten(tally->peers) },
		{ "not_syn_to_host", unused(tally, context) },
		{ "not_tcp", tally->decode[SYNPAWS_DECODE_NOT_TCP] + context->not_ip },
		{ "fragments", tally->decode[SYNPAWS_DECODE_FRAGMENT] + context->fragments_lost },
		{ "truncated", tally->decode[SYNPAWS_DECODE_TRUNCATED] + context->unparsed },
		{ "malformed", tally->decode[SYNPAWS_DECODE_MALFORMED] },
		{ "bad_checksum", tally->decode[SYNPAWS_DECODE_CHECKSUM] },
		{ "lines_lost", context->lines_lost },
		{ "lines_suppressed", context->lines_suppressed },
		{ "analyst_restarts", context->restarts },
		{ "flows_evicted", context->mirror.flows_evicted },
		{ "unsettled", context->mirror.unsettled },
		{ "out_of_order", context->out_of_order },
		{ "capture_errors", context->capture_errors },
	};

	memcpy(fields, list, sizeof(list));
}

static void append(char *line, size_t size, const struct field *fields, size_t count)
{
	size_t i, length = strlen(line);

	for (i = 0; i < count && length < size; i++)
		length += (size_t)snprintf(line + length, size - length, " %s=%" PRIu64,
					   fields[i].name, fields[i].value);
}

void tally_summary(const struct tally *tally, const struct tally_context *context, char *summary,
		   char *missed, size_t size)
{
	struct field fields[SUMMARY_FIELDS], losses[MISSED_FIELDS];
	size_t length;

	summary_fields(tally, context, fields);
	missed_fields(tally, context, losses);
	snprintf(summary, size, "summary profile=%s evidence=%s drop_percent=%.2f",
		 context->profile, context->evidence, share(tally));
	append(summary, size, fields, SUMMARY_FIELDS);
	length = strlen(summary);
	snprintf(summary + length, size - length, " segments_per_syn=%.2f", per_syn(context));
	snprintf(missed, size, "missed");
	append(missed, size, losses, MISSED_FIELDS);
	length = strlen(missed);
	snprintf(missed + length, size - length, " profile=%s", context->profile);
}

size_t tally_json(const struct tally *tally, const struct tally_context *context, char *line,
		  size_t size)
{
	struct field fields[SUMMARY_FIELDS], losses[MISSED_FIELDS];
	struct json *json = json_new();
	size_t i;

	summary_fields(tally, context, fields);
	missed_fields(tally, context, losses);
	json_put_text(json, "event", "summary");
	json_put_text(json, "profile", context->profile);
	json_put_text(json, "evidence", context->evidence);
	json_put_real(json, "drop_percent", share(tally));
	for (i = 0; i < SUMMARY_FIELDS; i++)
		json_put_integer(json, fields[i].name, (int64_t)fields[i].value);
	json_put_real(json, "segments_per_syn", per_syn(context));
	for (i = 0; i < MISSED_FIELDS; i++)
		json_put_integer(json, losses[i].name, (int64_t)losses[i].value);
	return json_finish(json, line, size);
}

void tally_wire(struct tally *tally, struct wire *wire)
{
	size_t i;

	for (i = 0; i < SYNPAWS_DECODE_KINDS; i++)
		wire_u64(wire, &tally->decode[i]);
	for (i = 0; i < SYNPAWS_FATE_KINDS; i++)
		wire_u64(wire, &tally->fate[i]);
	wire_u64(wire, &tally->with_timestamp);
	wire_u64(wire, &tally->drop_connections);
	wire_u64(wire, &tally->drop_peers);
	wire_bytes(wire, tally->hash_key, sizeof(tally->hash_key));
	seen_wire(tally->connections, wire);
	seen_wire(tally->peers, wire);
}

#define CONTEXT_COUNTS 15

static void context_counts(struct tally_context *context, uint64_t *counts[CONTEXT_COUNTS])
{
	uint64_t *const list[CONTEXT_COUNTS] = {
		&context->seconds,	  &context->offered,	  &context->missed_socket,
		&context->missed_ring,	  &context->missed_crash, &context->queue_dropped,
		&context->socket_dropped, &context->errors,	  &context->restarts,
		&context->unparsed,	  &context->lines_lost,	  &context->out_of_order,
		&context->capture_errors, &context->not_ip,	  &context->fragments_lost,
	};

	memcpy(counts, list, sizeof(list));
}

void tally_context_wire(struct tally_context *context, struct wire *wire)
{
	uint64_t *counts[CONTEXT_COUNTS];
	size_t i;

	context_counts(context, counts);
	for (i = 0; i < CONTEXT_COUNTS; i++)
		wire_u64(wire, counts[i]);
}

void tally_context_add(struct tally_context *context, const struct tally_context *before)
{
	struct tally_context copy = *before;
	uint64_t *to[CONTEXT_COUNTS], *from[CONTEXT_COUNTS];
	size_t i;

	context_counts(context, to);
	context_counts(&copy, from);
	for (i = 0; i < CONTEXT_COUNTS; i++)
		*to[i] += *from[i];
}
