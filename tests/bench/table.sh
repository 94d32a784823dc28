# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# For tests/bench/run: what is printed, from the lines of runs.tsv.

describe_machine() {
	echo "machine    $(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1), $(nproc) cores"
	echo "kernel     $(uname -sr) $(uname -m)"
	echo "iptables   $(iptables -V)"
	echo "compiler   $("${CC:-cc}" --version | head -n 1)"
	echo "synpaws    $("$SYNPAWS" --version | head -n 1)"
	[ -n "$P0F" ] && echo "p0f        $("$P0F" -h 2>&1 | grep -o -m 1 'p0f [0-9.]*[a-z]*')"
	[ -n "$TCPDUMP" ] && echo "tcpdump    $("$TCPDUMP" --version 2>&1 | sed -n 's/^tcpdump version //p')"
	echo "runs       $PAIRS of each, in turn, $SECONDS_EACH s; $PEERS peers, $DROPS % with several clocks"
}

head_of_table() {
	printf '\n%-34s %7s  %-16s %-16s %10s %10s  %s\n' "" ratio "min .. max" "quartiles" first second target
}

title() {
	printf '%s\n' "$*"
}

heading() {
	case $1 in
	cpu) title "CPU per SYN at $PACE SYN/s, in ones and twos" ;;
	cpu-busy) title "CPU per SYN at $PACE SYN/s, one by one from a CPU that is never idle" ;;
	flood) title "SYNs received of those sent as fast as one CPU can" ;;
	connect) title "Time that the queue adds to connect(), idle machine (medians of $CONNECTS)" ;;
	connect-busy) title "Time that the queue adds to connect(), with $PACE SYN/s to another port" ;;
	esac
}

# In awk: the value of each measure from a line of runs.tsv, and how it is called.
VALUES='
function value(measure) {
	if (measure == "cpu") return $5 > 0 ? $7 / $5 / 1000 : -1
	if (measure == "ticks") return $5 > 0 ? $8 / $5 / 1000 : -1
	if (measure == "seen") return $4 > 0 ? 100 * $5 / $4 : -1
	if (measure == "analysed") return $4 > 0 ? 100 * $6 / $4 : -1
	if (measure == "received") return $5 / 1000
	if (measure == "missed_socket") return $4 > 0 ? 100 * $13 / $4 : -1
	if (measure == "missed_ring") return $4 > 0 ? 100 * $14 / $4 : -1
	if (measure == "memory") return $9 / 1024
	if (measure == "rate") return $10 / 1000
	return $12
}
function unit(measure) {
	if (measure == "cpu" || measure == "ticks" || measure == "usec" || measure == "added") return "us"
	if (measure ~ /^(seen|analysed|missed_.*)$/) return "%"
	if (measure == "memory") return "MB"
	return "k"
}
function name(measure) {
	if (measure == "cpu") return ", CPU per SYN"
	if (measure == "ticks") return ", by utime+stime"
	if (measure == "seen") return ", seen"
	if (measure == "analysed") return ", analysed"
	if (measure == "received") return ", received"
	if (measure ~ /^missed_/) return ", " measure
	if (measure == "memory") return ", peak memory"
	if (measure == "rate") return ", speed"
	if (measure == "added") return ", added"
	return ", median"
}
function sort(list, n,    i, j, x) {
	for (i = 2; i <= n; i++) {
		x = list[i]
		for (j = i - 1; j > 0 && list[j] > x; j--)
			list[j + 1] = list[j]
		list[j + 1] = x
	}
}
function quantile(list, n, q,    at) {
	at = 1 + (n - 1) * q
	return list[int(at)] + (at - int(at)) * (list[int(at) + (int(at) < n)] - list[int(at)])
}'

# compare ROW MEASURE A B [RELATION TARGET]: a line of the table, and those of pairs.tsv
compare() {
	awk -F '\t' -v row="$1" -v measure="$2" -v a="$3" -v b="$4" -v relation="${5:-}" -v target="${6:-}" \
		-v pairs="$RATIOS" "$VALUES"'
	$1 == row && $3 == a { of_a[$2] = value(measure) }
	$1 == row && $3 == b { of_b[$2] = value(measure) }
	$1 == row && $3 == "none" { base[$2] = value("usec") }
	END {
		for (pair in of_a) {
			if (!(pair in of_b))
				continue
			x = of_a[pair]
			y = of_b[pair]
			if (measure == "added") {
				x -= base[pair]
				y -= base[pair]
			}
			if (x <= 0 || y <= 0)
				continue
			first[++n] = x
			second[n] = y
			ratio[n] = x / y
			printf "%s\t%s\t%s\t%s\t%s\t%.4f\t%.4f\t%.4f\n", row, measure, pair, a, b, x, y,
				x / y >>pairs
		}
		if (n == 0) {
			printf "  %-32s skipped\n", a " / " b name(measure)
			exit
		}
		sort(first, n)
		sort(second, n)
		sort(ratio, n)
		median = quantile(ratio, n, 0.5)
		met = relation == "<=" ? median <= target : median >= target
		printf "  %-32s %7.3f  %-16s %-16s %7.4g %-2s %7.4g %-2s  %s\n", a " / " b name(measure), median,
			sprintf("%.3f .. %.3f", ratio[1], ratio[n]),
			sprintf("%.3f .. %.3f", quantile(ratio, n, 0.25), quantile(ratio, n, 0.75)),
			quantile(first, n, 0.5), unit(measure), quantile(second, n, 0.5), unit(measure),
			relation == "" ? "" : relation " " target (met ? " met" : " MISSED")
	}' "$RUNS"
}

# share ROW MEASURE WHO: a figure by itself
share() {
	awk -F '\t' -v row="$1" -v measure="$2" -v who="$3" "$VALUES"'
	$1 == row && $3 == who { list[++n] = value(measure) }
	END {
		if (n == 0)
			exit
		sort(list, n)
		printf "  %-32s %7s  %-16s %-16s %7.4g %-2s\n", who name(measure), "",
			sprintf("%.4g .. %.4g", list[1], list[n]),
			sprintf("%.4g .. %.4g", quantile(list, n, 0.25), quantile(list, n, 0.75)),
			quantile(list, n, 0.5), unit(measure)
	}' "$RUNS"
}

warn_of_slips() {
	awk -F '\t' 'NR > 1 && $11 > 0 { n++; ms += $11 }
		END { if (n > 0) printf "\nIn %d runs the sender did not keep its pace, for %.0f ms in all.\n", n, ms }' \
		"$RUNS"
}
