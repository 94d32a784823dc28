/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REPORT_FIXTURE_H
#define REPORT_FIXTURE_H

/* Reports as collect.c makes them, of watches that never were. Fill one in with fixture_make(). */

#include <arpa/inet.h>
#include <errno.h>

#include "os/clock.h"
#include "report/report.h"
#include "unit.h"

#define FIXTURE_START	((UNIT_SECOND / 60) * 60 * NS_PER_SECOND)
#define FIXTURE_SOURCES 12
#define FIXTURE_MINUTES 2880
#define FIXTURE_HOSTILE "<script>alert(\"1\")</script>&'\x1b[2J"

enum fixture_kind {
	FIXTURE_NAT,	  /* three machines behind one address, and others; 2 h 10 min */
	FIXTURE_RANDOM,	  /* new offsets for each connection */
	FIXTURE_NONE,	  /* nothing would have been dropped */
	FIXTURE_LITTLE,	  /* 40 s, three SYNs */
	FIXTURE_EMPTY,	  /* nothing at all */
	FIXTURE_IPV6,	  /* on a host that checks, now */
	FIXTURE_WHAT_IF,  /* with variants */
	FIXTURE_LONG,	  /* 48 h, 2,880 minutes, long lock-outs */
	FIXTURE_CROWD,	  /* 16 clocks behind each of 12 addresses: the largest page there is */
	FIXTURE_HOSTILES, /* markup and escape sequences wherever text comes in */
	FIXTURE_KINDS
};

struct fixture {
	struct report report;
	struct report_source sources[FIXTURE_SOURCES];
	struct clocks_sample samples[FIXTURE_SOURCES][CLOCKS_SAMPLES];
	struct report_service services[4];
	struct report_minute minutes[FIXTURE_MINUTES];
	struct report_variant variants[4];
	struct report_advice advice[4];
	const char *unseen[8];
	uint64_t seed;
};

/* The machines behind one address. */
struct fixture_nat {
	size_t clocks;
	double hz[CLOCKS_MOST];
	uint32_t offset[CLOCKS_MOST];
	bool random;	  /* an offset for each SYN */
	uint64_t step_ns; /* one machine: clock 1 takes over from clock 0 then; 0: never */
	size_t samples;
	uint64_t from_ns, length_ns;
};

static void fixture_address(const char *text, uint8_t *version, uint8_t address[16])
{
	*version = strchr(text, ':') != NULL ? 6 : 4;
	assert_int_equal(inet_pton(*version == 4 ? AF_INET : AF_INET6, text, address), 1);
}

static void fixture_count(struct report_source *source, const struct clocks_sample *sample,
			  uint8_t clock)
{
	struct clocks_clock *c;

	source->verdict.clock_of[source->sample_count++] = clock;
	source->drop_syns += sample->dropped;
	source->drop_connections += sample->dropped;
	if (sample->dropped && source->first_drop_ns == 0)
		source->first_drop_ns = sample->time_ns;
	if (sample->dropped)
		source->last_drop_ns = sample->time_ns;
	if (clock == CLOCKS_NO_CLOCK)
		return;
	c = &source->verdict.clocks[clock];
	if (c->samples++ == 0)
		c->first_ns = sample->time_ns;
	c->last_ns = sample->time_ns;
	c->connections++;
	c->dropped += sample->dropped;
}

/* Play SYNs against one stamp, as a kernel that remembers each connection that it lets in. */
static void fixture_play(struct fixture *f, struct report_source *source,
			 struct clocks_sample *samples, const struct fixture_nat *nat)
{
	uint32_t stamp = 0, stamp_at = 0;
	size_t i;

	source->samples = samples;
	for (i = 0; i < nat->samples; i++) {
		struct clocks_sample *s = &samples[i];
		const uint64_t jitter = nat->length_ns / nat->samples;
		const uint64_t at =
			nat->length_ns / nat->samples * i + unit_random(&f->seed) % jitter;
		uint8_t clock = nat->random ? CLOCKS_NO_CLOCK
					    : (uint8_t)unit_below(&f->seed, (uint32_t)nat->clocks);

		if (nat->step_ns > 0)
			clock = at >= nat->step_ns;
		s->time_ns = nat->from_ns + at;
		s->connection = unit_random(&f->seed);
		s->host = 0x8000000000000001ULL;
		s->source_port = (uint16_t)(32768 + unit_below(&f->seed, 28000));
		s->has_timestamp = true;
		s->tsval = nat->random ? (uint32_t)unit_random(&f->seed)
				       : nat->offset[clock] +
						 (uint32_t)((double)at / 1e9 * nat->hz[clock]);
		s->recorded = i > 0;
		s->recorded_tsval = stamp;
		s->recorded_at = stamp_at;
		s->dropped = i > 0 && (int32_t)(stamp - s->tsval) > 1 &&
			     s->time_ns / NS_PER_SECOND - stamp_at < 60;
		fixture_count(source, s, clock);
		if (!s->dropped) {
			stamp = s->tsval;
			stamp_at = (uint32_t)(s->time_ns / NS_PER_SECOND);
		}
	}
}

