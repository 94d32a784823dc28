#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Whatever is wrong gets one clear line and the right exit status: 2 for what the user can mend on
# the command line, 1 for what the machine refuses.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"
make_net || exit 1

# says STATUS WORDS COMMAND...: it ends so, with exactly one line, which holds those words
says() {
	local status=$1 words=$2 got
	shift 2
	timeout 10 "$@" >"$TMP/said" 2>&1 </dev/null
	got=$?
	cat "$TMP/said"
	[ "$got" -eq "$status" ] || { echo "status $got, not $status"; return 1; }
	[ "$(wc -l <"$TMP/said")" -eq 1 ] && grep -q -e "$words" "$TMP/said"
}

usage() {
	local words=$1
	shift
	says 2 "$words" "$SYNPAWS" watch "$@"
}

foreign_queue() {
	start_daemon server --queue 3 --log stdout || return 1
	says 1 "queue 3 belongs to another program" \
		ip netns exec "$(namespace server)" "$SYNPAWS" watch --queue 3 --log stdout || return 1
	kill -0 "$DAEMON" && stop_daemon
}

one_of_several_foreign() {
	start_daemon server --queue 6 --log stdout || return 1
	says 1 "queue 6 belongs to another program" \
		ip netns exec "$(namespace server)" "$SYNPAWS" watch --queue 5:7 --log stdout || return 1
	stop_daemon && nobody_left
}

nobody_left() {
	[ -z "$(ip netns pids "$(namespace server)")" ]
}

unprivileged() {
	install -m 755 "$SYNPAWS" "$TMP/synpaws"
	chmod 755 "$TMP"
	says 1 "not permitted: run as root or with CAP_NET_ADMIN" \
		ip netns exec "$(namespace server)" setpriv --reuid 65534 --regid 65534 \
		--clear-groups --inh-caps=-all "$TMP/synpaws" watch --log stdout
}

# The receiver keeps one capability, the analyst none; neither is root.
privileges() {
	local keeper analyst
	start_daemon server --log stdout || return 1
	keeper=$(pgrep -P "$DAEMON")
	soon pgrep -P "$keeper" || return 1
	analyst=$(pgrep -P "$keeper")
	for pid in "$keeper" "$analyst"; do
		grep -q '^CapEff:	0*$' "/proc/$pid/status" &&
			grep -q '^CapPrm:	0*$' "/proc/$pid/status" &&
			grep -q '^NoNewPrivs:	1$' "/proc/$pid/status" || return 1
		[ -z "$(ls "/proc/$pid/root/")" ] || return 1
	done
	for pid in "$keeper" "$analyst"; do
		! grep -q '^Uid:.*	0	' "/proc/$pid/status" || return 1
	done
	if "$SYNPAWS" version | grep -q '+libcap-ng'; then
		! grep -q '^Uid:.*	0	' "/proc/$DAEMON/status" &&
			grep -q '^CapEff:	0000000000001000$' "/proc/$DAEMON/status" &&
			grep -q '^CapPrm:	0000000000001000$' "/proc/$DAEMON/status" || return 1
	else
		grep -q 'built without libcap-ng: the receiver goes on as root' "$TMP/err" || return 1
	fi
	stop_daemon
}

check "-n checks and leaves" says 0 "configuration OK" "$SYNPAWS" watch -n --queue 0:3 --profile el6
check "-n finds what is wrong" usage "--profile" -n --profile 5.4
check "unknown option" usage "--nonsense: no such option" --nonsense
check "unknown letter" usage "no such option" -x
check "missing value" usage "needs a value" --queue
check "stray argument" usage "is not an option" eth0
check "bad queue" usage "--queue 'x'" --queue x
check "queue out of range" usage "--queue '65536'" --queue 65536
check "queues the wrong way round" usage "--queue '3:0'" --queue 3:0
check "bad host" usage "--host '10.0.0.0/33'" --host 10.0.0.0/33
check "bad sink" usage "--log 'file'" --log file
check "bad facility" usage "--facility 'local9'" --facility local9
check "bad number" usage "--peers '1e6'" --peers 1e6
check "root is no user to become" usage "--user 'root'" --user root
json() {
	if "$SYNPAWS" version | grep -q '+json'; then
		says 0 "configuration OK" "$SYNPAWS" watch -n --log json
	else
		usage "this build has no JSON" --log json
	fi
}

check "--log json where it was built, and one line where not" json
check "unknown command" says 2 "no command 'wacht'" "$SYNPAWS" wacht
check "a queue that somebody else owns" foreign_queue
check "one of several queues that somebody else owns" one_of_several_foreign
check "no privilege" unprivileged
check "privileges while it runs" privileges
