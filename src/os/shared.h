/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SHARED_H
#define SHARED_H

#include <stddef.h>

/*
 * Memory shared with a child process. The file behind it has no name, so that a process can keep
 * a view of it that it may read and can never again make writable.
 */
struct shared {
	void *address;
	size_t size;
	int fd;		 /* to map it again, -1 once given up */
	int fd_readonly; /* likewise, for a view that stays read-only */
};

/* Zeroed memory of `size` bytes. 0, or -1 with errno. */
int shared_new(struct shared *shared, size_t size);

/* Map it anew at another address without write access, for good. 0, or -1 with errno. */
int shared_make_readonly(struct shared *shared);

/* Give up the descriptors, so that this process can neither resize the memory nor map it again. */
void shared_close(struct shared *shared);

void shared_free(struct shared *shared);

#endif
