/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "replace.h"

static uid_t owner_of(const struct replace *file)
{
	return geteuid() == 0 ? file->user.uid : geteuid();
}

/* Cut `path` in two. False if it names no file. */
static bool split(struct replace *file, const char *path, char *directory, size_t size)
{
	const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
	const size_t length = slash == NULL ? 0 : slash == path ? 1 : (size_t)(slash - path);

	if (*name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
	    strlen(name) >= sizeof(file->name) || length >= size)
		return false;
	snprintf(directory, size, "%.*s", length > 0 ? (int)length : 1, length > 0 ? path : ".");
	strcpy(file->name, name);
	snprintf(file->next, sizeof(file->next), "%s.new", name);
	return true;
}

/* Whoever else may write there could put something in the file's place. */
static bool is_own(const struct replace *file, const struct stat *stat)
{
	return stat->st_uid == owner_of(file) && (stat->st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

static bool open_directory(struct replace *file, const char *directory, char *why, size_t size)
{
	const bool made = mkdir(directory, S_IRWXU) == 0;
	struct stat stat;

	file->directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (file->directory < 0 ||
	    (made && geteuid() == 0 &&
	     fchown(file->directory, file->user.uid, file->user.gid) < 0) ||
	    fstat(file->directory, &stat) < 0) {
		snprintf(why, size, "%s: %s", directory, strerror(errno));
		return false;
	}
	if (is_own(file, &stat))
		return true;
	snprintf(why, size,
		 "%s has to be a directory that belongs to user %u and that nobody else may write "
		 "to",
		 directory, (unsigned int)owner_of(file));
	return false;
}

bool replace_open(struct replace *file, const char *path, const struct sandbox_user *user,
		  char *why, size_t size)
{
	char directory[PATH_MAX];

	file->directory = -1;
	file->user = *user;
	if (!split(file, path, directory, sizeof(directory))) {
		snprintf(why, size, "%s: give the path of a file", path);
		return false;
	}
	if (open_directory(file, directory, why, size))
		return true;
	replace_close(file);
	return false;
}

void replace_close(struct replace *file)
{
	if (file->directory >= 0)
		close(file->directory);
	file->directory = -1;
}

int replace_read(const struct replace *file, char *why, size_t size)
{
	/* Neither a link to what its user may not read, nor a pipe to wait at. */
	const int fd =
		openat(file->directory, file->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat stat;

	*why = '\0';
	if (fd >= 0 && fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode) && is_own(file, &stat))
		return fd;
	if (fd >= 0) {
		close(fd);
		snprintf(why, size, "%s: it is no file of user %u's own", file->name,
			 (unsigned int)owner_of(file));
	} else if (errno != ENOENT) {
		snprintf(why, size, "%s: %s", file->name, strerror(errno));
	}
	return -1;
}

int replace_begin(const struct replace *file)
{
	int fd;

	replace_abandon(file);
	fd = openat(file->directory, file->next, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
		    S_IRUSR | S_IWUSR);
	if (fd < 0 || geteuid() != 0 || fchown(fd, file->user.uid, file->user.gid) == 0)
		return fd;
	close(fd);
	replace_abandon(file);
	return -1;
}

int replace_commit(const struct replace *file, int fd)
{
	struct stat stat;

	if (fstat(fd, &stat) < 0 || fsync(fd) < 0)
		return -1;
	if (stat.st_size == 0) {
		errno = ENODATA;
		return -1;
	}
	if (renameat(file->directory, file->next, file->directory, file->name) < 0)
		return -1;
	return fsync(file->directory);
}

void replace_abandon(const struct replace *file)
{
	unlinkat(file->directory, file->next, 0);
}
