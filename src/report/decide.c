/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../os/clock.h"
#include "decide.h"
#include "format.h"

/* Less than this says nothing about what was not seen. */
#define ENOUGH_CONNECTIONS 1000
#define ENOUGH_SOURCES	   10
#define ENOUGH_SECONDS	   3600
#define ENOUGH_PERCENT	   95.0
#define DAY_SECONDS	   86400

struct causes {
	uint64_t drops[CLOCKS_WHYS]; /* refused connections of the sources shown */
};

/* In seconds. */
static double watched(const struct report *report)
{
	return (double)report->watched_ns / (double)NS_PER_SECOND;
}

static bool is_estimate(const struct report *report)
{
	return strcmp(report->evidence, "syn") == 0;
}

/* Evidence that ought to show the hosts' side does not. */
static bool is_one_sided(const struct report *report)
{
	return !is_estimate(report) && report->syns > 0 && report->coverage.answers == 0;
}

/* Stamps are written when connections end: at least every fourth has to be seen to do so. */
static bool sees_ends(const struct report *report)
{
	return is_estimate(report) || report->coverage.ends >= report->connections / 4;
}

/* One in so many answers may rest on something that was not seen. */
#define DOUBTFUL 50

static bool is_sound(const struct report *report)
{
	const struct report_coverage *coverage = &report->coverage;

	return coverage->percent >= ENOUGH_PERCENT && coverage->capture_errors == 0 &&
	       (coverage->guesses + coverage->contradicted + coverage->evicted) * DOUBTFUL <=
		       report->syns;
}

static bool is_enough(const struct report *report)
{
	return report->connections >= ENOUGH_CONNECTIONS &&
	       report->source_count >= ENOUGH_SOURCES && watched(report) >= ENOUGH_SECONDS &&
	       is_sound(report) && !is_one_sided(report) && sees_ends(report);
}

static enum report_decision decision_of(const struct report *report)
{
	if (report->drop_connections > 0)
		return REPORT_HURTS;
	return is_enough(report) ? REPORT_NONE_SEEN : REPORT_TOO_LITTLE;
}

static void __attribute__((format(printf, 3, 4)))
append(char *text, size_t size, const char *format, ...)
{
	const size_t length = strlen(text);
	va_list list;

	va_start(list, format);
	vsnprintf(text + length, size - length, format, list);
	va_end(list);
}

/* "41 of 1,310 sources" */
static void append_sources(struct report *report)
{
	struct format f = { .next = 0 };

	append(report->sentence, sizeof(report->sentence), "%s of %s source%s",
	       format_count(report->sources_hit, format_in(&f)),
	       format_count(report->source_count, format_in(&f)),
	       report->source_count == 1 ? "" : "s");
}

static void say_hurts(struct report *report)
{
	const struct report_felt *felt = &report->felt[REPORT_CLASSIC];
	struct format f = { .next = 0 };

	append(report->sentence, sizeof(report->sentence), "%s: %s%s of connections from ",
	       report->checking ? "Switch tcp_tw_recycle off" : "Do not enable tcp_tw_recycle",
	       is_estimate(report) ? "up to " : "",
	       format_share(report->drop_connections, report->connections, format_in(&f)));
	append_sources(report);
	append(report->sentence, sizeof(report->sentence), " %s refused",
	       report->checking ? "were" : "would have been");
	if (felt->median >= felt->gives_up)
		append(report->sentence, sizeof(report->sentence),
		       ", most of them until the client gave up after %s",
		       format_duration(felt->gives_up * NS_PER_SECOND, format_in(&f)));
	else if (felt->median > 0)
		append(report->sentence, sizeof(report->sentence), ", for %s in the median",
		       format_duration((uint64_t)(felt->median * 1e9), format_in(&f)));
}

static void say_none(struct report *report)
{
	struct format f = { .next = 0 };

	append(report->sentence, sizeof(report->sentence),
	       "%s: of %s connection%s from %s source%s "
	       "none %s refused",
	       report->decision == REPORT_TOO_LITTLE ? "Too little was seen to decide"
	       : report->checking		     ? "tcp_tw_recycle is on and hurt nobody seen"
				  : "Nobody seen would be hurt by tcp_tw_recycle",
	       format_count(report->connections, format_in(&f)),
	       report->connections == 1 ? "" : "s",
	       format_count(report->source_count, format_in(&f)),
	       report->source_count == 1 ? "" : "s", report->checking ? "was" : "would have been");
}

