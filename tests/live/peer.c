/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * peer: real TCP endpoints for the live tests.
 *
 * `serve` listens and answers every line with "hello"; it is the side that closes first, unless
 * told otherwise, and so the one that keeps TIME_WAIT. `connect` makes connections to it, times
 * each, and counts the SYNs that had to be sent again. The tests use both to show what a person
 * would feel: that every connection succeeds, and how long it takes. One thread and one epoll
 * loop each, so that thousands of connections a second are no trouble. SO_LINGER stays as it is:
 * connections end with FINs.
 */

#include <errno.h>
#include <getopt.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BACKLOG		4096
#define DESCRIPTORS_MAX 65536
#define PARALLEL_MAX	16384
#define EVENTS		256
#define ACCEPTS		256  /* accepted in a row before the other sockets have their turn */
#define LINE_MAX_BYTES	4096 /* whoever sends so much without a newline has sent a line */
#define TICK_MS		10   /* how often time-outs are looked for */
#define GRACE_MS	300  /* how long a served client waits for the server to close first */
#define NS_PER_MS	1000000
#define NS_PER_S	UINT64_C(1000000000)

static const char USAGE[] =
	"usage: peer serve ADDR PORT [--close-first|--close-last] [--seconds N]\n"
	"       peer connect ADDR PORT [--from ADDR[:PORT]] [--count N] [--rate R] [--parallel P]\n"
	"                    [--timeout SEC] [--seconds N] [--close-first] [--quiet]\n"
	"serve    --close-first  close as soon as a line is answered (default)\n"
	"         --close-last   close when the client has closed\n"
	"         --seconds N    end after N seconds (default 120)\n"
	"connect  --from A[:P]   own address and port; an IPv6 address with a port as [A]:P\n"
	"         --count N      connections to make (default 1)\n"
	"         --rate R       begin at most R a second (default: as fast as answers come)\n"
	"         --parallel P   at most P at a time (default 1, with --rate 1024)\n"
	"         --timeout SEC  give a connection up after this long (default 10)\n"
	"         --seconds N    end after N seconds, finished or not (default 300)\n"
	"         --close-first  close on the answer; otherwise wait 300 ms for the server to\n"
	"         --quiet        only the last line\n";

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
	(void)number;
	stopped = 1;
}

__attribute__((noreturn, format(printf, 2, 3))) static void die(int status, const char *format, ...)
{
	va_list args;

	fflush(stdout);
	fputs("peer: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(status);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static double to_ms(uint64_t ns)
{
	return (double)ns / NS_PER_MS;
}

static unsigned int number(const char *text, unsigned int max, const char *what)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || value < 1 ||
	    value > max)
		die(2, "%s must be a number from 1 to %u, not \"%s\"", what, max, text);
	return (unsigned int)value;
}

/* An address and a port, both in numbers; a scope as in fe80::1%eth0 is understood. */
static socklen_t parse_address(const char *address, const char *port, struct sockaddr_storage *out)
{
	struct addrinfo hints, *found;
	socklen_t length;

	memset(&hints, 0, sizeof(hints));
	hints.ai_socktype = SOCK_STREAM;
	hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
	if (getaddrinfo(address, port, &hints, &found) != 0)
		die(2, "\"%s\" is not an address in numbers", address);
	length = found->ai_addrlen;
	memcpy(out, found->ai_addr, length);
	freeaddrinfo(found);
	return length;
}

static void use_many_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max < DESCRIPTORS_MAX ? limit.rlim_max : DESCRIPTORS_MAX;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* SIGTERM and SIGINT arrive only inside epoll_pwait(), with the mask this returns. */
static sigset_t catch_signals(void)
{
	struct sigaction action;
	sigset_t block, before;

	memset(&action, 0, sizeof(action));
	action.sa_handler = on_signal;
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	sigemptyset(&block);
	sigaddset(&block, SIGTERM);
	sigaddset(&block, SIGINT);
	sigprocmask(SIG_BLOCK, &block, &before);
	sigdelset(&before, SIGTERM);
	sigdelset(&before, SIGINT);
	return before;
}

