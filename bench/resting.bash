# shellcheck shell=bash
# How long a start takes until the first event is answered with 200, on storage that is there already, and what a Lectern has and does
# when nothing comes.

resting() {
    local port internal starts=20 seconds=60 figures
    if [[ -n $BENCH_QUICK ]]; then starts=3 seconds=3; fi
    make_storage "$1"
    start "$1"
    post 10000 || fail "($1) has not taken every event: $(tail -n 3 "$work/send.errors")"
    end "$process"
    read -r port internal < <(free_ports 2)
    local -x DATABASE_URL='' LECTERN_DATA_DIR=$work/$database
    local -x LECTERN_LISTEN=127.0.0.1:$port LECTERN_INTERNAL_LISTEN=127.0.0.1:$internal
    if [[ $1 == a ]]; then DATABASE_URL=$server_url/$database; fi
    run bench/resting.py "$lectern" "127.0.0.1:$port" "$work/secret" "$starts" "$seconds" >"$work/answer"
    read -ra figures <"$work/answer"
    record resting "$1" start "${figures[0]}"
    record resting "$1" longest "${figures[1]}"
    record resting "$1" resident "${figures[2]}"
    record resting "$1" core "${figures[3]}"
    echo "resting ($1): started in ${figures[0]} ms, ${figures[2]} KiB resident, ${figures[3]} % of a core" >&2
    remove_storage "$1"
}
