/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds src/core/mirror.c to a second, slow model over long random runs: a plain array of stamps,
 * with the check and the write as kernel-semantics.md, section 0, gives them, and with rules of its
 * own for each profile. The two share no code, no table and no way to do arithmetic: here all is
 * done in 64 bits, and what wraps is reduced by hand.
 *
 * The runs keep to what is near an edge: few peers, clocks that lie a few ticks or half a circle
 * apart, times around 60 s, steps of the wall clock either way, and seconds that wrap; these not
 * with 2.6.32, whose seconds are unsigned long and do not wrap where they have 64 bits.
 */
#include "unit.h"

#include <synpaws/mirror.h>

#include "syn.h"

#define SYNS	 300000 /* a profile */
#define PEERS	 5
#define HOSTS	 4 /* the last of them is watched by nobody */
#define ANY_HOST HOSTS
#define CIRCLE	 0x100000000LL

/* The table of mirror profiles, and A.2. */
struct rules {
	const char *profile;
	bool drops_without_timestamp;
	bool age_is_plain; /* now < stamp + 60 */
	bool by_host;
	bool ipv6;
};

static const struct rules all_rules[] = {
	{ "2.6.32", false, true, false, false }, { "el6", false, true, false, false },
	{ "3.2", false, false, false, true },	 { "3.10", false, false, false, true },
	{ "3.16", false, false, true, true },	 { "el7", true, false, true, true },
	{ "4.x", true, false, true, true },
};

struct record {
	bool made;
	int64_t ts, stamp;
};

struct model {
	const struct rules *rules;
	struct record records[2][PEERS][HOSTS + 1];
};

/* s32(a - b) */
static int64_t signed_difference(int64_t a, int64_t b)
{
	const int64_t d = (a - b + CIRCLE) % CIRCLE;

	return d >= CIRCLE / 2 ? d - CIRCLE : d;
}

/* u32(now - stamp) */
static int64_t age(int64_t now, int64_t stamp)
{
	return (now - stamp + CIRCLE) % CIRCLE;
}

/* How long a SYN from behind would go on being dropped; 0 if the record does not count. */
static int64_t counts_for(const struct rules *rules, const struct record *record, int64_t now)
{
	int64_t left = 60 - age(now, record->stamp);

	if (rules->age_is_plain)
		left = record->stamp + 60 - now;
	return left > 0 ? left : 0;
}

static bool expired(const struct rules *rules, const struct record *record, int64_t now)
{
	return rules->age_is_plain ? record->stamp + 60 < now : age(now, record->stamp) > 60;
}

static void write_record(const struct rules *rules, struct record *record, int64_t nts, int64_t now)
{
	record->made = true;
	if (signed_difference(record->ts, nts) <= 0 ||
	    (expired(rules, record, now) && record->stamp <= now)) {
		record->ts = nts;
		record->stamp = now;
	}
}

static bool drops(const struct rules *rules, const struct record *record,
		  const struct synpaws_segment *seg)
{
	if (counts_for(rules, record, seg->second) == 0)
		return false;
	if (!seg->has_timestamp)
		return rules->drops_without_timestamp;
	return signed_difference(record->ts, seg->tsval) > 1;
}

static struct synpaws_outcome judge(struct model *model, const struct synpaws_segment *seg,
				    size_t peer, size_t host)
{
	const struct rules *rules = model->rules;
	const bool six = seg->ip_version == 6;
	struct record *record = &model->records[six][peer][ANY_HOST];
	struct synpaws_outcome outcome = { .fate = SYNPAWS_FATE_NONE };

	if ((seg->flags & 0x17) != 0x02 || host == HOSTS - 1)
		return outcome;
	outcome.fate = six && !rules->ipv6 ? SYNPAWS_FATE_NOT_CHECKED : SYNPAWS_FATE_PASS;
	if (outcome.fate == SYNPAWS_FATE_NOT_CHECKED)
		return outcome;
	if (rules->by_host || seg->forwarded)
		record = &model->records[six][peer][host];
	if (record->made) {
		outcome.recorded = true;
		outcome.recorded_tsval = (uint32_t)record->ts;
		outcome.recorded_at = (uint32_t)record->stamp;
		outcome.age = (int32_t)((int64_t)seg->second - (int64_t)record->stamp);
		if (seg->has_timestamp)
			outcome.behind = (int32_t)signed_difference(record->ts, seg->tsval);
		if (drops(rules, record, seg)) {
			outcome.fate = SYNPAWS_FATE_PAWS_DROP;
			outcome.wait = (uint32_t)counts_for(rules, record, seg->second);
		}
	}
	if (outcome.fate == SYNPAWS_FATE_PASS && seg->has_timestamp)
		write_record(rules, record, seg->tsval, seg->second);
	return outcome;
}

/* The wall clock: mostly it goes on a little, or to an edge; at times it steps or is far away. */
static uint32_t next_second(uint64_t *dice, uint32_t now, bool wraps)
{
	static const uint32_t edges[] = { 30, 58, 59, 60, 61, 62, 120 };
	static const uint32_t far[] = { UNIT_SECOND, 0x7ffffff0, 0xffffffe0, 0xffffff80, 20 };
	const uint32_t places = wraps ? COUNT(far) : 2;

	switch (unit_below(dice, 200)) {
	case 0:
		return now - unit_below(dice, 130);
	case 1:
		return now - 1;
	case 2:
		return now + 5000;
	case 3:
		return unit_below(dice, 20) == 0 ? far[unit_below(dice, places)] : now;
	case 4:
	case 5:
	case 6:
	case 7:
	case 8:
		return now + edges[unit_below(dice, COUNT(edges))];
	}
	return now + (unit_below(dice, 4) == 0);
}

