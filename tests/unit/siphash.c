/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds src/core/siphash.h to SipHash-1-3 as its authors define it. The vectors come from a second
 * implementation, written from the paper with the numbers of rounds as parameters; that one gives
 * the paper's own vector for SipHash-2-4 and, with the key zero, those that OCaml's test suite took
 * from the authors' reference code.
 */
#include "unit.h"

#include "core/siphash.h"

#define LENGTHS 65

/* As bytes, least significant first, the way the reference code prints them. */
struct vector {
	size_t length; /* of the message 00 01 02 ... */
	uint8_t hash[8];
};

/* The key 00 01 02 ... 0f */
static const struct vector vectors[] = {
	{ 0, { 0xdc, 0xc4, 0x0f, 0x05, 0x58, 0x01, 0xac, 0xab } },
	{ 1, { 0x93, 0xca, 0x57, 0x7d, 0xf3, 0x9b, 0xf4, 0xc9 } },
	{ 2, { 0x4d, 0xd4, 0xc7, 0x4d, 0x02, 0x9b, 0xcb, 0x82 } },
	{ 3, { 0xfb, 0xf7, 0xdd, 0xe7, 0xb8, 0x0a, 0xf8, 0x8b } },
	{ 7, { 0x40, 0x11, 0xb1, 0x9b, 0x98, 0x7d, 0x92, 0xd3 } },
	{ 8, { 0x8e, 0x9a, 0x29, 0x8d, 0x11, 0x95, 0x90, 0x36 } },
	{ 9, { 0xe4, 0x3d, 0x06, 0x6c, 0xb3, 0x8e, 0xa4, 0x25 } },
	{ 15, { 0x56, 0x99, 0x51, 0x2a, 0x6d, 0xd8, 0x20, 0xd3 } },
	{ 16, { 0x66, 0x8b, 0x90, 0x7d, 0x1a, 0xdd, 0x4f, 0xcc } },
	{ 31, { 0xbc, 0xd1, 0x21, 0x8c, 0x1f, 0xdd, 0x70, 0x23 } },
	{ 32, { 0x0d, 0xb6, 0xa7, 0x16, 0x6c, 0x7b, 0x15, 0x81 } },
	{ 63, { 0xa8, 0xb3, 0xbb, 0xb7, 0x62, 0x90, 0x19, 0x9d } },
};

static uint64_t number(const uint8_t bytes[8])
{
	uint64_t sum = 0;
	int i;

	for (i = 7; i >= 0; i--)
		sum = sum << 8 | bytes[i];
	return sum;
}

static void count_up(uint8_t *bytes, size_t length)
{
	size_t i;

	for (i = 0; i < length; i++)
		bytes[i] = (uint8_t)i;
}

static void test_reference_vectors(void **state)
{
	uint8_t key[16], message[LENGTHS];
	size_t i;

	(void)state;
	count_up(key, sizeof(key));
	count_up(message, sizeof(message));
	for (i = 0; i < COUNT(vectors); i++)
		assert_int_equal(siphash(key, message, vectors[i].length), number(vectors[i].hash));
}

static void test_reference_vectors_of_key_zero(void **state)
{
	const uint8_t key[16] = { 0 }, message[2] = { 0, 1 };

	(void)state;
	assert_int_equal(siphash(key, message, 0), 0xd1fba762150c532cULL);
	assert_int_equal(siphash(key, message, 1), 0x68a914128e01e473ULL);
	assert_int_equal(siphash(key, message, 2), 0x010bac45c41e3669ULL);
}

/* Zeros only, so that nothing but the length can make the difference. */
static void test_every_length_has_a_hash_of_its_own(void **state)
{
	const uint8_t key[16] = { 1 }, message[LENGTHS] = { 0 };
	uint64_t hashes[LENGTHS];
	size_t i, j;

	(void)state;
	for (i = 0; i < LENGTHS; i++) {
		hashes[i] = siphash(key, message, i);
		for (j = 0; j < i; j++)
			assert_int_not_equal(hashes[i], hashes[j]);
	}
}

static void test_every_bit_of_the_key_counts(void **state)
{
	uint8_t key[16], message[20];
	uint64_t before;
	size_t bit;

	(void)state;
	count_up(key, sizeof(key));
	count_up(message, sizeof(message));
	before = siphash(key, message, sizeof(message));
	for (bit = 0; bit < 8 * sizeof(key); bit++) {
		key[bit / 8] ^= (uint8_t)(1U << bit % 8);
		assert_int_not_equal(siphash(key, message, sizeof(message)), before);
		key[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
}

static void test_every_bit_of_the_message_counts(void **state)
{
	uint8_t key[16], message[LENGTHS];
	uint64_t before;
	size_t length, bit;

	(void)state;
	count_up(key, sizeof(key));
	count_up(message, sizeof(message));
	for (length = 1; length < LENGTHS; length++) {
		before = siphash(key, message, length);
		for (bit = 0; bit < 8 * length; bit++) {
			message[bit / 8] ^= (uint8_t)(1U << bit % 8);
			assert_int_not_equal(siphash(key, message, length), before);
			message[bit / 8] ^= (uint8_t)(1U << bit % 8);
		}
	}
}

/* Wherever the message lies, and with nothing readable behind it. */
static void test_alignment_and_end_do_not_matter(void **state)
{
	uint8_t key[16], message[LENGTHS];
	size_t length, shift;

	(void)state;
	count_up(key, sizeof(key));
	count_up(message, sizeof(message));
	for (length = 0; length < LENGTHS; length++) {
		for (shift = 0; shift < 8; shift++) {
			uint8_t *copy = malloc(shift + length);

			assert_non_null(copy);
			memcpy(copy + shift, message, length);
			assert_int_equal(siphash(key, copy + shift, length),
					 siphash(key, message, length));
			free(copy);
		}
	}
}

int main(void)
{
	const struct CMUnitTest siphash_tests[] = {
		cmocka_unit_test(test_reference_vectors),
		cmocka_unit_test(test_reference_vectors_of_key_zero),
		cmocka_unit_test(test_every_length_has_a_hash_of_its_own),
		cmocka_unit_test(test_every_bit_of_the_key_counts),
		cmocka_unit_test(test_every_bit_of_the_message_counts),
		cmocka_unit_test(test_alignment_and_end_do_not_matter),
	};

	return cmocka_run_group_tests(siphash_tests, NULL, NULL);
}
