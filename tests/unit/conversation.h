/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CONVERSATION_H
#define CONVERSATION_H

/*
 * TCP conversations between a peer and a host, played into a mirror one segment at a time. Both
 * ends are as plain as can be: they number what they say, acknowledge all that came in order, and
 * the host echoes the TSval that RFC 7323 makes it keep. All else, a test says itself.
 */

#include <synpaws/mirror.h>

#include "syn.h"

#define N UNIT_SECOND

#define FIN SYNPAWS_FIN
#define SYN SYNPAWS_SYN
#define RST SYNPAWS_RST

#define PEER   "198.51.100.11"
#define PEER_B "198.51.100.12"
#define HOST   "10.99.0.1"
#define HOST_B "10.99.0.2"
#define PEER6  "fd99:1::185"
#define HOST6  "fd99::1"
#define HOST6B "fd99::2"

#define PORT 8000

#define MS  1000000ULL
#define SEC 1000000000ULL

/* How far apart segments are, if a test does not wait. */
#define PACE (100 * 1000ULL)

/* The clock that is never set, and by how much the wall clock is ahead of it. */
static uint64_t now_ns;
static int64_t ahead_ns;

static inline uint64_t wall_ns(void)
{
	return now_ns + (uint64_t)ahead_ns;
}

static inline uint32_t now_second(void)
{
	return (uint32_t)(wall_ns() / SEC);
}

/* Early in second N + `seconds`. */
static inline void clock_at(uint32_t seconds)
{
	now_ns = (N + (uint64_t)seconds) * SEC + 100 * MS;
	ahead_ns = 0;
}

/* The outcomes that a mirror gave, in its order. */
#define HEARD_MOST 64

struct heard {
	size_t count;
	struct synpaws_segment syn[HEARD_MOST];
	struct synpaws_outcome outcome[HEARD_MOST];
};

static struct heard heard;

static inline void hear(void *context, const struct synpaws_segment *seg,
			const struct synpaws_outcome *outcome)
{
	struct heard *all = context;

	assert_true(all->count < HEARD_MOST);
	all->syn[all->count] = *seg;
	all->outcome[all->count++] = *outcome;
}

/* What most tests want: the check is on, and there is room for all. */
static inline struct synpaws_mirror_config usual(const char *profile,
						 enum synpaws_evidence evidence)
{
	struct synpaws_mirror_config config = {
		.profile = synpaws_profile_find(profile),
		.evidence = evidence,
		.peers = 1000,
		.flows = 1000,
		.sysctls = synpaws_sysctls_default,
		.hash_key = { 2, 7, 1, 8, 2 },
		.emit = hear,
		.context = &heard,
	};

	assert_non_null(config.profile);
	config.sysctls.tcp_tw_recycle = 1;
	return config;
}

static inline struct synpaws_mirror *begin_with(const struct synpaws_mirror_config *config)
{
	static struct synpaws_prefix hosts[2];
	struct synpaws_mirror_config own = *config;
	struct synpaws_mirror *mirror;

	hosts[0].ip_version = syn_address("10.99.0.0", hosts[0].address);
	hosts[0].bits = 16;
	hosts[1].ip_version = syn_address("fd99::", hosts[1].address);
	hosts[1].bits = 64;
	own.hosts = hosts;
	own.host_count = 2;
	clock_at(0);
	memset(&heard, 0, sizeof(heard));
	mirror = synpaws_mirror_new(&own);
	assert_non_null(mirror);
	return mirror;
}

static inline struct synpaws_mirror *begin(const char *profile, enum synpaws_evidence evidence)
{
	const struct synpaws_mirror_config config = usual(profile, evidence);

	return begin_with(&config);
}

static inline void wait_ms(uint64_t ms)
{
	now_ns += ms * MS;
}

/* Time passes without a segment, and the mirror is told so. */
static inline void pass_ms(struct synpaws_mirror *mirror, uint64_t ms)
{
	wait_ms(ms);
	synpaws_mirror_advance(mirror, now_ns);
}

static inline struct synpaws_mirror_stats stats_of(const struct synpaws_mirror *mirror)
{
	struct synpaws_mirror_stats stats;

	synpaws_mirror_stats(mirror, &stats);
	return stats;
}

struct talk {
	struct synpaws_mirror *mirror;
	uint8_t ip_version, peer[16], host[16];
	uint16_t peer_port, host_port;
	uint8_t way;
	bool forwarded, bare;	       /* of all segments; `bare`: without timestamps */
	uint32_t peer_next, host_next; /* the sequence numbers that come next */
	uint32_t acked;		       /* by the host's last segment: its rcv_wup */
	uint32_t ts_recent;	       /* the host's */
	uint16_t ip_id;		       /* of the host's last segment by its socket */
};

