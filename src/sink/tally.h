/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TALLY_H
#define TALLY_H

#include <stddef.h>
#include <stdint.h>

#include <synpaws/mirror.h>

/* Counts outcomes, and tells retransmissions of one SYN from connections. Bounded memory. */
struct tally;
struct wire;

/* NULL with errno ENOMEM. */
struct tally *tally_new(const uint8_t hash_key[16]);
void tally_free(struct tally *tally);

/* Save all, or load it into a new tally (core/wire.h), with its key. */
void tally_wire(struct tally *tally, struct wire *wire);

/* Count what the decoder made of a packet. */
void tally_decode(struct tally *tally, enum synpaws_decode result, uint64_t count);

/* Count a judged SYN at second `now` of a clock that only goes forward. */
void tally_outcome(struct tally *tally, const struct synpaws_segment *seg,
		   const struct synpaws_outcome *outcome, uint32_t now);

uint64_t tally_drop_syns(const struct tally *tally);
uint64_t tally_drop_connections(const struct tally *tally);

/* Packets that could not be read, whole or in part, and may have been SYNs. */
uint64_t tally_unread(const struct tally *tally);

/* What others know and a summary shows. */
struct tally_context {
	const char *profile;
	const char *evidence;
	uint64_t seconds;	/* for how long it watched */
	uint64_t offered;	/* packets that the receivers accepted */
	uint64_t missed_socket; /* see struct ring_counters */
	uint64_t missed_ring;
	uint64_t missed_crash; /* begun by an analyst that died */
	uint64_t queue_dropped;
	uint64_t socket_dropped;
	uint64_t errors;
	uint64_t restarts;   /* of the analyst: what it had counted before is gone */
	uint64_t unparsed;   /* netlink messages that are not about a whole packet header */
	uint64_t lines_lost; /* log lines */
	uint64_t lines_suppressed;
	uint64_t out_of_order; /* see struct capture_counters */
	uint64_t capture_errors;
	uint64_t not_ip;	 /* frames of a capture; counted as not_tcp */
	uint64_t fragments_lost; /* of a capture; counted as fragments */
	struct synpaws_mirror_stats mirror;
};

/* The same for what others know, without the names and the mirror's. */
void tally_context_wire(struct tally_context *context, struct wire *wire);

/* Add those of earlier daemons. */
void tally_context_add(struct tally_context *context, const struct tally_context *before);

/*
 * The summary as two lines of key=value, "summary ..." and "missed ...", without newlines. Each
 * needs up to 2048 bytes, and some 600 as a rule.
 */
void tally_summary(const struct tally *tally, const struct tally_context *context, char *summary,
		   char *missed, size_t size);

/* The same fields as one JSON object of up to 4000 bytes. Its length, 0 if that failed. */
size_t tally_json(const struct tally *tally, const struct tally_context *context, char *line,
		  size_t size);

#endif
