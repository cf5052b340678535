//! Every statement for PostgreSQL. None reads a clock. On the way of every event each is complete in itself: there is no
//! transaction that a dropped future could leave open. Where several belong together (the mirror, weeks of bodies and what is
//! counted of them, moving), `transaction` begins them: they are undone when dropped.
//!
//! On the way of every event locks are taken in one order: events by deduplication key, then queues by handler and ordering
//! key, compared byte by byte whatever the database's language, then deliveries. What a person asks for comes from a
//! delivery to its queue. Where PostgreSQL ends a statement for a deadlock all the same, it is repeated.

use crate::store::statements::statements;

/// The columns of a ledger line.
macro_rules! event_columns {
    () => {
        "events.id, events.source, events.event_type, events.event_uid, events.subject_uid, \
         events.conversation_uid, events.contact_uid, events.location_uid, events.organization_uid, \
         events.occurred_at, events.received_at, events.verified_by, events.decode_error, events.origin"
    };
}

/// The columns of a delivery, its event's type among them. The names differ from the ledger's, so that one row can
/// hold both.
macro_rules! delivery_columns {
    () => {
        "deliveries.id AS delivery_id, deliveries.event_id, events.event_type, deliveries.handler, \
         deliveries.ordering_key, deliveries.state, deliveries.attempts, deliveries.failures, \
         deliveries.opened_at, deliveries.settled_at, deliveries.note"
    };
}

/// What a [`DeliveryFilter`](crate::model::DeliveryFilter) asks of a delivery and its event, as `map::narrowed` binds it.
macro_rules! delivery_fits {
    () => {
        "($1::uuid IS NULL OR deliveries.event_id = $1)
            AND ($2::text IS NULL OR deliveries.state = $2)
            AND ($3::text IS NULL OR deliveries.handler = $3)
            AND ($4::text IS NULL OR events.event_type LIKE $4)
            AND ($5::text IS NULL OR events.source = $5)
            AND ($6::text IS NULL OR events.location_uid = $6)
            AND ($7::text IS NULL OR events.conversation_uid = $7)
            AND deliveries.event_id >= $8 AND deliveries.event_id < $9"
    };
}

/// The columns of a replay.
macro_rules! replay_columns {
    () => {
        "id, filter, rate, created_at, created_by, matched, replayed, state, ended_at"
    };
}

/// The next portion of a replay, of the deliveries for which the condition is written out: only so it finds its index.
///
/// `replay` locks the replay and reads it as it is under the lock, so that one that was cancelled or taken over meanwhile opens
/// nothing. `seen` bounds what is looked at, `wanted` what is opened. What was opened and closed again since the snapshot
/// was closed after the replay was asked for, and so falls away under the lock.
macro_rules! reopen_where {
    ($condition:literal) => {
        concat!(
            "WITH replay AS (
            SELECT reached, created_at, replayed FROM replays
            WHERE id = $10 AND lease = $11 AND state = 'running' FOR UPDATE
        ), seen AS (
            SELECT id, event_id, handler, state, settled_at FROM deliveries
            WHERE id > (SELECT reached FROM replay) AND ",
            $condition,
            " ORDER BY id LIMIT $12
        ), wanted AS (
            SELECT deliveries.id FROM seen AS deliveries JOIN events ON events.id = deliveries.event_id, replay
            WHERE deliveries.state <> 'pending' AND deliveries.settled_at <= replay.created_at AND ",
            delivery_fits!(),
            " ORDER BY deliveries.id LIMIT $13
        ), closed AS (
            UPDATE deliveries SET state = 'pending', failures = 0, opened_at = $14, settled_at = NULL, note = NULL
            FROM wanted, replay
            WHERE deliveries.id = wanted.id AND deliveries.state <> 'pending'
                AND deliveries.settled_at <= replay.created_at
            RETURNING deliveries.id, handler, ordering_key
        ), grown AS (
            INSERT INTO queues (handler, ordering_key, pending, due_at)
            SELECT handler, ordering_key, count(*), $14 FROM closed
            GROUP BY handler, ordering_key ORDER BY handler, ordering_key
            ON CONFLICT (handler, ordering_key) DO UPDATE SET
                pending = queues.pending + excluded.pending,
                due_at = least(queues.due_at, excluded.due_at), is_retrying = false,
                parked_by = CASE WHEN queues.parked_by IN (SELECT id FROM closed) THEN NULL ELSE queues.parked_by END
        ), walked AS (
            SELECT number, wants_more AND saw_all AS is_through,
                (SELECT id FROM seen WHERE wants_more OR id IN (SELECT id FROM wanted) ORDER BY id DESC LIMIT 1) AS reached
            FROM (
                SELECT (SELECT count(*) FROM closed) AS number,
                    (SELECT count(*) FROM wanted) < $13 AS wants_more,
                    (SELECT count(*) FROM seen) < $12 AS saw_all
            ) AS counted
        ), moved AS (
            UPDATE replays SET
                reached = coalesce(walked.reached, replays.reached),
                replayed = replay.replayed + number,
                state = CASE WHEN is_through THEN 'done' ELSE 'running' END,
                ended_at = CASE WHEN is_through THEN $14 END,
                lease = CASE WHEN is_through THEN NULL ELSE lease END,
                leased_until = CASE WHEN is_through THEN NULL ELSE leased_until END
            FROM replay, walked WHERE replays.id = $10
        )
        SELECT number, is_through FROM replay, walked"
        )
    };
}

