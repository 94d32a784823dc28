/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "../os/clock.h"
#include "fragments.h"

#define PACKET_MOST  65535
#define PROTOCOL_TCP 6

#define IPV4_HEADER  20
#define IPV4_TIMEOUT 30 /* IP_FRAG_TIME */

#define IPV6_HEADER	 40
#define IPV6_TIMEOUT	 60 /* IPV6_FRAG_TIMEOUT */
#define IPV6_HOP_BY_HOP	 0
#define IPV6_ROUTING	 43
#define IPV6_FRAGMENT	 44
#define IPV6_DESTINATION 60
#define FRAGMENT_HEADER	 8

/* Before a fragment's data; IPv6 sets no limit, and nobody comes near this one. */
#define HEADERS_MOST 1024

#define BLOCK  8 /* offsets count in these */
#define BLOCKS ((PACKET_MOST + BLOCK) / BLOCK)

struct key {
	uint8_t source[16];
	uint8_t destination[16];
	uint32_t id;
	uint32_t version;
};

/* One fragment, taken apart. */
struct fragment {
	struct key key;
	const uint8_t *header; /* what comes before the fragment header, IPv4: all of the header */
	size_t header_length;
	size_t next_at; /* IPv6: where the header says that a fragment header follows, */
	uint8_t next;	/* and what follows that one */
	const uint8_t *data;
	size_t captured; /* of the data */
	size_t length;
	size_t offset;
	bool more;
};

/* A datagram of which fragments were seen. */
struct datagram {
	struct key key;
	uint64_t started_ns;
	uint64_t number;      /* counts up: the lowest is the oldest */
	uint64_t fragments;   /* 0 if the place is free */
	size_t header_length; /* 0 until the first fragment is there */
	size_t blocks;	      /* seen */
	size_t furthest;      /* where the data seen so far ends */
	size_t total;	      /* SIZE_MAX until the last fragment is there */
	size_t captured;      /* where the data begins to have gaps; SIZE_MAX if it has none */
	uint8_t seen[BLOCKS / 8 + 1];
	uint8_t bytes[HEADERS_MOST + PACKET_MOST]; /* the header ends where the data begins */
};

