#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# rules/: every case runs in network namespaces of its own, with the iptables that VARIANT names
# (nft or legacy; with nft also what concerns nft itself), for IPv4 and IPv6. No daemon is needed: the rules bypass an empty queue.
# Cases are called by name, each in a subshell, which shellcheck cannot follow:
# shellcheck disable=SC2317,SC2030,SC2031
set -u
export LC_ALL=C PATH=$PATH:/usr/sbin:/sbin
cd "$(dirname "$0")/../../rules" || exit 1

ns=sp-rules-$$
tmp=$(mktemp -d) || exit 1
fake=$tmp/bin
failed=0
mkdir "$fake"

cleanup() {
	for n in "$ns" "$ns-c" "$ns-s"; do
		ip netns del "$n" 2>/dev/null
	done
	rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 1' INT TERM HUP

on() { ip netns exec "$ns" "$@"; }
rules() { on timeout 20 ./synpaws-rules "$@" --with "$tool"; }
faked() { on env PATH="$fake:$PATH" timeout 20 ./synpaws-rules "$@" --with "$tool"; }

# A case is a function: any command that fails in it fails the case.
t() {
	local name=$1 result
	shift
	rm -f "$fake"/*
	net "$ns"
	(set -ex; "$@") >"$tmp/log" 2>&1
	result=$?
	case $result in
	0) echo "ok - $name" ;;
	*)
		echo "not ok - $name"
		tail -n 25 "$tmp/log" | sed 's/^/# /'
		failed=1 ;;
	esac
}

code() { # the command must exit with $1
	local want=$1 got=0
	shift
	"$@" || got=$?
	[ "$got" = "$want" ]
}

both() { echo "$tool" "ip6${tool#ip}"; }

# Everything that a person can list, less the lines with dates in them
snapshot() {
	local i
	{
		for i in $(both); do
			on "$i-save" "$@"
		done
		on nft list ruleset
	} 2>/dev/null | sed '/^#/d'
}

mangle() { on "$1-save" "${@:2}" -t mangle | grep -e '-A' || :; } # of one family

# --- a table as it was, byte for byte -------------------------------------------------------

# A first look makes a legacy table for good, so there the pristine state has empty ones.
pristine() {
	if [ "$tool" = iptables-legacy ]; then
		for i in $(both); do
			on "$i" -t mangle -S
		done
	fi
}

foreign() {
	for i in $(both); do
		on "$i" -t mangle -N OTHER
		on "$i" -t mangle -A OTHER -m comment --comment 'a "word" -j SYNPAWS' -j RETURN
		on "$i" -t mangle -A INPUT -p tcp -j OTHER
		on "$i" -t mangle -A FORWARD -p tcp --syn -j TCPMSS --set-mss 1300
		on "$i" -t mangle -P FORWARD DROP
		on "$i" -A INPUT -p tcp --dport 22 -j ACCEPT
		on "$i" -P INPUT DROP
	done
	on nft add table inet mine
}

empty_chains() {
	for i in $(both); do
		on "$i" -t mangle -A INPUT -p tcp
		on "$i" -t mangle -D INPUT -p tcp
	done
}

dropping_chain() {
	for i in $(both); do
		on "$i" -t mangle -P FORWARD DROP
	done
}

as_before() { # with what function $1 puts there
	"$1"
	snapshot >"$tmp/before"
	rules load
	snapshot | code 1 cmp -s - "$tmp/before"
	rules load --at gateway --queue 2:3
	rules load --evidence answer --queue 2:3
	rules load --at gateway --evidence close
	rules load --ports 80
	rules unload
	snapshot | diff "$tmp/before" -
	rules unload
	snapshot | diff "$tmp/before" -
	for options in '' '--evidence close' '--evidence answer'; do
		for at in gateway host; do
			# shellcheck disable=SC2086
			rules load --at $at $options
			rules unload
			snapshot | diff "$tmp/before" -
		done
	done
}

kept_for_others() {
	rules load
	for i in $(both); do
		on "$i" -t mangle -A INPUT -p udp -j ACCEPT
		on "$i" -t mangle -P INPUT DROP
	done
	rules unload
	for i in $(both); do
		[ "$(mangle "$i")" = '-A INPUT -p udp -j ACCEPT' ]
		on "$i" -t mangle -F INPUT
	done
	rules load
	rules unload
	for i in $(both); do
		on "$i-save" -t mangle | grep ':INPUT DROP'
	done
}

policy_kept() { # set while loaded, in a chain that load made
	rules load
	for i in $(both); do
		on "$i" -t mangle -P INPUT DROP
	done
	rules unload
	for i in $(both); do
		on "$i-save" -t mangle | grep ':INPUT DROP'
	done
}

untouched() { # looking and unloading make no legacy table
	snapshot >"$tmp/before"
	code 1 rules show
	rules unload
	rules print
	snapshot | diff "$tmp/before" -
	[ "$tool" != iptables-legacy ] || [ -z "$(on cat /proc/net/ip_tables_names)" ]
}

# --- loading --------------------------------------------------------------------------------

syn='-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j SYNPAWS'

loaded() { # $1 the jump's chain and interface, $2 the target's options, in both families
	for i in $(both); do
		[ "$(mangle "$i" | sed 's/ -m comment --comment [^ ]*//')" = "-A $1 $syn
-A SYNPAWS -j NFQUEUE $2 --queue-bypass" ]
	done
}

load() {
	rules load
	loaded 'INPUT ! -i lo' '--queue-num 0'
}

load_twice() {
	foreign
	rules load --ports 1:9,443
	snapshot -c >"$tmp/before"
	rules load --ports 443,1:5,5:9 | grep -c 'nothing changed' | grep 2
	snapshot -c | diff "$tmp/before" -
}

load_replaces() {
	rules load
	rules load --at gateway --queue 1:4 --in eth0
	loaded 'FORWARD -i eth0' '--queue-balance 1:4'
	rules load --queue 7
	loaded 'INPUT ! -i lo' '--queue-num 7'
}

load_repairs() { # a second jump, rules behind it, a rule of ours gone
	rules load
	for i in $(both); do
		on "$i" -t mangle -A INPUT -j SYNPAWS
		on "$i" -t mangle -A INPUT -p udp
	done
	rules show 2>&1 | tee "$tmp/out"
	grep 'IPv4: 2 rules jump' "$tmp/out"
	grep 'IPv6: queued packets skip 1 rule' "$tmp/out"
	rules load
	for i in $(both); do
		[ "$(mangle "$i" | grep -c -- '-j SYNPAWS$')" = 1 ]
		on "$i" -t mangle -A INPUT -p udp
	done
	rules load
	for i in $(both); do
		mangle "$i" | grep -e '-A INPUT' | tail -n 1 | grep -e "! -i lo $syn"
		on "$i" -t mangle -F SYNPAWS
	done
	rules load
	mangle "$tool" | grep NFQUEUE
	for i in $(both); do
		on "$i" -t mangle -F INPUT
	done
	code 1 rules show
	rules load
	rules show
}

one_family() {
	rules load -6
	rules load -4 --queue 3
	mangle "$tool" | grep 'queue-num 3'
	mangle "ip6${tool#ip}" | grep 'queue-num 0'
	rules unload -4
	rules show
	code 1 rules show -4
	code 0 rules show -6
	[ -z "$(mangle "$tool")" ]
}

edit() { # table mangle of $1: each rule that holds $2, as the sed script $3 makes it
	mangle "$1" | grep -e "$2" | sed "$3" | while read -r rule; do
		# shellcheck disable=SC2086
		on "$1" -t mangle $rule
	done
}

repairs_evidence() { # the same, with jumps both ways
	for at in host gateway; do
		rules load --evidence answer --at "$at"
		rules show 2>&1 | code 1 grep warning
		for i in $(both); do
			edit "$i" '-j SYNPAWS$' '' # twice now
			edit "$i" '-j SYNPAWS-FROM$' 's/^-A/-D/'
		done
		rules show 2>&1 | tee "$tmp/out"
		grep 'IPv4: 2 rules jump to SYNPAWS:' "$tmp/out"
		grep 'IPv6: 0 rules jump to SYNPAWS-FROM:' "$tmp/out"
		rules load --evidence answer --at "$at" | code 1 grep 'nothing changed'
		rules show 2>&1 | code 1 grep warning
		rules load --evidence answer --at "$at" | grep -c 'nothing changed' | grep 2
	done
	rules load --evidence close
	for i in $(both); do
		on "$i" -t mangle -A OUTPUT -p udp
	done
	rules show 2>&1 |
		grep 'IPv6: queued packets skip 1 rule(s) behind the jump in mangle OUTPUT'
	rules load --evidence close
	rules show 2>&1 | code 1 grep warning
}

other_evidence() { # replaces, and nothing of the former stays
	rules load
	snapshot >"$tmp/syn"
	rules load --evidence answer --mark-bit 3
	mangle "$tool" | grep -c '0x8/0x8' | grep 3
	rules load --evidence close --mark-bit 31
	mangle "$tool" | grep -c '0x80000000/0x80000000' | grep 2
	snapshot -c >"$tmp/before"
	rules load --evidence close --mark-bit 31
	snapshot -c | diff "$tmp/before" -
	rules load
	for i in $(both); do
		mangle "$i" | code 1 grep -i -e connmark -e SYNPAWS-FROM
	done
}

many_ports() {
	rules load --ports "$(seq -s, 1 2 41),1000:2000,3000:4000"
	for i in $(both); do
		mangle "$i" | grep -c 'dports.*NFQUEUE' | grep 2
	done
	snapshot -c >"$tmp/before"
	rules load --ports "3000:4000,1000:2000,$(seq -s, 1 2 41)"
	snapshot -c | diff "$tmp/before" -
	for at in host gateway; do
		rules load --evidence close --at "$at" --ports "$(seq -s, 1 2 41)" --in eth+
		for i in $(both); do
			mangle "$i" | grep -c -e '-i eth+ .*dports.* -j SYNPAWS$' | grep 2
			mangle "$i" | grep -c -e '-o eth+ .*sports.* -j SYNPAWS-FROM$' | grep 2
		done
		rules load --evidence close --at "$at" --ports "$(seq -s, 1 2 41)" --in eth+ |
			grep -c 'nothing changed' | grep 2
		rules show 2>&1 | code 1 grep warning
	done
}

ready_files() {
	for file in {host,gateway}{,-close,-answer}; do
		at=${file%-*} evidence=${file#*-}
		[ "$file" != "$at" ] || evidence=syn
		for i in $(both); do
			on "$i-restore" --noflush <"$file.rules"
		done
		snapshot -c >"$tmp/before"
		rules load --at "$at" --evidence "$evidence"
		snapshot -c | diff "$tmp/before" -
		rules unload
	done
}

# --- traffic --------------------------------------------------------------------------------

net() { # named $1, whose addresses are good at once
	ip netns del "$1" 2>/dev/null || :
	ip netns add "$1"
	ip netns exec "$1" sysctl -qw net.ipv6.conf.default.accept_dad=0
}

wire() { # $1 and $2, net $3: the first is .1, the second .2
	ip link add name "v$3" netns "$1" type veth peer name "w$3" netns "$2"
	ip -n "$1" link set "v$3" up
	ip -n "$2" link set "w$3" up
	ip -n "$1" addr add "10.0.$3.1/24" dev "v$3"
	ip -n "$2" addr add "10.0.$3.2/24" dev "w$3"
	ip -n "$1" addr add "fd00:$3::1/64" dev "v$3"
	ip -n "$2" addr add "fd00:$3::2/64" dev "w$3"
}

# A closed port answers RST at once (1), silence is cut short (124).
knock() { # from namespace $1 to address $2, port $3
	local got=0
	ip netns exec "$1" timeout 0.9 bash -c ": </dev/tcp/$2/$3" 2>/dev/null || got=$?
	echo "$got"
}

count() { on "$1-save" -t "$2" -c | sed -n "s/^\[\([0-9]*\):.*$3.*/\1/p"; }

counted() { # packets that SYNPAWS has seen: IPv4, IPv6
	for i in $(both); do
		count "$i" mangle NFQUEUE
	done | xargs
}

client() {
	net "$ns-c"
	wire "$ns-c" "$ns" 1
	ip -n "$ns" link set lo up
}

traffic() {
	client
	rules load
	[ "$(knock "$ns-c" 10.0.1.2 9)" = 1 ]
	[ "$(knock "$ns-c" fd00:1::2 9)" = 1 ]
	[ "$(counted)" = '1 1' ]
	rules load
	[ "$(knock "$ns" 127.0.0.1 9)" = 1 ]
	[ "$(knock "$ns" ::1 9)" = 1 ]
	[ "$(counted)" = '1 1' ]
	rules show | grep '^\[1:[0-9]*\] -A SYNPAWS'
	rules load --ports 10,12
	[ "$(knock "$ns-c" 10.0.1.2 9)" = 1 ]
	[ "$(knock "$ns-c" 10.0.1.2 12)" = 1 ]
	[ "$(counted)" = '1 0' ]
}

later_rules() {
	client
	rules load
	for i in $(both); do
		on "$i" -A INPUT -p tcp --dport 9 -j DROP
	done
	[ "$(knock "$ns-c" 10.0.1.2 9)" = 124 ]
	[ "$(knock "$ns-c" fd00:1::2 9)" = 124 ]
	for i in $(both); do
		[ "$(count "$i" filter DROP)" = "$(count "$i" mangle NFQUEUE)" ]
	done
	[ "$(count "$tool" filter DROP)" -ge 1 ]
}

gateway() {
	client
	net "$ns-s"
	wire "$ns" "$ns-s" 2
	on sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	ip -n "$ns-c" route add default via 10.0.1.2
	ip -n "$ns-c" route add default via fd00:1::2
	ip -n "$ns-s" route add default via 10.0.2.1
	ip -n "$ns-s" route add default via fd00:2::1
	rules load --at gateway --in w1
	[ "$(knock "$ns-c" 10.0.2.2 9)" = 1 ]
	[ "$(knock "$ns-c" fd00:2::2 9)" = 1 ]
	[ "$(knock "$ns-c" 10.0.1.2 9)" = 1 ]
	[ "$(knock "$ns-s" 10.0.1.1 9)" = 1 ]
	[ "$(counted)" = '1 1' ]
}

# --- failures, and what people are told -----------------------------------------------------

pretend() { printf '#!/bin/sh\n%s\n' "$2" >"$fake/$1"; chmod +x "$fake/$1"; }

one_line() { # on stderr, from a command that must exit with $1
	code "$@" 2>"$tmp/err" >/dev/null
	cat "$tmp/err"
	[ "$(grep -vc '^+' "$tmp/err")" = 1 ]
}

rolled_back() {
	local six=ip6${tool#ip}
	foreign
	real=$(command -v "$six-restore")
	pretend "$six-restore" "case \$* in *help*) exec $real --help ;; esac
echo 'no more memory' >&2; exit 1"
	snapshot -c >"$tmp/before"
	code 1 faked load
	snapshot -c | diff "$tmp/before" -
	rules load
	on "$tool" -t mangle -A INPUT -p udp
	on "$tool" -t mangle -Z
	snapshot -c >"$tmp/before"
	code 1 faked load --at gateway
	snapshot -c | diff "$tmp/before" -
}

counters() {
	for i in $(both); do
		on "$i-save" -c -t mangle | grep -v '^#'
	done
}

rolled_back_evidence() { # from either to the other; chains may have changed places
	real=$(command -v "ip6${tool#ip}-restore")
	for options in '--evidence answer --ports 80,443' '--at gateway --evidence close' ''; do
		# shellcheck disable=SC2086
		rules load $options
		on "$tool" -t mangle -A FORWARD -p udp
		counters >"$tmp/before"
		pretend "ip6${tool#ip}-restore" "case \$* in *help*) exec $real --help ;; esac
echo 'no more memory' >&2; exit 1"
		code 1 faked load --evidence close --queue 9
		counters | diff "$tmp/before" -
		code 1 faked load --queue 9
		counters | diff "$tmp/before" -
		rm "$fake/ip6${tool#ip}-restore"
	done
}

no_tracking() { # iptables or the kernel without the match or target $1, which $2 cannot do without
	real=$(command -v "$tool")
	rules unload
	pristine
	snapshot >"$tmp/before"
	pretend "$tool" "case \" \$* \" in *' $1 '*) exit 1 ;; esac; exec $real \"\$@\""
	one_line 1 faked load --evidence "$2"
	grep "lacks the $1 .*--evidence syn does without" "$tmp/err"
	snapshot | diff "$tmp/before" -
	faked load
}

no_match() {
	no_tracking connmark close
	no_tracking CONNMARK close
	no_tracking conntrack answer
	rules unload
	pretend "$tool" "case \" \$* \" in *' conntrack '*) exit 1 ;; esac; exec $real \"\$@\""
	faked load --evidence close
}

rolled_back_to_nothing() {
	pretend ip6tables-nft-restore 'exit 1'
	code 1 faked load --at gateway
	[ -z "$(snapshot)" ]
}

unreadable() { # rules that only nft can write, in table mangle
	on nft -f - <<-'END'
		table ip mangle {
			chain INPUT {
				type filter hook input priority -150;
				numgen random mod 3 1 counter
			}
		}
	END
	snapshot >"$tmp/before"
	for c in load show unload; do
		one_line 1 rules "$c" -4
	done
	snapshot | diff "$tmp/before" -
}

no_ipv6() {
	for i in '' -save; do
		pretend "ip6${tool#ip}$i" "case \$* in *-V*) exec ip6${tool#ip} -V ;; esac
echo 'no such family' >&2; exit 3"
	done
	sed -i "s,exec ,&$(dirname "$(command -v iptables)")/," "$fake"/*
	faked load | grep 'IPv6: not available (no such family'
	[ -n "$(mangle "$tool")" ]
	one_line 1 faked load -6
}

no_bypass() {
	pretend "$tool" "case \$* in *help*) exit ;; esac; exec $(command -v "$tool") \"\$@\""
	one_line 1 faked load
	grep -- --queue-bypass "$tmp/err"
	[ -z "$(mangle "$tool")" ]
}

elsewhere() {
	local other=iptables-nft
	[ "$tool" = iptables-legacy ] || other=iptables-legacy
	rules load
	(tool=$other; rules unload) 2>&1 | grep "warning: also loaded in $tool"
	rules show
	rules unload 2>&1 | code 1 grep warning
}

exit_codes() {
	code 1 rules show
	rules load
	rules show | grep 'nobody listens on queue 0: packets bypass it'
	rules unload
	code 1 rules show
}

listener() {
	command -v python3 >/dev/null || { echo "no python3 to bind a queue"; exit 77; }
	rules load --queue 4:5
	coproc on python3 -c '
import os, socket, struct
other = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
other.bind((0, 0))
s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
s.bind((0, 0))
bind = struct.pack("!BBH", 0, 0, 5) + struct.pack("=HH", 8, 1) + struct.pack("!BBH", 1, 0, 2)
s.send(struct.pack("=IHHII", 16 + len(bind), 3 << 8 | 2, 5, 1, 0) + bind)
s.recv(4096)
print(os.getpid(), flush=True)
input()'
	read -r pid <&"${COPROC[0]}"
	rules show | tee "$tmp/out"
	grep "queue 5: process $pid (.*) listens" "$tmp/out"
	grep 'nobody listens on queue 4' "$tmp/out"
	echo >&"${COPROC[1]}"
}

bad_options() {
	tool=iptables
	while read -r options; do
		# shellcheck disable=SC2086
		one_line 2 ./synpaws-rules $options
	done <<-'END'
	
	frob
	load show
	load --frob
	load --queue
	load --queue 65536
	load --queue 3:1
	load --queue 0:x
	load --ports 0
	load --ports 80,,443
	load --ports 9:8
	load --ports 65536
	load --at server
	load --in lo
	load --in l+
	load --in eth0;reboot
	load --in a23456789012345678
	load --with nftables
	load --evidence
	load --evidence all
	load --evidence close --mark-bit 32
	load --evidence close --mark-bit 01
	load --evidence close --mark-bit x
	load --mark-bit 3
	print --evidence syn --mark-bit 3
	show --evidence close
	unload --mark-bit 3
	show --queue 0
	unload --with nft -4
	END
	./synpaws-rules --help | grep -q usage
}

printed() {
	for file in {host,gateway}{,-close,-answer}; do
		options="--at ${file%-*}"
		[ "$file" = "${file%-*}" ] || options="$options --evidence ${file#*-}"
		for shell in sh dash 'bash --posix' 'busybox sh'; do
			command -v "${shell%% *}" || continue
			# shellcheck disable=SC2086
			cmp <($shell ./synpaws-rules print $options) "$file.rules"
			# shellcheck disable=SC2086
			cmp <($shell ./synpaws-rules print $options --with nft) "$file.nft"
		done
	done
}

# --- nft ------------------------------------------------------------------------------------

nft_refuses_queue() { on nft -c -f host.nft 2>&1 | grep 'Could not process rule'; }

# Where the kernel has no queue statement, all but that one word is tried.
without_queue() {
	nft_refuses_queue || return 0
	pretend nft "real=$(command -v nft)
[ \"\$*\" = '-f /dev/stdin' ] || exec \$real \"\$@\"
sed 's/queue num [0-9-]* bypass//' | \$real -f -"
}

nft_files() {
	for options in '' '--ports 80,443,8000:8100' '--queue 0:3 --at gateway -6 --in eth+' \
		'--evidence close' '--evidence answer --at gateway --ports 80,443 -4 --mark-bit 31'; do
		# shellcheck disable=SC2086
		./synpaws-rules print --with nft $options >"$tmp/nft"
		on nft -c -f "$tmp/nft" 2>&1 | tee "$tmp/out"
		# the only thing left to say is the kernel's no to "queue"
		[ ! -s "$tmp/out" ] ||
			grep -A 2 'Could not process rule' "$tmp/out" | grep '\^\^\^\^\^$'
		sed 's/queue num [0-9-]* bypass//' "$tmp/nft" | on nft -f -
		sed 's/queue num [0-9-]* bypass//' "$tmp/nft" | on nft -f -
		[ "$(on nft list table inet synpaws | grep -c counter)" = \
			"$(grep -c 'counter queue' "$tmp/nft")" ]
	done
	code 1 on nft -c -f - <<<'table inet x { chain y { queue num 0 bypas; }; }'
}

nft_load() {
	tool=nft
	on nft add table inet mine
	without_queue
	[ ! -e "$fake/nft" ] || one_line 1 rules load
	start=$(on nft list ruleset)
	code 1 faked show
	faked load
	before=$(on nft list ruleset)
	faked load | grep 'nothing changed'
	[ "$(on nft list ruleset)" = "$before" ]
	code 0 faked show
	faked load -6 --ports 80,443
	[ "$(on nft list ruleset)" != "$before" ]
	faked show | grep 'IPv4: not loaded'
	code 1 faked show -4
	faked load --evidence answer --at gateway
	faked load --evidence answer --at gateway | grep 'nothing changed'
	faked load --evidence answer --at gateway --mark-bit 29 | code 1 grep 'nothing changed'
	faked show | grep '0  ACKs that refuse a SYN'
	faked unload
	faked unload
	[ "$(on nft list ruleset)" = "$start" ]
	real=$(command -v nft)
	pretend nft "case \$* in *-c*) exit 1 ;; esac; exec $real \"\$@\""
	one_line 1 faked load --evidence close
	grep 'no connection tracking' "$tmp/err"
}

nft_traffic() {
	tool=nft
	client
	without_queue
	faked load --ports 9
	[ "$(knock "$ns-c" 10.0.1.2 9)" = 1 ]
	[ "$(knock "$ns-c" fd00:1::2 9)" = 1 ]
	[ "$(knock "$ns-c" fd00:1::2 10)" = 1 ]
	[ "$(knock "$ns" 127.0.0.1 9)" = 1 ]
	on nft list table inet synpaws | grep 'counter packets 2 '
}

if [ "$(id -u)" != 0 ]; then
	echo "not ok - rules: needs root"
	exit 1
fi
tool=iptables${VARIANT:+-$VARIANT}
t "$tool: load" load
t "$tool: loading twice changes nothing, counters neither" load_twice
t "$tool: other options replace" load_replaces
t "$tool: load repairs, show warns of misplaced jumps" load_repairs
t "$tool: load repairs both directions" repairs_evidence
t "$tool: other evidence replaces" other_evidence
t "$tool: one family alone" one_family
t "$tool: more ports than one rule holds" many_ports
t "$tool: the ready files load" ready_files
t "$tool: unload, pristine" as_before pristine
t "$tool: unload, among other rules" as_before foreign
t "$tool: unload, empty chains" as_before empty_chains
t "$tool: unload, a chain that drops" as_before dropping_chain
t "$tool: unload keeps what others use by now" kept_for_others
t "$tool: unload keeps a policy that drops" policy_kept
t "$tool: show and unload touch nothing when not loaded" untouched
t "$tool: SYNs are counted and pass, loopback is left out" traffic
t "$tool: later filter rules still apply" later_rules
t "$tool: gateway" gateway
t "$tool: IPv6 fails, IPv4 is put back" rolled_back
t "$tool: IPv6 fails, IPv4 is put back, with evidence" rolled_back_evidence
t "$tool: no connection tracking: syn evidence works" no_match
t "$tool: no IPv6" no_ipv6
t "$tool: no --queue-bypass, nothing loaded" no_bypass
t "$tool: a warning when loaded with the other one" elsewhere
t "$tool: exit codes of show, nobody listens" exit_codes
t "$tool: show names who listens" listener
if [ "$tool" = iptables-nft ]; then
	t "$tool: IPv6 fails, nothing is left" rolled_back_to_nothing
	t "$tool: a table that iptables cannot read is left alone" unreadable
	t 'print equals the ready files, in every shell here' printed
	t 'bad options: one line, exit 2' bad_options
	ip netns add "$ns-n" && queue=$(ip netns exec "$ns-n" nft -c -f host.nft 2>&1)
	ip netns del "$ns-n"
	[ -z "$queue" ] || echo '# this kernel has no queue statement: nft is tried without that one word'
	t 'nft: files pass nft -c, and load' nft_files
	t 'nft: load, show, unload' nft_load
	t 'nft: SYNs are counted and pass' nft_traffic
fi
exit $failed
