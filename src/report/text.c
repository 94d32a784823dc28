/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "../os/clock.h"
#include "format.h"
#include "plot_time.h"
#include "text.h"

/* Rows of the chart over time, and what its longest bar has. */
#define ROWS_MOST 40
#define BAR_MOST  50

#define SERVICES_SHOWN 20

/* What is foreseen, or what is. */
static const char *tense(const struct report *report, const char *would, const char *is)
{
	return report->checking ? is : would;
}

static void put_head(const struct report *r, FILE *out)
{
	struct format f = { .next = 0 };

	format_wrap(out, r->sentence, 0);
	fputc('\n', out);
	if (r->first_ns > 0)
		fprintf(out, "Watched  %s to %s UTC, %s\n", format_date(r->first_ns, format_in(&f)),
			format_date(r->last_ns, format_in(&f)),
			format_duration(r->watched_ns, format_in(&f)));
	fputs("Kernel   ", out);
	format_put(out, r->profile, 0);
	fputs(": ", out);
	format_put(out, r->kernels, 0);
	fputs("; evidence ", out);
	format_put(out, r->evidence, 0);
	fputc('\n', out);
}

static void put_total(const char *name, const char *hit, uint64_t part, uint64_t whole, FILE *out)
{
	struct format f = { .next = 0 };

	fprintf(out, "  %-12s %12s   %-10s %12s   %8s\n", name, format_count(whole, format_in(&f)),
		hit, format_count(part, format_in(&f)), format_share(part, whole, format_in(&f)));
}

static void put_totals(const struct report *r, FILE *out)
{
	fputs("\nIN NUMBERS\n", out);
	put_total("sources", "hit", r->sources_hit, r->source_count, out);
	put_total("connections", "refused", r->drop_connections, r->connections, out);
	put_total("SYNs", "dropped", r->drop_syns, r->syns, out);
}

static void put_unseen(const struct report *r, FILE *out)
{
	size_t i;

	if (r->unseen == NULL || r->unseen[0] == NULL)
		return;
	fputs("\nWHAT WAS NOT SEEN\n", out);
	for (i = 0; r->unseen[i] != NULL; i++) {
		fputs("  - ", out);
		format_wrap(out, r->unseen[i], 4);
	}
}

static void put_advice(const struct report *r, FILE *out)
{
	size_t i;

	if (r->advice_count > 0)
		fputs("\nWHAT TO DO\n", out);
	for (i = 0; i < r->advice_count; i++) {
		fprintf(out, "  %zu. ", i + 1);
		format_wrap(out, r->advice[i].what, 5);
		fputs("     why:         ", out);
		format_wrap(out, r->advice[i].why, 18);
		fputs("     side effect: ", out);
		format_wrap(out, r->advice[i].side_effect, 18);
	}
}

static void put_bar(char mark, uint64_t part, uint64_t whole, unsigned int most, FILE *out)
{
	unsigned int i, n = whole > 0 ? (unsigned int)(part * most / whole) : 0;

	if (part > 0 && n == 0)
		n = 1;
	if (n > 0)
		fputs("  ", out);
	for (i = 0; i < n; i++)
		fputc(mark, out);
}

static void put_felt(const char *name, const struct report_felt *felt, FILE *out)
{
	const uint64_t decided = format_decided(felt);
	struct format f = { .next = 0 };
	char label[32];
	size_t i;

	fprintf(out, "\n  %s\n", name);
	for (i = 0; i < felt->retries; i++) {
		f.next = 0;
		snprintf(label, sizeof(label), "after %u s", felt->at[i]);
		fprintf(out, "    %-22s %10s  %8s", label,
			format_count(felt->connections[i], format_in(&f)),
			format_share(felt->connections[i], decided, format_in(&f)));
		put_bar('#', felt->connections[i], decided, BAR_MOST, out);
		fputc('\n', out);
	}
	snprintf(label, sizeof(label), "timed out after %u s", felt->gives_up);
	fprintf(out, "    %-22s %10s  %8s", label, format_count(felt->timed_out, format_in(&f)),
		format_share(felt->timed_out, decided, format_in(&f)));
	put_bar('#', felt->timed_out, decided, BAR_MOST, out);
	fputc('\n', out);
	if (felt->open > 0)
		fprintf(out, "    %-22s %10s  the watch ended before\n", "not known",
			format_count(felt->open, format_in(&f)));
	fprintf(out, "    %-22s %10s\n", "median",
		format_duration((uint64_t)(felt->median * (double)NS_PER_SECOND), format_in(&f)));
}

