/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef WIRE_COMMON_H
#define WIRE_COMMON_H

#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>

/* What the parts of wire share. */

#define NS_PER_S  UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)
#define SLEEP_MAX (100 * NS_PER_MS) /* so that a signal is soon seen */

#define IPV4_HEADER 20
#define IPV6_HEADER 40
#define TCP_HEADER  20

#define FIN 0x01
#define SYN 0x02
#define RST 0x04
#define PSH 0x08
#define ACK 0x10
#define URG 0x20
#define ECE 0x40
#define CWR 0x80

/* TCP options, to be put together as strings. */
#define MSS    "\x02\x04\x05\xb4"
#define SACKOK "\x04\x02"
#define TS     "\x08\x0a\x12\x34\x56\x78\x00\x00\x00\x00"
#define NOP    "\x01"
#define WS     "\x03\x03\x07"

struct addresses {
	int family;	/* AF_INET, AF_INET6, or 0 for none */
	uint8_t length; /* of one address */
	uint8_t source[16];
	uint8_t destination[16];
};

struct interface {
	int fd;
	struct sockaddr_ll link;
	uint8_t ethernet[ETH_HLEN]; /* the header, but for its type */
};

/* Set by SIGTERM and SIGINT: come to an end. */
extern volatile sig_atomic_t stopped;

/* The subcommands: argv[0] is the name of the subcommand, the result is the exit status. */
int main_send(int argc, char **argv);
int main_receive(int argc, char **argv);
int main_syn(int argc, char **argv);

/* Says why on standard error and exits: 1 is a failure, 2 wrong usage. */
__attribute__((noreturn, format(printf, 2, 3))) void die(int status, const char *format, ...);

/* The monotonic clock. */
uint64_t now_ns(void);

/* Sleeps for `ns`, but for SLEEP_MAX at most. */
void sleep_ns(uint64_t ns);

/* `text` as a decimal number; dies if it is none or out of range, with `what` as its name. */
uint32_t number(const char *text, uint32_t min, uint32_t max, const char *what);

/* In network byte order. */
void put16(uint8_t *bytes, unsigned int value);
void put32(uint8_t *bytes, uint32_t value);

/*
 * The Internet checksum (RFC 1071) is fold() of a sum, which begins with 0 or with pseudo_sum(). Of
 * the parts that are added only the last may have an odd length.
 */
uint32_t add_sum(uint32_t sum, const uint8_t *bytes, size_t length);
uint32_t pseudo_sum(const struct addresses *addresses, uint8_t protocol, size_t length);
uint16_t fold(uint32_t sum);

/* Two addresses of one family, or none for "-" and "-"; dies if they are something else. */
void parse_addresses(const char *source, const char *destination, int family,
		     struct addresses *out);

/* Opens a packet socket for an interface, not yet bound to it; dies if it cannot. */
void open_interface(struct interface *interface, const char *name, int type, int protocol);

/* Opens an interface to send frames from its own Ethernet address to `mac`; dies if it cannot. */
void open_sender(struct interface *interface, const char *name, const char *mac);

/* Makes SO_SNDBUF or SO_RCVBUF large: by `forced`, its ...FORCE, or else as far as allowed. */
void set_buffer(int fd, int forced, int option);

/* Writes the Ethernet header of an IPv4 or IPv6 packet; returns its length. */
size_t put_ethernet(uint8_t *frame, const struct interface *interface, int family);

#endif
