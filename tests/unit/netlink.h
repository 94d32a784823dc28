/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETLINK_H
#define NETLINK_H

/* NFQUEUE messages by hand, and a parser that is given no byte more than the message has. */

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>

#include "unit.h"

#include "source/nfmessage.h"
#include "source/nfqueue.h"

#define PACKET_ID 0x89abcdef
#define TYPE	  (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET)

/* What headers of Linux before 3.8 lack, as numbers. */
#define ATTRIBUTE_CAP_LEN  13
#define ATTRIBUTE_SKB_INFO 14

struct made {
	union {
		struct nlmsghdr header;
		uint8_t bytes[1024];
	};
	size_t length;
};

static const char packet_bytes[61] = "the packet's bytes, as many as a SYN with one byte of data.";

static inline void begin(struct made *made)
{
	struct nlmsghdr *header;
	struct nfgenmsg *family;

	memset(made, 0, sizeof(*made));
	header = mnl_nlmsg_put_header(made->bytes);
	header->nlmsg_type = TYPE;
	family = mnl_nlmsg_put_extra_header(header, sizeof(*family));
	family->nfgen_family = AF_INET;
	family->res_id = htons(3);
}

static inline void put_packet_header(struct made *made, uint8_t hook)
{
	struct nfqnl_msg_packet_hdr packet = { .packet_id = htonl(PACKET_ID), .hook = hook };

	packet.hw_protocol = htons(0x0800);
	mnl_attr_put(&made->header, NFQA_PACKET_HDR, sizeof(packet), &packet);
}

static inline void put_number(struct made *made, uint16_t type, uint32_t number)
{
	mnl_attr_put_u32(&made->header, type, htonl(number));
}

/* The payload comes last, and the kernel does not pad what comes last. */
static inline void end(struct made *made, size_t payload)
{
	struct nlmsghdr *header = &made->header;

	mnl_attr_put(header, NFQA_PAYLOAD, payload, packet_bytes);
	header->nlmsg_len -= (uint32_t)((4 - payload % 4) % 4);
	made->length = header->nlmsg_len;
}

/* The order of nfqnl_build_packet_message(). */
static inline struct made usual(uint8_t hook)
{
	struct made made;

	begin(&made);
	put_packet_header(&made, hook);
	put_number(&made, NFQA_IFINDEX_INDEV, 7);
	put_number(&made, NFQA_IFINDEX_OUTDEV, 9);
	put_number(&made, NFQA_MARK, 0xffff);
	put_number(&made, ATTRIBUTE_CAP_LEN, 1500);
	put_number(&made, ATTRIBUTE_SKB_INFO, 1);
	end(&made, sizeof(packet_bytes));
	return made;
}

/* Parse a copy that ends where the message does; what it points to must lie in it. */
static inline enum nfmessage_kind parse(const uint8_t *bytes, size_t length,
					struct nfmessage *message)
{
	uint8_t *copy = calloc(1, (length + 3) & ~(size_t)3); /* as nfmessage.h asks */
	enum nfmessage_kind kind;
	const uint8_t *at;

	assert_true(copy != NULL || length == 0);
	if (length > 0)
		memcpy(copy, bytes, length);
	kind = nfmessage_parse(copy, length, message);
	if (kind == NFMESSAGE_PACKET) {
		at = message->bytes;
		assert_true(at >= copy && at <= copy + length);
		assert_true(message->captured <= (size_t)(copy + length - at));
		assert_true(message->length >= message->captured);
		if (message->captured > 0)
			assert_int_equal(at[0], bytes[at - copy]);
		message->bytes = bytes + (at - copy);
	}
	free(copy);
	return kind;
}

static inline bool find_id(const uint8_t *bytes, size_t length, uint32_t *id)
{
	uint8_t *copy = calloc(1, (length + 3) & ~(size_t)3); /* as nfmessage.h asks */
	bool found;

	assert_true(copy != NULL || length == 0);
	if (length > 0)
		memcpy(copy, bytes, length);
	found = nfqueue_packet_id(copy, length, id);
	free(copy);
	return found;
}

static inline void expect(const struct made *made, enum nfmessage_kind kind,
			  struct nfmessage *message)
{
	assert_int_equal(parse(made->bytes, made->length, message), kind);
}

static inline void expect_id(const struct made *made)
{
	uint32_t id = 0;

	assert_true(find_id(made->bytes, made->length, &id));
	assert_int_equal(id, PACKET_ID);
}

#endif
