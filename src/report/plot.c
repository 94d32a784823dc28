/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "format.h"
#include "plot.h"
#include "plot_bands.h"
#include "plot_lines.h"
#include "plot_time.h"

#define COLUMNS_LEAST 60
#define COLUMNS_MOST  400
#define ROWS_LEAST    16
#define ROWS_MOST     200

#define LABEL  13 /* columns left of the picture */
#define LEGEND 5  /* rows below it */

#define LINE	 '.'
#define STAMP	 '_'
#define DROPPED	 'X'
#define NO_CLOCK 'o'

struct canvas {
	size_t columns, rows, band_rows;
	struct bands bands;
	char cell[ROWS_MOST][COLUMNS_MOST + 1]; /* the lowest row first */
};

static size_t clamp(unsigned int value, unsigned int least, unsigned int most)
{
	return value < least ? least : value > most ? most : value;
}

/* Clock 1 is '1', clock 10 is 'a'. */
static char clock_mark(uint8_t clock)
{
	return clock < CLOCKS_MOST ? "123456789abcdefg"[clock] : NO_CLOCK;
}

static size_t column_of(const struct canvas *c, uint64_t ns)
{
	const uint64_t span = c->bands.to_ns - c->bands.from_ns;
	const double part = (double)(ns - c->bands.from_ns) / (double)span;

	return (size_t)(part * (double)(c->columns - 1) + 0.5);
}

/* A separator stands between two bands. */
static size_t row_of(const struct canvas *c, size_t band, double height)
{
	return band * (c->band_rows + 1) + (size_t)(height * (double)(c->band_rows - 1) + 0.5);
}

static bool is_inside(const struct canvas *c, uint64_t ns)
{
	return ns >= c->bands.from_ns && ns <= c->bands.to_ns;
}

static void draw_lines(struct canvas *c, const struct report_source *s)
{
	struct bands_line line;
	size_t i, x;

	for (i = 0; i < s->verdict.clock_count; i++) {
		if (!bands_line(&c->bands, s, i, &line))
			continue;
		for (x = column_of(c, line.from_ns); x <= column_of(c, line.to_ns); x++) {
			const double from = (double)column_of(c, line.from_ns);
			const double to = (double)column_of(c, line.to_ns);
			const double part = to > from ? ((double)x - from) / (to - from) : 0;

			c->cell[row_of(c, line.band, line.from + part * (line.to - line.from))][x] =
				LINE;
		}
	}
}

static void draw_stamps(struct canvas *c, const struct report_source *s)
{
	struct lines_stamp stamps[CLOCKS_SAMPLES];
	size_t i, x, band, n = lines_stamps(s, stamps);
	double height;

	for (i = 0; i < n; i++) {
		if (!is_inside(c, stamps[i].from_ns) || !is_inside(c, stamps[i].to_ns) ||
		    !bands_find(&c->bands, stamps[i].tsval, &band, &height))
			continue;
		for (x = column_of(c, stamps[i].from_ns); x <= column_of(c, stamps[i].to_ns); x++)
			c->cell[row_of(c, band, height)][x] = STAMP;
	}
}

/* Drops come last: they must not be hidden by others. */
static void draw_samples(struct canvas *c, const struct report_source *s, bool dropped)
{
	double height;
	size_t i, band;

	for (i = 0; i < lines_samples(s); i++) {
		const struct clocks_sample *sample = &s->samples[i];

		if (!sample->has_timestamp || sample->dropped != dropped ||
		    !is_inside(c, sample->time_ns) ||
		    !bands_find(&c->bands, sample->tsval, &band, &height))
			continue;
		c->cell[row_of(c, band, height)][column_of(c, sample->time_ns)] =
			dropped ? DROPPED : clock_mark(s->verdict.clock_of[i]);
	}
}

/* Between two bands: how much of the axis is left out. */
static void put_cut(const struct canvas *c, size_t band, FILE *out)
{
	const double gap = c->bands.low[band + 1] - c->bands.low[band] - c->bands.ticks;
	char text[FORMAT_COUNT];
	int used;

	used = fprintf(out, "%*s /~~~ %s ticks left out ", LABEL - 2, "",
		       format_count(gap > 0 ? (uint64_t)gap : 0, text));
	for (; used < (int)(LABEL + c->columns); used++)
		fputc('~', out);
	fputc('\n', out);
}

