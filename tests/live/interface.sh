#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `watch --interface` beside the queue: on the same traffic both must say the same. Two machines with
# clocks of their own, the client and "other", come to the server from behind one NAT address.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"

FIRST=80  # closes as soon as it has answered
LAST=82	  # closes when the client has
AHEAD=1728000000
declare -A SNIFFER

# sniff NAME WHERE OPTION...: what it says goes to $TMP/NAME and $TMP/NAME.err
sniff() {
	local name=$1 where=$2
	shift 2
	: >"$TMP/$name"
	: >"$TMP/$name.err"
	ip netns exec "$(namespace "$where")" ${WRAP:+"$WRAP"} "$SYNPAWS" watch --socket "$TMP/socket" --log stdout \
		--fold 0 "$@" >"$TMP/$name" 2>"$TMP/$name.err" &
	SNIFFER[$name]=$!
	PIDS+=($!)
	soon grep -q 'watching ' "$TMP/$name.err" && return 0
	cat "$TMP/$name.err"
	return 1
}

end() { # NAME...: as an init system would
	local name status=0
	for name in "$@"; do
		kill -TERM "${SNIFFER[$name]}"
		wait "${SNIFFER[$name]}" || { status=1; echo "$name: $?"; cat "$TMP/$name.err"; }
	done
	return $status
}

said() { # NAME LINE FIELD
	grep "^$2 " "$TMP/$1" | tail -n 1 | tr ' ' '\n' | sed -n "s/^$3=//p"
}

is() { # NAME LINE FIELD VALUE
	[ "$(said "$1" "$2" "$3")" = "$4" ] && return 0
	echo "$1: $2 $3 is '$(said "$1" "$2" "$3")', not '$4'"
	cat "$TMP/$1" "$TMP/$1.err"
	return 1
}

serve() {
	# Not by way of a function, whose subshell would be ended instead.
	ip netns exec "$(namespace server)" "$TOOLS/peer" serve "$1" "$2" "$3" >/dev/null 2>&1 &
	PIDS+=($!)
	soon inside client "$TOOLS/peer" connect "$1" "$2" --quiet
}

# A second machine behind the gateway, which hides both.
add_other() {
	local i
	add_namespace other
	inside other sysctl -qw net.ipv4.tcp_timestamps=2
	link "$(namespace other)" o0 10.77.3.2 fd77:3::2 "$(namespace gateway)" go 10.77.3.1 fd77:3::1
	ip -n "$(namespace other)" route add default via 10.77.3.1
	ip -n "$(namespace other)" route add default via fd77:3::1
	tables gateway -t nat -A POSTROUTING -o gs -j MASQUERADE
	tables6 gateway -t nat -A POSTROUTING -o gs -j MASQUERADE
	for i in tables tables6; do
		$i other -t mangle -A OUTPUT -p tcp -j NFQUEUE --queue-num 1
		$i other -t mangle -A INPUT -p tcp -j NFQUEUE --queue-num 1
	done
	ip netns exec "$(namespace other)" "$TOOLS/tsclock" --queue 1 --shift $AHEAD >"$TMP/clock" &
	PIDS+=($!)
	soon grep -q ready "$TMP/clock"
}

visit() { # WHO ADDRESS PORT OPTION...
	local who=$1
	shift
	inside "$who" "$TOOLS/peer" connect "$@" --quiet >/dev/null
}

# The same people, over and over: the other raises what is remembered, the client pays.
traffic() {
	local address
	for address in 10.77.2.2 fd77:2::2; do
		visit client $address $FIRST && visit other $address $LAST --close-first &&
			visit client $address $LAST --close-first &&
			visit other $address $FIRST --count 5 && visit client $address $FIRST --count 7 &&
			visit other $address $FIRST && visit client $address $LAST --close-first ||
			return 1
	done
}

# What both counted of SYNs and drops, and each dropped SYN
verdicts() {
	grep '^paws-drop' "$1" | grep -o -e ' src=.* tsval=[0-9]* recorded_tsval=[0-9]*' | sed 's/ in=[^ ]*//' | sort
	grep '^summary' "$1" | tail -n 1 | grep -o -e ' syns=[0-9]*' -e 'with_timestamp=[0-9]*' \
		-e 'drop_[a-z]*=[0-9]*'
}

