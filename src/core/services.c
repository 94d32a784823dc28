/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "services.h"
#include "siphash.h"
#include "wire.h"

#define PORTS 65536

/* Hosts and ports that are learnt about. */
#define SLOTS	  4096
#define SLOT_WAYS 4

/* Old votes fade, so that a service that changes is learnt anew. */
#define VOTES_MOST 64

/*
 * With the check off, a SYN that should be dropped is answered but for losses on the way; with it
 * on, it is not but for our errors. Losses of more than one in four are no losses.
 */
#define ANSWERS_PER_SILENCE 3

/* Votes about this machine's own sockets. */
#define ALL_HOSTS 0

struct told {
	uint8_t source[SYNPAWS_FACT_KINDS]; /* enum synpaws_source */
	bool is_true[SYNPAWS_FACT_KINDS];
};

struct learnt {
	uint64_t name; /* 0: free */
	uint32_t used;
	uint16_t port;
	uint8_t half_close, whole_close; /* votes */
	uint8_t answered, silent;
	bool closed;
};

struct services {
	struct told told[PORTS];
	uint32_t told_true[SYNPAWS_FACT_KINDS]; /* how many are */
	uint32_t shown;				/* how many are known from sockets */
	uint32_t delay[PORTS];
	struct learnt learnt[SLOTS];
	uint32_t now; /* counts votes, to find the slot unused for longest */
	uint8_t hash_key[16];
};

struct services *services_new(const uint8_t hash_key[16])
{
	struct services *services = calloc(1, sizeof(*services));

	if (services == NULL)
		return NULL;
	memset(services->delay, 0xff, sizeof(services->delay));
	memcpy(services->hash_key, hash_key, sizeof(services->hash_key));
	return services;
}

void services_free(struct services *services)
{
	free(services);
}

size_t services_bytes(void)
{
	return sizeof(struct services);
}

void services_tell(struct services *services, uint16_t port, enum synpaws_fact fact, bool is_true,
		   uint32_t seconds, enum synpaws_source source)
{
	struct told *told = &services->told[port];

	if (source < told->source[fact])
		return;
	services->told_true[fact] += (uint32_t)is_true - (uint32_t)told->is_true[fact];
	services->shown += (uint32_t)(source == SYNPAWS_SOURCE_SOCKETS) -
			   (uint32_t)(told->source[fact] == SYNPAWS_SOURCE_SOCKETS);
	told->source[fact] = (uint8_t)source;
	told->is_true[fact] = is_true;
	if (fact == SYNPAWS_FACT_HALF_CLOSE)
		services->delay[port] = seconds;
}

uint64_t services_host(const struct services *services, uint8_t ip_version,
		       const uint8_t address[16])
{
	return ip_version == 4 ? siphash(services->hash_key, address, 4)
			       : siphash(services->hash_key, address, 16);
}

static uint64_t name_of(uint64_t host, uint16_t port)
{
	const uint64_t name = host ^ (port + 1ULL) * 0x9e3779b97f4a7c15ULL;

	return name != 0 ? name : 1;
}

static size_t set_of(uint64_t name)
{
	return (size_t)(name >> 32) % (SLOTS / SLOT_WAYS) * SLOT_WAYS;
}

static const struct learnt *find(struct services *services, uint64_t host, uint16_t port)
{
	const uint64_t name = name_of(host, port);
	struct learnt *set = &services->learnt[set_of(name)];
	size_t i;

	for (i = 0; i < SLOT_WAYS; i++) {
		if (set[i].name != name)
			continue;
		set[i].used = ++services->now;
		return &set[i];
	}
	return NULL;
}

/* A port that is closed, or of which nothing is known. */
static bool is_cheap(const struct learnt *slot)
{
	return slot->half_close + slot->whole_close + slot->answered + slot->silent == 0;
}

static bool gives_way(const struct learnt *slot, const struct learnt *other)
{
	if (is_cheap(slot) != is_cheap(other))
		return is_cheap(slot);
	return slot->used < other->used;
}

static struct learnt *obtain(struct services *services, uint64_t host, uint16_t port)
{
	const uint64_t name = name_of(host, port);
	struct learnt *set = &services->learnt[set_of(name)], *slot = set;
	size_t i;

	for (i = 0; i < SLOT_WAYS && slot->name != name; i++) {
		if (set[i].name == name || gives_way(&set[i], slot))
			slot = &set[i];
	}
	if (slot->name != name) {
		memset(slot, 0, sizeof(*slot));
		slot->name = name;
		slot->port = port;
	}
	slot->used = ++services->now;
	return slot;
}

static void vote(uint8_t *yes, uint8_t *no, bool is_yes)
{
	*(is_yes ? yes : no) += 1;
	if (*yes + *no >= VOTES_MOST) {
		*yes /= 2;
		*no /= 2;
	}
}

