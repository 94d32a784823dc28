/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../os/clock.h"
#include "progress.h"

#define FIRST_NS    NS_PER_SECOND
#define INTERVAL_NS (NS_PER_SECOND / 4)

#define COLUMNS_USUAL 80

/* A rewritten line begins here, and what stood there is gone. */
#define START_OVER "\r\033[K"

#define NUMBER_MOST 27

/* 1234567 as 1,234,567. */
static const char *grouped(uint64_t number, char text[NUMBER_MOST])
{
	char digits[NUMBER_MOST];
	const int length = snprintf(digits, sizeof(digits), "%" PRIu64, number);
	char *to = text;
	int i;

	for (i = 0; i < length; i++) {
		if (i > 0 && (length - i) % 3 == 0)
			*to++ = ',';
		*to++ = digits[i];
	}
	*to = '\0';
	return text;
}

/* Part of whole, in per cent; never above 100, as a file may have grown meanwhile. */
static unsigned int percent(const struct progress_counts *counts)
{
	if (counts->bytes >= counts->total)
		return 100;
	return (unsigned int)((double)counts->bytes * 100 / (double)counts->total);
}

static uint64_t rate(const struct progress_counts *counts)
{
	if (counts->ns == 0)
		return 0;
	return (uint64_t)((double)counts->packets * (double)NS_PER_SECOND / (double)counts->ns);
}

/* At the pace so far; rounded up, so that 0 means done. */
static uint64_t seconds_left(const struct progress_counts *counts)
{
	double ns;

	if (counts->bytes >= counts->total)
		return 0;
	ns = (double)counts->ns / (double)counts->bytes * (double)(counts->total - counts->bytes);
	return (uint64_t)(ns / (double)NS_PER_SECOND) + 1;
}

static void format_left(const struct progress_counts *counts, char *text, size_t size)
{
	const uint64_t left = seconds_left(counts);

	if (left < 3600)
		snprintf(text, size, ", %" PRIu64 ":%02u left", left / 60,
			 (unsigned int)(left % 60));
	else
		snprintf(text, size, ", %" PRIu64 ":%02u:%02u left", left / 3600,
			 (unsigned int)(left / 60 % 60), (unsigned int)(left % 60));
}

void progress_format(const struct progress_counts *counts, unsigned int columns,
		     char line[PROGRESS_MOST])
{
	char packets[NUMBER_MOST], syns[NUMBER_MOST], pace[NUMBER_MOST], left[48] = "", part[32];

	if (counts->total > 0) {
		snprintf(part, sizeof(part), "%u %%", percent(counts));
		if (counts->bytes > 0)
			format_left(counts, left, sizeof(left));
	} else {
		snprintf(part, sizeof(part), "%.1f MB", (double)counts->bytes / 1e6);
	}
	snprintf(line, PROGRESS_MOST, "%s: %s packets, %s SYNs, %s packets/s%s", part,
		 grouped(counts->packets, packets), grouped(counts->syns, syns),
		 grouped(rate(counts), pace), left);
	if (columns < PROGRESS_MOST)
		line[columns] = '\0';
}

void progress_start(struct progress *progress)
{
	memset(progress, 0, sizeof(*progress));
	progress->on = isatty(STDERR_FILENO) != 0;
	progress->started_ns = clock_ns(CLOCK_MONOTONIC);
	progress->next_ns = progress->started_ns + FIRST_NS;
}

/* One less than there are, or the terminal may go on to the next line. */
static unsigned int columns(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		return COLUMNS_USUAL - 1;
	return size.ws_col - 1U;
}

void progress_show(struct progress *progress, struct progress_counts *counts)
{
	const uint64_t now_ns = clock_ns(CLOCK_MONOTONIC);
	char line[PROGRESS_MOST];

	if (!progress->on || now_ns < progress->next_ns)
		return;
	progress->next_ns = now_ns + INTERVAL_NS;
	counts->ns = now_ns - progress->started_ns;
	progress_format(counts, columns(), line);
	fprintf(stderr, START_OVER "%s", line);
	fflush(stderr);
	progress->shown = true;
}

void progress_clear(struct progress *progress)
{
	if (!progress->shown)
		return;
	fputs(START_OVER, stderr);
	fflush(stderr);
	progress->shown = false;
}
