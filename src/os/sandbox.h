/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SANDBOX_H
#define SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Whom to become once everything that needs root is open. */
struct sandbox_user {
	uid_t uid;
	gid_t gid;
};

/* Look `name` up. False if there is no such user, or it is root. */
bool sandbox_find_user(const char *name, struct sandbox_user *user);

/* True if this build can leave a process CAP_NET_ADMIN and nothing else. */
bool sandbox_can_keep_net_admin(void);

/* Close every descriptor from `first` on, whoever left them open. */
void sandbox_close_from(int first);

/*
 * For the analyst: an empty root directory, the user's ids, no supplementary groups, no capability,
 * and no way to new ones. Without root the first three are left out; without libcap-ng so is the
 * fourth, which leaving root does as well. 0, or -1 with errno.
 */
int sandbox_enter(const struct sandbox_user *user);

/*
 * For the receiver: the user's ids and CAP_NET_ADMIN alone, which verdicts need. Does nothing
 * without root or libcap-ng. 0, or -1 with errno.
 */
int sandbox_keep_net_admin(const struct sandbox_user *user);

#endif
