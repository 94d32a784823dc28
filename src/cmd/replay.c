/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../os/clock.h"
#include "../os/random.h"
#include "../source/capture.h"
#include "panel.h"
#include "replay.h"
#include "replay_options.h"

struct replay {
	struct replay_options options;
	struct capture *capture;
	struct panel *panel;
	uint64_t first_ns, last_ns; /* of the capture */
	int error;		    /* errno of standard output; 0 while it takes all */
	uint64_t lines_lost;	    /* for want of memory */
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

static void take(struct replay *replay, const struct capture_packet *packet)
{
	struct synpaws_segment seg;
	const enum synpaws_decode result = synpaws_segment_decode(
		&seg, packet->bytes, packet->captured, packet->length, SYNPAWS_CHECKSUM_PARTIAL_OK);

	if (replay->first_ns == 0)
		replay->first_ns = packet->time_ns;
	if (packet->time_ns > replay->last_ns)
		replay->last_ns = packet->time_ns;
	panel_decode(replay->panel, result);
	if (result != SYNPAWS_DECODE_OK)
		return;
	seg.time_ns = packet->time_ns;
	seg.order_ns = packet->time_ns;
	seg.second = (uint32_t)(packet->time_ns / NS_PER_SECOND);
	seg.ifindex = 0;
	seg.forwarded = replay->options.panel.gateway;
	seg.way = SYNPAWS_WAY_ANY;
	panel_take(replay->panel, &seg);
}

/* What went wrong in the captures, a line each. Returns how much that is. */
static uint64_t count_errors(const struct replay *replay)
{
	uint64_t count = 0;

	while (capture_error(replay->capture, count) != NULL)
		count++;
	return count;
}

static void summarise(struct replay *replay)
{
	const struct capture_counters counters = capture_counters(replay->capture);
	const struct tally_context context = {
		.seconds = (replay->last_ns - replay->first_ns) / NS_PER_SECOND,
		.offered = counters.packets,
		.not_ip = counters.not_ip,
		.fragments_lost = counters.fragments_lost,
		.out_of_order = counters.out_of_order,
		.capture_errors = count_errors(replay),
		.lines_lost = replay->lines_lost,
	};

	panel_flush(replay->panel);
	panel_summarise(replay->panel, &context);
}

/* False if anything went wrong, with lines that say what; nobody needs to hear of a closed pipe. */
static bool report(const struct replay *replay)
{
	const char *line;
	size_t i;

	for (i = 0; (line = capture_error(replay->capture, i)) != NULL; i++)
		fprintf(stderr, "synpaws: %s\n", line);
	if (replay->error != 0 && replay->error != EPIPE)
		fprintf(stderr, "synpaws: standard output: %s\n", strerror(replay->error));
	return i == 0 && replay->error == 0;
}

static bool run(struct replay *replay)
{
	struct capture_packet packet;
	char why[512];
	bool good;

	if (!build(replay))
		return false;
	replay->capture =
		capture_open(replay->options.files, replay->options.file_count, why, sizeof(why));
	if (replay->capture == NULL) {
		fprintf(stderr, "synpaws: %s\n", why);
		return false;
	}
	while (replay->error == 0 && capture_next(replay->capture, &packet) == CAPTURE_PACKET)
		take(replay, &packet);
	if (replay->error == 0)
		summarise(replay);
	if (fflush(stdout) != 0 && replay->error == 0)
		replay->error = errno;
	good = report(replay);
	capture_close(replay->capture);
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
	if (!capture_available()) {
		fprintf(stderr, "synpaws: this build reads no captures: install libpcap's "
				"development files and build again\n");
		return EXIT_FAILURE;
	}
	signal(SIGPIPE, SIG_IGN);
	good = run(&replay);
	panel_free(replay.panel);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
