/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLOCKS_H
#define CLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Why a source's SYNs meet the check: judged on a sample of its SYNs, each a TSval at a time. A
 * machine's clock is a line in that picture, its rate the slope; several parallel lines behind one
 * address are several machines.
 */

/* So many samples of a source are kept, and so many of its clocks are told apart. */
#define CLOCKS_SAMPLES 256
#define CLOCKS_MOST    16

enum clocks_why {
	CLOCKS_NOT_APPLICABLE, /* no drops, and no more than one clock: nothing to explain */
	CLOCKS_SEVERAL,	       /* several clocks behind one address; mostly several machines */
	CLOCKS_RANDOM,	       /* a new random offset for each connection: no NAT needed */
	CLOCKS_STEPPED,	       /* one machine whose clock was set anew: a reboot, or a step */
	CLOCKS_REORDERED,      /* one clock, and SYNs that overtook each other or were sent again */
	CLOCKS_NO_TIMESTAMPS,  /* SYNs without the option: dropped by el7 and 3.17 and later */
	CLOCKS_UNDECIDED,      /* too few samples, or no picture that fits */
	CLOCKS_WHYS
};

struct clocks_sample {
	uint64_t time_ns;    /* wall clock; samples come in the order of arrival, not of these */
	uint64_t connection; /* the same for a SYN that is sent again */
	uint64_t host;	     /* the destination: Linux 4.11 and later has an offset for each */
	uint32_t tsval;
	uint16_t source_port;
	bool has_timestamp;
	bool dropped;		 /* its fate is paws-drop */
	uint32_t recorded_tsval; /* with `recorded`: the stamp as it stood before */
	uint32_t recorded_at;	 /* second */
	bool recorded;
};

#define CLOCKS_NO_CLOCK 255 /* a sample that belongs to none */

/* A line of TSvals. */
struct clocks_clock {
	double hz;	    /* ticks a second: 100, 250, 300, 1000 or what was measured */
	bool measured;	    /* false: seen for less than two seconds, hz is a guess */
	uint32_t offset;    /* its TSval at the time of the first sample of all */
	size_t samples;	    /* that lie on it */
	size_t connections; /* of those */
	size_t dropped;	    /* samples */
	uint64_t first_ns, last_ns;
};

struct clocks_verdict {
	enum clocks_why why;
	bool sure;	    /* enough samples for the label, and nothing contradicts it */
	size_t machines;    /* at least so many behind the address; 0 if nobody can tell */
	size_t clock_count; /* found and in clocks[], most samples first */
	struct clocks_clock clocks[CLOCKS_MOST];
	uint8_t clock_of[CLOCKS_SAMPLES]; /* index of each sample's clock, or CLOCKS_NO_CLOCK */
};

/*
 * Judge `count` samples (up to CLOCKS_SAMPLES; more are ignored), with time_ns not more than 292
 * years apart. Pure: no allocation, no I/O, and work in the order of count * count * CLOCKS_MOST.
 */
void clocks_judge(const struct clocks_sample *samples, size_t count,
		  struct clocks_verdict *verdict);

/* "several clocks", "random offset per connection" and so on; static storage. */
const char *clocks_why_text(enum clocks_why why);

/* "several-clocks", "random-offset" and so on, for JSON; static storage. */
const char *clocks_why_name(enum clocks_why why);

#endif
