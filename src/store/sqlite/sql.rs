//! Every statement for SQLite. None reads a clock.
//!
//! There is one writer, and every transaction that writes is [`BEGIN`]'s: whatever it reads stays true until it commits.

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

/// The columns of a token.
macro_rules! token_columns {
    () => {
        "id, name, digest, role, created_at, expires_at, last_used_at"
    };
}

/// The columns of a request in quarantine. The length of a body is known without reading it.
macro_rules! quarantine_columns {
    () => {
        "id, source, received_at, reason, held, length(body) AS size"
    };
}

/// A page of events. A condition that is written out finds its index; one that may be missing never does, since SQLite
/// plans before it knows the values.
macro_rules! events_where {
    ($condition:literal) => {
        concat!(
            "SELECT ",
            event_columns!(),
            " FROM events WHERE ",
            $condition,
            "
            AND id >= ?1 AND id < ?2
            AND (?3 IS NULL OR event_type GLOB ?3)
            AND (?4 IS NULL OR source = ?4)
            AND (?5 IS NULL OR location_uid = ?5)
            AND (?6 IS NULL OR conversation_uid = ?6)
            ORDER BY id DESC LIMIT ?7"
        )
    };
}

/// What a [`DeliveryFilter`](crate::model::DeliveryFilter) asks of a delivery and its event, as `map::narrowed` binds it. The
/// plus keeps the planner from an index over the events of all time.
macro_rules! delivery_fits {
    () => {
        "(?1 IS NULL OR deliveries.event_id = ?1)
            AND (?2 IS NULL OR deliveries.state = ?2)
            AND (?3 IS NULL OR deliveries.handler = ?3)
            AND (?4 IS NULL OR events.event_type GLOB ?4)
            AND (?5 IS NULL OR events.source = ?5)
            AND (?6 IS NULL OR events.location_uid = ?6)
            AND (?7 IS NULL OR events.conversation_uid = ?7)
            AND +deliveries.event_id >= ?8 AND +deliveries.event_id < ?9"
    };
}

/// The columns of a replay.
macro_rules! replay_columns {
    () => {
        "id, filter, rate, created_at, created_by, matched, replayed, state, ended_at"
    };
}

/// How many closed deliveries there are, of those for which the condition is written out.
macro_rules! count_closed_where {
    ($condition:literal) => {
        concat!(
            "SELECT count(*) FROM deliveries JOIN events ON events.id = deliveries.event_id WHERE ",
            $condition,
            " AND deliveries.settled_at <= ?10 AND ",
            delivery_fits!()
        )
    };
}

/// The next deliveries that a replay looks at, and whether each is wanted.
macro_rules! next_of_replay_where {
    ($condition:literal) => {
        concat!(
            "SELECT deliveries.id, deliveries.state <> 'pending' AND deliveries.settled_at <= ?10 AND ",
            delivery_fits!(),
            " AS is_wanted
            FROM deliveries JOIN events ON events.id = deliveries.event_id
            WHERE deliveries.id > ?11 AND ",
            $condition,
            " ORDER BY deliveries.id LIMIT ?12"
        )
    };
}

/// A page of deliveries, in the same way.
macro_rules! deliveries_where {
    ($condition:literal) => {
        concat!(
            "SELECT ",
            delivery_columns!(),
            "
            FROM deliveries JOIN events ON events.id = deliveries.event_id WHERE ",
            $condition,
            " AND deliveries.id < ?10 AND ",
            delivery_fits!(),
            " ORDER BY deliveries.id DESC LIMIT ?11"
        )
    };
}

/// Queues that are due, in the order in which they became so or the other way round.
macro_rules! due {
    ($condition:literal, $direction:literal, $limit:literal) => {
        concat!(
            "SELECT ordering_key FROM queues
            WHERE handler = ?1 AND due_at >= ?3 AND due_at <= ?2 AND parked_by IS NULL
                AND (lease IS NULL OR leased_until <= ?2)
                AND NOT EXISTS (SELECT 1 FROM paused_handlers WHERE paused_handlers.handler = ?1)
                AND ",
            $condition,
            " ORDER BY due_at ",
            $direction,
            " LIMIT ",
            $limit
        )
    };
}