/// The columns of a token.
macro_rules! token_columns {
    () => {
        "id, name, digest, role, created_at, expires_at, last_used_at"
    };
}

/// The columns of a request in quarantine. The length of a body is known without reading it.
macro_rules! quarantine_columns {
    () => {
        "id, source, received_at, reason, held, octet_length(body)::bigint AS size"
    };
}

/// Leasing of queues that are what the condition says, in the order in which they became due or the other way round.
macro_rules! lease {
    ($condition:literal, $direction:literal) => {
        concat!(
            "WITH due AS (
            SELECT ordering_key, due_at, lost + CASE WHEN lease IS NULL THEN 0 ELSE 1 END AS lost
            FROM queues
            WHERE handler = $1 AND due_at >= $6 AND due_at <= $2 AND parked_by IS NULL AND (lease IS NULL OR leased_until <= $2)
                AND NOT EXISTS (SELECT FROM paused_handlers WHERE paused_handlers.handler = $1)
                AND ",
            $condition,
            " ORDER BY due_at ",
            $direction,
            " LIMIT $3 FOR UPDATE OF queues SKIP LOCKED
        ), leased AS (
            UPDATE queues SET lease = $5, leased_until = $4, lost = lost + CASE WHEN lease IS NULL THEN 0 ELSE 1 END
            WHERE handler = $1 AND ordering_key = ANY (ARRAY (SELECT ordering_key FROM due))
        )
        SELECT ordering_key, due_at, lost FROM due ORDER BY due_at ",
            $direction
        )
    };
}

pub(super) mod forgetting;
pub(super) mod mirror;
pub(super) mod moving;

