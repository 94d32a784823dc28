/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "../os/clock.h"
#include "html_parts.h"
#include "plot_bands.h"
#include "plot_lines.h"
#include "plot_time.h"

#define WIDTH	960
#define LEFT	104
#define RIGHT	96
#define TOP	28
#define BOTTOM	26
#define CUT	20 /* between two bands */
#define COLOURS 8
#define CIRCLE	4294967296.0

/* A chart on its way. */
struct chart {
	const struct report_source *source;
	struct bands bands;
	double high; /* of a band */
	FILE *out;
};

static double x_of(const struct chart *c, uint64_t ns)
{
	const double span = (double)(c->bands.to_ns - c->bands.from_ns);

	return LEFT + (WIDTH - LEFT - RIGHT) * (double)(int64_t)(ns - c->bands.from_ns) / span;
}

static double y_of(const struct chart *c, size_t band, double height)
{
	const double row = (double)(c->bands.count - 1 - band);

	return TOP + row * (c->high + CUT) + c->high * (1 - height);
}

static double bottom_of(const struct chart *c)
{
	return y_of(c, 0, 0);
}

static bool is_inside(const struct chart *c, uint64_t ns)
{
	return ns >= c->bands.from_ns && ns <= c->bands.to_ns;
}

/* The more bands, the lower each of them. */
static double band_height(size_t count)
{
	static const double heights[] = { 210, 126, 98, 84, 72, 64, 58, 54 };

	return count <= sizeof(heights) / sizeof(heights[0]) ? heights[count - 1] : 46;
}

static void put_ticks(const struct chart *c, size_t band)
{
	const unsigned int marks = c->high > 150 ? 6 : c->high > 70 ? 5 : 3;
	const double step = html_step(c->bands.ticks, marks);
	const double low = bands_tsval(&c->bands, band, 0);
	double at = (double)(int64_t)(low / step + 1) * step;
	char text[FORMAT_COUNT];

	for (; at < low + c->bands.ticks; at += step) {
		double y;

		if (at >= CIRCLE && at < CIRCLE + step)
			at = CIRCLE;
		y = y_of(c, band, (at - low) / c->bands.ticks);
		fprintf(c->out,
			"<path class=\"grid\" d=\"M%d %.1fH%d\"/><text class=\"e\" "
			"x=\"%d\" y=\"%.1f\">%s</text>\n",
			LEFT, y, WIDTH - RIGHT, LEFT - 8, y + 4,
			format_ticks((uint32_t)(int64_t)at, step, text));
	}
}

static void put_band(const struct chart *c, size_t band)
{
	const double top = y_of(c, band, 1);
	double gap;
	char text[FORMAT_COUNT];

	fprintf(c->out,
		"<rect class=\"bandbg\" x=\"%d\" y=\"%.1f\" width=\"%d\" height=\"%.1f\"/>"
		"<path class=\"axis\" d=\"M%d %.1fv%.1f\"/>\n",
		LEFT, top, WIDTH - LEFT - RIGHT, c->high, LEFT, top, c->high);
	put_ticks(c, band);
	if (band + 1 == c->bands.count)
		return;
	gap = c->bands.low[band + 1] - c->bands.low[band] - c->bands.ticks;
	fprintf(c->out,
		"<path class=\"zig\" d=\"M%d %.1fl5-3-10-5 10-5-5-3\"/><text class=\"cut\" "
		"x=\"%d\" y=\"%.1f\">%s ticks left out</text>\n",
		LEFT, top - 2, LEFT + 12, top - 6,
		format_ticks(gap > 0 ? (uint32_t)gap : 0, 10000, text));
}

static void put_times(const struct chart *c, bool dated)
{
	const uint64_t step = plot_time_step(c->bands.to_ns - c->bands.from_ns, dated ? 8 : 10);
	char text[64];
	uint64_t at;

	for (at = plot_time_first(c->bands.from_ns, step); at <= c->bands.to_ns; at += step)
		fprintf(c->out,
			"<path class=\"axis\" d=\"M%.1f %.1fv5\"/><text class=\"m\" "
			"x=\"%.1f\" y=\"%.1f\">%s</text>\n",
			x_of(c, at), bottom_of(c), x_of(c, at), bottom_of(c) + 19,
			plot_time_text(at, step, dated, text));
	fprintf(c->out,
		"<text class=\"e\" x=\"%d\" y=\"12\">TSval</text><text x=\"%d\" "
		"y=\"%.1f\">UTC</text>\n",
		LEFT - 8, WIDTH - RIGHT + 38, bottom_of(c) + 19);
}

static void put_clocks(const struct chart *c)
{
	struct bands_line line;
	size_t i;

	for (i = 0; i < c->source->verdict.clock_count; i++) {
		if (!bands_line(&c->bands, c->source, i, &line))
			continue;
		fprintf(c->out,
			"<path class=\"k c%zu\" d=\"M%.1f %.1fL%.1f %.1f\"/><text "
			"class=\"name c%zu\" x=\"%.1f\" y=\"%.1f\">clock %zu</text>\n",
			i % COLOURS, x_of(c, line.from_ns), y_of(c, line.band, line.from),
			x_of(c, line.to_ns), y_of(c, line.band, line.to), i % COLOURS,
			x_of(c, line.to_ns) + 7, y_of(c, line.band, line.to) + 4, i + 1);
	}
}

