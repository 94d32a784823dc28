/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wire syn: correct SYNs, many of them, at a steady rate or as a flood. */

#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "wire_common.h"

#define BATCH	      64
#define SYN_FRAME_MAX 128

struct flood {
	struct interface interface;
	struct addresses addresses;
	uint32_t sport, dport, tsval, seq;
	uint32_t sport_step, tsval_step, seq_step;
	uint32_t count, rate, peers, seconds;
	bool no_ts, has_tsval;
	uint32_t sent;

	uint8_t frames[BATCH][SYN_FRAME_MAX];
	struct iovec parts[BATCH];
	struct mmsghdr messages[BATCH];
};

static struct flood flood;

static void add_to_address(uint8_t *address, unsigned int length, uint32_t add)
{
	uint64_t carry = add;

	for (; length > 0 && carry > 0; length--) {
		carry += address[length - 1];
		address[length - 1] = (uint8_t)carry;
		carry >>= 8;
	}
}

static size_t put_syn(uint8_t *tcp, const struct addresses *addresses, uint32_t index)
{
	static const char with_ts[] = MSS SACKOK TS NOP WS;
	static const char without_ts[] = MSS NOP NOP SACKOK NOP WS;
	const char *options = flood.no_ts ? without_ts : with_ts;
	const size_t length = flood.no_ts ? sizeof(without_ts) - 1 : sizeof(with_ts) - 1;
	const size_t total = TCP_HEADER + length;

	memset(tcp, 0, TCP_HEADER);
	put16(tcp, (flood.sport + index * flood.sport_step) & 0xffff);
	put16(tcp + 2, flood.dport);
	put32(tcp + 4, flood.seq + index * flood.seq_step);
	tcp[12] = (uint8_t)(total / 4 << 4);
	tcp[13] = SYN;
	put16(tcp + 14, 64240);
	memcpy(tcp + TCP_HEADER, options, length);
	if (!flood.no_ts)
		put32(tcp + TCP_HEADER + 8, flood.tsval + index * flood.tsval_step);
	put16(tcp + 16, fold(add_sum(pseudo_sum(addresses, IPPROTO_TCP, total), tcp, total)));
	return total;
}

/* The SYN with this number; returns the length of its frame. */
static size_t build_syn(uint8_t *frame, uint32_t index)
{
	struct addresses addresses = flood.addresses;
	uint8_t *ip = frame + put_ethernet(frame, &flood.interface, addresses.family);
	size_t length;

	add_to_address(addresses.source, addresses.length, index % flood.peers);
	if (addresses.family == AF_INET) {
		length = put_syn(ip + IPV4_HEADER, &addresses, index);
		put32(ip, 0x45000000 | (uint32_t)(IPV4_HEADER + length));
		put32(ip + 4, (index & 0xffff) << 16 | 0x4000);
		put32(ip + 8, 64U << 24 | (uint32_t)IPPROTO_TCP << 16);
		memcpy(ip + 12, addresses.source, 4);
		memcpy(ip + 16, addresses.destination, 4);
		put16(ip + 10, fold(add_sum(0, ip, IPV4_HEADER)));
		return ETH_HLEN + IPV4_HEADER + length;
	}
	length = put_syn(ip + IPV6_HEADER, &addresses, index);
	put32(ip, 6U << 28 | (index & 0xfffff));
	put32(ip + 4, (uint32_t)length << 16 | (uint32_t)IPPROTO_TCP << 8 | 64);
	memcpy(ip + 8, addresses.source, 16);
	memcpy(ip + 24, addresses.destination, 16);
	return ETH_HLEN + IPV6_HEADER + length;
}

/* Builds and sends the next `count` SYNs, as far as the device takes them. */
static void send_batch(uint32_t count)
{
	uint32_t i;
	int sent;

	for (i = 0; i < count; i++)
		flood.parts[i].iov_len = build_syn(flood.frames[i], flood.sent + i);
	sent = sendmmsg(flood.interface.fd, flood.messages, count, 0);
	if (sent > 0)
		flood.sent += (uint32_t)sent;
	else if (errno == ENOBUFS || errno == EAGAIN)
		sleep_ns(NS_PER_MS / 10);
	else if (errno != EINTR)
		die(1, "send, after %u: %s", flood.sent, strerror(errno));
}

