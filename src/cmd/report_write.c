/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "../report/html.h"
#include "../report/plot.h"
#include "../report/report_json.h"
#include "../report/text.h"
#include "report_write.h"

static const char *const names[] = {
	[REPORT_FORM_TEXT] = "text",
	[REPORT_FORM_JSON] = "json",
	[REPORT_FORM_HTML] = "html",
	[REPORT_FORM_PLOT] = "plot",
};

#define FORMS (sizeof(names) / sizeof(names[0]))

static bool write_plot(struct collect *collect, const struct report *report,
		       const struct synpaws_prefix *plot, FILE *out)
{
	struct report_source source;

	if (!collect_source(collect, plot->ip_version, plot->address, &source)) {
		errno = ENOENT;
		return false;
	}
	return report_plot(report, &source, REPORT_COLUMNS, REPORT_ROWS, out);
}

static bool write_form(enum report_form form, struct collect *collect, const struct report *report,
		       const struct synpaws_prefix *plot, FILE *out)
{
	switch (form) {
	case REPORT_FORM_TEXT:
		return report_text(report, out);
	case REPORT_FORM_JSON:
		return report_json(report, out);
	case REPORT_FORM_HTML:
		return report_html(report, out);
	case REPORT_FORM_PLOT:
		return write_plot(collect, report, plot, out);
	}
	errno = EINVAL;
	return false;
}

bool report_write(enum report_form form, struct collect *collect, const struct report *report,
		  const struct synpaws_prefix *plot, FILE *out, char *why, size_t size)
{
	if (write_form(form, collect, report, plot, out))
		return true;
	if (form == REPORT_FORM_PLOT && errno == ENOENT)
		snprintf(why, size, "--plot: no SYN came from that address");
	else if (errno == ENOTSUP)
		snprintf(why, size,
			 "this build writes no JSON: install jansson's development files "
			 "and build again");
	else
		snprintf(why, size, "standard output: %s", strerror(errno));
	return false;
}

void report_request(enum report_form form, const char *plot_text, char *request, size_t size)
{
	snprintf(request, size, "%s%s%s", names[form], form == REPORT_FORM_PLOT ? " " : "",
		 form == REPORT_FORM_PLOT ? plot_text : "");
}

bool report_understand(const char *request, enum report_form *form, struct synpaws_prefix *plot)
{
	const size_t length = strcspn(request, " ");
	size_t i;

	for (i = 0; i < FORMS; i++) {
		if (strlen(names[i]) != length || memcmp(names[i], request, length) != 0)
			continue;
		*form = (enum report_form)i;
		if (*form == REPORT_FORM_PLOT)
			return request[length] == ' ' &&
			       panel_parse_prefix(plot, request + length + 1);
		return request[length] == '\0';
	}
	return false;
}
