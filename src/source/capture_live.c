/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "capture_live.h"

#ifndef HAVE_PCAP

struct capture_live *capture_live_open(const struct capture_live_config *config, char *why,
				       size_t size)
{
	snprintf(why, size,
		 "%s: this build watches no interfaces: install libpcap's development files and "
		 "build again",
		 config->names[0]);
	return NULL;
}

void capture_live_close(struct capture_live *live)
{
	(void)live;
}

void capture_live_wait(struct capture_live *live, int milliseconds, const sigset_t *signals)
{
	(void)live;
	(void)milliseconds;
	(void)signals;
}

bool capture_live_next(struct capture_live *live, uint64_t horizon_ns,
		       struct capture_live_packet *packet)
{
	(void)live;
	(void)horizon_ns;
	(void)packet;
	return false;
}

size_t capture_live_check(struct capture_live *live, capture_live_tell *tell, void *context)
{
	(void)live;
	(void)tell;
	(void)context;
	return 0;
}

struct capture_live_counters capture_live_counters(const struct capture_live *live)
{
	const struct capture_live_counters nothing = { 0, 0, 0, 0 };

	(void)live;
	return nothing;
}

#else

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <pcap.h>

#include "../os/clock.h"
#include "capture_file.h"

/* The longest headers that matter: two VLAN tags, IPv6 with extensions, TCP with all options. */
#define SNAP_LENGTH 256

/* So long libpcap before 1.5 may keep packets back. */
#define TIMEOUT_MS  10

#define FILTER_MOST   2048

/* What waits for its turn looks again so soon. */
#define TURN_MS	      2

/* A frame that claims to be younger than now has a clock of its own: it does not wait. */
#define AHEAD_MOST_NS NS_PER_SECOND

#ifdef PCAP_TSTAMP_PRECISION_NANO
#define HAVE_NANO 1
#else
#define HAVE_NANO 0
#endif

#ifdef DLT_LINUX_SLL2
#define IS_COOKED2(dlt) ((dlt) == DLT_LINUX_SLL2)
#else
#define IS_COOKED2(dlt) false
#endif

#define COOKED_HEADER	16
#define COOKED2_HEADER	20
#define COOKED2_IFINDEX 4
#define COOKED2_PACKET	10
#define PACKET_SENT	4 /* PACKET_OUTGOING */

#define DROPS 2

/* One interface. */
struct tap {
	pcap_t *pcap; /* NULL once it is gone */
	char name[IFNAMSIZ];
	unsigned int ifindex; /* 0 of "any" */
	enum capture_link kind;
	uint64_t ns_per_tick;
	bool down;
	bool dry;     /* until the next wait */
	bool waiting; /* there is a frame: */
	struct capture_live_packet frame;
	uint32_t missed;  /* as libpcap had it last */
	int drops[DROPS]; /* files with the interface's own counters, or -1 */
	uint64_t first_drops;
	char why[PCAP_ERRBUF_SIZE]; /* reading failed */
};

struct capture_live {
	size_t count;
	struct tap taps[CAPTURE_LIVE_MOST];
	int socket; /* to ask for the state of interfaces */
	struct capture_live_counters counters;
};

static bool is_any(const char *name)
{
	return strcmp(name, "any") == 0;
}

/* In a line, why it could not be opened. */
static void say_why(pcap_t *pcap, const char *name, int status, char *why, size_t size)
{
	switch (status) {
	case PCAP_ERROR_NO_SUCH_DEVICE:
		snprintf(why, size, "%s: there is no such interface; 'ip link' lists them", name);
		break;
	case PCAP_ERROR_PERM_DENIED:
		snprintf(why, size, "%s: not permitted: run as root or with CAP_NET_RAW", name);
		break;
	case PCAP_ERROR_IFACE_NOT_UP:
		snprintf(why, size, "%s: the interface is down: ip link set %s up", name, name);
		break;
	default:
		snprintf(why, size, "%s: %s", name,
			 *pcap_geterr(pcap) != '\0' ? pcap_geterr(pcap) : pcap_statustostr(status));
	}
}

