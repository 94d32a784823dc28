/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../os/random.h"
#include "panel.h"
#include "reader.h"
#include "replay.h"
#include "replay_options.h"

struct replay {
	struct replay_options options;
	struct panel *panel;
	struct reader reader;
	int error;	     /* errno of standard output; 0 while it takes all */
	uint64_t lines_lost; /* for want of memory */
	bool one_terminal;   /* for lines and for the progress */
};

/* With --each standard output belongs to those lines alone. */
static void write_line(void *context, int priority, const char *line)
{
	struct replay *replay = context;
	FILE *stream = replay->options.each && priority == LOG_NOTICE ? stderr : stdout;

	if (line == NULL) {
		replay->lines_lost++;
		return;
	}
	if (stream == stderr || replay->one_terminal)
		progress_clear(&replay->reader.progress);
	if (fprintf(stream, "%s\n", line) < 0 && stream == stdout && replay->error == 0)
		replay->error = errno;
}

static bool build(struct replay *replay)
{
	struct panel_config config = {
		.options = &replay->options.panel,
		.sysctls = replay->options.panel.sysctls,
		.each = replay->options.each,
		.write = write_line,
		.context = replay,
	};

	if (!random_key(config.hash_key)) {
		fprintf(stderr, "synpaws: /dev/urandom: %s\n", strerror(errno));
		return false;
	}
	replay->panel = panel_new(&config);
	if (replay->panel == NULL)
		fprintf(stderr,
			"synpaws: no memory for %zu peers and %zu flows a profile: give "
			"fewer with --peers and --flows\n",
			config.options->peers, config.options->flows);
	return replay->panel != NULL;
}

static void take_decode(void *context, enum synpaws_decode result, uint64_t count)
{
	const struct replay *replay = context;

	panel_decode(replay->panel, result, count);
}

static bool take_segments(void *context, const struct synpaws_segment *segs, size_t count)
{
	const struct replay *replay = context;

	panel_take(replay->panel, segs, count);
	return replay->error == 0;
}

static void summarise(struct replay *replay)
{
	struct tally_context context = reader_tally(&replay->reader);

	context.lines_lost = replay->lines_lost;
	panel_flush(replay->panel);
	panel_summarise(replay->panel, &context);
	panel_warn(replay->panel);
}

static bool run(struct replay *replay)
{
	struct reader *reader = &replay->reader;
	bool good;

	reader->files = replay->options.files;
	reader->file_count = replay->options.file_count;
	reader->gateway = replay->options.panel.gateway;
	reader->decode = take_decode;
	reader->take = take_segments;
	reader->context = replay;
	if (!build(replay) || !reader_read(reader))
		return false;
	if (replay->error == 0)
		summarise(replay);
	if (fflush(stdout) != 0 && replay->error == 0)
		replay->error = errno;
	good = reader_errors(reader) == 0 && replay->error == 0;
	/* Nobody needs to hear of a closed pipe. */
	if (replay->error != 0 && replay->error != EPIPE)
		fprintf(stderr, "synpaws: standard output: %s\n", strerror(replay->error));
	reader_close(reader);
	return good;
}

int replay_main(int argc, char **argv)
{
	struct replay replay;
	char why[256];
	bool good;

	memset(&replay, 0, sizeof(replay));
	if (!replay_options_parse(&replay.options, argc, argv, why, sizeof(why))) {
		fprintf(stderr, "synpaws: %s\n", why);
		return EXIT_USAGE;
	}
	if (replay.options.help) {
		replay_options_help();
		return EXIT_SUCCESS;
	}
	if (replay.options.check_only) {
		printf("configuration OK\n");
		return EXIT_SUCCESS;
	}
	signal(SIGPIPE, SIG_IGN);
	replay.one_terminal = isatty(STDOUT_FILENO) != 0;
	good = run(&replay);
	panel_free(replay.panel);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
