/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds src/sink/tally.c to the numbers that the person at the end decides by: SYNs as they came,
 * connections with their retransmissions counted once, peers counted once, the share of it all, and
 * next to them whatever was missed. The text is checked to the letter, since scripts read it; the
 * JSON has to say the same under the same names.
 */
#include "unit.h"

#include <math.h>

#ifdef HAVE_JANSSON
#include <jansson.h>
#endif

#include "sink/tally.h"
#include "syn.h"

#define N	  5000
#define LINE_MOST 2048

static const uint8_t secret[16] = { 5, 5, 5 };

static struct tally *new_tally(void)
{
	struct tally *tally = tally_new(secret);

	assert_non_null(tally);
	return tally;
}

static void count(struct tally *tally, struct synpaws_segment seg, enum synpaws_fate fate,
		  uint32_t now)
{
	const struct synpaws_outcome outcome = { .fate = fate };

	tally_decode(tally, SYNPAWS_DECODE_OK, 1);
	tally_outcome(tally, &seg, &outcome, now);
}

static struct synpaws_segment a_syn(const char *source)
{
	return syn(source, strchr(source, ':') != NULL ? "fd99::1" : "10.99.0.1", UNIT_SECOND, 1);
}

/* The value of a field of the summary, as text. */
static const char *value(const struct tally *tally, const char *name)
{
	static char summary[LINE_MOST], missed[LINE_MOST], text[64];
	const struct tally_context context = { .profile = "el7", .evidence = "syn" };
	char key[64];
	const char *at;

	tally_summary(tally, &context, summary, missed, sizeof(summary));
	snprintf(key, sizeof(key), " %s=", name);
	at = strstr(summary, key);
	if (at == NULL)
		at = strstr(missed, key);
	if (at == NULL)
		fail_msg("there is no %s in '%s' and '%s'", name, summary, missed);
	snprintf(text, sizeof(text), "%.*s", (int)strcspn(at + strlen(key), " "), at + strlen(key));
	return text;
}

static void test_retransmissions_count_once_as_a_connection(void **state)
{
	static const uint32_t later[] = { 0, 1, 3, 7, 15, 31, 63, 127 };
	struct tally *tally = new_tally();
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(later); i++)
		count(tally, a_syn("198.51.100.1"), SYNPAWS_FATE_PAWS_DROP, N + later[i]);
	assert_string_equal(value(tally, "drop_syns"), "8");
	assert_string_equal(value(tally, "drop_connections"), "1");
	assert_string_equal(value(tally, "drop_peers"), "1");
	tally_free(tally);
}

/* Another port, host, address or sequence number is another connection, of the same peer or not. */
static void test_what_makes_a_connection(void **state)
{
	struct tally *tally = new_tally();
	struct synpaws_segment seg = a_syn("198.51.100.1");
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		seg = a_syn("198.51.100.1");
		count(tally, seg, SYNPAWS_FATE_PAWS_DROP, N);
		seg.source_port++;
		count(tally, seg, SYNPAWS_FATE_PAWS_DROP, N);
		seg.destination_port++;
		count(tally, seg, SYNPAWS_FATE_PAWS_DROP, N);
		seg.destination[3]++;
		count(tally, seg, SYNPAWS_FATE_PAWS_DROP, N);
		seg.seq++;
		count(tally, seg, SYNPAWS_FATE_PAWS_DROP, N);
		seg.tsval++; /* but this is not */
		count(tally, seg, SYNPAWS_FATE_PAWS_DROP, N);
		count(tally, a_syn("198.51.100.2"), SYNPAWS_FATE_PAWS_DROP, N);
		count(tally, a_syn("fd99:1::185"), SYNPAWS_FATE_PAWS_DROP, N);
	}
	assert_string_equal(value(tally, "drop_syns"), "16");
	assert_string_equal(value(tally, "drop_connections"), "7");
	assert_string_equal(value(tally, "drop_peers"), "3");
	tally_free(tally);
}

