/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../os/filter.h"
#include "announce.h"

void announce_lacking(struct log *log, const char *role, bool receiver)
{
	static const char *const filters[] = {
		[FILTER_LACKS_LIBRARY] = "built without libseccomp",
		[FILTER_LACKS_KERNEL] = "this kernel has no seccomp filters (Linux 3.5)",
	};
	const bool root = receiver && geteuid() == 0 && !sandbox_can_keep_net_admin();
	const enum filter_lack lack = filter_lack();
	const bool open = lack == FILTER_LACKS_LIBRARY || lack == FILTER_LACKS_KERNEL;

	if (root || open)
		log_warnx(log, "%s%s%s%s%s%s",
			  root ? "built without libcap-ng: the receiver goes on as root" : "",
			  root && open ? "; " : "", open ? filters[lack] : "", open ? ": " : "",
			  open ? role : "",
			  open ? " may make any system call that needs no privilege" : "");
	if (lack == FILTER_LACKS_SANITIZER)
		log_debug(log, "built with a sanitizer: no filters of system calls");
}

void announce_process(struct log *log, const char *role)
{
	char text[160];

	sandbox_describe(text, sizeof(text));
	log_debug(log, "%s: %s", role, text);
}

void announce_missing(struct log *log, const struct watch_options *options,
		      const struct nfqueue *queue)
{
	const unsigned int missing = NFQUEUE_ALL_FEATURES & ~nfqueue_features(queue);

	if (missing & NFQUEUE_FAIL_OPEN)
		log_warnx(log, "without fail-open (Linux 3.6): SYNs that find a queue full "
			       "are dropped, and stopping may cost a few");
	if (missing & NFQUEUE_BATCH_VERDICT)
		log_warnx(log, "without batch verdicts (Linux 3.1): packets are accepted "
			       "one by one");
	if (missing & NFQUEUE_GSO)
		log_info(log, "without the GSO flag (Linux 3.10): the kernel splits large "
			      "packets before it queues them");
	if (missing & NFQUEUE_RECVMMSG)
		log_info(log, "without recvmmsg (Linux 2.6.33): packets are received one by one");
	if (nfqueue_buffer(queue) + 1 < options->buffer) /* it comes in twos */
		log_warnx(log,
			  "the socket buffer is %zu bytes instead of %zu: raise "
			  "net.core.rmem_max or run with CAP_NET_ADMIN",
			  nfqueue_buffer(queue), options->buffer);
	announce_lacking(log, "the analyst", true);
	if (geteuid() != 0)
		log_warnx(log, "started without root: the analyst keeps this user and its "
			       "root directory");
	if (log_disconnected(log))
		log_warnx(log,
			  "nobody listens on /dev/log for datagrams: lines are lost and counted "
			  "until a syslog daemon does; --log stdout needs none");
}

void announce_ready(struct log *log, const struct watch_options *options)
{
	const struct panel_options *panel = &options->panel;
	char queues[32], profiles[160], flows[48] = "";

	if (options->queue_count == 1)
		snprintf(queues, sizeof(queues), "queue %u", options->first_queue);
	else
		snprintf(queues, sizeof(queues), "queues %u to %u", options->first_queue,
			 options->first_queue + (unsigned int)options->queue_count - 1);
	if (panel->profile_count == 1)
		snprintf(profiles, sizeof(profiles), "profile %s (%s)", panel->profiles[0]->name,
			 panel->profiles[0]->kernels);
	else
		panel_options_names(panel, profiles + sprintf(profiles, "profiles "),
				    sizeof(profiles) - strlen("profiles "));
	if (panel->evidence != SYNPAWS_EVIDENCE_SYN)
		snprintf(flows, sizeof(flows), " and %zu connections", panel->flows);
	log_info(log,
		 "watching %s: %s, evidence %s%s, room for %zu peers%s; every packet is accepted",
		 queues, profiles, synpaws_evidence_name(panel->evidence),
		 panel->evidence == SYNPAWS_EVIDENCE_SYN ? " (an estimate)" : "", panel->peers,
		 flows);
}

void announce_queues(struct log *log, struct nfqueue *const *queues, size_t count)
{
	unsigned int feature;
	size_t i;

	for (i = 0; i < count; i++) {
		const struct nfqueue *queue = queues[i];

		for (feature = 1; nfqueue_feature_name(feature) != NULL; feature <<= 1)
			log_debug(log, "queue %u: %s %s", nfqueue_number(queue),
				  nfqueue_features(queue) & feature ? "with" : "without",
				  nfqueue_feature_name(feature));
		log_debug(log, "queue %u: %zu bytes of socket buffer", nfqueue_number(queue),
			  nfqueue_buffer(queue));
	}
}

void announce_interfaces(struct log *log, const struct watch_options *options)
{
	static const char *const shown[SYNPAWS_EVIDENCE_KINDS] = { "SYNs", "SYNs, FINs and RSTs",
								   "TCP without data", "all TCP" };
	const struct panel_options *panel = &options->panel;
	char names[CAPTURE_LIVE_MOST * (IFNAMSIZ + 2)] = "", profiles[160], flows[48] = "";
	size_t i, length = 0;

	for (i = 0; i < options->interface_count; i++)
		length += (size_t)snprintf(names + length, sizeof(names) - length, "%s%s",
					   i > 0 ? ", " : "", options->interfaces[i]);
	panel_options_names(panel, profiles, sizeof(profiles));
	if (panel->evidence != SYNPAWS_EVIDENCE_SYN)
		snprintf(flows, sizeof(flows), " and %zu connections", panel->flows);
	if (log_disconnected(log))
		log_warnx(log, "nobody listens on /dev/log for datagrams: lines are lost "
			       "and counted; --log stdout needs none");
	log_info(log,
		 "watching %s: %s, profile%s %s, evidence %s%s, room for %zu peers%s; packets are "
		 "copied, none is held",
		 names, shown[panel->evidence], panel->profile_count > 1 ? "s" : "", profiles,
		 synpaws_evidence_name(panel->evidence),
		 panel->evidence == SYNPAWS_EVIDENCE_SYN ? " (an estimate)" : "", panel->peers,
		 flows);
}
