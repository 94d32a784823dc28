/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "../core/siphash.h"
#include "../core/table.h"
#include "../os/clock.h"
#include "sources.h"

#define SOURCES 32768
#define WAYS	8
#define SETS	(SOURCES / WAYS)

/* So many of them have samples. */
#define BUFFERS 256

/* What is looked at to find one, or one that may give way: two cache lines. */
struct set {
	uint64_t name[WAYS];  /* 0: free */
	uint32_t heard[WAYS]; /* HEARD_NS after HEARD_NS; it wraps */
	uint32_t drops[WAYS]; /* or UINT32_MAX */
};

#define HEARD_NS 16777216

struct source {
	uint64_t syns, connections, drop_syns, drop_connections, no_timestamp, guesses;
	uint64_t first_ns, last_ns, first_drop_ns, last_drop_ns;
	uint64_t locked_from_ns, locked_until_ns, longest_ns;
	uint32_t buffer; /* index + 1; 0: none */
	uint8_t ip_version;
	uint8_t address[16];
};

struct buffer {
	struct source *owner;
	struct clocks_sample samples[CLOCKS_SAMPLES];
	size_t count;
	size_t older;	 /* the first so many are one in `stride` of their time */
	uint64_t stride; /* a power of two */
	uint64_t passed; /* samples that have come to be older */
	uint64_t left_out;
};

/* In one piece, so that it lies in huge pages. */
struct memory {
	struct set sets[SETS];
	struct source table[SOURCES];
};

struct sources {
	uint8_t hash_key[16];
	struct memory *memory;
	struct set *sets;     /* in it, */
	struct source *table; /* as this is */
	struct buffer *buffers;
	size_t buffers_used;
	size_t buffers_free; /* of those used */
	size_t hand;	     /* the next buffer that may have to give way */
	uint64_t count, hit, left_out, no_timestamp;
};

struct sources *sources_new(const uint8_t hash_key[16])
{
	struct sources *sources = calloc(1, sizeof(*sources));

	if (sources == NULL)
		return NULL;
	memcpy(sources->hash_key, hash_key, sizeof(sources->hash_key));
	sources->memory = table_new(1, sizeof(*sources->memory));
	sources->buffers = calloc(BUFFERS, sizeof(*sources->buffers));
	if (sources->memory == NULL || sources->buffers == NULL) {
		sources_free(sources);
		return NULL;
	}
	sources->sets = sources->memory->sets;
	sources->table = sources->memory->table;
	return sources;
}

void sources_free(struct sources *sources)
{
	if (sources == NULL)
		return;
	table_free(sources->memory, 1, sizeof(*sources->memory));
	free(sources->buffers);
	free(sources);
}

void sources_touch(struct sources *sources)
{
	table_touch(sources->memory, 1, sizeof(*sources->memory));
	table_touch(sources->buffers, BUFFERS, sizeof(*sources->buffers));
}

static uint64_t name_of(const struct sources *sources, uint8_t ip_version,
			const uint8_t address[16])
{
	const uint64_t name = ip_version == 4 ? siphash(sources->hash_key, address, 4)
					      : siphash(sources->hash_key, address, 16);

	return name != 0 ? name : 1;
}

uint64_t sources_name(const struct sources *sources, const struct synpaws_segment *syn)
{
	return name_of(sources, syn->ip_version, syn->source);
}

static struct source *find(const struct sources *sources, uint64_t name)
{
	const struct set *set = &sources->sets[name % SETS];
	size_t i;

	for (i = 0; i < WAYS; i++) {
		if (set->name[i] == name)
			return &sources->table[name % SETS * WAYS + i];
	}
	return NULL;
}

void sources_prefetch_set(const struct sources *sources, uint64_t name)
{
	const char *set = (const char *)&sources->sets[name % SETS];

	__builtin_prefetch(set, 1);
	__builtin_prefetch(set + sizeof(struct set) / 2, 1);
}

static uint32_t heard_at(uint64_t time_ns)
{
	return (uint32_t)(time_ns / HEARD_NS);
}

/* Of what people need least to hear: without drops, unheard for longest. */
static size_t least_of(const struct set *set, uint32_t now)
{
	size_t i, least = 0;

	for (i = 0; i < WAYS; i++) {
		if (set->name[i] == 0)
			return i;
		if (set->drops[i] < set->drops[least] ||
		    (set->drops[i] == set->drops[least] &&
		     now - set->heard[i] > now - set->heard[least]))
			least = i;
	}
	return least;
}

void sources_prefetch(const struct sources *sources, uint64_t name, uint64_t time_ns)
{
	const size_t at = name % SETS;
	const struct source *source = find(sources, name);
	const char *bytes;

	if (source == NULL) /* the place it is going to have */
		source = &sources->table[at * WAYS +
					 least_of(&sources->sets[at], heard_at(time_ns))];
	bytes = (const char *)source;
	__builtin_prefetch(bytes, 1);
	__builtin_prefetch(bytes + sizeof(*source) / 2, 1);
	__builtin_prefetch(bytes + sizeof(*source) - 1, 1);
}

