/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devlog: the least that a syslog daemon is, for tests. Binds a datagram socket at PATH and prints
 * what it gets, a line each. A test stalls it with SIGSTOP. Ends on SIGTERM or after SECONDS.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define MESSAGE_MOST 8192

static int listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	if (fd < 0 || strlen(path) >= sizeof(address.sun_path))
		return -1;
	strcpy(address.sun_path, path);
	unlink(path);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || chmod(path, 0666) < 0)
		return -1;
	return fd;
}

int main(int argc, char **argv)
{
	char message[MESSAGE_MOST];
	struct pollfd ready = { .events = POLLIN };
	time_t end;
	ssize_t length;

	if (argc != 3 || atoi(argv[2]) <= 0) {
		fprintf(stderr, "usage: devlog PATH SECONDS\n");
		return 2;
	}
	ready.fd = listen_at(argv[1]);
	if (ready.fd < 0) {
		fprintf(stderr, "devlog: %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	end = time(NULL) + atoi(argv[2]);
	while (time(NULL) < end) {
		if (poll(&ready, 1, 1000) <= 0)
			continue;
		length = recv(ready.fd, message, sizeof(message), 0);
		if (length >= 0)
			printf("%.*s\n", (int)length, message);
		fflush(stdout);
	}
	return 0;
}
