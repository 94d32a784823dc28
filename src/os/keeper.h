/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KEEPER_H
#define KEEPER_H

#include <stdint.h>
#include <sys/types.h>

#include "sandbox.h"

/*
 * The keeper is a small process that gives up all privileges, then runs a child and runs it again
 * whenever a signal kills it. So the receiver never forks while its threads run, and never holds a
 * privilege only in order to give it up in a child.
 */
struct keeper_child {
	struct sandbox_user user;
	struct sandbox_user owner;     /* who calls keeper_start(), and may so end it */
	int (*prepare)(void *context); /* before privileges are gone; not 0: the keeper ends */
	void (*describe)(void *context);
	/* What the child does; its result is its exit status, which the keeper then ends with. */
	int (*run)(void *context, uint64_t restarts, int last_signal);
	void *context;
};

/* Start the keeper. Its pid, or -1 with errno. */
pid_t keeper_start(const struct keeper_child *child);

#endif
