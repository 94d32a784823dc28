/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include <libnfnetlink/libnfnetlink.h>

#include "../os/clock.h"
#include "../os/control.h"
#include "../sink/drop.h"
#include "../sink/fold.h"
#include "../sink/tally.h"
#include "../source/nfmessage.h"
#include "analyst.h"

/* How many slots are taken before the receiver may have them back. */
#define CHUNK 64

/* After so many slots the clock and the receiver get a look-in. */
#define PASS_MOST 4096

/* Pauses between two looks at the rings; the longer one must be too short to fill a ring. */
#define PAUSE_BUSY_MS 2
#define PAUSE_IDLE_MS 20

/*
 * With several rings a segment waits so long, in case another ring still gets an older one: longer
 * than a receiver takes from the arrival of a batch to showing it.
 */
#define MERGE_WAIT_NS 2000000ULL

#define LINE_MOST 1024

struct analyst {
	struct analyst_config *config;
	struct synpaws_mirror *mirror;
	struct tally *tally;
	struct fold *fold;
	struct nlif_handle *interfaces; /* NULL if their names cannot be read */
	uint64_t restarts;
	uint64_t missed_crash;
	uint64_t unparsed;
	uint32_t last_tick;
};

static uint32_t now_seconds(void)
{
	return (uint32_t)(clock_ns(CLOCK_MONOTONIC) / NS_PER_SECOND);
}

static void write_drop(void *context, const struct drop *drop)
{
	const struct analyst *analyst = context;
	struct log *log = analyst->config->log;
	const char *profile = analyst->config->options->profile->name;
	char line[LINE_MOST];
	const size_t length = log_sink(log) == LOG_SINK_JSON
				      ? drop_json(drop, profile, line, sizeof(line))
				      : drop_text(drop, profile, line, sizeof(line));

	log_record(log, LOG_WARNING, length > 0 ? line : NULL);
}

static void write_summary(const struct analyst *analyst)
{
	const struct analyst_config *config = analyst->config;
	struct tally_context context = {
		.profile = config->options->profile->name,
		.seconds = now_seconds() - config->started,
		.restarts = analyst->restarts,
		.missed_crash = analyst->missed_crash,
		.unparsed = analyst->unparsed,
		.lines_lost = log_lost(config->log),
		.lines_suppressed = fold_suppressed(analyst->fold),
	};
	char summary[LINE_MOST], missed[LINE_MOST];
	size_t i;

	for (i = 0; i < config->ring_count; i++) {
		const struct ring_counters counters = ring_counters(config->rings[i]);

		context.offered += counters.packets;
		context.missed_socket += counters.missed_socket;
		context.missed_ring += counters.missed_ring;
		context.errors += counters.errors;
		context.queue_dropped += counters.queue_dropped;
		context.socket_dropped += counters.socket_dropped;
	}
	synpaws_mirror_stats(analyst->mirror, &context.mirror);
	if (log_sink(config->log) == LOG_SINK_JSON) {
		const size_t length =
			tally_json(analyst->tally, &context, summary, sizeof(summary));

		log_record(config->log, LOG_NOTICE, length > 0 ? summary : NULL);
		return;
	}
	tally_summary(analyst->tally, &context, summary, missed, sizeof(summary));
	log_record(config->log, LOG_NOTICE, summary);
	log_record(config->log, LOG_NOTICE, missed);
}

static void name_interface(const struct analyst *analyst, uint32_t ifindex, char name[IF_NAMESIZE])
{
	name[0] = '\0';
	if (ifindex != 0 && analyst->interfaces != NULL &&
	    nlif_index2name(analyst->interfaces, ifindex, name) < 0)
		name[0] = '\0';
}

static void take(struct analyst *analyst, const struct ring_slot *slot, uint32_t now)
{
	struct nfmessage message;
	struct drop drop;
	enum synpaws_decode result;

	switch (nfmessage_parse(slot->bytes, slot->length, &message)) {
	case NFMESSAGE_PACKET:
		break;
	case NFMESSAGE_DAMAGED:
		analyst->unparsed++;
		return;
	case NFMESSAGE_OTHER:
		return;
	}
	result = synpaws_segment_decode(&drop.seg, message.bytes, message.captured, message.length,
					message.checksum_pending ? SYNPAWS_CHECKSUM_PENDING : 0);
	tally_decode(analyst->tally, result);
	if (result != SYNPAWS_DECODE_OK)
		return;
	drop.seg.time_ns = slot->time_ns;
	drop.seg.second = slot->second;
	drop.seg.ifindex = message.ifindex;
	drop.seg.forwarded = message.forwarded;
	synpaws_mirror_judge(analyst->mirror, &drop.seg, &drop.outcome);
	tally_outcome(analyst->tally, &drop.seg, &drop.outcome, now);
	if (drop.outcome.fate != SYNPAWS_FATE_PAWS_DROP)
		return;
	name_interface(analyst, drop.seg.ifindex, drop.interface);
	fold_drop(analyst->fold, &drop, now);
}

/* The ring whose oldest segment arrived first, up to `horizon`; NULL if there is none. */
static struct ring *earliest(const struct analyst_config *config, uint64_t horizon)
{
	struct ring *first = NULL;
	uint64_t first_ns = horizon;
	size_t i;

	for (i = 0; i < config->ring_count; i++) {
		const struct ring_slot *slot = ring_peek(config->rings[i]);

		if (slot != NULL && slot->order_ns <= first_ns) {
			first = config->rings[i];
			first_ns = slot->order_ns;
		}
	}
	return first;
}

