#!/usr/bin/env bash
# The recovery sheet: one page with the right text, a QR code that says the fingerprints, no secret; and its commands recover.
source "$(dirname "$0")/lab.sh"

lab_site mallory
seq 1 200000 >"$lab/plain"
lab_file_agent_config agent "$lab/plain"
lab_register_agent agent alice
agent agent escrow >"$lab/escrow.txt"
agent agent backup -q >"$lab/backup.txt"
as alice server show "$server" --json >"$lab/show.json" # remembers the server
subkey=$(jq -r .info.subkey "$lab/show.json")
grouped() { sed 's/..../& /g; s/ $//' <<<"$1"; }
sheet() { as alice -q recovery-sheet --server "$server" "$@"; }
expected=$(printf 'server %s\nidentity %s\nsubkey %s\nrecovery %s' "$server" "$identity" "$subkey" "$fpr_alice")

check_pdf() { # FILE : one page, the fingerprints in its text and in its QR code
    [ "$(pdfinfo "$1" | awk '/^Pages:/ {print $2}')" = 1 ] || fail "$1 has not one page"
    pdftotext -layout "$1" "$1.text"
    local one
    for one in "$server" "$(grouped "$identity")" "$(grouped "$subkey")" "$(grouped "$fpr_alice")" 'Kept at:' 'recover.sh'; do
        grep -qF -- "$one" "$1.text" || fail "$1 does not say '$one': $(cat "$1.text")"
    done
    pdftoppm -r 150 -gray -singlefile "$1" "$1.page"
    [ "$(zbarimg --nodbus --raw -q "$1.page.pgm")" = "$expected" ] || fail "$1: the QR code says: $(zbarimg --nodbus --raw -q "$1.page.pgm")"
}

say "from the dispatcher: PDF on both papers, text, JSON"
for paper in a4 letter; do
    sheet --output "$lab/$paper.pdf" --paper $paper
    check_pdf "$lab/$paper.pdf"
done
pdfinfo "$lab/letter.pdf" | grep -q 'Page size: *612 x 792' || fail "not letter paper"
[ "$(sheet --json | jq -r .qr)" = "$expected" ] || fail "the JSON says: $(sheet --json)"
sheet --output "$lab/sheet.txt"
[ "$(wc -l <"$lab/sheet.txt")" -le 66 ] || fail "the text has $(wc -l <"$lab/sheet.txt") lines"
# Its blocks as an image: two rows of modules for each line, four pixels for each module.
sed -n '/^[ █▀▄]*[█▀▄][ █▀▄]*$/p' "$lab/sheet.txt" | sed 's/ /0/g; s/▀/1/g; s/▄/2/g; s/█/3/g' |
    awk '{ for (row = 0; row < 8; row++) { line = ""; for (i = 1; i <= 72; i++) { c = substr($0, i, 1); bit = (row < 4) ? c % 2 : int(c / 2)
            for (k = 0; k < 4; k++) line = line (bit ? "1 " : "0 ") } rows[n++] = line } }
        END { blank = ""; for (i = 0; i < 288; i++) blank = blank "0 "; print "P1\n288", n + 32
            for (i = 0; i < 16; i++) print blank; for (i = 0; i < n; i++) print rows[i]; for (i = 0; i < 16; i++) print blank }' >"$lab/sheet.pbm"
[ "$(zbarimg --nodbus --raw -q "$lab/sheet.pbm")" = "$expected" ] || fail "the code of the text says: $(zbarimg --nodbus --raw -q "$lab/sheet.pbm")"
sheet >"$lab/piped.txt"
! grep -q '█' "$lab/piped.txt" || fail "a pipe got blocks"
script -qec "HOME=$lab/alice-home $STRONGROOM_BIN/strongroom --dispatcher $url --user $fpr_alice --gpg-home $lab/alice \
    --token-file $lab/alice.token -q recovery-sheet --server $server" /dev/null >"$lab/terminal.txt" </dev/null
grep -q $'\e\[38;5;16;48;5;231m.*█.*\e\[0m' "$lab/terminal.txt" || fail "no code on a terminal: $(cat "$lab/terminal.txt")"

say "from the store alone, with an address that is too long for a line"
lab_stop "$pid_dispatcher"
long=$lab/$(printf 'a-folder-with-a-long-name%.0s/' {1..8})
mkdir -p "$long"
cp -r "$lab/store/." "$long"
sheet --store "file://$lab/store" --store "file://$long" --output "$lab/store.pdf"
check_pdf "$lab/store.pdf"
pdftotext -raw "$lab/store.pdf" - | tr -d '\n' | grep -qF "file://${long%/}" || fail "the long address is not whole"
sheet --store "file://$lab/store" >"$lab/store.txt"

say "its commands recover: the client's, and those for stock tools, literally"
mkdir "$lab/day" "$lab/nobody"
sed -n '/^With Strongroom/,/^Without it/p' "$lab/store.txt" | sed -n 's/^    //p' >"$lab/ours.sh"
mkdir "$lab/home"
env HOME="$lab/home" STRONGROOM_GPG_HOME="$lab/alice" PATH="$STRONGROOM_BIN:$PATH" bash -eu \
    <(sed '/^strongroom restore/,$d' "$lab/ours.sh") >"$lab/ours.log"
[ -f "$lab/home/recovered/server.json" ] || fail "the client's command made no home"
sed -n '/^Without it/,$p' "$lab/store.txt" | sed -n 's/^    //p' >"$lab/stock.sh"
grep -q '^sha256sum .* | grep' "$lab/stock.sh" || fail "no digest of RECOVERY.txt: $(cat "$lab/store.txt")"
stock() { (cd "$lab/day" && env -i PATH=/usr/bin:/bin HOME="$lab/nobody" RECOVERY_HOME="$lab/alice" bash -eu "$lab/stock.sh" >"$lab/stock.log"); }
stock
cmp "$lab/plain" "$lab/nobody/strongroom-restore/stream"

say "refusals; and a text that was changed is not vouched for"
rm -r "$lab/day" "$lab/nobody/strongroom-restore"
mkdir "$lab/day"
echo 'rm -r /' >>"$lab/store/$server/RECOVERY.txt"
! stock || fail "a changed text is taken"
! [ -e "$lab/day/recover.sh" ] || fail "a changed text is run"
as alice recovery-sheet --server "$server" --store "file://$lab/store" >"$lab/changed.txt" 2>"$lab/changed.err"
grep -q 'RECOVERY.txt in .* was changed' "$lab/changed.err" || fail "no warning: $(cat "$lab/changed.err")"
! grep -q 'sha256sum' "$lab/changed.txt" || fail "a changed text is vouched for"
expect_failure 2 'must end in' sheet --output "$lab/sheet.doc"
expect_failure 6 'exists' sheet --store "file://$lab/store" --output "$lab/store.pdf"
expect_failure 15 '' sheet
expect_failure 5 '' sheet --store "file://$lab/nobody"
expect_failure 7 'is not known here' as mallory recovery-sheet --server "$server" --store "file://$lab/store"
HOME=$lab/mallory-home "$STRONGROOM_BIN/strongroom" --gpg-home "$lab/mallory" recovery-sheet --server "$server" --identity "$identity" \
    --store "file://$lab/store" >"$lab/mallory.txt" 2>"$lab/mallory.err"
grep -q 'no secret key of these recovery keys' "$lab/mallory.err" || fail "no warning: $(cat "$lab/mallory.err")"
! grep -rlE "$(cat "$lab/alice.token")|PRIVATE KEY" "$lab"/*.pdf "$lab"/*.txt || fail "a secret is on the sheet"
say "one page, and all of it true"
