/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef LOG_DOOR_H
#define LOG_DOOR_H

#include "../os/sandbox.h"
#include "../sink/log.h"

/*
 * For a process in an empty root directory, which cannot see /dev/log any more: another one of the
 * same user, without privileges, that connects to it when asked. It ends with who asks.
 */

/* Start it, before anything that it need not hold is open. The end to ask at, or -1 with errno. */
int log_door_open(const struct sandbox_user *user);

/* Ask for a new socket. It comes later, and nobody waits. */
void log_door_knock(int door);

/* Let `log` have a socket that has come. True if there was one. */
bool log_door_pass(int door, struct log *log);

#endif
