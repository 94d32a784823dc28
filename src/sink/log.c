/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "json.h"
#include "log.h"

#define SYSLOG_PATH  "/dev/log"
#define SYSLOG_IDENT "synpaws"
#define LINE_MOST    4096

struct log {
	enum log_sink sink;
	int facility;
	int socket; /* to /dev/log, -1 if there is none */
	pid_t pid;
	bool disconnected;
	bool starting;
	bool debug;
	int stream[STDERR_FILENO + 1]; /* what to write to for standard output and standard error */
	uint64_t lost;
};

/*
 * poll() promises a pipe room for PIPE_BUF bytes, but a terminal room for one. A terminal opened
 * anew can be told not to block without telling the shell's other programs the same.
 */
static int open_stream(int fd)
{
	char path[32];
	int again = -1;

	if (isatty(fd)) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		again = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	}
	return again >= 0 ? again : fd;
}

struct log *log_new(enum log_sink sink, int facility)
{
	struct log *log = calloc(1, sizeof(*log));

	if (log == NULL)
		return NULL;
	log->sink = sink;
	log->facility = facility;
	log->socket = -1;
	log->pid = getpid();
	log->starting = true;
	log->stream[STDOUT_FILENO] = open_stream(STDOUT_FILENO);
	log->stream[STDERR_FILENO] = open_stream(STDERR_FILENO);
	log->disconnected = sink == LOG_SINK_SYSLOG;
	if (sink == LOG_SINK_JSON)
		json_prepare();
	tzset(); /* while /etc/localtime can still be read */
	return log;
}

void log_free(struct log *log)
{
	int fd;

	if (log == NULL)
		return;
	if (log->socket >= 0)
		close(log->socket);
	for (fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++) {
		if (log->stream[fd] != fd)
			close(log->stream[fd]);
	}
	free(log);
}

void log_descriptors(const struct log *log, int fds[LOG_DESCRIPTORS])
{
	fds[0] = log->socket;
	fds[1] = log->stream[STDOUT_FILENO];
	fds[2] = log->stream[STDERR_FILENO];
}

void log_started(struct log *log)
{
	log->starting = false;
}

void log_set_pid(struct log *log)
{
	log->pid = getpid();
}

void log_set_debug(struct log *log, bool debug)
{
	log->debug = debug;
}

enum log_sink log_sink(const struct log *log)
{
	return log->sink;
}

uint64_t log_lost(const struct log *log)
{
	return log->lost;
}

int log_connect(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = SYSLOG_PATH };
	const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int error;

	if (fd < 0)
		return -1;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

void log_set_socket(struct log *log, int fd)
{
	if (log->socket >= 0)
		close(log->socket);
	log->socket = fd;
	log->disconnected = false;
}

bool log_disconnected(const struct log *log)
{
	return log->disconnected;
}

