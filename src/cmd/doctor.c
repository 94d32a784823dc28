/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "../sink/json.h"
#include "doctor.h"
#include "doctor_look.h"
#include "option.h"

#define SECONDS_MOST 86400
#define LINE_MOST    4096

struct options {
	bool json;
	bool help;
	unsigned int seconds;
};

static bool set_watch(void *target, const char *value, char *why, size_t size)
{
	unsigned long long number;

	if (!option_get_number("--watch", value, 1, SECONDS_MOST, &number, why, size))
		return false;
	((struct options *)target)->seconds = (unsigned int)number;
	return true;
}

static const struct option_row rows[] = {
	{ .name = "watch",
	  .argument = "SECONDS",
	  .set = set_watch,
	  .help = "how long to look whether counters grow (1)" },
	{ .name = "json", .flag = offsetof(struct options, json), .help = "a JSON object a line" },
	{ .letter = 'h',
	  .name = "help",
	  .flag = offsetof(struct options, help),
	  .help = "print this and leave" },
};

static void help(const struct option_group *group)
{
	printf("usage: synpaws doctor [option ...]\n\n"
	       "Looks at this machine, changes nothing, and says which kernel it has, whether it "
	       "refuses\n"
	       "connections because of timestamps, and whether synpaws can watch here.\n\n");
	option_help(group, 1);
	printf("\nExit status: 0 nothing wrong, 1 something needs attention (a line 'bad'), 2 bad "
	       "options,\n"
	       "3 the kernel is refusing connections now because of timestamps.\n");
}

static void wait_seconds(void *context, unsigned int seconds)
{
	struct timespec left = { .tv_sec = (time_t)seconds };

	(void)context;
	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		continue;
}

static void print(const char *line)
{
	puts(line);
	fflush(stdout); /* a long look follows */
}

static void say_text(void *context, const struct doctor_finding *finding)
{
	char line[LINE_MOST];

	(void)context;
	snprintf(line, sizeof(line), "%-4s  %s: %s%s%s", doctor_result_name(finding->result),
		 finding->check, finding->text, *finding->advice != '\0' ? " -> " : "",
		 finding->advice);
	print(line);
}

static void next_text(void *context, const char *text)
{
	char line[LINE_MOST];

	(void)context;
	snprintf(line, sizeof(line), "next: %s", text);
	print(line);
}

static void counted_text(void *context, const struct counters *now, const struct counters *since)
{
	(void)context;
	(void)now;
	(void)since;
}

static void print_json(struct json *json)
{
	char line[LINE_MOST];

	if (json_finish(json, line, sizeof(line)) > 0)
		print(line);
}

static void say_json(void *context, const struct doctor_finding *finding)
{
	struct json *json = json_new();

	(void)context;
	json_put_text(json, "event", "check");
	json_put_text(json, "check", finding->check);
	json_put_text(json, "result", doctor_result_name(finding->result));
	json_put_text(json, "text", finding->text);
	json_put_text(json, "do", finding->advice);
	print_json(json);
}

static void next_json(void *context, const char *text)
{
	struct json *json = json_new();

	(void)context;
	json_put_text(json, "event", "next");
	json_put_text(json, "text", text);
	print_json(json);
}

static struct json *counters_object(const struct counters *counters)
{
	struct json *json = json_new();
	enum counter which;

	for (which = 0; which < COUNTER_KINDS; which++) {
		if (counters->present[which])
			json_put_integer(json, counter_name(which),
					 (int64_t)counters->value[which]);
	}
	return json;
}

static void counted_json(void *context, const struct counters *now, const struct counters *since)
{
	const struct options *options = context;
	struct json *json = json_new();

	json_put_text(json, "event", "counters");
	json_put_integer(json, "seconds", options->seconds);
	json_put_object(json, "since_boot", counters_object(now));
	json_put_object(json, "grown", counters_object(since));
	print_json(json);
}

int doctor_main(int argc, char **argv)
{
	struct options options = { .seconds = 1 };
	const struct option_group group = { rows, sizeof(rows) / sizeof(rows[0]), &options };
	struct doctor_config config = { .root = "",
					.ask_kernel = true,
					.wait = wait_seconds,
					.say = say_text,
					.next = next_text,
					.counted = counted_text,
					.context = &options };
	char why[256];
	int rest;

	if (!option_parse(&group, 1, argc, argv, &rest, why, sizeof(why))) {
		fprintf(stderr, "synpaws: %s\n", why);
		return EXIT_USAGE;
	}
	if (rest < argc) {
		fprintf(stderr,
			"synpaws: '%s' is not an option; 'synpaws doctor --help' lists them\n",
			argv[rest]);
		return EXIT_USAGE;
	}
	if (options.help) {
		help(&group);
		return EXIT_SUCCESS;
	}
	if (options.json && !json_available()) {
		fprintf(stderr, "synpaws: --json: this build has no JSON: build with jansson\n");
		return EXIT_USAGE;
	}
	if (options.json) {
		config.say = say_json;
		config.next = next_json;
		config.counted = counted_json;
	}
	config.seconds = options.seconds;
	return doctor_look(&config);
}