static void fixture_judge(struct report_source *source, const struct fixture_nat *nat)
{
	struct clocks_verdict *v = &source->verdict;
	size_t i;

	v->sure = true;
	v->clock_count = nat->random ? 0 : nat->clocks;
	v->machines = nat->random ? 0 : nat->step_ns > 0 ? 1 : nat->clocks;
	v->why = nat->random		 ? CLOCKS_RANDOM
		 : nat->step_ns > 0	 ? CLOCKS_STEPPED
		 : nat->clocks > 1	 ? CLOCKS_SEVERAL
		 : source->drop_syns > 0 ? CLOCKS_REORDERED
					 : CLOCKS_NOT_APPLICABLE;
	for (i = 0; i < v->clock_count; i++) {
		v->clocks[i].hz = nat->hz[i];
		v->clocks[i].measured = true;
		v->clocks[i].offset = nat->offset[i];
	}
}

static struct report_source *fixture_source(struct fixture *f, const char *address,
					    const struct fixture_nat *nat, uint64_t scale)
{
	struct report_source *s = &f->sources[f->report.sources_shown];

	fixture_address(address, &s->ip_version, s->address);
	fixture_play(f, s, f->samples[f->report.sources_shown++], nat);
	fixture_judge(s, nat);
	s->connections = s->sample_count * scale;
	s->syns = s->connections + s->drop_syns / 3;
	s->drop_connections *= scale;
	s->drop_syns = s->drop_connections + s->drop_connections / 3;
	s->samples_left_out = s->syns - s->sample_count;
	s->first_ns = nat->from_ns;
	s->last_ns = nat->from_ns + nat->length_ns;
	s->longest_ns = s->drop_syns > 0 ? 59 * NS_PER_SECOND : 0;
	f->report.drop_syns += s->drop_syns;
	f->report.drop_connections += s->drop_connections;
	f->report.sources_hit += s->drop_syns > 0;
	return s;
}

static void fixture_minutes(struct fixture *f, size_t count)
{
	struct report *r = &f->report;
	uint64_t most = 0;
	size_t i;

	r->minutes = f->minutes;
	r->minute_count = r->worst_minute = count;
	r->minute_seconds = 60;
	for (i = 0; i < count; i++) {
		struct report_minute *m = &f->minutes[i];
		const uint64_t wave = (i * 37 % 120) + (i % 60) * 4;

		m->start_ns = FIXTURE_START + i * 60 * NS_PER_SECOND;
		m->syns = r->syns / count + wave + unit_below(&f->seed, 90);
		if (r->drop_syns > 0 && i % 7 != 3)
			m->drop_syns = m->syns * (2 + i % 11) / 200;
		if (i == count / 2 && r->drop_syns > 0)
			m->drop_syns = m->syns / 3;
		m->drop_connections = m->drop_syns * 3 / 4;
		if (m->drop_syns > most) {
			most = m->drop_syns;
			r->worst_minute = i;
		}
	}
}

static void fixture_felt(struct report *r)
{
	static const uint32_t classic[] = { 1, 3, 7, 15, 31 };
	static const uint32_t linear[] = { 1, 2, 3, 4, 5, 7, 11, 19, 35 };
	struct report_felt *c = &r->felt[REPORT_CLASSIC], *l = &r->felt[REPORT_LINEAR];
	size_t i;

	c->retries = COUNT(classic);
	c->gives_up = 63;
	l->retries = COUNT(linear);
	l->gives_up = 67;
	for (i = 0; i < c->retries; i++) {
		c->at[i] = classic[i];
		c->connections[i] = r->drop_connections * (i + 1) / 20;
	}
	for (i = 0; i < l->retries; i++) {
		l->at[i] = linear[i];
		l->connections[i] = r->drop_connections * (i % 4 + 1) / 26;
	}
	c->timed_out = r->drop_connections / 5;
	l->timed_out = r->drop_connections / 7;
	c->open = l->open = r->drop_connections > 0 ? 12 : 0;
	c->median = r->drop_connections > 0 ? 22 : 0;
	l->median = r->drop_connections > 0 ? 19 : 0;
}

