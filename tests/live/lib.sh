# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# For the live tests: a client, a gateway and a server, each in a network namespace of its own,
#
#     client  c0 10.77.1.2 ---- 10.77.1.1 gc  gateway  gs 10.77.2.1 ---- 10.77.2.2 s0  server
#             fd77:1::2 ------- fd77:1::1              fd77:2::1 ------- fd77:2::2
#
# and a daemon in one of them. Everything is made anew for each script, and removed when it ends,
# whichever way it ends.
set -u

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILD=${BUILD:-build}
IPTABLES=iptables${VARIANT:+-$VARIANT}
if [ "$BUILD" = build ]; then
	SYNPAWS=$ROOT/synpaws
else
	SYNPAWS=$ROOT/$BUILD/synpaws
fi
TOOLS=$ROOT/build/tests/live
TMP=$(mktemp -d)
DAEMON=
PIDS=()
NAMESPACES=()
FAILED=0

namespace() {
	echo "synpaws$$-$1"
}

inside() {
	local name=$1
	shift
	ip netns exec "$(namespace "$name")" "$@"
}

cleanup() {
	local pid
	trap - EXIT
	for pid in ${DAEMON:+"$DAEMON"} ${PIDS[@]+"${PIDS[@]}"}; do
		kill -CONT "$pid" 2>/dev/null
		kill "$pid" 2>/dev/null
	done
	wait 2>/dev/null
	for name in ${NAMESPACES[@]+"${NAMESPACES[@]}"}; do
		ip netns del "$name" 2>/dev/null
	done
	rm -rf "$TMP"
	exit "$FAILED"
}
trap cleanup EXIT
trap 'FAILED=1; exit 1' INT TERM HUP

# check NAME COMMAND...: one test, passed if the command succeeds.
check() {
	local name=$1
	shift
	if "$@" >"$TMP/check" 2>&1; then
		echo "ok - $name"
	else
		echo "not ok - $name"
		sed 's/^/# /' "$TMP/check"
		FAILED=1
		[ -z "$DAEMON" ] || stop_daemon # or the next one finds its queue taken
	fi
}

# Wait until a command succeeds, but not for ever.
soon() {
	for _ in $(seq 100); do
		"$@" >/dev/null 2>&1 && return 0
		sleep 0.1
	done
	echo "in vain: $*"
	return 1
}

background() {
	"$@" &
	PIDS+=($!)
}

# add_namespace NAME: a machine of its own, as far as networking goes
add_namespace() {
	local n
	n=$(namespace "$1")
	ip netns add "$n" || exit 1
	NAMESPACES+=("$n")
	ip -n "$n" link set lo up
}

link() {
	local a=$1 a_if=$2 a4=$3 a6=$4 b=$5 b_if=$6 b4=$7 b6=$8
	ip -n "$a" link add "$a_if" type veth peer name "$b_if" netns "$b"
	ip -n "$a" addr add "$a4/24" dev "$a_if"
	ip -n "$a" addr add "$a6/64" dev "$a_if" nodad
	ip -n "$b" addr add "$b4/24" dev "$b_if"
	ip -n "$b" addr add "$b6/64" dev "$b_if" nodad
	ip -n "$a" link set "$a_if" up
	ip -n "$b" link set "$b_if" up
}

make_net() {
	local c g s
	c=$(namespace client)
	g=$(namespace gateway)
	s=$(namespace server)
	add_namespace client
	add_namespace gateway
	add_namespace server
	inside gateway sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	# One clock for all connections: else a port used again meets a TIME_WAIT with a later one.
	inside client sysctl -qw net.ipv4.tcp_timestamps=2
	link "$c" c0 10.77.1.2 fd77:1::2 "$g" gc 10.77.1.1 fd77:1::1
	link "$g" gs 10.77.2.1 fd77:2::1 "$s" s0 10.77.2.2 fd77:2::2
	ip -n "$c" route add default via 10.77.1.1
	ip -n "$c" route add default via fd77:1::1
	ip -n "$s" route add default via 10.77.2.1
	ip -n "$s" route add default via fd77:2::1
	GATEWAY_MAC=$(inside gateway cat /sys/class/net/gc/address)
	soon reaches 10.77.2.2 && soon reaches fd77:2::2
}

# True if the client reaches an address: its closed port says so.
reaches() {
	inside client timeout 1 bash -c ": >/dev/tcp/$1/9" 2>&1 | grep -q refused
}

tables() {
	local where=$1
	shift
	inside "$where" "$IPTABLES" "$@"
}

tables6() {
	local where=$1
	shift
	inside "$where" "ip6${IPTABLES#ip}" "$@"
}

# Put the rule set of rules/ in place: rules_in WHERE OPTION...
rules_in() {
	local where=$1
	shift
	inside "$where" "$ROOT/rules/synpaws-rules" load --with "$IPTABLES" "$@"
}

# Start the daemon in a namespace, by way of the command WRAP if that is set, and wait until it is at
# work.
start_daemon() {
	local where=$1
	shift
	: >"$TMP/out"
	: >"$TMP/err"
	ip netns exec "$(namespace "$where")" ${WRAP:+"$WRAP"} "$SYNPAWS" watch --socket "$TMP/socket" "$@" \
		>"$TMP/out" 2>"$TMP/err" &
	DAEMON=$!
	soon grep -q 'watching queue' "$TMP/err" && return 0
	cat "$TMP/err"
	kill "$DAEMON" 2>/dev/null
	wait "$DAEMON"
	DAEMON=
	return 1
}

# End the daemon as an init system would; its exit status becomes ours.
stop_daemon() {
	local pid=$DAEMON
	kill -TERM "$pid"
	wait "$pid"
	DAEMON_STATUS=$?
	DAEMON=
	return "$DAEMON_STATUS"
}

# The value of a field in the last line that begins with the given word: field missed packets
field() {
	grep "^$1 " "$TMP/out" | tail -n 1 | tr ' ' '\n' | sed -n "s/^$2=//p"
}

# One SYN with the given TSval from client to server, or as many as further options of `wire` say.
syn() {
	local tsval=$1
	shift
	inside client "$TOOLS/wire" syn c0 "$GATEWAY_MAC" 10.77.1.2 10.77.2.2 --sport 40000 \
		--dport 81 --tsval "$tsval" "$@" >/dev/null
}

syn6() {
	local tsval=$1
	shift
	inside client "$TOOLS/wire" syn c0 "$GATEWAY_MAC" fd77:1::2 fd77:2::2 --sport 40000 \
		--dport 81 --tsval "$tsval" "$@" >/dev/null
}

lines() {
	[ "$(grep -c "$1" "$TMP/out")" -eq "$2" ] && return 0
	echo "expected $2 lines with '$1':"
	cat "$TMP/out"
	return 1
}
