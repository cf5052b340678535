# shellcheck shell=bash
# Everything that is started and written lives here, and ends with the script: also on Ctrl-C and after a failure.

work=$(mktemp -d "${TMPDIR:-/tmp}/lectern-bench.XXXXXX")
results=$work/results
started=()

clean_up() {
    trap '' INT TERM
    local process
    for process in "${started[@]}"; do end "$process"; done
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

fail() {
    echo "$1" >&2
    exit 1
}

# Writes down a figure: MEASUREMENT SUBJECT KEY VALUE
record() {
    printf '%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$4" >>"$results"
}

# Starts a server: OUTPUT COMMAND [ARGUMENT…]. Its id is in `process`.
launch() {
    local output=$1
    shift
    "$@" >"$output" 2>&1 &
    process=$!
    started+=("$process")
}

# Runs a command to its end. In the background: Bash hears no signal while it waits for one in the foreground.
run() {
    "$@" &
    started+=("$!")
    finish "$!"
}

# Waits until a process has ended by itself.
finish() {
    local status=0
    wait "$1" || status=$?
    forget "$1"
    return "$status"
}

# Ends a server, by its own way of stopping if it does so in time.
end() {
    kill -TERM "$1" 2>/dev/null || true
    for _ in {1..200}; do
        kill -0 "$1" 2>/dev/null || break
        sleep 0.1
    done
    kill -KILL "$1" 2>/dev/null || true
    wait "$1" 2>/dev/null || true
    forget "$1"
}

# Its id may be another's soon.
forget() {
    local process left=()
    for process in "${started[@]}"; do
        if [[ $process != "$1" ]]; then left+=("$process"); fi
    done
    started=("${left[@]}")
}
