/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <synpaws/mirror.h>

#include "paws.h"
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

static void tell_of_stamp(const struct stamp *stamp, const struct synpaws_segment *seg,
			  struct synpaws_outcome *outcome)
{
	outcome->recorded = true;
	outcome->recorded_tsval = stamp->tsval;
	outcome->recorded_at = stamp->second;
	outcome->age = (int32_t)(seg->second - stamp->second);
	outcome->behind = seg->has_timestamp ? paws_behind(stamp, seg->tsval) : 0;
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
	if (stamp != NULL) {
		tell_of_stamp(stamp, seg, outcome);
		if (paws_drops(profile, stamp, seg->has_timestamp, seg->tsval, seg->second)) {
			outcome->fate = SYNPAWS_FATE_PAWS_DROP;
			outcome->wait = paws_fresh_for(profile, stamp, seg->second);
			return;
		}
	}
	outcome->fate = SYNPAWS_FATE_PASS;
	if (!seg->has_timestamp)
		return;
	if (stamp == NULL)
		stamp = stamps_add(mirror->stamps, peer, seg->second);
	paws_record(profile, stamp, seg->tsval, seg->second, seg->second);
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
