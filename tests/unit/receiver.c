/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds src/source/receiver.c to its order of things: receive a batch, accept it, and only then
 * show it to the analyst; and to its books: ids that never came are missed, whether they lie
 * between two packets or behind the last one, and an id out of order is not. The queue is a script
 * here.
 */
#include "unit.h"

#include <errno.h>

/* A second copy of the receiver, over a queue of our own. */
#define nfqueue_receive	    script_receive
#define nfqueue_packet_id   script_packet_id
#define nfqueue_accept	    script_accept
#define nfqueue_features    script_features
#define nfqueue_refused	    script_refused
#define nfqueue_bypass	    script_bypass
#define nfqueue_early	    script_early
#define nfqueue_early_id    script_early_id
#define nfqueue_number	    script_number
#define nfqueue_status_read script_status_read
#define receiver_start	    script_receiver_start
#define receiver_stop	    script_receiver_stop
#define receiver_error	    script_receiver_error
#include "../../src/source/receiver.c"

#define SLOTS	   16
#define SCRIPT_END 0
#define NOT_PACKET UINT32_MAX

static struct script {
	const uint32_t *ids; /* what comes, up to SCRIPT_END */
	size_t at, batch;    /* so many at a time */
	unsigned int features;
	struct ring *ring;
	size_t room; /* of the ring when the batch came */
	uint32_t accepted[64];
	size_t accepted_count;
} script;

int nfqueue_receive(struct nfqueue *queue, struct iovec *buffers, size_t *lengths, size_t count,
		    bool wait)
{
	size_t i;

	(void)queue;
	(void)wait;
	script.room = ring_room(script.ring, SLOTS);
	for (i = 0; i < count && i < script.batch && script.ids[script.at] != SCRIPT_END; i++) {
		memcpy(buffers[i].iov_base, &script.ids[script.at++], sizeof(uint32_t));
		lengths[i] = sizeof(uint32_t);
	}
	errno = EAGAIN;
	return i == 0 ? -1 : (int)i;
}

bool nfqueue_packet_id(const void *message, size_t length, uint32_t *id)
{
	assert_int_equal(length, sizeof(*id));
	memcpy(id, message, sizeof(*id));
	return *id != NOT_PACKET;
}

bool nfqueue_refused(const void *message, size_t length)
{
	(void)message;
	(void)length;
	return true;
}

/* Nothing of the batch may have been shown to the analyst yet. */
int nfqueue_accept(struct nfqueue *queue, uint32_t id)
{
	(void)queue;
	assert_int_equal(ring_room(script.ring, SLOTS), script.room);
	script.accepted[script.accepted_count++] = id;
	return 0;
}

unsigned int nfqueue_features(const struct nfqueue *queue)
{
	(void)queue;
	return script.features;
}

bool nfqueue_bypass(struct nfqueue *queue)
{
	(void)queue;
	return true;
}

uint64_t nfqueue_early(const struct nfqueue *queue)
{
	(void)queue;
	return 0;
}

uint32_t nfqueue_early_id(const struct nfqueue *queue)
{
	(void)queue;
	return 0;
}

uint16_t nfqueue_number(const struct nfqueue *queue)
{
	(void)queue;
	return 0;
}

/* The descriptor is the last id that the kernel gave out, or -1. */
bool nfqueue_status_read(int fd, uint16_t number, struct nfqueue_status *status)
{
	(void)number;
	if (fd < 0)
		return false;
	status->last_id = (uint32_t)fd;
	return true;
}

/* Run a script to its end, with `last_id` as the kernel's own last word unless that is -1. */
static struct ring_counters play(const uint32_t *ids, size_t batch, unsigned int features,
				 int last_id)
{
	struct receiver *receiver = calloc(1, sizeof(*receiver));
	struct ring_counters counters;

	assert_non_null(receiver);
	memset(&script, 0, sizeof(script));
	script.ids = ids;
	script.batch = batch;
	script.features = features;
	script.ring = ring_new(SLOTS);
	assert_non_null(script.ring);
	receiver->want = BATCH;
	receiver->ring = script.ring;
	receiver->counters = ring_counters_mutable(script.ring);
	while (serve(receiver, false) == 0)
		continue;
	count_the_rest(receiver, last_id);
	counters = ring_counters(script.ring);
	assert_int_equal(SLOTS - ring_room(script.ring, SLOTS),
			 counters.packets - counters.missed_ring + counters.errors);
	ring_free(script.ring);
	free(receiver);
	return counters;
}

