/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PANEL_INNER_H
#define PANEL_INNER_H

/* What the parts of the panel share: panel.c leads, panel_state.c saves and loads it. */

#include "../sink/fold.h"
#include "panel.h"

/* One profile's. */
struct view {
	struct panel *panel;
	const char *profile;
	struct synpaws_mirror *mirror;
	struct tally *tally;
	struct fold *fold;
	struct fold *contradictions;
	struct synpaws_mirror_stats loaded; /* what panel_load() found counted */
	uint64_t loaded_unread, loaded_drops;
};

struct panel {
	struct panel_config config;
	const char *evidence;
	uint64_t now; /* second of the panel's clock */
	size_t count;
	struct view views[PANEL_PROFILES_MOST];
};

#endif