static void release_all(const struct analyst_config *config)
{
	size_t i;

	for (i = 0; i < config->ring_count; i++)
		ring_release(config->rings[i]);
}

/* Take what has arrived up to `horizon`, at most PASS_MOST slots. Returns how many. */
static size_t drain(struct analyst *analyst, uint64_t horizon)
{
	const uint32_t now = now_seconds();
	struct ring *ring;
	size_t taken = 0;

	while (taken < PASS_MOST && (ring = earliest(analyst->config, horizon)) != NULL) {
		const struct ring_slot *slot = ring_peek(ring);

		ring_begin(ring);
		take(analyst, slot, now);
		if (++taken % CHUNK == 0)
			release_all(analyst->config);
	}
	release_all(analyst->config);
	return taken;
}

static void tick(struct analyst *analyst)
{
	const struct analyst_config *config = analyst->config;
	const uint32_t now = now_seconds();

	if (now == analyst->last_tick)
		return;
	analyst->last_tick = now;
	fold_tick(analyst->fold, now);
	if (log_disconnected(config->log))
		control_send(config->control, CONTROL_LOG, -1);
}

/* What the receiver says. True if it is time to end. */
static bool obey(struct analyst *analyst)
{
	int passed;

	for (;;) {
		switch (control_receive(analyst->config->control, &passed)) {
		case CONTROL_NONE:
			return false;
		case CONTROL_SUMMARY:
			write_summary(analyst);
			break;
		case CONTROL_LOG:
			if (passed >= 0)
				log_set_socket(analyst->config->log, passed);
			break;
		case CONTROL_FINISH:
			return true;
		case CONTROL_GONE:
			log_err(analyst->config->log,
				"the receiver has died: packets bypass the queue");
			return true;
		}
	}
}

static void wait_for_more(const struct analyst *analyst, int milliseconds)
{
	struct pollfd fds[2] = { { .fd = analyst->config->control, .events = POLLIN },
				 { .fd = -1, .events = POLLIN } };

	if (analyst->interfaces != NULL)
		fds[1].fd = nlif_fd(analyst->interfaces);
	if (poll(fds, 2, milliseconds) > 0 && (fds[1].revents & POLLIN) != 0)
		nlif_catch(analyst->interfaces);
}

static void open_interfaces(struct analyst *analyst)
{
	analyst->interfaces = nlif_open();
	if (analyst->interfaces != NULL && nlif_query(analyst->interfaces) >= 0)
		return;
	log_warn(analyst->config->log, "cannot read the names of interfaces");
	if (analyst->interfaces != NULL)
		nlif_close(analyst->interfaces);
	analyst->interfaces = NULL;
}

static bool build(struct analyst *analyst)
{
	const struct analyst_config *config = analyst->config;
	const struct watch_options *options = config->options;
	struct synpaws_mirror_config mirror = {
		.profile = options->profile,
		.peers = options->peers,
		.hosts = options->hosts,
		.host_count = options->host_count,
	};
	struct fold_config fold = {
		.period = options->fold_seconds,
		.rate = options->log_rate,
		.emit = write_drop,
		.context = analyst,
	};

	memcpy(mirror.hash_key, config->hash_key, sizeof(mirror.hash_key));
	memcpy(fold.hash_key, config->hash_key, sizeof(fold.hash_key));
	analyst->mirror = synpaws_mirror_new(&mirror);
	analyst->tally = tally_new(config->hash_key);
	analyst->fold = fold_new(&fold);
	return analyst->mirror != NULL && analyst->tally != NULL && analyst->fold != NULL;
}

static void demolish(struct analyst *analyst)
{
	synpaws_mirror_free(analyst->mirror);
	tally_free(analyst->tally);
	fold_free(analyst->fold);
	if (analyst->interfaces != NULL)
		nlif_close(analyst->interfaces);
}

static void work(struct analyst *analyst)
{
	const bool merging = analyst->config->ring_count > 1;
	bool ending = false;
	size_t taken;

	while (!ending) {
		taken = drain(analyst,
			      merging ? clock_ns(CLOCK_MONOTONIC) - MERGE_WAIT_NS : UINT64_MAX);
		tick(analyst);
		ending = obey(analyst);
		if (!ending && taken < PASS_MOST)
			wait_for_more(analyst, taken > 0 ? PAUSE_BUSY_MS : PAUSE_IDLE_MS);
	}
	while (drain(analyst, UINT64_MAX) > 0)
		continue;
	fold_flush(analyst->fold, now_seconds());
	write_summary(analyst);
}

int analyst_run(struct analyst_config *config, uint64_t restarts, int last_signal)
{
	struct analyst analyst = { .config = config, .restarts = restarts };
	size_t i;

	prctl(PR_SET_NAME, "synpaws-analyst", 0, 0, 0);
	log_set_pid(config->log);
	if (restarts > 0)
		log_err(config->log,
			"the analyst was ended by signal %d; a new one starts without "
			"what it had learnt; no packet is affected",
			last_signal);
	if (!build(&analyst)) {
		log_err(config->log, "no memory for %zu peers: give fewer with --peers",
			config->options->peers);
		demolish(&analyst);
		return EXIT_FAILURE;
	}
	open_interfaces(&analyst);
	for (i = 0; i < config->ring_count; i++)
		analyst.missed_crash += ring_take_over(config->rings[i]);
	work(&analyst);
	demolish(&analyst);
	return EXIT_SUCCESS;
}