statements! {
    /// Settings that promises rest on, whatever the server's own are: an answer means that the disk has it; every
    /// statement sees what was committed before it began; no compiler for statements that take a millisecond; an end to
    /// what takes longer than any of them needs. Who asked may be gone long since: a dropped future does not end its
    /// statement, so the server does.
    PREPARE_CONNECTION = r"
        SELECT set_config('statement_timeout', '15s', false), set_config('synchronous_commit', 'on', false),
            set_config('default_transaction_isolation', 'read committed', false),
            set_config('jit', 'off', false)";

    /// What holds besides where events are accepted and work is claimed and settled: planned once and not at each call,
    /// which took as long as the work itself; and row by row through the indexes, whatever the tables were like when it
    /// was planned. (With a bitmap, LEASE reads all queues of a handler to find a few.)
    PREPARE_WORKER = r"
        SELECT set_config('plan_cache_mode', 'force_generic_plan', false),
            set_config('enable_seqscan', 'off', false),
            set_config('enable_bitmapscan', 'off', false),
            set_config('enable_memoize', 'off', false),
            set_config('max_parallel_workers_per_gather', '0', false)";

    /// What holds besides where the API reads: that end comes sooner, no table is read from end to end where an index would
    /// do, and no question takes all cores.
    PREPARE_READER = r"
        SELECT set_config('statement_timeout', '5s', false), set_config('enable_seqscan', 'off', false),
            set_config('max_parallel_workers_per_gather', '0', false)";

    /// How long a statement of the migrations may take, in milliseconds; 0 is as long as it likes. Waiting for another
    /// process's is one, too.
    PREPARE_MIGRATION = "SELECT set_config('statement_timeout', $1, false)";

    /// The migrations that the database has, with their names.
    APPLIED_MIGRATIONS = "SELECT version, description FROM _sqlx_migrations ORDER BY version";

    /// How the database keeps texts.
    ENCODING = "SELECT current_setting('server_encoding')";

    /// Ledger, bodies, queues and deliveries of a whole batch. Answers with the events that are new.
    ///
    /// Why deliveries come after queues: a position is given while this transaction holds the queue's row (the join
    /// waits for `grown`, the sort for all of it), and it holds it until the commit. So within a queue the order of
    /// positions is the order of commits, from several processes too, and within a batch that of the batch.
    ///
    /// The conflict names no column: a batch that is sent again while its first sending is still under way meets itself
    /// at the identifier before it comes to the key.
    ///
    /// A queue that exists only grows: its `due_at` may be a retry's wait.
    ACCEPT = r#"
        WITH ledger AS (
            INSERT INTO events (id, dedup_key, source, event_type, event_uid, subject_uid, conversation_uid,
                contact_uid, location_uid, organization_uid, occurred_at, received_at, verified_by, decode_error, origin)
            SELECT * FROM unnest($1::uuid[], $2::bytea[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                $8::text[], $9::text[], $10::text[], $11::timestamptz[], $12::timestamptz[], $13::text[], $14::text[],
                $22::text[])
                AS new (id, dedup_key)
            ORDER BY dedup_key
            ON CONFLICT DO NOTHING
            RETURNING id
        ), bodies AS (
            INSERT INTO event_bodies (event_id, headers, body)
            SELECT id, headers, body
            FROM unnest($1::uuid[], $15::text[], $16::bytea[]) AS new (id, headers, body) JOIN ledger USING (id)
        ), to_be_mirrored AS (
            INSERT INTO mirror_inbox (event_id) SELECT id FROM ledger
        ), owed AS (
            SELECT new.id, event_id, handler, ordering_key, opened_at, nth
            FROM unnest($17::uuid[], $18::uuid[], $19::text[], $20::text[], $21::timestamptz[])
                WITH ORDINALITY AS new (id, event_id, handler, ordering_key, opened_at, nth)
            JOIN ledger ON ledger.id = event_id
        ), grown AS (
            INSERT INTO queues (handler, ordering_key, pending, due_at)
            SELECT handler, ordering_key, count(*), min(opened_at) FROM owed
            GROUP BY handler, ordering_key ORDER BY handler COLLATE "C", ordering_key COLLATE "C"
            ON CONFLICT (handler, ordering_key) DO UPDATE SET pending = queues.pending + excluded.pending
            RETURNING handler, ordering_key
        ), opened AS (
            INSERT INTO deliveries (id, event_id, handler, ordering_key, state, opened_at)
            SELECT id, event_id, handler, ordering_key, 'pending', opened_at
            FROM owed JOIN grown USING (handler, ordering_key) ORDER BY nth
        )
        SELECT id FROM ledger"#;

    /// The same for one event, which is what a quiet hour brings, without the joins that only a batch needs: at 2,000 events a
    /// second half of the answers were there in 2.7 ms instead of 3.5. Of one event's deliveries no two are in one queue.
    ACCEPT_ONE = r#"
        WITH ledger AS (
            INSERT INTO events (id, dedup_key, source, event_type, event_uid, subject_uid, conversation_uid,
                contact_uid, location_uid, organization_uid, occurred_at, received_at, verified_by, decode_error, origin)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $21)
            ON CONFLICT DO NOTHING
            RETURNING id
        ), bodies AS (
            INSERT INTO event_bodies (event_id, headers, body) SELECT id, $15, $16 FROM ledger
        ), to_be_mirrored AS (
            INSERT INTO mirror_inbox (event_id) SELECT id FROM ledger
        ), grown AS (
            INSERT INTO queues (handler, ordering_key, pending, due_at)
            SELECT handler, ordering_key, 1, opened_at
            FROM ledger, unnest($18::text[], $19::text[], $20::timestamptz[]) AS new (handler, ordering_key, opened_at)
            ORDER BY handler COLLATE "C", ordering_key COLLATE "C"
            ON CONFLICT (handler, ordering_key) DO UPDATE SET pending = queues.pending + 1
            RETURNING handler, ordering_key
        ), opened AS (
            INSERT INTO deliveries (id, event_id, handler, ordering_key, state, opened_at)
            SELECT id, $1, handler, ordering_key, 'pending', opened_at
            FROM grown JOIN unnest($17::uuid[], $18::text[], $19::text[], $20::timestamptz[])
                AS new (id, handler, ordering_key, opened_at) USING (handler, ordering_key)
        )
        SELECT id FROM ledger"#;

    /// The events that have these keys. A statement of its own: ACCEPT may have waited for one that its own snapshot
    /// doesn't show.
    KNOWN_KEYS = "SELECT dedup_key, id FROM events WHERE dedup_key = ANY ($1)";

    /// Leases queues that are due, unless their handler is paused. Those that another transaction is at are passed over:
    /// they are somebody else's, or the next claim's. One whose lease has ended unsettled has lost it once more.
    LEASE = lease!("TRUE", "");
    /// The same, of those that do not wait to be tried again, and those that became due last first.
    LEASE_NEWS = lease!("NOT is_retrying", "DESC");

    /// Ends leases that are still held and that nobody will work on.
    GIVE_BACK = r"
        WITH held AS (
            SELECT ordering_key FROM queues WHERE handler = $1 AND ordering_key = ANY ($2) AND lease = $3
            ORDER BY ordering_key FOR UPDATE
        )
        UPDATE queues SET lease = NULL, leased_until = NULL
        WHERE handler = $1 AND ordering_key = ANY (ARRAY (SELECT ordering_key FROM held))";

    /// When a queue is due that nobody has leased.
    NEXT_DUE = r"
        SELECT due_at FROM queues
        WHERE handler = $1 AND due_at >= $2 AND parked_by IS NULL AND lease IS NULL
            AND NOT EXISTS (SELECT FROM paused_handlers WHERE paused_handlers.handler = $1)
        ORDER BY due_at LIMIT 1";

    /// The first open deliveries of leased queues, with all that a handler needs. A statement of its own, begun after
    /// the leases are committed: in one statement with LEASE, a settlement that commits between its snapshot and its
    /// locks would be missed, and what it settled handed out again.
    ///
    /// The order is made by who asked: to sort whole bodies took as long as to read them. Bodies that are larger than $4 are left
    /// out: how large they are is known without reading them.
    OPEN_DELIVERIES = concat!("SELECT leased.nth, deliveries.position, ", delivery_columns!(), ", ", event_columns!(), ", event_bodies.headers,
            octet_length(event_bodies.body)::bigint AS size,
            CASE WHEN octet_length(event_bodies.body) <= $4 THEN event_bodies.body END AS body
        FROM unnest($2::text[]) WITH ORDINALITY AS leased (ordering_key, nth)
        CROSS JOIN LATERAL (
            SELECT * FROM deliveries
            WHERE handler = $1 AND deliveries.ordering_key = leased.ordering_key AND state = 'pending'
            ORDER BY position LIMIT $3
        ) AS deliveries
        JOIN events ON events.id = deliveries.event_id
        JOIN event_bodies ON event_bodies.event_id = deliveries.event_id");

    /// Moves the end of leases that are still held.
    RENEW = r#"
        WITH held AS (
            SELECT handler, ordering_key, nth
            FROM unnest($1::text[], $2::text[], $3::uuid[]) WITH ORDINALITY AS wanted (handler, ordering_key, lease, nth)
            JOIN queues USING (handler, ordering_key, lease)
            ORDER BY handler COLLATE "C", ordering_key COLLATE "C" FOR UPDATE OF queues
        ), renewed AS (
            UPDATE queues SET leased_until = $4 FROM held
            WHERE queues.handler = held.handler AND queues.ordering_key = held.ordering_key
        )
        SELECT nth FROM held"#;

    /// Attempts, states, counts and leases of a whole batch. Answers with the settlements that still held their lease.
    ///
    /// `held` locks the queues and reads `pending` as it is under the lock. The statements below must use that value:
    /// their own view of the row is the snapshot's, from before an acceptance that may have been waited for.
    /// Deliveries of a held queue are changed by nobody else, except that closed ones may be opened again.
    ///
    /// IS NOT DISTINCT FROM keeps the planner from the index of open deliveries: it would read a queue's whole backlog
    /// to find the few that are settled, or that of all queues, if there was none when the plan was made.
    SETTLE = r#"
        WITH held AS (
            SELECT handler, ordering_key, pending, ended.due_at, parked_by_its, untouched, retries, nth
            FROM unnest($1::text[], $2::text[], $3::uuid[], $4::timestamptz[], $15::uuid[], $16::boolean[], $17::boolean[])
                WITH ORDINALITY AS ended (handler, ordering_key, lease, due_at, parked_by_its, untouched, retries, nth)
            JOIN queues USING (handler, ordering_key, lease)
            ORDER BY handler COLLATE "C", ordering_key COLLATE "C" FOR UPDATE OF queues
        ), finished AS (
            SELECT * FROM unnest($5::bigint[], $6::uuid[], $7::text[], $8::timestamptz[], $9::timestamptz[],
                $10::bigint[], $11::text[], $12::integer[], $13::text[], $14::text[])
                AS finished (nth, id, state, settled_at, started_at, duration_us, outcome, status, output, error)
        ), tried AS (
            UPDATE deliveries SET
                state = finished.state,
                attempts = deliveries.attempts + 1,
                failures = deliveries.failures + CASE finished.outcome WHEN 'done' THEN 0 ELSE 1 END,
                settled_at = finished.settled_at
            FROM finished JOIN held USING (nth)
            WHERE deliveries.id = finished.id AND deliveries.state IS NOT DISTINCT FROM 'pending'
                AND deliveries.handler IS NOT DISTINCT FROM held.handler
                AND deliveries.ordering_key IS NOT DISTINCT FROM held.ordering_key
            RETURNING nth, deliveries.id, deliveries.attempts, deliveries.state
        ), written AS (
            INSERT INTO attempts (delivery_id, number, started_at, duration_us, outcome, status, output, error)
            SELECT id, attempts, started_at, duration_us, outcome, status, output, error
            FROM tried JOIN finished USING (nth, id)
        ), remaining AS (
            SELECT handler, ordering_key, due_at, parked_by_its, untouched, retries,
                pending - coalesce(closed.number, 0) AS pending
            FROM held LEFT JOIN (
                SELECT nth, count(*) AS number FROM tried WHERE state <> 'pending' GROUP BY nth
            ) AS closed USING (nth)
        ), emptied AS (
            DELETE FROM queues USING remaining
            WHERE queues.handler = remaining.handler AND queues.ordering_key = remaining.ordering_key
                AND remaining.pending <= 0 AND parked_by_its IS NULL
        ), released AS (
            UPDATE queues SET pending = remaining.pending, due_at = remaining.due_at, lease = NULL,
                leased_until = NULL, lost = CASE WHEN untouched THEN lost ELSE 0 END, parked_by = parked_by_its,
                is_retrying = CASE WHEN untouched THEN is_retrying ELSE retries END
            FROM remaining
            WHERE queues.handler = remaining.handler AND queues.ordering_key = remaining.ordering_key
                AND (remaining.pending > 0 OR parked_by_its IS NOT NULL)
        )
        SELECT nth FROM held"#;

    /// Opens a closed delivery, or makes an open one due. Of two at once, the second waits for the row, finds it open
    /// and counts nothing. The delivery keeps its position. A queue that was parked by it goes on.
    /// Answers whether there was anything to do.
    REPLAY = r"
        WITH closed AS (
            UPDATE deliveries SET state = 'pending', failures = 0, opened_at = $2, settled_at = NULL, note = NULL
            WHERE id = $1 AND state <> 'pending'
            RETURNING handler, ordering_key
        ), grown AS (
            INSERT INTO queues (handler, ordering_key, pending, due_at)
            SELECT handler, ordering_key, 1, $2 FROM closed
            ON CONFLICT (handler, ordering_key) DO UPDATE SET
                pending = queues.pending + 1,
                due_at = least(queues.due_at, excluded.due_at), is_retrying = false,
                parked_by = nullif(queues.parked_by, $1)
        ), hastened AS (
            UPDATE queues SET due_at = least(queues.due_at, $2), is_retrying = false
            FROM (SELECT handler, ordering_key FROM deliveries WHERE id = $1 AND state IS NOT DISTINCT FROM 'pending' FOR UPDATE) AS open
            WHERE queues.handler = open.handler AND queues.ordering_key = open.ordering_key AND queues.lease IS NULL
            RETURNING queues.handler
        )
        SELECT EXISTS (SELECT FROM closed) OR EXISTS (SELECT FROM hastened)";

    /// Calls a dead delivery done. A queue that was parked by it goes on, or ends when nothing is left of it.
    /// Answers whether it was dead.
    RESOLVE = r"
        WITH resolved AS (
            UPDATE deliveries SET state = 'done', settled_at = $2, note = $3 WHERE id = $1 AND state = 'dead'
            RETURNING handler, ordering_key
        ), parked AS (
            SELECT handler, ordering_key, pending FROM queues JOIN resolved USING (handler, ordering_key)
            WHERE parked_by = $1 FOR UPDATE OF queues
        ), emptied AS (
            DELETE FROM queues USING parked
            WHERE queues.handler = parked.handler AND queues.ordering_key = parked.ordering_key AND parked.pending = 0
        ), goes_on AS (
            UPDATE queues SET parked_by = NULL, due_at = least(due_at, $2) FROM parked
            WHERE queues.handler = parked.handler AND queues.ordering_key = parked.ordering_key AND parked.pending > 0
        )
        SELECT EXISTS (SELECT FROM resolved)";

    /// Keeps a new replay.
    ADD_REPLAY = r"
        INSERT INTO replays (id, filter, rate, created_at, created_by, matched, replayed, state, ended_at, reached)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";

    /// A page of replays.
    REPLAYS = concat!("SELECT ", replay_columns!(), " FROM replays WHERE id < $1 ORDER BY id DESC LIMIT $2");

    /// One replay.
    ONE_REPLAY = concat!("SELECT ", replay_columns!(), " FROM replays WHERE id = $1");

    /// Calls off a replay that is running. A portion that is being opened comes first.
    CANCEL_REPLAY = r"
        UPDATE replays SET state = 'cancelled', ended_at = $2, lease = NULL, leased_until = NULL
        WHERE id = $1 AND state = 'running'";

    /// Leases replays that are free, and prolongs one's own. Those that another transaction is at are passed over until the
    /// next time, one's own too: a portion is being opened under that very lease.
    LEASE_REPLAYS = concat!("WITH free AS (
            SELECT id AS free_id FROM replays
            WHERE state = 'running' AND (lease IS NULL OR lease = $1 OR leased_until <= $2)
            ORDER BY id FOR UPDATE SKIP LOCKED
        ), leased AS (
            UPDATE replays SET lease = $1, leased_until = $3 FROM free WHERE id = free_id
            RETURNING ", replay_columns!(), "
        )
        SELECT * FROM leased ORDER BY id");

    /// The next portion of a replay: of dead deliveries, or of all that are closed.
    REOPEN_DEAD = reopen_where!("state = 'dead'");
    /// See [`REOPEN_DEAD`].
    REOPEN_CLOSED = reopen_where!("TRUE");

    /// Pauses a handler; one that is paused already stays so since then.
    PAUSE = "INSERT INTO paused_handlers (handler, paused_at) VALUES ($1, $2) ON CONFLICT DO NOTHING";

    /// Resumes a handler.
    RESUME = "DELETE FROM paused_handlers WHERE handler = $1";

    /// Tells whoever listens.
    TELL = "SELECT pg_notify($1, $2)";

    /// The handlers that are paused.
    PAUSED = "SELECT handler, paused_at FROM paused_handlers ORDER BY handler";

    /// A page of events. Run without a kept plan: with the values at hand, what is not asked for falls away, and a
    /// conversation or a location finds its index.
    EVENTS = concat!("SELECT ", event_columns!(), " FROM events
        WHERE id >= $1 AND id < $2
            AND ($3::text IS NULL OR event_type LIKE $3)
            AND ($4::text IS NULL OR source = $4)
            AND ($5::text IS NULL OR location_uid = $5)
            AND ($6::text IS NULL OR conversation_uid = $6)
        ORDER BY id DESC LIMIT $7");

    /// One event.
    EVENT = concat!("SELECT ", event_columns!(), " FROM events WHERE id = $1");

    /// What arrived with events.
    CONTENTS = r"
        SELECT event_id, headers, body FROM unnest($1::uuid[]) AS wanted (event_id) JOIN event_bodies USING (event_id)";

    /// A page of deliveries, without a kept plan for the same reason.
    DELIVERIES = concat!("SELECT ", delivery_columns!(), " FROM deliveries JOIN events ON events.id = deliveries.event_id
        WHERE deliveries.id < $10 AND ", delivery_fits!(), "
        ORDER BY deliveries.id DESC LIMIT $11");

    /// How many closed deliveries there are, without a kept plan for the same reason. A LEFT JOIN falls away where nothing is
    /// asked of the events.
    COUNT_CLOSED = concat!("SELECT count(*) FROM deliveries LEFT JOIN events ON events.id = deliveries.event_id
        WHERE deliveries.state <> 'pending' AND deliveries.settled_at <= $10 AND ", delivery_fits!());

    /// How a queue stands.
    QUEUE = "SELECT pending, due_at, parked_by FROM queues WHERE handler = $1 AND ordering_key = $2";

    /// One delivery.
    DELIVERY = concat!("SELECT ", delivery_columns!(), " FROM deliveries JOIN events ON events.id = deliveries.event_id
        WHERE deliveries.id = $1");

    /// The attempts of a delivery.
    ATTEMPTS = r"
        SELECT number, started_at, duration_us, outcome, status, output, error
        FROM attempts WHERE delivery_id = $1 ORDER BY number";

    /// The open deliveries of each handler, which their queues know, and the dead ones.
    BACKLOG = r"
        SELECT handler, coalesce(open, 0)::bigint AS open, coalesce(parked, 0)::bigint AS parked,
            coalesce(dead, 0)::bigint AS dead, oldest_due_at
        FROM (
            SELECT handler, sum(pending) AS open, count(parked_by) AS parked,
                min(due_at) FILTER (WHERE parked_by IS NULL) AS oldest_due_at
            FROM queues GROUP BY handler
        ) AS queued
        FULL JOIN (
            SELECT handler, count(*) AS dead FROM deliveries WHERE state = 'dead' GROUP BY handler
        ) AS given_up USING (handler)
        ORDER BY handler";

    /// Since when each handler has something open: what is first in each of its queues, looked up by itself.
    OLDEST_OPEN = r"
        SELECT handler, min(opened_at) AS opened_at
        FROM queues CROSS JOIN LATERAL (
            SELECT opened_at FROM deliveries
            WHERE state = 'pending' AND handler = queues.handler AND ordering_key = queues.ordering_key
            ORDER BY position LIMIT 1
        ) AS first
        WHERE parked_by IS NULL
        GROUP BY handler ORDER BY handler";

    /// Adds to what handlers have been doing, in the order of their names: several processes write here, and two must not wait
    /// for each other.
    NOTE_ACTIVITY = r"
        WITH old AS (
            DELETE FROM handler_activity WHERE slot < $6
        )
        INSERT INTO handler_activity (slot, handler, done, failed, failing_until)
        SELECT $1, handler, sum(done), sum(failed), max(failing_until)
        FROM unnest($2::text[], $3::bigint[], $4::bigint[], $5::timestamptz[]) AS noted (handler, done, failed, failing_until)
        GROUP BY handler ORDER BY handler
        ON CONFLICT (slot, handler) DO UPDATE SET
            done = handler_activity.done + excluded.done,
            failed = handler_activity.failed + excluded.failed,
            failing_until = greatest(handler_activity.failing_until, excluded.failing_until)";

    /// What handlers have been doing.
    ACTIVITY = r"
        SELECT handler, sum(done)::bigint AS done, sum(failed)::bigint AS failed, max(failing_until) AS failing_until
        FROM handler_activity WHERE slot >= $1 GROUP BY handler ORDER BY handler";

    /// Keeps what there is room for, and drops the oldest that were merely rejected. Answers with what of the new is kept.
    ///
    /// First come those that were held before, whatever the bounds are today; then the new ones that are to be held, the
    /// earliest first, of each source as many as may be its; then, newest first, those that were rejected, old and new. One that could never fit is not counted,
    /// so that it drops nothing. What is sent again counts once.
    ///
    /// Two such statements at once don't see each other's new rows: together they may keep more than the bounds say, until
    /// the next one.
    QUARANTINE = r"
        WITH new AS (
            SELECT * FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::text[], $5::boolean[], $6::bigint[],
                $7::text[], $8::bytea[]) AS new (id, source, received_at, reason, held, weight, headers, body)
        ), held_by_source AS (
            SELECT source, count(*) AS requests, sum(weight) AS bytes
            FROM quarantine WHERE held AND id NOT IN (SELECT id FROM new) GROUP BY source
        ), held_before AS (
            SELECT coalesce(sum(requests), 0) AS requests, coalesce(sum(bytes), 0) AS bytes FROM held_by_source
        ), within_share AS (
            SELECT id, wanted.weight FROM (
                SELECT id, source, weight, row_number() OVER up_to AS nth, sum(weight) OVER up_to AS total
                FROM new WHERE held WINDOW up_to AS (PARTITION BY source ORDER BY id)
            ) AS wanted LEFT JOIN held_by_source USING (source)
            WHERE coalesce(requests, 0) + nth <= $11::bigint AND coalesce(bytes, 0) + total <= $12::bigint
        ), held AS (
            SELECT id, weight FROM held_before, (
                SELECT id, weight, row_number() OVER up_to AS nth, sum(weight) OVER up_to AS total
                FROM within_share WINDOW up_to AS (ORDER BY id)
            ) AS wanted
            WHERE requests + nth <= $9::bigint AND bytes + total <= $10::bigint
        ), room AS (
            SELECT $9::bigint - requests - (SELECT count(*) FROM held) AS requests,
                $10::bigint - bytes - (SELECT coalesce(sum(weight), 0) FROM held) AS bytes
            FROM held_before
        ), rejected AS (
            SELECT id FROM room, (
                SELECT id, row_number() OVER down_to AS nth, sum(weight) OVER down_to AS total
                FROM (
                    SELECT id, weight FROM quarantine WHERE NOT held AND id NOT IN (SELECT id FROM new)
                    UNION ALL
                    SELECT id, weight FROM new, room WHERE NOT held AND weight <= bytes
                ) AS candidates
                WINDOW down_to AS (ORDER BY id DESC)
            ) AS wanted
            WHERE nth <= requests AND total <= bytes
        ), dropped AS (
            DELETE FROM quarantine WHERE NOT held AND id NOT IN (SELECT id FROM rejected)
        ), kept AS (
            SELECT id FROM held UNION ALL SELECT id FROM rejected WHERE id IN (SELECT id FROM new)
        ), added AS (
            INSERT INTO quarantine (id, source, received_at, reason, held, weight, headers, body)
            SELECT id, source, received_at, reason, held, weight, headers, body FROM new JOIN kept USING (id) ORDER BY id
            ON CONFLICT DO NOTHING
        )
        SELECT id FROM kept";

    /// A page of what is in quarantine.
    QUARANTINED = concat!("SELECT ", quarantine_columns!(), " FROM quarantine
        WHERE id >= $1 AND id < $2 AND ($3::text IS NULL OR source = $3) AND ($4::text IS NULL OR reason = $4)
        ORDER BY id DESC LIMIT $5");

    /// The same with what arrived, oldest first.
    OLDEST_QUARANTINED = concat!("SELECT ", quarantine_columns!(), ", headers, body FROM quarantine
        WHERE id >= $1 AND id < $2 AND ($3::text IS NULL OR source = $3) AND ($4::text IS NULL OR reason = $4)
        ORDER BY id LIMIT $5");

    /// How much of each source is in quarantine.
    IN_QUARANTINE = r"
        SELECT source, count(*) FILTER (WHERE held) AS held, count(*) FILTER (WHERE NOT held) AS rejected
        FROM quarantine GROUP BY source ORDER BY source";

    /// One request in quarantine.
    QUARANTINED_REQUEST = concat!("SELECT ", quarantine_columns!(), ", headers, body FROM quarantine WHERE id = $1");

    /// Forgets requests in quarantine by name.
    FORGET_QUARANTINED = "DELETE FROM quarantine WHERE id = ANY ($1)";

    /// Forgets requests in quarantine by filter.
    EMPTY_QUARANTINE = r"
        DELETE FROM quarantine WHERE id IN (
            SELECT id FROM quarantine
            WHERE id >= $1 AND id < $2 AND ($3::text IS NULL OR source = $3) AND ($4::text IS NULL OR reason = $4)
            ORDER BY id LIMIT $5
        )";

    /// Keeps a token.
    ADD_TOKEN = r"
        INSERT INTO tokens (id, name, digest, role, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)";

    /// The token of a digest.
    TOKEN = concat!("SELECT ", token_columns!(), " FROM tokens WHERE digest = $1");

    /// All tokens.
    TOKENS = concat!("SELECT ", token_columns!(), " FROM tokens ORDER BY name");

    /// Forgets a token.
    REVOKE_TOKEN = "DELETE FROM tokens WHERE name = $1";

    /// One note.
    NOTE = "SELECT content, version, written_at FROM notes WHERE name = $1";

    /// The notes whose names lie between.
    NOTES_UNDER = "SELECT name, content, version, written_at FROM notes WHERE name >= $1 AND name < $2 ORDER BY name";

    /// Writes a note that is not there.
    ADD_NOTE = r"
        INSERT INTO notes (name, content, version, written_at) VALUES ($1, $2, $3 + 1, $4)
        ON CONFLICT (name) DO NOTHING";

    /// Writes a note that is.
    CHANGE_NOTE = r"
        UPDATE notes SET content = $2, version = version + 1, written_at = $4 WHERE name = $1 AND version = $3";

    /// Forgets a note.
    ERASE_NOTE = "DELETE FROM notes WHERE name = $1 AND version = $2";

    /// Leases a task, or prolongs the lease.
    LEASE_TASK = r"
        INSERT INTO tasks (name, lease, leased_until) VALUES ($1, $2, $4)
        ON CONFLICT (name) DO UPDATE SET lease = excluded.lease, leased_until = excluded.leased_until
        WHERE tasks.lease = excluded.lease OR tasks.leased_until <= $3";

    /// Takes down when tokens were last used. In the order of their identifiers: several processes write here, and two must
    /// not wait for each other.
    NOTE_TOKEN_USES = r"
        WITH locked AS MATERIALIZED (
            SELECT id FROM tokens WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE
        )
        UPDATE tokens SET last_used_at = greatest(tokens.last_used_at, used.at)
        FROM locked JOIN (
            SELECT id, max(at) AS at FROM unnest($1::uuid[], $2::timestamptz[]) AS noted (id, at) GROUP BY id
        ) AS used USING (id)
        WHERE tokens.id = locked.id";

    /// Adds to what is known of the use of secrets. In the order of their digests: several processes write here, and two
    /// must not wait for each other.
    NOTE_SECRET_USES = r"
        INSERT INTO secret_uses (secret, source, name, known_since, last_used_at, events)
        SELECT secret, max(source), max(name), min(known_since), max(last_used_at), sum(events)
        FROM unnest($1::bytea[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::bigint[])
            AS used (secret, source, name, known_since, last_used_at, events)
        GROUP BY secret ORDER BY secret
        ON CONFLICT (secret) DO UPDATE SET
            name = excluded.name,
            known_since = least(secret_uses.known_since, excluded.known_since),
            last_used_at = greatest(secret_uses.last_used_at, excluded.last_used_at),
            events = secret_uses.events + excluded.events";

    /// How all secrets were used.
    SECRET_USES = "SELECT secret, source, name, known_since, last_used_at, events FROM secret_uses";

    /// Whether writing is refused, as a standby does.
    IS_READ_ONLY = "SELECT current_setting('transaction_read_only')::boolean";
}

#[cfg(test)]
mod tests {
    use sqlx::{AssertSqlSafe, Executor, Row, SqlSafeStr};

    #[tokio::test]
    async fn every_statement_fits_the_schema() {
        let url = super::super::test_database::fresh_postgres_database().await;
        let store = super::super::PostgresStore::connect(&url, 1).await.unwrap();
        let mut connection = store.working.acquire().await.unwrap();
        for (name, sql) in super::ALL
            .iter()
            .chain(super::mirror::ALL)
            .chain(super::forgetting::ALL)
            .chain(super::moving::ALL)
        {
            if let Err(error) = connection.prepare(sql.into_sql_str()).await {
                panic!("{name}: {error}");
            }
        }
    }

    /// Planned while nothing is open, which is what a quiet hour leaves behind, it serves the burst that follows.
    #[tokio::test]
    async fn a_settlement_looks_its_deliveries_up_by_their_names_whatever_it_was_planned_for() {
        let url = super::super::test_database::fresh_postgres_database().await;
        let store = super::super::PostgresStore::connect(&url, 1).await.unwrap();
        let mut connection = store.working.acquire().await.unwrap();
        let filled =
            "INSERT INTO deliveries (id, event_id, handler, ordering_key, state, opened_at, settled_at)
            SELECT gen_random_uuid(), gen_random_uuid(), 'crm', n::text, 'done', 'epoch', 'epoch'
            FROM generate_series(1, 20000) AS n";
        for statement in [filled, "ANALYZE deliveries"] {
            sqlx::query(statement).execute(&mut *connection).await.unwrap();
        }
        for (sql, values) in [(super::SETTLE, 17), (super::REPLAY, 2)] {
            let nulls = vec!["NULL"; values].join(", ");
            let steps = format!("PREPARE asked AS {sql}; EXPLAIN EXECUTE asked ({nulls}); DEALLOCATE asked");
            let rows = sqlx::raw_sql(AssertSqlSafe(steps)).fetch_all(&mut *connection).await.unwrap();
            let plan: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
            let plan = plan.join("\n");
            assert!(plan.contains("deliveries_pkey") && !plan.contains("deliveries_open"), "{plan}");
        }
    }

    /// Whatever is stored, and however much waits in one queue: a look at each queue is a look at its first delivery.
    #[tokio::test]
    async fn what_is_open_longest_is_found_by_one_look_at_each_queue() {
        let url = super::super::test_database::fresh_postgres_database().await;
        let store = super::super::PostgresStore::connect(&url, 1).await.unwrap();
        let mut connection = store.readers().unwrap().acquire().await.unwrap();
        let filled =
            "INSERT INTO deliveries (id, event_id, handler, ordering_key, state, opened_at, settled_at)
            SELECT gen_random_uuid(), gen_random_uuid(), 'crm', 'a', state, 'epoch', settled_at
            FROM generate_series(1, 10000),
                (VALUES ('done', 'epoch'::timestamptz), ('pending', NULL)) AS kinds (state, settled_at)";
        let queue =
            "INSERT INTO queues (handler, ordering_key, pending, due_at) VALUES ('crm', 'a', 10000, 'epoch')";
        for statement in [filled, queue, "ANALYZE"] {
            sqlx::query(statement).execute(&mut *connection).await.unwrap();
            let explained = AssertSqlSafe(format!("EXPLAIN {}", super::OLDEST_OPEN));
            let rows = sqlx::raw_sql(explained).fetch_all(&mut *connection).await.unwrap();
            let plan: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
            let plan = plan.join("\n");
            assert!(plan.contains("Limit") && plan.contains("Index Scan using deliveries_open"), "{plan}");
        }
    }
}
