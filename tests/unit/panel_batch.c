/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds panel_take() to coming to the same with many segments at a time as with one at a time:
 * each profile's lines, summaries and facts, and the report with its retries, which ask the mirror
 * about the stamps of a moment between two segments. Time goes on by microseconds and by minutes,
 * over the ends of seconds and the moments when retries fall due, and at times back, as in a
 * capture. Segments that one batch holds may be seconds apart.
 */
#include "unit.h"

#include "cmd/panel.h"
#include "report/report_json.h"
#include "syn.h"

#define SEGMENTS   6000
#define BATCH_MOST 70
#define TEXT_MOST  (8 << 20)
#define PEERS	   9
#define CLOCKS	   3
#define US	   1000ULL
#define MS	   1000000ULL
#define SEC	   1000000000ULL

/* What a panel wrote: the lines of each profile, which need not keep their order among each other.
 */
struct side {
	struct panel *panel;
	struct collect *collect;
	char *text[PANEL_PROFILES_MOST + 1];
	size_t length[PANEL_PROFILES_MOST + 1];
	size_t drops;
};

struct cell {
	const char *name, *profiles;
	enum synpaws_evidence evidence;
	bool each, collect;
	uint32_t fold_seconds;
};

static const struct cell cells[] = {
	{ "one profile", "el7", SYNPAWS_EVIDENCE_SYN, false, true, 0 },
	{ "three profiles", "3.10,el7,2.6.32", SYNPAWS_EVIDENCE_SYN, false, true, 0 },
	{ "without a report", "el6,4.x", SYNPAWS_EVIDENCE_SYN, false, false, 0 },
	{ "each SYN", "3.10", SYNPAWS_EVIDENCE_SYN, true, false, 0 },
	{ "each SYN, three profiles", "3.10,el7,2.6.32", SYNPAWS_EVIDENCE_SYN, true, true, 0 },
	{ "folded", "el7", SYNPAWS_EVIDENCE_SYN, false, true, 60 },
	{ "folded for two seconds, three profiles", "3.10,el7,2.6.32", SYNPAWS_EVIDENCE_SYN, false,
	  false, 2 },
};

static struct panel_options options;
static struct side sides[2];
static uint64_t dice, seed, now_ns;

static bool one_in(uint32_t n)
{
	return unit_below(&dice, n) == 0;
}

/* To the profile's own text; with --each the order is the promise, so there is one text. */
static void write_line(void *context, int priority, const char *line)
{
	struct side *side = context;
	char start[64];
	size_t i = 0;

	assert_non_null(line);
	for (; i < options.profile_count; i++) {
		snprintf(start, sizeof(start), " profile=%s ", options.profiles[i]->name);
		if (strstr(line, start) != NULL)
			break;
	}
	assert_true(side->length[i] + strlen(line) + 16 < TEXT_MOST);
	side->length[i] +=
		(size_t)sprintf(side->text[i] + side->length[i], "%d %s\n", priority, line);
	side->drops += strncmp(line, "paws-drop", 9) == 0 ||
		       strstr(line, "\"fate\":\"paws-drop\"") != NULL;
}

static void start_side(struct side *side, const struct cell *cell)
{
	struct panel_config config = {
		.options = &options,
		.sysctls = options.sysctls,
		.each = cell->each,
		.hash_key = { 2, 7, 1 },
		.write = write_line,
		.context = side,
	};
	size_t i;

	memset(side, 0, sizeof(*side));
	for (i = 0; i < COUNT(side->text); i++) {
		side->text[i] = malloc(TEXT_MOST);
		assert_non_null(side->text[i]);
		side->text[i][0] = '\0';
	}
	side->collect = collect_new(config.hash_key);
	assert_non_null(side->collect);
	config.collect = cell->collect ? side->collect : NULL;
	side->panel = panel_new(&config);
	assert_non_null(side->panel);
}

static void free_side(struct side *side)
{
	size_t i;

	for (i = 0; i < COUNT(side->text); i++)
		free(side->text[i]);
	panel_free(side->panel);
	collect_free(side->collect);
}

static void start(const struct cell *cell)
{
	char names[128], *name, *rest = NULL;

	panel_options_init(&options);
	options.evidence = cell->evidence;
	options.sink = LOG_SINK_STDOUT;
	options.fold_seconds = cell->fold_seconds;
	options.log_rate = 1000000;
	options.peers = options.flows = 1000;
	options.profile_count = 0;
	strcpy(names, cell->profiles);
	for (name = strtok_r(names, ",", &rest); name != NULL; name = strtok_r(NULL, ",", &rest))
		options.profiles[options.profile_count++] = synpaws_profile_find(name);
	start_side(&sides[0], cell);
	start_side(&sides[1], cell);
	now_ns = UNIT_SECOND * SEC;
}