static bool set_up(const struct capture_live_config *config, pcap_t *pcap)
{
	bool good = pcap_set_snaplen(pcap, SNAP_LENGTH) == 0 &&
		    pcap_set_promisc(pcap, config->promiscuous) == 0 &&
		    pcap_set_timeout(pcap, TIMEOUT_MS) == 0 &&
		    pcap_set_buffer_size(pcap, (int)config->buffer) == 0;

#if HAVE_NANO
	good = good && pcap_set_immediate_mode(pcap, 1) == 0;
	/* Where that fails microseconds do. */
	pcap_set_tstamp_precision(pcap, PCAP_TSTAMP_PRECISION_NANO);
#endif
	return good;
}

static uint64_t ns_per_tick(pcap_t *pcap)
{
#if HAVE_NANO
	if (pcap_get_tstamp_precision(pcap) == PCAP_TSTAMP_PRECISION_NANO)
		return 1;
#else
	(void)pcap;
#endif
	return 1000;
}

/* Of "any" only the second cooked header tells by which interface a packet came. */
static void choose_link(struct tap *tap)
{
#ifdef DLT_LINUX_SLL2
	if (tap->ifindex == 0)
		pcap_set_datalink(tap->pcap, DLT_LINUX_SLL2);
#else
	(void)tap;
#endif
}

/* Some link layers cannot be asked for tags. */
static bool set_filter(struct tap *tap, enum capture_want want, char *why, size_t size)
{
	char filter[FILTER_MOST];
	struct bpf_program program;
	int vlan, result = -1;

	for (vlan = 1; vlan >= 0 && result < 0; vlan--) {
		capture_live_filter(want, vlan != 0, filter, sizeof(filter));
		if (pcap_compile(tap->pcap, &program, filter, 1, PCAP_NETMASK_UNKNOWN) < 0)
			continue;
		result = pcap_setfilter(tap->pcap, &program);
		pcap_freecode(&program);
	}
	if (result < 0)
		snprintf(why, size, "%s: %s", tap->name, pcap_geterr(tap->pcap));
	return result == 0;
}

static bool activate(struct tap *tap, const struct capture_live_config *config, char *why,
		     size_t size)
{
	char error[PCAP_ERRBUF_SIZE] = "";
	int status = PCAP_ERROR;

	tap->pcap = pcap_create(tap->name, error);
	if (tap->pcap == NULL) {
		snprintf(why, size, "%s: %s", tap->name, error);
		return false;
	}
	if (set_up(config, tap->pcap))
		status = pcap_activate(tap->pcap);
	if (status < 0) {
		say_why(tap->pcap, tap->name, status, why, size);
		return false;
	}
	choose_link(tap);
	if (!capture_file_kind(pcap_datalink(tap->pcap), &tap->kind)) {
		snprintf(why, size,
			 "%s: its link type %s is none that synpaws knows: try --interface any",
			 tap->name, pcap_datalink_val_to_name(pcap_datalink(tap->pcap)));
		return false;
	}
	tap->ns_per_tick = ns_per_tick(tap->pcap);
	if (pcap_setnonblock(tap->pcap, 1, error) < 0) {
		snprintf(why, size, "%s: %s", tap->name, error);
		return false;
	}
	return set_filter(tap, config->want, why, size);
}

/* Read here, since libpcap would want /sys later on. */
static uint64_t read_drops(const struct tap *tap)
{
	uint64_t sum = 0;
	char text[32];
	ssize_t length;
	size_t i;

	for (i = 0; i < DROPS; i++) {
		length = tap->drops[i] < 0 ? -1 : pread(tap->drops[i], text, sizeof(text) - 1, 0);
		if (length > 0) {
			text[length] = '\0';
			sum += strtoull(text, NULL, 10);
		}
	}
	return sum;
}

