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

/*
 * Another one, so that who is taken over can neither signal nor trace processes of `user`:
 * synpaws-analyst if there is one, else ids that nobody has, else the same.
 */
void sandbox_find_other(const struct sandbox_user *user, struct sandbox_user *other);

/* True if this build can leave a process CAP_NET_ADMIN and nothing else. */
bool sandbox_can_keep_net_admin(void);

/* Close every descriptor but the standard streams and those of `kept`, whoever left them open. */
void sandbox_close_but(const int *kept, size_t count);

/*
 * For what reads packets: an empty root directory, the ids of `user`, no supplementary groups, no
 * capability in any set, no way to new ones, and nobody but root may trace it. The real and the
 * saved ids are those of `owner`, who may so end it while `user` may not, until sandbox_settle().
 * Without root the root directory, the ids and the bounding set stay. 0, or -1 with errno.
 */
int sandbox_enter(const struct sandbox_user *user, const struct sandbox_user *owner);

/* The effective ids become the only ones, with few processes to each. 0, or -1 with errno. */
int sandbox_settle(void);

/* The same with one user, and the root directory stays. */
int sandbox_leave_root(const struct sandbox_user *user);

/*
 * For the receiver: the user's ids and CAP_NET_ADMIN alone, which verdicts need. Without root or
 * libcap-ng it keeps what it has, but gets no more either. 0, or -1 with errno.
 */
int sandbox_keep_net_admin(const struct sandbox_user *user);

/* What this process is and may do, as the kernel says, for --debug. */
void sandbox_describe(char *text, size_t size);

#endif
