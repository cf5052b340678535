# shellcheck shell=bash
# How much memory Lectern keeps after many events, once all are handled, and the most that it ever had.

memory() {
    make_storage "$1"
    start "$1"
    post "$memory_events" || fail "($1) has not taken every event: $(tail -n 3 "$work/send.errors")"
    while [[ $(open "$1") -gt 0 ]]; do sleep 1; done
    record memory "$1" events "$memory_events"
    record memory "$1" resident "$(kibibytes VmRSS)"
    record memory "$1" most "$(kibibytes VmHWM)"
    echo "memory ($1): $(kibibytes VmRSS) KiB resident, $(kibibytes VmHWM) KiB at most" >&2
    end "$process"
    [[ $(stored "$1") -eq $memory_events ]] || fail "($1) holds $(stored "$1") events instead of $memory_events."
    remove_storage "$1"
}

kibibytes() {
    awk -v key="$1:" '$1 == key { print $2 }' "/proc/$process/status"
}
