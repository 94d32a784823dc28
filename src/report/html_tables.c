/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "../os/clock.h"
#include "html_parts.h"

#define SERVICES_SHOWN 20

/* The longest bar; what is not known is no longer than that. */
static uint64_t most_felt(const struct report_felt *felt)
{
	uint64_t most = felt->timed_out > felt->open ? felt->timed_out : felt->open;
	size_t i;

	for (i = 0; i < felt->retries; i++) {
		if (felt->connections[i] > most)
			most = felt->connections[i];
	}
	return most;
}

static void put_felt_row(const char *class, const char *label, uint64_t part,
			 const struct report_felt *felt, FILE *out)
{
	const uint64_t most = most_felt(felt);
	struct format f = { .next = 0 };

	fprintf(out,
		"<p%s%s%s><span>%s</span><span class=\"track\"><i style=\"width:%.1f%%\"></i></span><b>%s "
		"<small>%s</small></b></p>\n",
		class != NULL ? " class=\"" : "", class != NULL ? class : "",
		class != NULL ? "\"" : "", label,
		most > 0 ? 100.0 * (double)part / (double)most : 0,
		format_count(part, format_in(&f)),
		strcmp(label, "not known") == 0
			? ""
			: format_share(part, format_decided(felt), format_in(&f)));
}

static void put_felt(const char *name, const struct report_felt *felt, FILE *out)
{
	char label[64];
	size_t i;

	fprintf(out, "<div class=\"half\"><h3>%s <span class=\"median\">median %s</span></h3>\n",
		name, format_duration((uint64_t)(felt->median * (double)NS_PER_SECOND), label));
	for (i = 0; i < felt->retries; i++) {
		snprintf(label, sizeof(label), "after %u s", felt->at[i]);
		put_felt_row(NULL, label, felt->connections[i], felt, out);
	}
	snprintf(label, sizeof(label), "gave up, %u s", felt->gives_up);
	put_felt_row("lost", label, felt->timed_out, felt, out);
	if (felt->open > 0)
		put_felt_row("open", "not known", felt->open, felt, out);
	fputs("</div>\n", out);
}

void html_felt(const struct report *r, FILE *out)
{
	if (r->drop_connections == 0)
		return;
	html_open(
		"felt", r->checking ? "What people felt" : "What people would have felt",
		"No answer and no error: the client sends its SYN again, and waits. When the refused "
		"connections came through, by how the client's system repeats a SYN. Not known is "
		"what was still open at the end.",
		out);
	fputs("<div class=\"felt\">\n", out);
	put_felt("Linux up to 6.4, most other systems", &r->felt[REPORT_CLASSIC], out);
	put_felt("Linux 6.5 and later", &r->felt[REPORT_LINEAR], out);
	fputs("</div>\n", out);
	html_close(out);
}

static void put_why(const struct report_source *s, FILE *out)
{
	const struct clocks_verdict *v = &s->verdict;
	struct format f = { .next = 0 };

	fputs("<td class=\"l\" data-l=\"Why\"><div>", out);
	html_text(clocks_why_text(v->why), out);
	fputs("<small>", out);
	if (!v->sure)
		fputs("not sure ", out);
	if (v->machines > 1)
		fprintf(out, "at least %zu machines ", v->machines);
	if (s->no_timestamp > 0)
		fprintf(out, "%s SYNs without timestamp ",
			format_count(s->no_timestamp, format_in(&f)));
	if (s->guesses > 0)
		fprintf(out, "%s drops are guesses", format_count(s->guesses, format_in(&f)));
	fputs("</small></div></td>", out);
}

static void put_source(const struct report_source *s, bool dated, FILE *out)
{
	struct format f = { .next = 0 };
	char text[160];

	fputs("<tr><td class=\"mono\" data-l=\"Source\">", out);
	html_text(format_address(s->ip_version, s->address, format_in(&f)), out);
	fputs("</td>", out);
	put_why(s, out);
	html_cell("Connections", format_count(s->connections, format_in(&f)), out);
	snprintf(text, sizeof(text), "%s (%s)", format_count(s->drop_connections, format_in(&f)),
		 format_share(s->drop_connections, s->connections, format_in(&f)));
	html_bar_cell("Refused", text, s->drop_connections, s->connections, out);
	snprintf(text, sizeof(text), "%s of %s", format_count(s->drop_syns, format_in(&f)),
		 format_count(s->syns, format_in(&f)));
	html_cell("SYNs dropped", text, out);
	html_cell("Longest lock-out",
		  s->longest_ns > 0 ? format_duration(s->longest_ns, format_in(&f)) : "-", out);
	fprintf(out, "<td data-l=\"First and last drop\"><span>%s",
		format_clock(s->first_drop_ns, dated, format_in(&f)));
	if (s->first_drop_ns > 0)
		fprintf(out, " <br>to %s", format_clock(s->last_drop_ns, dated, format_in(&f)));
	fputs("</span></td></tr>\n", out);
}

void html_sources(const struct report *r, FILE *out)
{
	const bool dated = format_dated(r->first_ns, r->last_ns);
	size_t i;

	if (r->sources_shown == 0)
		return;
	html_open(
		"sources", r->sources_hit > 0 ? "Worst sources" : "Sources",
		"The longest lock-out is the longest run of drops with less than a minute between them.",
		out);
	fputs("<div class=\"scroll\"><table class=\"cards\"><thead><tr><th>Source</th>"
	      "<th class=\"l\">Why</th><th>Connections</th><th>Refused</th><th>SYNs dropped</th>"
	      "<th>Longest<br>lock-out</th><th>First and<br>last drop</th></tr></thead>"
	      "<tbody>\n",
	      out);
	for (i = 0; i < r->sources_shown; i++)
		put_source(&r->sources[i], dated, out);
	fputs("</tbody></table></div>\n", out);
	html_close(out);
}