/* One of a peer's clocks, with a little jitter: near, far and half a circle from each other. */
static uint32_t next_tsval(uint64_t *dice, size_t peer, uint32_t now)
{
	static const uint32_t clocks[] = {
		0, 1, 500, 0x7fffffff, 0x80000000, 0x80000001, 0xfffffff0
	};

	if (unit_below(dice, 100) == 0)
		return (uint32_t)unit_random(dice);
	return clocks[unit_below(dice, COUNT(clocks))] + (peer == 0 ? 0 : now * (uint32_t)peer) +
	       unit_below(dice, 4);
}

static void next_segment(uint64_t *dice, struct synpaws_segment *seg, size_t peer, size_t host,
			 bool wraps)
{
	const uint32_t now = next_second(dice, seg->second, wraps);

	memset(seg, 0, sizeof(*seg));
	seg->second = now;
	seg->ip_version = unit_below(dice, 2) != 0 ? 4 : 6;
	seg->forwarded = unit_below(dice, 3) == 0;
	seg->flags = unit_below(dice, 20) != 0 ? 0x02 : (uint8_t)unit_random(dice);
	seg->has_timestamp = unit_below(dice, 8) != 0;
	if (seg->has_timestamp)
		seg->tsval = next_tsval(dice, peer, now);
	seg->source_port = (uint16_t)unit_random(dice);
	seg->destination_port = (uint16_t)unit_random(dice);
	seg->source[seg->ip_version == 4 ? 3 : 15] = (uint8_t)peer;
	seg->source[0] = seg->ip_version == 4 ? 198 : 0x20;
	seg->destination[0] = 10;
	seg->destination[3] = (uint8_t)host;
}

static void compare(const struct synpaws_outcome *is, const struct synpaws_outcome *should,
		    const struct synpaws_segment *seg, int i)
{
	if (is->fate == should->fate && is->recorded == should->recorded &&
	    is->recorded_tsval == should->recorded_tsval &&
	    is->recorded_at == should->recorded_at && is->behind == should->behind &&
	    is->age == should->age && is->wait == should->wait)
		return;
	fail_msg("SYN %d at %u, TSval %u%s, IPv%d%s: the mirror says %s (%u at %u, behind %d, age "
		 "%u, wait %u), the model %s (%u at %u, behind %d, age %u, wait %u)",
		 i, seg->second, seg->tsval, seg->has_timestamp ? "" : " (none)", seg->ip_version,
		 seg->forwarded ? ", forwarded" : "", synpaws_fate_name(is->fate),
		 is->recorded_tsval, is->recorded_at, is->behind, is->age, is->wait,
		 synpaws_fate_name(should->fate), should->recorded_tsval, should->recorded_at,
		 should->behind, should->age, should->wait);
}

static struct synpaws_mirror *make_mirror(const struct rules *rules, uint64_t *dice)
{
	static struct synpaws_prefix hosts[2] = { { 4, 32, { 10 } }, { 6, 32, { 10 } } };
	static struct synpaws_prefix all[2 * (HOSTS - 1)];
	struct synpaws_mirror_config config = { .profile = synpaws_profile_find(rules->profile),
						.peers = 2000,
						.hosts = all,
						.host_count = COUNT(all) };
	struct synpaws_mirror *mirror;
	size_t i;

	for (i = 0; i < COUNT(all); i++) {
		all[i] = hosts[i % 2];
		all[i].address[3] = (uint8_t)(i / 2);
	}
	for (i = 0; i < sizeof(config.hash_key); i++)
		config.hash_key[i] = (uint8_t)unit_random(dice);
	mirror = syn_mirror(config);
	assert_non_null(mirror);
	return mirror;
}

static uint64_t seed;

static void test_agrees_with_the_model(void **state)
{
	static struct model model;
	struct synpaws_segment seg = { .second = UNIT_SECOND };
	struct synpaws_outcome is, should;
	unsigned int fates[SYNPAWS_FATE_KINDS] = { 0 };
	uint64_t dice = seed;
	struct synpaws_mirror *mirror;
	int i;

	memset(&model, 0, sizeof(model));
	model.rules = *state;
	mirror = make_mirror(model.rules, &dice);
	for (i = 0; i < SYNS; i++) {
		const size_t peer = unit_below(&dice, PEERS), host = unit_below(&dice, HOSTS);

		next_segment(&dice, &seg, peer, host, !model.rules->age_is_plain);
		is = syn_judge(mirror, &seg);
		should = judge(&model, &seg, peer, host);
		compare(&is, &should, &seg, i);
		fates[should.fate]++;
	}
	synpaws_mirror_free(mirror);
	/* A run that is all of one kind would show nothing. */
	assert_true(fates[SYNPAWS_FATE_PASS] > SYNS / 20);
	assert_true(fates[SYNPAWS_FATE_PAWS_DROP] > SYNS / 20);
	assert_true(fates[SYNPAWS_FATE_NONE] > SYNS / 20);
	assert_int_equal(fates[SYNPAWS_FATE_NOT_CHECKED] > 0, !model.rules->ipv6);
}

int main(void)
{
	struct CMUnitTest mirror_model[COUNT(all_rules)];
	size_t i;

	seed = unit_seed("mirror_model");
	for (i = 0; i < COUNT(all_rules); i++)
		mirror_model[i] =
			unit_row(all_rules[i].profile, test_agrees_with_the_model, &all_rules[i]);
	return cmocka_run_group_tests(mirror_model, NULL, NULL);
}
