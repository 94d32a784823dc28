/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds src/source/capture_twice.c to passing over the second sight of a packet and never another
 * packet, and src/source/capture_own.c to knowing this machine's addresses.
 */
#include "syn.h"

#include "source/capture_own.h"
#include "source/capture_twice.h"

#define MS	1000000ULL
#define EARLIER 7
#define LATER	9

static struct synpaws_segment usual(void)
{
	return syn("198.51.100.11", "10.99.0.1", UNIT_SECOND, 1000000);
}

static struct capture_twice *new_twice(void)
{
	static const uint8_t key[16] = { 1, 2, 3 };
	struct capture_twice *twice = capture_twice_new(key);

	assert_non_null(twice);
	return twice;
}

static void test_second_sight(void **state)
{
	struct capture_twice *twice = new_twice();
	struct synpaws_segment seg = usual();

	(void)state;
	assert_false(capture_twice_seen(twice, &seg, EARLIER));
	seg.time_ns += MS;
	seg.ifindex = 3;
	assert_true(capture_twice_seen(twice, &seg, LATER));
	assert_true(capture_twice_seen(twice, &seg, LATER + 1));
	capture_twice_free(twice);
}

/* Two interfaces may show a packet in either order of time. */
static void test_seen_earlier_elsewhere(void **state)
{
	struct capture_twice *twice = new_twice();
	struct synpaws_segment seg = usual();

	(void)state;
	assert_false(capture_twice_seen(twice, &seg, EARLIER));
	seg.time_ns -= MS;
	assert_true(capture_twice_seen(twice, &seg, LATER));
	capture_twice_free(twice);
}

/* At the same place it is another packet, though it looks the same; and so is its second sight. */
static void test_sent_again(void **state)
{
	struct capture_twice *twice = new_twice();
	struct synpaws_segment seg = usual();
	int i;

	(void)state;
	for (i = 0; i < 5; i++) {
		seg.time_ns += MS;
		assert_false(capture_twice_seen(twice, &seg, EARLIER));
		assert_true(capture_twice_seen(twice, &seg, LATER));
	}
	capture_twice_free(twice);
}

static void test_too_late(void **state)
{
	struct capture_twice *twice = new_twice();
	struct synpaws_segment seg = usual();

	(void)state;
	assert_false(capture_twice_seen(twice, &seg, EARLIER));
	seg.time_ns += CAPTURE_TWICE_NS;
	assert_true(capture_twice_seen(twice, &seg, LATER));
	seg.time_ns++;
	assert_false(capture_twice_seen(twice, &seg, LATER));
	capture_twice_free(twice);
}

/* One bit of any field makes another packet. */
static void test_every_field_counts(void **state)
{
	struct synpaws_segment base = usual(), seg;
	struct capture_twice *twice;
	int field;

	(void)state;
	for (field = 0; field < 13; field++) {
		seg = base;
		seg.source[0] ^= field == 0;
		seg.destination[15] ^= field == 1;
		seg.seq ^= field == 2;
		seg.ack ^= field == 3;
		seg.payload ^= field == 4;
		seg.tsval ^= field == 5;
		seg.tsecr ^= field == 6;
		seg.source_port ^= field == 7;
		seg.destination_port ^= field == 8;
		seg.window ^= field == 9;
		seg.ip_id ^= field == 10;
		seg.flags ^= field == 11;
		seg.ip_version ^= field == 12 ? 2 : 0;
		twice = new_twice();
		assert_false(capture_twice_seen(twice, &base, EARLIER));
		if (capture_twice_seen(twice, &seg, LATER))
			fail_msg("field %d is passed over", field);
		capture_twice_free(twice);
	}
}

static bool has(const struct capture_own *own, const char *text)
{
	uint8_t address[16];
	const uint8_t version = syn_address(text, address);

	return capture_own_has(own, version, address);
}

static void add(struct capture_own *own, const char *text)
{
	uint8_t address[16];
	const uint8_t version = syn_address(text, address);

	assert_true(capture_own_add(own, version, address));
}

static void test_own_addresses(void **state)
{
	struct capture_own *own = capture_own_new();

	(void)state;
	assert_non_null(own);
	assert_false(has(own, "192.0.2.1"));
	add(own, "192.0.2.200");
	add(own, "2001:db8::1");
	add(own, "10.0.0.1");
	add(own, "192.0.2.1");
	assert_true(has(own, "192.0.2.1") && has(own, "192.0.2.200") && has(own, "10.0.0.1"));
	assert_true(has(own, "2001:db8::1"));
	assert_false(has(own, "192.0.2.2") || has(own, "2001:db8::2"));
	/* The bytes of an IPv4 address are no IPv6 address. */
	assert_false(has(own, "a00:1::"));
	assert_true(has(own, "127.0.0.1") && has(own, "127.255.0.9"));
	assert_false(has(own, "7f00:1::"));
	capture_own_free(own);
}

static bool within(const struct capture_own *own, const char *text, uint8_t bits)
{
	struct synpaws_prefix prefix = { .bits = bits };

	prefix.ip_version = syn_address(text, prefix.address);
	return capture_own_within(own, &prefix);
}

static void test_networks(void **state)
{
	struct capture_own *own = capture_own_new();

	(void)state;
	assert_false(within(own, "0.0.0.0", 0));
	add(own, "192.0.2.129");
	add(own, "2001:db8:ffff::1");
	assert_true(within(own, "192.0.2.129", 32) && within(own, "192.0.2.128", 31));
	assert_true(within(own, "192.0.2.255", 25) && within(own, "192.0.2.0", 24));
	assert_true(within(own, "10.0.0.0", 0) && within(own, "::", 0));
	assert_false(within(own, "192.0.2.128", 32) || within(own, "192.0.2.0", 25));
	assert_true(within(own, "2001:db8:ffff::1", 128) && within(own, "2001:db8:8000::", 33));
	assert_false(within(own, "2001:db8::", 33) || within(own, "2001:db8:ffff::", 128));
	capture_own_free(own);
}

static void test_refresh_forgets(void **state)
{
	struct capture_own *own = capture_own_new();

	(void)state;
	add(own, "192.0.2.1");
	assert_int_equal(capture_own_refresh(own), 0);
	assert_false(has(own, "192.0.2.1"));
	capture_own_free(own);
}

static void test_full(void **state)
{
	struct capture_own *own = capture_own_new();
	uint8_t address[16] = { 0 };
	int i;

	(void)state;
	for (i = 0; i <= CAPTURE_OWN_MOST; i++) {
		address[14] = (uint8_t)(i >> 8);
		address[15] = (uint8_t)i;
		assert_int_equal(capture_own_add(own, 6, address), i < CAPTURE_OWN_MOST);
	}
	assert_false(capture_own_has(own, 6, address));
	capture_own_free(own);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_second_sight),
		cmocka_unit_test(test_seen_earlier_elsewhere),
		cmocka_unit_test(test_sent_again),
		cmocka_unit_test(test_too_late),
		cmocka_unit_test(test_every_field_counts),
		cmocka_unit_test(test_own_addresses),
		cmocka_unit_test(test_networks),
		cmocka_unit_test(test_refresh_forgets),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
