/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "flood_frames.h"

#define OPTIONS	     MSS SACKOK TS NOP WS
#define TCP_LENGTH   (TCP_HEADER + sizeof(OPTIONS) - 1)
#define TSVAL_OFFSET (TCP_HEADER + 8)
#define LEAST_PORT   1024

static uint64_t mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static uint32_t halves(uint32_t value)
{
	return (value >> 16) + (value & 0xffff);
}

static void put_ipv4(struct frames *frames)
{
	uint8_t *ip = frames->template + frames->ip;
	const struct addresses *addresses = &frames->plan.addresses;

	put32(ip, 0x45000000 | (uint32_t)(IPV4_HEADER + TCP_LENGTH));
	put32(ip + 4, 0x4000);
	put32(ip + 8, 64U << 24 | (uint32_t)IPPROTO_TCP << 16);
	memcpy(ip + 16, addresses->destination, 4);
	frames->ip_sum = add_sum(0, ip, IPV4_HEADER);
	frames->tcp = frames->ip + IPV4_HEADER;
}

static void put_ipv6(struct frames *frames)
{
	uint8_t *ip = frames->template + frames->ip;
	const struct addresses *addresses = &frames->plan.addresses;

	put32(ip, 6U << 28);
	put32(ip + 4, (uint32_t)TCP_LENGTH << 16 | (uint32_t)IPPROTO_TCP << 8 | 64);
	memcpy(ip + 8, addresses->source, 12);
	memcpy(ip + 24, addresses->destination, 16);
	frames->tcp = frames->ip + IPV6_HEADER;
}

void frames_start(struct frames *frames, const struct plan *plan, const uint8_t *ethernet)
{
	struct addresses rest = plan->addresses;
	uint8_t *tcp;

	memset(frames, 0, sizeof(*frames));
	frames->plan = *plan;
	frames->random = mix(plan->seed);
	memcpy(&frames->first, rest.source + rest.length - 4, 4);
	frames->first = ntohl(frames->first);
	memset(rest.source + rest.length - 4, 0, 4);

	memcpy(frames->template, ethernet, 2 * ETH_ALEN);
	put16(frames->template + 2 * ETH_ALEN,
	      rest.family == AF_INET ? ETHERTYPE_IP : ETHERTYPE_IPV6);
	frames->ip = ETH_HLEN;
	if (rest.family == AF_INET)
		put_ipv4(frames);
	else
		put_ipv6(frames);
	frames->length = frames->tcp + TCP_LENGTH;

	tcp = frames->template + frames->tcp;
	put16(tcp + 2, plan->dport);
	tcp[12] = (uint8_t)(TCP_LENGTH / 4 << 4);
	tcp[13] = SYN;
	put16(tcp + 14, 64240);
	memcpy(tcp + TCP_HEADER, OPTIONS, sizeof(OPTIONS) - 1);
	put32(tcp + TSVAL_OFFSET, 0);
	frames->tcp_sum = add_sum(pseudo_sum(&rest, IPPROTO_TCP, TCP_LENGTH), tcp, TCP_LENGTH);
}

/* What the peer's clock shows: it starts anywhere, and a NAT's two machines hours apart. */
static uint32_t tsval_of(const struct frames *frames, uint32_t peer, uint64_t ms, uint64_t random)
{
	const uint64_t own = mix(frames->plan.seed ^ peer);
	const uint32_t clock = (uint32_t)(own >> 32) & 0x7fffffff;
	const uint32_t apart = 0x01000000 + ((uint32_t)own & 0x0fffffff);

	if ((uint32_t)(own >> 40) % 100 < frames->plan.drops && (random & 1) != 0)
		return clock + apart + (uint32_t)ms;
	return clock + (uint32_t)ms;
}

void frames_next(struct frames *frames, uint8_t *frame, uint64_t ms)
{
	const uint64_t random = mix(frames->random), more = mix(random);
	const uint32_t peer = (uint32_t)((random >> 32) * frames->plan.peers >> 32);
	const uint32_t source = frames->first + peer, seq = (uint32_t)random;
	const uint32_t sport = LEAST_PORT + (uint32_t)(more & 0xffff) % (0x10000 - LEAST_PORT);
	const uint32_t id = (uint32_t)(more >> 16) & 0xffff;
	const uint32_t tsval = tsval_of(frames, peer, ms, more >> 32);
	uint8_t *ip = frame + frames->ip, *tcp = frame + frames->tcp;

	frames->random = random;
	memcpy(frame, frames->template, frames->length);
	if (frames->plan.addresses.family == AF_INET) {
		put16(ip + 4, id);
		put16(ip + 10, fold(frames->ip_sum + id + halves(source)));
		put32(ip + 12, source);
	} else {
		put16(ip + 2, id); /* the flow label */
		put32(ip + 20, source);
	}
	put16(tcp, sport);
	put32(tcp + 4, seq);
	put32(tcp + TSVAL_OFFSET, tsval);
	put16(tcp + 16,
	      fold(frames->tcp_sum + halves(source) + sport + halves(seq) + halves(tsval)));
}