/// Leases the first of them.
macro_rules! lease {
    ($condition:literal, $direction:literal) => {
        concat!(
            "UPDATE queues SET lease = ?5, leased_until = ?4, lost = lost + (lease IS NOT NULL)
            WHERE handler = ?1 AND ordering_key IN (",
            due!($condition, $direction, "?6"),
            ")
            RETURNING ordering_key, due_at, lost"
        )
    };
}

pub(super) mod forgetting;
pub(super) mod mirror;
pub(super) mod moving;

statements! {
    /// The migrations that the database has, with their names.
    APPLIED_MIGRATIONS = "SELECT version, description FROM _sqlx_migrations ORDER BY version";

    /// Takes the right to write at once. A plain BEGIN takes it at the first write, and fails at once when another
    /// wrote since the first read.
    BEGIN = "BEGIN IMMEDIATE";

    /// The events that have these keys, which come as in CONTENTS.
    KNOWN_KEYS = r"
        SELECT dedup_key, id FROM events WHERE dedup_key IN (SELECT unhex(value) FROM json_each(?1))";

    /// New events with all that follows from them: ledger lines, what arrived, what is to be mirrored, queues that grow, deliveries. Five statements
    /// that are sent as one; ?1 is `batch::NewEvents`, ?2 the bytes of headers and bodies. None leaves out a parameter
    /// that is below one it has: sqlx would give it another's value, or the rest none.
    ///
    /// Elements of `jsonb_each` are parsed already, those of `json_each` are a text again, to be parsed for each row. Bytes
    /// cut from none would be NULL. A queue that exists only grows: its `due_at` may be a retry's wait. AUTOINCREMENT
    /// never gives a position twice, and there is one writer: the order of positions is the order of commits, and within
    /// one that of the batch, for rows are inserted in the order in which they are selected.
    ACCEPT = r"
        INSERT INTO events (id, dedup_key, source, event_type, event_uid, subject_uid, conversation_uid, contact_uid,
            location_uid, organization_uid, occurred_at, received_at, verified_by, decode_error, origin)
        SELECT unhex(value ->> 0), unhex(value ->> 1), value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6,
            value ->> 7, value ->> 8, value ->> 9, value ->> 10, value ->> 11, value ->> 12, value ->> 13, value ->> 14
        FROM jsonb_each(?1, '$.events');

        INSERT INTO event_bodies (event_id, headers, body)
        SELECT unhex(value ->> 0), CAST(substr(?2, value ->> 1, value ->> 2) AS TEXT),
            coalesce(substr(?2, (value ->> 1) + (value ->> 2), value ->> 3), x'')
        FROM jsonb_each(?1, '$.contents');

        INSERT INTO mirror_inbox (event_id) SELECT unhex(value ->> 0) FROM jsonb_each(?1, '$.contents');

        INSERT INTO queues (handler, ordering_key, pending, due_at)
        SELECT value ->> 2, value ->> 3, 1, value ->> 4 FROM jsonb_each(?1, '$.deliveries') WHERE TRUE ORDER BY key
        ON CONFLICT (handler, ordering_key) DO UPDATE SET pending = pending + 1;

        INSERT INTO deliveries (id, event_id, handler, ordering_key, state, opened_at)
        SELECT unhex(value ->> 0), unhex(value ->> 1), value ->> 2, value ->> 3, 'pending', value ->> 4
        FROM jsonb_each(?1, '$.deliveries') ORDER BY key";

    /// One more for a queue. One that exists only grows.
    GROW_QUEUE = r"
        INSERT INTO queues (handler, ordering_key, pending, due_at) VALUES (?1, ?2, 1, ?3)
        ON CONFLICT (handler, ordering_key) DO UPDATE SET pending = pending + 1";

    /// Whether any queue is due.
    IS_DUE = concat!("SELECT EXISTS (", due!("TRUE", "", "1"), ")");
    /// The same, of those that do not wait to be tried again.
    IS_DUE_NEWS = concat!("SELECT EXISTS (", due!("is_retrying = 0", "", "1"), ")");

    /// Leases queues that are due, longest first, unless their handler is paused. One whose lease has ended unsettled has
    /// lost it once more. The rows come in any order.
    LEASE = lease!("TRUE", "");
    /// The same, of those that do not wait to be tried again, and those that became due last first.
    LEASE_NEWS = lease!("is_retrying = 0", "DESC");

    /// Ends leases that are still held and that nobody will work on. The queues come as a JSON array of ordering keys.
    GIVE_BACK = r"
        UPDATE queues SET lease = NULL, leased_until = NULL
        WHERE handler = ?1 AND ordering_key IN (SELECT value FROM json_each(?2)) AND lease = ?3";

    /// When a queue is due that nobody has leased.
    NEXT_DUE = r"
        SELECT due_at FROM queues
        WHERE handler = ?1 AND due_at >= ?2 AND parked_by IS NULL AND lease IS NULL
            AND NOT EXISTS (SELECT 1 FROM paused_handlers WHERE paused_handlers.handler = ?1)
        ORDER BY due_at LIMIT 1";

    /// The first open deliveries of leased queues, whose ordering keys come as a JSON array, with all that a handler needs.
    /// The order is made by who asked: a sorter would take whole bodies along. Bodies that are larger than ?4 are left out: how
    /// large they are is known without reading them.
    OPEN_DELIVERIES = concat!("SELECT leased.key AS nth, deliveries.position, ", delivery_columns!(), ", ", event_columns!(), ", event_bodies.headers,
            length(event_bodies.body) AS size, CASE WHEN length(event_bodies.body) <= ?4 THEN event_bodies.body END AS body
        FROM json_each(?2) AS leased
        CROSS JOIN deliveries ON deliveries.position IN (
            SELECT open.position FROM deliveries AS open
            WHERE open.handler = ?1 AND open.ordering_key = leased.value AND open.state = 'pending'
            ORDER BY open.position LIMIT ?3
        )
        CROSS JOIN events ON events.id = deliveries.event_id
        CROSS JOIN event_bodies ON event_bodies.event_id = deliveries.event_id");

    /// Moves the end of leases that are still held; they come as `batch::leases` has them.
    RENEW = r"
        UPDATE queues SET leased_until = ?2
        WHERE (handler, ordering_key, lease) IN (
            SELECT value ->> 0, value ->> 1, unhex(value ->> 2) FROM jsonb_each(?1)
        )
        RETURNING handler, ordering_key, lease";

    /// Which leases are not held any more, of those that come as `batch::leases` has them: usually none.
    LOST = r"
        SELECT key AS nth FROM jsonb_each(?1)
        WHERE NOT EXISTS (
            SELECT 1 FROM queues WHERE handler = value ->> 0 AND ordering_key = value ->> 1 AND lease = unhex(value ->> 2)
        )";

    /// Writes settlements whose leases are held, no queue twice: attempts, what is left of the queues, what became of the
    /// deliveries. Four statements that are sent as one; ?1 is `batch::Settlements`.
    ///
    /// Only a delivery counts that is open, and of the queue. Once its attempt is there, that tells it from others: its number
    /// is one more than the delivery has counted, until the last statement counts it. A queue that has something left, or
    /// is parked, loses its lease; the one that still has it then has nothing left. The pluses keep the planner from
    /// reading all that is open of a queue to find what was tried.
    SETTLE = r"
        INSERT INTO attempts (delivery_id, number, started_at, duration_us, outcome, status, output, error)
        SELECT deliveries.id, deliveries.attempts + 1, value ->> 5, value ->> 6, value ->> 7, value ->> 8, value ->> 9, value ->> 10
        FROM jsonb_each(?1, '$.attempts') AS tried
        CROSS JOIN deliveries ON deliveries.id = unhex(value ->> 2) AND +deliveries.state = 'pending'
            AND +deliveries.handler = value ->> 0 AND +deliveries.ordering_key = value ->> 1;

        UPDATE queues SET pending = pending - closed, due_at = ended.due_at, lease = NULL, leased_until = NULL,
            lost = iif(untouched, lost, 0), parked_by = parked_by_its,
            is_retrying = iif(untouched, is_retrying, retries)
        FROM (
            SELECT value ->> 0 AS handler, value ->> 1 AS ordering_key, value ->> 3 AS due_at,
                unhex(value ->> 4) AS parked_by_its, value ->> 5 AS untouched, value ->> 6 AS retries,
                coalesce(number, 0) AS closed
            FROM jsonb_each(?1, '$.queues') AS ended
            LEFT JOIN (
                SELECT deliveries.handler, deliveries.ordering_key, count(*) AS number
                FROM jsonb_each(?1, '$.attempts') AS tried
                CROSS JOIN deliveries ON deliveries.id = unhex(value ->> 2)
                    AND +deliveries.handler = value ->> 0 AND +deliveries.ordering_key = value ->> 1
                CROSS JOIN attempts ON attempts.delivery_id = deliveries.id AND attempts.number = deliveries.attempts + 1
                WHERE value ->> 3 <> 'pending'
                GROUP BY deliveries.handler, deliveries.ordering_key
            ) AS closed ON closed.handler = value ->> 0 AND closed.ordering_key = value ->> 1
        ) AS ended
        WHERE queues.handler = ended.handler AND queues.ordering_key = ended.ordering_key
            AND (pending > closed OR parked_by_its IS NOT NULL);

        DELETE FROM queues WHERE (handler, ordering_key, lease) IN (
            SELECT value ->> 0, value ->> 1, unhex(value ->> 2) FROM jsonb_each(?1, '$.queues')
        );

        UPDATE deliveries SET
            state = value ->> 3,
            attempts = attempts + 1,
            failures = failures + (value ->> 7 <> 'done'),
            settled_at = value ->> 4
        FROM jsonb_each(?1, '$.attempts') AS tried
        WHERE deliveries.id = unhex(value ->> 2)
            AND +deliveries.handler = value ->> 0 AND +deliveries.ordering_key = value ->> 1
            AND EXISTS (
                SELECT 1 FROM attempts WHERE attempts.delivery_id = deliveries.id AND attempts.number = deliveries.attempts + 1
            )";

    /// Reads the file, as little of it as can be.
    ANYTHING = "SELECT EXISTS (SELECT 1 FROM queues)";

    /// Opens a closed delivery. It keeps its position.
    REOPEN = r"
        UPDATE deliveries SET state = 'pending', failures = 0, opened_at = ?2, settled_at = NULL, note = NULL
        WHERE id = ?1 AND state <> 'pending'
        RETURNING handler, ordering_key";

    /// Makes the queue of an open delivery due. A leased queue's settlement says when it is.
    HASTEN = r"
        UPDATE queues SET due_at = min(due_at, ?2), is_retrying = 0
        WHERE lease IS NULL AND (handler, ordering_key) =
            (SELECT handler, ordering_key FROM deliveries WHERE id = ?1 AND state = 'pending')";

    /// Lets a queue go on that was parked by this delivery.
    UNPARK = r"
        UPDATE queues SET parked_by = NULL, due_at = min(due_at, ?2)
        WHERE pending > 0 AND parked_by = ?1 AND (handler, ordering_key) =
            (SELECT handler, ordering_key FROM deliveries WHERE id = ?1)";

    /// Ends a queue that was parked by this delivery and has nothing left.
    END_PARKED = r"
        DELETE FROM queues
        WHERE pending = 0 AND parked_by = ?1 AND (handler, ordering_key) =
            (SELECT handler, ordering_key FROM deliveries WHERE id = ?1)";

    /// Calls a dead delivery done.
    RESOLVE = "UPDATE deliveries SET state = 'done', settled_at = ?2, note = ?3 WHERE id = ?1 AND state = 'dead'";

    /// Keeps a new replay.
    ADD_REPLAY = r"
        INSERT INTO replays (id, filter, rate, created_at, created_by, matched, replayed, state, ended_at, reached)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";

    /// A page of replays.
    REPLAYS = concat!("SELECT ", replay_columns!(), " FROM replays WHERE id < ?1 ORDER BY id DESC LIMIT ?2");

    /// One replay.
    ONE_REPLAY = concat!("SELECT ", replay_columns!(), " FROM replays WHERE id = ?1");

    /// Calls off a replay that is running.
    CANCEL_REPLAY = r"
        UPDATE replays SET state = 'cancelled', ended_at = ?2, lease = NULL, leased_until = NULL
        WHERE id = ?1 AND state = 'running'";

    /// Whether there is a replay to work on.
    IS_REPLAYING = "SELECT EXISTS (SELECT 1 FROM replays WHERE state = 'running')";

    /// Leases replays that are free, and prolongs one's own.
    LEASE_REPLAYS = concat!("UPDATE replays SET lease = ?1, leased_until = ?3
        WHERE state = 'running' AND (lease IS NULL OR lease = ?1 OR leased_until <= ?2)
        RETURNING ", replay_columns!());

    /// A replay that is leased, and how far it is.
    LEASED_REPLAY = concat!("SELECT ", replay_columns!(), ", reached FROM replays
        WHERE id = ?1 AND lease = ?2 AND state = 'running'");

    /// What a replay looks at next: dead deliveries, or all.
    NEXT_DEAD = next_of_replay_where!("deliveries.state = 'dead'");
    /// See [`NEXT_DEAD`].
    NEXT = next_of_replay_where!("TRUE");

    /// Takes down how far a replay is.
    MOVE_REPLAY = r"
        UPDATE replays SET reached = ?2, replayed = replayed + ?3 WHERE id = ?1";

    /// Ends a replay that is through.
    END_REPLAY = r"
        UPDATE replays SET state = 'done', ended_at = ?2, lease = NULL, leased_until = NULL WHERE id = ?1";

    /// Ends the leases of replays of whoever served this file before.
    END_REPLAY_LEASES = "UPDATE replays SET lease = NULL, leased_until = NULL WHERE lease IS NOT NULL";

    /// Pauses a handler; one that is paused already stays so since then.
    PAUSE = "INSERT INTO paused_handlers (handler, paused_at) VALUES (?1, ?2) ON CONFLICT DO NOTHING";

    /// Resumes a handler.
    RESUME = "DELETE FROM paused_handlers WHERE handler = ?1";

    /// The handlers that are paused.
    PAUSED = "SELECT handler, paused_at FROM paused_handlers ORDER BY handler";

    /// Pages of events: all, those of a conversation, those of a location.
    EVENTS = events_where!("TRUE");
    /// See [`EVENTS`].
    EVENTS_OF_CONVERSATION = events_where!("conversation_uid = ?6");
    /// See [`EVENTS`].
    EVENTS_OF_LOCATION = events_where!("location_uid = ?5");

    /// One event.
    EVENT = concat!("SELECT ", event_columns!(), " FROM events WHERE id = ?1");

    /// What arrived with events; their identifiers come as a JSON array of hexadecimal texts.
    CONTENTS = r"
        SELECT event_id, headers, body FROM event_bodies
        WHERE event_id IN (SELECT unhex(value) FROM json_each(?1))";

    /// Pages of deliveries: all, those of an event, of a conversation, those that are open, those that wait for a person.
    DELIVERIES = deliveries_where!("TRUE");
    /// See [`DELIVERIES`].
    DELIVERIES_OF_EVENT = deliveries_where!("deliveries.event_id = ?1");
    /// See [`DELIVERIES`].
    DELIVERIES_OF_CONVERSATION = deliveries_where!("events.conversation_uid = ?7");
    /// See [`DELIVERIES`].
    PENDING_DELIVERIES = deliveries_where!("deliveries.state = 'pending'");
    /// See [`DELIVERIES`].
    DEAD_DELIVERIES = deliveries_where!("deliveries.state = 'dead'");

    /// How many deliveries wait for a person, and how many are closed.
    COUNT_DEAD = count_closed_where!("deliveries.state = 'dead'");
    /// See [`COUNT_DEAD`].
    COUNT_CLOSED = count_closed_where!("deliveries.state <> 'pending'");

    /// How a queue stands.
    QUEUE = "SELECT pending, due_at, parked_by FROM queues WHERE handler = ?1 AND ordering_key = ?2";

    /// One delivery.
    DELIVERY = concat!("SELECT ", delivery_columns!(), " FROM deliveries JOIN events ON events.id = deliveries.event_id
        WHERE deliveries.id = ?1");

    /// The attempts of a delivery.
    ATTEMPTS = r"
        SELECT number, started_at, duration_us, outcome, status, output, error
        FROM attempts WHERE delivery_id = ?1 ORDER BY number";

    /// Adds to what a handler has been doing. With NULL, `max` has no answer.
    NOTE_ACTIVITY = r"
        INSERT INTO handler_activity (slot, handler, done, failed, failing_until) VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT (slot, handler) DO UPDATE SET
            done = done + excluded.done,
            failed = failed + excluded.failed,
            failing_until = coalesce(max(failing_until, excluded.failing_until), failing_until, excluded.failing_until)";

    /// Forgets what handlers were doing.
    FORGET_ACTIVITY = "DELETE FROM handler_activity WHERE slot < ?1";

    /// What handlers have been doing.
    ACTIVITY = r"
        SELECT handler, sum(done) AS done, sum(failed) AS failed, max(failing_until) AS failing_until
        FROM handler_activity WHERE slot >= ?1 GROUP BY handler ORDER BY handler";

    /// Ends the leases of whoever served this file before, and lost them.
    END_LEASES = r"
        UPDATE queues SET lease = NULL, leased_until = NULL, lost = lost + 1 WHERE lease IS NOT NULL";

    /// The open deliveries of each handler: their queues know how many they are.
    BACKLOG = r"
        SELECT handler, coalesce(open, 0) AS open, coalesce(parked, 0) AS parked, coalesce(dead, 0) AS dead, oldest_due_at
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
        FROM (
            SELECT handler, (
                SELECT opened_at FROM deliveries
                WHERE state = 'pending' AND handler = queues.handler AND ordering_key = queues.ordering_key
                ORDER BY position LIMIT 1
            ) AS opened_at
            FROM queues WHERE parked_by IS NULL
        )
        WHERE opened_at IS NOT NULL GROUP BY handler ORDER BY handler";

    /// What each source holds already, without these, whose identifiers come as in CONTENTS.
    HELD_BEFORE = r"
        SELECT source, count(*) AS requests, sum(weight) AS bytes FROM quarantine
        WHERE held = 1 AND id NOT IN (SELECT unhex(value) FROM json_each(?1)) GROUP BY source";

    /// Keeps a request that failed verification.
    QUARANTINE = r"
        INSERT INTO quarantine (id, source, received_at, reason, held, weight, headers, body)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
        ON CONFLICT DO NOTHING";

    /// Drops the oldest of what was merely rejected, until the rest fits. Answers with what was dropped.
    MAKE_ROOM = r"
        DELETE FROM quarantine WHERE id IN (
            SELECT id FROM (
                SELECT id, row_number() OVER down_to AS nth, sum(weight) OVER down_to AS total
                FROM quarantine WHERE held = 0 WINDOW down_to AS (ORDER BY id DESC)
            )
            WHERE nth > ?1 OR total > ?2
        )
        RETURNING id";

    /// A page of what is in quarantine.
    QUARANTINED = concat!("SELECT ", quarantine_columns!(), " FROM quarantine
        WHERE id >= ?1 AND id < ?2 AND (?3 IS NULL OR source = ?3) AND (?4 IS NULL OR reason = ?4)
        ORDER BY id DESC LIMIT ?5");

    /// The same with what arrived, oldest first.
    OLDEST_QUARANTINED = concat!("SELECT ", quarantine_columns!(), ", headers, body FROM quarantine
        WHERE id >= ?1 AND id < ?2 AND (?3 IS NULL OR source = ?3) AND (?4 IS NULL OR reason = ?4)
        ORDER BY id LIMIT ?5");

    /// How much of each source is in quarantine.
    IN_QUARANTINE = r"
        SELECT source, count(*) FILTER (WHERE held) AS held, count(*) FILTER (WHERE NOT held) AS rejected
        FROM quarantine GROUP BY source ORDER BY source";

    /// One request in quarantine.
    QUARANTINED_REQUEST = concat!("SELECT ", quarantine_columns!(), ", headers, body FROM quarantine WHERE id = ?1");

    /// Forgets requests in quarantine by name.
    FORGET_QUARANTINED = "DELETE FROM quarantine WHERE id IN (SELECT unhex(value) FROM json_each(?1))";

    /// Forgets requests in quarantine by filter.
    EMPTY_QUARANTINE = r"
        DELETE FROM quarantine WHERE id IN (
            SELECT id FROM quarantine
            WHERE id >= ?1 AND id < ?2 AND (?3 IS NULL OR source = ?3) AND (?4 IS NULL OR reason = ?4)
            ORDER BY id LIMIT ?5
        )";

    /// Keeps a token.
    ADD_TOKEN = r"
        INSERT INTO tokens (id, name, digest, role, created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

    /// The token of a digest.
    TOKEN = concat!("SELECT ", token_columns!(), " FROM tokens WHERE digest = ?1");

    /// All tokens.
    TOKENS = concat!("SELECT ", token_columns!(), " FROM tokens ORDER BY name");

    /// Forgets a token.
    REVOKE_TOKEN = "DELETE FROM tokens WHERE name = ?1";

    /// One note.
    NOTE = "SELECT content, version, written_at FROM notes WHERE name = ?1";

    /// The notes whose names lie between.
    NOTES_UNDER = "SELECT name, content, version, written_at FROM notes WHERE name >= ?1 AND name < ?2 ORDER BY name";

    /// Writes a note that is not there.
    ADD_NOTE = r"
        INSERT INTO notes (name, content, version, written_at) VALUES (?1, ?2, ?3 + 1, ?4)
        ON CONFLICT (name) DO NOTHING";

    /// Writes a note that is.
    CHANGE_NOTE = r"
        UPDATE notes SET content = ?2, version = version + 1, written_at = ?4 WHERE name = ?1 AND version = ?3";

    /// Forgets a note.
    ERASE_NOTE = "DELETE FROM notes WHERE name = ?1 AND version = ?2";

    /// Leases a task, or prolongs the lease.
    LEASE_TASK = r"
        INSERT INTO tasks (name, lease, leased_until) VALUES (?1, ?2, ?4)
        ON CONFLICT (name) DO UPDATE SET lease = excluded.lease, leased_until = excluded.leased_until
        WHERE tasks.lease = excluded.lease OR tasks.leased_until <= ?3";

    /// Takes down when a token was last used. With NULL, `max` has no answer.
    NOTE_TOKEN_USE = "UPDATE tokens SET last_used_at = max(coalesce(last_used_at, ?2), ?2) WHERE id = ?1";

    /// Adds to what is known of the use of a secret. With NULL, `max` has no answer.
    NOTE_SECRET_USE = r"
        INSERT INTO secret_uses (secret, source, name, known_since, last_used_at, events)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        ON CONFLICT (secret) DO UPDATE SET
            name = excluded.name,
            known_since = min(known_since, excluded.known_since),
            last_used_at = coalesce(max(last_used_at, excluded.last_used_at), last_used_at, excluded.last_used_at),
            events = events + excluded.events";

    /// How all secrets were used.
    SECRET_USES = "SELECT secret, source, name, known_since, last_used_at, events FROM secret_uses";
}

#[cfg(test)]
mod tests {
    use sqlx::{Executor, SqlSafeStr};

    #[tokio::test]
    async fn every_statement_fits_the_schema() {
        let folder = tempfile::tempdir().unwrap();
        let store = super::super::SqliteStore::open(&folder.path().join("lectern.db")).await.unwrap();
        let mut connection = store.writer.acquire().await.unwrap();
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
}
