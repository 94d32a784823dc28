/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds src/source/ring.c to being a ring: what goes in comes out, once and in order, over any
 * number of rounds and between two processes; when it is full it says so and loses nothing that was
 * in it; a consumer that takes over passes by exactly what its predecessor had begun. After
 * ring_restrict() a consumer cannot write what it reads, however hard it tries. ring_border.c has
 * the consumer that lies.
 */
#include "unit.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "os/atomic.h"
#include "source/ring.h"

#define SLOTS	 8
#define PASSED	 1000000
#define HANG_SEC 60

/* What the slot with this number holds. */
static void write_slot(struct ring_slot *slot, uint64_t number)
{
	slot->order_ns = number * 3;
	slot->time_ns = number * 5;
	slot->second = (uint32_t)number;
	slot->length = (uint32_t)(number % RING_SLOT_BYTES);
	slot->bytes[0] = (uint8_t)number;
	slot->bytes[RING_SLOT_BYTES - 1] = (uint8_t)~number;
}

static bool is_slot(const struct ring_slot *slot, uint64_t number)
{
	return slot->order_ns == number * 3 && slot->time_ns == number * 5 &&
	       slot->second == (uint32_t)number && slot->length == number % RING_SLOT_BYTES &&
	       slot->bytes[0] == (uint8_t)number &&
	       slot->bytes[RING_SLOT_BYTES - 1] == (uint8_t)~number;
}

static struct ring *new_ring(size_t slots)
{
	struct ring *ring = ring_new(slots);

	assert_non_null(ring);
	return ring;
}

/* Publish the slots from `first` on, `count` of them, for which there must be room. */
static void produce(struct ring *ring, uint64_t first, size_t count)
{
	size_t i;

	assert_int_equal(ring_room(ring, count), count);
	for (i = 0; i < count; i++)
		write_slot(ring_free_slot(ring, i), first + i);
	ring_publish(ring, count);
}

/* Runs `child` with the ring in a process of its own; its result is the exit status. */
static pid_t start(int (*child)(struct ring *ring), struct ring *ring)
{
	pid_t pid;

	fflush(stdout);
	fflush(stderr);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		signal(SIGSEGV, SIG_DFL);
		signal(SIGBUS, SIG_DFL);
		alarm(HANG_SEC);
		_exit(child(ring));
	}
	return pid;
}

static int finish(pid_t pid)
{
	int status = 0;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void expect_exit(pid_t pid, int code)
{
	const int status = finish(pid);

	if (!WIFEXITED(status) || WEXITSTATUS(status) != code)
		fail_msg("the child ended with status %#x instead of exit %d", (unsigned int)status,
			 code);
}

/* Takes what is there; its exit status is 0 if that was 0, 1, ... up to what `count` says. */
static int read_all(struct ring *ring, uint64_t first, uint64_t count)
{
	const struct ring_slot *slot;
	uint64_t i;

	for (i = 0; i < count; i++) {
		slot = ring_peek(ring);
		if (slot == NULL || slot != ring_peek(ring))
			return 2;
		ring_begin(ring);
		if (!is_slot(slot, first + i))
			return 3;
	}
	ring_release(ring);
	return ring_peek(ring) == NULL ? 0 : 4;
}

static int step[2]; /* how many slots the consumer shall find, and what it says to that */

/* Reads so many slots as each byte says, and answers each; 0 ends it. */
static int consume_in_step(struct ring *ring)
{
	uint64_t read_so_far = 0;
	char count, answer;

	if (ring_restrict(ring) < 0 || ring_take_over(ring) != 0)
		return 1;
	while (read(step[1], &count, 1) == 1 && count != 0) {
		answer = (char)read_all(ring, read_so_far, (uint64_t)count);
		read_so_far += (uint64_t)count;
		if (write(step[1], &answer, 1) != 1)
			return 2;
	}
	return 0;
}

/* Every batch size at every place of the ring, each slot read before the next batch. */
static void test_order_over_many_rounds(void **state)
{
	struct ring *ring = new_ring(SLOTS);
	uint64_t written = 0;
	char batch, round, answer;
	pid_t pid;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, step), 0);
	pid = start(consume_in_step, ring);
	close(step[1]); /* so that the end of the consumer ends the reading here */
	for (batch = 1; batch <= SLOTS; batch++) {
		for (round = 0; round < 2 * SLOTS; round++) {
			produce(ring, written, (size_t)batch);
			written += (uint64_t)batch;
			assert_int_equal(ring_room(ring, SLOTS), SLOTS - batch);
			assert_int_equal(write(step[0], &batch, 1), 1);
			assert_int_equal(read(step[0], &answer, 1), 1);
			assert_int_equal(answer, 0);
			assert_int_equal(ring_room(ring, SLOTS), SLOTS);
		}
		produce(ring, written++, 1); /* and one, so that the next batch begins elsewhere */
		assert_int_equal(write(step[0], "\1", 1), 1);
		assert_int_equal(read(step[0], &answer, 1), 1);
		assert_int_equal(answer, 0);
	}
	assert_int_equal(write(step[0], "\0", 1), 1);
	expect_exit(pid, 0);
	close(step[0]);
	ring_free(ring);
}

