/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef COUNTERS_H
#define COUNTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What the kernel itself counts, of its network namespace: the TcpExt counters that tell of refused
 * SYNs, and those beside them that tell other reasons apart.
 */
enum counter {
	COUNTER_PAWS_PASSIVE, /* SYNs that the check refused; up to Linux 4.11 */
	COUNTER_PAWS_ESTAB,
	COUNTER_PAWS_ACTIVE,
	COUNTER_PAWS_TIMEWAIT, /* new kernels only */
	COUNTER_LISTEN_DROPS,  /* with those of PAWS_PASSIVE since 3.10 */
	COUNTER_LISTEN_OVERFLOWS,
	COUNTER_TW,	   /* TIME_WAITs that lasted long, whatever netstat calls them */
	COUNTER_TW_KILLED, /* that lasted 4 s at the most, as tcp_tw_recycle makes them */
	COUNTER_TW_RECYCLED,
	COUNTER_TIME_WAIT_OVERFLOW,
	COUNTER_ACK_SKIPPED_TIME_WAIT,
	COUNTER_COOKIES_SENT,
	COUNTER_COOKIES_RECEIVED,
	COUNTER_COOKIES_FAILED,
	COUNTER_REQUEST_FULL_DROP,
	COUNTER_REQUEST_FULL_COOKIES,
	COUNTER_KINDS
};

struct counters {
	uint64_t value[COUNTER_KINDS];
	bool present[COUNTER_KINDS]; /* this kernel has it */
};

#define COUNTERS_FILE "/proc/net/netstat"

/* The kernel's name, "PAWSPassive" and so on, and ours, "paws_passive". Static storage. */
const char *counter_name(enum counter which);
const char *counter_key(enum counter which);

/*
 * Read the file. 0, or -1 with errno: EBADMSG if it holds no such counters. What the kernel lacks,
 * or what is no number, is not present.
 */
int counters_read(const char *path, struct counters *counters);

/* The same from a file that was opened before, from its start: it may be read again and again. */
int counters_read_open(int fd, struct counters *counters);

/*
 * What was counted between two looks. A counter of 32 bits may have gone round once; one that went
 * back otherwise was not the same one, and is not present.
 */
void counters_since(const struct counters *before, const struct counters *after,
		    struct counters *difference);

/*
 * What the kernel refused beside what was predicted, with witnesses: "kernel paws_passive=+12
 * predicted=12 listen_drops=+12 ...", without those that this kernel lacks. Up to 400 bytes. Its
 * length, or 0 and an empty line if `size` is too small, or for a kernel without the check, which
 * has nothing to say.
 */
size_t counters_line(const struct counters *difference, uint64_t predicted, char *line,
		     size_t size);

/* The same as a JSON object with the same fields; it needs no library. */
size_t counters_json(const struct counters *difference, uint64_t predicted, char *line,
		     size_t size);

#endif
