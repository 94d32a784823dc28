/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds src/cmd/reader.c to handing on what is in captures, though one thread reads them and
 * another judges: every packet once and in order, over more loads than there are places for; all
 * that lies before a damage; nothing any more after a no; and out of a pipe each packet at once,
 * which whoever writes into it may be waiting for. replay.c tests what is made of it.
 *
 * Each SYN bears its number as sequence number.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/wait.h>

#include "cmd/reader.h"
#include "packet.h"

#define HANG_SEC 60
#define MANY	 9000 /* more than all loads hold */
#define NS	 1000000000ULL

/* What the reader has handed on. */
struct taken {
	uint64_t count, limit; /* it says no when it has so many */
	uint32_t step;	       /* from number to number */
	uint64_t decoded[SYNPAWS_DECODE_KINDS];
	uint64_t calls_after_no;
	pthread_t thread;
	int answer; /* to tell of each, or -1 */
	bool at_once;
};

static char directory[64], paths[3][128];
static const char *const files[] = { paths[0], paths[1], paths[2] };
static int err = -1;

static void put(FILE *file, const void *bytes, size_t length)
{
	assert_int_equal(fwrite(bytes, 1, length, file), length);
}

/* pcap with nanoseconds, raw IP */
static void put_header(FILE *file)
{
	const uint32_t header[6] = { 0xa1b23c4d, 4 << 16 | 2, 0, 0, 65535, 101 };

	put(file, header, sizeof(header));
}

static void put_packet(FILE *file, const struct packet_made *packet, uint64_t ns)
{
	const uint32_t header[4] = { UNIT_SECOND + (uint32_t)(ns / NS), (uint32_t)(ns % NS),
				     (uint32_t)packet->length, (uint32_t)packet->length };

	put(file, header, sizeof(header));
	put(file, packet->bytes, packet->length);
}

static void put_syn(FILE *file, uint32_t number, uint64_t ns)
{
	struct packet_made packet = packet_syn4(0);

	packet_put32(packet.bytes + packet.tcp + 4, number);
	packet_finish(&packet);
	put_packet(file, &packet, ns);
}

/* SYNs `first`, `first` + `step` and so on, a microsecond each. */
static void make_capture(size_t file, uint32_t first, uint32_t step, uint32_t count)
{
	FILE *out = fopen(paths[file], "w");
	uint32_t i;

	assert_non_null(out);
	put_header(out);
	for (i = 0; i < count; i++)
		put_syn(out, first + i * step, (first + (uint64_t)i * step) * 1000);
	assert_int_equal(fclose(out), 0);
}

static void count_decoded(void *context, enum synpaws_decode result, uint64_t count)
{
	struct taken *taken = context;

	taken->calls_after_no += taken->count >= taken->limit;
	taken->decoded[result] += count;
}

static bool take(void *context, const struct synpaws_segment *segs, size_t count)
{
	struct taken *taken = context;
	size_t i;

	assert_true(count > 0);
	assert_true(pthread_equal(pthread_self(), taken->thread));
	taken->calls_after_no += taken->count >= taken->limit;
	for (i = 0; i < 3000 && count > 1; i++) /* who reads may be ahead as far as it can */
		sched_yield();
	for (i = 0; i < count; i++) {
		assert_int_equal(segs[i].seq, taken->count * taken->step);
		assert_true(segs[i].time_ns % NS == taken->count * taken->step * 1000 % NS);
		assert_true(segs[i].order_ns == segs[i].time_ns);
		assert_int_equal(segs[i].second, segs[i].time_ns / NS);
		taken->count++;
	}
	if (taken->at_once) {
		assert_int_equal(count, 1);
		assert_int_equal(taken->decoded[SYNPAWS_DECODE_OK], taken->count);
		assert_int_equal(write(taken->answer, "", 1), 1);
	}
	return taken->count < taken->limit;
}

static struct reader reader_of(const char *const *names, size_t count, struct taken *taken)
{
	const struct reader reader = { .files = names,
				       .file_count = count,
				       .decode = count_decoded,
				       .take = take,
				       .context = taken };

