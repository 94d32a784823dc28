/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "clocks.h"
#include "slopes.h"

#define NS 1e9

#define RATE_SPAN   2.0	 /* seconds, for a rate to be told from its neighbours */
#define OVERLAP	    0.05 /* seconds: SYNs that arrive late make no two clocks of one */
#define STAMP_SLACK 1.0	 /* second: a stamp tells only the second, and is of a later segment */

/*
 * Connections off every line, beyond the first to each destination: fewer may be machines that were
 * seen once each; so many, with no two on one line, are more machines than a NAT is likely to have.
 */
#define RANDOM_LEAST 5
#define RANDOM_SURE  15

/* Machines that are seen a few times each leave lines of few connections beside those off lines. */
#define SMALL	    8
#define PAIRS_LEAST 3
#define CROWD_SMALL 4  /* connections off every line for each small line */
#define FEW_SMALL   10 /* ... at least, if they are to be random offsets for sure */

#define LINE_SURE      4 /* connections: three are no chance, the fourth shows that it goes on */
#define STEP_LEAST     3 /* moments of each line, for it to be one at all */
#define STEP_SURE      5 /* moments of each line: two clocks keep apart by chance once in 126 */
#define ONE_SURE       8 /* moments of the only line */
#define REORDERED_MOST 4 /* a fourth of all SYNs: more do not overtake each other */
#define SURE_SHARE     0.8

struct judge {
	const struct clocks_sample *samples;
	size_t count;
	struct slopes slopes;
	bool random;  /* connections off every line are taken for random offsets */
	bool crowded; /* ... or for many machines, seen once or twice each */
	bool crossed; /* one of them is another clock than a line that goes on behind it */
	size_t strays, strays_again;
	size_t lines_of[SMALL + 1]; /* so many connections */
	size_t small;		    /* all of them */
	size_t bound;		    /* at least so many machines */
	size_t dropped;
	size_t drops[CLOCKS_WHYS]; /* by what explains them */
	size_t off_line;	   /* of them, explained by what lies on no line */
};

static bool overlap(const struct slopes_line *a, const struct slopes_line *b)
{
	return a->first < b->last - OVERLAP && b->first < a->last - OVERLAP;
}

static bool share_host(const struct slopes_line *a, const struct slopes_line *b)
{
	return a->several_hosts || b->several_hosts || a->host == b->host;
}

/*
 * Lines that are seen at one time: machines, unless a machine has a clock for each destination
 * (Linux 4.11 to 2026). So of lines with a single destination those of `host` count, and all that
 * have the same offset for several, since such a machine has no other line.
 */
static size_t machines_at(const struct judge *judge, double at, uint64_t host)
{
	size_t i, n = 0;

	for (i = 0; i < judge->slopes.line_count; i++) {
		const struct slopes_line *line = &judge->slopes.line[i];

		n += line->first <= at && line->last > at + OVERLAP &&
		     (line->several_hosts || line->host == host);
	}
	return n;
}

static void at_least(struct judge *judge, size_t machines)
{
	if (machines > judge->bound)
		judge->bound = machines;
}

/* A host has most where a line of its begins, or one that is everywhere does. */
static void count_machines(struct judge *judge)
{
	const struct slopes_line *line = judge->slopes.line;
	size_t i, j;

	at_least(judge, judge->slopes.line_count > 0);
	for (i = 0; i < judge->slopes.line_count; i++) {
		at_least(judge, machines_at(judge, line[i].first, line[i].host));
		for (j = 0; line[i].several_hosts && j < judge->slopes.line_count; j++)
			at_least(judge, machines_at(judge, line[i].first, line[j].host));
	}
}

static bool is_stray(const struct judge *judge, size_t i)
{
	return judge->samples[i].has_timestamp && judge->slopes.line_of[i] == SLOPES_NONE &&
	       judge->slopes.again[i] == SLOPES_NONE;
}

static bool is_new_host(const struct judge *judge, size_t i)
{
	size_t j;

	for (j = 0; j < i; j++) {
		if (is_stray(judge, j) && judge->samples[j].host == judge->samples[i].host)
			return false;
	}
	return true;
}

/*
 * Many machines, seen at random: the numbers of those seen once, twice and three times are a
 * Poisson distribution's, so that the first is foretold by the others: f1 = 2 f2^2 / (3 f3). Where
 * they connect in bursts there are more of the others.
 */
static bool is_crowd(const struct judge *judge)
{
	const size_t *of = judge->lines_of;

	return of[2] >= PAIRS_LEAST && judge->strays >= PAIRS_LEAST &&
	       (judge->strays * (of[3] + 1) <= 2 * of[2] * of[2] ||
		judge->strays <= judge->small * CROWD_SMALL);
}

static void count_small(struct judge *judge)
{
	size_t i;

	for (i = 0; i < judge->slopes.line_count; i++) {
		if (judge->slopes.line[i].connections <= SMALL) {
			judge->lines_of[judge->slopes.line[i].connections]++;
			judge->small++;
		}
	}
}

