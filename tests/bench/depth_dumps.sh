# shellcheck shell=bash disable=SC2154
# Logical backups, for depth.sh, which sources this: mydumper's over mariadb-dump's, and over mydumper itself, which writes its files
# to the same disk in plain text; loading it. Uses its database `source`, agent `bench` and helpers.

dump_source() { # NAME : of the agent's backups from here on
    sed -i '/^source = /d' "$lab/bench/agent.toml" && printf 'source = "%s"\n' "$1" >>"$lab/bench/agent.toml"
}
plain_mydumper() {
    mydumper --socket "$lab/source/s.sock" --user root --threads 4 --chunk-filesize 64 --trx-consistency-only --build-empty-files \
        --triggers --routines --events --regex '^sbtest\.' --outputdir "$lab/plain" >"$lab/mydumper.log" 2>&1 && sync -f "$lab/plain"
}
# Loads it into an empty server, with SQL through one connection and with myloader's four.
load_by() { # sql|files
    if [ "$1" = sql ]; then
        as alice restore --server "$server" --store "file://$lab/store" --home "$lab/home" --set "$set" --scratch "$lab/proof" \
            --pipe -- mariadb --no-defaults -S "$lab/target/s.sock" >/dev/null 2>&1
    else
        as alice restore --server "$server" --store "file://$lab/store" --home "$lab/home" --set "$set" --dump-folder "$lab/files" >/dev/null 2>&1
        myloader --socket "$lab/target/s.sock" --user root --threads 4 --directory "$lab/files" >"$lab/myloader.log" 2>&1
    fi
}
most_in_memory() { # until $lab/backup.done : MiB of mydumper's files that wait
    local now most=0
    while [ ! -e "$lab/backup.done" ]; do
        now=$(du -cm /dev/shm/.strongroom-mydumper.* 2>/dev/null | tail -n 1 | cut -f 1 || true)
        [ "${now:-0}" -le "$most" ] || most=$now
        sleep 0.1
    done
    echo "$most"
}

dumps_part() {
    local round set way
    lab_mariadb target
    for ((round = 1; round <= rounds; round++)); do
        say "dumps, round $round of $rounds"
        dump_source mariadb-dump
        timed "$lab/dump" backup
        dump_source mydumper
        rm -f "$lab/backup.done"
        most_in_memory >>"$lab/most" &
        timed "$lab/mydumper" backup
        touch "$lab/backup.done"
        wait $!
        set=$(made set)
        rm -rf "$lab/plain"
        timed "$lab/plain.seconds" plain_mydumper
        for way in sql files; do
            rm -rf "$lab/files"
            sql target 'DROP DATABASE IF EXISTS sbtest'
            timed "$lab/load.$way" load_by "$way"
            [ "$(sql target 'CHECKSUM TABLE sbtest.sbtest1' | cut -f 2)" = "$(sql source 'CHECKSUM TABLE sbtest.sbtest1' | cut -f 2)" ] || fail "$way: other rows"
        done
    done
    for way in dump mydumper plain.seconds load.sql load.files; do row "${way%.seconds}_seconds" "$(median <"$lab/$way")" s; done
    row mydumper_over_dump "$(ratio "$(median <"$lab/mydumper")" "$(median <"$lab/dump")")" 1
    row mydumper_over_plain "$(ratio "$(median <"$lab/mydumper")" "$(median <"$lab/plain.seconds")")" 1
    row myloader_over_sql "$(ratio "$(median <"$lab/load.files")" "$(median <"$lab/load.sql")")" 1
    row mydumper_most_in_memory "$(median <"$lab/most")" MiB
}
