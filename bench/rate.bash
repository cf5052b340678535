# shellcheck shell=bash
# How many events a second are acknowledged, with 64 connections that each wait for their answer.

connections=64
warm_up_seconds=2
# More than anything here takes.
requests_a_second=60000

# Makes what is sent from now on: [CONVERSATIONS]
make_requests() {
    echo 'Making requests' >&2
    local thread writers=()
    # A file for each of wrk's two threads.
    for thread in 1 2; do
        launch /dev/stderr bench/make_requests.py "$work/load.$thread" $((requests_a_second * seconds / 2)) "${1:-5000}"
        writers+=("$process")
        launch /dev/stderr bench/make_requests.py "$work/warm.$thread" \
            $((requests_a_second * warm_up_seconds / 2)) "${1:-5000}"
        writers+=("$process")
    done
    for process in "${writers[@]}"; do finish "$process"; done
}

# Measures one round of one subject.
rate() {
    make_storage "$1"
    measure_rate rate "$1"
    remove_storage "$1"
}

# The same on the storage that is there: MEASUREMENT SUBJECT [STORED]. So many events are there already.
measure_rate() {
    local acknowledged=0 failed=0 waiting held
    start "$2"
    send "$2" warm "$warm_up_seconds"
    if [[ $2 == [ad] ]]; then sql postgres -c CHECKPOINT; fi
    sync
    send "$2" load "$seconds"
    record "$1" "$2" a_second "$(awk "BEGIN { print $answered / $seconds }")"
    record "$1" "$2" p50 "$p50"
    record "$1" "$2" p99 "$p99"
    if [[ $2 == [ab] ]]; then
        waiting=$(open "$2")
        record "$1" "$2" handled "$(awk "BEGIN { print 1 - $waiting / $acknowledged }")"
    fi
    end "$process"
    held=$(stored "$2")
    held=$((held - ${3:-0}))
    echo "$1 ($2): $((answered / seconds)) a second, p50 $p50 ms, p99 $p99 ms" >&2
    # What was not acknowledged may be there all the same.
    if [[ $held -lt $acknowledged || $held -gt $((acknowledged + failed)) ]]; then
        fail "($2) has acknowledged $acknowledged events and holds $held: $(tail -n 5 "$work/output.$2")"
    fi
    if [[ $failed -gt 0 ]]; then record "$1" "$2" failed "$failed"; fi
}

# Sends requests for so many seconds: SUBJECT NAME SECONDS. Adds to `acknowledged` and `failed`.
send() {
    local status broken end
    run wrk -t2 -c$connections -d$(($3 + 3))s --timeout 10s -s bench/load.lua "$url" -- "$work/$2" "$3" >"$work/wrk"
    read -r _ answered status broken p50 p99 end < <(grep '^RESULT ' "$work/wrk") || fail "$(tail "$work/wrk")"
    [[ $end == complete ]] || fail "($1) has taken more than $requests_a_second events a second: raise that number."
    acknowledged=$((acknowledged + answered)) failed=$((failed + status + broken))
}
