#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What --evidence close and answer queue, counted by the rules' own counters: real connections, ended
# in every way, watched on the host and on the gateway at once, for IPv4 and IPv6. Nobody need listen:
# the rules count, and bypass the empty queue.
# shellcheck disable=SC2317 # checks are called by name
. "$(dirname "$0")/lib.sh"

COUNT=3	 # connections of each kind
STEP=150 # milliseconds between two steps of an end: more than the delayed ACK of such a short way
RULES=$ROOT/rules/synpaws-rules
TOOL=$IPTABLES # or nft
declare -A RESULT

# The kinds of ends: port, its server's options, the client's, and the packets of one connection for
# evidence close and answer.
KINDS=(
	"server-first 8001 --delay=$STEP --delay=$STEP 4 6"
	"client-first 8002 --close-last,--delay=$STEP --close-first,--delay=$STEP 4 5"
	"half-close   8003 --half-close,--delay=$STEP --more,--delay=$STEP 5 8"
	"client-reset 8004 --close-last --close-first,--reset,--delay=$STEP 2 3"
	"server-reset 8005 --reset,--delay=$STEP --timeout=5 2 3"
	"closed-port  8009 - --timeout=5 2 2"
)

words() { # the options in a field of KINDS
	[ "$1" = - ] || echo "$1" | tr ',=' '  '
}

rules() { # WHERE COMMAND OPTION...
	inside "$1" "$RULES" "${@:2}" --with "$TOOL"
}

# load WHERE EVIDENCE OPTION...: counters begin at 0
load() {
	local where=$1 evidence=$2
	shift 2
	if [ "$TOOL" = nft ]; then # without a queue statement the next best, which ends the chain too
		rules "$where" print --evidence "$evidence" "$@" |
			sed 's/queue num [0-9-]* bypass/accept/' | inside "$where" nft -f -
	else
		rules "$where" load --evidence "$evidence" "$@" >/dev/null &&
			tables "$where" -t mangle -Z && tables6 "$where" -t mangle -Z
	fi
}

unload() {
	rules "$1" unload
}

# counted WHERE 4|6 [WORDS]: packets queued, in all or of those that `show` calls so. With nft both
# families count as one.
counted() {
	local family=-$2 what=${3:-in all}
	[ "$TOOL" != nft ] || family=
	# shellcheck disable=SC2086
	rules "$1" show $family 2>/dev/null | awk -v what="$what" '
		/NFQUEUE/ { rules += substr($1, 2) }
		/ counter packets / { n = $0; sub(/.* counter packets /, "", n); rules += n }
		/^ / { n = $1; sub(/^ *[0-9]+  /, ""); sub(/, .* for each SYN$/, ""); if ($0 == what) sum = n }
		END { print sum == "" ? rules + 0 : sum }'
}

serve() { # ADDRESS PORT OPTION...; by ip itself, so that the end of the test reaches it
	background ip netns exec "$(namespace server)" "$TOOLS/peer" serve "$@" --seconds 300 >/dev/null
}

serve_all() {
	local kind port server address
	for address in 10.77.2.2 fd77:2::2; do
		for kind in "${KINDS[@]}"; do
			read -r _ port server _ <<<"$kind"
			# shellcheck disable=SC2046
			[ "$server" = - ] || serve "$address" "$port" $(words "$server")
		done
		serve "$address" 8000
		soon listening "$address"
	done
}

listening() {
	inside client "$TOOLS/peer" connect "$1" 8000 --quiet
}

# connect PORT OPTION...: COUNT connections of each family, and time for their last packets
connect() {
	local port=$1 four
	shift
	inside client "$TOOLS/peer" connect 10.77.2.2 "$port" --quiet --count "$COUNT" \
		--parallel "$COUNT" "$@" >/dev/null &
	four=$!
	inside client "$TOOLS/peer" connect fd77:2::2 "$port" --quiet --count "$COUNT" \
		--parallel "$COUNT" "$@" >/dev/null
	wait "$four"
	sleep 0.35
}

retransmitted() {
	{
		inside client cat /proc/net/snmp
		inside server cat /proc/net/snmp
	} | awk '/^Tcp: [0-9]/ { sum += $13 } END { print sum }'
}

