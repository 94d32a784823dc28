/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "../os/atomic.h"
#include "../os/clock.h"
#include "receiver.h"

#define BATCH	64
#define RETRIES 1000

#define WALL_NS 1000000 /* how old what is known of the wall clock may be */

#define RETRY_PAUSE_USEC 1000
#define STOP_TRIES	 1000
#define STOP_PAUSE_USEC	 1000
#define DRAIN_SECONDS	 5 /* at the most, where new packets cannot be kept out */

struct receiver {
	struct nfqueue *queue;
	struct ring *ring;
	struct ring_counters *counters;
	pthread_t thread;
	unsigned long stop;  /* set by another thread */
	unsigned long error; /* read by another thread */
	unsigned long ended; /* likewise */
	bool have_id;
	uint32_t highest_id; /* so far */
	unsigned long ids;   /* spanned by all packets so far, those missed included */
	unsigned int pin;
	size_t want;		       /* how many messages the next call is ready for */
	uint64_t wall_ahead_ns;	       /* wall clock minus monotonic clock, */
	uint64_t wall_read_ns;	       /* as of then */
	struct ring_slot spill[BATCH]; /* for what the ring has no room for */
};

/* A batch on its way from the kernel into the ring. */
struct batch {
	size_t count;	/* messages */
	size_t packets; /* of these, packets */
	uint32_t first_id;
	uint32_t highest_id; /* kernels of two CPUs, before 3.10, may number packets out of order */
	bool spilled;
	uint64_t order_ns, time_ns;
	uint32_t second;
	struct ring_slot *slot[BATCH];
};

/* Without memory for a verdict the kernel keeps the packets, so asking again loses nobody. */
static int accept_id(struct receiver *receiver, uint32_t id)
{
	int tries;

	for (tries = 0; tries < RETRIES; tries++) {
		if (nfqueue_accept(receiver->queue, id) == 0)
			return 0;
		if (errno != ENOBUFS && errno != ENOMEM && errno != EAGAIN && errno != EINTR)
			break;
		usleep(RETRY_PAUSE_USEC);
	}
	return -1;
}

static int receive(struct receiver *receiver, struct batch *batch, bool wait)
{
	struct iovec buffers[BATCH];
	size_t lengths[BATCH], i, room;
	int received;

	ring_begin_anew(receiver->ring);
	room = ring_room(receiver->ring, receiver->want);
	batch->spilled = room == 0;
	if (batch->spilled)
		room = receiver->want;
	for (i = 0; i < room; i++) {
		batch->slot[i] =
			batch->spilled ? &receiver->spill[i] : ring_free_slot(receiver->ring, i);
		buffers[i].iov_base = batch->slot[i]->bytes;
		buffers[i].iov_len = sizeof(batch->slot[i]->bytes);
	}
	received = nfqueue_receive(receiver->queue, buffers, lengths, room, wait);
	if (received < 0)
		return -1;
	batch->count = (size_t)received;
	receiver->want = batch->count * 2 < BATCH ? batch->count * 2 + 2 : BATCH;
	for (i = 0; i < batch->count; i++)
		batch->slot[i]->length = (uint32_t)lengths[i];
	return 0;
}

/* True if id `a` was given out after `b`. */
static bool after(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) > 0;
}

/* Accepts every packet of the batch. */
static int accept_batch(struct receiver *receiver, struct batch *batch)
{
	const bool one_by_one = !(nfqueue_features(receiver->queue) & NFQUEUE_BATCH_VERDICT);
	size_t i;
	uint32_t id;
	bool error;

	batch->packets = 0;
	batch->first_id = 0;
	batch->highest_id = 0;
	for (i = 0; i < batch->count; i++) {
		if (!nfqueue_packet_id(batch->slot[i]->bytes, batch->slot[i]->length, &id)) {
			error = nfqueue_refused(batch->slot[i]->bytes, batch->slot[i]->length);
			atomic_count(&receiver->counters->errors, error);
			continue;
		}
		if (one_by_one && accept_id(receiver, id) < 0)
			return -1;
		if (batch->packets == 0)
			batch->first_id = id;
		if (batch->packets == 0 || after(id, batch->highest_id))
			batch->highest_id = id;
		batch->packets++;
	}
	return one_by_one || batch->packets == 0 ? 0 : accept_id(receiver, batch->highest_id);
}

/* Ids are given out one by one, so those that never came show what the socket had no room for. */
static void count_ids(struct receiver *receiver, uint32_t id)
{
	struct ring_counters *counters = receiver->counters;

	if (after(id, receiver->highest_id)) {
		receiver->ids += id - receiver->highest_id;
		receiver->highest_id = id;
	}
	atomic_store(&counters->missed_socket,
		     receiver->ids > counters->packets ? receiver->ids - counters->packets : 0);
}

static void count(struct receiver *receiver, const struct batch *batch)
{
	struct ring_counters *counters = receiver->counters;

	if (batch->packets == 0)
		return;
	if (!receiver->have_id) {
		receiver->have_id = true;
		receiver->highest_id = batch->first_id - 1;
	}
	atomic_count(&counters->packets, batch->packets);
	if (batch->spilled)
		atomic_count(&counters->missed_ring, batch->packets);
	count_ids(receiver, batch->highest_id);
}

