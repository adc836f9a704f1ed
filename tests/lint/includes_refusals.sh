#!/usr/bin/env bash
# Proves that includes.sh can fail: small trees with one fault each.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# refused NAME EXPECTED_TEXT FILE=INCLUDE... : the tree made of these files must fail with this text.
refused() {
    local name=$1 text=$2 tree=$work/$1 out
    shift 2
    local pair
    for pair in "$@"; do
        mkdir -p "$tree/$(dirname "${pair%%=*}")"
        printf '#include "%s"\n' "${pair#*=}" >>"$tree/${pair%%=*}"
    done
    if out=$("$here/includes.sh" "$tree" 2>&1); then
        echo "not refused: $name"; exit 1
    fi
    grep -qF -- "$text" <<<"$out" || { echo "$name: expected '$text' in: $out"; exit 1; }
}

refused upward "common/base must not include proto" common/base/a.hpp=proto/a.hpp
refused programs "agent/work must not include client/config" agent/work/a.cpp=client/config/a.hpp
refused siblings "proto must not include common/backupset" proto/a.cpp=common/backupset/a.hpp
refused unknown "common/new has no row" common/new/a.cpp=common/base/a.hpp
refused relative "by its path from the root" common/base/a.cpp=a.hpp
refused cycle "in a cycle" agent/a/a.hpp=agent/b/b.hpp agent/b/b.hpp=agent/a/a.hpp
echo "includes_refusals.sh: six faulty trees refused"