static void fixture_services(struct fixture *f, const char *first, const char *second)
{
	static const uint16_t ports[] = { 443, 80, 8443, 22 };
	struct report *r = &f->report;
	size_t i;

	r->services = f->services;
	r->service_count = COUNT(ports);
	for (i = 0; i < COUNT(ports); i++) {
		struct report_service *s = &f->services[i];

		fixture_address(i % 2 == 0 ? first : second, &s->ip_version, s->address);
		s->port = ports[i];
		s->connections = r->connections / (i + 2);
		s->syns = r->syns / (i + 2);
		s->drop_connections = r->drop_connections / (i * i + 2);
		s->drop_syns = r->drop_syns / (i * i + 2);
	}
}

static void fixture_frame(struct fixture *f, uint64_t seconds, uint64_t connections)
{
	struct report *r = &f->report;

	r->sources = f->sources;
	r->profile = "el7";
	r->kernels = "RHEL and CentOS 7";
	r->evidence = "close";
	r->first_ns = FIXTURE_START;
	r->last_ns = FIXTURE_START + seconds * NS_PER_SECOND;
	r->watched_ns = seconds * NS_PER_SECOND;
	r->connections = connections;
	r->syns = connections + connections / 40;
	r->no_timestamp = connections / 9;
	r->source_count = connections / 70;
	r->coverage.offered = r->syns * 4;
	r->coverage.missed = connections / 5000;
	r->coverage.answers = r->syns * 2;
	r->coverage.guesses = connections / 900;
	r->coverage.percent = connections > 0 ? 99.98 : 0;
	r->advice = f->advice;
	r->unseen = f->unseen;
}

/* All that hangs on what the sources came to. */
static void fixture_finish(struct fixture *f, size_t minutes, const char *server)
{
	struct report *r = &f->report;

	if (r->connections == 0)
		r->decision = REPORT_TOO_LITTLE;
	else
		r->decision = r->drop_syns > 0 ? REPORT_HURTS : REPORT_NONE_SEEN;
	fixture_minutes(f, minutes);
	fixture_felt(r);
	fixture_services(f, server, strchr(server, ':') ? "2001:db8:5::81" : "203.0.113.81");
	if (r->drop_syns == 0)
		return;
	f->advice[0] = (struct report_advice){
		r->checking ? "sysctl -w net.ipv4.tcp_tw_recycle=0"
			    : "leave net.ipv4.tcp_tw_recycle at 0",
		"the only cure for all causes; a client behind a shared address cannot help itself",
		"TIME_WAIT sockets live a minute again: some 0.5 KB each, bounded by "
		"net.ipv4.tcp_max_tw_buckets"
	};
	f->advice[1] = (struct report_advice){
		"sysctl -w net.ipv4.tcp_tw_reuse=1",
		"if too many TIME_WAIT sockets block connections that the server itself opens",
		"only for outgoing connections; needs timestamps; harms nobody behind a NAT"
	};
	r->advice_count = 2;
	f->unseen[0] = "Only 2 h 10 min was watched: what comes at other hours, at weekends or by "
		       "timer is not in it.";
	f->unseen[1] = "8 of 175,372 packets were missed or cut short.";
}

static void fixture_say(struct report *r, const char *sentence)
{
	snprintf(r->sentence, sizeof(r->sentence), "%s", sentence);
}

