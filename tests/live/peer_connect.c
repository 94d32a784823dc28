/* SPDX-License-Identifier: GPL-2.0-or-later */
/* peer connect: makes connections, and says how they went. */

#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "peer_common.h"

#define PARALLEL_MAX 16384
#define TICK_MS	     10	 /* how often time-outs are looked for */
#define GRACE_MS     300 /* how long a served client waits for the server to close first */

struct attempt {
	int fd; /* -1: this place is free */
	bool connected;
	bool answered;
	bool ending; /* waits for its deadline to close */
	bool said_more;
	uint64_t begun;
	uint64_t deadline;
	uint64_t connect_ns;
};

struct client {
	struct sockaddr_storage to;
	socklen_t to_length;
	struct sockaddr_storage from;
	socklen_t from_length; /* 0: any address */
	bool from_port;	       /* every connection has the same source port */
	unsigned int count, rate, parallel, timeout, seconds;
	unsigned int delay;
	bool close_first;
	bool reset;
	bool more;
	bool quiet;

	int epoll;
	uint64_t start;
	unsigned int begun, running, succeeded, failed;
	unsigned long retransmits;
	uint64_t slowest;
	unsigned int free_places[PARALLEL_MAX];
	struct attempt attempts[PARALLEL_MAX];
};

static struct client client;

static double to_ms(uint64_t ns)
{
	return (double)ns / (double)NS_PER_MS;
}

static void end_attempt(struct attempt *attempt)
{
	if (attempt->fd >= 0)
		close(attempt->fd);
	attempt->fd = -1;
	client.running--;
	client.free_places[client.parallel - client.running - 1] =
		(unsigned int)(attempt - client.attempts);
}

static void succeed(struct attempt *attempt)
{
	client.succeeded++;
	if (!client.quiet)
		printf("connected in %.2f ms\n", to_ms(attempt->connect_ns));
	if (client.reset)
		end_by_reset(attempt->fd);
	end_attempt(attempt);
}

static void add_retransmits(int fd)
{
	struct tcp_info info;
	socklen_t length = sizeof(info);

	memset(&info, 0, sizeof(info));
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) == 0)
		client.retransmits += info.tcpi_total_retrans;
}

static void fail(struct attempt *attempt, const char *why)
{
	client.failed++;
	if (!attempt->connected && attempt->fd >= 0)
		add_retransmits(attempt->fd);
	if (!client.quiet)
		printf("failed after %.0f ms: %s%s\n", to_ms(now_ns() - attempt->begun),
		       attempt->connected ? "connected, then: " : "", why);
	end_attempt(attempt);
}

