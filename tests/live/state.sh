#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A daemon goes on where the one before stopped: what it remembers, its totals, and what becomes of a
# file that is damaged, of something else, or not to be trusted. The file is always a whole one.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"
make_net || exit 1
rules_in server || exit 1

# Where the daemon's user may pass: $TMP is root's alone.
PLACE=$(mktemp -d /var/tmp/synpaws.XXXXXX)
chmod 755 "$PLACE"
trap 'rm -rf "$PLACE"; cleanup' EXIT
STATE=$PLACE/own/state
USER_ID=$(id -u synpaws 2>/dev/null || id -u nobody)

started() {
	start_daemon server --log stdout --fold 0 --state "$STATE" "$@"
}

# said PATTERN COUNT: lines on standard error
said() {
	[ "$(grep -c "$1" "$TMP/err")" -eq "$2" ] && return 0
	echo "expected $2 lines with '$1':"
	cat "$TMP/err"
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

is_whole() {
	local owner
	owner=$(stat -c '%u %a' "$STATE")
	[ "$owner" = "$USER_ID 600" ] || {
		echo "owner and mode: $owner"
		return 1
	}
	[ "$(ls -A "$PLACE/own")" = state ] || {
		ls -lA "$PLACE/own"
		return 1
	}
}

first_start() {
	started || return 1
	said "$STATE" 0 || return 1
	syn 1000000
	syn 999000 --sport 40001
	soon lines '^paws-drop' 1 && stop_daemon && value summary syns 2
}

goes_on() {
	sleep 1
	started || return 1
	said "$STATE: goes on after [0-9]* s in which it saw nothing: 1 stamps, 0 connections" 1 || return 1
	syn 999000 --sport 40002
	soon lines '^paws-drop .* recorded_tsval=1000000 ' 1 && stop_daemon
}

totals_go_on() {
	value summary syns 3 && value summary drop_syns 2 && value missed packets 3 &&
		[ "$(field summary watched_seconds)" -ge 0 ]
}

killed() {
	local before
	before=$(sha256sum "$STATE")
	started || return 1
	syn 2000000 --sport 40003
	kill -KILL "$DAEMON"
	wait "$DAEMON" 2>/dev/null
	DAEMON=
	sleep 0.3
	[ "$(sha256sum "$STATE")" = "$before" ] && is_whole
}

# The analyst's death loses what it had learnt; the old file is no way to get that back.
analyst_dies() {
	local analyst
	started || return 1
	said 'goes on after' 1 || return 1
	analyst=$(pgrep -f -P "$(pgrep -P "$DAEMON")" .) || return 1
	kill -KILL "$analyst"
	soon said 'the analyst was ended by signal 9' 1 || return 1
	said 'goes on after' 1 || return 1
	syn 5 --sport 40004
	stop_daemon && lines '^paws-drop' 0 && value summary syns 1 && is_whole
}

several_profiles() {
	rm "$STATE"
	started --evidence answer --profile 3.10,4.x || return 1
	syn 1000000
	stop_daemon || return 1
	started --evidence answer --profile 3.10,4.x || return 1
	said 'goes on after' 1 && stop_daemon && value summary syns 1 &&
		[ "$(grep -c '^summary .* syns=1 ' "$TMP/out")" -eq 2 ]
}

# Without a rule, where the directory is out of reach: another process sees to it.
interface() {
	local options=(--interface s0 --evidence syn --log stdout --fold 0 --socket none --state "$PLACE/own/copies")
	for round in 1 2; do
		ip netns exec "$(namespace server)" "$SYNPAWS" watch "${options[@]}" >"$TMP/out" 2>"$TMP/err" &
		DAEMON=$!
		soon said 'watching s0' 1 && said 'goes on after' $((round - 1)) || return 1
		syn $((1000000 / round)) --sport $((41000 + round))
		soon lines '^paws-drop' $((round - 1)) || return 1
		sleep 0.3
		stop_daemon && value summary syns "$round" || return 1
	done
	[ "$(ls -A "$PLACE/own")" = "copies
state" ] && [ "$(stat -c '%u %a' "$PLACE/own/copies")" = "$USER_ID 600" ]
}

# refused WHY: one line, a fresh start, and a good file at the end
refused() {
	local why=$1
	shift
	started "$@" || return 1
	soon said "$STATE: $why: starting without it" 1 && said "$STATE" 1 || return 1
	syn 1000000
	stop_daemon && value summary syns 1 || return 1
	started "$@" || return 1
	said 'goes on after' 1 && stop_daemon && value summary syns 1
}

write_byte() {
	printf '%b' "$2" | dd of="$STATE" bs=1 seek="$1" conv=notrunc 2>/dev/null
}

damaged() {
	write_byte 200 '\377'
	refused 'is damaged'
}

cut_short() {
	truncate -s -1 "$STATE"
	refused 'is damaged'
}

older() {
	write_byte 14 '\0'
	refused 'is of another version of synpaws'
}

something_else() {
	echo "something else" >"$STATE"
	refused 'is no state of synpaws'
}

empty() {
	: >"$STATE"
	refused 'is no state of synpaws'
}

# not_started WHY OPTION...: exit status 2, and nothing is touched
not_started() {
	local why=$1 status
	shift
	inside server timeout 10 "$SYNPAWS" watch --socket none --log stdout "$@" >"$TMP/out" 2>"$TMP/err"
	status=$?
	[ "$status" -eq 2 ] && grep -q "$why" "$TMP/err" && return 0
	echo "status $status"
	cat "$TMP/err"
	return 1
}

check "it starts without a file, and writes one at the end" first_start
check "the file is its user's alone, and nothing is left beside it" is_whole
check "after a restart the same SYN is dropped, for the stamp from before" goes_on
check "totals go on" totals_go_on
check "kill -9 leaves the old file" killed
check "an analyst that takes a dead one's place starts without it" analyst_dies
check "several profiles have their part each" several_profiles
check "of other profiles: one line, and a fresh start" refused 'is of other profiles, evidence, --peers or --flows'
check "of another size: one line, and a fresh start" refused \
	'is of other profiles, evidence, --peers or --flows' --peers 1000
check "and back" refused 'is of other profiles, evidence, --peers or --flows'
check "damaged: one line, and a fresh start" damaged
check "cut short: one line, and a fresh start" cut_short
check "of another version: one line, and a fresh start" older
check "something else: one line, and a fresh start" something_else
check "empty: one line, and a fresh start" empty
"$SYNPAWS" version | grep -q +pcap &&
	check "copies of an interface's packets: the same" interface
check "a directory that others may write to is refused" not_started 'nobody else may write' --state /tmp/state
check "a directory that cannot be is refused" not_started 'No such file' --state "$PLACE/no/where/state"
ln -sf /etc/shadow "$STATE"
check "a link is not followed" not_started 'state' --state "$STATE"
