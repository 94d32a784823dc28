/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What clocks_judge() makes of traffic whose cause is known. Of each kind of world below hundreds
 * are made up; how often label and number of machines are right is printed, asserted, and told in
 * contrib/doc/why.md.
 */
#include "clocks_world.h"

#define CASES	  200	/* of each kind with enough samples */
#define TRIES	  10000 /* to get them */
#define ENOUGH	  20  /* samples of each machine, for each destination if it has a clock for each */
#define MOST_HIGH 1.0 /* percent of machine counts that are too high */
#define MOST_BOLD 2.0 /* percent of the labels called sure that are wrong */

static uint64_t seed;

struct kind {
	const char *name;
	void (*make)(struct world *world);
	double right; /* percent of labels, at least, with enough samples */
	double exact; /* percent of machine counts, at least; 0: nobody can count them */
	bool scarce;  /* there are never enough samples: `right` is of what there is */
};

struct score {
	size_t cases, right, sure, bold, exact, low, high;
};

/* Label true, label given. */
static size_t confusion[CLOCKS_WHYS][CLOCKS_WHYS];

static double some_hz(struct world *world)
{
	static const double hz[] = { 1000, 1000, 1000, 250, 250, 100, 300 };

	return hz[world_below(world, COUNT(hz))];
}

/* 2 s to an hour, most of them in between. */
static double some_time(struct world *world)
{
	double seconds = 2;
	uint32_t doublings = world_below(world, 11);

	while (doublings-- > 0)
		seconds *= 2;
	seconds = world_between(world, seconds, 2 * seconds);
	return seconds < 3600 ? seconds : 3600;
}

static void a_clock(struct world *world)
{
	world_add(world, some_hz(world));
}

static void several(struct world *world)
{
	size_t n = 2 + world_below(world, 7);
	const double hz = some_hz(world);
	const bool same = world_below(world, 2) == 0;

	while (n-- > 0)
		world_add(world, same ? hz : some_hz(world));
}

/* One works all the time, others in a part of it that has its middle in common. */
static void several_in_part(struct world *world)
{
	size_t i;

	several(world);
	for (i = 1; i < world->machine_count; i++) {
		world->machine[i].from = world_between(world, 0, 0.4 * world->seconds);
		world->machine[i].to = world_between(world, 0.6, 1) * world->seconds;
	}
}

static void several_per_host(struct world *world)
{
	size_t i;

	several(world);
	for (i = 0; i < world->machine_count; i++) {
		world->machine[i].per_host = true;
	}
}

static void several_rare(struct world *world)
{
	static const double rare[] = { 2, 10, 64, 128, 500, 512, 1024, 770 };
	const double hz = rare[world_below(world, COUNT(rare))];
	size_t n = 2 + world_below(world, 3);

	world->seconds = world_between(world, 120, 3600);
	while (n-- > 0)
		world_add(world, hz);
}

static void one_per_host(struct world *world)
{
	struct machine *machine = world_add(world, 1000);

	machine->per_host = true;
	world->hosts = 2 + world_below(world, 3);
	world->key_is_peer = true;
}

static void random_offsets(struct world *world)
{
	size_t n = 1 + world_below(world, 3);

	while (n-- > 0)
		world_add(world, 1000)->random = true;
}

static void stepped(struct world *world)
{
	struct machine *machine = world_add(world, some_hz(world));

	machine->step_at = world_between(world, 0.3, 0.7) * world->seconds;
	machine->per_host = world_below(world, 2) == 0;
	if (world_below(world, 2) == 0) /* a reboot: back to five minutes before the wrap */
		machine->later[0] = (uint32_t)-300000;
}

static void reordered(struct world *world)
{
	world_add(world, 1000);
	world->jitter = 0.02;
	world->burst = 0.5;
	world->closes_first = 100;
}

static void no_timestamps(struct world *world)
{
	size_t n = 1 + world_below(world, 3);

	world_add(world, some_hz(world));
	while (n-- > 0)
		world_add(world, 1000)->none = true;
	world->drops_without = true;
}

static void mixed(struct world *world)
{
	size_t n = 1 + world_below(world, 2);

	several(world);
	while (n-- > 0)
		world_add(world, 1000)->random = true;
}

static void crowd(struct world *world)
{
	size_t n = 30 + world_below(world, 300);

	while (n-- > 0)
		world_add(world, some_hz(world));
	world->connections = CLOCKS_SAMPLES;
}

/* A mobile network: SYNs take up to 60 ms more than others, and a few of them a second. */
static void slow(struct world *world)
{
	world_add(world, 1000);
	world->jitter = 0.06;
}

