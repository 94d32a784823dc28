/* SPDX-License-Identifier: GPL-2.0-or-later */

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

#include "wire_common.h"

#define SOCKET_BUFFER (16 * 1024 * 1024)

void die(int status, const char *format, ...)
{
	va_list args;

	fflush(stdout);
	fputs("wire: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(status);
}

uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

void sleep_ns(uint64_t ns)
{
	struct timespec pause;

	if (ns > SLEEP_MAX)
		ns = SLEEP_MAX;
	pause.tv_sec = 0;
	pause.tv_nsec = (long)ns;
	nanosleep(&pause, NULL);
}

uint32_t number(const char *text, uint32_t min, uint32_t max, const char *what)
{
	char *end;
	unsigned long long value;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || value < min ||
	    value > max)
		die(2, "%s must be a number from %u to %u, not \"%s\"", what, min, max, text);
	return (uint32_t)value;
}

void put16(uint8_t *bytes, unsigned int value)
{
	bytes[0] = (uint8_t)(value >> 8);
	bytes[1] = (uint8_t)value;
}

void put32(uint8_t *bytes, uint32_t value)
{
	put16(bytes, value >> 16);
	put16(bytes + 2, value & 0xffff);
}

uint32_t add_sum(uint32_t sum, const uint8_t *bytes, size_t length)
{
	size_t i;

	for (i = 0; i + 1 < length; i += 2)
		sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
	if (length % 2 != 0)
		sum += (uint32_t)bytes[length - 1] << 8;
	return sum;
}

uint16_t fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void parse_mac(const char *text, uint8_t mac[ETH_ALEN])
{
	unsigned int bytes[ETH_ALEN];
	int i, end = 0;

	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &bytes[0], &bytes[1], &bytes[2], &bytes[3],
		   &bytes[4], &bytes[5], &end) != ETH_ALEN ||
	    text[end] != '\0')
		die(2, "\"%s\" is not an Ethernet address", text);
	for (i = 0; i < ETH_ALEN; i++)
		mac[i] = (uint8_t)bytes[i];
}

void parse_addresses(const char *source, const char *destination, int family, struct addresses *out)
{
	memset(out, 0, sizeof(*out));
	if (strcmp(source, "-") == 0 && strcmp(destination, "-") == 0)
		return;
	out->family = family;
	out->length = family == AF_INET ? 4 : 16;
	if (inet_pton(family, source, out->source) != 1)
		die(2, "\"%s\" is not an IPv%c address", source, family == AF_INET ? '4' : '6');
	if (inet_pton(family, destination, out->destination) != 1)
		die(2, "\"%s\" is not an IPv%c address", destination,
		    family == AF_INET ? '4' : '6');
}

void open_interface(struct interface *interface, const char *name, int type, int protocol)
{
	const unsigned int index = if_nametoindex(name);

	memset(interface, 0, sizeof(*interface));
	if (index == 0)
		die(1, "%s: %s", name, strerror(errno));
	interface->fd = socket(AF_PACKET, type | SOCK_CLOEXEC, 0);
	if (interface->fd < 0)
		die(1, "packet socket: %s", strerror(errno));
	interface->link.sll_family = AF_PACKET;
	interface->link.sll_protocol = htons((uint16_t)protocol);
	interface->link.sll_ifindex = (int)index;
	interface->link.sll_halen = ETH_ALEN;
}

void open_sender(struct interface *interface, const char *name, const char *mac)
{
	struct ifreq request;

	open_interface(interface, name, SOCK_RAW, 0);
	parse_mac(mac, interface->ethernet);
	memset(&request, 0, sizeof(request));
	strncpy(request.ifr_name, name, IFNAMSIZ - 1);
	if (ioctl(interface->fd, SIOCGIFHWADDR, &request) != 0)
		die(1, "%s: %s", name, strerror(errno));
	memcpy(interface->ethernet + ETH_ALEN, request.ifr_hwaddr.sa_data, ETH_ALEN);
	set_buffer(interface->fd, SO_SNDBUFFORCE, SO_SNDBUF);
}

void set_buffer(int fd, int forced, int option)
{
	const int size = SOCKET_BUFFER;

	if (setsockopt(fd, SOL_SOCKET, forced, &size, sizeof(size)) != 0)
		setsockopt(fd, SOL_SOCKET, option, &size, sizeof(size));
}

size_t put_ethernet(uint8_t *frame, const struct interface *interface, int family)
{
	memcpy(frame, interface->ethernet, ETH_HLEN);
	put16(frame + 2 * ETH_ALEN, family == AF_INET ? ETHERTYPE_IP : ETHERTYPE_IPV6);
	return ETH_HLEN;
}

uint32_t pseudo_sum(const struct addresses *addresses, uint8_t protocol, size_t length)
{
	uint32_t sum = protocol + (uint32_t)length;

	sum = add_sum(sum, addresses->source, addresses->length);
	return add_sum(sum, addresses->destination, addresses->length);
}
