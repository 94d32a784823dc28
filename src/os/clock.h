/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>
#include <time.h>

#ifndef CLOCK_REALTIME_COARSE
#define CLOCK_REALTIME_COARSE 5
#endif

#define NS_PER_SECOND 1000000000ULL

static inline uint64_t clock_ns(clockid_t id)
{
	struct timespec now = { 0, 0 };

	clock_gettime(id, &now);
	return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

/*
 * The kernel's get_seconds(): the second of the last timer tick, which the coarse clock reads too.
 * Before 2.6.32 there is no coarse clock; the precise one is then at most a tick ahead.
 */
static inline uint32_t clock_kernel_second(void)
{
	struct timespec now = { 0, 0 };

	if (clock_gettime(CLOCK_REALTIME_COARSE, &now) < 0)
		clock_gettime(CLOCK_REALTIME, &now);
	return (uint32_t)now.tv_sec;
}

#endif
