/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds synpaws_mirror_take_batch() to being synpaws_mirror_take() for one segment after another:
 * it looks segments up ahead of those before them, and nothing that these change may show.
 *
 * Two mirrors see the same random segments, the one singly, the other in batches of random sizes,
 * and between these time passes and facts are told. The tables are small, so that what has been
 * looked up is evicted before it is used; few addresses and ports meet again and again, most often
 * within the same batch, and often enough as proper conversations that records are written, taken
 * back, and contradicted. Compared are all outcomes, in order and in every field, with the
 * segments that they are of, and what the mirrors count.
 */
#include "unit.h"

#include "syn.h"

#define SEGMENTS   60000 /* a cell */
#define BATCH_MOST 80
#define PEERS	   60
#define HOSTS	   4
#define PORTS	   3
#define TALKS	   24
#define HEARD_MOST 512
#define MS	   1000000ULL
#define SEC	   1000000000ULL

static const char *const profiles[] = { "2.6.32", "3.10", "4.x" };

static const enum synpaws_evidence evidences[] = { SYNPAWS_EVIDENCE_SYN, SYNPAWS_EVIDENCE_CLOSE,
						   SYNPAWS_EVIDENCE_ANSWER, SYNPAWS_EVIDENCE_FULL };

/* A mirror of its own, of segments of one IP version or of both. */
struct cell {
	const char *profile;
	enum synpaws_evidence evidence;
	bool four, six;
	char name[40];
};

struct heard {
	size_t count;
	struct synpaws_segment syn[HEARD_MOST];
	struct synpaws_outcome outcome[HEARD_MOST];
};

/* A connection under way; both ends number what they say, mostly. */
struct talk {
	struct synpaws_segment in; /* its ends, from the peer's side */
	uint32_t peer_next, host_next, steps;
	uint16_t ip_id;
	uint32_t clock;
};

struct world {
	uint64_t dice, now_ns, ahead_ns;
	const struct cell *cell;
	bool gateway, all_are_hosts;
	struct talk talks[TALKS];
	struct synpaws_mirror *single, *batched;
	struct heard heard[2];
	uint64_t outcomes, drops;
};

static struct world w;
static uint64_t seed;

static bool one_in(uint32_t n)
{
	return unit_below(&w.dice, n) == 0;
}

static void hear(void *context, const struct synpaws_segment *syn,
		 const struct synpaws_outcome *outcome)
{
	struct heard *heard = context;

	assert_true(heard->count < HEARD_MOST);
	heard->syn[heard->count] = *syn;
	heard->outcome[heard->count++] = *outcome;
}

static void put_address(uint8_t address[16], bool six, uint8_t net, uint32_t number)
{
	memset(address, 0, 16);
	address[0] = net;
	address[six ? 15 : 3] = (uint8_t)number;
}

static void new_talk(struct talk *talk)
{
	const bool six = w.cell->six && (!w.cell->four || one_in(2));

	memset(talk, 0, sizeof(*talk));
	talk->in.ip_version = six ? 6 : 4;
	put_address(talk->in.source, six, 198, unit_below(&w.dice, one_in(2) ? PEERS : 3));
	/* Some hosts are nobody's, and some peers are hosts too. */
	put_address(talk->in.destination, six, 10, unit_below(&w.dice, HOSTS));
	if (one_in(8))
		put_address(talk->in.source, six, 10, unit_below(&w.dice, HOSTS));
	talk->in.source_port = (uint16_t)(40000 + unit_below(&w.dice, 4));
	talk->in.destination_port = (uint16_t)(8000 + unit_below(&w.dice, PORTS));
	talk->peer_next = (uint32_t)unit_random(&w.dice);
	talk->host_next = (uint32_t)unit_random(&w.dice);
	talk->clock = unit_below(&w.dice, 3) * 0x30000000;
	talk->ip_id = (uint16_t)unit_random(&w.dice);
}

