/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "kernel.h"

/* Versions as one number, the third part of which counts in 2.6 only. */
#define VERSION(major, minor, patch) ((major) << 20 | (minor) << 10 | (patch))
#define PART_MOST		     1023U
#define REMOVED			     VERSION(4U, 12U, 0U)

/* The first release of each range; 2.6.33 to 2.6.38, 3.14 and 3.15 take the nearest rules known. */
static const struct {
	unsigned int since;
	const char *profile;
} ranges[] = {
	{ VERSION(3U, 17U, 0U), "4.x" },    { VERSION(3U, 14U, 0U), "3.16" },
	{ VERSION(3U, 6U, 0U), "3.10" },    { VERSION(2U, 6U, 39U), "3.2" },
	{ VERSION(2U, 6U, 32U), "2.6.32" },
};

/* 0 for what is no release. */
static unsigned int parse(const char *release)
{
	unsigned int major, minor, patch = 0;

	/* Widths, since a number that does not fit is undefined to sscanf(). */
	if (sscanf(release, "%4u.%4u.%4u", &major, &minor, &patch) < 2 || major == 0 ||
	    major > PART_MOST || minor > PART_MOST)
		return 0;
	if (major != 2 || patch > PART_MOST)
		patch = 0;
	return VERSION(major, minor, patch);
}

enum kernel_check kernel_check(const char *release)
{
	const unsigned int version = parse(release);

	if (version == 0)
		return KERNEL_UNKNOWN;
	return version < REMOVED ? KERNEL_HAS_CHECK : KERNEL_WITHOUT_CHECK;
}

/* ".el6" in "2.6.32-754.el6.x86_64", not in Oracle's "2.6.32-300.el6uek", which is its own. */
static bool has_tag(const char *release, const char *tag)
{
	const char *found = strstr(release, tag);

	return found != NULL && !isalnum((unsigned char)found[strlen(tag)]);
}

/* Kernels of kernel.org are packaged for Red Hat's systems too, and OpenVZ builds on Red Hat's. */
static const char *red_hat(const char *release, unsigned int version)
{
	if (strstr(release, "elrepo") != NULL)
		return NULL;
	if (version == VERSION(2U, 6U, 32U) &&
	    (has_tag(release, ".el6") || strstr(release, "-042stab") != NULL))
		return "el6";
	if (version == VERSION(3U, 10U, 0U) &&
	    (has_tag(release, ".el7") || has_tag(release, ".vz7")))
		return "el7";
	return NULL;
}

const char *kernel_profile(const char *release)
{
	const unsigned int version = parse(release);
	const char *profile = red_hat(release, version);
	size_t i;

	if (profile != NULL || version >= REMOVED)
		return profile;
	for (i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		if (version >= ranges[i].since)
			return ranges[i].profile;
	}
	return NULL;
}

bool kernel_since(const char *release, unsigned int major, unsigned int minor)
{
	return parse(release) >= VERSION(major, minor, 0U);
}
