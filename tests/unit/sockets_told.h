/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKETS_TOLD_H
#define SOCKETS_TOLD_H

/* What src/source/sockets.c told, kept to be asked for. */

#include "unit.h"

#include "source/sockets.h"

#define NOT_SAID  (-1)
#define TOLD_MOST 64

struct told {
	size_t listeners, fin_waits;
	struct {
		uint16_t port;
		bool yes;
	} listener[TOLD_MOST], fin_wait[TOLD_MOST];
};

static inline void on_listener(void *context, uint16_t port, bool dual_stack)
{
	struct told *told = context;

	assert_true(told->listeners < TOLD_MOST);
	told->listener[told->listeners].port = port;
	told->listener[told->listeners++].yes = dual_stack;
}

static inline void on_fin_wait2(void *context, uint16_t port, bool orphan)
{
	struct told *told = context;

	if (told->fin_waits < TOLD_MOST) {
		told->fin_wait[told->fin_waits].port = port;
		told->fin_wait[told->fin_waits].yes = orphan;
	}
	told->fin_waits++;
}

static inline struct sockets_events events_to(struct told *told)
{
	const struct sockets_events events = { on_listener, on_fin_wait2, told };

	memset(told, 0, sizeof(*told));
	return events;
}

/* What was told of a port: 1 or 0, or NOT_SAID; never twice. */
static inline int listener_on(const struct told *told, uint16_t port)
{
	int result = NOT_SAID;
	size_t i;

	for (i = 0; i < told->listeners; i++) {
		if (told->listener[i].port != port)
			continue;
		assert_int_equal(result, NOT_SAID);
		result = told->listener[i].yes;
	}
	return result;
}

static inline int fin_wait_on(const struct told *told, uint16_t port)
{
	int result = NOT_SAID;
	size_t i;

	for (i = 0; i < told->fin_waits; i++) {
		if (told->fin_wait[i].port != port)
			continue;
		assert_int_equal(result, NOT_SAID);
		result = told->fin_wait[i].yes;
	}
	return result;
}

#endif
