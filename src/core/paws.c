/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <synpaws/mirror.h>

#include "paws.h"

int32_t paws_behind(const struct stamp *stamp, uint32_t tsval)
{
	return (int32_t)(stamp->tsval - tsval);
}

uint32_t paws_fresh_for(const struct synpaws_profile *profile, const struct stamp *stamp,
			uint32_t now)
{
	const uint32_t age = now - stamp->second;
	const uint64_t end = (uint64_t)stamp->second + SYNPAWS_PAWS_MSL;

	if (profile->wrapping_age)
		return age < SYNPAWS_PAWS_MSL ? SYNPAWS_PAWS_MSL - age : 0;
	return now < end ? (uint32_t)(end - now) : 0;
}

bool paws_drops(const struct synpaws_profile *profile, const struct stamp *stamp,
		bool has_timestamp, uint32_t tsval, uint32_t now)
{
	if (paws_fresh_for(profile, stamp, now) == 0)
		return false;
	return has_timestamp ? paws_behind(stamp, tsval) > SYNPAWS_PAWS_WINDOW
			     : profile->needs_timestamp;
}

static bool expired(const struct synpaws_profile *profile, const struct stamp *stamp, uint32_t now)
{
	if (profile->wrapping_age)
		return now - stamp->second > SYNPAWS_PAWS_MSL;
	return (uint64_t)stamp->second + SYNPAWS_PAWS_MSL < now;
}

bool paws_record(const struct synpaws_profile *profile, struct stamp *stamp, uint32_t tsval,
		 uint32_t second, uint32_t now)
{
	if (paws_behind(stamp, tsval) > 0 &&
	    (!expired(profile, stamp, now) || stamp->second > second))
		return false;
	stamp->tsval = tsval;
	stamp->second = second;
	return true;
}
