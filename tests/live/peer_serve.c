/* SPDX-License-Identifier: GPL-2.0-or-later */
/* peer serve: listens, and answers every line with "hello". */

#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "peer_common.h"

#define BACKLOG	       4096
#define ACCEPTS	       256  /* accepted in a row before the other sockets have their turn */
#define TICK_MS	       10   /* how often delays are looked at */
#define LINE_MAX_BYTES 4096 /* whoever sends so much without a newline has sent a line */

struct visitor {
	unsigned int seen; /* bytes of the line so far */
	bool answered;
	bool half_closed;
	uint64_t due; /* when to close it; 0: nothing is due */
};

struct server {
	int epoll;
	int listener;
	bool full; /* out of descriptors: nobody is accepted until one is free again */
	bool close_last;
	bool half_close;
	bool reset;
	unsigned int delay;
	unsigned int seconds;
	unsigned int waiting; /* visitors with something due */
	int highest;	      /* descriptor of a visitor so far */
	unsigned long accepted;
	unsigned long answered;
	struct visitor visitors[DESCRIPTORS_MAX]; /* by descriptor */
};

static struct server server;

static void listen_at(const struct sockaddr_storage *address, socklen_t length)
{
	const int fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die(1, "socket: %s", strerror(errno));
	if (set_option(fd, SOL_SOCKET, SO_REUSEADDR) != 0)
		die(1, "SO_REUSEADDR: %s", strerror(errno));
	if (address->ss_family == AF_INET6 && set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY) != 0)
		die(1, "IPV6_V6ONLY: %s", strerror(errno));
	if (bind(fd, (const struct sockaddr *)address, length) != 0)
		die(1, "bind: %s", strerror(errno));
	if (listen(fd, BACKLOG) != 0)
		die(1, "listen: %s", strerror(errno));
	server.listener = fd;
	server.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (server.epoll < 0 || watch(server.epoll, EPOLL_CTL_ADD, fd, EPOLLIN, (uint32_t)fd) != 0)
		die(1, "epoll: %s", strerror(errno));
}

static void set_full(bool full)
{
	if (server.full == full)
		return;
	server.full = full;
	watch(server.epoll, EPOLL_CTL_MOD, server.listener, full ? 0 : EPOLLIN,
	      (uint32_t)server.listener);
}

static void leave(int fd)
{
	close(fd);
	set_full(false);
}

static void accept_visitors(void)
{
	unsigned int i;

	for (i = 0; i < ACCEPTS; i++) {
		const int fd = accept4(server.listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0) {
			if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
			    errno == ENOMEM)
				set_full(true);
			return;
		}
		server.accepted++;
		if (fd >= DESCRIPTORS_MAX ||
		    watch(server.epoll, EPOLL_CTL_ADD, fd, EPOLLIN, (uint32_t)fd) != 0) {
			leave(fd);
			continue;
		}
		memset(&server.visitors[fd], 0, sizeof(server.visitors[fd]));
		if (fd > server.highest)
			server.highest = fd;
	}
}

static void answer(int fd, struct visitor *visitor)
{
	static const char hello[] = "hello\n";

	visitor->answered = true;
	if (send(fd, hello, sizeof(hello) - 1, MSG_NOSIGNAL) == (ssize_t)sizeof(hello) - 1)
		server.answered++;
}

static void end(int fd)
{
	struct visitor *visitor = &server.visitors[fd];

	if (visitor->due != 0)
		server.waiting--;
	visitor->due = 0;
	if (server.half_close && !server.close_last && !visitor->half_closed &&
	    shutdown(fd, SHUT_WR) == 0) {
		visitor->half_closed = true;
		watch(server.epoll, EPOLL_CTL_MOD, fd, EPOLLIN, (uint32_t)fd);
		return;
	}
	if (server.reset)
		end_by_reset(fd);
	leave(fd);
}

/* It is time to close, but not before --delay. */
static void end_soon(int fd)
{
	if (server.delay == 0 || server.visitors[fd].half_closed) {
		end(fd);
		return;
	}
	server.visitors[fd].due = now_ns() + server.delay * NS_PER_MS;
	server.waiting++;
	watch(server.epoll, EPOLL_CTL_MOD, fd, 0, (uint32_t)fd);
}

static void end_due(uint64_t now)
{
	int fd;

	for (fd = 0; fd <= server.highest && server.waiting > 0; fd++) {
		if (server.visitors[fd].due != 0 && server.visitors[fd].due <= now)
			end(fd);
	}
}

static void hear(int fd)
{
	struct visitor *visitor = &server.visitors[fd];
	char text[LINE_MAX_BYTES];
	ssize_t length;

	if (visitor->due != 0) { /* no more than an error is heard of now */
		visitor->half_closed = true;
		end(fd);
		return;
	}
	length = recv(fd, text, sizeof(text), 0);
	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (length > 0) {
		visitor->seen += (unsigned int)length;
		if (!visitor->answered &&
		    (memchr(text, '\n', (size_t)length) != NULL || visitor->seen >= LINE_MAX_BYTES))
			answer(fd, visitor);
		if (!visitor->answered || server.close_last || visitor->half_closed)
			return;
	}
	end_soon(fd);
}

static int serve(void)
{
	const sigset_t unblocked = catch_signals();
	const uint64_t end_at = now_ns() + server.seconds * NS_PER_S;
	struct epoll_event events[EVENTS];
	uint64_t now;
	int i, count;

	puts("ready");
	fflush(stdout);
	while (!stopped && (now = now_ns()) < end_at) {
		end_due(now);
		count = epoll_pwait(server.epoll, events, EVENTS,
				    server.waiting > 0 ? TICK_MS
						       : (int)((end_at - now) / NS_PER_MS) + 1,
				    &unblocked);
		if (count < 0 && errno != EINTR)
			die(1, "epoll_pwait: %s", strerror(errno));
		for (i = 0; i < count; i++) {
			const int fd = (int)events[i].data.u32;

			if (fd == server.listener)
				accept_visitors();
			else
				hear(fd);
		}
	}
	printf("%lu connections accepted, %lu answered\n", server.accepted, server.answered);
	return 0;
}

int main_serve(int argc, char **argv)
{
	static const struct option options[] = {
		{ "close-first", no_argument, NULL, 'f' },
		{ "close-last", no_argument, NULL, 'l' },
		{ "half-close", no_argument, NULL, 'h' },
		{ "reset", no_argument, NULL, 'R' },
		{ "delay", required_argument, NULL, 'd' },
		{ "seconds", required_argument, NULL, 's' },
		{ NULL, 0, NULL, 0 },
	};
	struct sockaddr_storage address;
	socklen_t length;
	int option;

	server.seconds = 120;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'f')
			server.close_last = false;
		else if (option == 'l')
			server.close_last = true;
		else if (option == 'h')
			server.half_close = true;
		else if (option == 'R')
			server.reset = true;
		else if (option == 'd')
			server.delay = number(optarg, 60000, "--delay");
		else if (option == 's')
			server.seconds = number(optarg, 86400, "--seconds");
		else
			return 2;
	}
	if (argc - optind != 2)
		die(2, "serve needs ADDR and PORT (peer --help)");
	number(argv[optind + 1], 65535, "PORT");
	length = parse_address(argv[optind], argv[optind + 1], &address);
	use_many_descriptors();
	listen_at(&address, length);
	return serve();
}