agree() { # KIND: of the queue, and then interfaces of each kind
	local kind
	rules_in server --evidence "$1" >/dev/null &&
		start_daemon server --evidence "$1" --log stdout --fold 0 --profile el7 || return 1
	shift
	for kind in "$@"; do
		sniff "$kind" server --interface s0 --evidence "$kind" --profile el7 || return 1
	done
	traffic || return 1
	sleep 0.3
	stop_daemon && end "$@" || return 1
	inside server "$ROOT/rules/synpaws-rules" unload --with "$IPTABLES"
	verdicts "$TMP/out" >"$TMP/expected"
	cat "$TMP/expected"
	[ "$(grep -c '^ src=10' "$TMP/expected")" -ge 5 ] &&
		[ "$(grep -c '^ src=fd' "$TMP/expected")" -ge 5 ] || return 1
	for kind in "$@"; do
		verdicts "$TMP/$kind" | diff "$TMP/expected" - || return 1
		is "$kind" missed missed_socket 0 && is "$kind" missed bad_checksum 0 || return 1
	done
}

# A machine that is not this one, whose settings are not these
others_host() {
	sniff other server --interface s0 --host 10.77.2.77 && end other &&
		grep -q 'no --host is an address of this machine: give --gateway' "$TMP/other.err" || return 1
	sniff other server --interface s0 --host 10.77.2.0/24 && end other &&
		[ "$(wc -l <"$TMP/other.err")" = 1 ] || return 1
	sniff other server --interface s0 --host 10.77.2.77 --gateway && end other &&
		[ "$(wc -l <"$TMP/other.err")" = 1 ]
}

# What the host opens itself is no SYN to it, and what it forwards or tells itself is not its own.
own_connections() {
	sniff own server --interface s0 || return 1
	inside server "$TOOLS/peer" connect 10.77.2.1 9 --quiet >/dev/null
	inside server ip addr add 10.77.2.9/24 dev s0
	sleep 1.2
	visit client 10.77.2.9 9
	inside server ip addr del 10.77.2.9/24 dev s0
	end own && is own summary syns 1 && is own summary closed_port 1
}

loopback_once() {
	sniff lo server --interface lo --evidence full || return 1
	inside server "$TOOLS/peer" connect 10.77.2.2 $FIRST --quiet >/dev/null
	end lo && is lo summary syns 1 && is lo missed out_of_order 0
}

# Each packet passes two interfaces of the gateway, with another source address on one for the NAT:
# only a path without it shows the same packet twice.
seen_twice() {
	local name
	tables gateway -t nat -F POSTROUTING
	sniff any gateway --interface any --gateway --host 10.77.2.2 &&
		sniff both gateway --interface gc --interface gs --gateway --host 10.77.2.2 || return 1
	visit client 10.77.2.2 $FIRST --count 3
	syn 1 --dport $FIRST
	syn 1 --dport $FIRST --sport 40001
	sleep 0.2
	end any both || return 1
	tables gateway -t nat -A POSTROUTING -o gs -j MASQUERADE
	for name in any both; do
		is $name summary syns 5 && is $name summary drop_syns 2 &&
			is $name summary drop_connections 2 || return 1
	done
	grep -q '^paws-drop .* in=g[cs] ' "$TMP/any"
}

# A second way to the server, which other tests take down and away.
second_way() {
	link "$(namespace gateway)" t0 10.77.4.1 fd77:4::1 "$(namespace server)" t1 10.77.4.2 fd77:4::2
}

# Tagged packets are seen on the VLAN and below it, and once on both together.
tagged() {
	local name
	ip -n "$(namespace gateway)" link add link t0 name t0.7 type vlan id 7 &&
		ip -n "$(namespace server)" link add link t1 name t1.7 type vlan id 7 || return 1
	ip -n "$(namespace gateway)" addr add 10.77.7.1/24 dev t0.7
	ip -n "$(namespace server)" addr add 10.77.7.2/24 dev t1.7
	ip -n "$(namespace gateway)" link set t0.7 up
	ip -n "$(namespace server)" link set t1.7 up
	sniff below server --interface t1 && sniff vlan server --interface t1.7 &&
		sniff all server --interface any || return 1
	soon inside gateway "$TOOLS/peer" connect 10.77.7.2 9 --quiet --timeout 1
	sleep 0.2
	end below vlan all || return 1
	for name in below all; do
		is $name summary syns "$(said vlan summary syns)" || return 1
	done
	[ "$(said vlan summary syns)" -gt 0 ]
}

# Options of any kind and order
odd_options() {
	rules_in server >/dev/null && start_daemon server --log stdout --fold 0 || return 1
	sniff odd server --interface s0 --evidence syn || return 1
	inside client "$TOOLS/wire" send c0 "$GATEWAY_MAC" 10.77.1.2 10.77.2.2 fd77:1::2 fd77:2::2 \
		--set syn >/dev/null
	inside client "$TOOLS/wire" send c0 "$GATEWAY_MAC" 10.77.1.2 10.77.2.2 fd77:1::2 fd77:2::2 \
		--set options >/dev/null
	sleep 0.3
	stop_daemon && end odd || return 1
	inside server "$ROOT/rules/synpaws-rules" unload --with "$IPTABLES"
	verdicts "$TMP/out" >"$TMP/expected"
	verdicts "$TMP/odd" | diff "$TMP/expected" - && [ "$(field summary syns)" -ge 40 ]
}

