/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "../os/clock.h"
#include "html_parts.h"
#include "plot_time.h"

/* Drops above with a scale of their own, all SYNs below: in one scale few drops could not be seen.
 */
#define WIDTH	   960
#define LEFT	   58
#define RIGHT	   6
#define DROPS_TOP  26
#define DROPS_HIGH 130
#define SYNS_HIGH  46

/* Without drops there is no room for them. */
static int drops_high(const struct slots *slots)
{
	return slots->most_drops > 0 ? DROPS_HIGH : 0;
}

static int syns_top(const struct slots *slots)
{
	return DROPS_TOP + drops_high(slots) + 8;
}

static double x_of(const struct slots *slots, size_t i)
{
	return LEFT + (double)(WIDTH - LEFT - RIGHT) * (double)i / (double)slots->count;
}

static double part(uint64_t count, uint64_t most)
{
	return most > 0 ? (double)count / (double)most : 0;
}

static void put_scale(const struct slots *slots, FILE *out)
{
	const double most = (double)slots->most_drops, step = html_step(most, 4);
	char text[FORMAT_COUNT];
	double at;

	for (at = 0; most > 0 && at <= most; at += step) {
		const double y = DROPS_TOP + drops_high(slots) * (1 - at / most);

		fprintf(out,
			"<path class=\"grid\" d=\"M%d %.1fH%d\"/><text class=\"e\" x=\"%d\" "
			"y=\"%.1f\">%s</text>\n",
			LEFT, y, WIDTH - RIGHT, LEFT - 8, y + 4, format_count((uint64_t)at, text));
	}
	fprintf(out,
		"<path class=\"grid\" d=\"M%d %dH%d\"/><text class=\"e\" x=\"%d\" "
		"y=\"%d\">%s</text>\n",
		LEFT, syns_top(slots) + SYNS_HIGH, WIDTH - RIGHT, LEFT - 8,
		syns_top(slots) + SYNS_HIGH + 4, format_count(slots->most_syns, text));
	fprintf(out,
		"<text class=\"strong\" x=\"%d\" y=\"14\">%s</text>"
		"<text class=\"e\" x=\"%d\" y=\"%d\">SYNs</text>\n",
		LEFT, slots->most_drops > 0 ? "SYNs dropped" : "No SYN dropped", LEFT - 8,
		syns_top(slots) + 14);
}

static void put_slot(const struct slots *slots, size_t i, bool dated, FILE *out)
{
	const struct report_minute *slot = &slots->slot[i];
	const double x = x_of(slots, i), wide = x_of(slots, i + 1) - x;
	const double gap = wide > 4 ? 1 : wide / 5;
	const double drops = drops_high(slots) * part(slot->drop_syns, slots->most_drops);
	const double syns = SYNS_HIGH * part(slot->syns, slots->most_syns);
	struct format f = { .next = 0 };

	if (slot->syns > 0)
		fprintf(out,
			"<rect class=\"syns\" x=\"%.1f\" y=\"%d\" width=\"%.2f\" "
			"height=\"%.1f\"/>",
			x, syns_top(slots), wide - gap, syns);
	if (slot->drop_syns > 0)
		fprintf(out,
			"<rect class=\"drops\" x=\"%.1f\" y=\"%.1f\" width=\"%.2f\" "
			"height=\"%.1f\"/>",
			x, DROPS_TOP + drops_high(slots) - drops, wide - gap, drops);
	fprintf(out,
		"<rect class=\"hit\" x=\"%.1f\" y=\"%d\" width=\"%.2f\" height=\"%d\">"
		"<title>%s, %s\n%s of %s SYNs dropped (%s)\n%s connections refused</title>"
		"</rect>\n",
		x, DROPS_TOP, wide, syns_top(slots) + SYNS_HIGH - DROPS_TOP,
		plot_time_text(slot->start_ns, slots->slot_ns, dated, format_in(&f)),
		format_duration(slots->slot_ns, format_in(&f)),
		format_count(slot->drop_syns, format_in(&f)),
		format_count(slot->syns, format_in(&f)),
		format_share(slot->drop_syns, slot->syns, format_in(&f)),
		format_count(slot->drop_connections, format_in(&f)));
}

static void put_times(const struct slots *slots, bool dated, FILE *out)
{
	const uint64_t from = slots->slot[0].start_ns, span = slots->count * slots->slot_ns;
	const uint64_t step = plot_time_step(span, dated ? 8 : 12);
	char text[64];
	uint64_t at;

	for (at = plot_time_first(from, step); at < from + span; at += step) {
		const double x =
			LEFT + (double)(WIDTH - LEFT - RIGHT) * (double)(at - from) / (double)span;

		fprintf(out,
			"<path class=\"axis\" d=\"M%.1f %dv5\"/><text class=\"m\" x=\"%.1f\" "
			"y=\"%d\">%s</text>\n",
			x, syns_top(slots) + SYNS_HIGH, x, syns_top(slots) + SYNS_HIGH + 20,
			plot_time_text(at, step, dated, text));
	}
}

/* A mark over the slot that holds the worst minute. */
static void put_worst(const struct report *r, const struct slots *slots, FILE *out)
{
	const struct report_minute *worst = &r->minutes[r->worst_minute];
	const double x = (x_of(slots, slots->worst) + x_of(slots, slots->worst + 1)) / 2;
	const double y = DROPS_TOP +
			 drops_high(slots) *
				 (1 - part(slots->slot[slots->worst].drop_syns, slots->most_drops));
	const bool right = x > WIDTH * 0.6;
	struct format f = { .next = 0 };

	fprintf(out,
		"<path class=\"drops\" d=\"M%.1f %.1fl-5-8h10z\"/><text class=\"red%s\" "
		"x=\"%.1f\" y=\"%.1f\">worst %s: %s, %s of %s SYNs dropped</text>\n",
		x, y - 3, right ? " e" : "", right ? x - 10 : x + 10, y - 5,
		plot_time_minute(r, format_in(&f)),
		plot_time_text(worst->start_ns, 60 * NS_PER_SECOND,
			       format_dated(r->first_ns, r->last_ns), format_in(&f)),
		format_count(worst->drop_syns, format_in(&f)),
		format_count(worst->syns, format_in(&f)));
}

void html_timeline(const struct report *r, FILE *out)
{
	const bool dated = format_dated(r->first_ns, r->last_ns);
	char note[128], text[FORMAT_DURATION];
	struct slots slots;
	size_t i;

	slots_make(&slots, r, SLOTS_MOST);
	if (slots.count == 0)
		return;
	snprintf(note, sizeof(note),
		 "A bar is %s; times are UTC. All SYNs hang below the line, in a "
		 "scale of their own.",
		 format_duration(slots.slot_ns, text));
	html_open("time", "Over time", note, out);
	fprintf(out,
		"<div class=\"scroll wide\"><svg viewBox=\"0 0 %d %d\" role=\"img\" "
		"aria-label=\"Dropped SYNs over time\">\n",
		WIDTH, syns_top(&slots) + SYNS_HIGH + 24);
	put_scale(&slots, out);
	for (i = 0; i < slots.count; i++)
		put_slot(&slots, i, dated, out);
	put_times(&slots, dated, out);
	if (slots.worst < slots.count)
		put_worst(r, &slots, out);
	fputs("</svg></div>\n", out);
	html_close(out);
}
