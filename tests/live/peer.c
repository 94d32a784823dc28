/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * peer: real TCP endpoints for the live tests.
 *
 * `serve` listens and answers every line with "hello"; it is the side that closes first, unless
 * told otherwise, and so the one that keeps TIME_WAIT. `connect` makes connections to it, times
 * each, and counts the SYNs that had to be sent again. The tests use both to show what a person
 * would feel: that every connection succeeds, and how long it takes. One thread and one epoll
 * loop each, so that thousands of connections a second are no trouble. Connections end with FINs,
 * one of close() for each side, unless told otherwise; with --delay each step of an end has its
 * own segments, so that they can be counted.
 */

#include <stdio.h>
#include <string.h>

#include "peer_common.h"

static const char USAGE[] =
	"usage: peer serve ADDR PORT [--close-first|--close-last] [--half-close] [--reset]\n"
	"                  [--delay MS] [--seconds N]\n"
	"       peer connect ADDR PORT [--from ADDR[:PORT]] [--count N] [--rate R] [--parallel P]\n"
	"                    [--timeout SEC] [--seconds N] [--close-first] [--reset]\n"
	"                    [--more] [--delay MS] [--quiet]\n"
	"serve    --close-first  close as soon as a line is answered (default)\n"
	"         --close-last   close when the client has closed\n"
	"         --half-close   shutdown() first, and close when the client has closed\n"
	"         --reset        end by RST\n"
	"         --delay MS     wait so long before closing (default 0)\n"
	"         --seconds N    end after N seconds (default 120)\n"
	"connect  --from A[:P]   own address and port; an IPv6 address with a port as [A]:P\n"
	"         --count N      connections to make (default 1)\n"
	"         --rate R       begin at most R a second (default: as fast as answers come)\n"
	"         --parallel P   at most P at a time (default 1, with --rate 1024)\n"
	"         --timeout SEC  give a connection up after this long (default 10)\n"
	"         --seconds N    end after N seconds, finished or not (default 300)\n"
	"         --close-first  close on the answer; otherwise wait 300 ms for the server to\n"
	"         --reset        end by RST\n"
	"         --more         send another line when it is time to close, and close later\n"
	"         --delay MS     wait so long before closing, and before the other line\n"
	"         --quiet        only the last line\n";

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "serve") == 0)
		return main_serve(argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "connect") == 0)
		return main_connect(argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "--help") == 0) {
		fputs(USAGE, stdout);
		return 0;
	}
	die(2, "first argument must be serve or connect (peer --help)");
}
