/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef COMMAND_H
#define COMMAND_H

#include <stddef.h>

/* A line of what a program writes comes in at most so long; the rest of it is left out. */
#define COMMAND_LINE_MOST 4096

/*
 * Run the program at path argv[0], without a shell, its input and errors at /dev/null, and show
 * `take` each line that it writes. It gets `seconds`, then it is killed. Its exit status; -1 with
 * errno if it could not be run, ETIMEDOUT if it took too long, EINTR if a signal ended it.
 */
int command_lines(char *const argv[], unsigned int seconds,
		  void (*take)(void *context, const char *line), void *context);

#endif
