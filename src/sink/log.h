/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>
#include <stdint.h>
#include <syslog.h>

/*
 * Where lines go. There are two kinds: records (a would-be drop, a summary) and messages about the
 * daemon itself. No write ever waits for a reader: a line that does not go at once is lost, and
 * counted.
 *
 * This is syslog(3) as far as facility, ident and priority go. syslog(3) itself waits while
 * /dev/log is full, and then the ring would fill up behind it.
 */
struct log;

enum log_sink {
	LOG_SINK_SYSLOG, /* records and messages to /dev/log */
	LOG_SINK_STDOUT, /* records to standard output, messages to standard error */
	LOG_SINK_JSON,	 /* the same, records as JSON lines */
};

/* Messages go to standard error too, until log_started(). NULL with errno. */
struct log *log_new(enum log_sink sink, int facility);
void log_free(struct log *log);

/* What it holds open: LOG_DESCRIPTORS of them, -1 for none. */
#define LOG_DESCRIPTORS 3
void log_descriptors(const struct log *log, int fds[LOG_DESCRIPTORS]);

/* From now on standard error is only used where the sink says so. */
void log_started(struct log *log);

/* The ident's pid: call it after fork(). */
void log_set_pid(struct log *log);

enum log_sink log_sink(const struct log *log);

/* A new socket that is connected to /dev/log and does not block. -1 with errno. */
int log_connect(void);

/* Use this socket from now on (LOG_SINK_SYSLOG); the one before it is closed. */
void log_set_socket(struct log *log, int fd);

/* True if lines are lost because the syslog daemon is not there, so that a new socket is wanted. */
bool log_disconnected(const struct log *log);

/* The five verbs. warn adds strerror(errno). None of them adds a newline or ends the program. */
void log_err(struct log *log, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_warn(struct log *log, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_warnx(struct log *log, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_info(struct log *log, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_debug(struct log *log, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Debug messages are dropped unless this is set. */
void log_set_debug(struct log *log, bool debug);

/*
 * Write one record, without a newline in it; NULL stands for one that could not be made and is
 * counted as lost. A LOG_NOTICE (a summary) that has no syslog daemon goes to standard error.
 */
void log_record(struct log *log, int priority, const char *line);

/* Lines lost so far. */
uint64_t log_lost(const struct log *log);

/* The number of a facility such as "daemon" or "local3", -1 if there is none of that name. */
int log_facility(const char *name);

#endif
