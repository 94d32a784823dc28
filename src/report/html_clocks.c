/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "../os/clock.h"
#include "html_parts.h"
#include "plot_lines.h"

/* A source that was watched for longer gets a second chart, of a part of it. */
#define ZOOM_FROM_NS (600 * NS_PER_SECOND)
/* What that part has to show. */
#define ZOOM_SAMPLES 8
#define ZOOM_DROPS   2

static const char key[] =
	"<ul class=\"key\">"
	"<li><svg viewBox=\"0 0 26 14\" class=\"c0\"><g class=\"s c0\"><circle cx=\"13\" cy=\"7\" "
	"r=\"3.6\"/></g></svg>SYN</li>"
	"<li><svg viewBox=\"0 0 26 14\"><g class=\"s x c0\"><circle cx=\"13\" cy=\"7\" r=\"2.4\"/>"
	"<path d=\"M9 3l8 8m0-8l-8 8\"/></g></svg>SYN dropped</li>"
	"<li><svg viewBox=\"0 0 26 14\"><path class=\"k c0\" d=\"M1 12L25 2\"/></svg>"
	"a machine's clock</li>"
	"<li><svg viewBox=\"0 0 26 14\"><path class=\"stamp\" d=\"M1 11h9V4h15\"/></svg>"
	"the stamp kept of this address</li></ul>\n";

/* Count what lies in a window; the drops in it. */
static size_t count_in(const struct report_source *s, uint64_t from_ns, uint64_t to_ns,
		       size_t *drops)
{
	size_t i, n = 0;

	*drops = 0;
	for (i = 0; i < lines_samples(s); i++) {
		if (s->samples[i].time_ns < from_ns || s->samples[i].time_ns > to_ns ||
		    !s->samples[i].has_timestamp)
			continue;
		n++;
		*drops += s->samples[i].dropped;
	}
	return n;
}

/* The part of `length_ns` with the most drops; false if there is nothing to see in it. */
static bool find_zoom(const struct report_source *s, uint64_t length_ns, struct html_window *zoom)
{
	size_t i, n, drops, most = 0;

	for (i = 0; i < lines_samples(s); i++) {
		const uint64_t from = s->samples[i].time_ns - length_ns / 20;

		n = count_in(s, from, from + length_ns, &drops);
		if (n < ZOOM_SAMPLES || drops < ZOOM_DROPS || drops <= most)
			continue;
		most = drops;
		zoom->from_ns = from;
		zoom->to_ns = from + length_ns;
	}
	return most > 0;
}

static void put_charts(const struct report *r, const struct report_source *s, FILE *out)
{
	static const uint64_t lengths[] = { 120, 300, 900, 3600 };
	struct html_window all = { s->first_ns, s->last_ns, 0, 0 }, zoom = { 0, 0, 0, 0 };
	struct format f = { .next = 0 };
	bool found = false;
	size_t i;

	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]) && !found; i++)
		found = s->last_ns - s->first_ns >= ZOOM_FROM_NS &&
			lengths[i] * NS_PER_SECOND * 3 < s->last_ns - s->first_ns &&
			find_zoom(s, lengths[i] * NS_PER_SECOND, &zoom);
	all.mark_ns = zoom.from_ns;
	all.mark_end_ns = zoom.to_ns;
	fputs("<figure>\n", out);
	html_chart(r, s, &all, out);
	fputs("</figure>\n", out);
	if (!found)
		return;
	fprintf(out,
		"<figure><figcaption>%s of it, where it is shaded above, from %s</figcaption>\n",
		format_duration(zoom.to_ns - zoom.from_ns, format_in(&f)),
		format_date(zoom.from_ns, format_in(&f)));
	html_chart(r, s, &zoom, out);
	fputs("</figure>\n", out);
}

