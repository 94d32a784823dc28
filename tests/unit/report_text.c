/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Holds src/report/text.c to saying what stands in the report, in lines that fit. */
#include "report_fixture.h"

#include "report/format.h"
#include "report/text.h"

static struct fixture fixture;

static char *text_of(enum fixture_kind kind)
{
	return fixture_write(report_text, fixture_make(&fixture, kind));
}

static void assert_holds(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("\"%s\" is not in:\n%s", part, text);
}

static void assert_lacks(const char *text, const char *part)
{
	if (strstr(text, part) != NULL)
		fail_msg("\"%s\" is in:\n%s", part, text);
}

/* A line of the table: the numbers with blanks between, whatever the widths. */
static void assert_row(const char *text, const char *first, const char *row)
{
	const char *line = strstr(text, first);
	char squeezed[256];
	size_t n = 0;

	assert_non_null(line);
	for (; *line != '\0' && *line != '\n' && n < sizeof(squeezed) - 1; line++) {
		if (*line != ' ' || (n > 0 && squeezed[n - 1] != ' '))
			squeezed[n++] = *line;
	}
	squeezed[n] = '\0';
	assert_string_equal(squeezed, row);
}

static void test_nat(void **state)
{
	char *text = text_of(FIXTURE_NAT);

	(void)state;
	assert_memory_equal(text, fixture.report.sentence, 60);
	assert_holds(text, "WHAT PEOPLE WOULD HAVE FELT");
	assert_holds(text, "HOW THE MACHINES BEHIND 203.0.113.7 WOULD HAVE LOCKED EACH OTHER OUT");
	assert_holds(text, "THE CLOCKS OF 192.0.2.9\n");
	assert_holds(text, "2026-11-22 14:26:00 to 2026-11-22 16:36:00 UTC, 2 h 10 min");
	assert_row(text, "  sources  ", "sources 1,310 hit 41 3.1 %");
	assert_row(text, "  203.0.113.80:8443", "203.0.113.80:8443 10,693 221 2.1 % 10,960 294");
	assert_holds(text,
		     " several clocks, at least 3 machines; seen 14:26:20 to 16:23:20; dropped ");
	assert_holds(text, ", 12 SYNs without timestamp; seen ");
	assert_holds(text, "8 of 175,372 packets were missed or cut short.");
	assert_holds(text, "sysctl -w net.ipv4.tcp_tw_reuse=1\n     why: ");
	free(text);
}

static void test_every_number(void **state)
{
	struct report *r = &fixture.report;
	char *text, row[128];

	(void)state;
	free(text_of(FIXTURE_NAT));
	fixture.sources[0].connections = 1234567;
	fixture.sources[0].drop_connections = 765432;
	fixture.sources[0].syns = 2345678;
	fixture.sources[0].drop_syns = 876543;
	fixture.sources[0].longest_ns = 4210 * NS_PER_SECOND;
	fixture.sources[0].guesses = 17;
	r->felt[REPORT_CLASSIC].timed_out = 424242;
	r->coverage.evicted = 515151;
	r->coverage.contradicted = 616161;
	r->coverage.capture_errors = 717171;
	r->coverage.sources_left_out = 818181;
	r->coverage.answers = 919191;
	text = fixture_write(report_text, r);
	assert_row(text, "  203.0.113.7 ",
		   "203.0.113.7 1,234,567 765,432 62.0 % 2,345,678 876,543 "
		   "1 h 10 min");
	assert_holds(text, " 17 drops rest on a guess;");
	assert_holds(text, "424,242");
	assert_row(text, "  stamps and",
		   "stamps and connections forgotten for want of room 515,151");
	assert_holds(text, " 616,161\n");
	assert_holds(text, " 717,171\n");
	assert_holds(text, " 818,181\n");
	assert_holds(text, " 919,191\n");
	snprintf(row, sizeof(row), "1 1000/s 4,042,010 %zu %zu %zu",
		 fixture.sources[0].verdict.clocks[0].samples,
		 fixture.sources[0].verdict.clocks[0].connections,
		 fixture.sources[0].verdict.clocks[0].dropped);
	assert_row(text, "  1         ", strcat(row, " 34.4 % clock 2, 32 times"));
	free(text);
}

