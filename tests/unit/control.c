/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds src/os/control.c to a protocol in which nobody waits and nobody can be hurt: words arrive
 * whole and in order, a descriptor arrives with its word and with none other, and the end of the
 * other side is told from silence. The analyst's side may be in a stranger's hands, so whatever is
 * sent to the receiver must neither stop it nor leave descriptors open in it.
 */
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "os/control.h"

#define HANG_SEC 30

struct line {
	int near, far;
};

static int connect_line(void **state)
{
	static struct line line;
	int fds[2];

	assert_int_equal(control_pair(fds), 0);
	line.near = fds[0];
	line.far = fds[1];
	*state = &line;
	alarm(HANG_SEC);
	return 0;
}

static int disconnect_line(void **state)
{
	const struct line *line = *state;

	alarm(0);
	close(line->near);
	if (line->far >= 0)
		close(line->far);
	return 0;
}

static int open_descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	int n = 0;

	assert_non_null(directory);
	while (readdir(directory) != NULL)
		n++;
	closedir(directory);
	return n;
}

static void expect_word(const struct line *line, int word)
{
	int passed = 99;

	assert_int_equal(control_receive(line->near, &passed), word);
	assert_int_equal(passed, -1);
}

static void test_words_arrive_in_order(void **state)
{
	static const enum control words[] = { CONTROL_SUMMARY, CONTROL_LOG, CONTROL_FINISH,
					      CONTROL_SUMMARY };
	const struct line *line = *state;
	size_t i;

	for (i = 0; i < COUNT(words); i++)
		assert_int_equal(control_send(line->far, words[i], -1), 0);
	for (i = 0; i < COUNT(words); i++)
		expect_word(line, words[i]);
	expect_word(line, CONTROL_NONE);
	assert_int_equal(control_send(line->near, CONTROL_LOG, -1), 0);
	expect_word(&(struct line){ line->far, line->near }, CONTROL_LOG);
}

static void test_silence_is_none(void **state)
{
	const struct line *line = *state;

	expect_word(line, CONTROL_NONE);
	expect_word(line, CONTROL_NONE);
}

/* What was said before the end is still heard. */
static void test_the_end_of_the_other_side(void **state)
{
	struct line *line = *state;

	control_send(line->far, CONTROL_SUMMARY, -1);
	close(line->far);
	line->far = -1;
	expect_word(line, CONTROL_SUMMARY);
	expect_word(line, CONTROL_GONE);
	expect_word(line, CONTROL_GONE);
	assert_int_equal(control_send(line->near, CONTROL_FINISH, -1), -1);
	assert_int_equal(errno, EPIPE); /* and no SIGPIPE has come */
}

static void test_a_descriptor_comes_with_its_word(void **state)
{
	const struct line *line = *state;
	int ends[2], passed;
	char byte = 0;

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(control_send(line->far, CONTROL_SUMMARY, -1), 0);
	assert_int_equal(control_send(line->far, CONTROL_LOG, ends[1]), 0);
	assert_int_equal(control_send(line->far, CONTROL_FINISH, -1), 0);
	close(ends[1]);
	expect_word(line, CONTROL_SUMMARY);
	assert_int_equal(control_receive(line->near, &passed), CONTROL_LOG);
	assert_true(passed >= 0);
	assert_true((fcntl(passed, F_GETFD) & FD_CLOEXEC) != 0);
	assert_int_equal(write(passed, "x", 1), 1);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	assert_int_equal(byte, 'x');
	close(passed);
	assert_int_equal(read(ends[0], &byte, 1), 0); /* no other copy is left */
	close(ends[0]);
	expect_word(line, CONTROL_FINISH);
}

static void test_the_pair_is_closed_on_exec_and_never_blocks(void **state)
{
	const struct line *line = *state;

	assert_true((fcntl(line->near, F_GETFD) & FD_CLOEXEC) != 0);
	assert_true((fcntl(line->far, F_GETFD) & FD_CLOEXEC) != 0);
	assert_true((fcntl(line->near, F_GETFL) & O_NONBLOCK) != 0);
	assert_true((fcntl(line->far, F_GETFL) & O_NONBLOCK) != 0);
}

/* Nobody listens: sending fails instead of waiting, and what had fitted is still there. */
static void test_a_full_line_never_blocks(void **state)
{
	const struct line *line = *state;
	unsigned int sent = 0, received = 0;
	int passed;

	while (sent < 1000000 && control_send(line->far, CONTROL_LOG, -1) == 0)
		sent++;
	assert_in_range(sent, 1, 999999);
	assert_true(errno == EAGAIN || errno == ENOBUFS);
	while (control_receive(line->near, &passed) == CONTROL_LOG)
		received++;
	assert_int_equal(received, sent);
}

/* Sends `bytes` with these descriptors, as only a stranger would. */
static void send_raw(int fd, const char *bytes, size_t length, const int *passed, size_t count)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(8 * sizeof(int))];
	} ancillary;
	struct iovec buffer = { .iov_base = (void *)(uintptr_t)bytes, .iov_len = length };
	struct msghdr message = { .msg_iov = &buffer, .msg_iovlen = 1 };
	struct cmsghdr *header;

	memset(&ancillary, 0, sizeof(ancillary));
	if (count > 0) {
		message.msg_control = ancillary.bytes;
		message.msg_controllen = CMSG_SPACE(count * sizeof(int));
		header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(header), passed, count * sizeof(int));
	}
	assert_int_equal(sendmsg(fd, &message, MSG_NOSIGNAL), length);
}

/* Only the first letter counts, and letters without meaning are no words. */
static void test_strange_messages(void **state)
{
	const struct line *line = *state;
	int passed, letter;

	send_raw(line->far, "SFL", 3, NULL, 0);
	expect_word(line, CONTROL_SUMMARY);
	expect_word(line, CONTROL_NONE);
	for (letter = 0; letter < 256; letter++) {
		const char byte = (char)letter;

		send_raw(line->far, &byte, 1, NULL, 0);
		passed = 99;
		control_receive(line->near, &passed);
		assert_int_equal(passed, -1);
		expect_word(line, CONTROL_NONE);
	}
}

/* However many come with a word: one goes to the caller, or all are closed. */
static void test_more_descriptors_than_one_are_not_left_open(void **state)
{
	const struct line *line = *state;
	const int many[8] = { 0, 0, 0, 0, 0, 0, 0, 0 };
	const int before = open_descriptors();
	size_t count;
	int passed;

	for (count = 1; count <= COUNT(many); count++) {
		send_raw(line->far, "L", 1, many, count);
		control_receive(line->near, &passed);
		if (passed >= 0)
			close(passed);
		if (open_descriptors() != before)
			fail_msg("%zu were sent, %d are left open", count,
				 open_descriptors() - before);
	}
}

#define LINE(test) cmocka_unit_test_setup_teardown(test, connect_line, disconnect_line)

int main(void)
{
	const struct CMUnitTest control[] = {
		LINE(test_words_arrive_in_order),
		LINE(test_silence_is_none),
		LINE(test_the_end_of_the_other_side),
		LINE(test_a_descriptor_comes_with_its_word),
		LINE(test_the_pair_is_closed_on_exec_and_never_blocks),
		LINE(test_a_full_line_never_blocks),
		LINE(test_strange_messages),
		LINE(test_more_descriptors_than_one_are_not_left_open),
	};

	return cmocka_run_group_tests(control, NULL, NULL);
}
