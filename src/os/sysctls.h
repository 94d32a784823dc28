/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYSCTLS_H
#define SYSCTLS_H

#include <stdbool.h>
#include <stddef.h>

#include <synpaws/mirror.h>

/* The host's settings under net.ipv4 that the mirror needs, each with who says so. */
enum sysctl {
	SYSCTL_FIN_TIMEOUT,
	SYSCTL_SYNCOOKIES,
	SYSCTL_TIMESTAMPS,
	SYSCTL_TW_RECYCLE,
	SYSCTL_KINDS
};

enum sysctl_source {
	SYSCTL_BY_DEFAULT, /* what kernels start with; nobody has said otherwise */
	SYSCTL_BY_HOST,	   /* this machine's own */
	SYSCTL_TOLD,
};

struct sysctls {
	struct synpaws_sysctls values;
	enum sysctl_source source[SYSCTL_KINDS];
};

#define SYSCTLS_DIRECTORY "/proc/sys/net/ipv4"

/* All by default. */
void sysctls_init(struct sysctls *sysctls);

/* "tcp_fin_timeout" and so on. Static storage. */
const char *sysctl_name(enum sysctl which);

/* "default", "host" or "told". Static storage. */
const char *sysctl_source_name(enum sysctl_source source);

/* The largest value that can be told; the least is 0. */
unsigned long sysctl_most(enum sysctl which);

/* The value as its file has it; -1 for a tcp_tw_recycle that nobody has said anything of. */
long sysctl_get(const struct sysctls *sysctls, enum sysctl which);

/* Set one to a value up to sysctl_most(). */
void sysctl_set(struct sysctls *sysctls, enum sysctl which, unsigned long value,
		enum sysctl_source source);

/*
 * Read those that were not told from the files in `directory`. A kernel from 4.12 on that shows
 * others but no tcp_tw_recycle has no such check, and one without tcp_syncookies sends none: that
 * is 0. What cannot be read at all stays as it is.
 */
void sysctls_read(struct sysctls *sysctls, const char *directory);

#endif
