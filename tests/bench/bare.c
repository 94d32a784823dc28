/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The least that a receiver of an NFQUEUE can do, set up as the daemon's: receive in batches,
 * accept each batch with one verdict, look at nothing. `bare [QUEUE]` counts until SIGTERM.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <libnetfilter_queue/libnetfilter_queue.h>

#include "../../src/source/nfqueue.h"

#define BATCH	      64
#define BUFFER	      (8 * 1024 * 1024) /* as --buffer has it */
#define LEAST_CHARGE  256
#define MESSAGE_BYTES 512
#define TIMEOUT_USEC  500000

static volatile sig_atomic_t stopped;

static uint64_t received, missed;
static uint32_t last_id;

static void stop(int number)
{
	(void)number;
	stopped = 1;
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

static void bind_queue(struct mnl_socket *socket, uint16_t number)
{
	const uint32_t flags = NFQA_CFG_F_FAIL_OPEN | NFQA_CFG_F_GSO;
	char buffer[256] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *header = put_header(buffer, NFQNL_MSG_CONFIG, number);
	ssize_t length;

	header->nlmsg_flags |= NLM_F_ACK;
	nfq_nlmsg_cfg_put_cmd(header, AF_UNSPEC, NFQNL_CFG_CMD_BIND);
	nfq_nlmsg_cfg_put_params(header, NFQNL_COPY_PACKET, NFQUEUE_COPY_RANGE);
	nfq_nlmsg_cfg_put_qmaxlen(header, BUFFER / LEAST_CHARGE + BATCH);
	mnl_attr_put_u32(header, NFQA_CFG_FLAGS, htonl(flags));
	mnl_attr_put_u32(header, NFQA_CFG_MASK, htonl(flags));
	if (mnl_socket_sendto(socket, header, header->nlmsg_len) < 0)
		err(1, "queue %u", number);
	length = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));
	if (length < 0 || mnl_cb_run(buffer, (size_t)length, 0, 0, NULL, NULL) < 0)
		err(1, "queue %u", number);
}

static struct mnl_socket *open_socket(void)
{
	struct mnl_socket *socket = mnl_socket_open(NETLINK_NETFILTER);
	const struct timeval timeout = { 0, TIMEOUT_USEC };
	const int half = BUFFER / 2, on = 1; /* the kernel doubles it */
	int fd;

	if (socket == NULL || mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0)
		err(1, "netlink");
	fd = mnl_socket_get_fd(socket);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &half, sizeof(half)) < 0)
		err(1, "SO_RCVBUFFORCE");
	setsockopt(fd, SOL_NETLINK, NETLINK_NO_ENOBUFS, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	return socket;
}

/* The id is always in the first attribute of a packet's message. */
static uint32_t packet_id(const char *message)
{
	const struct nlmsghdr *header = (const struct nlmsghdr *)message;
	struct nfqnl_msg_packet_hdr packet;

	memcpy(&packet,
	       mnl_attr_get_payload(mnl_nlmsg_get_payload_offset(header, sizeof(struct nfgenmsg))),
	       sizeof(packet));
	return ntohl(packet.packet_id);
}

/* Ids are given out one by one. */
static void count(uint32_t id, uint32_t packets)
{
	received += packets;
	missed += id - last_id - packets;
	last_id = id;
}

static void serve(struct mnl_socket *socket, uint16_t number)
{
	static char bytes[BATCH][MESSAGE_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));
	char verdict[64] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct mmsghdr messages[BATCH];
	struct iovec parts[BATCH];
	struct nlmsghdr *header;
	int i, got;

	memset(messages, 0, sizeof(messages));
	for (i = 0; i < BATCH; i++) {
		parts[i].iov_base = bytes[i];
		parts[i].iov_len = sizeof(bytes[i]);
		messages[i].msg_hdr.msg_iov = &parts[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	while (!stopped) {
		got = recvmmsg(mnl_socket_get_fd(socket), messages, BATCH, MSG_WAITFORONE, NULL);
		if (got <= 0)
			continue;
		count(packet_id(bytes[got - 1]), (uint32_t)got);
		header = put_header(verdict, NFQNL_MSG_VERDICT_BATCH, number);
		nfq_nlmsg_verdict_put(header, (int)last_id, NF_ACCEPT);
		if (mnl_socket_sendto(socket, header, header->nlmsg_len) < 0 && errno != EINTR)
			warn("verdict");
	}
}

int main(int argc, char **argv)
{
	const struct sigaction action = { .sa_handler = stop }; /* no SA_RESTART: it must wake us */
	const uint16_t number = argc > 1 ? (uint16_t)atoi(argv[1]) : 0;
	struct mnl_socket *socket = open_socket();

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	bind_queue(socket, number);
	fprintf(stderr, "watching queue %u\n", number);
	serve(socket, number);
	printf("received=%llu missed=%llu\n", (unsigned long long)received,
	       (unsigned long long)missed);
	return 0;
}
