/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "../core/siphash.h"
#include "../os/clock.h"
#include "counts.h"

#define MINUTES	 1440
#define SERVICES 1024
#define WAYS	 8

struct counts {
	struct report_minute minutes[MINUTES];
	size_t minute_count;
	uint32_t minute_seconds;
	struct report_service services[SERVICES]; /* free: without SYNs */
	struct report_service sorted[SERVICES];
	struct report_service *last; /* most SYNs are for the same few */
	uint8_t hash_key[16];
};

struct counts *counts_new(const uint8_t hash_key[16])
{
	struct counts *counts = calloc(1, sizeof(*counts));

	if (counts == NULL)
		return NULL;
	counts->minute_seconds = 60;
	memcpy(counts->hash_key, hash_key, sizeof(counts->hash_key));
	return counts;
}

void counts_free(struct counts *counts)
{
	free(counts);
}

static uint64_t length_ns(const struct counts *counts)
{
	return counts->minute_seconds * NS_PER_SECOND;
}

static void add_minute(struct report_minute *to, const struct report_minute *from)
{
	to->syns += from->syns;
	to->drop_syns += from->drop_syns;
	to->drop_connections += from->drop_connections;
}

/* Starts stay multiples of the length, so the first may begin earlier than before. */
static void join_pairs(struct counts *counts)
{
	uint64_t start;
	size_t i, last = 0;

	counts->minute_seconds *= 2;
	for (i = 0; i < counts->minute_count; i++) {
		start = counts->minutes[i].start_ns -
			counts->minutes[i].start_ns % length_ns(counts);
		if (i > 0 && counts->minutes[last].start_ns == start) {
			add_minute(&counts->minutes[last], &counts->minutes[i]);
			continue;
		}
		last += i > 0;
		counts->minutes[last] = counts->minutes[i];
		counts->minutes[last].start_ns = start;
	}
	counts->minute_count = last + 1;
}

/* Of a clock that was stepped back the last minute takes what belongs before the first. */
static struct report_minute *minute_at(struct counts *counts, uint64_t time_ns)
{
	struct report_minute *last;
	uint64_t start;

	last = &counts->minutes[counts->minute_count == 0 ? 0 : counts->minute_count - 1];
	if (counts->minute_count > 0 && time_ns - last->start_ns < length_ns(counts))
		return last; /* as nearly all are, without a division */
	for (;;) {
		start = time_ns - time_ns % length_ns(counts);
		if (counts->minute_count == 0) {
			counts->minutes[0].start_ns = start;
			counts->minute_count = 1;
		}
		last = &counts->minutes[counts->minute_count - 1];
		if (start <= last->start_ns)
			break;
		if ((start - counts->minutes[0].start_ns) / length_ns(counts) >= MINUTES) {
			join_pairs(counts);
			continue;
		}
		memset(last + 1, 0, sizeof(*last));
		last[1].start_ns = last->start_ns + length_ns(counts);
		counts->minute_count++;
	}
	if (start < counts->minutes[0].start_ns)
		return last;
	return &counts->minutes[(start - counts->minutes[0].start_ns) / length_ns(counts)];
}

static bool is_service(const struct report_service *service, const struct synpaws_segment *syn)
{
	return service->port == syn->destination_port && service->ip_version == syn->ip_version &&
	       memcmp(service->address, syn->destination, sizeof(service->address)) == 0;
}

/* NULL if there is no room: a scan finds more ports than anybody wants to read of. */
static struct report_service *service_of(struct counts *counts, const struct synpaws_segment *syn)
{
	uint8_t key[18];
	struct report_service *set;
	size_t i;

	if (counts->last != NULL && is_service(counts->last, syn))
		return counts->last;
	memcpy(key, syn->destination, 16);
	memcpy(key + 16, &syn->destination_port, 2);
	set = &counts->services[siphash(counts->hash_key, key, sizeof(key)) % (SERVICES / WAYS) *
				WAYS];
	for (i = 0; i < WAYS && set[i].syns != 0; i++) {
		if (is_service(&set[i], syn)) {
			counts->last = &set[i];
			return &set[i];
		}
	}
	if (i == WAYS)
		return NULL;
	set[i].ip_version = syn->ip_version;
	memcpy(set[i].address, syn->destination, sizeof(set[i].address));
	set[i].port = syn->destination_port;
	return &set[i];
}

void counts_take(struct counts *counts, const struct synpaws_segment *syn, bool dropped,
		 bool is_new, bool is_new_drop)
{
	struct report_minute *minute = minute_at(counts, syn->time_ns);
	struct report_service *service = service_of(counts, syn);

	minute->syns++;
	minute->drop_syns += dropped;
	minute->drop_connections += is_new_drop;
	if (service == NULL)
		return;
	service->syns++;
	service->connections += is_new;
	service->drop_syns += dropped;
	service->drop_connections += is_new_drop;
}

static int by_drops(const void *a, const void *b)
{
	const struct report_service *x = a, *y = b;

	if (x->drop_connections != y->drop_connections)
		return x->drop_connections < y->drop_connections ? 1 : -1;
	if (x->syns != y->syns)
		return x->syns < y->syns ? 1 : -1;
	return x->port < y->port ? -1 : x->port > y->port;
}

void counts_report(struct counts *counts, struct report *report)
{
	size_t i, used = 0, worst = counts->minute_count;

	for (i = 0; i < SERVICES; i++) {
		if (counts->services[i].syns != 0)
			counts->sorted[used++] = counts->services[i];
	}
	qsort(counts->sorted, used, sizeof(counts->sorted[0]), by_drops);
	for (i = 0; i < counts->minute_count; i++) {
		const uint64_t drops = counts->minutes[i].drop_connections;

		if (drops > 0 && (worst == counts->minute_count ||
				  drops > counts->minutes[worst].drop_connections))
			worst = i;
	}
	report->services = counts->sorted;
	report->service_count = used;
	report->minutes = counts->minutes;
	report->minute_count = counts->minute_count;
	report->minute_seconds = counts->minute_seconds;
	report->worst_minute = worst;
}
