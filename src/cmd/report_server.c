/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "../os/clock.h"
#include "report_server.h"
#include "report_write.h"

int report_server_listen(const char *path, struct log *log)
{
	char why[256];
	int fd;

	if (path == NULL)
		return -1;
	fd = status_listen(path, why, sizeof(why));
	if (fd < 0)
		log_warnx(log, "%s", why);
	return fd;
}

bool report_server_start(struct report_server *server, int listener, const uint8_t hash_key[16])
{
	memset(server, 0, sizeof(*server));
	server->status.listener = listener;
	server->started_ns = clock_ns(CLOCK_MONOTONIC);
	if (listener >= 0)
		server->collect = collect_new(hash_key);
	return listener < 0 || server->collect != NULL;
}

void report_server_stop(struct report_server *server)
{
	collect_free(server->collect);
}

int report_server_fd(const struct report_server *server)
{
	return server->status.full ? -1 : server->status.listener;
}

/* In a child, which has all that was known at this moment. */
static bool answer(void *context, const char *request, FILE *out, char *why, size_t size)
{
	const struct report_server *server = context;
	const struct tally_context stream = server->stream(server->context);
	const uint64_t now_ns = clock_ns(CLOCK_REALTIME);
	const uint64_t age_ns = clock_ns(CLOCK_MONOTONIC) - server->started_ns;
	const struct panel_span span = { now_ns - age_ns, now_ns, age_ns };
	struct synpaws_prefix plot;
	enum report_form form;

	if (!report_understand(request, &form, &plot)) {
		snprintf(why, size, "the daemon knows no such report: is it of another version?");
		return false;
	}
	return report_write(form, server->collect,
			    panel_report(server->panel, &stream, &span, NULL, 0), &plot, out, why,
			    size);
}

void report_server_serve(struct report_server *server)
{
	if (server->collect != NULL)
		status_serve(&server->status, answer, server);
}
