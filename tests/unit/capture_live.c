/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds the kernel's filters of src/source/capture_live.c to letting through what each kind of
 * evidence needs and nothing else: every packet is run through each of them by libpcap, as it is,
 * behind a VLAN tag, and with the headers of "any". Opening is held to one clear line.
 */
#include "packet.h"

#include "source/capture_live.h"

#ifdef HAVE_PCAP

#include <pcap.h>

#ifndef DLT_LINUX_SLL2
#define DLT_LINUX_SLL2 276
#endif

#define FRAME_MOST (PACKET_MOST + 64)

#define ACK SYNPAWS_ACK
#define FIN SYNPAWS_FIN
#define RST SYNPAWS_RST
#define SYN SYNPAWS_SYN
#define PSH 0x08
#define URG 0x20
#define ECN 0xc0

#define NEVER (CAPTURE_WANT_ALL + 1)

struct filter_row {
	const char *name;
	unsigned int flags;
	size_t payload;
	int from; /* the first kind that lets it through */
};

static const struct filter_row rows[] = {
	{ "SYN", SYN, 0, CAPTURE_WANT_SYN },
	{ "SYN with data", SYN, 100, CAPTURE_WANT_SYN },
	{ "SYN with ECN", SYN | ECN, 0, CAPTURE_WANT_SYN },
	{ "SYN, PSH and URG", SYN | PSH | URG, 0, CAPTURE_WANT_SYN },
	{ "SYN-ACK", SYN | ACK, 0, CAPTURE_WANT_NO_DATA },
	{ "FIN", FIN | ACK, 0, CAPTURE_WANT_CLOSE },
	{ "FIN with data", FIN | ACK | PSH, 1000, CAPTURE_WANT_CLOSE },
	{ "RST", RST, 0, CAPTURE_WANT_CLOSE },
	{ "RST and ACK", RST | ACK, 0, CAPTURE_WANT_CLOSE },
	{ "ACK", ACK, 0, CAPTURE_WANT_NO_DATA },
	{ "ACK with a byte", ACK, 1, CAPTURE_WANT_ALL },
	{ "ACK with data", ACK | PSH, 1400, CAPTURE_WANT_ALL },
	{ "no flags", 0, 0, CAPTURE_WANT_NO_DATA },
};

static bool passes(int dlt, enum capture_want want, bool vlan, const uint8_t *frame, size_t length)
{
	struct pcap_pkthdr header = { .caplen = (bpf_u_int32)length, .len = (bpf_u_int32)length };
	pcap_t *pcap = pcap_open_dead(dlt, FRAME_MOST);
	struct bpf_program program;
	char filter[2048];
	bool result;

	assert_non_null(pcap);
	capture_live_filter(want, vlan, filter, sizeof(filter));
	assert_true(strlen(filter) < sizeof(filter) - 1);
	if (pcap_compile(pcap, &program, filter, 1, PCAP_NETMASK_UNKNOWN) < 0)
		fail_msg("%s: %s", filter, pcap_geterr(pcap));
	/* BPF_MAXINSNS of the kernel */
	assert_true(program.bf_len < 4096);
	result = pcap_offline_filter(&program, &header, frame) != 0;
	pcap_freecode(&program);
	pcap_close(pcap);
	return result;
}

/* The packet behind each link layer; the Ethernet type comes last, or first in cooked v2. */
static bool passes_as(const char *link, enum capture_want want, const struct packet_made *packet)
{
	const unsigned int type = packet->bytes[0] >> 4 == 4 ? 0x0800 : 0x86dd;
	uint8_t frame[FRAME_MOST] = { 0 };
	size_t header = 14;
	int dlt = DLT_EN10MB;

	if (strcmp(link, "tagged") == 0) {
		packet_put16(frame + 12, 0x8100);
		packet_put16(frame + 14, 101);
		header = 18;
	} else if (strcmp(link, "cooked") == 0) {
		dlt = DLT_LINUX_SLL;
		header = 16;
	} else if (strcmp(link, "cooked v2") == 0) {
		dlt = DLT_LINUX_SLL2;
		header = 20;
	}
	packet_put16(dlt == DLT_LINUX_SLL2 ? frame : frame + header - 2, type);
	memcpy(frame + header, packet->bytes, packet->length);
	return passes(dlt, want, dlt == DLT_EN10MB, frame, header + packet->length);
}

static void expect_from(const char *name, const struct packet_made *packet, int from)
{
	static const char *const links[] = { "plain", "tagged", "cooked", "cooked v2" };
	int want;
	size_t i;

	for (i = 0; i < COUNT(links); i++) {
		for (want = CAPTURE_WANT_SYN; want <= CAPTURE_WANT_ALL; want++) {
			if (passes_as(links[i], (enum capture_want)want, packet) != (want >= from))
				fail_msg("%s, %s: filter %d", name, links[i], want);
		}
	}
}

