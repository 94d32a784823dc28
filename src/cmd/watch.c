/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../os/atomic.h"
#include "../os/clock.h"
#include "../os/control.h"
#include "../os/filter.h"
#include "../os/keeper.h"
#include "../os/random.h"
#include "../os/replace.h"
#include "../os/sandbox.h"
#include "../source/receiver.h"
#include "analyst.h"
#include "announce.h"
#include "options.h"
#include "report_server.h"
#include "signals.h"
#include "sniff.h"
#include "watch.h"
#include "witness.h"

/* At 350,000 SYNs a second the analyst may be away for 46 ms. */
#define RING_SLOTS 16384

#define TICK_MS		 1000
#define FAREWELL_MS	 5000 /* for the analyst to finish and summarise */
#define FAREWELL_STEP_MS 10

struct daemon {
	struct watch_options options;
	struct analyst_config analyst;
	struct log *log;
	struct nfqueue *queues[OPTIONS_QUEUES_MOST];
	struct receiver *receivers[OPTIONS_QUEUES_MOST];
	int control; /* to the analyst */
	int status;  /* of the queues, in /proc */
	struct replace state;
	pid_t keeper;	 /* 0 once it has been reaped */
	int last_status; /* of it, as waitpid() has it */
	bool running;	 /* the receivers are at work */
};

static bool connect_log(struct daemon *daemon)
{
	const int fd = log_connect();

	if (fd >= 0)
		log_set_socket(daemon->log, fd);
	return fd >= 0;
}

/* In the keeper, while it may still do things. */
static int prepare_analyst(void *context)
{
	const struct daemon *daemon = context;
	int kept[LOG_DESCRIPTORS + 4];
	size_t i;

	for (i = 0; i < daemon->analyst.ring_count; i++) {
		if (ring_restrict(daemon->analyst.rings[i]) < 0) {
			log_warn(daemon->log, "cannot make the ring read-only");
			return -1;
		}
	}
	log_descriptors(daemon->log, kept);
	kept[LOG_DESCRIPTORS] = daemon->analyst.control;
	kept[LOG_DESCRIPTORS + 1] = daemon->analyst.listener;
	kept[LOG_DESCRIPTORS + 2] = daemon->analyst.netstat;
	kept[LOG_DESCRIPTORS + 3] = daemon->analyst.state.fd;
	sandbox_close_but(kept, sizeof(kept) / sizeof(kept[0]));
	return 0;
}

static void describe_keeper(void *context)
{
	const struct daemon *daemon = context;

	announce_process(daemon->log, "keeper");
}

static int run_analyst(void *context, uint64_t restarts, int last_signal)
{
	struct daemon *daemon = context;

	return analyst_run(&daemon->analyst, restarts, last_signal);
}

/* Before a queue is open, since packets wait in it for all that comes after. */
static bool make_rings(struct daemon *daemon)
{
	struct analyst_config *analyst = &daemon->analyst;

	for (; analyst->ring_count < daemon->options.queue_count; analyst->ring_count++) {
		analyst->rings[analyst->ring_count] = ring_new(RING_SLOTS);
		if (analyst->rings[analyst->ring_count] == NULL) {
			log_warn(daemon->log, "cannot make a ring for a queue");
			return false;
		}
	}
	return true;
}

