/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stddef.h>

#include "signals.h"

static volatile sig_atomic_t caught[SIGNAL_WORDS];

static void on_signal(int number)
{
	switch (number) {
	case SIGTERM:
	case SIGINT:
		caught[SIGNAL_END] = 1;
		break;
	case SIGUSR1:
		caught[SIGNAL_SUMMARY] = 1;
		break;
	case SIGHUP:
		caught[SIGNAL_HANGUP] = 1;
		break;
	} /* SIGCHLD need only end ppoll() */
}

void signals_set_up(sigset_t *open)
{
	static const int numbers[] = { SIGTERM, SIGINT, SIGUSR1, SIGHUP, SIGCHLD };
	struct sigaction action = { .sa_handler = on_signal };
	sigset_t blocked;
	size_t i;

	sigemptyset(&blocked);
	sigemptyset(&action.sa_mask);
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		sigaddset(&blocked, numbers[i]);
	sigprocmask(SIG_BLOCK, &blocked, open);
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		sigdelset(open, numbers[i]);
		sigaction(numbers[i], &action, NULL);
	}
	signal(SIGPIPE, SIG_IGN);
}

bool signals_came(enum signal_word word)
{
	return caught[word] != 0;
}

bool signals_take(enum signal_word word)
{
	const bool came = caught[word] != 0;

	if (came)
		caught[word] = 0;
	return came;
}
