/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>

#include <libmnl/libmnl.h>
#include <linux/netlink.h>

#include "../core/siphash.h"
#include "nfmessage.h"
#include "sockets.h"

/* linux/inet_diag.h of old systems lacks most of these, and linux/sock_diag.h is not there. */
#define DIAG_PROTOCOL	    4
#define DIAG_BY_TCPDIAG	    18
#define DIAG_BY_FAMILY	    20
#define ATTRIBUTE_SKV6ONLY  11
#define ADDRESS_WORDS	    4
#define STATE(tcp_state)    (1U << (tcp_state))
#define STATES_NOBODY_IS_IN 0

struct diag_id {
	uint16_t port, peer_port;
	uint32_t address[ADDRESS_WORDS], peer[ADDRESS_WORDS];
	uint32_t interface;
	uint32_t cookie[2];
};

struct diag_request {
	uint8_t family, protocol, extensions, pad;
	uint32_t states;
	struct diag_id id;
};

struct diag_old_request {
	uint8_t family, address_bits, peer_bits, extensions;
	struct diag_id id;
	uint32_t states, tables;
};

struct diag_socket {
	uint8_t family, state, timer, retransmits;
	struct diag_id id;
	uint32_t expires, receive_queue, send_queue, uid, inode;
};

enum stage { LISTEN_IPV4, LISTEN_IPV6, FIN_WAIT2_IPV4, FIN_WAIT2_IPV6, STAGES };

/* What a port's listeners are, in the dump that goes on, and whether it was told about. */
#define PORTS	      65536
#define PORT_IPV4     (1U << 0)
#define PORT_DUAL     (1U << 1) /* IPv6, and takes IPv4 */
#define PORT_IPV6     (1U << 2) /* nothing but IPv6 */
#define PORT_LISTENS  (PORT_IPV4 | PORT_DUAL | PORT_IPV6)
#define PORT_WAS_TOLD (1U << 3)

/* Sockets in FIN_WAIT2 that were seen lately: the last two times through the table. */
#define SEEN_WAYS 4
#define SEEN_SETS 4096

struct seen {
	uint32_t tag;
	uint32_t round;
};

/* A kernel makes its datagrams no larger than this or the buffer they were asked with. */
#define RECEIVE_BYTES 32768
#define RECEIVE_MOST  (RECEIVE_BYTES / (sizeof(struct nlmsghdr) + sizeof(struct diag_socket)))

struct sockets {
	struct mnl_socket *socket;
	uint32_t port_id;
	uint32_t sequence;
	bool old;      /* the protocol of kernels before 3.3 */
	bool wide;     /* mini-sockets are dumped as TIME_WAIT only, whatever they are */
	bool underway; /* a dump was asked for and has not ended */
	enum stage stage;
	uint32_t states; /* that were asked for */
	uint32_t round;	 /* times through the table */
	size_t taken;	 /* in this look */
	uint8_t ports[PORTS];
	struct seen seen[SEEN_SETS][SEEN_WAYS];
	char buffer[RECEIVE_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));
};

/*
 * True at first sight only. The key is no secret: who makes names collide hides sockets of his own
 * or, with luck, of others, but nobody's are told twice.
 */
static bool first_sight(struct sockets *sockets, const struct diag_socket *diag)
{
	static const uint8_t key[16];
	/* Old kernels leave all but the first word of an IPv4 address as the memory was. */
	const size_t words = diag->family == AF_INET ? 1 : ADDRESS_WORDS;
	struct diag_id ends;
	struct seen *set, *stale = NULL;
	uint64_t name;
	size_t i;

	memset(&ends, 0, sizeof(ends));
	ends.port = diag->id.port;
	ends.peer_port = diag->id.peer_port;
	memcpy(ends.address, diag->id.address, words * sizeof(uint32_t));
	memcpy(ends.peer, diag->id.peer, words * sizeof(uint32_t));
	name = siphash(key, &ends, sizeof(ends));
	set = sockets->seen[(name >> 32) % SEEN_SETS];
	for (i = 0; i < SEEN_WAYS; i++) {
		const bool fresh = sockets->round - set[i].round <= 1;

		if (fresh && set[i].tag == (uint32_t)name) {
			set[i].round = sockets->round;
			return false;
		}
		if (!fresh)
			stale = &set[i];
	}
	if (stale == NULL)
		return false;
	stale->tag = (uint32_t)name;
	stale->round = sockets->round;
	return true;
}

/* True if IPv4 connections can come to an IPv6 socket bound to this, were it not for V6ONLY. */
static bool takes_ipv4(const uint32_t address[ADDRESS_WORDS])
{
	return address[0] == 0 && address[1] == 0 &&
	       (address[2] == htonl(0xffff) || (address[2] == 0 && address[3] == 0));
}

