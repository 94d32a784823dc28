/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OPTION_H
#define OPTION_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Command lines as tables: a command's options are groups of rows, so that what several commands
 * share stands in one place.
 */

#define EXIT_USAGE 2 /* bad options: nothing was done */

/* Takes one option's value; false with one line in `why` if it is no good. */
typedef bool option_set(void *target, const char *value, char *why, size_t size);

struct option_row {
	char letter; /* 0 if it has none */
	const char *name;
	const char *argument; /* NULL if it takes none */
	const char *help;
	option_set *set; /* NULL: it turns on the flag */
	size_t flag;	 /* at this offset in the target */
};

struct option_group {
	const struct option_row *rows;
	size_t count;
	void *target; /* what the rows fill in */
};

/*
 * Parse the command line of `synpaws COMMAND`; argv[0] is the command. What is no option ends up at
 * the end of argv, from index `*rest` on. False with one line in `why` that says what is wrong.
 */
bool option_parse(const struct option_group *groups, size_t count, int argc, char **argv, int *rest,
		  char *why, size_t size);

/* Print a line for each row on standard output. */
void option_help(const struct option_group *groups, size_t count);

/* A whole decimal number from `least` to `most`, and nothing else. */
bool option_number(const char *text, unsigned long long least, unsigned long long most,
		   unsigned long long *number);

/* The same for the value of option `name`, with the line that says what was expected. */
bool option_get_number(const char *name, const char *text, unsigned long long least,
		       unsigned long long most, unsigned long long *number, char *why, size_t size);

#endif
