/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds src/source/sockets.c to what a kernel says of its sockets, by answers made by hand as the
 * kernels from 2.6.32 on make them, and by damaged ones. sockets_kernel.c has this kernel's.
 */
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "sockets_told.h"

#define TYPE_OLD 18
#define TYPE	 20
#define SKV6ONLY 11

/* struct inet_diag_msg, which headers may lack. */
struct diag {
	uint8_t family, state, timer, retransmits;
	uint16_t port, peer_port;
	uint32_t address[4], peer[4];
	uint32_t interface, cookie[2];
	uint32_t expires, receive_queue, send_queue, uid, inode;
};

/* A datagram, message by message. */
struct made {
	union {
		struct nlmsghdr header;
		uint8_t bytes[1024];
	};
	size_t length;
	uint16_t type;
};

static struct made empty(void)
{
	struct made made;

	memset(&made, 0, sizeof(made));
	made.type = TYPE;
	return made;
}

static struct nlmsghdr *put(struct made *made, uint16_t type, const void *payload, size_t size)
{
	struct nlmsghdr *header = mnl_nlmsg_put_header(made->bytes + made->length);

	header->nlmsg_type = type;
	header->nlmsg_flags = NLM_F_MULTI;
	memcpy(mnl_nlmsg_put_extra_header(header, size), payload, size);
	made->length += header->nlmsg_len;
	return header;
}

static void put_done(struct made *made, int error)
{
	put(made, NLMSG_DONE, &error, sizeof(error));
}

static struct diag diag_of(uint8_t family, uint8_t state, uint16_t port)
{
	struct diag diag;

	memset(&diag, 0, sizeof(diag));
	diag.family = family;
	diag.state = state;
	diag.port = htons(port);
	diag.inode = state == TCP_LISTEN;
	return diag;
}

/* In the order of the kernel: other attributes before and behind. */
static void put_listener(struct made *made, uint8_t family, const char *address, uint16_t port,
			 int v6_only)
{
	struct diag diag = diag_of(family, TCP_LISTEN, port);
	struct nlmsghdr *header;

	assert_int_equal(inet_pton(family, address, diag.address), 1);
	header = put(made, made->type, &diag, sizeof(diag));
	made->length -= header->nlmsg_len;
	mnl_attr_put_u8(header, 8, 0);
	if (v6_only != NOT_SAID)
		mnl_attr_put_u8(header, SKV6ONLY, (uint8_t)v6_only);
	mnl_attr_put_u32(header, 15, 1);
	made->length += header->nlmsg_len;
}

static void put_fin_wait2(struct made *made, uint16_t port, uint16_t peer_port, uint32_t inode)
{
	struct diag diag = diag_of(AF_INET, TCP_FIN_WAIT2, port);

	diag.peer_port = htons(peer_port);
	diag.inode = inode;
	put(made, made->type, &diag, sizeof(diag));
}

/* From memory that ends where the datagram does, but for what nfmessage.h asks for. */
static int feed(struct sockets *sockets, const struct made *made, size_t length,
		const struct sockets_events *events)
{
	uint8_t *copy = calloc(1, (length + 3) & ~(size_t)3);
	int result;

	assert_true(copy != NULL || length == 0);
	if (length > 0)
		memcpy(copy, made->bytes, length);
	result = sockets_feed(sockets, copy, length, events);
	free(copy);
	return result;
}

static void feed_end(struct sockets *sockets, const struct sockets_events *events)
{
	struct made made = empty();

	put_done(&made, 0);
	assert_int_equal(feed(sockets, &made, made.length, events), 1);
}

/* Through the table once: listeners of both families, and what is in FIN_WAIT2. */
static void go_through(struct sockets *sockets, const struct made *ipv4, const struct made *ipv6,
		       const struct made *fin_wait2, const struct sockets_events *events)
{
	const struct made *const dumps[] = { ipv4, ipv6, fin_wait2, NULL };
	size_t i;

	for (i = 0; i < COUNT(dumps); i++) {
		if (dumps[i] != NULL)
			assert_int_equal(feed(sockets, dumps[i], dumps[i]->length, events), 0);
		feed_end(sockets, events);
	}
}