	memset(taken, 0, sizeof(*taken));
	taken->limit = UINT64_MAX;
	taken->step = 1;
	taken->thread = pthread_self();
	return reader;
}

static void test_more_than_the_loads_hold(void **state)
{
	struct taken taken;
	struct reader reader = reader_of(files, 1, &taken);

	(void)state;
	make_capture(0, 0, 1, MANY);
	assert_true(reader_read(&reader));
	assert_int_equal(taken.count, MANY);
	assert_int_equal(taken.decoded[SYNPAWS_DECODE_OK], MANY);
	assert_int_equal(reader.packets, MANY);
	assert_int_equal(reader.syns, MANY);
	assert_true(reader.first_ns == UNIT_SECOND * NS);
	assert_true(reader.last_ns == UNIT_SECOND * NS + (MANY - 1) * 1000ULL);
	assert_true(reader.watched_ns == (MANY - 1) * 1000ULL);
	assert_int_equal(reader_tally(&reader).offered, MANY);
	assert_int_equal(reader_errors(&reader), 0);
	reader_close(&reader);
}

/* Every size around that of a load, and none at all. */
static void test_around_a_load(void **state)
{
	static const uint32_t counts[] = { 0, 1, 2, 1023, 1024, 1025, 2047, 2048, 4096, 4097 };
	struct taken taken;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(counts); i++) {
		struct reader reader = reader_of(files, 1, &taken);

		make_capture(0, 0, 1, counts[i]);
		assert_true(reader_read(&reader));
		assert_int_equal(taken.count, counts[i]);
		assert_int_equal(reader_errors(&reader), 0);
		reader_close(&reader);
	}
}

/* Side by side: each holds every third SYN. */
static void test_several_captures(void **state)
{
	struct taken taken;
	struct reader reader = reader_of(files, 3, &taken);
	uint32_t i;

	(void)state;
	for (i = 0; i < 3; i++)
		make_capture(i, i, 3, MANY / 3);
	assert_true(reader_read(&reader));
	assert_int_equal(taken.count, MANY);
	assert_int_equal(reader_tally(&reader).offered, MANY);
	assert_int_equal(reader_tally(&reader).out_of_order, 0);
	reader_close(&reader);
}

/* One ends in the middle of a packet: what is before it, and all of the other. */
static void test_a_damaged_capture(void **state)
{
	struct taken taken;
	struct reader reader = reader_of(files, 2, &taken);

	(void)state;
	taken.step = 2;
	make_capture(0, 0, 4, 2500);
	make_capture(1, 2, 4, 3000);
	assert_int_equal(truncate(paths[1], 24 + 2500 * (16 + 60) + 40), 0);
	assert_true(reader_read(&reader));
	assert_int_equal(taken.count, 5000);
	assert_int_equal(reader_errors(&reader), 1);
	assert_int_equal(reader_tally(&reader).capture_errors, 1);
	reader_close(&reader);
}

/* At the first load, and later, while the other thread has all places full or none. */
static void test_a_no_ends_it(void **state)
{
	static const uint64_t limits[] = { 1, 1024, 1025, 5000, MANY };
	struct taken taken;
	size_t i;

	(void)state;
	make_capture(0, 0, 1, MANY);
	for (i = 0; i < 20 * COUNT(limits); i++) {
		struct reader reader = reader_of(files, 1, &taken);

		taken.limit = limits[i % COUNT(limits)];
		assert_true(reader_read(&reader));
		assert_in_range(taken.count, taken.limit, taken.limit + 1023);
		assert_int_equal(taken.calls_after_no, 0);
		reader_close(&reader);
	}
}

