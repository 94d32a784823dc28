/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds src/source/merge.c to the promise that profiles whose key is the peer alone stay exact
 * though --queue-balance spreads one peer's address pairs over queues: whatever the receivers and
 * the analyst do meanwhile, the mirror is shown all SYNs once, in the order of their arrival
 * stamps, and so its outcomes are those of a mirror that had all of them from one queue.
 *
 * Receivers and analyst are simulated in one thread, by a clock of the test's own. A receiver may
 * be descheduled between any two of its steps, at times for seconds: with a batch from the kernel
 * but before it reads the clock, after it has read it but before it says so, and before it shows
 * the batch. merge.c is compiled in, and wherever it looks at a ring, others may have run just
 * before: so every way of interleaving them can come about, not only those that a scheduler gives.
 * merge_order_32.c has the same with the words of 32-bit systems.
 *
 * That the order matters is part of the test: a mirror that gets the SYNs as they were published
 * must come to other outcomes, unless the profile's key holds the address pair.
 */
#include "unit.h"

#ifdef WORD_32
#define long int
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion" /* of 1UL */
#endif
#define ring_new	      tested_ring_new
#define ring_free	      tested_ring_free
#define ring_room	      tested_ring_room
#define ring_free_slot	      tested_ring_free_slot
#define ring_begin_anew	      tested_ring_begin_anew
#define ring_stamp_begin      tested_ring_stamp_begin
#define ring_stamp	      tested_ring_stamp
#define ring_publish	      tested_ring_publish
#define ring_shown_up_to      tested_ring_shown_up_to
#define ring_counters	      tested_ring_counters
#define ring_counters_mutable tested_ring_counters_mutable
#define ring_restrict	      tested_ring_restrict
#define ring_take_over	      tested_ring_take_over
#define ring_peek	      tested_ring_peek
#define ring_begin	      tested_ring_begin
#define ring_release	      tested_ring_release
#include "../../src/source/ring.c"
#undef ring_shown_up_to
#undef ring_peek
#undef ring_begin
#undef ring_release

static void meanwhile(void);

#define ring_shown_up_to(ring, ns) (meanwhile(), tested_ring_shown_up_to(ring, ns))
#define ring_peek(ring)		   (meanwhile(), tested_ring_peek(ring))
#define ring_begin(ring)	   (meanwhile(), tested_ring_begin(ring))
#define ring_release(ring)	   (meanwhile(), tested_ring_release(ring))
#define merge_start		   tested_merge_start
#define merge_horizon		   tested_merge_horizon
#define merge_next		   tested_merge_next
#define merge_release		   tested_merge_release
#include "../../src/source/merge.c"
#ifdef WORD_32
#undef long
#pragma GCC diagnostic pop
#endif

#include "syn.h"

#define SYNS	   6000 /* a round */
#define RINGS_MOST 16
#define SLOTS	   1024
#define BATCH	   64
#define PEERS	   3
#define HOSTS	   6
#define CLOCKS	   3
#define US	   1000ULL
#define MS	   1000000ULL
#define SEC	   1000000000ULL
#define SLACK_NS   (4 * MS) /* of ring_shown_up_to() */

/* Where a receiver is, and what it does next. */
enum step { RECEIVE, READ_CLOCK, STAMP, PUBLISH };

struct receiver {
	struct ring *ring;
	enum step step;
	uint64_t wakes_ns;    /* not before then */
	uint32_t queue[SYNS]; /* the kernel's, SYNs by number */
	size_t queued, taken;
	uint32_t batch[BATCH];
	size_t count;
	bool spilled;
	uint64_t order_ns, last_ns; /* of the batch; what the ring was told last */
};

/* SYNs by number, in some order. */
struct list {
	uint32_t syn[SYNS];
	size_t count;
};

struct world {
	uint64_t dice, now_ns, wall_ahead_ns, next_syn_ns;
	size_t count;
	struct ring *rings[RINGS_MOST], views[RINGS_MOST]; /* the analyst's */
	struct receiver receivers[RINGS_MOST];
	struct merge merge;
	struct synpaws_mirror *mirror;
	uint32_t clock[PEERS][CLOCKS];
	struct synpaws_segment syn[SYNS];
	struct synpaws_outcome outcome[SYNS];
	struct list stamped, published, shown;
	size_t syns, spilled;
	bool alone; /* nobody else runs */
};

