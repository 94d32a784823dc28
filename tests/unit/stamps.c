/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds src/core/stamps.c to being a table that can be trusted when it is full: what was added is
 * found, nothing else is; `peers` peers fit with next to no loss whatever their addresses; beyond
 * that the oldest gives way, and what still counted is counted. The names of peers depend on the
 * secret key and on the addresses as the kernel's key has them, and on nothing else.
 */
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>

#include "core/stamps.h"

#define N UNIT_SECOND

static const uint8_t secret[16] = { 2, 7, 1, 8, 2, 8, 1, 8, 2, 8, 4, 5, 9, 0, 4, 5 };

static uint64_t seed;

static uint64_t peer_number(const struct stamps *stamps, uint32_t number)
{
	uint8_t address[16] = { 0 };

	number = htonl(number);
	memcpy(address, &number, sizeof(number));
	return stamps_peer(stamps, 4, address, NULL);
}

static void add(struct stamps *stamps, uint64_t peer, uint32_t tsval, uint32_t second)
{
	struct stamp *stamp = stamps_add(stamps, peer, second);

	assert_non_null(stamp);
	assert_int_equal(stamp->peer, peer);
	assert_int_equal(stamp->tsval, 0);
	assert_int_equal(stamp->second, 0);
	stamp->tsval = tsval;
	stamp->second = second;
}

static void test_finds_what_was_added_and_nothing_else(void **state)
{
	struct stamps *stamps = stamps_new(10000, secret);
	const struct stamp *stamp;
	uint32_t i;

	(void)state;
	for (i = 0; i < 10000; i += 2)
		add(stamps, peer_number(stamps, i), i ^ 0x80000001, N + i);
	for (i = 0; i < 10000; i++) {
		stamp = stamps_find(stamps, peer_number(stamps, i));
		if (i % 2 != 0) {
			assert_null(stamp);
			continue;
		}
		assert_non_null(stamp);
		assert_int_equal(stamp->tsval, i ^ 0x80000001);
		assert_int_equal(stamp->second, N + i);
	}
	assert_int_equal(stamps_count(stamps), 5000);
	assert_int_equal(stamps_evicted(stamps), 0);
	stamps_free(stamps);
}

static void test_an_empty_table(void **state)
{
	struct stamps *stamps = stamps_new(1, secret);

	(void)state;
	assert_null(stamps_find(stamps, peer_number(stamps, 1)));
	assert_int_equal(stamps_count(stamps), 0);
	assert_int_equal(stamps_evicted(stamps), 0);
	assert_int_equal(stamps_room(stamps), 1);
	assert_true(stamps_bytes(stamps) >= sizeof(struct stamp));
	stamps_free(stamps);
	stamps_free(NULL);
}

/* As many peers as there should be room for, in consecutive addresses or with random names. */
static uint64_t lost_of(size_t peers, bool scattered, uint64_t *dice)
{
	struct stamps *stamps = stamps_new(peers, secret);
	const uint32_t first = (uint32_t)unit_random(dice);
	uint64_t lost;
	size_t i;

	assert_non_null(stamps);
	for (i = 0; i < peers; i++)
		add(stamps,
		    scattered ? unit_random(dice) | 1 : peer_number(stamps, first + (uint32_t)i), 1,
		    N);
	lost = stamps_evicted(stamps);
	assert_int_equal(stamps_count(stamps) + lost, peers);
	assert_int_equal(stamps_room(stamps), peers);
	stamps_free(stamps);
	return lost;
}

/* Next to none are lost: one in a thousand, on average over many tables of that size. */
static void room_for(size_t peers)
{
	const size_t tables = peers < 100000 ? 100000 / peers + 1 : 1;
	uint64_t dice = seed, lost = 0;
	size_t i;

	for (i = 0; i < tables; i++)
		lost += lost_of(peers, i % 2 != 0, &dice);
	if (lost * 1000 >= tables * peers)
		fail_msg("room for %zu peers: %llu of %zu (in %zu tables) are lost", peers,
			 (unsigned long long)lost, tables * peers, tables);
}

static void test_room_for_as_many_as_promised_few(void **state)
{
	size_t peers;

	(void)state;
	for (peers = 1; peers <= 64; peers++)
		room_for(peers);
}

static void test_room_for_as_many_as_promised_many(void **state)
{
	(void)state;
	room_for(1000);
	room_for(65536);
	room_for(1000000);
	room_for(1 << 20);
}