static int read_a_full_ring(struct ring *ring)
{
	if (ring_restrict(ring) < 0 || ring_take_over(ring) != 0)
		return 1;
	return read_all(ring, 0, SLOTS);
}

static void test_full_and_emptied_again(void **state)
{
	struct ring *ring = new_ring(SLOTS);

	(void)state;
	assert_int_equal(ring_room(ring, SLOTS), SLOTS);
	assert_int_equal(ring_room(ring, 1000), SLOTS);
	assert_int_equal(ring_room(ring, 3), 3);
	assert_int_equal(ring_room(ring, 0), 0);
	produce(ring, 0, 5);
	assert_int_equal(ring_room(ring, 1000), 3);
	assert_int_equal(ring_room(ring, 3), 3);
	assert_int_equal(ring_room(ring, 2), 2);
	produce(ring, 5, 3);
	assert_int_equal(ring_room(ring, 1000), 0);
	expect_exit(start(read_a_full_ring, ring), 0);
	assert_int_equal(ring_room(ring, 1000), SLOTS);
	ring_free(ring);
}

/* Begins five of eight, hands three of them back, and dies. */
static int die_halfway(struct ring *ring)
{
	int i;

	if (ring_take_over(ring) != 0)
		return 1;
	for (i = 0; i < 3; i++)
		ring_begin(ring);
	ring_release(ring);
	ring_begin(ring);
	ring_begin(ring);
	return ring_peek(ring) != NULL && is_slot(ring_peek(ring), 5) ? 0 : 2;
}

static int go_on_after_two(struct ring *ring)
{
	if (ring_restrict(ring) < 0 || ring_take_over(ring) != 2)
		return 1;
	return read_all(ring, 5, 3);
}

static int find_nothing_begun(struct ring *ring)
{
	if (ring_restrict(ring) < 0 || ring_take_over(ring) != 0)
		return 1;
	return ring_peek(ring) == NULL ? 0 : 2;
}

static void test_take_over_skips_what_was_begun(void **state)
{
	struct ring *ring = new_ring(SLOTS);

	(void)state;
	produce(ring, 0, SLOTS);
	expect_exit(start(die_halfway, ring), 0);
	assert_int_equal(ring_room(ring, SLOTS), 3);
	expect_exit(start(go_on_after_two, ring), 0);
	assert_int_equal(ring_room(ring, SLOTS), SLOTS);
	expect_exit(start(find_nothing_begun, ring), 0);
	ring_free(ring);
}

/* Looks without beginning, so that its successor looks again. */
static int only_look(struct ring *ring)
{
	if (ring_take_over(ring) != 0 || ring_peek(ring) == NULL)
		return 1;
	return is_slot(ring_peek(ring), 0) ? 0 : 2;
}

static void test_take_over_skips_nothing_that_was_not(void **state)
{
	struct ring *ring = new_ring(SLOTS);

	(void)state;
	produce(ring, 0, SLOTS);
	expect_exit(start(only_look, ring), 0);
	assert_int_equal(ring_room(ring, SLOTS), 0);
	expect_exit(start(read_a_full_ring, ring), 0);
	ring_free(ring);
}

static int write_a_slot(struct ring *ring)
{
	if (ring_restrict(ring) < 0)
		return 1;
	ring_free_slot(ring, 0)->bytes[0] = 1;
	return 2;
}

static int write_a_counter(struct ring *ring)
{
	if (ring_restrict(ring) < 0)
		return 1;
	atomic_store(&ring_counters_mutable(ring)->packets, 1);
	return 2;
}

static int publish_a_slot(struct ring *ring)
{
	if (ring_restrict(ring) < 0)
		return 1;
	ring_publish(ring, 1);
	return 2;
}

static void test_a_restricted_consumer_cannot_write(void **state)
{
	static int (*const attempts[])(struct ring *) = { write_a_slot, write_a_counter,
							  publish_a_slot };
	struct ring *ring = new_ring(SLOTS);
	size_t i;
	int status;

	(void)state;
	produce(ring, 0, 1);
	atomic_store(&ring_counters_mutable(ring)->packets, 77);
	for (i = 0; i < COUNT(attempts); i++) {
		status = finish(start(attempts[i], ring));
		assert_true(WIFSIGNALED(status));
		assert_true(WTERMSIG(status) == SIGSEGV || WTERMSIG(status) == SIGBUS);
	}
	assert_int_equal(ring_counters(ring).packets, 77);
	assert_true(is_slot(ring_free_slot(ring, SIZE_MAX), 0)); /* the one before the next */
	ring_free(ring);
}

/* The pages that hold the first slot: no way leads back to writing them. */
static int make_writable_again(struct ring *ring)
{
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	void *start_of_page = (void *)((uintptr_t)ring_free_slot(ring, 0) & ~(page - 1));

	if (mprotect(start_of_page, page, PROT_READ | PROT_WRITE) != 0)
		return 1; /* it must work before */
	if (ring_restrict(ring) < 0)
		return 2;
	start_of_page = (void *)((uintptr_t)ring_free_slot(ring, 0) & ~(page - 1));
	if (mprotect(start_of_page, page, PROT_READ | PROT_WRITE) == 0 || errno != EACCES)
		return 3;
	if (madvise(start_of_page, page, MADV_REMOVE) == 0) /* nor one to wiping them */
		return 4;
	return mprotect(start_of_page, page, PROT_READ) == 0 ? 0 : 5;
}