static bool start_analyst(struct daemon *daemon)
{
	const struct keeper_child child = {
		.user = daemon->options.analyst,
		.owner = daemon->options.user,
		.prepare = prepare_analyst,
		.describe = describe_keeper,
		.run = run_analyst,
		.context = daemon,
	};
	struct analyst_config *analyst = &daemon->analyst;
	int fds[2];

	analyst->options = &daemon->options;
	analyst->sysctls = daemon->options.panel.sysctls;
	if (!daemon->options.panel.gateway)
		sysctls_read(&analyst->sysctls, SYSCTLS_DIRECTORY);
	analyst->netstat = daemon->options.panel.gateway ? -1 : witness_open();
	analyst->listener = report_server_listen(daemon->options.socket, daemon->log);
	analyst->log = daemon->log;
	analyst->started = clock_ns(CLOCK_MONOTONIC) / NS_PER_SECOND;
	if (!random_key(analyst->hash_key) || control_pair(fds) < 0) {
		log_warn(daemon->log, "cannot set up the analyst");
		return false;
	}
	daemon->control = fds[0];
	analyst->control = fds[1];
	daemon->keeper = keeper_start(&child);
	close(fds[1]);
	if (analyst->state.fd >= 0)
		close(analyst->state.fd);
	if (analyst->netstat >= 0)
		close(analyst->netstat);
	if (analyst->listener >= 0)
		close(analyst->listener);
	if (daemon->keeper < 0) {
		log_warn(daemon->log, "cannot start the analyst");
		daemon->keeper = 0;
		return false;
	}
	return true;
}

/* Where the state is kept, and what is there, while root may look. */
static bool open_state(struct daemon *daemon)
{
	struct analyst_config *analyst = &daemon->analyst;
	char why[512] = "";

	analyst->state.fd = -1;
	analyst->state.gateway = daemon->options.panel.gateway;
	if (daemon->options.state == NULL)
		return true;
	state_read_boot(&analyst->state);
	if (replace_open(&daemon->state, daemon->options.state, &daemon->options.user, why,
			 sizeof(why)))
		analyst->state.fd = replace_read(&daemon->state, why, sizeof(why));
	if (*why == '\0')
		return true;
	log_err(daemon->log, "--state %s: %s", daemon->options.state, why);
	return false;
}

static bool open_queues(struct daemon *daemon)
{
	struct nfqueue_config config = { .buffer = daemon->options.buffer,
					 .features = daemon->options.features };
	char why[256];
	size_t i;

	for (i = 0; i < daemon->options.queue_count; i++) {
		config.number = (uint16_t)(daemon->options.first_queue + i);
		daemon->queues[i] = nfqueue_open(&config, why, sizeof(why));
		if (daemon->queues[i] == NULL) {
			log_err(daemon->log, "%s", why);
			return false;
		}
	}
	daemon->status = nfqueue_status_open();
	return true;
}

static bool start_receivers(struct daemon *daemon)
{
	size_t i;

	for (i = 0; i < daemon->options.queue_count; i++) {
		daemon->receivers[i] =
			receiver_start(daemon->queues[i], daemon->analyst.rings[i],
				       daemon->options.pin ? (unsigned int)i : RECEIVER_ANYWHERE);
		if (daemon->receivers[i] == NULL) {
			log_warn(daemon->log, "cannot start a receiver");
			return false;
		}
	}
	return true;
}

/* The kernel's own counts, for the summary. */
static void read_status(const struct daemon *daemon)
{
	struct nfqueue_status status;
	struct ring_counters *counters;
	size_t i;

	for (i = 0; i < daemon->analyst.ring_count; i++) {
		if (daemon->status < 0 || daemon->queues[i] == NULL ||
		    !nfqueue_status_read(daemon->status, nfqueue_number(daemon->queues[i]),
					 &status))
			continue;
		counters = ring_counters_mutable(daemon->analyst.rings[i]);
		atomic_store(&counters->queue_dropped, status.queue_dropped);
		atomic_store(&counters->socket_dropped, status.socket_dropped);
	}
}

static void reap_keeper(struct daemon *daemon)
{
	if (daemon->keeper != 0 &&
	    waitpid(daemon->keeper, &daemon->last_status, WNOHANG) == daemon->keeper)
		daemon->keeper = 0;
}

/* True while all parts work. */
static bool healthy(struct daemon *daemon)
{
	size_t i;
	int error;

	reap_keeper(daemon);
	if (daemon->keeper == 0) {
		log_err(daemon->log, "the analyst has ended unasked: stopping");
		return false;
	}
	for (i = 0; i < daemon->options.queue_count; i++) {
		error = receiver_error(daemon->receivers[i]);
		if (error != 0) {
			log_err(daemon->log, "queue %u: %s: stopping",
				nfqueue_number(daemon->queues[i]), strerror(error));
			return false;
		}
	}
	return true;
}

