#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The daemon on more than SYNs, with real connections: what is recorded hangs on who closes first, and
# that is seen in the segments that end a connection. A SYN with a TSval far behind the client's clock
# asks what is remembered of it.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"

FIRST=80 # closes as soon as it has answered
LAST=82  # closes when the client has
HALF=83  # shutdown(), and close() when the client has closed
CLOSED=81
FAR_BEHIND=1

serve() {
	# Not by way of a function, whose subshell would be ended instead.
	ip netns exec "$(namespace server)" "$TOOLS/peer" serve "$1" "$2" "$3" \
		>"$TMP/serve.$2" 2>&1 &
	PIDS+=($!)
}

servers() {
	local address=$1
	serve "$address" $FIRST --close-first
	serve "$address" $LAST --close-last
	serve "$address" $HALF --half-close
	sleep 0.3
}

visit() {
	inside client "$TOOLS/peer" connect "$@" --quiet
}

# watch WHERE RULES DAEMON-OPTIONS: both with the same evidence
watching() {
	local where=$1 rules=$2
	shift 2
	# shellcheck disable=SC2086 # words
	rules_in "$where" $rules && start_daemon "$where" --log stdout --fold 0 --profile el7 "$@"
}

# End the daemon and the rules; what it said stays in $TMP/out.
done_watching() {
	sleep 0.3 # an outcome is held for 100 ms
	stop_daemon || return 1
	inside "$1" "$ROOT/rules/synpaws-rules" unload --with "$IPTABLES"
}

host_closes_first() {
	watching server "--evidence close" --evidence close || return 1
	visit 10.77.2.2 $FIRST || return 1
	syn $FAR_BEHIND --dport $FIRST
	done_watching server && lines '^paws-drop .* evidence=close .*guess=no$' 1 &&
		[ "$(field summary records)" -ge 1 ]
}

client_closes_first() {
	watching server "--evidence close" --evidence close || return 1
	visit 10.77.2.2 $LAST --close-first || return 1
	syn $FAR_BEHIND --dport $LAST
	done_watching server && lines '^paws-drop' 0 && [ "$(field summary records)" -eq 0 ]
}

# The same on SYNs alone: the estimate errs.
estimate_errs() {
	watching server "" || return 1
	visit 10.77.2.2 $LAST --close-first || return 1
	syn $FAR_BEHIND --dport $LAST
	done_watching server && lines '^paws-drop .* evidence=syn' 1
}

closed_port() {
	watching server "--evidence close" --evidence close || return 1
	visit 10.77.2.2 $FIRST || return 1
	syn $FAR_BEHIND --dport $CLOSED
	done_watching server && lines '^paws-drop' 0 && [ "$(field summary closed_port)" -eq 1 ]
}

# With the check off on the host the connection that should not be goes on, and leaves nothing.
counterfactual() {
	watching server "--evidence answer" --evidence answer || return 1
	visit 10.77.2.2 $FIRST || return 1
	syn $FAR_BEHIND --dport $FIRST
	syn $FAR_BEHIND --dport $FIRST --sport 40001
	done_watching server && lines '^paws-drop .* evidence=answer' 2 &&
		[ "$(field summary contradicted)" -eq 0 ]
}

facts_of_the_host() {
	watching server "--evidence answer" --evidence answer || return 1
	visit 10.77.2.2 $HALF --count 4 --delay 300 || return 1
	done_watching server &&
		grep -q '^facts .*tcp_fin_timeout=60(host).*tcp_tw_recycle=off(host)' "$TMP/out" &&
		grep -q "^facts .*half_close=$HALF(" "$TMP/out" || { cat "$TMP/out"; return 1; }
}

gateway_sees_it_too() {
	watching gateway "--at gateway --ports $FIRST,$LAST --evidence close" --gateway \
		--host 10.77.2.2 --evidence close || return 1
	visit 10.77.2.2 $LAST --close-first || return 1
	syn $FAR_BEHIND --dport $LAST
	visit 10.77.2.2 $FIRST || return 1
	syn $FAR_BEHIND --dport $FIRST
	done_watching gateway && lines '^paws-drop .* evidence=close' 1 &&
		lines "^paws-drop .* dport=$FIRST" 1
}

in_ipv6() {
	watching server "--evidence close" --evidence close || return 1
	visit fd77:2::2 $LAST --close-first || return 1
	syn6 $FAR_BEHIND --dport $LAST
	visit fd77:2::2 $FIRST || return 1
	syn6 $FAR_BEHIND --dport $FIRST
	done_watching server && lines "^paws-drop .* src=fd77:1::2 .* dport=$FIRST" 1 &&
		lines '^paws-drop' 1
}

side_by_side() {
	rules_in server --evidence close &&
		start_daemon server --log stdout --profile el6,el7,4.x --evidence close || return 1
	visit fd77:2::2 $FIRST || return 1
	syn6 $FAR_BEHIND --dport $FIRST
	done_watching server && grep -q '^compare el6=0 el7=1 4.x=1' "$TMP/out"
}

make_net
servers 10.77.2.2
servers fd77:2::2
check "the host closes first: its stamp drops a SYN from behind" host_closes_first
check "the client closes first: nothing is recorded" client_closes_first
check "... which SYNs alone do not tell" estimate_errs
check "a closed port is called so, not a drop" closed_port
check "a SYN that should be dropped leaves no stamp behind" counterfactual
check "settings and half-closing services are found out on the host" facts_of_the_host
check "a gateway tells who closed first" gateway_sees_it_too
check "IPv6" in_ipv6
check "three profiles side by side" side_by_side
