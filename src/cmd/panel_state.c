/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "../core/wire.h"
#include "panel_inner.h"

bool panel_save(const struct panel *panel, synpaws_mirror_put *put, void *context)
{
	struct wire wire = { .put = put, .context = context };
	uint32_t count = (uint32_t)panel->count;
	size_t i;

	wire_u32(&wire, &count);
	for (i = 0; i < panel->count && !wire.failed; i++) {
		tally_wire(panel->views[i].tally, &wire);
		wire_expect(&wire, synpaws_mirror_save(panel->views[i].mirror, put, context));
	}
	return !wire.failed;
}

static enum synpaws_loaded load_view(struct view *view, struct wire *wire, enum synpaws_carry carry)
{
	enum synpaws_loaded loaded;

	tally_wire(view->tally, wire);
	if (wire->failed)
		return SYNPAWS_LOADED_DAMAGED;
	loaded = synpaws_mirror_load(view->mirror, wire->get, wire->context, carry);
	synpaws_mirror_stats(view->mirror, &view->loaded);
	view->loaded_unread = tally_unread(view->tally);
	view->loaded_drops = tally_drop_syns(view->tally);
	return loaded;
}

enum synpaws_loaded panel_load(struct panel *panel, synpaws_mirror_get *get, void *context,
			       enum synpaws_carry carry)
{
	struct wire wire = { .get = get, .context = context };
	enum synpaws_loaded loaded = SYNPAWS_LOADED;
	uint32_t count = 0;
	size_t i;

	wire_u32(&wire, &count);
	if (count != panel->count)
		return SYNPAWS_LOADED_OTHER_MIRROR;
	for (i = 0; i < panel->count && loaded == SYNPAWS_LOADED; i++)
		loaded = load_view(&panel->views[i], &wire, carry);
	return loaded;
}

void panel_stats(const struct panel *panel, struct synpaws_mirror_stats *stats)
{
	synpaws_mirror_stats(panel->views[0].mirror, stats);
}

size_t panel_bytes(const struct panel *panel)
{
	struct synpaws_mirror_stats stats;
	size_t i, bytes = 0;

	for (i = 0; i < panel->count; i++) {
		synpaws_mirror_stats(panel->views[i].mirror, &stats);
		bytes += stats.bytes;
	}
	return bytes;
}
