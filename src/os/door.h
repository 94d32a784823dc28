/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DOOR_H
#define DOOR_H

#include "filter.h"
#include "sandbox.h"

/*
 * For a process in an empty root directory: another one of the same user, without privileges, that
 * does for it what it cannot do there. It ends with who asks.
 */

/*
 * Start it. `serve` gets the other end of what is returned to ask at (control.h), and returns when
 * nobody asks any more; of other descriptors it has `kept` alone, unless that is -1. -1 with errno.
 */
struct door {
	const char *name; /* the process's */
	const struct sandbox_user *user;
	enum filter_role role;
	int kept;
	void (*serve)(int control, const void *context);
	const void *context;
};
int door_open(const struct door *door);

#endif
