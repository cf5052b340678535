# shellcheck shell=bash
# The rate with many events and conversations stored, beside the rate of an empty store. Both take the same requests,
# which belong to the conversations that are there.

# On disk, with what the rounds add.
bytes_an_event=2600

filled() {
    local held
    check_room
    database=filled
    make_storage "$1"
    start "$1" # makes the tables
    end "$process"
    fill "$1"
    for ((round = 1; round <= rounds; round++)); do
        # Others each time: what is sent again is a duplicate.
        make_requests "$filled_conversations"
        database=bench
        make_storage "$1"
        measure_rate empty "$1"
        remove_storage "$1"
        database=filled
        held=$(stored "$1")
        measure_rate filled "$1" "$held"
    done
    pruning "$1"
    record filled "$1" events "$filled_events"
    record filled "$1" conversations "$filled_conversations"
    remove_storage "$1"
    database=bench
}

check_room() {
    local free needed=$((filled_events * bytes_an_event))
    free=$(df --output=avail --block-size=1 "$work" | tail -n 1)
    [[ $free -gt $needed ]] || fail "--full needs $((needed >> 30)) GiB in the temporary folder: name another with TMPDIR."
}

fill() {
    local first last batch=500000
    echo "Filling ($1) with $filled_events events" >&2
    if [[ $1 == b ]]; then
        run bench/fill_sqlite.py "$work/$database/lectern.db" "$filled_events" "$filled_conversations"
        return
    fi
    for ((first = 1; first <= filled_events; first += batch)); do
        last=$((first + batch - 1))
        if [[ $last -gt $filled_events ]]; then last=$filled_events; fi
        sql "$database" --set first="$first" --set last="$last" --set events="$filled_events" \
            --set conversations="$filled_conversations" --set handler=log --set open=false --set span='60 days' \
            --file bench/fill_postgres.sql
        echo "  $last" >&2
    done
    sql "$database" -c 'VACUUM (ANALYZE)' -c CHECKPOINT
}
