/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "nfqueue.h"

#define STATUS_FILE "/proc/net/netfilter/nfnetlink_queue"

int nfqueue_status_open(void)
{
	return open(STATUS_FILE, O_RDONLY | O_CLOEXEC);
}

static bool parse_line(const char *line, uint16_t number, struct nfqueue_status *status)
{
	unsigned int queue, owner, waiting, copy_mode, copy_range, queue_dropped, socket_dropped,
		last_id;

	if (sscanf(line, "%u %u %u %u %u %u %u %u", &queue, &owner, &waiting, &copy_mode,
		   &copy_range, &queue_dropped, &socket_dropped, &last_id) != 8 ||
	    queue != number)
		return false;
	status->owner = owner;
	status->queue_dropped = queue_dropped;
	status->socket_dropped = socket_dropped;
	status->last_id = last_id;
	return true;
}

bool nfqueue_status_read(int fd, uint16_t number, struct nfqueue_status *status)
{
	char text[4096], *line, *rest;
	off_t offset = 0;
	ssize_t length;

	while ((length = pread(fd, text, sizeof(text) - 1, offset)) > 0) {
		text[length] = '\0';
		for (line = text; (rest = strchr(line, '\n')) != NULL; line = rest + 1) {
			*rest = '\0';
			if (parse_line(line, number, status))
				return true;
		}
		if (line == text)
			break;
		offset += line - text;
	}
	return false;
}