static void put_feelings(const struct report *r, FILE *out)
{
	if (r->drop_connections == 0)
		return;
	fprintf(out, "\nWHAT PEOPLE %s\n", tense(r, "WOULD HAVE FELT", "FELT"));
	fprintf(out, "  No answer, and no error: the client sends its SYN again, and waits. The "
		     "connection came\n");
	put_felt("with Linux up to 6.4, and most other systems", &r->felt[REPORT_CLASSIC], out);
	put_felt("with Linux 6.5 and later", &r->felt[REPORT_LINEAR], out);
}

static void put_services(const struct report *r, FILE *out)
{
	const size_t shown = r->service_count < SERVICES_SHOWN ? r->service_count : SERVICES_SHOWN;
	struct format f = { .next = 0 };
	size_t i, width = strlen("server and port");

	for (i = 0; i < shown; i++) {
		const struct report_service *s = &r->services[i];
		const size_t n =
			strlen(format_endpoint(s->ip_version, s->address, s->port, format_in(&f)));

		if (n > width)
			width = n;
	}
	if (shown == 0)
		return;
	fprintf(out, "\nSERVERS\n  %-*s  %11s %11s %8s  %11s %11s\n", (int)width, "server and port",
		"connections", "refused", "share", "SYNs", "dropped");
	for (i = 0; i < shown; i++) {
		const struct report_service *s = &r->services[i];

		fprintf(out, "  %-*s  %11s %11s %8s  %11s %11s\n", (int)width,
			format_endpoint(s->ip_version, s->address, s->port, format_in(&f)),
			format_count(s->connections, format_in(&f)),
			format_count(s->drop_connections, format_in(&f)),
			format_share(s->drop_connections, s->connections, format_in(&f)),
			format_count(s->syns, format_in(&f)),
			format_count(s->drop_syns, format_in(&f)));
	}
	if (r->service_count > shown)
		fprintf(out, "  and %zu more\n", r->service_count - shown);
}

static void put_slot(const struct report *r, const struct slots *slots, size_t i, FILE *out)
{
	const struct report_minute *slot = &slots->slot[i];
	struct format f = { .next = 0 };

	fprintf(out, "  %-11s  %10s %9s %8s",
		plot_time_text(slot->start_ns, slots->slot_ns,
			       format_dated(r->first_ns, r->last_ns), format_in(&f)),
		format_count(slot->syns, format_in(&f)),
		format_count(slot->drop_syns, format_in(&f)),
		format_share(slot->drop_syns, slot->syns, format_in(&f)));
	put_bar('#', slot->drop_syns, slots->most_drops, BAR_MOST, out);
	if (i == slots->worst)
		fprintf(out, " <- worst");
	fputc('\n', out);
}

