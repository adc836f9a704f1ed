#!/usr/bin/env bash
# Reads every #include of the sources and holds each edge against layers.txt: another edge, a folder without a
# row, a program that includes another program, or a cycle is a failure.
#   includes.sh [SOURCE_DIR [TABLE]]
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
table=${2:-$here/layers.txt}
table=$(realpath "$table")
cd "${1:-$here/../..}"

folders=()
for folder in agent client common dispatcher proto; do [ ! -d "$folder" ] || folders+=("$folder"); done
[ ${#folders[@]} -gt 0 ] || { echo "includes.sh: no source folder in $PWD" >&2; exit 1; }

edges=$(find "${folders[@]}" -name '*.[ch]pp' -print0 | sort -z |
    xargs -0 -r grep -nE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' /dev/null |
    sed -E 's/^([^:]+):([0-9]+):[^"]*"([^"]+)".*/\1 \2 \3/')
[ -n "$edges" ] || { echo "includes.sh: no #include found: is this the source folder?" >&2; exit 1; }

status=0
awk -v table="$table" '
    function folder(path) { sub(/\/[^\/]*$/, "", path); return path }
    # The row of a folder: its own, or that of the nearest PREFIX/*.
    function row_of(name,    p) {
        if (name in allowed) return name
        for (p = name; p != ""; ) {
            if ((p "/*") in allowed) return p "/*"
            if (p !~ /\//) break
            sub(/\/[^\/]*$/, "", p)
        }
        return ""
    }
    function permitted(row, to,    n, words, i, w) {
        n = split(allowed[row], words, " ")
        for (i = 1; i <= n; i++) {
            w = words[i]
            if (w == to) return 1
            if (w ~ /\/\*$/) { w = substr(w, 1, length(w) - 1); if (index(to "/", w) == 1) return 1 }
        }
        return 0
    }
    BEGIN {
        while ((getline line < table) > 0) {
            sub(/#.*/, "", line)
            if (line !~ /:/) continue
            name = line; sub(/:.*/, "", name); gsub(/[ \t]/, "", name)
            sub(/^[^:]*:/, "", line)
            allowed[name] = line
        }
    }
    {
        from = folder($1); to = folder($3)
        if ($3 !~ /\//) { print $1 ":" $2 ": include \"" $3 "\" by its path from the root"; bad = 1; next }
        if (from == to) next
        row = row_of(from)
        if (row == "") { print $1 ":" $2 ": folder " from " has no row in layers.txt"; bad = 1 }
        else if (!permitted(row, to)) { print $1 ":" $2 ": " from " must not include " to " (" $3 ")"; bad = 1 }
    }
    END { exit bad }
' <<<"$edges" || status=1

# Cycles between folders: tsort names the members of each loop on stderr.
pairs=$(awk '{ f = $1; t = $3; sub(/\/[^\/]*$/, "", f); sub(/\/[^\/]*$/, "", t); if (f != t) print f, t }' <<<"$edges" | sort -u)
if ! loops=$(tsort <<<"$pairs" 2>&1 >/dev/null) || [ -n "$loops" ]; then
    echo "folders include each other in a cycle:"
    echo "$loops"
    status=1
fi
[ $status -ne 0 ] || echo "includes.sh: $(wc -l <<<"$edges") includes, $(wc -l <<<"$pairs") edges between folders, all allowed"
exit $status
