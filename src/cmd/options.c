/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../sink/json.h"
#include "../source/nfqueue.h"
#include "options.h"

/* A setter takes one option's value; false with a reason in `why` if it is no good. */
typedef bool setter(struct watch_options *options, const char *value, char *why, size_t size);

struct option_spec {
	char letter; /* 0 if it has none */
	const char *name;
	const char *argument; /* NULL if it takes none */
	const char *help;
	setter *set; /* NULL: it turns on the flag */
	size_t flag; /* at this offset in struct watch_options */
};

static bool parse_number(const char *text, unsigned long long least, unsigned long long most,
			 unsigned long long *number)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*number = strtoull(text, &end, 10);
	return errno == 0 && *end == '\0' && *number >= least && *number <= most;
}

/* The same for an option's value, with the line that says what was expected. */
static bool get_number(const char *name, const char *text, unsigned long long least,
		       unsigned long long most, unsigned long long *number, char *why, size_t size)
{
	if (parse_number(text, least, most, number))
		return true;
	snprintf(why, size, "%s '%s': give a number from %llu to %llu", name, text, least, most);
	return false;
}

static bool set_queue(struct watch_options *options, const char *value, char *why, size_t size)
{
	unsigned long long first = 0, last = 0;
	char text[16];
	const size_t length = strcspn(value, ":");
	bool good = length < sizeof(text);

	if (good) {
		memcpy(text, value, length);
		text[length] = '\0';
		good = parse_number(text, 0, UINT16_MAX, &first);
		last = first;
		if (good && value[length] == ':')
			good = parse_number(value + length + 1, first, UINT16_MAX, &last);
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

static bool set_profile(struct watch_options *options, const char *value, char *why, size_t size)
{
	options->profile = synpaws_profile_find(value);
	if (options->profile != NULL)
		return true;
	snprintf(why, size,
		 "--profile '%s': there is no such profile; 'synpaws profiles' lists them", value);
	return false;
}

static bool set_host(struct watch_options *options, const char *value, char *why, size_t size)
{
	struct synpaws_prefix *host = &options->hosts[options->host_count];
	const size_t length = strcspn(value, "/");
	const int family = memchr(value, ':', length) != NULL ? AF_INET6 : AF_INET;
	const unsigned int most = family == AF_INET ? 32 : 128;
	unsigned long long bits = most;
	char text[INET6_ADDRSTRLEN];

	if (options->host_count == OPTIONS_HOSTS_MOST) {
		snprintf(why, size, "--host '%s': there can be %d of them; give larger networks",
			 value, OPTIONS_HOSTS_MOST);
		return false;
	}
	memset(host, 0, sizeof(*host));
	if (length < sizeof(text)) {
		memcpy(text, value, length);
		text[length] = '\0';
		if (inet_pton(family, text, host->address) == 1 &&
		    (value[length] == '\0' || parse_number(value + length + 1, 0, most, &bits))) {
			host->ip_version = family == AF_INET ? 4 : 6;
			host->bits = (uint8_t)bits;
			options->host_count++;
			return true;
		}
	}
	snprintf(why, size,
		 "--host '%s': give an address such as 192.0.2.1 or 2001:db8::1, or a "
		 "network such as 192.0.2.0/24",
		 value);
	return false;
}

static bool set_log(struct watch_options *options, const char *value, char *why, size_t size)
{
	if (strcmp(value, "syslog") == 0) {
		options->sink = LOG_SINK_SYSLOG;
	} else if (strcmp(value, "stdout") == 0) {
		options->sink = LOG_SINK_STDOUT;
	} else if (strcmp(value, "json") == 0) {
		options->sink = LOG_SINK_JSON;
		if (!json_available()) {
			snprintf(why, size,
				 "--log json: this build has no JSON; install jansson's "
				 "development files and build again, or use --log stdout");
			return false;
		}
	} else {
		snprintf(why, size, "--log '%s': give syslog, stdout or json", value);
		return false;
	}
	return true;
}

static bool set_facility(struct watch_options *options, const char *value, char *why, size_t size)
{
	options->facility = log_facility(value);
	if (options->facility >= 0)
		return true;
	snprintf(why, size, "--facility '%s': give one of syslog's, such as daemon or local0",
		 value);
	return false;
}

static bool set_peers(struct watch_options *options, const char *value, char *why, size_t size)
{
	unsigned long long number;

	if (!get_number("--peers", value, 1, 1ULL << 30, &number, why, size))
		return false;
	options->peers = (size_t)number;
	return true;
}

static bool set_buffer(struct watch_options *options, const char *value, char *why, size_t size)
{
	unsigned long long number;

	if (!get_number("--buffer", value, 4096, 1ULL << 30, &number, why, size))
		return false;
	options->buffer = (size_t)number;
	return true;
}

static bool set_fold(struct watch_options *options, const char *value, char *why, size_t size)
{
	unsigned long long number;

	if (!get_number("--fold", value, 0, 86400, &number, why, size))
		return false;
	options->fold_seconds = (uint32_t)number;
	return true;
}

static bool set_rate(struct watch_options *options, const char *value, char *why, size_t size)
{
	unsigned long long number;

	if (!get_number("--log-rate", value, 1, 1000000, &number, why, size))
		return false;
	options->log_rate = (uint32_t)number;
	return true;
}

static bool set_user(struct watch_options *options, const char *value, char *why, size_t size)
{
	if (sandbox_find_user(value, &options->user))
		return true;
	snprintf(why, size, "--user '%s': give a user that exists and is not root", value);
	return false;
}

static bool set_without(struct watch_options *options, const char *value, char *why, size_t size)
{
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

static const struct option_spec specs[] = {
	{ .name = "queue",
	  .argument = "N[:M]",
	  .set = set_queue,
	  .help = "NFQUEUE to watch, or a range of them (0)" },
	{ .name = "profile",
	  .argument = "NAME",
	  .set = set_profile,
	  .help = "kernel to mirror; see 'synpaws profiles' (el7)" },
	{ .name = "host",
	  .argument = "ADDR[/LEN]",
	  .set = set_host,
	  .help = "judge SYNs to this host or network only; repeatable (all)" },
	{ .name = "log",
	  .argument = "SINK",
	  .set = set_log,
	  .help = "where lines go: syslog, stdout or json (syslog)" },
	{ .name = "facility",
	  .argument = "NAME",
	  .set = set_facility,
	  .help = "syslog facility (daemon)" },
	{ .name = "fold",
	  .argument = "SECONDS",
	  .set = set_fold,
	  .help = "a source gets a line in so many seconds; 0: a line a SYN (10)" },
	{ .name = "log-rate",
	  .argument = "N",
	  .set = set_rate,
	  .help = "at most so many lines a second in all (100)" },
	{ .name = "peers",
	  .argument = "N",
	  .set = set_peers,
	  .help = "room for so many peers, 22 bytes each (1048576)" },
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
		  "                           repeatable" },
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

#define SPECS (sizeof(specs) / sizeof(specs[0]))

static bool set_default_user(struct watch_options *options, char *why, size_t size)
{
	if (options->user.uid != 0 || sandbox_find_user("synpaws", &options->user) ||
	    sandbox_find_user("nobody", &options->user))
		return true;
	snprintf(why, size, "there is neither a user synpaws nor nobody: give one with --user");
	return false;
}

static const struct option_spec *find_spec(int value, int index)
{
	size_t i;

	if (value == 0)
		return &specs[index];
	for (i = 0; i < SPECS; i++) {
		if (specs[i].letter == value)
			return &specs[i];
	}
	return NULL;
}

static void fill_getopt(struct option longs[SPECS + 1], char shorts[2 * SPECS + 2])
{
	size_t i;

	memset(longs, 0, (SPECS + 1) * sizeof(longs[0]));
	*shorts++ = ':'; /* tells a missing argument from an unknown option */
	for (i = 0; i < SPECS; i++) {
		longs[i].name = specs[i].name;
		longs[i].has_arg = specs[i].argument != NULL ? required_argument : no_argument;
		if (specs[i].letter != 0)
			*shorts++ = specs[i].letter;
	}
	*shorts = '\0';
}

static const struct watch_options defaults = {
	.queue_count = 1,
	.sink = LOG_SINK_SYSLOG,
	.facility = LOG_DAEMON,
	.peers = 1048576,
	.buffer = 8388608,
	.fold_seconds = 10,
	.log_rate = 100,
	.features = NFQUEUE_ALL_FEATURES,
};

bool options_parse(struct watch_options *options, int argc, char **argv, char *why, size_t size)
{
	struct option longs[SPECS + 1];
	char shorts[2 * SPECS + 2];
	const struct option_spec *spec;
	int value, index = 0;

	*options = defaults;
	options->profile = synpaws_profile_find("el7");
	fill_getopt(longs, shorts);
	opterr = 0;
	optind = 1;
	while ((value = getopt_long(argc, argv, shorts, longs, &index)) != -1) {
		if (value == '?' || value == ':') {
			const char letter[] = { '-', (char)optopt, '\0' };

			snprintf(why, size, "%s: %s; 'synpaws watch --help' lists the options",
				 optopt != 0 ? letter : argv[optind - 1],
				 value == ':' ? "needs a value" : "no such option");
			return false;
		}
		spec = find_spec(value, index);
		if (spec->set == NULL)
			*(bool *)((char *)options + spec->flag) = true;
		else if (!spec->set(options, optarg, why, size))
			return false;
	}
	if (optind < argc) {
		snprintf(why, size, "'%s' is not an option; 'synpaws watch --help' lists them",
			 argv[optind]);
		return false;
	}
	return set_default_user(options, why, size);
}

void options_help(void)
{
	char left[40];
	size_t i;

	printf("usage: synpaws watch [option ...]\n\n"
	       "Watches the SYNs that an NFQUEUE rule hands over, accepts every one of them, and "
	       "logs\n"
	       "those that a kernel with tcp_tw_recycle would silently drop.\n\n");
	for (i = 0; i < SPECS; i++) {
		snprintf(left, sizeof(left), "%c%c%s--%s %s", specs[i].letter != 0 ? '-' : ' ',
			 specs[i].letter != 0 ? specs[i].letter : ' ',
			 specs[i].letter != 0 ? ", " : "  ", specs[i].name,
			 specs[i].argument != NULL ? specs[i].argument : "");
		printf("  %-24s %s\n", left, specs[i].help);
	}
	printf("\nSIGUSR1 writes a summary, SIGTERM or SIGINT one more and ends it, SIGHUP opens "
	       "the\n"
	       "log again. Exit status: 0 ended on request, 1 something failed, 2 bad options.\n");
}
