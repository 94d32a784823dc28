#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Reports: of the running daemon, asked over its socket, and of a capture, whose figures are counted
# once more from what replay says of each SYN.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"

FIRST=80
SOCKET=$TMP/socket
TRACE=$TMP/trace.pcap

ask() {
	inside server "$SYNPAWS" report --socket "$SOCKET" "$@"
}

# A client whose connection the server closes first, and three SYNs behind its clock.
traffic() {
	local i
	ip netns exec "$(namespace server)" "$TOOLS/peer" serve 10.77.2.2 $FIRST --close-first \
		>/dev/null 2>&1 &
	PIDS+=($!)
	sleep 0.3
	inside client "$TOOLS/peer" connect 10.77.2.2 $FIRST --quiet || return 1
	for i in 1 2 3; do
		syn "$i" --dport $FIRST
	done
	sleep 0.3
}

daemon_reports() {
	rules_in server --evidence close &&
		start_daemon server --log stdout --profile el7 --evidence close ||
		return 1
	traffic || return 1
	ask >"$TMP/text" || return 1
	head -n 1 "$TMP/text" | grep -q '^Do not enable tcp_tw_recycle: ' &&
		grep -q '^  10\.77\.1\.2 ' "$TMP/text"
}

forms() {
	ask --json >"$TMP/json" || return 1
	grep -q '"decision": *"hurts"' "$TMP/json" && grep -q '"drop_syns": *3' "$TMP/json" || return 1
	ask --html >"$TMP/html" && grep -qi '^<!doctype html>' "$TMP/html" &&
		grep -q '</html>' "$TMP/html" || return 1
	ask --plot 10.77.1.2 | grep -q 'X a dropped SYN'
}

# One line says what is wrong.
wrong_questions() {
	local said
	said=$(ask --plot 10.9.9.9 2>&1) && return 1
	[ "$said" = "synpaws: --plot: no SYN came from that address" ] || return 1
	said=$("$SYNPAWS" report --socket "$TMP/nobody" 2>&1) && return 1
	[ "$(wc -l <<<"$said")" -eq 1 ] && grep -q "is 'synpaws watch' running" <<<"$said"
}

root_alone() {
	[ "$(stat -c %a "$SOCKET")" = 600 ]
}

# Callers that say nothing, or do not read: others are answered, and the daemon goes on.
slow_callers() {
	local pids=() pid i
	for i in 1 2 3; do
		"$TOOLS/caller" "$SOCKET" 5 &
		pids+=($!)
	done
	sleep 0.3
	ask | grep -q '^Do not enable' || return 1
	syn 4 --dport $FIRST
	sleep 0.4
	ask --json | grep -q '"drop_syns": *4' || return 1
	for pid in "${pids[@]}"; do
		kill "$pid"
	done
	wait "${pids[@]}" 2>/dev/null
	return 0
}

# The socket of a daemon that has ended is in nobody's way.
daemon_again() {
	stop_daemon || return 1
	[ -S "$SOCKET" ] || return 1
	ask >/dev/null 2>&1 && return 1
	start_daemon server --log stdout --profile el7 --evidence close || return 1
	ask | grep -q '^Too little was seen to decide' || return 1
	stop_daemon
}

# Each figure once more, from replay's lines.
figures_agree() {
	gzip -dc "$ROOT/tests/golden/4.9.0/s15_soak_small.pcap.gz" >"$TRACE" || return 1
	"$SYNPAWS" replay --profile 4.x --host 10.99.0.1 --each "$TRACE" >"$TMP/each" 2>/dev/null
	"$SYNPAWS" report --profile 4.x --host 10.99.0.1 --json "$TRACE" >"$TMP/json" || return 1
	local syns drops hit sources
	syns=$(grep -c . "$TMP/each")
	drops=$(grep -c '"fate":"paws-drop"' "$TMP/each")
	sources=$(sed 's/.*"src":"\([^"]*\)".*/\1/' "$TMP/each" | sort -u | wc -l)
	hit=$(grep '"fate":"paws-drop"' "$TMP/each" | sed 's/.*"src":"\([^"]*\)".*/\1/' | sort -u | wc -l)
	echo "$syns SYNs, $drops drops, $hit of $sources sources"
	[ "$drops" -gt 100 ] && grep -q "\"syns\": *$syns,\"connections\"" "$TMP/json" &&
		grep -q "\"drop_syns\": *$drops,\"drop_connections\"" "$TMP/json" &&
		grep -q "\"sources\": *$sources,\"sources_hit\": *$hit" "$TMP/json"
}

what_if() {
	"$SYNPAWS" report --profile 4.x --host 10.99.0.1 --what-if host-closes=never \
		--what-if snat=10.5.0.0/31 --what-if profile=el6 "$TRACE" >"$TMP/text" || return 1
	grep -q '^ *host-closes=never .* 0 ' "$TMP/text" && grep -q 'snat=10.5.0.0/31' "$TMP/text" &&
		grep -q 'profile=el6' "$TMP/text"
}

make_net
check "the daemon tells the decision" daemon_reports
check "as JSON, as a page and as a picture" forms
check "a wrong question gets one line" wrong_questions
check "only root can ask" root_alone
check "slow callers hold up nobody" slow_callers
check "a daemon takes the socket of one that ended" daemon_again
check "a capture's figures are those of its SYNs" figures_agree
check "what if" what_if
