/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core_load.h"
#include "core_report.h"

static FILE *tsv;
static struct core_outcomes outcomes;

static void count_outcome(void *context, const struct synpaws_segment *syn,
			  const struct synpaws_outcome *outcome)
{
	(void)syn;
	((struct core_outcomes *)context)->fates[outcome->fate]++;
}

struct core_outcomes core_outcomes(void)
{
	const struct core_outcomes given = outcomes;

	memset(&outcomes, 0, sizeof(outcomes));
	return given;
}

struct synpaws_mirror *core_mirror(const struct synpaws_profile *profile,
				   enum synpaws_evidence evidence, size_t peers, size_t flows)
{
	struct synpaws_mirror_config config = {
		.profile = profile,
		.evidence = evidence,
		.peers = peers,
		.flows = flows,
		.hosts = core_hosts,
		.host_count = 2,
		.sysctls = synpaws_sysctls_default,
		.hash_key = { 2, 7, 1, 8, 2, 8, 1, 8, 2, 8, 4, 5, 9, 0, 4, 5 },
		.emit = count_outcome,
		.context = &outcomes,
	};
	struct synpaws_mirror *mirror;

	config.sysctls.tcp_tw_recycle = 1;
	mirror = synpaws_mirror_new(&config);
	if (mirror == NULL) {
		perror("core: no mirror");
		exit(2);
	}
	core_outcomes();
	return mirror;
}

/* The value of the first line of a file that begins with `key`; "unknown" without. */
static const char *line_of(const char *path, const char *key, char *line, int size)
{
	FILE *file = fopen(path, "r");
	const char *value = "unknown";

	while (file != NULL && fgets(line, size, file) != NULL) {
		if (strncmp(line, key, strlen(key)) != 0)
			continue;
		line[strcspn(line, "\n")] = '\0';
		value = line + strcspn(line, ":");
		value += strspn(value, ": \t");
		if (*key == '\0')
			value = line;
		break;
	}
	if (file != NULL)
		fclose(file);
	return value;
}

static void say_machine(FILE *out, const char *mark)
{
	char cpu[256], pages[256];

	fprintf(out, "%smachine: %s; huge pages: %s; compiler: %s\n", mark,
		line_of("/proc/cpuinfo", "model name", cpu, sizeof(cpu)),
		line_of("/sys/kernel/mm/transparent_hugepage/enabled", "", pages, sizeof(pages)),
		__VERSION__);
}

bool core_report_begin(const struct core_wish *wish)
{
	printf("The mirror's own cost, no kernel in it; profile %s, IPv%d, median of %u\n",
	       wish->profile->name, wish->ip_version, wish->reps);
	say_machine(stdout, "");
	printf("\n%-38s %11s %9s  %-19s %10s %8s\n", "", "number", "ns each", "least .. most",
	       "bytes each", "target");
	if (wish->tsv == NULL)
		return true;
	tsv = fopen(wish->tsv, "w");
	if (tsv == NULL) {
		perror(wish->tsv);
		return false;
	}
	say_machine(tsv, "# ");
	fprintf(tsv, "what\tip\tprofile\tnumber\tns\tleast_ns\tmost_ns\tbytes\n");
	return true;
}

/* 1234567 as 1,234,567 */
static const char *grouped(uint64_t number, char text[32])
{
	char digits[24];
	size_t length, i, at = 0;

	length = (size_t)snprintf(digits, sizeof(digits), "%llu", (unsigned long long)number);
	for (i = 0; i < length; i++) {
		if (i > 0 && (length - i) % 3 == 0)
			text[at++] = ',';
		text[at++] = digits[i];
	}
	text[at] = '\0';
	return text;
}

void core_report_row(const struct core_wish *wish, const struct core_row *row)
{
	char number[32] = "", bytes[32] = "", target[32] = "";

	if (row->count != 0)
		grouped(row->count, number);
	if (row->bytes > 0)
		snprintf(bytes, sizeof(bytes), "%.1f", row->bytes);
	if (row->target > 0)
		snprintf(target, sizeof(target), "%.0f%s", row->target,
			 row->ns.median <= row->target ? "" : " !");
	printf("%-38s %11s %9.1f  %8.1f .. %-7.1f %10s %8s\n", row->title, number, row->ns.median,
	       row->ns.least, row->ns.most, bytes, target);
	fflush(stdout);
	if (tsv != NULL)
		fprintf(tsv, "%s\t%d\t%s\t%llu\t%.2f\t%.2f\t%.2f\t%.1f\n", row->what,
			row->ip_version, wish->profile->name, (unsigned long long)row->count,
			row->ns.median, row->ns.least, row->ns.most, row->bytes);
}

void core_report_note(const char *format, ...)
{
	va_list list;

	va_start(list, format);
	vprintf(format, list);
	va_end(list);
	putchar('\n');
}

bool core_report_end(void)
{
	const bool failed = tsv != NULL && (ferror(tsv) != 0);

	return (tsv == NULL || fclose(tsv) == 0) && !failed && fflush(stdout) == 0;
}
