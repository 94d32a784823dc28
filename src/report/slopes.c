/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "slopes.h"
#include "tracks.h"

#define DELAYED	 0.5  /* seconds: SYNs that waited in a queue; clocks nearer than that are one */
#define LATE	 3.0  /* seconds: a few SYNs wait that long ... */
#define LATE_FEW 4    /* behind four times as many that do not */
#define BURST	 0.25 /* seconds, or a hundredth of all the time: at once, as browsers connect */
#define SLEWED	 0.01 /* of the time between two pieces of a line, by which it may have moved */

/* A line of two connections is no chance either where few can meet, or if there are more. */
#define FEW_STRAYS 16
#define MANY_PAIRS 3

/* Not every system stamps a SYN anew that it sends again. */
static bool is_stale(const struct tracks_search *search, size_t i)
{
	const uint16_t again = search->slopes->again[i];

	return again != SLOPES_NONE && search->samples[again].tsval == search->samples[i].tsval;
}

static void find_again(struct tracks_search *search, size_t count)
{
	const struct clocks_sample *samples = search->samples;
	size_t i, j;

	for (i = 0; i < count; i++) {
		for (j = i; j-- > 0 && samples[i].has_timestamp;) {
			if (samples[j].has_timestamp &&
			    samples[j].connection == samples[i].connection) {
				search->slopes->again[i] = (uint16_t)j;
				break;
			}
		}
	}
}

static void put_in_order(struct tracks_search *search, size_t count)
{
	const double *at = search->slopes->at;
	size_t i, k;

	for (i = 0; i < count; i++) {
		if (!search->samples[i].has_timestamp || is_stale(search, i))
			continue;
		for (k = search->timed++; k > 0 && at[search->order[k - 1]] > at[i]; k--)
			search->order[k] = search->order[k - 1];
		search->order[k] = (uint16_t)i;
	}
}

struct best {
	size_t rate, track, connections;
	double spread; /* seconds */
};

/* Most connections; in a burst that fits several rates, the rate that it fits clearly better. */
static struct best best_track(const struct tracks_search *search)
{
	struct best best = { .connections = 0 };
	struct track tracks[CLOCKS_SAMPLES];
	size_t rate, t;

	for (rate = 0; rate < search->rates; rate++) {
		tracks_left(search, rate, tracks);
		for (t = 0; t < CLOCKS_SAMPLES && t < search->timed; t++) {
			const double spread = (tracks[t].high - tracks[t].low) / search->hz[rate];

			if (tracks[t].connections < best.connections ||
			    (tracks[t].connections == best.connections &&
			     spread >= 0.7 * best.spread))
				continue;
			best.rate = rate;
			best.track = t;
			best.connections = tracks[t].connections;
			best.spread = spread;
		}
	}
	return best;
}

/* Least squares through the residuals of a line. */
static void fit(const struct tracks_search *search, uint16_t number, struct slopes_line *line)
{
	double n = 0, time = 0, off = 0, squares = 0, products = 0;
	uint16_t first = SLOPES_NONE, i;
	size_t k;

	for (k = 0; k < search->timed; k++) {
		double t, r;

		i = search->order[k];
		if (search->slopes->line_of[i] != number)
			continue;
		if (first == SLOPES_NONE)
			first = i;
		t = search->slopes->at[i] - search->slopes->at[first];
		r = tracks_above(search, line->hz, i, first);
		n++;
		time += t;
		off += r;
		squares += t * t;
		products += t * r;
	}
	line->at = search->slopes->at[first] + time / n;
	line->residual = tracks_residual(search, line->hz, first) + (uint32_t)(int64_t)(off / n);
	squares -= time * time / n;
	line->drift = 0;
	if (squares > 100 && n > 3)
		line->drift = (products - time * off / n) / squares;
	if (tracks_absolute(line->drift) > line->hz * SLEWED)
		line->drift = 0;
}

