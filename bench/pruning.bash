# shellcheck shell=bash
# What senders notice while a million old events are forgotten, on storage that `filled` has made: its events are of 60 days.

pruning_rate=1000

pruning() {
    local seconds=60 begun forgotten
    if [[ -n $BENCH_QUICK ]]; then seconds=3; fi
    start "$1"
    local server=$process
    sync
    timed_post usual "$1" "$seconds"
    # A tenth of all is older than 54 days. Bodies by the week go all at once, so it is the others that take their time.
    local -x LECTERN__RETENTION__EVENTS=54d LECTERN__RETENTION__BODIES=54d LECTERN__RETENTION__DELIVERIES=54d
    local -x DATABASE_URL='' LECTERN_DATA_DIR=$work/$database
    if [[ $1 == a ]]; then DATABASE_URL=$server_url/$database; fi
    begun=$EPOCHREALTIME
    launch "$work/prune" "$lectern" prune --json
    local prune=$process
    timed_post pruning "$1" "$seconds"
    kill -0 "$prune" 2>/dev/null || echo "pruning ($1): it was over before the senders were" >&2
    finish "$prune" || fail "lectern prune: $(tail -n 3 "$work/prune")"
    forgotten=$(python3 -c 'import json, sys
print(next(line["forgotten"] for line in json.load(sys.stdin) if line["what"] == "events"))' <"$work/prune")
    end "$server"
    record pruning "$1" events "$forgotten"
    record pruning "$1" a_second "$(awk "BEGIN { print $forgotten / ($EPOCHREALTIME - $begun) }")"
    echo "pruning ($1): $forgotten events in $(awk "BEGIN { print $EPOCHREALTIME - $begun }") s" >&2
}

# Sends for so long at a steady rate: NAME SUBJECT SECONDS
timed_post() {
    post $((pruning_rate * $3)) --rate "$pruning_rate" || echo "$1 ($2): not every event was answered 200" >&2
    record_latencies "$2" "$1"
}
