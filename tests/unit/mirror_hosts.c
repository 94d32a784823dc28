/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds src/core/mirror.c to its configuration: whose SYNs it judges (prefixes of any length, of
 * either IP version, never of both), what it refuses, what it copies, and what it says of its
 * table. The rules themselves are mirror.c's matter.
 */
#include "unit.h"

#include <errno.h>

#include <synpaws/mirror.h>

#include "syn.h"

#define N UNIT_SECOND

struct host_row {
	const char *name;
	const char *prefix;
	uint8_t bits;
	const char *destination;
	bool judged;
};

static const struct host_row rows[] = {
	{ "192.0.2.77/32 is that address", "192.0.2.77", 32, "192.0.2.77", true },
	{ "192.0.2.77/32 is not .76", "192.0.2.77", 32, "192.0.2.76", false },
	{ "192.0.2.77/31 is .76 too", "192.0.2.77", 31, "192.0.2.76", true },
	{ "192.0.2.77/31 is not .78", "192.0.2.77", 31, "192.0.2.78", false },
	{ "192.0.2.77/24 is .0", "192.0.2.77", 24, "192.0.2.0", true },
	{ "192.0.2.77/24 is .255", "192.0.2.77", 24, "192.0.2.255", true },
	{ "192.0.2.77/24 is not 192.0.3.77", "192.0.2.77", 24, "192.0.3.77", false },
	{ "192.0.2.77/23 is 192.0.3.77", "192.0.2.77", 23, "192.0.3.77", true },
	{ "192.0.2.77/8 is 192.255.255.255", "192.0.2.77", 8, "192.255.255.255", true },
	{ "192.0.2.77/8 is not 193.0.2.77", "192.0.2.77", 8, "193.0.2.77", false },
	{ "192.0.2.77/1 is 128.0.0.0", "192.0.2.77", 1, "128.0.0.0", true },
	{ "192.0.2.77/1 is not 127.255.255.255", "192.0.2.77", 1, "127.255.255.255", false },
	{ "0.0.0.0/0 is all of IPv4", "0.0.0.0", 0, "255.255.255.255", true },
	{ "192.0.2.77/0 is all of IPv4", "192.0.2.77", 0, "10.0.0.1", true },
	{ "0.0.0.0/0 is no IPv6", "0.0.0.0", 0, "2001:db8::1", false },
	{ "0.0.0.0/0 is not even ::", "0.0.0.0", 0, "::", false },
	{ "2001:db8::1/128 is that address", "2001:db8::1", 128, "2001:db8::1", true },
	{ "2001:db8::1/128 is not ::2", "2001:db8::1", 128, "2001:db8::2", false },
	{ "2001:db8::1/128 is not ::", "2001:db8::1", 128, "2001:db8::", false },
	{ "2001:db8::1/127 is :: too", "2001:db8::1", 127, "2001:db8::", true },
	{ "2001:db8::1/127 is not ::2", "2001:db8::1", 127, "2001:db8::2", false },
	{ "2001:db8::1/64 is its whole network", "2001:db8::1", 64, "2001:db8::ffff:ffff:0:9",
	  true },
	{ "2001:db8::1/64 is not the next", "2001:db8::1", 64, "2001:db8:0:1::1", false },
	{ "2001:db8::1/63 is the next", "2001:db8::1", 63, "2001:db8:0:1::1", true },
	{ "::/0 is all of IPv6", "::", 0, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", true },
	{ "::/0 is no IPv4", "::", 0, "192.0.2.77", false },
	{ "an IPv6 prefix is not the IPv4 address of the same bytes", "c000:24d::", 32,
	  "192.0.2.77", false },
	{ "an IPv4 prefix is not the IPv6 address of the same bytes", "192.0.2.77", 32,
	  "c000:24d::", false },
	{ "::ffff:192.0.2.77/128 is not 192.0.2.77", "::ffff:192.0.2.77", 128, "192.0.2.77",
	  false },
};

static struct synpaws_prefix prefix_of(const struct host_row *row)
{
	struct synpaws_prefix prefix = { .bits = row->bits };

	prefix.ip_version = syn_address(row->prefix, prefix.address);
	return prefix;
}

static struct synpaws_outcome judge(const struct synpaws_mirror_config *config,
				    const char *destination)
{
	struct synpaws_mirror *mirror = syn_mirror(*config);
	const bool six = strchr(destination, ':') != NULL;
	struct synpaws_segment seg =
		syn(six ? "2001:db8:1::1" : "198.51.100.1", destination, N, 1000);
	struct synpaws_outcome outcome;

	assert_non_null(mirror);
	syn_judge(mirror, &seg);
	seg.tsval = 10;
	outcome = syn_judge(mirror, &seg);
	synpaws_mirror_free(mirror);
	return outcome;
}

static void test_host_row(void **state)
{
	const struct host_row *row = *state;
	const struct synpaws_prefix prefix = prefix_of(row);
	const struct synpaws_mirror_config config = { .profile = synpaws_profile_find("el7"),
						      .peers = 10,
						      .hosts = &prefix,
						      .host_count = 1 };
	const struct synpaws_outcome outcome = judge(&config, row->destination);

	assert_string_equal(synpaws_fate_name(outcome.fate), row->judged ? "paws-drop" : "none");
	assert_int_equal(outcome.recorded, row->judged);
}

/* One of several prefixes is enough, wherever it stands. */
static void test_any_of_several_hosts(void **state)
{
	struct synpaws_prefix prefixes[3];
	const struct synpaws_mirror_config config = { .profile = synpaws_profile_find("3.2"),
						      .peers = 10,
						      .hosts = prefixes,
						      .host_count = 3 };

	(void)state;
	memset(prefixes, 0, sizeof(prefixes));
	prefixes[0].ip_version = syn_address("192.0.2.1", prefixes[0].address);
	prefixes[0].bits = 32;
	prefixes[1].ip_version = syn_address("2001:db8::", prefixes[1].address);
	prefixes[1].bits = 32;
	prefixes[2].ip_version = syn_address("10.99.0.0", prefixes[2].address);
	prefixes[2].bits = 30;
	assert_int_equal(judge(&config, "192.0.2.1").fate, SYNPAWS_FATE_PAWS_DROP);
	assert_int_equal(judge(&config, "2001:db8:1234::5").fate, SYNPAWS_FATE_PAWS_DROP);
	assert_int_equal(judge(&config, "10.99.0.3").fate, SYNPAWS_FATE_PAWS_DROP);
	assert_int_equal(judge(&config, "10.99.0.4").fate, SYNPAWS_FATE_NONE);
	assert_int_equal(judge(&config, "192.0.2.2").fate, SYNPAWS_FATE_NONE);
	assert_int_equal(judge(&config, "2001:db9::").fate, SYNPAWS_FATE_NONE);
}

/* With IPv6 off, a SYN to nobody we watch is still none of our business. */
static void test_other_hosts_come_before_not_checked(void **state)
{
	const struct host_row row = { "", "2001:db8::1", 128, "", true };
	const struct synpaws_prefix prefix = prefix_of(&row);
	const struct synpaws_mirror_config config = { .profile = synpaws_profile_find("2.6.32"),
						      .peers = 10,
						      .hosts = &prefix,
						      .host_count = 1 };

	(void)state;
	assert_int_equal(judge(&config, "2001:db8::1").fate, SYNPAWS_FATE_NOT_CHECKED);
	assert_int_equal(judge(&config, "2001:db8::2").fate, SYNPAWS_FATE_NONE);
}

static void expect_refused(struct synpaws_mirror_config config, bool emit)
{
	errno = 0;
	assert_null(emit ? syn_mirror(config) : synpaws_mirror_new(&config));
	assert_int_equal(errno, EINVAL);
}

static void test_refuses_what_is_missing(void **state)
{
	const struct synpaws_mirror_config good = { .profile = synpaws_profile_find("el7"),
						    .peers = 10 };
	struct synpaws_mirror_config config = good;

	(void)state;
	config.profile = NULL;
	expect_refused(config, true);
	config = good;
	config.peers = 0;
	expect_refused(config, true);
	expect_refused(good, false);
	config = good;
	config.evidence = SYNPAWS_EVIDENCE_CLOSE; /* without room for flows */
	expect_refused(config, true);
	synpaws_mirror_free(NULL);
}

/* A prefix is no longer than an address, and has to be of one. */
static void test_refuses_long_prefixes(void **state)
{
	static const struct {
		uint8_t ip_version, bits;
		bool good;
	} lengths[] = { { 4, 32, true }, { 4, 33, false }, { 6, 128, true }, { 6, 129, false } };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(lengths); i++) {
		const struct synpaws_prefix prefixes[2] = { { .ip_version = 4, .bits = 8 },
							    { .ip_version = lengths[i].ip_version,
							      .bits = lengths[i].bits } };
		const struct synpaws_mirror_config config = { .profile =
								      synpaws_profile_find("el7"),
							      .peers = 10,
							      .hosts = prefixes,
							      .host_count = 2 };

		if (lengths[i].good)
			synpaws_mirror_free(syn_mirror(config));
		else
			expect_refused(config, true);
	}
}

