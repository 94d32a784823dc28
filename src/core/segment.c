/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include <synpaws/segment.h>

#define IPV4_HEADER  20
#define IPV6_HEADER  40
#define TCP_HEADER   20
#define TCP_CHECKSUM 16 /* where it stands in the header */
#define PROTOCOL_TCP 6

/* IPv6 extension headers that may stand before TCP (RFC 8200, 4.1) */
#define IPV6_HOP_BY_HOP	 0
#define IPV6_ROUTING	 43
#define IPV6_FRAGMENT	 44
#define IPV6_DESTINATION 60

#define TCP_OPTION_END		  0
#define TCP_OPTION_NOP		  1
#define TCP_OPTION_WINDOW	  3
#define TCP_OPTION_SACK_PERMITTED 4
#define TCP_OPTION_TIMESTAMP	  8
#define TCP_OPTION_MD5		  19

#define WINDOW_SCALE_MOST 14 /* RFC 7323, 2.3 */

/* What is known of the packet while its headers are peeled off. */
struct packet {
	const uint8_t *bytes;
	size_t captured;
	size_t length;	   /* by the IP header, from its first byte on */
	size_t offset;	   /* where the next header starts */
	bool fragment;	   /* the first of several: its data goes on elsewhere */
	bool length_unset; /* the IP header's length is 0: hardware fills it in */
};

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* The Internet checksum's running sum (RFC 1071); byte order drops out as long as it is one. */
static uint64_t checksum_add(uint64_t sum, const uint8_t *p, size_t length)
{
	uint32_t word;
	uint8_t tail[4] = { 0 };

	for (; length >= sizeof(word); length -= sizeof(word), p += sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		sum += word;
	}
	memcpy(tail, p, length);
	memcpy(&word, tail, sizeof(word));
	return sum + word;
}

/* The sum in 16 bits, in the byte order that it was read in; 0 only if all was 0. */
static uint16_t checksum_fold(uint64_t sum)
{
	sum = (sum >> 32) + (sum & 0xffffffff);
	sum = (sum >> 32) + (sum & 0xffffffff);
	sum = (sum >> 16) + (sum & 0xffff);
	sum = (sum >> 16) + (sum & 0xffff);
	return (uint16_t)sum;
}

static bool checksum_good(uint64_t sum)
{
	return checksum_fold(sum) == 0xffff;
}

/* The sum over the pseudo-header of a segment of this length (RFC 9293, 3.1; RFC 8200, 8.1). */
static uint64_t pseudo_sum(const struct synpaws_segment *seg, size_t length)
{
	const size_t address = seg->ip_version == 4 ? 4 : 16;
	const uint8_t pseudo[8] = { (uint8_t)(length >> 24),
				    (uint8_t)(length >> 16),
				    (uint8_t)(length >> 8),
				    (uint8_t)length,
				    0,
				    0,
				    0,
				    PROTOCOL_TCP };
	uint64_t sum = checksum_add(0, pseudo, sizeof(pseudo));

	sum = checksum_add(sum, seg->source, address);
	return checksum_add(sum, seg->destination, address);
}

/*
 * What hardware finds in the field that it shall fill in: tcp_v4_send_check() leaves the sum over
 * the pseudo-header there, and drivers that let hardware cut the segment up (2.6.32 to 4.9: e1000,
 * igb, ixgbe) the same with a length of 0, as they do with the length in the IP header.
 */
static bool tcp_checksum_partial(const struct packet *pkt, const struct synpaws_segment *seg)
{
	uint16_t field;

	memcpy(&field, pkt->bytes + pkt->offset + TCP_CHECKSUM, sizeof(field));
	return field == checksum_fold(pseudo_sum(seg, pkt->length - pkt->offset)) ||
	       (pkt->length_unset && field == checksum_fold(pseudo_sum(seg, 0)));
}

static bool tcp_checksum_good(const struct packet *pkt, const struct synpaws_segment *seg,
			      unsigned int options)
{
	const size_t length = pkt->length - pkt->offset;

	if (options & SYNPAWS_CHECKSUM_PENDING)
		return true;
	if (checksum_good(checksum_add(pseudo_sum(seg, length), pkt->bytes + pkt->offset, length)))
		return true;
	return (options & SYNPAWS_CHECKSUM_PARTIAL_OK) && tcp_checksum_partial(pkt, seg);
}

/*
 * Take the length from the IP header; 0 there stands for "as long as it is" if the caller allows
 * that and knows how long it is.
 */
