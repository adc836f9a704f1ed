#!/usr/bin/env bash
# install-deps.sh [build] [run] [test] [bench] [fuzz] : installs what Strongroom needs from Debian 12. Without a group: the first three.
# install-deps.sh --list [GROUP...]    : prints the package names and changes nothing.
#
# The one list of Debian packages: README, tests/run.sh, deploy/demo.sh and CI use it. Quick when everything
# is there already. Runs as root or through sudo. No service is started by it.
set -euo pipefail

# What the three programs need to compile.
build_packages=(
    g++ cmake ninja-build pkg-config git ca-certificates
    ccache                  # builds without it too; with it a second build takes seconds
    gnupg gpg-agent         # configuring makes the development dispatcher key
    libgpgme-dev            # OpenPGP through gpg
    libgpgmepp-dev          # ... its own C++ binding
    libassuan-dev           # ... which that binding's CMake file asks for
    libgpg-error-dev
    libboost1.81-dev        # Asio and Beast; Debian's default, 1.74, has no as_tuple for coroutines
    nlohmann-json3-dev
    libsqlite3-dev libsoci-dev
    libcurl4-openssl-dev    # HTTP, S3 (its own SigV4), SFTP
    libpugixml-dev          # lists and errors of S3
    libzstd-dev
    libarchive-dev          # the tar stream of a mydumper set
    libssl-dev
    libcli11-dev
    libspdlog-dev
    prometheus-cpp-dev
    libsystemd-dev          # sd_notify
    libqrencode-dev libhpdf-dev  # the recovery sheet: QR code, PDF
)

# What a host needs to run them: agent and client call gpg, and the tools of the database.
run_packages=(
    gnupg gpg-agent ca-certificates
    mariadb-backup          # mariadb-backup and mbstream
    mariadb-client          # mariadb-dump
)

# What the tests and the demonstration need beyond that.
test_packages=(
    catch2
    clang-format clang-tidy
    curl jq zstd openssl    # the tests that speak the protocol and recover without our programs
    sqlite3                 # reads the dispatcher's file in tests
    mariadb-server          # private servers on loopback
    mydumper                # and myloader
    mariadb-test mariadb-test-data  # MySQL's `world` and DBT-3
    sysbench                # size and live writes
    sqop rnp                # two other OpenPGP programs open what we write
    ceph-mon ceph-osd radosgw ceph-common  # S3 on loopback, with versions, Object Lock and policies
    pinentry-tty            # asks for a passphrase on a terminal, as gpg does
    openssh-server          # SFTP on loopback
    rclone                  # downloads from S3 as a stranger would
    poppler-utils zbar-tools  # read the recovery sheet's PDF and its QR code
    prometheus              # promtool checks /metrics
)

# The peers that tests/bench/run.sh measures against, and the plot of tests/bench/plot.sh.
bench_packages=(
    age
    gnupg zstd
    gnuplot-nox
    restic rclone           # store to the same S3 server
)

# The coverage-guided fuzz targets of tests/fuzz/run.sh.
fuzz_packages=(
    clang-14 clang
    libclang-rt-14-dev      # libFuzzer and the sanitizers
)

list_only=false
groups=()
for argument in "$@"; do
    case $argument in
        --list) list_only=true ;;
        build | run | test | bench | fuzz) groups+=("$argument") ;;
        -h | --help)
            sed -n '2,6s/^# \{0,1\}//p' "$0"
            exit 0
            ;;
        *)
            echo "install-deps.sh: unknown group '$argument' (build, run, test, bench, fuzz)" >&2
            exit 2
            ;;
    esac
done
[ ${#groups[@]} -gt 0 ] || groups=(build run test)

wanted=()
for group in "${groups[@]}"; do
    declare -n packages="${group}_packages"
    wanted+=("${packages[@]}")
done
mapfile -t wanted < <(printf '%s\n' "${wanted[@]}" | sort -u)

if $list_only; then
    printf '%s\n' "${wanted[@]}"
    exit 0
fi

# dpkg-query fails if one name is unknown to it, so its status says nothing; the list is what counts.
installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${wanted[@]}" 2>/dev/null |
    sed -n 's/^installed //p' | sort -u || true)
mapfile -t missing < <(comm -23 <(printf '%s\n' "${wanted[@]}") <(printf '%s\n' "$installed"))
if [ ${#missing[@]} -eq 0 ]; then
    echo "install-deps: all ${#wanted[@]} packages (${groups[*]}) are installed"
    exit 0
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "install-deps.sh: these packages are missing, and neither root nor sudo is there to install them:" >&2
        printf '  %s\n' "${missing[@]}" >&2
        exit 1
    fi
    as_root=(sudo)
fi

# Installing mariadb-server or prometheus must not start them: policy-rc.d is Debian's switch for that.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
    trap '"${as_root[@]}" rm -f $policy' EXIT
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee $policy >/dev/null
    "${as_root[@]}" chmod 755 $policy
fi

install() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"
}
echo "install-deps: installing ${missing[*]}"
# A fresh machine has no package lists, a stale one has old versions: update only when the first try fails.
if ! apt-cache show "${missing[@]}" >/dev/null 2>&1 || ! install; then
    "${as_root[@]}" apt-get update -q
    install
fi
