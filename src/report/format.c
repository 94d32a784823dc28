/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "../os/clock.h"
#include "../sink/text.h"
#include "format.h"

const char *format_count(uint64_t count, char text[FORMAT_COUNT])
{
	char digits[24];
	size_t i, at = 0, n = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, count);

	for (i = 0; i < n; i++) {
		if (i > 0 && (n - i) % 3 == 0)
			text[at++] = ',';
		text[at++] = digits[i];
	}
	text[at] = '\0';
	return text;
}

const char *format_share(uint64_t part, uint64_t whole, char text[FORMAT_SHARE])
{
	if (whole > 0)
		return format_percent(100.0 * (double)part / (double)whole, text);
	strcpy(text, "-");
	return text;
}

const char *format_percent(double percent, char text[FORMAT_SHARE])
{
	if (percent <= 0)
		strcpy(text, "0 %");
	else if (percent < 0.01)
		strcpy(text, "< 0.01 %");
	else if (percent < 0.995)
		snprintf(text, FORMAT_SHARE, "%.2f %%", percent);
	else if (percent < 98.95)
		snprintf(text, FORMAT_SHARE, "%.1f %%", percent);
	else if (percent < 99.995)
		snprintf(text, FORMAT_SHARE, "%.2f %%", percent);
	else
		strcpy(text, percent < 100 ? "> 99.99 %" : "100 %");
	return text;
}

/* Two units, the smaller one only if there is any of it. */
static void put_units(char text[FORMAT_DURATION], uint64_t count, uint64_t in, const char *large,
		      const char *small)
{
	if (count % in != 0)
		snprintf(text, FORMAT_DURATION, "%" PRIu64 " %s %" PRIu64 " %s", count / in, large,
			 count % in, small);
	else
		snprintf(text, FORMAT_DURATION, "%" PRIu64 " %s", count / in, large);
}

const char *format_duration(uint64_t ns, char text[FORMAT_DURATION])
{
	const uint64_t s = (ns + NS_PER_SECOND / 2) / NS_PER_SECOND;
	const uint64_t ms = (ns + 500000) / 1000000;

	if (ns > 0 && ms == 0)
		strcpy(text, "< 1 ms");
	else if (ns > 0 && ms < 1000)
		snprintf(text, FORMAT_DURATION, "%" PRIu64 " ms", ms);
	else if (ms < 9950 && ms % 1000 >= 50 && ms % 1000 < 950)
		snprintf(text, FORMAT_DURATION, "%.1f s", (double)ms / 1000);
	else if (s < 60)
		snprintf(text, FORMAT_DURATION, "%" PRIu64 " s", s);
	else if (s < 3600)
		put_units(text, s, 60, "min", "s");
	else if (s < 86400)
		put_units(text, s / 60, 60, "h", "min");
	else
		put_units(text, s / 3600, 24, "d", "h");
	return text;
}

static const char *utc(uint64_t ns, const char *pattern, char text[FORMAT_TIME])
{
	time_t seconds = (time_t)(ns / NS_PER_SECOND);
	struct tm tm;

	if (ns == 0 || gmtime_r(&seconds, &tm) == NULL)
		strcpy(text, "-");
	else
		strftime(text, FORMAT_TIME, pattern, &tm);
	return text;
}

const char *format_date(uint64_t ns, char text[FORMAT_TIME])
{
	return utc(ns, "%Y-%m-%d %H:%M:%S", text);
}

const char *format_clock(uint64_t ns, bool dated, char text[FORMAT_TIME])
{
	return utc(ns, dated ? "%m-%d %H:%M" : "%H:%M:%S", text);
}

const char *format_rfc3339(uint64_t ns, char text[FORMAT_TIME])
{
	char seconds[FORMAT_TIME];

	snprintf(text, FORMAT_TIME, "%.40s.%06uZ", utc(ns, "%Y-%m-%dT%H:%M:%S", seconds),
		 (unsigned int)(ns % NS_PER_SECOND / 1000));
	return text;
}

const char *format_address(uint8_t ip_version, const uint8_t address[16], char text[FORMAT_ADDRESS])
{
	text_address(ip_version, address, text);
	return text;
}

const char *format_endpoint(uint8_t ip_version, const uint8_t address[16], uint16_t port,
			    char text[FORMAT_ADDRESS])
{
	char plain[INET6_ADDRSTRLEN];

	text_address(ip_version, address, plain);
	snprintf(text, FORMAT_ADDRESS, ip_version == 4 ? "%s:%u" : "[%s]:%u", plain, port);
	return text;
}

const char *format_ticks(uint32_t ticks, double step, char text[FORMAT_COUNT])
{
	char whole[FORMAT_COUNT];

	if (step < 100)
		return format_count(ticks, text);
	format_count(ticks / 1000000, whole);
	if (step >= 1000000)
		snprintf(text, FORMAT_COUNT, "%.16s M", whole);
	else if (step >= 10000)
		snprintf(text, FORMAT_COUNT, "%.16s.%02u M", whole, ticks % 1000000 / 10000);
	else
		snprintf(text, FORMAT_COUNT, "%.16s.%04u M", whole, ticks % 1000000 / 100);
	return text;
}

bool format_dated(uint64_t first_ns, uint64_t last_ns)
{
	return first_ns / NS_PER_SECOND / 86400 != last_ns / NS_PER_SECOND / 86400;
}

/* U+0080 to U+009F: control characters beyond ASCII, two bytes in UTF-8. */
static bool is_c1(const unsigned char *c)
{
	return c[0] == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0;
}

/* Returns the columns that it takes. */
static size_t put(FILE *out, const char *text, size_t length)
{
	const unsigned char *c = (const unsigned char *)text;
	size_t i, columns = 0;

	for (i = 0; i < length; i++) {
		bool control = c[i] < 0x20 || c[i] == 0x7f || is_c1(c + i);

		columns += (c[i] & 0xc0) != 0x80;
		i += c[i] == 0xc2 && control;
		fputc(control ? '?' : c[i], out);
	}
	return columns;
}

void format_put(FILE *out, const char *text, size_t width)
{
	size_t columns;

	if (text == NULL)
		text = "-";
	columns = put(out, text, strlen(text));
	if (columns < width)
		fprintf(out, "%*s", (int)(width - columns), "");
}

void format_wrap(FILE *out, const char *text, size_t indent)
{
	size_t length, column = indent;

	if (text == NULL)
		text = "-";
	for (text += strspn(text, " "); *text != '\0'; text += strspn(text, " ")) {
		length = strcspn(text, " ");
		if (column > indent && column + 1 + length > FORMAT_COLUMNS) {
			fprintf(out, "\n%*s", (int)indent, "");
			column = indent;
		} else if (column > indent) {
			fputc(' ', out);
			column++;
		}
		column += put(out, text, length);
		text += length;
	}
	fputc('\n', out);
}

uint64_t format_decided(const struct report_felt *felt)
{
	uint64_t sum = felt->timed_out;
	size_t i;

	for (i = 0; i < felt->retries; i++)
		sum += felt->connections[i];
	return sum;
}

bool format_done(FILE *out)
{
	if (fflush(out) != 0)
		return false;
	if (!ferror(out))
		return true;
	errno = EIO;
	return false;
}
