/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../os/clock.h"
#include "../os/filter.h"
#include "../os/random.h"
#include "../os/sandbox.h"
#include "../source/capture_live.h"
#include "../source/capture_own.h"
#include "../source/capture_twice.h"
#include "announce.h"
#include "log_door.h"
#include "own_sockets.h"
#include "panel.h"
#include "report_server.h"
#include "signals.h"
#include "sniff.h"
#include "state_door.h"
#include "witness.h"

/* Between two looks at the interfaces; the first is how many packets gather in one. */
#define PAUSE_USEC 2000
#define IDLE_MS	   20

/* After so many packets the clock and the signals get a look-in. */
#define PASS_MOST 4096

/* So long after a packet no other interface comes with an older one. */
#define MERGE_WAIT_NS 2000000ULL

/* A packet whose time is further off has a clock of its own, or ours was set. */
#define LATE_MOST_NS (10 * NS_PER_SECOND)

/* At the end what is left is taken, but not for ever. */
#define FAREWELL_PASSES 64

struct sniff {
	const struct watch_options *options;
	struct log *log;
	struct capture_live *live;
	struct panel_config config;
	struct panel *panel;
	struct state *state;
	struct capture_own *own;     /* addresses of this machine */
	bool own_are_hosts;	     /* options tell no others */
	struct capture_twice *twice; /* NULL with one interface */
	struct own_sockets *sockets; /* NULL where they are not asked */
	struct witness witness;
	struct report_server reports;
	int door;	  /* to a new socket for syslog; -1 if none is wanted */
	int state_door;	  /* to the file for the state; likewise */
	bool reopening;	  /* since somebody asked for it */
	uint64_t started; /* monotonic second */
	uint64_t last_second;
	uint64_t copies;	    /* seen on more than one interface */
	uint64_t wall_ns, order_ns; /* now */
	uint64_t last_order_ns;	    /* of a segment */
};

static void write_line(void *context, int priority, const char *line)
{
	const struct sniff *sniff = context;

	log_record(sniff->log, priority, line);
}

static void name_interface(void *context, uint32_t ifindex, char name[IF_NAMESIZE])
{
	(void)context;
	if (ifindex == 0 || if_indextoname(ifindex, name) == NULL)
		name[0] = '\0';
}

static struct tally_context stream_of(const void *context_of)
{
	const struct sniff *sniff = context_of;
	const struct capture_live_counters counters = capture_live_counters(sniff->live);
	const struct tally_context context = {
		.seconds = sniff->last_second - sniff->started,
		.offered = counters.frames - sniff->copies,
		.not_ip = counters.not_ip,
		.missed_socket = counters.missed,
		.socket_dropped = counters.interface_dropped,
		.lines_lost = log_lost(sniff->log),
	};

	return context;
}

/* With what the daemons before counted. */
static struct tally_context totals_of(const struct sniff *sniff)
{
	struct tally_context context = stream_of(sniff);

	tally_context_add(&context, &sniff->state->before);
	return context;
}

static void write_summary(const struct sniff *sniff)
{
	const struct tally_context context = totals_of(sniff);

	panel_summarise(sniff->panel, &context);
	witness_write(&sniff->witness, sniff->panel, sniff->options->panel.sink == LOG_SINK_JSON,
		      sniff->log);
}

/* The times of a packet, which libpcap gives by the wall clock, on all clocks. */
static void set_times(struct sniff *sniff, struct synpaws_segment *seg, uint64_t time_ns)
{
	const uint64_t age = time_ns < sniff->wall_ns ? sniff->wall_ns - time_ns : 0;
	uint64_t order_ns = sniff->order_ns - (age < LATE_MOST_NS ? age : 0);

	if (order_ns < sniff->last_order_ns)
		order_ns = sniff->last_order_ns;
	sniff->last_order_ns = order_ns;
	seg->time_ns = time_ns;
	seg->order_ns = order_ns;
	seg->second = (uint32_t)(time_ns / NS_PER_SECOND);
}

/*
 * Whether a packet comes in or goes out, by this machine's addresses, unless options tell the
 * hosts. False if it is none of this machine's, or, on "any", between two of its own programs: the
 * queue shows neither.
 */
