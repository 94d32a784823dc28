/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "flows.h"
#include "siphash.h"
#include "table.h"
#include "wire.h"

#define FLOWS_MOST (UINT32_MAX / 2)
#define CACHE_LINE 64

/* A list by age; links are indices + 1, and 0 is the end. */
struct list {
	uint32_t oldest, newest;
	size_t count;
};

struct flows {
	struct flow *flow;
	uint32_t *heads;
	uint32_t head_mask;
	uint32_t room;
	uint32_t fresh; /* from here on none was ever used */
	uint32_t free;	/* those that were, chained */
	struct list early, late;
	uint64_t evicted;
	uint8_t hash_key[16];
};

struct flows *flows_new(size_t count, const uint8_t hash_key[16])
{
	struct flows *flows;
	uint32_t heads = 1;

	if (count == 0 || count > FLOWS_MOST) {
		errno = EINVAL;
		return NULL;
	}
	while (heads < count)
		heads *= 2;
	flows = calloc(1, sizeof(*flows));
	if (flows == NULL)
		return NULL;
	flows->head_mask = heads - 1;
	flows->room = (uint32_t)count;
	flows->flow = table_new(count, sizeof(*flows->flow));
	flows->heads = table_new(heads, sizeof(*flows->heads));
	if (flows->flow == NULL || flows->heads == NULL) {
		flows_free(flows);
		errno = ENOMEM;
		return NULL;
	}
	memcpy(flows->hash_key, hash_key, sizeof(flows->hash_key));
	return flows;
}

void flows_free(struct flows *flows)
{
	if (flows == NULL)
		return;
	table_free(flows->flow, flows->room, sizeof(*flows->flow));
	table_free(flows->heads, (size_t)flows->head_mask + 1, sizeof(*flows->heads));
	free(flows);
}

void flows_touch_all(struct flows *flows)
{
	table_touch(flows->flow, flows->room, sizeof(*flows->flow));
	table_touch(flows->heads, (size_t)flows->head_mask + 1, sizeof(*flows->heads));
}

/* Any order will do. */
static int order_of(const uint8_t *a, const uint8_t *b, uint8_t ip_version)
{
	uint32_t word_a, word_b;

	if (ip_version != 4)
		return memcmp(a, b, 16);
	memcpy(&word_a, a, 4);
	memcpy(&word_b, b, 4);
	return (word_a > word_b) - (word_a < word_b);
}

uint64_t flows_name(const struct flows *flows, uint8_t ip_version, const uint8_t host[16],
		    uint16_t host_port, const uint8_t peer[16], uint16_t peer_port)
{
	const int order = order_of(host, peer, ip_version);
	const bool swapped = order > 0 || (order == 0 && host_port > peer_port);
	const uint8_t *low = swapped ? peer : host, *high = swapped ? host : peer;
	const uint16_t ports[2] = { swapped ? peer_port : host_port,
				    swapped ? host_port : peer_port };
	uint8_t bytes[2 + 2 + 2 * 16];
	uint64_t hash;

	memcpy(bytes, ports, 4);
	/* Lengths that the compiler knows make a hash twice as fast. */
	if (ip_version == 4) {
		memcpy(bytes + 4, low, 4);
		memcpy(bytes + 8, high, 4);
		hash = siphash(flows->hash_key, bytes, 12);
	} else {
		memcpy(bytes + 4, low, 16);
		memcpy(bytes + 20, high, 16);
		hash = siphash(flows->hash_key, bytes, 36);
	}
	hash = (hash & ~FLOWS_SWAPPED) | (swapped ? FLOWS_SWAPPED : 0);
	return hash > 1 ? hash : hash | 2;
}

uint32_t flows_index(const struct flows *flows, const struct flow *flow)
{
	return (uint32_t)(flow - flows->flow);
}

struct flow *flows_at(struct flows *flows, uint32_t index)
{
	return &flows->flow[index];
}

