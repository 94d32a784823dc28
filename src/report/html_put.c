/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "html_parts.h"

void html_text(const char *text, FILE *out)
{
	const unsigned char *c = (const unsigned char *)(text != NULL ? text : "-");

	for (; *c != '\0'; c++) {
		switch (*c) {
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '&':
			fputs("&amp;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		case '\'':
			fputs("&#39;", out);
			break;
		default:
			if (*c < 0x20 || *c == 0x7f)
				fputs("&#65533;", out);
			else
				fputc(*c, out);
		}
	}
}

void html_open(const char *id, const char *heading, const char *note, FILE *out)
{
	fprintf(out, "<section id=\"%s\">\n<h2>", id);
	html_text(heading, out);
	fputs("</h2>\n", out);
	if (note == NULL)
		return;
	fputs("<p class=\"note\">", out);
	html_text(note, out);
	fputs("</p>\n", out);
}

void html_close(FILE *out)
{
	fputs("</section>\n", out);
}

void html_cell(const char *label, const char *text, FILE *out)
{
	fputs("<td data-l=\"", out);
	html_text(label, out);
	fputs("\">", out);
	html_text(text, out);
	fputs("</td>", out);
}

void html_bar_cell(const char *label, const char *text, uint64_t part, uint64_t whole, FILE *out)
{
	const double share = whole > 0 ? 100.0 * (double)part / (double)whole : 0;

	fputs("<td data-l=\"", out);
	html_text(label, out);
	fputs("\">", out);
	html_text(text, out);
	fprintf(out, "<span class=\"bar\"><i style=\"width:%.1f%%\"></i></span></td>",
		share > 100 ? 100 : share);
}

double html_step(double span, unsigned int marks)
{
	double step = 1;

	while (span / (step * 10) > marks)
		step *= 10;
	if (span / step <= marks)
		return step;
	if (span / (step * 2) <= marks)
		return step * 2;
	return span / (step * 5) <= marks ? step * 5 : step * 10;
}
