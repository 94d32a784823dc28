/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOURCES_H
#define SOURCES_H

#include <synpaws/mirror.h>

#include "report.h"

/*
 * What is known of each source address: counts, the longest lock-out, and a sample of its SYNs. A
 * fixed number of sources; where there is no room one without would-be drops gives way, the one
 * unheard for longest first. Samples are kept for fewer: sources with drops take the room of those
 * without.
 */
struct sources;

/* NULL with errno ENOMEM. */
struct sources *sources_new(const uint8_t hash_key[16]);
void sources_free(struct sources *sources);

/* See synpaws_mirror_touch(). */
void sources_touch(struct sources *sources);

/* The name of a SYN's source here. */
uint64_t sources_name(const struct sources *sources, const struct synpaws_segment *syn);

/*
 * Have what sources_take() will read brought into the cache: first the set that the source is in,
 * and when that has had time to come, the source.
 */
void sources_prefetch_set(const struct sources *sources, uint64_t name);
void sources_prefetch(const struct sources *sources, uint64_t name, uint64_t time_ns);

/* A SYN and what became of it. */
struct sources_syn {
	struct synpaws_segment seg;
	struct synpaws_outcome outcome;
	uint64_t name;		  /* sources_name() */
	uint64_t connection;	  /* connection_name() */
	bool is_new, is_new_drop; /* the connection is seen, or refused, for the first time */
};

void sources_take(struct sources *sources, const struct sources_syn *syn);

uint64_t sources_count(const struct sources *sources); /* different ones, as far as known */
uint64_t sources_hit(const struct sources *sources);   /* with would-be drops */
uint64_t sources_left_out(const struct sources *sources);
uint64_t sources_no_timestamp(const struct sources *sources); /* SYNs */

/*
 * The worst sources, most refused connections first, up to `room`; returns how many. Each gets a
 * verdict. Pointers in them live until the next sources_take().
 */
size_t sources_worst(struct sources *sources, struct report_source *list, size_t room);

/* One source by its address; false if it is not known. */
bool sources_find(struct sources *sources, uint8_t ip_version, const uint8_t address[16],
		  struct report_source *source);

#endif
