/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "status.h"

/* For so long the caller may take to ask, and to read each part of the answer. */
#define ASK_SECONDS  5
#define READ_SECONDS 30
#define PART	     65536

/* And for so long he waits. */
#define WAIT_SECONDS 40

static int unix_socket(const char *path, struct sockaddr_un *address, int flags)
{
	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	strncpy(address->sun_path, path, sizeof(address->sun_path) - 1);
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
}

static bool is_socket(const char *path)
{
	struct stat status;

	return lstat(path, &status) == 0 && S_ISSOCK(status.st_mode);
}

/* Is it a socket left behind by a daemon that has ended? */
static bool is_stale(const char *path)
{
	struct sockaddr_un address;
	const int fd = unix_socket(path, &address, SOCK_NONBLOCK);
	bool refused;

	if (fd < 0)
		return false;
	refused = is_socket(path) &&
		  connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 &&
		  errno == ECONNREFUSED;
	close(fd);
	return refused;
}

int status_listen(const char *path, char *why, size_t size)
{
	struct sockaddr_un address;
	const mode_t mask = umask(0177);
	const int fd = unix_socket(path, &address, 0);
	int error = 0;

	if (fd >= 0 && is_stale(path))
		unlink(path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, STATUS_CHILDREN) < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		error = errno;
	umask(mask);
	if (error == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	snprintf(why, size, "%s: %s: no reports of this daemon; give another with --socket", path,
		 error != EADDRINUSE ? strerror(error)
		 : is_socket(path)   ? "another daemon listens there"
				     : "no socket, and in the way");
	return -1;
}

static bool read_request(int fd, char request[STATUS_REQUEST])
{
	size_t length = 0;
	ssize_t n;

	while (length < STATUS_REQUEST - 1) {
		n = read(fd, request + length, 1);
		if (n <= 0)
			return false;
		if (request[length] == '\n') {
			request[length] = '\0';
			return true;
		}
		length++;
	}
	return false;
}

static bool send_all(int fd, const char *bytes, size_t length)
{
	ssize_t n;

	while (length > 0) {
		alarm(READ_SECONDS);
		n = write(fd, bytes, length < PART ? length : PART);
		if (n <= 0)
			return false;
		bytes += n;
		length -= (size_t)n;
	}
	return true;
}

/* In a child of its own; SIGALRM ends it if the other side neither asks nor reads. */
static void reply(int fd, status_answer *answer, void *context)
{
	char request[STATUS_REQUEST], why[256] = "", head[sizeof(why) + 32];
	char *text = NULL;
	size_t length = 0;
	FILE *memory;
	bool good;

	signal(SIGALRM, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	alarm(ASK_SECONDS);
	if (!read_request(fd, request))
		return;
	alarm(READ_SECONDS);
	memory = open_memstream(&text, &length);
	if (memory == NULL)
		return;
	good = answer(context, request, memory, why, sizeof(why));
	good = fclose(memory) == 0 && good;
	if (good)
		snprintf(head, sizeof(head), "ok %zu\n", length);
	else
		snprintf(head, sizeof(head), "error %s\n", why);
	if (send_all(fd, head, strlen(head)) && good)
		send_all(fd, text, length);
}

static pid_t *free_place(struct status *status)
{
	pid_t *place = NULL;
	size_t i;

	for (i = 0; i < STATUS_CHILDREN; i++) {
		pid_t *child = &status->children[i];

		if (*child != 0 && waitpid(*child, NULL, WNOHANG) != 0)
			*child = 0;
		if (*child == 0)
			place = child;
	}
	return place;
}

void status_serve(struct status *status, status_answer *answer, void *context)
{
	pid_t *place;
	int fd;

	if (status->listener < 0)
		return;
	place = free_place(status);
	status->full = place == NULL;
	if (place == NULL)
		return;
	fd = accept(status->listener, NULL, NULL);
	if (fd < 0)
		return;
	*place = fork();
	if (*place == 0) {
		close(status->listener);
		reply(fd, answer, context);
		_exit(EXIT_SUCCESS);
	}
	if (*place < 0)
		*place = 0;
	close(fd);
}

/* The answer's `length` bytes. False with errno, 0 if there are not so many. */
static bool copy(int fd, size_t length, FILE *out)
{
	char bytes[16384];
	ssize_t n;

	errno = 0;
	while (length > 0) {
		n = read(fd, bytes, length < sizeof(bytes) ? length : sizeof(bytes));
		if (n <= 0)
			return false;
		length -= (size_t)n;
		if (fwrite(bytes, 1, (size_t)n, out) != (size_t)n)
			return false;
	}
	return fflush(out) == 0;
}

static bool converse(int fd, const char *request, FILE *out, char *why, size_t size)
{
	char line[STATUS_REQUEST * 3] = "";
	size_t length = 0;

	snprintf(line, sizeof(line), "%s\n", request);
	if (send(fd, line, strlen(line), MSG_NOSIGNAL) < 0) {
		snprintf(why, size, "the daemon does not listen: %s", strerror(errno));
		return false;
	}
	memset(line, 0, sizeof(line));
	while (length < sizeof(line) - 1 && read(fd, line + length, 1) == 1 && line[length] != '\n')
		length++;
	line[length] = '\0';
	if (sscanf(line, "ok %zu", &length) != 1) {
		snprintf(why, size, "%s",
			 strncmp(line, "error ", 6) == 0 ? line + 6 : "the daemon gave no answer");
		return false;
	}
	if (copy(fd, length, out))
		return true;
	if (errno == 0 || errno == EAGAIN)
		snprintf(why, size, "the daemon's answer was cut short");
	else
		snprintf(why, size, "standard output: %s", strerror(errno));
	return false;
}

bool status_ask(const char *path, const char *request, FILE *out, char *why, size_t size)
{
	struct sockaddr_un address;
	const int fd = unix_socket(path, &address, 0);
	const struct timeval patience = { .tv_sec = WAIT_SECONDS };
	bool good;

	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		snprintf(why, size, "%s: %s: is 'synpaws watch' running, and are you root?", path,
			 strerror(errno));
		if (fd >= 0)
			close(fd);
		return false;
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	good = converse(fd, request, out, why, size);
	close(fd);
	return good;
}