static void take_length(struct packet *pkt, size_t field, size_t header, unsigned int options)
{
	pkt->length_unset =
		field == 0 && (options & SYNPAWS_CHECKSUM_PARTIAL_OK) && pkt->length != SIZE_MAX;
	if (!pkt->length_unset)
		pkt->length = header + field;
}

static enum synpaws_decode decode_ipv4(struct packet *pkt, struct synpaws_segment *seg,
				       unsigned int options)
{
	const uint8_t *ip = pkt->bytes;
	const size_t wire = pkt->length;
	uint16_t fragment;

	if (wire < IPV4_HEADER)
		return SYNPAWS_DECODE_MALFORMED;
	if (pkt->captured < IPV4_HEADER)
		return SYNPAWS_DECODE_TRUNCATED;
	pkt->offset = (size_t)(ip[0] & 0x0f) * 4;
	take_length(pkt, get16(ip + 2), 0, options);
	if (pkt->offset < IPV4_HEADER || pkt->length < pkt->offset || pkt->length > wire)
		return SYNPAWS_DECODE_MALFORMED;
	if (pkt->captured < pkt->offset)
		return SYNPAWS_DECODE_TRUNCATED;
	/* Hardware that fills in the length fills in this one too. */
	if (!pkt->length_unset && !checksum_good(checksum_add(0, ip, pkt->offset)))
		return SYNPAWS_DECODE_CHECKSUM;
	if (ip[9] != PROTOCOL_TCP)
		return SYNPAWS_DECODE_NOT_TCP;
	fragment = get16(ip + 6);
	if ((fragment & 0x1fff) != 0)
		return SYNPAWS_DECODE_FRAGMENT;
	pkt->fragment = (fragment & 0x2000) != 0;
	seg->ip_version = 4;
	seg->ip_id = get16(ip + 4);
	memset(seg->source, 0, sizeof(seg->source));
	memset(seg->destination, 0, sizeof(seg->destination));
	memcpy(seg->source, ip + 12, 4);
	memcpy(seg->destination, ip + 16, 4);
	return SYNPAWS_DECODE_OK;
}

/* Step over one extension header of kind `next`; `next` becomes what follows it. */
static enum synpaws_decode skip_extension(struct packet *pkt, uint8_t *next)
{
	const uint8_t *header = pkt->bytes + pkt->offset;
	size_t size = 8;

	if (pkt->length - pkt->offset < size)
		return SYNPAWS_DECODE_MALFORMED;
	if (pkt->captured - pkt->offset < size)
		return SYNPAWS_DECODE_TRUNCATED;
	if (*next == IPV6_FRAGMENT) {
		const uint16_t fragment = get16(header + 2);

		if ((fragment & 0xfff8) != 0)
			return SYNPAWS_DECODE_FRAGMENT;
		pkt->fragment = pkt->fragment || (fragment & 1) != 0;
	} else {
		size += (size_t)header[1] * 8;
		if (pkt->length - pkt->offset < size)
			return SYNPAWS_DECODE_MALFORMED;
		if (pkt->captured - pkt->offset < size)
			return SYNPAWS_DECODE_TRUNCATED;
	}
	*next = header[0];
	pkt->offset += size;
	return SYNPAWS_DECODE_OK;
}

static enum synpaws_decode decode_ipv6(struct packet *pkt, struct synpaws_segment *seg,
				       unsigned int options)
{
	const uint8_t *ip = pkt->bytes;
	const size_t wire = pkt->length;
	enum synpaws_decode result;
	uint8_t next;

	if (wire < IPV6_HEADER)
		return SYNPAWS_DECODE_MALFORMED;
	if (pkt->captured < IPV6_HEADER)
		return SYNPAWS_DECODE_TRUNCATED;
	pkt->offset = IPV6_HEADER;
	take_length(pkt, get16(ip + 4), IPV6_HEADER, options);
	if (pkt->length > wire)
		return SYNPAWS_DECODE_MALFORMED;
	next = ip[6];
	while (next == IPV6_HOP_BY_HOP || next == IPV6_ROUTING || next == IPV6_FRAGMENT ||
	       next == IPV6_DESTINATION) {
		result = skip_extension(pkt, &next);
		if (result != SYNPAWS_DECODE_OK)
			return result;
	}
	if (next != PROTOCOL_TCP)
		return SYNPAWS_DECODE_NOT_TCP;
	seg->ip_version = 6;
	seg->ip_id = 0;
	memcpy(seg->source, ip + 8, 16);
	memcpy(seg->destination, ip + 24, 16);
	return SYNPAWS_DECODE_OK;
}

