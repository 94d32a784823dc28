/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RECEIVER_H
#define RECEIVER_H

#include <limits.h>
#include <stdint.h>

#include "nfqueue.h"
#include "ring.h"

/*
 * The thread that stands in the traffic. It receives a batch of packets, accepts it, shows it to
 * the analyst through the ring, and does nothing else: no packet byte is looked at, no lock taken,
 * no memory allocated, no line logged.
 */
struct receiver;

#define RECEIVER_ANYWHERE UINT_MAX

/*
 * Start a thread that serves `queue` and feeds `ring`, both borrowed. It stays on number `pin` of
 * the processors that this process may use, in turn if there are fewer. NULL with errno.
 */
struct receiver *receiver_start(struct nfqueue *queue, struct ring *ring, unsigned int pin);

/* 0 while it runs, else the errno that ended it. */
int receiver_error(const struct receiver *receiver);

/*
 * Let new packets bypass the queue, accept all that wait in it, end the thread, free the receiver.
 * The queue can then be closed without losing a packet, except where nfqueue_bypass() is false.
 * `status_fd` is of nfqueue_status_open(), for the last count of what was missed; it may be -1.
 */
void receiver_stop(struct receiver *receiver, int status_fd);

#endif
