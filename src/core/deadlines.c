/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "deadlines.h"
#include "wire.h"

struct deadlines {
	struct deadline *heap;
	size_t room, count;
};

struct deadlines *deadlines_new(size_t room)
{
	struct deadlines *deadlines = calloc(1, sizeof(*deadlines));

	if (deadlines == NULL)
		return NULL;
	deadlines->room = room;
	deadlines->heap = calloc(room, sizeof(*deadlines->heap));
	if (deadlines->heap == NULL) {
		free(deadlines);
		return NULL;
	}
	return deadlines;
}

void deadlines_free(struct deadlines *deadlines)
{
	if (deadlines == NULL)
		return;
	free(deadlines->heap);
	free(deadlines);
}

bool deadlines_add(struct deadlines *deadlines, const struct deadline *deadline)
{
	struct deadline *heap = deadlines->heap;
	size_t at = deadlines->count;

	if (at == deadlines->room)
		return false;
	deadlines->count++;
	for (; at > 0 && heap[(at - 1) / 2].ns > deadline->ns; at = (at - 1) / 2)
		heap[at] = heap[(at - 1) / 2];
	heap[at] = *deadline;
	return true;
}

bool deadlines_take(struct deadlines *deadlines, uint64_t now_ns, struct deadline *deadline)
{
	struct deadline *heap = deadlines->heap, last;
	size_t at = 0, child;

	if (deadlines->count == 0 || heap[0].ns > now_ns)
		return false;
	*deadline = heap[0];
	last = heap[--deadlines->count];
	for (child = 1; child < deadlines->count; at = child, child = 2 * at + 1) {
		if (child + 1 < deadlines->count && heap[child + 1].ns < heap[child].ns)
			child++;
		if (heap[child].ns >= last.ns)
			break;
		heap[at] = heap[child];
	}
	heap[at] = last;
	return true;
}

void deadlines_clear(struct deadlines *deadlines)
{
	deadlines->count = 0;
}

static void wire_deadline(struct wire *wire, struct deadline *deadline)
{
	uint8_t kind = (uint8_t)deadline->kind;

	wire_u64(wire, &deadline->ns);
	wire_u64(wire, &deadline->name);
	wire_u64(wire, &deadline->fin_ns);
	wire_u32(wire, &deadline->flow);
	wire_u8(wire, &kind);
	wire_expect(wire, kind <= DEADLINE_RESET);
	deadline->kind = (enum deadline_kind)kind;
}

void deadlines_wire(struct deadlines *deadlines, struct wire *wire, size_t flows)
{
	uint64_t count = deadlines->count;
	struct deadline deadline = { .ns = 0 };
	size_t i;

	wire_u64(wire, &count);
	for (i = 0; i < count && !wire->failed; i++) {
		if (!wire_reads(wire)) {
			wire_deadline(wire, &deadlines->heap[i]);
			continue;
		}
		wire_deadline(wire, &deadline);
		wire_expect(wire, deadline.flow < flows);
		/* In the order of a heap each stays where it is put. */
		if (!wire->failed)
			wire_expect(wire, deadlines_add(deadlines, &deadline));
	}
}

size_t deadlines_bytes(const struct deadlines *deadlines)
{
	return deadlines->room * sizeof(*deadlines->heap);
}
