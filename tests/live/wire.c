/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wire: raw Ethernet frames for the live tests.
 *
 * `send` puts a fixed list of frames on an interface, ordinary SYNs and everything that may
 * confuse a reader of packets: broken options, fragments, cut headers, chains of extension
 * headers. `receive` writes down what arrives, byte for byte, so that a test can compare what came
 * through a gateway with and without the daemon in the way. `syn` sends many correct SYNs, at a
 * steady rate or as a flood. All by AF_PACKET: no TCP of this machine has a part in it.
 *
 * Frame number n of the list (IPv4 and IPv6 count separately) carries n in its IPv4 ID, 0x5000 + n,
 * or IPv6 flow label, 0x50000 + n, and in its TCP or UDP source port, 20000 + n.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define FRAME_MAX     1536
#define SEGMENT_MAX   1480
#define RECEIVE_MAX   65536
#define SOCKET_BUFFER (16 * 1024 * 1024)
#define BATCH	      64
#define SYN_FRAME_MAX 128
#define IPV4_HEADER   20
#define IPV6_HEADER   40
#define TCP_HEADER    20
#define NS_PER_S      UINT64_C(1000000000)
#define NS_PER_MS     UINT64_C(1000000)
#define SLEEP_MAX     (100 * NS_PER_MS) /* so that a signal is soon seen */

#define FIN 0x01
#define SYN 0x02
#define RST 0x04
#define PSH 0x08
#define ACK 0x10
#define URG 0x20
#define ECE 0x40
#define CWR 0x80

#define UNKNOWN_PROTOCOL 253 /* for experiments, RFC 3692 */

static const char USAGE[] =
	"usage: wire send IFACE DSTMAC SRC4 DST4 SRC6 DST6 [--set NAME] [--names]\n"
	"       wire receive IFACE --seconds S [--count N]\n"
	"       wire syn IFACE DSTMAC SRC DST --sport A --dport B --tsval T [--no-ts] [--seq S]\n"
	"                [--count N] [--rate R] [--peers P] [--tsval-step X] [--seq-step X]\n"
	"                [--sport-step X] [--seconds S]\n"
	"send     SRC4 DST4 or SRC6 DST6 may be - - to leave that family out\n"
	"         --set NAME      only syn, options, flags, damaged, fragments, headers or other\n"
	"         --names         print number, family, set and name of each frame\n"
	"receive  a line of hexadecimal per IPv4 or IPv6 packet, from the IP header on, without\n"
	"         what this machine sent and without ICMPv6 types 130 to 143\n"
	"         --seconds S     end after S seconds\n"
	"         --count N       or after N packets\n"
	"syn      --sport --dport ports\n"
	"         --tsval T       timestamp; --no-ts: no timestamp option\n"
	"         --seq S         sequence number (default 1)\n"
	"         --count N       SYNs to send (default 1)\n"
	"         --rate R        so many a second (default 0: as fast as possible)\n"
	"         --peers P       source addresses, from SRC on, in turn (default 1)\n"
	"         --...-step X    add X with each SYN (default 0)\n"
	"         --seconds S     end after S seconds (default 60)\n";

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
	(void)number;
	stopped = 1;
}

__attribute__((noreturn, format(printf, 2, 3))) static void die(int status, const char *format, ...)
{
	va_list args;

	fflush(stdout);
	fputs("wire: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(status);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static void sleep_ns(uint64_t ns)
{
	struct timespec pause;

	if (ns > SLEEP_MAX)
		ns = SLEEP_MAX;
	pause.tv_sec = 0;
	pause.tv_nsec = (long)ns;
	nanosleep(&pause, NULL);
}

static uint32_t number(const char *text, uint32_t min, uint32_t max, const char *what)
{
	char *end;
	unsigned long long value;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || value < min ||
	    value > max)
		die(2, "%s must be a number from %u to %u, not \"%s\"", what, min, max, text);
	return (uint32_t)value;
}

static void catch_signals(void)
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_handler = on_signal;
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
}

/* ---- bytes -------------------------------------------------------------------------------- */

static void put16(uint8_t *bytes, unsigned int value)
{
	bytes[0] = (uint8_t)(value >> 8);
	bytes[1] = (uint8_t)value;
}

static void put32(uint8_t *bytes, uint32_t value)
{
	put16(bytes, value >> 16);
	put16(bytes + 2, value & 0xffff);
}

