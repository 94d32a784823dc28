#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The way to syslog. A syslog daemon that stalls must cost lines, which are counted, and never a
# connection; one that is replaced must get the lines again.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"
make_net || exit 1

# A /dev of its own, seen by the daemon alone, so that this machine's /dev/log is left in peace.
mkdir -p "$TMP/dev/shm"
for node in "null 1 3" "urandom 1 9" "random 1 8" "zero 1 5"; do
	# shellcheck disable=SC2086 # three words
	set -- $node
	mknod -m 666 "$TMP/dev/$1" c "$2" "$3"
done
chmod 755 "$TMP"
WRAP=$TMP/with-dev
cat >"$WRAP" <<END
#!/bin/sh
mount --bind $TMP/dev /dev && exec "\$@"
END
chmod +x "$WRAP"

start_devlog() {
	"$TOOLS/devlog" "$TMP/dev/log" 120 >"$TMP/devlog" &
	DEVLOG=$!
	PIDS+=("$DEVLOG")
	soon test -S "$TMP/dev/log"
}

got() {
	grep -Eq "$1" "$TMP/devlog" && return 0
	echo "syslog got no line like: $1"
	cat "$TMP/devlog"
	return 1
}

serve() {
	inside server "$TOOLS/peer" serve 10.77.2.2 80 >"$TMP/serve" &
	PIDS+=($!)
	soon grep -q ready "$TMP/serve"
}

# Facility local3 is 19: 19 * 8 + 4 = 156 for a warning, 157 for a notice, 158 for information.
facility_and_priority() {
	start_devlog || return 1
	start_daemon server --facility local3 --fold 0 --log-rate 100000 || return 1
	syn 1000000
	syn 1
	kill -USR1 "$DAEMON"
	soon got '^<157>[A-Z][a-z]{2} [ 0-9]{2} [0-9:]{8} synpaws\[[0-9]+\]: missed ' &&
		got '^<157>.* synpaws\[[0-9]+\]: summary ' &&
		got '^<158>.* synpaws\[[0-9]+\]: watching queue 0' &&
		got '^<156>.* synpaws\[[0-9]+\]: paws-drop time=.* src=10.77.1.2 .* behind=999999 '
}

stalled() {
	kill -STOP "$DEVLOG"
	syn 1 --count 2000 --rate 5000 --sport-step 1
	inside client "$TOOLS/peer" connect 10.77.2.2 80 --count 1000 --parallel 10 --quiet |
		tee "$TMP/connect"
	grep -q '1000 succeeded, 0 failed.*SYN retransmits 0$' "$TMP/connect" || return 1
	sleep 0.3
	kill -CONT "$DEVLOG"
	sleep 0.3
	kill -USR1 "$DAEMON"
	soon got 'missed .* lines_lost=[1-9]' || return 1
	lost_and_kept
}

# Every one of the 2001 drops is either a line or counted as lost.
lost_and_kept() {
	local kept lost
	kept=$(grep -c 'paws-drop' "$TMP/devlog")
	lost=$(sed -n 's/.* lines_lost=\([0-9]*\).*/\1/p' "$TMP/devlog" | tail -n 1)
	drops=$(sed -n 's/.* drop_syns=\([0-9]*\).*/\1/p' "$TMP/devlog" | tail -n 1)
	[ "$((kept + lost))" -eq "$drops" ] && [ "$drops" -ge 2001 ] && return 0
	echo "$kept lines, $lost lost, of $drops drops"
	return 1
}

replaced() {
	kill -KILL "$DEVLOG"
	wait "$DEVLOG" 2>/dev/null
	syn 1 --sport 50000
	sleep 0.2
	start_devlog || return 1
	for _ in $(seq 50); do
		syn 1 --sport 50001
		sleep 0.1
		grep -q 'sport=50001' "$TMP/devlog" && return 0
	done
	return 1
}

hangup() {
	mv "$TMP/dev/log" "$TMP/dev/old"
	start_devlog || return 1
	kill -HUP "$DAEMON"
	soon got '^<158>.*: opened the log again' || return 1
	syn 1 --sport 50002
	soon got 'sport=50002'
}

nobody_listens() {
	stop_daemon || return 1
	kill -KILL "$DEVLOG"
	rm -f "$TMP/dev/log"
	start_daemon server --fold 0 || return 1
	grep -q 'nobody listens on /dev/log' "$TMP/err" || return 1
	syn 1000000
	syn 1
	start_devlog || return 1
	sleep 2.5
	syn 1 --sport 50003
	soon got 'sport=50003' && stop_daemon && soon got 'missed .* lines_lost=[1-9]'
}

serve || exit 1
rules_in server >/dev/null || exit 1
check "facility, priority and ident" facility_and_priority
check "a stalled syslog costs lines, not connections, and they are counted" stalled
check "a syslog daemon that is replaced gets the lines again" replaced
check "SIGHUP opens the log again" hangup
check "without /dev/log it says so and goes on" nobody_listens
