/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PAWS_H
#define PAWS_H

#include <stdbool.h>
#include <stdint.h>

#include <synpaws/profile.h>

#include "stamps.h"

/*
 * The kernel's two rules for a peer's stamp, as each family of kernels has them. TSvals compare
 * modulo 2^32 (RFC 7323, 5.2), seconds are those of the wall clock, unsigned.
 */

/* The distance by which `tsval` lies behind the recorded one, as signed 32 bits. */
int32_t paws_behind(const struct stamp *stamp, uint32_t tsval);

/* For how many seconds from `now` on the stamp still counts; 0 if it does not. */
uint32_t paws_fresh_for(const struct synpaws_profile *profile, const struct stamp *stamp,
			uint32_t now);

/*
 * The check: true if a SYN is dropped at `now`. tcp_v4_conn_request() up to 3.16,
 * tcp_peer_is_proven() from 3.17 and in el7.
 */
bool paws_drops(const struct synpaws_profile *profile, const struct stamp *stamp,
		bool has_timestamp, uint32_t tsval, uint32_t now);

/*
 * The write: a connection that ends at `now` offers the TSval that it saw last, in `second`. True
 * if the stamp took it. tcp_v4_remember_stamp() in 2.6.32, tcp_remember_stamp() later.
 */
bool paws_record(const struct synpaws_profile *profile, struct stamp *stamp, uint32_t tsval,
		 uint32_t second, uint32_t now);

#endif
