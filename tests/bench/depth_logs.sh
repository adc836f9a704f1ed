# shellcheck shell=bash disable=SC2154
# Point in time, for depth.sh, which sources this: what streaming costs the server, and how fast logs are replayed.
# Uses its database `source`, agent `bench` and helpers.

transactions() { awk '/transactions:/ {gsub(/[()]/, ""); print $3}' "$1"; } # a second, of a sysbench run
write_load() {                                                                # SECONDS FILE
    sysbench oltp_write_only --mysql-socket="$lab/source/s.sock" --mysql-user=root --tables=4 --table-size="$rows" --threads=2 --time="$1" run >"$2"
}
logs_at() { agent bench status --json | jq -r "(.logs.at // {}) | \"\(.file) \(.sealed)\""; }
logs_are_stored() { [ "$(logs_at)" = "$(sql source 'SHOW MASTER STATUS' | awk '{n = split($1, p, "/"); print p[n], $2}')" ]; }

stream_cost() {
    local round
    printf 'log-stream = true\nlog-interval = "10s"\n' >>"$lab/bench/agent.toml"
    lab_run_agent bench
    wait_until 120 logs_are_stored || fail "the log is not streamed: $(agent bench status)"
    wait_until 120 sh -c "! grep -q running $lab/bench/progress.json 2>/dev/null"
    sleep 3
    lab_stop "$pid_bench"
    write_load 10 "$lab/warm-up"
    for ((round = 1; round <= rounds; round++)); do
        say "streaming, round $round of $rounds"
        write_load 20 "$lab/without.$round"
        transactions "$lab/without.$round" >>"$lab/without"
        lab_run_agent bench
        wait_until 120 logs_are_stored || fail "the log is not streamed: $(agent bench status)"
        write_load 20 "$lab/with.$round"
        transactions "$lab/with.$round" >>"$lab/with"
        wait_until 120 logs_are_stored || fail "the log is not streamed: $(agent bench status)"
        lab_stop "$pid_bench"
    done
    [ "$(agent bench status --json | jq -r '.logs.gap // "none"')" = none ] || fail "there is a gap: $(agent bench status --json)"
}

replay_rate() {
    local set round files
    backup
    set=$(made set)
    lab_run_agent bench
    write_load 20 "$lab/replayed"
    wait_until 120 logs_are_stored || fail "the log is not streamed: $(agent bench status)"
    lab_stop "$pid_bench"
    local position
    position=$(jq -r '"\(.position.binlog_file) \(.position.binlog_position)"' "$lab/store/$server/sets/$set/manifest.json")
    mapfile -t files < <(cd "$lab/source" && find . -maxdepth 1 -name 'binlog.[0-9]*' -printf '%f\n' | sort | awk -v from="${position% *}" '$0 >= from')
    for ((round = 1; round <= rounds; round++)); do
        say "replay, round $round of $rounds"
        timed "$lab/prepared" as alice restore --server "$server" --store "file://$lab/store" --home "$lab/home" --set "$set" --datadir "$lab/plain-data" --prepare -q
        timed "$lab/until" as alice restore --server "$server" --store "file://$lab/store" --home "$lab/home" --set "$set" --until latest --datadir "$lab/until-data" -q
        lab_mariadb plain "$lab/plain-data"
        plain() { (cd "$lab/source" && mariadb-binlog --no-defaults --disable-log-bin --start-position="${position#* }" "${files[@]}") | mariadb --no-defaults -S "$lab/plain/s.sock"; }
        timed "$lab/plain-seconds" plain
        local expected
        expected=$(sql plain 'CHECKSUM TABLE sbtest.sbtest1, sbtest.sbtest2, sbtest.sbtest3, sbtest.sbtest4')
        lab_stop "$pid_plain"
        rm -rf "$lab/plain-data" "$lab/plain"
        lab_mariadb ours "$lab/until-data"
        [ "$(sql ours 'CHECKSUM TABLE sbtest.sbtest1, sbtest.sbtest2, sbtest.sbtest3, sbtest.sbtest4')" = "$expected" ] || fail "the two replays differ"
        lab_stop "$pid_ours"
        rm -rf "$lab/until-data" "$lab/ours"
    done
}

logs_part() {
    stream_cost
    row tps_without_stream "$(median <"$lab/without")" 1/s
    row tps_with_stream "$(median <"$lab/with")" 1/s
    row stream_tps_loss_percent "$(awk -v a="$(median <"$lab/without")" -v b="$(median <"$lab/with")" 'BEGIN {printf "%.2f", 100 * (a - b) / a}')" %
    replay_rate
    local ours
    ours=$(awk -v a="$(median <"$lab/until")" -v b="$(median <"$lab/prepared")" 'BEGIN {print a - b}')
    row replay_transactions "$(awk '/transactions:/ {print $2}' "$lab/replayed")" 1
    row plain_replay_seconds "$(median <"$lab/plain-seconds")" s
    row replay_seconds "$ours" s
    row replay_over_plain "$(ratio "$(median <"$lab/plain-seconds")" "$ours")" 1
}
