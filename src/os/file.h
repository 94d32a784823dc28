/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FILE_H
#define FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Small text files of the kernel. */

/*
 * Read a file from its start into `text`, as much as fits, with a NUL behind it. The length, or -1
 * with errno.
 */
ssize_t file_read(const char *path, char *text, size_t size);

/* The same of an open file. */
ssize_t file_read_open(int fd, char *text, size_t size);

/* The one number in a file. False with errno if there is none; EINVAL for other text. */
bool file_number(const char *path, long *number);

#endif
