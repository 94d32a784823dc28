/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "../sink/json.h"
#include "panel_options.h"

static bool add_profile(struct panel_options *options, const char *name, const char *value,
			char *why, size_t size)
{
	const struct synpaws_profile *profile = synpaws_profile_find(name);
	size_t i;

	if (profile == NULL) {
		snprintf(why, size,
			 "--profile '%s': there is no such profile; 'synpaws profiles' lists them",
			 name);
		return false;
	}
	for (i = 0; i < options->profile_count; i++) {
		if (options->profiles[i] == profile) {
			snprintf(why, size, "--profile '%s': %s is there twice", value,
				 profile->name);
			return false;
		}
	}
	if (options->profile_count == PANEL_PROFILES_MOST) {
		snprintf(why, size, "--profile '%s': there can be %d at a time", value,
			 PANEL_PROFILES_MOST);
		return false;
	}
	options->profiles[options->profile_count++] = profile;
	return true;
}

static bool set_profiles(void *target, const char *value, char *why, size_t size)
{
	struct panel_options *options = target;
	const char *at = value;
	char name[64];
	size_t length;

	options->profile_count = 0;
	for (;;) {
		length = strcspn(at, ",");
		snprintf(name, sizeof(name), "%.*s",
			 length < sizeof(name) ? (int)length : (int)sizeof(name) - 1, at);
		if (!add_profile(options, name, value, why, size))
			return false;
		if (at[length] == '\0')
			return true;
		at += length + 1;
	}
}

static bool set_evidence(void *target, const char *value, char *why, size_t size)
{
	struct panel_options *options = target;
	enum synpaws_evidence evidence;

	for (evidence = 0; evidence < SYNPAWS_EVIDENCE_KINDS; evidence++) {
		if (strcmp(synpaws_evidence_name(evidence), value) == 0) {
			options->evidence = evidence;
			return true;
		}
	}
	snprintf(why, size, "--evidence '%s': give syn, close, answer or full", value);
	return false;
}

bool panel_parse_prefix(struct synpaws_prefix *prefix, const char *value)
{
	const size_t length = strcspn(value, "/");
	const int family = memchr(value, ':', length) != NULL ? AF_INET6 : AF_INET;
	const unsigned int most = family == AF_INET ? 32 : 128;
	unsigned long long bits = most;
	char text[INET6_ADDRSTRLEN];

	memset(prefix, 0, sizeof(*prefix));
	if (length >= sizeof(text))
		return false;
	memcpy(text, value, length);
	text[length] = '\0';
	if (inet_pton(family, text, prefix->address) != 1 ||
	    (value[length] != '\0' && !option_number(value + length + 1, 0, most, &bits)))
		return false;
	prefix->ip_version = family == AF_INET ? 4 : 6;
	prefix->bits = (uint8_t)bits;
	return true;
}

static bool set_host(void *target, const char *value, char *why, size_t size)
{
	struct panel_options *options = target;

	if (options->host_count == PANEL_HOSTS_MOST) {
		snprintf(why, size, "--host '%s': there can be %d of them; give larger networks",
			 value, PANEL_HOSTS_MOST);
		return false;
	}
	if (panel_parse_prefix(&options->hosts[options->host_count], value)) {
		options->host_count++;
		return true;
	}
	snprintf(why, size,
		 "--host '%s': give an address such as 192.0.2.1 or 2001:db8::1, or a "
		 "network such as 192.0.2.0/24",
		 value);
	return false;
}

static bool set_peers(void *target, const char *value, char *why, size_t size)
{
	unsigned long long number;

	if (!option_get_number("--peers", value, 1, 1ULL << 30, &number, why, size))
		return false;
	((struct panel_options *)target)->peers = (size_t)number;
	return true;
}

static bool set_flows(void *target, const char *value, char *why, size_t size)
{
	unsigned long long number;

	if (!option_get_number("--flows", value, 1, 1ULL << 26, &number, why, size))
		return false;
	((struct panel_options *)target)->flows = (size_t)number;
	return true;
}

static bool set_fold(void *target, const char *value, char *why, size_t size)
{
	unsigned long long number;

	if (!option_get_number("--fold", value, 0, 86400, &number, why, size))
		return false;
	((struct panel_options *)target)->fold_seconds = (uint32_t)number;
	return true;
}

