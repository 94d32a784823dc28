/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds src/report/html*.c to one page that is well-formed, loads nothing, gives no text of others
 * the power of markup, and shows what stands in the report.
 */
#include "report_fixture.h"

#include "report/format.h"
#include "report/html.h"

#define DEPTH_MOST 64
#define SIZE_MOST  1000000

static struct fixture fixture;

static char *page_of(enum fixture_kind kind)
{
	return fixture_write(report_html, fixture_make(&fixture, kind));
}

static size_t count_of(const char *text, const char *part)
{
	size_t n = 0;

	for (text = strstr(text, part); text != NULL; text = strstr(text + 1, part))
		n++;
	return n;
}

static void assert_holds(const char *page, const char *part)
{
	if (strstr(page, part) == NULL)
		fail_msg("\"%s\" is not in the page", part);
}

static bool is_void(const char *name)
{
	return strcmp(name, "meta") == 0 || strcmp(name, "br") == 0;
}

/* The open elements, innermost last. */
struct stack {
	size_t depth;
	char name[DEPTH_MOST][16];
};

/* An attribute needs a name and a value in double quotes without markup. Returns where '>' is. */
static const char *check_attributes(const char *at)
{
	while (*at != '>' && *at != '/') {
		const char *end;

		assert_int_equal(*at, ' ');
		at++;
		assert_true(
			strspn(at,
			       "abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") >
			0);
		at += strcspn(at, "=> ");
		assert_memory_equal(at, "=\"", 2);
		end = strchr(at + 2, '"');
		assert_non_null(end);
		assert_null(memchr(at + 2, '<', (size_t)(end - at - 2)));
		assert_null(memchr(at + 2, '\x1b', (size_t)(end - at - 2)));
		at = end + 1;
	}
	return at;
}

static const char *check_tag(struct stack *stack, const char *at)
{
	const bool closes = at[1] == '/';
	char name[16] = "";

	at += closes ? 2 : 1;
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(at, " />"), at);
	at += strlen(name);
	if (closes) {
		assert_true(stack->depth > 0);
		assert_string_equal(name, stack->name[--stack->depth]);
		assert_int_equal(*at, '>');
		return at + 1;
	}
	at = check_attributes(at);
	if (at[0] == '/') {
		assert_int_equal(at[1], '>');
		return at + 2;
	}
	if (is_void(name))
		return at + 1;
	assert_true(stack->depth < DEPTH_MOST);
	strcpy(stack->name[stack->depth++], name);
	if (strcmp(name, "style") == 0)
		return strstr(at, "</style>");
	if (strcmp(name, "script") == 0)
		return strstr(at, "</script>");
	return at + 1;
}

/* Every element is closed where it was opened, every '&' begins a known entity. */
static void check_page(const char *page)
{
	struct stack stack = { .depth = 0 };
	const char *at = page + strlen("<!DOCTYPE html>");

	assert_memory_equal(page, "<!DOCTYPE html>", strlen("<!DOCTYPE html>"));
	while (*at != '\0') {
		assert_int_not_equal(*at, '>');
		if (*at == '<') {
			at = check_tag(&stack, at);
			assert_non_null(at);
			continue;
		}
		if (*at == '&')
			assert_true(strncmp(at, "&lt;", 4) == 0 || strncmp(at, "&gt;", 4) == 0 ||
				    strncmp(at, "&amp;", 5) == 0 || strncmp(at, "&#", 2) == 0 ||
				    strncmp(at, "&quot;", 6) == 0);
		at++;
	}
	assert_int_equal(stack.depth, 0);
}

static void test_well_formed(void **state)
{
	const enum fixture_kind *kind = *state;
	char *page = page_of(*kind);

	check_page(page);
	assert_true(strlen(page) < SIZE_MOST);
	free(page);
}

/* Nothing in it names another place, and the page says itself that nothing may be loaded. */
static void test_alone(void **state)
{
	const enum fixture_kind *kind = *state;
	char *page = page_of(*kind);

	assert_null(strstr(page, "//"));
	assert_null(strstr(page, "http:"));
	assert_null(strstr(page, "https:"));
	assert_null(strstr(page, " src="));
	assert_null(strstr(page, "href="));
	assert_null(strstr(page, "url("));
	assert_null(strstr(page, "@import"));
	assert_holds(page, "default-src 'none'");
	free(page);
}

static void test_hostile(void **state)
{
	char *page = page_of(FIXTURE_HOSTILES);

	(void)state;
	assert_int_equal(count_of(page, "<script"), 1);
	assert_null(strstr(page, "alert(\""));
	assert_null(strchr(page, '\x1b'));
	assert_in_range(count_of(page, "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;"
				       "&#65533;[2J"),
			9, 20);
	free(page);
}