static void say_confidence(struct report *report)
{
	struct format f = { .next = 0 };

	if (report->coverage.offered == 0) {
		append(report->sentence, sizeof(report->sentence), "; nothing was there to watch.");
		return;
	}
	append(report->sentence, sizeof(report->sentence),
	       "; watched %s, evidence %s, saw %s of packets%s.",
	       format_duration(report->watched_ns, format_in(&f)), report->evidence,
	       format_percent(report->coverage.percent, format_in(&f)),
	       report->coverage.capture_errors > 0 ? " up to where captures could not be read"
						   : "");
}

static void __attribute__((format(printf, 2, 3)))
add_unseen(struct decide *decide, const char *format, ...)
{
	va_list list;
	size_t i = 0;

	while (decide->unseen[i] != NULL)
		i++;
	if (i == DECIDE_UNSEEN)
		return;
	va_start(list, format);
	vsnprintf(decide->texts[i], sizeof(decide->texts[i]), format, list);
	va_end(list);
	decide->unseen[i] = decide->texts[i];
}

static void list_thin(struct decide *decide, const struct report *report)
{
	struct format f = { .next = 0 };

	if (report->connections < ENOUGH_CONNECTIONS)
		add_unseen(decide,
			   "Few connections were seen (%s): a thousand is the least to go by.",
			   format_count(report->connections, format_in(&f)));
	if (report->source_count < ENOUGH_SOURCES)
		add_unseen(decide, "Few source addresses were seen (%s).",
			   format_count(report->source_count, format_in(&f)));
	if (watched(report) < DAY_SECONDS)
		add_unseen(
			decide,
			"Only %s was watched: what comes at other hours, at weekends or by timer "
			"is not in it.",
			format_duration(report->watched_ns, format_in(&f)));
}

static void list_unseen(struct decide *decide, const struct report *report)
{
	const struct report_coverage *coverage = &report->coverage;
	struct format f = { .next = 0 };

	if (report->syns == 0 && coverage->offered > 0)
		add_unseen(decide, "None of %s packets was a SYN to one of the servers (--host).",
			   format_count(coverage->offered, format_in(&f)));
	list_thin(decide, report);
	if (coverage->restarts > 0)
		add_unseen(decide, "The analyst was restarted %s times: this is since the last.",
			   format_count(coverage->restarts, format_in(&f)));
	if (!is_one_sided(report) && !sees_ends(report))
		add_unseen(decide, "Few connections were seen to end, and that is when a kernel "
				   "remembers: capture all segments, or use --evidence syn.");
	if (report->felt[REPORT_CLASSIC].left_out > 0)
		add_unseen(decide,
			   "Of %s refused connections no retries were followed: too many at "
			   "a time.",
			   format_count(report->felt[REPORT_CLASSIC].left_out, format_in(&f)));
	if (is_estimate(report))
		add_unseen(decide, "Evidence syn is an estimate: it takes every connection for one "
				   "that the server closes first, and errs towards too many.");
	if (is_one_sided(report))
		add_unseen(decide,
			   "No segment of a server was seen: capture both directions, or use "
			   "--evidence syn. What a kernel would remember is not known.");
	if (coverage->missed > 0)
		add_unseen(decide, "%s of %s packets were missed or cut short.",
			   format_count(coverage->missed, format_in(&f)),
			   format_count(coverage->offered, format_in(&f)));
	if (coverage->evicted > 0)
		add_unseen(decide,
			   "%s stamps or connections were forgotten for want of room: give "
			   "more with --peers and --flows.",
			   format_count(coverage->evicted, format_in(&f)));
	if (coverage->guesses > 0)
		add_unseen(decide, "%s answers rest on a guess.",
			   format_count(coverage->guesses, format_in(&f)));
	if (coverage->sources_left_out > 0)
		add_unseen(decide,
			   "%s sources were left out of the tables, those without drops first.",
			   format_count(coverage->sources_left_out, format_in(&f)));
	if (coverage->capture_errors > 0)
		add_unseen(decide, "%s captures could not be read to the end.",
			   format_count(coverage->capture_errors, format_in(&f)));
	if (report->felt[REPORT_CLASSIC].open > 0)
		add_unseen(decide,
			   "The watch ended before %s refused connections had got through or "
			   "given up.",
			   format_count(report->felt[REPORT_CLASSIC].open, format_in(&f)));
}