struct fragments {
	size_t count;
	uint64_t started; /* datagrams, so far */
	uint64_t lost;
	struct datagram datagrams[];
};

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static void put16(uint8_t *p, size_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

/* RFC 1071, of a header of 60 bytes at the most; 0 if it holds its own right checksum. */
static uint16_t header_checksum(const uint8_t *header, size_t length)
{
	uint32_t sum = 0;
	size_t i;

	for (i = 0; i + 1 < length; i += 2)
		sum += get16(header + i);
	sum = (sum >> 16) + (sum & 0xffff);
	sum = (sum >> 16) + (sum & 0xffff);
	return (uint16_t)~sum;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* False if this is no fragment of TCP, or its header is wrong or not captured to its end. */
static bool parse_ipv4(const struct capture_packet *packet, struct fragment *f)
{
	const uint8_t *ip = packet->bytes;
	size_t length, place;

	if (packet->captured < IPV4_HEADER)
		return false;
	f->header_length = (size_t)(ip[0] & 0x0f) * 4;
	length = get16(ip + 2);
	place = get16(ip + 6);
	if ((place & 0x3fff) == 0 || ip[9] != PROTOCOL_TCP || f->header_length < IPV4_HEADER ||
	    length < f->header_length || length > packet->length ||
	    packet->captured < f->header_length || header_checksum(ip, f->header_length) != 0)
		return false;
	memcpy(f->key.source, ip + 12, 4);
	memcpy(f->key.destination, ip + 16, 4);
	f->key.id = get16(ip + 4);
	f->key.version = 4;
	f->data = ip + f->header_length;
	f->offset = (place & 0x1fff) * BLOCK;
	f->more = (place & 0x2000) != 0;
	f->length = length - f->header_length;
	if (f->more)
		f->length -= f->length % BLOCK; /* as ip_frag_queue() */
	f->captured = least(packet->captured - f->header_length, f->length);
	return true;
}

static bool may_lead_to_tcp(uint8_t next)
{
	return next == PROTOCOL_TCP || next == IPV6_ROUTING || next == IPV6_FRAGMENT ||
	       next == IPV6_DESTINATION;
}

/* Find the fragment header; false if there is none within `known` bytes. */
static bool find_fragment_header(const uint8_t *ip, size_t known, struct fragment *f)
{
	size_t at = IPV6_HEADER;

	f->next_at = 6;
	while (at + FRAGMENT_HEADER <= known && at <= HEADERS_MOST) {
		const uint8_t kind = ip[f->next_at];

		if (kind == IPV6_FRAGMENT) {
			f->header_length = at;
			return true;
		}
		if (kind != IPV6_HOP_BY_HOP && kind != IPV6_ROUTING && kind != IPV6_DESTINATION)
			return false;
		f->next_at = at;
		at += 8 + (size_t)ip[at + 1] * 8;
	}
	return false;
}

static bool parse_ipv6(const struct capture_packet *packet, struct fragment *f)
{
	const uint8_t *ip = packet->bytes;
	const uint8_t *header;
	size_t length, place;

	if (packet->captured < IPV6_HEADER)
		return false;
	length = IPV6_HEADER + (size_t)get16(ip + 4);
	if (length > packet->length ||
	    !find_fragment_header(ip, least(length, packet->captured), f))
		return false;
	header = ip + f->header_length;
	place = get16(header + 2);
	f->next = header[0];
	if ((place & 0xfff9) == 0 || !may_lead_to_tcp(f->next))
		return false;
	memcpy(f->key.source, ip + 8, 16);
	memcpy(f->key.destination, ip + 24, 16);
	memcpy(&f->key.id, header + 4, 4);
	f->key.version = 6;
	f->data = header + FRAGMENT_HEADER;
	f->offset = place & 0xfff8;
	f->more = (place & 1) != 0;
	f->length = length - f->header_length - FRAGMENT_HEADER;
	f->captured = least(packet->captured - f->header_length - FRAGMENT_HEADER, f->length);
	return true;
}

/* What nearly all packets are not, at one look. */
static bool may_be_fragment(const struct capture_packet *packet)
{
	const uint8_t *ip = packet->bytes;

	if (packet->captured < IPV4_HEADER)
		return false;
	return ip[0] >> 4 == 4 ? (get16(ip + 6) & 0x3fff) != 0 : ip[6] != PROTOCOL_TCP;
}

static bool parse(const struct capture_packet *packet, struct fragment *f)
{
	memset(f, 0, sizeof(*f));
	if (packet->captured == 0)
		return false;
	f->header = packet->bytes;
	switch (packet->bytes[0] >> 4) {
	case 4:
		return parse_ipv4(packet, f);
	case 6:
		return parse_ipv6(packet, f);
	default:
		return false;
	}
}

static void give_up(struct fragments *fragments, struct datagram *d)
{
	fragments->lost += d->fragments;
	d->fragments = 0;
}

static bool expired(const struct datagram *d, uint64_t time_ns)
{
	const uint64_t timeout = d->key.version == 4 ? IPV4_TIMEOUT : IPV6_TIMEOUT;

	/* Time in a capture may step back, and hostile time be anything. */
	return time_ns > d->started_ns && time_ns - d->started_ns > timeout * NS_PER_SECOND;
}

/* The datagram of this fragment, else a new one. */
static struct datagram *find(struct fragments *fragments, const struct fragment *f,
			     uint64_t time_ns)
{
	struct datagram *place = &fragments->datagrams[0];
	size_t i;

	for (i = 0; i < fragments->count; i++) {
		struct datagram *d = &fragments->datagrams[i];

		if (d->fragments > 0 && expired(d, time_ns))
			give_up(fragments, d);
		if (d->fragments > 0 && memcmp(&d->key, &f->key, sizeof(d->key)) == 0)
			return d;
		if (place->fragments > 0 && (d->fragments == 0 || d->number < place->number))
			place = d;
	}
	give_up(fragments, place);
	place->key = f->key;
	place->started_ns = time_ns;
	place->number = fragments->started++;
	place->header_length = 0;
	place->blocks = 0;
	place->furthest = 0;
	place->total = SIZE_MAX;
	place->captured = SIZE_MAX;
	memset(place->seen, 0, sizeof(place->seen));
	return place;
}

static size_t blocks_of(size_t length)
{
	return (length + BLOCK - 1) / BLOCK;
}

/* How many of the fragment's blocks were seen before. */
static size_t count_seen(const struct datagram *d, const struct fragment *f)
{
	const size_t first = f->offset / BLOCK;
	size_t i, count = 0;

	for (i = first; i < first + blocks_of(f->length); i++)
		count += (d->seen[i / 8] >> i % 8) & 1;
	return count;
}

static void copy_data(struct datagram *d, const struct fragment *f)
{
	const size_t first = f->offset / BLOCK;
	size_t i;

	for (i = first; i < first + blocks_of(f->length); i++)
		d->seen[i / 8] |= (uint8_t)(1U << i % 8);
	d->blocks += blocks_of(f->length);
	memcpy(d->bytes + HEADERS_MOST + f->offset, f->data, f->captured);
	if (f->captured < f->length)
		d->captured = least(d->captured, f->offset + f->captured);
}

static void copy_header(struct datagram *d, const struct fragment *f)
{
	uint8_t *header = d->bytes + HEADERS_MOST - f->header_length;

	memcpy(header, f->header, f->header_length);
	d->header_length = f->header_length;
	if (f->key.version == 6)
		header[f->next_at] = f->next;
}

/* False if the fragment and what is there already cannot be parts of one packet. */
static bool add(struct datagram *d, const struct fragment *f)
{
	const size_t end = f->offset + f->length;
	size_t seen;

	if (end > PACKET_MOST || (d->total != SIZE_MAX && end > d->total))
		return false;
	if (!f->more && (end < d->furthest || (d->total != SIZE_MAX && end != d->total)))
		return false;
	seen = count_seen(d, f);
	if (seen != 0 && seen != blocks_of(f->length))
		return false;
	d->fragments++;
	if (seen != 0)
		return true;
	if (!f->more)
		d->total = end;
	if (end > d->furthest)
		d->furthest = end;
	if (f->offset == 0)
		copy_header(d, f);
	copy_data(d, f);
	return true;
}

/* Bytes that the IP header's length field counts, once the datagram is whole. */
static size_t counted_length(const struct datagram *d)
{
	return d->total + d->header_length - (d->key.version == 4 ? 0 : IPV6_HEADER);
}

static void finish_packet(const struct datagram *d, uint8_t *ip, struct capture_packet *packet)
{
	if (d->key.version == 4) {
		put16(ip + 2, counted_length(d));
		put16(ip + 6, 0);
		put16(ip + 10, 0);
		put16(ip + 10, header_checksum(ip, d->header_length));
	} else {
		put16(ip + 4, counted_length(d));
	}
	packet->bytes = ip;
	packet->captured = d->header_length + least(d->total, d->captured);
	packet->length = d->header_length + d->total;
}

enum fragments_result fragments_take(struct fragments *fragments, struct capture_packet *packet)
{
	struct fragment f;
	struct datagram *d;

	if (!may_be_fragment(packet) || !parse(packet, &f))
		return FRAGMENTS_NONE;
	if (f.length == 0 || (f.more && f.length % BLOCK != 0)) {
		fragments->lost++; /* the kernel drops such a one, and none but it */
		return FRAGMENTS_KEPT;
	}
	d = find(fragments, &f, packet->time_ns);
	if (!add(d, &f)) {
		fragments->lost++;
		give_up(fragments, d);
		return FRAGMENTS_KEPT;
	}
	if (d->total == SIZE_MAX || d->blocks != blocks_of(d->total))
		return FRAGMENTS_KEPT;
	if (counted_length(d) > PACKET_MOST) {
		give_up(fragments, d);
		return FRAGMENTS_KEPT;
	}
	d->fragments = 0;
	finish_packet(d, d->bytes + HEADERS_MOST - d->header_length, packet);
	return FRAGMENTS_WHOLE;
}

void fragments_finish(struct fragments *fragments)
{
	size_t i;

	for (i = 0; i < fragments->count; i++)
		give_up(fragments, &fragments->datagrams[i]);
}

uint64_t fragments_lost(const struct fragments *fragments)
{
	return fragments->lost;
}

struct fragments *fragments_new(size_t datagrams)
{
	struct fragments *fragments;

	if (datagrams == 0 || datagrams > (SIZE_MAX - sizeof(*fragments)) / sizeof(struct datagram))
		return NULL;
	fragments = calloc(1, sizeof(*fragments) + datagrams * sizeof(struct datagram));
	if (fragments != NULL)
		fragments->count = datagrams;
	return fragments;
}

void fragments_free(struct fragments *fragments)
{
	free(fragments);
}
