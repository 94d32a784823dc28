/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds src/core/table.c to what the tables of the core rely on, whichever way the memory is had,
 * by malloc() or in huge pages: it starts at a cache line, all of it is zero and can be written,
 * sizes that overflow are refused, and table_free() gives back all that table_new() took. That is
 * counted in /proc/self/maps, since no sanitizer knows what mmap() gives.
 */
#include "unit.h"

#include <errno.h>

#include "core/table.h"

#define CACHE_LINE 64
#define HUGE_PAGE  ((size_t)2 << 20)

/* Around the edges between the two ways, and of pages; some in entries of odd sizes. */
static const struct {
	size_t count, size;
} sizes[] = {
	{ 1, 1 },
	{ 1, 64 },
	{ 7, 9 },
	{ 1000, 64 },
	{ 4096, 511 },
	{ HUGE_PAGE / 64 - 1, 64 },
	{ HUGE_PAGE - 1, 1 },
	{ HUGE_PAGE, 1 },
	{ HUGE_PAGE / 64, 64 },
	{ HUGE_PAGE + 1, 1 },
	{ 3, HUGE_PAGE / 2 },
	{ HUGE_PAGE / 4 + 1, 16 },
	{ 5, HUGE_PAGE },
};

/* Bytes of this process' address space; huge pages or not. */
static size_t mapped(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	unsigned long long from, to;
	size_t sum = 0;
	char line[512];

	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps) != NULL) {
		if (strstr(line, "[heap]") == NULL && sscanf(line, "%llx-%llx", &from, &to) == 2)
			sum += (size_t)(to - from);
	}
	fclose(maps);
	return sum;
}

static bool all_zero(const uint8_t *bytes, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (bytes[i] != 0)
			return false;
	}
	return true;
}

/* Twice, so that memory that was written to before is met again. */
static void test_zeroed_aligned_and_writable(void **state)
{
	size_t i, round;

	(void)state;
	for (round = 0; round < 2; round++) {
		for (i = 0; i < COUNT(sizes); i++) {
			const size_t bytes = sizes[i].count * sizes[i].size;
			uint8_t *table = table_new(sizes[i].count, sizes[i].size);

			assert_non_null(table);
			assert_int_equal((uintptr_t)table % CACHE_LINE, 0);
			if (bytes >= HUGE_PAGE)
				assert_int_equal((uintptr_t)table % HUGE_PAGE, 0);
			assert_true(all_zero(table, bytes));
			memset(table, 0xa5, bytes);
			table_free(table, sizes[i].count, sizes[i].size);
		}
	}
}

/* Neighbours do not overlap. */
static void test_several_at_a_time(void **state)
{
	uint8_t *tables[COUNT(sizes)];
	size_t i, k;

	(void)state;
	for (i = 0; i < COUNT(sizes); i++) {
		tables[i] = table_new(sizes[i].count, sizes[i].size);
		assert_non_null(tables[i]);
		memset(tables[i], (int)i + 1, sizes[i].count * sizes[i].size);
	}
	for (i = 0; i < COUNT(sizes); i++) {
		for (k = 0; k < sizes[i].count * sizes[i].size; k++) {
			if (tables[i][k] != i + 1)
				fail_msg("byte %zu of table %zu is %u", k, i, tables[i][k]);
		}
	}
	for (i = 0; i < COUNT(sizes); i++)
		table_free(tables[i], sizes[i].count, sizes[i].size);
}

/* What malloc() keeps is its own affair, and leaks of it are LeakSanitizer's. */
static void test_huge_pages_are_given_back(void **state)
{
	size_t before, bytes, i, round;

	(void)state;
	mapped(); /* stdio has its buffers now */
	before = mapped();
	for (round = 0; round < 20; round++) {
		for (i = 0; i < COUNT(sizes); i++) {
			void *table;

			bytes = sizes[i].count * sizes[i].size;
			if (bytes < HUGE_PAGE)
				continue;
			table = table_new(sizes[i].count, sizes[i].size);
			assert_in_range(mapped() - before, bytes, bytes + HUGE_PAGE - 1);
			table_free(table, sizes[i].count, sizes[i].size);
			assert_int_equal(mapped(), before);
		}
	}
	table_free(NULL, 1, 1);
	table_free(NULL, 5, HUGE_PAGE);
}

static void expect_none(size_t count, size_t size)
{
	errno = 0;
	assert_null(table_new(count, size));
	assert_int_equal(errno, ENOMEM);
}

/* By overflow, also of the rounding up, and by what no machine has. */
static void test_too_much(void **state)
{
	(void)state;
	expect_none(SIZE_MAX, 64);
	expect_none(64, SIZE_MAX);
	expect_none(SIZE_MAX, SIZE_MAX);
	expect_none(SIZE_MAX / 64 + 1, 64); /* 0 in a size_t */
	expect_none(SIZE_MAX / 64 + 2, 64); /* 64 */
	expect_none((size_t)1 << (sizeof(size_t) * 4), (size_t)1 << (sizeof(size_t) * 4));
	expect_none(SIZE_MAX, 1);
	expect_none(1, SIZE_MAX);
	expect_none(SIZE_MAX - HUGE_PAGE + 2, 1);
	expect_none(SIZE_MAX - 2 * HUGE_PAGE + 1, 1);
	expect_none(SIZE_MAX - 2 * HUGE_PAGE, 1);
	expect_none(SIZE_MAX / 2 / 64, 64); /* more than half of all addresses */
}

int main(void)
{
	const struct CMUnitTest table[] = {
		cmocka_unit_test(test_zeroed_aligned_and_writable),
		cmocka_unit_test(test_several_at_a_time),
		cmocka_unit_test(test_huge_pages_are_given_back),
		cmocka_unit_test(test_too_much),
	};

	return cmocka_run_group_tests(table, NULL, NULL);
}
