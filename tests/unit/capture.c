/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds src/source/capture.c to its order: packets of several files come by time, at the same time
 * by the order of the files, and those of one file as they stand in it; and to giving what is in
 * each format of file, of standard input too, with IP fragments made whole. capture_refused.c has
 * the files that cannot be read, or not to their end; capture_link.c the link layers.
 */
#include "packet.h"
#include "savefile.h"

#define NS     1000000000ULL
#define TIME   (UNIT_SECOND * NS + 123456789)
#define FILES  5
#define FRAMES 60

static uint64_t dice;

static void expect_end(struct capture *capture)
{
	struct capture_packet packet;
	int i;

	for (i = 0; i < 3; i++)
		assert_int_equal(capture_next(capture, &packet), CAPTURE_END);
}

static struct capture_packet expect_packet(struct capture *capture)
{
	struct capture_packet packet;

	assert_int_equal(capture_next(capture, &packet), CAPTURE_PACKET);
	return packet;
}

static void test_each_format_in_both_byte_orders(void **state)
{
	const struct packet_made syn = packet_syn4(33);
	struct savefile file;
	enum savefile_format format;
	uint64_t i;
	int big;

	(void)state;
	if (!savefile_readable(__func__, SAVEFILE_NG))
		return;
	for (format = SAVEFILE_MICRO; format < SAVEFILE_FORMATS; format++) {
		for (big = 0; big < 2; big++) {
			struct capture *capture;

			savefile_start(&file, format, big != 0, SAVEFILE_RAW);
			for (i = 0; i < 4; i++)
				savefile_frame(&file, TIME + i * NS, syn.bytes,
					       syn.length - (size_t)i, syn.length);
			capture = savefile_open(&file, 1);
			for (i = 0; i < 4; i++) {
				const struct capture_packet packet = expect_packet(capture);
				const uint64_t time_ns = TIME + i * NS;

				assert_int_equal(packet.time_ns, format == SAVEFILE_MICRO
									 ? time_ns - time_ns % 1000
									 : time_ns);
				assert_int_equal(packet.captured, syn.length - i);
				assert_int_equal(packet.length, syn.length);
				assert_memory_equal(packet.bytes, syn.bytes, packet.captured);
			}
			expect_end(capture);
			assert_null(capture_error(capture, 0));
			capture_close(capture);
		}
	}
}

/* A frame of which the file says that it has more bytes than there were is as long as it is. */
static void test_lengths_and_times_that_cannot_be(void **state)
{
	const struct packet_made syn = packet_syn4(0);
	struct capture_packet packet;
	struct capture *capture;
	struct savefile file;

	(void)state;
	savefile_start(&file, SAVEFILE_MICRO, false, SAVEFILE_RAW);
	savefile_frame(&file, 0, syn.bytes, syn.length, 10);
	savefile_number(&file, UINT64_MAX, 8); /* seconds and, far too many, microseconds */
	savefile_number(&file, syn.length, 4);
	savefile_number(&file, syn.length, 4);
	savefile_put(&file, syn.bytes, syn.length);
	capture = savefile_open(&file, 1);
	packet = expect_packet(capture);
	assert_int_equal(packet.time_ns, 0);
	assert_int_equal(packet.captured, syn.length);
	assert_int_equal(packet.length, syn.length);
	packet = expect_packet(capture);
	assert_true(packet.time_ns <= (UINT32_MAX + 1ULL) * NS);
	assert_int_equal(packet.captured, syn.length);
	expect_end(capture);
	capture_close(capture);
}

/* A frame that says by its TTL what number it has. */
static void put_numbered(struct savefile *file, uint64_t second, uint8_t number)
{
	struct packet_made syn = packet_syn4(0);

	syn.bytes[8] = number;
	savefile_frame(file, second * NS, syn.bytes, syn.length, syn.length);
}