static void to_syslog(struct log *log, int priority, const char *line)
{
	static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	char text[LINE_MOST];
	const time_t now = time(NULL);
	struct tm tm;
	int length;

	/* RFC 3164, section 4.1.2, which every /dev/log takes; its month names know no locale. */
	localtime_r(&now, &tm);
	length = snprintf(text, sizeof(text), "<%d>%s %2d %02d:%02d:%02d " SYSLOG_IDENT "[%d]: %s",
			  log->facility | priority, months[tm.tm_mon], tm.tm_mday, tm.tm_hour,
			  tm.tm_min, tm.tm_sec, (int)log->pid, line);
	if (length >= (int)sizeof(text))
		length = sizeof(text) - 1;
	errno = ENOTCONN;
	if (log->socket >= 0 &&
	    send(log->socket, text, (size_t)length, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return;
	log->lost++;
	if (errno != EAGAIN && errno != EWOULDBLOCK && errno != ENOBUFS && errno != EMSGSIZE)
		log->disconnected = true;
}

static void to_stream(struct log *log, int stream, const char *line)
{
	const int fd = log->stream[stream];
	char text[LINE_MOST];
	struct pollfd ready = { .fd = fd, .events = POLLOUT };
	int length = snprintf(text, sizeof(text), "%s\n", line);
	ssize_t written;

	if (length >= (int)sizeof(text)) {
		length = sizeof(text) - 1;
		text[length - 1] = '\n';
	}
	written = send(fd, text, (size_t)length, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (written < 0 && errno == ENOTSOCK && poll(&ready, 1, 0) == 1 &&
	    (ready.revents & POLLOUT) != 0)
		written = write(fd, text, (size_t)length);
	if (written != length)
		log->lost++;
}

void log_record(struct log *log, int priority, const char *line)
{
	if (line == NULL)
		log->lost++;
	else if (log->sink != LOG_SINK_SYSLOG)
		to_stream(log, STDOUT_FILENO, line);
	else if (log->disconnected && priority == LOG_NOTICE)
		to_stream(log, STDERR_FILENO, line);
	else
		to_syslog(log, priority, line);
}

static void message(struct log *log, int priority, int error, const char *format, va_list arguments)
{
	char line[LINE_MOST / 2], prefixed[LINE_MOST];
	const int length = vsnprintf(line, sizeof(line), format, arguments);

	if (error != 0 && length >= 0 && length < (int)sizeof(line))
		snprintf(line + length, sizeof(line) - (size_t)length, ": %s", strerror(error));
	if (log->sink == LOG_SINK_SYSLOG && !log->disconnected)
		to_syslog(log, priority, line);
	if (log->sink == LOG_SINK_SYSLOG && !log->disconnected && !log->starting)
		return;
	snprintf(prefixed, sizeof(prefixed), SYSLOG_IDENT ": %s", line);
	to_stream(log, STDERR_FILENO, prefixed);
}

#define LOG_VERB(name, priority, error)                           \
	void name(struct log *log, const char *format, ...)       \
	{                                                         \
		const int saved = (error);                        \
		va_list arguments;                                \
                                                                  \
		va_start(arguments, format);                      \
		message(log, priority, saved, format, arguments); \
		va_end(arguments);                                \
	}

LOG_VERB(log_err, LOG_ERR, 0)
LOG_VERB(log_warn, LOG_WARNING, errno)
LOG_VERB(log_warnx, LOG_WARNING, 0)
LOG_VERB(log_info, LOG_INFO, 0)

void log_debug(struct log *log, const char *format, ...)
{
	va_list arguments;

	if (!log->debug)
		return;
	va_start(arguments, format);
	message(log, LOG_DEBUG, 0, format, arguments);
	va_end(arguments);
}

int log_facility(const char *name)
{
	static const struct {
		const char *name;
		int facility;
	} facilities[] = {
		{ "auth", LOG_AUTH },	  { "authpriv", LOG_AUTHPRIV }, { "cron", LOG_CRON },
		{ "daemon", LOG_DAEMON }, { "ftp", LOG_FTP },		{ "kern", LOG_KERN },
		{ "lpr", LOG_LPR },	  { "mail", LOG_MAIL },		{ "news", LOG_NEWS },
		{ "syslog", LOG_SYSLOG }, { "user", LOG_USER },		{ "uucp", LOG_UUCP },
		{ "local0", LOG_LOCAL0 }, { "local1", LOG_LOCAL1 },	{ "local2", LOG_LOCAL2 },
		{ "local3", LOG_LOCAL3 }, { "local4", LOG_LOCAL4 },	{ "local5", LOG_LOCAL5 },
		{ "local6", LOG_LOCAL6 }, { "local7", LOG_LOCAL7 },
	};
	size_t i;

	for (i = 0; i < sizeof(facilities) / sizeof(facilities[0]); i++) {
		if (strcasecmp(facilities[i].name, name) == 0)
			return facilities[i].facility;
	}
	return -1;
}
