/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "../source/nfqueue.h"
#include "options.h"
#include "status.h"

/* Not told: it hangs on where packets come from. */
#define EVIDENCE_DEFAULT SYNPAWS_EVIDENCE_KINDS

static bool set_interface(void *target, const char *value, char *why, size_t size)
{
	struct watch_options *options = target;
	size_t i;

	if (*value == '\0' || strlen(value) >= IFNAMSIZ || strpbrk(value, "/: \t\n") != NULL) {
		snprintf(why, size,
			 "--interface '%s': give the name of an interface, such as eth0, "
			 "or any",
			 value);
		return false;
	}
	for (i = 0; i < options->interface_count; i++) {
		if (strcmp(options->interfaces[i], value) == 0) {
			snprintf(why, size, "--interface '%s': it is there twice", value);
			return false;
		}
	}
	if (options->interface_count == CAPTURE_LIVE_MOST) {
		snprintf(why, size, "--interface '%s': there can be %d of them; any is all", value,
			 CAPTURE_LIVE_MOST);
		return false;
	}
	options->interfaces[options->interface_count++] = value;
	return true;
}

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
	options->queue_option = "--queue";
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
			options->queue_option = "--without";
			return true;
		}
	}
	snprintf(why, size, "--without '%s': give batch-verdict, fail-open, gso or recvmmsg",
		 value);
	return false;
}

static bool set_socket(void *target, const char *value, char *why, size_t size)
{
	struct watch_options *options = target;

	options->socket = strcmp(value, "none") == 0 ? NULL : value;
	if (strlen(value) < STATUS_PATH_MOST)
		return true;
	snprintf(why, size, "--socket: the path is longer than %d bytes", STATUS_PATH_MOST - 1);
	return false;
}

static bool set_state(void *target, const char *value, char *why, size_t size)
{
	((struct watch_options *)target)->state = value;
	if (*value != '\0')
		return true;
	snprintf(why, size, "--state: give the path of a file");
	return false;
}

static const struct option_row first_rows[] = {
	{ .name = "queue",
	  .argument = "N[:M]",
	  .set = set_queue,
	  .help = "NFQUEUE to watch, or a range of them (0)" },
	{ .name = "interface",
	  .argument = "NAME",
	  .set = set_interface,
	  .help = "watch copies of an interface's packets instead, without any\n"
		  "                             rule; any is all of them; repeatable" },
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
	  .help = "receive buffer of each queue or interface (8388608)" },
	{ .name = "pin",
	  .flag = offsetof(struct watch_options, pin),
	  .help = "keep the receiver of each queue on a processor of its own" },
	{ .name = "user",
	  .argument = "NAME",
	  .set = set_user,
	  .help = "whom to run as (synpaws if there is one, else nobody)" },
	{ .name = "socket",
	  .argument = "PATH",
	  .set = set_socket,
	  .help = "where 'synpaws report' asks; none: nowhere\n"
		  "                             (" STATUS_PATH ")" },
	{ .name = "state",
	  .argument = "PATH",
	  .set = set_state,
	  .help = "file to go on from after a restart, and to write at the end;\n"
		  "                             its directory is the user's alone (none)" },
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
	options->socket = STATUS_PATH;
	panel_options_init(&options->panel);
	options->panel.evidence = EVIDENCE_DEFAULT;
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

static bool check_queues(struct watch_options *options, char *why, size_t size)
{
	if (options->panel.evidence == EVIDENCE_DEFAULT)
		options->panel.evidence = SYNPAWS_EVIDENCE_SYN;
	if (options->panel.evidence != SYNPAWS_EVIDENCE_FULL)
		return true;
	snprintf(why, size,
		 "--evidence full: only a capture holds every segment ('synpaws replay'), or an "
		 "--interface; of a queue give syn, close or answer");
	return false;
}

static bool check_interfaces(struct watch_options *options, char *why, size_t size)
{
	size_t i;

	if (options->panel.evidence == EVIDENCE_DEFAULT)
		options->panel.evidence = SYNPAWS_EVIDENCE_CLOSE;
	if (options->pin && options->queue_option == NULL)
		options->queue_option = "--pin";
	if (options->queue_option != NULL) {
		snprintf(why, size, "%s is for queues: leave out that or --interface",
			 options->queue_option);
		return false;
	}
	for (i = 0; options->interface_count > 1 && i < options->interface_count; i++) {
		if (strcmp(options->interfaces[i], "any") == 0) {
			snprintf(why, size,
				 "--interface any: that is all of them, leave the "
				 "others out");
			return false;
		}
	}
	return true;
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
	if (!(options->interface_count > 0 ? check_interfaces(options, why, size)
					   : check_queues(options, why, size)))
		return false;
	if (!set_default_user(options, why, size))
		return false;
	sandbox_find_other(&options->user, &options->analyst);
	return true;
}

void options_help(void)
{
	struct watch_options nothing;
	struct option_group groups[GROUPS];

	printf("usage: synpaws watch [option ...]\n\n"
	       "Watches the SYNs that an NFQUEUE rule hands over, accepts every one of them, and "
	       "logs\n"
	       "those that a kernel with tcp_tw_recycle would silently drop. With --interface it "
	       "needs\n"
	       "no rule: it looks at copies of what passes there.\n\n");
	fill_groups(groups, &nothing);
	option_help(groups, GROUPS);
	printf("\nEvidence is syn of queues unless told, close of interfaces. Of these it is less "
	       "exact than\n"
	       "of a queue, which also sees what follows a FIN. Of the SYNs of recorded kernels it "
	       "gets right\n"
	       "with syn (copies SYNs) 83 to 95 %%, close (SYNs, FINs, RSTs) 95 to 98 %%, answer (TCP "
	       "without\n"
	       "data) 99.5 %%, full (all TCP) 99.7 %%, and of a queue with close 99 %%; see "
	       "synpaws(8).\n");
	printf("\nSIGUSR1 writes a summary, SIGTERM or SIGINT one more and ends it, SIGHUP opens "
	       "the\n"
	       "log again. Exit status: 0 ended on request, 1 something failed, 2 bad options.\n");
}
