/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long connect() takes:
 *
 *     connect listen PORT               accepts and forgets connections, until it is killed
 *     connect to ADDRESS PORT COUNT     connects so many times in turn, and prints quantiles
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BACKLOG	   4096
#define PAUSE_USEC 5000 /* seldom enough not to disturb, often enough for the backlog */
#define WARM_UP	   500
#define COUNT_MOST 10000000

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

static void serve(uint16_t port)
{
	const struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	const int fd = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
	int accepted;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (const struct sockaddr *)&any, sizeof(any)) < 0 || listen(fd, BACKLOG) < 0)
		err(1, "port %u", port);
	for (;;) {
		while ((accepted = accept(fd, NULL, NULL)) >= 0)
			close(accepted);
		usleep(PAUSE_USEC);
	}
}

static socklen_t parse(const char *address, uint16_t port, struct sockaddr_storage *to)
{
	struct sockaddr_in *four = (struct sockaddr_in *)to;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)to;

	memset(to, 0, sizeof(*to));
	if (inet_pton(AF_INET, address, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		four->sin_port = htons(port);
		return sizeof(*four);
	}
	if (inet_pton(AF_INET6, address, &six->sin6_addr) != 1)
		errx(2, "%s is not an address", address);
	six->sin6_family = AF_INET6;
	six->sin6_port = htons(port);
	return sizeof(*six);
}

/* One connection, ended by RST so that it leaves no TIME_WAIT and its port is free again. */
static uint64_t connect_once(const struct sockaddr_storage *to, socklen_t size)
{
	const struct linger reset = { .l_onoff = 1, .l_linger = 0 };
	const int fd = socket(to->ss_family, SOCK_STREAM, 0);
	uint64_t start, end;

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	start = now_ns();
	if (connect(fd, (const struct sockaddr *)to, size) < 0)
		err(1, "connect");
	end = now_ns();
	close(fd);
	return end - start;
}

static int compare(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void measure(const char *address, uint16_t port, size_t count)
{
	struct sockaddr_storage to;
	const socklen_t size = parse(address, port, &to);
	uint64_t *took = calloc(count, sizeof(*took));
	size_t i;

	if (took == NULL)
		err(1, "memory");
	for (i = 0; i < WARM_UP; i++)
		connect_once(&to, size);
	for (i = 0; i < count; i++)
		took[i] = connect_once(&to, size);
	qsort(took, count, sizeof(*took), compare);
	printf("median=%.2f p25=%.2f p75=%.2f p99=%.2f\n", (double)took[count / 2] / 1e3,
	       (double)took[count / 4] / 1e3, (double)took[count * 3 / 4] / 1e3,
	       (double)took[count * 99 / 100] / 1e3);
	free(took);
}

int main(int argc, char **argv)
{
	const int port = argc > 2 ? atoi(argv[argc > 3 ? 3 : 2]) : 0;
	long count;

	if (argc == 3 && strcmp(argv[1], "listen") == 0 && port > 0) {
		serve((uint16_t)port);
	} else if (argc == 5 && strcmp(argv[1], "to") == 0 && port > 0) {
		count = atol(argv[4]);
		if (count < 1 || count > COUNT_MOST)
			errx(2, "COUNT: %s", argv[4]);
		measure(argv[2], (uint16_t)port, (size_t)count);
		return 0;
	}
	errx(2, "usage: connect listen PORT, or connect to ADDRESS PORT COUNT");
}
