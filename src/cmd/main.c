/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <synpaws/profile.h>

#include "doctor.h"
#include "option.h"
#include "replay.h"
#include "report.h"
#include "watch.h"

/* Which stamps a connection that an IPv6 listener took over IPv4 leaves behind. */
static const char *dual_stack_text(enum synpaws_dual_stack kind)
{
	switch (kind) {
	case SYNPAWS_DUAL_STACK_SAME:
		return "all";
	case SYNPAWS_DUAL_STACK_NO_FIN:
		return "not at FIN";
	case SYNPAWS_DUAL_STACK_NEVER:
		return "none";
	}
	return "-";
}

static int profiles_main(int argc, char **argv)
{
	static const char format[] = "%-8s %-8s %-11s %-5s %-12s %-11s %-11s %s\n";
	const struct synpaws_profile *profile;
	size_t i;

	(void)argv;
	if (argc > 1) {
		fprintf(stderr, "synpaws: 'synpaws profiles' takes no options\n");
		return EXIT_USAGE;
	}
	printf(format, "profile", "also", "stamp per", "IPv6", "SYN, no TS", "dual-stack",
	       "cookies=2", "kernels");
	for (i = 0; (profile = synpaws_profile_at(i)) != NULL; i++)
		printf(format, profile->name, *profile->aliases != '\0' ? profile->aliases : "-",
		       profile->key == SYNPAWS_KEY_PEER ? "peer" : "host, peer",
		       profile->ipv6 ? "yes" : "no",
		       profile->needs_timestamp ? "dropped" : "passes",
		       dual_stack_text(profile->dual_stack),
		       profile->cookies_always ? "no check" : "like 1", profile->kernels);
	printf("\nSYN, no TS: a SYN without timestamp while a stamp counts. dual-stack: the stamps that "
	       "IPv4\n"
	       "connections to an IPv6 listener leave. cookies=2: what tcp_syncookies=2 makes of the "
	       "check.\n");
	return EXIT_SUCCESS;
}

static int version_main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	printf("synpaws " SYNPAWS_VERSION " (" SYNPAWS_FEATURES ")\n");
	return EXIT_SUCCESS;
}

static int help_main(int argc, char **argv);

static const struct command {
	const char *name;
	const char *help;
	int (*main)(int argc, char **argv);
} commands[] = {
	{ "watch", "watch the packets of an NFQUEUE; the daemon", watch_main },
	{ "replay", "judge the SYNs of captures", replay_main },
	{ "report", "the decision: of captures, or of the running daemon", report_main },
	{ "doctor", "look at this machine: does it refuse SYNs, can synpaws watch here",
	  doctor_main },
	{ "profiles", "list the kernels that can be mirrored", profiles_main },
	{ "version", "print the version and what is built in", version_main },
	{ "help", "print this", help_main },
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void usage(FILE *stream)
{
	size_t i;

	fprintf(stream, "usage: synpaws command [option ...]\n\n");
	for (i = 0; i < COMMANDS; i++)
		fprintf(stream, "  %-9s %s\n", commands[i].name, commands[i].help);
	fprintf(stream,
		"\n'synpaws watch --help' and 'synpaws replay --help' list their options; see also "
		"synpaws(8).\n");
}

static int help_main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	usage(stdout);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";
	size_t i;

	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
		name = "help";
	if (strcmp(name, "--version") == 0)
		name = "version";
	for (i = 0; i < COMMANDS; i++) {
		if (strcmp(commands[i].name, name) == 0)
			return commands[i].main(argc - 1, argv + 1);
	}
	if (*name == '\0')
		usage(stderr);
	else
		fprintf(stderr, "synpaws: no command '%s': 'synpaws help' lists them\n", name);
	return EXIT_USAGE;
}