static uint32_t add_sum(uint32_t sum, const uint8_t *bytes, size_t length)
{
	size_t i;

	for (i = 0; i + 1 < length; i += 2)
		sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
	if (length % 2 != 0)
		sum += (uint32_t)bytes[length - 1] << 8;
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* ---- the interface ------------------------------------------------------------------------ */

struct addresses {
	int family;	/* AF_INET, AF_INET6, or 0 for none */
	uint8_t length; /* of one address */
	uint8_t source[16];
	uint8_t destination[16];
};

struct interface {
	int fd;
	struct sockaddr_ll link;
	uint8_t ethernet[ETH_HLEN]; /* the header, but for its type */
};

static void parse_mac(const char *text, uint8_t mac[ETH_ALEN])
{
	unsigned int bytes[ETH_ALEN];
	int i, end = 0;

	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &bytes[0], &bytes[1], &bytes[2], &bytes[3],
		   &bytes[4], &bytes[5], &end) != ETH_ALEN ||
	    text[end] != '\0')
		die(2, "\"%s\" is not an Ethernet address", text);
	for (i = 0; i < ETH_ALEN; i++)
		mac[i] = (uint8_t)bytes[i];
}

static void parse_addresses(const char *source, const char *destination, int family,
			    struct addresses *out)
{
	memset(out, 0, sizeof(*out));
	if (strcmp(source, "-") == 0 && strcmp(destination, "-") == 0)
		return;
	out->family = family;
	out->length = family == AF_INET ? 4 : 16;
	if (inet_pton(family, source, out->source) != 1)
		die(2, "\"%s\" is not an IPv%c address", source, family == AF_INET ? '4' : '6');
	if (inet_pton(family, destination, out->destination) != 1)
		die(2, "\"%s\" is not an IPv%c address", destination,
		    family == AF_INET ? '4' : '6');
}

static void open_interface(struct interface *interface, const char *name, int type, int protocol)
{
	const unsigned int index = if_nametoindex(name);

	memset(interface, 0, sizeof(*interface));
	if (index == 0)
		die(1, "%s: %s", name, strerror(errno));
	interface->fd = socket(AF_PACKET, type | SOCK_CLOEXEC, 0);
	if (interface->fd < 0)
		die(1, "packet socket: %s", strerror(errno));
	interface->link.sll_family = AF_PACKET;
	interface->link.sll_protocol = htons((uint16_t)protocol);
	interface->link.sll_ifindex = (int)index;
	interface->link.sll_halen = ETH_ALEN;
}

