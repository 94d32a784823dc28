/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include <libnfnetlink/libnfnetlink.h>

#include "../os/clock.h"
#include "../os/control.h"
#include "../os/filter.h"
#include "../source/merge.h"
#include "../source/nfmessage.h"
#include "analyst.h"
#include "announce.h"
#include "own_sockets.h"
#include "panel.h"
#include "report_server.h"
#include "witness.h"

/* How many slots are taken before the receiver may have them back. */
#define CHUNK 64

/* After so many slots the clock and the receiver get a look-in. */
#define PASS_MOST 4096

/*
 * Pauses between two looks at the rings. The longest is too short to fill a ring, at rates that one
 * core can receive. A wake-up costs as much as judging hundreds of SYNs, so it is as long as it may
 * be unless the last look found more than PAUSE_SLOTS.
 */
#define PAUSE_LEAST_MS 2
#define PAUSE_MOST_MS  25
#define PAUSE_SLOTS    2048

struct analyst {
	struct analyst_config *config;
	struct panel *panel;
	struct merge merge;
	struct report_server reports;
	struct witness witness;
	struct nlif_handle *interfaces; /* NULL if their names cannot be read */
	struct own_sockets *sockets;	/* NULL if they are not asked */
	bool saw_forwarded;		/* likewise */
	uint64_t restarts;
	uint64_t missed_crash;
	uint64_t unparsed;
	uint32_t last_tick;
	int state_fd;			    /* where to write what is remembered; -1: nowhere */
	struct synpaws_segment segs[CHUNK]; /* decoded, not judged yet */
	size_t seg_count;
};

static uint32_t now_seconds(void)
{
	return (uint32_t)(clock_ns(CLOCK_MONOTONIC) / NS_PER_SECOND);
}

static void write_line(void *context, int priority, const char *line)
{
	const struct analyst *analyst = context;

	log_record(analyst->config->log, priority, line);
}

static struct tally_context stream_of(const void *context_of)
{
	const struct analyst *analyst = context_of;
	const struct analyst_config *config = analyst->config;
	struct tally_context context = {
		.seconds = now_seconds() - config->started,
		.restarts = analyst->restarts,
		.missed_crash = analyst->missed_crash,
		.unparsed = analyst->unparsed,
		.lines_lost = log_lost(config->log),
	};
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
	return context;
}

/* With what the daemons before counted. */
static struct tally_context totals_of(const struct analyst *analyst)
{
	struct tally_context context = stream_of(analyst);

	tally_context_add(&context, &analyst->config->state.before);
	return context;
}

static void write_summary(const struct analyst *analyst)
{
	const struct tally_context context = totals_of(analyst);

	panel_summarise(analyst->panel, &context);
	witness_write(&analyst->witness, analyst->panel,
		      analyst->config->options->panel.sink == LOG_SINK_JSON, analyst->config->log);
}

static void name_interface(void *context, uint32_t ifindex, char name[IF_NAMESIZE])
{
	const struct analyst *analyst = context;

	name[0] = '\0';
	if (ifindex != 0 && analyst->interfaces != NULL &&
	    nlif_index2name(analyst->interfaces, ifindex, name) < 0)
		name[0] = '\0';
}

/* Settings and sockets of this machine say nothing about a host behind it. */
static void warn_of_forwarding(struct analyst *analyst)
{
	const struct panel_options *options = &analyst->config->options->panel;

	if (analyst->saw_forwarded || options->gateway || options->evidence == SYNPAWS_EVIDENCE_SYN)
		return;
	analyst->saw_forwarded = true;
	log_warnx(analyst->config->log, "packets are forwarded: give --gateway, or this machine's "
					"settings and sockets are taken for the hosts'");
}