/* One segment. Numbers that are not given are the right ones. */
struct say {
	uint8_t flags;	  /* and ACK, but in a SYN of the peer and with no_ack */
	uint32_t tsval;	  /* of the peer; the host's is made up if it is 0 */
	uint32_t payload; /* bytes */
	int32_t seq, ack; /* so far from the right ones */
	bool bare;	  /* without a timestamp option */
	bool mini;	  /* from a mini-socket: its IP identification is anything */
	bool no_ack;	  /* the ACK flag is missing */
	bool md5;	  /* with a signature */
	bool anew;	  /* of a SYN-ACK or RST: not numbered after what was said before */
};

#define IN(talk, ...)  talk_in(talk, (struct say){ __VA_ARGS__ })
#define OUT(talk, ...) talk_out(talk, (struct say){ __VA_ARGS__ })

static inline struct talk talk_between(struct synpaws_mirror *mirror, const char *peer,
				       uint16_t peer_port, const char *host, uint16_t host_port)
{
	struct talk talk = {
		.mirror = mirror,
		.peer_port = peer_port,
		.host_port = host_port,
		.peer_next = 0xfffffff0, /* wraps soon */
		.host_next = 0x7fffff00,
		.ip_id = 0xfffe,
	};

	talk.ip_version = syn_address(peer, talk.peer);
	assert_int_equal(syn_address(host, talk.host), talk.ip_version);
	return talk;
}

static inline struct synpaws_segment talk_segment(const struct talk *talk, struct say say)
{
	struct synpaws_segment seg = {
		.time_ns = wall_ns(),
		.order_ns = now_ns,
		.second = now_second(),
		.forwarded = talk->forwarded,
		.way = talk->way,
		.ip_version = talk->ip_version,
		.flags = (uint8_t)(say.flags | (say.no_ack ? 0 : SYNPAWS_ACK)),
		.has_timestamp = !say.bare && !talk->bare,
		.has_md5 = say.md5,
		.window_scale = -1,
		.payload = say.payload,
		.window = 500,
	};

	if (say.flags & SYN) {
		seg.window_scale = 7;
		seg.sack_permitted = true;
		seg.window = 29200;
	}
	return seg;
}

static inline uint32_t say_length(struct say say)
{
	return say.payload + ((say.flags & SYN) != 0) + ((say.flags & FIN) != 0);
}

/* RFC 7323, 4.3, with the kernel's rcv_wup for Last.ACK.sent. */
static inline void talk_remember(struct talk *talk, const struct synpaws_segment *seg)
{
	if (seg->has_timestamp && (int32_t)(seg->seq - talk->acked) <= 0 &&
	    (int32_t)(seg->tsval - talk->ts_recent) >= 0)
		talk->ts_recent = seg->tsval;
}

/* The peer says something. */
static inline void talk_in(struct talk *talk, struct say say)
{
	struct synpaws_segment seg = talk_segment(talk, say);

	memcpy(seg.source, talk->peer, 16);
	memcpy(seg.destination, talk->host, 16);
	seg.source_port = talk->peer_port;
	seg.destination_port = talk->host_port;
	seg.seq = talk->peer_next + (uint32_t)say.seq;
	seg.ack = say.no_ack ? 0 : talk->host_next + (uint32_t)say.ack;
	seg.tsval = seg.has_timestamp ? say.tsval : 0;
	talk_remember(talk, &seg);
	if (say.seq == 0 && (say.flags & RST) == 0)
		talk->peer_next += say_length(say);
	synpaws_mirror_take(talk->mirror, &seg);
	now_ns += PACE;
}

/* The host says something. */
static inline void talk_out(struct talk *talk, struct say say)
{
	struct synpaws_segment seg = talk_segment(talk, say);

	memcpy(seg.source, talk->host, 16);
	memcpy(seg.destination, talk->peer, 16);
	seg.source_port = talk->host_port;
	seg.destination_port = talk->peer_port;
	if (say.anew)
		talk->host_next = (say.flags & SYN) ? talk->host_next + 65537 : 0;
	seg.seq = talk->host_next + (uint32_t)say.seq;
	seg.ack = say.no_ack ? 0 : talk->peer_next + (uint32_t)say.ack;
	seg.ip_id = talk->ip_version == 4 ? (say.mini ? 0x4321 : ++talk->ip_id) : 0;
	if (seg.has_timestamp) {
		seg.tsval = say.tsval != 0 ? say.tsval : 0x70000000;
		seg.tsecr = talk->ts_recent;
	}
	talk->acked = seg.ack;
	if (say.seq == 0 && (say.flags & RST) == 0)
		talk->host_next += say_length(say);
	synpaws_mirror_take(talk->mirror, &seg);
	now_ns += PACE;
}

/* A SYN of the peer; what it said before does not matter any more. */
static inline void talk_syn(struct talk *talk, uint32_t tsval)
{
	talk->ts_recent = tsval;
	talk->acked = talk->peer_next;
	IN(talk, .flags = SYN, .tsval = tsval, .no_ack = true);
}

/* The handshake and a request: TSvals `tsval`, + 10 and + 20. */
static inline void talk_open(struct talk *talk, uint32_t tsval)
{
	talk_syn(talk, tsval);
	OUT(talk, .flags = SYN);
	IN(talk, .tsval = tsval + 10);
	IN(talk, .tsval = tsval + 20, .payload = 100);
	OUT(talk);
}