static void take_option(struct synpaws_segment *seg, const uint8_t *option)
{
	if (option[0] == TCP_OPTION_TIMESTAMP && option[1] == 10) {
		seg->has_timestamp = true;
		seg->tsval = get32(option + 2);
		seg->tsecr = get32(option + 6);
	} else if (option[0] == TCP_OPTION_WINDOW && option[1] == 3) {
		seg->window_scale =
			(int8_t)(option[2] < WINDOW_SCALE_MOST ? option[2] : WINDOW_SCALE_MOST);
	} else if (option[0] == TCP_OPTION_SACK_PERMITTED && option[1] == 2) {
		seg->sack_permitted = true;
	} else if (option[0] == TCP_OPTION_MD5 && option[1] == 18) {
		seg->has_md5 = true;
	}
}

/* tcp_parse_options() */
static void parse_options(struct synpaws_segment *seg, const uint8_t *option, size_t left)
{
	while (left > 0) {
		if (option[0] == TCP_OPTION_END)
			return;
		if (option[0] == TCP_OPTION_NOP) {
			option++;
			left--;
			continue;
		}
		if (left < 2 || option[1] < 2 || option[1] > left)
			return;
		take_option(seg, option);
		left -= option[1];
		option += option[1];
	}
}

static enum synpaws_decode decode_tcp(struct packet *pkt, struct synpaws_segment *seg,
				      unsigned int options)
{
	const size_t length = pkt->length - pkt->offset;
	const size_t captured = pkt->captured < pkt->length ? pkt->captured : pkt->length;
	const enum synpaws_decode too_short =
		pkt->fragment ? SYNPAWS_DECODE_FRAGMENT : SYNPAWS_DECODE_MALFORMED;
	const uint8_t *tcp = pkt->bytes + pkt->offset;
	size_t header;

	if (length < TCP_HEADER)
		return too_short;
	if (captured - pkt->offset < TCP_HEADER)
		return SYNPAWS_DECODE_TRUNCATED;
	header = (size_t)(tcp[12] >> 4) * 4;
	if (header < TCP_HEADER)
		return SYNPAWS_DECODE_MALFORMED;
	if (length < header)
		return too_short;
	if (captured - pkt->offset < header)
		return SYNPAWS_DECODE_TRUNCATED;
	if (captured == pkt->length && !pkt->fragment && !tcp_checksum_good(pkt, seg, options))
		return SYNPAWS_DECODE_CHECKSUM;
	seg->source_port = get16(tcp);
	seg->destination_port = get16(tcp + 2);
	seg->seq = get32(tcp + 4);
	seg->ack = get32(tcp + 8);
	seg->flags = tcp[13];
	seg->payload = (uint32_t)(length - header);
	seg->window = get16(tcp + 14);
	seg->has_timestamp = false;
	seg->has_md5 = false;
	seg->sack_permitted = false;
	seg->window_scale = -1;
	seg->tsval = 0;
	seg->tsecr = 0;
	parse_options(seg, tcp + TCP_HEADER, header - TCP_HEADER);
	return SYNPAWS_DECODE_OK;
}

enum synpaws_decode synpaws_segment_decode(struct synpaws_segment *seg, const void *packet,
					   size_t captured, size_t length, unsigned int options)
{
	struct packet pkt = { .bytes = packet, .captured = captured, .length = length };
	enum synpaws_decode result;

	if (captured == 0)
		return length == 0 ? SYNPAWS_DECODE_MALFORMED : SYNPAWS_DECODE_TRUNCATED;
	switch (pkt.bytes[0] >> 4) {
	case 4:
		result = decode_ipv4(&pkt, seg, options);
		break;
	case 6:
		result = decode_ipv6(&pkt, seg, options);
		break;
	default:
		return SYNPAWS_DECODE_NOT_TCP;
	}
	return result == SYNPAWS_DECODE_OK ? decode_tcp(&pkt, seg, options) : result;
}

const char *synpaws_decode_name(enum synpaws_decode result)
{
	switch (result) {
	case SYNPAWS_DECODE_OK:
		return "ok";
	case SYNPAWS_DECODE_NOT_TCP:
		return "not-tcp";
	case SYNPAWS_DECODE_FRAGMENT:
		return "fragment";
	case SYNPAWS_DECODE_TRUNCATED:
		return "truncated";
	case SYNPAWS_DECODE_MALFORMED:
		return "malformed";
	case SYNPAWS_DECODE_CHECKSUM:
		return "checksum";
	case SYNPAWS_DECODE_KINDS:
		break;
	}
	return "unknown";
}