static uint32_t *head_of(const struct flows *flows, uint64_t name)
{
	return &flows->heads[(uint32_t)(name >> 32) & flows->head_mask];
}

void flows_prefetch_head(const struct flows *flows, uint64_t name)
{
	__builtin_prefetch(head_of(flows, name), 1);
}

void flows_prefetch(const struct flows *flows, uint64_t name)
{
	const uint32_t link = *head_of(flows, name);
	const char *flow = (const char *)&flows->flow[link - 1];
	size_t at;

	if (link == 0)
		return;
	for (at = 0; at < sizeof(struct flow); at += CACHE_LINE)
		__builtin_prefetch(flow + at, 1);
}

struct flow *flows_find(struct flows *flows, uint64_t name)
{
	uint32_t link = *head_of(flows, name);

	while (link != 0 && flows->flow[link - 1].name != name)
		link = flows->flow[link - 1].chain;
	return link != 0 ? &flows->flow[link - 1] : NULL;
}

static struct list *list_of(struct flows *flows, const struct flow *flow)
{
	return flow->listed_early ? &flows->early : &flows->late;
}

static void list_add(struct flows *flows, struct flow *flow)
{
	struct list *list = list_of(flows, flow);
	const uint32_t link = flows_index(flows, flow) + 1;

	flow->older = list->newest;
	flow->newer = 0;
	if (list->newest != 0)
		flows->flow[list->newest - 1].newer = link;
	else
		list->oldest = link;
	list->newest = link;
	list->count++;
}

static void list_remove(struct flows *flows, struct flow *flow)
{
	struct list *list = list_of(flows, flow);

	if (flow->older != 0)
		flows->flow[flow->older - 1].newer = flow->newer;
	else
		list->oldest = flow->newer;
	if (flow->newer != 0)
		flows->flow[flow->newer - 1].older = flow->older;
	else
		list->newest = flow->older;
	list->count--;
}

void flows_remove(struct flows *flows, struct flow *flow)
{
	const uint32_t link = flows_index(flows, flow) + 1;
	uint32_t *at = head_of(flows, flow->name);

	while (*at != link)
		at = &flows->flow[*at - 1].chain;
	*at = flow->chain;
	list_remove(flows, flow);
	flow->name = 0;
	flow->state = FLOW_FREE;
	flow->chain = flows->free;
	flows->free = link;
}

/* What has ended is nothing any more; all else may yet be heard of. */
static bool matters(const struct flow *flow, uint64_t now_ns)
{
	if (flow->state == FLOW_CLOSED)
		return false;
	return (flow->state != FLOW_TIME_WAIT && flow->state != FLOW_HALF_DEAD) ||
	       now_ns < flow->late_ns;
}

static void evict(struct flows *flows, uint64_t now_ns)
{
	const bool early = flows->early.count > flows->room / 2 || flows->late.count == 0;
	const struct list *list = early ? &flows->early : &flows->late;
	struct flow *victim = &flows->flow[list->oldest - 1];

	flows->evicted += matters(victim, now_ns);
	flows_remove(flows, victim);
}

struct flow *flows_add(struct flows *flows, uint64_t name, uint64_t now_ns)
{
	uint32_t *head = head_of(flows, name);
	struct flow *flow;

	if (flows->free == 0 && flows->fresh == flows->room)
		evict(flows, now_ns);
	if (flows->free != 0) {
		flow = &flows->flow[flows->free - 1];
		flows->free = flow->chain;
	} else {
		flow = &flows->flow[flows->fresh++];
	}
	memset(flow, 0, sizeof(*flow));
	flow->name = name;
	flow->touched_ns = now_ns;
	flow->window_scale = FLOW_SCALE_UNKNOWN;
	flow->listed_early = true;
	flow->chain = *head;
	*head = flows_index(flows, flow) + 1;
	list_add(flows, flow);
	return flow;
}

