/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PACKET_H
#define PACKET_H

/*
 * IP packets with one TCP segment, built byte by byte, header after header. packet_finish() puts in
 * lengths and checksums; whoever wants them wrong spoils them afterwards. The checksum is done as
 * RFC 1071 defines it, 16 bits at a time, which is not how the decoder does it.
 */

#include <arpa/inet.h>

#include <synpaws/segment.h>

#include "unit.h"

#define PACKET_MOST 4096

struct packet_made {
	uint8_t bytes[PACKET_MOST];
	size_t length;
	size_t next; /* where the number of the next header has to go; 0 in IPv4 */
	size_t tcp;  /* where the TCP header starts */
};

static inline void packet_put16(uint8_t *at, unsigned int value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static inline void packet_put32(uint8_t *at, uint32_t value)
{
	packet_put16(at, value >> 16);
	packet_put16(at + 2, value & 0xffff);
}

/* An IPv4 header with `options` bytes of options (NOPs), a multiple of 4. */
static inline void packet_ipv4(struct packet_made *p, const char *source, const char *destination,
			       size_t options)
{
	memset(p, 0, sizeof(*p));
	p->bytes[0] = (uint8_t)(0x40 | (20 + options) / 4);
	p->bytes[6] = 0x40; /* DF */
	p->bytes[8] = 57;
	p->bytes[9] = 6;
	assert_int_equal(inet_pton(AF_INET, source, p->bytes + 12), 1);
	assert_int_equal(inet_pton(AF_INET, destination, p->bytes + 16), 1);
	memset(p->bytes + 20, 1, options);
	p->length = 20 + options;
}

static inline void packet_ipv6(struct packet_made *p, const char *source, const char *destination)
{
	memset(p, 0, sizeof(*p));
	p->bytes[0] = 0x60;
	p->bytes[7] = 57;
	assert_int_equal(inet_pton(AF_INET6, source, p->bytes + 8), 1);
	assert_int_equal(inet_pton(AF_INET6, destination, p->bytes + 24), 1);
	p->length = 40;
	p->next = 6;
}

/* An IPv6 extension header of 8 + 8 * `units` bytes; `second` goes to its bytes 2 and 3. */
static inline void packet_extension(struct packet_made *p, uint8_t kind, size_t units,
				    unsigned int second)
{
	uint8_t *header = p->bytes + p->length;

	p->bytes[p->next] = kind;
	p->next = p->length;
	header[1] = (uint8_t)units;
	packet_put16(header + 2, second);
	p->length += 8 + 8 * units;
}

/* A TCP header with these options, padded with zeros to a multiple of 4, and a payload. */
static inline void packet_tcp(struct packet_made *p, unsigned int flags, const uint8_t *options,
			      size_t options_length, size_t payload)
{
	uint8_t *tcp = p->bytes + p->length;
	const size_t header = 20 + (options_length + 3) / 4 * 4;
	size_t i;

	p->tcp = p->length;
	packet_put16(tcp, 40001);
	packet_put16(tcp + 2, 443);
	packet_put32(tcp + 4, 0xdeadbeef);
	packet_put32(tcp + 8, 0x01020304);
	tcp[12] = (uint8_t)(header / 4 << 4);
	tcp[13] = (uint8_t)flags;
	packet_put16(tcp + 14, 64240);
	if (options_length > 0)
		memcpy(tcp + 20, options, options_length);
	for (i = 0; i < payload; i++)
		tcp[header + i] = (uint8_t)(0xf7 - 3 * i);
	p->length += header + payload;
}

static inline uint32_t packet_sum(uint32_t sum, const uint8_t *bytes, size_t length)
{
	size_t i;

	for (i = 0; i < length; i++) {
		sum += i % 2 == 0 ? (uint32_t)bytes[i] << 8 : bytes[i];
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return sum;
}

/* Fill in the checksums, as the lengths stand in the headers. */
static inline void packet_checksums(struct packet_made *p)
{
	const bool four = p->bytes[0] >> 4 == 4;
	const size_t length = p->length - p->tcp;
	uint32_t sum = packet_sum(6 + (uint32_t)length, p->bytes + (four ? 12 : 8), four ? 8 : 32);

	packet_put16(p->bytes + p->tcp + 16, 0);
	sum = packet_sum(sum, p->bytes + p->tcp, length);
	packet_put16(p->bytes + p->tcp + 16, ~sum & 0xffff);
	if (!four)
		return;
	packet_put16(p->bytes + 10, 0);
	sum = packet_sum(0, p->bytes, (size_t)(p->bytes[0] & 15) * 4);
	packet_put16(p->bytes + 10, ~sum & 0xffff);
}

/* Fill in lengths and checksums. */
static inline void packet_finish(struct packet_made *p)
{
	if (p->bytes[0] >> 4 == 4) {
		packet_put16(p->bytes + 2, (unsigned int)p->length);
	} else {
		packet_put16(p->bytes + 4, (unsigned int)p->length - 40);
		p->bytes[p->next] = 6;
	}
	packet_checksums(p);
}

/* MSS, SACK permitted, timestamp, NOP, window scale: what Linux sends, with TSval 0x000f4240. */
static const uint8_t packet_usual[20] = { 2,	4,    5, 0xb4, 4, 2, 8, 10, 0, 0x0f,
					  0x42, 0x40, 0, 0,    0, 0, 1, 3,  3, 7 };

static inline struct packet_made packet_syn4(size_t payload)
{
	struct packet_made p;

	packet_ipv4(&p, "198.51.100.11", "10.99.0.1", 0);
	packet_tcp(&p, SYNPAWS_SYN, packet_usual, sizeof(packet_usual), payload);
	packet_finish(&p);
	return p;
}

static inline struct packet_made packet_syn6(size_t payload)
{
	struct packet_made p;

	packet_ipv6(&p, "fd99:1::185", "fd99::1");
	packet_tcp(&p, SYNPAWS_SYN, packet_usual, sizeof(packet_usual), payload);
	packet_finish(&p);
	return p;
}

/* Decode a copy that ends where the capture does, so that ASan sees every byte read too much. */
static inline enum synpaws_decode packet_decode(struct synpaws_segment *seg, const uint8_t *bytes,
						size_t captured, size_t length,
						unsigned int options)
{
	uint8_t *copy = malloc(captured);
	enum synpaws_decode result;

	assert_true(copy != NULL || captured == 0);
	if (captured > 0)
		memcpy(copy, bytes, captured);
	memset(seg, 0x5a, sizeof(*seg));
	result = synpaws_segment_decode(seg, copy, captured, length, options);
	free(copy);
	return result;
}

static inline enum synpaws_decode packet_decode_all(struct synpaws_segment *seg,
						    const struct packet_made *p)
{
	return packet_decode(seg, p->bytes, p->length, p->length, 0);
}

/* True if the decoder's fields of both are the same. */
static inline bool packet_same(const struct synpaws_segment *a, const struct synpaws_segment *b)
{
	return a->ip_version == b->ip_version && a->flags == b->flags &&
	       a->has_timestamp == b->has_timestamp && a->source_port == b->source_port &&
	       a->destination_port == b->destination_port && a->seq == b->seq && a->ack == b->ack &&
	       a->payload == b->payload && a->tsval == b->tsval && a->tsecr == b->tsecr &&
	       memcmp(a->source, b->source, 16) == 0 &&
	       memcmp(a->destination, b->destination, 16) == 0;
}

#endif
