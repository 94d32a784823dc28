/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "../os/clock.h"
#include "../sink/compare.h"
#include "../sink/drop.h"
#include "../sink/each.h"
#include "../sink/facts.h"
#include "panel_inner.h"

#define LINE_MOST 4000

/* Much less than a client waits before its SYN comes again. */
#define RUN_NS 1000000ULL

static bool is_json(const struct panel *panel)
{
	return panel->config.options->sink == LOG_SINK_JSON;
}

static void write_line(const struct panel *panel, int priority, const char *line)
{
	panel->config.write(panel->config.context, priority, line);
}

static void write_drop(void *context, const struct drop *drop)
{
	const struct view *view = context;
	const struct panel *panel = view->panel;
	char line[LINE_MOST];
	const size_t length =
		is_json(panel)
			? drop_json(drop, view->profile, panel->evidence, line, sizeof(line))
			: drop_text(drop, view->profile, panel->evidence, line, sizeof(line));

	write_line(panel, LOG_WARNING, length > 0 ? line : NULL);
}

static void write_each(const struct view *view, const struct synpaws_segment *syn,
		       const struct synpaws_outcome *outcome)
{
	char line[EACH_MOST];

	each_line(syn, outcome, view->profile, view->panel->evidence, line);
	write_line(view->panel, LOG_INFO, line);
}

/* The second of an outcome that comes late is the SYN's, unless the clock has been read since. */
static uint64_t second_of(const struct panel *panel, uint64_t order_ns)
{
	const uint64_t second = order_ns / NS_PER_SECOND;

	return second > panel->now ? second : panel->now;
}

/* Which lines tell of the outcome; NULL if none do. */
static struct fold *fold_for(const struct view *view, const struct synpaws_outcome *outcome)
{
	if (outcome->fate == SYNPAWS_FATE_PAWS_DROP)
		return view->fold;
	if (outcome->contradicted && outcome->predicted == SYNPAWS_FATE_PAWS_DROP)
		return view->contradictions;
	return NULL;
}

static void take_outcome(void *context, const struct synpaws_segment *syn,
			 const struct synpaws_outcome *outcome)
{
	struct view *view = context;
	struct panel *panel = view->panel;
	const uint32_t now = (uint32_t)second_of(panel, syn->order_ns);
	struct fold *fold;
	struct drop drop;

	tally_outcome(view->tally, syn, outcome, now);
	if (panel->config.collect != NULL && view == &panel->views[0] &&
	    outcome->fate != SYNPAWS_FATE_NONE)
		collect_outcome(panel->config.collect, syn, outcome);
	if (panel->config.each) {
		write_each(view, syn, outcome);
		return;
	}
	fold = fold_for(view, outcome);
	if (fold == NULL || panel->config.quiet)
		return;
	drop.seg = *syn;
	drop.outcome = *outcome;
	drop.folded = 0;
	drop.interface[0] = '\0';
	if (panel->config.interface != NULL)
		panel->config.interface(panel->config.context, syn->ifindex, drop.interface);
	fold_drop(fold, &drop, now);
}

void panel_tell_ports(struct synpaws_mirror *mirror, const struct panel_options *options)
{
	size_t i;
	uint32_t port;

	for (i = 0; i < options->port_count; i++) {
		const struct panel_ports *ports = &options->ports[i];

		for (port = ports->first; port <= ports->last; port++)
			synpaws_mirror_tell(mirror, (uint16_t)port, ports->fact, true,
					    ports->seconds, SYNPAWS_SOURCE_TOLD);
	}
}

static bool open_view(struct panel *panel, struct view *view, const struct synpaws_profile *profile)
{
	const struct panel_options *options = panel->config.options;
	struct synpaws_mirror_config mirror = {
		.profile = profile,
		.evidence = options->evidence,
		.peers = options->peers,
		.flows = options->flows,
		.hosts = options->hosts,
		.host_count = options->host_count,
		.sysctls = panel->config.sysctls.values,
		.emit = take_outcome,
		.context = view,
	};
	struct fold_config fold = {
		.period = options->fold_seconds,
		.rate = options->log_rate,
		.emit = write_drop,
		.context = view,
	};

	memcpy(mirror.hash_key, panel->config.hash_key, sizeof(mirror.hash_key));
	memcpy(fold.hash_key, panel->config.hash_key, sizeof(fold.hash_key));
	view->panel = panel;
	view->profile = profile->name;
	view->mirror = synpaws_mirror_new(&mirror);
	view->tally = tally_new(panel->config.hash_key);
	view->fold = fold_new(&fold);
	view->contradictions = fold_new(&fold);
	if (view->mirror == NULL || view->tally == NULL || view->fold == NULL ||
	    view->contradictions == NULL)
		return false;
	panel_tell_ports(view->mirror, options);
	return true;
}

struct panel *panel_new(const struct panel_config *config)
{
	struct panel *panel = calloc(1, sizeof(*panel));
	size_t i;

