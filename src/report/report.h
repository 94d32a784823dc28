/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REPORT_H
#define REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clocks.h"

/*
 * A report as numbers: made by collect.c, written down by text.c, report_json.c, html.c and plot.c.
 * All pointers are the collector's and live until it is fed or freed. Times are nanoseconds of the
 * wall clock since 1970; 0 is never. Addresses are in network byte order, IPv4 in the first four.
 */

enum report_decision {
	REPORT_TOO_LITTLE, /* not enough was seen to say anything */
	REPORT_NONE_SEEN,  /* nothing would have been refused in what was seen */
	REPORT_HURTS,	   /* connections would have been refused, or are */
	REPORT_DECISIONS
};

/* What clients' retransmissions would have met; a row for each schedule. */
enum report_schedule {
	REPORT_CLASSIC, /* SYN again after 1, 3, 7, 15, 31 s; given up after 63 s */
	REPORT_LINEAR,	/* Linux 6.5 and later: 1, 2, 3, 4, 5, 7, 11, 19, 35 s; given up at 67 s */
	REPORT_SCHEDULES
};

#define REPORT_RETRIES 9

#define REPORT_SOURCES 50 /* shown at the most */

struct report_felt {
	size_t retries;			      /* of this schedule */
	uint32_t at[REPORT_RETRIES];	      /* seconds after the first SYN */
	uint64_t connections[REPORT_RETRIES]; /* let in by that retry */
	uint64_t timed_out;		      /* by none */
	uint32_t gives_up;		      /* after so many seconds */
	uint64_t open;			      /* the watch ended before it was decided */
	uint64_t left_out;		      /* too many at a time to be followed */
	double median;			      /* seconds of delay; timed_out count as gives_up */
};

struct report_source {
	uint8_t ip_version;
	uint8_t address[16];
	uint64_t syns, connections;
	uint64_t drop_syns, drop_connections;
	uint64_t no_timestamp; /* SYNs without */
	uint64_t guesses;      /* drops that rest on one */
	uint64_t longest_ns;   /* longest run of drops, each within a minute of the last: from first
				  to last */
	uint64_t first_ns, last_ns; /* SYN */
	uint64_t first_drop_ns, last_drop_ns;
	const struct clocks_sample *samples; /* oldest first */
	size_t sample_count;
	uint64_t samples_left_out; /* SYNs that found no room there */
	struct clocks_verdict verdict;
};

struct report_service {
	uint8_t ip_version;
	uint8_t address[16];
	uint16_t port;
	uint64_t syns, connections, drop_syns, drop_connections;
};

struct report_minute {
	uint64_t start_ns;
	uint64_t syns, drop_syns, drop_connections;
};

/* One line of `--what-if`; the first is today. */
struct report_variant {
	const char *name; /* "today", "snat=10.0.0.0/30", "profile=el6", "host-closes=never" */
	const char *note; /* what it stands for, in a few words */
	uint64_t connections, drop_connections, drop_syns, sources_hit;
};

/* A sysctl or measure, and what it does to others. */
struct report_advice {
	const char *what; /* "sysctl -w net.ipv4.tcp_tw_recycle=0" */
	const char *why;  /* which cause it is for */
	const char *side_effect;
};

/* What weakens the answer. */
struct report_coverage {
	uint64_t offered;  /* packets that came */
	uint64_t missed;   /* of them, not looked at, for whatever reason */
	uint64_t answers;  /* segments from hosts */
	uint64_t ends;	   /* segments that end connections */
	uint64_t restarts; /* of the analyst: what it had learnt before is gone */
	uint64_t evicted;  /* stamps and flows lost for want of room */
	uint64_t guesses;  /* outcomes that rest on one */
	uint64_t contradicted;
	uint64_t sources_left_out; /* that found no room */
	uint64_t capture_errors;
	double percent; /* of packets that were looked at */
};

struct report {
	enum report_decision decision;
	bool checking;		   /* the host has the check on now: this is happening */
	char sentence[512];	   /* the decision in words, with its confidence */
	const char *const *unseen; /* what was not seen, a sentence each; NULL at the end */
	const char *profile;
	const char *kernels;	    /* of that profile, for people */
	const char *evidence;	    /* syn, close, answer or full */
	uint64_t first_ns, last_ns; /* of what was watched */
	uint64_t watched_ns;	    /* without gaps of more than a minute */
	uint64_t syns, connections, drop_syns, drop_connections, no_timestamp;
	uint64_t source_count, sources_hit;
	struct report_coverage coverage;
	struct report_felt felt[REPORT_SCHEDULES];
	const struct report_source *sources; /* worst first; those that were hit, and some more */
	size_t sources_shown;
	const struct report_service *services; /* worst first */
	size_t service_count;
	const struct report_minute *minutes; /* in order; of `minute_seconds` each */
	size_t minute_count;
	uint32_t minute_seconds;	       /* 60, or more where the watch was long */
	size_t worst_minute;		       /* index; minute_count if there is none */
	const struct report_variant *variants; /* [0] is today; only with --what-if */
	size_t variant_count;
	const struct report_advice *advice;
	size_t advice_count;
};

#endif
