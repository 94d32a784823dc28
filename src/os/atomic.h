/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ATOMIC_H
#define ATOMIC_H

/*
 * Loads and stores between the two processes that share a ring. gcc 4.4, which old gateways build
 * with, has only the __sync builtins; a full barrier is stronger than needed there, and right.
 */

#include <stdint.h>

#if defined(__clang__) || __GNUC__ > 4 || (__GNUC__ == 4 && __GNUC_MINOR__ >= 7)

static inline uint64_t atomic_load(const uint64_t *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static inline void atomic_store(uint64_t *p, uint64_t value)
{
	__atomic_store_n(p, value, __ATOMIC_RELEASE);
}

#else

static inline uint64_t atomic_load(const uint64_t *p)
{
	return __sync_fetch_and_add((uint64_t *)p, 0);
}

static inline void atomic_store(uint64_t *p, uint64_t value)
{
	__sync_synchronize();
	*(volatile uint64_t *)p = value;
	__sync_synchronize();
}

#endif

/* For a counter that one thread writes and others only read. */
static inline void atomic_count(uint64_t *p, uint64_t more)
{
	atomic_store(p, *p + more);
}

#endif
