# shellcheck shell=bash
# The throw-away PostgreSQL.

[[ -n ${LECTERN_TEST_POSTGRES_URL:-} ]] || fail 'Start this by bench/run.'
server_url=${LECTERN_TEST_POSTGRES_URL%/*}
psql=$LECTERN_TEST_POSTGRES_BIN/psql
[[ -x $psql ]] || fail "PostgreSQL's program psql is missing: install PostgreSQL's client."

# Runs psql on a database: DATABASE [ARGUMENT…]. The password goes by the environment, which nobody else can read.
sql() {
    local database=$1 user=${server_url#*://}
    shift
    local address=${user#*@}
    local password=${user#*:}
    PGPASSWORD=${password%%@*} run "$psql" --no-psqlrc --quiet --no-align --tuples-only --set ON_ERROR_STOP=1 \
        --host "${address%:*}" --port "${address##*:}" --username "${user%%:*}" --dbname "$database" "$@"
}

# Tests do without the disk. Here an answer means that the disk has it; all else is as PostgreSQL comes.
as_in_production() {
    local durable
    sql postgres -c 'ALTER SYSTEM SET fsync = on' -c 'ALTER SYSTEM SET full_page_writes = on' \
        -c 'SELECT pg_reload_conf()' >"$work/reload"
    # The server reads its configuration a moment later.
    for _ in {1..50}; do
        sql postgres -c "SELECT current_setting('fsync') || current_setting('full_page_writes')
            || current_setting('synchronous_commit')" >"$work/durable"
        read -r durable <"$work/durable"
        if [[ $durable == ononon ]]; then break; fi
        sleep 0.1
    done
    [[ $durable == ononon ]] || fail 'PostgreSQL does not wait for the disk: nothing would be measured.'
    # In memory, a disk costs nothing.
    case $(stat --file-system --format %T "$work") in
    tmpfs | ramfs) fail 'The temporary folder is in memory: name one on a disk with TMPDIR.' ;;
    esac
}
