/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef HAVE_CAPNG
#include <cap-ng.h>
#endif

#include "sandbox.h"

#ifndef PR_SET_NO_NEW_PRIVS
#define PR_SET_NO_NEW_PRIVS 38 /* Linux 3.5 */
#endif

/* Neither people, programs nor systemd's DynamicUser= are given any of these. */
#define NOBODYS_FIRST 65520
#define NOBODYS_LAST  65533

/* Reports are answered by children; somebody who has taken an analyst over starts no more. */
#define PROCESSES_MOST 64

#define CAPABILITY_WORDS 2

bool sandbox_find_user(const char *name, struct sandbox_user *user)
{
	const struct passwd *entry = getpwnam(name);

	if (entry == NULL || entry->pw_uid == 0)
		return false;
	user->uid = entry->pw_uid;
	user->gid = entry->pw_gid;
	return true;
}

void sandbox_find_other(const struct sandbox_user *user, struct sandbox_user *other)
{
	unsigned int id;

	if (sandbox_find_user("synpaws-analyst", other) && other->uid != user->uid)
		return;
	for (id = NOBODYS_LAST; id >= NOBODYS_FIRST; id--) {
		other->uid = id;
		other->gid = id;
		if (id != user->uid && getpwuid(id) == NULL && getgrgid(id) == NULL)
			return;
	}
	*other = *user;
}

static void close_unless_kept(int fd, const int *kept, size_t count)
{
	size_t i;

	if (fd <= STDERR_FILENO)
		return;
	for (i = 0; i < count; i++) {
		if (kept[i] == fd)
			return;
	}
	close(fd);
}

void sandbox_close_but(const int *kept, size_t count)
{
	DIR *directory = opendir("/proc/self/fd");
	const struct dirent *entry;
	int fd;

	if (directory == NULL) {
		for (fd = (int)sysconf(_SC_OPEN_MAX); fd > STDERR_FILENO; fd--)
			close_unless_kept(fd, kept, count);
		return;
	}
	while ((entry = readdir(directory)) != NULL) {
		fd = atoi(entry->d_name);
		if (fd != dirfd(directory))
			close_unless_kept(fd, kept, count);
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

static int take_ids(const struct sandbox_user *user, const struct sandbox_user *owner)
{
	if (setgroups(0, NULL) < 0 || setresgid(owner->gid, user->gid, owner->gid) < 0)
		return -1;
	return setresuid(owner->uid, user->uid, owner->uid);
}

/* A user namespace need not have ids that nobody has. */
static int become(const struct sandbox_user *user, const struct sandbox_user *owner)
{
	if (take_ids(user, owner) == 0)
		return 0;
	return errno == EINVAL ? take_ids(owner, owner) : -1;
}

/* Only root may; without it no new privileges keep the rest out of reach. */
static void drop_bounds(void)
{
	unsigned long capability;

	for (capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++)
		prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
}

/* The ambient ones go with the permitted ones. */
static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[CAPABILITY_WORDS];

	memset(none, 0, sizeof(none));
	return (int)syscall(SYS_capset, &header, none);
}

/* No program that it starts gets more than it has, and no process of its user may trace it. */
static int seal(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 && errno != EINVAL)
		return -1;
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

static int leave(const struct sandbox_user *user, const struct sandbox_user *owner)
{
	drop_bounds();
	if (geteuid() == 0 && become(user, owner) < 0)
		return -1;
	return drop_capabilities() < 0 ? -1 : seal();
}

int sandbox_enter(const struct sandbox_user *user, const struct sandbox_user *owner)
{
	if (geteuid() == 0 && enter_empty_root() < 0)
		return -1;
	return leave(user, owner);
}

int sandbox_leave_root(const struct sandbox_user *user)
{
	return leave(user, user);
}

int sandbox_settle(void)
{
	const struct rlimit processes = { PROCESSES_MOST, PROCESSES_MOST };
	const uid_t uid = geteuid();
	const gid_t gid = getegid();

	/* What others run as the same user would count too. */
	if (uid != getuid() && setrlimit(RLIMIT_NPROC, &processes) < 0)
		return -1;
	return setresgid(gid, gid, gid) < 0 ? -1 : setresuid(uid, uid, uid);
}

#ifdef HAVE_CAPNG

bool sandbox_can_keep_net_admin(void)
{
	return true;
}

int sandbox_keep_net_admin(const struct sandbox_user *user)
{
	if (geteuid() != 0)
		return seal();
	capng_clear(CAPNG_SELECT_BOTH);
	capng_update(CAPNG_ADD, (capng_type_t)(CAPNG_EFFECTIVE | CAPNG_PERMITTED), CAP_NET_ADMIN);
	if (capng_change_id((int)user->uid, (int)user->gid,
			    (capng_flags_t)(CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING)) < 0) {
		errno = EPERM;
		return -1;
	}
	return seal();
}

#else

bool sandbox_can_keep_net_admin(void)
{
	return false;
}

int sandbox_keep_net_admin(const struct sandbox_user *user)
{
	(void)user;
	return seal();
}

#endif

void sandbox_describe(char *text, size_t size)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct has[CAPABILITY_WORDS];
	struct stat root;

	memset(has, 0, sizeof(has));
	syscall(SYS_capget, &header, has);
	snprintf(text, size, "pid %d, uid %u, capabilities %" PRIx64 ", %s root directory",
		 (int)getpid(), (unsigned int)geteuid(),
		 (uint64_t)has[1].permitted << 32 | has[0].permitted,
		 stat("/", &root) == 0 && root.st_nlink == 0 ? "an empty" : "the machine's");
}
