#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the daemon does to traffic, which is nothing: packets leave as they came, later rules still
# apply, and no way of ending or hanging costs a connection. What a kernel's own rules do to odd
# packets is the same with the daemon and without it, so the two are compared with each other.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"
make_net || exit 1

# Everything that the gateway forwards goes through the queue, not only SYNs.
queue_all() {
	tables gateway -t mangle -A FORWARD -j NFQUEUE --queue-num 0 --queue-bypass &&
		tables6 gateway -t mangle -A FORWARD -j NFQUEUE --queue-num 0 --queue-bypass
}

unqueue_all() {
	tables gateway -t mangle -F FORWARD
	tables6 gateway -t mangle -F FORWARD
}

# What reaches the server of the list of odd and ordinary frames, in order, byte for byte.
frames() {
	local pid
	inside server "$TOOLS/wire" receive s0 --seconds 2 >"$1" 2>"$TMP/receive" &
	pid=$!
	soon grep -q ready "$TMP/receive" || return 1
	inside client "$TOOLS/wire" send c0 "$GATEWAY_MAC" 10.77.1.2 10.77.2.2 fd77:1::2 \
		fd77:2::2 >"$TMP/sent"
	wait "$pid"
}

same_bytes() {
	frames "$TMP/without" || return 1
	start_daemon gateway --log stdout "$@" || return 1
	frames "$TMP/with"
	stop_daemon || return 1
	[ "$(wc -l <"$TMP/without")" -ge 100 ] && cmp "$TMP/without" "$TMP/with" || return 1
	[ "$(field missed packets)" -ge 100 ] && [ "$(field missed not_tcp)" -gt 0 ] &&
		[ "$(field missed malformed)" -gt 0 ] && [ "$(field missed bad_checksum)" -gt 0 ]
}

serve() {
	inside server "$TOOLS/peer" serve "$@" >"$TMP/serve.$2" &
	PIDS+=($!)
	soon grep -q ready "$TMP/serve.$2"
}

connect() {
	inside client "$TOOLS/peer" connect "$@" --quiet
}

# Connections of which none failed, and none had to send its SYN again.
connect_smoothly() {
	connect "$@" | tee "$TMP/connect"
	grep -Eq ' 0 failed, .* SYN retransmits 0$' "$TMP/connect"
}

later_rules() {
	local before after
	tables gateway -A FORWARD -p tcp --dport 82 -j DROP
	tables6 gateway -A FORWARD -p tcp --dport 82 -j DROP
	tables gateway -A FORWARD -p tcp --dport 83 -j REJECT --reject-with tcp-reset
	start_daemon gateway --log stdout || return 1
	before=$(inside gateway "$IPTABLES" -nvxL FORWARD | awk '/dpt:82/ {print $1}')
	connect 10.77.2.2 82 --timeout 1 && return 1
	connect fd77:2::2 82 --timeout 1 && return 1
	connect 10.77.2.2 83 --timeout 1 | grep -q '0 succeeded' || return 1
	after=$(inside gateway "$IPTABLES" -nvxL FORWARD | awk '/dpt:82/ {print $1}')
	[ "$after" -gt "$before" ] && stop_daemon && [ "$(field missed packets)" -ge 3 ]
}

nobody_there() {
	connect_smoothly 10.77.2.2 80 --count 200 && connect_smoothly fd77:2::2 80 --count 200
}

feature_off() {
	start_daemon gateway --log stdout --without "$1" --debug || return 1
	grep -q "without $1" "$TMP/err" || return 1
	connect_smoothly 10.77.2.2 80 --count 500 --parallel 20 &&
		connect_smoothly fd77:2::2 80 --count 500 --parallel 20 && stop_daemon &&
		[ "$(field summary syns)" -eq 1000 ] && [ "$(field missed missed_socket)" -eq 0 ]
}

all_features_off() {
	start_daemon gateway --log stdout --without batch-verdict --without fail-open \
		--without gso --without recvmmsg || return 1
	grep -q 'without fail-open (Linux 3.6)' "$TMP/err" || return 1
	connect_smoothly 10.77.2.2 80 --count 500 --parallel 20 && stop_daemon &&
		[ "$(field summary syns)" -eq 500 ]
}

