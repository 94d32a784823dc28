/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "facts.h"
#include "json.h"
#include "text.h"

#define PORTS_TEXT 220 /* for the ports of one fact */
#define ITEM_TEXT  32

static const enum synpaws_fact order[] = { SYNPAWS_FACT_HALF_CLOSE, SYNPAWS_FACT_DUAL_STACK,
					   SYNPAWS_FACT_CLOSED };

#define FACTS (sizeof(order) / sizeof(order[0]))

static const char *source_name(enum synpaws_source source)
{
	static const char *const names[] = { "default", "learnt", "sockets", "told" };

	return names[source];
}

static int by_fact_and_port(const void *left, const void *right)
{
	const struct synpaws_service *a = left, *b = right;

	if (a->fact != b->fact)
		return a->fact < b->fact ? -1 : 1;
	return a->port < b->port ? -1 : a->port > b->port;
}

/* How many true facts there are from `known` on; each question may walk through a whole table. */
static size_t count_more(const struct synpaws_mirror *mirror, size_t known)
{
	struct synpaws_service service;
	size_t step = 1, low = known, high;

	if (!synpaws_mirror_service(mirror, known, &service))
		return 0;
	while (synpaws_mirror_service(mirror, low + step, &service)) {
		low += step;
		step *= 2;
	}
	for (high = low + step; high - low > 1;) {
		const size_t middle = low + (high - low) / 2;

		if (synpaws_mirror_service(mirror, middle, &service))
			low = middle;
		else
			high = middle;
	}
	return high - known;
}

void facts_collect(struct facts *facts, const struct synpaws_mirror *mirror)
{
	struct synpaws_mirror_stats stats;
	size_t count = 0;

	synpaws_mirror_stats(mirror, &stats);
	facts->checking = stats.checking;
	facts->check_known = stats.check_known;
	while (count < FACTS_SERVICES_MOST &&
	       synpaws_mirror_service(mirror, count, &facts->services[count]))
		count++;
	facts->service_count = count;
	facts->more = count == FACTS_SERVICES_MOST ? count_more(mirror, count) : 0;
	qsort(facts->services, count, sizeof(facts->services[0]), by_fact_and_port);
}

/* Neighbours that say the same of one fact: returns how many there are from `first` on. */
static size_t run_of(const struct facts *facts, size_t first)
{
	const struct synpaws_service *service = &facts->services[first];
	size_t i = 1;

	while (first + i < facts->service_count && service[i].fact == service->fact &&
	       service[i].source == service->source && service[i].port == service->port + i)
		i++;
	return i;
}

static void write_ports(const struct facts *facts, size_t first, size_t run, char text[ITEM_TEXT])
{
	if (run == 1)
		snprintf(text, ITEM_TEXT, "%u", facts->services[first].port);
	else
		snprintf(text, ITEM_TEXT, "%u-%u", facts->services[first].port,
			 facts->services[first + run - 1].port);
}

/*
 * Walks through the ports of a fact, into `text` or, if it is not NULL, into `json`: both stop at
 * the same place. Returns how many ports were left out.
 */
static size_t write_fact(const struct facts *facts, enum synpaws_fact fact, char text[PORTS_TEXT],
			 struct json *json)
{
	size_t i, run, length = 0, left_out = 0;
	char ports[ITEM_TEXT], item[2 * ITEM_TEXT];

	snprintf(text, PORTS_TEXT, "-");
	for (i = 0; i < facts->service_count; i += run) {
		const char *source = source_name(facts->services[i].source);

		run = run_of(facts, i);
		if (facts->services[i].fact != fact)
			continue;
		write_ports(facts, i, run, ports);
		snprintf(item, sizeof(item), "%s%s(%s)", length > 0 ? "," : "", ports, source);
		if (left_out > 0 || length + strlen(item) >= PORTS_TEXT) {
			left_out += run;
			continue;
		}
		length += (size_t)sprintf(text + length, "%s", item);
		json_put_text(json, ports, source);
	}
	return left_out;
}

/* Who says whether it is on. */
static const char *check_source(const struct facts *facts)
{
	if (sysctl_get(facts->sysctls, SYSCTL_TW_RECYCLE) < 0)
		return facts->check_known ? "learnt" : "default";
	return sysctl_source_name(facts->sysctls->source[SYSCTL_TW_RECYCLE]);
}

static const char *check_text(const struct facts *facts)
{
	const long value = sysctl_get(facts->sysctls, SYSCTL_TW_RECYCLE);

	if (value < 0 && !facts->check_known)
		return "unknown";
	return (value < 0 ? facts->checking : value != 0) ? "on" : "off";
}

void facts_text(const struct facts *facts, char *line, size_t size)
{
	size_t i, more = facts->more, length;
	char ports[PORTS_TEXT], name[TEXT_NAME_MOST];
	enum sysctl which;

	length = (size_t)snprintf(line, size, "facts profile=%s", facts->profile);
	for (which = 0; which < SYSCTL_TW_RECYCLE && length < size; which++)
		length += (size_t)snprintf(line + length, size - length, " %s=%ld(%s)",
					   sysctl_name(which), sysctl_get(facts->sysctls, which),
					   sysctl_source_name(facts->sysctls->source[which]));
	if (length < size)
		length += (size_t)snprintf(line + length, size - length, " %s=%s(%s)",
					   sysctl_name(SYSCTL_TW_RECYCLE), check_text(facts),
					   check_source(facts));
	for (i = 0; i < FACTS && length < size; i++) {
		more += write_fact(facts, order[i], ports, NULL);
		length += (size_t)snprintf(line + length, size - length, " %s=%s",
					   text_field(synpaws_fact_name(order[i]), name), ports);
	}
	if (length < size)
		snprintf(line + length, size - length, " more=%zu", more);
}

static void put_sysctl(struct json *json, const char *name, const char *value, long number,
		       const char *source)
{
	struct json *member = json_new();

	if (value != NULL)
		json_put_text(member, "value", value);
	else
		json_put_integer(member, "value", number);
	json_put_text(member, "source", source);
	json_put_object(json, name, member);
}

size_t facts_json(const struct facts *facts, char *line, size_t size)
{
	struct json *json = json_new(), *member;
	size_t i, more = facts->more;
	char ports[PORTS_TEXT], name[TEXT_NAME_MOST];
	enum sysctl which;

	json_put_text(json, "event", "facts");
	json_put_text(json, "profile", facts->profile);
	for (which = 0; which < SYSCTL_TW_RECYCLE; which++)
		put_sysctl(json, sysctl_name(which), NULL, sysctl_get(facts->sysctls, which),
			   sysctl_source_name(facts->sysctls->source[which]));
	put_sysctl(json, sysctl_name(SYSCTL_TW_RECYCLE), check_text(facts), 0, check_source(facts));
	for (i = 0; i < FACTS; i++) {
		member = json_new();
		more += write_fact(facts, order[i], ports, member);
		json_put_object(json, text_field(synpaws_fact_name(order[i]), name), member);
	}
	json_put_integer(json, "more", (int64_t)more);
	return json_finish(json, line, size);
}