static int watch(int epoll, int operation, int fd, uint32_t events, uint32_t key)
{
	struct epoll_event event;

	memset(&event, 0, sizeof(event));
	event.events = events;
	event.data.u32 = key;
	return epoll_ctl(epoll, operation, fd, &event);
}

static int set_option(int fd, int level, int name)
{
	const int one = 1;

	return setsockopt(fd, level, name, &one, sizeof(one));
}

/* ---- serve -------------------------------------------------------------------------------- */

struct visitor {
	unsigned int seen; /* bytes of the line so far */
	bool answered;
};

struct server {
	int epoll;
	int listener;
	bool full; /* out of descriptors: nobody is accepted until one is free again */
	bool close_last;
	unsigned int seconds;
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
	}
}

static void answer(int fd, struct visitor *visitor)
{
	static const char hello[] = "hello\n";

	visitor->answered = true;
	if (send(fd, hello, sizeof(hello) - 1, MSG_NOSIGNAL) == (ssize_t)sizeof(hello) - 1)
		server.answered++;
}

static void hear(int fd)
{
	struct visitor *visitor = &server.visitors[fd];
	char text[LINE_MAX_BYTES];
	const ssize_t length = recv(fd, text, sizeof(text), 0);

	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (length > 0) {
		visitor->seen += (unsigned int)length;
		if (!visitor->answered &&
		    (memchr(text, '\n', (size_t)length) != NULL || visitor->seen >= LINE_MAX_BYTES))
			answer(fd, visitor);
		if (!visitor->answered || server.close_last)
			return;
	}
	leave(fd);
}

static int serve(void)
{
	const sigset_t unblocked = catch_signals();
	const uint64_t end = now_ns() + server.seconds * NS_PER_S;
	struct epoll_event events[EVENTS];
	uint64_t now;
	int i, count;

	puts("ready");
	fflush(stdout);
	while (!stopped && (now = now_ns()) < end) {
		count = epoll_pwait(server.epoll, events, EVENTS,
				    (int)((end - now) / NS_PER_MS) + 1, &unblocked);
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

static int main_serve(int argc, char **argv)
{
	static const struct option options[] = {
		{ "close-first", no_argument, NULL, 'f' },
		{ "close-last", no_argument, NULL, 'l' },
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

/* ---- connect ------------------------------------------------------------------------------ */

struct attempt {
	int fd; /* -1: this place is free */
	bool connected;
	bool answered;
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
	bool close_first;
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

static void answered(struct attempt *attempt)
{
	const uint64_t grace = now_ns() + (uint64_t)GRACE_MS * NS_PER_MS;

	attempt->answered = true;
	if (client.close_first)
		succeed(attempt);
	else if (grace < attempt->deadline)
		attempt->deadline = grace;
}

static void heard(struct attempt *attempt)
{
	char text[512];
	unsigned int i;

	for (i = 0; i < 16 && attempt->fd >= 0; i++) {
		const ssize_t length = recv(attempt->fd, text, sizeof(text), 0);

		if (length < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (length < 0)
			fail(attempt, strerror(errno));
		else if (length == 0 && !attempt->answered)
			fail(attempt, "closed without an answer");
		else if (length == 0)
			succeed(attempt);
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
			if (attempt->answered)
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
		if (now - looked >= (uint64_t)TICK_MS * NS_PER_MS) {
			expire(now, false);
			looked = now;
		}
		count = begin_due(now);
		count = epoll_pwait(client.epoll, events, EVENTS, count, &unblocked);
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
		{ "close-first", no_argument, NULL, 'c' },
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
		else if (option == 'c')
			client.close_first = true;
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

static int main_connect(int argc, char **argv)
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

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "serve") == 0)
		return main_serve(argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "connect") == 0)
		return main_connect(argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "--help") == 0) {
		fputs(USAGE, stdout);
		return 0;
	}
	die(2, "first argument must be serve or connect (peer --help)");
}