/* Loads without a segment are not taken, but what they held is counted. */
static void test_nothing_to_judge(void **state)
{
	struct packet_made packet = packet_syn4(0);
	FILE *out = fopen(paths[0], "w");
	struct taken taken;
	struct reader reader = reader_of(files, 1, &taken);
	uint32_t i;

	(void)state;
	assert_non_null(out);
	put_header(out);
	packet.bytes[packet.tcp + 16] ^= 1; /* the checksum */
	for (i = 0; i < 3000; i++)
		put_packet(out, &packet, i);
	packet.bytes[9] = 17;
	packet.bytes[11] = (uint8_t)(packet.bytes[11] - 11);
	put_packet(out, &packet, 200 * NS);
	assert_int_equal(fclose(out), 0);
	assert_true(reader_read(&reader));
	assert_int_equal(taken.count, 0);
	assert_int_equal(taken.decoded[SYNPAWS_DECODE_CHECKSUM], 3000);
	assert_int_equal(taken.decoded[SYNPAWS_DECODE_NOT_TCP], 1);
	assert_int_equal(reader.syns, 0);
	assert_true(reader.watched_ns == 60 * NS + 2999); /* not what nobody may have watched */
	reader_close(&reader);
}

/* The child writes a packet when the one before it has been judged. */
static void write_one_by_one(int out, int answers, uint32_t count)
{
	FILE *file = fdopen(out, "w");
	uint32_t i;
	char byte;

	alarm(HANG_SEC);
	put_header(file);
	for (i = 0; i < count; i++) {
		put_syn(file, i, (uint64_t)i * 1000);
		if (fflush(file) != 0 || read(answers, &byte, 1) != 1)
			_exit(1);
	}
	_exit(0);
}

static void test_a_pipe_is_read_packet_by_packet(void **state)
{
	static const char *const standard_input[] = { "-" };
	const int before = dup(STDIN_FILENO);
	int data[2], answers[2], status;
	struct taken taken;
	struct reader reader = reader_of(standard_input, 1, &taken);
	pid_t child;

	(void)state;
	assert_int_equal(pipe(data), 0);
	assert_int_equal(pipe(answers), 0);
	fflush(NULL);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		close(data[0]);
		close(answers[1]);
		write_one_by_one(data[1], answers[0], 300);
	}
	close(data[1]);
	close(answers[0]);
	assert_true(dup2(data[0], STDIN_FILENO) >= 0);
	close(data[0]);
	taken.at_once = true;
	taken.answer = answers[1];
	assert_true(reader_read(&reader));
	assert_int_equal(taken.count, 300);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_int_equal(reader_errors(&reader), 0);
	reader_close(&reader);
	close(answers[1]);
	if (before >= 0) {
		dup2(before, STDIN_FILENO);
		close(before);
	}
}

static void test_nothing_to_read(void **state)
{
	struct taken taken;
	struct reader reader = reader_of(files, 2, &taken);

	(void)state;
	make_capture(0, 0, 1, 3);
	unlink(paths[1]);
	assert_false(reader_read(&reader));
	assert_int_equal(taken.count, 0);
}

/* Complaints are the reader's to make, and not for the log of these tests. */
static int set_up(void **state)
{
	const int null = open("/dev/null", O_WRONLY);

	(void)state;
	alarm(HANG_SEC);
	fflush(stderr);
	err = dup(STDERR_FILENO);
	dup2(null, STDERR_FILENO);
	close(null);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fflush(stderr);
	dup2(err, STDERR_FILENO);
	close(err);
	alarm(0);
	return 0;
}

static int make_directory(void **state)
{
	size_t i;

	(void)state;
	snprintf(directory, sizeof(directory), "/tmp/synpaws-reader.XXXXXX");
	if (mkdtemp(directory) == NULL)
		return -1;
	for (i = 0; i < COUNT(paths); i++)
		snprintf(paths[i], sizeof(paths[i]), "%s/%zu.pcap", directory, i);
	return 0;
}

static int remove_directory(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(paths); i++)
		unlink(paths[i]);
	return rmdir(directory);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest reader[] = {
		TEST(test_more_than_the_loads_hold),
		TEST(test_around_a_load),
		TEST(test_several_captures),
		TEST(test_a_damaged_capture),
		TEST(test_a_no_ends_it),
		TEST(test_nothing_to_judge),
		TEST(test_a_pipe_is_read_packet_by_packet),
		TEST(test_nothing_to_read),
	};

	if (!capture_available()) {
		printf("skip reader: this build has no libpcap\n");
		return 0;
	}
	return cmocka_run_group_tests(reader, make_directory, remove_directory);
}
