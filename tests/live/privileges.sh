#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What each process may do: as /proc shows it, and as calls fare that are made inside of it (by a
# preloaded library, inside_calls.c). With all these limits the daemon has to do all that it does.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"
make_net || exit 1

FIRST=80 # closes as soon as it has answered
NONE=0000000000000000
NET_ADMIN=0000000000001000

features() {
	"$SYNPAWS" version | grep -q -e "$1"
}

# A sanitized build has no filters: see src/os/filter.c.
FILTERS=
if features +libseccomp && ! grep -q __asan_init "$SYNPAWS"; then
	FILTERS=yes
fi

find_processes() {
	KEEPER=$(pgrep -P "$DAEMON") && soon pgrep -P "$KEEPER" >/dev/null && ANALYST=$(pgrep -P "$KEEPER")
}

# has PID FIELD VALUE: a line of its status
has() {
	local got
	got=$(sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status" | tr '\t' ' ' | sed 's/ *$//')
	[ "$got" = "$3" ] && return 0
	echo "$(cat "/proc/$1/comm"): $2 is '$got', not '$3'"
	return 1
}

ids() {
	sed -n 's/^Uid:[[:space:]]*//p' "/proc/$1/status"
}

bare() { # PID: no capability in any set
	local set
	for set in CapInh CapPrm CapEff CapBnd CapAmb; do
		has "$1" $set $NONE || return 1
	done
	has "$1" NoNewPrivs 1 && has "$1" Groups '' && { [ -z "$FILTERS" ] || has "$1" Seccomp 2; }
}

empty_root() {
	[ -z "$(ls -A "/proc/$1/root/")" ] && [[ $(readlink "/proc/$1/cwd") == *deleted* ]]
}

processes() {
	rules_in server --evidence close >/dev/null || return 1
	start_daemon server --log stdout --fold 0 --debug --evidence close --profile el6,el7,4.x &&
		find_processes || return 1
	bare "$KEEPER" && bare "$ANALYST" && empty_root "$KEEPER" && empty_root "$ANALYST" || return 1
	has "$DAEMON" NoNewPrivs 1 || return 1
	[ -z "$FILTERS" ] || has "$DAEMON" Seccomp 2 || return 1
	features +libcap-ng || return 0
	has "$DAEMON" CapEff $NET_ADMIN && has "$DAEMON" CapPrm $NET_ADMIN &&
		has "$DAEMON" CapBnd $NONE && has "$DAEMON" CapInh $NONE &&
		has "$DAEMON" CapAmb $NONE && has "$DAEMON" Groups ''
}

# The receiver may end the keeper; nobody of the analyst's user may do anything to either.
users() {
	local receiver analyst
	receiver=$(ids "$DAEMON" | cut -f 1)
	analyst=$(ids "$ANALYST" | cut -f 1)
	echo "receiver $(ids "$DAEMON"), keeper $(ids "$KEEPER"), analyst $(ids "$ANALYST")"
	[ "$analyst" -ne 0 ] && [ "$analyst" != "$receiver" ] &&
		[ "$(ids "$ANALYST" | tr '\t' '\n' | sort -u)" = "$analyst" ] || return 1
	! as "$analyst" kill -0 "$DAEMON" && ! as "$analyst" kill -0 "$KEEPER" &&
		as "$analyst" kill -0 "$ANALYST" || return 1
	! as "$analyst" cat "/proc/$DAEMON/maps" || return 1
	features -libcap-ng ||
		{ as "$receiver" kill -0 "$KEEPER" && ! as "$receiver" cat "/proc/$DAEMON/maps"; }
}

as() {
	local user=$1
	shift
	setpriv --reuid "$user" --regid "$user" --clear-groups --inh-caps=-all "$@" >/dev/null 2>&1
}

open_files() {
	local fd
	for fd in /proc/"$1"/fd/*; do
		readlink "$fd"
	done
}

sockets_are() {
	[ "$(open_files "$1" | grep -c '^socket:')" -eq "$2" ]
}

# Streams, sockets of its own and the host's counters: nothing of the receiver's
descriptors() {
	local pid
	# to the receiver, the listener; the analyst: names of interfaces, the host's sockets
	soon sockets_are "$ANALYST" 4 || return 1
	open_files "$DAEMON" | grep '^socket' | sort >"$TMP/receivers"
	for pid in "$KEEPER" "$ANALYST"; do
		open_files "$pid" | sort >"$TMP/files"
		echo "$(cat "/proc/$pid/comm"):"
		cat "$TMP/files"
		! grep -v -e '^socket:' -e '^/dev/null$' -e "^$TMP/out$" -e "^$TMP/err$" \
			-e '^/proc/[0-9]*/net/netstat$' "$TMP/files" || return 1
		[ -z "$(comm -12 "$TMP/receivers" "$TMP/files")" ] || return 1
	done
	sockets_are "$KEEPER" 2
}

debug_lines() {
	soon grep -q '^synpaws: analyst: pid ' "$TMP/err"
	grep '^synpaws: [a-z]*: pid' "$TMP/err"
	[ "$(grep -c -e "^synpaws: keeper: pid $KEEPER, uid .*, capabilities 0, an empty root" \
		-e "^synpaws: analyst: pid $ANALYST, uid .*, capabilities 0, an empty root" \
		-e "^synpaws: receiver: pid $DAEMON, uid " "$TMP/err")" -eq 3 ]
}

ask() {
	inside server "$SYNPAWS" report --socket "$TMP/socket" "$@"
}

# What the kernel's log says last of a call that a filter lacks
last_denied() {
	dmesg 2>/dev/null | grep "type=1326 .* exe=\"$SYNPAWS\"" | tail -n 1
}

# All that it does, and no call that its filter does not have
whole_job() {
	local before
	before=$(last_denied)
	ip netns exec "$(namespace server)" "$TOOLS/peer" serve 10.77.2.2 $FIRST --close-first \
		>/dev/null 2>&1 &
	PIDS+=($!)
	soon inside client "$TOOLS/peer" connect 10.77.2.2 $FIRST --quiet || return 1
	syn 1 --dport $FIRST
	soon grep -q '^paws-drop .* in=s0 ' "$TMP/out" || return 1
	inside server ip link set s0 down && inside server ip link set s0 name later0 &&
		inside server ip link set later0 up
	inside server ip route replace default via 10.77.2.1
	soon reaches 10.77.2.2 || return 1
	syn 2 --dport $FIRST
	soon grep -q '^paws-drop .* in=later0 ' "$TMP/out" || return 1
	kill -HUP "$DAEMON"
	kill -USR1 "$DAEMON"
	soon grep -q '^compare ' "$TMP/out" || return 1
	ask | grep -q 10.77.1.2 && ask --json | grep -q '"profiles"\|"decision"' &&
		ask --html | grep -q '</html>' && ask --plot 10.77.1.2 | grep -q 'X a dropped' || return 1
	sleep 1.2 # the host's sockets are looked at
	last_denied
	[ "$(last_denied)" = "$before" ] && [ "$(pgrep -P "$KEEPER")" = "$ANALYST" ]
}

# The receiver can end an analyst that does not.
stuck() {
	local pid
	kill -STOP "$ANALYST"
	stop_daemon
	grep 'killing it' "$TMP/err" || return 1
	for pid in "$KEEPER" "$ANALYST"; do
		soon [ ! -e "/proc/$pid" ] || return 1
	done
}

# inside_of NAME OPTION...: what calls become in that process goes to $TMP/calls
inside_of() {
	export LD_PRELOAD=$TMP/inside.so INSIDE=$1
	WRAP="env"
	shift
	start_daemon server --log stdout --fold 0 --profile el7 "$@"
	unset LD_PRELOAD INSIDE WRAP
	soon grep -q '^inside: end done' "$TMP/err" || { cat "$TMP/err"; return 1; }
	sed -n 's/^inside: //p' "$TMP/err" >"$TMP/calls"
	cat "$TMP/calls"
}

# became RESULT CALL...
became() {
	local result=$1 call
	shift
	for call; do
		grep -q "^$call $result$" "$TMP/calls" || { echo "$call is not $result"; return 1; }
	done
}

deadly="execve ptrace process_vm_readv mount chroot unshare bpf"
denied="open memfd_create socket-inet socket-packet socket-netfilter connect tgkill setuid setresuid
	mprotect-exec clone-newuser fcntl-setown prctl setsockopt"

judges() {
	syn 1000000
	syn 1
	soon grep -q '^paws-drop' "$TMP/out" && stop_daemon
}

in_analyst() {
	# shellcheck disable=SC2086 # words
	inside_of synpaws-analyst && became killed $deadly && became ENOSYS $denied kill &&
		became EACCES mprotect-ring && became "done" socket-diag && judges
}

# Who answers no reports needs no children.
in_lonely_analyst() {
	# shellcheck disable=SC2086
	INSIDE_FORK=1 inside_of synpaws-analyst --socket none && became ENOSYS fork $denied kill && judges
}

in_keeper() {
	# shellcheck disable=SC2086
	inside_of synpaws-keeper && became killed $deadly &&
		became ENOSYS open memfd_create socket-inet socket-packet socket-netfilter connect \
			tgkill kill mprotect-exec clone-newuser fcntl-setown &&
		became EPERM setresuid && became EACCES mprotect-ring && judges
}

# It is never killed: traffic hangs on it.
in_receiver() {
	# shellcheck disable=SC2086
	inside_of receiver && became EPERM $deadly socket-inet socket-packet socket-netfilter \
		setresuid && judges
}

one_process() {
	local calls
	ip netns exec "$(namespace server)" env LD_PRELOAD="$TMP/inside.so" INSIDE=receiver \
		"$SYNPAWS" watch --interface later0 --log stdout --fold 0 --profile el7 \
		--evidence syn --socket "$TMP/socket" >"$TMP/out" 2>"$TMP/err" &
	DAEMON=$!
	soon grep -q '^inside: end done' "$TMP/err" || { cat "$TMP/err"; return 1; }
	sed -n 's/^inside: //p' "$TMP/err" >"$TMP/calls"
	cat "$TMP/calls"
	bare "$DAEMON" && empty_root "$DAEMON" || return 1
	# It may signal itself, which is what tgkill does here.
	calls=${denied/tgkill/}
	# shellcheck disable=SC2086
	became killed $deadly && became ENOSYS ${calls/clone-newuser/} kill && judges
}

lacking() {
	local count
	count=$(grep -c 'built without' "$TMP/err")
	if features +libseccomp && features +libcap-ng; then
		[ "$count" -eq 0 ]
	else
		[ "$count" -eq 1 ]
	fi
}

check "no process has more than it needs" processes
check "the analyst's user may not touch the receiver" users
check "no descriptor is another's" descriptors
check "--debug says what each process has" debug_lines
check "what a build lacks is said in a line, or nothing" lacking
check "all that it does goes on under these limits" whole_job
check "an analyst that hangs can be ended" stuck
if [ -n "$FILTERS" ]; then
	# shellcheck disable=SC2015 # no test without it
	${CC:-cc} -std=gnu99 -D_GNU_SOURCE -Wall -Wextra -shared -fPIC -o "$TMP/inside.so" \
		"$ROOT/tests/live/inside_calls.c" && chmod 755 "$TMP" || exit 1
	check "calls of an analyst that somebody has taken over" in_analyst
	check "... that answers no reports" in_lonely_analyst
	check "calls of the keeper" in_keeper
	check "calls of the receiver" in_receiver
	check "calls of the one process without queues" one_process
fi
