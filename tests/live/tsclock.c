/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tsclock: makes a network namespace look like another machine to a timestamp check.
 *
 * Network namespaces of one kernel share one TCP timestamp clock (with net.ipv4.tcp_timestamps=2
 * exactly, otherwise up to a random offset per pair of addresses), so two of them behind a NAT are
 * one machine to the check under test. tsclock shifts the clock of the namespace it runs in by a
 * fixed number of ticks: it adds them to the TSval of every packet that leaves, and takes them off
 * the TSecr of every packet that arrives, so that the namespace's own TCP notices nothing. The
 * endpoints stay real Linux TCP. In the namespace, with queue number N:
 *
 *	sysctl -w net.ipv4.tcp_timestamps=2
 *	tsclock --queue N --shift TICKS &
 *	iptables  -t mangle -A OUTPUT -p tcp -j NFQUEUE --queue-num N	(and -A INPUT; and
 *ip6tables)
 *
 * A packet that cannot be rewritten is accepted as it is: another protocol, a fragment, no
 * timestamp option, a wrong checksum, a length that does not fit. Connections must begin while
 * tsclock runs; those that live longer see the clock jump.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <libmnl/libmnl.h>
#include <libnetfilter_queue/libnetfilter_queue.h>

#define QUEUE_LENGTH   4096
#define RECEIVE_BUFFER (32 * 1024 * 1024)
#define PACKET_MAX     0xffff
#define BUFFER_SIZE    (PACKET_MAX + 4096) /* a packet and its attributes */
#define BURST	       64		   /* packets answered between two looks at the clock */
#define EXTENSIONS_MAX 16
#define TCP_HEADER     20
#define TCP_ACK	       0x10
#define OPTION_END     0
#define OPTION_NOP     1
#define OPTION_TS      8
#define OPTION_TS_LEN  10

static const char USAGE[] =
	"usage: tsclock --queue N --shift TICKS [--seconds S]\n"
	"  --queue N      the NFQUEUE that gets this namespace's TCP packets, both ways\n"
	"  --shift TICKS  ticks (milliseconds on Linux) to set the clock forward; may be negative\n"
	"  --seconds S    end after S seconds (default 120)\n";

enum direction { ELSEWHERE, LEAVING, ARRIVING };

/* The TCP segment found in a packet. */
struct segment {
	uint8_t *tcp;
	size_t length; /* header and data */
	size_t header; /* data offset, in bytes */
	uint32_t sum;  /* of the pseudo header */
};

struct clock {
	struct mnl_socket *netlink;
	uint32_t portid;
	unsigned int queue;
	unsigned int seconds;
	uint32_t shift;
	unsigned long leaving, arriving, unchanged;
};

static struct clock shifted;
static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
	(void)number;
	stopped = 1;
}

