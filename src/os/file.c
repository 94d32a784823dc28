/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "file.h"

ssize_t file_read_open(int fd, char *text, size_t size)
{
	size_t length = 0;
	ssize_t got = 0;

	while (length < size - 1 &&
	       (got = pread(fd, text + length, size - 1 - length, (off_t)length)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			break;
		length += (size_t)got;
	}
	text[length] = '\0';
	return got < 0 && length == 0 ? -1 : (ssize_t)length;
}

ssize_t file_read(const char *path, char *text, size_t size)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length;
	int error;

	if (fd < 0)
		return -1;
	length = file_read_open(fd, text, size);
	error = errno;
	close(fd);
	errno = error;
	return length;
}

bool file_number(const char *path, long *number)
{
	char text[32], *end;

	if (file_read(path, text, sizeof(text)) < 0)
		return false;
	errno = 0;
	*number = strtol(text, &end, 10);
	if (errno == 0 && (end == text || (*end != '\0' && *end != '\n')))
		errno = EINVAL;
	return errno == 0;
}