/* A SYN on no line, between two SYNs of lines with its destination, is from one machine more. */
static void look_at_strays(struct judge *judge)
{
	size_t crossed = 0, most = 0, i, n;

	for (i = 0; i < judge->count; i++) {
		if (!is_stray(judge, i))
			continue;
		judge->strays++;
		judge->strays_again += !is_new_host(judge, i);
		n = machines_at(judge, judge->slopes.at[i] - OVERLAP, judge->samples[i].host);
		crossed += n > 0;
		most = n > most ? n : most;
	}
	count_small(judge);
	judge->crowded = is_crowd(judge);
	judge->random = judge->strays_again >= RANDOM_LEAST && !judge->crowded;
	judge->crossed = crossed > 1;
	if (judge->crossed)
		at_least(judge, most + 1);
}

/* The line that a stamp was taken from. */
static size_t line_of_stamp(const struct judge *judge, const struct clocks_sample *sample)
{
	const double at =
		(double)(int64_t)(sample->recorded_at * 1000000000ULL - judge->samples[0].time_ns) /
			NS +
		STAMP_SLACK / 2;
	size_t i, best = SLOPES_NONE;
	double least = 0;

	for (i = 0; i < judge->slopes.line_count; i++) {
		const struct slopes_line *line = &judge->slopes.line[i];
		double off = slopes_ahead(line, sample->recorded_tsval, at) / line->hz;

		off = off < 0 ? -off : off;
		if (off > STAMP_SLACK + 2 / line->hz || (best != SLOPES_NONE && off >= least))
			continue;
		best = i;
		least = off;
	}
	return best;
}

static enum clocks_why why_off_line(const struct judge *judge)
{
	if (judge->random)
		return CLOCKS_RANDOM;
	return judge->crowded || judge->crossed ? CLOCKS_SEVERAL : CLOCKS_UNDECIDED;
}

static enum clocks_why why_dropped(struct judge *judge, size_t i)
{
	const struct clocks_sample *sample = &judge->samples[i];
	const size_t own = judge->slopes.line_of[i];
	const struct slopes_line *line = judge->slopes.line;
	size_t other;

	if (!sample->has_timestamp)
		return CLOCKS_NO_TIMESTAMPS;
	other = sample->recorded ? line_of_stamp(judge, sample) : SLOPES_NONE;
	if (own == SLOPES_NONE || other == SLOPES_NONE) {
		judge->off_line++;
		return why_off_line(judge);
	}
	if (own == other)
		return CLOCKS_REORDERED;
	if (overlap(&line[own], &line[other]) || !share_host(&line[own], &line[other]))
		return CLOCKS_SEVERAL;
	return CLOCKS_STEPPED;
}

/* One after the other, and each for a while: two short ones may follow each other by chance. */
static bool is_step(const struct slopes_line *a, const struct slopes_line *b)
{
	return share_host(a, b) && !overlap(a, b) && a->moments >= STEP_LEAST &&
	       b->moments >= STEP_LEAST;
}

static bool any_two(const struct judge *judge,
		    bool (*are)(const struct slopes_line *, const struct slopes_line *))
{
	const struct slopes_line *line = judge->slopes.line;
	size_t a, b;

	for (a = 0; a < judge->slopes.line_count; a++) {
		for (b = 0; b < a; b++) {
			if (are(&line[a], &line[b]))
				return true;
		}
	}
	return false;
}

static enum clocks_why why_without_drops(const struct judge *judge)
{
	if (judge->random && judge->bound <= 2) /* a line, and what is off it */
		return CLOCKS_RANDOM;
	if (judge->bound > 1 || judge->crowded)
		return CLOCKS_SEVERAL;
	if (any_two(judge, is_step))
		return CLOCKS_STEPPED;
	if (judge->strays > (judge->bound == 0) || any_two(judge, share_host))
		return CLOCKS_UNDECIDED;
	return CLOCKS_NOT_APPLICABLE;
}

static enum clocks_why why(const struct judge *judge)
{
	size_t i, best = CLOCKS_UNDECIDED;

	if (judge->dropped == 0)
		return why_without_drops(judge);
	for (i = 0; i < CLOCKS_WHYS; i++) {
		if (judge->drops[i] > judge->drops[best])
			best = i;
	}
	if (best == CLOCKS_STEPPED && !any_two(judge, is_step))
		return CLOCKS_UNDECIDED;
	/* What would be one clock's is doubtful if so much of it is refused. */
	if (best == CLOCKS_REORDERED && judge->dropped * 2 > judge->count)
		return CLOCKS_UNDECIDED;
	return (enum clocks_why)best;
}

static bool are_surely_two(const struct slopes_line *a, const struct slopes_line *b)
{
	return a->connections >= LINE_SURE && b->connections >= LINE_SURE &&
	       (overlap(a, b) || !share_host(a, b));
}