/* False also where the kernel does not say: then who listens on IPv4 settles it. */
static bool is_v6_only(const struct nlmsghdr *header)
{
	const char *const end = mnl_nlmsg_get_payload_tail(header);
	const struct nlattr *attribute =
		mnl_nlmsg_get_payload_offset(header, sizeof(struct diag_socket));

	for (; mnl_attr_ok(attribute, (int)(end - (const char *)attribute));
	     attribute = mnl_attr_next(attribute)) {
		const uint8_t *only = nfmessage_payload(header, attribute, sizeof(*only));

		if (mnl_attr_get_type(attribute) == ATTRIBUTE_SKV6ONLY && only != NULL)
			return *only != 0;
	}
	return false;
}

static unsigned int kind_of(const struct diag_socket *listener, const struct nlmsghdr *header)
{
	if (listener->family == AF_INET)
		return PORT_IPV4;
	return takes_ipv4(listener->id.address) && !is_v6_only(header) ? PORT_DUAL : PORT_IPV6;
}

static void take_socket(struct sockets *sockets, const struct nlmsghdr *header,
			const struct sockets_events *events)
{
	struct diag_socket diag;
	uint16_t port;

	if (mnl_nlmsg_get_payload_len(header) < sizeof(diag))
		return;
	memcpy(&diag, mnl_nlmsg_get_payload(header), sizeof(diag));
	sockets->taken++;
	if (diag.state >= 32 || (STATE(diag.state) & sockets->states) == 0)
		return;
	port = ntohs(diag.id.port);
	if (diag.state == TCP_FIN_WAIT2 && first_sight(sockets, &diag))
		events->fin_wait2(events->context, port, diag.inode == 0);
	if (diag.state == TCP_LISTEN)
		sockets->ports[port] = (uint8_t)(sockets->ports[port] | kind_of(&diag, header));
}

/* IPv4 SYNs go to the IPv4 socket if there is one, so what the IPv6 one takes does not matter. */
static void tell_listeners(struct sockets *sockets, const struct sockets_events *events)
{
	uint32_t port;

	for (port = 0; port < PORTS; port++) {
		const unsigned int flags = sockets->ports[port];

		if (flags == 0)
			continue;
		events->listener(events->context, (uint16_t)port,
				 (flags & (PORT_IPV4 | PORT_DUAL)) == PORT_DUAL);
		sockets->ports[port] = flags & PORT_LISTENS ? PORT_WAS_TOLD : 0;
	}
}

static void end_stage(struct sockets *sockets, const struct sockets_events *events)
{
	if (sockets->old)
		sockets->stage++; /* which has both families at once */
	if (sockets->stage++ == LISTEN_IPV6)
		tell_listeners(sockets, events);
	if (sockets->stage == STAGES) {
		sockets->stage = LISTEN_IPV4;
		sockets->round++;
	}
}

static uint32_t states_of(const struct sockets *sockets)
{
	if (sockets->stage < FIN_WAIT2_IPV4)
		return STATE(TCP_LISTEN);
	return STATE(TCP_FIN_WAIT2) | (sockets->wide ? STATE(TCP_TIME_WAIT) : 0);
}

static void start_anew(struct sockets *sockets)
{
	uint32_t port;

	for (port = 0; port < PORTS; port++)
		sockets->ports[port] = (uint8_t)(sockets->ports[port] & PORT_WAS_TOLD);
	sockets->stage = LISTEN_IPV4;
	sockets->states = states_of(sockets);
	sockets->underway = false;
}

/* The error that a message of type ERROR or DONE bears; both begin with it. */
static int error_of(const struct nlmsghdr *header)
{
	int error = 0;

	if (mnl_nlmsg_get_payload_len(header) >= sizeof(error))
		memcpy(&error, mnl_nlmsg_get_payload(header), sizeof(error));
	return error < 0 ? -error : 0;
}

/* 1 if it ended the dump, 0 if there is more to come, -1 with errno. */
static int take_message(struct sockets *sockets, const struct nlmsghdr *header,
			const struct sockets_events *events)
{
	int error;

	if (header->nlmsg_pid != sockets->port_id || header->nlmsg_seq != sockets->sequence)
		return 0;
	if (header->nlmsg_type == (sockets->old ? DIAG_BY_TCPDIAG : DIAG_BY_FAMILY)) {
		take_socket(sockets, header, events);
		return 0;
	}
	if (header->nlmsg_type != NLMSG_DONE && header->nlmsg_type != NLMSG_ERROR)
		return 0;
	error = error_of(header);
	if (error != 0) {
		errno = error;
		return -1;
	}
	return header->nlmsg_type == NLMSG_DONE;
}

static int take_all(struct sockets *sockets, const void *bytes, size_t length,
		    const struct sockets_events *events)
{
	const char *at = bytes;

	while (nfmessage_whole(at, length)) {
		const struct nlmsghdr *header = (const void *)at;
		const size_t step = NLMSG_ALIGN(header->nlmsg_len);
		const int result = take_message(sockets, header, events);

		if (result != 0)
			return result;
		if (step >= length)
			break;
		at += step;
		length -= step;
	}
	return 0;
}

int sockets_feed(struct sockets *sockets, const void *bytes, size_t length,
		 const struct sockets_events *events)
{
	const int result = take_all(sockets, bytes, length, events);

	if (result > 0)
		end_stage(sockets, events);
	if (result < 0)
		start_anew(sockets);
	sockets->states = states_of(sockets);
	return result;
}

