/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKETS_H
#define SOCKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The host's own socket table, asked through sock_diag(7): which ports have a dual-stack listener,
 * and whether sockets in FIN_WAIT2 still have an owner. Needs no privilege and no /proc; sees the
 * network namespace in which it was opened.
 */
struct sockets;

/*
 * A socket that does not block. NULL with errno; ENOENT or EPROTONOSUPPORT where the kernel cannot
 * tell. Nothing is allocated, and no other descriptor opened, later on.
 */
struct sockets *sockets_open(void);
void sockets_close(struct sockets *sockets);

struct sockets_events {
	/*
	 * A port with listeners, once each time that the table was gone through; dual_stack if IPv4
	 * connections to it come to an IPv6 socket. A port whose listeners are gone is told once
	 * more, as not dual_stack.
	 */
	void (*listener)(void *context, uint16_t port, bool dual_stack);
	/*
	 * A socket in FIN_WAIT2 and its own port, be it a service's or that of a connection which
	 * this host opened; an orphan has no owner (inode 0). Told at first sight only, as far as
	 * memory goes: a socket that there is no room to remember is not told at all.
	 */
	void (*fin_wait2)(void *context, uint16_t port, bool orphan);
	void *context;
};

/*
 * Look once. -1 with errno if the kernel would not tell; the next look begins anew. Takes no more
 * than SOCKETS_MOST sockets a call; the next one goes on with the rest.
 */
#define SOCKETS_MOST 65536
int sockets_look(struct sockets *sockets, const struct sockets_events *events);

/* The rest is for tests. */

/* Speak the protocol of kernels before 3.3, which later ones understand too. */
struct sockets *sockets_open_old(void);

/* Without a kernel: what sockets_feed() gets is its answers, to port id 0 and sequence number 0. */
struct sockets *sockets_new(bool old);

/*
 * Take what came in one piece, in a buffer as nfmessage.h asks. 0 if there is more to come of this
 * dump, 1 if that was its end and the next one is due, -1 with errno if the kernel would not tell.
 * The dumps, in turn: listeners of IPv4, of IPv6, sockets in FIN_WAIT2 of IPv4, of IPv6; by the old
 * protocol listeners, sockets in FIN_WAIT2.
 */
int sockets_feed(struct sockets *sockets, const void *bytes, size_t length,
		 const struct sockets_events *events);

#endif
