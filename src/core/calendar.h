/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CALENDAR_H
#define CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

#include "flows.h"

/*
 * When mini-sockets end on kernels before 4.4: net/ipv4/inet_timewait_sock.c hangs all of a machine
 * into one calendar of 32 rows for up to 4 s, whose time base moves on only when its timer fires,
 * and a slower one of 8 cells. So how long one of them lives hangs on all others; here the same
 * calendar is kept for those that are in view. HZ is 1000 or 250, where a row is 128 ms.
 */
#define CALENDAR_ROWS	32
#define CALENDAR_CELLS	8
#define CALENDAR_PLACES (CALENDAR_ROWS + CALENDAR_CELLS)

struct calendar {
	bool row_running, cell_running;
	uint32_t hand; /* the row that `base_ms` belongs to */
	uint64_t base_ms, row_timer_ms, cell_timer_ms;
	uint32_t cell; /* that ends next */
	uint64_t count;
	uint32_t held[CALENDAR_PLACES];
	uint32_t round[CALENDAR_PLACES]; /* how often each was emptied */
};

/* inet_twsk_schedule(): the mini-socket of `flow` is to end in `ns`. */
void calendar_enter(struct calendar *calendar, struct flow *flow, uint64_t now_ns, uint64_t ns);

/* It ended otherwise at `now_ns`, if it was there. */
void calendar_leave(struct calendar *calendar, struct flow *flow, uint64_t now_ns);

/* It did not end as thought: `flow` is where `was` was, if that place has not been emptied since.
 */
void calendar_rejoin(struct calendar *calendar, struct flow *flow, const struct flow *was);

/* Save it, or load it. */
void calendar_wire(struct calendar *calendar, struct wire *wire);

/* True if it is there at `now_ns`. */
bool calendar_holds(struct calendar *calendar, const struct flow *flow, uint64_t now_ns);

#endif
