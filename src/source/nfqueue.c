/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <libnetfilter_queue/libnetfilter_queue.h>

#include "nfmessage.h"
#include "nfqueue.h"

/* Headers of the oldest systems lack these; a kernel that lacks them too says so. */
#ifndef NETLINK_NO_ENOBUFS
#define NETLINK_NO_ENOBUFS 5
#endif
#define MESSAGE_VERDICT_BATCH 3
#define ATTRIBUTE_CFG_MASK    4
#define ATTRIBUTE_CFG_FLAGS   5
#define FLAG_FAIL_OPEN	      (1U << 0)
#define FLAG_GSO	      (1U << 2)
#define FLAG_NOBODY_KNOWS     (1U << 31)

/* The kernel charges a socket for a message about a SYN more than the first, less than the second.
 */
#define LEAST_CHARGE 256
#define MOST_CHARGE  2048

#define RECEIVE_TIMEOUT_MS 500
#define MESSAGE_BYTES	   4096
#define RECEIVE_MOST	   64
#define ANSWER_TRIES	   1000 /* packets that may come before the kernel's answer to a request */

struct nfqueue {
	struct mnl_socket *socket;
	int fd;
	uint16_t number;
	unsigned int features;
	size_t buffer;
	uint32_t length;   /* the kernel's limit on packets that wait for a verdict */
	uint32_t sequence; /* of our netlink requests */
	uint64_t early;
	uint32_t early_id;
	char verdict[64] __attribute__((aligned(NLMSG_ALIGNTO)));
	size_t verdict_length;
};

const char *nfqueue_feature_name(unsigned int feature)
{
	switch (feature) {
	case NFQUEUE_BATCH_VERDICT:
		return "batch-verdict";
	case NFQUEUE_FAIL_OPEN:
		return "fail-open";
	case NFQUEUE_GSO:
		return "gso";
	case NFQUEUE_RECVMMSG:
		return "recvmmsg";
	}
	return NULL;
}

static struct nlmsghdr *put_header(char *buffer, unsigned int type, uint16_t number)
{
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	struct nfgenmsg *family;

	header->nlmsg_type = (uint16_t)(NFNL_SUBSYS_QUEUE << 8 | type);
	header->nlmsg_flags = NLM_F_REQUEST;
	family = mnl_nlmsg_put_extra_header(header, sizeof(*family));
	family->nfgen_family = AF_UNSPEC;
	family->version = NFNETLINK_V0;
	family->res_id = htons(number);
	return header;
}

static int send_message(const struct nfqueue *queue, const struct nlmsghdr *header)
{
	return mnl_socket_sendto(queue->socket, header, header->nlmsg_len) < 0 ? -1 : 0;
}

/* Verdicts differ in their id alone, so the message is made once for each kind. */
static void make_verdict(struct nfqueue *queue)
{
	const unsigned int type =
		queue->features & NFQUEUE_BATCH_VERDICT ? MESSAGE_VERDICT_BATCH : NFQNL_MSG_VERDICT;
	struct nlmsghdr *header = put_header(queue->verdict, type, queue->number);

	nfq_nlmsg_verdict_put(header, 0, NF_ACCEPT);
	queue->verdict_length = header->nlmsg_len;
}

int nfqueue_accept(struct nfqueue *queue, uint32_t id)
{
	const uint32_t its_id = htonl(id);

	memcpy(queue->verdict + queue->verdict_length - sizeof(its_id), &its_id, sizeof(its_id));
	return send(queue->fd, queue->verdict, queue->verdict_length, 0) < 0 ? -1 : 0;
}

bool nfqueue_packet_id(const void *message, size_t length, uint32_t *id)
{
	const struct nlmsghdr *header = message;
	const struct nlattr *attribute;
	struct nfqnl_msg_packet_hdr packet;

	if (!nfmessage_whole(message, length) ||
	    header->nlmsg_type != (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET))
		return false;
	for (attribute = nfmessage_first(header); attribute != NULL;
	     attribute = nfmessage_next(header, attribute)) {
		const void *payload = nfmessage_payload(header, attribute, sizeof(packet));

		if (nfmessage_type(attribute) != NFQA_PACKET_HDR || payload == NULL)
			continue;
		memcpy(&packet, payload, sizeof(packet));
		*id = ntohl(packet.packet_id);
		return true;
	}
	return false;
}

