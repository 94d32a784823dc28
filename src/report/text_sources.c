/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "format.h"
#include "plot_lines.h"
#include "text.h"

/* Sources whose clocks are told one by one. */
#define CLOCK_TABLES 8

static size_t address_width(const struct report *report)
{
	size_t i, width = strlen("source");
	char text[FORMAT_ADDRESS];

	for (i = 0; i < report->sources_shown; i++) {
		const size_t n = strlen(format_address(report->sources[i].ip_version,
						       report->sources[i].address, text));

		if (n > width)
			width = n;
	}
	return width;
}

static void put_range(const char *what, uint64_t first_ns, uint64_t last_ns, bool dated, FILE *out)
{
	struct format f = { .next = 0 };

	if (first_ns > 0)
		fprintf(out, "; %s %s to %s", what, format_clock(first_ns, dated, format_in(&f)),
			format_clock(last_ns, dated, format_in(&f)));
}

static void put_why(const struct report_source *s, bool dated, FILE *out)
{
	struct format f = { .next = 0 };
	const struct clocks_verdict *v = &s->verdict;

	fprintf(out, "    %s%s", clocks_why_text(v->why), v->sure ? "" : " (not sure)");
	if (v->machines > 1)
		fprintf(out, ", at least %zu machines", v->machines);
	if (s->guesses > 0)
		fprintf(out, ", %s drops rest on a guess", format_count(s->guesses, format_in(&f)));
	if (s->no_timestamp > 0)
		fprintf(out, ", %s SYNs without timestamp",
			format_count(s->no_timestamp, format_in(&f)));
	put_range("seen", s->first_ns, s->last_ns, dated, out);
	put_range("dropped", s->first_drop_ns, s->last_drop_ns, dated, out);
	fputc('\n', out);
}

static void put_source(const struct report_source *s, size_t width, bool dated, FILE *out)
{
	struct format f = { .next = 0 };

	fprintf(out, "  %-*s  %11s %9s %8s %11s %9s %11s\n", (int)width,
		format_address(s->ip_version, s->address, format_in(&f)),
		format_count(s->connections, format_in(&f)),
		format_count(s->drop_connections, format_in(&f)),
		format_share(s->drop_connections, s->connections, format_in(&f)),
		format_count(s->syns, format_in(&f)), format_count(s->drop_syns, format_in(&f)),
		s->longest_ns > 0 ? format_duration(s->longest_ns, format_in(&f)) : "-");
	put_why(s, dated, out);
}

void text_sources(const struct report *report, FILE *out)
{
	const bool dated = format_dated(report->first_ns, report->last_ns);
	const size_t width = address_width(report);
	size_t i;

	if (report->sources_shown == 0)
		return;
	fputs(report->sources_hit > 0 ? "\nWORST SOURCES\n" : "\nSOURCES\n", out);
	fprintf(out, "  %-*s  %11s %9s %8s %11s %9s %11s\n", (int)width, "source", "connections",
		"refused", "share", "SYNs", "dropped", "longest");
	for (i = 0; i < report->sources_shown; i++)
		put_source(&report->sources[i], width, dated, out);
	fprintf(out,
		"  longest: from the first to the last drop of a run, less than a minute between them. Times are UTC.\n");
}

static void put_clock(const struct report_source *s, size_t i, const struct lines_lockouts *by,
		      FILE *out)
{
	const struct clocks_clock *c = &s->verdict.clocks[i];
	struct format f = { .next = 0 };
	char rate[32];
	uint32_t times;
	const size_t worst = lines_worst_lockout(by, i, &times);

	snprintf(rate, sizeof(rate), "%s%.0f/s", c->measured ? "" : "some ", c->hz);
	fprintf(out, "  %-5zu  %11s  %14s  %8zu  %11zu  %8zu %8s", i + 1, rate,
		format_count(c->offset, format_in(&f)), c->samples, c->connections, c->dropped,
		format_share(c->dropped, c->samples, format_in(&f)));
	if (worst < CLOCKS_MOST)
		fprintf(out, "  clock %zu, %u times", worst + 1, times);
	fputc('\n', out);
}

static void put_clocks(const struct report *report, const struct report_source *s, FILE *out)
{
	struct lines_lockouts by;
	struct format f = { .next = 0 };
	size_t i;

	lines_lockouts(s, &by);
	if (s->verdict.why == CLOCKS_SEVERAL)
		fprintf(out, "\nHOW THE MACHINES BEHIND %s %s EACH OTHER OUT\n",
			format_address(s->ip_version, s->address, format_in(&f)),
			report->checking ? "LOCKED" : "WOULD HAVE LOCKED");
	else
		fprintf(out, "\nTHE CLOCKS OF %s\n",
			format_address(s->ip_version, s->address, format_in(&f)));
	fprintf(out,
		"  %zu clocks, told apart by %s of %s SYNs. The machine whose clock is ahead "
		"locks the others out.\n",
		s->verdict.clock_count, format_count(lines_samples(s), format_in(&f)),
		format_count(lines_samples(s) + s->samples_left_out, format_in(&f)));
	fprintf(out, "  %-5s  %11s  %14s  %8s  %11s  %8s %8s  %s\n", "clock", "ticks",
		"TSval at start", "samples", "connections", "dropped", "share",
		"mostly because of");
	for (i = 0; i < s->verdict.clock_count; i++)
		put_clock(s, i, &by, out);
}

void text_clocks(const struct report *report, FILE *out)
{
	size_t i, tables = 0;

	for (i = 0; i < report->sources_shown && tables < CLOCK_TABLES; i++) {
		const struct report_source *s = &report->sources[i];

		if (s->verdict.clock_count < 2 || s->drop_syns == 0 || s->sample_count == 0)
			continue;
		put_clocks(report, s, out);
		tables++;
	}
}
