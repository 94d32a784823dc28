/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds src/os/metrics.c to the messages of a tcp_metrics dump: as kernels from 3.7 to 4.11 make
 * them, as later ones do, and damaged ones, of which no byte behind their end is read. The running
 * kernel is asked too.
 */
#include "unit.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>

#include "os/metrics.h"

enum { PEER4 = 1, PEER6 = 2, AGE = 3, TSVAL = 4, STAMP = 5, VALUES = 6, LOCAL4 = 11, LOCAL6 = 12 };

/* Up to the first attribute. */
#define HEADERS 20U

struct made {
	union {
		struct nlmsghdr header;
		uint8_t bytes[512];
	};
};

static void begin(struct made *made)
{
	memset(made, 0, sizeof(*made));
	mnl_nlmsg_put_header(made->bytes);
	made->header.nlmsg_type = 0x1b;
	made->header.nlmsg_flags = NLM_F_MULTI;
	mnl_nlmsg_put_extra_header(&made->header, sizeof(struct genlmsghdr));
}

static void put_address(struct made *made, uint16_t type, const char *text)
{
	const int family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;
	uint8_t address[16];

	assert_int_equal(inet_pton(family, text, address), 1);
	mnl_attr_put(&made->header, type, family == AF_INET ? 4 : 16, address);
}

/* The order of tcp_metrics_fill_info() of Linux 4.9. */
static struct made usual(const char *peer, const char *local)
{
	const bool ipv6 = strchr(peer, ':') != NULL;
	struct made made;

	begin(&made);
	put_address(&made, ipv6 ? PEER6 : PEER4, peer);
	if (local != NULL)
		put_address(&made, ipv6 ? LOCAL6 : LOCAL4, local);
	mnl_attr_put_u64(&made.header, AGE, 123456);
	mnl_attr_put_u32(&made.header, STAMP, 17);
	mnl_attr_put_u32(&made.header, TSVAL, 0xfffffff0);
	mnl_attr_put_u64(&made.header, VALUES | NLA_F_NESTED, 0);
	return made;
}

/* Parse a copy that ends where it is said to end. */
static bool parse(const void *bytes, size_t length, struct metrics_entry *entry)
{
	uint8_t *copy = malloc(length > 0 ? length : 1);
	bool good;

	assert_non_null(copy);
	memcpy(copy, bytes, length);
	good = metrics_parse(copy, length, entry);
	free(copy);
	return good;
}

static bool parse_made(const struct made *made, struct metrics_entry *entry)
{
	return parse(made->bytes, made->header.nlmsg_len, entry);
}

static void expect_address(const uint8_t address[16], const char *text)
{
	char is[INET6_ADDRSTRLEN];

	inet_ntop(strchr(text, ':') != NULL ? AF_INET6 : AF_INET, address, is, sizeof(is));
	assert_string_equal(is, text);
}

static void test_ipv4(void **state)
{
	const struct made made = usual("203.0.113.7", "192.0.2.80");
	static const uint8_t nothing[12];
	struct metrics_entry entry;

	(void)state;
	assert_true(parse_made(&made, &entry));
	assert_int_equal(entry.ip_version, 4);
	expect_address(entry.peer, "203.0.113.7");
	assert_memory_equal(entry.peer + 4, nothing, sizeof(nothing));
	assert_true(entry.has_local);
	expect_address(entry.local, "192.0.2.80");
	assert_true(entry.has_stamp);
	assert_int_equal(entry.tsval, 0xfffffff0);
	assert_int_equal(entry.age, 17);
}

static void test_ipv6(void **state)
{
	const struct made made = usual("2001:db8::7", "2001:db8:5::80");
	struct metrics_entry entry;

	(void)state;
	assert_true(parse_made(&made, &entry));
	assert_int_equal(entry.ip_version, 6);
	expect_address(entry.peer, "2001:db8::7");
	assert_true(entry.has_local);
	expect_address(entry.local, "2001:db8:5::80");
	assert_true(entry.has_stamp);
}

/* Up to 3.13 a table of peers; without a stamp neither attribute comes. */
static void test_what_may_lack(void **state)
{
	struct made made = usual("203.0.113.7", NULL);
	struct metrics_entry entry;

	(void)state;
	assert_true(parse_made(&made, &entry));
	assert_false(entry.has_local);
	assert_true(entry.has_stamp);
	begin(&made);
	put_address(&made, PEER4, "203.0.113.7");
	assert_true(parse_made(&made, &entry));
	assert_false(entry.has_stamp);
	mnl_attr_put_u32(&made.header, TSVAL, 5);
	assert_true(parse_made(&made, &entry));
	assert_false(entry.has_stamp);
	mnl_attr_put_u32(&made.header, STAMP, (uint32_t)-3);
	assert_true(parse_made(&made, &entry));
	assert_true(entry.has_stamp);
	assert_int_equal(entry.age, -3); /* the clock was set back */
}

