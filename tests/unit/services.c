/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds src/core/services.c to what it promises of facts: who outweighs whom, that the majority of
 * votes holds and old votes fade, when answers say that the check is on, that a port is listed once
 * with the right source, and that what is learnt of many hosts never exceeds its room nor mixes.
 */
#include "unit.h"

#include "core/services.h"

#define HALF   SYNPAWS_FACT_HALF_CLOSE
#define CLOSED SYNPAWS_FACT_CLOSED
#define DUAL   SYNPAWS_FACT_DUAL_STACK

#define TOLD	SYNPAWS_SOURCE_TOLD
#define SOCKETS SYNPAWS_SOURCE_SOCKETS
#define LEARNT	SYNPAWS_SOURCE_LEARNT

static const uint8_t secret[16] = { 1, 4, 1, 4, 2, 1, 3, 5, 6, 2 };

static struct services *services;
static uint64_t host, other_host;

static uint64_t host_number(uint32_t number)
{
	uint8_t address[16] = { 10 };

	memcpy(address + 1, &number, 3);
	return services_host(services, 4, address);
}

static int start(void **state)
{
	(void)state;
	services = services_new(secret);
	assert_non_null(services);
	host = host_number(1);
	other_host = host_number(2);
	return 0;
}

static int end(void **state)
{
	(void)state;
	services_free(services);
	return 0;
}

static void vote(unsigned int times, bool half_close)
{
	while (times-- > 0)
		services_vote_half_close(services, host, 80, half_close);
}

static bool half(void)
{
	return services_is(services, host, 80, HALF);
}

static void test_hosts(void **state)
{
	const uint8_t a[16] = { 10, 0, 0, 1 }, same[16] = { 10, 0, 0, 1, 9 };

	(void)state;
	assert_true(services_host(services, 4, a) == services_host(services, 4, same));
	assert_true(services_host(services, 6, a) != services_host(services, 6, same));
	assert_true(services_host(services, 4, a) != services_host(services, 6, a));
	assert_true(host != other_host);
}

static void test_nothing_is_known(void **state)
{
	struct synpaws_service service;

	(void)state;
	assert_false(services_is(services, host, 80, CLOSED));
	assert_false(services_is(services, host, 80, HALF));
	assert_false(services_is(services, host, 80, DUAL));
	assert_false(services_is_told(services, 80, CLOSED));
	assert_int_equal(services_close_delay(services, 80), SYNPAWS_NEVER);
	assert_false(services_checks(services, host));
	assert_false(services_check_is_known(services, host));
	assert_false(services_any_checks(services));
	assert_false(services_at(services, 0, &service));
}

static void test_told_is_of_all_hosts_and_one_port(void **state)
{
	(void)state;
	services_tell(services, 80, CLOSED, true, 0, TOLD);
	assert_true(services_is(services, host, 80, CLOSED));
	assert_true(services_is(services, other_host, 80, CLOSED));
	assert_true(services_is_told(services, 80, CLOSED));
	assert_false(services_is(services, host, 81, CLOSED));
	assert_false(services_is(services, host, 80, HALF));
	services_tell(services, 80, CLOSED, false, 0, TOLD);
	assert_false(services_is(services, host, 80, CLOSED));
	services_tell(services, 65535, DUAL, true, 0, SOCKETS);
	assert_true(services_is_told(services, 65535, DUAL));
}

/* What was told outweighs the socket tables, and those what was learnt; either way. */
static void test_weight_of_sources(void **state)
{
	(void)state;
	vote(3, true);
	assert_true(half());
	services_tell(services, 80, HALF, false, SYNPAWS_NEVER, SOCKETS);
	assert_false(half());
	services_tell(services, 80, HALF, true, SYNPAWS_NEVER, SOCKETS);
	assert_true(half());
	services_tell(services, 80, HALF, false, SYNPAWS_NEVER, TOLD);
	assert_false(half());
	services_tell(services, 80, HALF, true, 7, SOCKETS);
	assert_false(half());
	assert_int_equal(services_close_delay(services, 80), SYNPAWS_NEVER);
	vote(10, true);
	services_vote_socket(services, 80, false);
	assert_false(half());
}

