/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds src/cmd/state.c to this: what one panel wrote another one goes on from, with its totals;
 * and a file in which any byte is another, or missing, is refused before the panel is touched.
 */
#include "unit.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "cmd/state.h"
#include "os/replace.h"
#include "syn.h"

#define N      UNIT_SECOND
#define PEER   "198.51.100.11"
#define PEER_6 "2001:db8::11"
#define HOST   "10.99.0.1"
#define HOST_6 "2001:db8:1::1"

static enum synpaws_evidence evidence = SYNPAWS_EVIDENCE_ANSWER;
static struct panel_options options;
static char summary[8][4000];
static size_t lines;

static void write_line(void *context, int priority, const char *line)
{
	(void)context;
	(void)priority;
	snprintf(summary[lines++ % COUNT(summary)], sizeof(summary[0]), "%s", line);
}

static struct panel *make(const char *first, const char *second)
{
	struct panel_config config = { .options = &options, .write = write_line };
	struct panel *panel;

	panel_options_init(&options);
	options.evidence = evidence;
	options.sink = LOG_SINK_STDOUT;
	options.peers = options.flows = 20;
	options.profiles[0] = synpaws_profile_find(first);
	options.profiles[1] = second != NULL ? synpaws_profile_find(second) : NULL;
	options.profile_count = second != NULL ? 2 : 1;
	config.sysctls = options.sysctls;
	panel = panel_new(&config);
	assert_non_null(panel);
	return panel;
}

static void show(struct panel *panel)
{
	const struct synpaws_segment segs[] = { syn(PEER, HOST, 1, 1000), syn(PEER, HOST, 1, 900),
						syn(PEER_6, HOST_6, 1, 7) };

	panel_decode(panel, SYNPAWS_DECODE_OK, COUNT(segs));
	panel_decode(panel, SYNPAWS_DECODE_FRAGMENT, 5);
	panel_take(panel, segs, COUNT(segs));
	panel_flush(panel);
}

static int file(void)
{
	char path[] = "/tmp/synpaws-state.XXXXXX";
	const int fd = mkstemp(path);

	assert_true(fd >= 0);
	unlink(path);
	return fd;
}

static int written(const struct state *state)
{
	const struct tally_context totals = { .seconds = 100, .offered = 8, .missed_ring = 1 };
	struct panel *panel = make("3.10", "4.x");
	const int fd = file();

	show(panel);
	assert_true(state_save(state, fd, panel, &totals));
	panel_free(panel);
	return fd;
}

static struct state state_of(int fd)
{
	struct state state = { .boot = "this", .fd = fd };

	return state;
}

/* Whether it is taken; `part` is in the line that says what was found. */
static bool loads(struct state state, const char *first, const char *second, const char *part)
{
	struct panel *panel = make(first, second);
	char line[256] = "";
	const bool loaded = state_load(&state, panel, line, sizeof(line));

	if (strstr(line, part) == NULL)
		fail_msg("'%s' is not in: %s", part, line);
	panel_free(panel);
	return loaded;
}

static void test_goes_on(void **unused)
{
	struct state state = state_of(-1);
	struct panel *panel = make("3.10", "4.x");
	struct tally_context context = { .seconds = 11, .restarts = 3 };
	char line[256];

	(void)unused;
	state.fd = written(&state);
	assert_true(state_load(&state, panel, line, sizeof(line)));
	assert_non_null(strstr(line, "goes on after 0 s in which it saw nothing: "));
	assert_int_equal(state.before.seconds, 100);
	tally_context_add(&context, &state.before);
	assert_int_equal(panel_drop_syns(panel, NULL), 0);
	/* The same SYNs again are no further connection, nor peer. */
	show(panel);
	lines = 0;
	panel_summarise(panel, &context);
	assert_non_null(strstr(summary[0], "summary profile=3.10 "));
	assert_non_null(strstr(summary[0], " watched_seconds=111 syns=6 with_timestamp=6 "));
	assert_non_null(strstr(summary[1], "missed packets=8 missed_socket=0 missed_ring=1 "));
	assert_non_null(strstr(summary[1], " fragments=10 "));
	assert_non_null(strstr(summary[1], " analyst_restarts=3 "));
	assert_non_null(strstr(summary[2], "summary profile=4.x "));
	assert_non_null(strstr(summary[2], " syns=6 "));
	panel_free(panel);
	close(state.fd);
}

/* What comes again is no other connection, and nobody else. */
static void test_counted_once(void **unused)
{
	const struct tally_context context = { .seconds = 1 };
	struct state state = state_of(-1);
	struct panel *panel;
	char line[256];

	(void)unused;
	evidence = SYNPAWS_EVIDENCE_SYN;
	panel = make("3.10", "4.x");
	state.fd = written(&state);
	assert_true(state_load(&state, panel, line, sizeof(line)));
	show(panel);
	assert_int_equal(panel_drop_syns(panel, NULL), 1);
	lines = 0;
	panel_summarise(panel, &context);
	assert_non_null(strstr(summary[0], " drop_syns=2 drop_connections=1 drop_peers=1 "));
	panel_free(panel);
	close(state.fd);
	evidence = SYNPAWS_EVIDENCE_ANSWER;
}