void flows_touch(struct flows *flows, struct flow *flow, uint64_t now_ns)
{
	list_remove(flows, flow);
	flow->listed_early = !flow->host_fin_seen;
	flow->touched_ns = now_ns;
	list_add(flows, flow);
}

uint64_t flows_evicted(const struct flows *flows)
{
	return flows->evicted;
}

size_t flows_count(const struct flows *flows)
{
	return flows->early.count + flows->late.count;
}

size_t flows_bytes(const struct flows *flows)
{
	return flows->room * sizeof(struct flow) +
	       ((size_t)flows->head_mask + 1) * sizeof(*flows->heads);
}

uint32_t flows_end(const struct flows *flows)
{
	return flows->fresh;
}

void flows_clear(struct flows *flows)
{
	const struct list none = { .count = 0 };

	memset(flows->heads, 0, ((size_t)flows->head_mask + 1) * sizeof(*flows->heads));
	memset(flows->flow, 0, flows->fresh * sizeof(*flows->flow));
	flows->fresh = flows->free = 0;
	flows->early = flows->late = none;
}

static void save_list(const struct flows *flows, const struct list *list, struct wire *wire)
{
	uint32_t link, index;

	for (link = list->oldest; link != 0; link = flows->flow[link - 1].newer) {
		struct flow flow = flows->flow[link - 1];

		index = link - 1;
		wire_u32(wire, &index);
		flow_wire(&flow, wire);
	}
}

/* From the oldest on, so that each is the newest when it is added. */
static void load_list(struct flows *flows, bool early, uint64_t count, struct wire *wire)
{
	uint32_t *head, index = 0;
	struct flow flow;

	for (; count > 0 && !wire->failed; count--) {
		memset(&flow, 0, sizeof(flow));
		wire_u32(wire, &index);
		flow_wire(&flow, wire);
		wire_expect(wire, flow.name != 0 && index < flows->fresh &&
					  flows->flow[index].name == 0 &&
					  flows_find(flows, flow.name) == NULL);
		if (wire->failed)
			return;
		head = head_of(flows, flow.name);
		flow.chain = *head;
		flow.listed_early = early;
		flows->flow[index] = flow;
		*head = index + 1;
		list_add(flows, &flows->flow[index]);
	}
}

static void save_free(const struct flows *flows, struct wire *wire)
{
	uint32_t link, index;

	for (link = flows->free; link != 0; link = flows->flow[link - 1].chain) {
		index = link - 1;
		wire_u32(wire, &index);
	}
}

/* In their order, since it says whose place the next ones get. */
static void load_free(struct flows *flows, uint64_t count, struct wire *wire)
{
	uint32_t *end = &flows->free, index = 0;

	for (; count > 0 && !wire->failed; count--) {
		wire_u32(wire, &index);
		wire_expect(wire, index < flows->fresh && flows->flow[index].name == 0 &&
					  flows->flow[index].held == 0);
		if (wire->failed)
			break;
		flows->flow[index].held = 1; /* not twice */
		*end = index + 1;
		end = &flows->flow[index].chain;
	}
	*end = 0;
}

void flows_wire(struct flows *flows, struct wire *wire)
{
	uint64_t early = flows->early.count, late = flows->late.count;
	uint64_t free_count = flows->fresh - early - late;

	wire_bytes(wire, flows->hash_key, sizeof(flows->hash_key));
	wire_u64(wire, &flows->evicted);
	wire_u64(wire, &early);
	wire_u64(wire, &late);
	wire_u64(wire, &free_count);
	if (!wire_reads(wire)) {
		save_list(flows, &flows->early, wire);
		save_list(flows, &flows->late, wire);
		save_free(flows, wire);
		return;
	}
	wire_expect(wire, early <= flows->room && late <= flows->room - early &&
				  free_count <= flows->room - early - late);
	if (wire->failed)
		return;
	flows->fresh = (uint32_t)(early + late + free_count);
	load_list(flows, true, early, wire);
	load_list(flows, false, late, wire);
	load_free(flows, free_count, wire);
}