static void test_decision(void **state)
{
	char *page = page_of(FIXTURE_NAT);

	(void)state;
	assert_holds(page, "<div class=\"hero bad\">");
	assert_holds(page, "<h1>Do not enable tcp_tw_recycle</h1>\n<p class=\"lead\">3.1 % of ");
	assert_holds(page, "<b>3.1 %</b><span>1,326 of 42,774</span>");
	assert_holds(page, "<b>41</b><span>of 1,310</span>");
	assert_holds(page, "<b>22 s</b>");
	assert_holds(page, "<b>265</b><span>gave up after 63 s, 21.1 %</span>");
	assert_holds(page, "<b>99.98 %</b>");
	assert_holds(page, "8 of 175,372 packets were missed or cut short.");
	assert_holds(page, "What people would have felt");
	free(page);
	page = page_of(FIXTURE_NONE);
	assert_holds(page, "<div class=\"hero good\">");
	assert_null(strstr(page, "id=\"felt\""));
	assert_null(strstr(page, "id=\"clocks\""));
	assert_holds(page, "No SYN dropped");
	free(page);
	page = page_of(FIXTURE_LITTLE);
	assert_holds(page, "<div class=\"hero warn\">");
	free(page);
}

static void test_now(void **state)
{
	char *page = page_of(FIXTURE_IPV6);

	(void)state;
	assert_null(strstr(page, "would"));
	assert_holds(page, "What people felt");
	assert_holds(page, " connections were refused; ");
	assert_holds(page, "[2001:db8:5::80]:443");
	free(page);
}

/* Each sample is in the chart of its whole time exactly once; the zoom shows some again. */
static void test_every_sample(void **state)
{
	const struct report_source *s = fixture.sources;
	size_t i, dropped = 0;
	char *page, *end;

	(void)state;
	page = page_of(FIXTURE_NAT);
	for (i = 0; i < s->sample_count; i++)
		dropped += s->samples[i].dropped;
	end = strstr(strstr(page, "aria-label=\"TSval against time\""), "</svg>");
	assert_non_null(end);
	*end = '\0';
	assert_int_equal(count_of(strstr(page, "TSval against time"), "<g class=\"s "),
			 s->sample_count);
	assert_int_equal(count_of(strstr(page, "TSval against time"), "would be dropped"), dropped);
	assert_int_equal(count_of(strstr(page, "TSval against time"), "<path class=\"k c"), 3);
	assert_int_equal(count_of(strstr(page, "TSval against time"), "ticks left out"), 2);
	free(page);
}

static void test_charts(void **state)
{
	char *page = page_of(FIXTURE_NAT);

	(void)state;
	assert_int_equal(count_of(page, "<article class=\"source\">"), 6);
	assert_holds(page, "random offset per connection</span>");
	assert_holds(page, "clock 2, 32 times");
	free(page);
	page = page_of(FIXTURE_CROWD);
	assert_int_equal(count_of(page, "<article class=\"source\">"), 8);
	assert_holds(page, "clock 16</text>");
	free(page);
}

static void test_timeline(void **state)
{
	char *page = page_of(FIXTURE_NAT);

	(void)state;
	assert_int_equal(count_of(page, "class=\"hit\""), 130);
	assert_holds(page, "worst minute: 15:31, 121 of 364 SYNs dropped");
	assert_holds(page, "<title>15:31, 1 min\n121 of 364 SYNs dropped (33.2 %)\n90 connections");
	free(page);
	page = page_of(FIXTURE_LONG);
	assert_in_range(count_of(page, "class=\"hit\""), 100, 240);
	assert_holds(page, "A bar is 15 min;");
	free(page);
}

static void test_full(void **state)
{
	(void)state;
	fixture_full(report_html);
}

int main(void)
{
	enum fixture_kind kinds[FIXTURE_KINDS];
	struct CMUnitTest pages[2 * FIXTURE_KINDS];
	const struct CMUnitTest others[] = {
		cmocka_unit_test(test_hostile), cmocka_unit_test(test_decision),
		cmocka_unit_test(test_now),	cmocka_unit_test(test_every_sample),
		cmocka_unit_test(test_charts),	cmocka_unit_test(test_timeline),
		cmocka_unit_test(test_full),
	};
	size_t i;
	int failed;

	for (i = 0; i < FIXTURE_KINDS; i++) {
		kinds[i] = (enum fixture_kind)i;
		pages[2 * i] = unit_row(fixture_name(kinds[i]), test_well_formed, &kinds[i]);
		pages[2 * i + 1] = unit_row(fixture_name(kinds[i]), test_alone, &kinds[i]);
	}
	failed = cmocka_run_group_tests_name("report_html: pages", pages, NULL, NULL);
	return failed + cmocka_run_group_tests_name("report_html", others, NULL, NULL);
}