static struct source *add(struct sources *sources, uint64_t name, const struct synpaws_segment *syn)
{
	struct set *set = &sources->sets[name % SETS];
	const size_t way = least_of(set, heard_at(syn->time_ns));
	struct source *source = &sources->table[name % SETS * WAYS + way];

	if (set->name[way] != 0)
		sources->left_out++;
	if (source->buffer != 0) {
		sources->buffers[source->buffer - 1].owner = NULL;
		sources->buffers_free++;
	}
	memset(source, 0, sizeof(*source));
	set->name[way] = name;
	set->drops[way] = 0;
	source->ip_version = syn->ip_version;
	memcpy(source->address, syn->source, sizeof(source->address));
	source->first_ns = syn->time_ns;
	sources->count++;
	return source;
}

/* A buffer that nobody has, or whose owner has fewer drops. One look at a few of them has to do. */
static struct buffer *find_buffer(struct sources *sources, const struct source *source)
{
	struct buffer *least = NULL;
	size_t i;

	if (sources->buffers_used < BUFFERS)
		return &sources->buffers[sources->buffers_used++];
	if (sources->buffers_free == 0 && source->drop_syns == 0)
		return NULL;
	for (i = 0; i < WAYS; i++) {
		struct buffer *buffer = &sources->buffers[sources->hand++ % BUFFERS];

		if (buffer->owner == NULL) {
			sources->buffers_free--;
			return buffer;
		}
		if (least == NULL || buffer->owner->drop_syns < least->owner->drop_syns)
			least = buffer;
	}
	if (least->owner->drop_syns >= source->drop_syns)
		return NULL;
	least->owner->buffer = 0;
	return least;
}

static struct buffer *buffer_of(struct sources *sources, struct source *source)
{
	struct buffer *buffer;

	if (source->buffer != 0)
		return &sources->buffers[source->buffer - 1];
	buffer = find_buffer(sources, source);
	if (buffer == NULL)
		return NULL;
	buffer->owner = source;
	buffer->count = buffer->older = 0;
	buffer->stride = 1;
	buffer->passed = 0;
	buffer->left_out = source->syns - 1;
	source->buffer = (uint32_t)(buffer - sources->buffers) + 1;
	return buffer;
}

static void cut_out(struct buffer *buffer, size_t to, size_t from)
{
	memmove(&buffer->samples[to], &buffer->samples[from],
		(buffer->count - from) * sizeof(buffer->samples[0]));
	buffer->count -= from - to;
	buffer->left_out += from - to;
}

/*
 * What was sampled last is kept as it came, since clocks are told by what is close in time; what is
 * older joins the samples of all the time before, which stay evenly spread.
 */
static void make_older(struct buffer *buffer)
{
	const size_t end = buffer->older + CLOCKS_SAMPLES / 4;
	size_t i, kept = buffer->older;

	for (i = buffer->older; i < end; i++) {
		if (buffer->passed++ % buffer->stride == 0)
			buffer->samples[kept++] = buffer->samples[i];
	}
	buffer->older = kept;
	cut_out(buffer, kept, end);
	if (buffer->older <= CLOCKS_SAMPLES / 2)
		return;
	for (i = 0; 2 * i < buffer->older; i++)
		buffer->samples[i] = buffer->samples[2 * i];
	cut_out(buffer, i, buffer->older);
	buffer->older = i;
	buffer->stride *= 2;
}

static void sample(struct sources *sources, struct source *source, const struct sources_syn *syn)
{
	const struct synpaws_segment *seg = &syn->seg;
	const struct synpaws_outcome *outcome = &syn->outcome;
	struct buffer *buffer = buffer_of(sources, source);
	struct clocks_sample *to;

	if (buffer == NULL)
		return;
	while (buffer->count == CLOCKS_SAMPLES)
		make_older(buffer);
	to = &buffer->samples[buffer->count++];
	memset(to, 0, sizeof(*to));
	to->time_ns = seg->time_ns;
	to->connection = syn->connection;
	to->host = name_of(sources, seg->ip_version, seg->destination);
	to->tsval = seg->tsval;
	to->source_port = seg->source_port;
	to->has_timestamp = seg->has_timestamp;
	to->dropped = outcome->fate == SYNPAWS_FATE_PAWS_DROP;
	to->recorded = outcome->recorded;
	to->recorded_tsval = outcome->recorded_tsval;
	to->recorded_at = outcome->recorded_at;
}

