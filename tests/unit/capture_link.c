/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds src/source/capture_link.c to finding the IP packet behind every kind of link layer, and to
 * finding none where there is none: each row is a header in hex, before an IPv4 or an IPv6 packet.
 * Each goes through a file too, so that libpcap's numbers of the kinds are the right ones.
 */
#include "packet.h"
#include "savefile.h"

#include "source/capture_link.h"

struct link_row {
	const char *name;
	enum capture_link kind;
	uint16_t type; /* as it stands in a file */
	const char *header;
	int version; /* of the packet that follows */
	bool found;
};

#define MACS   "0200000000010200000000ff"
#define COOKED "0000000100060200000000010000"
#define COOKED2                              \
	"0000000000020001000602000000000100" \
	"00"

static const struct link_row rows[] = {
	{ "Ethernet, IPv4", CAPTURE_LINK_ETHERNET, 1, MACS "0800", 4, true },
	{ "Ethernet, IPv6", CAPTURE_LINK_ETHERNET, 1, MACS "86dd", 6, true },
	{ "Ethernet, ARP", CAPTURE_LINK_ETHERNET, 1, MACS "0806", 4, false },
	{ "Ethernet, 802.3 with a length", CAPTURE_LINK_ETHERNET, 1, MACS "0040", 4, false },
	{ "Ethernet, IPv4 that is IPv6", CAPTURE_LINK_ETHERNET, 1, MACS "0800", 6, false },
	{ "Ethernet, IPv6 that is IPv4", CAPTURE_LINK_ETHERNET, 1, MACS "86dd", 4, false },
	{ "Ethernet, 802.1Q, IPv4", CAPTURE_LINK_ETHERNET, 1, MACS "8100a0650800", 4, true },
	{ "Ethernet, 802.1Q, IPv6", CAPTURE_LINK_ETHERNET, 1, MACS "8100006586dd", 6, true },
	{ "Ethernet, 802.1Q, ARP", CAPTURE_LINK_ETHERNET, 1, MACS "810000650806", 4, false },
	{ "Ethernet, 802.1ad, IPv4", CAPTURE_LINK_ETHERNET, 1, MACS "88a800650800", 4, true },
	{ "Ethernet, 802.1ad, 802.1Q, IPv4", CAPTURE_LINK_ETHERNET, 1, MACS "88a80065810000070800",
	  4, true },
	{ "Ethernet, QinQ of old, 802.1Q, IPv6", CAPTURE_LINK_ETHERNET, 1,
	  MACS "910000658100000786dd", 6, true },
	{ "Ethernet, 802.1Q five times, IPv4", CAPTURE_LINK_ETHERNET, 1,
	  MACS "810000018100000281000003810000048100"
	       "00050800",
	  4, true },
	{ "cooked, IPv4", CAPTURE_LINK_COOKED, 113, COOKED "0800", 4, true },
	{ "cooked, IPv6", CAPTURE_LINK_COOKED, 113, COOKED "86dd", 6, true },
	{ "cooked, ARP", CAPTURE_LINK_COOKED, 113, COOKED "0806", 4, false },
	{ "cooked, 802.3", CAPTURE_LINK_COOKED, 113, COOKED "0001", 4, false },
	{ "cooked, 802.1Q, IPv4", CAPTURE_LINK_COOKED, 113, COOKED "810000650800", 4, true },
	{ "cooked, 802.1ad, 802.1Q, IPv6", CAPTURE_LINK_COOKED, 113, COOKED "88a800658100000786dd",
	  6, true },
	{ "cooked v2, IPv4", CAPTURE_LINK_COOKED2, 276, "0800" COOKED2, 4, true },
	{ "cooked v2, IPv6", CAPTURE_LINK_COOKED2, 276, "86dd" COOKED2, 6, true },
	{ "cooked v2, ARP", CAPTURE_LINK_COOKED2, 276, "0806" COOKED2, 4, false },
	{ "cooked v2, 802.1Q, IPv4", CAPTURE_LINK_COOKED2, 276, "8100" COOKED2 "00650800", 4,
	  true },
	{ "cooked v2, 802.1ad, 802.1Q, IPv6", CAPTURE_LINK_COOKED2, 276,
	  "88a8" COOKED2 "006581000007"
	  "86dd",
	  6, true },
	{ "raw IP, IPv4", CAPTURE_LINK_IP, 101, "", 4, true },
	{ "raw IP, IPv6", CAPTURE_LINK_IP, 101, "", 6, true },
	{ "raw IP, something else", CAPTURE_LINK_IP, 101, "50", 4, false },
	{ "raw IPv4", CAPTURE_LINK_IPV4, 228, "", 4, true },
	{ "raw IPv4 that is IPv6", CAPTURE_LINK_IPV4, 228, "", 6, false },
	{ "raw IPv6", CAPTURE_LINK_IPV6, 229, "", 6, true },
	{ "raw IPv6 that is IPv4", CAPTURE_LINK_IPV6, 229, "", 4, false },
	{ "loopback, IPv4, little-endian", CAPTURE_LINK_LOOPBACK, 0, "02000000", 4, true },
	{ "loopback, IPv4, big-endian", CAPTURE_LINK_LOOPBACK, 0, "00000002", 4, true },
	{ "loopback, IPv6 of Linux", CAPTURE_LINK_LOOPBACK, 0, "0a000000", 6, true },
	{ "loopback, IPv6 of OpenBSD", CAPTURE_LINK_LOOPBACK, 108, "00000018", 6, true },
	{ "loopback, IPv6 of FreeBSD", CAPTURE_LINK_LOOPBACK, 0, "1c000000", 6, true },
	{ "loopback, IPv6 of Darwin", CAPTURE_LINK_LOOPBACK, 0, "1e000000", 6, true },
	{ "loopback, IPv4 of OpenBSD", CAPTURE_LINK_LOOPBACK, 108, "00000002", 4, true },
	{ "loopback, ISO", CAPTURE_LINK_LOOPBACK, 0, "07000000", 4, false },
	{ "loopback, IPv4 and more", CAPTURE_LINK_LOOPBACK, 0, "02000002", 4, false },
	{ "loopback, IPv4 in the middle", CAPTURE_LINK_LOOPBACK, 0, "00020000", 4, false },
};

