/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzzes the loading of a mirror that was saved: the input is segments for a mirror, as in
 * mirror.c, and then changes to what it saves. What was not changed has to come back as it was;
 * what was is refused, or the mirror goes on with it and does no harm.
 */
#include <stdlib.h>
#include <string.h>

#include <synpaws/mirror.h>

#define STEP  8
#define PATCH 3
#define MOST  (1 << 16)

struct bytes {
	uint8_t at[MOST];
	size_t size, read;
};

static bool put(void *context, const void *bytes, size_t size)
{
	struct bytes *to = context;

	if (size > MOST - to->size)
		return false;
	memcpy(to->at + to->size, bytes, size);
	to->size += size;
	return true;
}

static bool get(void *context, void *bytes, size_t size)
{
	struct bytes *from = context;

	if (size > from->size - from->read)
		return false;
	memcpy(bytes, from->at + from->read, size);
	from->read += size;
	return true;
}

static void emit(void *context, const struct synpaws_segment *syn,
		 const struct synpaws_outcome *outcome)
{
	(void)context;
	if (!synpaws_segment_is_syn(syn) || outcome->fate == SYNPAWS_FATE_NONE ||
	    outcome->fate >= SYNPAWS_FATE_KINDS || outcome->answer >= SYNPAWS_ANSWER_KINDS)
		abort();
}

static void fill(struct synpaws_segment *seg, const uint8_t *bytes, uint64_t *now_ns)
{
	static const uint64_t waits[] = { 0, 1000000, 90000000, 700000000, 2000000000 };
	const bool from_host = (bytes[0] & 1) != 0;

	memset(seg, 0, sizeof(*seg));
	*now_ns += waits[bytes[1] % (sizeof(waits) / sizeof(waits[0]))];
	seg->order_ns = *now_ns;
	seg->time_ns = *now_ns + 1795357599000000000ULL;
	seg->second = (uint32_t)(seg->time_ns / 1000000000ULL);
	seg->forwarded = (bytes[0] & 2) != 0;
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
}

static void show(struct synpaws_mirror *mirror, const uint8_t *data, size_t count, uint64_t *now_ns)
{
	struct synpaws_segment seg;

	for (; count > 0; count--, data += STEP) {
		fill(&seg, data, now_ns);
		synpaws_mirror_take(mirror, &seg);
	}
}

static void save(const struct synpaws_mirror *mirror, struct bytes *bytes)
{
	bytes->size = bytes->read = 0;
	if (!synpaws_mirror_save(mirror, put, bytes))
		abort();
}

/* True if it changes anything. */
static bool patch(struct bytes *bytes, const uint8_t *data, size_t size)
{
	bool changed = false;

	for (; size >= PATCH; size -= PATCH, data += PATCH) {
		bytes->at[((size_t)data[0] << 8 | data[1]) % bytes->size] ^= data[2];
		changed = changed || data[2] != 0;
	}
	return changed;
}

static void run(const struct synpaws_mirror_config *config, const uint8_t *data, size_t size)
{
	static struct bytes bytes, again;
	const size_t room = size / STEP, count = room < 24 ? room : 24;
	struct synpaws_mirror *mirror = synpaws_mirror_new(config);
	struct synpaws_mirror_stats stats;
	uint64_t now_ns = 1;
	bool changed;

	if (mirror == NULL)
		return;
	show(mirror, data, count, &now_ns);
	if (size % 16 == 0)
		synpaws_mirror_saw_socket(mirror, 80, size % 32 == 0);
	save(mirror, &bytes);
	synpaws_mirror_free(mirror);
	changed = patch(&bytes, data + count * STEP, size - count * STEP);
	mirror = synpaws_mirror_new(config);
	if (mirror == NULL)
		return;
	if (synpaws_mirror_load(mirror, get, &bytes, SYNPAWS_CARRY_ALL) == SYNPAWS_LOADED) {
		save(mirror, &again);
		if (!changed &&
		    (again.size != bytes.size || memcmp(again.at, bytes.at, bytes.size) != 0))
			abort();
		show(mirror, data, count, &now_ns);
		synpaws_mirror_stats(mirror, &stats);
		synpaws_mirror_flush(mirror);
	} else if (!changed) {
		abort();
	}
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
