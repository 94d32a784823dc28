/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

#include <libmnl/libmnl.h>
#include <linux/genetlink.h>

#include "metrics.h"

/* linux/tcp_metrics.h came with 3.7, and its last attributes with 3.14. */
#define FAMILY	       "tcp_metrics"
#define FAMILY_VERSION 1
#define COMMAND_GET    1
enum {
	ATTRIBUTE_PEER_IPV4 = 1,
	ATTRIBUTE_PEER_IPV6 = 2,
	ATTRIBUTE_TSVAL = 4,
	ATTRIBUTE_STAMP_AGE = 5,
	ATTRIBUTE_LOCAL_IPV4 = 11,
	ATTRIBUTE_LOCAL_IPV6 = 12,
};

/* Where the attributes begin, and how they are aligned; libmnl's own are signed. */
#define HEADERS	      ((size_t)NLMSG_HDRLEN + GENL_HDRLEN)
#define ALIGNED(size) (((size_t)(size) + NLA_ALIGNTO - 1) & ~(size_t)(NLA_ALIGNTO - 1))

#define TIMEOUT_SECONDS 2
#define RECEIVE_BYTES	32768 /* a kernel makes no larger datagram */

struct dump {
	struct mnl_socket *socket;
	uint32_t sequence;
	uint16_t family;
	metrics_take *take;
	void *context;
	struct metrics_counts *counts;
};

/* Every attribute lies inside the message, which lies in `length` bytes. */
static bool whole(const struct nlmsghdr *header, size_t length)
{
	return length >= sizeof(*header) && length <= INT32_MAX && header->nlmsg_len <= length &&
	       header->nlmsg_len >= HEADERS;
}

/* The next attribute from `offset` on; NULL if no whole one is left. Moves `offset` behind it. */
static const struct nlattr *next_attribute(const struct nlmsghdr *header, size_t *offset)
{
	const struct nlattr *attribute;

	if (*offset > header->nlmsg_len || header->nlmsg_len - *offset < sizeof(*attribute))
		return NULL;
	attribute = (const struct nlattr *)((const char *)header + *offset);
	if (attribute->nla_len < sizeof(*attribute) ||
	    attribute->nla_len > header->nlmsg_len - *offset)
		return NULL;
	*offset += ALIGNED(attribute->nla_len);
	return attribute;
}

static bool copy(const struct nlattr *attribute, void *bytes, size_t size)
{
	if (mnl_attr_get_payload_len(attribute) < size)
		return false;
	memcpy(bytes, mnl_attr_get_payload(attribute), size);
	return true;
}

static void take_peer(struct metrics_entry *entry, const struct nlattr *attribute, uint8_t version)
{
	if (copy(attribute, entry->peer, version == 4 ? 4 : 16))
		entry->ip_version = version;
}

bool metrics_parse(const void *message, size_t length, struct metrics_entry *entry)
{
	const struct nlmsghdr *header = message;
	size_t offset = HEADERS;
	const struct nlattr *attribute;
	bool has_tsval = false, has_age = false;

	memset(entry, 0, sizeof(*entry));
	if (!whole(header, length))
		return false;
	while ((attribute = next_attribute(header, &offset)) != NULL) {
		switch (mnl_attr_get_type(attribute)) {
		case ATTRIBUTE_PEER_IPV4:
			take_peer(entry, attribute, 4);
			break;
		case ATTRIBUTE_PEER_IPV6:
			take_peer(entry, attribute, 6);
			break;
		case ATTRIBUTE_LOCAL_IPV4:
			entry->has_local |= copy(attribute, entry->local, 4);
			break;
		case ATTRIBUTE_LOCAL_IPV6:
			entry->has_local |= copy(attribute, entry->local, 16);
			break;
		case ATTRIBUTE_TSVAL:
			has_tsval |= copy(attribute, &entry->tsval, sizeof(entry->tsval));
			break;
		case ATTRIBUTE_STAMP_AGE:
			has_age |= copy(attribute, &entry->age, sizeof(entry->age));
			break;
		}
	}
	entry->has_stamp = has_tsval && has_age;
	return entry->ip_version != 0;
}

