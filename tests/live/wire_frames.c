/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wire: the fixed list of frames, ordinary ones and everything that may confuse. */

#include <netinet/in.h>

#include "wire_common.h"
#include "wire_frames.h"

#define TS2    "\x08\x0a\x23\x45\x67\x89\x00\x00\x00\x00"
#define END    "\x00"
#define MD5    "\x13\x12xMD5-signature-x"
#define AO     "\x1d\x10\x01\x01tcp-ao-mac-x"
#define COOKIE "\x22\x0atfo-cook"
#define NOPS10 "\1\1\1\1\1\1\1\1\1\1"
#define ZEROS9 "\0\0\0\0\0\0\0\0\0"

#define UNKNOWN_PROTOCOL 253 /* for experiments, RFC 3692 */

#define TCP_OPTIONS(text)  .options = (text), .options_length = sizeof(text) - 1
#define IPV4_OPTIONS(text) .ip_options = (text), .ip_options_length = sizeof(text) - 1

#define USUAL	 .flags = SYN, TCP_OPTIONS(MSS SACKOK TS NOP WS)
#define WITH(o)	 .flags = SYN, TCP_OPTIONS(o)
#define FRAGMENT .fragment = true, USUAL, .data = 56 /* 96 bytes of TCP in all */

const struct spec FRAMES[] = {
	{ "syn", "usual options", USUAL },
	{ "syn", "options in BSD order", WITH(MSS NOP WS SACKOK TS) },
	{ "syn", "options of Windows, no timestamp", WITH(MSS NOP WS NOP NOP SACKOK) },
	{ "syn", "timestamp only", WITH(NOP NOP TS) },
	{ "syn", "no options", .flags = SYN },
	{ "syn", "timestamp 0", WITH(MSS "\x08\x0a\0\0\0\0\0\0\0\0" NOP NOP) },
	{ "syn", "timestamp with an echo", WITH(MSS "\x08\x0a\0\0\0\1\0\0\0\2" NOP NOP) },
	{ "syn", "with 16 bytes of data", USUAL, .data = 16 },
	{ "syn", "with 1400 bytes of data", USUAL, .data = 1400 },
	{ "syn", "fast open cookie", WITH(MSS SACKOK TS NOP WS COOKIE NOP NOP) },
	{ "syn", "ECN set up", .flags = SYN | ECE | CWR, TCP_OPTIONS(MSS SACKOK TS NOP WS) },
	{ "syn", "ECN capable packet", USUAL, .traffic = 0x02 },
	{ "syn", "congestion experienced, DSCP EF", USUAL, .traffic = 0xbb },
	{ "syn", "Ethernet padding", .flags = SYN, .padding = 6 },

	{ "options", "timestamp of length 9", WITH(MSS "\x08\x09\1\2\3\4\0\0\0" NOP NOP NOP) },
	{ "options", "timestamp of length 12", WITH("\x08\x0c\1\2\3\4\0\0\0\0\0\0") },
	{ "options", "timestamp of length 2", WITH("\x08\x02" NOP NOP) },
	{ "options", "length 0", WITH(MSS "\x08\x00\1\2\3\4\0\0\0\0" NOP NOP) },
	{ "options", "length 1", WITH(MSS "\x08\x01\1\2\3\4\0\0\0\0" NOP NOP) },
	{ "options", "length 255", WITH(MSS "\xfd\xff\1\2" TS NOP NOP) },
	{ "options", "timestamp past the end", WITH(MSS "\x08\x0a\1\2") },
	{ "options", "timestamp past the end into data", WITH("\x08\x0a\1\2"), .data = 16 },
	{ "options", "kind without length", WITH(NOP NOP NOP "\x08") },
	{ "options", "two timestamps", WITH(TS TS2 MSS) },
	{ "options", "end before the timestamp", WITH(MSS END NOP TS) },
	{ "options", "MD5 signature", WITH(TS MD5) },
	{ "options", "authentication option", WITH(MSS SACKOK TS AO) },
	{ "options", "unknown kind 254 and timestamp", WITH("\xfe\x06\1\2\3\4" TS) },
	{ "options", "40 bytes, timestamp last", WITH(MSS SACKOK NOP WS MD5 NOP NOP TS) },
	{ "options", "40 times no operation", WITH(NOPS10 NOPS10 NOPS10 NOPS10) },

	{ "flags", "SYN FIN", .flags = SYN | FIN, TCP_OPTIONS(NOP NOP TS) },
	{ "flags", "SYN ACK", .flags = SYN | ACK, TCP_OPTIONS(MSS SACKOK TS NOP WS) },
	{ "flags", "SYN RST", .flags = SYN | RST, TCP_OPTIONS(NOP NOP TS) },
	{ "flags", "SYN URG PSH", .flags = SYN | URG | PSH, TCP_OPTIONS(NOP NOP TS) },
	{ "flags", "RST", .flags = RST },
	{ "flags", "RST ACK", .flags = RST | ACK },
	{ "flags", "FIN", .flags = FIN, TCP_OPTIONS(NOP NOP TS) },
	{ "flags", "FIN ACK", .flags = FIN | ACK, TCP_OPTIONS(NOP NOP TS) },
	{ "flags", "ACK with data", .flags = ACK | PSH, TCP_OPTIONS(NOP NOP TS), .data = 33 },
	{ "flags", "none", .flags = 0 },
	{ "flags", "all", .flags = 0xff, TCP_OPTIONS(NOP NOP TS) },

	{ "damaged", "wrong checksum", USUAL, .spoil = 0x5555 },
	{ "damaged", "wrong checksum, data", USUAL, .data = 21, .spoil = 0x0001 },
	{ "damaged", "data offset 0", USUAL, .doff = NOTHING },
	{ "damaged", "data offset 4", USUAL, .doff = 4 },
	{ "damaged", "data offset past the end", .flags = SYN, .doff = 15 },
	{ "damaged", "data offset one word past the end", USUAL, .doff = 11 },
	{ "damaged", "cut inside the options", USUAL, .keep = 30 },
	{ "damaged", "cut to 19 bytes", USUAL, .keep = 19 },
	{ "damaged", "cut to 13 bytes", USUAL, .keep = 13 },
	{ "damaged", "cut to 12 bytes", USUAL, .keep = 12 },
	{ "damaged", "cut to 4 bytes", USUAL, .keep = 4 },
	{ "damaged", "cut to 1 byte", USUAL, .keep = 1 },
	{ "damaged", "cut to nothing", USUAL, .keep = NOTHING },
	{ "damaged", "cut, Ethernet padding", USUAL, .keep = 12, .padding = 14 },

	{ "fragments", "first, with all of the header", FRAGMENT, .keep = 48, .more = true },
	{ "fragments", "later, the last", FRAGMENT, .from = 48, .keep = 48 },
	{ "fragments", "later, one of many", FRAGMENT, .from = 48, .keep = 40, .more = true },
	{ "fragments", "tiny first, 8 bytes", FRAGMENT, .keep = 8, .more = true },
	{ "fragments", "first, 24 bytes", FRAGMENT, .keep = 24, .more = true },
	{ "fragments", "second at byte 8", FRAGMENT, .from = 8, .keep = 88 },
	{ "fragments", "pair, first half", FRAGMENT, .keep = 48, .more = true },
	{ "fragments", "pair, second half", FRAGMENT, .from = 48, .keep = 48, .same_id = true },
	{ "fragments", "atomic", AF_INET6, .chain = "f", USUAL },

	{ "headers", "no operations", AF_INET, IPV4_OPTIONS("\1\1\1\1"), USUAL },
	{ "headers", "router alert", AF_INET, IPV4_OPTIONS("\x94\x04\0\0"), USUAL },
	{ "headers", "record route", AF_INET, IPV4_OPTIONS("\x07\x07\x04\0\0\0\0\0"), USUAL },
	{ "headers", "40 bytes of options", AF_INET, WITH(MSS SACKOK NOP WS MD5 NOP NOP TS),
	  IPV4_OPTIONS("\x07\x27\x04" ZEROS9 ZEROS9 ZEROS9 ZEROS9 END) },
	{ "headers", "hop by hop", AF_INET6, .chain = "h", USUAL },
	{ "headers", "destination options", AF_INET6, .chain = "d", USUAL },
	{ "headers", "24 bytes of destination options", AF_INET6, .chain = "D", USUAL },
	{ "headers", "routing", AF_INET6, .chain = "r", USUAL },
	{ "headers", "authentication", AF_INET6, .chain = "A", USUAL },
	{ "headers", "hop by hop, routing, fragment", AF_INET6, .chain = "hrf", FRAGMENT,
	  .keep = 48, .more = true },
	{ "headers", "fragment, destination options", AF_INET6, .chain = "fd", USUAL },
	{ "headers", "chain of 17", AF_INET6, .chain = "hddddddddddddddrd", USUAL },
	{ "headers", "chain of 60", AF_INET6, USUAL,
	  .chain = "hddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd" },
	{ "headers", "options cut in the middle", AF_INET6, .chain = "t", USUAL, .keep = NOTHING },
	{ "headers", "options announced but absent", AF_INET6, .chain = "x", USUAL,
	  .keep = NOTHING },
	{ "headers", "options said to pass the end", AF_INET6, .chain = "o", USUAL },
	{ "headers", "no next header", AF_INET6, .protocol = IPPROTO_NONE },

	{ "other", "UDP", .protocol = IPPROTO_UDP, .data = 20 },
	{ "other", "UDP without data", .protocol = IPPROTO_UDP },
	{ "other", "echo request", .protocol = IPPROTO_ICMP, .data = 24 },
	{ "other", "unknown protocol 253", .protocol = UNKNOWN_PROTOCOL, .data = 40 },
	{ "other", "unknown protocol 253, empty", .protocol = UNKNOWN_PROTOCOL, .keep = NOTHING },

	{ .set = NULL },
};
