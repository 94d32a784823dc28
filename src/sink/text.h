/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TEXT_H
#define TEXT_H

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* How the lines write what is in them. */

static inline void text_address(uint8_t ip_version, const uint8_t address[16],
				char text[INET6_ADDRSTRLEN])
{
	inet_ntop(ip_version == 4 ? AF_INET : AF_INET6, address, text, INET6_ADDRSTRLEN);
}

#define TEXT_NAME_MOST 32

/* The name of a field: that of a fate or a fact with '_' for '-'. */
static inline const char *text_field(const char *name, char text[TEXT_NAME_MOST])
{
	size_t i;

	snprintf(text, TEXT_NAME_MOST, "%s", name);
	for (i = 0; text[i] != '\0'; i++) {
		if (text[i] == '-')
			text[i] = '_';
	}
	return text;
}

#endif