static void test_no_peer(void **state)
{
	struct metrics_entry entry;
	struct made made;

	(void)state;
	begin(&made);
	assert_false(parse_made(&made, &entry));
	put_address(&made, LOCAL4, "192.0.2.80");
	mnl_attr_put_u32(&made.header, TSVAL, 5);
	mnl_attr_put_u32(&made.header, STAMP, 5);
	assert_false(parse_made(&made, &entry));
	mnl_attr_put(&made.header, PEER6, 4, "abcd"); /* half an address */
	assert_false(parse_made(&made, &entry));
}

static void test_short_attributes(void **state)
{
	struct metrics_entry entry;
	struct made made;

	(void)state;
	begin(&made);
	put_address(&made, PEER4, "203.0.113.7");
	mnl_attr_put_u16(&made.header, TSVAL, 5);
	mnl_attr_put(&made.header, STAMP, 0, "");
	mnl_attr_put(&made.header, LOCAL6, 15, "fifteen bytes..");
	assert_true(parse_made(&made, &entry));
	assert_false(entry.has_stamp);
	assert_false(entry.has_local);
}

/* Every length that a message can be cut to, and every length that it can claim. */
static void test_cut_short(void **state)
{
	struct made made = usual("2001:db8::7", "2001:db8:5::80");
	const uint32_t whole = made.header.nlmsg_len;
	struct metrics_entry entry;
	uint32_t length;

	(void)state;
	for (length = 0; length < whole; length++)
		assert_false(parse(made.bytes, length, &entry)); /* it claims more */
	for (length = 0; length <= whole; length++) {
		made.header.nlmsg_len = length;
		if (length < HEADERS + 4 + 16)
			assert_false(parse(made.bytes, length, &entry));
		else
			assert_true(parse(made.bytes, length, &entry));
		assert_int_equal(entry.has_stamp, length >= whole - 12);
	}
	made.header.nlmsg_len = 0x80000010;
	assert_false(parse(made.bytes, whole, &entry));
}

static void test_attributes_that_lie(void **state)
{
	struct made made = usual("203.0.113.7", NULL);
	struct nlattr *first = (struct nlattr *)(made.bytes + HEADERS);
	static const uint16_t lies[] = { 0, 3, 0xffff, 0x7fff, 200 };
	struct metrics_entry entry;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(lies); i++) {
		first->nla_len = lies[i];
		assert_false(parse_made(&made, &entry));
	}
	first->nla_len = 4; /* empty: it would fall on the address next */
	assert_false(parse_made(&made, &entry));
}

static void test_random_bytes(void **state)
{
	uint64_t random = unit_seed("metrics");
	struct metrics_entry entry;
	struct made made;
	int round;

	(void)state;
	for (round = 0; round < 20000; round++) {
		uint32_t flips = unit_below(&random, 8) + 1;

		made = usual(round % 2 ? "203.0.113.7" : "2001:db8::7", NULL);
		while (flips-- > 0)
			made.bytes[unit_below(&random, 100)] = (uint8_t)unit_random(&random);
		if (parse(made.bytes, unit_below(&random, 120), &entry))
			assert_true(entry.ip_version == 4 || entry.ip_version == 6);
	}
}

static void count(void *context, const struct metrics_entry *entry)
{
	assert_true(entry->ip_version == 4 || entry->ip_version == 6);
	++*(uint64_t *)context;
}

/* Whatever kernel this is, a line says why where there are no stamps. */
static void test_of_this_kernel(void **state)
{
	struct metrics_counts counts;
	uint64_t seen = 0;
	char note[256];

	(void)state;
	if (metrics_dump(count, &seen, &counts, note, sizeof(note)) == 0) {
		assert_int_equal(seen, counts.entries);
		assert_int_equal(counts.damaged, 0);
		assert_int_equal(*note == '\0', counts.stamped > 0);
	} else {
		assert_true(*note != '\0');
	}
	assert_null(strchr(note, '\n'));
}

int main(void)
{
	const struct CMUnitTest metrics[] = {
		cmocka_unit_test(test_ipv4),
		cmocka_unit_test(test_ipv6),
		cmocka_unit_test(test_what_may_lack),
		cmocka_unit_test(test_no_peer),
		cmocka_unit_test(test_short_attributes),
		cmocka_unit_test(test_cut_short),
		cmocka_unit_test(test_attributes_that_lie),
		cmocka_unit_test(test_random_bytes),
		cmocka_unit_test(test_of_this_kernel),
	};

	return cmocka_run_group_tests(metrics, NULL, NULL);
}
