/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NFMESSAGE_H
#define NFMESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>

#include <synpaws/segment.h>

/*
 * libmnl rounds the end of a message up to a multiple of four, so whatever is read here must stand
 * in a buffer that has so many bytes, as a ring's slot does.
 */

/* True if a whole message stands in `length` bytes. mnl_nlmsg_ok() takes 2^31 and more for less. */
static inline bool nfmessage_whole(const void *bytes, size_t length)
{
	const struct nlmsghdr *header = bytes;

	return length >= sizeof(*header) && header->nlmsg_len <= length &&
	       mnl_nlmsg_ok(header, (int)length);
}

/*
 * The attributes of a message that nfmessage_whole() found whole; NULL behind the last one, and at
 * one that is cut short. libmnl's functions do the same, a call each.
 */
static inline const struct nlattr *nfmessage_attribute(const struct nlmsghdr *header, size_t offset)
{
	const struct nlattr *attribute = (const void *)((const char *)header + offset);

	if (offset > header->nlmsg_len || header->nlmsg_len - offset < sizeof(*attribute) ||
	    attribute->nla_len < sizeof(*attribute) ||
	    attribute->nla_len > header->nlmsg_len - offset)
		return NULL;
	return attribute;
}

static inline const struct nlattr *nfmessage_first(const struct nlmsghdr *header)
{
	return nfmessage_attribute(header, sizeof(*header) + sizeof(struct nfgenmsg));
}

static inline const struct nlattr *nfmessage_next(const struct nlmsghdr *header,
						  const struct nlattr *attribute)
{
	return nfmessage_attribute(header,
				   (size_t)((const char *)attribute - (const char *)header) +
					   (((size_t)attribute->nla_len + 3) & ~(size_t)3));
}

static inline unsigned int nfmessage_type(const struct nlattr *attribute)
{
	return attribute->nla_type & 0x3fffU /* NLA_TYPE_MASK */;
}

static inline size_t nfmessage_length(const struct nlattr *attribute)
{
	return attribute->nla_len - sizeof(*attribute);
}

/* The bytes of an attribute; NULL if there are less than `least`, or not all inside the message. */
static inline const void *nfmessage_payload(const struct nlmsghdr *header,
					    const struct nlattr *attribute, size_t least)
{
	const char *payload;
	size_t length;

	if (attribute == NULL)
		return NULL;
	payload = (const char *)(attribute + 1);
	length = nfmessage_length(attribute);
	if (length < least || payload + length > (const char *)header + header->nlmsg_len)
		return NULL;
	return payload;
}

/* Kernels before 3.8 hand over so many bytes at the most, and do not say that there were more. */
#define NFMESSAGE_LENGTH_UNKNOWN SIZE_MAX

/* What an NFQUEUE message says about its packet, as far as we ask. */
struct nfmessage {
	const void *bytes; /* the packet from the IP header on, inside the message */
	size_t captured;
	size_t length;	       /* on the wire */
	uint32_t ifindex;      /* the packet came in by, or goes out by; 0 if none */
	bool forwarded;	       /* seen in FORWARD: it is not for this machine */
	uint8_t way;	       /* SYNPAWS_WAY_IN and so on, by the hook */
	bool checksum_pending; /* NFQA_SKB_CSUMNOTREADY */
};

enum nfmessage_kind {
	NFMESSAGE_PACKET,
	NFMESSAGE_OTHER,   /* not about a packet, such as the kernel's answer to a request */
	NFMESSAGE_DAMAGED, /* cut short, or without the packet's bytes */
};

/* Parse a message; `message` is filled for NFMESSAGE_PACKET only. */
enum nfmessage_kind nfmessage_parse(const void *bytes, size_t length, struct nfmessage *message);

#endif
