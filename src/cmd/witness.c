/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <sys/utsname.h>
#include <syslog.h>
#include <unistd.h>

#include "../os/kernel.h"
#include "witness.h"

#define LINE_MOST 512

int witness_open(void)
{
	return open(COUNTERS_FILE, O_RDONLY | O_CLOEXEC);
}

void witness_start(struct witness *witness, int netstat)
{
	witness->netstat = netstat;
	if (netstat < 0 || counters_read_open(netstat, &witness->before) == 0)
		return;
	close(netstat);
	witness->netstat = -1;
}

void witness_write(const struct witness *witness, const struct panel *panel, bool json,
		   struct log *log)
{
	struct counters now, since;
	struct utsname system;
	uint64_t predicted;
	char line[LINE_MOST];

	if (witness->netstat < 0 || counters_read_open(witness->netstat, &now) < 0)
		return;
	counters_since(&witness->before, &now, &since);
	predicted =
		panel_drop_syns(panel, uname(&system) == 0 ? kernel_profile(system.release) : NULL);
	if ((json ? counters_json : counters_line)(&since, predicted, line, sizeof(line)) > 0)
		log_record(log, LOG_NOTICE, line);
}
