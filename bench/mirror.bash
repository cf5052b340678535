# shellcheck shell=bash
# A mirror of many events, and what is asked of it. It is written into the tables directly, as the mirror itself would have left
# it.

api_token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
clients=8

make_mirror() {
    local first last batch=500000
    make_storage a
    start a # makes the tables
    end "$process"
    echo "Filling with $events events" >&2
    sql "$database" --file bench/mirror_indexes.sql
    for ((first = 1; first <= events; first += batch)); do
        last=$((first + batch - 1))
        if [[ $last -gt $events ]]; then last=$events; fi
        sql "$database" --set first="$first" --set last="$last" --set events="$events" \
            --set conversations="$conversations" --set handler=log --set open=false --set span='60 days' \
            --file bench/fill_postgres.sql
        sql "$database" --set first="$first" --set last="$last" --set events="$events" \
            --set conversations="$conversations" --set span='60 days' --file bench/fill_mirror.sql
        echo "  $last" >&2
    done
    sql "$database" --file bench/mirror_conversations.sql
    sql "$database" -c 'VACUUM (ANALYZE)' -c CHECKPOINT
    sync
}

# Starts Lectern; where it answers questions is in `api`.
start_api() {
    local port internal output=$work/output.a
    read -r port internal < <(free_ports 2)
    local -x DATABASE_URL=$server_url/$database LECTERN_LISTEN=127.0.0.1:$port LECTERN_API_TOKEN=$api_token
    local -x LECTERN_INTERNAL_LISTEN=127.0.0.1:$internal LECTERN_DATA_DIR=$work/$database
    launch "$output" "$lectern" --log warn
    await_answer a "$port"
    api=http://127.0.0.1:$internal
}

# Each question by itself, one after another: MEASUREMENT "one", the question, p50 and p99.
ask_one_by_one() {
    local question p50 p99
    start_api
    LECTERN_API_TOKEN=$api_token run bench/ask.py "$api" "$asked" "$conversations" "$events" >"$work/asked"
    while IFS=$'\t' read -r question p50 p99; do
        record one "$question" p50 "$p50"
        record one "$question" p99 "$p99"
        echo "$question: p50 $p50 ms, p99 $p99 ms" >&2
    done <"$work/asked"
    end "$process"
}

# The messages of a conversation, by several clients at once: through the API, and the same statements by pgbench.
beside_pgbench() {
    local rate
    start_api
    API_TOKEN=$api_token CONVERSATIONS=$conversations run wrk -t2 -c"$clients" -d"${seconds}s" --timeout 10s \
        -s bench/ask.lua "$api" >"$work/wrk"
    rate=$(awk '/^Requests\/sec/ { print $2 }' "$work/wrk")
    if grep -q 'Non-2xx' "$work/wrk"; then fail "$(grep 'Non-2xx' "$work/wrk")"; fi
    record both api a_second "$rate"
    end "$process"
    local user=${server_url#*://}
    local address=${user#*@} password=${user#*:}
    PGPASSWORD=${password%%@*} run "$LECTERN_TEST_POSTGRES_BIN/pgbench" --no-vacuum --client "$clients" --jobs 2 --time "$seconds" \
        --define conversations="$conversations" --file bench/conversation.pgbench --host "${address%:*}" \
        --port "${address##*:}" --username "${user%%:*}" "$database" >"$work/pgbench" 2>"$work/pgbench.errors" ||
        fail "pgbench: $(tail -n 3 "$work/pgbench.errors")"
    rate=$(awk '/^tps = / { print $3 }' "$work/pgbench")
    record both pgbench a_second "$rate"
    echo "messages of a conversation: $(grep '^Requests/sec' "$work/wrk"), pgbench $rate" >&2
}
