/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SIGNALS_H
#define SIGNALS_H

#include <signal.h>
#include <stdbool.h>

/* The signals of the daemon, whichever way packets come to it. */
enum signal_word {
	SIGNAL_END,	/* SIGTERM, SIGINT */
	SIGNAL_SUMMARY, /* SIGUSR1 */
	SIGNAL_HANGUP,	/* SIGHUP */
	SIGNAL_WORDS
};

/*
 * From now on signals come in only while the main thread waits for them in ppoll(), which gets
 * `open`. SIGCHLD only ends it; SIGPIPE is ignored.
 */
void signals_set_up(sigset_t *open);

/* True if `word` has come. */
bool signals_came(enum signal_word word);

/* The same, and forget it. */
bool signals_take(enum signal_word word);

#endif