static void take(struct analyst *analyst, const struct ring_slot *slot)
{
	const bool gateway = analyst->config->options->panel.gateway;
	struct synpaws_segment *seg = &analyst->segs[analyst->seg_count];
	struct nfmessage message;
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
	result = synpaws_segment_decode(seg, message.bytes, message.captured, message.length,
					message.checksum_pending ? SYNPAWS_CHECKSUM_PENDING : 0);
	panel_decode(analyst->panel, result, 1);
	if (result != SYNPAWS_DECODE_OK)
		return;
	seg->time_ns = slot->time_ns;
	seg->order_ns = slot->order_ns;
	seg->second = slot->second;
	seg->ifindex = message.ifindex;
	seg->forwarded = message.forwarded || gateway;
	seg->way = message.way;
	analyst->seg_count++;
	if (message.forwarded)
		warn_of_forwarding(analyst);
}

/* Judge what has been decoded; only then may its slots be written again. */
static void finish_chunk(struct analyst *analyst)
{
	panel_take(analyst->panel, analyst->segs, analyst->seg_count);
	analyst->seg_count = 0;
	merge_release(&analyst->merge);
}

/* Take what has arrived up to `horizon_ns`, at most PASS_MOST slots. Returns how many. */
static size_t drain(struct analyst *analyst, uint64_t horizon_ns)
{
	const struct ring_slot *slot;
	size_t taken = 0;

	while (taken < PASS_MOST && (slot = merge_next(&analyst->merge, horizon_ns)) != NULL) {
		take(analyst, slot);
		if (++taken % CHUNK == 0)
			finish_chunk(analyst);
	}
	finish_chunk(analyst);
	return taken;
}

static void open_sockets(struct analyst *analyst)
{
	const struct panel_options *options = &analyst->config->options->panel;

	if (!options->gateway && options->evidence != SYNPAWS_EVIDENCE_SYN)
		analyst->sockets = own_sockets_new(analyst->panel, analyst->config->log);
}

static void tick(struct analyst *analyst)
{
	const struct analyst_config *config = analyst->config;
	const uint32_t now = now_seconds();

	if (now == analyst->last_tick)
		return;
	analyst->last_tick = now;
	if (analyst->sockets != NULL)
		own_sockets_look(analyst->sockets);
	report_server_serve(&analyst->reports);
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
		case CONTROL_STATE: /* a door's */
			break;
		case CONTROL_SUMMARY:
			write_summary(analyst);
			break;
		case CONTROL_LOG:
			if (passed >= 0)
				log_set_socket(analyst->config->log, passed);
			break;
		case CONTROL_FINISH:
			analyst->state_fd = passed;
			return true;
		case CONTROL_GONE:
			log_err(analyst->config->log,
				"the receiver has died: packets bypass the queue");
			return true;
		}
	}
}

