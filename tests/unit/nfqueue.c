/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds what src/source/nfqueue.c reads to the kernel's answers: a refusal is told from an
 * acknowledgement, from "no such packet" and from anything that is no answer at all. The rest of it
 * talks to a kernel; tests/live has that.
 */
#include "unit.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>

#include "source/nfqueue.h"

struct made {
	union {
		struct nlmsghdr header;
		uint8_t bytes[256];
	};
};

static struct made answer(uint16_t type, int error)
{
	const struct nlmsgerr payload = { .error = -error };
	struct made made;

	memset(&made, 0, sizeof(made));
	mnl_nlmsg_put_header(&made);
	made.header.nlmsg_type = type;
	memcpy(mnl_nlmsg_put_extra_header(&made.header, sizeof(payload)), &payload,
	       sizeof(payload));
	return made;
}

/* From memory that ends where the answer does. */
static bool refused(const struct made *made, size_t length)
{
	uint8_t *copy = malloc(length);
	bool result;

	assert_true(copy != NULL || length == 0);
	if (length > 0)
		memcpy(copy, made->bytes, length);
	result = nfqueue_refused(copy, length);
	free(copy);
	return result;
}

static void test_refusals(void **state)
{
	static const struct {
		int error;
		bool refused;
	} rows[] = {
		{ 0, false },	 { ENOENT, false }, /* the packet is gone: nothing was refused */
		{ EPERM, true }, { ENODEV, true },  { EINVAL, true },
		{ EBUSY, true }, { ENOMEM, true },  { EOPNOTSUPP, true },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		const struct made made = answer(NLMSG_ERROR, rows[i].error);

		assert_int_equal(refused(&made, made.header.nlmsg_len), rows[i].refused);
	}
}

static void test_what_is_no_answer_refuses_nothing(void **state)
{
	static const uint16_t types[] = { NLMSG_NOOP, NLMSG_DONE, NLMSG_OVERRUN,
					  NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET, 0xffff };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(types); i++) {
		const struct made made = answer(types[i], EPERM);

		assert_false(refused(&made, made.header.nlmsg_len));
	}
}

static void test_answers_cut_short(void **state)
{
	struct made made = answer(NLMSG_ERROR, EPERM);
	const size_t whole = made.header.nlmsg_len;
	size_t length;

	(void)state;
	for (length = 0; length < whole; length++) {
		made.header.nlmsg_len = (uint32_t)whole;
		assert_false(refused(&made, length));
		made.header.nlmsg_len = (uint32_t)length; /* and with a header that agrees */
		assert_false(refused(&made, length));
	}
}

static void test_every_feature_has_a_name_of_its_own(void **state)
{
	static const char *const names[] = { "batch-verdict", "fail-open", "gso", "recvmmsg" };
	unsigned int feature, all = 0;
	size_t i = 0;

	(void)state;
	for (feature = 1; nfqueue_feature_name(feature) != NULL; feature <<= 1) {
		assert_true(i < COUNT(names));
		assert_string_equal(nfqueue_feature_name(feature), names[i++]);
		all |= feature;
	}
	assert_int_equal(all, NFQUEUE_ALL_FEATURES);
	assert_null(nfqueue_feature_name(0));
	assert_null(nfqueue_feature_name(NFQUEUE_ALL_FEATURES));
}

int main(void)
{
	const struct CMUnitTest nfqueue[] = {
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_what_is_no_answer_refuses_nothing),
		cmocka_unit_test(test_answers_cut_short),
		cmocka_unit_test(test_every_feature_has_a_name_of_its_own),
	};

	return cmocka_run_group_tests(nfqueue, NULL, NULL);
}