static const struct row {
	const char *name;
	const char *ipv4; /* who listens, NULL nobody */
	const char *ipv6;
	int v6_only;
	bool dual_stack;
} rows[] = {
	{ "IPv4 alone", "0.0.0.0", NULL, NOT_SAID, false },
	{ "IPv4 on an address", "10.0.0.1", NULL, NOT_SAID, false },
	{ "dual-stack", NULL, "::", 0, true },
	{ "dual-stack, on a kernel that does not say", NULL, "::", NOT_SAID, true },
	{ "IPv6 only", NULL, "::", 1, false },
	{ "a mapped address", NULL, "::ffff:10.0.0.1", 0, true },
	{ "a mapped address of a kernel that does not say", NULL, "::ffff:0:0", NOT_SAID, true },
	{ "a mapped address, IPv6 only", NULL, "::ffff:10.0.0.1", 1, false },
	{ "an IPv6 address", NULL, "2001:db8::1", 0, false },
	{ "the IPv6 loopback, which is almost any", NULL, "::1", 0, false },
	{ "a compatible address, which is no mapped one", NULL, "::10.0.0.1", 0, false },
	{ "almost any", NULL, "8000::", 0, false },
	{ "almost mapped", NULL, "::1:ffff:10.0.0.1", 0, false },
	{ "one each", "0.0.0.0", "::", 1, false },
	{ "one each, on a kernel that does not say", "0.0.0.0", "::", NOT_SAID, false },
	{ "both with SO_REUSEPORT", "0.0.0.0", "::", 0, false },
};

/* By both protocols: the old one brings both families in one dump, in any order. */
static void test_listener(void **state)
{
	const struct row *row = *state;
	struct sockets *sockets = sockets_new(false), *old = sockets_new(true);
	struct made ipv4 = empty(), ipv6 = empty(), both = empty();
	struct told told;
	const struct sockets_events events = events_to(&told);

	assert_non_null(sockets);
	assert_non_null(old);
	both.type = TYPE_OLD;
	if (row->ipv6 != NULL) {
		put_listener(&ipv6, AF_INET6, row->ipv6, 80, row->v6_only);
		put_listener(&both, AF_INET6, row->ipv6, 80, row->v6_only);
	}
	if (row->ipv4 != NULL) {
		put_listener(&ipv4, AF_INET, row->ipv4, 80, NOT_SAID);
		put_listener(&both, AF_INET, row->ipv4, 80, NOT_SAID);
	}
	go_through(sockets, &ipv4, &ipv6, NULL, &events);
	assert_int_equal(told.listeners, 1);
	assert_int_equal(listener_on(&told, 80), row->dual_stack);
	events_to(&told);
	assert_int_equal(feed(old, &both, both.length, &events), 0);
	feed_end(old, &events);
	assert_int_equal(told.listeners, 1);
	assert_int_equal(listener_on(&told, 80), row->dual_stack);
	sockets_close(sockets);
	sockets_close(old);
}

static void test_once_a_port_and_gone_ports_once_more(void **state)
{
	struct sockets *sockets = sockets_new(false);
	struct made ipv4 = empty(), ipv6 = empty();
	struct told told;
	const struct sockets_events events = events_to(&told);

	(void)state;
	put_listener(&ipv4, AF_INET, "10.0.0.1", 22, NOT_SAID);
	put_listener(&ipv4, AF_INET, "10.0.0.2", 22, NOT_SAID);
	put_listener(&ipv6, AF_INET6, "::", 80, 0);
	put_listener(&ipv6, AF_INET6, "2001:db8::1", 80, 0);
	put_listener(&ipv6, AF_INET6, "::", 65535, 0);
	go_through(sockets, &ipv4, &ipv6, NULL, &events);
	assert_int_equal(told.listeners, 3);
	assert_int_equal(listener_on(&told, 22), 0);
	assert_int_equal(listener_on(&told, 80), 1);
	assert_int_equal(listener_on(&told, 65535), 1);
	events_to(&told);
	go_through(sockets, &ipv4, NULL, NULL, &events);
	assert_int_equal(told.listeners, 3);
	assert_int_equal(listener_on(&told, 22), 0);
	assert_int_equal(listener_on(&told, 80), 0);
	assert_int_equal(listener_on(&told, 65535), 0);
	events_to(&told);
	go_through(sockets, NULL, NULL, NULL, &events);
	assert_int_equal(told.listeners, 1);
	assert_int_equal(listener_on(&told, 22), 0);
	events_to(&told);
	go_through(sockets, NULL, NULL, NULL, &events);
	assert_int_equal(told.listeners, 0);
	sockets_close(sockets);
}

