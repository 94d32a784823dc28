# SPDX-License-Identifier: GPL-2.0-or-later
# The cost of the mirror by how much it keeps, as .svg or .png by the name of the picture:
#   build/tests/bench/core --tsv cost.tsv
#   gnuplot -c tests/bench/plot.gp cost.tsv cost.svg

table = ARG1
picture = ARG2
if (picture[strlen(picture) - 3:] eq ".png") {
	set terminal pngcairo size 1520,900 font "sans,20" linewidth 2 background "#ffffff"
} else {
	set terminal svg size 760,450 font "sans-serif,14" linewidth 1.5 background "#ffffff"
}
set output picture

set datafile separator "\t"
set datafile commentschars "#"
set title "What the mirror takes for a segment, without a kernel"
set xlabel "peers known, or flows in view, met in random order"
set ylabel "nanoseconds a segment (median, least to most)"
set logscale x
set xrange [700:1.4e7]
set yrange [0:*]
set xtics ("1,000" 1e3, "10,000" 1e4, "100,000" 1e5, "1 million" 1e6, "10 million" 1e7)
set grid ytics linetype 1 linecolor "#d0d0d0" linewidth 0.6
set border 3 linecolor "#404040"
set tics nomirror
set key top left reverse Left
set rmargin 6
set bars 0.5

# Columns: what, IP version, profile, number, ns, least ns, most ns, bytes
series(name) = sprintf("< awk -F '\\t' '$1 == \"%s\"' '%s'", name, table)

plot series("close") using 4:5:6:7 with yerrorlines pointtype 5 linecolor "#b35806" \
		title "flows, evidence close: one by one", \
	series("close-batch") using 4:5:6:7 with yerrorlines pointtype 4 dashtype 2 linecolor "#b35806" \
		title "flows, evidence close: batches of 64", \
	series("syn") using 4:5:6:7 with yerrorlines pointtype 7 linecolor "#2166ac" \
		title "SYNs, evidence syn: one by one", \
	series("syn-batch") using 4:5:6:7 with yerrorlines pointtype 6 dashtype 2 linecolor "#2166ac" \
		title "SYNs, evidence syn: batches of 64"
