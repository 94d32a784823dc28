/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "filter.h"
#include "keeper.h"

#define PAUSE_USEC_FIRST 1000U
#define PAUSE_USEC_MOST	 1000000U

/* A child that dies again and again is started ever more slowly. */
static void pause_before(uint64_t restarts)
{
	const unsigned int shift = restarts < 10 ? (unsigned int)restarts : 10;
	const unsigned int usec = PAUSE_USEC_FIRST << shift;

	usleep(usec < PAUSE_USEC_MOST ? usec : PAUSE_USEC_MOST);
}

/* Signals to the whole group, as from Ctrl-C, are the receiver's business: it says when to end. */
static void leave_signals_to_receiver(void)
{
	static const int ignored[] = { SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGPIPE };
	sigset_t none;
	size_t i;

	for (i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static int keep(const struct keeper_child *child)
{
	const pid_t keeper = getpid();
	uint64_t restarts;
	int status = 0;

	for (restarts = 0;; restarts++) {
		const pid_t pid = fork();

		if (pid == 0) {
			if (sandbox_settle() < 0)
				return EXIT_FAILURE;
			prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
			if (getppid() != keeper)
				return EXIT_FAILURE;
			return child->run(child->context, restarts, WTERMSIG(status));
		}
		if (pid > 0) {
			while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
				continue;
			if (WIFEXITED(status))
				return WEXITSTATUS(status);
		}
		pause_before(restarts);
	}
}

pid_t keeper_start(const struct keeper_child *child)
{
	const pid_t pid = fork();

	if (pid != 0)
		return pid;
	prctl(PR_SET_NAME, "synpaws-keeper", 0, 0, 0);
	leave_signals_to_receiver();
	if (child->prepare(child->context) != 0)
		exit(EXIT_FAILURE);
	if (sandbox_enter(&child->user, &child->owner) < 0) {
		fprintf(stderr, "synpaws: the analyst cannot give up its privileges: %s\n",
			strerror(errno));
		exit(EXIT_FAILURE);
	}
	child->describe(child->context);
	filter_enter(FILTER_KEEPER); /* where this fails the child's does, and it says so */
	exit(keep(child));
}