static void several_slow(struct world *world)
{
	several(world);
	world->jitter = 0.06;
}

static const struct kind kinds[] = {
	{ "one clock", a_clock, 98, 98, false },
	{ "several machines", several, 98, 90, false },
	{ "some in part of the time", several_in_part, 98, 85, false },
	{ "offset per destination", several_per_host, 98, 90, false },
	{ "rare rates", several_rare, 98, 90, false },
	{ "one, several destinations", one_per_host, 98, 98, false },
	{ "random per connection", random_offsets, 98, 0, false },
	{ "stepped", stepped, 95, 98, false },
	{ "reordered", reordered, 92, 98, false },
	{ "no timestamps", no_timestamps, 98, 0, false },
	{ "mixed with random", mixed, 95, 0, false },
	{ "one, slow network", slow, 88, 98, false },
	{ "several, slow network", several_slow, 98, 90, false },
	{ "a crowd", crowd, 88, 0, true },
};

static struct world *make(const struct kind *kind, uint64_t *random)
{
	struct world *world = calloc(1, sizeof(*world));

	assert_non_null(world);
	world->random = unit_random(random);
	world->seconds = some_time(world);
	world->jitter = world_between(world, 0, 0.005);
	world->burst = world_below(world, 2) == 0 ? 0.2 : 0;
	world->hosts = 1 + world_below(world, WORLD_HOSTS);
	world->key_is_peer = world_below(world, 2) == 0;
	world->closes_first = 50 + world_below(world, 51);
	world->connections = 4U << world_below(world, 7);
	kind->make(world);
	world_live(world);
	world_run(world);
	return world;
}

static bool is_enough(const struct world *world)
{
	size_t i;

	for (i = 0; i < world->machine_count; i++) {
		const struct machine *machine = &world->machine[i];
		const size_t least = ENOUGH * (machine->per_host ? world->hosts : 1);

		if (machine->samples < least)
			return false;
		if (machine->step_at > 0 &&
		    (machine->stepped < least || machine->samples - machine->stepped < least))
			return false;
	}
	return true;
}

static void add_score(struct score *score, const struct world *world,
		      const struct clocks_verdict *verdict)
{
	const enum clocks_why truth = world_truth(world);

	score->cases++;
	score->right += verdict->why == truth;
	score->sure += verdict->sure;
	score->bold += verdict->sure && verdict->why != truth;
	score->exact += verdict->machines == world->machine_count;
	score->low += verdict->machines < world->machine_count;
	score->high += verdict->machines > world->machine_count;
	confusion[truth][verdict->why]++;
}

static double percent(size_t part, size_t whole)
{
	return whole > 0 ? 100.0 * (double)part / (double)whole : 0;
}

static void print_score(const char *name, const char *which, const struct score *score)
{
	printf("# %-26s %-6s %5zu %6.1f %6.1f %6.1f %6.1f %6.1f %6.1f\n", name, which, score->cases,
	       percent(score->right, score->cases), percent(score->sure, score->cases),
	       percent(score->bold, score->sure), percent(score->exact, score->cases),
	       percent(score->low, score->cases), percent(score->high, score->cases));
}

/* Two worlds more than the limit are chance. */
static void check_rare(size_t part, size_t whole, double limit)
{
	assert_true((double)part <= 2 + limit / 100 * (double)whole);
}

static void check_score(const struct kind *kind, const struct score *enough,
			const struct score *few)
{
	const struct score *of = kind->scarce ? few : enough;

	assert_true(of->cases >= CASES);
	assert_true(percent(of->right, of->cases) >= kind->right);
	assert_true(percent(of->exact, of->cases) >= kind->exact);
	check_rare(enough->high, enough->cases, MOST_HIGH);
	check_rare(few->high, few->cases, MOST_HIGH);
	check_rare(enough->bold, enough->sure, MOST_BOLD);
	check_rare(few->bold, few->sure, MOST_BOLD);
}

static void test_kind(void **state)
{
	const struct kind *kind = *state;
	struct score enough = { .cases = 0 }, few = { .cases = 0 };
	uint64_t random = seed + (uint64_t)(kind - kinds);
	size_t tries;

	for (tries = 0; tries < TRIES; tries++) {
		struct world *world = make(kind, &random);
		struct clocks_verdict verdict;

		clocks_judge(world->sample, world->count, &verdict);
		add_score(is_enough(world) ? &enough : &few, world, &verdict);
		free(world);
		if ((kind->scarce ? few.cases : enough.cases) == CASES)
			break;
	}
	print_score(kind->name, "enough", &enough);
	print_score(kind->name, "fewer", &few);
	check_score(kind, &enough, &few);
}