/* All lines have so many moments, and nothing is off them. */
static bool lines_are_clear(const struct judge *judge, size_t moments)
{
	size_t i;

	for (i = 0; i < judge->slopes.line_count; i++) {
		if (judge->slopes.line[i].moments < moments)
			return false;
	}
	return judge->strays == 0 && judge->slopes.line_count > 0;
}

static bool is_sure(const struct judge *judge, enum clocks_why label)
{
	if ((double)judge->drops[label] < SURE_SHARE * (double)judge->dropped)
		return false;
	switch (label) {
	case CLOCKS_NOT_APPLICABLE:
		return judge->slopes.line_count == 1 && lines_are_clear(judge, LINE_SURE);
	case CLOCKS_SEVERAL:
		return (judge->bound > 1 || judge->dropped > 0) && any_two(judge, are_surely_two) &&
		       (double)judge->off_line <= (1 - SURE_SHARE) * (double)judge->dropped;
	case CLOCKS_RANDOM:
		return judge->strays_again >= RANDOM_SURE &&
		       judge->small * FEW_SMALL <= judge->strays;
	case CLOCKS_STEPPED:
		return judge->bound == 1 && lines_are_clear(judge, STEP_SURE);
	case CLOCKS_REORDERED:
		return judge->bound == 1 && lines_are_clear(judge, ONE_SURE) &&
		       judge->dropped * REORDERED_MOST <= judge->count;
	case CLOCKS_NO_TIMESTAMPS:
		return true; /* the packets say so themselves */
	default:
		return false;
	}
}

/* Those without timestamps have no line. */
static size_t machines(const struct judge *judge, enum clocks_why label)
{
	if (label == CLOCKS_NO_TIMESTAMPS)
		return judge->bound + 1;
	if (label == CLOCKS_NOT_APPLICABLE && judge->bound == 0)
		return judge->count > 0;
	return judge->bound;
}

static void describe(const struct judge *judge, size_t number, struct clocks_clock *clock)
{
	const struct slopes_line *line = &judge->slopes.line[number];
	const uint64_t start = judge->samples[0].time_ns;
	size_t i;

	clock->hz = line->hz;
	clock->measured = line->last - line->first >= RATE_SPAN;
	clock->offset = (uint32_t)(int64_t)-slopes_ahead(line, 0, 0);
	clock->samples = line->samples;
	clock->connections = line->connections;
	clock->first_ns = start + (uint64_t)(int64_t)(line->first * NS);
	clock->last_ns = start + (uint64_t)(int64_t)(line->last * NS);
	for (i = 0; i < judge->count; i++)
		clock->dropped += judge->slopes.line_of[i] == number && judge->samples[i].dropped;
}

void clocks_judge(const struct clocks_sample *samples, size_t count, struct clocks_verdict *verdict)
{
	struct judge judge;
	size_t i;

	memset(&judge, 0, sizeof(judge));
	memset(verdict, 0, sizeof(*verdict));
	memset(verdict->clock_of, CLOCKS_NO_CLOCK, sizeof(verdict->clock_of));
	judge.samples = samples;
	judge.count = count < CLOCKS_SAMPLES ? count : CLOCKS_SAMPLES;
	slopes_find(&judge.slopes, samples, judge.count);
	count_machines(&judge);
	look_at_strays(&judge);
	for (i = 0; i < judge.count; i++) {
		if (samples[i].dropped) {
			judge.dropped++;
			judge.drops[why_dropped(&judge, i)]++;
		}
		if (judge.slopes.line_of[i] < CLOCKS_MOST)
			verdict->clock_of[i] = (uint8_t)judge.slopes.line_of[i];
	}
	verdict->why = why(&judge);
	verdict->sure = is_sure(&judge, verdict->why);
	verdict->machines = machines(&judge, verdict->why);
	while (verdict->clock_count < judge.slopes.line_count &&
	       verdict->clock_count < CLOCKS_MOST) {
		describe(&judge, verdict->clock_count, &verdict->clocks[verdict->clock_count]);
		verdict->clock_count++;
	}
}

static const struct {
	const char *text, *name;
} names[CLOCKS_WHYS] = {
	[CLOCKS_NOT_APPLICABLE] = { "nothing to explain", "not-applicable" },
	[CLOCKS_SEVERAL] = { "several clocks", "several-clocks" },
	[CLOCKS_RANDOM] = { "random offset per connection", "random-offset" },
	[CLOCKS_STEPPED] = { "clock stepped or machine rebooted", "clock-stepped" },
	[CLOCKS_REORDERED] = { "reordering or retransmission", "reordered" },
	[CLOCKS_NO_TIMESTAMPS] = { "no timestamps", "no-timestamps" },
	[CLOCKS_UNDECIDED] = { "undecided", "undecided" },
};

const char *clocks_why_text(enum clocks_why reason)
{
	return names[reason].text;
}

const char *clocks_why_name(enum clocks_why reason)
{
	return names[reason].name;
}
