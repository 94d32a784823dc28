/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <string.h>

#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>

#include "nfmessage.h"
#include "nfqueue.h"

/* Headers of Linux before 3.8 lack these. */
#define ATTRIBUTE_CAP_LEN  13
#define ATTRIBUTE_SKB_INFO 14
#define ATTRIBUTES_MOST	   (ATTRIBUTE_SKB_INFO + 1)
#define SKB_CSUM_NOT_READY (1U << 0)

static uint32_t get_u32(const struct nlmsghdr *header, const struct nlattr *attribute,
			uint32_t fallback)
{
	const void *payload = nfmessage_payload(header, attribute, sizeof(uint32_t));
	uint32_t value;

	if (payload == NULL)
		return fallback;
	memcpy(&value, payload, sizeof(value));
	return ntohl(value);
}

static size_t message_length(const struct nlmsghdr *header, const struct nlattr *cap_len,
			     size_t captured)
{
	const size_t length = get_u32(header, cap_len, (uint32_t)captured);

	if (cap_len == NULL && captured >= NFQUEUE_COPY_RANGE)
		return NFMESSAGE_LENGTH_UNKNOWN;
	return length > captured ? length : captured;
}

static uint8_t way_of(uint8_t hook)
{
	switch (hook) {
	case NF_INET_LOCAL_IN:
		return SYNPAWS_WAY_IN;
	case NF_INET_LOCAL_OUT:
	case NF_INET_POST_ROUTING:
		return SYNPAWS_WAY_OUT;
	}
	return SYNPAWS_WAY_ANY;
}

/* As nfq_nlmsg_parse() does, but for the types that are of no use here. The last of a type counts.
 */
static void find_attributes(const struct nlmsghdr *header,
			    const struct nlattr *attributes[ATTRIBUTES_MOST])
{
	const struct nlattr *attribute;

	for (attribute = nfmessage_first(header); attribute != NULL;
	     attribute = nfmessage_next(header, attribute)) {
		if (nfmessage_type(attribute) < ATTRIBUTES_MOST)
			attributes[nfmessage_type(attribute)] = attribute;
	}
}

enum nfmessage_kind nfmessage_parse(const void *bytes, size_t length, struct nfmessage *message)
{
	const struct nlmsghdr *header = bytes;
	const struct nlattr *attributes[ATTRIBUTES_MOST] = { NULL };
	struct nfqnl_msg_packet_hdr packet;
	const void *packet_header;

	if (length < sizeof(*header))
		return NFMESSAGE_DAMAGED;
	if (header->nlmsg_type != (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET))
		return NFMESSAGE_OTHER;
	if (!nfmessage_whole(bytes, length))
		return NFMESSAGE_DAMAGED;
	find_attributes(header, attributes);
	packet_header = nfmessage_payload(header, attributes[NFQA_PACKET_HDR], sizeof(packet));
	message->bytes = nfmessage_payload(header, attributes[NFQA_PAYLOAD], 0);
	if (packet_header == NULL || message->bytes == NULL)
		return NFMESSAGE_DAMAGED;
	memcpy(&packet, packet_header, sizeof(packet));
	message->captured = nfmessage_length(attributes[NFQA_PAYLOAD]);
	message->length = message_length(header, attributes[ATTRIBUTE_CAP_LEN], message->captured);
	message->way = way_of(packet.hook);
	message->ifindex = get_u32(header,
				   attributes[message->way == SYNPAWS_WAY_OUT ? NFQA_IFINDEX_OUTDEV
									      : NFQA_IFINDEX_INDEV],
				   0);
	message->forwarded = packet.hook == NF_INET_FORWARD;
	message->checksum_pending =
		(get_u32(header, attributes[ATTRIBUTE_SKB_INFO], 0) & SKB_CSUM_NOT_READY) != 0;
	return NFMESSAGE_PACKET;
}
