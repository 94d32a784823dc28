/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef WITNESS_H
#define WITNESS_H

#include "../os/counters.h"
#include "../sink/log.h"
#include "panel.h"

/* The host's own counters beside what was predicted, where the host has the check. */
struct witness {
	int netstat; /* -1: there is nothing to go by */
	struct counters before;
};

/* Open what cannot be opened any more without /proc; -1 if it is not there. */
int witness_open(void);

/* From here on it counts. Takes the descriptor over. */
void witness_start(struct witness *witness, int netstat);

/* One line, if there is anything to say. */
void witness_write(const struct witness *witness, const struct panel *panel, bool json,
		   struct log *log);

#endif