bool nfqueue_refused(const void *message, size_t length)
{
	const struct nlmsghdr *header = message;
	const struct nlmsgerr *answer;

	if (!nfmessage_whole(message, length) || header->nlmsg_type != NLMSG_ERROR ||
	    mnl_nlmsg_get_payload_len(header) < sizeof(*answer))
		return false;
	answer = mnl_nlmsg_get_payload(header);
	return answer->error != 0 && answer->error != -ENOENT;
}

/* The kernel's answer to a request; packets that come before it are accepted. 0 or -1 with errno.
 */
static int await_answer(struct nfqueue *queue)
{
	char buffer[MESSAGE_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));
	const struct nlmsghdr *header = (const struct nlmsghdr *)buffer;
	const struct nlmsgerr *answer;
	ssize_t length;
	uint32_t id;
	int tries;

	for (tries = 0; tries < ANSWER_TRIES; tries++) {
		length = recv(queue->fd, buffer, sizeof(buffer), 0);
		if (length < 0 && (errno == EINTR || errno == ENOBUFS))
			continue;
		if (length < 0)
			return -1;
		if (nfqueue_packet_id(buffer, (size_t)length, &id)) {
			if (nfqueue_accept(queue, id) < 0)
				return -1;
			queue->early++;
			queue->early_id = id;
			continue;
		}
		if (!nfmessage_whole(buffer, (size_t)length) || header->nlmsg_type != NLMSG_ERROR ||
		    header->nlmsg_seq != queue->sequence)
			continue;
		answer = mnl_nlmsg_get_payload(header);
		errno = -answer->error;
		return answer->error == 0 ? 0 : -1;
	}
	errno = ETIMEDOUT;
	return -1;
}

static int request(struct nfqueue *queue, struct nlmsghdr *header)
{
	header->nlmsg_flags |= NLM_F_ACK;
	header->nlmsg_seq = ++queue->sequence;
	return send_message(queue, header) < 0 ? -1 : await_answer(queue);
}

/*
 * Everything in one message, since a queue that is bound but has no copy mode yet drops packets.
 * The length limit is larger than what the socket and a batch without verdict can hold, where
 * set_buffer() dares to: then whatever is missed is missed by the socket, after its packet id was
 * spent, and can be counted.
 */
static int configure(struct nfqueue *queue, bool bind, uint32_t flags, uint32_t mask)
{
	char buffer[256] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *header = put_header(buffer, NFQNL_MSG_CONFIG, queue->number);

	if (bind)
		nfq_nlmsg_cfg_put_cmd(header, AF_UNSPEC, NFQNL_CFG_CMD_BIND);
	nfq_nlmsg_cfg_put_params(header, NFQNL_COPY_PACKET, NFQUEUE_COPY_RANGE);
	nfq_nlmsg_cfg_put_qmaxlen(header, queue->length);
	if (mask != 0) {
		mnl_attr_put_u32(header, ATTRIBUTE_CFG_FLAGS, htonl(flags));
		mnl_attr_put_u32(header, ATTRIBUTE_CFG_MASK, htonl(mask));
	}
	return request(queue, header);
}

static uint32_t wanted_flags(unsigned int features)
{
	return (features & NFQUEUE_FAIL_OPEN ? FLAG_FAIL_OPEN : 0) |
	       (features & NFQUEUE_GSO ? FLAG_GSO : 0);
}

/*
 * Bind with as many flags as the kernel takes. One that knows flags refuses those it does not
 * know; one before 3.6 ignores them all, so a flag that cannot exist tells the two apart.
 */
static int configure_best(struct nfqueue *queue)
{
	bool bind = true;
	uint32_t flags = wanted_flags(queue->features);

	while (configure(queue, bind, flags, flags) < 0) {
		if (!bind && errno == ENODEV) {
			bind = true; /* this kernel undoes the bind with the refused flags */
			continue;
		}
		if (errno != EOPNOTSUPP || flags == 0)
			return -1;
		queue->features &= flags & FLAG_GSO ? ~(unsigned int)NFQUEUE_GSO
						    : ~(unsigned int)NFQUEUE_FAIL_OPEN;
		flags = wanted_flags(queue->features);
		bind = false;
	}
	if (flags != 0 && configure(queue, false, FLAG_NOBODY_KNOWS, FLAG_NOBODY_KNOWS) == 0)
		queue->features &= ~(unsigned int)(NFQUEUE_FAIL_OPEN | NFQUEUE_GSO);
	return 0;
}

