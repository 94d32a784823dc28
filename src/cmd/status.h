/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef STATUS_H
#define STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

/*
 * The daemon's ear: a Unix socket on which it is asked for reports. One line asks, the answer is
 * "ok LENGTH" or "error TEXT" on a line and, behind "ok", what was asked for. Each answer is
 * written by a child, so that nobody who reads slowly holds up the daemon.
 */

#define STATUS_PATH	 "/run/synpaws.sock"
#define STATUS_PATH_MOST 108 /* sun_path */

#define STATUS_REQUEST 128 /* the longest line, with its end */

/*
 * Listen on `path`, for root alone. A socket that nobody listens on any more is replaced. -1 with
 * one line in `why`.
 */
int status_listen(const char *path, char *why, size_t size);

/* Children that are still answering. */
#define STATUS_CHILDREN 4

struct status {
	int listener; /* -1: none */
	pid_t children[STATUS_CHILDREN];
	bool full; /* callers have to wait until a child has ended */
};

/* Writes what `request` asks for to `out`; false with a line in `why` if it asks for nothing known.
 */
typedef bool status_answer(void *context, const char *request, FILE *out, char *why, size_t size);

/* Answer who has called meanwhile. Never waits. While `full`, it has to be called now and then. */
void status_serve(struct status *status, status_answer *answer, void *context);

/* The caller's side: copy the answer to `out`. False with one line in `why`. */
bool status_ask(const char *path, const char *request, FILE *out, char *why, size_t size);

#endif
