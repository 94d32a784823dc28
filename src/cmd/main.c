/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <synpaws/profile.h>

#include "options.h"
#include "watch.h"

static int profiles_main(int argc, char **argv)
{
	const struct synpaws_profile *profile;
	size_t i;

	(void)argv;
	if (argc > 1) {
		fprintf(stderr, "synpaws: 'synpaws profiles' takes no options\n");
		return EXIT_USAGE;
	}
	printf("%-8s %-8s %-12s %-5s %-18s %s\n", "profile", "also", "stamp per", "IPv6",
	       "SYN without TS", "kernels");
	for (i = 0; (profile = synpaws_profile_at(i)) != NULL; i++)
		printf("%-8s %-8s %-12s %-5s %-18s %s\n", profile->name, profile->aliases,
		       profile->key == SYNPAWS_KEY_PEER ? "peer" : "host, peer",
		       profile->ipv6 ? "yes" : "no",
		       profile->needs_timestamp ? "dropped" : "passes", profile->kernels);
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
	{ "watch", "watch the SYNs of an NFQUEUE; the daemon", watch_main },
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
		"\n'synpaws watch --help' lists the daemon's options; see also synpaws(8).\n");
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
