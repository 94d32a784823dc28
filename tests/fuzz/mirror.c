/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzzes the mirror behind the decoder: each eight bytes of input are a segment between few ends,
 * with numbers near each other, so that states, tables and timers are reached that no conversation
 * would. Whatever comes, every SYN to a host has one outcome, in order, and the books add up.
 */
#include <stdlib.h>
#include <string.h>

#include <synpaws/mirror.h>

#define STEP 8

struct count {
	uint64_t outcomes;
	uint64_t last_ns;
};

static void emit(void *context, const struct synpaws_segment *syn,
		 const struct synpaws_outcome *outcome)
{
	struct count *count = context;

	if (!synpaws_segment_is_syn(syn) || outcome->fate == SYNPAWS_FATE_NONE ||
	    outcome->fate >= SYNPAWS_FATE_KINDS || syn->order_ns < count->last_ns)
		abort();
	count->last_ns = syn->order_ns;
	count->outcomes++;
}

static void fill(struct synpaws_segment *seg, const uint8_t *bytes, uint64_t *now_ns)
{
	static const uint64_t waits[] = {
		0, 1000000, 90000000, 700000000, 2000000000, 61000000000
	};
	const bool from_host = (bytes[0] & 1) != 0;

	memset(seg, 0, sizeof(*seg));
	*now_ns += waits[bytes[1] % (sizeof(waits) / sizeof(waits[0]))];
	seg->order_ns = *now_ns;
	seg->time_ns = *now_ns + 1795357599000000000ULL - (bytes[1] >> 6) * 1000000000ULL;
	seg->second = (uint32_t)(seg->time_ns / 1000000000ULL);
	seg->forwarded = (bytes[0] & 2) != 0;
	seg->way = (bytes[0] >> 2) % 3;
	seg->ip_version = (bytes[0] & 16) != 0 ? 6 : 4;
	seg->source[3] = from_host ? 1 : 2 + (bytes[0] >> 7);
	seg->destination[3] = from_host ? 2 + (bytes[0] >> 7) : 1;
	seg->source_port = from_host ? 80 : 1000 + (bytes[0] >> 5) % 4;
	seg->destination_port = from_host ? 1000 + (bytes[0] >> 5) % 4 : 80;
	seg->flags = bytes[2];
	seg->has_timestamp = (bytes[2] & 0x40) != 0;
	seg->seq = bytes[3];
	seg->ack = bytes[4];
	seg->payload = bytes[5] % 8;
	seg->window = bytes[5];
	seg->window_scale = (int8_t)(bytes[5] % 16) - 1;
	seg->tsval = seg->has_timestamp ? bytes[6] : 0;
	seg->tsecr = seg->has_timestamp ? bytes[7] : 0;
	seg->ip_id = (uint16_t)(bytes[7] * bytes[6]);
}

static void run(const struct synpaws_mirror_config *base, const uint8_t *data, size_t size)
{
	struct synpaws_mirror_config config = *base;
	struct count count = { .outcomes = 0 };
	struct synpaws_mirror_stats stats;
	struct synpaws_mirror *mirror;
	struct synpaws_segment seg;
	uint64_t now_ns = 1;

	config.context = &count;
	mirror = synpaws_mirror_new(&config);
	if (mirror == NULL)
		return;
	for (; size >= STEP; size -= STEP, data += STEP) {
		fill(&seg, data, &now_ns);
		synpaws_mirror_take(mirror, &seg);
	}
	synpaws_mirror_flush(mirror);
	synpaws_mirror_stats(mirror, &stats);
	if (stats.syns != count.outcomes || stats.segments < stats.syns ||
	    stats.flows > config.flows)
		abort();
	synpaws_mirror_free(mirror);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct synpaws_prefix host = { .ip_version = 4,
						    .bits = 32,
						    .address = { 0, 0, 0, 1 } };
	struct synpaws_mirror_config config = { .peers = 4,
						.sysctls = synpaws_sysctls_default,
						.emit = emit };

	if (size < 2)
		return 0;
	config.profile = synpaws_profile_at(data[0] % 7);
	config.evidence = (enum synpaws_evidence)(data[0] / 7 % SYNPAWS_EVIDENCE_KINDS);
	config.flows = 1 + data[1] % 8;
	config.hosts = &host;
	config.host_count = data[1] >> 7;
	config.sysctls.tcp_tw_recycle = (int8_t)((data[1] >> 3) % 3) - 1;
	config.sysctls.tcp_fin_timeout = (data[1] & 0x20) != 0 ? 90 : 60;
	run(&config, data + 2, size - 2);
	return 0;
}