static struct world world;
static uint64_t seed;

static bool one_in(uint32_t n)
{
	return unit_below(&world.dice, n) == 0;
}

static uint64_t random_ns(uint64_t most)
{
	return unit_random(&world.dice) % (most + 1);
}

static void add(struct list *list, uint32_t number)
{
	assert_true(list->count < SYNS);
	list->syn[list->count++] = number;
}

/* The queue of an address pair, as --queue-balance chooses it: any function of the pair alone. */
static size_t queue_of(const struct synpaws_segment *seg)
{
	const uint32_t pair = (uint32_t)(seg->source[15] + seg->source[3]) * HOSTS +
			      seg->destination[15] + seg->destination[3] + seg->ip_version;

	return (pair * 2654435761U >> 16) % world.count;
}

static void syn_comes(void)
{
	const uint32_t number = (uint32_t)world.syns++;
	const uint32_t peer = unit_below(&world.dice, PEERS);
	struct synpaws_segment *seg = &world.syn[number];
	struct receiver *receiver;

	seg->flags = SYNPAWS_SYN;
	seg->ip_version = one_in(3) ? 6 : 4;
	seg->source[0] = 198;
	seg->destination[0] = 10;
	seg->source[seg->ip_version == 6 ? 15 : 3] = (uint8_t)peer;
	seg->destination[seg->ip_version == 6 ? 15 : 3] = (uint8_t)unit_below(&world.dice, HOSTS);
	seg->has_timestamp = !one_in(12);
	if (seg->has_timestamp)
		seg->tsval = world.clock[peer][unit_below(&world.dice, CLOCKS)] +
			     (uint32_t)(world.now_ns / MS) - unit_below(&world.dice, 4);
	receiver = &world.receivers[queue_of(seg)];
	receiver->queue[receiver->queued++] = number;
	world.next_syn_ns = world.now_ns + random_ns(one_in(10) ? 20 * MS : 300 * US);
	if (one_in(400)) /* to where stamps go stale */
		world.wall_ahead_ns += (57 + unit_below(&world.dice, 6)) * SEC;
}

/* How long it may take a thread to come to its next step. */
static uint64_t delay_ns(void)
{
	const uint32_t luck = unit_below(&world.dice, 1000);

	if (luck < 500)
		return 0;
	if (luck < 900)
		return random_ns(400 * US);
	return random_ns(luck < 997 ? 10 * MS : 4 * SEC);
}

static void receive(struct receiver *receiver)
{
	const size_t waiting = receiver->queued - receiver->taken;
	size_t want = 1 + unit_below(&world.dice, BATCH), i;

	if (waiting == 0)
		return;
	want = want < waiting ? want : waiting;
	receiver->count = ring_room(receiver->ring, want);
	receiver->spilled = receiver->count == 0;
	if (receiver->spilled)
		receiver->count = want;
	for (i = 0; i < receiver->count; i++) {
		receiver->batch[i] = receiver->queue[receiver->taken++];
		if (!receiver->spilled)
			memcpy(ring_free_slot(receiver->ring, i)->bytes, &receiver->batch[i],
			       sizeof(uint32_t));
	}
	ring_stamp_begin(receiver->ring);
	receiver->step = READ_CLOCK;
}

/* No two show the same, so that there is one right order. */
static void read_clock(struct receiver *receiver)
{
	size_t i;

	receiver->order_ns = ++world.now_ns;
	receiver->step = STAMP;
	for (i = 0; i < receiver->count; i++) {
		struct synpaws_segment *seg = &world.syn[receiver->batch[i]];

		seg->order_ns = receiver->order_ns;
		seg->time_ns = receiver->order_ns + world.wall_ahead_ns;
		seg->second = (uint32_t)(UNIT_SECOND + seg->time_ns / SEC);
		if (!receiver->spilled)
			add(&world.stamped, receiver->batch[i]);
	}
}

static void stamp(struct receiver *receiver)
{
	ring_stamp(receiver->ring, receiver->order_ns);
	receiver->last_ns = receiver->order_ns;
	receiver->step = PUBLISH;
}

