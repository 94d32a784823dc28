/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds src/source/nfmessage.c and nfqueue_packet_id() to what an NFQUEUE message says. The second
 * decides whether a packet is accepted at all, so it has to find the id in everything that a kernel
 * sends; the first feeds the analyst. Both read memory that ends where the message does, and with
 * every length in it wrong in every way they must stay inside.
 */
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>

#include "source/nfmessage.h"
#include "source/nfqueue.h"
#include "source/ring.h"

#define MUTATIONS 200000
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

static void begin(struct made *made)
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

static void put_packet_header(struct made *made, uint8_t hook)
{
	struct nfqnl_msg_packet_hdr packet = { .packet_id = htonl(PACKET_ID), .hook = hook };

	packet.hw_protocol = htons(0x0800);
	mnl_attr_put(&made->header, NFQA_PACKET_HDR, sizeof(packet), &packet);
}

static void put_number(struct made *made, uint16_t type, uint32_t number)
{
	mnl_attr_put_u32(&made->header, type, htonl(number));
}

/* The payload comes last, and the kernel does not pad what comes last. */
static void end(struct made *made, size_t payload)
{
	struct nlmsghdr *header = &made->header;

	mnl_attr_put(header, NFQA_PAYLOAD, payload, packet_bytes);
	header->nlmsg_len -= (uint32_t)((4 - payload % 4) % 4);
	made->length = header->nlmsg_len;
}

/* The order of nfqnl_build_packet_message(). */
static struct made usual(uint8_t hook)
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
static enum nfmessage_kind parse(const uint8_t *bytes, size_t length, struct nfmessage *message)
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

static bool find_id(const uint8_t *bytes, size_t length, uint32_t *id)
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

static void expect(const struct made *made, enum nfmessage_kind kind, struct nfmessage *message)
{
	assert_int_equal(parse(made->bytes, made->length, message), kind);
}

static void expect_id(const struct made *made)
{
	uint32_t id = 0;

	assert_true(find_id(made->bytes, made->length, &id));
	assert_int_equal(id, PACKET_ID);
}

static void test_a_usual_message(void **state)
{
	const struct made made = usual(NF_INET_LOCAL_IN);
	struct nfmessage message;

	(void)state;
	expect(&made, NFMESSAGE_PACKET, &message);
	assert_int_equal(message.captured, sizeof(packet_bytes));
	assert_memory_equal(message.bytes, packet_bytes, sizeof(packet_bytes));
	assert_int_equal(message.length, 1500);
	assert_int_equal(message.ifindex, 7);
	assert_false(message.forwarded);
	assert_true(message.checksum_pending);
	expect_id(&made);
}

/* Before 3.8 the kernel sent neither length nor flags, and not every packet has an interface. */
static void test_the_least_message(void **state)
{
	struct nfmessage message;
	struct made made;

	(void)state;
	begin(&made);
	put_packet_header(&made, NF_INET_PRE_ROUTING);
	end(&made, 60);
	expect(&made, NFMESSAGE_PACKET, &message);
	assert_int_equal(message.captured, 60);
	assert_int_equal(message.length, 60);
	assert_int_equal(message.ifindex, 0);
	assert_false(message.forwarded);
	assert_false(message.checksum_pending);
	expect_id(&made);
}

static void test_only_forward_is_forwarded(void **state)
{
	struct nfmessage message;
	uint8_t hook;

	(void)state;
	for (hook = 0; hook < 8; hook++) {
		const struct made made = usual(hook);

		expect(&made, NFMESSAGE_PACKET, &message);
		assert_int_equal(message.forwarded, hook == NF_INET_FORWARD);
	}
}

/* NFQA_SKB_CSUMNOTREADY, and not its neighbours GSO and CSUM_NOTVERIFIED. */
static void test_only_one_flag_is_a_pending_checksum(void **state)
{
	struct nfmessage message;
	struct made made;
	uint32_t flags;

	(void)state;
	for (flags = 0; flags < 16; flags++) {
		begin(&made);
		put_packet_header(&made, 1);
		put_number(&made, ATTRIBUTE_SKB_INFO, flags);
		end(&made, 60);
		expect(&made, NFMESSAGE_PACKET, &message);
		assert_int_equal(message.checksum_pending, flags % 2);
	}
}

/* A packet is as long as the kernel says, and at the least what is there of it. */
static void test_length_on_the_wire(void **state)
{
	static const uint32_t lengths[][2] = { { 60, 60 },
					       { 61, 61 },
					       { 1500, 1500 },
					       { 59, 60 },
					       { 0, 60 },
					       { 65535, 65535 },
					       { 0xffffffff, 0xffffffff } };
	struct nfmessage message;
	struct made made;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(lengths); i++) {
		begin(&made);
		put_packet_header(&made, 1);
		put_number(&made, ATTRIBUTE_CAP_LEN, lengths[i][0]);
		end(&made, 60);
		expect(&made, NFMESSAGE_PACKET, &message);
		assert_int_equal(message.captured, 60);
		assert_int_equal(message.length, lengths[i][1]);
	}
}