static void put_minutes(const struct report *r, FILE *out)
{
	struct format f = { .next = 0 };
	struct slots slots;
	size_t i;

	slots_make(&slots, r, ROWS_MOST);
	if (slots.count == 0 || r->drop_syns == 0)
		return;
	fprintf(out, "\nOVER TIME (a row is %s; UTC)\n",
		format_duration(slots.slot_ns, format_in(&f)));
	fprintf(out, "  %-11s  %10s %9s %8s\n", "from", "SYNs", "dropped", "share");
	for (i = 0; i < slots.count; i++)
		put_slot(r, &slots, i, out);
	if (r->worst_minute < r->minute_count) {
		const struct report_minute *worst = &r->minutes[r->worst_minute];

		fprintf(out, "  The worst %s began at %s: %s of %s SYNs, %s connections.\n",
			plot_time_minute(r, format_in(&f)),
			format_date(worst->start_ns, format_in(&f)),
			format_count(worst->drop_syns, format_in(&f)),
			format_count(worst->syns, format_in(&f)),
			format_count(worst->drop_connections, format_in(&f)));
	}
}

static void put_no_timestamp(const struct report *r, FILE *out)
{
	struct format f = { .next = 0 };

	fprintf(out, "\nSYNS WITHOUT TIMESTAMP\n  %s of %s",
		format_count(r->no_timestamp, format_in(&f)), format_count(r->syns, format_in(&f)));
	if (r->no_timestamp > 0)
		fprintf(out, " (%s)", format_share(r->no_timestamp, r->syns, format_in(&f)));
	fputs(".\n  RHEL 7 and Linux 3.17 to 4.11 drop these too while they remember the source; "
	      "others never do.\n",
	      out);
}

static size_t variant_width(const struct report *r)
{
	size_t i, width = strlen("what if");

	for (i = 0; i < r->variant_count; i++) {
		if (strlen(r->variants[i].name) > width)
			width = strlen(r->variants[i].name);
	}
	return width < 40 ? width : 40;
}

static void put_variants(const struct report *r, FILE *out)
{
	const size_t width = variant_width(r);
	size_t i;

	if (r->variant_count == 0)
		return;
	fprintf(out, "\nWHAT IF\n  %-*s  %11s %8s  %11s %11s\n", (int)width, "what if", "refused",
		"share", "dropped", "sources hit");
	for (i = 0; i < r->variant_count; i++) {
		const struct report_variant *v = &r->variants[i];
		struct format f = { .next = 0 };

		fputs("  ", out);
		format_put(out, v->name, width);
		fprintf(out, "  %11s %8s  %11s %11s  ",
			format_count(v->drop_connections, format_in(&f)),
			format_share(v->drop_connections, v->connections, format_in(&f)),
			format_count(v->drop_syns, format_in(&f)),
			format_count(v->sources_hit, format_in(&f)));
		format_put(out, v->note, 0);
		fputc('\n', out);
	}
}

static void put_coverage(const struct report *r, FILE *out)
{
	const struct report_coverage *c = &r->coverage;
	const struct {
		const char *name;
		uint64_t count;
	} rows[] = {
		{ "packets that came", c->offered },
		{ "of these missed, or cut short", c->missed },
		{ "segments of servers among them", c->answers },
		{ "stamps and connections forgotten for want of room", c->evicted },
		{ "sources left out for want of room", c->sources_left_out },
		{ "answers that rest on a guess", c->guesses },
		{ "answers that the server's behaviour contradicts", c->contradicted },
		{ "captures that could not be read to the end", c->capture_errors },
	};
	struct format f = { .next = 0 };
	size_t i;

	fprintf(out, "\nWHAT THE ANSWER RESTS ON\n  %-52s %14s\n", "packets that were looked at",
		format_percent(c->percent, format_in(&f)));
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		fprintf(out, "  %-52s %14s\n", rows[i].name,
			format_count(rows[i].count, format_in(&f)));
}

bool report_text(const struct report *report, FILE *out)
{
	put_head(report, out);
	put_totals(report, out);
	put_unseen(report, out);
	put_advice(report, out);
	put_feelings(report, out);
	text_sources(report, out);
	text_clocks(report, out);
	put_services(report, out);
	put_minutes(report, out);
	put_no_timestamp(report, out);
	put_variants(report, out);
	put_coverage(report, out);
	return format_done(out);
}
