/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLOCKS_WORLD_H
#define CLOCKS_WORLD_H

/*
 * Machines behind one address, and a kernel that checks their SYNs: what clocks_judge() is shown,
 * and what is true of it. Seconds are numbers from 0; the wall clock is WORLD_START ahead.
 */

#include "unit.h"

#include "report/clocks.h"

#define WORLD_START    (UNIT_SECOND * 1000000000ULL)
#define WORLD_MACHINES 400
#define WORLD_HOSTS    4
#define WORLD_EVENTS   2048

struct machine {
	double hz;	 /* its real rate, with its error */
	bool none;	 /* sends no timestamps */
	bool random;	 /* an offset for each connection */
	bool per_host;	 /* an offset for each destination */
	bool stale;	 /* sends a SYN again with the TSval it had */
	double from, to; /* at work */
	double step_at;	 /* its clock is set anew; 0: never */
	uint32_t offset[WORLD_HOSTS], later[WORLD_HOSTS];
	size_t samples, stepped; /* shown, all and those after the step */
};

struct event {
	double sent, arrives;
	size_t machine, host;
	uint64_t connection;
	unsigned int attempt;
	uint32_t tsval;
};

struct world {
	uint64_t random;
	double seconds, jitter, burst;
	size_t hosts, machine_count, connections;
	bool key_is_peer;      /* one stamp for all hosts */
	bool drops_without;    /* SYNs without timestamps, as el7 does */
	uint32_t closes_first; /* percent */
	struct machine machine[WORLD_MACHINES];
	struct event event[WORLD_EVENTS];
	size_t event_count;
	struct clocks_sample sample[CLOCKS_SAMPLES];
	size_t count, dropped;
	size_t drops[CLOCKS_WHYS]; /* by their cause */
};

/* From 0 to 1. */
static inline double world_chance(struct world *world)
{
	return (double)(unit_random(&world->random) >> 11) / 9007199254740992.0;
}

static inline double world_between(struct world *world, double low, double high)
{
	return low + (high - low) * world_chance(world);
}

static inline uint32_t world_below(struct world *world, uint32_t limit)
{
	return unit_below(&world->random, limit);
}

/* A machine with a quartz that is wrong by up to 100 ppm, or turned by NTP. */
static inline struct machine *world_add(struct world *world, double hz)
{
	struct machine *machine = &world->machine[world->machine_count++];
	const double wrong = world_below(world, 10) == 0 ? 500e-6 : 100e-6;
	size_t i;

	memset(machine, 0, sizeof(*machine));
	machine->hz = hz * (1 + world_between(world, -wrong, wrong));
	machine->to = world->seconds;
	machine->stale = world_below(world, 8) == 0;
	for (i = 0; i < WORLD_HOSTS; i++) {
		machine->offset[i] = (uint32_t)unit_random(&world->random);
		machine->later[i] = (uint32_t)unit_random(&world->random);
	}
	/* Many lines wrap while they are watched. */
	if (world_below(world, 4) == 0)
		machine->offset[0] =
			(uint32_t)-world_below(world, (uint32_t)(hz * world->seconds) + 1);
	return machine;
}

static inline bool world_is_later(const struct world *world, const struct event *event)
{
	const struct machine *machine = &world->machine[event->machine];

	return machine->step_at > 0 && event->sent >= machine->step_at;
}

static inline uint32_t world_tsval(struct world *world, const struct event *event)
{
	const struct machine *machine = &world->machine[event->machine];
	const size_t host = machine->per_host ? event->host : 0;
	uint32_t offset =
		world_is_later(world, event) ? machine->later[host] : machine->offset[host];

	if (machine->random) {
		uint64_t hash = event->connection * 0x100000001b3ULL + 77;

		offset = (uint32_t)unit_random(&hash);
	}
	return offset + (uint32_t)(int64_t)(machine->hz * event->sent);
}

/* Put it where it arrives. */
static inline void world_send(struct world *world, struct event event)
{
	size_t at = world->event_count;

	if (at == WORLD_EVENTS)
		return;
	event.arrives = event.sent + world_between(world, 0, world->jitter);
	if (world_below(world, 50) == 0)
		event.arrives += world_between(world, 0, 20 * world->jitter);
	for (; at > 0 && world->event[at - 1].arrives > event.arrives; at--)
		world->event[at] = world->event[at - 1];
	world->event[at] = event;
	world->event_count++;
}

static inline void world_connect(struct world *world, double at, size_t machine, size_t host)
{
	struct event event = { .sent = at, .machine = machine, .host = host, .attempt = 0 };

	event.connection = 1 + world->event_count + (uint64_t)world_below(world, 1U << 30) * 4096;
	event.tsval = world_tsval(world, &event);
	world_send(world, event);
}