/* ... and the host's FIN. */
static inline void talk_until_fin(struct talk *talk, uint32_t tsval)
{
	talk_open(talk, tsval);
	OUT(talk, .flags = FIN);
}

/* A connection that a close()ing host ends first; its last TSval is `tsval` + 40. */
static inline void talk_whole(struct talk *talk, uint32_t tsval)
{
	talk_until_fin(talk, tsval);
	IN(talk, .tsval = tsval + 30);
	IN(talk, .flags = FIN, .tsval = tsval + 40);
	OUT(talk, .mini = true);
}

/* A SYN of the same peer by a port that nothing else uses. Its outcome, settled by silence. */
static inline struct synpaws_outcome probe_with(const struct talk *talk, struct say say)
{
	static uint16_t port = 50000;
	struct talk other = *talk;

	synpaws_mirror_flush(talk->mirror);
	heard.count = 0;
	other.peer_port = port = (uint16_t)(port == 59999 ? 50000 : port + 1);
	say.flags = SYN;
	say.no_ack = true;
	talk_in(&other, say);
	synpaws_mirror_flush(talk->mirror);
	assert_int_equal(heard.count, 1);
	return heard.outcome[0];
}

static inline struct synpaws_outcome probe(const struct talk *talk)
{
	return probe_with(talk, (struct say){ .tsval = 0 });
}

/* The host has no stamp of the peer. */
static inline void expect_nothing(const struct talk *talk)
{
	const struct synpaws_outcome outcome = probe(talk);

	if (outcome.recorded)
		print_error("recorded: %u, %+d s\n", outcome.recorded_tsval,
			    (int)(outcome.recorded_at - N));
	assert_false(outcome.recorded);
	assert_true(outcome.fate == SYNPAWS_FATE_PASS || outcome.fate == SYNPAWS_FATE_NOT_CHECKED);
}

/* It has this one, made in second N + `second`. */
static inline void expect_record(const struct talk *talk, uint32_t tsval, int32_t second)
{
	const struct synpaws_outcome outcome = probe(talk);

	assert_true(outcome.recorded);
	assert_int_equal(outcome.recorded_tsval, tsval);
	assert_int_equal((int32_t)(outcome.recorded_at - N), second);
}

static inline void expect_fate(enum synpaws_fate is, enum synpaws_fate should)
{
	assert_string_equal(synpaws_fate_name(is), synpaws_fate_name(should));
}

/* How the host answers a SYN. */
enum reply { NOTHING, SYN_ACK, COOKIE, ACK, RESET };

/* A SYN between the ends of `talk`, and the host's answer 300 us later. */
static inline struct synpaws_outcome ask(const struct talk *talk, struct say syn, enum reply reply)
{
	struct talk again = *talk;
	struct talk old = *talk;

	synpaws_mirror_flush(talk->mirror);
	heard.count = 0;
	syn.flags = SYN;
	syn.no_ack = true;
	again.peer_next += (uint32_t)syn.seq;
	syn.seq = 0;
	IN(&again, .flags = SYN, .tsval = syn.tsval, .payload = syn.payload, .bare = syn.bare,
	   .md5 = syn.md5, .no_ack = true);
	wait_ms(1);
	if (reply == SYN_ACK)
		OUT(&again, .flags = SYN, .anew = true, .bare = syn.bare);
	else if (reply == COOKIE) /* window scale 7, SACK permitted */
		OUT(&again, .flags = SYN, .anew = true, .tsval = 0x70000017);
	else if (reply == ACK)
		OUT(&old, .mini = true);
	else if (reply == RESET)
		OUT(&again, .flags = RST, .anew = true, .bare = true);
	synpaws_mirror_advance(talk->mirror, now_ns + SYNPAWS_HOLD_NS); /* or silence */
	assert_int_equal(heard.count, 1);
	return heard.outcome[0];
}

static inline enum synpaws_fate fate(const struct talk *talk, struct say syn, enum reply reply)
{
	const struct synpaws_outcome outcome = ask(talk, syn, reply);

	if (outcome.contradicted)
		print_error("contradicted: %s\n", synpaws_fate_name(outcome.fate));
	assert_false(outcome.contradicted);
	return outcome.fate;
}

#define EXPECT(talk, should, reply, ...) \
	expect_fate(fate(talk, (struct say){ __VA_ARGS__ }, reply), SYNPAWS_FATE_##should)

/* A test for each evidence beyond SYNs, which it finds in *state. */
static const enum synpaws_evidence evidences[] = {
	SYNPAWS_EVIDENCE_CLOSE,
	SYNPAWS_EVIDENCE_ANSWER,
	SYNPAWS_EVIDENCE_FULL,
};

static inline enum synpaws_evidence evidence_of(void **state)
{
	return *(const enum synpaws_evidence *)*state;
}

#define EACH_EVIDENCE(test)                                      \
	unit_row(#test ", close", test, &evidences[0]),          \
		unit_row(#test ", answer", test, &evidences[1]), \
		unit_row(#test ", full", test, &evidences[2])

#endif