static void test_confusion(void **state)
{
	size_t truth, given;

	(void)state;
	printf("# %-16s", "true \\ given");
	for (given = 0; given < CLOCKS_WHYS; given++)
		printf(" %15s", clocks_why_name((enum clocks_why)given));
	for (truth = 0; truth < CLOCKS_UNDECIDED; truth++) {
		printf("\n# %-16s", clocks_why_name((enum clocks_why)truth));
		for (given = 0; given < CLOCKS_WHYS; given++)
			printf(" %15zu", confusion[truth][given]);
		assert_true(confusion[truth][truth] > CASES / 2);
	}
	puts("");
}

#define SECOND 1000000000ULL

static struct clocks_sample sample(uint64_t ns, uint32_t tsval)
{
	const struct clocks_sample made = {
		.time_ns = WORLD_START + ns,
		.connection = ns + 1,
		.host = 1,
		.tsval = tsval,
		.has_timestamp = true,
	};

	return made;
}

static void test_nothing(void **state)
{
	const struct clocks_sample one = sample(0, 7);
	struct clocks_verdict verdict;

	(void)state;
	clocks_judge(NULL, 0, &verdict);
	assert_int_equal(verdict.why, CLOCKS_NOT_APPLICABLE);
	assert_false(verdict.sure);
	assert_int_equal(verdict.machines, 0);
	clocks_judge(&one, 1, &verdict);
	assert_int_equal(verdict.why, CLOCKS_NOT_APPLICABLE);
	assert_false(verdict.sure);
	assert_int_equal(verdict.machines, 1);
	assert_int_equal(verdict.clock_of[0], CLOCKS_NO_CLOCK);
}

/* Two clocks, 2^31 ticks apart to within one, one of which wraps; two lines to look at in detail.
 */
static void test_two_lines(void **state)
{
	const uint32_t offset = 0xffffff00U;
	uint32_t apart;
	size_t i;

	(void)state;
	for (apart = 0x7fffffff; apart <= 0x80000001U; apart++) {
		struct clocks_sample samples[90];
		struct clocks_verdict verdict;

		for (i = 0; i < COUNT(samples); i++) {
			samples[i] = sample(i * SECOND / 10, offset + (uint32_t)i * 100);
			if (i % 3 == 1)
				samples[i].tsval = offset + apart + (uint32_t)i * 25;
			samples[i].dropped = i % 9 == 4;
			samples[i].recorded = i > 0;
			samples[i].recorded_tsval = samples[i - (i > 0)].tsval;
			samples[i].recorded_at = UNIT_SECOND + (uint32_t)(i - (i > 0)) / 10;
		}
		clocks_judge(samples, COUNT(samples), &verdict);
		assert_int_equal(verdict.why, CLOCKS_SEVERAL);
		assert_true(verdict.sure);
		assert_int_equal(verdict.machines, 2);
		assert_int_equal(verdict.clock_count, 2);
		assert_true(verdict.clocks[0].hz == 1000 && verdict.clocks[1].hz == 250);
		assert_true(verdict.clocks[0].measured && verdict.clocks[1].measured);
		assert_in_range(verdict.clocks[0].offset - offset + 1, 0, 2);
		assert_in_range(verdict.clocks[1].offset - offset - apart + 1, 0, 2);
		assert_int_equal(verdict.clocks[0].samples, 60);
		assert_int_equal(verdict.clocks[1].connections, 30);
		assert_int_equal(verdict.clocks[0].dropped, 0);
		assert_int_equal(verdict.clocks[1].dropped, 10);
		assert_true(verdict.clocks[1].first_ns == samples[1].time_ns);
		assert_true(verdict.clocks[0].last_ns == samples[89].time_ns);
		for (i = 0; i < COUNT(samples); i++)
			assert_int_equal(verdict.clock_of[i], i % 3 == 1);
	}
}

/* NTP may turn a clock by more than 500 ppm for a while: its line is in pieces, and still one. */
static void test_slewed(void **state)
{
	struct clocks_sample samples[200];
	struct clocks_verdict verdict;
	double clock = 0;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(samples); i++) {
		samples[i] = sample(i * 2 * SECOND, (uint32_t)clock - 70000);
		clock += i < 50 || i >= 150 ? 2000 : 2010;
	}
	clocks_judge(samples, COUNT(samples), &verdict);
	assert_int_equal(verdict.why, CLOCKS_NOT_APPLICABLE);
	assert_int_equal(verdict.machines, 1);
	assert_int_equal(verdict.clock_count, 1);
	assert_int_equal(verdict.clocks[0].samples, COUNT(samples));
}

