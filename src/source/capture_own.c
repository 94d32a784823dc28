/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "capture_own.h"

#define LOOPBACK_NET 127

struct address {
	uint8_t ip_version;
	uint8_t bytes[16];
};

struct capture_own {
	size_t count;
	struct address sorted[CAPTURE_OWN_MOST];
};

struct capture_own *capture_own_new(void)
{
	return calloc(1, sizeof(struct capture_own));
}

void capture_own_free(struct capture_own *own)
{
	free(own);
}

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct address));
}

static bool append(struct capture_own *own, uint8_t ip_version, const void *bytes, size_t length)
{
	struct address *address = &own->sorted[own->count];

	if (own->count == CAPTURE_OWN_MOST)
		return false;
	memset(address, 0, sizeof(*address));
	address->ip_version = ip_version;
	memcpy(address->bytes, bytes, length);
	own->count++;
	return true;
}

static void take(struct capture_own *own, const struct sockaddr *address)
{
	if (address == NULL)
		return;
	if (address->sa_family == AF_INET)
		append(own, 4, &((const struct sockaddr_in *)address)->sin_addr, 4);
	else if (address->sa_family == AF_INET6)
		append(own, 6, &((const struct sockaddr_in6 *)address)->sin6_addr, 16);
}

static void sort(struct capture_own *own)
{
	qsort(own->sorted, own->count, sizeof(own->sorted[0]), compare);
}

int capture_own_refresh(struct capture_own *own)
{
	struct ifaddrs *list, *at;

	if (getifaddrs(&list) < 0)
		return -1;
	own->count = 0;
	for (at = list; at != NULL; at = at->ifa_next)
		take(own, at->ifa_addr);
	freeifaddrs(list);
	sort(own);
	return 0;
}

bool capture_own_has(const struct capture_own *own, uint8_t ip_version, const uint8_t address[16])
{
	struct address key = { .ip_version = ip_version };

	if (ip_version == 4 && address[0] == LOOPBACK_NET)
		return true;
	memcpy(key.bytes, address, sizeof(key.bytes));
	return bsearch(&key, own->sorted, own->count, sizeof(key), compare) != NULL;
}

static bool within(const struct address *address, const struct synpaws_prefix *prefix)
{
	const size_t bytes = prefix->bits / 8;
	const uint8_t mask = (uint8_t)(0xff00 >> prefix->bits % 8);

	if (address->ip_version != prefix->ip_version ||
	    memcmp(address->bytes, prefix->address, bytes) != 0)
		return false;
	return mask == 0 || ((address->bytes[bytes] ^ prefix->address[bytes]) & mask) == 0;
}

bool capture_own_within(const struct capture_own *own, const struct synpaws_prefix *prefix)
{
	size_t i;

	for (i = 0; i < own->count; i++) {
		if (within(&own->sorted[i], prefix))
			return true;
	}
	return false;
}

bool capture_own_add(struct capture_own *own, uint8_t ip_version, const uint8_t address[16])
{
	const bool good = append(own, ip_version, address, ip_version == 4 ? 4 : 16);

	sort(own);
	return good;
}
