#!/usr/bin/env bash
# Installs what is missing, configures, builds and runs the tests through CTest. Works from any folder.
#
#   tests/run.sh                     everything, preset release
#   tests/run.sh --preset asan      with AddressSanitizer and UBSan (or: debug)
#   tests/run.sh -L unit            one label: lint fuzz unit contract integration fault slow e2e
#   tests/run.sh --quick            without the label slow (10,000 segments: about a minute of an idle machine)
#   tests/run.sh -R cron            tests whose name matches
#   tests/run.sh --long             with more rounds where moments are random (fault/kill_test: 40 kills, not 20)
#   tests/run.sh --tidy             clang-tidy over the files changed since the first commit that main lacks
#                                   (all files with --tidy-all); dispatcher/http is left out, it takes minutes
#   tests/run.sh --no-install       do not look for missing packages
#
# The exit status is CTest's; a build that fails, or a selection without a single test, is a failure too.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

preset=release
install=true
tidy=
select=()
while [ $# -gt 0 ]; do
    case $1 in
        --preset) preset=${2:?--preset needs a name}; shift ;;
        -L) select+=(-L "^${2:?-L needs a label}\$"); shift ;;
        -R) select+=(-R "${2:?-R needs a regular expression}"); shift ;;
        --long) export STRONGROOM_LONG=40 ;;
        --quick) select+=(-LE '^slow$') ;;
        --tidy) tidy=changed ;;
        --tidy-all) tidy=all ;;
        --no-install) install=false ;;
        -h | --help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' "$0"; exit 0 ;;
        *) echo "run.sh: unknown argument '$1' (see --help)" >&2; exit 2 ;;
    esac
    shift
done

if $install; then ./deploy/install-deps.sh build run test; fi

# clang-tidy wants each file by itself; the preset release compiles several at a time.
if [ -n "$tidy" ] && [ "$preset" = release ]; then preset=debug; fi
build=build/$preset
started=$SECONDS
cmake --preset "$preset"
if [ -n "$tidy" ]; then
    exec tests/lint/tidy.sh "$build" "$tidy"
fi
cmake --build "$build" -j "$(nproc)"
echo "run.sh: built in $((SECONDS - started)) s"

# One more than there are processors: servers, gpg agents and dump tools are real here, and mostly wait. RUN_SERIAL tests get
# the machine alone.
exec ctest --test-dir "$build" --output-on-failure --no-tests=error -j "$(($(nproc) + 1))" "${select[@]}"
