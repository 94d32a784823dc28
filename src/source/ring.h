/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RING_H
#define RING_H

#include <stddef.h>
#include <stdint.h>

/*
 * A bounded ring between two processes, one producer (the receiver) and one consumer (the analyst).
 * The kernel writes netlink messages straight into its slots. When it is full the producer goes on
 * without it and counts what the consumer misses.
 *
 * The ring is a border. The consumer reads packets from strangers and may be taken over by one; so
 * it can only read slots and counters, and the one number that it writes, how far it has got, is
 * checked by the producer wherever it is used.
 */
struct ring;

/* Large enough for any message about a packet of NFQUEUE_COPY_RANGE bytes. */
#define RING_SLOT_BYTES 360

struct ring_slot {
	uint64_t order_ns; /* arrival, monotonic clock: comparable between rings */
	uint64_t time_ns;  /* arrival, wall clock */
	uint32_t second;   /* arrival by the kernel's coarse wall clock */
	uint32_t length;   /* of the message in `bytes` */
	uint8_t bytes[RING_SLOT_BYTES];
};

/* What the producer counts. Read it with ring_counters(). */
struct ring_counters {
	unsigned long packets;	      /* received and accepted */
	unsigned long missed_ring;    /* of these, not shown to the consumer: the ring was full */
	unsigned long missed_socket;  /* never received: gaps in the packet ids */
	unsigned long errors;	      /* of the socket, and verdicts that the kernel refused */
	unsigned long queue_dropped;  /* by /proc: the queue was full */
	unsigned long socket_dropped; /* by /proc: the socket's buffer was full */
};

/* A ring of `slots` slots, a power of two. NULL with errno. */
struct ring *ring_new(size_t slots);
void ring_free(struct ring *ring);

/* Producer: how many slots, at most `most`, are free from the next one on. 0 when it is full. */
size_t ring_room(const struct ring *ring, size_t most);

/* Producer: go back to the first place if all slots are free. Before ring_free_slot() of a batch.
 */
void ring_begin_anew(struct ring *ring);

/* Producer: the free slot number `index`, less than what ring_room() said. */
struct ring_slot *ring_free_slot(struct ring *ring, size_t index);

/*
 * Producer: before it reads the clock for the arrival of a batch, and again with what it read, so
 * that the consumer knows what may still come.
 */
void ring_stamp_begin(struct ring *ring);
void ring_stamp(struct ring *ring, uint64_t order_ns);

/* Producer: show the next `count` slots to the consumer. The batch that was stamped is done. */
void ring_publish(struct ring *ring, size_t count);

/* Producer: the counters, to be written with atomic_store() by one thread each. */
struct ring_counters *ring_counters_mutable(struct ring *ring);

/*
 * Consumer: give up the right to write slots and counters, once and for all, in this process and
 * its children. 0, or -1 with errno.
 */
int ring_restrict(struct ring *ring);

/*
 * Consumer: take over from a predecessor in another process. What it had begun to read is not read
 * again, since that may be what killed it. Returns how many slots are passed over.
 */
size_t ring_take_over(struct ring *ring);

/*
 * Consumer: the arrival up to which all slots are shown, given that the monotonic clock has just
 * shown `now_ns`; up to some 4 ms earlier than it might be.
 */
uint64_t ring_shown_up_to(const struct ring *ring, uint64_t now_ns);

/* Consumer: the oldest unread slot, NULL if there is none. It stays valid until ring_release(). */
const struct ring_slot *ring_peek(const struct ring *ring);

/* Consumer: mark the slot that ring_peek() shows as begun, step to the next, and fetch those after.
 */
void ring_begin(struct ring *ring);

/* Consumer: hand all slots begun back to the producer. */
void ring_release(struct ring *ring);

/* Consumer: a copy of the counters. */
struct ring_counters ring_counters(const struct ring *ring);

#endif
