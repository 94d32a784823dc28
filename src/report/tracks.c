/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "tracks.h"

/* Linux, the BSDs and Windows; then what old and rare systems have. */
static const double known_hz[TRACKS_KNOWN] = { 1000, 250, 100, 300, 1024, 500, 512, 200, 10, 2 };

#define MEASURED_LEAST 5 /* connections that show a further rate */
#define MEASURED_SPAN  1.0
#define HZ_LEAST       0.5
#define HZ_MOST	       5000.0
#define PAIR_LEAST     0.2 /* seconds between two samples that tell a rate */

/* The track whose last sample is nearest; its first one keeps it from following another rate. */
static size_t nearest_track(const struct tracks_search *search, double hz,
			    const struct track *tracks, size_t count, size_t i)
{
	size_t t, best = count;
	double least = 0;

	for (t = 0; t < count; t++) {
		const double off = tracks_absolute(tracks_above(search, hz, i, tracks[t].last));

		if ((best < count && off >= least) ||
		    !tracks_is_near(search, hz, TRACKS_JITTER, i, tracks[t].last) ||
		    !tracks_is_near(search, hz, TRACKS_JITTER, i, tracks[t].first))
			continue;
		best = t;
		least = off;
	}
	return best;
}

static void follow(struct tracks_search *search, size_t rate)
{
	struct track tracks[CLOCKS_SAMPLES];
	size_t count = 0, k, t;

	for (k = 0; k < search->timed; k++) {
		const uint16_t i = search->order[k];

		t = nearest_track(search, search->hz[rate], tracks, count, i);
		if (t == count)
			tracks[count++].first = i;
		tracks[t].last = i;
		search->track[rate][i] = (uint16_t)t;
	}
}

/* What is left of the tracks of a rate, by number. */
void tracks_left(const struct tracks_search *search, size_t rate, struct track *tracks)
{
	const uint16_t *track_of = search->track[rate];
	size_t k;

	memset(tracks, 0, CLOCKS_SAMPLES * sizeof(*tracks));
	for (k = 0; k < search->timed; k++) {
		const uint16_t i = search->order[k];
		struct track *track = &tracks[track_of[i]];
		double off;

		if (!tracks_is_stray(search, i))
			continue;
		if (track->connections == 0)
			track->first = i;
		off = tracks_above(search, search->hz[rate], i, track->first);
		track->low = off < track->low ? off : track->low;
		track->high = off > track->high ? off : track->high;
		track->last = i;
		track->connections += search->slopes->again[i] == SLOPES_NONE;
	}
}

/* Samples that no rate explains so far; the first of each connection. */
static size_t find_unexplained(const struct tracks_search *search, uint16_t *list)
{
	bool explained[CLOCKS_SAMPLES] = { false };
	struct track tracks[CLOCKS_SAMPLES];
	size_t rate, k, n = 0;

	for (rate = 0; rate < search->rates; rate++) {
		tracks_left(search, rate, tracks);
		for (k = 0; k < search->timed; k++) {
			const uint16_t i = search->order[k];
			const struct track *track = &tracks[search->track[rate][i]];

			if (track->connections >= TRACKS_SURE &&
			    tracks_apart(search, track->first, track->last) >= MEASURED_SPAN)
				explained[i] = true;
		}
	}
	for (k = 0; k < search->timed; k++) {
		const uint16_t i = search->order[k];

		if (!explained[i] && search->slopes->again[i] == SLOPES_NONE)
			list[n++] = i;
	}
	return n;
}

/* How many lie on a line through `by`; the rate is made exact by the two farthest apart. */
static size_t count_on(const struct tracks_search *search, const uint16_t *list, size_t count,
		       uint16_t by, double *hz)
{
	uint16_t first = SLOPES_NONE, last = by;
	size_t k, n = 0;
	double span;

	for (k = 0; k < count; k++) {
		if (!tracks_is_near(search, *hz, TRACKS_JITTER, list[k], by))
			continue;
		if (first == SLOPES_NONE)
			first = list[k];
		last = list[k];
		n++;
	}
	span = tracks_apart(search, first, last);
	if (span >= MEASURED_SPAN)
		*hz += tracks_above(search, *hz, last, first) / span;
	return span >= MEASURED_SPAN ? n : 0;
}

/* A rate that two samples show and others confirm; 0 if there is none. */
static double measure_rate(const struct tracks_search *search)
{
	uint16_t list[CLOCKS_SAMPLES];
	const size_t count = find_unexplained(search, list);
	size_t step, k, most = MEASURED_LEAST - 1, tries = 2 * count;
	double best = 0;

	for (step = 1; step < count; step *= 2) {
		for (k = 0; k + step < count && tries > 0; k++) {
			const uint16_t i = list[k], j = list[k + step];
			const double seconds = tracks_apart(search, i, j);
			double hz = tracks_difference(search->samples[j].tsval,
						      search->samples[i].tsval) /
				    (seconds > PAIR_LEAST ? seconds : PAIR_LEAST);
			size_t n;

			if (seconds < PAIR_LEAST || hz < HZ_LEAST || hz > HZ_MOST)
				continue;
			tries--;
			n = count_on(search, list, count, i, &hz);
			if (n > most) {
				most = n;
				best = hz;
			}
		}
	}
	return best;
}

void tracks_start(struct tracks_search *search)
{
	memcpy(search->hz, known_hz, sizeof(known_hz));
	while (search->rates < TRACKS_KNOWN)
		follow(search, search->rates++);
}

bool tracks_measure_rate(struct tracks_search *search)
{
	const double hz = search->rates < TRACKS_RATES ? measure_rate(search) : 0;

	if (hz <= 0)
		return false;
	search->hz[search->rates] = hz;
	follow(search, search->rates++);
	return true;
}
