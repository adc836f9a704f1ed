#!/bin/sh
# make-development-key.sh DIR: an OpenPGP key without passphrase, for development builds only.
# Writes DIR/development-public.asc and DIR/development-secret.asc (0600).
set -eu
dir=$1
umask 077
mkdir -p "$dir"
home=$(mktemp -d /tmp/srk.XXXXXX)
trap 'gpgconf --homedir "$home" --kill all >/dev/null 2>&1 || true; rm -rf "$home"' EXIT
run() { gpg --homedir "$home" --batch --no-tty --quiet "$@"; }
uid='Strongroom development dispatcher <dispatcher@development.invalid>'
run --passphrase '' --quick-generate-key "$uid" ed25519 cert,sign never
fpr=$(run --with-colons --list-keys | awk -F: '/^fpr/ {print $10; exit}')
run --passphrase '' --quick-add-key "$fpr" cv25519 encr never
run --armor --export "$fpr" >"$dir/development-public.asc"
run --armor --export-secret-keys "$fpr" >"$dir/development-secret.asc"
