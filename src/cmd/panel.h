/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PANEL_H
#define PANEL_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include <synpaws/mirror.h>

#include "../report/collect.h"
#include "../sink/tally.h"
#include "panel_options.h"

/*
 * A panel of judges: for each profile a mirror, with its tally and its folded lines, all driven by
 * one stream of segments. A live queue and a capture go through it alike.
 */
struct panel;

struct panel_config {
	const struct panel_options *options; /* borrowed */
	struct sysctls sysctls;		     /* what is told, and read on the host */
	uint8_t hash_key[16];
	bool each; /* an EACH_MOST line for every outcome, as LOG_INFO; none for drops */
	struct collect *collect; /* borrowed: collects the first profile's outcomes; may be NULL */
	bool quiet;		 /* no lines for drops */
	/* Takes a line without its end; NULL for one that could not be made. LOG_WARNING is that
	 * of a drop, LOG_NOTICE one of a summary. */
	void (*write)(void *context, int priority, const char *line);
	/* Fills in the name of an interface, "" if it is not known; may be NULL. */
	void (*interface)(void *context, uint32_t ifindex, char name[IF_NAMESIZE]);
	void *context; /* their first argument */
};

/* NULL with errno ENOMEM. */
struct panel *panel_new(const struct panel_config *config);
void panel_free(struct panel *panel);

/* synpaws_mirror_touch() for all. */
void panel_touch(struct panel *panel);

/* Count what the decoder made of so many packets. */
void panel_decode(struct panel *panel, enum synpaws_decode result, uint64_t count);

/*
 * Show segments to all mirrors, in order. Their order_ns is the panel's clock; one that goes back
 * stands. The more at a time, the less each costs.
 */
void panel_take(struct panel *panel, const struct synpaws_segment *segs, size_t count);

/* Time has come to `order_ns`: write what was held back for so long. */
void panel_advance(struct panel *panel, uint64_t order_ns);

/* The end: write all that is held back. */
void panel_flush(struct panel *panel);

/*
 * Save what the mirrors hold and the tallies have counted, or load it into a new panel of the same
 * profiles; see synpaws_mirror_save() and synpaws_mirror_load(). Folded lines are not saved.
 */
bool panel_save(const struct panel *panel, synpaws_mirror_put *put, void *context);
enum synpaws_loaded panel_load(struct panel *panel, synpaws_mirror_get *get, void *context,
			       enum synpaws_carry carry);

/* Of the first profile's mirror, and the memory of all of them. */
void panel_stats(const struct panel *panel, struct synpaws_mirror_stats *stats);
size_t panel_bytes(const struct panel *panel);

/* See synpaws_mirror_tell() and synpaws_mirror_saw_socket(). */
void panel_tell(struct panel *panel, uint16_t port, enum synpaws_fact fact, bool is_true,
		enum synpaws_source source);
void panel_saw_socket(struct panel *panel, uint16_t port, bool orphan);

/*
 * Write for each profile its summary and what it missed, with several of them a comparison, and for
 * each the facts that it went by. `common` is what the stream's source knows.
 */
void panel_summarise(struct panel *panel, const struct tally_context *common);

/* What was watched; 0 where the SYNs are to say it. */
struct panel_span {
	uint64_t first_ns, last_ns;
	uint64_t watched_ns; /* without gaps */
};

/* The report of the first profile, as collect_report() gives it, on what was seen since it began;
 * `common` likewise. */
const struct report *panel_report(struct panel *panel, const struct tally_context *common,
				  const struct panel_span *span,
				  const struct report_variant *variants, size_t variant_count);

/* Lines on standard error for what makes an answer of captures worthless or weak. */
void panel_warn(const struct panel *panel);

/* Tell a mirror the ports that were told. */
void panel_tell_ports(struct synpaws_mirror *mirror, const struct panel_options *options);

/* The would-be drops of the profile of that name, or of the first if there is none, or NULL; those
 * that were loaded left out. */
uint64_t panel_drop_syns(const struct panel *panel, const char *profile);

/* synpaws_mirror_ask() of the same profile. */
void panel_ask(const struct panel *panel, const char *profile, const struct synpaws_segment *syn,
	       struct synpaws_outcome *outcome);

#endif
