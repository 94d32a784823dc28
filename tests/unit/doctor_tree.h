/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DOCTOR_TREE_H
#define DOCTOR_TREE_H

/* A machine in a directory of its own, for src/cmd/doctor_look.c to look at, and what it tells. */

#include "unit.h"

#include <errno.h>
#include <ftw.h>
#include <sys/stat.h>

#include "cmd/doctor_look.h"

#define TOLD_MOST 64

static char tree[64];

static struct told {
	enum doctor_result result[TOLD_MOST];
	char check[TOLD_MOST][32];
	char text[TOLD_MOST][512];
	char advice[TOLD_MOST][256];
	size_t count;
	char next[1024];
	struct counters now, since;
	const char *meanwhile; /* what the counters become while it waits; NULL: they stay */
	unsigned int waited;
} told;

static inline int make_tree(void **state)
{
	(void)state;
	snprintf(tree, sizeof(tree), "/tmp/synpaws-doctor.XXXXXX");
	return mkdtemp(tree) != NULL ? 0 : -1;
}

static inline int remove_one(const char *path, const struct stat *status, int type,
			     struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	return remove(path);
}

static inline int remove_tree(void **state)
{
	(void)state;
	return nftw(tree, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* Put a file, and the directories that it is in. */
static inline void put(const char *name, const char *text)
{
	char path[256], *slash;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", tree, name);
	for (slash = path + strlen(tree) + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
		*slash = '\0';
		assert_true(mkdir(path, 0755) == 0 || errno == EEXIST);
		*slash = '/';
	}
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

/* A program that writes some text. */
static inline void put_program(const char *name, const char *text)
{
	char path[256], script[2048];

	snprintf(script, sizeof(script), "#!/bin/sh\ncat <<'END'\n%s\nEND\n", text);
	put(name, script);
	snprintf(path, sizeof(path), "%s/%s", tree, name);
	assert_int_equal(chmod(path, 0755), 0);
}

static inline void put_root(void)
{
	put("proc/self/status", "Name:\tsynpaws\nUid:\t0\t0\t0\t0\nCapEff:\t000001ffffffffff\n");
}

static inline void put_nobody(void)
{
	put("proc/self/status",
	    "Name:\tsynpaws\nUid:\t1000\t1000\t1000\t1000\nCapEff:\t0000000000000000\n");
}

static inline void wait_for(void *context, unsigned int seconds)
{
	(void)context;
	told.waited = seconds;
	if (told.meanwhile != NULL)
		put("proc/net/netstat", told.meanwhile);
}

static inline void say(void *context, const struct doctor_finding *finding)
{
	const size_t i = told.count;

	(void)context;
	assert_true(i < TOLD_MOST);
	told.result[i] = finding->result;
	snprintf(told.check[i], sizeof(told.check[i]), "%s", finding->check);
	snprintf(told.text[i], sizeof(told.text[i]), "%s", finding->text);
	snprintf(told.advice[i], sizeof(told.advice[i]), "%s", finding->advice);
	assert_true(strlen(told.text[i]) > 0 && strlen(finding->text) < 500);
	assert_null(strchr(finding->text, '\n'));
	told.count++;
}

static inline void say_next(void *context, const char *line)
{
	const size_t length = strlen(told.next);

	(void)context;
	assert_null(strchr(line, '\n'));
	snprintf(told.next + length, sizeof(told.next) - length, "%s\n", line);
}

static inline void counted(void *context, const struct counters *now, const struct counters *since)
{
	(void)context;
	told.now = *now;
	told.since = *since;
}

/* Look at the tree; `meanwhile` as above. */
static inline int look(const char *meanwhile)
{
	const struct doctor_config config = { .root = tree,
					      .seconds = 1,
					      .wait = wait_for,
					      .say = say,
					      .next = say_next,
					      .counted = counted };

	memset(&told, 0, sizeof(told));
	told.meanwhile = meanwhile;
	alarm(60);
	return doctor_look(&config);
}

static inline void print_told(void)
{
	size_t i;

	for (i = 0; i < told.count; i++)
		print_message("# %s %s: %s -> %s\n", doctor_result_name(told.result[i]),
			      told.check[i], told.text[i], told.advice[i]);
	print_message("# next: %s", told.next);
}

/* One finding of that check has this result, these words and this advice. */
static inline void expect(const char *check, enum doctor_result result, const char *words,
			  const char *advice)
{
	size_t i;

	for (i = 0; i < told.count; i++) {
		if (strcmp(told.check[i], check) == 0 && told.result[i] == result &&
		    strstr(told.text[i], words) != NULL && strstr(told.advice[i], advice) != NULL)
			return;
	}
	print_told();
	fail_msg("no finding %s %s: %s -> %s", doctor_result_name(result), check, words, advice);
}

static inline void expect_no(const char *check)
{
	size_t i;

	for (i = 0; i < told.count; i++)
		assert_string_not_equal(told.check[i], check);
}

static inline void expect_next(const char *words)
{
	if (strstr(told.next, words) != NULL)
		return;
	print_told();
	fail_msg("nothing next with: %s", words);
}

#endif
