/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wire send: builds the frames of the list and puts them on an interface. */

#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "wire_common.h"
#include "wire_frames.h"

#define FRAME_MAX   1536
#define SEGMENT_MAX 1480

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

/* Writes the extension header of this letter, see struct spec; returns its length. */
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
	const struct spec *spec;
	int k;

	for (spec = FRAMES; spec->set != NULL && !stopped; spec++) {
		for (k = 0; k < 2; k++) {
			const int family = k == 0 ? AF_INET : AF_INET6;

			if (spec->family != 0 && spec->family != family)
				continue;
			if (!spec->same_id)
				numbers[k]++;
			send_spec(sending, spec, &families[k], numbers[k]);
		}
	}
}

static bool is_set(const char *name)
{
	const struct spec *spec;

	for (spec = FRAMES; spec->set != NULL; spec++) {
		if (strcmp(spec->set, name) == 0)
			return true;
	}
	return false;
}

int main_send(int argc, char **argv)
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
