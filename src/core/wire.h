/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef WIRE_H
#define WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <synpaws/mirror.h>

/*
 * What save.c writes and reads: one function for each structure walks its fields either way, so
 * that the two cannot differ. Numbers are little-endian and have nothing between them.
 */
struct wire {
	synpaws_mirror_put *put; /* NULL: it reads */
	synpaws_mirror_get *get;
	void *context;
	bool failed; /* put() or get() has, or what was read cannot be; zeros are read from then on
		      */
};

static inline bool wire_reads(const struct wire *wire)
{
	return wire->put == NULL;
}

/* What was read cannot be, unless `sound`. */
static inline void wire_expect(struct wire *wire, bool sound)
{
	wire->failed = wire->failed || !sound;
}

void wire_bytes(struct wire *wire, void *bytes, size_t size);
void wire_bool(struct wire *wire, bool *value); /* 0 or 1 */
void wire_u8(struct wire *wire, uint8_t *value);
void wire_u16(struct wire *wire, uint16_t *value);
void wire_u32(struct wire *wire, uint32_t *value);
void wire_u64(struct wire *wire, uint64_t *value);

#endif
