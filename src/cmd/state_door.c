/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <poll.h>
#include <unistd.h>

#include "../os/control.h"
#include "../os/door.h"
#include "state_door.h"

#define WAIT_MS 5000

/* What comes next, within so long; and what came with it. */
static enum control await(int control, int *passed, int milliseconds)
{
	struct pollfd fd = { .fd = control, .events = POLLIN };

	*passed = -1;
	if (poll(&fd, 1, milliseconds) <= 0)
		return CONTROL_NONE;
	return control_receive(control, passed);
}

static void serve(int control, const void *context)
{
	const struct replace *file = context;
	enum control word;
	int fd = -1, passed;

	while ((word = await(control, &passed, -1)) != CONTROL_GONE) {
		if (passed >= 0)
			close(passed);
		if (word == CONTROL_STATE && fd < 0) {
			fd = replace_begin(file);
			control_send(control, CONTROL_STATE, fd);
		} else if (word == CONTROL_FINISH && fd >= 0) {
			if (replace_commit(file, fd) == 0) {
				control_send(control, CONTROL_FINISH, -1);
				return;
			}
			break;
		}
	}
	if (fd >= 0)
		replace_abandon(file);
}

int state_door_open(const struct replace *file, const struct sandbox_user *user)
{
	const struct door door = { .name = "synpaws-state",
				   .user = user,
				   .role = FILTER_STATE_DOOR,
				   .kept = file->directory,
				   .serve = serve,
				   .context = file };

	return door_open(&door);
}

int state_door_begin(int door)
{
	int fd;

	control_send(door, CONTROL_STATE, -1);
	await(door, &fd, WAIT_MS);
	return fd;
}

bool state_door_finish(int door)
{
	int passed;

	control_send(door, CONTROL_FINISH, -1);
	return await(door, &passed, WAIT_MS) == CONTROL_FINISH;
}
