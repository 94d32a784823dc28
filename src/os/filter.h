/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FILTER_H
#define FILTER_H

/*
 * Filters of system calls (seccomp), one for each kind of process, inherited by its children.
 *
 * What reads packets has a list of what it needs. Calls that are not on it fail with ENOSYS, as on
 * a kernel that lacks them, and the kernel's log names each (type=1326): a libc of tomorrow then
 * takes an older call or goes without, while death would have the keeper start analysts for ever.
 * Only calls that no libc makes unasked, as execve(), end the process: somebody has taken it over,
 * and a new one that he has not serves better.
 *
 * The receiver has a list of what it never needs, and those fail. It can so meet no call that fails
 * for being new or rare: traffic hangs on it.
 */
enum filter_role {
	FILTER_RECEIVER,
	FILTER_KEEPER, /* and what its child calls before it has a filter of its own */
	FILTER_ANALYST,
	FILTER_ANSWERING, /* an analyst whose children answer for reports */
	FILTER_SNIFF,	  /* the one process of `watch --interface` */
	FILTER_LOG_DOOR,
	FILTER_STATE_DOOR,
	FILTER_ROLES,
};

enum filter_lack {
	FILTER_LACKS_NOTHING,
	FILTER_LACKS_LIBRARY,	/* at build time */
	FILTER_LACKS_KERNEL,	/* before 3.5, or one configured so */
	FILTER_LACKS_SANITIZER, /* whose calls nobody lists */
};

/* Why there are no filters here. */
enum filter_lack filter_lack(void);

/* From here on, for good. 0, also where there are none; -1 with errno. */
int filter_enter(enum filter_role role);

#endif