/* No packet has the id 0, so a kernel that knows batch verdicts answers that it found none. */
static void probe_batch_verdict(struct nfqueue *queue)
{
	char buffer[64] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *header = put_header(buffer, MESSAGE_VERDICT_BATCH, queue->number);
	const unsigned int wanted = queue->features & NFQUEUE_BATCH_VERDICT;

	nfq_nlmsg_verdict_put(header, 0, NF_ACCEPT);
	queue->features &= ~(unsigned int)NFQUEUE_BATCH_VERDICT;
	if (wanted != 0 && (request(queue, header) == 0 || errno == ENOENT))
		queue->features |= NFQUEUE_BATCH_VERDICT;
	make_verdict(queue);
}

static bool kernel_before(int major, int minor)
{
	struct utsname system;
	int its_major = 0, its_minor = 0;

	if (uname(&system) < 0 || sscanf(system.release, "%d.%d", &its_major, &its_minor) != 2)
		return false;
	return its_major < major || (its_major == major && its_minor < minor);
}

/* Before 3.8 a protocol family had to be bound to nfnetlink_queue by hand; later that is refused.
 */
static int bind_families(struct nfqueue *queue)
{
	static const uint16_t families[] = { AF_INET, AF_INET6 };
	char buffer[64] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *header;
	size_t i;

	if (!kernel_before(3, 8))
		return 0;
	for (i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		header = put_header(buffer, NFQNL_MSG_CONFIG, 0);
		nfq_nlmsg_cfg_put_cmd(header, families[i], NFQNL_CFG_CMD_PF_BIND);
		if (request(queue, header) < 0 && errno != EEXIST)
			return -1;
	}
	return 0;
}

static void set_buffer(struct nfqueue *queue, size_t bytes)
{
	const int wanted = (int)(bytes / 2); /* the kernel doubles it */
	int got = 0, on = 1;
	socklen_t size = sizeof(got);

	if (setsockopt(queue->fd, SOL_SOCKET, SO_RCVBUFFORCE, &wanted, sizeof(wanted)) < 0)
		setsockopt(queue->fd, SOL_SOCKET, SO_RCVBUF, &wanted, sizeof(wanted));
	getsockopt(queue->fd, SOL_SOCKET, SO_RCVBUF, &got, &size);
	queue->buffer = (size_t)got;
	/* Before 4.6 only a full queue fails open, a full socket drops: so the queue must fill
	 * first. */
	if (kernel_before(4, 6))
		queue->length = (uint32_t)(queue->buffer / MOST_CHARGE) + 1;
	else
		queue->length = (uint32_t)(queue->buffer / LEAST_CHARGE) + RECEIVE_MOST;
	/* Losses are counted by packet ids; the error would only cost time when there is none. */
	setsockopt(queue->fd, SOL_NETLINK, NETLINK_NO_ENOBUFS, &on, sizeof(on));
}