static int send_request(struct dump *dump, uint16_t type, uint16_t flags, uint8_t command,
			const char *family_name)
{
	char buffer[128] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	struct genlmsghdr *generic;

	header->nlmsg_type = type;
	header->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	header->nlmsg_seq = ++dump->sequence;
	generic = mnl_nlmsg_put_extra_header(header, sizeof(*generic));
	generic->cmd = command;
	generic->version = FAMILY_VERSION;
	if (family_name != NULL)
		mnl_attr_put_strz(header, CTRL_ATTR_FAMILY_NAME, family_name);
	return mnl_socket_sendto(dump->socket, header, header->nlmsg_len) < 0 ? -1 : 0;
}

/* All answers to the last request. 0, or -1 with errno. */
static int receive(struct dump *dump, mnl_cb_t callback)
{
	char buffer[RECEIVE_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));
	const uint32_t port = mnl_socket_get_portid(dump->socket);
	ssize_t length;
	int more = MNL_CB_OK;

	while (more == MNL_CB_OK) {
		length = mnl_socket_recvfrom(dump->socket, buffer, sizeof(buffer));
		if (length < 0)
			return -1;
		more = mnl_cb_run(buffer, (size_t)length, dump->sequence, port, callback, dump);
	}
	return more;
}

static int take_family(const struct nlmsghdr *header, void *context)
{
	size_t offset = HEADERS;
	struct dump *dump = context;
	const struct nlattr *attribute;

	while ((attribute = next_attribute(header, &offset)) != NULL) {
		if (mnl_attr_get_type(attribute) == CTRL_ATTR_FAMILY_ID)
			copy(attribute, &dump->family, sizeof(dump->family));
	}
	return MNL_CB_OK;
}

static int take_entry(const struct nlmsghdr *header, void *context)
{
	struct dump *dump = context;
	struct metrics_entry entry;

	if (!metrics_parse(header, header->nlmsg_len, &entry)) {
		dump->counts->damaged++;
		return MNL_CB_OK;
	}
	dump->counts->entries++;
	dump->counts->stamped += entry.has_stamp;
	if (dump->take != NULL)
		dump->take(dump->context, &entry);
	return MNL_CB_OK;
}

static int run(struct dump *dump)
{
	const struct timeval timeout = { .tv_sec = TIMEOUT_SECONDS };

	if (mnl_socket_bind(dump->socket, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    setsockopt(mnl_socket_get_fd(dump->socket), SOL_SOCKET, SO_RCVTIMEO, &timeout,
		       sizeof(timeout)) < 0)
		return -1;
	dump->sequence = (uint32_t)time(NULL);
	if (send_request(dump, GENL_ID_CTRL, NLM_F_ACK, CTRL_CMD_GETFAMILY, FAMILY) < 0 ||
	    receive(dump, take_family) < 0)
		return -1;
	if (dump->family == 0) {
		errno = ENOENT;
		return -1;
	}
	if (send_request(dump, dump->family, NLM_F_DUMP, COMMAND_GET, NULL) < 0)
		return -1;
	return receive(dump, take_entry);
}

static void explain(int error, char *note, size_t size)
{
	if (error == ENOENT)
		snprintf(note, size,
			 "this kernel does not show tcp_metrics (Linux 3.7 and later, built in): "
			 "the stamps that it remembers cannot be read");
	else if (error == EPERM || error == EACCES)
		snprintf(note, size, "tcp_metrics: not permitted: run as root");
	else
		snprintf(note, size, "tcp_metrics: %s", strerror(error));
}

int metrics_dump(metrics_take *take, void *context, struct metrics_counts *counts, char *note,
		 size_t note_size)
{
	struct dump dump = { .take = take, .context = context, .counts = counts };
	int result, error;

	memset(counts, 0, sizeof(*counts));
	note[0] = '\0';
	dump.socket = mnl_socket_open(NETLINK_GENERIC);
	if (dump.socket == NULL) {
		explain(errno, note, note_size);
		return -1;
	}
	result = run(&dump);
	error = errno;
	mnl_socket_close(dump.socket);
	if (result < 0)
		explain(error, note, note_size);
	else if (counts->stamped == 0)
		snprintf(
			note, note_size,
			"tcp_metrics has %llu entries and no timestamp: there is none to remember, or "
			"the kernel, since 4.12, keeps none",
			(unsigned long long)counts->entries);
	return result < 0 ? -1 : 0;
}