static bool set_way(const struct sniff *sniff, struct synpaws_segment *seg, bool any)
{
	bool in, out;

	seg->way = SYNPAWS_WAY_ANY;
	if (!sniff->own_are_hosts)
		return true;
	in = capture_own_has(sniff->own, seg->ip_version, seg->destination);
	out = capture_own_has(sniff->own, seg->ip_version, seg->source);
	if (in != out)
		seg->way = in ? SYNPAWS_WAY_IN : SYNPAWS_WAY_OUT;
	return in != out || (in && !any);
}

static void take(struct sniff *sniff, const struct capture_live_packet *seen)
{
	const struct capture_packet *packet = &seen->packet;
	struct synpaws_segment seg;
	const enum synpaws_decode result = synpaws_segment_decode(
		&seg, packet->bytes, packet->captured, packet->length, SYNPAWS_CHECKSUM_PARTIAL_OK);

	if (result != SYNPAWS_DECODE_OK) {
		panel_decode(sniff->panel, result, 1);
		return;
	}
	set_times(sniff, &seg, packet->time_ns);
	if (sniff->twice != NULL &&
	    capture_twice_seen(sniff->twice, &seg, (uint64_t)seen->ifindex << 1 | seen->sent)) {
		sniff->copies++;
		return;
	}
	panel_decode(sniff->panel, result, 1);
	seg.ifindex = seen->ifindex;
	seg.forwarded = sniff->options->panel.gateway;
	if (set_way(sniff, &seg, seen->any))
		panel_take(sniff->panel, &seg, 1);
}

static void read_clocks(struct sniff *sniff)
{
	sniff->wall_ns = clock_ns(CLOCK_REALTIME);
	sniff->order_ns = clock_ns(CLOCK_MONOTONIC);
}

/* Take what has come, at most PASS_MOST packets. Returns how many. */
static size_t drain(struct sniff *sniff)
{
	struct capture_live_packet seen;
	size_t taken = 0;

	read_clocks(sniff);
	while (taken < PASS_MOST &&
	       capture_live_next(sniff->live, sniff->wall_ns - MERGE_WAIT_NS, &seen)) {
		take(sniff, &seen);
		taken++;
	}
	if (taken < PASS_MOST)
		panel_advance(sniff->panel, sniff->order_ns - MERGE_WAIT_NS);
	return taken;
}

static void tell_change(void *context, const char *name, enum capture_live_change change,
			const char *why)
{
	const struct sniff *sniff = context;

	switch (change) {
	case CAPTURE_LIVE_DOWN:
		log_warnx(sniff->log, "%s is down: nothing is seen there until it is up again",
			  name);
		break;
	case CAPTURE_LIVE_UP:
		log_info(sniff->log, "%s is up again", name);
		break;
	case CAPTURE_LIVE_GONE:
		log_err(sniff->log, "%s is gone (%s): %s", name, why,
			sniff->options->interface_count > 1 ? "what is left goes on" : "stopping");
		break;
	}
}

/* What was asked for has come by the next second, or is asked for again. */
static void look_after_log(struct sniff *sniff)
{
	if (sniff->door < 0)
		return;
	if (log_door_pass(sniff->door, sniff->log) && sniff->reopening) {
		sniff->reopening = false;
		log_info(sniff->log, "opened the log again");
	}
	if (sniff->reopening || log_disconnected(sniff->log))
		log_door_knock(sniff->door);
}

/* Once a second. False if no interface is left. */
static bool tick(struct sniff *sniff)
{
	const uint64_t now = sniff->order_ns / NS_PER_SECOND;

	if (now == sniff->last_second)
		return true;
	sniff->last_second = now;
	if (sniff->own_are_hosts)
		capture_own_refresh(sniff->own);
	if (sniff->sockets != NULL)
		own_sockets_look(sniff->sockets);
	look_after_log(sniff);
	report_server_serve(&sniff->reports);
	return capture_live_check(sniff->live, tell_change, sniff) > 0;
}

/* True if it was asked to end, false if no interface is left. */
static bool work(struct sniff *sniff, const sigset_t *open)
{
	bool seeing = true, busy;

	while (seeing && !signals_came(SIGNAL_END)) {
		busy = drain(sniff) == PASS_MOST;
		if (!busy)
			usleep(PAUSE_USEC);
		capture_live_wait(sniff->live, busy ? 0 : IDLE_MS, open);
		seeing = tick(sniff);
		if (signals_take(SIGNAL_SUMMARY))
			write_summary(sniff);
		if (signals_take(SIGNAL_HANGUP))
			sniff->reopening = sniff->door >= 0;
	}
	return seeing;
}