static void test_delay_is_of_half_close_alone(void **state)
{
	(void)state;
	services_tell(services, 80, HALF, true, 5, TOLD);
	services_tell(services, 80, CLOSED, false, 9, TOLD);
	services_tell(services, 80, HALF, true, 3, SOCKETS);
	services_vote_socket(services, 80, false);
	assert_int_equal(services_close_delay(services, 80), 5);
	assert_int_equal(services_close_delay(services, 81), SYNPAWS_NEVER);
	services_tell(services, 80, HALF, true, 0, TOLD);
	assert_int_equal(services_close_delay(services, 80), 0);
}

static void test_majority(void **state)
{
	(void)state;
	vote(1, true);
	assert_true(half());
	vote(1, false);
	assert_false(half());
	vote(1, true);
	assert_true(half());
	vote(2, false);
	assert_false(half());
	assert_false(services_is(services, other_host, 80, HALF));
	assert_false(services_is(services, host, 81, HALF));
}

/* However long a service was the same, it is learnt anew when it changes. */
static void test_votes_fade(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		unsigned int votes = 0;

		vote(100000, i != 0);
		assert_int_equal(half(), i != 0);
		for (; half() == (i != 0); votes++)
			vote(1, i == 0);
		assert_in_range(votes, 10, 100);
	}
}

static void test_socket_votes(void **state)
{
	(void)state;
	services_vote_socket(services, 80, false);
	assert_true(half());
	assert_true(services_is(services, other_host, 80, HALF));
	assert_true(services_is_told(services, 80, HALF));
	services_vote_socket(services, 80, true);
	assert_false(half());
	services_vote_socket(services, 80, false);
	assert_true(half());
	assert_int_equal(services_close_delay(services, 80), SYNPAWS_NEVER);
}

static void test_closed_is_learnt(void **state)
{
	(void)state;
	services_vote_closed(services, host, 80, false);
	assert_false(services_is(services, host, 80, CLOSED));
	services_vote_closed(services, host, 80, true);
	assert_true(services_is(services, host, 80, CLOSED));
	assert_false(services_is(services, other_host, 80, CLOSED));
	assert_false(services_is_told(services, 80, CLOSED));
	services_vote_closed(services, host, 80, false);
	assert_false(services_is(services, host, 80, CLOSED));
}

static void vote_check(unsigned int answered, unsigned int silent)
{
	while (answered-- > 0)
		services_vote_check(services, host, true);
	while (silent-- > 0)
		services_vote_check(services, host, false);
}

/* Losses on the way are fewer than one in four. */
static void test_check_by_answers(void **state)
{
	(void)state;
	vote_check(1, 0);
	assert_true(services_check_is_known(services, host));
	assert_false(services_checks(services, host));
	vote_check(2, 1);
	assert_false(services_checks(services, host));
	vote_check(0, 1);
	assert_true(services_checks(services, host));
	assert_true(services_any_checks(services));
	assert_false(services_checks(services, other_host));
	assert_false(services_check_is_known(services, other_host));
	vote_check(4, 0);
	assert_false(services_checks(services, host));
	assert_false(services_any_checks(services));
}

/* A host whose setting changes is learnt anew. */
static void test_check_is_switched(void **state)
{
	(void)state;
	vote_check(10000, 0);
	assert_false(services_checks(services, host));
	vote_check(0, 64);
	assert_true(services_checks(services, host));
	vote_check(0, 10000);
	vote_check(200, 0);
	assert_false(services_checks(services, host));
}

static size_t listed(uint16_t port, enum synpaws_fact fact, enum synpaws_source *source)
{
	struct synpaws_service service;
	size_t i, times = 0;

	for (i = 0; services_at(services, i, &service); i++) {
		if (service.port != port || service.fact != fact)
			continue;
		*source = service.source;
		times++;
	}
	assert_false(services_at(services, i + 1, &service));
	return times;
}

static size_t list_length(void)
{
	struct synpaws_service service;
	size_t i = 0;

	while (services_at(services, i, &service))
		i++;
	return i;
}

static void expect_listed(uint16_t port, enum synpaws_fact fact, enum synpaws_source should)
{
	enum synpaws_source source = SYNPAWS_SOURCE_NOBODY;

	assert_int_equal(listed(port, fact, &source), 1);
	assert_int_equal(source, should);
}