static void open_drops(struct tap *tap)
{
	static const char *const names[DROPS] = { "rx_missed_errors", "rx_fifo_errors" };
	char path[96];
	size_t i;

	for (i = 0; i < DROPS; i++) {
		snprintf(path, sizeof(path), "/sys/class/net/%s/statistics/%s", tap->name,
			 names[i]);
		tap->drops[i] = open(path, O_RDONLY | O_CLOEXEC);
	}
	tap->first_drops = read_drops(tap);
}

static void close_tap(struct tap *tap)
{
	size_t i;

	if (tap->pcap != NULL)
		pcap_close(tap->pcap);
	tap->pcap = NULL;
	tap->waiting = false;
	for (i = 0; i < DROPS; i++) {
		if (tap->drops[i] >= 0)
			close(tap->drops[i]);
		tap->drops[i] = -1;
	}
}

static bool open_tap(struct tap *tap, const char *name, const struct capture_live_config *config,
		     char *why, size_t size)
{
	snprintf(tap->name, sizeof(tap->name), "%s", name);
	tap->ifindex = is_any(name) ? 0 : if_nametoindex(name);
	open_drops(tap);
	return activate(tap, config, why, size);
}

struct capture_live *capture_live_open(const struct capture_live_config *config, char *why,
				       size_t size)
{
	struct capture_live *live = calloc(1, sizeof(*live));

	if (live == NULL) {
		snprintf(why, size, "no memory to watch interfaces");
		return NULL;
	}
	live->socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	while (live->count < config->count && live->count < CAPTURE_LIVE_MOST) {
		struct tap *tap = &live->taps[live->count++];

		if (!open_tap(tap, config->names[live->count - 1], config, why, size)) {
			capture_live_close(live);
			return NULL;
		}
	}
	return live;
}

void capture_live_close(struct capture_live *live)
{
	if (live == NULL)
		return;
	while (live->count > 0)
		close_tap(&live->taps[--live->count]);
	if (live->socket >= 0)
		close(live->socket);
	free(live);
}

void capture_live_wait(struct capture_live *live, int milliseconds, const sigset_t *signals)
{
	struct pollfd fds[CAPTURE_LIVE_MOST];
	struct timespec timeout;
	bool waiting = false;
	size_t i;

	for (i = 0; i < live->count; i++) {
		struct tap *tap = &live->taps[i];

		tap->dry = false;
		waiting = waiting || tap->waiting;
		fds[i].fd = tap->pcap == NULL ? -1 : pcap_get_selectable_fd(tap->pcap);
		fds[i].events = POLLIN;
	}
	if (waiting && milliseconds > TURN_MS)
		milliseconds = TURN_MS;
	timeout.tv_sec = milliseconds / 1000;
	timeout.tv_nsec = milliseconds % 1000 * 1000000L;
	ppoll(fds, (nfds_t)live->count, &timeout, signals);
}

/* Which interface a cooked header names. */
static void read_cooked(const struct tap *tap, struct capture_live_packet *frame)
{
	const uint8_t *bytes = frame->packet.bytes;

	if (tap->kind == CAPTURE_LINK_COOKED2 && frame->packet.captured >= COOKED2_HEADER) {
		frame->sent = bytes[COOKED2_PACKET] == PACKET_SENT;
		if (frame->any)
			frame->ifindex = (uint32_t)bytes[COOKED2_IFINDEX] << 24 |
					 (uint32_t)bytes[COOKED2_IFINDEX + 1] << 16 |
					 (uint32_t)bytes[COOKED2_IFINDEX + 2] << 8 |
					 bytes[COOKED2_IFINDEX + 3];
	}
	if (tap->kind == CAPTURE_LINK_COOKED && frame->packet.captured >= COOKED_HEADER)
		frame->sent = bytes[0] == 0 && bytes[1] == PACKET_SENT;
}

