/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REPLACE_H
#define REPLACE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "sandbox.h"

/*
 * A file that is replaced as a whole: a new one is written beside it and takes its name when it is
 * complete, so that whatever happens there is the old one or the new one. The directory is a
 * user's alone, who can so go on to replace it after root is given up.
 */
struct replace {
	int directory; /* -1: none */
	struct sandbox_user user;
	char name[NAME_MAX - 8], next[NAME_MAX]; /* of the file, and of the new one */
};

/*
 * Open the directory of `path`; it is made if it is not there. Where this is root it has to belong
 * to `user`, else to who runs this. False if it cannot be; `why` then holds one line.
 */
bool replace_open(struct replace *file, const char *path, const struct sandbox_user *user,
		  char *why, size_t size);
void replace_close(struct replace *file);

/*
 * The file as it is, for reading. -1 with `why` empty if there is none, or with one line if there
 * is something else.
 */
int replace_read(const struct replace *file, char *why, size_t size);

/* Make the new file, for writing by nobody else. -1 with errno. */
int replace_begin(const struct replace *file);

/* Let the new file `fd`, which holds something, take the old one's place. 0, or -1 with errno. */
int replace_commit(const struct replace *file, int fd);

/* Remove the new file. */
void replace_abandon(const struct replace *file);

#endif
