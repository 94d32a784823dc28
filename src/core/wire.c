/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "wire.h"

void wire_bytes(struct wire *wire, void *bytes, size_t size)
{
	if (!wire->failed)
		wire->failed = wire_reads(wire) ? !wire->get(wire->context, bytes, size)
						: !wire->put(wire->context, bytes, size);
	if (wire->failed && wire_reads(wire))
		memset(bytes, 0, size);
}

static uint64_t number(struct wire *wire, uint64_t value, size_t size)
{
	uint8_t bytes[8] = { 0 };
	size_t i;

	for (i = 0; i < size; i++)
		bytes[i] = (uint8_t)(value >> 8 * i);
	wire_bytes(wire, bytes, size);
	for (value = 0, i = 0; i < size; i++)
		value |= (uint64_t)bytes[i] << 8 * i;
	return value;
}

void wire_bool(struct wire *wire, bool *value)
{
	const uint64_t read = number(wire, wire_reads(wire) ? 0 : *value, 1);

	wire_expect(wire, read <= 1);
	*value = read == 1;
}

void wire_u8(struct wire *wire, uint8_t *value)
{
	*value = (uint8_t)number(wire, wire_reads(wire) ? 0 : *value, sizeof(*value));
}

void wire_u16(struct wire *wire, uint16_t *value)
{
	*value = (uint16_t)number(wire, wire_reads(wire) ? 0 : *value, sizeof(*value));
}

void wire_u32(struct wire *wire, uint32_t *value)
{
	*value = (uint32_t)number(wire, wire_reads(wire) ? 0 : *value, sizeof(*value));
}

void wire_u64(struct wire *wire, uint64_t *value)
{
	*value = number(wire, wire_reads(wire) ? 0 : *value, sizeof(*value));
}
