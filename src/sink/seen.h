/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEEN_H
#define SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A bounded set of keyed hashes, each with the second at which it was last seen. */
struct seen;
struct wire;

#define SEEN_FOR_EVER UINT32_MAX

/* A set with room for `entries`, each forgotten `seconds` after it was last seen. NULL with errno.
 */
struct seen *seen_new(size_t entries, uint32_t seconds);
void seen_free(struct seen *seen);

/* Have the line that seen_add() will read brought into the cache. */
void seen_prefetch(const struct seen *seen, uint64_t hash);

/* Add a hash at second `now` of a clock that only goes forward. True if it was not in the set. */
bool seen_add(struct seen *seen, uint64_t hash, uint32_t now);

/* Save the set, or load it into an empty one of the same size (core/wire.h). */
void seen_wire(struct seen *seen, struct wire *wire);

/* Hashes that gave way to others too early: so many may have been called new wrongly. */
uint64_t seen_forgotten(const struct seen *seen);

#endif