	if (panel == NULL)
		return NULL;
	panel->config = *config;
	panel->evidence = synpaws_evidence_name(config->options->evidence);
	for (i = 0; i < config->options->profile_count; i++) {
		panel->count++;
		if (!open_view(panel, &panel->views[i], config->options->profiles[i])) {
			panel_free(panel);
			errno = ENOMEM;
			return NULL;
		}
	}
	return panel;
}

void panel_free(struct panel *panel)
{
	size_t i;

	if (panel == NULL)
		return;
	for (i = 0; i < panel->count; i++) {
		synpaws_mirror_free(panel->views[i].mirror);
		tally_free(panel->views[i].tally);
		fold_free(panel->views[i].fold);
		fold_free(panel->views[i].contradictions);
	}
	free(panel);
}

void panel_touch(struct panel *panel)
{
	size_t i;

	for (i = 0; i < panel->count; i++)
		synpaws_mirror_touch(panel->views[i].mirror);
	if (panel->config.collect != NULL)
		collect_touch(panel->config.collect);
}

void panel_decode(struct panel *panel, enum synpaws_decode result, uint64_t count)
{
	size_t i;

	for (i = 0; i < panel->count; i++)
		tally_decode(panel->views[i].tally, result, count);
}

/* The lines of sources whose time is up, once in each second. */
static void tick(struct panel *panel, uint64_t order_ns)
{
	const uint64_t now = second_of(panel, order_ns);
	size_t i;

	if (now == panel->now)
		return;
	panel->now = now;
	for (i = 0; i < panel->count; i++) {
		fold_tick(panel->views[i].fold, (uint32_t)now);
		fold_tick(panel->views[i].contradictions, (uint32_t)now);
	}
}

static void advance_collect(const struct panel *panel, uint64_t order_ns)
{
	if (panel->config.collect != NULL)
		collect_advance(panel->config.collect, order_ns, panel->views[0].mirror);
}

/* How many are so close in time that nothing falls due between them. */
static size_t run_length(const struct panel *panel, const struct synpaws_segment *segs,
			 size_t count)
{
	const uint64_t first = segs->order_ns;
	const uint64_t due =
		panel->config.collect != NULL ? collect_due(panel->config.collect) : UINT64_MAX;
	uint64_t end = (first / NS_PER_SECOND + 1) * NS_PER_SECOND;
	size_t n;

	if (panel->config.each && panel->count > 1)
		return 1; /* the profiles' lines of one SYN stand together */
	if (second_of(panel, first) != panel->now)
		return 1; /* lines whose time is up come before the next segment's */
	if (end > first + RUN_NS)
		end = first + RUN_NS;
	if (end > due)
		end = due;
	for (n = 1; n < count; n++) {
		if (segs[n].order_ns < first || segs[n].order_ns >= end)
			break;
	}
	return n;
}

void panel_take(struct panel *panel, const struct synpaws_segment *segs, size_t count)
{
	size_t i, n;

	for (; count > 0; count -= n, segs += n) {
		advance_collect(panel, segs->order_ns);
		n = run_length(panel, segs, count);
		for (i = 0; i < panel->count; i++)
			synpaws_mirror_take_batch(panel->views[i].mirror, segs, n);
		tick(panel, segs->order_ns);
	}
}

void panel_advance(struct panel *panel, uint64_t order_ns)
{
	size_t i;

	advance_collect(panel, order_ns);
	for (i = 0; i < panel->count; i++)
		synpaws_mirror_advance(panel->views[i].mirror, order_ns);
	tick(panel, order_ns);
}

void panel_flush(struct panel *panel)
{
	size_t i;

	for (i = 0; i < panel->count; i++) {
		synpaws_mirror_flush(panel->views[i].mirror);
		fold_flush(panel->views[i].fold, (uint32_t)panel->now);
		fold_flush(panel->views[i].contradictions, (uint32_t)panel->now);
	}
}

void panel_tell(struct panel *panel, uint16_t port, enum synpaws_fact fact, bool is_true,
		enum synpaws_source source)
{
	size_t i;

	for (i = 0; i < panel->count; i++)
		synpaws_mirror_tell(panel->views[i].mirror, port, fact, is_true, SYNPAWS_NEVER,
				    source);
}

void panel_saw_socket(struct panel *panel, uint16_t port, bool orphan)
{
	size_t i;

	for (i = 0; i < panel->count; i++)
		synpaws_mirror_saw_socket(panel->views[i].mirror, port, orphan);
}

static void write_summary(const struct view *view, const struct tally_context *common)
{
	const struct panel *panel = view->panel;
	struct tally_context context = *common;
	char summary[LINE_MOST], missed[LINE_MOST];

	context.profile = view->profile;
	context.evidence = panel->evidence;
	context.lines_suppressed = fold_suppressed(view->fold);
	synpaws_mirror_stats(view->mirror, &context.mirror);
	if (is_json(panel)) {
		const size_t length = tally_json(view->tally, &context, summary, sizeof(summary));

		write_line(panel, LOG_NOTICE, length > 0 ? summary : NULL);
		return;
	}
	tally_summary(view->tally, &context, summary, missed, sizeof(summary));
	write_line(panel, LOG_NOTICE, summary);
	write_line(panel, LOG_NOTICE, missed);
}

