/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds src/source/sockets.c to this kernel's sockets, by both protocols, in network namespaces of
 * their own. Needs root.
 */
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "sockets_told.h"

static int listen_on(int family, const char *address, uint16_t port, int v6_only)
{
	struct sockaddr_storage storage;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&storage;
	struct sockaddr_in *in = (struct sockaddr_in *)&storage;
	const int fd = socket(family, SOCK_STREAM, 0);

	memset(&storage, 0, sizeof(storage));
	storage.ss_family = (sa_family_t)family;
	if (family == AF_INET6) {
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof(v6_only));
		assert_int_equal(inet_pton(family, address, &in6->sin6_addr), 1);
		in6->sin6_port = htons(port);
	} else {
		assert_int_equal(inet_pton(family, address, &in->sin_addr), 1);
		in->sin_port = htons(port);
	}
	assert_return_code(bind(fd, (struct sockaddr *)&storage, sizeof(storage)), errno);
	assert_return_code(listen(fd, 64), errno);
	return fd;
}

/* A connection to a port of 127.0.0.1; what accept() gives goes to `accepted`. */
static int connect_to(int listener, uint16_t port, int *accepted)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
	const int fd = socket(AF_INET, SOCK_STREAM, 0);

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_return_code(connect(fd, (struct sockaddr *)&in, sizeof(in)), errno);
	*accepted = accept(listener, NULL, NULL);
	assert_return_code(*accepted, errno);
	return fd;
}

static int enter_own_network(void **state)
{
	struct ifreq loopback = { .ifr_name = "lo" };
	int fd, result;

	(void)state;
	if (unshare(CLONE_NEWNET) < 0)
		return -1;
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	loopback.ifr_flags = IFF_UP | IFF_RUNNING;
	result = ioctl(fd, SIOCSIFFLAGS, &loopback);
	close(fd);
	return result;
}

typedef struct sockets *(*open_function)(void);

/* Both protocols, as this kernel speaks them. */
static const struct protocol {
	open_function open;
} protocols[] = { { sockets_open }, { sockets_open_old } };

static void test_kernel_listeners(void **state)
{
	const struct protocol *protocol = *state;
	struct sockets *sockets = protocol->open();
	struct told told;
	const struct sockets_events events = events_to(&told);
	const int dual = listen_on(AF_INET6, "::", 1001, 0);
	const int only = listen_on(AF_INET6, "::", 1002, 1);
	const int ipv4 = listen_on(AF_INET, "0.0.0.0", 1003, 0);
	const int each4 = listen_on(AF_INET, "127.0.0.1", 1004, 0);
	const int each6 = listen_on(AF_INET6, "::", 1004, 1);
	const int mapped = listen_on(AF_INET6, "::ffff:127.0.0.1", 1005, 0);
	const int one = listen_on(AF_INET6, "::1", 1006, 0);

	assert_non_null(sockets);
	assert_int_equal(sockets_look(sockets, &events), 0);
	assert_int_equal(told.listeners, 6);
	assert_int_equal(listener_on(&told, 1001), 1);
	assert_int_equal(listener_on(&told, 1002), 0);
	assert_int_equal(listener_on(&told, 1003), 0);
	assert_int_equal(listener_on(&told, 1004), 0);
	assert_int_equal(listener_on(&told, 1005), 1);
	assert_int_equal(listener_on(&told, 1006), 0);
	close(dual);
	close(only);
	close(ipv4);
	close(each4);
	close(mapped);
	close(one);
	events_to(&told);
	assert_int_equal(sockets_look(sockets, &events), 0);
	assert_int_equal(told.listeners, 6);
	assert_int_equal(listener_on(&told, 1001), 0);
	close(each6);
	events_to(&told);
	assert_int_equal(sockets_look(sockets, &events), 0);
	assert_int_equal(told.listeners, 1);
	events_to(&told);
	assert_int_equal(sockets_look(sockets, &events), 0);
	assert_int_equal(told.listeners, 0);
	sockets_close(sockets);
}

/* The peer may take its time to acknowledge a FIN. What is told must not be more, later on. */
static void look_until(struct sockets *sockets, const struct sockets_events *events,
		       const struct told *told, size_t fin_waits)
{
	while (told->fin_waits < fin_waits)
		assert_int_equal(sockets_look(sockets, events), 0);
	assert_int_equal(sockets_look(sockets, events), 0);
	assert_int_equal(told->fin_waits, fin_waits);
}

/* TIME_WAIT, ESTABLISHED and CLOSE_WAIT are there too, and not told. */
static void test_kernel_fin_wait2(void **state)
{
	const struct protocol *protocol = *state;
	struct sockets *sockets = protocol->open();
	struct told told;
	const struct sockets_events events = events_to(&told);
	const int dual = listen_on(AF_INET6, "::", 2001, 0);
	const int ipv4 = listen_on(AF_INET, "0.0.0.0", 2002, 0);
	int peers[5], ours[5], i;

	for (i = 0; i < 5; i++)
		peers[i] = i % 2 == 0 ? connect_to(dual, 2001, &ours[i])
				      : connect_to(ipv4, 2002, &ours[i]);
	assert_non_null(sockets);
	assert_int_equal(sockets_look(sockets, &events), 0);
	assert_int_equal(told.fin_waits, 0);
	close(ours[2]);
	close(peers[2]);
	close(ours[0]);
	shutdown(ours[1], SHUT_WR);
	look_until(sockets, &events, &told, 2);
	assert_int_equal(fin_wait_on(&told, 2001), 1);
	assert_int_equal(fin_wait_on(&told, 2002), 0);
	close(ours[1]);
	close(peers[4]);
	events_to(&told);
	look_until(sockets, &events, &told, 1); /* peers[4] */
	assert_int_not_equal(told.fin_wait[0].port, 2001);
	assert_int_not_equal(told.fin_wait[0].port, 2002);
	close(ours[3]);
	close(ours[4]);
	close(peers[0]);
	close(peers[1]);
	close(peers[3]);
	close(dual);
	close(ipv4);
	sockets_close(sockets);
}

/* A dump of many datagrams, all of it in one look. */
static void test_kernel_with_many(void **state)
{
	enum { MANY = 400 };
	const struct protocol *protocol = *state;
	struct sockets *sockets = protocol->open();
	struct told told;
	const struct sockets_events events = events_to(&told);
	const int listener = listen_on(AF_INET, "0.0.0.0", 3001, 0);
	int peers[MANY], ours, i;

	for (i = 0; i < MANY; i++) {
		peers[i] = connect_to(listener, 3001, &ours);
		close(ours);
	}
	look_until(sockets, &events, &told, MANY);
	for (i = 0; i < MANY; i++)
		close(peers[i]);
	close(listener);
	sockets_close(sockets);
}

int main(void)
{
	struct CMUnitTest kernel[] = {
		unit_row("listeners", test_kernel_listeners, &protocols[0]),
		unit_row("listeners, old protocol", test_kernel_listeners, &protocols[1]),
		unit_row("FIN_WAIT2", test_kernel_fin_wait2, &protocols[0]),
		unit_row("FIN_WAIT2, old protocol", test_kernel_fin_wait2, &protocols[1]),
		unit_row("many", test_kernel_with_many, &protocols[0]),
		unit_row("many, old protocol", test_kernel_with_many, &protocols[1]),
	};
	size_t i;

	alarm(120);
	for (i = 0; i < COUNT(kernel); i++)
		kernel[i].setup_func = enter_own_network;
	return cmocka_run_group_tests(kernel, NULL, NULL);
}
