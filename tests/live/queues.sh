#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Several queues are as good as one, and one core is enough. NFQUEUE --queue-balance spreads the
# address pairs of one peer over queues, each with a receiver of its own; where a kernel's stamp is
# the peer's alone, what becomes of a SYN hangs on the one before it, in another queue.
#
# Order is made certain, not likely: the next SYN leaves when the one before it has been accepted,
# and so has its stamp; and the analyst is stopped meanwhile, so that it finds all of them in the
# rings and has nothing to go by but the stamps.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"
make_net || exit 1

PAIRS=20
FLOOD=100000

# Two thirds of the circle: each TSval lies a third of it behind the last one, and so is dropped,
# but ahead of the one before that. Each third one is 1 more than three before it.
STEP=2863311531

# How many packets each queue has had so far.
ids() {
	# shellcheck disable=SC2016 # for awk
	inside server awk '{print $8}' /proc/net/netfilter/nfnetlink_queue | xargs
}

# How many wait for a verdict.
waiting() {
	# shellcheck disable=SC2016
	inside server awk '{n += $3} END {print n + 0}' /proc/net/netfilter/nfnetlink_queue
}

ids_sum() {
	local sum=0 id
	for id in $(ids); do
		sum=$((sum + id))
	done
	echo "$sum"
}

accepted() {
	[ "$(ids_sum)" -ge "$1" ] && [ "$(waiting)" -eq 0 ]
}

syn_to() {
	local destination=$1
	shift
	inside client "$TOOLS/wire" syn c0 "$GATEWAY_MAC" 10.77.1.2 "$destination" --dport 81 "$@" \
		>/dev/null
}

# Find two addresses of the server whose SYNs go to different queues; the kernel's hash has a seed.
find_hosts() {
	local i now
	start_daemon server --queue 0:1 --log stdout || return 1
	HOST_A=10.77.2.2
	HOST_B=
	syn_to "$HOST_A" --sport 40000 --tsval 1
	soon accepted 1 || return 1
	for i in $(seq 10 40); do
		inside server ip addr add "10.77.2.$i/24" dev s0
		syn_to "10.77.2.$i" --sport 40000 --tsval 1
		soon accepted $((i - 8)) || return 1
		now=$(ids)
		echo "with 10.77.2.$i: $now"
		case "$now" in
		0\ * | *\ 0) ;; # still all in one
		*) HOST_B=10.77.2.$i && break ;;
		esac
	done
	stop_daemon && [ -n "$HOST_B" ]
}

analyst() {
	pgrep -P "$(pgrep -P "$DAEMON")"
}

# SYN n has TSval 1 + n * STEP; the even ones go to one address, the odd ones to another.
alternate() {
	local n pid
	start_daemon server --queue 0:1 --log stdout --fold 0 --profile 2.6.32,el6,3.2,3.10,3.16,el7,4.x ||
		return 1
	soon analyst || return 1
	pid=$(analyst)
	kill -STOP "$pid"
	for n in $(seq 0 2 $((2 * PAIRS - 2))); do
		syn_to "$HOST_A" --sport $((41000 + n)) --tsval $(((1 + n * STEP) & 4294967295))
		soon accepted $((n + 1)) || break
		syn_to "$HOST_B" --sport $((41001 + n)) --tsval $(((1 + (n + 1) * STEP) & 4294967295))
		soon accepted $((n + 2)) || break
	done
	IDS=$(ids)
	kill -CONT "$pid"
	stop_daemon
}

# profile_has PROFILE FIELD VALUE, in its summary
profile_has() {
	grep "^summary profile=$1 " "$TMP/out" | grep -q " $2=$3 " && return 0
	echo "not $2=$3:"
	grep "^summary profile=$1 " "$TMP/out"
	return 1
}

# All of the even ones pass and all of the odd ones are dropped, by the stamp of the one before.
peer_alone() {
	local n profile recorded
	alternate || return 1
	for profile in 2.6.32 el6 3.2 3.10; do
		profile_has "$profile" drop_syns "$PAIRS" || return 1
		for n in $(seq 1 2 $((2 * PAIRS - 1))); do
			recorded=$(((1 + (n - 1) * STEP) & 4294967295))
			grep -E "^paws-drop .* profile=$profile .* sport=$((41000 + n)) dst=$HOST_B " \
				"$TMP/out" | grep -q " recorded_tsval=$recorded " && continue
			echo "SYN $n was not dropped by the stamp of the one before:"
			grep -E " profile=$profile .* sport=$((41000 + n)) " "$TMP/out"
			return 1
		done
	done
}

host_and_peer() {
	profile_has 3.16 drop_syns 0 && profile_has el7 drop_syns 0 && profile_has 4.x drop_syns 0
}

both_queues() {
	echo "by queue: $IDS"
	[ "$IDS" = "$PAIRS $PAIRS" ] || return 1
	grep '^missed' "$TMP/out" | head -n 1
	profile_has 3.10 syns $((2 * PAIRS)) && [ "$(field missed packets)" -eq $((2 * PAIRS)) ] &&
		[ "$(field missed missed_ring)" -eq 0 ] && [ "$(field missed missed_socket)" -eq 0 ]
}

