/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <string.h>

#include "../os/clock.h"
#include "format.h"
#include "report_json.h"

/* Raised when a field changes its meaning or goes away; new fields may come at any time. */
#define SCHEMA 1

/* A writer; `first` is true where no comma is due. */
struct writer {
	FILE *out;
	bool first;
};

/* The length of the UTF-8 character at `c`, 0 if there is none. */
static size_t utf8_length(const unsigned char *c)
{
	const size_t n = c[0] < 0x80   ? 1
			 : c[0] < 0xc2 ? 0
			 : c[0] < 0xe0 ? 2
			 : c[0] < 0xf0 ? 3
			 : c[0] < 0xf5 ? 4
				       : 0;
	size_t i;

	for (i = 1; i < n; i++) {
		if ((c[i] & 0xc0) != 0x80)
			return 0;
	}
	if ((c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xed && c[1] > 0x9f) ||
	    (c[0] == 0xf0 && c[1] < 0x90) || (c[0] == 0xf4 && c[1] > 0x8f))
		return 0;
	return n;
}

static void put_string(struct writer *w, const char *text)
{
	const unsigned char *c = (const unsigned char *)text;
	size_t n;

	if (text == NULL) {
		fputs("null", w->out);
		return;
	}
	fputc('"', w->out);
	while (*c != '\0') {
		n = utf8_length(c);
		if (n == 0)
			fputs("\\ufffd", w->out);
		else if (*c < 0x20 || *c == 0x7f)
			fprintf(w->out, "\\u%04x", *c);
		else if (*c == '"' || *c == '\\')
			fprintf(w->out, "\\%c", *c);
		else
			fwrite(c, 1, n, w->out);
		c += n > 0 ? n : 1;
	}
	fputc('"', w->out);
}

/* What comes next is a member of this name; NULL for an element of an array. */
static void put_name(struct writer *w, const char *name)
{
	if (!w->first)
		fputc(',', w->out);
	w->first = false;
	if (name != NULL)
		fprintf(w->out, "\"%s\":", name);
}

static void put_open(struct writer *w, const char *name, char bracket)
{
	put_name(w, name);
	fputc(bracket, w->out);
	w->first = true;
}

static void put_close(struct writer *w, char bracket)
{
	fputc(bracket, w->out);
	w->first = false;
}

static void put_text(struct writer *w, const char *name, const char *text)
{
	put_name(w, name);
	put_string(w, text);
}

static void put_count(struct writer *w, const char *name, uint64_t count)
{
	put_name(w, name);
	fprintf(w->out, "%" PRIu64, count);
}

static void put_real(struct writer *w, const char *name, double value)
{
	put_name(w, name);
	if (value - value == 0) /* JSON has no infinity */
		fprintf(w->out, "%.10g", value);
	else
		fputs("null", w->out);
}

static void put_bool(struct writer *w, const char *name, bool value)
{
	put_name(w, name);
	fputs(value ? "true" : "false", w->out);
}

static void put_time(struct writer *w, const char *name, uint64_t ns)
{
	char text[FORMAT_TIME];

	put_text(w, name, ns > 0 ? format_rfc3339(ns, text) : NULL);
}

static void put_seconds(struct writer *w, const char *name, uint64_t ns)
{
	put_real(w, name, (double)ns / (double)NS_PER_SECOND);
}

/* A hash says only "the same" or "not"; more bits than a JSON number holds. */
static void put_hash(struct writer *w, const char *name, uint64_t hash)
{
	char text[24];

	snprintf(text, sizeof(text), "%016" PRIx64, hash);
	put_text(w, name, text);
}

static void put_address(struct writer *w, uint8_t ip_version, const uint8_t address[16])
{
	char text[FORMAT_ADDRESS];

	put_text(w, "address", format_address(ip_version, address, text));
}

static void put_counts(struct writer *w, uint64_t syns, uint64_t connections, uint64_t drop_syns,
		       uint64_t drop_connections)
{
	put_count(w, "syns", syns);
	put_count(w, "connections", connections);
	put_count(w, "drop_syns", drop_syns);
	put_count(w, "drop_connections", drop_connections);
}

static const char *decision_name(enum report_decision decision)
{
	static const char *const names[REPORT_DECISIONS] = {
		[REPORT_TOO_LITTLE] = "too-little",
		[REPORT_NONE_SEEN] = "none-seen",
		[REPORT_HURTS] = "hurts",
	};

	return decision < REPORT_DECISIONS ? names[decision] : NULL;
}