static void put_clock(const struct report_source *s, size_t i, const struct lines_lockouts *by,
		      FILE *out)
{
	const struct clocks_clock *c = &s->verdict.clocks[i];
	struct format f = { .next = 0 };
	char text[160];
	uint32_t times;
	const size_t worst = lines_worst_lockout(by, i, &times);

	fprintf(out,
		"<tr><td data-l=\"Clock\"><span><span class=\"dot c%zu\"></span>clock %zu"
		"</span></td>",
		i % 8, i + 1);
	snprintf(text, sizeof(text), "%s%s/s", c->measured ? "" : "some ",
		 format_count((uint64_t)(c->hz + 0.5), format_in(&f)));
	html_cell("Ticks", text, out);
	html_cell("TSval at start", format_count(c->offset, format_in(&f)), out);
	html_cell("SYNs sampled", format_count(c->samples, format_in(&f)), out);
	html_cell("Connections", format_count(c->connections, format_in(&f)), out);
	snprintf(text, sizeof(text), "%s (%s)", format_count(c->dropped, format_in(&f)),
		 format_share(c->dropped, c->samples, format_in(&f)));
	html_bar_cell("Dropped", text, c->dropped, c->samples, out);
	if (worst < CLOCKS_MOST)
		snprintf(text, sizeof(text), "clock %zu, %u times", worst + 1, times);
	html_cell("Mostly because of", worst < CLOCKS_MOST ? text : "-", out);
	fputs("</tr>\n", out);
}

static void put_table(const struct report_source *s, FILE *out)
{
	struct lines_lockouts by;
	size_t i;

	if (s->verdict.clock_count < 2)
		return;
	lines_lockouts(s, &by);
	fputs("<div class=\"scroll\"><table class=\"cards\"><thead><tr><th>Clock</th><th>Ticks</th>"
	      "<th>TSval at start</th><th>SYNs sampled</th><th>Connections</th><th>Dropped</th>"
	      "<th>Mostly because of</th></tr></thead><tbody>\n",
	      out);
	for (i = 0; i < s->verdict.clock_count; i++)
		put_clock(s, i, &by, out);
	fputs("</tbody></table></div>\n", out);
}

static void put_source(const struct report *r, const struct report_source *s, FILE *out)
{
	struct format f = { .next = 0 };

	fputs("<article class=\"source\">\n<header><h3 class=\"mono\">", out);
	html_text(format_address(s->ip_version, s->address, format_in(&f)), out);
	fprintf(out, "</h3><span class=\"tag%s\">", s->drop_syns > 0 ? " hit" : "");
	html_text(clocks_why_text(s->verdict.why), out);
	fputs(s->verdict.sure ? "</span><p>" : " (not sure)</span><p>", out);
	fprintf(out, "%s of %s connections %s refused; ",
		format_count(s->drop_connections, format_in(&f)),
		format_count(s->connections, format_in(&f)),
		r->checking ? "were" : "would have been");
	if (s->verdict.machines > 1)
		fprintf(out, "at least %zu machines; ", s->verdict.machines);
	fprintf(out, "%s of %s SYNs are shown.</p></header>\n",
		format_count(lines_samples(s), format_in(&f)),
		format_count(lines_samples(s) + s->samples_left_out, format_in(&f)));
	put_charts(r, s, out);
	put_table(s, out);
	fputs("</article>\n", out);
}

static bool has_chart(const struct report_source *s)
{
	return s->sample_count > 0 && (s->drop_syns > 0 || s->verdict.clock_count > 1);
}

void html_clocks(const struct report *r, FILE *out)
{
	size_t i, shown = 0;

	for (i = 0; i < r->sources_shown && shown < HTML_CHARTS; i++) {
		if (!has_chart(&r->sources[i]))
			continue;
		if (shown++ == 0) {
			html_open(
				"clocks", "Why: the clocks behind each address",
				"Every machine stamps its SYNs from a clock of its own, a rising line. "
				"Two lines behind one address are two machines, and dots without a line "
				"are random offsets. The kernel keeps one stamp for the address: what "
				"comes below it within a minute is dropped. Where lines are far apart "
				"the TSval axis is cut; every band shows the same number of ticks, so "
				"clocks of the same rate stay parallel. A higher band is ahead, "
				"also where the numbers have wrapped.",
				out);
			fputs(key, out);
		}
		put_source(r, &r->sources[i], out);
	}
	if (shown > 0)
		html_close(out);
}