static void test_a_batch_is_accepted_by_its_highest_id(void **state)
{
	static const uint32_t ids[] = { 1, 2, 4, 3, 5, SCRIPT_END };
	const struct ring_counters counters = play(ids, 4, NFQUEUE_BATCH_VERDICT, -1);

	(void)state;
	assert_int_equal(script.accepted_count, 2);
	assert_int_equal(script.accepted[0], 4);
	assert_int_equal(script.accepted[1], 5);
	assert_int_equal(counters.packets, 5);
	assert_int_equal(counters.missed_socket, 0);
}

static void test_one_by_one_accepts_each(void **state)
{
	static const uint32_t ids[] = { 7, 8, 9, SCRIPT_END };
	size_t i;

	(void)state;
	assert_int_equal(play(ids, 8, 0, -1).packets, 3);
	assert_int_equal(script.accepted_count, 3);
	for (i = 0; i < 3; i++)
		assert_int_equal(script.accepted[i], ids[i]);
}

static void test_gaps_are_missed(void **state)
{
	static const uint32_t ids[] = { 1, 2, 5, 6, 10, SCRIPT_END };
	size_t batch;

	(void)state;
	for (batch = 1; batch <= 5; batch++)
		assert_int_equal(play(ids, batch, NFQUEUE_BATCH_VERDICT, -1).missed_socket, 5);
}

static void test_out_of_order_is_not_missed(void **state)
{
	static const uint32_t ids[] = { 5, 6, 8, 7, 9, 10, SCRIPT_END };
	const struct ring_counters counters = play(ids, 1, 0, -1);

	(void)state;
	assert_int_equal(counters.packets, 6);
	assert_int_equal(counters.missed_socket, 0);
}

static void test_ids_wrap(void **state)
{
	static const uint32_t ids[] = { UINT32_MAX - 2, UINT32_MAX - 1, 1, 2, SCRIPT_END };

	(void)state; /* between them UINT32_MAX and 0 */
	assert_int_equal(play(ids, 1, NFQUEUE_BATCH_VERDICT, -1).missed_socket, 2);
}

static void test_the_end_is_missed_too(void **state)
{
	static const uint32_t ids[] = { 1, 2, 3, SCRIPT_END }, none[] = { SCRIPT_END };

	(void)state;
	assert_int_equal(play(ids, 8, NFQUEUE_BATCH_VERDICT, 10).missed_socket, 7);
	assert_int_equal(play(ids, 8, NFQUEUE_BATCH_VERDICT, 3).missed_socket, 0);
	assert_int_equal(play(none, 8, NFQUEUE_BATCH_VERDICT, 4).missed_socket, 4);
}

static void test_a_full_ring_is_missed_by_the_analyst_only(void **state)
{
	uint32_t ids[SLOTS + 6];
	struct ring_counters counters;
	uint32_t i;

	(void)state;
	for (i = 0; i < SLOTS + 5; i++)
		ids[i] = i + 1;
	ids[i] = SCRIPT_END;
	counters = play(ids, 4, NFQUEUE_BATCH_VERDICT, SLOTS + 5);
	assert_int_equal(counters.packets, SLOTS + 5);
	assert_int_equal(counters.missed_ring, 5);
	assert_int_equal(counters.missed_socket, 0);
	assert_int_equal(script.accepted[script.accepted_count - 1], SLOTS + 5);
}

static void test_refusals_are_counted(void **state)
{
	static const uint32_t ids[] = { 1, NOT_PACKET, 2, NOT_PACKET, SCRIPT_END };
	const struct ring_counters counters = play(ids, 2, NFQUEUE_BATCH_VERDICT, -1);

	(void)state;
	assert_int_equal(counters.packets, 2);
	assert_int_equal(counters.errors, 2);
	assert_int_equal(counters.missed_socket, 0);
}

int main(void)
{
	const struct CMUnitTest receiver[] = {
		cmocka_unit_test(test_a_batch_is_accepted_by_its_highest_id),
		cmocka_unit_test(test_one_by_one_accepts_each),
		cmocka_unit_test(test_gaps_are_missed),
		cmocka_unit_test(test_out_of_order_is_not_missed),
		cmocka_unit_test(test_ids_wrap),
		cmocka_unit_test(test_the_end_is_missed_too),
		cmocka_unit_test(test_a_full_ring_is_missed_by_the_analyst_only),
		cmocka_unit_test(test_refusals_are_counted),
	};

	return cmocka_run_group_tests(receiver, NULL, NULL);
}
