/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "queues.h"

#define NETLINK_FAMILY 12 /* NETLINK_NETFILTER */

/* Port ids are written with a sign up to Linux 3.7. */
static bool parse_queue(const char *line, struct queue_state *queue)
{
	unsigned int number, mode, range;
	int64_t owner;

	if (sscanf(line, "%u %" SCNd64 " %" SCNu32 " %u %u %" SCNu32 " %" SCNu32, &number, &owner,
		   &queue->waiting, &mode, &range, &queue->queue_dropped,
		   &queue->socket_dropped) != 7 ||
	    number > UINT16_MAX)
		return false;
	queue->number = (uint16_t)number;
	queue->owner = (uint32_t)owner;
	return true;
}

int queues_read(const char *root, struct queue_state *queues, size_t most)
{
	char path[PATH_MAX], line[256];
	size_t count = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/proc/net/netfilter/nfnetlink_queue", root);
	file = fopen(path, "re");
	if (file == NULL)
		return -1;
	while (count < most && fgets(line, sizeof(line), file) != NULL) {
		if (parse_queue(line, &queues[count]))
			count++;
	}
	fclose(file);
	return (int)count;
}

/* The inode of the netlink socket with this port id; 0 if the kernel does not say. */
static unsigned long find_inode(const char *root, uint32_t port_id)
{
	char path[PATH_MAX], line[256];
	unsigned long inode, found = 0;
	unsigned int family;
	int64_t port;
	FILE *file;

	snprintf(path, sizeof(path), "%s/proc/net/netlink", root);
	file = fopen(path, "re");
	if (file == NULL)
		return 0;
	while (found == 0 && fgets(line, sizeof(line), file) != NULL) {
		if (sscanf(line, "%*s %u %" SCNd64 " %*s %*s %*s %*s %*s %*s %lu", &family, &port,
			   &inode) == 3 &&
		    family == NETLINK_FAMILY && (uint32_t)port == port_id)
			found = inode;
	}
	fclose(file);
	return found;
}

static bool holds(const char *root, const char *pid, const char *wanted)
{
	char path[PATH_MAX], target[64];
	const struct dirent *entry;
	DIR *directory;
	bool found = false;

	snprintf(path, sizeof(path), "%s/proc/%s/fd", root, pid);
	directory = opendir(path);
	if (directory == NULL)
		return false;
	while (!found && (entry = readdir(directory)) != NULL) {
		const ssize_t length =
			readlinkat(dirfd(directory), entry->d_name, target, sizeof(target) - 1);

		if (length < 0)
			continue;
		target[length] = '\0';
		found = strcmp(target, wanted) == 0;
	}
	closedir(directory);
	return found;
}

/* The first process that holds the socket; 0 if none is to be seen. */
static pid_t find_holder(const char *root, unsigned long inode)
{
	char path[PATH_MAX], wanted[64];
	const struct dirent *entry;
	DIR *directory;
	pid_t pid = 0;

	snprintf(wanted, sizeof(wanted), "socket:[%lu]", inode);
	snprintf(path, sizeof(path), "%s/proc", root);
	directory = opendir(path);
	if (directory == NULL)
		return 0;
	while (pid == 0 && (entry = readdir(directory)) != NULL) {
		if (*entry->d_name > '0' && *entry->d_name <= '9' &&
		    holds(root, entry->d_name, wanted))
			pid = (pid_t)atoi(entry->d_name);
	}
	closedir(directory);
	return pid;
}

bool queue_owner(const char *root, uint32_t port_id, struct queue_owner *owner)
{
	const unsigned long inode = find_inode(root, port_id);
	char path[PATH_MAX];

	if (inode != 0)
		owner->pid = find_holder(root, inode);
	else
		owner->pid = port_id <= INT_MAX ? (pid_t)port_id : 0;
	snprintf(path, sizeof(path), "%s/proc/%d/comm", root, (int)owner->pid);
	if (owner->pid == 0 || file_read(path, owner->name, sizeof(owner->name)) <= 0)
		return false;
	owner->name[strcspn(owner->name, "\n")] = '\0';
	return true;
}