/* Ports come round again: after all retransmissions are over the same SYN is a new connection. */
static void test_the_same_ports_much_later(void **state)
{
	struct tally *tally = new_tally();

	(void)state;
	count(tally, a_syn("198.51.100.1"), SYNPAWS_FATE_PAWS_DROP, N);
	count(tally, a_syn("198.51.100.1"), SYNPAWS_FATE_PAWS_DROP, N + 3600);
	assert_string_equal(value(tally, "drop_connections"), "2");
	assert_string_equal(value(tally, "drop_peers"), "1");
	tally_free(tally);
}

static void test_only_drops_make_connections_and_peers(void **state)
{
	struct tally *tally = new_tally();

	(void)state;
	count(tally, a_syn("198.51.100.1"), SYNPAWS_FATE_PASS, N);
	count(tally, a_syn("fd99:1::185"), SYNPAWS_FATE_NOT_CHECKED, N);
	tally_decode(tally, SYNPAWS_DECODE_OK, 1); /* of no host: nothing comes of it */
	count(tally, syn_plain("198.51.100.4", "10.99.0.1", N), SYNPAWS_FATE_PASS, N);
	assert_string_equal(value(tally, "syns"), "3");
	assert_string_equal(value(tally, "with_timestamp"), "2");
	assert_string_equal(value(tally, "not_checked"), "1");
	assert_string_equal(value(tally, "pass"), "2");
	assert_string_equal(value(tally, "not_syn_to_host"), "4"); /* no mirror took any */
	assert_string_equal(value(tally, "drop_syns"), "0");
	assert_string_equal(value(tally, "drop_connections"), "0");
	assert_string_equal(value(tally, "drop_peers"), "0");
	assert_string_equal(value(tally, "drop_percent"), "0.00");
	tally_free(tally);
}

/* Each fate has a field of its own, and each is a SYN that was judged. */
static void test_every_fate_has_its_count(void **state)
{
	struct tally *tally = new_tally();
	char name[64];
	int fate;
	size_t i;

	(void)state;
	for (fate = SYNPAWS_FATE_NONE + 1; fate < SYNPAWS_FATE_KINDS; fate++)
		count(tally, a_syn("198.51.100.1"), (enum synpaws_fate)fate, N);
	snprintf(name, sizeof(name), "%d", SYNPAWS_FATE_KINDS - 1);
	assert_string_equal(value(tally, "syns"), name);
	for (fate = SYNPAWS_FATE_NONE + 1; fate < SYNPAWS_FATE_KINDS; fate++) {
		snprintf(name, sizeof(name), "%s", synpaws_fate_name((enum synpaws_fate)fate));
		for (i = 0; name[i] != '\0'; i++)
			name[i] = name[i] == '-' ? '_' : name[i];
		if (fate != SYNPAWS_FATE_PAWS_DROP)
			assert_string_equal(value(tally, name), "1");
	}
	assert_int_equal(tally_drop_syns(tally), 1);
	assert_int_equal(tally_drop_connections(tally), 1);
	tally_free(tally);
}

static void test_percent(void **state)
{
	static const struct {
		unsigned int drops, passes;
		const char *percent;
	} rows[] = {
		{ 0, 0, "0.00" },     { 0, 1, "0.00" },	    { 1, 0, "100.00" },
		{ 1, 1, "50.00" },    { 1, 2, "33.33" },    { 2, 1, "66.66" },
		{ 1, 7, "12.50" },    { 29, 9971, "0.29" }, { 57, 43, "57.00" },
		{ 1, 19999, "0.00" }, { 9999, 1, "99.99" },
	};
	size_t i;
	unsigned int n;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		struct tally *tally = new_tally();

		for (n = 0; n < rows[i].drops; n++)
			count(tally, a_syn("198.51.100.1"), SYNPAWS_FATE_PAWS_DROP, N);
		for (n = 0; n < rows[i].passes; n++)
			count(tally, a_syn("198.51.100.1"), SYNPAWS_FATE_PASS, N);
		assert_string_equal(value(tally, "drop_percent"), rows[i].percent);
		tally_free(tally);
	}
}

