/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's own stamps, made up, against those of a mirror that was shown SYNs. */
#include "unit.h"

#include <string.h>

#include "cmd/witness.h"
#include "os/clock.h"

#define NOW 1700000000U

static const uint8_t peer[16] = { 198, 51, 100, 7 }, host[16] = { 192, 0, 2, 80 };

static struct panel_options options;

static void ignore_line(void *context, int priority, const char *line)
{
	(void)context;
	(void)priority;
	(void)line;
}

/* A panel that has seen the peer's SYN with TSval 5000 ten seconds ago; its first profile is el6.
 */
static struct panel *panel_with_stamp(void)
{
	struct synpaws_segment syn = { .ip_version = 4,
				       .flags = SYNPAWS_SYN,
				       .has_timestamp = true,
				       .tsval = 5000,
				       .second = NOW - 10,
				       .time_ns = (NOW - 10) * NS_PER_SECOND,
				       .order_ns = (NOW - 10) * NS_PER_SECOND,
				       .window_scale = -1 };
	struct panel_config config = { .options = &options, .quiet = true, .write = ignore_line };
	struct panel *panel;

	panel_options_init(&options);
	options.profiles[0] = synpaws_profile_find("el6");
	options.profiles[1] = synpaws_profile_find("el7");
	options.profile_count = 2;
	options.peers = 100;
	config.sysctls = options.sysctls;
	panel = panel_new(&config);
	assert_non_null(panel);
	memcpy(syn.source, peer, sizeof(peer));
	memcpy(syn.destination, host, sizeof(host));
	panel_take(panel, &syn, 1);
	return panel;
}

static struct metrics_entry entry_of(uint32_t tsval, int32_t age)
{
	struct metrics_entry entry = {
		.ip_version = 4, .has_local = true, .has_stamp = true, .tsval = tsval, .age = age
	};

	memcpy(entry.peer, peer, sizeof(peer));
	memcpy(entry.local, host, sizeof(host));
	return entry;
}

static void expect(const struct panel *panel, const char *profile,
		   const struct metrics_entry *entry, uint64_t equal, uint64_t differing,
		   uint64_t unknown)
{
	struct witness_stamps stamps = { 0, 0, 0 };

	witness_compare(&stamps, panel, profile, entry, NOW);
	assert_int_equal(stamps.equal, equal);
	assert_int_equal(stamps.differing, differing);
	assert_int_equal(stamps.unknown, unknown);
}

static void test_compare(void **state)
{
	struct panel *panel = panel_with_stamp();
	struct metrics_entry entry = entry_of(5000, 10);

	(void)state;
	expect(panel, "el7", &entry, 1, 0, 0);
	entry = entry_of(5000, 9); /* the second may turn between two looks */
	expect(panel, "el7", &entry, 1, 0, 0);
	entry = entry_of(5000, 7);
	expect(panel, "el7", &entry, 0, 1, 0);
	entry = entry_of(5001, 10);
	expect(panel, "el7", &entry, 0, 1, 0);
	entry = entry_of(5000, 10);
	entry.local[3]++; /* another of the host's addresses: a stamp of its own on el7 only */
	expect(panel, "el7", &entry, 0, 0, 1);
	entry.has_local = false;
	expect(panel, "el6", &entry, 1, 0, 0);
	expect(panel, "el7", &entry, 0, 0, 1);
	panel_free(panel);
}

static void test_what_does_not_count(void **state)
{
	struct panel *panel = panel_with_stamp();
	struct metrics_entry entry = entry_of(5000, 60);

	(void)state;
	expect(panel, "el7", &entry, 0, 0, 0);
	entry = entry_of(5000, -1);
	expect(panel, "el7", &entry, 0, 0, 0);
	entry = entry_of(5000, 10);
	entry.has_stamp = false;
	expect(panel, "el7", &entry, 0, 0, 0);
	panel_free(panel);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compare),
		cmocka_unit_test(test_what_does_not_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