static void expect_numbers(struct capture *capture, const uint8_t *numbers, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		assert_int_equal(expect_packet(capture).bytes[8], numbers[i]);
	expect_end(capture);
}

static void start_files(struct savefile *files, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		savefile_start(&files[i], SAVEFILE_MICRO, i % 2 != 0, SAVEFILE_RAW);
}

static void test_files_side_by_side(void **state)
{
	static const uint8_t order[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };
	struct savefile files[4];
	struct capture *capture;

	(void)state;
	start_files(files, COUNT(files));
	put_numbered(&files[0], 10, 2);
	put_numbered(&files[0], 20, 4);
	put_numbered(&files[0], 20, 5); /* the same time: the order of the files */
	put_numbered(&files[1], 5, 1);
	put_numbered(&files[1], 20, 6);
	put_numbered(&files[3], 15, 3); /* and one file without any */
	put_numbered(&files[3], 20, 7);
	put_numbered(&files[3], 20, 8);
	put_numbered(&files[3], 99, 9);
	capture = savefile_open(files, COUNT(files));
	expect_numbers(capture, order, COUNT(order));
	assert_int_equal(capture_counters(capture).packets, COUNT(order));
	assert_int_equal(capture_counters(capture).out_of_order, 0);
	capture_close(capture);
}

static void test_time_that_steps_back(void **state)
{
	static const uint8_t order[] = { 1, 2, 3, 4, 5, 6 };
	struct savefile files[2];
	struct capture *capture;

	(void)state;
	start_files(files, COUNT(files));
	put_numbered(&files[0], 20, 2);
	put_numbered(&files[0], 10, 3); /* after the one before it, and at once */
	put_numbered(&files[0], 15, 4); /* that is not before 10, but before 20 */
	put_numbered(&files[0], 20, 5);
	put_numbered(&files[1], 12, 1);
	put_numbered(&files[1], 21, 6);
	capture = savefile_open(files, COUNT(files));
	expect_numbers(capture, order, COUNT(order));
	assert_int_equal(capture_counters(capture).out_of_order, 2);
	capture_close(capture);
}

/* Against a sort by time, file and place in the file, which is another way to the same. */
static void test_random_files(void **state)
{
	struct savefile files[FILES];
	uint64_t times[FILES][FRAMES];
	struct capture *capture;
	size_t i, k;

	(void)state;
	start_files(files, FILES);
	for (i = 0; i < FILES; i++) {
		uint64_t second = 0;

		for (k = 0; k < FRAMES; k++) {
			second += unit_below(&dice, 3);
			times[i][k] = second;
			put_numbered(&files[i], second, (uint8_t)(i * 50 + k % 50));
		}
	}
	capture = savefile_open(files, FILES);
	for (k = 0; k < (size_t)2 * FRAMES; k++) { /* each second, each file, each frame */
		size_t j;

		for (i = 0; i < FILES; i++) {
			for (j = 0; j < FRAMES; j++) {
				struct capture_packet packet;

				if (times[i][j] != k)
					continue;
				packet = expect_packet(capture);
				assert_int_equal(packet.time_ns, k * NS);
				assert_int_equal(packet.bytes[8], i * 50 + j % 50);
			}
		}
	}
	expect_end(capture);
	capture_close(capture);
}

/* The first and the last 32 bytes of the segment of a SYN with data. */
static void put_halves(struct savefile *file, uint64_t second, unsigned int halves)
{
	const struct packet_made whole = packet_syn4(24);
	unsigned int half;

	for (half = 1; half <= 2; half++) {
		struct packet_made p = whole;

		if ((halves & half) == 0)
			continue;
		memmove(p.bytes + 20, p.bytes + 20 + (half - 1) * 32, 32);
		packet_put16(p.bytes + 2, 52);
		packet_put16(p.bytes + 6, half == 1 ? 0x2000 : 4);
		packet_put16(p.bytes + 10, 0);
		packet_put16(p.bytes + 10, ~packet_sum(0, p.bytes, 20) & 0xffff);
		savefile_frame(file, second * NS, p.bytes, 52, 52);
	}
}

