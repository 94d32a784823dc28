/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef WHAT_IF_H
#define WHAT_IF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <synpaws/mirror.h>

#include "../report/report.h"
#include "panel_options.h"

/* The same traffic under other circumstances, each judged by a mirror of its own. */

#define WHAT_IF_MOST 8

enum what_if_kind {
	WHAT_IF_SNAT,	 /* peers come by way of a load balancer's few addresses */
	WHAT_IF_PROFILE, /* another kernel */
	WHAT_IF_ALWAYS,	 /* the host closes every connection first */
	WHAT_IF_NEVER,	 /* the host never closes first */
};

struct what_if_spec {
	enum what_if_kind kind;
	char name[64];
	struct synpaws_prefix addresses;       /* WHAT_IF_SNAT */
	const struct synpaws_profile *profile; /* WHAT_IF_PROFILE */
};

/* Read "snat=ADDR[/len]", "profile=NAME" or "host-closes=never|always". False with one line. */
bool what_if_parse(struct what_if_spec *spec, const char *text, char *why, size_t size);

struct what_if;

/* NULL with errno ENOMEM. `options` is today's; both are borrowed. */
struct what_if *what_if_new(const struct what_if_spec *spec, const struct panel_options *options,
			    const struct synpaws_sysctls *sysctls, const uint8_t hash_key[16]);
void what_if_free(struct what_if *what_if);

void what_if_take(struct what_if *what_if, const struct synpaws_segment *seg);

/* The end: what became of all that was shown. */
void what_if_report(struct what_if *what_if, struct report_variant *variant);

#endif