/* The analyst cannot see /dev/log from where it is: it gets a socket from here. */
static void give_log(struct daemon *daemon)
{
	const int fd = log_connect();

	if (fd < 0)
		return;
	control_send(daemon->control, CONTROL_LOG, fd);
	close(fd);
}

static void reopen_log(struct daemon *daemon)
{
	if (log_sink(daemon->log) != LOG_SINK_SYSLOG)
		return;
	if (!connect_log(daemon)) {
		log_warn(daemon->log, "cannot open /dev/log again");
		return;
	}
	give_log(daemon);
	log_info(daemon->log, "opened the log again");
}

static void handle_events(struct daemon *daemon)
{
	int passed;

	/* One word a round, so that an analyst gone mad cannot keep us here. */
	if (control_receive(daemon->control, &passed) == CONTROL_LOG)
		give_log(daemon);
	if (passed >= 0)
		close(passed);
	if (log_disconnected(daemon->log))
		connect_log(daemon);
	if (signals_take(SIGNAL_HANGUP))
		reopen_log(daemon);
	if (signals_take(SIGNAL_SUMMARY)) {
		read_status(daemon);
		control_send(daemon->control, CONTROL_SUMMARY, -1);
	}
}

/* True if it was asked to end, false if something failed. */
static bool supervise(struct daemon *daemon, const sigset_t *open)
{
	const struct timespec tick = { TICK_MS / 1000, TICK_MS % 1000 * 1000000L };
	struct pollfd fd = { .fd = daemon->control, .events = POLLIN };

	while (!signals_came(SIGNAL_END)) {
		ppoll(&fd, 1, &tick, open);
		if (!healthy(daemon))
			return false;
		handle_events(daemon);
	}
	return true;
}

/* Ask the analyst to write down what it remembers, and to end. -1: it has no file to do so. */
static int ask_to_finish(struct daemon *daemon)
{
	int fd = -1;

	if (daemon->state.directory >= 0) {
		fd = replace_begin(&daemon->state);
		if (fd < 0)
			log_warn(daemon->log, "--state %s: cannot be written",
				 daemon->options.state);
	}
	control_send(daemon->control, CONTROL_FINISH, fd);
	return fd;
}

/* What it has written counts if it came to its end. */
static void keep_state(struct daemon *daemon, int fd)
{
	const bool ended = daemon->keeper == 0 && WIFEXITED(daemon->last_status) &&
			   WEXITSTATUS(daemon->last_status) == EXIT_SUCCESS;

	if (!ended || replace_commit(&daemon->state, fd) < 0) {
		if (ended)
			log_warn(daemon->log, "--state %s: cannot be replaced",
				 daemon->options.state);
		replace_abandon(&daemon->state);
	}
	close(fd);
}

static void await_analyst(struct daemon *daemon)
{
	const int state = ask_to_finish(daemon);
	int waited;

	for (waited = 0; daemon->keeper != 0 && waited < FAREWELL_MS; waited += FAREWELL_STEP_MS) {
		usleep(FAREWELL_STEP_MS * 1000);
		reap_keeper(daemon);
	}
	if (state >= 0)
		keep_state(daemon, state);
}

/* False if the analyst could not finish, so that there was no summary. */
static bool finish_analyst(struct daemon *daemon)
{
	if (daemon->running)
		await_analyst(daemon);
	if (daemon->keeper == 0)
		return true;
	if (daemon->running)
		log_err(daemon->log, "the analyst does not end: killing it, without a summary");
	kill(daemon->keeper, SIGKILL);
	waitpid(daemon->keeper, NULL, 0);
	daemon->keeper = 0;
	return !daemon->running;
}

