/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wire: raw Ethernet frames for the live tests.
 *
 * `send` puts a fixed list of frames on an interface, ordinary SYNs and everything that may
 * confuse a reader of packets: broken options, fragments, cut headers, chains of extension
 * headers. `receive` writes down what arrives, byte for byte, so that a test can compare what came
 * through a gateway with and without the daemon in the way. `syn` sends many correct SYNs, at a
 * steady rate or as a flood. All by AF_PACKET: no TCP of this machine has a part in it.
 *
 * Frame number n of the list (IPv4 and IPv6 count separately) carries n in its IPv4 ID, 0x5000 + n,
 * or IPv6 flow label, 0x50000 + n, and in its TCP or UDP source port, 20000 + n.
 */

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "wire_common.h"

static const char USAGE[] =
	"usage: wire send IFACE DSTMAC SRC4 DST4 SRC6 DST6 [--set NAME] [--names]\n"
	"       wire receive IFACE --seconds S [--count N]\n"
	"       wire syn IFACE DSTMAC SRC DST --sport A --dport B --tsval T [--no-ts] [--seq S]\n"
	"                [--count N] [--rate R] [--peers P] [--tsval-step X] [--seq-step X]\n"
	"                [--sport-step X] [--seconds S]\n"
	"send     SRC4 DST4 or SRC6 DST6 may be - - to leave that family out\n"
	"         --set NAME      only syn, options, flags, damaged, fragments, headers or other\n"
	"         --names         print number, family, set and name of each frame\n"
	"receive  a line of hexadecimal per IPv4 or IPv6 packet, from the IP header on, without\n"
	"         what this machine sent and without ICMPv6 types 130 to 143\n"
	"         --seconds S     end after S seconds\n"
	"         --count N       or after N packets\n"
	"syn      --sport --dport ports\n"
	"         --tsval T       timestamp; --no-ts: no timestamp option\n"
	"         --seq S         sequence number (default 1)\n"
	"         --count N       SYNs to send (default 1)\n"
	"         --rate R        so many a second (default 0: as fast as possible)\n"
	"         --peers P       source addresses, from SRC on, in turn (default 1)\n"
	"         --...-step X    add X with each SYN (default 0)\n"
	"         --seconds S     end after S seconds (default 60)\n";

volatile sig_atomic_t stopped;

static void on_signal(int signo)
{
	(void)signo;
	stopped = 1;
}

static void catch_signals(void)
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_handler = on_signal;
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
}

int main(int argc, char **argv)
{
	catch_signals();
	if (argc > 1 && strcmp(argv[1], "send") == 0)
		return main_send(argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "receive") == 0)
		return main_receive(argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "syn") == 0)
		return main_syn(argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "--help") == 0) {
		fputs(USAGE, stdout);
		return 0;
	}
	die(2, "first argument must be send, receive or syn (wire --help)");
}
