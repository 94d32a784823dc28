/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SYNs for the benchmarks: evenly paced, or as a flood, or into a capture.
 *
 *     flood [option ...] IFACE DSTMAC SRC DST
 *     flood [option ...] --write FILE SRC DST
 */
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "flood_frames.h"

#define BATCH		64
#define BURST		2		     /* when paced */
#define LATE_NS		(2 * NS_PER_MS)	     /* more is not caught up with: it would be a burst */
#define CAPTURE_RATE	50000		     /* where no rate is given */
#define CAPTURE_START	UINT32_C(1700000000) /* the same for every run */
#define CAPTURE_MAGIC	UINT32_C(0xa1b2c3d4)
#define CAPTURE_SNAPLEN 262144

struct flood {
	struct plan plan;
	struct frames frames;
	struct interface interface;
	const char *capture;
	uint32_t count, rate, seconds;
	bool sleep;
	uint32_t sent, most; /* most: the largest burst */
	uint32_t doubled;    /* sent in bursts of two, though paced */
	uint64_t slipped_ns;

	uint8_t bytes[BATCH][FRAME_MAX];
	struct iovec parts[BATCH];
	struct mmsghdr messages[BATCH];
};

static struct flood flood = { .count = UINT32_MAX,
			      .seconds = 60,
			      .plan = { .peers = 100000, .dport = 9, .seed = 1 } };

volatile sig_atomic_t stopped;

static void stop(int number)
{
	(void)number;
	stopped = 1;
}

/* Sends the next `count` SYNs, as far as the device takes them. */
static void send_batch(uint32_t count, uint64_t elapsed)
{
	uint32_t i;
	int sent;

	for (i = 0; i < count; i++)
		frames_next(&flood.frames, flood.bytes[i], elapsed / NS_PER_MS);
	sent = sendmmsg(flood.interface.fd, flood.messages, count, 0);
	if (sent > 0) {
		flood.sent += (uint32_t)sent;
		if ((uint32_t)sent > flood.most)
			flood.most = (uint32_t)sent;
		if (sent == BURST)
			flood.doubled += BURST;
	} else if (errno != ENOBUFS && errno != EAGAIN && errno != EINTR) {
		die(1, "send, after %u: %s", flood.sent, strerror(errno));
	}
}

/* How many SYNs may go now; without a rate as many as a batch holds. */
static uint32_t due_now(uint64_t *start, uint64_t now)
{
	const uint64_t due = *start + (uint64_t)flood.sent * NS_PER_S / flood.rate;
	uint64_t late;

	if (now < due) {
		if (flood.sleep)
			sleep_ns(due - now);
		return 0;
	}
	late = now - due;
	if (late > LATE_NS) {
		*start += late;
		flood.slipped_ns += late;
		late = 0;
	}
	return late * flood.rate / NS_PER_S > 0 ? BURST : 1;
}

static void run(void)
{
	uint64_t start = now_ns(), now = start, count;
	const uint64_t begun = start, end = start + flood.seconds * NS_PER_S;

	while (!stopped && flood.sent < flood.count && (now = now_ns()) < end) {
		count = flood.rate == 0 ? BATCH : due_now(&start, now);
		if (count > flood.count - flood.sent)
			count = flood.count - flood.sent;
		if (count > 0)
			send_batch((uint32_t)count, now - begun);
	}
	printf("sent=%u rate=%.0f most=%u doubled=%u slipped_ms=%.1f\n", flood.sent,
	       (double)flood.sent * (double)NS_PER_S / (double)(now - begun), flood.most,
	       flood.doubled, (double)flood.slipped_ns / (double)NS_PER_MS);
}

static void prepare_messages(void)
{
	uint32_t i;
	const int on = 1;

	/* Where the kernel has no such option there is one more step on the way. */
	setsockopt(flood.interface.fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof(on));
	for (i = 0; i < BATCH; i++) {
		flood.parts[i].iov_base = flood.bytes[i];
		flood.parts[i].iov_len = flood.frames.length;
		flood.messages[i].msg_hdr.msg_name = &flood.interface.link;
		flood.messages[i].msg_hdr.msg_namelen = sizeof(flood.interface.link);
		flood.messages[i].msg_hdr.msg_iov = &flood.parts[i];
		flood.messages[i].msg_hdr.msg_iovlen = 1;
	}
	prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
}