static void test_worst_minute(void **state)
{
	char *text = text_of(FIXTURE_NAT), *mark = strstr(text, " <- worst\n");

	(void)state;
	assert_non_null(mark);
	while (mark[-1] != '\n')
		mark--;
	assert_memory_equal(mark, "  15:30 ", 8);
	assert_holds(text, "The worst minute began at 2026-11-22 15:31:00: 121 of 364 SYNs, 90 ");
	assert_null(strstr(strstr(text, " <- worst\n") + 1, " <- worst"));
	free(text);
}

static void test_now(void **state)
{
	char *text = text_of(FIXTURE_IPV6);

	(void)state;
	assert_holds(text, "WHAT PEOPLE FELT");
	assert_holds(text, "eeee:ffff LOCKED EACH OTHER OUT");
	assert_lacks(text, "would have");
	assert_lacks(text, "WOULD HAVE");
	free(text);
}

static void test_none(void **state)
{
	char *text = text_of(FIXTURE_NONE);

	(void)state;
	assert_lacks(text, "FELT");
	assert_lacks(text, "OVER TIME");
	assert_lacks(text, "WORST");
	free(text);
	text = text_of(FIXTURE_EMPTY);
	assert_lacks(text, "SOURCES\n");
	assert_lacks(text, "SERVERS");
	assert_lacks(text, "Watched");
	assert_row(text, "  connections ", "connections 0 refused 0 -");
	free(text);
}

static void test_what_if(void **state)
{
	char *text = text_of(FIXTURE_WHAT_IF);

	(void)state;
	assert_row(text,
		   "  snat=", "snat=10.0.0.0/30 702 1.6 % 911 17 four addresses instead of one");
	assert_row(text, "  host-closes=", "host-closes=never 0 0 % 0 0 clients close first");
	free(text);
}

static void test_two_days_fit(void **state)
{
	char *text = text_of(FIXTURE_LONG), *at;
	size_t rows = 0;

	(void)state;
	at = strstr(text, "OVER TIME (a row is 2 h; UTC)");
	assert_non_null(at);
	for (at = strchr(at, '\n') + 1; strncmp(at, "  The worst", 11) != 0; rows++)
		at = strchr(at, '\n') + 1;
	assert_in_range(rows, 24, 41);
	assert_holds(text, "  1 h 30 min\n");
	free(text);
}

/* No line is too long but of what has no blank, and nothing in it moves a cursor. */
static void test_lines(void **state)
{
	char *text, *line, *rest;
	enum fixture_kind kind;
	const unsigned char *c;

	(void)state;
	for (kind = 0; kind < FIXTURE_KINDS; kind++) {
		text = text_of(kind);
		for (c = (unsigned char *)text; *c != '\0'; c++)
			assert_true((*c >= 0x20 && *c != 0x7f) || *c == '\n');
		rest = NULL;
		for (line = strtok_r(text, "\n", &rest); line != NULL;
		     line = strtok_r(NULL, "\n", &rest)) {
			if (kind != FIXTURE_HOSTILES && strlen(line) > FORMAT_COLUMNS)
				fail_msg("%s: %zu columns: %s", fixture_name(kind), strlen(line),
					 line);
		}
		free(text);
	}
}

static void test_full(void **state)
{
	(void)state;
	fixture_full(report_text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nat),	     cmocka_unit_test(test_every_number),
		cmocka_unit_test(test_worst_minute), cmocka_unit_test(test_now),
		cmocka_unit_test(test_none),	     cmocka_unit_test(test_what_if),
		cmocka_unit_test(test_two_days_fit), cmocka_unit_test(test_lines),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests_name("report_text", tests, NULL, NULL);
}
