# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# For tests/bench/run: two machines, namespaces of their own,
#
#     there  a0 10.90.0.2 ---- 10.90.0.1 b0  here       peers 10.128.0.0/9 and fd90:1::/64
#               fd90::2 ------ fd90::1                  are there too
#
# one contestant at a time that receives `here`, and the loads that are put on it. A contestant is
# written as a word, `none`, `bare`, `example`, `p0f` or `synpaws`, and for synpaws its options.

# Set for each run by once(), and written to runs.tsv.
OFFERED=0   # SYNs that reached the queue's rule
SEEN=0      # of these, received by the contestant
ANALYSED=0  # of these, looked at by the analyst
CPU=0       # nanoseconds that all its processes ran
TICKS=0     # the same by utime and stime, a cross-check
MEMORY=0    # kB: sum of all its processes' VmHWM
RATE=0      # SYNs per second sent
SLIPPED=0   # milliseconds that the sender was too late to catch up
USEC=0      # median time of connect()
NO_SOCKET=0 # missed by the daemon for want of room in its socket
NO_RING=0   # and in its ring

make_topology() {
	local there here
	there=$(namespace there)
	here=$(namespace here)
	add_namespace there
	add_namespace here
	link "$there" a0 10.90.0.2 fd90::2 "$here" b0 10.90.0.1 fd90::1
	ip -n "$here" route add 10.128.0.0/9 via 10.90.0.2
	ip -n "$here" route add fd90:1::/64 via fd90::2
	inside here sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.b0.rp_filter=0
	inside there sysctl -qw net.ipv4.tcp_timestamps=2
	MAC=$(inside here cat /sys/class/net/b0/address)
	if [ -n "${BENCH_6:-}" ]; then
		TABLES=ip6tables PEER=fd90:1::1 HERE=fd90::1
	else
		TABLES=iptables PEER=10.128.0.0 HERE=10.90.0.1
	fi
	# No stack answers the flood; port 8080 is for connect.
	inside here "$TABLES" -A INPUT -p tcp --syn --dport 9 -j DROP
	background ip netns exec "$here" "$TOOLS/connect" listen 8080
}

# The first rule counts what is offered, the second queues it.
set_rules() {
	local to="--queue-num 0"
	inside here "$TABLES" -t mangle -F INPUT
	[ "$1" = none ] && return
	[[ $1 =~ --queue[\ =]([0-9]+:[0-9]+) ]] && to="--queue-balance ${BASH_REMATCH[1]}"
	inside here "$TABLES" -t mangle -A INPUT -p tcp --syn
	# shellcheck disable=SC2086 # words
	inside here "$TABLES" -t mangle -A INPUT -p tcp --syn -j NFQUEUE $to --queue-bypass
}

offered() {
	inside here "$TABLES" -t mangle -L INPUT -v -x -n | awk 'NR == 3 { print $1 }'
}

# Ids are given out one by one; those of messages that the socket had no room for come in between.
queued() {
	inside here cat /proc/net/netfilter/nfnetlink_queue | awk '{ sum += $8 - $7 } END { print sum + 0 }'
}

listens() {
	inside here grep -q . /proc/net/netfilter/nfnetlink_queue
}

sniffs() {
	[ "$(inside here cat /proc/net/packet | wc -l)" -gt 1 ]
}

family_of() {
	local child
	echo "$1"
	for child in $(pgrep -P "$1"); do
		family_of "$child"
	done
}

# Nanoseconds by the scheduler, nanoseconds by utime and stime, and kB at the most: of all processes
usage_of() {
	local pid
	[ -n "$1" ] || { echo 0 0 0 && return; }
	for pid in $(family_of "$1"); do
		sed 's/^/run /' "/proc/$pid"/task/*/schedstat
		sed 's/.*) /times /' "/proc/$pid/stat"
		grep VmHWM "/proc/$pid/status"
	done 2>/dev/null | awk -v hz="$(getconf CLK_TCK)" '
		$1 == "run" { run += $2 }
		$1 == "times" { ticks += $13 + $14 }
		$1 == "VmHWM:" { kb += $2 }
		END { printf "%.0f %.0f %d\n", run, ticks * 1e9 / hz, kb }'
}

# start CONTESTANT: it is ready when this returns.
start() {
	local here ready=listens pid
	here=$(namespace here)
	set_rules "$1"
	case $1 in
	none) return ;;
	bare) ip netns exec "$here" "$TOOLS/bare" >"$TMP/out" 2>"$TMP/err" & ;;
	example) ip netns exec "$here" "$TMP/example" 0 >/dev/null 2>"$TMP/err" & ;;
	p0f)
		ip netns exec "$here" "$P0F" -i b0 >/dev/null 2>&1 &
		ready=sniffs
		;;
	synpaws*)
		# shellcheck disable=SC2086 # options
		ip netns exec "$here" "$SYNPAWS" watch --log stdout --socket "$TMP/socket" ${1#synpaws} \
			>"$TMP/out" 2>"$TMP/err" &
		;;
	esac
	DAEMON=$!
	soon "$ready" || return 1
	sleep 0.5
	[ -d "/proc/$DAEMON" ] || return 1
	[ -z "${BENCH_PIN:-}" ] && return
	for pid in $(family_of "$DAEMON"); do
		taskset -acp 1 "$pid" >/dev/null
	done
}

# What synpaws and bare say themselves. Of the others only the kernel knows.
stop() {
	[ "$1" = none ] && return
	SEEN=$(queued)
	[ "$1" = p0f ] && SEEN=$OFFERED # what it missed it does not tell, and is counted in its favour
	ANALYSED=0
	kill -TERM "$DAEMON"
	wait "$DAEMON" 2>/dev/null
	DAEMON=
	case $1 in
	bare) SEEN=$(sed -n 's/^received=\([0-9]*\).*/\1/p' "$TMP/out") ;;
	synpaws*)
		SEEN=$(field missed packets)
		ANALYSED=$(field summary syns)
		NO_SOCKET=$(field missed missed_socket)
		NO_RING=$(field missed missed_ring)
		;;
	esac
}

