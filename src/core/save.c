/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "hold.h"
#include "wire.h"

#define MAGIC "synpaws"

/* To be raised with each change of what is saved, or of what it means. */
#define FORMAT 1

#define NAME_MOST 16

/* Who wrote it: true for one like `mirror`. */
static enum synpaws_loaded wire_header(struct wire *wire, const struct synpaws_mirror *mirror)
{
	const struct synpaws_mirror_config *config = &mirror->config;
	const bool by_flows = mirror->flows != NULL;
	char magic[sizeof(MAGIC)] = MAGIC, name[NAME_MOST] = "", own[NAME_MOST] = "";
	uint64_t peers = config->peers, flows = by_flows ? config->flows : 0;
	uint32_t format = FORMAT;
	uint8_t evidence = (uint8_t)config->evidence;

	strncpy(own, config->profile->name, sizeof(own) - 1);
	memcpy(name, own, sizeof(name));
	wire_bytes(wire, magic, sizeof(magic));
	wire_u32(wire, &format);
	if (wire->failed || memcmp(magic, MAGIC, sizeof(magic)) != 0)
		return SYNPAWS_LOADED_DAMAGED;
	if (format != FORMAT)
		return SYNPAWS_LOADED_OTHER_FORMAT;
	wire_bytes(wire, name, sizeof(name));
	wire_u8(wire, &evidence);
	wire_u64(wire, &peers);
	wire_u64(wire, &flows);
	if (wire->failed)
		return SYNPAWS_LOADED_DAMAGED;
	if (memcmp(name, own, sizeof(name)) != 0 || evidence != config->evidence ||
	    peers != config->peers || flows != (by_flows ? config->flows : 0))
		return SYNPAWS_LOADED_OTHER_MIRROR;
	return SYNPAWS_LOADED;
}

static void wire_counts(struct wire *wire, struct synpaws_mirror *mirror)
{
	wire_bytes(wire, mirror->config.hash_key, sizeof(mirror->config.hash_key));
	wire_u64(wire, &mirror->segments);
	wire_u64(wire, &mirror->syns);
	wire_u64(wire, &mirror->answers);
	wire_u64(wire, &mirror->ends);
	wire_u64(wire, &mirror->unsettled);
	wire_u64(wire, &mirror->records);
	wire_u64(wire, &mirror->undone);
	wire_u64(wire, &mirror->guesses);
	wire_u64(wire, &mirror->contradicted);
	wire_u64(wire, &mirror->now_ns);
	wire_u64(wire, &mirror->wall_ahead_ns);
	wire_bool(wire, &mirror->many_hosts);
	wire_u32(wire, &mirror->hold_first);
	wire_u32(wire, &mirror->hold_count);
}

static void wire_syn(struct wire *wire, struct synpaws_segment *syn)
{
	uint8_t scale = (uint8_t)(syn->window_scale + 1);

	wire_u64(wire, &syn->time_ns);
	wire_u64(wire, &syn->order_ns);
	wire_u32(wire, &syn->second);
	wire_u32(wire, &syn->ifindex);
	wire_bool(wire, &syn->forwarded);
	wire_u8(wire, &syn->way);
	wire_u8(wire, &syn->ip_version);
	wire_u8(wire, &syn->flags);
	wire_bool(wire, &syn->has_timestamp);
	wire_bool(wire, &syn->has_md5);
	wire_bool(wire, &syn->sack_permitted);
	wire_u8(wire, &scale);
	wire_bytes(wire, syn->source, sizeof(syn->source));
	wire_bytes(wire, syn->destination, sizeof(syn->destination));
	wire_u16(wire, &syn->source_port);
	wire_u16(wire, &syn->destination_port);
	wire_u32(wire, &syn->seq);
	wire_u32(wire, &syn->ack);
	wire_u32(wire, &syn->payload);
	wire_u16(wire, &syn->window);
	wire_u16(wire, &syn->ip_id);
	wire_u32(wire, &syn->tsval);
	wire_u32(wire, &syn->tsecr);
	if (!wire_reads(wire))
		return;
	syn->window_scale = (int8_t)(scale - 1);
	wire_expect(wire, scale <= 15 && (syn->ip_version == 4 || syn->ip_version == 6) &&
				  synpaws_segment_is_syn(syn));
}

static uint8_t wire_below(struct wire *wire, unsigned int value, unsigned int kinds)
{
	uint8_t byte = (uint8_t)value;

	wire_u8(wire, &byte);
	wire_expect(wire, byte < kinds);
	return byte;
}

static void wire_outcome(struct wire *wire, struct synpaws_outcome *outcome)
{
	uint32_t behind = (uint32_t)outcome->behind, age = (uint32_t)outcome->age;

	outcome->fate = (enum synpaws_fate)wire_below(wire, outcome->fate, SYNPAWS_FATE_KINDS);
	outcome->predicted =
		(enum synpaws_fate)wire_below(wire, outcome->predicted, SYNPAWS_FATE_KINDS);
	outcome->answer =
		(enum synpaws_answer)wire_below(wire, outcome->answer, SYNPAWS_ANSWER_KINDS);
	wire_bool(wire, &outcome->guess);
	wire_bool(wire, &outcome->contradicted);
	wire_bool(wire, &outcome->recorded);
	wire_u32(wire, &outcome->recorded_tsval);
	wire_u32(wire, &outcome->recorded_at);
	wire_u32(wire, &behind);
	wire_u32(wire, &age);
	wire_u32(wire, &outcome->wait);
	outcome->behind = (int32_t)behind;
	outcome->age = (int32_t)age;
	wire_expect(wire, outcome->fate != SYNPAWS_FATE_NONE);
}