static void turn_round(struct synpaws_segment *seg)
{
	const struct synpaws_segment in = *seg;

	memcpy(seg->source, in.destination, 16);
	memcpy(seg->destination, in.source, 16);
	seg->source_port = in.destination_port;
	seg->destination_port = in.source_port;
}

static void fill(struct synpaws_segment *seg, struct talk *talk, bool out, uint8_t flags)
{
	*seg = talk->in;
	if (out)
		turn_round(seg);
	seg->flags = flags;
	seg->way = w.gateway || one_in(2) ? SYNPAWS_WAY_ANY
		   : out		  ? SYNPAWS_WAY_OUT
					  : SYNPAWS_WAY_IN;
	seg->forwarded = w.gateway;
	seg->window_scale = (flags & SYNPAWS_SYN) != 0 ? 7 : -1;
	seg->sack_permitted = (flags & SYNPAWS_SYN) != 0;
	seg->has_timestamp = !one_in(20);
	if (seg->has_timestamp)
		seg->tsval = talk->clock + (uint32_t)(w.now_ns / MS) - (one_in(9) ? 5000 : 0);
	seg->seq = out ? talk->host_next : talk->peer_next;
	seg->ack = out ? talk->peer_next : talk->host_next;
	if ((flags & SYNPAWS_ACK) == 0)
		seg->ack = 0;
	if (one_in(25))
		seg->seq += unit_below(&w.dice, 5) - 2;
	seg->payload = flags == SYNPAWS_ACK && one_in(2) ? 100 : 0;
	seg->window = 500;
	seg->ip_id = out && seg->ip_version == 4 && !one_in(4) ? ++talk->ip_id : 0;
	if (out)
		talk->host_next += seg->payload + ((flags & (SYNPAWS_SYN | SYNPAWS_FIN)) != 0);
	else
		talk->peer_next += seg->payload + ((flags & (SYNPAWS_SYN | SYNPAWS_FIN)) != 0);
}

/* The next of a conversation that the host ends, or anything. */
static void next_segment(struct synpaws_segment *seg)
{
	static const struct {
		bool out;
		uint8_t flags;
	} usual[] = {
		{ false, SYNPAWS_SYN }, { true, SYNPAWS_SYN | SYNPAWS_ACK },
		{ false, SYNPAWS_ACK }, { true, SYNPAWS_ACK },
		{ false, SYNPAWS_ACK }, { true, SYNPAWS_FIN | SYNPAWS_ACK },
		{ false, SYNPAWS_ACK }, { false, SYNPAWS_FIN | SYNPAWS_ACK },
		{ true, SYNPAWS_ACK },
	};
	struct talk *talk = &w.talks[unit_below(&w.dice, one_in(3) ? TALKS : 3)];
	uint8_t flags = (uint8_t)unit_random(&w.dice) & 0x17;
	bool out = one_in(2);

	if (talk->steps >= COUNT(usual) || one_in(40))
		new_talk(talk);
	if (!one_in(12)) {
		out = usual[talk->steps].out;
		flags = usual[talk->steps].flags;
		talk->steps++;
	}
	if (one_in(15) && talk->steps > 1) /* a host in a hurry: by an RST */
		flags = SYNPAWS_RST;
	w.now_ns += one_in(4) ? unit_random(&w.dice) % MS : unit_random(&w.dice) % 20000;
	fill(seg, talk, out, flags);
	seg->order_ns = w.now_ns;
	seg->time_ns = w.now_ns + w.ahead_ns;
	seg->second = (uint32_t)(seg->time_ns / SEC);
}

static bool same_outcome(const struct synpaws_outcome *a, const struct synpaws_outcome *b)
{
	return a->fate == b->fate && a->predicted == b->predicted && a->guess == b->guess &&
	       a->contradicted == b->contradicted && a->answer == b->answer &&
	       a->recorded == b->recorded && a->recorded_tsval == b->recorded_tsval &&
	       a->recorded_at == b->recorded_at && a->behind == b->behind && a->age == b->age &&
	       a->wait == b->wait;
}