# sender OPTION...: the flood in the background; its pid is SENDER
sender() {
	ip netns exec "$(namespace there)" taskset -c 0 "$TOOLS/flood" --peers "$PEERS" --drops "$DROPS" \
		"$@" a0 "$MAC" "$PEER" "$HERE" >"$TMP/flood" &
	SENDER=$!
	PIDS+=("$SENDER")
}

# Wait until it has ended.
sent() {
	wait "$SENDER" || return 1
	RATE=$(sed -n 's/.* rate=\([0-9]*\).*/\1/p' "$TMP/flood")
	SLIPPED=$(sed -n 's/.* slipped_ms=//p' "$TMP/flood")
}

connects() {
	inside there ${1:+taskset -c "$1"} "$TOOLS/connect" to "$HERE" 8080 "$CONNECTS" >"$TMP/connect" ||
		return 1
	USEC=$(sed -n 's/^median=\([0-9.]*\).*/\1/p' "$TMP/connect")
}

load() {
	local status
	case $1 in
	paced) sender --rate "$PACE" --seconds "$SECONDS_EACH" --sleep && sent ;;
	paced-busy) sender --rate "$PACE" --seconds "$SECONDS_EACH" && sent ;;
	flood) sender --seconds "$SECONDS_EACH" && sent ;;
	connect) connects 0 ;;
	connect-busy)
		sender --rate "$PACE" --seconds 600 --sleep
		sleep 0.3
		connects 1
		status=$?
		kill "$SENDER"
		sent && return "$status"
		;;
	esac
}

abandon() {
	[ -z "$DAEMON" ] && return
	kill "$DAEMON" 2>/dev/null
	wait "$DAEMON" 2>/dev/null
	DAEMON=
}

# attempt ROW PAIR LOAD WHO CONTESTANT: one run
attempt() {
	local row=$1 pair=$2 load=$3 who=$4 contestant=$5 before after
	OFFERED=0 SEEN=0 ANALYSED=0 CPU=0 TICKS=0 MEMORY=0 RATE=0 SLIPPED=0 USEC=0 NO_SOCKET=0 NO_RING=0
	if ! start "$contestant"; then
		echo "$who did not start: $(tail -n 1 "$TMP/err")" >&2
		abandon
		return 1
	fi
	before=$(usage_of "$DAEMON")
	if ! load "$load"; then
		abandon
		return 1
	fi
	sleep 0.3 # what is still queued is part of it
	after=$(usage_of "$DAEMON")
	[ "$contestant" = none ] || OFFERED=$(offered)
	stop "$contestant"
	read -r CPU TICKS MEMORY <<<"$(echo "$before $after" |
		awk '{ printf "%.0f %.0f %d", $4 - $1, $5 - $2, $6 }')"
}

# The sender must have kept its pace for all but a tenth of the time.
slipped() {
	awk -v ms="$SLIPPED" -v s="$SECONDS_EACH" 'BEGIN { exit !(ms > s * 100) }'
}

# once ROW PAIR LOAD WHO CONTESTANT: a run, repeated if others took the sender's CPU, and its line in
# runs.tsv
once() {
	local row=$1 pair=$2 who=$4 try
	for try in 1 2 3; do
		attempt "$@" || return 1
		slipped || break
		progress "$row, round $pair: $who again, try $try: the sender was disturbed"
	done
	printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$row" "$pair" "$who" "$OFFERED" "$SEEN" \
		"$ANALYSED" "$CPU" "$TICKS" "$MEMORY" "$RATE" "$SLIPPED" "$USEC" \
		"$NO_SOCKET" "$NO_RING" >>"$RUNS"
}
