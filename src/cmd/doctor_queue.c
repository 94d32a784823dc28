/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../os/command.h"
#include "../os/queues.h"
#include "doctor_look.h"

#define COMMAND_SECONDS 10
#define QUEUES_MOST	64

static const struct source {
	const char *program;
	bool nft, ipv6;
} sources[] = {
	{ "iptables-save", false, false },
	{ "ip6tables-save", false, true },
	{ "iptables-legacy-save", false, false },
	{ "ip6tables-legacy-save", false, true },
	{ "nft", true, false },
};

struct listing {
	struct ruleset *ruleset;
	const struct source *source;
};

static void take_line(void *context, const char *line)
{
	const struct listing *listing = context;

	if (listing->source->nft)
		ruleset_take_nft(listing->ruleset, line);
	else
		ruleset_take_iptables(listing->ruleset, line, listing->source->ipv6);
}

static bool find_program(const struct doctor *doctor, const char *name, char path[PATH_MAX])
{
	static const char *const places[] = { "/usr/sbin", "/sbin", "/usr/bin", "/bin",
					      "/usr/local/sbin" };
	size_t i;

	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(path, PATH_MAX, "%s%s/%s", doctor->config->root, places[i], name);
		if (access(path, X_OK) == 0)
			return true;
	}
	return false;
}

static void list_rules(struct doctor *doctor, const struct source *source, size_t *found)
{
	struct listing listing = { &doctor->ruleset, source };
	char path[PATH_MAX], list[] = "list", ruleset[] = "ruleset";
	char *const argv[] = { path, source->nft ? list : NULL, ruleset, NULL };

	if (!find_program(doctor, source->program, path))
		return;
	++*found;
	if (command_lines(argv, COMMAND_SECONDS, take_line, &listing) == 0)
		doctor->has_ruleset = true;
}

static void say_no_rules(struct doctor *doctor, size_t programs)
{
	if (programs == 0)
		doctor_say(doctor, DOCTOR_WARN, "rules", "install iptables or nftables",
			   "neither iptables-save nor nft is here: rules cannot be looked at, and "
			   "synpaws-rules cannot load any");
	else if (!doctor->has_ruleset) /* as old iptables-save does before its first rule */
		doctor_say(doctor, DOCTOR_INFO, "rules", "synpaws-rules load",
			   "neither iptables-save nor nft list anything: there is no rule, or they "
			   "cannot see it");
	else
		doctor_say(doctor, DOCTOR_INFO, "rules", "synpaws-rules load",
			   "no rule hands packets to an NFQUEUE, so synpaws would see none");
}

void doctor_look_at_rules(struct doctor *doctor)
{
	size_t i, programs = 0;

	if (!doctor->net_admin) {
		doctor_say(doctor, DOCTOR_INFO, "rules", "sudo synpaws doctor",
			   "not root: firewall rules cannot be looked at");
		return;
	}
	for (i = 0; i < sizeof(sources) / sizeof(sources[0]); i++)
		list_rules(doctor, &sources[i], &programs);
	if (doctor->ruleset.count == 0)
		say_no_rules(doctor, programs);
	if (doctor->ruleset.left_out > 0)
		doctor_say(doctor, DOCTOR_INFO, "rules", "",
			   "%u more NFQUEUE rules are not shown here", doctor->ruleset.left_out);
}

static bool is_listened_on(const struct queue_state *states, size_t count, unsigned int number)
{
	size_t i;

	for (i = 0; i < count && states[i].number != number; i++)
		continue;
	return i < count;
}

/* The first queue of a rule on which nobody listens; behind the last if all are listened on. */
static unsigned int first_deaf(const struct ruleset_queue *queue, const struct queue_state *states,
			       size_t count)
{
	unsigned int number = queue->first;

	while (number <= queue->last && is_listened_on(states, count, number))
		number++;
	return number;
}

