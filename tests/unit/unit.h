/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef UNIT_H
#define UNIT_H

/*
 * What the unit tests share: cmocka with the headers that it wants, table rows that are tests of
 * their own, and random numbers that can be had again.
 *
 * Time is a parameter everywhere: no test sleeps, and none asserts how long something took. Where a
 * test could hang if the module is broken, alarm() ends it; that is a failure, never a pass.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A second in autumn 2026. */
#define UNIT_SECOND 1795357599U

/* A test that gets one row of a table, and is called what the row is called. */
static inline struct CMUnitTest unit_row(const char *name, CMUnitTestFunction function,
					 const void *row)
{
	const struct CMUnitTest test = {
		.name = name,
		.test_func = function,
		.initial_state = (void *)(uintptr_t)row,
	};

	return test;
}

/* The next of a row of random numbers: splitmix64 (Steele, Lea, Flood 2014). */
static inline uint64_t unit_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

/* A random number below `limit`. */
static inline uint32_t unit_below(uint64_t *state, uint32_t limit)
{
	return (uint32_t)((unit_random(state) >> 32) * limit >> 32);
}

/* Where the random numbers start: SEED from the environment, else anywhere; it is printed. */
static inline uint64_t unit_seed(const char *test)
{
	const char *given = getenv("SEED");
	uint64_t seed = (uint64_t)time(NULL) ^ (uint64_t)getpid() << 32;

	if (given != NULL)
		seed = strtoull(given, NULL, 0);
	printf("# %s: SEED=%llu\n", test, (unsigned long long)seed);
	fflush(stdout);
	return seed;
}

#endif