void services_vote_half_close(struct services *services, uint64_t host, uint16_t port,
			      bool half_close)
{
	struct learnt *slot = obtain(services, host, port);

	vote(&slot->half_close, &slot->whole_close, half_close);
}

void services_vote_socket(struct services *services, uint16_t port, bool orphan)
{
	struct learnt *slot = obtain(services, ALL_HOSTS, port);

	vote(&slot->half_close, &slot->whole_close, !orphan);
	services_tell(services, port, SYNPAWS_FACT_HALF_CLOSE, slot->half_close > slot->whole_close,
		      SYNPAWS_NEVER, SYNPAWS_SOURCE_SOCKETS);
}

void services_vote_closed(struct services *services, uint64_t host, uint16_t port, bool closed)
{
	/* Only those that were closed once are worth a slot. */
	if (closed || find(services, host, port) != NULL)
		obtain(services, host, port)->closed = closed;
}

/* The host itself is under a port that no service has. */
#define WHOLE_HOST 0

void services_vote_check(struct services *services, uint64_t host, bool answered)
{
	struct learnt *slot = obtain(services, host, WHOLE_HOST);

	vote(&slot->answered, &slot->silent, answered);
}

void services_unvote_silence(struct services *services, uint64_t host)
{
	struct learnt *slot = obtain(services, host, WHOLE_HOST);

	if (slot->silent > 0)
		slot->silent--;
}

static bool says_on(const struct learnt *slot)
{
	return slot->silent * ANSWERS_PER_SILENCE > slot->answered;
}

bool services_checks(struct services *services, uint64_t host)
{
	const struct learnt *slot = find(services, host, WHOLE_HOST);

	return slot != NULL && says_on(slot);
}

bool services_check_is_known(struct services *services, uint64_t host)
{
	const struct learnt *slot = find(services, host, WHOLE_HOST);

	return slot != NULL && slot->answered + slot->silent > 0;
}

bool services_any_checks(const struct services *services)
{
	size_t i;

	for (i = 0; i < SLOTS; i++) {
		if (services->learnt[i].port == WHOLE_HOST && says_on(&services->learnt[i]))
			return true;
	}
	return false;
}

bool services_any_check_known(const struct services *services)
{
	size_t i;

	for (i = 0; i < SLOTS; i++) {
		if (services->learnt[i].port == WHOLE_HOST &&
		    services->learnt[i].answered + services->learnt[i].silent > 0)
			return true;
	}
	return false;
}

static bool learnt_is(const struct learnt *slot, enum synpaws_fact fact)
{
	switch (fact) {
	case SYNPAWS_FACT_CLOSED:
		return slot->closed;
	case SYNPAWS_FACT_HALF_CLOSE:
		return slot->half_close > slot->whole_close;
	case SYNPAWS_FACT_DUAL_STACK:
	case SYNPAWS_FACT_KINDS:
		break;
	}
	return false;
}

bool services_is_told(const struct services *services, uint16_t port, enum synpaws_fact fact)
{
	return services->told[port].is_true[fact];
}

bool services_is(struct services *services, uint64_t host, uint16_t port, enum synpaws_fact fact)
{
	const struct learnt *slot;

	if (services->told[port].source[fact] != SYNPAWS_SOURCE_NOBODY)
		return services->told[port].is_true[fact];
	slot = find(services, host, port);
	return slot != NULL && learnt_is(slot, fact);
}

uint32_t services_close_delay(const struct services *services, uint16_t port)
{
	return services->delay[port];
}

/* A learnt fact that nobody outweighs, at the first of the slots that say so. */
static bool shown(const struct services *services, size_t slot, enum synpaws_fact fact)
{
	const struct learnt *learnt = &services->learnt[slot];
	size_t i;

	if (learnt->name == 0 || !learnt_is(learnt, fact) ||
	    services->told[learnt->port].source[fact] != SYNPAWS_SOURCE_NOBODY)
		return false;
	for (i = 0; i < slot; i++) {
		if (services->learnt[i].port == learnt->port &&
		    learnt_is(&services->learnt[i], fact))
			return false;
	}
	return true;
}

static bool told_at(const struct services *services, enum synpaws_fact fact, size_t index,
		    struct synpaws_service *service)
{
	size_t port;

	for (port = 0; port < PORTS; port++) {
		if (!services->told[port].is_true[fact] || index-- != 0)
			continue;
		service->port = (uint16_t)port;
		service->source = (enum synpaws_source)services->told[port].source[fact];
		return true;
	}
	return false;
}

static bool fact_at(const struct services *services, enum synpaws_fact fact, size_t *index,
		    struct synpaws_service *service)
{
	size_t i;