static int open_socket(struct nfqueue *queue)
{
	const struct timeval timeout = { 0, RECEIVE_TIMEOUT_MS * 1000 };

	queue->socket = mnl_socket_open(NETLINK_NETFILTER);
	if (queue->socket == NULL || mnl_socket_bind(queue->socket, 0, MNL_SOCKET_AUTOPID) < 0)
		return -1;
	queue->fd = mnl_socket_get_fd(queue->socket);
	fcntl(queue->fd, F_SETFD, FD_CLOEXEC);
	if (recvmmsg(queue->fd, NULL, 0, MSG_DONTWAIT, NULL) < 0 && errno == ENOSYS)
		queue->features &= ~(unsigned int)NFQUEUE_RECVMMSG;
	return setsockopt(queue->fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
}

/* A timeout would cost every wait for packets some 3 %, so only configuring has one. */
static int wait_for_ever(const struct nfqueue *queue)
{
	const struct timeval never = { 0, 0 };

	return setsockopt(queue->fd, SOL_SOCKET, SO_RCVTIMEO, &never, sizeof(never));
}

static void explain(const struct nfqueue *queue, int error, char *why, size_t size)
{
	const int fd = nfqueue_status_open();
	struct nfqueue_status status;

	if ((error == EPERM || error == EBUSY) && nfqueue_status_read(fd, queue->number, &status))
		snprintf(why, size,
			 "queue %u belongs to another program (netlink port id %u, as a "
			 "rule its pid): stop that one or choose another --queue",
			 queue->number, status.owner);
	else if (error == EPERM)
		snprintf(why, size, "queue %u: not permitted: run as root or with CAP_NET_ADMIN",
			 queue->number);
	else if (error == EPROTONOSUPPORT || error == EINVAL || error == EOPNOTSUPP)
		snprintf(why, size,
			 "queue %u: this kernel has no NFQUEUE (%s): load the module "
			 "nfnetlink_queue",
			 queue->number, strerror(error));
	else
		snprintf(why, size, "queue %u: %s", queue->number, strerror(error));
	if (fd >= 0)
		close(fd);
}

struct nfqueue *nfqueue_open(const struct nfqueue_config *config, char *why, size_t why_size)
{
	struct nfqueue *queue = calloc(1, sizeof(*queue));

	if (queue == NULL) {
		snprintf(why, why_size, "queue %u: %s", config->number, strerror(errno));
		return NULL;
	}
	queue->number = config->number;
	/* Until the kernel says that it knows better, packets are accepted one by one. */
	queue->features = config->features & ~(unsigned int)NFQUEUE_BATCH_VERDICT;
	queue->sequence = (uint32_t)time(NULL);
	make_verdict(queue);
	if (open_socket(queue) < 0)
		goto fail;
	set_buffer(queue, config->buffer);
	if (bind_families(queue) < 0 || configure_best(queue) < 0)
		goto fail;
	queue->features |= config->features & NFQUEUE_BATCH_VERDICT;
	probe_batch_verdict(queue);
	if (wait_for_ever(queue) < 0)
		goto fail;
	return queue;
fail:
	explain(queue, errno, why, why_size);
	nfqueue_close(queue);
	return NULL;
}

void nfqueue_close(struct nfqueue *queue)
{
	if (queue->socket != NULL)
		mnl_socket_close(queue->socket);
	free(queue);
}

uint16_t nfqueue_number(const struct nfqueue *queue)
{
	return queue->number;
}

unsigned int nfqueue_features(const struct nfqueue *queue)
{
	return queue->features;
}

size_t nfqueue_buffer(const struct nfqueue *queue)
{
	return queue->buffer;
}

uint64_t nfqueue_early(const struct nfqueue *queue)
{
	return queue->early;
}

uint32_t nfqueue_early_id(const struct nfqueue *queue)
{
	return queue->early_id;
}

static int receive_one(const struct nfqueue *queue, struct iovec *buffer, size_t *length, int flags)
{
	const ssize_t received = recv(queue->fd, buffer->iov_base, buffer->iov_len, flags);

	if (received < 0)
		return -1;
	*length = (size_t)received;
	return 1;
}

int nfqueue_receive(struct nfqueue *queue, struct iovec *buffers, size_t *lengths, size_t count,
		    bool wait)
{
	struct mmsghdr messages[RECEIVE_MOST];
	const int flags = wait ? 0 : MSG_DONTWAIT;
	int i, received;

	if (!(queue->features & NFQUEUE_RECVMMSG))
		return receive_one(queue, buffers, lengths, flags);
	if (count > RECEIVE_MOST)
		count = RECEIVE_MOST;
	memset(messages, 0, count * sizeof(messages[0]));
	for (i = 0; i < (int)count; i++) {
		messages[i].msg_hdr.msg_iov = &buffers[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	received = recvmmsg(queue->fd, messages, (unsigned int)count, flags | MSG_WAITFORONE, NULL);
	for (i = 0; i < received; i++)
		lengths[i] = messages[i].msg_len;
	return received;
}

bool nfqueue_bypass(struct nfqueue *queue)
{
	char buffer[64] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *header = put_header(buffer, NFQNL_MSG_CONFIG, queue->number);

	const bool possible = (queue->features & NFQUEUE_FAIL_OPEN) != 0;

	/* A full queue that fails open accepts, and a queue of length 0 is always full. */
	if (possible)
		nfq_nlmsg_cfg_put_qmaxlen(header, 0);
	header->nlmsg_flags |= NLM_F_ACK; /* the answer is what wakes the receiver */
	return send_message(queue, header) == 0 && possible;
}