static void wire_hold(struct wire *wire, struct hold *hold)
{
	wire_syn(wire, &hold->syn);
	wire_outcome(wire, &hold->outcome);
	wire_u64(wire, &hold->name);
	wire_u64(wire, &hold->host);
	wire_u64(wire, &hold->until_ns);
	wire_u32(wire, &hold->flow);
	wire_u32(wire, &hold->isn);
	hold->alone = (enum synpaws_fate)wire_below(wire, hold->alone, SYNPAWS_FATE_KINDS);
	wire_u32(wire, &hold->previous);
	wire_u32(wire, &hold->next);
	wire_bool(wire, &hold->settled);
	wire_expect(wire, hold->name != 0);
}

static void wire_before(struct wire *wire, const struct synpaws_mirror *mirror, struct hold *hold)
{
	struct flow before;

	memset(&before, 0, sizeof(before));
	if (!wire_reads(wire))
		before = *hold->before;
	flow_wire(&before, wire);
	if (!wire_reads(wire))
		return;
	mirror->befores[hold - mirror->holds] = before;
	hold->before = &mirror->befores[hold - mirror->holds];
}

static void wire_holds(struct wire *wire, const struct synpaws_mirror *mirror)
{
	const uint32_t room = mirror->hold_room;
	struct hold *hold;
	uint32_t i;

	for (i = 0; i < mirror->hold_count && !wire->failed; i++) {
		hold = &mirror->holds[(mirror->hold_first + i) % room];
		wire_hold(wire, hold);
		wire_before(wire, mirror, hold);
		wire_expect(wire, hold->flow < mirror->config.flows && hold->previous <= room &&
					  hold->next <= room);
	}
}

/* Is the outcome that the flow refers to held, and its own? */
static bool is_held(const struct synpaws_mirror *mirror, const struct flow *flow)
{
	const uint32_t room = mirror->hold_room, at = flow->held - 1;

	return at < room && (at + room - mirror->hold_first) % room < mirror->hold_count &&
	       mirror->holds[at].name == flow->name &&
	       mirror->holds[at].flow == flows_index(mirror->flows, flow);
}

/* What flows say of other tables has to be there. */
static void expect_links(struct wire *wire, const struct synpaws_mirror *mirror)
{
	const struct calendar *calendar = &mirror->calendar;
	uint32_t placed[CALENDAR_PLACES] = { 0 }, i;

	for (i = 0; i < flows_end(mirror->flows); i++) {
		const struct flow *flow = flows_at(mirror->flows, i);
		const uint32_t place = flow->place - 1U;

		if (flow->name == 0)
			continue;
		wire_expect(wire, flow->held == 0 || is_held(mirror, flow));
		if (flow->place != 0 && flow->place_round == calendar->round[place])
			wire_expect(wire, ++placed[place] <= calendar->held[place]);
	}
}

/* `mirror` is a copy when it is saved; its tables are not. */
static void wire_tables(struct wire *wire, struct synpaws_mirror *mirror)
{
	wire_counts(wire, mirror);
	stamps_wire(mirror->stamps, wire);
	if (mirror->flows == NULL)
		return;
	wire_expect(wire, mirror->hold_first < mirror->hold_room &&
				  mirror->hold_count <= mirror->hold_room);
	services_wire(mirror->services, wire);
	calendar_wire(&mirror->calendar, wire);
	flows_wire(mirror->flows, wire);
	deadlines_wire(mirror->deadlines, wire, mirror->config.flows);
	wire_holds(wire, mirror);
}

bool synpaws_mirror_save(const struct synpaws_mirror *mirror, synpaws_mirror_put *put,
			 void *context)
{
	struct wire wire = { .put = put, .context = context };
	struct synpaws_mirror copy = *mirror;

	wire_header(&wire, mirror);
	wire_tables(&wire, &copy);
	return !wire.failed;
}

static void forget(struct synpaws_mirror *mirror, enum synpaws_carry carry)
{
	if (carry == SYNPAWS_CARRY_COUNTS)
		stamps_clear(mirror->stamps);
	mirror->now_ns = mirror->wall_ahead_ns = 0;
	mirror->hold_first = mirror->hold_count = 0;
	memset(&mirror->calendar, 0, sizeof(mirror->calendar));
	if (mirror->flows == NULL)
		return;
	flows_clear(mirror->flows);
	deadlines_clear(mirror->deadlines);
}

enum synpaws_loaded synpaws_mirror_load(struct synpaws_mirror *mirror, synpaws_mirror_get *get,
					void *context, enum synpaws_carry carry)
{
	struct wire wire = { .get = get, .context = context };
	const enum synpaws_loaded header = wire_header(&wire, mirror);

	if (header != SYNPAWS_LOADED)
		return header;
	wire_tables(&wire, mirror);
	if (!wire.failed && mirror->flows != NULL)
		expect_links(&wire, mirror);
	if (wire.failed)
		return SYNPAWS_LOADED_DAMAGED;
	if (carry != SYNPAWS_CARRY_ALL)
		forget(mirror, carry);
	return SYNPAWS_LOADED;
}