/* A dump that fails tells nothing, and leaves nothing behind for the next. */
static void test_a_dump_that_fails(void **state)
{
	struct sockets *sockets = sockets_new(false);
	struct made ipv6 = empty(), half = empty(), error = empty(), done = empty();
	const struct nlmsgerr refusal = { .error = -EBUSY };
	struct told told;
	const struct sockets_events events = events_to(&told);

	(void)state;
	put_listener(&ipv6, AF_INET6, "::", 80, 0);
	put_listener(&half, AF_INET, "0.0.0.0", 80, NOT_SAID);
	put(&error, NLMSG_ERROR, &refusal, sizeof(refusal));
	put_done(&done, -ENOENT);
	go_through(sockets, NULL, &ipv6, NULL, &events);
	events_to(&told);
	assert_int_equal(feed(sockets, &half, half.length, &events), 0);
	assert_int_equal(feed(sockets, &error, error.length, &events), -1);
	assert_int_equal(errno, EBUSY);
	assert_int_equal(feed(sockets, &half, half.length, &events), 0);
	feed_end(sockets, &events);
	assert_int_equal(feed(sockets, &done, done.length, &events), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(told.listeners, 0);
	go_through(sockets, NULL, &ipv6, NULL, &events);
	assert_int_equal(told.listeners, 1);
	assert_int_equal(listener_on(&told, 80), 1);
	sockets_close(sockets);
}

static void test_fin_wait2_at_first_sight(void **state)
{
	struct sockets *sockets = sockets_new(false);
	struct made made = empty(), later = empty();
	struct diag mini = diag_of(AF_INET, TCP_FIN_WAIT2, 443);
	struct told told;
	const struct sockets_events events = events_to(&told);

	(void)state;
	mini.timer = 3;
	mini.address[2] = 0x12345678; /* left over in the memory of an old kernel */
	put_fin_wait2(&made, 80, 1, 4711);
	put_fin_wait2(&made, 81, 2, 0);
	put(&made, TYPE, &mini, sizeof(mini));
	go_through(sockets, NULL, NULL, &made, &events);
	assert_int_equal(told.fin_waits, 3);
	assert_int_equal(fin_wait_on(&told, 80), 0);
	assert_int_equal(fin_wait_on(&told, 81), 1);
	assert_int_equal(fin_wait_on(&told, 443), 1);
	events_to(&told);
	mini.address[2] = 0x87654321;
	mini.peer[1] = 1;
	put_fin_wait2(&later, 80, 1, 0); /* has lost its owner: still the same socket */
	put_fin_wait2(&later, 81, 3, 0);
	put(&later, TYPE, &mini, sizeof(mini));
	go_through(sockets, NULL, NULL, &later, &events);
	assert_int_equal(told.fin_waits, 1);
	assert_int_equal(fin_wait_on(&told, 81), 1);
	/* Who was away may come again: it is another connection by now. */
	go_through(sockets, NULL, NULL, NULL, &events);
	go_through(sockets, NULL, NULL, NULL, &events);
	events_to(&told);
	go_through(sockets, NULL, NULL, &made, &events);
	assert_int_equal(told.fin_waits, 3);
	sockets_close(sockets);
}

/* More than there is room for: none is told twice, and most are told. */
static void test_more_than_can_be_remembered(void **state)
{
	const uint16_t many = 60000;
	struct sockets *sockets = sockets_new(false);
	struct told told;
	const struct sockets_events events = events_to(&told);
	size_t first = 0;
	uint16_t i;
	int round;

	(void)state;
	for (round = 0; round < 5; round++) {
		feed_end(sockets, &events);
		feed_end(sockets, &events);
		for (i = 0; i < many; i++) {
			struct made made = empty();

			put_fin_wait2(&made, 80, i, 0);
			assert_int_equal(feed(sockets, &made, made.length, &events), 0);
		}
		feed_end(sockets, &events);
		feed_end(sockets, &events);
		if (round == 0)
			first = told.fin_waits;
	}
	assert_true(first > 16000);
	assert_int_equal(told.fin_waits, first);
	sockets_close(sockets);
}

/* Sockets in other states than those asked for, and other answers, are none of ours. */
static void test_what_was_not_asked_for(void **state)
{
	struct sockets *sockets = sockets_new(false);
	struct told told;
	const struct sockets_events events = events_to(&told);
	struct made made;
	unsigned int value;
	size_t field;

	(void)state;
	for (value = 0; value < 256; value++) {
		const struct diag diag = diag_of(AF_INET, (uint8_t)value, 80);

		made = empty();
		if (value != TCP_LISTEN)
			put(&made, TYPE, &diag, sizeof(diag));
		assert_int_equal(feed(sockets, &made, made.length, &events), 0);
	}
	for (value = 0; value < 0x10000; value++) {
		if (value == TYPE || value == NLMSG_DONE || value == NLMSG_ERROR)
			continue;
		made = empty();
		made.type = (uint16_t)value;
		put_listener(&made, AF_INET, "0.0.0.0", 80, NOT_SAID);
		assert_int_equal(feed(sockets, &made, made.length, &events), 0);
	}
	for (field = 0; field < 2; field++) {
		made = empty();
		put_listener(&made, AF_INET, "0.0.0.0", 80, NOT_SAID);
		put_done(&made, 0);
		made.header.nlmsg_pid = field == 0;
		made.header.nlmsg_seq = field == 1;
		((struct nlmsghdr *)(made.bytes + made.header.nlmsg_len))->nlmsg_pid = field == 0;
		((struct nlmsghdr *)(made.bytes + made.header.nlmsg_len))->nlmsg_seq = field == 1;
		assert_int_equal(feed(sockets, &made, made.length, &events), 0);
	}
	go_through(sockets, NULL, NULL, NULL, &events);
	assert_int_equal(told.listeners, 0);
	assert_int_equal(told.fin_waits, 0);
	sockets_close(sockets);
}

/* An acknowledgement ends nothing; an end that says nothing more is an end. */
static void test_answers_without_an_error(void **state)
{
	struct sockets *sockets = sockets_new(false);
	const struct nlmsgerr fine = { .error = 0 };
	struct told told;
	const struct sockets_events events = events_to(&told);
	struct made made = empty(), done = empty();

	(void)state;
	put(&made, NLMSG_ERROR, &fine, sizeof(fine));
	put(&done, NLMSG_DONE, "", 0);
	assert_int_equal(feed(sockets, &made, made.length, &events), 0);
	assert_int_equal(feed(sockets, &done, done.length, &events), 1);
	sockets_close(sockets);
}

/* Cut at any byte: the whole messages before it count, what is cut does not. */
static void test_cut_short(void **state)
{
	struct made made = empty();
	size_t first, length;
	struct told told;
	const struct sockets_events events = events_to(&told);

	(void)state;
	put_listener(&made, AF_INET6, "::", 80, 0);
	first = made.length;
	put_listener(&made, AF_INET6, "::", 81, 0);
	for (length = 0; length <= made.length; length++) {
		struct sockets *sockets = sockets_new(false);

		events_to(&told);
		assert_int_equal(feed(sockets, &made, length, &events), 0);
		feed_end(sockets, &events);
		feed_end(sockets, &events);
		assert_int_equal(told.listeners, (length >= first) + (length == made.length));
		sockets_close(sockets);
	}
}

/* A header whose length agrees with what is left, and one that lies. */
static void test_lengths_that_lie(void **state)
{
	static const uint32_t lies[] = {
		0, 1, 15, 16, 17, 0x7fffffff, 0x80000000, 0xfffffff0, 0xfffffffd, 0xffffffff
	};
	struct sockets *sockets = sockets_new(false);
	struct told told;
	const struct sockets_events events = events_to(&told);
	struct made made = empty();
	size_t whole, i;

	(void)state;
	put_listener(&made, AF_INET6, "::", 80, 0);
	whole = made.length;
	for (i = 0; i < sizeof(struct nlmsghdr) + sizeof(struct diag); i++) {
		made.header.nlmsg_len = (uint32_t)i;
		assert_int_equal(feed(sockets, &made, i, &events), 0);
	}
	for (i = 0; i < COUNT(lies); i++) {
		made.header.nlmsg_len = lies[i];
		assert_int_equal(feed(sockets, &made, whole, &events), 0);
	}
	go_through(sockets, NULL, NULL, NULL, &events);
	assert_int_equal(told.listeners, 0);
	sockets_close(sockets);
}

/* Whatever the bytes are, nothing outside of them is read; the sanitizers watch. */
static void test_random_damage(void **state)
{
	uint64_t seed = unit_seed("sockets");
	struct sockets *sockets = sockets_new(false);
	struct told told;
	const struct sockets_events events = events_to(&told);
	size_t i, j;

	(void)state;
	for (i = 0; i < 100000; i++) {
		struct made made = empty();

		put_listener(&made, AF_INET6, "::", 80, 0);
		put_fin_wait2(&made, 80, (uint16_t)i, 0);
		put_done(&made, 0);
		for (j = unit_below(&seed, 6) + 1; j > 0; j--)
			made.bytes[unit_below(&seed, (uint32_t)made.length)] =
				(uint8_t)unit_random(&seed);
		feed(sockets, &made, unit_below(&seed, (uint32_t)made.length + 1), &events);
		told.listeners = 0;
	}
	sockets_close(sockets);
}

int main(void)
{
	const struct CMUnitTest by_hand[] = {
		cmocka_unit_test(test_once_a_port_and_gone_ports_once_more),
		cmocka_unit_test(test_a_dump_that_fails),
		cmocka_unit_test(test_fin_wait2_at_first_sight),
		cmocka_unit_test(test_more_than_can_be_remembered),
		cmocka_unit_test(test_what_was_not_asked_for),
		cmocka_unit_test(test_answers_without_an_error),
		cmocka_unit_test(test_cut_short),
		cmocka_unit_test(test_lengths_that_lie),
		cmocka_unit_test(test_random_damage),
	};
	struct CMUnitTest listeners[COUNT(rows)];
	size_t i;

	for (i = 0; i < COUNT(rows); i++)
		listeners[i] = unit_row(rows[i].name, test_listener, &rows[i]);
	return cmocka_run_group_tests(listeners, NULL, NULL) +
	       cmocka_run_group_tests(by_hand, NULL, NULL);
}
