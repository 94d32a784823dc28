/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "status.h"

/* For so long an answer may take, reading slowly included. */
#define SECONDS_MOST 30

static int unix_socket(const char *path, struct sockaddr_un *address)
{
	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	strncpy(address->sun_path, path, sizeof(address->sun_path) - 1);
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

/* Is it a socket left behind by a daemon that has ended? */
static bool is_stale(const char *path)
{
	struct sockaddr_un address;
	struct stat status;
	const int fd = unix_socket(path, &address);
	bool refused;

	if (fd < 0)
		return false;
	refused = lstat(path, &status) == 0 && S_ISSOCK(status.st_mode) &&
		  connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 &&
		  errno == ECONNREFUSED;
	close(fd);
	return refused;
}

int status_listen(const char *path, char *why, size_t size)
{
	struct sockaddr_un address;
	const mode_t mask = umask(0177);
	const int fd = unix_socket(path, &address);
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
		 error == EADDRINUSE ? "another daemon listens there" : strerror(error));
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

/* In a child of its own; SIGALRM ends it if the other side does not read. */
static void reply(int fd, status_answer *answer, void *context)
{
	char request[STATUS_REQUEST], why[256] = "";
	char *text = NULL;
	size_t length = 0;
	FILE *memory, *out;

	signal(SIGALRM, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	alarm(SECONDS_MOST);
	if (!read_request(fd, request))
		return;
	memory = open_memstream(&text, &length);
	out = fdopen(fd, "w");
	if (memory == NULL || out == NULL)
		return;
	if (!answer(context, request, memory, why, sizeof(why)) || fclose(memory) != 0) {
		fprintf(out, "error %s\n", why);
	} else {
		fprintf(out, "ok\n");
		fwrite(text, 1, length, out);
	}
	fclose(out);
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
		reply(fd, answer, context);
		_exit(EXIT_SUCCESS);
	}
	if (*place < 0)
		*place = 0;
	close(fd);
}

static bool copy(int fd, FILE *out)
{
	char bytes[16384];
	ssize_t n;

	while ((n = read(fd, bytes, sizeof(bytes))) > 0) {
		if (fwrite(bytes, 1, (size_t)n, out) != (size_t)n)
			return false;
	}
	return n == 0 && fflush(out) == 0;
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
	if (strcmp(line, "ok") != 0) {
		snprintf(why, size, "%s",
			 strncmp(line, "error ", 6) == 0 ? line + 6 : "the daemon gave no answer");
		return false;
	}
	if (copy(fd, out))
		return true;
	snprintf(why, size, "standard output: %s", strerror(errno));
	return false;
}

bool status_ask(const char *path, const char *request, FILE *out, char *why, size_t size)
{
	struct sockaddr_un address;
	const int fd = unix_socket(path, &address);
	bool good;

	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		snprintf(why, size, "%s: %s: is 'synpaws watch' running, and are you root?", path,
			 strerror(errno));
		if (fd >= 0)
			close(fd);
		return false;
	}
	good = converse(fd, request, out, why, size);
	close(fd);
	return good;
}