/* Descriptors 3 to 1023 that belong to memory like that of a ring. */
static int open_memory_descriptors(void)
{
	char path[64], target[256];
	int fd, n = 0;

	for (fd = 3; fd < 1024; fd++) {
		ssize_t length;

		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		length = readlink(path, target, sizeof(target) - 1);
		if (length <= 0)
			continue;
		target[length] = '\0';
		n += strstr(target, "synpaws") != NULL;
	}
	return n;
}

static int look_for_descriptors(struct ring *ring)
{
	if (open_memory_descriptors() == 0)
		return 1; /* then this test sees nothing */
	if (ring_restrict(ring) < 0)
		return 2;
	return open_memory_descriptors() == 0 ? 0 : 3;
}

static void test_a_restricted_consumer_has_no_way_back(void **state)
{
	struct ring *ring = new_ring(SLOTS);

	(void)state;
	expect_exit(start(make_writable_again, ring), 0);
	expect_exit(start(look_for_descriptors, ring), 0);
	ring_free(ring);
	assert_int_equal(open_memory_descriptors(), 0);
}

/* Reads PASSED slots in order, whatever it costs, then looks at the counters. */
static int consume_many(struct ring *ring)
{
	const struct ring_slot *slot;
	uint64_t read = 0;

	if (ring_restrict(ring) < 0 || ring_take_over(ring) != 0)
		return 1;
	while (read < PASSED) {
		slot = ring_peek(ring);
		if (slot == NULL) {
			ring_release(ring);
			sched_yield();
			continue;
		}
		ring_begin(ring);
		if (!is_slot(slot, read))
			return 2;
		if (++read % 37 == 0)
			ring_release(ring);
	}
	ring_release(ring);
	return ring_counters(ring).packets == PASSED ? 0 : 3;
}

/* How much is to be written next: now the ring is filled up, now the consumer waits for more. */
static size_t room_for_more(const struct ring *ring, uint64_t written)
{
	const bool emptied = written / 1024 % 2 != 0;
	size_t room = ring_room(ring, 256);

	while (room == 0 || (emptied && room < 256)) {
		sched_yield();
		room = ring_room(ring, 256);
	}
	return room < 64 ? room : 64;
}

static void test_a_million_slots_between_two_processes(void **state)
{
	struct ring *ring = new_ring(256);
	struct ring_counters *counters = ring_counters_mutable(ring);
	uint64_t written = 0;
	pid_t pid;

	(void)state;
	pid = start(consume_many, ring);
	alarm(HANG_SEC);
	while (written < PASSED) {
		size_t room = room_for_more(ring, written), i;

		if (room > PASSED - written)
			room = PASSED - (size_t)written;
		for (i = 0; i < room; i++)
			write_slot(ring_free_slot(ring, i), written + i);
		written += room;
		if (written == PASSED)
			atomic_count(&counters->packets, PASSED);
		ring_publish(ring, room);
	}
	expect_exit(pid, 0);
	alarm(0);
	assert_int_equal(ring_room(ring, 1000), 256);
	ring_free(ring);
}

static void test_counters(void **state)
{
	const struct ring_counters should = { 1, 2, 3, 4, 5, 6 };
	struct ring *ring = new_ring(1);
	struct ring_counters is = ring_counters(ring);

	(void)state;
	assert_int_equal(is.packets | is.missed_ring | is.missed_socket | is.errors |
				 is.queue_dropped | is.socket_dropped,
			 0);
	*ring_counters_mutable(ring) = should;
	is = ring_counters(ring);
	assert_memory_equal(&is, &should, sizeof(is));
	ring_free(ring);
}

static void test_refuses_sizes_that_are_no_power_of_two(void **state)
{
	static const size_t wrong[] = { 0, 3, 5, 6, 7, 12, 1000, 4095 };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(wrong); i++) {
		errno = 0;
		assert_null(ring_new(wrong[i]));
		assert_int_equal(errno, EINVAL);
	}
	ring_free(new_ring(1));
	ring_free(new_ring(4096));
	ring_free(NULL);
}

int main(void)
{
	const struct CMUnitTest ring[] = {
		cmocka_unit_test(test_order_over_many_rounds),
		cmocka_unit_test(test_full_and_emptied_again),
		cmocka_unit_test(test_take_over_skips_what_was_begun),
		cmocka_unit_test(test_take_over_skips_nothing_that_was_not),
		cmocka_unit_test(test_a_restricted_consumer_cannot_write),
		cmocka_unit_test(test_a_restricted_consumer_has_no_way_back),
		cmocka_unit_test(test_a_million_slots_between_two_processes),
		cmocka_unit_test(test_counters),
		cmocka_unit_test(test_refuses_sizes_that_are_no_power_of_two),
	};

	return cmocka_run_group_tests(ring, NULL, NULL);
}
