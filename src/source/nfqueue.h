/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NFQUEUE_H
#define NFQUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/*
 * One NFQUEUE: its netlink socket, its configuration, its verdicts, its messages. The only verdict
 * that can be given here is NF_ACCEPT.
 */
struct nfqueue;

/* IPv4 with options or IPv6 with 60 bytes of extension headers, and a TCP header with options. */
#define NFQUEUE_COPY_RANGE 160

/* What a kernel may lack, or the user may forbid. */
#define NFQUEUE_BATCH_VERDICT 0x01 /* Linux 3.1 */
#define NFQUEUE_FAIL_OPEN     0x02 /* Linux 3.6 */
#define NFQUEUE_GSO	      0x04 /* Linux 3.10 */
#define NFQUEUE_RECVMMSG      0x08 /* Linux 2.6.33 */
#define NFQUEUE_ALL_FEATURES  0x0f

/* "batch-verdict" and so on, for one feature bit; NULL if there is no such bit. */
const char *nfqueue_feature_name(unsigned int feature);

struct nfqueue_config {
	uint16_t number;
	size_t buffer;	       /* bytes of receive buffer, as the kernel accounts them */
	unsigned int features; /* those that may be used */
};

/*
 * Bind a queue, have it hand over whole headers, and find out what the kernel can do. Packets that
 * arrive meanwhile are accepted. NULL on failure, and then `why` holds one line that says what to
 * do about it.
 */
struct nfqueue *nfqueue_open(const struct nfqueue_config *config, char *why, size_t why_size);

/* Closes the socket. The kernel drops what is still queued, so call nfqueue_bypass() and drain. */
void nfqueue_close(struct nfqueue *queue);

uint16_t nfqueue_number(const struct nfqueue *queue);
unsigned int nfqueue_features(const struct nfqueue *queue);
size_t nfqueue_buffer(const struct nfqueue *queue);

/* Packets accepted by nfqueue_open(), and the last packet id it saw. */
uint64_t nfqueue_early(const struct nfqueue *queue);
uint32_t nfqueue_early_id(const struct nfqueue *queue);

/*
 * Wait until packets are there and receive up to `count` messages, each into its own iovec;
 * lengths[i] becomes the length of message i. Returns how many, or -1 with errno: EAGAIN (none is
 * there, with `wait` false), EINTR, ENOBUFS (some were lost; they show as a gap in the ids), or
 * worse.
 */
int nfqueue_receive(struct nfqueue *queue, struct iovec *buffers, size_t *lengths, size_t count,
		    bool wait);

/* The packet id in a message from the kernel; false if the message is not about a packet. */
bool nfqueue_packet_id(const void *message, size_t length, uint32_t *id);

/* True if the message says that the kernel refused a request, but not for want of a packet. */
bool nfqueue_refused(const void *message, size_t length);

/* Accept one packet, or with NFQUEUE_BATCH_VERDICT that and all before it. 0, or -1 with errno. */
int nfqueue_accept(struct nfqueue *queue, uint32_t id);

/*
 * Have new packets pass by, so that the queue drains, and wake up whoever waits in
 * nfqueue_receive(). False where the kernel cannot let them pass (before 3.6); what arrives between
 * the last nfqueue_receive() and nfqueue_close() is lost there.
 */
bool nfqueue_bypass(struct nfqueue *queue);

/* A line of /proc/net/netfilter/nfnetlink_queue. */
struct nfqueue_status {
	uint32_t owner;		 /* netlink port id, as a rule the owner's pid */
	uint32_t queue_dropped;	 /* the queue was full */
	uint32_t socket_dropped; /* the socket's buffer was full */
	uint32_t last_id;	 /* given to a packet */
};

/* Open that file, to be read again and again. -1 with errno. */
int nfqueue_status_open(void);

/* Read the line of queue `number`. False if nobody has that queue, or the file cannot be read. */
bool nfqueue_status_read(int fd, uint16_t number, struct nfqueue_status *status);

#endif
