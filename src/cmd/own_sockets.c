/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "../source/sockets.h"
#include "own_sockets.h"

struct own_sockets {
	struct panel *panel;
	struct log *log;
	struct sockets *sockets;      /* NULL if they cannot be asked */
	bool failed;		      /* and the log knows */
	uint8_t listening[65536 / 8]; /* ports that have had a listener, a bit each */
};

static void warn(struct own_sockets *own)
{
	if (!own->failed)
		log_warn(own->log, "cannot read the socket tables: which services half-close or "
				   "are dual-stack is learnt from packets or told");
	own->failed = true;
}

struct own_sockets *own_sockets_new(struct panel *panel, struct log *log)
{
	struct own_sockets *own = calloc(1, sizeof(*own));

	if (own == NULL)
		return NULL;
	own->panel = panel;
	own->log = log;
	own->sockets = sockets_open();
	if (own->sockets == NULL)
		warn(own);
	return own;
}

void own_sockets_free(struct own_sockets *own)
{
	if (own == NULL)
		return;
	if (own->sockets != NULL)
		sockets_close(own->sockets);
	free(own);
}

static void see_listener(void *context, uint16_t port, bool dual_stack)
{
	struct own_sockets *own = context;

	own->listening[port / 8] |= (uint8_t)(1U << port % 8);
	panel_tell(own->panel, port, SYNPAWS_FACT_DUAL_STACK, dual_stack, SYNPAWS_SOURCE_SOCKETS);
}

static void see_fin_wait2(void *context, uint16_t port, bool orphan)
{
	const struct own_sockets *own = context;

	/* Of connections that this machine opened the port says nothing about a service. */
	if ((own->listening[port / 8] & 1U << port % 8) != 0)
		panel_saw_socket(own->panel, port, orphan);
}

void own_sockets_look(struct own_sockets *own)
{
	const struct sockets_events events = { .listener = see_listener,
					       .fin_wait2 = see_fin_wait2,
					       .context = own };

	if (own->sockets == NULL || sockets_look(own->sockets, &events) == 0)
		return;
	warn(own);
	/* A dump that the kernel did not end leaves the socket busy for good. */
	sockets_close(own->sockets);
	own->sockets = sockets_open();
}