static void open_sender(struct interface *interface, const char *name, const char *mac)
{
	const int size = SOCKET_BUFFER;
	struct ifreq request;

	open_interface(interface, name, SOCK_RAW, 0);
	parse_mac(mac, interface->ethernet);
	memset(&request, 0, sizeof(request));
	strncpy(request.ifr_name, name, IFNAMSIZ - 1);
	if (ioctl(interface->fd, SIOCGIFHWADDR, &request) != 0)
		die(1, "%s: %s", name, strerror(errno));
	memcpy(interface->ethernet + ETH_ALEN, request.ifr_hwaddr.sa_data, ETH_ALEN);
	if (setsockopt(interface->fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) != 0)
		setsockopt(interface->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

static size_t put_ethernet(uint8_t *frame, const struct interface *interface, int family)
{
	memcpy(frame, interface->ethernet, ETH_HLEN);
	put16(frame + 2 * ETH_ALEN, family == AF_INET ? ETHERTYPE_IP : ETHERTYPE_IPV6);
	return ETH_HLEN;
}

/* Sum of the pseudo header. */
static uint32_t pseudo_sum(const struct addresses *addresses, uint8_t protocol, size_t length)
{
	uint32_t sum = protocol + (uint32_t)length;

	sum = add_sum(sum, addresses->source, addresses->length);
	return add_sum(sum, addresses->destination, addresses->length);
}

/* ---- send: the list ----------------------------------------------------------------------- */

#define NOTHING (-1)

/* What is zero is as usual: both families, TCP, everything right. */
struct spec {
	const char *set;
	const char *name;
	int family;	  /* only this one */
	int protocol;	  /* IPPROTO_ICMP is ICMPv6 in IPv6 */
	uint8_t flags;	  /* TCP flags */
	uint8_t traffic;  /* type of service, traffic class */
	int doff;	  /* data offset in words that the header claims, NOTHING for 0 */
	uint16_t spoil;	  /* xor this into the checksum */
	uint16_t data;	  /* bytes after the header */
	uint16_t padding; /* Ethernet padding after the packet */
	int keep;	  /* bytes of the segment that are sent, from `from` on */
	uint16_t from;
	bool fragment;
	bool more;	   /* more fragments follow */
	bool same_id;	   /* fragment of the same datagram as the frame before */
	const char *chain; /* IPv6 extension headers, see put_extension() */
	const char *options;
	size_t options_length;
	const char *ip_options; /* IPv4 */
	size_t ip_options_length;
};

#define MSS    "\x02\x04\x05\xb4"
#define SACKOK "\x04\x02"
#define TS     "\x08\x0a\x12\x34\x56\x78\x00\x00\x00\x00"
#define TS2    "\x08\x0a\x23\x45\x67\x89\x00\x00\x00\x00"
#define NOP    "\x01"
#define WS     "\x03\x03\x07"
#define END    "\x00"
#define MD5    "\x13\x12xMD5-signature-x"
#define AO     "\x1d\x10\x01\x01tcp-ao-mac-x"
#define COOKIE "\x22\x0atfo-cook"
#define NOPS10 "\1\1\1\1\1\1\1\1\1\1"
#define ZEROS9 "\0\0\0\0\0\0\0\0\0"

#define TCP_OPTIONS(text)  .options = (text), .options_length = sizeof(text) - 1
#define IPV4_OPTIONS(text) .ip_options = (text), .ip_options_length = sizeof(text) - 1

#define USUAL	 .flags = SYN, TCP_OPTIONS(MSS SACKOK TS NOP WS)
#define WITH(o)	 .flags = SYN, TCP_OPTIONS(o)
#define FRAGMENT .fragment = true, USUAL, .data = 56 /* 96 bytes of TCP in all */

static const struct spec SPECS[] = {
	{ "syn", "usual options", USUAL },
	{ "syn", "options in BSD order", WITH(MSS NOP WS SACKOK TS) },
	{ "syn", "options of Windows, no timestamp", WITH(MSS NOP WS NOP NOP SACKOK) },
	{ "syn", "timestamp only", WITH(NOP NOP TS) },
	{ "syn", "no options", .flags = SYN },
	{ "syn", "timestamp 0", WITH(MSS "\x08\x0a\0\0\0\0\0\0\0\0" NOP NOP) },
	{ "syn", "timestamp with an echo", WITH(MSS "\x08\x0a\0\0\0\1\0\0\0\2" NOP NOP) },
	{ "syn", "with 16 bytes of data", USUAL, .data = 16 },
	{ "syn", "with 1400 bytes of data", USUAL, .data = 1400 },
	{ "syn", "fast open cookie", WITH(MSS SACKOK TS NOP WS COOKIE NOP NOP) },
	{ "syn", "ECN set up", .flags = SYN | ECE | CWR, TCP_OPTIONS(MSS SACKOK TS NOP WS) },
	{ "syn", "ECN capable packet", USUAL, .traffic = 0x02 },
	{ "syn", "congestion experienced, DSCP EF", USUAL, .traffic = 0xbb },
	{ "syn", "Ethernet padding", .flags = SYN, .padding = 6 },

	{ "options", "timestamp of length 9", WITH(MSS "\x08\x09\1\2\3\4\0\0\0" NOP NOP NOP) },
	{ "options", "timestamp of length 12", WITH("\x08\x0c\1\2\3\4\0\0\0\0\0\0") },
	{ "options", "timestamp of length 2", WITH("\x08\x02" NOP NOP) },
	{ "options", "length 0", WITH(MSS "\x08\x00\1\2\3\4\0\0\0\0" NOP NOP) },
	{ "options", "length 1", WITH(MSS "\x08\x01\1\2\3\4\0\0\0\0" NOP NOP) },
	{ "options", "length 255", WITH(MSS "\xfd\xff\1\2" TS NOP NOP) },
	{ "options", "timestamp past the end", WITH(MSS "\x08\x0a\1\2") },
	{ "options", "timestamp past the end into data", WITH("\x08\x0a\1\2"), .data = 16 },
	{ "options", "kind without length", WITH(NOP NOP NOP "\x08") },
	{ "options", "two timestamps", WITH(TS TS2 MSS) },
	{ "options", "end before the timestamp", WITH(MSS END NOP TS) },
	{ "options", "MD5 signature", WITH(TS MD5) },
	{ "options", "authentication option", WITH(MSS SACKOK TS AO) },
	{ "options", "unknown kind 254 and timestamp", WITH("\xfe\x06\1\2\3\4" TS) },
	{ "options", "40 bytes, timestamp last", WITH(MSS SACKOK NOP WS MD5 NOP NOP TS) },
	{ "options", "40 times no operation", WITH(NOPS10 NOPS10 NOPS10 NOPS10) },

	{ "flags", "SYN FIN", .flags = SYN | FIN, TCP_OPTIONS(NOP NOP TS) },
	{ "flags", "SYN ACK", .flags = SYN | ACK, TCP_OPTIONS(MSS SACKOK TS NOP WS) },
	{ "flags", "SYN RST", .flags = SYN | RST, TCP_OPTIONS(NOP NOP TS) },
	{ "flags", "SYN URG PSH", .flags = SYN | URG | PSH, TCP_OPTIONS(NOP NOP TS) },
	{ "flags", "RST", .flags = RST },
	{ "flags", "RST ACK", .flags = RST | ACK },
	{ "flags", "FIN", .flags = FIN, TCP_OPTIONS(NOP NOP TS) },
	{ "flags", "FIN ACK", .flags = FIN | ACK, TCP_OPTIONS(NOP NOP TS) },
	{ "flags", "ACK with data", .flags = ACK | PSH, TCP_OPTIONS(NOP NOP TS), .data = 33 },
	{ "flags", "none", .flags = 0 },
	{ "flags", "all", .flags = 0xff, TCP_OPTIONS(NOP NOP TS) },

	{ "damaged", "wrong checksum", USUAL, .spoil = 0x5555 },
	{ "damaged", "wrong checksum, data", USUAL, .data = 21, .spoil = 0x0001 },
	{ "damaged", "data offset 0", USUAL, .doff = NOTHING },
	{ "damaged", "data offset 4", USUAL, .doff = 4 },
	{ "damaged", "data offset past the end", .flags = SYN, .doff = 15 },
	{ "damaged", "data offset one word past the end", USUAL, .doff = 11 },
	{ "damaged", "cut inside the options", USUAL, .keep = 30 },
	{ "damaged", "cut to 19 bytes", USUAL, .keep = 19 },
	{ "damaged", "cut to 13 bytes", USUAL, .keep = 13 },
	{ "damaged", "cut to 12 bytes", USUAL, .keep = 12 },
	{ "damaged", "cut to 4 bytes", USUAL, .keep = 4 },
	{ "damaged", "cut to 1 byte", USUAL, .keep = 1 },
	{ "damaged", "cut to nothing", USUAL, .keep = NOTHING },
	{ "damaged", "cut, Ethernet padding", USUAL, .keep = 12, .padding = 14 },

	{ "fragments", "first, with all of the header", FRAGMENT, .keep = 48, .more = true },
	{ "fragments", "later, the last", FRAGMENT, .from = 48, .keep = 48 },
	{ "fragments", "later, one of many", FRAGMENT, .from = 48, .keep = 40, .more = true },
	{ "fragments", "tiny first, 8 bytes", FRAGMENT, .keep = 8, .more = true },
	{ "fragments", "first, 24 bytes", FRAGMENT, .keep = 24, .more = true },
	{ "fragments", "second at byte 8", FRAGMENT, .from = 8, .keep = 88 },
	{ "fragments", "pair, first half", FRAGMENT, .keep = 48, .more = true },
	{ "fragments", "pair, second half", FRAGMENT, .from = 48, .keep = 48, .same_id = true },
	{ "fragments", "atomic", AF_INET6, .chain = "f", USUAL },

	{ "headers", "no operations", AF_INET, IPV4_OPTIONS("\1\1\1\1"), USUAL },
	{ "headers", "router alert", AF_INET, IPV4_OPTIONS("\x94\x04\0\0"), USUAL },
	{ "headers", "record route", AF_INET, IPV4_OPTIONS("\x07\x07\x04\0\0\0\0\0"), USUAL },
	{ "headers", "40 bytes of options", AF_INET, WITH(MSS SACKOK NOP WS MD5 NOP NOP TS),
	  IPV4_OPTIONS("\x07\x27\x04" ZEROS9 ZEROS9 ZEROS9 ZEROS9 END) },
	{ "headers", "hop by hop", AF_INET6, .chain = "h", USUAL },
	{ "headers", "destination options", AF_INET6, .chain = "d", USUAL },
	{ "headers", "24 bytes of destination options", AF_INET6, .chain = "D", USUAL },
	{ "headers", "routing", AF_INET6, .chain = "r", USUAL },
	{ "headers", "authentication", AF_INET6, .chain = "A", USUAL },
	{ "headers", "hop by hop, routing, fragment", AF_INET6, .chain = "hrf", FRAGMENT,
	  .keep = 48, .more = true },
	{ "headers", "fragment, destination options", AF_INET6, .chain = "fd", USUAL },
	{ "headers", "chain of 17", AF_INET6, .chain = "hddddddddddddddrd", USUAL },
	{ "headers", "chain of 60", AF_INET6, USUAL,
	  .chain = "hddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd" },
	{ "headers", "options cut in the middle", AF_INET6, .chain = "t", USUAL, .keep = NOTHING },
	{ "headers", "options announced but absent", AF_INET6, .chain = "x", USUAL,
	  .keep = NOTHING },
	{ "headers", "options said to pass the end", AF_INET6, .chain = "o", USUAL },
	{ "headers", "no next header", AF_INET6, .protocol = IPPROTO_NONE },

	{ "other", "UDP", .protocol = IPPROTO_UDP, .data = 20 },
	{ "other", "UDP without data", .protocol = IPPROTO_UDP },
	{ "other", "echo request", .protocol = IPPROTO_ICMP, .data = 24 },
	{ "other", "unknown protocol 253", .protocol = UNKNOWN_PROTOCOL, .data = 40 },
	{ "other", "unknown protocol 253, empty", .protocol = UNKNOWN_PROTOCOL, .keep = NOTHING },
};

#define SPEC_COUNT (sizeof(SPECS) / sizeof(SPECS[0]))

/* ---- send: building one frame ------------------------------------------------------------- */

struct packet {
	const struct spec *spec;
	const struct addresses *addresses;
	unsigned int marker; /* number in the list, from 1 on */
	uint8_t protocol;
	uint8_t segment[SEGMENT_MAX];
	size_t segment_length;
};

static void put_data(struct packet *packet, size_t at)
{
	size_t i;

	for (i = 0; i < packet->spec->data; i++)
		packet->segment[at + i] = (uint8_t)(packet->marker + i * 7);
	packet->segment_length = at + packet->spec->data;
}

static void put_tcp(struct packet *packet)
{
	const struct spec *spec = packet->spec;
	const size_t header = TCP_HEADER + (spec->options_length + 3) / 4 * 4;
	unsigned int doff = (unsigned int)header / 4;
	uint8_t *tcp = packet->segment;

	if (spec->doff != 0)
		doff = spec->doff == NOTHING ? 0 : (unsigned int)spec->doff;
	put16(tcp, 20000 + packet->marker);
	put16(tcp + 2, 80);
	put32(tcp + 4, 0x10000000 + packet->marker);
	put32(tcp + 8, (spec->flags & ACK) != 0 ? 0x20000000 + packet->marker : 0);
	tcp[12] = (uint8_t)(doff << 4);
	tcp[13] = spec->flags;
	put16(tcp + 14, 64240);
	put16(tcp + 18, (spec->flags & URG) != 0 ? 1 : 0);
	if (spec->options_length > 0)
		memcpy(tcp + TCP_HEADER, spec->options, spec->options_length);
	put_data(packet, header);
}

static void put_udp(struct packet *packet)
{
	put16(packet->segment, 20000 + packet->marker);
	put16(packet->segment + 2, 53);
	put16(packet->segment + 4, 8U + packet->spec->data);
	put_data(packet, 8);
}

static void put_echo(struct packet *packet)
{
	packet->segment[0] = packet->addresses->family == AF_INET ? 8 : 128;
	put16(packet->segment + 4, packet->marker);
	put16(packet->segment + 6, 1);
	put_data(packet, 8);
}

static void put_checksum(struct packet *packet, size_t at, bool with_pseudo_header)
{
	uint32_t sum = 0;

	if (with_pseudo_header)
		sum = pseudo_sum(packet->addresses, packet->protocol, packet->segment_length);
	sum = add_sum(sum, packet->segment, packet->segment_length);
	put16(packet->segment + at, fold(sum) ^ packet->spec->spoil);
}

static void put_segment(struct packet *packet)
{
	const bool ipv4 = packet->addresses->family == AF_INET;

	memset(packet->segment, 0, sizeof(packet->segment));
	packet->segment_length = 0;
	switch (packet->spec->protocol) {
	case 0:
		packet->protocol = IPPROTO_TCP;
		put_tcp(packet);
		put_checksum(packet, 16, true);
		break;
	case IPPROTO_UDP:
		packet->protocol = IPPROTO_UDP;
		put_udp(packet);
		put_checksum(packet, 6, true);
		break;
	case IPPROTO_ICMP:
		packet->protocol = ipv4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
		put_echo(packet);
		put_checksum(packet, 2, !ipv4);
		break;
	default:
		packet->protocol = (uint8_t)packet->spec->protocol;
		put_data(packet, 0);
	}
}

/* The part of the segment that goes into this packet. */
static size_t put_part(uint8_t *out, const struct packet *packet)
{
	const struct spec *spec = packet->spec;
	size_t length = packet->segment_length - spec->from;

	if (spec->keep == NOTHING)
		return 0;
	if (spec->keep != 0 && (size_t)spec->keep < length)
		length = (size_t)spec->keep;
	memcpy(out, packet->segment + spec->from, length);
	return length;
}

static size_t put_ipv4(uint8_t *ip, const struct packet *packet)
{
	const struct spec *spec = packet->spec;
	const size_t header = IPV4_HEADER + spec->ip_options_length;
	const size_t total = header + put_part(ip + header, packet);
	const unsigned int dont_fragment = 0x4000, more_fragments = 0x2000;

	ip[0] = (uint8_t)(0x40 | header / 4);
	ip[1] = spec->traffic;
	put16(ip + 2, (unsigned int)total);
	put16(ip + 4, 0x5000 + packet->marker);
	put16(ip + 6,
	      spec->fragment ? (spec->more ? more_fragments : 0) | spec->from / 8U : dont_fragment);
	ip[8] = 64;
	ip[9] = packet->protocol;
	memcpy(ip + 12, packet->addresses->source, 4);
	memcpy(ip + 16, packet->addresses->destination, 4);
	if (spec->ip_options_length > 0)
		memcpy(ip + IPV4_HEADER, spec->ip_options, spec->ip_options_length);
	put16(ip + 10, fold(add_sum(0, ip, header)));
	return total;
}

static uint8_t extension_type(char code)
{
	switch (code) {
	case 'h':
		return IPPROTO_HOPOPTS;
	case 'r':
		return IPPROTO_ROUTING;
	case 'f':
		return IPPROTO_FRAGMENT;
	case 'A':
		return IPPROTO_AH;
	default:
		return IPPROTO_DSTOPTS;
	}
}

/*
 * h  hop by hop, 8 bytes           d  destination options, 8 bytes    D  the same, 24 bytes
 * r  routing, used up, 24 bytes    f  fragment                        A  authentication, 24 bytes
 * t  the first 4 bytes of d        x  no byte of d                    o  d that says 2048 bytes
 */
static size_t put_extension(uint8_t *out, char code, uint8_t next, const struct packet *packet)
{
	static const uint8_t PADDING[6] = { 1, 4, 0, 0, 0, 0 };
	const struct spec *spec = packet->spec;

	if (code == 'x')
		return 0;
	memset(out, 0, 24);
	out[0] = next;
	memcpy(out + 2, PADDING, sizeof(PADDING));
	switch (code) {
	case 't':
		return 4;
	case 'o':
		out[1] = 255;
		return 8;
	case 'D':
		out[1] = 2;
		out[2] = 0x1e; /* for experiments: skip if unknown */
		out[3] = 20;
		return 24;
	case 'r':
		out[1] = 2;
		put32(out + 2, 0); /* type 0, no segments left */
		memcpy(out + 8, packet->addresses->destination, 16);
		return 24;
	case 'A':
		out[1] = 4; /* 24 bytes, in words, less 2 */
		put16(out + 2, 0);
		put32(out + 4, 256 + packet->marker);
		put32(out + 8, 1);
		return 24;
	case 'f':
		put16(out + 2, spec->from | (spec->more ? 1U : 0U));
		put32(out + 4, 0x50000000 + packet->marker);
		return 8;
	default:
		return 8;
	}
}

static size_t put_ipv6(uint8_t *ip, const struct packet *packet)
{
	const struct spec *spec = packet->spec;
	const char *code = spec->chain;
	size_t at = IPV6_HEADER;

	if (code == NULL)
		code = spec->fragment ? "f" : "";
	put32(ip, 6U << 28 | (uint32_t)spec->traffic << 20 | (0x50000 + packet->marker));
	ip[6] = *code != '\0' ? extension_type(*code) : packet->protocol;
	ip[7] = 64;
	memcpy(ip + 8, packet->addresses->source, 16);
	memcpy(ip + 24, packet->addresses->destination, 16);
	for (; *code != '\0'; code++)
		at += put_extension(ip + at, *code,
				    code[1] != '\0' ? extension_type(code[1]) : packet->protocol,
				    packet);
	at += put_part(ip + at, packet);
	put16(ip + 4, (unsigned int)(at - IPV6_HEADER));
	return at;
}

static size_t build(uint8_t *frame, const struct interface *interface, struct packet *packet)
{
	size_t length = put_ethernet(frame, interface, packet->addresses->family);

	put_segment(packet);
	if (packet->addresses->family == AF_INET)
		length += put_ipv4(frame + length, packet);
	else
		length += put_ipv6(frame + length, packet);
	return length + packet->spec->padding;
}

/* ---- send --------------------------------------------------------------------------------- */

struct sending {
	struct interface interface;
	const char *set; /* NULL: all */
	bool names;
	unsigned int sent;
};

static void send_frame(const struct interface *interface, const uint8_t *frame, size_t length,
		       const char *name)
{
	if (sendto(interface->fd, frame, length, 0, (const struct sockaddr *)&interface->link,
		   sizeof(interface->link)) < 0)
		die(1, "send \"%s\", %zu bytes: %s", name, length, strerror(errno));
}

/* Frame `marker` of one family, if its set is wanted. */
static void send_spec(struct sending *sending, const struct spec *spec,
		      const struct addresses *addresses, unsigned int marker)
{
	static struct packet packet;
	uint8_t frame[FRAME_MAX];

	if (addresses->family == 0 ||
	    (sending->set != NULL && strcmp(sending->set, spec->set) != 0))
		return;
	memset(frame, 0, sizeof(frame));
	packet.spec = spec;
	packet.addresses = addresses;
	packet.marker = marker;
	send_frame(&sending->interface, frame, build(frame, &sending->interface, &packet),
		   spec->name);
	if (sending->names)
		printf("%u ipv%c %s: %s\n", marker, addresses->family == AF_INET ? '4' : '6',
		       spec->set, spec->name);
	sending->sent++;
	sleep_ns(NS_PER_MS);
}

static void send_all(struct sending *sending, const struct addresses families[2])
{
	unsigned int numbers[2] = { 0, 0 };
	size_t i;
	int k;

	for (i = 0; i < SPEC_COUNT && !stopped; i++) {
		for (k = 0; k < 2; k++) {
			const int family = k == 0 ? AF_INET : AF_INET6;

			if (SPECS[i].family != 0 && SPECS[i].family != family)
				continue;
			if (!SPECS[i].same_id)
				numbers[k]++;
			send_spec(sending, &SPECS[i], &families[k], numbers[k]);
		}
	}
}

static bool is_set(const char *name)
{
	size_t i;

	for (i = 0; i < SPEC_COUNT; i++) {
		if (strcmp(SPECS[i].set, name) == 0)
			return true;
	}
	return false;
}

static int main_send(int argc, char **argv)
{
	static const struct option options[] = {
		{ "set", required_argument, NULL, 's' },
		{ "names", no_argument, NULL, 'n' },
		{ NULL, 0, NULL, 0 },
	};
	struct sending sending;
	struct addresses families[2];
	int option;

	memset(&sending, 0, sizeof(sending));
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 's')
			sending.set = optarg;
		else if (option == 'n')
			sending.names = true;
		else
			return 2;
	}
	argv += optind;
	if (argc - optind != 6)
		die(2, "send needs IFACE DSTMAC SRC4 DST4 SRC6 DST6 (wire --help)");
	if (sending.set != NULL && !is_set(sending.set))
		die(2, "there is no set \"%s\" (wire --help)", sending.set);
	parse_addresses(argv[2], argv[3], AF_INET, &families[0]);
	parse_addresses(argv[4], argv[5], AF_INET6, &families[1]);
	open_sender(&sending.interface, argv[0], argv[1]);
	send_all(&sending, families);
	printf("%u frames sent\n", sending.sent);
	return stopped ? 1 : 0;
}

