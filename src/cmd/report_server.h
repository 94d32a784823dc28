/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REPORT_SERVER_H
#define REPORT_SERVER_H

#include "../sink/log.h"
#include "panel.h"
#include "status.h"

/* Collects what a running daemon sees and answers `synpaws report` with it. */
struct report_server {
	struct status status;
	struct collect *collect; /* NULL if nobody listens */
	uint64_t started_ns;	 /* monotonic */
	struct panel *panel;
	/* What the stream's source knows. */
	struct tally_context (*stream)(const void *context);
	const void *context; /* its argument */
};

/* Listen on `path` while still root; -1 for none, which the log tells unless `path` is NULL. */
int report_server_listen(const char *path, struct log *log);

/*
 * Begin: `listener` is status_listen()'s, or -1 for none. False with errno ENOMEM. Then give
 * `collect` to panel_new(), and set the other three.
 */
bool report_server_start(struct report_server *server, int listener, const uint8_t hash_key[16]);
void report_server_stop(struct report_server *server);

/* To be polled for reading; -1 while it is of no use. */
int report_server_fd(const struct report_server *server);

/* Answer who has called. Never waits; to be called about once a second too. */
void report_server_serve(struct report_server *server);

#endif
