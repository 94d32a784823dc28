/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "counters.h"
#include "file.h"

/* Linux 6.18 writes 5 KB. */
#define FILE_MOST 32768

#define SPACES " \t"

static const struct {
	const char *name;
	const char *key;
} table[COUNTER_KINDS] = {
	[COUNTER_PAWS_PASSIVE] = { "PAWSPassive", "paws_passive" },
	[COUNTER_PAWS_ESTAB] = { "PAWSEstab", "paws_estab" },
	[COUNTER_PAWS_ACTIVE] = { "PAWSActive", "paws_active" },
	[COUNTER_PAWS_TIMEWAIT] = { "PAWSTimewait", "paws_timewait" },
	[COUNTER_LISTEN_DROPS] = { "ListenDrops", "listen_drops" },
	[COUNTER_LISTEN_OVERFLOWS] = { "ListenOverflows", "listen_overflows" },
	[COUNTER_TW] = { "TW", "tw" },
	[COUNTER_TW_KILLED] = { "TWKilled", "tw_killed" },
	[COUNTER_TW_RECYCLED] = { "TWRecycled", "tw_recycled" },
	[COUNTER_TIME_WAIT_OVERFLOW] = { "TCPTimeWaitOverflow", "time_wait_overflow" },
	[COUNTER_ACK_SKIPPED_TIME_WAIT] = { "TCPACKSkippedTimeWait", "ack_skipped_time_wait" },
	[COUNTER_COOKIES_SENT] = { "SyncookiesSent", "cookies_sent" },
	[COUNTER_COOKIES_RECEIVED] = { "SyncookiesRecv", "cookies_received" },
	[COUNTER_COOKIES_FAILED] = { "SyncookiesFailed", "cookies_failed" },
	[COUNTER_REQUEST_FULL_DROP] = { "TCPReqQFullDrop", "request_full_drop" },
	[COUNTER_REQUEST_FULL_COOKIES] = { "TCPReqQFullDoCookies", "request_full_cookies" },
};

const char *counter_name(enum counter which)
{
	return table[which].name;
}

const char *counter_key(enum counter which)
{
	return table[which].key;
}

static void take(struct counters *counters, const char *name, const char *text)
{
	enum counter which;
	uint64_t value;
	char *end;

	for (which = 0; which < COUNTER_KINDS && strcmp(table[which].name, name) != 0; which++)
		continue;
	if (which == COUNTER_KINDS || *text < '0' || *text > '9')
		return;
	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno != 0 || *end != '\0')
		return;
	counters->value[which] = value;
	counters->present[which] = true;
}

/* A line of names and the line of their values; both are taken apart. */
static void take_pair(struct counters *counters, char *names, char *values)
{
	char *next_name, *next_value;
	const char *name = strtok_r(names, SPACES, &next_name);
	const char *value = strtok_r(values, SPACES, &next_value);

	while (name != NULL && value != NULL) {
		take(counters, name, value);
		name = strtok_r(NULL, SPACES, &next_name);
		value = strtok_r(NULL, SPACES, &next_value);
	}
}

/* The line at *rest without its end; NULL if no whole line is left. */
static char *next_line(char **rest)
{
	char *line = *rest, *end = strchr(line, '\n');

	if (end == NULL)
		return NULL;
	*end = '\0';
	*rest = end + 1;
	return line;
}

static bool is_tcp(const char *line)
{
	return strncmp(line, "TcpExt: ", strlen("TcpExt: ")) == 0;
}

int counters_read_open(int fd, struct counters *counters)
{
	char text[FILE_MOST], *rest = text, *names, *values;
	bool found = false;

	memset(counters, 0, sizeof(*counters));
	if (file_read_open(fd, text, sizeof(text)) < 0)
		return -1;
	while ((names = next_line(&rest)) != NULL && (values = next_line(&rest)) != NULL) {
		if (!is_tcp(names) || !is_tcp(values))
			continue;
		take_pair(counters, names, values);
		found = true;
	}
	if (!found)
		errno = EBADMSG;
	return found ? 0 : -1;
}

int counters_read(const char *path, struct counters *counters)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	int result, error;

	memset(counters, 0, sizeof(*counters));
	if (fd < 0)
		return -1;
	result = counters_read_open(fd, counters);
	error = errno;
	close(fd);
	errno = error;
	return result;
}

/* A 32-bit counter that goes round was near its end; one that starts again need not have been. */
static bool went_round(uint64_t before)
{
	return before <= UINT32_MAX && before > UINT32_MAX / 2;
}

void counters_since(const struct counters *before, const struct counters *after,
		    struct counters *difference)
{
	enum counter which;

	memset(difference, 0, sizeof(*difference));
	for (which = 0; which < COUNTER_KINDS; which++) {
		const uint64_t from = before->value[which], to = after->value[which];

		if (!before->present[which] || !after->present[which] ||
		    (to < from && !went_round(from)))
			continue;
		difference->present[which] = true;
		difference->value[which] = to >= from ? to - from : (uint32_t)(to - from);
	}
}

/* What is written of a difference, and in which form. */
struct writing {
	char *line;
	size_t size, length;
	bool json;
};

static void append(struct writing *writing, const char *key, const char *sign, uint64_t value)
{
	if (writing->length >= writing->size)
		return;
	writing->length +=
		(size_t)snprintf(writing->line + writing->length, writing->size - writing->length,
				 writing->json ? ",\"%s\":%s%" PRIu64 : " %s=%s%" PRIu64, key,
				 writing->json ? "" : sign, value);
}

static void append_all(struct writing *writing, const struct counters *difference,
		       uint64_t predicted)
{
	static const enum counter witnesses[] = {
		COUNTER_LISTEN_DROPS, COUNTER_LISTEN_OVERFLOWS,	 COUNTER_TW_KILLED,
		COUNTER_TW,	      COUNTER_PAWS_ESTAB,	 COUNTER_COOKIES_SENT,
		COUNTER_TW_RECYCLED,  COUNTER_REQUEST_FULL_DROP,
	};
	size_t i;

	append(writing, table[COUNTER_PAWS_PASSIVE].key, "+",
	       difference->value[COUNTER_PAWS_PASSIVE]);
	append(writing, "predicted", "", predicted);
	for (i = 0; i < sizeof(witnesses) / sizeof(witnesses[0]); i++) {
		if (difference->present[witnesses[i]])
			append(writing, table[witnesses[i]].key, "+",
			       difference->value[witnesses[i]]);
	}
}

static size_t write_line(const struct counters *difference, uint64_t predicted, bool json,
			 char *line, size_t size)
{
	struct writing writing = { .line = line, .size = size, .json = json };

	line[0] = '\0';
	if (!difference->present[COUNTER_PAWS_PASSIVE])
		return 0;
	writing.length =
		(size_t)snprintf(line, size, "%s", json ? "{\"event\":\"kernel\"" : "kernel");
	append_all(&writing, difference, predicted);
	if (json && writing.length < size)
		writing.length +=
			(size_t)snprintf(line + writing.length, size - writing.length, "}");
	if (writing.length < size)
		return writing.length;
	line[0] = '\0';
	return 0;
}

size_t counters_line(const struct counters *difference, uint64_t predicted, char *line, size_t size)
{
	return write_line(difference, predicted, false, line, size);
}

size_t counters_json(const struct counters *difference, uint64_t predicted, char *line, size_t size)
{
	return write_line(difference, predicted, true, line, size);
}