static void put_head(struct writer *w, const struct report *r)
{
	size_t i;

	put_text(w, "event", "report");
	put_count(w, "schema", SCHEMA);
	put_text(w, "version", SYNPAWS_VERSION);
	put_text(w, "decision", decision_name(r->decision));
	put_bool(w, "checking", r->checking);
	put_text(w, "sentence", r->sentence);
	put_open(w, "unseen", '[');
	for (i = 0; r->unseen != NULL && r->unseen[i] != NULL; i++)
		put_text(w, NULL, r->unseen[i]);
	put_close(w, ']');
	put_text(w, "profile", r->profile);
	put_text(w, "kernels", r->kernels);
	put_text(w, "evidence", r->evidence);
	put_time(w, "first", r->first_ns);
	put_time(w, "last", r->last_ns);
	put_seconds(w, "watched_seconds", r->watched_ns);
	put_counts(w, r->syns, r->connections, r->drop_syns, r->drop_connections);
	put_count(w, "no_timestamp", r->no_timestamp);
	put_count(w, "sources", r->source_count);
	put_count(w, "sources_hit", r->sources_hit);
}

static void put_advice(struct writer *w, const struct report *r)
{
	size_t i;

	put_open(w, "advice", '[');
	for (i = 0; i < r->advice_count; i++) {
		put_open(w, NULL, '{');
		put_text(w, "what", r->advice[i].what);
		put_text(w, "why", r->advice[i].why);
		put_text(w, "side_effect", r->advice[i].side_effect);
		put_close(w, '}');
	}
	put_close(w, ']');
}

static void put_felt(struct writer *w, const char *name, const struct report_felt *felt)
{
	size_t i;

	put_open(w, name, '{');
	put_open(w, "retries", '[');
	for (i = 0; i < felt->retries; i++) {
		put_open(w, NULL, '{');
		put_count(w, "after_seconds", felt->at[i]);
		put_count(w, "connections", felt->connections[i]);
		put_close(w, '}');
	}
	put_close(w, ']');
	put_count(w, "timed_out", felt->timed_out);
	put_count(w, "gives_up_seconds", felt->gives_up);
	put_count(w, "open", felt->open);
	put_count(w, "left_out", felt->left_out);
	put_real(w, "median_seconds", felt->median);
	put_close(w, '}');
}

static void put_clock(struct writer *w, const struct clocks_clock *c)
{
	put_open(w, NULL, '{');
	put_real(w, "ticks_per_second", c->hz);
	put_bool(w, "measured", c->measured);
	put_count(w, "offset", c->offset);
	put_count(w, "samples", c->samples);
	put_count(w, "connections", c->connections);
	put_count(w, "dropped", c->dropped);
	put_time(w, "first", c->first_ns);
	put_time(w, "last", c->last_ns);
	put_close(w, '}');
}

/* `clock` is an index of the source's clocks, CLOCKS_NO_CLOCK for none. */
static void put_sample(struct writer *w, const struct clocks_sample *s, uint8_t clock)
{
	put_open(w, NULL, '{');
	put_time(w, "time", s->time_ns);
	put_hash(w, "connection", s->connection);
	put_hash(w, "host", s->host);
	put_count(w, "source_port", s->source_port);
	if (s->has_timestamp)
		put_count(w, "tsval", s->tsval);
	else
		put_text(w, "tsval", NULL);
	put_bool(w, "dropped", s->dropped);
	if (s->recorded) {
		put_count(w, "recorded_tsval", s->recorded_tsval);
		put_count(w, "recorded_at", s->recorded_at);
	} else {
		put_text(w, "recorded_tsval", NULL);
		put_text(w, "recorded_at", NULL);
	}
	if (clock != CLOCKS_NO_CLOCK)
		put_count(w, "clock", clock);
	else
		put_text(w, "clock", NULL);
	put_close(w, '}');
}

static void put_verdict(struct writer *w, const struct report_source *s)
{
	const struct clocks_verdict *v = &s->verdict;
	size_t i;

	put_text(w, "why", clocks_why_name(v->why));
	put_bool(w, "sure", v->sure);
	put_count(w, "machines", v->machines);
	put_open(w, "clocks", '[');
	for (i = 0; i < v->clock_count; i++)
		put_clock(w, &v->clocks[i]);
	put_close(w, ']');
	put_open(w, "samples", '[');
	for (i = 0; i < s->sample_count; i++)
		put_sample(w, &s->samples[i],
			   i < CLOCKS_SAMPLES ? v->clock_of[i] : CLOCKS_NO_CLOCK);
	put_close(w, ']');
	put_count(w, "samples_left_out", s->samples_left_out);
}

