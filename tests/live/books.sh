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
	stop_daemon || return 1
	after=$(offered)
	packets=$(field missed packets)
	gaps=$(field missed missed_socket)
	echo "offered $((after - before)), received $packets, missed $gaps"
	grep missed "$TMP/out"
	[ $((after - before)) -eq $((packets + gaps)) ] || return 1
	[ "$2" = any ] || [ "$gaps" -gt 0 ]
}

# What is missed behind the last packet received shows in the kernel's own count only.
missed_at_the_end() {
	local before after
	before=$(offered)
	start_daemon server --log stdout --log-rate 1 --buffer 65536 "$@" || return 1
	kill -STOP "$DAEMON"
	syn 1 --count 3000 --rate 20000 --sport-step 1
	kill -TERM "$DAEMON"
	kill -CONT "$DAEMON"
	wait "$DAEMON"
	DAEMON=
	after=$(offered)
	echo "offered $((after - before))"
	grep missed "$TMP/out"
	[ "$((after - before))" -eq 3000 ] && [ "$(field missed missed_socket)" -gt 0 ] &&
		[ $(($(field missed packets) + $(field missed missed_socket))) -eq 3000 ]
}

# A clean stop accepts all that wait, however many, and however they are received.
drained() {
	start_daemon server --log stdout --log-rate 1 "$@" || return 1
	kill -STOP "$DAEMON"
	syn 1 --count 8000 --rate 40000 --sport-step 1
	kill -TERM "$DAEMON"
	kill -CONT "$DAEMON"
	wait "$DAEMON"
	DAEMON=
	grep missed "$TMP/out"
	[ "$(field missed packets)" -eq 8000 ] && [ "$(field missed missed_socket)" -eq 0 ]
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
check "what was missed at the very end is counted" missed_at_the_end
check "a clean stop accepts all that wait" drained
check "the same one by one" drained --without recvmmsg --without batch-verdict
