/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PANEL_OPTIONS_H
#define PANEL_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <synpaws/mirror.h>

#include "../os/sysctls.h"
#include "../sink/log.h"
#include "option.h"

/* What `watch` and `replay` have in common: what to mirror, with what, and where lines go. */

#define PANEL_PROFILES_MOST 8
#define PANEL_HOSTS_MOST    64
#define PANEL_PORTS_MOST    256

/* A fact that was told of some ports. */
struct panel_ports {
	uint16_t first, last;
	enum synpaws_fact fact;
	uint32_t seconds; /* see synpaws_mirror_tell() */
};

struct panel_options {
	const struct synpaws_profile *profiles[PANEL_PROFILES_MOST];
	size_t profile_count;
	enum synpaws_evidence evidence;
	struct synpaws_prefix hosts[PANEL_HOSTS_MOST];
	size_t host_count;
	bool gateway; /* every host is a machine of its own, and not this one */
	size_t peers;
	size_t flows;
	struct sysctls sysctls;
	struct panel_ports ports[PANEL_PORTS_MOST]; /* later ones outweigh earlier ones */
	size_t port_count;
	enum log_sink sink;
	uint32_t fold_seconds;
	uint32_t log_rate;
};

/* The defaults, but for evidence and sink, which are the command's. */
void panel_options_init(struct panel_options *options);

/* Rows whose target is a struct panel_options: what to mirror, and how lines are written. */
struct option_group panel_options_mirror(struct panel_options *options);
struct option_group panel_options_lines(struct panel_options *options);

/* The setter of --log; `value` may be syslog only where the command has it. */
bool panel_options_set_sink(struct panel_options *options, const char *value, bool syslog,
			    char *why, size_t size);

/* Read ADDR or ADDR/LENGTH; false if it is neither. */
bool panel_parse_prefix(struct synpaws_prefix *prefix, const char *value);

/* The setters of facts.c. */
option_set panel_set_half_close, panel_set_dual_stack, panel_set_closed, panel_set_sysctl;

/* The profiles' names with commas between, for people. */
void panel_options_names(const struct panel_options *options, char *names, size_t size);

#endif
