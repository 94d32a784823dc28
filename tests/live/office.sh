#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The demo is the first thing that a newcomer sees, so it is tested like one: what it shows must be
# so, whatever ends it, and it must leave nothing behind.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"

# The demo's namespaces bear its process id.
demo() {
	# shellcheck disable=SC2016 # for the inner shell
	"$@" bash -c 'echo $$ >"$0"; exec "$1"' "$TMP/pid" "$ROOT/tests/live/demo"
}

nothing_left() {
	local pid
	pid=$(cat "$TMP/pid") || return 1
	! ip netns list | grep "^synpaws$pid-" && ! pgrep -f "synpaws$pid-"
}

shows_the_drops() {
	demo >"$TMP/out" || { cat "$TMP/out"; return 1; }
	[ "$(grep -c 'connected in' "$TMP/out")" -eq 12 ] &&
		grep -q 'synpaws: paws-drop .* src=203.0.113.7 .* folded=0 guess=no$' "$TMP/out" &&
		grep -q 'synpaws: paws-drop .* folded=[1-9]' "$TMP/out" &&
		grep -q '^  Do not enable tcp_tw_recycle: up to 75.0 %' "$TMP/out" &&
		grep -q 'X a dropped SYN' "$TMP/out" &&
		grep -q '^12 of 12 connections succeeded' "$TMP/out" &&
		grep -q '^With tcp_tw_recycle on, 9 of the 12 SYNs (75.00 %)' "$TMP/out"
}

# bert's clock is behind anna's by twenty days, but for the moments between their SYNs.
tells_by_how_much() {
	sed -n 's/.* behind=\([0-9]*\) .*/\1/p' "$TMP/out" |
		awk '$1 < 1727900000 || $1 > 1728000000 { exit 1 } END { if (NR < 2) exit 1 }'
}

# As Ctrl-C does it; a shell in the background would have it ignored.
interrupted() {
	demo env --default-signal=INT timeout -s INT 3 >"$TMP/out" 2>&1
	[ $? -eq 124 ] && grep -q 'connected in' "$TMP/out"
}

check "the demo shows bert's drops, and that all connections succeed" shows_the_drops
check "each line tells how far bert's clock is behind" tells_by_how_much
check "it leaves nothing behind" nothing_left
check "Ctrl-C ends it" interrupted
check "and that leaves nothing behind either" nothing_left
