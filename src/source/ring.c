/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>

#include "../os/atomic.h"
#include "../os/shared.h"
#include "ring.h"

#define CACHE_LINE 64
#define TICK_BITS  20

#define FETCH_AHEAD 4

/*
 * Indices only grow; a slot's place is the index less `base` modulo the number of slots. Whenever
 * the ring is empty it begins anew at its first place, so that at usual rates a small part of it is
 * in use, which stays in the caches.
 */
struct producer_side {
	unsigned long head; /* one past the last slot published */
	unsigned long base; /* changes only while all slots are handed back */
	unsigned long hand; /* TICK_BITS less of the stamp of a batch not published, | 1; or 0 */
	struct ring_counters counters __attribute__((aligned(CACHE_LINE)));
	struct ring_slot slots[] __attribute__((aligned(CACHE_LINE)));
};

struct consumer_side {
	unsigned long tail;  /* first slot not yet handed back */
	unsigned long begun; /* one past the last slot looked at; read by the next consumer only */
};

struct ring {
	struct shared producer_memory; /* the consumer's view of it is read-only */
	struct shared consumer_memory;
	struct producer_side *producer;
	struct consumer_side *consumer;
	size_t slots;
	unsigned long next; /* producer: head; consumer: begun; each its own copy */
	unsigned long last; /* producer: of the last stamp */
};

struct ring *ring_new(size_t slots)
{
	struct ring *ring;

	if (slots == 0 || (slots & (slots - 1)) != 0) {
		errno = EINVAL;
		return NULL;
	}
	ring = calloc(1, sizeof(*ring));
	if (ring == NULL)
		return NULL;
	if (shared_new(&ring->producer_memory,
		       sizeof(struct producer_side) + slots * sizeof(struct ring_slot)) < 0) {
		free(ring);
		return NULL;
	}
	if (shared_new(&ring->consumer_memory, sizeof(struct consumer_side)) < 0) {
		shared_free(&ring->producer_memory);
		free(ring);
		return NULL;
	}
	ring->producer = ring->producer_memory.address;
	ring->consumer = ring->consumer_memory.address;
	ring->slots = slots;
	return ring;
}

void ring_free(struct ring *ring)
{
	if (ring == NULL)
		return;
	shared_free(&ring->producer_memory);
	shared_free(&ring->consumer_memory);
	free(ring);
}

size_t ring_room(const struct ring *ring, size_t most)
{
	const unsigned long unread = ring->next - atomic_load(&ring->consumer->tail);
	size_t room;

	/* A tail beyond the head, or further back than the ring is long, is a lie. */
	if (unread > ring->slots)
		return 0;
	room = ring->slots - (size_t)unread;
	return room < most ? room : most;
}

void ring_begin_anew(struct ring *ring)
{
	if (atomic_load(&ring->consumer->tail) == ring->next)
		atomic_store(&ring->producer->base, ring->next);
}

static struct ring_slot *slot_at(const struct ring *ring, unsigned long index)
{
	return &ring->producer
			->slots[(index - atomic_load(&ring->producer->base)) & (ring->slots - 1)];
}

struct ring_slot *ring_free_slot(struct ring *ring, size_t index)
{
	return slot_at(ring, ring->next + index);
}

/* A machine word holds it on 32-bit systems too, where it goes round in 52 days. */
static unsigned long ticks(uint64_t ns)
{
	return (unsigned long)(ns >> TICK_BITS);
}

void ring_stamp_begin(struct ring *ring)
{
	/* Earlier than what the clock is going to show; the barrier keeps it from looking ahead. */
	atomic_store(&ring->producer->hand, ring->last | 1);
	__sync_synchronize();
}

void ring_stamp(struct ring *ring, uint64_t order_ns)
{
	ring->last = ticks(order_ns);
	atomic_store(&ring->producer->hand, ring->last | 1);
}

void ring_publish(struct ring *ring, size_t count)
{
	ring->next += count;
	atomic_store(&ring->producer->head, ring->next);
	atomic_store(&ring->producer->hand, 0);
}

uint64_t ring_shown_up_to(const struct ring *ring, uint64_t now_ns)
{
	const unsigned long hand = atomic_load(&ring->producer->hand);
	const unsigned long behind = ticks(now_ns) - (hand & ~1UL);
	const uint64_t round = ((uint64_t)behind + 1) << TICK_BITS;

	if (hand == 0)
		return now_ns;
	return round < now_ns ? now_ns - round : 0;
}

struct ring_counters *ring_counters_mutable(struct ring *ring)
{
	return &ring->producer->counters;
}

int ring_restrict(struct ring *ring)
{
	if (shared_make_readonly(&ring->producer_memory) < 0)
		return -1;
	ring->producer = ring->producer_memory.address;
	shared_close(&ring->consumer_memory);
	return 0;
}

size_t ring_take_over(struct ring *ring)
{
	const unsigned long head = atomic_load(&ring->producer->head);
	unsigned long tail = atomic_load(&ring->consumer->tail);
	unsigned long begun = atomic_load(&ring->consumer->begun);

	if (head - tail > ring->slots)
		tail = head;
	if (begun - tail > head - tail)
		begun = head;
	ring->next = begun;
	ring_release(ring);
	return (size_t)(begun - tail);
}

const struct ring_slot *ring_peek(const struct ring *ring)
{
	if (ring->next == atomic_load(&ring->producer->head))
		return NULL;
	return slot_at(ring, ring->next);
}

/* What another processor has written comes slowly: ask for it some slots ahead. */
static void fetch(const struct ring *ring)
{
	const char *slot = (const char *)slot_at(ring, ring->next + FETCH_AHEAD);

	if (atomic_load(&ring->producer->head) - ring->next <= FETCH_AHEAD)
		return;
	__builtin_prefetch(slot);
	__builtin_prefetch(slot + CACHE_LINE);
	__builtin_prefetch(slot + 2 * CACHE_LINE);
}

void ring_begin(struct ring *ring)
{
	ring->next++;
	atomic_store(&ring->consumer->begun, ring->next);
	fetch(ring);
}

void ring_release(struct ring *ring)
{
	atomic_store(&ring->consumer->begun, ring->next);
	atomic_store(&ring->consumer->tail, ring->next);
}

struct ring_counters ring_counters(const struct ring *ring)
{
	const struct ring_counters *from = &ring->producer->counters;
	struct ring_counters to;

	to.packets = atomic_load(&from->packets);
	to.missed_ring = atomic_load(&from->missed_ring);
	to.missed_socket = atomic_load(&from->missed_socket);
	to.errors = atomic_load(&from->errors);
	to.queue_dropped = atomic_load(&from->queue_dropped);
	to.socket_dropped = atomic_load(&from->socket_dropped);
	return to;
}