no_privileges() {
	local pid
	sniff bare server --interface s0 || return 1
	pid=${SNIFFER[bare]}
	cat "/proc/$pid/status"
	grep -q '^CapEff:	0*$' "/proc/$pid/status" && grep -q '^CapPrm:	0*$' "/proc/$pid/status" &&
		grep -q '^NoNewPrivs:	1$' "/proc/$pid/status" &&
		! grep -q '^[UG]id:.*	0	' "/proc/$pid/status" &&
		grep -q '^Groups:[	 ]*$' "/proc/$pid/status" && [ -z "$(ls "/proc/$pid/root/")" ] &&
		[ -z "$(pgrep -P "$pid")" ] && end bare
}

asked_for_a_summary() {
	sniff asked server --interface s0 || return 1
	visit client 10.77.2.2 $FIRST
	sleep 0.2
	kill -USR1 "${SNIFFER[asked]}"
	soon grep -q '^missed' "$TMP/asked" && is asked summary syns 1 && end asked &&
		[ "$(grep -c '^summary' "$TMP/asked")" = 2 ] &&
		grep -q '^facts .*tcp_fin_timeout=60(host)' "$TMP/asked"
}

devlog() {
	"$TOOLS/devlog" "$TMP/dev/log" 60 >"$TMP/devlog.$1" &
	DEVLOG=$!
	PIDS+=("$DEVLOG")
	soon test -S "$TMP/dev/log"
}

# From its empty root directory it cannot see /dev/log: a /dev of its own, where that is replaced.
syslog_replaced() {
	local node
	mkdir -p "$TMP/dev/shm"
	for node in "null 1 3" "urandom 1 9"; do
		# shellcheck disable=SC2086 # three words
		set -- $node
		mknod -m 666 "$TMP/dev/$1" c "$2" "$3"
	done
	chmod 755 "$TMP"
	printf '#!/bin/sh\nmount --bind %s /dev && exec "$@"\n' "$TMP/dev" >"$TMP/with-dev"
	chmod +x "$TMP/with-dev"
	devlog 1 && WRAP=$TMP/with-dev sniff logged server --interface s0 --log syslog || return 1
	soon grep -q 'watching s0' "$TMP/devlog.1" || return 1
	kill "$DEVLOG"
	rm "$TMP/dev/log"
	devlog 2 || return 1
	visit client 10.77.2.2 $FIRST
	soon summary_in "$TMP/devlog.2" || return 1
	kill -HUP "${SNIFFER[logged]}"
	soon grep -q 'opened the log again' "$TMP/devlog.2" && end logged &&
		soon no_door_left
}

no_door_left() {
	local pid
	for pid in $(ip netns pids "$(namespace server)"); do
		! grep -q '^synpaws-log$' "/proc/$pid/comm" || return 1
	done
}

summary_in() {
	kill -USR1 "${SNIFFER[logged]}"
	grep -q 'synpaws\[[0-9]*\]: summary .* syns=1 ' "$1"
}

# says STATUS WORDS OPTION...: one line, and the end
says() {
	local status=$1 words=$2 got
	shift 2
	timeout 10 ip netns exec "$(namespace server)" "$SYNPAWS" watch --log stdout "$@" \
		>"$TMP/said" 2>&1 </dev/null
	got=$?
	cat "$TMP/said"
	[ "$got" -eq "$status" ] && [ "$(wc -l <"$TMP/said")" -eq 1 ] && grep -q -e "$words" "$TMP/said"
}

unprivileged() {
	install -m 755 "$SYNPAWS" "$TMP/synpaws"
	chmod 755 "$TMP"
	ip netns exec "$(namespace server)" setpriv --reuid 65534 --regid 65534 --clear-groups \
		--inh-caps=-all "$TMP/synpaws" watch --log stdout --interface s0 2>"$TMP/said"
	[ $? -eq 1 ] && cat "$TMP/said" && grep -q 'CAP_NET_RAW' "$TMP/said" &&
		setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all \
			"$TMP/synpaws" watch -n --interface nowhere0
}

refusals() {
	says 1 'there is no such interface' --interface nowhere0 &&
		says 2 '^synpaws: --queue is for queues' --interface s0 --queue 3 &&
		says 2 '^synpaws: --without is for queues' --without gso --interface s0 &&
		says 2 'it is there twice' --interface s0 --interface s0 &&
		inside server ip link set t1 down && says 1 'ip link set t1 up' --interface t1 &&
		inside server ip link set t1 up
}

