/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds src/source/nfmessage.c and nfqueue_packet_id() to messages that are not what they say: cut
 * short, with parts missing, with every length in them wrong in every way. Both are given memory
 * that ends where the message does and must stay inside; what they find must lie inside too; and
 * where the analyst sees a packet, the receiver has seen an id, since else it was never accepted.
 */
#include "unit.h"

#include "netlink.h"

#define MUTATIONS 200000

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
	const struct CMUnitTest nfmessage_damaged[] = {
		cmocka_unit_test(test_missing_or_short_attributes),
		cmocka_unit_test(test_numbers_that_are_too_short),
		cmocka_unit_test(test_cut_at_each_length),
		cmocka_unit_test(test_shorter_at_each_length),
		cmocka_unit_test(test_attributes_that_lie_about_their_length),
		cmocka_unit_test(test_headers_that_lie_about_their_length),
		cmocka_unit_test(test_random_mutations),
	};

	seed = unit_seed("nfmessage_damaged");
	return cmocka_run_group_tests(nfmessage_damaged, NULL, NULL);
}