/* Have a frame of this interface waiting, if there is one. */
static void fetch(struct capture_live *live, struct tap *tap)
{
	struct pcap_pkthdr *header;
	const u_char *bytes;
	int result;

	if (tap->pcap == NULL || tap->waiting || tap->dry)
		return;
	result = pcap_next_ex(tap->pcap, &header, &bytes);
	tap->dry = result != 1;
	tap->waiting = result == 1;
	if (result < 0 && *tap->why == '\0')
		snprintf(tap->why, sizeof(tap->why), "%s", pcap_geterr(tap->pcap));
	if (result != 1)
		return;
	live->counters.frames++;
	tap->frame.packet.time_ns = (uint64_t)header->ts.tv_sec * NS_PER_SECOND +
				    (uint64_t)header->ts.tv_usec * tap->ns_per_tick;
	tap->frame.packet.bytes = bytes;
	tap->frame.packet.captured = header->caplen;
	tap->frame.packet.length = header->len > header->caplen ? header->len : header->caplen;
	tap->frame.ifindex = tap->ifindex;
	tap->frame.any = tap->ifindex == 0;
	tap->frame.sent = false;
	read_cooked(tap, &tap->frame);
	if (!capture_link_strip(tap->kind, &tap->frame.packet)) {
		live->counters.not_ip++;
		tap->waiting = false;
	}
}

static struct tap *earliest(struct capture_live *live)
{
	struct tap *first = NULL;
	size_t i;

	for (i = 0; i < live->count; i++) {
		struct tap *tap = &live->taps[i];

		while (!tap->waiting && !tap->dry && tap->pcap != NULL)
			fetch(live, tap);
		if (tap->waiting &&
		    (first == NULL || tap->frame.packet.time_ns < first->frame.packet.time_ns))
			first = tap;
	}
	return first;
}

bool capture_live_next(struct capture_live *live, uint64_t horizon_ns,
		       struct capture_live_packet *packet)
{
	struct tap *tap;

	tap = earliest(live);
	if (tap == NULL || (live->count > 1 && tap->frame.packet.time_ns > horizon_ns &&
			    tap->frame.packet.time_ns - horizon_ns < AHEAD_MOST_NS))
		return false;
	*packet = tap->frame;
	tap->waiting = false;
	return true;
}

/* The state of an interface: what there is to tell, or -1 for nothing. */
static int look_at(const struct capture_live *live, struct tap *tap)
{
	struct ifreq request;
	bool down;

	if (*tap->why != '\0')
		return CAPTURE_LIVE_GONE;
	if (tap->ifindex == 0)
		return -1;
	memset(&request, 0, sizeof(request));
	if (if_indextoname(tap->ifindex, request.ifr_name) == NULL) {
		snprintf(tap->why, sizeof(tap->why), "there is no such interface any more");
		return CAPTURE_LIVE_GONE;
	}
	if (live->socket < 0 || ioctl(live->socket, SIOCGIFFLAGS, &request) < 0)
		return -1;
	down = (request.ifr_flags & IFF_UP) == 0;
	if (down == tap->down)
		return -1;
	tap->down = down;
	return down ? CAPTURE_LIVE_DOWN : CAPTURE_LIVE_UP;
}

static void count_missed(struct capture_live *live, struct tap *tap)
{
	struct pcap_stat stat;
	uint64_t drops;

	if (pcap_stats(tap->pcap, &stat) == 0) {
		live->counters.missed += (uint32_t)(stat.ps_drop - tap->missed);
		tap->missed = stat.ps_drop;
	}
	drops = read_drops(tap);
	if (drops > tap->first_drops)
		live->counters.interface_dropped += drops - tap->first_drops;
	tap->first_drops = drops;
}

size_t capture_live_check(struct capture_live *live, capture_live_tell *tell, void *context)
{
	size_t i, left = 0;
	int change;

	for (i = 0; i < live->count; i++) {
		struct tap *tap = &live->taps[i];

		if (tap->pcap == NULL)
			continue;
		count_missed(live, tap);
		change = look_at(live, tap);
		if (change >= 0)
			tell(context, tap->name, (enum capture_live_change)change,
			     change == CAPTURE_LIVE_GONE ? tap->why : NULL);
		if (change == CAPTURE_LIVE_GONE)
			close_tap(tap);
		else
			left++;
	}
	return left;
}

struct capture_live_counters capture_live_counters(const struct capture_live *live)
{
	return live->counters;
}

#endif