down_and_up() {
	sniff down server --interface t1 --interface s0 || return 1
	inside server ip link set t1 down
	soon grep -q 't1 is down: nothing is seen there' "$TMP/down.err" || return 1
	visit client 10.77.2.2 $FIRST
	inside server ip link set t1 up
	soon grep -q 't1 is up again' "$TMP/down.err" && end down && is down summary syns 1 &&
		[ "$(grep -c 't1 is ' "$TMP/down.err")" = 2 ]
}

# Of two one goes on, the last one ends it.
removed() {
	sniff two server --interface t1 --interface s0 && sniff one server --interface t1 || return 1
	inside server ip link del t1
	soon grep -q 't1 is gone' "$TMP/one.err" && soon grep -q 't1 is gone' "$TMP/two.err" || return 1
	wait "${SNIFFER[one]}"
	[ $? -eq 1 ] || return 1
	cat "$TMP/one.err"
	grep -q '^summary' "$TMP/one" && [ "$(grep -c 't1' "$TMP/one.err")" = 2 ] || return 1
	visit client 10.77.2.2 $FIRST
	end two && is two summary syns 1
}

# A capture of 16384 packets, which comes with a pause in it
slow_capture() {
	local i
	printf '\xd4\xc3\xb2\xa1\2\0\4\0\0\0\0\0\0\0\0\0\0\0\1\0\145\0\0\0' >"$TMP/head"
	{
		printf '\1\0\0\0\0\0\0\0\50\0\0\0\50\0\0\0' # one of 40 bytes
		printf '\105\0\0\50\0\0\0\0\100\6\160\304\12\0\0\1\12\0\0\2'
		printf '\4\0\0\120\0\0\0\1\0\0\0\0\120\2\0\0\0\0\0\0'
	} >"$TMP/body"
	for i in $(seq 13); do
		cat "$TMP/body" "$TMP/body" >"$TMP/twice" && mv "$TMP/twice" "$TMP/body"
	done
	cat "$TMP/head" "$TMP/body"
	sleep 1.2
	cat "$TMP/body"
}

# As a person sees it, with \r as @: the line comes, and is gone before the next one.
progress() {
	slow_capture >"$TMP/feed" &
	script -qec "tail -f -c +1 --pid=$! '$TMP/feed' | '$SYNPAWS' replay -" /dev/null </dev/null |
		tr '\r\033' '@%' >"$TMP/seen"
	cat "$TMP/seen"
	grep -q '^@%\[K0.[0-9] MB: .* packets, 0 SYNs, .* packets/s@%\[Ksummary ' "$TMP/seen" &&
		grep -q '^missed packets=16384 ' "$TMP/seen"
}

# On a pipe there is nothing of it.
no_progress() {
	slow_capture | "$SYNPAWS" replay - >"$TMP/seen" 2>&1
	! grep -q -e 'packets/s' -e "$(printf '\033')" "$TMP/seen" && grep -q '^summary' "$TMP/seen"
}

if ! "$SYNPAWS" version | grep -q +pcap; then
	add_namespace server
	check "without libpcap one line says so" says 1 'this build watches no interfaces' --interface lo
	exit "$FAILED"
fi
make_net || exit 1
add_other || exit 1
for address in 10.77.2.2 fd77:2::2; do
	serve $address $FIRST --close-first
	serve $address $LAST --close-last
done
check "interface and queue agree: SYNs" agree syn syn
check "interface and queue agree: ends of connections, with each filter" agree close close answer full
check "odd options are judged as by the queue" odd_options
check "the host's own connections are none to it; new addresses are found" own_connections
check "another machine's address without --gateway: a warning" others_host
check "loopback shows each packet once" loopback_once
check "what passes two interfaces counts once" seen_twice
second_way
if ip -n "$(namespace other)" link add link o0 name o0.7 type vlan id 7 2>/dev/null; then
	check "behind a VLAN tag" tagged
fi
check "no privilege is left" no_privileges
check "SIGUSR1 writes a summary, with the host's facts" asked_for_a_summary
check "a syslog daemon that is replaced gets the lines again" syslog_replaced
check "without root one line; -n needs none" unprivileged
check "what cannot be is refused in a line" refusals
check "an interface that is down, and up again" down_and_up
check "an interface that is removed: one line, and the others go on" removed
if command -v script >/dev/null; then
	check "replay on a terminal shows how far it is" progress
fi
check "... and says nothing of it elsewhere" no_progress
