#!/usr/bin/env bash
# plot.sh SWEEP.tsv >PLOT.svg : draws what `run.sh sweep` printed. Needs gnuplot (deploy/install-deps.sh bench).
set -euo pipefail
table=$(realpath "${1:?a table of run.sh sweep}")
parts=$(mktemp -d)
trap 'rm -rf "$parts"' EXIT
for d in size_mib workers segment_mib; do awk -F '\t' -v d=$d '$1 == d {print $2, $3, $4, $5}' "$table" >"$parts/$d"; done
draw() { # DIMENSION
    echo "plot '$parts/$1' using 1:2 title 'wall, s', '' using 1:3 title 'CPU, s', '' using 1:4 axes x1y2 title 'peak memory, MiB'"
}
gnuplot <<G
set terminal svg size 1080,360 dynamic background rgb "white" font "sans,11"
set multiplot layout 1,3
set ylabel "seconds"
set y2label "MiB"
set y2tics
set ytics nomirror
set yrange [0:*]
set y2range [0:*]
set key below horizontal
set style data linespoints
set title "size of the stream, MiB"
$(draw size_mib)
set title "workers (2 cores)"
set xtics 1
$(draw workers)
set title "segment size, MiB"
set logscale x 2
set xtics autofreq
$(draw segment_mib)
G
