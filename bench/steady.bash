# shellcheck shell=bash
# How long an answer takes at a steady rate. Counted from when an event was due, so that nothing is hidden by a
# client that waits.

steady_rate=2000

steady() {
    local count=$((steady_rate * steady_seconds)) held
    make_storage "$1"
    start "$1"
    # What was measured before has left the disk alone.
    if [[ $1 == a ]]; then sql postgres -c CHECKPOINT; fi
    sync
    post "$count" --rate "$steady_rate" || echo "steady ($1): not every event was answered 200" >&2
    record_latencies "$1"
    end "$process"
    held=$(stored "$1")
    [[ $held -ge $answered ]] || fail "($1) has acknowledged $answered events and holds $held."
    remove_storage "$1"
}

# Sends so many events with `lectern send`: COUNT [ARGUMENT…]. How many were answered 200 is in `answered`.
post() {
    local count=$1 status=0
    shift
    run "$lectern" send message.received --to "$url" --secret-file "$work/secret" --count "$count" \
        --connections "$connections" --conversations 5000 "$@" >"$work/send" 2>"$work/send.errors" || status=$?
    answered=$(sed -n 's/^answers .* 200: \([0-9]*\).*/\1/p' "$work/send")
    [[ -n $answered ]] || fail "lectern send: $(tail -n 3 "$work/send.errors")"
    return "$status"
}

# Reads "latency  p50 310 µs  p90 …" into milliseconds: SUBJECT [MEASUREMENT]
record_latencies() {
    local name value unit rest measurement=${2:-steady}
    record "$measurement" "$1" a_second "$(sed -n 's/^sent .*, \([0-9]*\) a second/\1/p' "$work/send")"
    read -ra rest < <(sed -n 's/^latency//p' "$work/send")
    set -- "$1" "${rest[@]}"
    local subject=$1
    shift
    while [[ $# -ge 3 ]]; do
        name=$1 value=$2 unit=$3
        shift 3
        case $unit in
        µs) value=$(awk "BEGIN { print $value / 1000 }") ;;
        s) value=$(awk "BEGIN { print $value * 1000 }") ;;
        esac
        record "$measurement" "$subject" "$name" "$value"
    done
    echo "$measurement ($subject): $(grep '^latency' "$work/send")" >&2
}
