#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The daemon's main job on real packets: which SYNs it calls dropped, and what it says of them. The
# SYNs are crafted, since their TSvals decide; what the answers should be follows from the boundary
# table of the kernel rule, never from what the daemon printed before.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"
make_net || exit 1

pattern() {
	grep -Eq "$1" "$TMP/out" && return 0
	echo "no line like: $1"
	cat "$TMP/out"
	return 1
}

summarise() {
	local before
	before=$(grep -c '^summary' "$TMP/out")
	kill -USR1 "$DAEMON"
	for _ in $(seq 50); do
		[ "$(grep -c '^missed' "$TMP/out")" -gt "$before" ] && return 0
		sleep 0.1
	done
	return 1
}

value() {
	local got
	got=$(field "$1" "$2")
	[ "$got" = "$3" ] && return 0
	echo "$1 $2 is '$got', not '$3'"
	cat "$TMP/out"
	return 1
}

host_position() {
	rules_in server || return 1
	start_daemon server --log stdout --fold 0 || return 1
	syn 1000000
	syn 999999 --sport 40001
	syn 999998 --sport 40002
	syn 999998 --sport 40002
	syn 999990 --sport 40003 --no-ts
	soon lines '^paws-drop' 3
}

first_line() {
	pattern '^paws-drop time=20[0-9-]+T[0-9:]+\.[0-9]{6}Z profile=el7 evidence=syn src=10\.77\.1\.2 sport=40002 dst=10\.77\.2\.2 dport=81 in=s0 tsval=999998 recorded_tsval=1000000 behind=2 age=[0-9]+ wait=[0-9]+ folded=0 guess=no$'
}

without_timestamp() {
	pattern ' sport=40003 .* tsval=- recorded_tsval=1000000 behind=- '
}

ipv6() {
	syn6 5
	syn6 4294967295 --sport 40001
	syn6 4294967294 --sport 40002
	soon lines '^paws-drop' 5 &&
		pattern ' src=fd77:1::2 sport=40001 dst=fd77:2::2 dport=81 in=s0 tsval=4294967295 recorded_tsval=5 behind=6 '
}

retransmission() {
	summarise && value summary drop_syns 5 && value summary drop_connections 4 &&
		value summary drop_peers 2 && value summary syns 8 &&
		value summary with_timestamp 7 && value summary drop_percent 62.50
}

books() {
	value missed packets 8 && value missed missed_socket 0 && value missed missed_ring 0
}

clean_exit() {
	stop_daemon && lines '^summary' 2
}

interfaces_come_later() {
	start_daemon server --log stdout || return 1
	inside server ip link set s0 name later0 2>/dev/null ||
		{ inside server ip link set s0 down && inside server ip link set s0 name later0 &&
			inside server ip link set later0 up; }
	inside server ip route replace default via 10.77.2.1
	inside server ip -6 route replace default via fd77:2::1
	soon reaches 10.77.2.2 || return 1
	syn 1000000
	syn 1
	soon pattern ' in=later0 ' && stop_daemon
}

folding() {
	start_daemon server --log stdout --fold 2 || return 1
	syn 1000000
	syn 1 --count 10 --rate 50 --sport-step 1
	soon lines '^paws-drop' 2 && pattern 'folded=0 guess=no$' && pattern 'folded=8 guess=no$' && stop_daemon
}

profiles() {
	local drops
	start_daemon server --log stdout --fold 0 --profile 2.6.32 || return 1
	syn 1000000
	syn 1 --no-ts
	syn6 1000000
	syn6 1
	stop_daemon
	drops=$(field summary drop_syns)
	[ "$drops" -eq 0 ] && value summary not_checked 2
}

only_host() {
	start_daemon server --log stdout --fold 0 --host 10.77.2.0/31 --host fd77:2::/64 || return 1
	syn 1000000
	syn 1
	syn6 1000000
	syn6 1
	stop_daemon
	value summary drop_syns 1 && value missed not_syn_to_host 2
}

gateway_position() {
	inside server "$ROOT/rules/synpaws-rules" unload --with "$IPTABLES"
	rules_in gateway --at gateway || return 1
	start_daemon gateway --log json --fold 0 --profile 3.10 || return 1
	inside server ip addr add 10.77.2.3/24 dev "$(inside server ls /sys/class/net | grep -v lo)"
	syn 1000000
	syn 1
	inside client "$TOOLS/wire" syn c0 "$GATEWAY_MAC" 10.77.1.2 10.77.2.3 --sport 40000 \
		--dport 81 --tsval 1 >/dev/null
	soon lines '"event":"paws-drop"' 1 &&
		pattern '^\{"event":"paws-drop","time":"[^"]*","profile":"3.10","evidence":"syn","src":"10.77.1.2","sport":40000,"dst":"10.77.2.2","dport":81,"in":"gc","tsval":1,"recorded_tsval":1000000,"behind":999999,"age":[0-9]+,"wait":[0-9]+,"folded":0,"guess":"no"\}$' &&
		stop_daemon && lines '"event":"summary"' 1
}

several_queues() {
	inside gateway "$ROOT/rules/synpaws-rules" unload --with "$IPTABLES"
	rules_in server --queue 4:7 || return 1
	start_daemon server --queue 4:7 --log stdout --fold 0 --profile 3.10 || return 1
	inside server ip addr add 10.77.2.4/24 dev "$(inside server ls /sys/class/net | grep -v lo)"
	# The server's addresses fall to different queues; with this profile they share one stamp.
	for i in 1 2 3 4 5 6 7 8; do
		syn $((1000 + 1000 * i)) --sport $((41000 + i))
		inside client "$TOOLS/wire" syn c0 "$GATEWAY_MAC" 10.77.1.2 10.77.2.4 \
			--sport $((42000 + i)) --dport 81 --tsval $((900 + 1000 * i)) >/dev/null
	done
	soon lines '^paws-drop' 8 && stop_daemon && value missed packets 16
}

check "drops by the boundary table, from its own rule set" host_position
check "a line has all fields" first_line
check "a SYN without timestamp is dropped by el7" without_timestamp
check "IPv6, and TSvals that wrap" ipv6
check "SIGUSR1 writes a summary that counts retransmissions once" retransmission
check "what was received adds up" books
check "SIGTERM ends it with a summary and status 0" clean_exit
check "an interface that is renamed later is known by its new name" interfaces_come_later
check "drops of one source fold into one line" folding
check "profile 2.6.32 knows no IPv6 and takes SYNs without timestamps" profiles
check "--host leaves other destinations out" only_host
check "on a gateway each host is on its own, whatever the profile; JSON" gateway_position
check "several queues share one peer table, in order of arrival" several_queues
