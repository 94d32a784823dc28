/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CAPTURE_TWICE_H
#define CAPTURE_TWICE_H

#include <stdbool.h>
#include <stdint.h>

#include <synpaws/segment.h>

/*
 * Who watches several interfaces sees a packet on each that it passes: a VLAN and the device below
 * it, a bridge and its port, both sides of a gateway. Only the first sight counts. The same segment
 * seen again where it was seen before is another packet, and counts.
 */
struct capture_twice;

/* So long a packet may take from one interface to the next. */
#define CAPTURE_TWICE_NS 50000000ULL

/* NULL if there is no memory. Room for 16384 segments; later ones push earlier ones out. */
struct capture_twice *capture_twice_new(const uint8_t hash_key[16]);
void capture_twice_free(struct capture_twice *twice);

/* True if this segment was seen at another place than `where` up to CAPTURE_TWICE_NS before. */
bool capture_twice_seen(struct capture_twice *twice, const struct synpaws_segment *seg,
			uint64_t where);

#endif
