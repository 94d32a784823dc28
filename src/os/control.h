/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CONTROL_H
#define CONTROL_H

/*
 * The few words between receiver and analyst, one letter each, over a pair of sockets. Nobody ever
 * waits for the other.
 */
enum control {
	CONTROL_NONE = 0,      /* nothing there */
	CONTROL_GONE = -1,     /* the other side has ended */
	CONTROL_SUMMARY = 'S', /* to the analyst: write a summary */
	CONTROL_FINISH = 'F',  /* to the analyst: take what is left in the rings, summarise, write
				  the state to what came with it, end */
	CONTROL_STATE = 'T',   /* to a door: I need a file for the state; back: here it is */
	CONTROL_LOG = 'L',     /* to the receiver: I need a socket to /dev/log; back: here it is */
};

/* Make the pair. 0, or -1 with errno. */
int control_pair(int fds[2]);

/* Send a word, with descriptor `passed` unless that is -1. 0, or -1 with errno. */
int control_send(int fd, enum control word, int passed);

/* The next word; a descriptor that came with it, or -1, goes to `passed` and is then the caller's.
 */
enum control control_receive(int fd, int *passed);

#endif