static bool same_syn(const struct synpaws_segment *a, const struct synpaws_segment *b)
{
	return a->time_ns == b->time_ns && a->order_ns == b->order_ns && a->second == b->second &&
	       a->ip_version == b->ip_version && a->seq == b->seq && a->tsval == b->tsval &&
	       a->source_port == b->source_port && a->destination_port == b->destination_port &&
	       memcmp(a->source, b->source, 16) == 0 &&
	       memcmp(a->destination, b->destination, 16) == 0;
}

static void compare_heard(void)
{
	struct heard *a = &w.heard[0], *b = &w.heard[1];
	size_t i;

	assert_int_equal(a->count, b->count);
	for (i = 0; i < a->count; i++) {
		assert_true(same_syn(&a->syn[i], &b->syn[i]));
		assert_true(same_outcome(&a->outcome[i], &b->outcome[i]));
		w.drops += a->outcome[i].fate == SYNPAWS_FATE_PAWS_DROP;
	}
	w.outcomes += a->count;
	a->count = b->count = 0;
}

static struct synpaws_mirror_stats compare_stats(void)
{
	struct synpaws_mirror_stats a, b;

	memset(&a, 0, sizeof(a)); /* for what lies between the fields */
	memset(&b, 0, sizeof(b));
	synpaws_mirror_stats(w.single, &a);
	synpaws_mirror_stats(w.batched, &b);
	assert_int_equal(a.evicted, b.evicted);
	assert_int_equal(a.peers, b.peers);
	assert_int_equal(a.segments, b.segments);
	assert_int_equal(a.syns, b.syns);
	assert_int_equal(a.answers, b.answers);
	assert_int_equal(a.ends, b.ends);
	assert_int_equal(a.flows, b.flows);
	assert_int_equal(a.flows_evicted, b.flows_evicted);
	assert_int_equal(a.unsettled, b.unsettled);
	assert_int_equal(a.records, b.records);
	assert_int_equal(a.undone, b.undone);
	assert_int_equal(a.guesses, b.guesses);
	assert_int_equal(a.contradicted, b.contradicted);
	assert_memory_equal(&a, &b, sizeof(a));
	return a;
}

/* What happens between two batches. */
static void pass(void)
{
	static const uint64_t pauses[] = { 50 * MS, 200 * MS, 3 * SEC, 61 * SEC };
	const uint16_t port = (uint16_t)(8000 + unit_below(&w.dice, PORTS));
	const enum synpaws_fact fact = (enum synpaws_fact)unit_below(&w.dice, SYNPAWS_FACT_KINDS);
	const bool is_true = one_in(2);

	if (one_in(10))
		w.now_ns += pauses[unit_below(&w.dice, one_in(5) ? COUNT(pauses) : 2)];
	if (one_in(5)) {
		synpaws_mirror_advance(w.single, w.now_ns);
		synpaws_mirror_advance(w.batched, w.now_ns);
	}
	if (one_in(300))
		w.ahead_ns += 70 * SEC;
	if (one_in(300) && w.cell->evidence != SYNPAWS_EVIDENCE_SYN) {
		synpaws_mirror_tell(w.single, port, fact, is_true, 2, SYNPAWS_SOURCE_SOCKETS);
		synpaws_mirror_tell(w.batched, port, fact, is_true, 2, SYNPAWS_SOURCE_SOCKETS);
	}
}

static struct synpaws_mirror *make_mirror(struct heard *heard, int tw_recycle)
{
	static struct synpaws_prefix hosts[] = { { 4, 31, { 10 } }, { 6, 127, { 10 } } };
	const struct synpaws_mirror_config config = {
		.profile = synpaws_profile_find(w.cell->profile),
		.evidence = w.cell->evidence,
		.peers = 16,
		.flows = 16,
		.hosts = hosts,
		.host_count = w.all_are_hosts ? 0 : COUNT(hosts),
		.sysctls = { .tcp_fin_timeout = 60,
			     .tcp_syncookies = 1,
			     .tcp_timestamps = true,
			     .tcp_tw_recycle = (int8_t)tw_recycle },
		.hash_key = { 1, 4, 1, 4 },
		.emit = hear,
		.context = heard,
	};
	struct synpaws_mirror *mirror = synpaws_mirror_new(&config);

