/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inner.h"

static void put_name(const struct synpaws_mirror *mirror, const struct synpaws_segment *seg,
		     struct ends *ends)
{
	ends->name = flows_name(mirror->flows, seg->ip_version, ends->host, ends->host_port,
				ends->peer, ends->peer_port);
	ends->peer_name = ends->host_name = 0;
}

void ends_of_arrival(const struct synpaws_mirror *mirror, const struct synpaws_segment *seg,
		     struct ends *ends)
{
	ends->host = seg->destination;
	ends->peer = seg->source;
	ends->host_port = seg->destination_port;
	ends->peer_port = seg->source_port;
	put_name(mirror, seg, ends);
}

void ends_exchange(const struct ends *from, struct ends *ends)
{
	ends->host = from->peer;
	ends->peer = from->host;
	ends->host_port = from->peer_port;
	ends->peer_port = from->host_port;
	ends->name = from->name ^ FLOWS_SWAPPED;
	ends->peer_name = ends->host_name = 0;
}

void ends_of_departure(const struct synpaws_mirror *mirror, const struct synpaws_segment *seg,
		       struct ends *ends)
{
	ends->host = seg->source;
	ends->peer = seg->destination;
	ends->host_port = seg->source_port;
	ends->peer_port = seg->destination_port;
	put_name(mirror, seg, ends);
}

void ends_name_both(const struct synpaws_mirror *mirror, const struct synpaws_segment *seg,
		    struct ends *ends)
{
	if (ends->peer_name != 0)
		return;
	ends->peer_name = stamps_peer(mirror->stamps, seg->ip_version, ends->peer,
				      by_host(mirror, seg) ? ends->host : NULL);
	ends->host_name = services_host(mirror->services, seg->ip_version, ends->host);
}