/* A lock-out goes on as long as the next drop comes while the one before would still be dropped. */
static void note_drop(struct sources *sources, struct source *source,
		      const struct synpaws_segment *syn, const struct synpaws_outcome *outcome,
		      bool is_new)
{
	const uint64_t until = syn->time_ns + outcome->wait * NS_PER_SECOND;

	if (source->drop_syns++ == 0) {
		sources->hit++;
		source->first_drop_ns = syn->time_ns;
	}
	source->drop_connections += is_new;
	source->guesses += outcome->guess;
	source->last_drop_ns = syn->time_ns;
	if (syn->time_ns > source->locked_until_ns)
		source->locked_from_ns = syn->time_ns;
	if (until > source->locked_until_ns)
		source->locked_until_ns = until;
	if (syn->time_ns - source->locked_from_ns > source->longest_ns)
		source->longest_ns = syn->time_ns - source->locked_from_ns;
}

void sources_take(struct sources *sources, const struct sources_syn *syn)
{
	struct set *set = &sources->sets[syn->name % SETS];
	struct source *source = find(sources, syn->name);
	size_t way;

	if (source == NULL)
		source = add(sources, syn->name, &syn->seg);
	way = (size_t)(source - sources->table) % WAYS;
	source->syns++;
	source->connections += syn->is_new;
	source->no_timestamp += !syn->seg.has_timestamp;
	sources->no_timestamp += !syn->seg.has_timestamp;
	source->last_ns = syn->seg.time_ns;
	set->heard[way] = heard_at(syn->seg.time_ns);
	if (syn->outcome.fate == SYNPAWS_FATE_PAWS_DROP) {
		note_drop(sources, source, &syn->seg, &syn->outcome, syn->is_new_drop);
		set->drops[way] += set->drops[way] < UINT32_MAX;
	}
	sample(sources, source, syn);
}

uint64_t sources_count(const struct sources *sources)
{
	return sources->count;
}

uint64_t sources_hit(const struct sources *sources)
{
	return sources->hit;
}

uint64_t sources_left_out(const struct sources *sources)
{
	return sources->left_out;
}

uint64_t sources_no_timestamp(const struct sources *sources)
{
	return sources->no_timestamp;
}

static bool is_worse(const struct source *a, const struct source *b)
{
	if (a->drop_connections != b->drop_connections)
		return a->drop_connections > b->drop_connections;
	if (a->drop_syns != b->drop_syns)
		return a->drop_syns > b->drop_syns;
	if (a->connections != b->connections)
		return a->connections > b->connections;
	return memcmp(a->address, b->address, sizeof(a->address)) < 0;
}

static void show(struct sources *sources, const struct source *source, struct report_source *to)
{
	memset(to, 0, sizeof(*to));
	to->ip_version = source->ip_version;
	memcpy(to->address, source->address, sizeof(to->address));
	to->syns = source->syns;
	to->connections = source->connections;
	to->drop_syns = source->drop_syns;
	to->drop_connections = source->drop_connections;
	to->no_timestamp = source->no_timestamp;
	to->guesses = source->guesses;
	to->longest_ns = source->longest_ns;
	to->first_ns = source->first_ns;
	to->last_ns = source->last_ns;
	to->first_drop_ns = source->first_drop_ns;
	to->last_drop_ns = source->last_drop_ns;
	to->samples_left_out = source->syns;
	if (source->buffer != 0) {
		const struct buffer *buffer = &sources->buffers[source->buffer - 1];

		to->samples = buffer->samples;
		to->sample_count = buffer->count;
		to->samples_left_out = buffer->left_out;
	}
	clocks_judge(to->samples, to->sample_count, &to->verdict);
}

/* Keep `list` sorted, worst first. */
static size_t insert(const struct source **list, size_t count, size_t room,
		     const struct source *source)
{
	size_t at = count;

	while (at > 0 && is_worse(source, list[at - 1]))
		at--;
	if (at == room)
		return count;
	if (count == room)
		count--;
	memmove(&list[at + 1], &list[at], (count - at) * sizeof(*list));
	list[at] = source;
	return count + 1;
}

size_t sources_worst(struct sources *sources, struct report_source *list, size_t room)
{
	const struct source *worst[REPORT_SOURCES];
	size_t count = 0, i;

	if (room > REPORT_SOURCES)
		room = REPORT_SOURCES;
	for (i = 0; i < SOURCES; i++) {
		if (sources->table[i].syns != 0)
			count = insert(worst, count, room, &sources->table[i]);
	}
	for (i = 0; i < count; i++)
		show(sources, worst[i], &list[i]);
	return count;
}

bool sources_find(struct sources *sources, uint8_t ip_version, const uint8_t address[16],
		  struct report_source *source)
{
	const struct source *found = find(sources, name_of(sources, ip_version, address));

	if (found != NULL)
		show(sources, found, source);
	return found != NULL;
}