static bool set_rate(void *target, const char *value, char *why, size_t size)
{
	unsigned long long number;

	if (!option_get_number("--log-rate", value, 1, 1000000, &number, why, size))
		return false;
	((struct panel_options *)target)->log_rate = (uint32_t)number;
	return true;
}

bool panel_options_set_sink(struct panel_options *options, const char *value, bool syslog,
			    char *why, size_t size)
{
	if (strcmp(value, "syslog") == 0 && syslog) {
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
		snprintf(why, size, "--log '%s': give %sstdout or json", value,
			 syslog ? "syslog, " : "");
		return false;
	}
	return true;
}

#define NEXT_LINE "\n                             "

static const struct option_row mirror_rows[] = {
	{ .name = "profile",
	  .argument = "P[,P...]",
	  .set = set_profiles,
	  .help = "kernels to mirror; see 'synpaws profiles' (el7)" },
	{ .name = "evidence",
	  .argument = "KIND",
	  .set = set_evidence,
	  .help = "what to go by: syn (an estimate), close, answer, or full" NEXT_LINE
		  "(of captures and interfaces)" },
	{ .name = "host",
	  .argument = "ADDR[/LEN]",
	  .set = set_host,
	  .help = "judge SYNs to this host or network only; repeatable (all)" },
	{ .name = "gateway",
	  .flag = offsetof(struct panel_options, gateway),
	  .help = "each host's address is a machine of its own, and not this one" },
	{ .name = "half-close",
	  .argument = "PORTS[:S]",
	  .set = panel_set_half_close,
	  .help = "services that shut down before they close, or close S seconds" NEXT_LINE
		  "after it; PORTS is N or N-M, more with commas; repeatable" },
	{ .name = "dual-stack",
	  .argument = "PORTS",
	  .set = panel_set_dual_stack,
	  .help = "IPv6 listeners that take IPv4 too; repeatable" },
	{ .name = "closed",
	  .argument = "PORTS",
	  .set = panel_set_closed,
	  .help = "ports where nobody listens; repeatable" },
	{ .name = "sysctl",
	  .argument = "NAME=VALUE",
	  .set = panel_set_sysctl,
	  .help = "the hosts' tcp_fin_timeout, tcp_syncookies, tcp_timestamps" NEXT_LINE
		  "or tcp_tw_recycle; repeatable" },
	{ .name = "peers",
	  .argument = "N",
	  .set = set_peers,
	  .help = "room for so many peers, 22 bytes each (1048576)" },
	{ .name = "flows",
	  .argument = "N",
	  .set = set_flows,
	  .help = "room for so many connections in view (262144)" },
};

static const struct option_row line_rows[] = {
	{ .name = "fold",
	  .argument = "SECONDS",
	  .set = set_fold,
	  .help = "a source gets a line in so many seconds; 0: a line a SYN (10)" },
	{ .name = "log-rate",
	  .argument = "N",
	  .set = set_rate,
	  .help = "at most so many lines a second in all (100)" },
};

struct option_group panel_options_mirror(struct panel_options *options)
{
	const struct option_group group = { mirror_rows,
					    sizeof(mirror_rows) / sizeof(mirror_rows[0]), options };

	return group;
}

struct option_group panel_options_lines(struct panel_options *options)
{
	const struct option_group group = { line_rows, sizeof(line_rows) / sizeof(line_rows[0]),
					    options };

	return group;
}

void panel_options_init(struct panel_options *options)
{
	memset(options, 0, sizeof(*options));
	options->profiles[0] = synpaws_profile_find("el7");
	options->profile_count = 1;
	options->peers = 1048576;
	options->flows = 262144;
	options->fold_seconds = 10;
	options->log_rate = 100;
	sysctls_init(&options->sysctls);
}

void panel_options_names(const struct panel_options *options, char *names, size_t size)
{
	size_t i, length = 0;

	*names = '\0';
	for (i = 0; i < options->profile_count && length < size; i++)
		length += (size_t)snprintf(names + length, size - length, "%s%s", i > 0 ? "," : "",
					   options->profiles[i]->name);
}
