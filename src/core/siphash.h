/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SIPHASH_H
#define SIPHASH_H

/*
 * SipHash-1-3 (Aumasson, Bernstein: "SipHash: a fast short-input PRF", 2012; the 1-3 variant is
 * what Linux and several language runtimes use for hash tables). Keyed, because peers choose what
 * is hashed.
 */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SIPHASH_ROTATE(x, bits) (((x) << (bits)) | ((x) >> (64 - (bits))))

static inline void siphash_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = SIPHASH_ROTATE(v[1], 13) ^ v[0];
	v[0] = SIPHASH_ROTATE(v[0], 32);
	v[2] += v[3];
	v[3] = SIPHASH_ROTATE(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = SIPHASH_ROTATE(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = SIPHASH_ROTATE(v[1], 17) ^ v[2];
	v[2] = SIPHASH_ROTATE(v[2], 32);
}

static inline uint64_t siphash_le64(const uint8_t *bytes)
{
	uint64_t word;

	memcpy(&word, bytes, sizeof(word));
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	word = __builtin_bswap64(word);
#endif
	return word;
}

/* The hash of `length` bytes under a 16-byte key. */
static inline uint64_t siphash(const uint8_t key[16], const void *data, size_t length)
{
	const uint64_t k0 = siphash_le64(key), k1 = siphash_le64(key + 8);
	uint64_t v[4] = { k0 ^ 0x736f6d6570736575ULL, k1 ^ 0x646f72616e646f6dULL,
			  k0 ^ 0x6c7967656e657261ULL, k1 ^ 0x7465646279746573ULL };
	const uint8_t *bytes = data;
	uint8_t tail[8] = { 0 };
	size_t left = length;
	uint64_t word;

	for (; left >= 8; left -= 8, bytes += 8) {
		word = siphash_le64(bytes);
		v[3] ^= word;
		siphash_round(v);
		v[0] ^= word;
	}
	memcpy(tail, bytes, left);
	tail[7] = (uint8_t)length;
	word = siphash_le64(tail);
	v[3] ^= word;
	siphash_round(v);
	v[0] ^= word;
	v[2] ^= 0xff;
	siphash_round(v);
	siphash_round(v);
	siphash_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

#endif
