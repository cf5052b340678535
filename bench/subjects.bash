# shellcheck shell=bash
# What is measured: how each is started with nothing stored, and how many events it holds.

binaries=$(cargo metadata --locked --offline --no-deps --format-version 1 |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')/release
lectern=$binaries/lectern
secret=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
(umask 077 && echo "$secret" >"$work/secret")
export PODIUM_WEBHOOK_SECRET=$secret
database=bench

# Makes the storage of a subject, with nothing in it.
make_storage() {
    mkdir "$work/$database"
    if [[ $1 == [ad] ]]; then sql postgres -c "CREATE DATABASE $database"; fi
}

remove_storage() {
    if [[ $1 == [ad] ]]; then sql postgres -c "DROP DATABASE $database WITH (FORCE)"; fi
    rm -r "${work:?}/$database"
}

# Starts a subject on its storage, and waits until it answers. Its id is in `process`, its address in `url`.
start() {
    local output=$work/output.$1 port internal
    read -r port internal < <(free_ports 2)
    # Its settings, as only the process itself should see them.
    local -x DATABASE_URL='' PORT=$port NODE_ENV=production LECTERN_LISTEN=127.0.0.1:$port
    local -x LECTERN_INTERNAL_LISTEN=127.0.0.1:$internal LECTERN_DATA_DIR=$work/$database
    case $1 in
    a | d) DATABASE_URL=$server_url/$database ;;&
    # Its own configuration, with its one handler, `log`. A handler's work is the user's and not what is measured, so
    # its line is left out; each event is claimed, handled and settled all the same.
    a | b) launch "$output" "$lectern" --log warn ;;
    c) launch "$output" "$binaries/examples/bench_nothing" "127.0.0.1:$port" ;;
    d) launch "$output" node bench/express/server.js ;;
    esac
    url=http://127.0.0.1:$port/webhooks/podium
    await_answer "$1" "$port"
}

# Any answer will do: SUBJECT PORT
await_answer() {
    for _ in {1..200}; do
        if python3 -c 'import http.client, sys
connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=2)
connection.request("GET", "/webhooks/podium")
connection.getresponse()' "$2" 2>/dev/null; then return; fi
        kill -0 "$process" 2>/dev/null || break
        sleep 0.1
    done
    fail "($1) does not answer: $(tail -n 5 "$work/output.$1")"
}

free_ports() {
    python3 -c 'import socket, sys
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(int(sys.argv[1]))]
print(*(each.getsockname()[1] for each in sockets))' "$1"
}

# Prints the first column of a query on the storage of (a), (b) or (d).
query() {
    case $1 in
    a | d) sql "$database" -c "$2" ;;
    b)
        run python3 -c 'import pathlib, sqlite3, sys
file = pathlib.Path(sys.argv[1]).absolute().as_uri() + "?mode=ro"
print(sqlite3.connect(file, uri=True).execute(sys.argv[2]).fetchone()[0])' "$work/$database/lectern.db" "$2"
        ;;
    esac >"$work/answer"
    cat "$work/answer"
}

# Prints how many events a subject holds; (c) says when it ends how many it has seen.
stored() {
    case $1 in
    a | b) query "$1" 'SELECT count(*) FROM events' ;;
    c) tail -n 1 "$work/output.c" ;;
    d) query d 'SELECT count(*) FROM webhooks' ;;
    esac
}

# Prints how many events wait for their handler.
open() {
    query "$1" "SELECT count(*) FROM deliveries WHERE state = 'pending'"
}
