/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds src/source/nfmessage.c and nfqueue_packet_id() to what an NFQUEUE message says. The second
 * decides whether a packet is accepted at all, so it has to find the id in everything that a kernel
 * sends; the first feeds the analyst. nfmessage_damaged.c has messages that no kernel sends.
 */
#include "unit.h"

#include "netlink.h"
#include "source/ring.h"

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

/*
 * Such a kernel does not say either that it cut a packet: what is as long as the copy range may be
 * of any length, so that only the IP header knows; what is shorter is all there was.
 */
static void test_a_length_that_nobody_tells(void **state)
{
	static const char filler[NFQUEUE_COPY_RANGE];
	struct nfmessage message;
	struct made made;
	size_t size;

	(void)state;
	for (size = NFQUEUE_COPY_RANGE - 2; size <= NFQUEUE_COPY_RANGE; size++) {
		begin(&made);
		put_packet_header(&made, 1);
		mnl_attr_put(&made.header, NFQA_PAYLOAD, size, filler);
		made.length = made.header.nlmsg_len;
		expect(&made, NFMESSAGE_PACKET, &message);
		assert_int_equal(message.captured, size);
		assert_int_equal(message.length, size < NFQUEUE_COPY_RANGE ? size : SIZE_MAX);
		put_number(&made, ATTRIBUTE_CAP_LEN, NFQUEUE_COPY_RANGE);
		made.length = made.header.nlmsg_len;
		expect(&made, NFMESSAGE_PACKET, &message);
		assert_int_equal(message.length, NFQUEUE_COPY_RANGE);
	}
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

/* The hook tells which way a packet goes, and so which of its two interfaces is told of. */
static void test_the_way_of_each_hook(void **state)
{
	static const uint8_t ways[NF_INET_NUMHOOKS] = {
		[NF_INET_PRE_ROUTING] = SYNPAWS_WAY_ANY,  [NF_INET_LOCAL_IN] = SYNPAWS_WAY_IN,
		[NF_INET_FORWARD] = SYNPAWS_WAY_ANY,	  [NF_INET_LOCAL_OUT] = SYNPAWS_WAY_OUT,
		[NF_INET_POST_ROUTING] = SYNPAWS_WAY_OUT,
	};
	struct nfmessage message;
	struct made made;
	uint8_t hook;

	(void)state;
	for (hook = 0; hook < NF_INET_NUMHOOKS; hook++) {
		begin(&made);
		put_packet_header(&made, hook);
		put_number(&made, NFQA_IFINDEX_INDEV, 7);
		put_number(&made, NFQA_IFINDEX_OUTDEV, 9);
		end(&made, 60);
		expect(&made, NFMESSAGE_PACKET, &message);
		assert_int_equal(message.way, ways[hook]);
		assert_int_equal(message.ifindex, ways[hook] == SYNPAWS_WAY_OUT ? 9 : 7);
	}
	begin(&made);
	put_packet_header(&made, 200);
	end(&made, 60);
	expect(&made, NFMESSAGE_PACKET, &message);
	assert_int_equal(message.way, SYNPAWS_WAY_ANY);
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

int main(void)
{
	const struct CMUnitTest nfmessage[] = {
		cmocka_unit_test(test_a_usual_message),
		cmocka_unit_test(test_the_least_message),
		cmocka_unit_test(test_a_length_that_nobody_tells),
		cmocka_unit_test(test_only_forward_is_forwarded),
		cmocka_unit_test(test_the_way_of_each_hook),
		cmocka_unit_test(test_only_one_flag_is_a_pending_checksum),
		cmocka_unit_test(test_length_on_the_wire),
		cmocka_unit_test(test_other_types_are_other),
		cmocka_unit_test(test_an_empty_payload),
		cmocka_unit_test(test_the_largest_message_fits_a_slot),
	};

	return cmocka_run_group_tests(nfmessage, NULL, NULL);
}