/* Mostly close together; also to just before and after full seconds. */
static void pass(void)
{
	const uint32_t luck = unit_below(&dice, 100);

	if (luck < 70)
		now_ns += unit_below(&dice, 100) * US;
	else if (luck < 85)
		now_ns += unit_below(&dice, 2000) * US;
	else if (luck < 90)
		now_ns = (now_ns / SEC + 1) * SEC + unit_below(&dice, 5) - 2;
	else if (luck < 96)
		now_ns += unit_below(&dice, 1000) * MS;
	else if (luck < 98)
		now_ns += unit_below(&dice, 40) * SEC;
	else if (luck < 99)
		now_ns -= unit_below(&dice, 3000) * US;
}

/* A peer has several clocks, so that the SYNs of most are dropped for as long as one is seen. */
static void next_segment(struct synpaws_segment *seg)
{
	const uint32_t peer = unit_below(&dice, PEERS), clock = unit_below(&dice, CLOCKS);

	pass();
	*seg = syn_plain("198.51.100.0", one_in(3) ? "10.99.0.1" : "10.99.0.2", 0);
	seg->source[3] = (uint8_t)peer;
	seg->time_ns = seg->order_ns = now_ns;
	seg->second = (uint32_t)(now_ns / SEC);
	seg->source_port = (uint16_t)(1024 + unit_below(&dice, 3000));
	seg->seq = seg->source_port;
	seg->has_timestamp = !one_in(10);
	if (seg->has_timestamp)
		seg->tsval = (uint32_t)(now_ns / MS) + clock * 20000;
	if (one_in(20))
		seg->flags = SYNPAWS_ACK;
}

static void run(void)
{
	struct synpaws_segment segs[BATCH_MOST];
	size_t done, count, i;

	for (done = 0; done < SEGMENTS; done += count) {
		count = one_in(4) ? unit_below(&dice, 3) : 1 + unit_below(&dice, BATCH_MOST);
		for (i = 0; i < count; i++)
			next_segment(&segs[i]);
		for (i = 0; i < count; i++)
			panel_take(sides[0].panel, &segs[i], 1);
		panel_take(sides[1].panel, segs, count);
		memset(segs, 0xee, sizeof(segs));
		if (!one_in(5))
			continue;
		panel_advance(sides[0].panel, now_ns);
		panel_advance(sides[1].panel, now_ns);
	}
}

/* The report as JSON, to be freed. */
static char *report_of(struct side *side)
{
	const struct tally_context context = { .seconds = 7, .offered = SEGMENTS };
	const struct panel_span span = { 0, 0, 0 };
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	assert_non_null(out);
	assert_true(report_json(panel_report(side->panel, &context, &span, NULL, 0), out));
	assert_int_equal(fclose(out), 0);
	return text;
}

static void compare_reports(void)
{
	char *a = report_of(&sides[0]), *b = report_of(&sides[1]);
	const struct report *report;
	const struct tally_context context = { .seconds = 7 };
	const struct panel_span span = { 0, 0, 0 };

	assert_string_equal(a, b);
	report = panel_report(sides[0].panel, &context, &span, NULL, 0);
	assert_true(report->felt[REPORT_CLASSIC].connections[0] >
		    0);						 /* some waited but a second, */
	assert_true(report->felt[REPORT_CLASSIC].timed_out > 0); /* and some in vain */
	free(a);
	free(b);
}

/* Fails by the first line that differs. */
static void expect_same(const char *a, const char *b)
{
	size_t from = 0, i;

	for (i = 0; a[i] == b[i] && a[i] != '\0'; i++) {
		if (a[i] == '\n')
			from = i + 1;
	}
	if (a[i] != b[i])
		fail_msg("singly: %.300s\ntogether: %.300s", a + from, b + from);
}

static void test_many_at_a_time(void **state)
{
	const struct cell *cell = *state;
	const struct tally_context context = { .seconds = 7 };
	size_t i;

	dice = seed;
	start(cell);
	run();
	for (i = 0; i < 2; i++) {
		panel_flush(sides[i].panel);
		panel_summarise(sides[i].panel, &context);
	}
	assert_true(sides[0].drops > 100);
	for (i = 0; i < COUNT(sides[0].text); i++)
		expect_same(sides[0].text[i], sides[1].text[i]);
	if (cell->collect)
		compare_reports();
	free_side(&sides[0]);
	free_side(&sides[1]);
}

int main(void)
{
	struct CMUnitTest panel_batch[COUNT(cells)];
	size_t i;

	seed = unit_seed("panel_batch");
	for (i = 0; i < COUNT(cells); i++)
		panel_batch[i] = unit_row(cells[i].name, test_many_at_a_time, &cells[i]);
	return cmocka_run_group_tests(panel_batch, NULL, NULL);
}