static struct causes causes_of(const struct report *report)
{
	struct causes causes = { { 0 } };
	size_t i;

	for (i = 0; i < report->sources_shown; i++)
		causes.drops[report->sources[i].verdict.why] += report->sources[i].drop_connections;
	return causes;
}

static void add_advice(struct decide *decide, struct report *report, const char *what,
		       const char *why, const char *side_effect)
{
	const size_t i = report->advice_count;

	if (i == DECIDE_ADVICE)
		return;
	decide->advice[i].what = what;
	snprintf(decide->why[i], sizeof(decide->why[i]), "%s", why);
	decide->advice[i].why = decide->why[i];
	decide->advice[i].side_effect = side_effect;
	report->advice_count++;
}

static void advise_hurt(struct decide *decide, struct report *report)
{
	const struct causes causes = causes_of(report);

	if (report->checking)
		add_advice(
			decide, report, "sysctl -w net.ipv4.tcp_tw_recycle=0",
			"the only cure for all causes; acts at once, and belongs into /etc/sysctl.conf",
			"TIME_WAIT sockets live a minute again: some 0.5 KB each, bounded by "
			"net.ipv4.tcp_max_tw_buckets");
	else
		add_advice(decide, report, "leave net.ipv4.tcp_tw_recycle at 0",
			   "a client behind a shared address cannot help itself",
			   "none; TIME_WAIT sockets cost some 0.5 KB each for a minute");
	add_advice(decide, report, "sysctl -w net.ipv4.tcp_tw_reuse=1",
		   "if too many TIME_WAIT sockets block connections that the server itself opens",
		   "only for outgoing connections; needs timestamps; harms nobody behind a NAT");
	if (causes.drops[CLOCKS_RANDOM] > 0)
		add_advice(
			decide, report, "sysctl -w net.ipv4.tcp_timestamps=2 on Linux clients",
			"some sources use a new random timestamp offset for each connection: for "
			"machines of yours that cannot wait",
			"their uptime can be read from their packets");
	if (causes.drops[CLOCKS_SEVERAL] > 0)
		add_advice(decide, report, "more addresses for the NAT, one for each client",
			   "several machines share one address; only if that NAT is yours and the "
			   "sysctl cannot be changed",
			   "uses up addresses");
	if (causes.drops[CLOCKS_NO_TIMESTAMPS] > 0)
		add_advice(decide, report, "do not strip TCP options on the way",
			   "SYNs without timestamps were refused; a firewall or an accelerator may "
			   "have removed them",
			   "none");
}

static void advise(struct decide *decide, struct report *report)
{
	report->advice = decide->advice;
	switch (report->decision) {
	case REPORT_HURTS:
		advise_hurt(decide, report);
		break;
	case REPORT_NONE_SEEN:
		add_advice(decide, report, "leave net.ipv4.tcp_tw_recycle at 0 all the same",
			   "one phone in a new NAT is enough, and Linux 4.12 and later has no such "
			   "sysctl",
			   "none");
		break;
	case REPORT_TOO_LITTLE:
		add_advice(decide, report, "watch for a day, with --evidence close or answer",
			   "what was seen so far does not carry a decision", "none");
		break;
	case REPORT_DECISIONS:
		break;
	}
}

void decide(struct decide *decide, struct report *report)
{
	memset(decide, 0, sizeof(*decide));
	report->decision = decision_of(report);
	report->sentence[0] = '\0';
	if (report->decision == REPORT_HURTS)
		say_hurts(report);
	else
		say_none(report);
	say_confidence(report);
	list_unseen(decide, report);
	report->unseen = decide->unseen;
	report->advice_count = 0;
	advise(decide, report);
}