static void fixture_nat3(struct fixture *f)
{
	const uint64_t length = 7800 * NS_PER_SECOND;
	const struct fixture_nat office = { 3,
					    { 1000, 1000, 250 },
					    { 4042010, 1732041794, 3102938000U },
					    false,
					    0,
					    256,
					    FIXTURE_START + 20 * NS_PER_SECOND,
					    length * 9 / 10 };
	const struct fixture_nat pair = {
		2, { 1000, 1000 }, { 912345678, 913345678 }, false, 0, 180, FIXTURE_START, length
	};
	const struct fixture_nat wrap = {
		2, { 1000, 100 }, { 4293000000U, 70000000 }, false, 0, 120, FIXTURE_START, length
	};
	const struct fixture_nat chaos = { 0, { 0 }, { 0 }, true, 0, 200, FIXTURE_START, length };
	const struct fixture_nat boot = { 2,
					  { 1000, 1000 },
					  { 812345678, 4000 },
					  false,
					  3600 * NS_PER_SECOND,
					  220,
					  FIXTURE_START,
					  length };
	const struct fixture_nat burst = { 2,
					   { 1000, 1000 },
					   { 55500000, 2055500000 },
					   false,
					   0,
					   140,
					   FIXTURE_START + 1800 * NS_PER_SECOND,
					   150 * NS_PER_SECOND };
	const struct fixture_nat quiet = { 1, { 1000 }, { 77345678 },  false,
					   0, 90,	FIXTURE_START, length };

	fixture_frame(f, 7800, 42774);
	fixture_source(f, "203.0.113.7", &office, 9);
	fixture_source(f, "198.51.100.230", &chaos, 5);
	fixture_source(f, "198.51.100.14", &pair, 4);
	fixture_source(f, "192.0.2.144", &wrap, 3);
	fixture_source(f, "203.0.113.200", &burst, 2);
	fixture_source(f, "192.0.2.9", &boot, 1);
	fixture_source(f, "192.0.2.10", &quiet, 1)->no_timestamp = 12;
	f->report.sources_hit = 41;
	f->report.source_count = 1310;
	fixture_finish(f, 130, "203.0.113.80");
	fixture_say(&f->report,
		    "Do not enable tcp_tw_recycle: 3.1 % of connections from 41 of 1,310 sources "
		    "would have been refused, for 22 s in the median; watched 2 h 10 min, evidence "
		    "close, saw 99.98 % of packets.");
}

static void fixture_random(struct fixture *f)
{
	const struct fixture_nat phone = { 0, { 0 }, { 0 },	    true,
					   0, 256,   FIXTURE_START, 1200 * NS_PER_SECOND };

	fixture_frame(f, 1200, 2032);
	fixture_source(f, "198.51.100.77", &phone, 1)->verdict.sure = false;
	fixture_finish(f, 20, "203.0.113.80");
	fixture_say(&f->report, "Do not enable tcp_tw_recycle: 6.2 % of connections from 1 of 28 "
				"sources would have been refused; watched 20 min.");
}

static void fixture_none(struct fixture *f)
{
	const struct fixture_nat quiet = { 1, { 1000 }, { 77345678 },  false,
					   0, 90,	FIXTURE_START, 7200 * NS_PER_SECOND };

	fixture_frame(f, 7200, 40000);
	fixture_source(f, "192.0.2.10", &quiet, 1)->drop_syns = 0;
	fixture_finish(f, 120, "203.0.113.80");
	fixture_say(&f->report, "Nobody seen would be hurt by tcp_tw_recycle: of 40,000 "
				"connections from 571 sources none would have been refused; "
				"watched 2 h 0 min, evidence close, saw 99.98 % of packets.");
}

static void fixture_little(struct fixture *f)
{
	fixture_frame(f, 40, 3);
	f->report.source_count = 2;
	fixture_finish(f, 1, "203.0.113.80");
	f->report.decision = REPORT_TOO_LITTLE;
	f->unseen[0] = "Only 3 connections were seen; a thousand is the least to go by.";
	f->unseen[1] = "Only 2 source addresses were seen.";
	fixture_say(&f->report, "Too little was seen to decide: of 3 connections from 2 sources "
				"none would have been refused; watched 40 s, evidence close, saw "
				"99.98 % of packets.");
}

static void fixture_empty(struct fixture *f)
{
	fixture_frame(f, 0, 0);
	f->report.first_ns = f->report.last_ns = f->report.watched_ns = 0;
	f->report.decision = REPORT_TOO_LITTLE;
	fixture_say(&f->report, "Too little was seen to decide: of 0 connections from 0 sources "
				"none would have been refused.");
}

static void fixture_ipv6(struct fixture *f)
{
	const uint64_t length = 7800 * NS_PER_SECOND;
	const struct fixture_nat pair = {
		2, { 1000, 1000 }, { 912345678, 2912345678U }, false, 0, 180, FIXTURE_START, length
	};

	fixture_frame(f, 7800, 18470);
	f->report.checking = true;
	fixture_source(f, "2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff", &pair, 9);
	fixture_source(f, "2001:db8:1::7", &pair, 2);
	fixture_finish(f, 130, "2001:db8:5::80");
	fixture_say(&f->report,
		    "Switch tcp_tw_recycle off: 1.9 % of connections from 2 of 263 sources were "
		    "refused, for 22 s in the median; watched 2 h 10 min, evidence close, saw "
		    "99.98 % of packets.");
}

static void fixture_what_if(struct fixture *f)
{
	static const struct report_variant variants[] = {
		{ "today", "as it is", 42774, 1326, 1766, 41 },
		{ "snat=10.0.0.0/30", "four addresses instead of one", 42774, 702, 911, 17 },
		{ "profile=el6", "RHEL and CentOS 6", 42774, 1388, 1802, 44 },
		{ "host-closes=never", "clients close first", 42774, 0, 0, 0 },
	};

	fixture_nat3(f);
	memcpy(f->variants, variants, sizeof(variants));
	f->report.variants = f->variants;
	f->report.variant_count = COUNT(variants);
}

