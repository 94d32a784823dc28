#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the firewall rule counted is what the daemon received and what it missed, exactly, also in a
# flood that the socket buffer cannot hold.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"
make_net || exit 1

offered() {
	inside server "$IPTABLES" -t mangle -nvxL INPUT | awk '/SYNPAWS/ {print $1}'
}

# books BUFFER: a flood, then offered = packets + gaps; queue_dropped stays 0 since it fails open.
books() {
	local before after packets gaps
	before=$(offered)
	start_daemon server --log stdout --log-rate 1 --buffer "$1" --profile 3.10 || return 1
	inside client "$TOOLS/wire" syn c0 "$GATEWAY_MAC" 10.90.0.1 10.77.2.2 --sport 1024 \
		--dport 81 --tsval 1 --count 60000 --peers 5000 --rate 0 >/dev/null
	sleep 0.5
	# A last packet after the flood lets the daemon see a gap at its end.
	syn 5
	sleep 0.2
	stop_daemon || return 1
	after=$(offered)
	packets=$(field missed packets)
	gaps=$(field missed missed_socket)
	echo "offered $((after - before)), received $packets, missed $gaps"
	grep missed "$TMP/out"
	[ $((after - before)) -eq $((packets + gaps)) ] || return 1
	[ "$2" = any ] || [ "$gaps" -gt 0 ]
}

judged() {
	local ring syns
	ring=$(field missed missed_ring)
	syns=$(field summary syns)
	[ "$((syns + ring))" -eq "$(field missed packets)" ]
}

rules_in server >/dev/null || exit 1
check "a flood with the usual buffer adds up" books 8388608 any
check "each one received is judged, or missed by the ring" judged
check "a flood with a tiny buffer is missed, and counted" books 65536 missed
check "each one received is judged, or missed by the ring, again" judged
