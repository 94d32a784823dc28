/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * score: hold `synpaws replay --each` against what a real kernel did with the same SYNs.
 *
 * usage: synpaws replay --each ... | score DIRECTORY TRACE LABEL
 *
 * Reads the replay's lines from standard input and the kernel's fates from
 * DIRECTORY/TRACE.jsonl.gz (see README.md beside the traces). A SYN is right if both say drop or
 * both say no drop: that is the measure which the traces' README uses. Where the kernel showed the
 * stamp that it held, the mirror's must be the same, TSval and second. The guest's clock was up to
 * 16 ms off, so a stamp made that close to the end of a second may be of the one before or after.
 *
 * Prints "score LABEL KERNEL TRACE SYNS MISSED FALSE STAMPS EDGES", where EDGES are stamps that are
 * a second off, and before it a line for each SYN or stamp that is wrong. run, beside this file,
 * compares them with what is known.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#define LINE_MOST   65536
#define OUTCOMES    65536
#define NAME_MOST   160
#define SAME_MOMENT 2e-6 /* s; the events have microseconds */

struct outcome {
	char name[NAME_MOST]; /* both ends */
	double time;
	bool drops;
	char fate[24];
	const char *guess;
	bool recorded;
	uint32_t recorded_tsval, recorded_at;
};

struct score {
	const char *label, *kernel, *trace;
	struct outcome *outcomes;
	size_t count, next;
	unsigned int syns, missed, wrong, stamps, edges;
};

static uint32_t number(const json_t *object, const char *name)
{
	return (uint32_t)json_integer_value(json_object_get(object, name));
}

static const char *text(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

static void name_syn(const json_t *object, char name[NAME_MOST])
{
	snprintf(name, NAME_MOST, "%s %u %s %u", text(object, "src"), number(object, "sport"),
		 text(object, "dst"), number(object, "dport"));
}

static json_t *parse(const char *line)
{
	json_t *object = json_loads(line, 0, NULL);

	if (object == NULL) {
		fprintf(stderr, "score: no JSON: %s", line);
		exit(1);
	}
	return object;
}

static void read_outcomes(struct score *score)
{
	static char line[LINE_MOST];

	while (fgets(line, sizeof(line), stdin) != NULL && score->count < OUTCOMES) {
		struct outcome *outcome = &score->outcomes[score->count++];
		json_t *object = parse(line);

		name_syn(object, outcome->name);
		outcome->time = json_number_value(json_object_get(object, "time"));
		snprintf(outcome->fate, sizeof(outcome->fate), "%s", text(object, "fate"));
		outcome->drops = strcmp(outcome->fate, "paws-drop") == 0;
		outcome->guess = json_is_true(json_object_get(object, "guess")) ? " (guess)" : "";
		outcome->recorded = json_object_get(object, "recorded_tsval") != NULL;
		outcome->recorded_tsval = number(object, "recorded_tsval");
		outcome->recorded_at = number(object, "recorded_at");
		json_decref(object);
	}
}

/* Outcomes and events come in the same order, but probes that are no SYNs have no outcome. */
static const struct outcome *find(struct score *score, const json_t *event)
{
	const double time = json_number_value(json_object_get(event, "t"));
	char name[NAME_MOST];
	size_t i;

	name_syn(event, name);
	while (score->next < score->count && score->outcomes[score->next].time < time - SAME_MOMENT)
		score->next++;
	for (i = score->next; i < score->count && score->outcomes[i].time < time + SAME_MOMENT;
	     i++) {
		if (strcmp(score->outcomes[i].name, name) == 0)
			return &score->outcomes[i];
	}
	return NULL;
}

/* How many seconds the mirror's stamp is away from the kernel's. */
static int64_t seconds_off(const json_t *event, const json_t *record, uint32_t second)
{
	const int64_t now = (int64_t)json_number_value(json_object_get(event, "gt"));

	return (int64_t)second - (now - (int64_t)number(record, "age"));
}

static void compare_stamps(struct score *score, const json_t *event, const struct outcome *outcome)
{
	const json_t *record = json_object_get(event, "rec");
	int64_t off = 0;
	bool same = !outcome->recorded;

	if (json_is_string(record) && strcmp(json_string_value(record), "na") == 0)
		return;
	if (json_is_object(record)) {
		off = seconds_off(event, record, outcome->recorded_at);
		same = outcome->recorded && outcome->recorded_tsval == number(record, "ts") &&
		       off >= -1 && off <= 1;
	}
	score->stamps++;
	score->edges += same && off != 0;
	if (!same)
		printf("stamp %s %s %s %u kernel %" PRIu32 ", mirror %" PRIu32 " at %" PRIu32 "\n",
		       score->label, score->kernel, score->trace, number(event, "frame"),
		       number(record, "ts"), outcome->recorded_tsval, outcome->recorded_at);
}

static void compare(struct score *score, const json_t *event)
{
	const struct outcome *outcome = find(score, event);
	const bool dropped = strcmp(text(event, "fate"), "paws_drop") == 0;
	const bool drops = outcome != NULL && outcome->drops;

	score->syns++;
	score->missed += dropped && !drops;
	score->wrong += !dropped && drops;
	if (dropped != drops)
		printf("wrong %s %s %s %u kernel %s, mirror %s%s\n", score->label, score->kernel,
		       score->trace, number(event, "frame"), text(event, "fate"),
		       outcome != NULL ? outcome->fate : "nothing",
		       outcome != NULL ? outcome->guess : "");
	if (outcome != NULL)
		compare_stamps(score, event, outcome);
}

static void read_events(struct score *score)
{
	static char line[LINE_MOST];
	char command[512];
	FILE *events;

	snprintf(command, sizeof(command), "gzip -dc '%s/%s.jsonl.gz'", score->kernel,
		 score->trace);
	events = popen(command, "r");
	while (events != NULL && fgets(line, sizeof(line), events) != NULL) {
		json_t *event = parse(line);

		if (strcmp(text(event, "ev"), "syn") == 0)
			compare(score, event);
		json_decref(event);
	}
	if (events == NULL || pclose(events) != 0) {
		fprintf(stderr, "score: %s failed\n", command);
		exit(1);
	}
}

int main(int argc, char **argv)
{
	struct score score = { .count = 0 };

	score.outcomes = calloc(OUTCOMES, sizeof(*score.outcomes));
	if (argc != 4 || score.outcomes == NULL) {
		fprintf(stderr, "usage: synpaws replay --each ... | score DIRECTORY TRACE LABEL\n");
		return 2;
	}
	score.kernel = argv[1];
	score.trace = argv[2];
	score.label = argv[3];
	read_outcomes(&score);
	read_events(&score);
	printf("score %s %s %s %u %u %u %u %u\n", score.label, score.kernel, score.trace,
	       score.syns, score.missed, score.wrong, score.stamps, score.edges);
	free(score.outcomes);
	return score.syns > 0 ? 0 : 1;
}
