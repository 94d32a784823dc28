/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds src/os/ruleset.c to what iptables-save and nft write of NFQUEUE rules, in all the spellings
 * they have had, and to seeing no rule in a comment or a name.
 */
#include "unit.h"

#include "os/ruleset.h"

enum source { IPV4, IPV6, NFT };

struct row {
	const char *line;
	enum source source;
	bool found, bypass, tracking;
	uint16_t first, last;
};

static const struct row rows[] = {
	{ "-A SYNPAWS -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j NFQUEUE --queue-num 0 "
	  "--queue-bypass",
	  IPV4, true, true, false, 0, 0 },
	{ "[5:300] -A SYNPAWS -m comment --comment \"synpaws-made-INPUT\" -j NFQUEUE "
	  "--queue-balance 0:3 --queue-bypass",
	  IPV6, true, true, false, 0, 3 },
	{ "-A SYNPAWS -m connmark --mark 0x40000000/0x40000000 -j NFQUEUE --queue-num 7 "
	  "--queue-bypass",
	  IPV4, true, true, true, 7, 7 },
	{ "-A INPUT -j NFQUEUE --queue-balance 4:7 --queue-bypass --queue-cpu-fanout", IPV4, true,
	  true, false, 4, 7 },
	{ "-A INPUT -j NFQUEUE --queue-num 65535", IPV4, true, false, false, 65535, 65535 },
	{ "-A INPUT -j NFQUEUE", IPV4, true, false, false, 0, 0 },
	{ "-A INPUT -m comment --comment \"-j NFQUEUE --queue-num 3\" -j ACCEPT", IPV4, false,
	  false, false, 0, 0 },
	{ "-A INPUT -m comment --comment \"a \\\" -j NFQUEUE --queue-num 3\" -j ACCEPT", IPV4,
	  false, false, false, 0, 0 },
	{ "-A INPUT -m comment --comment \"--queue-bypass\" -j NFQUEUE --queue-num 3", IPV4, true,
	  false, false, 3, 3 },
	{ "-A INPUT -j NFQUEUE --queue-num 65536", IPV4, false, false, false, 0, 0 },
	{ "-A INPUT -j NFQUEUE --queue-balance 5:2", IPV4, false, false, false, 0, 0 },
	{ "-A INPUT -j NFQUEUE --queue-num x", IPV4, false, false, false, 0, 0 },
	{ ":NFQUEUE - [0:0]", IPV4, false, false, false, 0, 0 },
	{ "# -j NFQUEUE --queue-num 3", IPV4, false, false, false, 0, 0 },
	{ "-A INPUT -j NFLOG --nflog-group 3", IPV4, false, false, false, 0, 0 },
	{ "", IPV4, false, false, false, 0, 0 },
	{ "\t\ttcp flags syn / fin,syn,rst,ack  counter packets 0 bytes 0 queue num 0 bypass", NFT,
	  true, true, false, 0, 0 },
	{ "\t\t counter packets 0 bytes 0 queue num 0-3 bypass,fanout", NFT, true, true, false, 0,
	  3 },
	{ "\t\tct mark and 0x40000000 == 0x40000000 counter packets 1 bytes 2 queue flags bypass to "
	  "9",
	  NFT, true, true, true, 9, 9 },
	{ "\t\tcounter packets 1 bytes 2 queue flags bypass,fanout to 2-5 comment \"x\"", NFT, true,
	  true, false, 2, 5 },
	{ "\t\ttcp dport 80 queue to 3", NFT, true, false, false, 3, 3 },
	{ "\t\ttcp dport 80 queue num 3", NFT, true, false, false, 3, 3 },
	{ "\t\ttcp dport 80 accept comment \" queue num 3 bypass\"", NFT, false, false, false, 0,
	  0 },
	{ "\t\tqueue flags bypass to numgen inc mod 4", NFT, false, false, false, 0, 0 },
	{ "\tchain queue {", NFT, false, false, false, 0, 0 },
	{ "\t\tqueue num 70000", NFT, false, false, false, 0, 0 },
};

static void take(struct ruleset *ruleset, enum source source, const char *line)
{
	if (source == NFT)
		ruleset_take_nft(ruleset, line);
	else
		ruleset_take_iptables(ruleset, line, source == IPV6);
}

static void test_row(void **state)
{
	const struct row *row = *state;
	struct ruleset ruleset;

	memset(&ruleset, 0, sizeof(ruleset));
	take(&ruleset, row->source, row->line);
	assert_int_equal(ruleset.count, row->found);
	assert_int_equal(ruleset.tracking, row->tracking);
	if (!row->found)
		return;
	assert_int_equal(ruleset.queues[0].first, row->first);
	assert_int_equal(ruleset.queues[0].last, row->last);
	assert_int_equal(ruleset.queues[0].bypass, row->bypass);
	assert_int_equal(ruleset.queues[0].rules, 1);
	assert_int_equal(ruleset.queues[0].ipv4, row->source == IPV4);
	assert_int_equal(ruleset.queues[0].ipv6, row->source == IPV6);
}