static void put_row(const struct canvas *c, size_t row, FILE *out)
{
	const size_t band = row / (c->band_rows + 1), in_band = row % (c->band_rows + 1);
	char text[FORMAT_COUNT] = "";
	size_t length = c->columns;

	if (in_band == c->band_rows) {
		put_cut(c, band, out);
		return;
	}
	if (in_band == 0 || in_band == c->band_rows - 1)
		format_ticks(bands_tsval(&c->bands, band, in_band == 0 ? 0 : 1),
			     c->bands.ticks / 10, text);
	while (length > 0 && c->cell[row][length - 1] == ' ')
		length--;
	fprintf(out, "%*s |%.*s\n", LABEL - 2, text, (int)length, c->cell[row]);
}

static void put_axis(const struct canvas *c, FILE *out)
{
	const uint64_t span = c->bands.to_ns - c->bands.from_ns;
	const bool dated = format_dated(c->bands.from_ns, c->bands.to_ns);
	const uint64_t step = plot_time_step(span, (unsigned int)(c->columns / (dated ? 18 : 12)));
	char axis[COLUMNS_MOST + 1], labels[COLUMNS_MOST + 64], text[64];
	uint64_t at;

	memset(axis, '-', c->columns);
	memset(labels, ' ', sizeof(labels));
	axis[c->columns] = '\0';
	for (at = plot_time_first(c->bands.from_ns, step); at <= c->bands.to_ns; at += step) {
		const size_t x = column_of(c, at);

		plot_time_text(at, step, dated, text);
		axis[x] = '+';
		if (x + strlen(text) <= c->columns)
			memcpy(labels + x, text, strlen(text));
	}
	labels[c->columns] = '\0';
	fprintf(out, "%*s +%s\n%*s %s UTC\n", LABEL - 2, "", axis, LABEL - 1, "", labels);
}

static void put_legend(const struct report *r, const struct report_source *s, FILE *out)
{
	struct format f = { .next = 0 };

	fprintf(out, "\n%s: %s%s. %s of %s connections %s refused, the longest time %s.\n",
		format_address(s->ip_version, s->address, format_in(&f)),
		clocks_why_text(s->verdict.why), s->verdict.sure ? "" : " (not sure)",
		format_count(s->drop_connections, format_in(&f)),
		format_count(s->connections, format_in(&f)),
		r->checking ? "were" : "would have been",
		format_duration(s->longest_ns, format_in(&f)));
	fprintf(out,
		"%c a dropped SYN   1-9 a-g a SYN of that clock   %c of none   %c a clock   "
		"%c the stamp kept; below it is dropped\n",
		DROPPED, NO_CLOCK, LINE, STAMP);
}

static void frame(struct canvas *c, unsigned int columns, unsigned int rows)
{
	const size_t high = clamp(rows, ROWS_LEAST, ROWS_MOST) - LEGEND;

	c->columns = clamp(columns, COLUMNS_LEAST, COLUMNS_MOST) - LABEL;
	c->band_rows = (high - (c->bands.count - 1)) / c->bands.count;
	if (high < c->bands.count || c->band_rows < 2)
		c->band_rows = 2;
	c->rows = c->bands.count * (c->band_rows + 1) - 1;
	memset(c->cell, ' ', sizeof(c->cell));
}

bool report_plot(const struct report *report, const struct report_source *source,
		 unsigned int columns, unsigned int rows, FILE *out)
{
	struct canvas c;
	size_t row;

	if (!bands_make(&c.bands, source, source->first_ns, source->last_ns)) {
		fputs("There is no SYN with a timestamp to draw.\n", out);
		return format_done(out);
	}
	frame(&c, columns, rows);
	draw_lines(&c, source);
	draw_stamps(&c, source);
	draw_samples(&c, source, false);
	draw_samples(&c, source, true);
	fprintf(out, "%*s TSval\n", LABEL - 2, "");
	for (row = c.rows; row > 0; row--)
		put_row(&c, row - 1, out);
	put_axis(&c, out);
	put_legend(report, source, out);
	return format_done(out);
}
