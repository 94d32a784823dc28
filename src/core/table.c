/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "table.h"

#define CACHE_LINE 64
#define SMALL_PAGE 4096
#define HUGE_PAGE  ((size_t)2 << 20)

/* In whole huge pages, if it fills any. */
static size_t bytes_of(size_t count, size_t size)
{
	const size_t bytes = count * size;

	return bytes < HUGE_PAGE ? bytes : (bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
}

/*
 * In pages of 4 KB a random access to a large table misses twice, once for the page's address. The
 * kernel gives huge pages to those who ask, if it is set to (3.1 and later), at addresses that are
 * multiples of their size: so one more is mapped, and what lies outside given back.
 */
static void *map(size_t bytes)
{
	const size_t most = bytes + HUGE_PAGE;
	char *start = mmap(NULL, most, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t before;

	if (start == MAP_FAILED)
		return NULL;
	before = (HUGE_PAGE - (uintptr_t)start % HUGE_PAGE) % HUGE_PAGE;
	if (before > 0)
		munmap(start, before);
	if (before < HUGE_PAGE)
		munmap(start + before + bytes, HUGE_PAGE - before);
#ifdef MADV_HUGEPAGE
	madvise(start + before, bytes, MADV_HUGEPAGE);
#endif
	return start + before;
}

void *table_new(size_t count, size_t size)
{
	void *table;
	int error;

	if (size != 0 && count > (SIZE_MAX - 2 * HUGE_PAGE) / size) {
		errno = ENOMEM;
		return NULL;
	}
	if (bytes_of(count, size) >= HUGE_PAGE)
		return map(bytes_of(count, size));
	error = posix_memalign(&table, CACHE_LINE, bytes_of(count, size));
	if (error != 0) {
		errno = error;
		return NULL;
	}
	return memset(table, 0, bytes_of(count, size));
}

void table_free(void *table, size_t count, size_t size)
{
	if (table != NULL && bytes_of(count, size) >= HUGE_PAGE)
		munmap(table, bytes_of(count, size));
	else
		free(table);
}

void table_touch(void *table, size_t count, size_t size)
{
	volatile char *bytes = table;
	size_t at;

	for (at = 0; at < count * size; at += SMALL_PAGE)
		bytes[at] = bytes[at];
}