static void publish(struct receiver *receiver)
{
	const size_t shown = receiver->spilled ? 0 : receiver->count;
	size_t i;

	for (i = 0; i < shown; i++) {
		ring_free_slot(receiver->ring, i)->order_ns = receiver->order_ns;
		add(&world.published, receiver->batch[i]);
	}
	ring_publish(receiver->ring, shown);
	world.spilled += receiver->count - shown;
	receiver->step = RECEIVE;
}

static void run_receiver(struct receiver *receiver)
{
	if (world.now_ns < receiver->wakes_ns)
		return;
	if (receiver->step == RECEIVE)
		receive(receiver);
	else if (receiver->step == READ_CLOCK)
		read_clock(receiver);
	else if (receiver->step == STAMP)
		stamp(receiver);
	else
		publish(receiver);
	receiver->wakes_ns = world.now_ns + delay_ns();
}

static void run_others(uint64_t ns)
{
	size_t i;

	world.now_ns += ns;
	while (world.syns < SYNS && world.now_ns >= world.next_syn_ns)
		syn_comes();
	for (i = 0; i < world.count; i++) {
		if (one_in(2))
			run_receiver(&world.receivers[i]);
	}
}

static void meanwhile(void)
{
	if (!world.alone && one_in(4))
		run_others(random_ns(20 * US));
}

static void show(const struct ring_slot *slot)
{
	uint32_t number;

	memcpy(&number, slot->bytes, sizeof(number));
	assert_true(number < world.syns && slot->order_ns == world.syn[number].order_ns);
	if (world.shown.count > 0) /* said here, it is easier to look into */
		assert_true(slot->order_ns >=
			    world.syn[world.shown.syn[world.shown.count - 1]].order_ns);
	add(&world.shown, number);
	world.outcome[number] = syn_judge(world.mirror, &world.syn[number]);
}

/* The analyst looks at the rings; it may be slow between the clock and the rings, too. */
static void look(size_t most)
{
	const uint64_t now_ns = world.now_ns;
	const struct ring_slot *slot;
	uint64_t horizon_ns;
	size_t taken;

	meanwhile();
	horizon_ns = merge_horizon(&world.merge, now_ns);
	assert_true(horizon_ns <= now_ns);
	for (taken = 0; taken < most; taken++) {
		slot = merge_next(&world.merge, horizon_ns);
		if (slot == NULL)
			break;
		assert_true(slot->order_ns <= now_ns);
		show(slot);
		if (one_in(20))
			merge_release(&world.merge);
	}
	merge_release(&world.merge);
}

/* While nobody else runs, all is shown that came before the first batch in hand, but for the slack.
 */
static void look_at_all(void)
{
	uint64_t limit_ns = world.now_ns;
	size_t i;

	world.alone = true;
	look(SIZE_MAX);
	for (i = 0; i < world.count; i++) {
		const struct receiver *receiver = &world.receivers[i];

		if (receiver->step != RECEIVE && receiver->last_ns < limit_ns + SLACK_NS)
			limit_ns = receiver->last_ns > SLACK_NS ? receiver->last_ns - SLACK_NS : 0;
	}
	for (i = 0; i < world.count; i++) {
		const struct ring_slot *slot = ring_peek(world.rings[i]);

		assert_true(slot == NULL || slot->order_ns > limit_ns);
	}
	world.alone = false;
}

static struct synpaws_mirror *make_mirror(const struct synpaws_profile *profile)
{
	const struct synpaws_mirror_config config = { .profile = profile,
						      .peers = 1000,
						      .hash_key = { 3, 1, 4 } };
	struct synpaws_mirror *mirror = syn_mirror(config);

	assert_non_null(mirror);
	return mirror;
}

static bool same(const struct synpaws_outcome *a, const struct synpaws_outcome *b)
{
	return a->fate == b->fate && a->predicted == b->predicted && a->guess == b->guess &&
	       a->contradicted == b->contradicted && a->answer == b->answer &&
	       a->recorded == b->recorded && a->recorded_tsval == b->recorded_tsval &&
	       a->recorded_at == b->recorded_at && a->behind == b->behind && a->age == b->age &&
	       a->wait == b->wait;
}

