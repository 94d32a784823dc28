/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <synpaws/mirror.h>

#include "stamps.h"

struct synpaws_mirror {
	struct synpaws_mirror_config config;
	struct stamps *stamps;
};

struct synpaws_mirror *synpaws_mirror_new(const struct synpaws_mirror_config *config)
{
	struct synpaws_mirror *mirror;

	if (config->profile == NULL) {
		errno = EINVAL;
		return NULL;
	}
	mirror = calloc(1, sizeof(*mirror));
	if (mirror == NULL)
		return NULL;
	mirror->config = *config;
	mirror->stamps = stamps_new(config->peers, config->hash_key);
	if (mirror->stamps == NULL) {
		free(mirror);
		return NULL;
	}
	return mirror;
}

void synpaws_mirror_free(struct synpaws_mirror *mirror)
{
	if (mirror == NULL)
		return;
	stamps_free(mirror->stamps);
	free(mirror);
}

static bool in_prefix(const struct synpaws_prefix *prefix, uint8_t ip_version,
		      const uint8_t address[16])
{
	const size_t whole = prefix->bits / 8;
	const unsigned int rest = prefix->bits % 8;

	if (prefix->ip_version != ip_version || memcmp(prefix->address, address, whole) != 0)
		return false;
	return rest == 0 || ((prefix->address[whole] ^ address[whole]) >> (8 - rest)) == 0;
}

static bool is_host(const struct synpaws_mirror_config *config, const struct synpaws_segment *seg)
{
	size_t i;

	if (config->host_count == 0)
		return true;
	for (i = 0; i < config->host_count; i++) {
		if (in_prefix(&config->hosts[i], seg->ip_version, seg->destination))
			return true;
	}
	return false;
}

/* The signed distance by which `tsval` lies behind what is recorded (RFC 7323, 5.2). */
static int32_t ticks_behind(const struct stamp *stamp, uint32_t tsval)
{
	return (int32_t)(stamp->tsval - tsval);
}

/* Seconds for which the stamp goes on to count, 0 if it no longer does. */
static uint32_t fresh_for(const struct synpaws_profile *profile, const struct stamp *stamp,
			  uint32_t now)
{
	const uint32_t age = now - stamp->second;
	const uint64_t end = (uint64_t)stamp->second + SYNPAWS_PAWS_MSL;

	if (profile->wrapping_age)
		return age < SYNPAWS_PAWS_MSL ? SYNPAWS_PAWS_MSL - age : 0;
	return now < end ? (uint32_t)(end - now) : 0;
}

static bool expired(const struct synpaws_profile *profile, const struct stamp *stamp, uint32_t now)
{
	if (profile->wrapping_age)
		return now - stamp->second > SYNPAWS_PAWS_MSL;
	return (uint64_t)stamp->second + SYNPAWS_PAWS_MSL < now;
}

/* The check: fills what the outcome tells of the stamp and returns the fate. */
static enum synpaws_fate check(const struct synpaws_profile *profile, const struct stamp *stamp,
			       const struct synpaws_segment *seg, struct synpaws_outcome *outcome)
{
	uint32_t fresh;

	if (stamp == NULL)
		return SYNPAWS_FATE_PASS;
	outcome->recorded = true;
	outcome->recorded_tsval = stamp->tsval;
	outcome->recorded_at = stamp->second;
	outcome->age = seg->second - stamp->second;
	if (seg->has_timestamp)
		outcome->behind = ticks_behind(stamp, seg->tsval);
	else if (!profile->needs_timestamp)
		return SYNPAWS_FATE_PASS;
	fresh = fresh_for(profile, stamp, seg->second);
	if (fresh == 0 || (seg->has_timestamp && outcome->behind <= SYNPAWS_PAWS_WINDOW))
		return SYNPAWS_FATE_PASS;
	outcome->wait = fresh;
	return SYNPAWS_FATE_PAWS_DROP;
}

/* Record a TSval that was current in `second`, at `second`: the kernel's write rule. */
static void record(const struct synpaws_profile *profile, struct stamp *stamp, uint32_t tsval,
		   uint32_t second)
{
	if (ticks_behind(stamp, tsval) <= 0 ||
	    (expired(profile, stamp, second) && stamp->second <= second)) {
		stamp->tsval = tsval;
		stamp->second = second;
	}
}

void synpaws_mirror_judge(struct synpaws_mirror *mirror, const struct synpaws_segment *seg,
			  struct synpaws_outcome *outcome)
{
	const struct synpaws_profile *profile = mirror->config.profile;
	const bool by_host = profile->key == SYNPAWS_KEY_HOST_PEER || seg->forwarded;
	struct stamp *stamp;
	uint64_t peer;

	memset(outcome, 0, sizeof(*outcome));
	if (!synpaws_segment_is_syn(seg) || !is_host(&mirror->config, seg))
		return;
	if (seg->ip_version == 6 && !profile->ipv6) {
		outcome->fate = SYNPAWS_FATE_NOT_CHECKED;
		return;
	}
	peer = stamps_peer(mirror->stamps, seg->ip_version, seg->source,
			   by_host ? seg->destination : NULL);
	stamp = stamps_find(mirror->stamps, peer);
	outcome->fate = check(profile, stamp, seg, outcome);
	if (outcome->fate != SYNPAWS_FATE_PASS || !seg->has_timestamp)
		return;
	if (stamp == NULL)
		stamp = stamps_add(mirror->stamps, peer, seg->second);
	record(profile, stamp, seg->tsval, seg->second);
}

void synpaws_mirror_stats(const struct synpaws_mirror *mirror, struct synpaws_mirror_stats *stats)
{
	stats->evicted = stamps_evicted(mirror->stamps);
	stats->peers = stamps_count(mirror->stamps);
	stats->room = stamps_room(mirror->stamps);
	stats->bytes = stamps_bytes(mirror->stamps);
}

const char *synpaws_fate_name(enum synpaws_fate fate)
{
	switch (fate) {
	case SYNPAWS_FATE_NONE:
		return "none";
	case SYNPAWS_FATE_PASS:
		return "pass";
	case SYNPAWS_FATE_NOT_CHECKED:
		return "not-checked";
	case SYNPAWS_FATE_PAWS_DROP:
		return "paws-drop";
	case SYNPAWS_FATE_KINDS:
		break;
	}
	return "unknown";
}