/* Along each stamp; with `jumps`, from each one to the next where that took over at once. */
static void put_stamps(const struct chart *c, bool jumps)
{
	struct lines_stamp stamps[CLOCKS_SAMPLES];
	size_t i, band, n = lines_stamps(c->source, stamps);
	double height, y, last_y = 0;
	uint64_t end_ns = 0;

	fprintf(c->out, "<path class=\"%s\" d=\"M0 0", jumps ? "jump" : "stamp");
	for (i = 0; i < n; i++) {
		const struct lines_stamp *s = &stamps[i];

		if (!is_inside(c, s->from_ns) || !is_inside(c, s->to_ns) ||
		    !bands_find(&c->bands, s->tsval, &band, &height))
			continue;
		y = y_of(c, band, height);
		if (!jumps)
			fprintf(c->out, "M%.1f %.1fH%.1f", x_of(c, s->from_ns), y,
				x_of(c, s->to_ns));
		else if (s->from_ns == end_ns)
			fprintf(c->out, "M%.1f %.1fV%.1f", x_of(c, s->from_ns), last_y, y);
		end_ns = s->to_ns;
		last_y = y;
	}
	fputs("\"/>\n", c->out);
}

static void put_title(const struct chart *c, const struct clocks_sample *s, uint8_t clock,
		      bool checking)
{
	struct format f = { .next = 0 };

	fprintf(c->out, "<title>%s.%03u, port %u\nTSval %s",
		format_clock(s->time_ns, false, format_in(&f)),
		(unsigned int)(s->time_ns % NS_PER_SECOND / 1000000), s->source_port,
		format_count(s->tsval, format_in(&f)));
	if (clock < CLOCKS_MOST)
		fprintf(c->out, ", clock %u", clock + 1U);
	if (s->dropped)
		fprintf(c->out, checking ? "\ndropped" : "\nwould be dropped");
	if (s->dropped && s->recorded) {
		const uint8_t owner = lines_owner(c->source, s->recorded_tsval, s->recorded_at);

		fprintf(c->out, ": %s behind the stamp",
			format_count(s->recorded_tsval - s->tsval, format_in(&f)));
		if (owner != CLOCKS_NO_CLOCK)
			fprintf(c->out, " of clock %u", owner + 1U);
	}
	fputs("</title>", c->out);
}

static void put_samples(const struct chart *c, bool dropped, bool checking)
{
	double height;
	size_t i, band;

	for (i = 0; i < lines_samples(c->source); i++) {
		const struct clocks_sample *s = &c->source->samples[i];
		const uint8_t clock = c->source->verdict.clock_of[i];
		char colour[4] = "n";

		if (!s->has_timestamp || s->dropped != dropped || !is_inside(c, s->time_ns) ||
		    !bands_find(&c->bands, s->tsval, &band, &height))
			continue;
		if (clock < CLOCKS_MOST)
			snprintf(colour, sizeof(colour), "%u", clock % COLOURS);
		fprintf(c->out, "<g class=\"s c%s%s\">", colour, dropped ? " x" : "");
		put_title(c, s, clock, checking);
		fprintf(c->out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%s\"/>", x_of(c, s->time_ns),
			y_of(c, band, height), dropped ? "2.4" : "3.4");
		if (dropped)
			fprintf(c->out, "<path d=\"M%.1f %.1fl8 8m0-8l-8 8\"/>",
				x_of(c, s->time_ns) - 4, y_of(c, band, height) - 4);
		fputs("</g>\n", c->out);
	}
}

static void put_mark(const struct chart *c, const struct html_window *window)
{
	if (window->mark_ns == 0)
		return;
	fprintf(c->out,
		"<rect class=\"zoom\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%.1f\"/>\n",
		x_of(c, window->mark_ns) - 1, TOP - 4,
		x_of(c, window->mark_end_ns) - x_of(c, window->mark_ns) + 2,
		bottom_of(c) - TOP + 8);
}

void html_chart(const struct report *report, const struct report_source *source,
		const struct html_window *window, FILE *out)
{
	struct chart c = { .source = source, .out = out };
	size_t i;

	if (!bands_make(&c.bands, source, window->from_ns, window->to_ns))
		return;
	c.high = band_height(c.bands.count);
	fprintf(out,
		"<div class=\"scroll wide\"><svg viewBox=\"0 0 %d %.0f\" role=\"img\" "
		"aria-label=\"TSval against time\">\n",
		WIDTH, bottom_of(&c) + BOTTOM);
	for (i = 0; i < c.bands.count; i++)
		put_band(&c, i);
	put_mark(&c, window);
	put_times(&c, format_dated(window->from_ns, window->to_ns));
	put_clocks(&c);
	put_stamps(&c, true);
	put_stamps(&c, false);
	put_samples(&c, false, report->checking);
	put_samples(&c, true, report->checking);
	fputs("</svg></div>\n", out);
}