# 0-2,5 as 0 1 2 5
expand() {
	local part
	for part in ${1//,/ }; do
		seq "${part%-*}" "${part#*-}"
	done | xargs
}

cpus_of() {
	expand "$(awk '/^Cpus_allowed_list:/ {print $2}' "/proc/$1/status")"
}

# The processors of each receiver, a line each, in the order in which they were started.
receivers() {
	local task
	for task in $(printf '%s\n' "/proc/$DAEMON/task/"* | sed 's/.*\///' | sort -n); do
		[ "$task" = "$DAEMON" ] || cpus_of "$DAEMON/task/$task"
	done
}

receivers_are() {
	[ "$(receivers)" = "$1" ] && return 0
	printf 'on:\n%s\nnot:\n%s\n' "$(receivers)" "$1"
	return 1
}

# in_turn COUNT CPU...: what receivers() should say then
in_turn() {
	local count=$1 i
	shift
	local cpus=("$@")
	for ((i = 0; i < count; i++)); do
		echo "${cpus[i % ${#cpus[@]}]}"
	done
}

# One more than there are processors, so that two share one.
pinned() {
	local cpus count should
	cpus=$(cpus_of $$)
	count=$(($(wc -w <<<"$cpus") + 1))
	start_daemon server --queue "100:$((99 + count))" --log stdout --pin || return 1
	# shellcheck disable=SC2086 # a word each
	should=$(in_turn "$count" $cpus)
	soon receivers_are "$should" || receivers_are "$should" || return 1
	[ "$(cpus_of "$DAEMON")" = "$cpus" ] && stop_daemon
}

# Only of those that the daemon may use.
pinned_to_few() {
	local last
	last=$(cpus_of $$)
	last=${last##* }
	printf '#!/bin/sh\nexec taskset -c %s "$@"\n' "$last" >"$TMP/on-last"
	chmod +x "$TMP/on-last"
	WRAP=$TMP/on-last start_daemon server --queue 100:102 --log stdout --pin || return 1
	soon receivers_are "$(in_turn 3 "$last")" && stop_daemon
}

not_pinned() {
	local cpus
	cpus=$(cpus_of $$)
	start_daemon server --queue 100:102 --log stdout || return 1
	receivers_are "$(in_turn 3 "$cpus")" && stop_daemon
}

offered() {
	tables server -t mangle -nvxL INPUT | awk '/SYNPAWS/ {print $1}'
}

passed() {
	tables server -nvxL INPUT | awk '/DROP/ {print $1}'
}

all_passed() {
	[ "$(passed)" -eq $((BEFORE_PASSED + FLOOD)) ]
}

# flood OPTION...: sender, receivers and analyst on one core, as fast as they can
flood() {
	local before cpus
	cpus=$(cpus_of $$)
	printf '#!/bin/sh\nexec taskset -c %s "$@"\n' "${cpus%% *}" >"$TMP/on-one"
	chmod +x "$TMP/on-one"
	before=$(offered)
	BEFORE_PASSED=$(passed)
	WRAP=$TMP/on-one start_daemon server --queue 0:1 --log stdout --log-rate 1 --profile 3.10,el7 "$@" ||
		return 1
	inside client taskset -c "${cpus%% *}" "$TOOLS/wire" syn c0 "$GATEWAY_MAC" 10.90.0.1 10.77.2.2 \
		--sport 1024 --dport 81 --tsval 1 --count "$FLOOD" --peers 5000 --rate 0 >/dev/null ||
		return 1
	soon all_passed || { echo "passed: $(($(passed) - BEFORE_PASSED))"; return 1; }
	stop_daemon || return 1
	OFFERED=$(($(offered) - before))
	echo "offered $OFFERED"
	grep -E '^(summary|missed)' "$TMP/out"
	[ "$OFFERED" -eq "$FLOOD" ]
}

# Received or missed, and if received judged or missed by the ring; by each profile.
books() {
	local packets socket ring
	packets=$(field missed packets)
	socket=$(field missed missed_socket)
	ring=$(field missed missed_ring)
	echo "offered $OFFERED: $packets received ($ring not shown), $socket missed"
	[ $((packets + socket)) -eq "$OFFERED" ] && [ "$(grep -c '^summary' "$TMP/out")" -eq 2 ] &&
		profile_has 3.10 syns $((packets - ring)) && profile_has el7 syns $((packets - ring)) &&
		[ "$(field missed analyst_restarts)" -eq 0 ]
}

rules_in server --queue 0:1 >/dev/null || exit 1
# What is accepted goes on to this rule; nobody answers, which would be more work for the core.
tables server -A INPUT -p tcp --dport 81 -j DROP || exit 1
check "two addresses whose SYNs go to different queues" find_hosts
check "stamps of the peer alone: each drop by the SYN before it, in the other queue" peer_alone
check "stamps of host and peer: none is dropped" host_and_peer
check "each queue had its half, and nothing was missed" both_queues
check "--pin: each receiver stays on a processor, in turn" pinned
check "--pin: of those that the daemon may use" pinned_to_few
check "without --pin receivers go where they like" not_pinned
check "a flood on one core: every SYN is accepted, and a summary comes" flood
check "the books add up, and the analyst has judged all it was shown" books
check "the same with --pin" flood --pin
check "its books" books
