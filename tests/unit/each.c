/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds src/sink/each.c to the line for every SYN, to the letter: programs compare it with what
 * real kernels did, by a time that must not lose a digit. It is JSON even where no JSON library is.
 */
#include "unit.h"

#ifdef HAVE_JANSSON
#include <jansson.h>
#endif

#include "sink/each.h"
#include "syn.h"

static void expect(const struct synpaws_segment *seg, const struct synpaws_outcome *outcome,
		   const char *profile, const char *should)
{
	char line[EACH_MOST];

	assert_int_equal(each_line(seg, outcome, profile, "full", line), strlen(should));
	assert_string_equal(line, should);
}

static void test_a_drop(void **state)
{
	struct synpaws_segment seg = syn("198.51.100.11", "10.99.0.1", UNIT_SECOND, 5000);
	const struct synpaws_outcome outcome = { .fate = SYNPAWS_FATE_PAWS_DROP,
						 .predicted = SYNPAWS_FATE_PASS,
						 .answer = SYNPAWS_ANSWER_SILENCE,
						 .recorded = true,
						 .recorded_tsval = 4294967295U,
						 .recorded_at = UNIT_SECOND - 7 };

	(void)state;
	seg.time_ns = 1795357339947840123ULL;
	expect(&seg, &outcome, "el7",
	       "{\"time\":1795357339.947840123,\"src\":\"198.51.100.11\",\"sport\":40000,"
	       "\"dst\":\"10.99.0.1\",\"dport\":443,\"tsval\":5000,\"fate\":\"paws-drop\","
	       "\"profile\":\"el7\",\"guess\":false,\"contradicted\":false,"
	       "\"answer\":\"silence\",\"evidence\":\"full\",\"predicted\":\"pass\",\"recorded_tsval\":4294967295,"
	       "\"recorded_at\":1795357592}");
}

static void test_without_timestamp_and_stamp(void **state)
{
	struct synpaws_segment seg = syn_plain("fd99:1::185", "fd99::1", UNIT_SECOND);
	const struct synpaws_outcome outcome = { .fate = SYNPAWS_FATE_TW_REFUSE_ACK,
						 .guess = true,
						 .predicted = SYNPAWS_FATE_PAWS_DROP,
						 .contradicted = true };

	(void)state;
	seg.time_ns = 1;
	expect(&seg, &outcome, "2.6.32",
	       "{\"time\":0.000000001,\"src\":\"fd99:1::185\",\"sport\":40000,"
	       "\"dst\":\"fd99::1\",\"dport\":443,\"tsval\":null,\"fate\":\"tw-refuse-ack\","
	       "\"profile\":\"2.6.32\",\"guess\":true,\"contradicted\":true,"
	       "\"answer\":\"unseen\",\"evidence\":\"full\",\"predicted\":\"paws-drop\"}");
}

/* The longest of everything fits. */
static void test_the_widest_line(void **state)
{
	struct synpaws_segment seg =
		syn("2001:db8:1111:2222:3333:4444:5555:6666",
		    "2001:db8:1111:2222:3333:4444:5555:6667", UNIT_SECOND, UINT32_MAX);
	struct synpaws_outcome outcome;
	char line[EACH_MOST];
	int fate;

	(void)state;
	memset(&outcome, 0xff, sizeof(outcome));
	outcome.recorded = outcome.guess = outcome.contradicted = true;
	outcome.answer = SYNPAWS_ANSWER_SYN_ACK;
	outcome.predicted = SYNPAWS_FATE_OLD_CONNECTION;
	seg.time_ns = UINT64_MAX;
	seg.source_port = seg.destination_port = 65535;
	for (fate = 0; fate < SYNPAWS_FATE_KINDS; fate++) {
		outcome.fate = (enum synpaws_fate)fate;
		assert_true(each_line(&seg, &outcome, "2.6.32", "answer", line) < EACH_MOST - 60);
		assert_int_equal(line[strlen(line) - 1], '}');
	}
	assert_non_null(strstr(line, "{\"time\":18446744073.709551615,"));
}

#ifdef HAVE_JANSSON

static void test_it_is_json(void **state)
{
	struct synpaws_segment seg = syn("198.51.100.11", "10.99.0.1", UNIT_SECOND, 0);
	const struct synpaws_outcome outcome = { .fate = SYNPAWS_FATE_PASS };
	char line[EACH_MOST];
	json_t *object;

	(void)state;
	each_line(&seg, &outcome, "el7", "syn", line);
	object = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(object);
	assert_int_equal(json_object_size(object), 13);
	assert_true(json_is_real(json_object_get(object, "time")));
	assert_int_equal(json_integer_value(json_object_get(object, "tsval")), 0);
	json_decref(object);
}

#endif

int main(void)
{
	const struct CMUnitTest each[] = {
		cmocka_unit_test(test_a_drop),
		cmocka_unit_test(test_without_timestamp_and_stamp),
		cmocka_unit_test(test_the_widest_line),
#ifdef HAVE_JANSSON
		cmocka_unit_test(test_it_is_json),
#endif
	};

	return cmocka_run_group_tests(each, NULL, NULL);
}
