/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../os/random.h"
#include "panel.h"
#include "reader.h"
#include "report.h"
#include "report_options.h"
#include "report_write.h"
#include "status.h"

struct command {
	struct report_options options;
	struct panel *panel;
	struct collect *collect;
	struct what_if *what_if[WHAT_IF_MOST];
	struct reader reader;
};

static void ignore_line(void *context, int priority, const char *line)
{
	(void)context;
	(void)priority;
	(void)line;
}

static void take_decode(void *context, enum synpaws_decode result, uint64_t count)
{
	const struct command *command = context;

	panel_decode(command->panel, result, count);
}

static bool take_segments(void *context, const struct synpaws_segment *segs, size_t count)
{
	const struct command *command = context;
	size_t i, n;

	panel_take(command->panel, segs, count);
	for (i = 0; i < command->options.what_if_count; i++) {
		for (n = 0; n < count; n++)
			what_if_take(command->what_if[i], &segs[n]);
	}
	return true;
}

static bool build_what_if(struct command *command, const uint8_t hash_key[16])
{
	const struct report_options *options = &command->options;
	size_t i;

	for (i = 0; i < options->what_if_count; i++) {
		command->what_if[i] = what_if_new(&options->what_if[i], &options->panel,
						  &options->panel.sysctls.values, hash_key);
		if (command->what_if[i] == NULL)
			return false;
	}
	return true;
}

static bool build(struct command *command)
{
	struct panel_config config = {
		.options = &command->options.panel,
		.sysctls = command->options.panel.sysctls,
		.quiet = true,
		.write = ignore_line,
		.context = command,
	};

	if (!random_key(config.hash_key)) {
		fprintf(stderr, "synpaws: /dev/urandom: %s\n", strerror(errno));
		return false;
	}
	command->collect = collect_new(config.hash_key);
	config.collect = command->collect;
	if (command->collect != NULL)
		command->panel = panel_new(&config);
	if (command->panel != NULL && build_what_if(command, config.hash_key))
		return true;
	fprintf(stderr,
		"synpaws: no memory for %zu peers and %zu flows a profile: give fewer with "
		"--peers and --flows\n",
		config.options->peers, config.options->flows);
	return false;
}

static void demolish(struct command *command)
{
	size_t i;

	for (i = 0; i < command->options.what_if_count; i++)
		what_if_free(command->what_if[i]);
	panel_free(command->panel);
	collect_free(command->collect);
}

static const struct report *make_report(struct command *command,
					struct report_variant variants[WHAT_IF_MOST + 1])
{
	struct tally_context tally = reader_tally(&command->reader);
	const struct panel_span span = { command->reader.first_ns, command->reader.last_ns,
					 command->reader.watched_ns };
	const struct report *report;
	size_t i, count = command->options.what_if_count;

	panel_flush(command->panel);
	report = panel_report(command->panel, &tally, &span, NULL, 0);
	if (count == 0)
		return report;
	variants[0].name = "today";
	variants[0].note = "as it was captured";
	variants[0].connections = report->connections;
	variants[0].drop_connections = report->drop_connections;
	variants[0].drop_syns = report->drop_syns;
	variants[0].sources_hit = report->sources_hit;
	for (i = 0; i < count; i++)
		what_if_report(command->what_if[i], &variants[i + 1]);
	return panel_report(command->panel, &tally, &span, variants, count + 1);
}

/* The written report is all; False if anything went wrong, with lines that say what. */
static bool write_out(struct command *command)
{
	struct report_variant variants[WHAT_IF_MOST + 1];
	const struct report *report = make_report(command, variants);
	char why[256];

	if (report_write(command->options.form, command->collect, report, &command->options.plot,
			 stdout, why, sizeof(why)))
		return true;
	if (errno != EPIPE)
		fprintf(stderr, "synpaws: %s\n", why);
	return false;
}

static bool report_captures(struct command *command)
{
	struct reader *reader = &command->reader;
	bool good;

	reader->files = command->options.files;
	reader->file_count = command->options.file_count;
	reader->gateway = command->options.panel.gateway;
	reader->decode = take_decode;
	reader->take = take_segments;
	reader->context = command;
	if (!build(command) || !reader_read(reader))
		return false;
	good = write_out(command);
	good = reader_errors(reader) == 0 && good;
	reader_close(reader);
	return good;
}

static bool report_daemon(const struct report_options *options)
{
	char request[STATUS_REQUEST], why[512];

	report_request(options->form, options->plot_text, request, sizeof(request));
	if (status_ask(options->socket, request, stdout, why, sizeof(why)))
		return true;
	fprintf(stderr, "synpaws: %s\n", why);
	return false;
}

int report_main(int argc, char **argv)
{
	struct command command;
	char why[256];
	bool good;

	memset(&command, 0, sizeof(command));
	if (!report_options_parse(&command.options, argc, argv, why, sizeof(why))) {
		fprintf(stderr, "synpaws: %s\n", why);
		return EXIT_USAGE;
	}
	if (command.options.help) {
		report_options_help();
		return EXIT_SUCCESS;
	}
	if (command.options.check_only) {
		printf("configuration OK\n");
		return EXIT_SUCCESS;
	}
	signal(SIGPIPE, SIG_IGN);
	if (command.options.file_count == 0)
		return report_daemon(&command.options) ? EXIT_SUCCESS : EXIT_FAILURE;
	good = report_captures(&command);
	demolish(&command);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