/* Returns the length of the header; the frame goes to `frame`, its whole length to `length`. */
static size_t make_frame(const struct link_row *row, uint8_t *frame, size_t *length)
{
	const struct packet_made p = row->version == 6 ? packet_syn6(9) : packet_syn4(9);
	unsigned int value;
	size_t n;

	for (n = 0; sscanf(row->header + 2 * n, "%2x", &value) == 1; n++)
		frame[n] = (uint8_t)value;
	memcpy(frame + n, p.bytes, p.length);
	*length = n + p.length;
	return n;
}

/* Every beginning of the frame, in memory that ends where it does. */
static void test_every_beginning(const struct link_row *row, const uint8_t *frame, size_t header,
				 size_t length)
{
	size_t captured;

	for (captured = 0; captured <= length; captured++) {
		uint8_t *copy = malloc(captured + (captured == 0));
		struct capture_packet packet = { 5, copy, captured, length };
		bool found;

		assert_non_null(copy);
		memcpy(copy, frame, captured);
		found = capture_link_strip(row->kind, &packet);
		if (captured > header || (captured == header && row->found))
			assert_int_equal(found, captured == header || row->found);
		if (found && captured > header) {
			assert_int_equal(packet.captured, captured - header);
			assert_ptr_equal(packet.bytes, copy + header);
		} else if (found) {
			assert_int_equal(packet.captured, 0);
		}
		if (found)
			assert_in_range(packet.length, length - header, length);
		free(copy);
	}
}

/* A frame that was no longer than this on the wire holds nothing. */
static void test_runts(const struct link_row *row, const uint8_t *frame, size_t header)
{
	size_t length;

	for (length = 0; length <= header; length++) {
		uint8_t *copy = malloc(length + (length == 0));
		struct capture_packet packet = { 5, copy, length, length };

		assert_non_null(copy);
		memcpy(copy, frame, length);
		assert_false(capture_link_strip(row->kind, &packet));
		free(copy);
	}
}

static void test_link_row(void **state)
{
	const struct link_row *row = *state;
	uint8_t frame[256];
	size_t length;
	const size_t header = make_frame(row, frame, &length);

	test_every_beginning(row, frame, header, length);
	if (row->found)
		test_runts(row, frame, header);
}

static void test_link_row_in_a_file(void **state)
{
	const struct link_row *row = *state;
	struct capture_packet packet;
	struct capture *capture;
	struct savefile file;
	uint8_t frame[256];
	size_t length;
	const size_t header = make_frame(row, frame, &length);

	savefile_start(&file, SAVEFILE_MICRO, false, row->type);
	savefile_frame(&file, 1000, frame, length, length + 7);
	capture = savefile_open(&file, 1);
	if (row->found) {
		assert_int_equal(capture_next(capture, &packet), CAPTURE_PACKET);
		assert_int_equal(packet.time_ns, 1000);
		assert_int_equal(packet.captured, length - header);
		assert_int_equal(packet.length, length - header + 7);
		assert_memory_equal(packet.bytes, frame + header, length - header);
	}
	assert_int_equal(capture_next(capture, &packet), CAPTURE_END);
	assert_null(capture_error(capture, 0));
	assert_int_equal(capture_counters(capture).packets, 1);
	assert_int_equal(capture_counters(capture).not_ip, row->found ? 0 : 1);
	capture_close(capture);
}

int main(void)
{
	struct CMUnitTest capture_link[COUNT(rows)], in_files[COUNT(rows)];
	static char names[COUNT(rows)][80];
	size_t i;
	int failed;

	for (i = 0; i < COUNT(rows); i++) {
		snprintf(names[i], sizeof(names[i]), "%s, in a file", rows[i].name);
		capture_link[i] = unit_row(rows[i].name, test_link_row, &rows[i]);
		in_files[i] = unit_row(names[i], test_link_row_in_a_file, &rows[i]);
	}
	failed = cmocka_run_group_tests(capture_link, NULL, NULL);
	if (savefile_readable("capture_link in files", SAVEFILE_MICRO))
		failed += cmocka_run_group_tests(in_files, NULL, NULL);
	return failed;
}
