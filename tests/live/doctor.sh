#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `synpaws doctor` says what is so on a real machine, with the rules loaded and without, with the
# daemon and without, for root and for others, and leaves all as it was.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"
add_namespace server

# doctor STATUS OPTION...: it ends so; what it says is in $TMP/said
doctor() {
	local status=$1 got
	shift
	timeout 60 ip netns exec "$(namespace server)" "$SYNPAWS" doctor "$@" >"$TMP/said" 2>&1
	got=$?
	[ "$got" -eq "$status" ] && return 0
	cat "$TMP/said"
	echo "status $got, not $status"
	return 1
}

# says WORDS...: a line has each of them
says() {
	local words
	for words in "$@"; do
		grep -q -e "$words" "$TMP/said" && continue
		cat "$TMP/said"
		echo "nothing with '$words'"
		return 1
	done
}

state() {
	inside server "$IPTABLES-save"
	inside server "ip6${IPTABLES#ip}-save"
	inside server cat /proc/net/netfilter/nfnetlink_queue /proc/net/ip_tables_names
	if command -v nft >/dev/null; then
		inside server nft list ruleset
	fi
}

# What the kernel counts goes on meanwhile, and the files have dates.
same_state() {
	state 2>/dev/null | sed 's/^#.*//; s/\[[0-9:]*\]//'
}

nothing_loaded() {
	doctor 0 &&
		says '^info  rules: no rule hands packets' '^info  queue: nobody listens' \
			'^ok    NFQUEUE: ' '^ok    buffer: ' '^next: '
}

rule_alone() {
	rules_in server --queue 3 && doctor 0 || return 1
	says '^warn  rules: .* queue 3, .* with bypass, but nobody listens on queue 3' \
		'synpaws watch --profile [^ ]* --queue 3$'
}

rule_and_daemon() {
	start_daemon server --queue 3 --log stdout || return 1
	same_state >"$TMP/before"
	doctor 0 || return 1
	same_state >"$TMP/after"
	says '^ok    rules: .* queue 3, IPv4 and IPv6, with bypass$' \
		"^ok    queue: queue 3: synpaws (process $DAEMON) listens" &&
		diff "$TMP/before" "$TMP/after" && kill -0 "$DAEMON"
}

daemon_alone() {
	inside server "$ROOT/rules/synpaws-rules" unload --with "$IPTABLES" && doctor 0 || return 1
	says '^warn  queue: queue 3: synpaws .* but no rule feeds it' && stop_daemon
}

tracked() {
	rules_in server --evidence close || return 1
	doctor 0 && says '^ok    conntrack: .*the rules for --evidence close or answer need it'
}

without_bypass() {
	inside server "$ROOT/rules/synpaws-rules" unload --with "$IPTABLES" &&
		tables server -A INPUT -p tcp --dport 9 -j NFQUEUE --queue-num 9 || return 1
	doctor 1 && says '^bad   rules: .* queue 9, IPv4 only, without bypass, and nobody listens'
}

# What may not be seen is said, and a rule that loses packets is not seen.
not_root() {
	install -m 755 "$SYNPAWS" "$TMP/synpaws"
	chmod 755 "$TMP"
	timeout 60 ip netns exec "$(namespace server)" setpriv --reuid 65534 --regid 65534 \
		--clear-groups --inh-caps=-all "$TMP/synpaws" doctor >"$TMP/said" 2>&1 || return 1
	says '^info  privileges: user 65534 without CAP_NET_ADMIN' '^info  rules: not root' \
		'^next: not root: '
}

# As in a container: root, but of nothing that matters here.
no_capability() {
	timeout 60 ip netns exec "$(namespace server)" setpriv --bounding-set=-net_admin \
		--inh-caps=-net_admin "$SYNPAWS" doctor >"$TMP/said" 2>&1 || return 1
	says '^info  privileges: user 0 without CAP_NET_ADMIN' '^next: not root: '
}

kernel() {
	doctor 1 || return 1
	says "^info  kernel: Linux $(uname -r) "
	if grep -q PAWSPassive /proc/net/netstat; then
		says 'passive connections rejected because of time stamp'
	else
		says 'no per-peer timestamp check' '^ok    tcp_tw_recycle: there is no'
	fi
}

# SYNs at a full queue while it looks: it sees them, and does not blame timestamps for them.
full_queue() {
	local server
	tables server -F INPUT
	inside server sysctl -qw net.core.somaxconn=1
	ip netns exec "$(namespace server)" "$TOOLS/peer" serve 127.0.0.1 8080 &
	server=$!
	PIDS+=("$server")
	soon inside server bash -c ': >/dev/tcp/127.0.0.1/8080' || return 1
	kill -STOP "$server"
	background inside server timeout 4 "$TOOLS/peer" connect 127.0.0.1 8080 --count 100 \
		--parallel 20 --timeout 1 --quiet
	doctor 0 --watch 3 || return 1
	says '^warn  now: in 3 s ListenDrops grew by [1-9].*not because of timestamps'
}

json() {
	if ! "$SYNPAWS" version | grep -q '+json'; then
		doctor 2 --json && says 'this build has no JSON'
		return
	fi
	doctor 0 --json || return 1
	says '^{"event":"check","check":"kernel","result":"info","text":"Linux ' \
		'^{"event":"counters","seconds":1,"since_boot":{.*"ListenDrops":[0-9]' \
		'^{"event":"next","text":' && ! grep -v '^{"event":".*}$' "$TMP/said"
}

usage() {
	doctor 2 --watch 0 && says "synpaws: --watch '0': give a number" &&
		doctor 2 --watch 86401 && doctor 2 --wat && doctor 2 eth0 &&
		says "'eth0' is not an option" && doctor 0 --help && says 'usage: synpaws doctor' \
		'3 the kernel is refusing'
}

check "a machine with nothing loaded" nothing_loaded
check "a rule, and nobody who listens" rule_alone
check "a rule and the daemon, all left as it was" rule_and_daemon
check "the daemon without its rule" daemon_alone
check "rules that track connections" tracked
check "a rule that loses packets" without_bypass
check "not root" not_root
check "root without the capability" no_capability
check "this kernel" kernel
check "a full queue is not taken for timestamps" full_queue
check "JSON where it was built, and one line where not" json
check "usage" usage