static void say_fed(struct doctor *doctor, const struct ruleset_queue *queue,
		    const struct queue_state *states, size_t count)
{
	const unsigned int deaf = first_deaf(queue, states, count);
	const char *families = queue->ipv4 && queue->ipv6 ? "IPv4 and IPv6"
			       : queue->ipv6		  ? "IPv6 only"
							  : "IPv4 only";
	const bool one = queue->first == queue->last;
	char name[32], advice[96];

	snprintf(name, sizeof(name), one ? "queue %u" : "queues %u to %u", queue->first,
		 queue->last);
	snprintf(advice, sizeof(advice),
		 one ? "synpaws watch --profile %s --queue %u"
		     : "synpaws watch --profile %s --queue %u:%u",
		 doctor_advised_profile(doctor), queue->first, queue->last);
	if (deaf > queue->last && queue->bypass)
		doctor_say(doctor, DOCTOR_OK, "rules", "", "%u rule(s) feed %s, %s, with bypass",
			   queue->rules, name, families);
	else if (deaf > queue->last)
		doctor_say(doctor, DOCTOR_WARN, "rules",
			   "synpaws-rules load makes rules with --queue-bypass",
			   "%u rule(s) feed %s, %s, without bypass: should its listener end, all "
			   "those packets are dropped",
			   queue->rules, name, families);
	else if (queue->bypass)
		doctor_say(doctor, DOCTOR_WARN, "rules", advice,
			   "%u rule(s) feed %s, %s, with bypass, but nobody listens on queue %u: "
			   "packets pass it by",
			   queue->rules, name, families, deaf);
	else
		doctor_say(
			doctor, DOCTOR_BAD, "rules", advice,
			"%u rule(s) feed %s, %s, without bypass, and nobody listens on queue %u: "
			"those packets are dropped",
			queue->rules, name, families, deaf);
}

static bool is_fed(const struct ruleset *ruleset, unsigned int number)
{
	size_t i;

	for (i = 0; i < ruleset->count; i++) {
		if (ruleset->queues[i].first <= number && number <= ruleset->queues[i].last)
			return true;
	}
	return ruleset->left_out > 0;
}

static void say_listener(struct doctor *doctor, const struct queue_state *state)
{
	struct queue_owner owner;
	char who[96];

	if (queue_owner(doctor->config->root, state->owner, &owner))
		snprintf(who, sizeof(who), "%s (process %d)", owner.name, (int)owner.pid);
	else
		snprintf(who, sizeof(who),
			 "a process not to be seen from here (port id %" PRIu32 ")", state->owner);
	if (state->queue_dropped > 0 || state->socket_dropped > 0)
		doctor_say(doctor, DOCTOR_WARN, "queue",
			   "spread the load: synpaws-rules load --queue 0:3, and synpaws watch "
			   "--queue 0:3",
			   "queue %u: %s listens, %" PRIu32 " packets wait; the kernel has dropped "
			   "%" PRIu32 " at the full queue and %" PRIu32 " at the full socket",
			   state->number, who, state->waiting, state->queue_dropped,
			   state->socket_dropped);
	else if (doctor->has_ruleset && !is_fed(&doctor->ruleset, state->number))
		doctor_say(doctor, DOCTOR_WARN, "queue", "synpaws-rules load, if it is for synpaws",
			   "queue %u: %s listens, but no rule feeds it", state->number, who);
	else
		doctor_say(doctor, DOCTOR_OK, "queue", "",
			   "queue %u: %s listens, %" PRIu32 " packets wait, none was dropped",
			   state->number, who, state->waiting);
}

void doctor_look_at_queues(struct doctor *doctor)
{
	struct queue_state states[QUEUES_MOST];
	const int got = queues_read(doctor->config->root, states, QUEUES_MOST);
	const size_t count = got > 0 ? (size_t)got : 0;
	size_t i;

	if (got < 0 && errno != ENOENT) {
		doctor_say(doctor, DOCTOR_INFO, "queue", "sudo synpaws doctor",
			   "who listens on queues cannot be seen: %s", strerror(errno));
		return;
	}
	for (i = 0; i < doctor->ruleset.count; i++)
		say_fed(doctor, &doctor->ruleset.queues[i], states, count);
	for (i = 0; i < count; i++)
		say_listener(doctor, &states[i]);
	if (count == 0)
		doctor_say(doctor, DOCTOR_INFO, "queue", "", "nobody listens on any queue");
}