static void save(const struct sniff *sniff)
{
	const struct tally_context totals = totals_of(sniff);
	const int fd = sniff->state_door >= 0 ? state_door_begin(sniff->state_door) : -1;

	if (sniff->state_door < 0)
		return;
	if (fd < 0 || !state_save(sniff->state, fd, sniff->panel, &totals) ||
	    !state_door_finish(sniff->state_door))
		log_warnx(sniff->log, "--state %s: cannot be written", sniff->options->state);
	if (fd >= 0)
		close(fd);
}

static void finish(struct sniff *sniff)
{
	int passes = 0;

	usleep(MERGE_WAIT_NS / 1000);
	do
		capture_live_wait(sniff->live, 0, NULL);
	while (drain(sniff) == PASS_MOST && ++passes < FAREWELL_PASSES);
	capture_live_check(sniff->live, tell_change, sniff);
	sniff->last_second = sniff->order_ns / NS_PER_SECOND;
	panel_flush(sniff->panel);
	write_summary(sniff);
	save(sniff);
}

static enum capture_want wanted(enum synpaws_evidence evidence)
{
	switch (evidence) {
	case SYNPAWS_EVIDENCE_SYN:
		return CAPTURE_WANT_SYN;
	case SYNPAWS_EVIDENCE_CLOSE:
		return CAPTURE_WANT_CLOSE;
	case SYNPAWS_EVIDENCE_ANSWER:
		return CAPTURE_WANT_NO_DATA;
	case SYNPAWS_EVIDENCE_FULL:
	case SYNPAWS_EVIDENCE_KINDS:
		break;
	}
	return CAPTURE_WANT_ALL;
}

static bool open_live(struct sniff *sniff)
{
	const struct watch_options *options = sniff->options;
	const struct capture_live_config config = {
		.names = options->interfaces,
		.count = options->interface_count,
		.want = wanted(options->panel.evidence),
		.buffer = options->buffer,
		.promiscuous = options->panel.gateway,
	};
	char why[512];

	sniff->live = capture_live_open(&config, why, sizeof(why));
	if (sniff->live == NULL)
		log_err(sniff->log, "%s", why);
	return sniff->live != NULL;
}

/* True if packets pass more than one place that is watched. */
static bool sees_twice(const struct watch_options *options)
{
	return options->interface_count > 1 || strcmp(options->interfaces[0], "any") == 0;
}

static bool build(struct sniff *sniff)
{
	const struct panel_options *options = &sniff->options->panel;
	struct panel_config *config = &sniff->config;

	config->options = options;
	config->sysctls = options->sysctls;
	config->write = write_line;
	config->interface = name_interface;
	config->context = sniff;
	if (!options->gateway) {
		sysctls_read(&config->sysctls, SYSCTLS_DIRECTORY);
		witness_start(&sniff->witness, witness_open());
	}
	if (!random_key(config->hash_key)) {
		log_warn(sniff->log, "/dev/urandom");
		return false;
	}
	if (report_server_start(&sniff->reports,
				report_server_listen(sniff->options->socket, sniff->log),
				config->hash_key)) {
		config->collect = sniff->reports.collect;
		sniff->panel = panel_new(config);
	}
	sniff->reports.panel = sniff->panel;
	sniff->reports.stream = stream_of;
	sniff->reports.context = sniff;
	if (sees_twice(sniff->options))
		sniff->twice = capture_twice_new(config->hash_key);
	sniff->own = capture_own_new();
	sniff->own_are_hosts = !options->gateway && options->host_count == 0;
	if (sniff->panel != NULL && sniff->own != NULL &&
	    (sniff->twice != NULL || !sees_twice(sniff->options)))
		return true;
	log_err(sniff->log,
		"no memory for %zu peers and %zu flows a profile: give fewer with --peers and "
		"--flows",
		options->peers, options->flows);
	return false;
}