static void wait_for_more(struct analyst *analyst, int milliseconds)
{
	struct pollfd fds[3] = { { .fd = analyst->config->control, .events = POLLIN },
				 { .fd = -1, .events = POLLIN },
				 { .fd = report_server_fd(&analyst->reports), .events = POLLIN } };

	if (analyst->interfaces != NULL)
		fds[1].fd = nlif_fd(analyst->interfaces);
	if (poll(fds, 3, milliseconds) <= 0)
		return;
	if ((fds[1].revents & POLLIN) != 0)
		nlif_catch(analyst->interfaces);
	if ((fds[2].revents & POLLIN) != 0)
		report_server_serve(&analyst->reports);
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

static bool make_panel(struct analyst *analyst)
{
	const struct analyst_config *config = analyst->config;
	struct panel_config panel = {
		.collect = analyst->reports.collect,
		.options = &config->options->panel,
		.sysctls = config->sysctls,
		.write = write_line,
		.interface = name_interface,
		.context = analyst,
	};

	memcpy(panel.hash_key, config->hash_key, sizeof(panel.hash_key));
	analyst->panel = panel_new(&panel);
	return analyst->panel != NULL;
}

/* What was saved is older than what an analyst that died had learnt: only the first one goes on. */
static bool go_on(struct analyst *analyst)
{
	struct analyst_config *config = analyst->config;
	char line[256];

	if (config->state.fd < 0 || analyst->restarts > 0)
		return true;
	if (state_load(&config->state, analyst->panel, line, sizeof(line))) {
		log_info(config->log, "%s: %s", config->options->state, line);
		return true;
	}
	log_warnx(config->log, "%s: %s", config->options->state, line);
	panel_free(analyst->panel);
	return make_panel(analyst);
}

static bool build(struct analyst *analyst)
{
	const struct analyst_config *config = analyst->config;

	if (!report_server_start(&analyst->reports, config->listener, config->hash_key) ||
	    !make_panel(analyst) || !go_on(analyst))
		return false;
	analyst->reports.panel = analyst->panel;
	analyst->reports.stream = stream_of;
	analyst->reports.context = analyst;
	return true;
}

static void save(const struct analyst *analyst)
{
	const struct analyst_config *config = analyst->config;
	const struct tally_context totals = totals_of(analyst);

	if (analyst->state_fd >= 0 &&
	    !state_save(&config->state, analyst->state_fd, analyst->panel, &totals))
		log_warn(config->log, "cannot write the state");
}

static void demolish(struct analyst *analyst)
{
	panel_free(analyst->panel);
	report_server_stop(&analyst->reports);
	own_sockets_free(analyst->sockets);
	if (analyst->interfaces != NULL)
		nlif_close(analyst->interfaces);
}

/* One look at the rings. Returns how many slots it took. */
static size_t work_once(struct analyst *analyst)
{
	const uint64_t horizon_ns = merge_horizon(&analyst->merge, clock_ns(CLOCK_MONOTONIC));
	const size_t taken = drain(analyst, horizon_ns);

	if (taken < PASS_MOST)
		panel_advance(analyst->panel, horizon_ns);
	return taken;
}

/* So long that about PAUSE_SLOTS come meanwhile, at the rate of the last pause. */
static int next_pause(int pause, size_t taken)
{
	const size_t next = taken == 0 ? PAUSE_MOST_MS : (size_t)pause * PAUSE_SLOTS / taken;

	if (next > PAUSE_MOST_MS)
		return PAUSE_MOST_MS;
	return next < PAUSE_LEAST_MS ? PAUSE_LEAST_MS : (int)next;
}

static void work(struct analyst *analyst)
{
	int pause = PAUSE_MOST_MS;
	bool ending = false;
	size_t taken, since_pause = 0;

	while (!ending) {
		taken = work_once(analyst);
		since_pause += taken;
		tick(analyst);
		ending = obey(analyst);
		if (ending || taken == PASS_MOST)
			continue;
		pause = next_pause(pause, since_pause);
		since_pause = 0;
		wait_for_more(analyst, pause);
	}
	while (drain(analyst, UINT64_MAX) > 0)
		continue;
	panel_flush(analyst->panel);
	write_summary(analyst);
	save(analyst);
}

/* Before it reads anything that strangers may have written. */
static void confine(const struct analyst *analyst)
{
	const struct analyst_config *config = analyst->config;

	announce_process(config->log, "analyst");
	if (filter_enter(config->listener >= 0 ? FILTER_ANSWERING : FILTER_ANALYST) < 0)
		log_warn(config->log, "the analyst has no filter of system calls");
}

int analyst_run(struct analyst_config *config, uint64_t restarts, int last_signal)
{
	struct analyst analyst = { .config = config, .restarts = restarts, .state_fd = -1 };
	size_t i;

	prctl(PR_SET_NAME, "synpaws-analyst", 0, 0, 0);
	log_set_pid(config->log);
	if (restarts > 0)
		log_err(config->log,
			"the analyst was ended by signal %d; a new one starts without "
			"what it had learnt; no packet is affected",
			last_signal);
	open_interfaces(&analyst);
	confine(&analyst);
	if (!build(&analyst)) {
		log_err(config->log,
			"no memory for %zu peers and %zu flows a profile: give fewer with --peers "
			"and --flows",
			config->options->panel.peers, config->options->panel.flows);
		demolish(&analyst);
		return EXIT_FAILURE;
	}
	panel_touch(analyst.panel);
	merge_start(&analyst.merge, config->rings, config->ring_count);
	open_sockets(&analyst);
	witness_start(&analyst.witness, config->netstat);
	for (i = 0; i < config->ring_count; i++)
		analyst.missed_crash += ring_take_over(config->rings[i]);
	work(&analyst);
	demolish(&analyst);
	return EXIT_SUCCESS;
}