static void publish(struct receiver *receiver, const struct batch *batch)
{
	size_t i;

	count(receiver, batch);
	for (i = 0; i < batch->count; i++) {
		batch->slot[i]->order_ns = batch->order_ns;
		batch->slot[i]->time_ns = batch->time_ns;
		batch->slot[i]->second = batch->second;
	}
	ring_publish(receiver->ring, batch->spilled ? 0 : batch->count);
}

/* The wall clock is read once in a millisecond: one that is set is seen so much later. */
static void read_clocks(struct receiver *receiver, struct batch *batch)
{
	ring_stamp_begin(receiver->ring);
	batch->order_ns = clock_ns(CLOCK_MONOTONIC);
	ring_stamp(receiver->ring, batch->order_ns);
	if (batch->order_ns - receiver->wall_read_ns > WALL_NS) {
		receiver->wall_ahead_ns = clock_ns(CLOCK_REALTIME) - batch->order_ns;
		receiver->wall_read_ns = batch->order_ns;
	}
	batch->time_ns = batch->order_ns + receiver->wall_ahead_ns;
	batch->second = clock_kernel_second();
}

/* One round: receive, accept, and only then pass on. 0, or -1 with errno. */
static int serve(struct receiver *receiver, bool wait)
{
	struct batch batch;

	if (receive(receiver, &batch, wait) < 0)
		return -1;
	read_clocks(receiver, &batch);
	if (accept_batch(receiver, &batch) < 0) {
		ring_publish(receiver->ring, 0);
		return -1;
	}
	publish(receiver, &batch);
	return 0;
}

/* True for errors after which the socket works on. */
static bool passing(struct receiver *receiver, int error)
{
	if (error == ENOBUFS)
		atomic_count(&receiver->counters->errors, 1);
	return error == ENOBUFS || error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

/* More receivers than processors share them in turn. */
static void stay_on(unsigned int wanted)
{
	cpu_set_t allowed, one;
	size_t cpu, left;

	if (sched_getaffinity(0, sizeof(allowed), &allowed) < 0)
		return;
	left = wanted % (unsigned int)CPU_COUNT(&allowed);
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (CPU_ISSET(cpu, &allowed) && left-- == 0)
			break;
	}
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	pthread_setaffinity_np(pthread_self(), sizeof(one), &one);
}

static void *run(void *argument)
{
	struct receiver *receiver = argument;

	if (receiver->pin != RECEIVER_ANYWHERE)
		stay_on(receiver->pin);
	while (!atomic_load(&receiver->stop)) {
		if (serve(receiver, true) < 0 && !passing(receiver, errno)) {
			atomic_store(&receiver->error, (unsigned long)errno);
			break;
		}
	}
	atomic_store(&receiver->ended, 1);
	return NULL;
}

struct receiver *receiver_start(struct nfqueue *queue, struct ring *ring, unsigned int pin)
{
	struct receiver *receiver = calloc(1, sizeof(*receiver));
	int error;

	if (receiver == NULL)
		return NULL;
	receiver->queue = queue;
	receiver->ring = ring;
	receiver->pin = pin;
	receiver->want = BATCH;
	receiver->counters = ring_counters_mutable(ring);
	receiver->have_id = nfqueue_early(queue) > 0;
	receiver->highest_id = nfqueue_early_id(queue);
	receiver->ids = nfqueue_early(queue);
	atomic_count(&receiver->counters->packets, nfqueue_early(queue));
	atomic_count(&receiver->counters->missed_ring, nfqueue_early(queue));
	error = pthread_create(&receiver->thread, NULL, run, receiver);
	if (error != 0) {
		free(receiver);
		errno = error;
		return NULL;
	}
	return receiver;
}

int receiver_error(const struct receiver *receiver)
{
	return (int)atomic_load(&receiver->error);
}

/* What was missed behind the last packet received leaves no gap but in the kernel's own count. */
static void count_the_rest(struct receiver *receiver, int status_fd)
{
	struct nfqueue_status status;

	if (nfqueue_status_read(status_fd, nfqueue_number(receiver->queue), &status))
		count_ids(receiver, status.last_id);
}

void receiver_stop(struct receiver *receiver, int status_fd)
{
	uint64_t end;
	int tries;

	atomic_store(&receiver->stop, 1);
	/* The kernel's answer wakes the thread; it is asked for again in case that was too early.
	 */
	for (tries = 0; !atomic_load(&receiver->ended) && tries < STOP_TRIES; tries++) {
		nfqueue_bypass(receiver->queue);
		usleep(STOP_PAUSE_USEC);
	}
	if (!atomic_load(&receiver->ended))
		pthread_cancel(receiver->thread);
	pthread_join(receiver->thread, NULL);
	/* The thread may have ended before the bypass was in force. */
	end = clock_ns(CLOCK_MONOTONIC) + DRAIN_SECONDS * NS_PER_SECOND;
	while (clock_ns(CLOCK_MONOTONIC) < end) {
		if (serve(receiver, false) < 0 && errno != ENOBUFS && errno != EINTR)
			break;
	}
	count_the_rest(receiver, status_fd);
	free(receiver);
}
