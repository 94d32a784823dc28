/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "../os/clock.h"
#include "html.h"
#include "html_parts.h"

/* A decision's first words, up to its colon, are the headline if they are no longer than this. */
#define HEADLINE_MOST 60

static const char *tone(const struct report *r)
{
	switch (r->decision) {
	case REPORT_HURTS:
		return "bad";
	case REPORT_NONE_SEEN:
		return "good";
	case REPORT_TOO_LITTLE:
	case REPORT_DECISIONS:
		break;
	}
	return "warn";
}

static void put_head(FILE *out)
{
	size_t i;

	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
	      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none';"
	      "style-src 'unsafe-inline';script-src 'unsafe-inline'\">\n"
	      "<title>synpaws report</title>\n<style>\n",
	      out);
	for (i = 0; html_style[i] != NULL; i++)
		fputs(html_style[i], out);
	fputs("</style>\n</head>\n<body>\n<main>\n", out);
}

static void put_top(const struct report *r, FILE *out)
{
	struct format f = { .next = 0 };

	fputs("<p class=\"top\"><span><b>synpaws</b> report for ", out);
	html_text(r->kernels, out);
	fputs(" (profile ", out);
	html_text(r->profile, out);
	fputs("), evidence ", out);
	html_text(r->evidence, out);
	fputs("</span>", out);
	if (r->first_ns > 0)
		fprintf(out, "<span>%s to %s UTC</span>", format_date(r->first_ns, format_in(&f)),
			format_date(r->last_ns, format_in(&f)));
	fputs("</p>\n", out);
}

static void put_decision(const struct report *r, FILE *out)
{
	const char *colon = strstr(r->sentence, ": ");
	char headline[HEADLINE_MOST + 1], rest[sizeof(r->sentence)];

	if (colon == NULL || colon - r->sentence > HEADLINE_MOST) {
		fputs("<h1>", out);
		html_text(r->sentence, out);
		fputs("</h1>\n", out);
		return;
	}
	snprintf(headline, sizeof(headline), "%.*s", (int)(colon - r->sentence), r->sentence);
	snprintf(rest, sizeof(rest), "%s", colon + 2);
	if (rest[0] >= 'a' && rest[0] <= 'z')
		rest[0] = (char)(rest[0] - 'a' + 'A');
	fputs("<h1>", out);
	html_text(headline, out);
	fputs("</h1>\n<p class=\"lead\">", out);
	html_text(rest, out);
	fputs("</p>\n", out);
}

static void put_tile(bool hot, const char *number, const char *above, const char *below, FILE *out)
{
	fprintf(out, "<li%s><span>", hot ? " class=\"hot\"" : "");
	html_text(above, out);
	fputs("</span><b>", out);
	html_text(number, out);
	fputs("</b><span>", out);
	html_text(below, out);
	fputs("</span></li>\n", out);
}

static void put_felt_tiles(const struct report *r, FILE *out)
{
	const struct report_felt *felt = &r->felt[REPORT_CLASSIC];
	struct format f = { .next = 0 };
	char below[128];

	if (r->drop_connections == 0) {
		put_tile(false, "-", "Median delay", "nobody was refused", out);
		put_tile(false, "-", "Timed out", "nobody was refused", out);
		return;
	}
	put_tile(true,
		 format_duration((uint64_t)(felt->median * (double)NS_PER_SECOND), format_in(&f)),
		 "Median delay", "of the refused", out);
	snprintf(below, sizeof(below), "gave up after %u s, %s", felt->gives_up,
		 format_share(felt->timed_out, format_decided(felt), format_in(&f)));
	put_tile(felt->timed_out > 0, format_count(felt->timed_out, format_in(&f)), "Timed out",
		 below, out);
}

static void put_tiles(const struct report *r, FILE *out)
{
	struct format f = { .next = 0 };
	char below[128];

	fputs("<ul class=\"tiles\">\n", out);
	snprintf(below, sizeof(below), "%s of %s", format_count(r->drop_connections, format_in(&f)),
		 format_count(r->connections, format_in(&f)));
	put_tile(r->drop_connections > 0,
		 format_share(r->drop_connections, r->connections, format_in(&f)),
		 "Connections refused", below, out);
	snprintf(below, sizeof(below), "of %s", format_count(r->source_count, format_in(&f)));
	put_tile(r->sources_hit > 0, format_count(r->sources_hit, format_in(&f)), "Sources hit",
		 below, out);
	put_felt_tiles(r, out);
	snprintf(below, sizeof(below), "of packets; %s SYNs", format_count(r->syns, format_in(&f)));
	put_tile(false, r->syns > 0 ? format_percent(r->coverage.percent, format_in(&f)) : "-",
		 "Looked at", below, out);
	fputs("</ul>\n", out);
}

static void put_unseen(const struct report *r, FILE *out)
{
	size_t i;

	if (r->unseen == NULL || r->unseen[0] == NULL)
		return;
	html_open("unseen", "What was not seen", NULL, out);
	fputs("<ul class=\"unseen\">\n", out);
	for (i = 0; r->unseen[i] != NULL; i++) {
		fputs("<li>", out);
		html_text(r->unseen[i], out);
		fputs("</li>\n", out);
	}
	fputs("</ul>\n", out);
	html_close(out);
}

static void put_advice(const struct report *r, FILE *out)
{
	size_t i;

	if (r->advice_count == 0)
		return;
	html_open("advice", "What to do", NULL, out);
	fputs("<ol class=\"advice\">\n", out);
	for (i = 0; i < r->advice_count; i++) {
		fputs("<li><code>", out);
		html_text(r->advice[i].what, out);
		fputs("</code><p><span>Why:</span> ", out);
		html_text(r->advice[i].why, out);
		fputs("</p><p><span>Side effect:</span> ", out);
		html_text(r->advice[i].side_effect, out);
		fputs("</p></li>\n", out);
	}
	fputs("</ol>\n", out);
	html_close(out);
}

static void put_foot(FILE *out)
{
	fputs("<footer>Written by synpaws " SYNPAWS_VERSION ". All times are UTC. A SYN counts as "
	      "refused, or dropped, where a kernel with net.ipv4.tcp_tw_recycle=1 gives no answer; "
	      "synpaws itself accepts every packet.</footer>\n</main>\n<script>\n",
	      out);
	fputs(html_script, out);
	fputs("\n</script>\n</body>\n</html>\n", out);
}

bool report_html(const struct report *report, FILE *out)
{
	put_head(out);
	fprintf(out, "<div class=\"hero %s\">\n", tone(report));
	put_top(report, out);
	put_decision(report, out);
	put_tiles(report, out);
	fputs("</div>\n", out);
	put_unseen(report, out);
	put_advice(report, out);
	html_felt(report, out);
	html_timeline(report, out);
	html_sources(report, out);
	html_clocks(report, out);
	html_services(report, out);
	html_variants(report, out);
	html_coverage(report, out);
	put_foot(out);
	return format_done(out);
}
