/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DEADLINES_H
#define DEADLINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wire;

/* Moments at which something happens on a host without a packet. A bounded heap, earliest first. */
struct deadlines;

enum deadline_kind {
	DEADLINE_CLOSE,	 /* the application calls close() after its shutdown() */
	DEADLINE_EXPIRE, /* tcp_fin_timeout has come down to 60 s */
	DEADLINE_RESET,	 /* an RST should have come by now */
};

struct deadline {
	uint64_t ns;
	uint64_t name;	 /* of the flow, in case another has its place by then */
	uint64_t fin_ns; /* of the connection, in case its ends have another by then */
	uint32_t flow;	 /* its index */
	enum deadline_kind kind;
};

/* NULL with errno ENOMEM. */
struct deadlines *deadlines_new(size_t room);
void deadlines_free(struct deadlines *deadlines);

/* False if there is no room. */
bool deadlines_add(struct deadlines *deadlines, const struct deadline *deadline);

/* Take the earliest out if it has come. */
bool deadlines_take(struct deadlines *deadlines, uint64_t now_ns, struct deadline *deadline);

void deadlines_clear(struct deadlines *deadlines);

/* Save them, or load them into an empty heap; those of flows from index `flows` on cannot be. */
void deadlines_wire(struct deadlines *deadlines, struct wire *wire, size_t flows);

size_t deadlines_bytes(const struct deadlines *deadlines);

#endif