/* ---- receive ------------------------------------------------------------------------------ */

/* Neighbours, routers and multicast groups: they come when they like. */
static bool is_chatter(const uint8_t *ip, size_t length)
{
	size_t at = IPV6_HEADER;
	uint8_t next;

	if (length < IPV6_HEADER || ip[0] >> 4 != 6)
		return false;
	next = ip[6];
	if (next == IPPROTO_HOPOPTS && length >= at + 8) {
		next = ip[at];
		at += (ip[at + 1] + 1U) * 8U;
	}
	return next == IPPROTO_ICMPV6 && at < length && ip[at] >= 130 && ip[at] <= 143;
}

static void print_hex(const uint8_t *bytes, size_t length)
{
	static const char DIGITS[] = "0123456789abcdef";
	static char line[2 * RECEIVE_MAX + 1];
	size_t i;

	for (i = 0; i < length; i++) {
		line[2 * i] = DIGITS[bytes[i] >> 4];
		line[2 * i + 1] = DIGITS[bytes[i] & 0x0f];
	}
	line[2 * length] = '\n';
	fwrite(line, 1, 2 * length + 1, stdout);
}

/* True if a packet was printed. */
static bool receive_one(int fd)
{
	static uint8_t packet[RECEIVE_MAX];
	struct sockaddr_ll from;
	socklen_t from_length = sizeof(from);
	ssize_t length;

	memset(&from, 0, sizeof(from));
	length = recvfrom(fd, packet, sizeof(packet), MSG_DONTWAIT, (struct sockaddr *)&from,
			  &from_length);
	if (length < 0) {
		if (errno != EAGAIN && errno != EINTR)
			die(1, "receive: %s", strerror(errno));
		return false;
	}
	if (from.sll_pkttype == PACKET_OUTGOING ||
	    (from.sll_protocol != htons(ETH_P_IP) && from.sll_protocol != htons(ETH_P_IPV6)) ||
	    is_chatter(packet, (size_t)length))
		return false;
	print_hex(packet, (size_t)length);
	return true;
}

