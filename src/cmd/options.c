/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "../source/nfqueue.h"
#include "options.h"

static bool set_queue(void *target, const char *value, char *why, size_t size)
{
	struct watch_options *options = target;
	unsigned long long first = 0, last = 0;
	char text[16];
	const size_t length = strcspn(value, ":");
	bool good = length < sizeof(text);

	if (good) {
		memcpy(text, value, length);
		text[length] = '\0';
		good = option_number(text, 0, UINT16_MAX, &first);
		last = first;
		if (good && value[length] == ':')
			good = option_number(value + length + 1, first, UINT16_MAX, &last);
	}
	if (!good || last - first >= OPTIONS_QUEUES_MOST) {
		snprintf(why, size,
			 "--queue '%s': give a queue number from 0 to 65535, or a range of "
			 "up to %d such as 0:3",
			 value, OPTIONS_QUEUES_MOST);
		return false;
	}
	options->first_queue = (uint16_t)first;
	options->queue_count = (size_t)(last - first + 1);
	return true;
}

static bool set_log(void *target, const char *value, char *why, size_t size)
{
	struct watch_options *options = target;

	return panel_options_set_sink(&options->panel, value, true, why, size);
}

static bool set_facility(void *target, const char *value, char *why, size_t size)
{
	struct watch_options *options = target;

	options->facility = log_facility(value);
	if (options->facility >= 0)
		return true;
	snprintf(why, size, "--facility '%s': give one of syslog's, such as daemon or local0",
		 value);
	return false;
}

static bool set_buffer(void *target, const char *value, char *why, size_t size)
{
	unsigned long long number;

	if (!option_get_number("--buffer", value, 4096, 1ULL << 30, &number, why, size))
		return false;
	((struct watch_options *)target)->buffer = (size_t)number;
	return true;
}

static bool set_user(void *target, const char *value, char *why, size_t size)
{
	struct watch_options *options = target;

	if (sandbox_find_user(value, &options->user))
		return true;
	snprintf(why, size, "--user '%s': give a user that exists and is not root", value);
	return false;
}

static bool set_without(void *target, const char *value, char *why, size_t size)
{
	struct watch_options *options = target;
	unsigned int feature;
	const char *name;

	for (feature = 1; (name = nfqueue_feature_name(feature)) != NULL; feature <<= 1) {
		if (strcmp(name, value) == 0) {
			options->features &= ~feature;
			return true;
		}
	}
	snprintf(why, size, "--without '%s': give batch-verdict, fail-open, gso or recvmmsg",
		 value);
	return false;
}

static const struct option_row first_rows[] = {
	{ .name = "queue",
	  .argument = "N[:M]",
	  .set = set_queue,
	  .help = "NFQUEUE to watch, or a range of them (0)" },
};

static const struct option_row log_rows[] = {
	{ .name = "log",
	  .argument = "SINK",
	  .set = set_log,
	  .help = "where lines go: syslog, stdout or json (syslog)" },
	{ .name = "facility",
	  .argument = "NAME",
	  .set = set_facility,
	  .help = "syslog facility (daemon)" },
};

static const struct option_row last_rows[] = {
	{ .name = "buffer",
	  .argument = "BYTES",
	  .set = set_buffer,
	  .help = "receive buffer of each queue's socket (8388608)" },
	{ .name = "user",
	  .argument = "NAME",
	  .set = set_user,
	  .help = "whom to run as (synpaws if there is one, else nobody)" },
	{ .name = "without",
	  .argument = "FEATURE",
	  .set = set_without,
	  .help = "do without batch-verdict, fail-open, gso or recvmmsg;\n"
		  "                             repeatable" },
	{ .letter = 'n',
	  .name = "check",
	  .flag = offsetof(struct watch_options, check_only),
	  .help = "check the options and leave" },
	{ .letter = 'd',
	  .name = "debug",
	  .flag = offsetof(struct watch_options, debug),
	  .help = "say more" },
	{ .letter = 'h',
	  .name = "help",
	  .flag = offsetof(struct watch_options, help),
	  .help = "print this and leave" },
};

#define GROUPS	    5
#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static void fill_groups(struct option_group groups[GROUPS], struct watch_options *options)
{
	const struct option_group list[GROUPS] = {
		{ first_rows, COUNT(first_rows), options }, panel_options_mirror(&options->panel),
		{ log_rows, COUNT(log_rows), options },	    panel_options_lines(&options->panel),
		{ last_rows, COUNT(last_rows), options },
	};

	memcpy(groups, list, sizeof(list));
}

static void set_defaults(struct watch_options *options)
{
	memset(options, 0, sizeof(*options));
	options->queue_count = 1;
	options->facility = LOG_DAEMON;
	options->buffer = 8388608;
	options->features = NFQUEUE_ALL_FEATURES;
	panel_options_init(&options->panel);
	options->panel.evidence = SYNPAWS_EVIDENCE_SYN;
	options->panel.sink = LOG_SINK_SYSLOG;
}

static bool set_default_user(struct watch_options *options, char *why, size_t size)
{
	if (options->user.uid != 0 || sandbox_find_user("synpaws", &options->user) ||
	    sandbox_find_user("nobody", &options->user))
		return true;
	snprintf(why, size, "there is neither a user synpaws nor nobody: give one with --user");
	return false;
}

bool options_parse(struct watch_options *options, int argc, char **argv, char *why, size_t size)
{
	struct option_group groups[GROUPS];
	int rest;

	set_defaults(options);
	fill_groups(groups, options);
	if (!option_parse(groups, GROUPS, argc, argv, &rest, why, size))
		return false;
	if (rest < argc) {
		snprintf(why, size, "'%s' is not an option; 'synpaws watch --help' lists them",
			 argv[rest]);
		return false;
	}
	if (options->panel.evidence == SYNPAWS_EVIDENCE_FULL) {
		snprintf(why, size,
			 "--evidence full: only a capture holds every segment ('synpaws replay'); "
			 "of a queue give syn, close or answer");
		return false;
	}
	return set_default_user(options, why, size);
}

void options_help(void)
{
	struct watch_options nothing;
	struct option_group groups[GROUPS];

	printf("usage: synpaws watch [option ...]\n\n"
	       "Watches the SYNs that an NFQUEUE rule hands over, accepts every one of them, and "
	       "logs\n"
	       "those that a kernel with tcp_tw_recycle would silently drop.\n\n");
	fill_groups(groups, &nothing);
	option_help(groups, GROUPS);
	printf("\nSIGUSR1 writes a summary, SIGTERM or SIGINT one more and ends it, SIGHUP opens "
	       "the\n"
	       "log again. Exit status: 0 ended on request, 1 something failed, 2 bad options.\n");
}
