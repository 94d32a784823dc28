/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wire receive: writes down what arrives. */

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "wire_common.h"

#define RECEIVE_MAX 65536

/* Neighbours, routers and multicast groups: they come when they like. */
static bool is_chatter(const uint8_t *ip, size_t length)
{
	size_t at = IPV6_HEADER;
	uint8_t next;

	if (length < IPV6_HEADER || ip[0] >> 4 != 6)
		return false;
	next = ip[6];
	if (next == IPPROTO_HOPOPTS && length >= at + 8) {
		next = ip[at];
		at += (ip[at + 1] + 1U) * 8U;
	}
	return next == IPPROTO_ICMPV6 && at < length && ip[at] >= 130 && ip[at] <= 143;
}

static void print_hex(const uint8_t *bytes, size_t length)
{
	static const char DIGITS[] = "0123456789abcdef";
	static char line[2 * RECEIVE_MAX + 1];
	size_t i;

	for (i = 0; i < length; i++) {
		line[2 * i] = DIGITS[bytes[i] >> 4];
		line[2 * i + 1] = DIGITS[bytes[i] & 0x0f];
	}
	line[2 * length] = '\n';
	fwrite(line, 1, 2 * length + 1, stdout);
}

/* True if a packet was printed. */
static bool receive_one(int fd)
{
	static uint8_t packet[RECEIVE_MAX];
	struct sockaddr_ll from;
	socklen_t from_length = sizeof(from);
	ssize_t length;

	memset(&from, 0, sizeof(from));
	length = recvfrom(fd, packet, sizeof(packet), MSG_DONTWAIT, (struct sockaddr *)&from,
			  &from_length);
	if (length < 0) {
		if (errno != EAGAIN && errno != EINTR)
			die(1, "receive: %s", strerror(errno));
		return false;
	}
	if (from.sll_pkttype == PACKET_OUTGOING ||
	    (from.sll_protocol != htons(ETH_P_IP) && from.sll_protocol != htons(ETH_P_IPV6)) ||
	    is_chatter(packet, (size_t)length))
		return false;
	print_hex(packet, (size_t)length);
	return true;
}

static void bind_receiver(struct interface *interface)
{
	set_buffer(interface->fd, SO_RCVBUFFORCE, SO_RCVBUF);
	if (bind(interface->fd, (const struct sockaddr *)&interface->link,
		 sizeof(interface->link)) != 0)
		die(1, "bind: %s", strerror(errno));
	fputs("ready\n", stderr);
}

static void receive(const struct interface *interface, uint32_t seconds, uint32_t count)
{
	const uint64_t end = now_ns() + seconds * NS_PER_S;
	struct tpacket_stats stats;
	socklen_t length = sizeof(stats);
	struct pollfd packet;
	uint64_t now;
	uint32_t received = 0;

	packet.fd = interface->fd;
	packet.events = POLLIN;
	/* Awake every 100 ms at least, for a signal that came just before poll(). */
	while (!stopped && received < count && (now = now_ns()) < end) {
		const uint64_t left = end - now < SLEEP_MAX ? end - now : SLEEP_MAX;

		if (poll(&packet, 1, (int)(left / NS_PER_MS) + 1) < 0 && errno != EINTR)
			die(1, "poll: %s", strerror(errno));
		if (receive_one(interface->fd))
			received++;
	}
	if (fflush(stdout) != 0)
		die(1, "write: %s", strerror(errno));
	memset(&stats, 0, sizeof(stats));
	if (getsockopt(interface->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &length) == 0 &&
	    stats.tp_drops > 0)
		die(1, "%u packets missed: the socket buffer was full", stats.tp_drops);
}

int main_receive(int argc, char **argv)
{
	static const struct option options[] = {
		{ "seconds", required_argument, NULL, 's' },
		{ "count", required_argument, NULL, 'n' },
		{ NULL, 0, NULL, 0 },
	};
	struct interface interface;
	uint32_t seconds = 0, count = UINT32_MAX;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 's')
			seconds = number(optarg, 1, 86400, "--seconds");
		else if (option == 'n')
			count = number(optarg, 1, UINT32_MAX, "--count");
		else
			return 2;
	}
	if (argc - optind != 1 || seconds == 0)
		die(2, "receive needs IFACE and --seconds (wire --help)");
	open_interface(&interface, argv[optind], SOCK_DGRAM, ETH_P_ALL);
	bind_receiver(&interface);
	receive(&interface, seconds, count);
	return 0;
}