# kill -9 while connections are made: what sat in the queue is lost and comes again a second later.
killed() {
	local pid
	start_daemon gateway --log stdout || return 1
	connect 10.77.2.2 80 --count 6000 --rate 3000 >"$TMP/connect" &
	pid=$!
	sleep 0.7
	kill -KILL "$DAEMON"
	wait "$DAEMON" 2>/dev/null
	DAEMON=
	wait "$pid" || { cat "$TMP/connect"; return 1; }
	cat "$TMP/connect"
	grep -q '6000 succeeded, 0 failed' "$TMP/connect" || return 1
	soon nobody_left
}

nobody_left() {
	[ -z "$(ip netns pids "$(namespace gateway)")" ]
}

stopped_and_started() {
	local pid i
	connect 10.77.2.2 80 --count 8000 --rate 4000 >"$TMP/connect" &
	pid=$!
	for i in 1 2 3; do
		start_daemon gateway --log stdout || return 1
		sleep 0.2
		stop_daemon || return 1
	done
	wait "$pid" || return 1
	cat "$TMP/connect"
	grep -Eq '8000 succeeded, 0 failed, .* SYN retransmits 0$' "$TMP/connect"
}

# A start that fails at its second queue gives the first one back without losing what is in it.
failed_starts() {
	local pid i
	rules_in gateway --at gateway --queue 1 >/dev/null || return 1
	start_daemon gateway --queue 2 --log stdout || return 1
	connect 10.77.2.2 80 --count 4000 --rate 2000 >"$TMP/connect" &
	pid=$!
	for i in $(seq 20); do
		inside gateway "$SYNPAWS" watch --queue 1:2 --log stdout >/dev/null 2>&1
		[ $? -eq 1 ] || return 1
	done
	wait "$pid" || return 1
	cat "$TMP/connect"
	grep -Eq '4000 succeeded, 0 failed, .* SYN retransmits 0$' "$TMP/connect" || return 1
	stop_daemon && rules_in gateway --at gateway >/dev/null
}

analyst() {
	pgrep -P "$(pgrep -P "$DAEMON")"
}

# The analyst dies by a signal and is replaced, more than once; nobody's SYN waits for it.
analyst_killed() {
	local pid i first
	start_daemon gateway --log stdout || return 1
	soon analyst || return 1
	first=$(analyst)
	connect 10.77.2.2 80 --count 8000 --rate 4000 >"$TMP/connect" &
	pid=$!
	for i in KILL SEGV KILL; do
		sleep 0.4
		kill -$i "$(analyst)"
		soon analyst || return 1
	done
	wait "$pid" || return 1
	cat "$TMP/connect"
	grep -Eq '8000 succeeded, 0 failed, .* SYN retransmits 0$' "$TMP/connect" || return 1
	[ "$(analyst)" != "$first" ] && stop_daemon &&
		[ "$(field missed analyst_restarts)" -eq 3 ] &&
		[ "$(field missed packets)" -eq 8000 ] &&
		[ "$(grep -c 'the analyst was ended by signal' "$TMP/err")" -eq 3 ]
}

# A hung analyst costs lines, never packets: what the ring has no room for is counted.
analyst_hung() {
	local pid total
	start_daemon gateway --log stdout --log-rate 1 || return 1
	soon analyst || return 1
	pid=$(analyst)
	kill -STOP "$pid"
	connect_smoothly 10.77.2.2 80 --count 20000 --parallel 50 || { kill -CONT "$pid"; return 1; }
	kill -CONT "$pid"
	stop_daemon || return 1
	total=$(($(field summary syns) + $(field missed missed_ring)))
	[ "$(field missed missed_ring)" -gt 0 ] && [ "$total" -eq 20000 ] &&
		[ "$(field missed packets)" -eq 20000 ]
}

# No server yet: its answers would draw further packets, with numbers that differ each time.
queue_all || exit 1
check "packets leave byte for byte as they came" same_bytes
check "the same when each is accepted on its own" same_bytes --without batch-verdict
unqueue_all
rules_in gateway --at gateway >/dev/null || exit 1
serve 10.77.2.2 80 || exit 1
serve fd77:2::2 80 || exit 1
check "the firewall's later rules still apply" later_rules
check "with nobody behind the rule traffic flows" nobody_there
for feature in batch-verdict fail-open gso recvmmsg; do
	check "traffic flows without $feature" feature_off $feature
done
check "traffic flows without all of them" all_features_off
check "kill -9 under traffic: every connection succeeds" killed
check "stopped and started under traffic: no SYN is lost" stopped_and_started
check "a start that fails loses no SYN" failed_starts
check "an analyst that is killed is replaced: no SYN is lost" analyst_killed
check "a hung analyst delays nobody, and what it missed is counted" analyst_hung