/* How many outcomes differ from those of another mirror, which is shown the SYNs in this order. */
static size_t differences(const struct synpaws_profile *profile, const struct list *list)
{
	struct synpaws_mirror *mirror = make_mirror(profile);
	struct synpaws_outcome outcome;
	size_t i, n = 0;

	for (i = 0; i < list->count; i++) {
		outcome = syn_judge(mirror, &world.syn[list->syn[i]]);
		n += !same(&outcome, &world.outcome[list->syn[i]]);
	}
	synpaws_mirror_free(mirror);
	return n;
}

static void begin(const struct synpaws_profile *profile, size_t count, uint64_t dice)
{
	size_t i, k;

	memset(&world, 0, sizeof(world));
	world.dice = dice;
	/* Soon the stamp of 32-bit systems goes round. */
	world.now_ns = ((1ULL + unit_below(&world.dice, 3)) << 52) - random_ns(8 * SEC);
	world.count = count;
	world.mirror = make_mirror(profile);
	for (i = 0; i < count; i++) {
		struct receiver *receiver = &world.receivers[i];

		receiver->ring = ring_new(one_in(3) ? 256 : SLOTS);
		world.views[i] = *receiver->ring;
		world.rings[i] = &world.views[i];
		if (sizeof(receiver->ring->last) == 8 && one_in(2))
			continue; /* one that has never had a batch */
		ring_stamp(receiver->ring, receiver->last_ns = world.now_ns);
		ring_publish(receiver->ring, 0);
	}
	for (i = 0; i < PEERS; i++) {
		for (k = 0; k < CLOCKS; k++)
			world.clock[i][k] = (uint32_t)(i + k * 50000);
	}
	merge_start(&world.merge, world.rings, count);
}

static void run_round(const struct synpaws_profile *profile, size_t count, uint64_t dice,
		      size_t *drops, size_t *moved)
{
	size_t i;

	begin(profile, count, dice);
	while (world.published.count + world.spilled < SYNS) {
		run_others(random_ns(one_in(20) ? 30 * MS : 200 * US));
		if (one_in(4))
			look(one_in(3) ? SIZE_MAX : unit_below(&world.dice, 40));
		if (one_in(20))
			look_at_all();
	}
	look_at_all();
	assert_int_equal(world.shown.count + world.spilled, SYNS);
	assert_true(world.spilled < SYNS / 2);
	assert_int_equal(world.shown.count, world.stamped.count);
	assert_memory_equal(world.shown.syn, world.stamped.syn,
			    world.shown.count * sizeof(world.shown.syn[0]));
	assert_int_equal(differences(profile, &world.stamped), 0);
	*moved += differences(profile, &world.published);
	for (i = 0; i < world.shown.count; i++)
		*drops += world.outcome[world.shown.syn[i]].fate == SYNPAWS_FATE_PAWS_DROP;
	for (i = 0; i < count; i++)
		ring_free(world.receivers[i].ring);
	synpaws_mirror_free(world.mirror);
}

static void test_many_queues_are_as_good_as_one(void **state)
{
	static const size_t counts[] = { 1, 2, 2, 3, 4, 7, 8, 16 };
	const struct synpaws_profile *profile = *state;
	uint64_t dice = seed;
	size_t drops = 0, moved = 0, i;

	for (i = 0; i < COUNT(counts); i++)
		run_round(profile, counts[i], unit_random(&dice), &drops, &moved);
	/* A run that is all of one kind, or in which order does not matter, would show nothing. */
	assert_in_range(drops, COUNT(counts) * SYNS / 10, COUNT(counts) * SYNS * 9 / 10);
	if (profile->key == SYNPAWS_KEY_PEER)
		assert_true(moved > COUNT(counts) * SYNS / 200);
	else
		assert_int_equal(moved, 0); /* the SYNs of a pair are all in one queue */
}

int main(void)
{
	struct CMUnitTest merge_order[16];
	const struct synpaws_profile *profile;
	size_t n = 0;

	seed = unit_seed("merge_order");
	for (; (profile = synpaws_profile_at(n)) != NULL; n++)
		merge_order[n] =
			unit_row(profile->name, test_many_queues_are_as_good_as_one, profile);
	return _cmocka_run_group_tests("merge_order", merge_order, n, NULL, NULL);
}
