/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "../os/clock.h"
#include "felt.h"

/* Refused connections that are followed at a time; each is for a minute. */
#define PENDING 16384

/* Most stacks of today, Linux included, tick so fast. */
#define TICKS_PER_SECOND 1000

struct schedule {
	size_t retries;
	uint32_t at[REPORT_RETRIES]; /* seconds after the first SYN */
	uint32_t gives_up;
};

/* RFC 6298, 2 and 5, with tcp_syn_retries 5; Linux 6.5 with tcp_syn_linear_timeouts 4. */
static const struct schedule schedules[REPORT_SCHEDULES] = {
	[REPORT_CLASSIC] = { 5, { 1, 3, 7, 15, 31 }, 63 },
	[REPORT_LINEAR] = { 9, { 1, 2, 3, 4, 5, 7, 11, 19, 35 }, 67 },
};

struct pending {
	struct synpaws_segment syn;
	bool decided[REPORT_SCHEDULES];
};

struct felt {
	struct pending *pending; /* a ring */
	uint64_t first, last;	 /* numbers of those in it */
	/* For each retry the first connection that has not come to it. */
	uint64_t next[REPORT_SCHEDULES][REPORT_RETRIES];
	uint64_t let_in[REPORT_SCHEDULES][REPORT_RETRIES];
	uint64_t timed_out[REPORT_SCHEDULES];
	uint64_t left_out; /* for want of room */
	uint64_t due_ns;   /* nothing is to be done before */
};

struct felt *felt_new(void)
{
	struct felt *felt = calloc(1, sizeof(*felt));

	if (felt == NULL)
		return NULL;
	felt->pending = calloc(PENDING, sizeof(*felt->pending));
	if (felt->pending == NULL) {
		free(felt);
		return NULL;
	}
	return felt;
}

void felt_free(struct felt *felt)
{
	if (felt == NULL)
		return;
	free(felt->pending);
	free(felt);
}

static struct pending *at(const struct felt *felt, uint64_t number)
{
	return &felt->pending[number % PENDING];
}

static bool is_decided(const struct pending *pending)
{
	size_t s;

	for (s = 0; s < REPORT_SCHEDULES; s++) {
		if (!pending->decided[s])
			return false;
	}
	return true;
}

void felt_take(struct felt *felt, const struct synpaws_segment *syn)
{
	struct pending *pending;

	while (felt->first < felt->last && is_decided(at(felt, felt->first)))
		felt->first++;
	if (felt->last - felt->first == PENDING) {
		felt->left_out++;
		return;
	}
	pending = at(felt, felt->last++);
	memset(pending, 0, sizeof(*pending));
	pending->syn = *syn;
	felt->due_ns = 0;
}

uint64_t felt_due(const struct felt *felt)
{
	return felt->due_ns;
}

static void try_again(struct felt *felt, struct pending *pending, size_t s, size_t retry,
		      const struct synpaws_mirror *mirror)
{
	const uint32_t seconds = schedules[s].at[retry];
	struct synpaws_segment syn = pending->syn;
	struct synpaws_outcome outcome;

	syn.time_ns += seconds * NS_PER_SECOND;
	syn.order_ns += seconds * NS_PER_SECOND;
	syn.second += seconds;
	syn.tsval += seconds * TICKS_PER_SECOND * syn.has_timestamp;
	synpaws_mirror_ask(mirror, &syn, &outcome);
	if (outcome.fate != SYNPAWS_FATE_PAWS_DROP) {
		felt->let_in[s][retry]++;
		pending->decided[s] = true;
	} else if (retry + 1 == schedules[s].retries) {
		felt->timed_out[s]++;
		pending->decided[s] = true;
	}
}

static void advance_one(struct felt *felt, size_t s, size_t retry, uint64_t order_ns,
			const struct synpaws_mirror *mirror)
{
	const uint64_t wait_ns = schedules[s].at[retry] * NS_PER_SECOND;
	uint64_t *next = &felt->next[s][retry];

	if (*next < felt->first)
		*next = felt->first;
	for (; *next < felt->last; (*next)++) {
		struct pending *pending = at(felt, *next);

		if (pending->syn.order_ns + wait_ns > order_ns) {
			if (pending->syn.order_ns + wait_ns < felt->due_ns)
				felt->due_ns = pending->syn.order_ns + wait_ns;
			return;
		}
		if (!pending->decided[s])
			try_again(felt, pending, s, retry, mirror);
	}
}

void felt_advance(struct felt *felt, uint64_t order_ns, const struct synpaws_mirror *mirror)
{
	size_t s, retry;

	if (order_ns < felt->due_ns)
		return;
	felt->due_ns = UINT64_MAX;
	for (s = 0; s < REPORT_SCHEDULES; s++) {
		for (retry = 0; retry < schedules[s].retries; retry++)
			advance_one(felt, s, retry, order_ns, mirror);
	}
}

static uint64_t open_now(const struct felt *felt, size_t s)
{
	uint64_t open = 0, i;

	for (i = felt->first; i < felt->last; i++)
		open += !at(felt, i)->decided[s];
	return open;
}

static double median_of(const struct felt *felt, size_t s)
{
	uint64_t all = felt->timed_out[s], below = 0;
	size_t retry;

	for (retry = 0; retry < schedules[s].retries; retry++)
		all += felt->let_in[s][retry];
	for (retry = 0; retry < schedules[s].retries && all > 0; retry++) {
		below += felt->let_in[s][retry];
		if (below * 2 >= all)
			return schedules[s].at[retry];
	}
	return all > 0 ? schedules[s].gives_up : 0;
}

void felt_report(const struct felt *felt, enum report_schedule schedule, struct report_felt *to)
{
	const struct schedule *from = &schedules[schedule];

	memset(to, 0, sizeof(*to));
	to->retries = from->retries;
	memcpy(to->at, from->at, sizeof(to->at));
	memcpy(to->connections, felt->let_in[schedule], sizeof(to->connections));
	to->timed_out = felt->timed_out[schedule];
	to->gives_up = from->gives_up;
	to->open = open_now(felt, schedule);
	to->left_out = felt->left_out;
	to->median = median_of(felt, schedule);
}
