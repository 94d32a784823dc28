/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <poll.h>
#include <unistd.h>

#include "../os/control.h"
#include "../os/door.h"
#include "log_door.h"

static void serve(int control, const void *context)
{
	struct pollfd fd = { .fd = control, .events = POLLIN };
	enum control word;
	int passed, socket;

	(void)context;
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
	const struct door door = { .name = "synpaws-log",
				   .user = user,
				   .role = FILTER_LOG_DOOR,
				   .kept = -1,
				   .serve = serve };

	return door_open(&door);
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