/* SYNs that waited belong to a line too. Nearness is to what was on it before. */
static void absorb(struct tracks_search *search, uint16_t number, double hz)
{
	bool core[CLOCKS_SAMPLES] = { false };
	uint16_t by = SLOPES_NONE;
	size_t k;

	for (k = 0; k < search->timed; k++)
		core[search->order[k]] = search->slopes->line_of[search->order[k]] == number;
	for (k = 0; k < 2 * search->timed; k++) {
		const uint16_t i = search->order[k < search->timed ? k : 2 * search->timed - 1 - k];

		if (k == search->timed)
			by = SLOPES_NONE;
		if (core[i])
			by = i;
		else if (tracks_is_stray(search, i) && by != SLOPES_NONE &&
			 tracks_is_near(search, hz, DELAYED, i, by))
			search->slopes->line_of[i] = number;
	}
}

static void add_line(struct tracks_search *search, const struct best *best)
{
	const uint16_t number = (uint16_t)search->slopes->line_count++;
	struct slopes_line *line = &search->slopes->line[number];
	size_t k;

	memset(line, 0, sizeof(*line));
	line->hz = search->hz[best->rate];
	for (k = 0; k < search->timed; k++) {
		const uint16_t i = search->order[k];

		if (tracks_is_stray(search, i) && search->track[best->rate][i] == best->track)
			search->slopes->line_of[i] = number;
	}
	fit(search, number, line);
	absorb(search, number, line->hz);
}

static size_t count_strays(const struct tracks_search *search)
{
	size_t k, n = 0;

	for (k = 0; k < search->timed; k++)
		n += tracks_is_stray(search, search->order[k]) &&
		     search->slopes->again[search->order[k]] == SLOPES_NONE;
	return n;
}

/* Take lines of at least so many connections, the longest first. */
static void take_lines(struct tracks_search *search, size_t connections)
{
	struct best best;

	while (search->slopes->line_count < SLOPES_LINES) {
		best = best_track(search);
		if (best.connections < connections)
			return;
		add_line(search, &best);
	}
}

/* Lines of two connections, unless they can be chance: few, among many that lie on none. */
static void take_pairs(struct tracks_search *search)
{
	const size_t strays = count_strays(search), from = search->slopes->line_count;
	size_t i;

	take_lines(search, 2);
	if (strays <= FEW_STRAYS || search->slopes->line_count >= from + MANY_PAIRS)
		return;
	for (i = 0; i < CLOCKS_SAMPLES; i++) {
		if (search->slopes->line_of[i] >= from)
			search->slopes->line_of[i] = SLOPES_NONE;
	}
	search->slopes->line_count = from;
}

/* A stale SYN belongs to where the SYN before it does, at whatever time it comes. */
static void place_stale(struct tracks_search *search, size_t count)
{
	struct slopes *slopes = search->slopes;
	size_t i;

	for (i = 0; i < count; i++) {
		if (!search->samples[i].has_timestamp || !is_stale(search, i))
			continue;
		slopes->line_of[i] = slopes->line_of[slopes->again[i]];
		if (slopes->line_of[i] != SLOPES_NONE)
			slopes->line[slopes->line_of[i]].samples++;
	}
}

static void survey(struct tracks_search *search, size_t number)
{
	struct slopes_line *line = &search->slopes->line[number];
	const double time =
		tracks_apart(search, search->order[0], search->order[search->timed - 1]);
	const double burst = time / 100 < BURST ? time / 100 : BURST;
	size_t k;

	line->samples = 0;
	line->connections = 0;
	line->moments = 0;
	line->several_hosts = false;
	for (k = 0; k < search->timed; k++) {
		const uint16_t i = search->order[k];

		if (search->slopes->line_of[i] != number)
			continue;
		if (line->samples++ == 0) {
			line->first = search->slopes->at[i];
			line->first_residual = tracks_residual(search, line->hz, i);
			line->host = search->samples[i].host;
		}
		if (line->moments == 0 || search->slopes->at[i] - line->last > burst)
			line->moments++;
		line->last = search->slopes->at[i];
		line->last_residual = tracks_residual(search, line->hz, i);
		line->several_hosts |= search->samples[i].host != line->host;
		line->connections += search->slopes->again[i] == SLOPES_NONE;
	}
}

static uint32_t residual_at(const struct slopes_line *line, double at)
{
	return line->residual + (uint32_t)(int64_t)(line->drift * (at - line->at));
}

/* A clock that was slewed much faster than TRACKS_DRIFT comes in pieces that follow on each other.
 */
static bool goes_on(const struct slopes_line *line, const struct slopes_line *next)
{
	const double gap = next->first - line->last;

	return line->hz == next->hz && gap >= 0 &&
	       tracks_absolute(tracks_difference(line->last_residual, next->first_residual)) <=
		       line->hz * (DELAYED + SLEWED * gap);
}