# steady COMMAND...: a busy machine sends some segments twice, which counts them twice: once more then
steady() {
	local before
	for _ in 1 2 3 4; do
		before=$(retransmitted)
		"$@" && return
		[ "$(retransmitted)" != "$before" ] || return 1
	done
	return 1
}

# --- the table ------------------------------------------------------------------------------

# same WHERE EXPECTED: so many packets for each connection, in both families
same() {
	local four six expected=$(($2 * COUNT))
	four=$(counted "$1" 4)
	six=$(counted "$1" 6)
	[ "$TOOL" != nft ] || expected=$((expected * 2))
	[ "$four $six" = "$expected $expected" ] && return
	echo "expected $expected, got $four for IPv4 and $six for IPv6"
	rules "$1" show
	return 1
}

average() { # WHERE
	local each=1
	[ "$TOOL" != nft ] || each=2
	awk -v n="$(counted "$1" 4)" -v of=$((COUNT * each)) 'BEGIN { printf "%.1f", n / of }'
}

one_kind() { # EVIDENCE NAME EXPECTED PORT OPTION...
	load server "$1"
	load gateway "$1" --at gateway --in gc
	connect "${@:4}"
	RESULT[$2-$1]=$(average server)
	same server "$3" && same gateway "$3"
}

measure() {
	local kind name port client close answer
	for kind in "${KINDS[@]}"; do
		read -r name port _ client close answer <<<"$kind"
		# shellcheck disable=SC2046
		set -- $(words "$client")
		check "$TOOL: close, $name: $close packets, on host and gateway" \
			steady one_kind close "$name" "$close" "$port" "$@"
		check "$TOOL: answer, $name: $answer packets, on host and gateway" \
			steady one_kind answer "$name" "$answer" "$port" "$@"
	done
	check "$TOOL: syn: 1 packet" steady one_kind syn all 1 8001 --delay "$STEP"
}

print_table() {
	local name
	echo "# packets queued per connection, $TOOL"
	printf '# %-14s %6s %6s %6s\n' '' syn close answer
	for name in "${KINDS[@]%% *}"; do
		printf '# %-14s %6s %6s %6s\n' "$name" "${RESULT[all-syn]}" \
			"${RESULT[$name-close]}" "${RESULT[$name-answer]}"
	done
}

# --- single cases ---------------------------------------------------------------------------

# Segments join when nothing waits: the client's FIN acknowledges the server's.
at_once() {
	local where n
	load server answer
	load gateway answer --at gateway --in gc
	connect 8000
	for where in server gateway; do
		n=$(counted "$where" 4)
		echo "$where: $n for $COUNT"
		[ "$n" -ge $((5 * COUNT)) ] && [ "$n" -le $((7 * COUNT)) ] || return 1
	done
}

# gateway_only EXPECTED OPTION...: watched by other options than the interface
gateway_only() {
	local expected=$1
	shift
	load gateway "$@" --at gateway
	connect 8001 --delay "$STEP"
	same gateway "$expected"
}

other_port() {
	load server answer --ports 8002,9000:9999
	load gateway answer --at gateway --ports 8002,9000:9999
	connect 8001 --delay "$STEP"
	same server 0 && same gateway 0
}

# The words of `show` and the counters of the rules say the same.
words_are_right() {
	load server answer
	connect 8003 --more --delay "$STEP"
	rules server show -4
	while read -r n what; do
		[ "$(counted server 4 "$what")" = $((n * COUNT)) ] ||
			{ echo "not $n: $what"; return 1; }
	done <<-END
		1 SYNs to the host
		1 FINs to the host
		0 RSTs to the host
		2 others to the host after its FIN
		1 FINs from the host
		0 RSTs from the host
		1 SYN-ACKs from the host
		2 others from the host after its FIN
		0 ACKs that refuse a SYN
		8 in all
	END
	rules server show -4 | grep -q 'in all, 8.0 for each SYN$'
}

# marked BIT MARK RESULT: of a connection with such a mark
marked() {
	local i mask
	mask=$(printf '0x%x' $((0xffffffff ^ 1 << $1)))
	for i in tables tables6; do
		$i server -t mangle -F PREROUTING
		$i server -t mangle -A PREROUTING -p tcp --syn -j CONNMARK --set-xmark "$2/$mask"
	done
	load server answer --mark-bit "$1" 2>"$TMP/warnings"
	cat "$TMP/warnings"
	connect 8001 --delay "$STEP"
	same server 6 || return 1
	inside server cat /proc/net/nf_conntrack | grep 'port=8001 ' | grep -o 'mark=[0-9]*' |
		sort | uniq -c | tee "$TMP/marks"
	grep -q " mark=$(($3))$" "$TMP/marks" && [ ! -s "$TMP/warnings" ]
}

