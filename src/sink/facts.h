/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FACTS_H
#define FACTS_H

#include <stdbool.h>
#include <stddef.h>

#include <synpaws/mirror.h>

#include "../os/sysctls.h"

#define FACTS_SERVICES_MOST 512

/* What no packet shows and an answer rests on, each with who says so. */
struct facts {
	const char *profile;
	const struct sysctls *sysctls;
	bool check_known;
	bool checking; /* the host has the check on, by settings or by its answers */
	struct synpaws_service services[FACTS_SERVICES_MOST]; /* by fact, then by port */
	size_t service_count;
	size_t more; /* true facts that are not among them */
};

/* Fill in what the mirror knows: all but profile and sysctls. */
void facts_collect(struct facts *facts, const struct synpaws_mirror *mirror);

/*
 * "facts profile=P tcp_fin_timeout=60(default) ... half_close=8003(told),8005-8008(learnt) ...
 * more=0". What makes the line longer than 1000 bytes is left out and counted as more. `size` of
 * 1024 is always enough.
 */
void facts_text(const struct facts *facts, char *line, size_t size);

/* The same as a JSON object of up to 2048 bytes. Its length, 0 if that failed. */
size_t facts_json(const struct facts *facts, char *line, size_t size);

#endif