static int open_socket(void)
{
	const int fd = socket(client.to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || client.from_length == 0)
		return fd;
#ifdef IP_BIND_ADDRESS_NO_PORT
	/* Leave the port to connect(), which knows that it need only be new to this server. */
	if (!client.from_port)
		set_option(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT);
#endif
	if (set_option(fd, SOL_SOCKET, SO_REUSEADDR) != 0 ||
	    bind(fd, (const struct sockaddr *)&client.from, client.from_length) != 0) {
		const int error = errno;

		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

static void begin(void)
{
	const unsigned int place = client.free_places[client.parallel - client.running - 1];
	struct attempt *attempt = &client.attempts[place];

	memset(attempt, 0, sizeof(*attempt));
	client.begun++;
	client.running++;
	attempt->begun = now_ns();
	attempt->deadline = attempt->begun + client.timeout * NS_PER_S;
	attempt->fd = open_socket();
	if (attempt->fd < 0 ||
	    (connect(attempt->fd, (const struct sockaddr *)&client.to, client.to_length) != 0 &&
	     errno != EINPROGRESS) ||
	    watch(client.epoll, EPOLL_CTL_ADD, attempt->fd, EPOLLOUT, place) != 0)
		fail(attempt, strerror(errno));
}

static void connected(struct attempt *attempt)
{
	static const char hi[] = "hi\n";
	const uint32_t place = (uint32_t)(attempt - client.attempts);
	int error = 0;
	socklen_t length = sizeof(error);

	if (getsockopt(attempt->fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0)
		error = errno;
	if (error != 0) {
		fail(attempt, strerror(error));
		return;
	}
	attempt->connect_ns = now_ns() - attempt->begun;
	attempt->connected = true;
	add_retransmits(attempt->fd);
	if (attempt->connect_ns > client.slowest)
		client.slowest = attempt->connect_ns;
	if (send(attempt->fd, hi, sizeof(hi) - 1, MSG_NOSIGNAL) < 0 ||
	    watch(client.epoll, EPOLL_CTL_MOD, attempt->fd, EPOLLIN, place) != 0)
		fail(attempt, strerror(errno));
}

/* It is time to close, but not before --delay. */
static void end_soon(struct attempt *attempt)
{
	if (client.delay == 0) {
		succeed(attempt);
		return;
	}
	attempt->ending = true;
	attempt->deadline = now_ns() + client.delay * NS_PER_MS;
	watch(client.epoll, EPOLL_CTL_MOD, attempt->fd, 0, (uint32_t)(attempt - client.attempts));
}

static void say_more(struct attempt *attempt)
{
	static const char more[] = "more\n";

	attempt->said_more = true;
	attempt->deadline = now_ns() + client.delay * NS_PER_MS;
	if (send(attempt->fd, more, sizeof(more) - 1, MSG_NOSIGNAL) < 0)
		fail(attempt, strerror(errno));
}

static void answered(struct attempt *attempt)
{
	const uint64_t grace = now_ns() + GRACE_MS * NS_PER_MS;

	attempt->answered = true;
	if (client.close_first)
		end_soon(attempt);
	else if (grace < attempt->deadline)
		attempt->deadline = grace;
}

static void heard(struct attempt *attempt)
{
	char text[512];
	unsigned int i;

	for (i = 0; i < 16 && attempt->fd >= 0 && !attempt->ending; i++) {
		const ssize_t length = recv(attempt->fd, text, sizeof(text), 0);

		if (length < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (length < 0)
			fail(attempt, strerror(errno));
		else if (length == 0 && !attempt->answered)
			fail(attempt, "closed without an answer");
		else if (length == 0)
			end_soon(attempt);
		else if (!attempt->answered && memchr(text, '\n', (size_t)length) != NULL)
			answered(attempt);
	}
}

/* The attempts whose time is up, or all of them when the whole run is over. */
static void expire(uint64_t now, bool all)
{
	unsigned int i;

	for (i = 0; i < client.parallel && client.running > 0; i++) {
		struct attempt *attempt = &client.attempts[i];

		if (attempt->fd < 0)
			continue;
		if (now >= attempt->deadline) {
			if (attempt->ending && client.more && !attempt->said_more)
				say_more(attempt);
			else if (attempt->answered)
				succeed(attempt); /* the server leaves it to us to close first */
			else
				fail(attempt, strerror(ETIMEDOUT));
		} else if (all) {
			fail(attempt, "the run has ended");
		}
	}
}

/* Begins what is due; returns how many milliseconds there is nothing to begin. */
static int begin_due(uint64_t now)
{
	while (client.begun < client.count && client.running < client.parallel) {
		if (client.rate > 0) {
			const uint64_t due = client.start + client.begun * NS_PER_S / client.rate;

			if (due > now) {
				const uint64_t ms = (due - now) / NS_PER_MS + 1;

				return ms < TICK_MS ? (int)ms : TICK_MS;
			}
		}
		begin();
		if (now_ns() - now > NS_PER_MS)
			return 0; /* see to the others first */
	}
	return TICK_MS;
}

static void run_client(void)
{
	const sigset_t unblocked = catch_signals();
	const uint64_t end = now_ns() + client.seconds * NS_PER_S;
	struct epoll_event events[EVENTS];
	uint64_t now, looked = 0;
	int i, count;

	client.start = now_ns();
	while (!stopped && client.succeeded + client.failed < client.count) {
		now = now_ns();
		if (now >= end)
			break;
		if (now - looked >= TICK_MS * NS_PER_MS) {
			expire(now, false);
			looked = now;
		}
		count = epoll_pwait(client.epoll, events, EVENTS, begin_due(now), &unblocked);
		if (count < 0 && errno != EINTR)
			die(1, "epoll_pwait: %s", strerror(errno));
		for (i = 0; i < count; i++) {
			struct attempt *attempt = &client.attempts[events[i].data.u32];

			if (attempt->connected)
				heard(attempt);
			else
				connected(attempt);
		}
	}
	expire(now_ns(), true);
}

static int report(void)
{
	printf("%u connections, %u succeeded, %u failed, slowest %.2f ms, SYN retransmits %lu\n",
	       client.begun, client.succeeded, client.failed, to_ms(client.slowest),
	       client.retransmits);
	fflush(stdout);
	if (client.begun < client.count)
		die(1, "ended with %u connections not begun", client.count - client.begun);
	return client.failed == 0 ? 0 : 1;
}

/* ADDR, ADDR:PORT or [ADDR]:PORT; an address with several colons and no brackets has no port. */
static void parse_from(const char *text)
{
	char copy[128];
	char *address = copy, *colon;
	const char *port = "0";

	if (strlen(text) >= sizeof(copy))
		die(2, "--from is too long");
	strcpy(copy, text);
	colon = strrchr(copy, ':');
	if (copy[0] == '[') {
		char *bracket = strchr(copy, ']');

		if (bracket == NULL || (bracket[1] != '\0' && bracket[1] != ':'))
			die(2, "--from must be ADDR, ADDR:PORT or [ADDR]:PORT, not \"%s\"", text);
		colon = bracket[1] == ':' ? bracket + 1 : NULL;
		*bracket = '\0';
		address = copy + 1;
	} else if (colon != NULL && strchr(copy, ':') != colon) {
		colon = NULL;
	}
	if (colon != NULL) {
		*colon = '\0';
		port = colon + 1;
		number(port, 65535, "the port in --from");
		client.from_port = true;
	}
	client.from_length = parse_address(address, port, &client.from);
}

static bool parse_connect(int argc, char **argv)
{
	static const struct option options[] = {
		{ "from", required_argument, NULL, 'f' },
		{ "count", required_argument, NULL, 'n' },
		{ "rate", required_argument, NULL, 'r' },
		{ "parallel", required_argument, NULL, 'p' },
		{ "timeout", required_argument, NULL, 't' },
		{ "seconds", required_argument, NULL, 's' },
		{ "delay", required_argument, NULL, 'd' },
		{ "close-first", no_argument, NULL, 'c' },
		{ "reset", no_argument, NULL, 'R' },
		{ "more", no_argument, NULL, 'm' },
		{ "quiet", no_argument, NULL, 'q' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'f')
			parse_from(optarg);
		else if (option == 'n')
			client.count = number(optarg, 100000000, "--count");
		else if (option == 'r')
			client.rate = number(optarg, 1000000, "--rate");
		else if (option == 'p')
			client.parallel = number(optarg, PARALLEL_MAX, "--parallel");
		else if (option == 't')
			client.timeout = number(optarg, 3600, "--timeout");
		else if (option == 's')
			client.seconds = number(optarg, 86400, "--seconds");
		else if (option == 'd')
			client.delay = number(optarg, 60000, "--delay");
		else if (option == 'c')
			client.close_first = true;
		else if (option == 'R')
			client.reset = true;
		else if (option == 'm')
			client.more = true;
		else if (option == 'q')
			client.quiet = true;
		else
			return false;
	}
	return true;
}

static void settle_client(int argc, char **argv)
{
	unsigned int i;

	if (argc - optind != 2)
		die(2, "connect needs ADDR and PORT (peer --help)");
	number(argv[optind + 1], 65535, "PORT");
	client.to_length = parse_address(argv[optind], argv[optind + 1], &client.to);
	if (client.from_length != 0 && client.from.ss_family != client.to.ss_family)
		die(2, "--from and ADDR must be of one address family");
	if (client.more && client.delay == 0)
		die(2, "--more needs --delay");
	if (client.from_port && client.parallel > 1)
		die(2, "with a port in --from connections go one by one: no --parallel");
	if (client.parallel == 0)
		client.parallel = client.rate > 0 && !client.from_port ? 1024 : 1;
	for (i = 0; i < client.parallel; i++) {
		client.free_places[i] = i;
		client.attempts[i].fd = -1;
	}
	client.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (client.epoll < 0)
		die(1, "epoll_create1: %s", strerror(errno));
}

int main_connect(int argc, char **argv)
{
	client.count = 1;
	client.timeout = 10;
	client.seconds = 300;
	if (!parse_connect(argc, argv))
		return 2;
	settle_client(argc, argv);
	use_many_descriptors();
	setvbuf(stdout, NULL, _IOLBF, 0);
	run_client();
	return report();
}
