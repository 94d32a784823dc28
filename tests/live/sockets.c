/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sockets: looks at a host's sockets as the daemon does, and makes some worth looking at. `look`
 * prints what it is told, a line each:
 *
 *	listener 80 dual|single
 *	fin_wait2 80 orphan|owned
 *	look 1
 */
#include "../../src/source/sockets.c"

#include <arpa/inet.h>
#include <netdb.h>
#include <unistd.h>

static const char USAGE[] =
	"usage: sockets look [--old] COUNT             look so often, a second apart\n"
	"       sockets serve ADDR PORT close|shutdown [v6only]\n"
	"                                              end every connection at once\n"
	"       sockets hold ADDR PORT COUNT           make connections and never close them\n";

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void say_listener(void *context, uint16_t port, bool dual_stack)
{
	(void)context;
	printf("listener %u %s\n", port, dual_stack ? "dual" : "single");
}

static void say_fin_wait2(void *context, uint16_t port, bool orphan)
{
	(void)context;
	printf("fin_wait2 %u %s\n", port, orphan ? "orphan" : "owned");
}

static int look(bool old, int count)
{
	const struct sockets_events events = { say_listener, say_fin_wait2, NULL };
	struct sockets *sockets = old ? sockets_open_old() : sockets_open();
	int i;

	if (sockets == NULL)
		die("sockets_open");
	for (i = 1; i <= count; i++) {
		if (sockets_look(sockets, &events) < 0)
			die("sockets_look");
		printf("look %d\n", i);
		fflush(stdout);
		if (i < count)
			sleep(1);
	}
	sockets_close(sockets);
	return 0;
}

static struct addrinfo *resolve(const char *address, const char *port)
{
	const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
					.ai_socktype = SOCK_STREAM };
	struct addrinfo *result;

	if (getaddrinfo(address, port, &hints, &result) != 0)
		die(address);
	return result;
}

static void ready(void)
{
	puts("ready");
	fflush(stdout);
}

static void serve(const char *address, const char *port, bool half, bool v6_only)
{
	const struct addrinfo *where = resolve(address, port);
	const int fd = socket(where->ai_family, SOCK_STREAM, 0), on = 1, only = v6_only;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (where->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only));
	if (fd < 0 || bind(fd, where->ai_addr, where->ai_addrlen) < 0 || listen(fd, 1024) < 0)
		die("serve");
	ready();
	for (;;) {
		const int connection = accept(fd, NULL, NULL);

		if (connection < 0)
			die("accept");
		if (half)
			shutdown(connection, SHUT_WR);
		else
			close(connection);
	}
}

static void hold(const char *address, const char *port, int count)
{
	const struct addrinfo *where = resolve(address, port);
	int i;

	for (i = 0; i < count; i++) {
		const int fd = socket(where->ai_family, SOCK_STREAM, 0);

		if (fd < 0 || connect(fd, where->ai_addr, where->ai_addrlen) < 0)
			die("hold");
	}
	ready();
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[1] : "";

	if (strcmp(what, "look") == 0 && strcmp(argv[2], "--old") == 0 && argc == 4)
		return look(true, atoi(argv[3]));
	if (strcmp(what, "look") == 0 && argc == 3)
		return look(false, atoi(argv[2]));
	if (strcmp(what, "serve") == 0 && argc >= 5)
		serve(argv[2], argv[3], strcmp(argv[4], "shutdown") == 0, argc > 5);
	if (strcmp(what, "hold") == 0 && argc == 5)
		hold(argv[2], argv[3], atoi(argv[4]));
	fputs(USAGE, stderr);
	return 2;
}
