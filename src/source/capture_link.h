/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CAPTURE_LINK_H
#define CAPTURE_LINK_H

#include "capture.h"

/* Link layers whose headers we can step over. */
enum capture_link {
	CAPTURE_LINK_ETHERNET, /* also with 802.1Q and 802.1ad tags, as many as there are */
	CAPTURE_LINK_COOKED,   /* Linux, tcpdump -i any: v1, with tags too */
	CAPTURE_LINK_COOKED2,  /* v2, with tags too */
	CAPTURE_LINK_LOOPBACK, /* BSD: an address family, in the byte order of whoever wrote it */
	CAPTURE_LINK_IP,       /* nothing before the IP header */
	CAPTURE_LINK_IPV4,     /* the same, and IPv4 only */
	CAPTURE_LINK_IPV6,
	CAPTURE_LINKS
};

/*
 * Make the IP packet out of the frame that holds it. False if it holds none; `packet` is undefined
 * then. If the capture ends before the IP header does begin, `captured` becomes 0: there may be a
 * packet.
 */
bool capture_link_strip(enum capture_link kind, struct capture_packet *packet);

#endif
