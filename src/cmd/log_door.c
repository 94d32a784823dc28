/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "../os/control.h"
#include "log_door.h"

#ifndef PR_SET_NO_NEW_PRIVS
#define PR_SET_NO_NEW_PRIVS 38 /* Linux 3.5 */
#endif

/* Leaving root takes all capabilities along. */
static bool become(const struct sandbox_user *user)
{
	if (geteuid() == 0 &&
	    (setgroups(0, NULL) < 0 || setresgid(user->gid, user->gid, user->gid) < 0 ||
	     setresuid(user->uid, user->uid, user->uid) < 0))
		return false;
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return true;
}

static void serve(int control)
{
	struct pollfd fd = { .fd = control, .events = POLLIN };
	enum control word;
	int passed, socket;

	for (;;) {
		poll(&fd, 1, -1);
		word = control_receive(control, &passed);
		if (passed >= 0)
			close(passed);
		if (word == CONTROL_GONE)
			return;
		socket = word == CONTROL_LOG ? log_connect() : -1;
		if (socket < 0)
			continue;
		control_send(control, CONTROL_LOG, socket);
		close(socket);
	}
}

int log_door_open(const struct sandbox_user *user)
{
	static const int ignored[] = { SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGPIPE };
	int fds[2];
	pid_t pid;
	size_t i;

	if (control_pair(fds) < 0)
		return -1;
	pid = fork();
	if (pid != 0) {
		close(fds[1]);
		if (pid < 0)
			close(fds[0]);
		return pid < 0 ? -1 : fds[0];
	}
	/* Who asks says when to end, not Ctrl-C. */
	for (i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	prctl(PR_SET_NAME, "synpaws-log", 0, 0, 0);
	close(fds[0]);
	if (become(user))
		serve(fds[1]);
	_exit(EXIT_SUCCESS);
}

void log_door_knock(int door)
{
	control_send(door, CONTROL_LOG, -1);
}

bool log_door_pass(int door, struct log *log)
{
	int passed;

	if (control_receive(door, &passed) != CONTROL_LOG || passed < 0)
		return false;
	log_set_socket(log, passed);
	return true;
}