static void test_other_types_are_other(void **state)
{
	struct nfmessage message;
	unsigned int type;
	uint32_t id;

	(void)state;
	for (type = 0; type < 0x10000; type++) {
		struct made made = usual(1);

		if (type == TYPE)
			continue;
		made.header.nlmsg_type = (uint16_t)type;
		assert_int_equal(nfmessage_parse(made.bytes, made.length, &message),
				 NFMESSAGE_OTHER);
		assert_false(nfqueue_packet_id(made.bytes, made.length, &id));
	}
}

static void test_missing_or_short_attributes(void **state)
{
	struct nfmessage message;
	struct made made;
	uint32_t id;
	size_t size;

	(void)state;
	begin(&made); /* no packet header */
	end(&made, 60);
	expect(&made, NFMESSAGE_DAMAGED, &message);
	assert_false(find_id(made.bytes, made.length, &id));
	begin(&made); /* no payload: it has to be accepted all the same */
	put_packet_header(&made, 1);
	made.length = made.header.nlmsg_len;
	expect(&made, NFMESSAGE_DAMAGED, &message);
	expect_id(&made);
	begin(&made); /* nothing at all */
	made.length = made.header.nlmsg_len;
	expect(&made, NFMESSAGE_DAMAGED, &message);
	for (size = 0; size < sizeof(struct nfqnl_msg_packet_hdr); size++) {
		begin(&made);
		mnl_attr_put(&made.header, NFQA_PACKET_HDR, size, packet_bytes);
		end(&made, 60);
		expect(&made, NFMESSAGE_DAMAGED, &message);
		assert_false(find_id(made.bytes, made.length, &id));
	}
}

/* Even without a byte of payload it is a message about a packet, for the decoder to judge. */
static void test_an_empty_payload(void **state)
{
	struct nfmessage message;
	struct made made;

	(void)state;
	begin(&made);
	put_packet_header(&made, 1);
	end(&made, 0);
	expect(&made, NFMESSAGE_PACKET, &message);
	assert_int_equal(message.captured, 0);
	expect_id(&made);
}

static void test_numbers_that_are_too_short(void **state)
{
	static const uint16_t types[] = { NFQA_IFINDEX_INDEV, ATTRIBUTE_CAP_LEN,
					  ATTRIBUTE_SKB_INFO };
	struct nfmessage message;
	struct made made;
	size_t i, size;

	(void)state;
	for (i = 0; i < COUNT(types); i++) {
		for (size = 0; size < 4; size++) {
			begin(&made);
			put_packet_header(&made, 1);
			mnl_attr_put(&made.header, types[i], size, "\xff\xff\xff\xff");
			end(&made, 60);
			expect_id(&made);
			if (parse(made.bytes, made.length, &message) != NFMESSAGE_PACKET)
				continue;
			assert_int_equal(message.ifindex, 0);
			assert_int_equal(message.length, 60);
			assert_false(message.checksum_pending);
		}
	}
}

/* The socket's message was longer than the buffer, or the header says so. */
static void test_cut_at_each_length(void **state)
{
	const struct made made = usual(1);
	struct nfmessage message;
	uint32_t id;
	size_t length;

	(void)state;
	for (length = 0; length < made.length; length++) {
		assert_int_equal(parse(made.bytes, length, &message), NFMESSAGE_DAMAGED);
		assert_false(find_id(made.bytes, length, &id));
	}
}

/* The same with a header that agrees: as much as there is of the attributes counts. */
static void test_shorter_at_each_length(void **state)
{
	struct made made = usual(1);
	const size_t whole = made.length,
		     ids_from = 16 + 4 + 4 + sizeof(struct nfqnl_msg_packet_hdr);
	struct nfmessage message;
	uint32_t id;

	(void)state;
	for (made.length = 0; made.length < whole; made.length++) {
		made.header.nlmsg_len = (uint32_t)made.length;
		expect(&made, NFMESSAGE_DAMAGED, &message);
		if (made.length < ids_from)
			assert_false(find_id(made.bytes, made.length, &id));
		else
			expect_id(&made);
	}
}

static void claim_length(const struct made *good, size_t at, unsigned int claim)
{
	struct made made = *good;
	struct nfmessage message;
	uint32_t id;

	memcpy(made.bytes + at, &(uint16_t){ (uint16_t)claim }, sizeof(uint16_t));
	parse(made.bytes, made.length, &message);
	if (at > 20)
		expect_id(&made); /* it comes before the lie */
	else
		find_id(made.bytes, made.length, &id);
}

