/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "report_options.h"
#include "status.h"

static bool set_json(void *target, const char *value, char *why, size_t size)
{
	struct report_options *options = target;

	(void)value;
	(void)why;
	(void)size;
	options->form = REPORT_FORM_JSON;
	return true;
}

static bool set_html(void *target, const char *value, char *why, size_t size)
{
	struct report_options *options = target;

	(void)value;
	(void)why;
	(void)size;
	options->form = REPORT_FORM_HTML;
	return true;
}

static bool set_plot(void *target, const char *value, char *why, size_t size)
{
	struct report_options *options = target;

	options->form = REPORT_FORM_PLOT;
	options->plot_text = value;
	if (strchr(value, '/') == NULL && panel_parse_prefix(&options->plot, value))
		return true;
	snprintf(why, size, "--plot '%.60s': give the address of a source", value);
	return false;
}

static bool set_what_if(void *target, const char *value, char *why, size_t size)
{
	struct report_options *options = target;

	if (options->what_if_count == WHAT_IF_MOST) {
		snprintf(why, size, "--what-if: there can be %d of them", WHAT_IF_MOST);
		return false;
	}
	return what_if_parse(&options->what_if[options->what_if_count++], value, why, size);
}

static bool set_socket(void *target, const char *value, char *why, size_t size)
{
	struct report_options *options = target;

	if (strlen(value) < STATUS_PATH_MOST) {
		options->socket = value;
		return true;
	}
	snprintf(why, size, "--socket: the path is longer than %d bytes", STATUS_PATH_MOST - 1);
	return false;
}

static const struct option_row own_rows[] = {
	{ .name = "json", .set = set_json, .help = "as JSON (contrib/doc/report.md)" },
	{ .name = "html",
	  .set = set_html,
	  .help = "as one page, with pictures: synpaws report --html FILE > page.html" },
	{ .name = "plot",
	  .argument = "ADDR",
	  .set = set_plot,
	  .help = "a picture of one source's timestamps instead" },
	{ .name = "what-if",
	  .argument = "CASE",
	  .set = set_what_if,
	  .help = "beside it: snat=ADDR[/LENGTH], profile=NAME,\n"
		  "                             host-closes=never, host-closes=always" },
	{ .name = "socket",
	  .argument = "PATH",
	  .set = set_socket,
	  .help = "without a FILE, ask the daemon that listens there (" STATUS_PATH ")" },
};

static const struct option_row last_rows[] = {
	{ .letter = 'n',
	  .name = "check",
	  .flag = offsetof(struct report_options, check_only),
	  .help = "check the options and leave" },
	{ .letter = 'h',
	  .name = "help",
	  .flag = offsetof(struct report_options, help),
	  .help = "print this and leave" },
};

#define GROUPS	    3
#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static void fill_groups(struct option_group groups[GROUPS], struct report_options *options)
{
	const struct option_group list[GROUPS] = {
		panel_options_mirror(&options->panel),
		{ own_rows, COUNT(own_rows), options },
		{ last_rows, COUNT(last_rows), options },
	};

	memcpy(groups, list, sizeof(list));
}

static bool needs_host(const struct report_options *options)
{
	size_t i;

	for (i = 0; i < options->what_if_count; i++) {
		if (options->what_if[i].kind == WHAT_IF_SNAT && options->panel.host_count == 0)
			return true;
	}
	return false;
}

bool report_options_parse(struct report_options *options, int argc, char **argv, char *why,
			  size_t size)
{
	struct option_group groups[GROUPS];
	struct panel_options fresh;
	int rest;

	memset(options, 0, sizeof(*options));
	panel_options_init(&options->panel);
	options->panel.evidence = SYNPAWS_EVIDENCE_FULL;
	fresh = options->panel;
	options->socket = STATUS_PATH;
	fill_groups(groups, options);
	if (!option_parse(groups, GROUPS, argc, argv, &rest, why, size))
		return false;
	options->files = (const char *const *)argv + rest;
	options->file_count = (size_t)(argc - rest);
	if (needs_host(options)) {
		snprintf(why, size,
			 "--what-if snat: say with --host which addresses are the servers'");
		return false;
	}
	if (options->file_count > 0) {
		if (options->panel.host_count == 0)
			options->panel.gateway = true;
		return true;
	}
	if (options->what_if_count == 0 && memcmp(&options->panel, &fresh, sizeof(fresh)) == 0)
		return true;
	if (options->help)
		return true;
	snprintf(why, size,
		 "no capture to read: give a FILE, or leave out what only the daemon can be told");
	return false;
}

void report_options_help(void)
{
	struct report_options nothing;
	struct option_group groups[GROUPS];

	printf("usage: synpaws report [option ...] [FILE...]\n\n"
	       "May tcp_tw_recycle be switched on; if it is on, whom does it hurt, why, how badly, "
	       "and what\n"
	       "to do? Of captures (pcap or pcapng; - is standard input) without root; without a "
	       "FILE, of\n"
	       "what the running daemon has seen since its start.\n\n");
	fill_groups(groups, &nothing);
	option_help(groups, GROUPS);
	printf("\nEvidence is full unless told. Exit status: 0 done, 1 errors in a capture, in "
	       "writing, or no\n"
	       "daemon, 2 bad options.\n");
}