static void write_capture(FILE *file)
{
	const struct {
		uint32_t magic;
		uint16_t major, minor;
		uint32_t zone, accuracy, snaplen, link;
	} header = { CAPTURE_MAGIC, 2, 4, 0, 0, CAPTURE_SNAPLEN, 1 };
	const uint32_t rate = flood.rate != 0 ? flood.rate : CAPTURE_RATE;
	uint32_t record[4];

	fwrite(&header, sizeof(header), 1, file);
	for (; flood.sent < flood.count && !stopped; flood.sent++) {
		const uint64_t ns = (uint64_t)flood.sent * NS_PER_S / rate;

		frames_next(&flood.frames, flood.bytes[0], ns / NS_PER_MS);
		record[0] = CAPTURE_START + (uint32_t)(ns / NS_PER_S);
		record[1] = (uint32_t)(ns % NS_PER_S / 1000);
		record[2] = record[3] = (uint32_t)flood.frames.length;
		fwrite(record, sizeof(record), 1, file);
		fwrite(flood.bytes[0], flood.frames.length, 1, file);
	}
	if (fclose(file) != 0)
		die(1, "%s: %s", flood.capture, strerror(errno));
	printf("sent=%u\n", flood.sent);
}

static void to_capture(char **argv, int family)
{
	static const uint8_t ethernet[ETH_HLEN] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2 };
	FILE *file;

	parse_addresses(argv[0], argv[1], family, &flood.plan.addresses);
	frames_start(&flood.frames, &flood.plan, ethernet);
	file = fopen(flood.capture, "w");
	if (file == NULL)
		die(1, "%s: %s", flood.capture, strerror(errno));
	write_capture(file);
}

/* No other program on this CPU may disturb the pace; with autogroups a nice value alone is no help.
 */
static void go_first(void)
{
	FILE *file;

	setpriority(PRIO_PROCESS, 0, -20);
	if (setsid() < 0)
		return;
	file = fopen("/proc/self/autogroup", "w");
	if (file == NULL)
		return;
	fputs("-20\n", file);
	fclose(file);
}

static void to_wire(char **argv, int family)
{
	parse_addresses(argv[2], argv[3], family, &flood.plan.addresses);
	open_sender(&flood.interface, argv[0], argv[1]);
	frames_start(&flood.frames, &flood.plan, flood.interface.ethernet);
	prepare_messages();
	if (flood.sleep)
		go_first();
	run();
}

static bool parse(int argc, char **argv)
{
	static const struct option options[] = {
		{ "count", required_argument, NULL, 0 },
		{ "rate", required_argument, NULL, 0 },
		{ "seconds", required_argument, NULL, 0 },
		{ "peers", required_argument, NULL, 0 },
		{ "drops", required_argument, NULL, 0 },
		{ "dport", required_argument, NULL, 0 },
		{ "seed", required_argument, NULL, 0 },
		{ "write", required_argument, NULL, 'w' },
		{ "sleep", no_argument, NULL, 's' },
		{ NULL, 0, NULL, 0 },
	};
	uint32_t seed = 1;
	const struct {
		uint32_t *value, min, max;
	} values[] = {
		{ &flood.count, 1, UINT32_MAX }, { &flood.rate, 0, 10000000 },
		{ &flood.seconds, 1, 86400 },	 { &flood.plan.peers, 1, UINT32_MAX },
		{ &flood.plan.drops, 0, 100 },	 { &flood.plan.dport, 1, 65535 },
		{ &seed, 0, UINT32_MAX },
	};
	int option, i = 0;

	while ((option = getopt_long(argc, argv, "", options, &i)) != -1) {
		if (option == 's')
			flood.sleep = true;
		else if (option == 'w')
			flood.capture = optarg;
		else if (option == 0)
			*values[i].value =
				number(optarg, values[i].min, values[i].max, options[i].name);
		else
			return false;
	}
	flood.plan.seed = seed;
	return argc - optind == (flood.capture != NULL ? 2 : 4);
}

int main(int argc, char **argv)
{
	int family;

	if (!parse(argc, argv))
		die(2,
		    "flood takes [--count N] [--rate N] [--seconds N] [--peers N] [--drops PERCENT] "
		    "[--dport N] [--seed N] [--sleep] IFACE DSTMAC SRC DST, or --write FILE "
		    "and no interface");
	signal(SIGTERM, stop);
	signal(SIGINT, stop);
	argv += optind;
	family = strchr(argv[argc - optind - 1], ':') != NULL ? AF_INET6 : AF_INET;
	if (flood.capture != NULL)
		to_capture(argv, family);
	else
		to_wire(argv, family);
	return 0;
}