static void rename_line(struct slopes *slopes, size_t from, size_t to)
{
	size_t i;

	for (i = 0; i < CLOCKS_SAMPLES; i++) {
		if (slopes->line_of[i] == from)
			slopes->line_of[i] = (uint16_t)to;
	}
}

static void remove_line(struct slopes *slopes, size_t number)
{
	slopes->line[number] = slopes->line[--slopes->line_count];
	rename_line(slopes, slopes->line_count, number);
}

/* On a busy mobile network a few SYNs take seconds, and some of those seem to be lines of their
 * own. */
static void take_late(struct tracks_search *search)
{
	struct slopes *slopes = search->slopes;
	size_t a, k;

	for (a = 0; a < slopes->line_count; a++) {
		const struct slopes_line *line = &slopes->line[a];

		for (k = 0; k < search->timed; k++) {
			const uint16_t i = search->order[k], other = slopes->line_of[i];
			const size_t few =
				other == SLOPES_NONE ? 1 : slopes->line[other].connections;
			const double ahead =
				slopes_ahead(line, search->samples[i].tsval, slopes->at[i]);

			if (few * LATE_FEW <= line->connections && ahead < 0 &&
			    ahead >= -LATE * line->hz)
				slopes->line_of[i] = (uint16_t)a;
		}
	}
	for (a = slopes->line_count; a-- > 0;) {
		survey(search, a);
		if (slopes->line[a].samples == 0)
			remove_line(slopes, a);
	}
}

static void join_pieces(struct tracks_search *search)
{
	struct slopes *slopes = search->slopes;
	size_t a, b;

	for (a = 0; a < slopes->line_count; a++) {
		for (b = a + 1; b < slopes->line_count;) {
			if (!goes_on(&slopes->line[a], &slopes->line[b]) &&
			    !goes_on(&slopes->line[b], &slopes->line[a])) {
				b++;
				continue;
			}
			rename_line(slopes, b, a);
			remove_line(slopes, b);
			survey(search, a);
			fit(search, (uint16_t)a, &slopes->line[a]);
		}
	}
}

/* Most samples first. */
static void sort_lines(struct slopes *slopes)
{
	size_t a, b;

	for (a = 0; a < slopes->line_count; a++) {
		size_t most = a;

		for (b = a + 1; b < slopes->line_count; b++) {
			if (slopes->line[b].samples > slopes->line[most].samples)
				most = b;
		}
		if (most != a) {
			const struct slopes_line line = slopes->line[a];

			slopes->line[a] = slopes->line[most];
			slopes->line[most] = line;
			rename_line(slopes, a, SLOPES_LINES);
			rename_line(slopes, most, a);
			rename_line(slopes, SLOPES_LINES, most);
		}
	}
}

static void prepare(struct tracks_search *search, struct slopes *slopes,
		    const struct clocks_sample *samples, size_t count)
{
	size_t i;

	memset(search, 0, sizeof(*search));
	memset(slopes, 0, sizeof(*slopes));
	memset(slopes->again, 0xff, sizeof(slopes->again));
	memset(slopes->line_of, 0xff, sizeof(slopes->line_of));
	search->samples = samples;
	search->slopes = slopes;
	for (i = 0; i < count; i++)
		slopes->at[i] = (double)(int64_t)(samples[i].time_ns - samples[0].time_ns) / 1e9;
	find_again(search, count);
	put_in_order(search, count);
	tracks_start(search);
}

void slopes_find(struct slopes *slopes, const struct clocks_sample *samples, size_t count)
{
	struct tracks_search search;
	size_t i;

	prepare(&search, slopes, samples, count);
	while (tracks_measure_rate(&search))
		;
	take_lines(&search, TRACKS_SURE);
	take_pairs(&search);
	for (i = 0; i < slopes->line_count; i++)
		survey(&search, i);
	take_late(&search);
	join_pieces(&search);
	place_stale(&search, count);
	sort_lines(slopes);
}

double slopes_ahead(const struct slopes_line *line, uint32_t tsval, double at)
{
	return tracks_difference(tsval - tracks_ticks_at(line->hz, at), residual_at(line, at));
}
