/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "command.h"

#define NOT_RUN 127

struct reader {
	void (*take)(void *context, const char *line);
	void *context;
	char line[COMMAND_LINE_MOST];
	size_t length;
};

static void end_line(struct reader *reader)
{
	reader->line[reader->length] = '\0';
	reader->take(reader->context, reader->line);
	reader->length = 0;
}

static void split(struct reader *reader, const char *bytes, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (bytes[i] == '\n')
			end_line(reader);
		else if (reader->length < sizeof(reader->line) - 1)
			reader->line[reader->length++] = bytes[i];
	}
}

/* All that comes until the end or `deadline`. 0, or -1 with errno. */
static int read_all(struct reader *reader, int fd, uint64_t deadline)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	char bytes[4096];
	uint64_t now;
	ssize_t got;

	while ((now = clock_ns(CLOCK_MONOTONIC)) < deadline) {
		if (poll(&ready, 1, (int)((deadline - now) / 1000000) + 1) <= 0)
			continue;
		got = read(fd, bytes, sizeof(bytes));
		if (got < 0 && errno != EINTR)
			return -1;
		if (got == 0)
			break;
		if (got > 0)
			split(reader, bytes, (size_t)got);
	}
	if (reader->length > 0)
		end_line(reader);
	if (now < deadline)
		return 0;
	errno = ETIMEDOUT;
	return -1;
}

/* In the child. */
static void become(char *const argv[], int output)
{
	static char *const environment[] = { "LC_ALL=C", "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
					     NULL };
	const int null = open("/dev/null", O_RDWR);

	if (null >= 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(null, STDERR_FILENO) >= 0 &&
	    dup2(output, STDOUT_FILENO) >= 0)
		execve(argv[0], argv, environment);
	_exit(NOT_RUN);
}

static int reap(pid_t child)
{
	int status;

	while (waitpid(child, &status, 0) < 0) {
		if (errno != EINTR)
			return -1;
	}
	if (!WIFEXITED(status)) {
		errno = EINTR;
		return -1;
	}
	if (WEXITSTATUS(status) == NOT_RUN) {
		errno = ENOENT;
		return -1;
	}
	return WEXITSTATUS(status);
}

int command_lines(char *const argv[], unsigned int seconds,
		  void (*take)(void *context, const char *line), void *context)
{
	const uint64_t deadline = clock_ns(CLOCK_MONOTONIC) + seconds * NS_PER_SECOND;
	struct reader reader = { .take = take, .context = context };
	int ends[2], status, error = 0;
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	child = fork();
	if (child == 0)
		become(argv, ends[1]);
	close(ends[1]);
	if (child < 0) {
		close(ends[0]);
		return -1;
	}
	if (read_all(&reader, ends[0], deadline) < 0) {
		error = errno;
		kill(child, SIGKILL);
	}
	close(ends[0]);
	status = reap(child);
	if (error == 0)
		return status;
	errno = error;
	return -1;
}