/* One bucket: both choices of every peer are the same four places. */
static struct stamps *full_bucket(uint32_t oldest_place)
{
	struct stamps *stamps = stamps_new(1, secret);
	uint32_t i;

	assert_int_equal(stamps_bytes(stamps), 4 * sizeof(struct stamp));
	for (i = 0; i < 4; i++)
		add(stamps, peer_number(stamps, i), i, i == oldest_place ? N : N + 10 + i);
	return stamps;
}

static void test_the_oldest_gives_way(void **state)
{
	uint32_t oldest, i;

	(void)state;
	for (oldest = 0; oldest < 4; oldest++) {
		struct stamps *stamps = full_bucket(oldest);

		add(stamps, peer_number(stamps, 99), 5, N + 20);
		for (i = 0; i < 4; i++)
			assert_int_equal(stamps_find(stamps, peer_number(stamps, i)) == NULL,
					 i == oldest);
		assert_non_null(stamps_find(stamps, peer_number(stamps, 99)));
		assert_int_equal(stamps_count(stamps), 4);
		assert_int_equal(stamps_evicted(stamps), 1);
		stamps_free(stamps);
	}
}

static void test_only_what_still_counted_is_counted(void **state)
{
	static const struct {
		uint32_t now;
		uint64_t evicted;
	} rows[] = { { N, 1 }, { N + 59, 1 }, { N + 60, 1 }, { N + 61, 0 }, { N + 5000, 0 } };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		struct stamps *stamps = full_bucket(2);

		add(stamps, peer_number(stamps, 99), 5, rows[i].now);
		assert_null(stamps_find(stamps, peer_number(stamps, 2)));
		assert_int_equal(stamps_evicted(stamps), rows[i].evicted);
		stamps_free(stamps);
	}
}

/* Whoever is found is found with what is his, however often others were moved about. */
static uint32_t found_of(struct stamps *stamps, uint32_t peers)
{
	const struct stamp *stamp;
	uint32_t i, found = 0;

	for (i = 0; i < peers; i++) {
		stamp = stamps_find(stamps, peer_number(stamps, i));
		if (stamp == NULL)
			continue;
		assert_int_equal(stamp->tsval, ~i);
		assert_int_equal(stamp->second, N + i / 100);
		found++;
	}
	return found;
}

/* Up to many times too many, a second apart each hundred: who is not there was counted. */
static void test_what_is_lost_is_counted(void **state)
{
	static const uint32_t numbers[] = { 900, 1000, 1100, 1200, 1300, 1400, 5000 };
	uint32_t i, found;
	size_t n;

	(void)state;
	for (n = 0; n < COUNT(numbers); n++) {
		struct stamps *stamps = stamps_new(1000, secret);

		for (i = 0; i < numbers[n]; i++)
			add(stamps, peer_number(stamps, i), ~i, N + i / 100);
		found = found_of(stamps, numbers[n]);
		assert_int_equal(found, stamps_count(stamps));
		assert_int_equal(stamps_evicted(stamps), numbers[n] - found);
		/* The newest hundred are surely among them. */
		for (i = numbers[n] - 100; i < numbers[n]; i++)
			assert_non_null(stamps_find(stamps, peer_number(stamps, i)));
		stamps_free(stamps);
	}
}

static void test_refuses_what_cannot_be(void **state)
{
	(void)state;
	errno = 0;
	assert_null(stamps_new(0, secret));
	assert_int_equal(errno, EINVAL);
	errno = 0;
	assert_null(stamps_new(SIZE_MAX, secret));
	assert_int_equal(errno, EINVAL);
	errno = 0;
	assert_null(stamps_new((size_t)UINT32_MAX + 1, secret));
	assert_int_equal(errno, EINVAL);
}

static void fill(uint8_t address[16], uint8_t first)
{
	size_t i;

	for (i = 0; i < 16; i++)
		address[i] = (uint8_t)(first + i);
}

/* All names that one peer can have are different from each other. */
static void test_names_tell_versions_and_hosts_apart(void **state)
{
	struct stamps *stamps = stamps_new(1, secret);
	uint8_t peer[16], host[16];
	uint64_t names[6];
	size_t i, j;

	(void)state;
	fill(peer, 10);
	fill(host, 77);
	names[0] = stamps_peer(stamps, 4, peer, NULL);
	names[1] = stamps_peer(stamps, 4, peer, host);
	names[2] = stamps_peer(stamps, 6, peer, NULL);
	names[3] = stamps_peer(stamps, 6, peer, host);
	names[4] = stamps_peer(stamps, 4, host, peer);
	names[5] = stamps_peer(stamps, 6, host, peer);
	for (i = 0; i < COUNT(names); i++) {
		assert_int_not_equal(names[i], 0);
		for (j = 0; j < i; j++)
			assert_int_not_equal(names[i], names[j]);
	}
	assert_int_equal(stamps_peer(stamps, 4, peer, host), names[1]);
	stamps_free(stamps);
}

