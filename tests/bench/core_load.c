/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "core_load.h"

const struct synpaws_prefix core_hosts[2] = {
	{ .ip_version = 4, .bits = 16, .address = { 10, 99 } },
	{ .ip_version = 6, .bits = 64, .address = { 0xfd, 0x99 } },
};

struct core_order core_order_of(uint64_t count, uint64_t seed)
{
	struct core_order order = { .count = count, .seed = core_mix(seed) };
	unsigned int bits = 1;

	while (bits < 63 && 1ULL << bits < count)
		bits++;
	order.mask = (1ULL << bits) - 1;
	order.shift = bits / 2 + 1;
	return order;
}

/* Each step can be undone, so no two numbers become the same; those too large go round again. */
uint64_t core_order_at(const struct core_order *order, uint64_t index)
{
	uint64_t x = index;

	do {
		x = (x + order->seed) & order->mask;
		x = (x * 0x9e3779b97f4a7c15ULL) & order->mask;
		x ^= x >> order->shift;
		x = (x * (0xbf58476d1ce4e5b9ULL ^ (order->seed & ~1ULL))) & order->mask;
		x ^= x >> order->shift;
		x = (x * 0x94d049bb133111ebULL) & order->mask;
		x ^= x >> order->shift;
	} while (x >= order->count);
	return x;
}

void core_address(uint8_t ip_version, uint64_t number, uint8_t address[16])
{
	const uint32_t mask = (1U << 30) - 1;
	uint32_t x = (uint32_t)number & mask;
	uint64_t low;

	memset(address, 0, 16);
	if (ip_version == 4) { /* 64.0.0.0/2, shuffled */
		x = (x * 0x85ebca6bU) & mask;
		x ^= x >> 15;
		x = (x * 0xc2b2ae35U) & mask;
		x ^= x >> 16;
		x |= 1U << 30;
		address[0] = (uint8_t)(x >> 24);
		address[1] = (uint8_t)(x >> 16);
		address[2] = (uint8_t)(x >> 8);
		address[3] = (uint8_t)x;
		return;
	}
	low = core_mix(number);
	address[0] = 0x20;
	address[1] = 0x01;
	address[2] = 0x0d;
	address[3] = 0xb8;
	address[6] = (uint8_t)(low >> 20);
	address[7] = (uint8_t)(low >> 40);
	memcpy(address + 8, &low, 8);
}

void core_host(uint8_t ip_version, uint8_t address[16])
{
	memcpy(address, core_hosts[ip_version == 6].address, 16);
	address[ip_version == 6 ? 15 : 3] = 1;
}

static void put_time(struct synpaws_segment *seg, uint64_t passed_ns)
{
	seg->order_ns = CORE_SECOND * 1000000000ULL + passed_ns;
	seg->time_ns = seg->order_ns;
	seg->second = (uint32_t)(seg->order_ns / 1000000000);
}

struct core_syns core_syns_of(uint64_t peers, uint8_t ip_version, uint64_t seed)
{
	const struct core_syns syns = {
		.order = core_order_of(peers, seed),
		.seed = seed,
		.pace_ns = 1000,
		.ip_version = ip_version,
	};

	return syns;
}

static void fill_syn(const struct core_syns *syns, struct synpaws_segment *seg)
{
	const uint64_t round = syns->next / syns->order.count;
	const uint64_t peer = core_order_at(&syns->order, syns->next % syns->order.count);
	const uint64_t random = core_mix(peer ^ syns->seed << 32);

	memset(seg, 0, sizeof(*seg));
	put_time(seg, syns->next * syns->pace_ns);
	seg->ifindex = 2;
	seg->way = SYNPAWS_WAY_IN;
	seg->ip_version = syns->ip_version;
	seg->flags = SYNPAWS_SYN;
	seg->has_timestamp = true;
	seg->sack_permitted = true;
	seg->window_scale = 7;
	if (syns->addresses != NULL)
		memcpy(seg->source, syns->addresses + 16 * peer, 16);
	else
		core_address(syns->ip_version, peer, seg->source);
	core_host(syns->ip_version, seg->destination);
	seg->source_port = (uint16_t)(32768 + (random + round) % 28232);
	seg->destination_port = 443;
	seg->seq = (uint32_t)random + (uint32_t)round * 65537;
	seg->window = 64240;
	seg->tsval = (uint32_t)(random >> 32) + (uint32_t)round * 10;
	if (syns->drop_every != 0 && round > 0 && syns->next % syns->drop_every == 0)
		seg->tsval -= 100000;
}

void core_syns_fill(void *context, struct synpaws_segment *block, size_t count)
{
	struct core_syns *syns = context;
	size_t i;

	for (i = 0; i < count; i++) {
		if (syns->next % syns->order.count == 0)
			syns->order = core_order_of(syns->order.count,
						    syns->seed + syns->next / syns->order.count);
		fill_syn(syns, &block[i]);
		syns->next++;
	}
}

static void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value);
}

/* RFC 1071; `length` is even. */
static uint32_t sum_of(uint32_t sum, const uint8_t *bytes, size_t length)
{
	size_t i;

	for (i = 0; i < length; i += 2)
		sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
	return sum;
}

static uint32_t folded(uint32_t sum)
{
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

/* MSS, SACK permitted, timestamp, NOP, window scale: what Linux sends. */
static void put_tcp(uint8_t *tcp, uint64_t random)
{
	static const uint8_t options[20] = { 2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0,
					     0, 0, 0, 0,    0, 0, 1, 3,	 3, 7 };

	put16(tcp, 32768 + (uint32_t)(random % 28232));
	put16(tcp + 2, 443);
	put32(tcp + 4, (uint32_t)random);
	tcp[12] = 40 / 4 << 4;
	tcp[13] = SYNPAWS_SYN;
	put16(tcp + 14, 64240);
	memcpy(tcp + 20, options, sizeof(options));
	put32(tcp + 28, (uint32_t)(random >> 32));
}

size_t core_packet(uint8_t packet[CORE_PACKET_MOST], uint8_t ip_version, uint64_t number)
{
	const bool four = ip_version == 4;
	const size_t width = four ? 4 : 16, ends = four ? 12 : 8, header = ends + 2 * width;
	uint8_t address[16];

	memset(packet, 0, CORE_PACKET_MOST);
	core_address(ip_version, number, address);
	memcpy(packet + ends, address, width);
	core_host(ip_version, address);
	memcpy(packet + ends + width, address, width);
	put_tcp(packet + header, core_mix(number));
	put16(packet + header + 16,
	      folded(sum_of(sum_of(6 + 40, packet + ends, 2 * width), packet + header, 40)));
	packet[0] = four ? 0x45 : 0x60;
	packet[four ? 8 : 7] = 57;
	packet[four ? 9 : 6] = 6;
	put16(packet + (four ? 2 : 4), four ? 60 : 40);
	if (four) {
		packet[6] = 0x40;
		put16(packet + 10, folded(sum_of(0, packet, 20)));
	}
	return header + 40;
}
