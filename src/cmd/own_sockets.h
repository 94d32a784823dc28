/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OWN_SOCKETS_H
#define OWN_SOCKETS_H

#include "../sink/log.h"
#include "panel.h"

/* What this machine's socket tables tell a panel, where this machine is the host. */
struct own_sockets;

/* Both are borrowed. Where the tables cannot be read the log says so, once. NULL if no memory. */
struct own_sockets *own_sockets_new(struct panel *panel, struct log *log);
void own_sockets_free(struct own_sockets *own);

/* Look once, and tell the panel. */
void own_sockets_look(struct own_sockets *own);

#endif