static void test_copies_the_configuration(void **state)
{
	struct synpaws_mirror_config config = { .profile = synpaws_profile_find("2.6.32"),
						.peers = 10 };
	const struct synpaws_segment seg = syn_plain("2001:db8::1", "2001:db8::2", N);
	struct synpaws_mirror *mirror;

	(void)state;
	config.emit = syn_keep;
	config.context = &syn_last;
	mirror = synpaws_mirror_new(&config);
	memset(&config, 0xff, sizeof(config));
	assert_int_equal(syn_judge(mirror, &seg).fate, SYNPAWS_FATE_NOT_CHECKED);
	synpaws_mirror_free(mirror);
}

static struct synpaws_mirror_stats stats_after(size_t room, uint32_t count, uint32_t second_step)
{
	const struct synpaws_mirror_config config = { .profile = synpaws_profile_find("el7"),
						      .peers = room };
	struct synpaws_mirror *mirror = syn_mirror(config);
	struct synpaws_segment seg = syn("0.0.0.0", "10.99.0.1", N, 1000);
	struct synpaws_mirror_stats stats;
	uint32_t i, address;

	assert_non_null(mirror);
	for (i = 0; i < count; i++) {
		address = htonl(i);
		memcpy(seg.source, &address, sizeof(address));
		syn_judge(mirror, &seg);
		seg.second += second_step;
	}
	memset(&stats, 0xa5, sizeof(stats));
	synpaws_mirror_stats(mirror, &stats);
	synpaws_mirror_free(mirror);
	return stats;
}

