/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../core/siphash.h"
#include "../os/clock.h"
#include "../sink/connection.h"
#include "../sink/seen.h"
#include "panel.h"
#include "what_if.h"

#define CONNECTIONS_MOST       65536
#define RETRANSMISSION_SECONDS 128

/* A load balancer keeps clear of the well-known ports. */
#define SNAT_PORT_FIRST 1024
#define SNAT_PORTS	(65536 - SNAT_PORT_FIRST)

struct what_if {
	struct what_if_spec spec;
	uint8_t hash_key[16];
	struct synpaws_mirror *mirror;
	struct seen *connections, *refused, *sources;
	uint64_t connection_count, drop_connections, drop_syns, sources_hit;
	uint64_t translated; /* segments */
};

/* One capture gives one answer, so this key is no secret. */
static const uint8_t snat_key[16] = { 's', 'y', 'n', 'p', 'a', 'w', 's' };

static bool parse_snat(struct what_if_spec *spec, const char *value, char *why, size_t size)
{
	if (panel_parse_prefix(&spec->addresses, value))
		return true;
	snprintf(why, size, "--what-if snat: '%.60s' is no address or ADDR/LENGTH", value);
	return false;
}

static bool parse_profile(struct what_if_spec *spec, const char *value, char *why, size_t size)
{
	spec->profile = synpaws_profile_find(value);
	if (spec->profile != NULL)
		return true;
	snprintf(why, size, "--what-if profile: no profile '%.60s': 'synpaws profiles' lists them",
		 value);
	return false;
}

bool what_if_parse(struct what_if_spec *spec, const char *text, char *why, size_t size)
{
	memset(spec, 0, sizeof(*spec));
	snprintf(spec->name, sizeof(spec->name), "%s", text);
	if (strncmp(text, "snat=", 5) == 0) {
		spec->kind = WHAT_IF_SNAT;
		return parse_snat(spec, text + 5, why, size);
	}
	if (strncmp(text, "profile=", 8) == 0) {
		spec->kind = WHAT_IF_PROFILE;
		return parse_profile(spec, text + 8, why, size);
	}
	if (strcmp(text, "host-closes=always") == 0) {
		spec->kind = WHAT_IF_ALWAYS;
		return true;
	}
	if (strcmp(text, "host-closes=never") == 0) {
		spec->kind = WHAT_IF_NEVER;
		return true;
	}
	snprintf(why, size,
		 "--what-if: '%.60s' is none of snat=ADDR[/LENGTH], profile=NAME, "
		 "host-closes=never, host-closes=always",
		 text);
	return false;
}

static void take_outcome(void *context, const struct synpaws_segment *syn,
			 const struct synpaws_outcome *outcome)
{
	struct what_if *what_if = context;
	const uint32_t now = (uint32_t)(syn->order_ns / NS_PER_SECOND);
	const uint64_t connection = connection_name(what_if->hash_key, syn);

	if (outcome->fate == SYNPAWS_FATE_NONE)
		return;
	what_if->connection_count += seen_add(what_if->connections, connection, now);
	if (outcome->fate != SYNPAWS_FATE_PAWS_DROP)
		return;
	what_if->drop_syns++;
	what_if->drop_connections += seen_add(what_if->refused, connection, now);
	what_if->sources_hit += seen_add(
		what_if->sources,
		siphash(what_if->hash_key, syn->source, syn->ip_version == 4 ? 4 : 16), now);
}

/* The estimate on SYNs is just the case of a host that closes every connection first, at once. */
static enum synpaws_evidence evidence_of(const struct what_if_spec *spec,
					 const struct panel_options *options)
{
	if (spec->kind == WHAT_IF_ALWAYS)
		return SYNPAWS_EVIDENCE_SYN;
	if (spec->kind == WHAT_IF_NEVER)
		return SYNPAWS_EVIDENCE_CLOSE;
	return options->evidence;
}

