/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "handover.h"

void handover_start(struct handover *handover, size_t places)
{
	pthread_mutex_init(&handover->lock, NULL);
	pthread_cond_init(&handover->changed, NULL);
	handover->places = places;
	handover->first = handover->full = 0;
	handover->ended = handover->stopped = false;
}

bool handover_free_place(struct handover *handover, size_t *place)
{
	bool wanted;

	pthread_mutex_lock(&handover->lock);
	while (handover->full == handover->places && !handover->stopped)
		pthread_cond_wait(&handover->changed, &handover->lock);
	*place = (handover->first + handover->full) % handover->places;
	wanted = !handover->stopped;
	pthread_mutex_unlock(&handover->lock);
	return wanted;
}

bool handover_full_place(struct handover *handover, size_t *place)
{
	bool found;

	pthread_mutex_lock(&handover->lock);
	while (handover->full == 0 && !handover->ended)
		pthread_cond_wait(&handover->changed, &handover->lock);
	*place = handover->first;
	found = handover->full > 0;
	pthread_mutex_unlock(&handover->lock);
	return found;
}

void handover_give(struct handover *handover)
{
	pthread_mutex_lock(&handover->lock);
	if (++handover->full == 1)
		pthread_cond_signal(&handover->changed);
	pthread_mutex_unlock(&handover->lock);
}

/* A giver that had to wait is woken when half of the places are free: a wake-up costs more. */
void handover_return(struct handover *handover)
{
	pthread_mutex_lock(&handover->lock);
	handover->first = (handover->first + 1) % handover->places;
	if (--handover->full == handover->places / 2)
		pthread_cond_signal(&handover->changed);
	pthread_mutex_unlock(&handover->lock);
}

static void set(struct handover *handover, bool *flag)
{
	pthread_mutex_lock(&handover->lock);
	*flag = true;
	pthread_cond_signal(&handover->changed);
	pthread_mutex_unlock(&handover->lock);
}

void handover_end(struct handover *handover)
{
	set(handover, &handover->ended);
}

void handover_stop(struct handover *handover)
{
	set(handover, &handover->stopped);
}