static void test_stats(void **state)
{
	struct synpaws_mirror_stats stats = stats_after(1000, 0, 0);

	(void)state;
	assert_int_equal(stats.evicted, 0);
	assert_int_equal(stats.peers, 0);
	assert_int_equal(stats.room, 1000);
	assert_in_range(stats.bytes, 16 * 1000, 24 * 1000);
	stats = stats_after(1000, 100, 0);
	assert_int_equal(stats.evicted, 0);
	assert_int_equal(stats.peers, 100);
}

/* All 4000 are of the same second, so whoever is not held was evicted; with 61 s each, none was. */
static void test_stats_count_what_was_lost(void **state)
{
	struct synpaws_mirror_stats stats = stats_after(1000, 4000, 0);

	(void)state;
	assert_int_equal(stats.evicted + stats.peers, 4000);
	assert_in_range(stats.peers, 1000, 1500);
	stats = stats_after(1000, 4000, 61);
	assert_int_equal(stats.evicted, 0);
}

/* "room: stamps that surely fit; up to a third more may" */
static void test_holds_its_room_and_not_much_more(void **state)
{
	const struct synpaws_mirror_stats stats = stats_after(1000, 4000, 0);

	(void)state;
	assert_true(stats.peers >= stats.room);
	assert_true(stats.peers <= stats.room + stats.room / 3 + 4);
}

/* Beyond SYNs there are flows, what is learnt of services, and outcomes that wait. */
static void test_all_memory_is_counted(void **state)
{
	struct synpaws_mirror_config config = { .profile = synpaws_profile_find("el7"),
						.peers = 1000 };
	size_t bytes[2], i;

	(void)state;
	for (i = 0; i < 2; i++) {
		struct synpaws_mirror *mirror;
		struct synpaws_mirror_stats stats;

		config.evidence = SYNPAWS_EVIDENCE_CLOSE;
		config.flows = 4 + 1000 * i;
		mirror = syn_mirror(config);
		assert_non_null(mirror);
		synpaws_mirror_stats(mirror, &stats);
		bytes[i] = stats.bytes;
		synpaws_mirror_free(mirror);
	}
	/* 65,536 ports that may be told of, with three facts and a delay each. */
	assert_true(bytes[0] > stats_after(1000, 0, 0).bytes + 65536 * (3 * 2 + 4));
	/* A flow, and a SYN that waits: with a copy of the flow as it was. */
	assert_true(bytes[1] - bytes[0] >= 1000 * (sizeof(struct synpaws_segment) +
						   sizeof(struct synpaws_outcome) + 2 * 200));
}

static void test_names_of_fates(void **state)
{
	(void)state;
	assert_string_equal(synpaws_fate_name(SYNPAWS_FATE_NONE), "none");
	assert_string_equal(synpaws_fate_name(SYNPAWS_FATE_PASS), "pass");
	assert_string_equal(synpaws_fate_name(SYNPAWS_FATE_NOT_CHECKED), "not-checked");
	assert_string_equal(synpaws_fate_name(SYNPAWS_FATE_PAWS_DROP), "paws-drop");
}

#define ALONE 10

int main(void)
{
	const struct CMUnitTest alone[ALONE] = {
		cmocka_unit_test(test_any_of_several_hosts),
		cmocka_unit_test(test_other_hosts_come_before_not_checked),
		cmocka_unit_test(test_refuses_what_is_missing),
		cmocka_unit_test(test_refuses_long_prefixes),
		cmocka_unit_test(test_copies_the_configuration),
		cmocka_unit_test(test_stats),
		cmocka_unit_test(test_stats_count_what_was_lost),
		cmocka_unit_test(test_holds_its_room_and_not_much_more),
		cmocka_unit_test(test_all_memory_is_counted),
		cmocka_unit_test(test_names_of_fates),
	};
	struct CMUnitTest mirror_hosts[COUNT(rows) + ALONE];
	size_t i;

	for (i = 0; i < COUNT(rows); i++)
		mirror_hosts[i] = unit_row(rows[i].name, test_host_row, &rows[i]);
	memcpy(&mirror_hosts[i], alone, sizeof(alone));
	return cmocka_run_group_tests(mirror_hosts, NULL, NULL);
}
