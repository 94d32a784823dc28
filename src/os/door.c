/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "control.h"
#include "door.h"

/* In the new process. */
static void live(const struct door *door, int control)
{
	static const int ignored[] = { SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGPIPE };
	const int kept[] = { control, door->kept };
	size_t i;

	/* Who asks says when to end, not Ctrl-C. */
	for (i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	prctl(PR_SET_NAME, door->name, 0, 0, 0);
	sandbox_close_but(kept, sizeof(kept) / sizeof(kept[0]));
	if (sandbox_leave_root(door->user) < 0 || filter_enter(door->role) < 0)
		return;
	door->serve(control, door->context);
}

int door_open(const struct door *door)
{
	int fds[2];
	pid_t pid;

	if (control_pair(fds) < 0)
		return -1;
	pid = fork();
	if (pid != 0) {
		close(fds[1]);
		if (pid < 0)
			close(fds[0]);
		return pid < 0 ? -1 : fds[0];
	}
	live(door, fds[1]);
	_exit(EXIT_SUCCESS);
}