__attribute__((noreturn, format(printf, 2, 3))) static void die(int status, const char *format, ...)
{
	va_list args;

	fputs("tsclock: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(status);
}

/* ---- the packet --------------------------------------------------------------------------- */

static uint16_t get16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static uint32_t get32(const uint8_t *bytes)
{
	return (uint32_t)get16(bytes) << 16 | get16(bytes + 2);
}

static void put16(uint8_t *bytes, uint16_t value)
{
	bytes[0] = (uint8_t)(value >> 8);
	bytes[1] = (uint8_t)value;
}

static void put32(uint8_t *bytes, uint32_t value)
{
	put16(bytes, (uint16_t)(value >> 16));
	put16(bytes + 2, (uint16_t)value);
}

/* RFC 1071; not folded. 64 KiB cannot overflow it. */
static uint32_t add_sum(uint32_t sum, const uint8_t *bytes, size_t length)
{
	size_t i;

	for (i = 0; i + 1 < length; i += 2)
		sum += get16(bytes + i);
	if (length % 2 != 0)
		sum += (uint32_t)bytes[length - 1] << 8;
	return sum;
}

/* Over pseudo header and segment; 0 if the checksum in the segment is right. */
static uint16_t checksum(const struct segment *segment)
{
	uint32_t sum = add_sum(segment->sum, segment->tcp, segment->length);

	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static bool find_ipv4(uint8_t *packet, size_t length, struct segment *segment)
{
	const size_t total = length >= 20 ? get16(packet + 2) : 0;
	const size_t header = length >= 20 ? (packet[0] & 0x0fU) * 4U : 0;

	if (header < 20 || total > length || total < header + TCP_HEADER)
		return false;
	if (packet[9] != IPPROTO_TCP || (get16(packet + 6) & 0x3fff) != 0)
		return false; /* not TCP, or a fragment */
	segment->tcp = packet + header;
	segment->length = total - header;
	segment->sum = add_sum(IPPROTO_TCP + (uint32_t)segment->length, packet + 12, 8);
	return true;
}

static bool find_ipv6(uint8_t *packet, size_t length, struct segment *segment)
{
	const size_t total = length >= 40 ? 40U + get16(packet + 4) : 0;
	uint8_t next = length >= 40 ? packet[6] : IPPROTO_NONE;
	size_t at = 40;
	unsigned int i;

	if (total > length)
		return false;
	for (i = 0; i < EXTENSIONS_MAX && next != IPPROTO_TCP; i++) {
		if (next != IPPROTO_HOPOPTS && next != IPPROTO_DSTOPTS && next != IPPROTO_ROUTING)
			return false;
		if (total < at + 8)
			return false;
		if (next == IPPROTO_ROUTING && packet[at + 3] != 0)
			return false; /* the destination is not the one that is summed */
		next = packet[at];
		at += (packet[at + 1] + 1U) * 8U;
	}
	if (next != IPPROTO_TCP || total < at + TCP_HEADER)
		return false;
	segment->tcp = packet + at;
	segment->length = total - at;
	segment->sum = add_sum(IPPROTO_TCP + (uint32_t)segment->length, packet + 8, 32);
	return true;
}

static bool find_segment(uint8_t *packet, size_t length, struct segment *segment)
{
	bool found = false;

	if (length > 0 && packet[0] >> 4 == 4)
		found = find_ipv4(packet, length, segment);
	else if (length > 0 && packet[0] >> 4 == 6)
		found = find_ipv6(packet, length, segment);
	if (!found)
		return false;
	segment->header = (segment->tcp[12] >> 4) * 4U;
	return segment->header >= TCP_HEADER && segment->header <= segment->length;
}

/* TSval and TSecr, eight bytes, or NULL. */
static uint8_t *find_timestamps(const struct segment *segment)
{
	uint8_t *option = segment->tcp + TCP_HEADER;
	uint8_t *const end = segment->tcp + segment->header;

	while (option < end && *option != OPTION_END) {
		if (*option == OPTION_NOP) {
			option++;
			continue;
		}
		if (end - option < 2 || option[1] < 2 || option[1] > end - option)
			return NULL;
		if (*option == OPTION_TS)
			return option[1] == OPTION_TS_LEN ? option + 2 : NULL;
		option += option[1];
	}
	return NULL;
}

/* True if the packet was changed; `summed` says that its checksum is there to be verified. */
static bool shift(uint8_t *packet, size_t length, enum direction direction, bool summed)
{
	struct segment segment;
	uint8_t *timestamps;

	if (direction == ELSEWHERE || !find_segment(packet, length, &segment))
		return false;
	timestamps = find_timestamps(&segment);
	if (timestamps == NULL || (summed && checksum(&segment) != 0))
		return false;
	if (direction == LEAVING) {
		put32(timestamps, get32(timestamps) + shifted.shift);
	} else {
		/* An echo of 0 is no echo; without ACK the field means nothing. */
		if ((segment.tcp[13] & TCP_ACK) == 0 || get32(timestamps + 4) == 0)
			return false;
		put32(timestamps + 4, get32(timestamps + 4) - shifted.shift);
	}
	put16(segment.tcp + 16, 0);
	put16(segment.tcp + 16, checksum(&segment));
	return true;
}

/* ---- the queue ---------------------------------------------------------------------------- */

static enum direction direction_at(uint8_t hook)
{
	if (hook == NF_INET_LOCAL_OUT || hook == NF_INET_POST_ROUTING)
		return LEAVING;
	if (hook == NF_INET_LOCAL_IN || hook == NF_INET_PRE_ROUTING)
		return ARRIVING;
	return ELSEWHERE;
}

static void accept_packet(uint32_t id, const uint8_t *changed, size_t length)
{
	static char buffer[BUFFER_SIZE];
	struct nlmsghdr *nlh;

	nlh = nfq_nlmsg_put(buffer, NFQNL_MSG_VERDICT, shifted.queue);
	nfq_nlmsg_verdict_put(nlh, (int)id, NF_ACCEPT);
	if (changed != NULL)
		nfq_nlmsg_verdict_put_pkt(nlh, changed, (uint32_t)length);
	if (mnl_socket_sendto(shifted.netlink, nlh, nlh->nlmsg_len) < 0)
		die(1, "verdict: %s", strerror(errno));
}

static int on_packet(const struct nlmsghdr *nlh, void *unused)
{
	struct nlattr *attrs[NFQA_MAX + 1];
	struct nfqnl_msg_packet_hdr header;
	enum direction direction;
	uint8_t *packet = NULL;
	uint32_t info = 0;
	size_t length = 0;
	bool whole, changed;

	(void)unused;
	memset(attrs, 0, sizeof(attrs));
	if (nfq_nlmsg_parse(nlh, attrs) < 0 || attrs[NFQA_PACKET_HDR] == NULL ||
	    mnl_attr_get_payload_len(attrs[NFQA_PACKET_HDR]) < sizeof(header))
		die(1, "the kernel sent a message without a packet header");
	memcpy(&header, mnl_attr_get_payload(attrs[NFQA_PACKET_HDR]), sizeof(header));
	if (attrs[NFQA_PAYLOAD] != NULL) {
		packet = mnl_attr_get_payload(attrs[NFQA_PAYLOAD]);
		length = mnl_attr_get_payload_len(attrs[NFQA_PAYLOAD]);
	}
	if (attrs[NFQA_SKB_INFO] != NULL)
		info = ntohl(mnl_attr_get_u32(attrs[NFQA_SKB_INFO]));
	whole = attrs[NFQA_CAP_LEN] == NULL; /* set if the payload was cut */
	direction = direction_at(header.hook);
	changed = packet != NULL && whole &&
		  shift(packet, length, direction, (info & NFQA_SKB_CSUMNOTREADY) == 0);
	if (!changed)
		shifted.unchanged++;
	else if (direction == LEAVING)
		shifted.leaving++;
	else
		shifted.arriving++;
	accept_packet(ntohl(header.packet_id), changed ? packet : NULL, length);
	return MNL_CB_OK;
}

/* True if there was a message. */
static bool answer_next(void)
{
	static char buffer[BUFFER_SIZE];
	ssize_t length;

	length = recv(mnl_socket_get_fd(shifted.netlink), buffer, sizeof(buffer), MSG_DONTWAIT);
	if (length < 0) {
		if (errno == ENOBUFS)
			return true; /* TCP sends again what was lost */
		if (errno == EAGAIN || errno == EINTR)
			return false;
		die(1, "receive: %s", strerror(errno));
	}
	/* ENOENT: the packet is gone, because its interface went down for example. */
	if (mnl_cb_run(buffer, (size_t)length, 0, shifted.portid, on_packet, NULL) < 0 &&
	    errno != ENOENT)
		die(1, "the kernel refused a verdict: %s", strerror(errno));
	return true;
}

/* Bind and parameters in one message: no packet meets a queue without a copy mode. */
static void bind_queue(void)
{
	char buffer[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh;
	ssize_t length;

	nlh = nfq_nlmsg_put(buffer, NFQNL_MSG_CONFIG, shifted.queue);
	nlh->nlmsg_flags |= NLM_F_ACK;
	nfq_nlmsg_cfg_put_cmd(nlh, AF_UNSPEC, NFQNL_CFG_CMD_BIND);
	nfq_nlmsg_cfg_put_params(nlh, NFQNL_COPY_PACKET, PACKET_MAX);
	nfq_nlmsg_cfg_put_qmaxlen(nlh, QUEUE_LENGTH);
	if (mnl_socket_sendto(shifted.netlink, nlh, nlh->nlmsg_len) < 0)
		die(1, "netlink: %s", strerror(errno));
	length = mnl_socket_recvfrom(shifted.netlink, buffer, sizeof(buffer));
	if (length < 0 || mnl_cb_run(buffer, (size_t)length, 0, shifted.portid, NULL, NULL) < 0)
		die(1, "queue %u: %s%s", shifted.queue, strerror(errno),
		    errno == EPERM ? " (not root, or another process has it)" : "");
}

static void open_queue(void)
{
	const int size = RECEIVE_BUFFER;
	int fd, one = 1;

	shifted.netlink = mnl_socket_open(NETLINK_NETFILTER);
	if (shifted.netlink == NULL || mnl_socket_bind(shifted.netlink, 0, MNL_SOCKET_AUTOPID) < 0)
		die(1, "netlink: %s", strerror(errno));
	shifted.portid = mnl_socket_get_portid(shifted.netlink);
	fd = mnl_socket_get_fd(shifted.netlink);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) != 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	mnl_socket_setsockopt(shifted.netlink, NETLINK_NO_ENOBUFS, &one, sizeof(one));
	bind_queue();
}

/* SIGTERM and SIGINT arrive only inside ppoll(), with the mask this returns. */
static sigset_t catch_signals(void)
{
	struct sigaction action;
	sigset_t block, before;

	memset(&action, 0, sizeof(action));
	action.sa_handler = on_signal;
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	sigemptyset(&block);
	sigaddset(&block, SIGTERM);
	sigaddset(&block, SIGINT);
	sigprocmask(SIG_BLOCK, &block, &before);
	sigdelset(&before, SIGTERM);
	sigdelset(&before, SIGINT);
	return before;
}

static void run(void)
{
	const sigset_t unblocked = catch_signals();
	struct pollfd netlink;
	struct timespec now, left;
	time_t end;
	int i;

	netlink.fd = mnl_socket_get_fd(shifted.netlink);
	netlink.events = POLLIN;
	clock_gettime(CLOCK_MONOTONIC, &now);
	end = now.tv_sec + (time_t)shifted.seconds;
	puts("ready");
	fflush(stdout);
	for (; !stopped && now.tv_sec < end; clock_gettime(CLOCK_MONOTONIC, &now)) {
		left.tv_sec = end - now.tv_sec;
		left.tv_nsec = 0;
		if (ppoll(&netlink, 1, &left, &unblocked) < 0 && errno != EINTR)
			die(1, "ppoll: %s", strerror(errno));
		for (i = 0; i < BURST && answer_next(); i++)
			;
	}
	mnl_socket_close(shifted.netlink);
	printf("%lu leaving shifted, %lu arriving shifted back, %lu left as they were\n",
	       shifted.leaving, shifted.arriving, shifted.unchanged);
}

static long long number(const char *text, long long min, long long max, const char *what)
{
	char *end;
	long long value;

	errno = 0;
	value = strtoll(text, &end, 10);
	if (end == text || *end != '\0' || errno != 0 || value < min || value > max)
		die(2, "%s must be a number from %lld to %lld, not \"%s\"", what, min, max, text);
	return value;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "queue", required_argument, NULL, 'q' },
		{ "shift", required_argument, NULL, 's' },
		{ "seconds", required_argument, NULL, 't' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	bool queue = false, ticks = false;
	int option;

	shifted.seconds = 120;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'q') {
			shifted.queue = (unsigned int)number(optarg, 0, 65535, "--queue");
			queue = true;
		} else if (option == 's') {
			shifted.shift = (uint32_t)number(optarg, INT32_MIN, UINT32_MAX, "--shift");
			ticks = true;
		} else if (option == 't') {
			shifted.seconds = (unsigned int)number(optarg, 1, 86400, "--seconds");
		} else if (option == 'h') {
			fputs(USAGE, stdout);
			return 0;
		} else {
			return 2;
		}
	}
	if (!queue || !ticks || optind != argc)
		die(2, "needs --queue and --shift, and nothing else (tsclock --help)");
	open_queue();
	run();
	return 0;
}