/* Connections of all machines over the time, some of them several at once. */
static inline void world_live(struct world *world)
{
	size_t n;

	for (n = 0; n < world->connections;) {
		const size_t who = world_below(world, (uint32_t)world->machine_count);
		const struct machine *machine = &world->machine[who];
		const double at = world_between(world, machine->from, machine->to);
		size_t burst = world_chance(world) < world->burst ? 2 + world_below(world, 5) : 1;

		for (; burst > 0 && n < world->connections; burst--, n++)
			world_connect(world, at + world_between(world, 0, 0.02), who,
				      world_below(world, (uint32_t)world->hosts));
	}
}

static inline void world_again(struct world *world, struct event event)
{
	static const double after[] = { 1, 2, 4 };

	if (event.attempt >= COUNT(after))
		return;
	event.sent += after[event.attempt++];
	if (!world->machine[event.machine].stale)
		event.tsval = world_tsval(world, &event);
	if (event.sent < world->seconds)
		world_send(world, event);
}

struct stamp_of {
	uint32_t tsval, second;
	struct event by;
	bool is;
};

static inline bool world_check(const struct world *world, const struct stamp_of *stamp,
			       const struct clocks_sample *sample, uint32_t now)
{
	if (!stamp->is || now - stamp->second >= 60)
		return false;
	if (!sample->has_timestamp)
		return world->drops_without;
	return (int32_t)(stamp->tsval - sample->tsval) > 1;
}

static inline enum clocks_why world_cause(const struct world *world, const struct event *event,
					  const struct event *by)
{
	const struct machine *machine = &world->machine[event->machine];

	if (machine->none)
		return CLOCKS_NO_TIMESTAMPS;
	if (event->connection == by->connection)
		return CLOCKS_REORDERED;
	if (machine->random || world->machine[by->machine].random)
		return CLOCKS_RANDOM;
	if (event->machine != by->machine || (machine->per_host && event->host != by->host))
		return CLOCKS_SEVERAL;
	return world_is_later(world, event) != world_is_later(world, by) ? CLOCKS_STEPPED
									 : CLOCKS_REORDERED;
}

/* What the kernel does with a SYN that it has checked. */
static inline void world_answer(struct world *world, struct stamp_of *stamp,
				const struct event *event, const struct clocks_sample *sample)
{
	struct machine *machine = &world->machine[event->machine];

	machine->samples++;
	machine->stepped += world_is_later(world, event);
	if (sample->dropped) {
		world->dropped++;
		world->drops[world_cause(world, event, &stamp->by)]++;
		world_again(world, *event);
	} else if (sample->has_timestamp && world_below(world, 100) < world->closes_first) {
		stamp->is = true;
		stamp->by = *event;
		stamp->tsval = sample->tsval;
		stamp->second = (uint32_t)(sample->time_ns / 1000000000ULL);
	}
}

/* Let all SYNs meet the check, in the order in which they arrive. */
static inline void world_run(struct world *world)
{
	struct stamp_of stamps[WORLD_HOSTS];
	size_t i;

	memset(stamps, 0, sizeof(stamps));
	for (i = 0; i < world->event_count && world->count < CLOCKS_SAMPLES; i++) {
		const struct event event = world->event[i];
		struct stamp_of *stamp = &stamps[world->key_is_peer ? 0 : event.host];
		struct clocks_sample *sample = &world->sample[world->count++];

		memset(sample, 0, sizeof(*sample));
		sample->time_ns = WORLD_START + (uint64_t)(event.arrives * 1e9);
		sample->connection = event.connection;
		sample->host = 1000 + event.host;
		sample->source_port = (uint16_t)event.connection;
		sample->has_timestamp = !world->machine[event.machine].none;
		sample->tsval = sample->has_timestamp ? event.tsval : 0;
		sample->recorded = stamp->is;
		sample->recorded_tsval = stamp->tsval;
		sample->recorded_at = stamp->second;
		sample->dropped = world_check(world, stamp, sample,
					      (uint32_t)(sample->time_ns / 1000000000ULL));
		world_answer(world, stamp, &event, sample);
	}
}

/* What a watcher would have to say who knows all, of what was shown. */
static inline enum clocks_why world_truth(const struct world *world)
{
	size_t why, best = 0, seen = 0;
	bool random = false, stepped = false;

	for (why = 1; why < CLOCKS_WHYS; why++) {
		if (world->drops[why] > world->drops[best])
			best = why;
	}
	if (best != 0)
		return (enum clocks_why)best;
	for (why = 0; why < world->machine_count; why++) {
		const struct machine *machine = &world->machine[why];

		seen += machine->samples > 0 && !machine->none && !machine->random;
		random |= machine->samples > 1 && machine->random;
		stepped |= machine->stepped > 0 && machine->stepped < machine->samples;
	}
	if (seen > 1)
		return CLOCKS_SEVERAL;
	if (random)
		return CLOCKS_RANDOM;
	return stepped ? CLOCKS_STEPPED : CLOCKS_NOT_APPLICABLE;
}

#endif