static void test_fragments_of_one_file_and_of_two(void **state)
{
	struct savefile files[2];
	struct capture *capture;
	struct synpaws_segment seg;
	int i;

	(void)state;
	start_files(files, COUNT(files));
	put_halves(&files[0], 1, 3);
	put_halves(&files[0], 2, 1); /* over two gateways */
	put_halves(&files[1], 3, 2);
	put_halves(&files[1], 4, 2); /* never whole */
	capture = savefile_open(files, COUNT(files));
	for (i = 0; i < 2; i++) {
		const struct capture_packet packet = expect_packet(capture);

		assert_int_equal(packet.time_ns, i == 0 ? NS : 3 * NS);
		assert_int_equal(packet.length, 84);
		assert_int_equal(
			packet_decode(&seg, packet.bytes, packet.captured, packet.length, 0),
			SYNPAWS_DECODE_OK);
		assert_int_equal(seg.payload, 24);
	}
	expect_end(capture);
	assert_int_equal(capture_counters(capture).packets, 5);
	assert_int_equal(capture_counters(capture).fragments_lost, 1);
	capture_close(capture);
}

/* Let standard input be what these bytes come through a pipe, and open it. */
static struct capture *open_pipe(const struct savefile *file)
{
	const char *const input = "-";
	struct capture *capture;
	char why[256] = "";
	int pipes[2];

	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(write(pipes[1], file->bytes, file->length), file->length);
	close(pipes[1]);
	assert_int_equal(dup2(pipes[0], STDIN_FILENO), STDIN_FILENO);
	close(pipes[0]);
	clearerr(stdin);
	capture = capture_open(&input, 1, why, sizeof(why));
	if (capture == NULL)
		fail_msg("%s", why);
	return capture;
}

static void test_standard_input(void **state)
{
	static const uint8_t order[] = { 1, 2 };
	struct capture *capture;
	struct savefile file;

	(void)state;
	start_files(&file, 1);
	put_numbered(&file, 1, 1);
	put_numbered(&file, 2, 2);
	capture = open_pipe(&file);
	expect_numbers(capture, order, COUNT(order));
	assert_null(capture_error(capture, 0));
	capture_close(capture);
	assert_int_equal(fcntl(STDIN_FILENO, F_GETFD), 0); /* it is not ours to close */
	file.length -= 3;
	capture = open_pipe(&file);
	expect_numbers(capture, order, 1);
	assert_non_null(strstr(capture_error(capture, 0), "standard input: cut short after"));
	capture_close(capture);
}

static void test_no_files_and_nothing_in_them(void **state)
{
	struct savefile files[2];
	struct capture *capture;

	(void)state;
	capture = savefile_open(NULL, 0);
	expect_end(capture);
	capture_close(capture);
	start_files(files, COUNT(files));
	capture = savefile_open(files, COUNT(files));
	expect_end(capture);
	assert_null(capture_error(capture, 0));
	assert_int_equal(capture_counters(capture).packets, 0);
	capture_close(capture);
	capture_close(NULL);
}

int main(void)
{
	const struct CMUnitTest capture[] = {
		cmocka_unit_test(test_each_format_in_both_byte_orders),
		cmocka_unit_test(test_lengths_and_times_that_cannot_be),
		cmocka_unit_test(test_files_side_by_side),
		cmocka_unit_test(test_time_that_steps_back),
		cmocka_unit_test(test_random_files),
		cmocka_unit_test(test_fragments_of_one_file_and_of_two),
		cmocka_unit_test(test_standard_input),
		cmocka_unit_test(test_no_files_and_nothing_in_them),
	};

	if (!savefile_readable("capture", SAVEFILE_MICRO))
		return 0;
	dice = unit_seed("capture");
	return cmocka_run_group_tests(capture, NULL, NULL);
}
