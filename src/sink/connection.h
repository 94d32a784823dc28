/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CONNECTION_H
#define CONNECTION_H

#include <string.h>

#include <synpaws/segment.h>

#include "../core/siphash.h"

/*
 * Names the connection that a SYN wants. One that is sent again has the addresses, ports and
 * sequence number of the first (RFC 9293, 3.8.1), and so the same name.
 */
static inline uint64_t connection_name(const uint8_t hash_key[16],
				       const struct synpaws_segment *syn)
{
	uint8_t key[40];

	memcpy(key, &syn->source_port, 2);
	memcpy(key + 2, &syn->destination_port, 2);
	memcpy(key + 4, &syn->seq, 4);
	/* Lengths that the compiler knows make a hash twice as fast. */
	if (syn->ip_version == 4) {
		memcpy(key + 8, syn->source, 4);
		memcpy(key + 12, syn->destination, 4);
		return siphash(hash_key, key, 16);
	}
	memcpy(key + 8, syn->source, 16);
	memcpy(key + 24, syn->destination, 16);
	return siphash(hash_key, key, 40);
}

#endif