/* iptables-nft's rule in both lists is one; a second one that only nft knows is another. */
static void test_seen_twice(void **state)
{
	struct ruleset ruleset;

	(void)state;
	memset(&ruleset, 0, sizeof(ruleset));
	ruleset_take_iptables(&ruleset, "-A PREROUTING -p tcp -j NFQUEUE --queue-num 7", false);
	ruleset_take_nft(&ruleset, "table ip mangle {");
	ruleset_take_nft(&ruleset, "\t\tmeta l4proto tcp counter packets 0 bytes 0 queue num 7");
	assert_int_equal(ruleset.count, 1);
	assert_int_equal(ruleset.queues[0].rules, 1);
	ruleset_take_nft(&ruleset, "\t\ttcp dport 80 queue num 7 bypass");
	assert_int_equal(ruleset.queues[0].rules, 2);
}

static void test_families_of_nft(void **state)
{
	static const struct {
		const char *table, *rule;
		bool ipv4, ipv6;
	} cases[] = {
		{ "table ip mangle {", "\t\tx queue num 0 bypass", true, false },
		{ "table ip6 mangle {", "\t\tx queue num 0 bypass", false, true },
		{ "table inet synpaws {", "\t\tx queue num 0 bypass", true, true },
		{ "table inet synpaws {", "\t\tmeta nfproto ipv4 queue num 0 bypass", true, false },
		{ "table inet synpaws {", "\t\tmeta nfproto ipv6 queue num 0 bypass", false, true },
		{ "table bridge x {", "\t\tx queue num 0 bypass", false, false },
	};
	struct ruleset ruleset;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		memset(&ruleset, 0, sizeof(ruleset));
		ruleset_take_nft(&ruleset, cases[i].table);
		ruleset_take_nft(&ruleset, cases[i].rule);
		assert_int_equal(ruleset.count, 1);
		assert_int_equal(ruleset.queues[0].ipv4, cases[i].ipv4);
		assert_int_equal(ruleset.queues[0].ipv6, cases[i].ipv6);
	}
}

/* Rules of one queue are one; bypass only if all have it. */
static void test_together(void **state)
{
	struct ruleset ruleset;

	(void)state;
	memset(&ruleset, 0, sizeof(ruleset));
	take(&ruleset, IPV4, "-A A -j NFQUEUE --queue-num 1 --queue-bypass");
	take(&ruleset, IPV6, "-A A -j NFQUEUE --queue-num 1 --queue-bypass");
	assert_int_equal(ruleset.count, 1);
	assert_true(ruleset.queues[0].ipv4 && ruleset.queues[0].ipv6 && ruleset.queues[0].bypass);
	take(&ruleset, IPV4, "-A B -j NFQUEUE --queue-num 1");
	take(&ruleset, IPV4, "-A B -j NFQUEUE --queue-balance 1:2 --queue-bypass");
	assert_int_equal(ruleset.count, 2);
	assert_int_equal(ruleset.queues[0].rules, 3);
	assert_false(ruleset.queues[0].bypass);
	assert_true(ruleset.queues[1].bypass);
}

static void test_bounded(void **state)
{
	struct ruleset ruleset;
	char line[64], *longest;
	unsigned int i;

	(void)state;
	memset(&ruleset, 0, sizeof(ruleset));
	for (i = 0; i < RULESET_QUEUES_MOST + 5; i++) {
		snprintf(line, sizeof(line), "-A A -j NFQUEUE --queue-num %u", i);
		take(&ruleset, IPV4, line);
	}
	assert_int_equal(ruleset.count, RULESET_QUEUES_MOST);
	assert_int_equal(ruleset.left_out, 5);
	longest = malloc(100001);
	assert_non_null(longest);
	memset(longest, 'x', 100000);
	longest[100000] = '\0';
	take(&ruleset, IPV4, longest);
	take(&ruleset, NFT, longest);
	assert_int_equal(ruleset.left_out, 5);
	free(longest);
}

int main(void)
{
	struct CMUnitTest tests[COUNT(rows) + 4];
	size_t i;

	for (i = 0; i < COUNT(rows); i++)
		tests[i] = unit_row(rows[i].line, test_row, &rows[i]);
	tests[i++] = (struct CMUnitTest)cmocka_unit_test(test_families_of_nft);
	tests[i++] = (struct CMUnitTest)cmocka_unit_test(test_seen_twice);
	tests[i++] = (struct CMUnitTest)cmocka_unit_test(test_together);
	tests[i++] = (struct CMUnitTest)cmocka_unit_test(test_bounded);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
