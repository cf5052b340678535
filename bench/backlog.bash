# shellcheck shell=bash
# How fast a backlog is handled. It is written into the tables directly; what counts is the time from the start of the first
# call to the end of the last one, as the attempts say.

# The sink answers 503 to this conversation; the backlog knows it by the same name. In most rounds there is none.
failing_conversation=$(python3 -c 'import hashlib, uuid
print(uuid.UUID(hashlib.md5(b"conversation 0").hexdigest()))')
nobody='nobody at all'

# Two sinks: one that takes everything, and one that refuses that conversation.
start_sink() {
    local port refusing
    read -r port refusing < <(free_ports 2)
    launch "$work/output.sink" "$binaries/examples/bench_sink" "127.0.0.1:$port" "$nobody"
    await_answer sink "$port"
    launch "$work/output.sink" "$binaries/examples/bench_sink" "127.0.0.1:$refusing" "$failing_conversation"
    await_answer sink "$refusing"
    sink=http://127.0.0.1:$port/ refusing_sink=http://127.0.0.1:$refusing/
}

# One handler, `bench`, with the settings that Lectern comes with: KIND [ADDRESS]. The line of kind `log` is filtered out,
# see `start`: what is left does nothing.
configure() {
    {
        printf '[[handlers]]\nname = "bench"\n'
        case $1 in
        nothing) printf 'kind = "log"\n' ;;
        # It is tried again much more often than it would be by default.
        http) printf 'kind = "http"\nurl = "%s"\nretry = { initial = "100ms", max_interval = "100ms" }\n' "$2" ;;
        esac
    } >"$work/lectern.toml"
    export LECTERN_CONFIG=$work/lectern.toml
}

# One round with nothing else stored: MEASUREMENT KIND [FAILING CONVERSATION]
from_backlog() {
    make_storage a
    make_tables
    measure_backlog "$@"
    remove_storage a
}

# Rounds beside settled deliveries, in turn with rounds without.
beside_settled() {
    database=settled
    make_storage a
    make_tables
    fill_with "$settled" false '60 days'
    for ((round = 1; round <= rounds; round++)); do
        database=bench
        from_backlog empty nothing
        database=settled
        measure_backlog settled nothing
    done
    remove_storage a
    database=bench
}

# The tables are made by whoever starts first.
make_tables() {
    configure nothing
    start a
    end "$process"
}

# One round on the storage that is there: MEASUREMENT KIND [FAILING CONVERSATION]
measure_backlog() {
    local begun figures handled seconds failures address=$sink
    if [[ $# -gt 2 ]]; then address=$refusing_sink; fi
    fill_with "$backlog" true '1 minute'
    configure "$2" "$address"
    sync
    query a 'SELECT now()' >"$work/begun"
    begun=$(<"$work/begun")
    start a
    await_through "${3:-$nobody}"
    end "$process"
    query a "SELECT count(*) FILTER (WHERE state = 'done'),
            extract(epoch FROM max(settled_at) - min(started_at)), count(*) FILTER (WHERE outcome <> 'done')
        FROM deliveries JOIN attempts ON delivery_id = deliveries.id
        WHERE started_at >= '$begun'" >"$work/figures"
    figures=$(<"$work/figures")
    IFS='|' read -r handled seconds failures <<<"$figures"
    if [[ $# -gt 2 ]]; then
        [[ $failures -gt 0 ]] || fail "$1 ($2): nothing has failed."
        [[ $handled -eq $((backlog - backlog / conversations)) ]] || fail "$1 ($2): $handled were handled."
    else
        [[ $handled -eq $backlog && $failures -eq 0 ]] || fail "$1 ($2): $handled were handled, $failures times not."
    fi
    record "$1" "$2" a_second "$(awk "BEGIN { print $handled / $seconds }")"
    echo "$1 ($2): $handled in $seconds s, $failures failures" >&2
}

# Waits until nothing is owed to any conversation but this one.
await_through() {
    local owed
    while sleep 0.5; do
        kill -0 "$process" 2>/dev/null || fail "It has ended: $(tail -n 5 "$work/output.a")"
        query a "SELECT count(*) FROM queues WHERE ordering_key <> 'conversation:$1'" >"$work/owed"
        owed=$(<"$work/owed")
        if [[ $owed -eq 0 ]]; then return; fi
    done
}

# Stores so many events more, over that time: COUNT OPEN TIME
fill_with() {
    local filled newest first last batch=500000
    filled=$(stored a)
    newest=$((filled + $1))
    for ((first = filled + 1; first <= newest; first += batch)); do
        last=$((first + batch - 1))
        if [[ $last -gt $newest ]]; then last=$newest; fi
        sql "$database" --set first="$first" --set last="$last" --set events="$newest" --set handler=bench \
            --set conversations="$conversations" --set open="$2" --set span="$3" --file bench/fill_postgres.sql
    done
    sql "$database" -c 'VACUUM (ANALYZE)' -c CHECKPOINT
}

# From acceptance to the start of the handler, with a few events a second.
time_to_start() {
    local p50 p99 longest
    make_storage a
    configure nothing
    start a
    post $((20 * start_seconds)) --rate 20 || fail "not every event was answered 200: $(tail -n 3 "$work/send.errors")"
    await_through "$nobody"
    end "$process"
    query a "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY wait), percentile_cont(0.99) WITHIN GROUP (ORDER BY wait),
            max(wait)
        FROM (
            SELECT 1000 * extract(epoch FROM started_at - received_at) AS wait FROM events
            JOIN deliveries ON event_id = events.id JOIN attempts ON delivery_id = deliveries.id
        ) AS waits" >"$work/figures"
    IFS='|' read -r p50 p99 longest <"$work/figures"
    record start nothing p50 "$p50"
    record start nothing p99 "$p99"
    record start nothing longest "$longest"
    echo "start: p50 $p50 ms, p99 $p99 ms, longest $longest ms" >&2
    remove_storage a
}
