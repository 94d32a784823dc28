#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the host's socket table says of real services and of peers that do not close: who listens for
# both families, and who ends connections by close() and who by shutdown().
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"
make_net || exit 1

# start WHERE COMMAND...: the tool at work, its process id in $STARTED
start() {
	local where=$1
	shift
	: >"$TMP/started"
	ip netns exec "$(namespace "$where")" "$TOOLS/sockets" "$@" >"$TMP/started" &
	STARTED=$!
	PIDS+=("$STARTED")
	soon grep -q ready "$TMP/started"
}

stop() {
	kill "$1"
	wait "$1"
	true
}

look() {
	inside server "$TOOLS/sockets" look "$@" >"$TMP/look" || return 1
	cat "$TMP/look"
}

# told LINE COUNT: so often
told() {
	[ "$(grep -cx "$1" "$TMP/look")" -eq "$2" ]
}

sees() {
	look 1 && told "$@"
}

listeners() {
	look "$@" 1 && told "listener 80 dual" 1 && told "listener 81 single" 1 &&
		told "listener 82 single" 1 && told "listener 83 single" 1 &&
		[ "$(grep -c listener "$TMP/look")" -eq 4 ]
}

# A look that goes on while the service ends tells so, once.
gone() {
	start server serve :: 84 close || return 1
	local service=$STARTED looking
	inside server "$TOOLS/sockets" look 6 >"$TMP/look" &
	looking=$!
	PIDS+=("$looking")
	soon grep -q "look 1" "$TMP/look"
	stop "$service"
	wait "$looking"
	cat "$TMP/look"
	[ "$(grep "^listener 84 " "$TMP/look" | uniq -c | awk '{print $4}' | xargs)" = "dual single" ] &&
		told "listener 84 single" 1
}

# PORT ADDRESS orphan|owned: by both protocols, and each socket once in three looks
closes() {
	local port=$1 address=$2 how=$3 result=1
	start client hold "$address" "$port" 3 || return 1
	soon sees "fin_wait2 $port $how" 3 && look 3 && told "fin_wait2 $port $how" 3 &&
		look --old 3 && told "fin_wait2 $port $how" 3 &&
		[ "$(grep -c fin_wait2 "$TMP/look")" -eq 3 ]
	result=$?
	stop "$STARTED"
	forget
	return "$result"
}

# What is in FIN_WAIT2 ends as soon as the peer's sockets do, who closes after all.
forget() {
	soon none_left
}

none_left() {
	look 1 && ! grep -q fin_wait2 "$TMP/look"
}

# With more than 60 s an orphan stays a full socket for a while.
full_orphan() {
	local result
	inside server sysctl -qw net.ipv4.tcp_fin_timeout=120
	closes 80 10.77.2.2 orphan
	result=$?
	inside server sysctl -qw net.ipv4.tcp_fin_timeout=60
	return "$result"
}

many() {
	local result
	start client hold 10.77.2.2 80 900 || return 1
	soon sees "fin_wait2 80 orphan" 900 && look 3 >/dev/null && told "fin_wait2 80 orphan" 900
	result=$?
	stop "$STARTED"
	forget
	return "$result"
}

# The daemon's analyst has no privileges and no files.
unprivileged() {
	install -m 755 "$TOOLS/sockets" "$TMP/sockets"
	chmod 755 "$TMP"
	inside server setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all \
		"$TMP/sockets" look 1 >"$TMP/look" && told "listener 80 dual" 1
}

elsewhere() {
	inside client "$TOOLS/sockets" look 1 >"$TMP/look" && ! grep -q listener "$TMP/look"
}

start server serve :: 80 close || exit 1
start server serve :: 81 close v6only || exit 1
start server serve 10.77.2.2 82 shutdown || exit 1
start server serve 0.0.0.0 83 close || exit 1
start server serve :: 83 shutdown v6only || exit 1
check "who listens for both families" listeners
check "the same by the old protocol" listeners --old
check "a service that ends" gone
check "another network namespace is another host" elsewhere
check "no privilege is needed" unprivileged
check "close(), IPv4 to a dual-stack service" closes 80 10.77.2.2 orphan
check "close(), IPv6" closes 80 fd77:2::2 orphan
check "close(), IPv6 alone" closes 81 fd77:2::2 orphan
check "shutdown(), IPv4" closes 82 10.77.2.2 owned
check "shutdown(), IPv6" closes 83 fd77:2::2 owned
check "close(), with a long tcp_fin_timeout" full_orphan
check "nine hundred at once" many