static struct packet_made make(bool four, size_t options, unsigned int flags, size_t payload)
{
	struct packet_made packet;

	if (four)
		packet_ipv4(&packet, "198.51.100.11", "10.99.0.1", options);
	else
		packet_ipv6(&packet, "fd99:1::185", "fd99::1");
	packet_tcp(&packet, flags, packet_usual, sizeof(packet_usual), payload);
	packet_finish(&packet);
	return packet;
}

static void test_row(void **state)
{
	const struct filter_row *row = *state;
	struct packet_made packet = make(true, 0, row->flags, row->payload);

	expect_from("IPv4", &packet, row->from);
	packet = make(true, 40, row->flags, row->payload);
	expect_from("IPv4 with options", &packet, row->from);
	packet = make(false, 0, row->flags, row->payload);
	expect_from("IPv6", &packet, row->from);
}

static void test_other_protocols(void **state)
{
	struct packet_made packet = make(true, 0, SYN, 0);

	(void)state;
	packet.bytes[9] = 17;
	expect_from("UDP", &packet, NEVER);
	packet = make(false, 0, SYN, 0);
	packet.bytes[6] = 58;
	expect_from("ICMPv6", &packet, NEVER);
	packet.bytes[6] = 50;
	expect_from("ESP", &packet, NEVER);
}

/* What looks like flags in a later fragment is data. */
static void test_fragments(void **state)
{
	struct packet_made packet = make(true, 0, SYN, 0);

	(void)state;
	packet_put16(packet.bytes + 6, 0x2000);
	expect_from("first of IPv4", &packet, CAPTURE_WANT_SYN);
	packet_put16(packet.bytes + 6, 0x2001);
	expect_from("second of IPv4", &packet, NEVER);
	packet_put16(packet.bytes + 6, 0x0004);
	expect_from("last of IPv4", &packet, NEVER);
}

/* Behind extension headers there are no flags to look at: TCP goes through. */
static void test_extensions(void **state)
{
	static const uint8_t kinds[] = { 0, 43, 60, 44 };
	struct packet_made packet;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(kinds); i++) {
		packet_ipv6(&packet, "fd99:1::185", "fd99::1");
		packet_extension(&packet, kinds[i], 0, kinds[i] == 44 ? 1 : 0);
		packet_tcp(&packet, ACK, NULL, 0, 100);
		packet_finish(&packet);
		expect_from("extension, TCP", &packet, CAPTURE_WANT_SYN);
		packet.bytes[40] = 58;
		expect_from("extension, ICMPv6", &packet, NEVER);
		packet.bytes[40] = 60;
		expect_from("extension, another", &packet, CAPTURE_WANT_SYN);
	}
	packet_put16(packet.bytes + 42, 8);
	expect_from("later fragment of IPv6", &packet, NEVER);
}

static void expect_refused(const char *first, const char *second, const char *words)
{
	const char *names[] = { first, second };
	const struct capture_live_config config = { .names = names,
						    .count = second == NULL ? 1 : 2,
						    .buffer = 65536 };
	char why[512] = "";

	assert_null(capture_live_open(&config, why, sizeof(why)));
	assert_null(strchr(why, '\n'));
	if (strstr(why, words) == NULL)
		fail_msg("'%s' does not say '%s'", why, words);
}

/* As root or not: one line, which names the interface. */
static void test_no_such_interface(void **state)
{
	(void)state;
	expect_refused("nowhere0", NULL, "nowhere0: ");
	expect_refused("nowhere0", "nowhere1", "nowhere0: ");
	capture_live_close(NULL);
}

int main(void)
{
	const struct CMUnitTest others[] = {
		cmocka_unit_test(test_other_protocols),
		cmocka_unit_test(test_fragments),
		cmocka_unit_test(test_extensions),
		cmocka_unit_test(test_no_such_interface),
	};
	struct CMUnitTest tests[COUNT(rows)];
	int failed;
	size_t i;

	for (i = 0; i < COUNT(rows); i++)
		tests[i] = unit_row(rows[i].name, test_row, &rows[i]);
	failed = cmocka_run_group_tests_name("filters", tests, NULL, NULL);
	return failed + cmocka_run_group_tests_name("others", others, NULL, NULL);
}

#else

static void test_not_built_in(void **state)
{
	const char *name = "lo";
	const struct capture_live_config config = { .names = &name, .count = 1 };
	char why[512] = "";

	(void)state;
	assert_null(capture_live_open(&config, why, sizeof(why)));
	assert_non_null(strstr(why, "install libpcap"));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_not_built_in) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
