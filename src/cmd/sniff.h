/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SNIFF_H
#define SNIFF_H

#include <stdbool.h>

#include "../os/replace.h"
#include "../sink/log.h"
#include "options.h"
#include "state.h"

/*
 * The life of `synpaws watch --interface`: open the interfaces, give up all privileges, judge what
 * is seen there until a signal says to end. No packet waits for any of it, so it is one process.
 * It goes on from `state`, and in the end replaces `file` if that is open, which it closes. False
 * if something failed, which a line in the log has told.
 */
bool sniff_run(const struct watch_options *options, struct log *log, struct state *state,
	       struct replace *file);

#endif