	service->fact = fact;
	if (*index < services->told_true[fact])
		return told_at(services, fact, *index, service);
	*index -= services->told_true[fact];
	for (i = 0; i < SLOTS; i++) {
		if (shown(services, i, fact) && (*index)-- == 0) {
			service->port = services->learnt[i].port;
			service->source = SYNPAWS_SOURCE_LEARNT;
			return true;
		}
	}
	return false;
}

bool services_at(const struct services *services, size_t index, struct synpaws_service *service)
{
	return fact_at(services, SYNPAWS_FACT_CLOSED, &index, service) ||
	       fact_at(services, SYNPAWS_FACT_HALF_CLOSE, &index, service) ||
	       fact_at(services, SYNPAWS_FACT_DUAL_STACK, &index, service);
}

#define NO_SLOT SLOTS

static void wire_learnt(struct wire *wire, struct learnt *slot)
{
	wire_u64(wire, &slot->name);
	wire_u32(wire, &slot->used);
	wire_u16(wire, &slot->port);
	wire_u8(wire, &slot->half_close);
	wire_u8(wire, &slot->whole_close);
	wire_u8(wire, &slot->answered);
	wire_u8(wire, &slot->silent);
	wire_bool(wire, &slot->closed);
	wire_expect(wire, slot->half_close + slot->whole_close < VOTES_MOST &&
				  slot->answered + slot->silent < VOTES_MOST);
}

static void save_learnt(struct services *services, struct wire *wire)
{
	uint16_t at;

	for (at = 0; at < SLOTS; at++) {
		if (services->learnt[at].name == 0)
			continue;
		wire_u16(wire, &at);
		wire_learnt(wire, &services->learnt[at]);
	}
	wire_u16(wire, &at); /* NO_SLOT */
}

static bool is_in_set(const struct services *services, uint64_t name)
{
	const struct learnt *set = &services->learnt[set_of(name)];
	size_t i;

	for (i = 0; i < SLOT_WAYS; i++) {
		if (set[i].name == name)
			return true;
	}
	return false;
}

static void load_learnt(struct services *services, struct wire *wire)
{
	struct learnt slot = { .name = 0 };
	uint16_t at = 0;

	for (;;) {
		wire_u16(wire, &at);
		if (at == NO_SLOT || wire->failed)
			return;
		wire_learnt(wire, &slot);
		wire_expect(wire, at < SLOTS && slot.name != 0 &&
					  set_of(slot.name) == at / SLOT_WAYS * SLOT_WAYS &&
					  !is_in_set(services, slot.name) &&
					  services->learnt[at].name == 0);
		if (!wire->failed)
			services->learnt[at] = slot;
	}
}

/* What sockets showed of one port, or SYNPAWS_FACT_KINDS behind the last. */
static void wire_shown(struct wire *wire, uint8_t *fact, uint16_t *port, bool *is_true,
		       uint32_t *seconds)
{
	wire_u8(wire, fact);
	if (*fact == SYNPAWS_FACT_KINDS)
		return;
	wire_u16(wire, port);
	wire_bool(wire, is_true);
	wire_u32(wire, seconds);
}

static void save_shown(struct services *services, struct wire *wire)
{
	uint32_t i;
	uint8_t fact;

	for (fact = 0; fact < SYNPAWS_FACT_KINDS; fact++) {
		for (i = 0; i < PORTS && services->shown > 0; i++) {
			uint16_t port = (uint16_t)i;

			if (services->told[i].source[fact] == SYNPAWS_SOURCE_SOCKETS)
				wire_shown(wire, &fact, &port, &services->told[i].is_true[fact],
					   &services->delay[i]);
		}
	}
	wire_shown(wire, &fact, NULL, NULL, NULL);
}

static void load_shown(struct services *services, struct wire *wire)
{
	uint32_t seconds = 0;
	uint16_t port = 0;
	uint8_t fact = 0;
	bool is_true = false;

	for (;;) {
		wire_shown(wire, &fact, &port, &is_true, &seconds);
		wire_expect(wire, fact <= SYNPAWS_FACT_KINDS);
		if (wire->failed || fact == SYNPAWS_FACT_KINDS)
			return;
		services_tell(services, port, (enum synpaws_fact)fact, is_true, seconds,
			      SYNPAWS_SOURCE_SOCKETS);
	}
}

void services_wire(struct services *services, struct wire *wire)
{
	wire_bytes(wire, services->hash_key, sizeof(services->hash_key));
	wire_u32(wire, &services->now);
	if (wire_reads(wire)) {
		load_learnt(services, wire);
		load_shown(services, wire);
	} else {
		save_learnt(services, wire);
		save_shown(services, wire);
	}
}