struct what_if *what_if_new(const struct what_if_spec *spec, const struct panel_options *options,
			    const struct synpaws_sysctls *sysctls, const uint8_t hash_key[16])
{
	struct what_if *what_if = calloc(1, sizeof(*what_if));
	struct synpaws_mirror_config config = {
		.profile = spec->kind == WHAT_IF_PROFILE ? spec->profile : options->profiles[0],
		.evidence = evidence_of(spec, options),
		.peers = options->peers,
		.flows = options->flows,
		.hosts = options->hosts,
		.host_count = options->host_count,
		.sysctls = *sysctls,
		.emit = take_outcome,
		.context = what_if,
	};

	if (what_if == NULL)
		return NULL;
	/* What the host answers, it answers to the traffic that there was. */
	config.sysctls.tcp_tw_recycle = 0;
	what_if->spec = *spec;
	memcpy(what_if->hash_key, hash_key, sizeof(what_if->hash_key));
	memcpy(config.hash_key, hash_key, sizeof(config.hash_key));
	what_if->mirror = synpaws_mirror_new(&config);
	what_if->connections = seen_new(CONNECTIONS_MOST, RETRANSMISSION_SECONDS);
	what_if->refused = seen_new(CONNECTIONS_MOST, RETRANSMISSION_SECONDS);
	what_if->sources = seen_new(CONNECTIONS_MOST, SEEN_FOR_EVER);
	if (what_if->mirror == NULL || what_if->connections == NULL || what_if->refused == NULL ||
	    what_if->sources == NULL) {
		what_if_free(what_if);
		errno = ENOMEM;
		return NULL;
	}
	panel_tell_ports(what_if->mirror, options);
	return what_if;
}

void what_if_free(struct what_if *what_if)
{
	if (what_if == NULL)
		return;
	synpaws_mirror_free(what_if->mirror);
	seen_free(what_if->connections);
	seen_free(what_if->refused);
	seen_free(what_if->sources);
	free(what_if);
}

/* A peer's end becomes one of the balancer's: always the same, spread evenly by a keyed hash. */
static void translate(struct what_if *what_if, uint8_t ip_version, uint8_t address[16],
		      uint16_t *port)
{
	const struct synpaws_prefix *to = &what_if->spec.addresses;
	const unsigned int width = ip_version == 4 ? 32 : 128;
	uint8_t key[18];
	uint64_t hash;
	unsigned int bit;

	if (to->ip_version != ip_version)
		return;
	what_if->translated++;
	memcpy(key, address, 16);
	memcpy(key + 16, port, 2);
	hash = siphash(snat_key, key, sizeof(key));
	*port = (uint16_t)(SNAT_PORT_FIRST + (hash >> 32) % SNAT_PORTS);
	memcpy(address, to->address, width / 8);
	for (bit = to->bits; bit < width && bit - to->bits < 32; bit++) {
		const uint8_t mask = (uint8_t)(0x80 >> bit % 8);

		if ((hash >> (bit - to->bits)) & 1)
			address[bit / 8] |= mask;
		else
			address[bit / 8] &= (uint8_t)~mask;
	}
}

void what_if_take(struct what_if *what_if, const struct synpaws_segment *seg)
{
	struct synpaws_segment copy;

	if (what_if->spec.kind == WHAT_IF_NEVER && !synpaws_segment_is_syn(seg))
		return;
	if (what_if->spec.kind != WHAT_IF_SNAT) {
		synpaws_mirror_take(what_if->mirror, seg);
		return;
	}
	copy = *seg;
	if (synpaws_mirror_is_host(what_if->mirror, seg->ip_version, seg->destination))
		translate(what_if, seg->ip_version, copy.source, &copy.source_port);
	else
		translate(what_if, seg->ip_version, copy.destination, &copy.destination_port);
	synpaws_mirror_take(what_if->mirror, &copy);
}

static const char *note_of(enum what_if_kind kind)
{
	switch (kind) {
	case WHAT_IF_SNAT:
		return "clients come by way of a load balancer with these addresses";
	case WHAT_IF_PROFILE:
		return "another kernel";
	case WHAT_IF_ALWAYS:
		return "the servers close every connection first, at once";
	case WHAT_IF_NEVER:
		return "the servers never close first: they remember nothing";
	}
	return "";
}

void what_if_report(struct what_if *what_if, struct report_variant *variant)
{
	synpaws_mirror_flush(what_if->mirror);
	variant->name = what_if->spec.name;
	variant->note = note_of(what_if->spec.kind);
	if (what_if->spec.kind == WHAT_IF_SNAT && what_if->translated == 0)
		variant->note = "no traffic of that IP version: as today";
	variant->connections = what_if->connection_count;
	variant->drop_connections = what_if->drop_connections;
	variant->drop_syns = what_if->drop_syns;
	variant->sources_hit = what_if->sources_hit;
}