static void bind_receiver(struct interface *interface)
{
	const int size = SOCKET_BUFFER;

	if (setsockopt(interface->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) != 0)
		setsockopt(interface->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (bind(interface->fd, (const struct sockaddr *)&interface->link,
		 sizeof(interface->link)) != 0)
		die(1, "bind: %s", strerror(errno));
	fputs("ready\n", stderr);
}

static void receive(const struct interface *interface, uint32_t seconds, uint32_t count)
{
	const uint64_t end = now_ns() + seconds * NS_PER_S;
	struct tpacket_stats stats;
	socklen_t length = sizeof(stats);
	struct pollfd packet;
	uint64_t now;
	uint32_t received = 0;

	packet.fd = interface->fd;
	packet.events = POLLIN;
	/* Awake every 100 ms at least, for a signal that came just before poll(). */
	while (!stopped && received < count && (now = now_ns()) < end) {
		const uint64_t left = end - now < SLEEP_MAX ? end - now : SLEEP_MAX;

		if (poll(&packet, 1, (int)(left / NS_PER_MS) + 1) < 0 && errno != EINTR)
			die(1, "poll: %s", strerror(errno));
		if (receive_one(interface->fd))
			received++;
	}
	if (fflush(stdout) != 0)
		die(1, "write: %s", strerror(errno));
	memset(&stats, 0, sizeof(stats));
	if (getsockopt(interface->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &length) == 0 &&
	    stats.tp_drops > 0)
		die(1, "%u packets missed: the socket buffer was full", stats.tp_drops);
}

static int main_receive(int argc, char **argv)
{
	static const struct option options[] = {
		{ "seconds", required_argument, NULL, 's' },
		{ "count", required_argument, NULL, 'n' },
		{ NULL, 0, NULL, 0 },
	};
	struct interface interface;
	uint32_t seconds = 0, count = UINT32_MAX;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 's')
			seconds = number(optarg, 1, 86400, "--seconds");
		else if (option == 'n')
			count = number(optarg, 1, UINT32_MAX, "--count");
		else
			return 2;
	}
	if (argc - optind != 1 || seconds == 0)
		die(2, "receive needs IFACE and --seconds (wire --help)");
	open_interface(&interface, argv[optind], SOCK_DGRAM, ETH_P_ALL);
	bind_receiver(&interface);
	receive(&interface, seconds, count);
	return 0;
}

/* ---- syn ---------------------------------------------------------------------------------- */

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

static int main_syn(int argc, char **argv)
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

int main(int argc, char **argv)
{
	catch_signals();
	if (argc > 1 && strcmp(argv[1], "send") == 0)
		return main_send(argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "receive") == 0)
		return main_receive(argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "syn") == 0)
		return main_syn(argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "--help") == 0) {
		fputs(USAGE, stdout);
		return 0;
	}
	die(2, "first argument must be send, receive or syn (wire --help)");
}