static void write_comparison(const struct panel *panel)
{
	struct compare_row rows[PANEL_PROFILES_MOST];
	char line[LINE_MOST];
	size_t i, length;

	for (i = 0; i < panel->count; i++) {
		rows[i].profile = panel->views[i].profile;
		rows[i].drop_syns = tally_drop_syns(panel->views[i].tally);
		rows[i].drop_connections = tally_drop_connections(panel->views[i].tally);
	}
	length = is_json(panel) ? compare_json(rows, panel->count, line, sizeof(line))
				: compare_text(rows, panel->count, line, sizeof(line));
	write_line(panel, LOG_NOTICE, length > 0 ? line : NULL);
}

static void write_facts(const struct view *view)
{
	const struct panel *panel = view->panel;
	struct facts facts = { .profile = view->profile, .sysctls = &panel->config.sysctls };
	char line[LINE_MOST];

	facts_collect(&facts, view->mirror);
	if (is_json(panel)) {
		write_line(panel, LOG_NOTICE,
			   facts_json(&facts, line, sizeof(line)) > 0 ? line : NULL);
		return;
	}
	facts_text(&facts, line, sizeof(line));
	write_line(panel, LOG_NOTICE, line);
}

void panel_summarise(struct panel *panel, const struct tally_context *common)
{
	size_t i;

	for (i = 0; i < panel->count; i++)
		write_summary(&panel->views[i], common);
	if (panel->count > 1)
		write_comparison(panel);
	for (i = 0; i < panel->count; i++)
		write_facts(&panel->views[i]);
}

/* What a mirror has counted since it was loaded, as far as a report goes by it. */
static void stats_since(const struct view *view, struct synpaws_mirror_stats *stats)
{
	const struct synpaws_mirror_stats *before = &view->loaded;

	synpaws_mirror_stats(view->mirror, stats);
	stats->answers -= before->answers;
	stats->ends -= before->ends;
	stats->evicted -= before->evicted;
	stats->flows_evicted -= before->flows_evicted;
	stats->guesses -= before->guesses;
	stats->contradicted -= before->contradicted;
}

const struct report *panel_report(struct panel *panel, const struct tally_context *common,
				  const struct panel_span *span,
				  const struct report_variant *variants, size_t variant_count)
{
	struct view *view = &panel->views[0];
	struct tally_context tally = *common;
	const struct collect_context context = {
		.profile = panel->config.options->profiles[0],
		.evidence = panel->config.options->evidence,
		.tally = &tally,
		.unread = tally_unread(view->tally) - view->loaded_unread,
		.first_ns = span->first_ns,
		.last_ns = span->last_ns,
		.watched_ns = span->watched_ns,
		.variants = variants,
		.variant_count = variant_count,
	};

	stats_since(view, &tally.mirror);
	return collect_report(panel->config.collect, &context);
}

void panel_warn(const struct panel *panel)
{
	const struct panel_options *options = panel->config.options;
	const uint64_t unread = tally_unread(panel->views[0].tally);
	struct synpaws_mirror_stats stats;

	synpaws_mirror_stats(panel->views[0].mirror, &stats);
	if (unread > 0)
		fprintf(stderr,
			"synpaws: %" PRIu64 " packets were cut short and could not be judged: "
			"capture whole headers, tcpdump -s 200 or more\n",
			unread);
	if (stats.syns == 0)
		fprintf(stderr, "synpaws: no SYN to %s was seen: nothing can be said\n",
			options->host_count > 0 ? "a --host" : "anybody");
	else if (stats.answers == 0 && options->evidence != SYNPAWS_EVIDENCE_SYN)
		fprintf(stderr, "synpaws: nothing that the hosts sent was seen: capture both "
				"directions, or give --evidence syn\n");
}

/* The view of the profile of that name, or the first if there is none, or NULL. */
static const struct view *view_of(const struct panel *panel, const char *profile)
{
	size_t i;

	for (i = 0; profile != NULL && i < panel->count; i++) {
		if (strcmp(panel->views[i].profile, profile) == 0)
			return &panel->views[i];
	}
	return &panel->views[0];
}

uint64_t panel_drop_syns(const struct panel *panel, const char *profile)
{
	const struct view *view = view_of(panel, profile);

	return tally_drop_syns(view->tally) - view->loaded_drops;
}

void panel_ask(const struct panel *panel, const char *profile, const struct synpaws_segment *syn,
	       struct synpaws_outcome *outcome)
{
	synpaws_mirror_ask(view_of(panel, profile)->mirror, syn, outcome);
}