/* Settings and sockets of this machine say nothing about another. */
static void warn_of_others(const struct sniff *sniff)
{
	const struct panel_options *options = &sniff->options->panel;
	size_t i;

	if (sniff->own_are_hosts || options->gateway)
		return;
	for (i = 0; i < options->host_count; i++) {
		if (capture_own_within(sniff->own, &options->hosts[i]))
			return;
	}
	log_warnx(sniff->log,
		  "no --host is an address of this machine: give --gateway too, or this "
		  "machine's settings and sockets are taken for the hosts'");
}

/* Without privileges, since it reads what may have been written by one taken over. */
static bool go_on(struct sniff *sniff)
{
	char line[256];
	bool loaded;

	if (sniff->state->fd < 0)
		return true;
	loaded = state_load(sniff->state, sniff->panel, line, sizeof(line));
	close(sniff->state->fd);
	(loaded ? log_info : log_warnx)(sniff->log, "%s: %s", sniff->options->state, line);
	if (loaded)
		return true;
	panel_free(sniff->panel);
	sniff->reports.panel = sniff->panel = panel_new(&sniff->config);
	return sniff->panel != NULL;
}

/* Everything is open: from here on it can do nothing but read on. */
static bool give_up_privileges(struct sniff *sniff)
{
	const struct panel_options *options = &sniff->options->panel;

	if (geteuid() != 0)
		log_warnx(sniff->log, "started without root: it keeps this user and its root "
				      "directory");
	if (sandbox_enter(&sniff->options->analyst, &sniff->options->user) < 0 ||
	    sandbox_settle() < 0) {
		log_warn(sniff->log, "cannot give up root");
		return false;
	}
	announce_process(sniff->log, "reader");
	announce_lacking(sniff->log, "it", false);
	if (filter_enter(FILTER_SNIFF) < 0)
		log_warn(sniff->log, "it has no filter of system calls");
	if (capture_own_refresh(sniff->own) < 0 && sniff->own_are_hosts) {
		log_warn(sniff->log, "cannot read this machine's addresses: give them with --host");
		return false;
	}
	warn_of_others(sniff);
	if (!go_on(sniff)) {
		log_warn(sniff->log, "cannot start without the state");
		return false;
	}
	if (!options->gateway && options->evidence != SYNPAWS_EVIDENCE_SYN)
		sniff->sockets = own_sockets_new(sniff->panel, sniff->log);
	return true;
}

static void open_doors(struct sniff *sniff, struct replace *file)
{
	const struct sandbox_user *user = &sniff->options->user;

	if (log_sink(sniff->log) == LOG_SINK_SYSLOG) {
		sniff->door = log_door_open(user);
		if (sniff->door < 0)
			log_warn(sniff->log, "cannot look after /dev/log");
	}
	if (file->directory >= 0) {
		sniff->state_door = state_door_open(file, user);
		if (sniff->state_door < 0)
			log_warn(sniff->log, "cannot look after the state");
	}
	replace_close(file);
}

static bool run(struct sniff *sniff, struct replace *file)
{
	sigset_t open;
	bool good;

	signals_set_up(&open);
	open_doors(sniff, file);
	if (!build(sniff) || !open_live(sniff) || !give_up_privileges(sniff))
		return false;
	read_clocks(sniff);
	sniff->started = sniff->order_ns / NS_PER_SECOND;
	sniff->last_second = sniff->started;
	announce_interfaces(sniff->log, sniff->options);
	log_started(sniff->log);
	good = work(sniff, &open);
	finish(sniff);
	return good;
}

bool sniff_run(const struct watch_options *options, struct log *log, struct state *state,
	       struct replace *file)
{
	struct sniff sniff = { .options = options,
			       .log = log,
			       .state = state,
			       .door = -1,
			       .state_door = -1,
			       .witness = { .netstat = -1 } };
	const bool good = run(&sniff, file);

	if (sniff.state_door >= 0)
		close(sniff.state_door);
	if (sniff.door >= 0)
		close(sniff.door);
	if (sniff.witness.netstat >= 0)
		close(sniff.witness.netstat);
	report_server_stop(&sniff.reports);
	own_sockets_free(sniff.sockets);
	panel_free(sniff.panel);
	capture_live_close(sniff.live);
	capture_twice_free(sniff.twice);
	capture_own_free(sniff.own);
	return good;
}
