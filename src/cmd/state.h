/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef STATE_H
#define STATE_H

#include "panel.h"

#define STATE_BOOT_MOST 64

/*
 * What a daemon remembers, in a file that the next one goes on from: what the panel holds, the
 * totals, when that was and since which start of the machine, and CRC-32C over it all.
 */
struct state {
	char boot[STATE_BOOT_MOST];  /* the kernel's name for this start of the machine, or "" */
	bool gateway;		     /* the hosts did not start anew with this machine */
	struct tally_context before; /* the totals of the daemons before this one */
	int fd;			     /* the file to go on from; -1: none */
};

/* Fill in `boot`, while /proc can be read. */
void state_read_boot(struct state *state);

/*
 * Go on from the file, if there is one. False if it cannot be; the panel is then good only for
 * panel_free(). `line` says what was found, without the file's name.
 */
bool state_load(struct state *state, struct panel *panel, char *line, size_t size);

/* Write the panel and `totals` to `fd`. False with errno, and the file is empty. */
bool state_save(const struct state *state, int fd, const struct panel *panel,
		const struct tally_context *totals);

#endif