static void test_list(void **state)
{
	enum synpaws_source source;

	(void)state;
	services_tell(services, 0, CLOSED, true, 0, TOLD);
	services_tell(services, 65535, CLOSED, true, 0, SOCKETS);
	services_tell(services, 80, DUAL, true, 0, TOLD);
	services_tell(services, 81, HALF, false, 0, TOLD);
	services_vote_half_close(services, host, 82, true);
	services_vote_half_close(services, other_host, 82, true);
	services_vote_half_close(services, host, 83, false);
	services_vote_closed(services, host, 82, true);
	services_vote_half_close(services, host, 81, true);
	services_vote_check(services, host, false);
	expect_listed(0, CLOSED, TOLD);
	expect_listed(65535, CLOSED, SOCKETS);
	expect_listed(80, DUAL, TOLD);
	expect_listed(82, HALF, LEARNT);
	expect_listed(82, CLOSED, LEARNT);
	assert_int_equal(listed(81, HALF, &source), 0);
	assert_int_equal(list_length(), 5);
	services_tell(services, 82, HALF, true, 0, SOCKETS);
	expect_listed(82, HALF, SOCKETS);
	services_tell(services, 82, HALF, false, 0, TOLD);
	assert_int_equal(list_length(), 4);
}

/* Room for thousands; then those unused for longest are forgotten, and nothing is mixed up. */
static void test_many_hosts(void **state)
{
	const uint32_t many = 20000;
	uint32_t i, known = 0;

	(void)state;
	for (i = 0; i < many; i++) {
		services_vote_half_close(services, host_number(i), 80, i % 2 == 0);
		services_vote_closed(services, host_number(i), 80, i % 3 == 0);
	}
	for (i = 0; i < many; i++) {
		const bool is_half = services_is(services, host_number(i), 80, HALF);
		const bool is_closed = services_is(services, host_number(i), 80, CLOSED);

		assert_false(is_half && i % 2 != 0);
		assert_false(is_closed && i % 3 != 0);
		if (i >= many - 1000)
			known += is_half == (i % 2 == 0) && is_closed == (i % 3 == 0);
		if (i < many / 4)
			assert_false(is_half || is_closed);
	}
	assert_true(known > 950);
}

/* What is used stays, however many others come and go. */
static void test_what_is_used_stays(void **state)
{
	uint32_t i;

	(void)state;
	vote(1, true);
	for (i = 10; i < 20000; i++) {
		services_vote_half_close(services, host_number(i), 80, true);
		if (i % 50 == 0)
			vote(1, true);
	}
	assert_true(half());
}

/* Ports that were never closed take no room from those that were. */
static void test_open_ports_take_no_room(void **state)
{
	uint32_t i;

	(void)state;
	services_vote_closed(services, host, 80, true);
	for (i = 10; i < 50000; i++)
		services_vote_closed(services, host_number(i), 80, false);
	assert_true(services_is(services, host, 80, CLOSED));
}

/* Closed ports, however many, take none from what a host has told of its services and itself. */
static void test_a_scan_pushes_nothing_out(void **state)
{
	uint32_t i;

	(void)state;
	vote(1, true);
	services_vote_check(services, host, false);
	for (i = 0; i < 100000; i++)
		services_vote_closed(services, host_number(1 + i / 500), (uint16_t)(1000 + i % 500),
				     true);
	assert_true(half());
	assert_true(services_checks(services, host));
	assert_true(services_is(services, host_number(200), 1499, CLOSED));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_hosts),
		TEST(test_nothing_is_known),
		TEST(test_told_is_of_all_hosts_and_one_port),
		TEST(test_weight_of_sources),
		TEST(test_delay_is_of_half_close_alone),
		TEST(test_majority),
		TEST(test_votes_fade),
		TEST(test_socket_votes),
		TEST(test_closed_is_learnt),
		TEST(test_check_by_answers),
		TEST(test_check_is_switched),
		TEST(test_list),
		TEST(test_many_hosts),
		TEST(test_what_is_used_stays),
		TEST(test_open_ports_take_no_room),
		TEST(test_a_scan_pushes_nothing_out),
	};

	return cmocka_run_group_tests_name("services", tests, NULL, NULL);
}
