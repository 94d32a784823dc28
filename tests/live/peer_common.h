/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PEER_COMMON_H
#define PEER_COMMON_H

#include <signal.h>
#include <stdint.h>
#include <sys/socket.h>

/* What the two sides of peer share. */

#define DESCRIPTORS_MAX 65536
#define EVENTS		256 /* taken from epoll at once */
#define NS_PER_MS	UINT64_C(1000000)
#define NS_PER_S	UINT64_C(1000000000)

/* Set by SIGTERM and SIGINT, see catch_signals(). */
extern volatile sig_atomic_t stopped;

/* The subcommands: argv[0] is the name of the subcommand, the result is the exit status. */
int main_serve(int argc, char **argv);
int main_connect(int argc, char **argv);

/* Says why on standard error and exits: 1 is a failure, 2 wrong usage. */
__attribute__((noreturn, format(printf, 2, 3))) void die(int status, const char *format, ...);

/* The monotonic clock. */
uint64_t now_ns(void);

/* `text` as a decimal number from 1 to `max`; dies if it is none, with `what` as its name. */
unsigned int number(const char *text, unsigned int max, const char *what);

/*
 * An address and a port, both in numbers; a scope as in fe80::1%eth0 is understood. Returns the
 * length of the result; dies if it cannot be had.
 */
socklen_t parse_address(const char *address, const char *port, struct sockaddr_storage *out);

/* Raises the limit of open descriptors as far as allowed, to DESCRIPTORS_MAX at most. */
void use_many_descriptors(void);

/* From now on SIGTERM and SIGINT arrive only inside epoll_pwait(), with the mask this returns. */
sigset_t catch_signals(void);

/* epoll_ctl(), with `key` as the data of the event; returns 0 or, with errno, -1. */
int watch(int epoll, int operation, int fd, uint32_t events, uint32_t key);

/* setsockopt() to 1; returns 0 or, with errno, -1. */
int set_option(int fd, int level, int name);

/* close() will send an RST instead of a FIN. */
void end_by_reset(int fd);

#endif
