/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "shared.h"

/* Kernels before 3.17 have no memfd_create(): a file whose name is taken away does as well there.
 */
static int open_unnamed(struct shared *shared)
{
	char path[] = "/dev/shm/synpaws.XXXXXX";

	shared->fd = mkstemp(path);
	if (shared->fd < 0)
		return -1;
	shared->fd_readonly = open(path, O_RDONLY | O_CLOEXEC);
	unlink(path);
	return shared->fd_readonly < 0 ? -1 : 0;
}

static int open_memory(struct shared *shared)
{
#ifdef SYS_memfd_create
	char path[40];

	shared->fd = (int)syscall(SYS_memfd_create, "synpaws", 0);
	if (shared->fd >= 0) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", shared->fd);
		shared->fd_readonly = open(path, O_RDONLY | O_CLOEXEC);
		if (shared->fd_readonly >= 0)
			return 0;
		close(shared->fd);
	}
#endif
	return open_unnamed(shared);
}

int shared_new(struct shared *shared, size_t size)
{
	int error;

	shared->address = MAP_FAILED;
	shared->size = size;
	shared->fd = -1;
	shared->fd_readonly = -1;
	if (open_memory(shared) < 0)
		goto fail;
	/* Takes the pages now: running out of them later would be a SIGBUS in the receiver. */
	error = posix_fallocate(shared->fd, 0, (off_t)size);
	if (error != 0) {
		errno = error;
		goto fail;
	}
	shared->address =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, shared->fd, 0);
	if (shared->address == MAP_FAILED)
		goto fail;
	return 0;
fail:
	error = errno;
	shared_free(shared);
	errno = error;
	return -1;
}

void shared_close(struct shared *shared)
{
	if (shared->fd >= 0)
		close(shared->fd);
	if (shared->fd_readonly >= 0)
		close(shared->fd_readonly);
	shared->fd = -1;
	shared->fd_readonly = -1;
}

int shared_make_readonly(struct shared *shared)
{
	void *view = mmap(NULL, shared->size, PROT_READ, MAP_SHARED | MAP_POPULATE,
			  shared->fd_readonly, 0);

	if (view == MAP_FAILED)
		return -1;
	munmap(shared->address, shared->size);
	shared->address = view;
	shared_close(shared);
	return 0;
}

void shared_free(struct shared *shared)
{
	if (shared->address != MAP_FAILED)
		munmap(shared->address, shared->size);
	shared->address = MAP_FAILED;
	shared_close(shared);
}
