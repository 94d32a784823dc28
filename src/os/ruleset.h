/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RULESET_H
#define RULESET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The queues that a firewall feeds, gathered from what iptables-save, ip6tables-save and
 * `nft list ruleset` write, line by line.
 */
struct ruleset_queue {
	uint16_t first, last; /* one queue, or those that packets are spread over */
	bool bypass;	      /* every rule lets packets by while nobody listens */
	bool ipv4, ipv6;
	unsigned int rules;
	unsigned int seen[2]; /* by iptables-save, by nft: the one shows rules of the other */
};

#define RULESET_QUEUES_MOST 16

struct ruleset {
	struct ruleset_queue queues[RULESET_QUEUES_MOST];
	size_t count;
	unsigned int left_out; /* rules for which there was no more room */
	bool tracking; /* a rule goes by the connection's mark, so connections are tracked */
	bool nft_ipv4, nft_ipv6; /* the family of the nft table that is being read */
};

/* Take a line as iptables-save writes it, or with `ipv6` as ip6tables-save does. */
void ruleset_take_iptables(struct ruleset *ruleset, const char *line, bool ipv6);

/* Take a line as nft writes it. A rule that iptables-nft made may be seen here and there. */
void ruleset_take_nft(struct ruleset *ruleset, const char *line);

#endif