static void put_sources(struct writer *w, const struct report *r)
{
	size_t i;

	put_open(w, "worst_sources", '[');
	for (i = 0; i < r->sources_shown; i++) {
		const struct report_source *s = &r->sources[i];

		put_open(w, NULL, '{');
		put_address(w, s->ip_version, s->address);
		put_counts(w, s->syns, s->connections, s->drop_syns, s->drop_connections);
		put_count(w, "no_timestamp", s->no_timestamp);
		put_count(w, "guesses", s->guesses);
		put_seconds(w, "longest_seconds", s->longest_ns);
		put_time(w, "first", s->first_ns);
		put_time(w, "last", s->last_ns);
		put_time(w, "first_drop", s->first_drop_ns);
		put_time(w, "last_drop", s->last_drop_ns);
		put_verdict(w, s);
		put_close(w, '}');
	}
	put_close(w, ']');
}

static void put_services(struct writer *w, const struct report *r)
{
	size_t i;

	put_open(w, "services", '[');
	for (i = 0; i < r->service_count; i++) {
		const struct report_service *s = &r->services[i];

		put_open(w, NULL, '{');
		put_address(w, s->ip_version, s->address);
		put_count(w, "port", s->port);
		put_counts(w, s->syns, s->connections, s->drop_syns, s->drop_connections);
		put_close(w, '}');
	}
	put_close(w, ']');
}

static void put_minutes(struct writer *w, const struct report *r)
{
	size_t i;

	put_count(w, "minute_seconds", r->minute_seconds);
	if (r->worst_minute < r->minute_count)
		put_count(w, "worst_minute", r->worst_minute);
	else
		put_text(w, "worst_minute", NULL);
	put_open(w, "minutes", '[');
	for (i = 0; i < r->minute_count; i++) {
		put_open(w, NULL, '{');
		put_time(w, "start", r->minutes[i].start_ns);
		put_count(w, "syns", r->minutes[i].syns);
		put_count(w, "drop_syns", r->minutes[i].drop_syns);
		put_count(w, "drop_connections", r->minutes[i].drop_connections);
		put_close(w, '}');
	}
	put_close(w, ']');
}

static void put_variants(struct writer *w, const struct report *r)
{
	size_t i;

	put_open(w, "variants", '[');
	for (i = 0; i < r->variant_count; i++) {
		const struct report_variant *v = &r->variants[i];

		put_open(w, NULL, '{');
		put_text(w, "name", v->name);
		put_text(w, "note", v->note);
		put_count(w, "connections", v->connections);
		put_count(w, "drop_connections", v->drop_connections);
		put_count(w, "drop_syns", v->drop_syns);
		put_count(w, "sources_hit", v->sources_hit);
		put_close(w, '}');
	}
	put_close(w, ']');
}

static void put_coverage(struct writer *w, const struct report_coverage *c)
{
	put_open(w, "coverage", '{');
	put_real(w, "percent", c->percent);
	put_count(w, "offered", c->offered);
	put_count(w, "missed", c->missed);
	put_count(w, "answers", c->answers);
	put_count(w, "evicted", c->evicted);
	put_count(w, "guesses", c->guesses);
	put_count(w, "contradicted", c->contradicted);
	put_count(w, "sources_left_out", c->sources_left_out);
	put_count(w, "capture_errors", c->capture_errors);
	put_close(w, '}');
}

bool report_json(const struct report *report, FILE *out)
{
	struct writer w = { out, true };

	put_open(&w, NULL, '{');
	put_head(&w, report);
	put_coverage(&w, &report->coverage);
	put_advice(&w, report);
	put_open(&w, "felt", '{');
	put_felt(&w, "classic", &report->felt[REPORT_CLASSIC]);
	put_felt(&w, "linear", &report->felt[REPORT_LINEAR]);
	put_close(&w, '}');
	put_sources(&w, report);
	put_services(&w, report);
	put_minutes(&w, report);
	put_variants(&w, report);
	put_close(&w, '}');
	fputc('\n', out);
	return format_done(out);
}
