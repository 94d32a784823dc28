/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#ifdef HAVE_CAPNG
#include <cap-ng.h>
#endif

#include "sandbox.h"

#ifndef PR_SET_NO_NEW_PRIVS
#define PR_SET_NO_NEW_PRIVS 38 /* Linux 3.5 */
#endif

bool sandbox_find_user(const char *name, struct sandbox_user *user)
{
	const struct passwd *entry = getpwnam(name);

	if (entry == NULL || entry->pw_uid == 0)
		return false;
	user->uid = entry->pw_uid;
	user->gid = entry->pw_gid;
	return true;
}

void sandbox_close_from(int first)
{
	DIR *directory = opendir("/proc/self/fd");
	const struct dirent *entry;

	if (directory == NULL)
		return;
	while ((entry = readdir(directory)) != NULL) {
		const int fd = atoi(entry->d_name);

		if (fd >= first && fd != dirfd(directory))
			close(fd);
	}
	closedir(directory);
}

/* A directory that is removed once we are in it can never hold anything. */
static int enter_empty_root(void)
{
	static const char *const places[] = { "/run", "/tmp", "/dev/shm" };
	char path[64];
	size_t i;

	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(path, sizeof(path), "%s/synpaws.XXXXXX", places[i]);
		if (mkdtemp(path) == NULL)
			continue;
		if (chdir(path) == 0 && rmdir(path) == 0)
			return chroot(".");
		rmdir(path);
	}
	return -1;
}

static int become(const struct sandbox_user *user)
{
	if (setgroups(0, NULL) < 0 || setresgid(user->gid, user->gid, user->gid) < 0)
		return -1;
	return setresuid(user->uid, user->uid, user->uid);
}

int sandbox_enter(const struct sandbox_user *user)
{
	if (geteuid() == 0 && (enter_empty_root() < 0 || become(user) < 0))
		return -1;
#ifdef HAVE_CAPNG
	capng_clear(CAPNG_SELECT_CAPS);
	if (capng_apply(CAPNG_SELECT_CAPS) < 0) {
		errno = EPERM;
		return -1;
	}
#endif
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 && errno != EINVAL)
		return -1;
	return 0;
}

#ifdef HAVE_CAPNG

bool sandbox_can_keep_net_admin(void)
{
	return true;
}

int sandbox_keep_net_admin(const struct sandbox_user *user)
{
	if (geteuid() != 0)
		return 0;
	capng_clear(CAPNG_SELECT_BOTH);
	capng_update(CAPNG_ADD, (capng_type_t)(CAPNG_EFFECTIVE | CAPNG_PERMITTED), CAP_NET_ADMIN);
	if (capng_change_id((int)user->uid, (int)user->gid,
			    (capng_flags_t)(CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING)) < 0) {
		errno = EPERM;
		return -1;
	}
	return 0;
}

#else

bool sandbox_can_keep_net_admin(void)
{
	return false;
}

int sandbox_keep_net_admin(const struct sandbox_user *user)
{
	(void)user;
	return 0;
}

#endif