/* Every attribute claims every length there is. */
static void test_attributes_that_lie_about_their_length(void **state)
{
	const struct made good = usual(1);
	unsigned int claim, attributes = 0;
	uint16_t length;
	size_t at;

	(void)state;
	for (at = 20; at < good.length; at += (length + 3U) & ~3U, attributes++) {
		memcpy(&length, good.bytes + at, sizeof(length));
		for (claim = 0; claim < 0x10000; claim += claim < 400 ? 1 : 977)
			claim_length(&good, at, claim);
	}
	assert_int_equal(attributes, 7);
}

static void test_headers_that_lie_about_their_length(void **state)
{
	struct made made = usual(1);
	struct nfmessage message;
	uint32_t id, claim;

	(void)state;
	for (claim = 0; claim < 1000; claim++) {
		made.header.nlmsg_len = claim;
		if (claim < 16 || claim > made.length) {
			expect(&made, NFMESSAGE_DAMAGED, &message);
			assert_false(find_id(made.bytes, made.length, &id));
		}
		parse(made.bytes, made.length, &message);
	}
	made.header.nlmsg_len = UINT32_MAX;
	expect(&made, NFMESSAGE_DAMAGED, &message);
	assert_false(find_id(made.bytes, made.length, &id));
}

/* All that a kernel adds without being asked, on a bridge with a VLAN even: it fits a slot. */
static void test_the_largest_message_fits_a_slot(void **state)
{
	static const char filler[NFQUEUE_COPY_RANGE];
	struct nfmessage message;
	struct made made;
	uint16_t type;

	(void)state;
	begin(&made);
	put_packet_header(&made, 1);
	for (type = NFQA_IFINDEX_INDEV; type <= NFQA_IFINDEX_PHYSOUTDEV; type++)
		put_number(&made, type, 7);
	put_number(&made, NFQA_MARK, 7);
	put_number(&made, 21, 7); /* NFQA_PRIORITY */
	put_number(&made, 22, 7); /* NFQA_CGROUP_CLASSID */
	put_number(&made, ATTRIBUTE_CAP_LEN, 1500);
	put_number(&made, ATTRIBUTE_SKB_INFO, 0);
	mnl_attr_put(&made.header, NFQA_HWADDR, 12, filler);
	mnl_attr_put(&made.header, NFQA_TIMESTAMP, 16, filler);
	mnl_attr_put(&made.header, 19, 16, filler); /* NFQA_VLAN */
	mnl_attr_put(&made.header, 20, 18, filler); /* NFQA_L2HDR */
	mnl_attr_put(&made.header, NFQA_PAYLOAD, sizeof(filler), filler);
	made.length = made.header.nlmsg_len;
	assert_true(made.length <= RING_SLOT_BYTES);
	expect(&made, NFMESSAGE_PACKET, &message);
	assert_int_equal(message.captured, NFQUEUE_COPY_RANGE);
	expect_id(&made);
}

static uint64_t seed;

/* Where the analyst sees a packet, the receiver has seen an id. */
static void test_random_mutations(void **state)
{
	const struct made good = usual(1);
	uint64_t dice = seed;
	struct nfmessage message;
	unsigned int packets = 0, i;
	uint32_t id, n;

	(void)state;
	for (i = 0; i < MUTATIONS; i++) {
		struct made made = good;

		for (n = unit_below(&dice, 3); n > 0; n--)
			made.bytes[unit_below(&dice, (uint32_t)made.length)] =
				(uint8_t)(unit_random(&dice) >> unit_below(&dice, 8));
		made.length -= unit_below(&dice, 4) == 0 ? unit_below(&dice, 80) : 0;
		if (unit_below(&dice, 2) != 0)
			made.header.nlmsg_len = (uint32_t)made.length;
		if (parse(made.bytes, made.length, &message) == NFMESSAGE_PACKET) {
			assert_true(find_id(made.bytes, made.length, &id));
			packets++;
		}
		find_id(made.bytes, made.length, &id);
	}
	assert_in_range(packets, MUTATIONS / 10, MUTATIONS - MUTATIONS / 10);
}

int main(void)
{
	const struct CMUnitTest nfmessage[] = {
		cmocka_unit_test(test_a_usual_message),
		cmocka_unit_test(test_the_least_message),
		cmocka_unit_test(test_only_forward_is_forwarded),
		cmocka_unit_test(test_only_one_flag_is_a_pending_checksum),
		cmocka_unit_test(test_length_on_the_wire),
		cmocka_unit_test(test_other_types_are_other),
		cmocka_unit_test(test_missing_or_short_attributes),
		cmocka_unit_test(test_an_empty_payload),
		cmocka_unit_test(test_numbers_that_are_too_short),
		cmocka_unit_test(test_cut_at_each_length),
		cmocka_unit_test(test_shorter_at_each_length),
		cmocka_unit_test(test_attributes_that_lie_about_their_length),
		cmocka_unit_test(test_headers_that_lie_about_their_length),
		cmocka_unit_test(test_the_largest_message_fits_a_slot),
		cmocka_unit_test(test_random_mutations),
	};

	seed = unit_seed("nfmessage");
	return cmocka_run_group_tests(nfmessage, NULL, NULL);
}