static void fixture_long(struct fixture *f)
{
	const uint64_t length = 172800 * NS_PER_SECOND;
	const struct fixture_nat office = { 3,
					    { 1000, 1000, 250 },
					    { 4042010, 1732041794, 3102938000U },
					    false,
					    0,
					    256,
					    FIXTURE_START + length / 3,
					    length / 12 };

	fixture_frame(f, 172800, 1893904);
	fixture_source(f, "203.0.113.7", &office, 9);
	f->sources[0].longest_ns = 5400 * NS_PER_SECOND;
	fixture_finish(f, 2880, "203.0.113.80");
	fixture_say(&f->report, "Do not enable tcp_tw_recycle: 0.09 % of connections from 1 of "
				"27,055 sources would have been refused.");
}

static void fixture_crowd(struct fixture *f)
{
	struct fixture_nat crowd = { .clocks = CLOCKS_MOST,
				     .samples = CLOCKS_SAMPLES,
				     .from_ns = FIXTURE_START,
				     .length_ns = 7800 * NS_PER_SECOND };
	char address[64];
	size_t i, j;

	fixture_frame(f, 7800, 93904);
	for (i = 0; i < FIXTURE_SOURCES; i++) {
		for (j = 0; j < CLOCKS_MOST; j++) {
			crowd.hz[j] = j % 4 == 0 ? 250 : 1000;
			crowd.offset[j] = (uint32_t)unit_random(&f->seed);
		}
		snprintf(address, sizeof(address), "2001:db8:%zx:bbbb:cccc:dddd:eeee:ffff", i);
		fixture_source(f, address, &crowd, 3);
	}
	fixture_finish(f, 130, "2001:db8:ffff:bbbb:cccc:dddd:eeee:ffff");
	fixture_say(&f->report, "Do not enable tcp_tw_recycle: it is crowded.");
}

static void fixture_hostile(struct fixture *f)
{
	struct report *r = &f->report;

	fixture_what_if(f);
	fixture_say(r, FIXTURE_HOSTILE);
	r->profile = r->kernels = r->evidence = FIXTURE_HOSTILE;
	f->unseen[0] = FIXTURE_HOSTILE;
	f->variants[1].name = f->variants[1].note = FIXTURE_HOSTILE;
	f->advice[0].what = f->advice[0].why = f->advice[0].side_effect = FIXTURE_HOSTILE;
}

static inline const char *fixture_name(enum fixture_kind kind)
{
	static const char *const names[FIXTURE_KINDS] = { "nat",   "random", "none",	"little",
							  "empty", "ipv6",   "what-if", "long",
							  "crowd", "hostile" };

	return names[kind];
}

static inline const struct report *fixture_make(struct fixture *f, enum fixture_kind kind)
{
	static void (*const make[FIXTURE_KINDS])(struct fixture *) = {
		fixture_nat3, fixture_random,  fixture_none, fixture_little, fixture_empty,
		fixture_ipv6, fixture_what_if, fixture_long, fixture_crowd,  fixture_hostile
	};

	memset(f, 0, sizeof(*f));
	f->seed = 7;
	make[kind](f);
	return &f->report;
}

/* What a writer makes of a report, as a string to be freed. */
static inline char *fixture_write(bool (*writer)(const struct report *, FILE *),
				  const struct report *report)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	assert_true(writer(report, out));
	assert_int_equal(fclose(out), 0);
	assert_int_equal(strlen(text), size);
	return text;
}

/* A disk that is full must not go unnoticed. */
static inline void fixture_full(bool (*writer)(const struct report *, FILE *))
{
	struct fixture *f = malloc(sizeof(*f));
	FILE *out = fopen("/dev/full", "w");
	enum fixture_kind kind;

	assert_non_null(f);
	assert_non_null(out);
	for (kind = 0; kind < FIXTURE_KINDS; kind++) {
		errno = 0;
		assert_false(writer(fixture_make(f, kind), out));
		assert_int_equal(errno, ENOSPC);
		clearerr(out);
	}
	/* Without a buffer each write fails by itself, and the last flush has nothing to do. */
	setvbuf(out, NULL, _IONBF, 0);
	assert_false(writer(fixture_make(f, FIXTURE_NAT), out));
	fclose(out);
	free(f);
}

#endif
