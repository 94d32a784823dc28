/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SERVICES_H
#define SERVICES_H

#include <stdbool.h>
#include <stdint.h>

#include <synpaws/mirror.h>

/*
 * What is known of the services on the hosts' ports: told for a port of all hosts, or learnt from
 * packets for one port of one host. Learning is a vote: the majority holds. Where there is no room
 * the least used is forgotten, ports that were only ever found closed first: a scan cannot push out
 * the rest.
 */
struct services;
struct wire;

/* NULL with errno ENOMEM. */
struct services *services_new(const uint8_t hash_key[16]);
void services_free(struct services *services);
size_t services_bytes(void);

void services_tell(struct services *services, uint16_t port, enum synpaws_fact fact, bool is_true,
		   uint32_t seconds, enum synpaws_source source);

/* How a service was seen to close: by shutdown(), or by close(). */
void services_vote_half_close(struct services *services, uint64_t host, uint16_t port,
			      bool half_close);

/* The same, seen in the host's own socket table. */
void services_vote_socket(struct services *services, uint16_t port, bool orphan);

/* The port answered a SYN with an RST, or not. */
void services_vote_closed(struct services *services, uint64_t host, uint16_t port, bool closed);

/* A fact of one host's port; `host` is services_host(). */
bool services_is(struct services *services, uint64_t host, uint16_t port, enum synpaws_fact fact);

/* Only what was told, or is in the socket tables. */
bool services_is_told(const struct services *services, uint16_t port, enum synpaws_fact fact);

/* With SYNPAWS_FACT_HALF_CLOSE: after how many seconds close() follows, SYNPAWS_NEVER if never. */
uint32_t services_close_delay(const struct services *services, uint16_t port);

/*
 * Whether a host really has the check on is told by what becomes of SYNs that it should drop:
 * silence or an answer.
 */
void services_vote_check(struct services *services, uint64_t host, bool answered);

/* A silence was none: the answer was late. */
void services_unvote_silence(struct services *services, uint64_t host);

/* True if the answers say that the check is on; false if off, or not known yet. */
bool services_checks(struct services *services, uint64_t host);

/* True if anything has told yet. */
bool services_check_is_known(struct services *services, uint64_t host);

/* True if any host's answers say so; or say anything. */
bool services_any_checks(const struct services *services);
bool services_any_check_known(const struct services *services);

/* A short name for a host. */
uint64_t services_host(const struct services *services, uint8_t ip_version,
		       const uint8_t address[16]);

/* Save what was learnt and what sockets showed, or load it, with its key. */
void services_wire(struct services *services, struct wire *wire);

/* The `index`th true fact; see synpaws_mirror_service(). */
bool services_at(const struct services *services, size_t index, struct synpaws_service *service);

#endif