user_marks() {
	local result=0
	marked 30 0x80001234 0xc0001234 && marked 0 0xfffffffe 0xffffffff &&
		marked 31 0x55555555 0xd5555555 || result=1
	tables server -t mangle -F PREROUTING
	tables6 server -t mangle -F PREROUTING
	return $result
}

user_rule_covers_bit() {
	tables server -t mangle -A PREROUTING -m connmark --mark 0x1 -j ACCEPT
	rules server unload
	rules server load --evidence close 2>&1 | tee "$TMP/warned"
	tables server -t mangle -F PREROUTING
	grep -c 'warning: IPv4: .* bit 30 ' "$TMP/warned" | grep -qx 1
}

zero() {
	local where
	for where in server gateway; do
		tables "$where" -t mangle -Z
		tables6 "$where" -t mangle -Z
	done
}

# exactly WORDS N: in both families, on host and gateway
exactly() {
	local where family
	for where in server gateway; do
		for family in 4 6; do
			[ "$(counted $where $family "$1")" = "$2" ] && continue
			echo "$where: IPv$family: not $2: $1"
			rules "$where" show -$family
			return 1
		done
	done
}

# connect_from SPORT PORT OPTION...: one connection in each family
connect_from() {
	local sport=$1 port=$2
	shift 2
	inside client "$TOOLS/peer" connect 10.77.2.2 "$port" --from "10.77.1.2:$sport" --quiet "$@" &&
		inside client "$TOOLS/peer" connect fd77:2::2 "$port" --from "[fd77:1::2]:$sport" \
			--quiet "$@"
}

syns() { # SPORT DPORT TSVAL
	syn "$3" --sport "$1" --dport "$2"
	syn6 "$3" --sport "$1" --dport "$2"
	sleep 0.2
}

load_both() {
	load server "$1" && load gateway "$1" --at gateway --in gc
}

# A SYN with an older timestamp, where the host has TIME_WAIT: an ACK, and the client's RST to that
time_wait_refuses() {
	load_both answer
	connect_from 41001 8000 || return 1
	sleep 0.2
	zero
	syns 41001 8000 1
	exactly 'SYNs to the host' 1 && exactly 'ACKs that refuse a SYN' 1 && exactly 'in all' 3
}

time_wait_unseen() { # with less evidence that ACK stays out
	load_both close
	connect_from 41002 8000 || return 1
	sleep 0.2
	zero
	syns 41002 8000 1
	exactly 'RSTs to the host' 1 && exactly 'in all' 2
}

fin_wait2_refuses() {
	load_both answer
	connect_from 41003 8003 --delay 1500 >/dev/null &
	sleep 0.8 # IPv4 is in FIN_WAIT2 now
	tables server -t mangle -Z
	syn 1 --sport 41003 --dport 8003
	sleep 0.2
	counted server 4 'others from the host after its FIN' >"$TMP/n"
	rules server show -4
	wait $!
	grep -qx 1 "$TMP/n"
}

# Nobody in the client answers for these handshakes.
syn_recv_refuses() {
	local i result=0
	for i in tables tables6; do
		$i client -A OUTPUT -p tcp --tcp-flags RST RST -j DROP
	done
	load_both answer
	syns 41004 8000 5000
	zero
	syns 41004 8000 1
	exactly 'ACKs that refuse a SYN' 1 && exactly 'SYNs to the host' 1 || result=1
	for i in tables tables6; do
		$i client -F OUTPUT
	done
	return $result
}

# An open connection shows none of its ACKs, in either direction.
data_passes_by() {
	load_both answer
	connect_from 41005 8002 --close-first --delay 1000 >/dev/null &
	sleep 0.4
	counted server 4 >"$TMP/n"
	wait $!
	cat "$TMP/n"
	grep -qx 2 "$TMP/n" # SYN and SYN-ACK
}

host_only() { # EXPECTED EVIDENCE
	load server "$2"
	connect 8001 --delay "$STEP"
	same server "$1"
}

