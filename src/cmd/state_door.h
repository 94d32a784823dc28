/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef STATE_DOOR_H
#define STATE_DOOR_H

#include "../os/replace.h"

/*
 * For a process in an empty root directory, which must hold no way out of it: another one that
 * makes the file for what it remembers, and puts it in place (os/door.h).
 */

/* The end to ask at, or -1 with errno. */
int state_door_open(const struct replace *file, const struct sandbox_user *user);

/* The new file, for writing; -1 if there is none. */
int state_door_begin(int door);

/* It is complete. False if it has not taken the old one's place. Then the door is of no use. */
bool state_door_finish(int door);

#endif
