/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_H
#define HANDOVER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Hands filled places over from one thread to another, in order. The places are the caller's, here
 * they are numbers below `places`; who has no place to work on waits.
 */
struct handover {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	size_t places;
	size_t first, full; /* the full ones: where they begin, how many they are */
	bool ended;	    /* nothing more will be filled */
	bool stopped;	    /* nothing more will be taken */
};

void handover_start(struct handover *handover, size_t places);

/* Giver: the next place to fill. False if nobody will take it. */
bool handover_free_place(struct handover *handover, size_t *place);

/* Giver: that place is full now. */
void handover_give(struct handover *handover);

/* Giver: there will be no more. */
void handover_end(struct handover *handover);

/* Taker: the next full place. False if there will be none. */
bool handover_full_place(struct handover *handover, size_t *place);

/* Taker: that place may be filled again. */
void handover_return(struct handover *handover);

/* Taker: no more is wanted. */
void handover_stop(struct handover *handover);

#endif