/* What is on no line, between two SYNs of one, is another machine; behind its end it need not be.
 */
static void test_strays(void **state)
{
	struct clocks_sample samples[24];
	struct clocks_verdict verdict;
	size_t i, behind;

	(void)state;
	for (behind = 0; behind < 2; behind++) {
		for (i = 0; i < COUNT(samples); i++) {
			samples[i] = sample(i * SECOND, (uint32_t)i * 1000);
			if (i >= (behind ? 22U : 10U) && i < (behind ? 24U : 12U))
				samples[i].tsval = (uint32_t)(i * i) * 7777777;
		}
		clocks_judge(samples, COUNT(samples), &verdict);
		assert_int_equal(verdict.why, behind ? CLOCKS_UNDECIDED : CLOCKS_SEVERAL);
		assert_int_equal(verdict.machines, behind ? 1 : 2);
		assert_false(verdict.sure);
		assert_int_equal(verdict.clock_of[behind ? 22 : 10], CLOCKS_NO_CLOCK);
	}
}

/* Bytes that no traffic would have: no sanitizer minds, and the answer is the same again. */
static void test_noise(void **state)
{
	uint64_t random = seed;
	size_t n, i;

	(void)state;
	for (n = 0; n < 300; n++) {
		struct clocks_sample samples[CLOCKS_SAMPLES + 4];
		struct clocks_verdict verdict, again;
		const uint32_t mask = (uint32_t)unit_random(&random);

		for (i = 0; i < COUNT(samples); i++) {
			samples[i] = sample(unit_random(&random) >> unit_below(&random, 64),
					    (uint32_t)unit_random(&random) & mask);
			samples[i].connection = unit_below(&random, 1 + unit_below(&random, 200));
			samples[i].host = unit_below(&random, 3);
			samples[i].dropped = unit_below(&random, 2) == 0;
			samples[i].recorded = unit_below(&random, 2) == 0;
			samples[i].recorded_tsval =
				samples[unit_below(&random, (uint32_t)i + 1)].tsval;
			samples[i].recorded_at = (uint32_t)unit_random(&random);
			samples[i].has_timestamp = unit_below(&random, 8) > 0;
		}
		clocks_judge(samples, COUNT(samples), &verdict);
		assert_in_range(verdict.why, 0, CLOCKS_WHYS - 1);
		assert_in_range(verdict.clock_count, 0, CLOCKS_MOST);
		clocks_judge(samples, CLOCKS_SAMPLES, &again);
		assert_memory_equal(verdict.clock_of, again.clock_of, sizeof(again.clock_of));
		assert_int_equal(verdict.machines, again.machines);
	}
}

static void test_names(void **state)
{
	size_t i, j;

	(void)state;
	for (i = 0; i < CLOCKS_WHYS; i++) {
		assert_true(strlen(clocks_why_text((enum clocks_why)i)) > 0);
		for (j = 0; j < i; j++)
			assert_string_not_equal(clocks_why_name((enum clocks_why)i),
						clocks_why_name((enum clocks_why)j));
	}
	assert_string_equal(clocks_why_name(CLOCKS_SEVERAL), "several-clocks");
	assert_string_equal(clocks_why_name(CLOCKS_RANDOM), "random-offset");
	assert_string_equal(clocks_why_text(CLOCKS_SEVERAL), "several clocks");
	assert_string_equal(clocks_why_text(CLOCKS_RANDOM), "random offset per connection");
}

int main(void)
{
	struct CMUnitTest tests[COUNT(kinds) + 7];
	size_t i;

	/* Rates by chance: a build must not fail by that. */
	setenv("SEED", "1", 0);
	seed = unit_seed("clocks");
	for (i = 0; i < COUNT(kinds); i++)
		tests[i] = unit_row(kinds[i].name, test_kind, &kinds[i]);
	tests[i++] = unit_row("label given, label true", test_confusion, NULL);
	tests[i++] = unit_row("nothing to judge", test_nothing, NULL);
	tests[i++] = unit_row("two lines in detail", test_two_lines, NULL);
	tests[i++] = unit_row("a clock that is slewed", test_slewed, NULL);
	tests[i++] = unit_row("a few off the line", test_strays, NULL);
	tests[i++] = unit_row("noise", test_noise, NULL);
	tests[i++] = unit_row("names", test_names, NULL);
	printf("# %-33s %5s %6s %6s %6s %6s %6s %6s\n", "percent", "cases", "right", "sure",
	       "wrong", "exact", "low", "high");
	return cmocka_run_group_tests_name("clocks", tests, NULL, NULL);
}