	assert_non_null(mirror);
	return mirror;
}

static void begin(const struct cell *cell, uint64_t dice)
{
	int tw_recycle;
	size_t i;

	memset(&w, 0, sizeof(w));
	w.dice = dice;
	w.cell = cell;
	w.now_ns = 1000 * SEC;
	w.ahead_ns = UNIT_SECOND * SEC;
	w.gateway = one_in(3);
	w.all_are_hosts = one_in(3);
	tw_recycle = (int)unit_below(&w.dice, 3) - 1;
	w.single = make_mirror(&w.heard[0], tw_recycle);
	w.batched = make_mirror(&w.heard[1], tw_recycle);
	for (i = 0; i < TALKS; i++)
		new_talk(&w.talks[i]);
}

static void run(size_t segments)
{
	struct synpaws_segment segs[BATCH_MOST];
	size_t done = 0, count, i;

	while (done < segments) {
		count = one_in(3) ? unit_below(&w.dice, 3) : 1 + unit_below(&w.dice, BATCH_MOST);
		for (i = 0; i < count; i++)
			next_segment(&segs[i]);
		for (i = 0; i < count; i++)
			synpaws_mirror_take(w.single, &segs[i]);
		synpaws_mirror_take_batch(w.batched, segs, count);
		memset(segs, 0xee, sizeof(segs)); /* they are the caller's again */
		compare_heard();
		compare_stats();
		pass();
		done += count;
	}
	synpaws_mirror_flush(w.single);
	synpaws_mirror_flush(w.batched);
	compare_heard();
}

static void test_a_batch_is_one_after_another(void **state)
{
	const struct cell *cell = *state;
	struct synpaws_mirror_stats sum = { 0 }, stats;
	uint64_t dice = seed ^ (uint64_t)cell->evidence << 32, outcomes = 0, drops = 0;
	int round;

	for (round = 0; round < 6; round++) {
		begin(cell, unit_random(&dice));
		run(SEGMENTS / 6);
		stats = compare_stats();
		outcomes += w.outcomes;
		drops += w.drops;
		sum.evicted += stats.evicted;
		sum.flows_evicted += stats.flows_evicted;
		sum.records += stats.records;
		sum.contradicted += stats.contradicted;
		synpaws_mirror_free(w.single);
		synpaws_mirror_free(w.batched);
	}
	/* Worlds in which nothing happens would show nothing. */
	assert_true(outcomes > SEGMENTS / 50);
	if (cell->six && !cell->four && strcmp(cell->profile, "2.6.32") == 0)
		return; /* not checked, not recorded */
	assert_true(sum.evicted > 0);
	assert_true(drops > 100);
	if (cell->evidence == SYNPAWS_EVIDENCE_SYN)
		return;
	assert_true(sum.records > 100 && sum.flows_evicted > 0);
	assert_true(cell->evidence == SYNPAWS_EVIDENCE_CLOSE || sum.contradicted > 0);
}

int main(void)
{
	static struct cell cells[COUNT(profiles) * COUNT(evidences) * 3];
	struct CMUnitTest take_batch[COUNT(cells)];
	size_t i;

	seed = unit_seed("take_batch");
	for (i = 0; i < COUNT(cells); i++) {
		struct cell *cell = &cells[i];

		cell->profile = profiles[i / 3 / COUNT(evidences)];
		cell->evidence = evidences[i / 3 % COUNT(evidences)];
		cell->four = i % 3 != 1;
		cell->six = i % 3 != 0;
		snprintf(cell->name, sizeof(cell->name), "%s, %s, IPv%s", cell->profile,
			 synpaws_evidence_name(cell->evidence),
			 !cell->six    ? "4"
			 : !cell->four ? "6"
				       : "4 and IPv6");
		take_batch[i] = unit_row(cell->name, test_a_batch_is_one_after_another, cell);
	}
	return cmocka_run_group_tests(take_batch, NULL, NULL);
}
