/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KERNEL_H
#define KERNEL_H

#include <stdbool.h>

/* What a kernel's release, as `uname -r` prints it, says of the per-peer check. */

enum kernel_check {
	KERNEL_HAS_CHECK,     /* up to 4.11 */
	KERNEL_WITHOUT_CHECK, /* since 4.12 */
	KERNEL_UNKNOWN,	      /* the release is no version number */
};

enum kernel_check kernel_check(const char *release);

/*
 * The profile that mirrors this kernel, or the nearest there is: el6 and el7 by the builds of Red
 * Hat and of those who build on them, the others by version. NULL if it has no such check, is older
 * than 2.6.32, or cannot be told. Static storage.
 */
const char *kernel_profile(const char *release);

/* True if the release is `major.minor` or later; false too if it cannot be told. */
bool kernel_since(const char *release, unsigned int major, unsigned int minor);

#endif