/* A tally and a context in which every number is another. */
static struct tally *distinct(struct tally_context *context)
{
	static const struct tally_context numbers = {
		.profile = "3.16",
		.evidence = "close",
		.seconds = 101,
		.offered = 102,
		.missed_socket = 103,
		.missed_ring = 104,
		.missed_crash = 105,
		.queue_dropped = 106,
		.socket_dropped = 107,
		.errors = 115,
		.restarts = 108,
		.unparsed = 200,
		.lines_lost = 109,
		.lines_suppressed = 110,
		.out_of_order = 120,
		.capture_errors = 121,
		.not_ip = 2000,
		.fragments_lost = 3000,
		.mirror = { .evicted = 111,
			    .peers = 112,
			    .room = 113,
			    .bytes = 114,
			    .segments = 40,
			    .syns = 12,
			    .flows = 130,
			    .flows_evicted = 131,
			    .unsettled = 132,
			    .records = 133,
			    .undone = 134,
			    .guesses = 135,
			    .contradicted = 136 },
	};
	struct tally *tally = new_tally();
	int i, kind;

	*context = numbers;
	for (i = 0; i < 3; i++)
		count(tally, a_syn("198.51.100.1"), SYNPAWS_FATE_PAWS_DROP, N);
	for (i = 0; i < 4; i++)
		count(tally, a_syn("198.51.100.1"), SYNPAWS_FATE_PASS, N);
	for (i = 0; i < 5; i++)
		count(tally, syn_plain("fd99:1::1", "fd99::1", N), SYNPAWS_FATE_NOT_CHECKED, N);
	for (i = 0; i < 6; i++)
		tally_decode(tally, SYNPAWS_DECODE_OK, 1);
	for (i = SYNPAWS_FATE_CLOSED_PORT; i < SYNPAWS_FATE_KINDS; i++) {
		for (kind = 0; kind <= i; kind++)
			count(tally, a_syn("198.51.100.1"), (enum synpaws_fate)i, N);
	}
	for (kind = SYNPAWS_DECODE_NOT_TCP; kind < SYNPAWS_DECODE_KINDS; kind++) {
		for (i = 0; i < 20 + kind; i++)
			tally_decode(tally, (enum synpaws_decode)kind, 1);
	}
	return tally;
}

static void test_the_text_to_the_letter(void **state)
{
	char summary[LINE_MOST], missed[LINE_MOST];
	struct tally_context context;
	struct tally *tally = distinct(&context);

	(void)state;
	tally_summary(tally, &context, summary, missed, sizeof(summary));
	assert_string_equal(summary,
			    "summary profile=3.16 evidence=close drop_percent=3.22 "
			    "watched_seconds=101 syns=93 with_timestamp=88 not_checked=5 "
			    "drop_syns=3 drop_connections=1 drop_peers=1 peers_held=112 "
			    "pass=4 closed_port=5 cookie=6 md5=7 syn_recv=8 old_connection=9 "
			    "tw_accept=10 tw_refuse_ack=11 fin_wait2_ack=12 fin_wait2_rst=13 "
			    "guesses=135 contradicted=136 records=133 undone=134 flows_held=130 "
			    "segments=40 segments_per_syn=3.33");
	assert_string_equal(missed, "missed packets=102 missed_socket=103 missed_ring=104 "
				    "missed_crash=105 queue_dropped=106 socket_dropped=107 "
				    "netlink_errors=115 evicted=111 "
				    "connections_forgotten=0 peers_forgotten=0 not_syn_to_host=59 "
				    "not_tcp=2021 fragments=3022 truncated=223 malformed=24 "
				    "bad_checksum=25 lines_lost=109 lines_suppressed=110 "
				    "analyst_restarts=108 flows_evicted=131 unsettled=132 "
				    "out_of_order=120 capture_errors=121 profile=3.16");
	tally_free(tally);
}