void html_services(const struct report *r, FILE *out)
{
	const size_t shown = r->service_count < SERVICES_SHOWN ? r->service_count : SERVICES_SHOWN;
	char note[64] = "";
	size_t i;

	if (shown == 0)
		return;
	if (r->service_count > shown)
		snprintf(note, sizeof(note), "The worst %zu of %zu.", shown, r->service_count);
	html_open("servers", "Servers and ports", note[0] != '\0' ? note : NULL, out);
	fputs("<div class=\"scroll\"><table class=\"cards\"><thead><tr><th>Server</th>"
	      "<th>Connections</th><th>Refused</th><th>SYNs</th><th>SYNs dropped</th></tr></thead>"
	      "<tbody>\n",
	      out);
	for (i = 0; i < shown; i++) {
		const struct report_service *s = &r->services[i];
		struct format f = { .next = 0 };
		char text[160];

		fputs("<tr><td class=\"mono\" data-l=\"Server\">", out);
		html_text(format_endpoint(s->ip_version, s->address, s->port, format_in(&f)), out);
		fputs("</td>", out);
		html_cell("Connections", format_count(s->connections, format_in(&f)), out);
		snprintf(text, sizeof(text), "%s (%s)",
			 format_count(s->drop_connections, format_in(&f)),
			 format_share(s->drop_connections, s->connections, format_in(&f)));
		html_bar_cell("Refused", text, s->drop_connections, s->connections, out);
		html_cell("SYNs", format_count(s->syns, format_in(&f)), out);
		html_cell("SYNs dropped", format_count(s->drop_syns, format_in(&f)), out);
		fputs("</tr>\n", out);
	}
	fputs("</tbody></table></div>\n", out);
	html_close(out);
}

static uint64_t most_refused(const struct report *r)
{
	uint64_t most = 0;
	size_t i;

	for (i = 0; i < r->variant_count; i++) {
		if (r->variants[i].drop_connections > most)
			most = r->variants[i].drop_connections;
	}
	return most;
}

void html_variants(const struct report *r, FILE *out)
{
	const uint64_t most = most_refused(r);
	size_t i;

	if (r->variant_count == 0)
		return;
	html_open("what-if", "What if", "The same traffic, with one thing changed.", out);
	fputs("<div class=\"scroll\"><table class=\"cards\"><thead><tr><th>Change</th>"
	      "<th class=\"l\">That is</th><th>Refused</th><th>SYNs dropped</th>"
	      "<th>Sources hit</th></tr></thead><tbody>\n",
	      out);
	for (i = 0; i < r->variant_count; i++) {
		const struct report_variant *v = &r->variants[i];
		struct format f = { .next = 0 };
		char text[160];

		fprintf(out, "<tr%s><td class=\"mono\" data-l=\"Change\">",
			i == 0 ? " class=\"now\"" : "");
		html_text(v->name, out);
		fputs("</td><td class=\"l\" data-l=\"That is\">", out);
		html_text(v->note, out);
		fputs("</td>", out);
		snprintf(text, sizeof(text), "%s (%s)",
			 format_count(v->drop_connections, format_in(&f)),
			 format_share(v->drop_connections, v->connections, format_in(&f)));
		html_bar_cell("Refused", text, v->drop_connections, most, out);
		html_cell("SYNs dropped", format_count(v->drop_syns, format_in(&f)), out);
		html_cell("Sources hit", format_count(v->sources_hit, format_in(&f)), out);
		fputs("</tr>\n", out);
	}
	fputs("</tbody></table></div>\n", out);
	html_close(out);
}

static void put_fact(const char *name, const char *value, FILE *out)
{
	fputs("<div><dt>", out);
	html_text(name, out);
	fputs("</dt><dd>", out);
	html_text(value, out);
	fputs("</dd></div>\n", out);
}

static void put_no_timestamp(const struct report *r, FILE *out)
{
	struct format f = { .next = 0 };
	char text[160];

	snprintf(text, sizeof(text), r->no_timestamp > 0 ? "%s (%s)" : "%s",
		 format_count(r->no_timestamp, format_in(&f)),
		 format_share(r->no_timestamp, r->syns, format_in(&f)));
	put_fact("SYNs without timestamp", text, out);
}

void html_coverage(const struct report *r, FILE *out)
{
	const struct report_coverage *c = &r->coverage;
	const struct {
		const char *name;
		uint64_t count;
	} rows[] = {
		{ "Packets that came", c->offered },
		{ "Of these missed, or cut short", c->missed },
		{ "Segments of servers among them", c->answers },
		{ "Forgotten for want of room", c->evicted },
		{ "Sources left out for want of room", c->sources_left_out },
		{ "Answers that rest on a guess", c->guesses },
		{ "Answers that the server contradicts", c->contradicted },
		{ "Captures not read to the end", c->capture_errors },
	};
	struct format f = { .next = 0 };
	size_t i;

	html_open(
		"coverage", "What the answer rests on",
		"SYNs without timestamp are dropped too by RHEL 7 and by Linux 3.17 to 4.11, while "
		"they remember the source; others never drop them.",
		out);
	fputs("<dl>\n", out);
	put_fact("packets that were looked at",
		 r->syns > 0 ? format_percent(c->percent, format_in(&f)) : "-", out);
	put_no_timestamp(r, out);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		put_fact(rows[i].name, format_count(rows[i].count, format_in(&f)), out);
	fputs("</dl>\n", out);
	html_close(out);
}
