/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef QUEUES_H
#define QUEUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The queues that somebody listens on, and who. */
struct queue_state {
	uint16_t number;
	uint32_t owner;		 /* netlink port id */
	uint32_t waiting;	 /* packets without a verdict */
	uint32_t queue_dropped;	 /* the queue was full */
	uint32_t socket_dropped; /* the owner's socket was full */
};

/*
 * Read the kernel's table /proc/net/netfilter/nfnetlink_queue below `root`, at most `most` of them.
 * How many there are, or -1 with errno: ENOENT without the module, EACCES without privileges.
 */
int queues_read(const char *root, struct queue_state *queues, size_t most);

struct queue_owner {
	pid_t pid;
	char name[32];
};

/*
 * Find the process that has the netlink socket with this port id. The id is a process id by habit
 * only, so the socket leads the way; where the kernel does not name it, the habit does. False if it
 * is not to be seen from here.
 */
bool queue_owner(const char *root, uint32_t port_id, struct queue_owner *owner);

#endif