/* The largest numbers there are fit into the lines that the header promises. */
static void test_the_largest_numbers_fit(void **state)
{
	char summary[LINE_MOST], missed[LINE_MOST];
	struct tally_context context;
	struct tally *tally = new_tally();

	(void)state;
	memset(&context, 0xff, sizeof(context));
	context.profile = "2.6.32";
	context.evidence = "answer";
	context.unparsed = context.not_ip = context.fragments_lost = 0;
	context.mirror.syns = 1;
	tally_summary(tally, &context, summary, missed, sizeof(summary));
	assert_non_null(strstr(summary, " peers_held=18446744073709551615"));
	assert_non_null(strstr(missed, " capture_errors=18446744073709551615 profile=2.6.32"));
	assert_non_null(strstr(summary, " segments_per_syn="));
	assert_true(strlen(summary) < LINE_MOST - 200);
	assert_true(strlen(missed) < LINE_MOST - 200);
	tally_free(tally);
}

/* Too small a line is cut, and nothing is written behind it. */
static void test_lines_that_are_too_small(void **state)
{
	char *summary, *missed;
	struct tally_context context;
	struct tally *tally = distinct(&context);
	size_t size;

	(void)state;
	for (size = 1; size < 800; size++) {
		summary = malloc(size);
		missed = malloc(size);
		assert_true(summary != NULL && missed != NULL);
		tally_summary(tally, &context, summary, missed, size);
		assert_true(strlen(summary) < size);
		assert_true(strlen(missed) < size);
		assert_int_equal(tally_json(tally, &context, summary, size), 0);
		free(summary);
		free(missed);
	}
	tally_free(tally);
}

#ifdef HAVE_JANSSON

static void expect_same(const json_t *object, const char *name, const char *text)
{
	const json_t *member = json_object_get(object, name);

	if (member == NULL)
		fail_msg("the JSON has no %s", name);
	if (json_is_string(member))
		assert_string_equal(json_string_value(member), text);
	else if (json_is_real(member))
		assert_true(fabs(json_real_value(member) - atof(text)) < 1e-9);
	else
		assert_int_equal(json_integer_value(member), atoll(text));
}

/* Goes through "name=value ..." and looks each up. Returns how many there were. */
static size_t compare_fields(const json_t *object, char *line)
{
	char *word, *rest = NULL;
	size_t n = 0;

	for (word = strtok_r(line, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
		char *equals = strchr(word, '=');

		if (equals == NULL)
			continue; /* "summary" or "missed" */
		*equals = '\0';
		expect_same(object, word, equals + 1);
		n++;
	}
	return n;
}

static void test_json_says_the_same(void **state)
{
	char line[LINE_MOST], summary[LINE_MOST], missed[LINE_MOST];
	struct tally_context context;
	struct tally *tally = distinct(&context);
	size_t length = tally_json(tally, &context, line, sizeof(line)), fields;
	json_t *object;

	(void)state;
	assert_true(length > 0);
	assert_int_equal(strlen(line), length);
	assert_null(strchr(line, '\n'));
	object = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(object);
	assert_string_equal(json_string_value(json_object_get(object, "event")), "summary");
	tally_summary(tally, &context, summary, missed, sizeof(summary));
	fields = compare_fields(object, summary);
	fields += compare_fields(object, missed);
	assert_int_equal(json_object_size(object), fields); /* event; profile is in both lines */
	json_decref(object);
	tally_free(tally);
}

#endif

int main(void)
{
	const struct CMUnitTest tally[] = {
		cmocka_unit_test(test_retransmissions_count_once_as_a_connection),
		cmocka_unit_test(test_what_makes_a_connection),
		cmocka_unit_test(test_the_same_ports_much_later),
		cmocka_unit_test(test_only_drops_make_connections_and_peers),
		cmocka_unit_test(test_every_fate_has_its_count),
		cmocka_unit_test(test_percent),
		cmocka_unit_test(test_the_text_to_the_letter),
		cmocka_unit_test(test_the_largest_numbers_fit),
		cmocka_unit_test(test_lines_that_are_too_small),
#ifdef HAVE_JANSSON
		cmocka_unit_test(test_json_says_the_same),
#endif
	};

	return cmocka_run_group_tests(tally, NULL, NULL);
}
