/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ATOMIC_H
#define ATOMIC_H

/*
 * Loads and stores between the two processes that share a ring. They are of machine words, which no
 * processor reads or writes in halves and no library has to lock; counters wrap with them.
 *
 * gcc 4.4, which old gateways build with, has only the __sync builtins. ATOMIC_SYNC chooses their
 * branch elsewhere, for tests. A load must not write: the analyst may only read the ring.
 */

#if !defined(ATOMIC_SYNC) && \
	(defined(__clang__) || __GNUC__ > 4 || (__GNUC__ == 4 && __GNUC_MINOR__ >= 7))

static inline unsigned long atomic_load(const unsigned long *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static inline void atomic_store(unsigned long *p, unsigned long value)
{
	__atomic_store_n(p, value, __ATOMIC_RELEASE);
}

#else

static inline unsigned long atomic_load(const unsigned long *p)
{
	const unsigned long value = *(const volatile unsigned long *)p;

	__sync_synchronize();
	return value;
}

static inline void atomic_store(unsigned long *p, unsigned long value)
{
	__sync_synchronize();
	*(volatile unsigned long *)p = value;
}

#endif

/* For a counter that one thread writes and others only read. */
static inline void atomic_count(unsigned long *p, unsigned long more)
{
	atomic_store(p, *p + more);
}

#endif