/* A queue that was opened holds packets, even if the start failed before it had its receiver. */
static void drain_queue(struct daemon *daemon, size_t i)
{
	if (daemon->receivers[i] == NULL)
		daemon->receivers[i] = receiver_start(daemon->queues[i], daemon->analyst.rings[i],
						      RECEIVER_ANYWHERE);
	if (daemon->receivers[i] != NULL)
		receiver_stop(daemon->receivers[i], daemon->status);
}

/* False if there was no summary. */
static bool shut_down(struct daemon *daemon)
{
	size_t i;
	bool good;

	for (i = 0; i < daemon->options.queue_count && daemon->queues[i] != NULL; i++)
		drain_queue(daemon, i);
	read_status(daemon);
	for (i = 0; i < daemon->options.queue_count; i++) {
		if (daemon->queues[i] != NULL)
			nfqueue_close(daemon->queues[i]);
	}
	good = finish_analyst(daemon);
	for (i = 0; i < daemon->analyst.ring_count; i++)
		ring_free(daemon->analyst.rings[i]);
	if (daemon->control >= 0)
		close(daemon->control);
	if (daemon->status >= 0)
		close(daemon->status);
	replace_close(&daemon->state);
	log_free(daemon->log);
	return good;
}

/* Open all, drop privileges, then loop. */
static bool run(struct daemon *daemon)
{
	sigset_t open;
	bool good;

	signals_set_up(&open);
	if (!make_rings(daemon) || !open_queues(daemon) || !start_analyst(daemon))
		return false;
	announce_missing(daemon->log, &daemon->options, daemon->queues[0]);
	if (sandbox_keep_net_admin(&daemon->options.user) < 0) {
		log_warn(daemon->log, "cannot give up root");
		return false;
	}
	announce_process(daemon->log, "receiver");
	if (filter_enter(FILTER_RECEIVER) < 0)
		log_warn(daemon->log, "the receiver has no filter of system calls");
	if (!start_receivers(daemon))
		return false;
	daemon->running = true;
	announce_queues(daemon->log, daemon->queues, daemon->options.queue_count);
	announce_ready(daemon->log, &daemon->options);
	log_started(daemon->log);
	good = supervise(daemon, &open);
	log_info(daemon->log, "stopping: new packets bypass the queue, those in it are accepted");
	return good;
}

/* Nothing is read, and no socket may take the place of a stream that somebody closed. */
static void take_standard_streams(void)
{
	int fd;

	close(STDIN_FILENO);
	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int watch_main(int argc, char **argv)
{
	struct daemon daemon = { .control = -1, .status = -1, .state = { .directory = -1 } };
	char why[256];
	bool good;

	if (!options_parse(&daemon.options, argc, argv, why, sizeof(why))) {
		fprintf(stderr, "synpaws: %s\n", why);
		return EXIT_USAGE;
	}
	if (daemon.options.help) {
		options_help();
		return EXIT_SUCCESS;
	}
	if (daemon.options.check_only) {
		printf("configuration OK\n");
		return EXIT_SUCCESS;
	}
	sandbox_close_but(NULL, 0);
	take_standard_streams();
	daemon.log = log_new(daemon.options.panel.sink, daemon.options.facility);
	if (daemon.log == NULL) {
		fprintf(stderr, "synpaws: %s\n", strerror(errno));
		return EXIT_FAILURE;
	}
	log_set_debug(daemon.log, daemon.options.debug);
	if (daemon.options.panel.sink == LOG_SINK_SYSLOG)
		connect_log(&daemon);
	if (!open_state(&daemon)) {
		log_free(daemon.log);
		return EXIT_USAGE;
	}
	if (daemon.options.interface_count > 0) {
		good = sniff_run(&daemon.options, daemon.log, &daemon.analyst.state, &daemon.state);
		log_free(daemon.log);
		return good ? EXIT_SUCCESS : EXIT_FAILURE;
	}
	good = run(&daemon);
	good = shut_down(&daemon) && good;
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