/* Of the 16 bytes of an IPv4 address only four are the address. */
static void test_every_bit_of_an_address_counts_and_no_other(void **state)
{
	struct stamps *stamps = stamps_new(1, secret);
	uint8_t addresses[2][16];
	uint64_t before;
	size_t which, bit;
	uint8_t version;

	(void)state;
	fill(addresses[0], 10);
	fill(addresses[1], 77);
	for (version = 4; version <= 6; version = (uint8_t)(version + 2)) {
		before = stamps_peer(stamps, version, addresses[0], addresses[1]);
		for (which = 0; which < 2; which++) {
			for (bit = 0; bit < 128; bit++) {
				addresses[which][bit / 8] ^= (uint8_t)(1U << bit % 8);
				assert_int_equal(stamps_peer(stamps, version, addresses[0],
							     addresses[1]) == before,
						 version == 4 && bit >= 32);
				addresses[which][bit / 8] ^= (uint8_t)(1U << bit % 8);
			}
		}
	}
	stamps_free(stamps);
}

static void test_names_depend_on_the_key(void **state)
{
	struct stamps *stamps = stamps_new(1, secret), *other;
	uint8_t key[16], peer[16], host[16];
	size_t bit;

	(void)state;
	fill(peer, 10);
	fill(host, 77);
	memcpy(key, secret, sizeof(key));
	for (bit = 0; bit < 8 * sizeof(key); bit++) {
		key[bit / 8] ^= (uint8_t)(1U << bit % 8);
		other = stamps_new(1, key);
		assert_int_not_equal(stamps_peer(stamps, 4, peer, NULL),
				     stamps_peer(other, 4, peer, NULL));
		assert_int_not_equal(stamps_peer(stamps, 6, peer, host),
				     stamps_peer(other, 6, peer, host));
		stamps_free(other);
		key[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
	other = stamps_new(77, key);
	assert_int_equal(stamps_peer(stamps, 4, peer, NULL), stamps_peer(other, 4, peer, NULL));
	stamps_free(other);
	stamps_free(stamps);
}

/* A name whose halves, which choose the two buckets, are `a` and `b` eighths of the table. */
static uint64_t name_of_halves(uint64_t a, uint64_t b)
{
	return b << 61 | a << 29;
}

/* Names with one half in common share a bucket, and are different peers all the same. */
static void test_names_with_a_half_in_common_stay_apart(void **state)
{
	struct stamps *stamps = stamps_new(1000, secret);
	uint32_t i;

	(void)state;
	for (i = 0; i < 4; i++)
		add(stamps, name_of_halves(5, i), i, N);
	for (i = 6; i < 8; i++)
		add(stamps, name_of_halves(i, 5), i, N);
	for (i = 0; i < 4; i++)
		assert_int_equal(stamps_find(stamps, name_of_halves(5, i))->tsval, i);
	for (i = 6; i < 8; i++)
		assert_int_equal(stamps_find(stamps, name_of_halves(i, 5))->tsval, i);
	assert_null(stamps_find(stamps, name_of_halves(5, 5)));
	assert_null(stamps_find(stamps, name_of_halves(3, 5)));
	stamps_free(stamps);
}

int main(void)
{
	const struct CMUnitTest stamps[] = {
		cmocka_unit_test(test_finds_what_was_added_and_nothing_else),
		cmocka_unit_test(test_an_empty_table),
		cmocka_unit_test(test_room_for_as_many_as_promised_few),
		cmocka_unit_test(test_room_for_as_many_as_promised_many),
		cmocka_unit_test(test_the_oldest_gives_way),
		cmocka_unit_test(test_only_what_still_counted_is_counted),
		cmocka_unit_test(test_what_is_lost_is_counted),
		cmocka_unit_test(test_refuses_what_cannot_be),
		cmocka_unit_test(test_names_tell_versions_and_hosts_apart),
		cmocka_unit_test(test_every_bit_of_an_address_counts_and_no_other),
		cmocka_unit_test(test_names_depend_on_the_key),
		cmocka_unit_test(test_names_with_a_half_in_common_stay_apart),
	};

	seed = unit_seed("stamps");
	return cmocka_run_group_tests(stamps, NULL, NULL);
}