static int ask(struct sockets *sockets, uint32_t states)
{
	char buffer[128] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	struct diag_old_request *old_request;
	struct diag_request *request;

	header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	header->nlmsg_seq = ++sockets->sequence;
	sockets->states = states;
	if (sockets->old) {
		header->nlmsg_type = DIAG_BY_TCPDIAG;
		old_request = mnl_nlmsg_put_extra_header(header, sizeof(*old_request));
		old_request->family = AF_INET; /* and any other comes too */
		old_request->states = states;
	} else {
		header->nlmsg_type = DIAG_BY_FAMILY;
		request = mnl_nlmsg_put_extra_header(header, sizeof(*request));
		request->family = sockets->stage % 2 == 0 ? AF_INET : AF_INET6;
		request->protocol = IPPROTO_TCP;
		request->states = states;
	}
	return mnl_socket_sendto(sockets->socket, header, header->nlmsg_len) < 0 ? -1 : 0;
}

/*
 * The kernel puts the first datagram of a dump into the socket before the request returns, and each
 * later one when one is taken out: one that is not there will not come.
 */
static ssize_t receive(struct sockets *sockets)
{
	ssize_t length;

	do
		length = mnl_socket_recvfrom(sockets->socket, sockets->buffer,
					     sizeof(sockets->buffer));
	while (length < 0 && errno == EINTR);
	return length;
}

int sockets_look(struct sockets *sockets, const struct sockets_events *events)
{
	size_t receives = 0;
	ssize_t length;
	int result;

	sockets->taken = 0;
	/* The second bound is for datagrams that have nothing for us. */
	while (sockets->taken + RECEIVE_MOST <= SOCKETS_MOST && receives++ < SOCKETS_MOST) {
		if (!sockets->underway && ask(sockets, states_of(sockets)) < 0)
			goto fail;
		sockets->underway = true;
		length = receive(sockets);
		if (length < 0)
			goto fail;
		result = sockets_feed(sockets, sockets->buffer, (size_t)length, events);
		if (result < 0)
			return -1;
		sockets->underway = result == 0;
		if (result > 0 && sockets->stage == LISTEN_IPV4)
			return 0;
	}
	return 0;
fail:
	start_anew(sockets);
	return -1;
}

/* Have the kernel load what it needs, and say whether it can: a dump of nothing. */
static int probe(struct sockets *sockets)
{
	ssize_t length;
	int result;

	if (ask(sockets, STATES_NOBODY_IS_IN) < 0)
		return -1;
	do {
		length = receive(sockets);
		if (length < 0)
			return -1;
		result = take_all(sockets, sockets->buffer, (size_t)length, NULL);
	} while (result == 0);
	start_anew(sockets);
	return result < 0 ? -1 : 0;
}

/* Later a mini-socket answers to the state that it stands for; to ask for both is never wrong. */
static bool hides_mini_sockets(void)
{
	struct utsname system;
	int major = 0, minor = 0;

	if (uname(&system) < 0 || sscanf(system.release, "%d.%d", &major, &minor) != 2)
		return true;
	return major < 3 || (major == 3 && minor < 18);
}

struct sockets *sockets_new(bool old)
{
	struct sockets *sockets = calloc(1, sizeof(*sockets));

	if (sockets == NULL)
		return NULL;
	sockets->old = old;
	sockets->wide = old || hides_mini_sockets();
	sockets->round = 2; /* so that what is all zeroes was not seen lately */
	start_anew(sockets);
	return sockets;
}

static int open_socket(struct sockets *sockets)
{
	int fd;

	sockets->socket = mnl_socket_open(DIAG_PROTOCOL);
	if (sockets->socket == NULL || mnl_socket_bind(sockets->socket, 0, MNL_SOCKET_AUTOPID) < 0)
		return -1;
	sockets->port_id = mnl_socket_get_portid(sockets->socket);
	fd = mnl_socket_get_fd(sockets->socket);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	return fcntl(fd, F_SETFL, O_NONBLOCK);
}

static struct sockets *open_as(bool old)
{
	struct sockets *sockets = sockets_new(old);
	int error;

	if (sockets == NULL)
		return NULL;
	if (open_socket(sockets) == 0 && probe(sockets) == 0)
		return sockets;
	error = errno;
	sockets_close(sockets);
	/* Nobody is there to ask: 2.6.32 outside the first network namespace, or no tcp_diag. */
	errno = error == ECONNREFUSED || error == EOPNOTSUPP ? EPROTONOSUPPORT : error;
	return NULL;
}

struct sockets *sockets_open_old(void)
{
	return open_as(true);
}

/* A kernel before 3.3 calls the request too short; so does a policy that does not know its type. */
struct sockets *sockets_open(void)
{
	struct sockets *sockets = open_as(false);

	if (sockets != NULL || (errno != EINVAL && errno != ENOENT))
		return sockets;
	return open_as(true);
}

void sockets_close(struct sockets *sockets)
{
	if (sockets->socket != NULL)
		mnl_socket_close(sockets->socket);
	free(sockets);
}
