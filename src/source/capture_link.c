/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "capture_link.h"

#define ETHERNET_HEADER 14
#define ETHERNET_TYPE	12
#define COOKED_HEADER	16
#define COOKED_TYPE	14
#define COOKED2_HEADER	20
#define COOKED2_TYPE	0
#define LOOPBACK_HEADER 4
#define TAG		4 /* 802.1Q, 802.1ad */
#define TAG_TYPE	2

#define TYPE_IPV4   0x0800
#define TYPE_IPV6   0x86dd
#define TYPE_8021Q  0x8100
#define TYPE_8021AD 0x88a8
#define TYPE_QINQ   0x9100 /* what 802.1ad was before it was one */

/* AF_INET is the same everywhere, AF_INET6 is not. */
#define FAMILY_IPV4	    2
#define FAMILY_IPV6_LINUX   10
#define FAMILY_IPV6_BSD	    24
#define FAMILY_IPV6_FREEBSD 28
#define FAMILY_IPV6_DARWIN  30

#define ANY_VERSION 0

enum step {
	STEP_IP,
	STEP_CUT,   /* the capture ends too early to tell */
	STEP_OTHER, /* no IP */
};

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

/* Take a header off. */
static enum step take_header(struct capture_packet *packet, size_t header)
{
	if (packet->length < header)
		return STEP_OTHER;
	if (packet->captured < header)
		return STEP_CUT;
	packet->bytes += header;
	packet->captured -= header;
	packet->length -= header;
	return STEP_IP;
}

/* Take a header off and the tags behind it, which end with the type of what follows, too. */
static enum step take_typed(struct capture_packet *packet, size_t header, size_t type_at,
			    int *version)
{
	const uint8_t *type = packet->bytes + type_at;
	enum step step = take_header(packet, header);

	while (step == STEP_IP) {
		switch (get16(type)) {
		case TYPE_IPV4:
			*version = 4;
			return STEP_IP;
		case TYPE_IPV6:
			*version = 6;
			return STEP_IP;
		case TYPE_8021Q:
		case TYPE_8021AD:
		case TYPE_QINQ:
			type = packet->bytes + TAG_TYPE;
			step = take_header(packet, TAG);
			break;
		default:
			return STEP_OTHER;
		}
	}
	return step;
}

static enum step take_loopback(struct capture_packet *packet, int *version)
{
	const uint8_t *family = packet->bytes;
	enum step step = take_header(packet, LOOPBACK_HEADER);

	if (step != STEP_IP)
		return step;
	/* A small number, which stands at one end of the four bytes. */
	if (family[1] != 0 || family[2] != 0 || (family[0] != 0 && family[3] != 0))
		return STEP_OTHER;
	switch (family[0] | family[3]) {
	case FAMILY_IPV4:
		*version = 4;
		return STEP_IP;
	case FAMILY_IPV6_LINUX:
	case FAMILY_IPV6_BSD:
	case FAMILY_IPV6_FREEBSD:
	case FAMILY_IPV6_DARWIN:
		*version = 6;
		return STEP_IP;
	default:
		return STEP_OTHER;
	}
}

static enum step take_link(enum capture_link kind, struct capture_packet *packet, int *version)
{
	switch (kind) {
	case CAPTURE_LINK_ETHERNET:
		return take_typed(packet, ETHERNET_HEADER, ETHERNET_TYPE, version);
	case CAPTURE_LINK_COOKED:
		return take_typed(packet, COOKED_HEADER, COOKED_TYPE, version);
	case CAPTURE_LINK_COOKED2:
		return take_typed(packet, COOKED2_HEADER, COOKED2_TYPE, version);
	case CAPTURE_LINK_LOOPBACK:
		return take_loopback(packet, version);
	case CAPTURE_LINK_IPV4:
		*version = 4;
		return STEP_IP;
	case CAPTURE_LINK_IPV6:
		*version = 6;
		return STEP_IP;
	case CAPTURE_LINK_IP:
		return STEP_IP;
	case CAPTURE_LINKS:
		break;
	}
	return STEP_OTHER;
}

bool capture_link_strip(enum capture_link kind, struct capture_packet *packet)
{
	int version = ANY_VERSION;

	switch (take_link(kind, packet, &version)) {
	case STEP_IP:
		break;
	case STEP_CUT:
		packet->captured = 0;
		return true;
	case STEP_OTHER:
		return false;
	}
	if (packet->captured == 0)
		return packet->length > 0;
	/* ip_rcv() and ipv6_rcv() discard the other's version. */
	if (version != ANY_VERSION)
		return packet->bytes[0] >> 4 == version;
	return packet->bytes[0] >> 4 == 4 || packet->bytes[0] >> 4 == 6;
}
