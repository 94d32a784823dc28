/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef WORDS_H
#define WORDS_H

/* Command lines for the tests of options. */

#include <getopt.h>

#include "unit.h"

#define WORDS_MOST 600

struct words {
	int argc;
	char *argv[WORDS_MOST];
	char text[16384];
};

/* getopt() remembers where it was; a program parses its command line once, a test does it often. */
static inline void words_rewind_getopt(void)
{
	char *nothing[] = { (char *)(uintptr_t) "watch", NULL };

	optind = 0;
	getopt(1, nothing, "");
}

/* `line` split at blanks, behind the name of the command; '' is an empty word. */
static inline void words_split(struct words *words, const char *command, const char *line)
{
	char *word, *rest = NULL;

	assert_true(strlen(line) < sizeof(words->text));
	memset(words, 0, sizeof(*words));
	strcpy(words->text, line);
	words->argv[words->argc++] = (char *)(uintptr_t)command;
	for (word = strtok_r(words->text, " ", &rest); word != NULL;
	     word = strtok_r(NULL, " ", &rest)) {
		assert_true(words->argc < WORDS_MOST - 1);
		words->argv[words->argc++] =
			strcmp(word, "''") == 0 ? (char *)(uintptr_t) "" : word;
	}
	words_rewind_getopt();
}

#endif