static void test_damaged(void **unused)
{
	struct state state = state_of(-1);
	uint8_t byte, other;
	struct stat stat;
	off_t i;

	(void)unused;
	state.fd = written(&state);
	assert_int_equal(fstat(state.fd, &stat), 0);
	for (i = 0; i < stat.st_size; i++) {
		assert_int_equal(pread(state.fd, &byte, 1, i), 1);
		other = (uint8_t)(byte ^ (1U << i % 8));
		assert_int_equal(pwrite(state.fd, &other, 1, i), 1);
		assert_false(loads(state, "3.10", "4.x", ": starting without it"));
		assert_int_equal(pwrite(state.fd, &byte, 1, i), 1);
	}
	assert_true(loads(state, "3.10", "4.x", "goes on"));
	assert_int_equal(pwrite(state.fd, &byte, 1, stat.st_size), 1);
	assert_false(loads(state, "3.10", "4.x", "is damaged"));
	for (i = stat.st_size - 1; i >= 0; i--) {
		assert_int_equal(ftruncate(state.fd, i), 0);
		assert_false(loads(state, "3.10", "4.x", ": starting without it"));
	}
	close(state.fd);
}

static void test_foreign(void **unused)
{
	struct state state = state_of(-1);
	uint8_t byte = 99;

	(void)unused;
	state.fd = written(&state);
	assert_false(loads(state, "3.10", NULL, "is of other profiles"));
	assert_false(loads(state, "4.x", "3.10", "is of other profiles"));
	assert_int_equal(pwrite(state.fd, &byte, 1, 14), 1);
	assert_false(loads(state, "3.10", "4.x", "is of another version"));
	assert_int_equal(pwrite(state.fd, &byte, 1, 0), 1);
	assert_false(loads(state, "3.10", "4.x", "is no state of synpaws"));
	close(state.fd);
}

static void test_started_anew(void **unused)
{
	struct state state = state_of(-1);

	(void)unused;
	state.fd = written(&state);
	strcpy(state.boot, "that");
	assert_true(loads(state, "3.10", "4.x", "totals alone"));
	state.gateway = true;
	assert_true(loads(state, "3.10", "4.x", "stamps alone"));
	assert_true(loads(state, "3.10", "4.x", " 0 connections"));
	close(state.fd);
}

static void test_no_room(void **unused)
{
	const struct tally_context totals = { .seconds = 1 };
	const struct state state = state_of(-1);
	struct panel *panel = make("3.10", NULL);
	const int fd = open("/dev/full", O_WRONLY);

	(void)unused;
	assert_true(fd >= 0);
	assert_false(state_save(&state, fd, panel, &totals));
	close(fd);
	panel_free(panel);
}

static void test_replaced_as_a_whole(void **unused)
{
	char place[] = "/tmp/synpaws-replace.XXXXXX", path[64], why[256];
	const struct sandbox_user user = { geteuid(), getegid() };
	struct replace replace;
	char text[8];
	int fd;

	(void)unused;
	assert_non_null(mkdtemp(place));
	snprintf(path, sizeof(path), "%s/state", place);
	assert_true(replace_open(&replace, path, &user, why, sizeof(why)));
	assert_int_equal(replace_read(&replace, why, sizeof(why)), -1);
	assert_string_equal(why, "");
	fd = replace_begin(&replace);
	assert_true(fd >= 0);
	assert_int_equal(replace_commit(&replace, fd), -1); /* nothing in it */
	assert_int_equal(write(fd, "one", 3), 3);
	assert_int_equal(replace_commit(&replace, fd), 0);
	close(fd);
	fd = replace_begin(&replace);
	assert_int_equal(write(fd, "two", 3), 3);
	replace_abandon(&replace);
	close(fd);
	fd = replace_read(&replace, why, sizeof(why));
	assert_int_equal(read(fd, text, sizeof(text)), 3);
	assert_memory_equal(text, "one", 3);
	close(fd);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_int_equal(replace_read(&replace, why, sizeof(why)), -1);
	assert_string_not_equal(why, "");
	assert_int_equal(unlink(path), 0);
	replace_close(&replace);
	assert_int_equal(rmdir(place), 0); /* nothing was left */
	assert_false(replace_open(&replace, "/tmp/state", &user, why, sizeof(why)));
	assert_false(replace_open(&replace, "/tmp/..", &user, why, sizeof(why)));
	assert_false(replace_open(&replace, "/tmp/", &user, why, sizeof(why)));
}

int main(void)
{
	const struct CMUnitTest state[] = {
		cmocka_unit_test(test_goes_on),
		cmocka_unit_test(test_counted_once),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_started_anew),
		cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_replaced_as_a_whole),
	};

	return cmocka_run_group_tests(state, NULL, NULL);
}
