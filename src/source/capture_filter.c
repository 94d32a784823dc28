/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "capture_live.h"

/*
 * pcap-filter(7) knows no flags behind extension headers, so what has any goes through if TCP or
 * one more header follows. First fragments only; in IPv4 tcp[] sees to that where it stands alone.
 */
#define EXTENDED                                                                  \
	"(ip6 and (ip6[6]=0 or ip6[6]=43 or ip6[6]=44 or ip6[6]=60)"              \
	" and (ip6[40]=6 or ip6[40]=0 or ip6[40]=43 or ip6[40]=44 or ip6[40]=60)" \
	" and (ip6[6]!=44 or ip6[42:2]&0xfff8=0))"

#define IPV4	  "ip and tcp and tcp"
#define IPV6	  "ip6 and ip6[6]=6 and ip6"
#define SYN_ALONE "&0x12=2"
#define FIN_RST	  "&5!=0"
#define SYN_ALL	  "&7!=0"

static const char *const filters[] = {
	[CAPTURE_WANT_SYN] = "(" IPV4 "[13]" SYN_ALONE ") or (" IPV6 "[53]" SYN_ALONE ")",
	[CAPTURE_WANT_CLOSE] = "(" IPV4 "[13]" SYN_ALONE ") or (" IPV4 "[13]" FIN_RST ")"
			       " or (" IPV6 "[53]" SYN_ALONE ") or (" IPV6 "[53]" FIN_RST ")",
	[CAPTURE_WANT_NO_DATA] = "(" IPV4 "[13]" SYN_ALL ") or (" IPV6 "[53]" SYN_ALL ")"
				 " or (ip and tcp and ip[6:2]&0x1fff=0 and"
				 " ip[2:2]-((ip[0]&0xf)<<2)-((tcp[12]&0xf0)>>2)=0)"
				 " or (ip6 and ip6[6]=6 and ip6[4:2]-((ip6[52]&0xf0)>>2)=0)",
	[CAPTURE_WANT_ALL] = "(ip and tcp and ip[6:2]&0x1fff=0) or (ip6 and ip6[6]=6)",
};

void capture_live_filter(enum capture_want want, bool vlan, char *filter, size_t size)
{
	const int length = snprintf(filter, size, "(%s or " EXTENDED ")", filters[want]);

	/* Behind `vlan` all offsets are behind the tag, so it comes last. */
	if (vlan && length > 0 && (size_t)length < size)
		snprintf(filter + length, size - (size_t)length,
			 " or (vlan and (%s or " EXTENDED "))", filters[want]);
}
