/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "replay_options.h"

static bool set_log(void *target, const char *value, char *why, size_t size)
{
	struct replay_options *options = target;

	return panel_options_set_sink(&options->panel, value, false, why, size);
}

static const struct option_row own_rows[] = {
	{ .name = "log",
	  .argument = "FORM",
	  .set = set_log,
	  .help = "form of the lines on standard output: stdout or json (stdout)" },
	{ .name = "each",
	  .flag = offsetof(struct replay_options, each),
	  .help = "instead a JSON line for every SYN; the summary goes to\n"
		  "                             standard error" },
};

static const struct option_row last_rows[] = {
	{ .letter = 'n',
	  .name = "check",
	  .flag = offsetof(struct replay_options, check_only),
	  .help = "check the options and leave" },
	{ .letter = 'h',
	  .name = "help",
	  .flag = offsetof(struct replay_options, help),
	  .help = "print this and leave" },
};

#define GROUPS	    4
#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static void fill_groups(struct option_group groups[GROUPS], struct replay_options *options)
{
	const struct option_group list[GROUPS] = {
		panel_options_mirror(&options->panel),
		{ own_rows, COUNT(own_rows), options },
		panel_options_lines(&options->panel),
		{ last_rows, COUNT(last_rows), options },
	};

	memcpy(groups, list, sizeof(list));
}

bool replay_options_parse(struct replay_options *options, int argc, char **argv, char *why,
			  size_t size)
{
	struct option_group groups[GROUPS];
	int rest;

	memset(options, 0, sizeof(*options));
	panel_options_init(&options->panel);
	options->panel.evidence = SYNPAWS_EVIDENCE_FULL;
	options->panel.sink = LOG_SINK_STDOUT;
	fill_groups(groups, options);
	if (!option_parse(groups, GROUPS, argc, argv, &rest, why, size))
		return false;
	if (options->panel.host_count == 0)
		options->panel.gateway = true;
	options->files = (const char *const *)argv + rest;
	options->file_count = (size_t)(argc - rest);
	if (options->file_count > 0 || options->help)
		return true;
	snprintf(why, size,
		 "no capture to read: give files, or - for standard input; "
		 "'synpaws replay --help' lists the options");
	return false;
}

void replay_options_help(void)
{
	struct replay_options nothing;
	struct option_group groups[GROUPS];

	printf("usage: synpaws replay [option ...] FILE...\n\n"
	       "Reads captures (pcap or pcapng; - is standard input; several are merged by time) "
	       "and\n"
	       "tells which SYNs in them a kernel with tcp_tw_recycle would silently drop. Needs no "
	       "root.\n\n");
	fill_groups(groups, &nothing);
	option_help(groups, GROUPS);
	printf("\nEvidence is full unless told. Without --host every address is a host, and a "
	       "machine of\n"
	       "its own. Exit status: 0 read to the end, 1 errors in a capture or in writing, 2 "
	       "bad\n"
	       "options.\n");
}