# Without tracking, FINs, RSTs and SYN-ACKs are seen still, what follows a FIN is not.
untracked() {
	local i result=0
	for i in tables tables6; do
		$i server -t raw -A PREROUTING -j CT --notrack
		$i server -t raw -A OUTPUT -j CT --notrack
	done
	host_only 3 close && host_only 4 answer || result=1
	for i in tables tables6; do
		$i server -t raw -F
	done
	return $result
}

loopback_is_left_out() {
	load server answer
	inside server "$TOOLS/peer" connect 10.77.2.2 8000 --quiet
	[ "$(counted server 4)" = 0 ]
}

# Where the packets went: last packet id of each queue, as the kernel shows it
queues() {
	inside server cat /proc/net/netfilter/nfnetlink_queue | awk '{ print $1 ":" $8 }'
}

# With several queues all packets of a connection go to one.
one_queue_each() {
	local i from to used=
	for i in 3 4 5 6; do
		ip -n "$(namespace client)" addr add "10.77.1.$i/24" dev c0
		ip -n "$(namespace client)" addr add "fd77:1::$i/64" dev c0 nodad
	done
	load server answer --queue 0:3
	start_daemon server --queue 0:3 --log stdout || return 1
	for from in 10.77.1.{2..6} fd77:1::{2..6}; do
		to=10.77.2.2
		[ "$from" = "${from#fd}" ] || to=fd77:2::2
		queues >"$TMP/before"
		soon inside client "$TOOLS/peer" connect $to 8000 --from "$from" --quiet
		sleep 0.1
		queues | comm -13 "$TMP/before" - >"$TMP/moved"
		echo "$from: $(xargs <"$TMP/moved")"
		used="$used $(cut -d: -f1 "$TMP/moved")"
		[ "$(grep -c . "$TMP/moved")" = 1 ] || { stop_daemon; return 1; }
	done
	stop_daemon || return 1
	echo "used: $used"
	[ "$(echo "$used" | xargs -n 1 | sort -u | grep -c .)" -gt 1 ]
}

snapshot() { # WHERE
	{
		inside "$1" "$IPTABLES-save"
		inside "$1" "ip6${IPTABLES#ip}-save"
		inside "$1" nft list ruleset 2>/dev/null
	} | sed '/^#/d; s/ \[[0-9:]*\]$//'
}

nothing_left() {
	local where
	for where in server gateway; do
		unload "$where" >/dev/null
		snapshot "$where" >"$TMP/before"
		load "$where" answer
		load "$where" close --at gateway
		unload "$where" >/dev/null
		snapshot "$where" | diff "$TMP/before" - || return 1
	done
	! snapshot server | grep -i -e synpaws -e connmark -e notrack
}

make_net
serve_all
if [ "$BUILD" != build ]; then # the rules are the same, only this has a daemon in it
	check "$TOOL: all of a connection goes to one queue of several" one_queue_each
	exit "$FAILED"
fi
measure
print_table
check "$TOOL: without delays segments join" steady at_once
check "$TOOL: a gateway told the ports queues no more than the host" \
	steady gateway_only 4 close --ports 8001
check "$TOOL: a gateway told nothing takes both ends for hosts" steady gateway_only 5 close
check "$TOOL: other ports stay out" other_port
check "$TOOL: show says it in words" steady words_are_right
check "$TOOL: the other bits of the mark are the user's" steady user_marks
check "$TOOL: a warning if a rule of the user covers the bit" user_rule_covers_bit
check "$TOOL: the ACK by which TIME_WAIT refuses a SYN" steady time_wait_refuses
check "$TOOL: ... is not in close evidence" steady time_wait_unseen
check "$TOOL: the ACK by which FIN_WAIT2 refuses a SYN" steady fin_wait2_refuses
check "$TOOL: the ACK by which SYN_RECV refuses a SYN" syn_recv_refuses
check "$TOOL: an open connection queues nothing more" steady data_passes_by
check "$TOOL: untracked connections" steady untracked
check "$TOOL: loopback is left out" loopback_is_left_out
check "$TOOL: all of a connection goes to one queue of several" one_queue_each
check "$TOOL: nothing is left" nothing_left
if [ "$IPTABLES" = iptables-nft ]; then
	TOOL=nft
	measure
	check "nft: a gateway told nothing takes both ends for hosts" steady gateway_only 5 close
	check "nft: other ports stay out" other_port
	check "nft: nothing is left" nothing_left
fi