/* How many SYNs are due `elapsed` nanoseconds after the start. */
static uint64_t due_after(uint64_t elapsed)
{
	if (flood.rate == 0)
		return flood.count;
	return elapsed / NS_PER_S * flood.rate + elapsed % NS_PER_S * flood.rate / NS_PER_S + 1;
}

static void run_flood(void)
{
	const uint64_t start = now_ns(), end = start + flood.seconds * NS_PER_S;
	uint64_t now, due;
	uint32_t i;

	for (i = 0; i < BATCH; i++) {
		flood.parts[i].iov_base = flood.frames[i];
		flood.messages[i].msg_hdr.msg_name = &flood.interface.link;
		flood.messages[i].msg_hdr.msg_namelen = sizeof(flood.interface.link);
		flood.messages[i].msg_hdr.msg_iov = &flood.parts[i];
		flood.messages[i].msg_hdr.msg_iovlen = 1;
	}
	while (!stopped && flood.sent < flood.count && (now = now_ns()) < end) {
		due = due_after(now - start);
		if (due > flood.count)
			due = flood.count;
		if (due > flood.sent) {
			due -= flood.sent;
			send_batch(due < BATCH ? (uint32_t)due : BATCH);
			continue;
		}
		sleep_ns(start + flood.sent * NS_PER_S / flood.rate + 1 - now);
	}
}

static bool parse_syn(int argc, char **argv)
{
	static const struct option options[] = {
		{ "sport", required_argument, NULL, 0 },
		{ "dport", required_argument, NULL, 0 },
		{ "tsval", required_argument, NULL, 0 },
		{ "seq", required_argument, NULL, 0 },
		{ "count", required_argument, NULL, 0 },
		{ "rate", required_argument, NULL, 0 },
		{ "peers", required_argument, NULL, 0 },
		{ "seconds", required_argument, NULL, 0 },
		{ "sport-step", required_argument, NULL, 0 },
		{ "tsval-step", required_argument, NULL, 0 },
		{ "seq-step", required_argument, NULL, 0 },
		{ "no-ts", no_argument, NULL, 0 },
		{ NULL, 0, NULL, 0 },
	};
	static const struct {
		uint32_t *value;
		uint32_t min, max;
	} values[] = {
		{ &flood.sport, 1, 65535 },	    { &flood.dport, 1, 65535 },
		{ &flood.tsval, 0, UINT32_MAX },    { &flood.seq, 0, UINT32_MAX },
		{ &flood.count, 1, UINT32_MAX },    { &flood.rate, 0, 10000000 },
		{ &flood.peers, 1, UINT32_MAX },    { &flood.seconds, 1, 86400 },
		{ &flood.sport_step, 0, 65535 },    { &flood.tsval_step, 0, UINT32_MAX },
		{ &flood.seq_step, 0, UINT32_MAX },
	};
	int option, i = 0;

	while ((option = getopt_long(argc, argv, "", options, &i)) == 0) {
		if (options[i].has_arg == no_argument) {
			flood.no_ts = true;
			continue;
		}
		*values[i].value = number(optarg, values[i].min, values[i].max, options[i].name);
		if (values[i].value == &flood.tsval)
			flood.has_tsval = true;
	}
	return option == -1;
}

int main_syn(int argc, char **argv)
{
	int family;

	flood.seq = 1;
	flood.count = 1;
	flood.peers = 1;
	flood.seconds = 60;
	if (!parse_syn(argc, argv))
		return 2;
	if (argc - optind != 4 || flood.sport == 0 || flood.dport == 0 ||
	    !(flood.has_tsval || flood.no_ts))
		die(2, "syn needs IFACE DSTMAC SRC DST --sport --dport, and --tsval or --no-ts "
		       "(wire --help)");
	argv += optind;
	family = strchr(argv[2], ':') != NULL ? AF_INET6 : AF_INET;
	parse_addresses(argv[2], argv[3], family, &flood.addresses);
	if (flood.addresses.family == 0)
		die(2, "SRC and DST must be addresses");
	open_sender(&flood.interface, argv[0], argv[1]);
	run_flood();
	printf("%u SYNs sent\n", flood.sent);
	fflush(stdout);
	if (flood.sent < flood.count)
		die(1, "ended with %u of %u not sent", flood.count - flood.sent, flood.count);
	return 0;
}
