/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include <synpaws/profile.h>

static const struct synpaws_profile profiles[] = {
	{
		.name = "2.6.32",
		.aliases = "",
		.kernels = "2.6.32 as released by kernel.org",
		.key = SYNPAWS_KEY_PEER,
		.dual_stack = SYNPAWS_DUAL_STACK_NO_FIN,
		.early_ts_recent = true,
	},
	{
		.name = "el6",
		.aliases = "",
		.kernels = "RHEL and CentOS 6",
		.key = SYNPAWS_KEY_PEER,
		.dual_stack = SYNPAWS_DUAL_STACK_NO_FIN,
		.zero_ts_recent = true,
	},
	{
		.name = "3.2",
		.aliases = "",
		.kernels = "2.6.39 to 3.5, Debian 7",
		.key = SYNPAWS_KEY_PEER,
		.ipv6 = true,
		.wrapping_age = true,
		.dual_stack = SYNPAWS_DUAL_STACK_NO_FIN,
		.early_ts_recent = true,
		.zero_ts_recent = true,
	},
	{
		.name = "3.10",
		.aliases = "",
		.kernels = "3.6 to 3.13 as released by kernel.org, Ubuntu 14.04",
		.key = SYNPAWS_KEY_PEER,
		.ipv6 = true,
		.wrapping_age = true,
		.dual_stack = SYNPAWS_DUAL_STACK_NEVER,
		.zero_ts_recent = true,
		.challenge_ack = true,
	},
	{
		.name = "3.16",
		.aliases = "",
		.kernels = "3.16, Debian 8",
		.key = SYNPAWS_KEY_HOST_PEER,
		.ipv6 = true,
		.wrapping_age = true,
		.zero_ts_recent = true,
		.challenge_ack = true,
		.cookies_always = true,
	},
	{
		.name = "el7",
		.aliases = "",
		.kernels = "RHEL and CentOS 7",
		.key = SYNPAWS_KEY_HOST_PEER,
		.ipv6 = true,
		.needs_timestamp = true,
		.wrapping_age = true,
		.zero_ts_recent = true,
		.challenge_ack = true,
		.cookies_always = true,
		.discards_md5 = true,
		.ack_rate_limit = true,
	},
	{
		.name = "4.x",
		.aliases = "4.4,4.9",
		.kernels = "3.17 to 4.11, Debian 9, Ubuntu 16.04; TIME_WAIT as from 4.1 on",
		.key = SYNPAWS_KEY_HOST_PEER,
		.ipv6 = true,
		.needs_timestamp = true,
		.wrapping_age = true,
		.zero_ts_recent = true,
		.challenge_ack = true,
		.cookies_always = true,
		.exact_timers = true,
		.ack_rate_limit = true,
		.ipv6_tw_checked = true,
	},
};

static bool in_list(const char *list, const char *name)
{
	const size_t length = strlen(name);

	while (*list != '\0') {
		const size_t item = strcspn(list, ",");

		if (item == length && memcmp(list, name, length) == 0)
			return true;
		list += item;
		list += *list == ',';
	}
	return false;
}

const struct synpaws_profile *synpaws_profile_find(const char *name)
{
	const struct synpaws_profile *profile;
	size_t i;

	for (i = 0; (profile = synpaws_profile_at(i)) != NULL; i++) {
		if (strcmp(profile->name, name) == 0 || in_list(profile->aliases, name))
			return profile;
	}
	return NULL;
}

const struct synpaws_profile *synpaws_profile_at(size_t index)
{
	return index < sizeof(profiles) / sizeof(profiles[0]) ? &profiles[index] : NULL;
}
