/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "option.h"

#define ROWS_MOST 48

/* Values of options without a letter: each its own, or getopt_long() takes an abbreviation of two
 * for the first. */
#define FIRST_VALUE 256

/* All rows of all groups, each with its group's target. */
struct flat {
	const struct option_row *row[ROWS_MOST];
	void *target[ROWS_MOST];
	size_t count;
};

static void flatten(const struct option_group *groups, size_t count, struct flat *flat)
{
	size_t group, i;

	flat->count = 0;
	for (group = 0; group < count; group++) {
		for (i = 0; i < groups[group].count && flat->count < ROWS_MOST; i++) {
			flat->row[flat->count] = &groups[group].rows[i];
			flat->target[flat->count++] = groups[group].target;
		}
	}
}

static void fill_getopt(const struct flat *flat, struct option longs[ROWS_MOST + 1],
			char shorts[ROWS_MOST + 2])
{
	size_t i;

	memset(longs, 0, (ROWS_MOST + 1) * sizeof(longs[0]));
	*shorts++ = ':'; /* tells a missing argument from an unknown option */
	for (i = 0; i < flat->count; i++) {
		longs[i].name = flat->row[i]->name;
		longs[i].has_arg = flat->row[i]->argument != NULL ? required_argument : no_argument;
		longs[i].val = FIRST_VALUE + (int)i;
		if (flat->row[i]->letter != 0)
			*shorts++ = flat->row[i]->letter;
	}
	*shorts = '\0';
}

static size_t find_letter(const struct flat *flat, int letter)
{
	size_t i;

	for (i = 0; i < flat->count && flat->row[i]->letter != letter; i++)
		continue;
	return i;
}

bool option_parse(const struct option_group *groups, size_t count, int argc, char **argv, int *rest,
		  char *why, size_t size)
{
	struct option longs[ROWS_MOST + 1];
	char shorts[ROWS_MOST + 2];
	struct flat flat;
	int value;
	size_t i;

	flatten(groups, count, &flat);
	fill_getopt(&flat, longs, shorts);
	opterr = 0;
	optind = 1;
	while ((value = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		if (value == '?' || value == ':') {
			const char letter[] = { '-', (char)optopt, '\0' };

			snprintf(why, size, "%s: %s; 'synpaws %s --help' lists the options",
				 optopt != 0 && optopt < FIRST_VALUE ? letter : argv[optind - 1],
				 value == ':' ? "needs a value" : "no such option", argv[0]);
			return false;
		}
		i = value >= FIRST_VALUE ? (size_t)(value - FIRST_VALUE)
					 : find_letter(&flat, value);
		if (flat.row[i]->set == NULL)
			*(bool *)((char *)flat.target[i] + flat.row[i]->flag) = true;
		else if (!flat.row[i]->set(flat.target[i], optarg, why, size))
			return false;
	}
	*rest = optind;
	return true;
}

void option_help(const struct option_group *groups, size_t count)
{
	struct flat flat;
	char left[40];
	size_t i;

	flatten(groups, count, &flat);
	for (i = 0; i < flat.count; i++) {
		const struct option_row *row = flat.row[i];

		snprintf(left, sizeof(left), "%c%c%s--%s %s", row->letter != 0 ? '-' : ' ',
			 row->letter != 0 ? row->letter : ' ', row->letter != 0 ? ", " : "  ",
			 row->name, row->argument != NULL ? row->argument : "");
		printf("  %-26s %s\n", left, row->help);
	}
}

bool option_number(const char *text, unsigned long long least, unsigned long long most,
		   unsigned long long *number)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*number = strtoull(text, &end, 10);
	return errno == 0 && *end == '\0' && *number >= least && *number <= most;
}

bool option_get_number(const char *name, const char *text, unsigned long long least,
		       unsigned long long most, unsigned long long *number, char *why, size_t size)
{
	if (option_number(text, least, most, number))
		return true;
	snprintf(why, size, "%s '%s': give a number from %llu to %llu", name, text, least, most);
	return false;
}
