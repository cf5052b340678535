//! The statements of forgetting, by age and by name.

use crate::store::statements::statements;

statements! {
    /// Where the deliveries end at which a step looks, if there are more.
    WINDOW_OF_DELIVERIES = r"
        SELECT event_id FROM deliveries WHERE event_id >= $1 AND event_id < $2 ORDER BY event_id LIMIT 1 OFFSET $3";

    /// Forgets closed deliveries of old events, with their attempts, but for those for whose sake a queue waits. One that is opened
    /// again at the same moment stays. Answers with their events.
    FORGET_DELIVERIES = r"
        WITH old AS (
            SELECT id FROM deliveries
            WHERE event_id >= $1 AND event_id < $2 AND state <> 'pending' AND NOT EXISTS (
                SELECT FROM queues
                WHERE queues.handler = deliveries.handler AND queues.ordering_key = deliveries.ordering_key
                    AND queues.parked_by = deliveries.id
            )
            ORDER BY event_id LIMIT $3 FOR UPDATE SKIP LOCKED
        ), closed AS (
            DELETE FROM deliveries USING old WHERE deliveries.id = old.id AND deliveries.state <> 'pending'
            RETURNING deliveries.id, deliveries.event_id
        ), tried AS (
            DELETE FROM attempts USING closed WHERE attempts.delivery_id = closed.id
        )
        SELECT event_id FROM closed";

    /// Where the events end at which a step looks, if there are more.
    WINDOW_OF_EVENTS = "SELECT id FROM events WHERE id >= $1 AND id < $2 ORDER BY id LIMIT 1 OFFSET $3";

    /// Forgets old events that have neither deliveries, of which there is then none to be opened again, nor a body.
    FORGET_EVENTS = r"
        WITH old AS (
            SELECT id FROM events
            WHERE id >= $1 AND id < $2
                AND NOT EXISTS (SELECT FROM deliveries WHERE deliveries.event_id = events.id)
                AND NOT EXISTS (SELECT FROM event_bodies WHERE event_bodies.event_id = events.id)
            ORDER BY id LIMIT $3 FOR UPDATE SKIP LOCKED
        ), unmirrored AS (
            DELETE FROM mirror_inbox USING old WHERE mirror_inbox.event_id = old.id
        ), skipped AS (
            DELETE FROM mirror_skipped USING old WHERE mirror_skipped.event_id = old.id
        ), told_of AS (
            DELETE FROM resource_events USING old WHERE resource_events.event_id = old.id
        ), fed AS (
            DELETE FROM feed USING old WHERE feed.event_id = old.id
        )
        DELETE FROM events USING old WHERE events.id = old.id RETURNING events.id";

    /// Where the requests in quarantine end at which a step looks, if there are more.
    WINDOW_OF_QUARANTINE = "SELECT id FROM quarantine WHERE id >= $1 AND id < $2 ORDER BY id LIMIT 1 OFFSET $3";

    /// Forgets old requests in quarantine. Those that are held were answered 200: whatever their age, they are a person's to decide on.
    FORGET_OLD_QUARANTINED = r"
        DELETE FROM quarantine WHERE id IN (
            SELECT id FROM quarantine
            WHERE id >= $1 AND id < $2 AND NOT held ORDER BY id LIMIT $3 FOR UPDATE SKIP LOCKED
        ) RETURNING id";

    /// How many deliveries belong to old events.
    COUNT_OLD_DELIVERIES = "SELECT count(*) FROM deliveries WHERE event_id < $1";
    /// How many bodies are old.
    COUNT_OLD_BODIES = "SELECT count(*) FROM event_bodies WHERE event_id < $1";
    /// How many events are old.
    COUNT_OLD_EVENTS = "SELECT count(*) FROM events WHERE id < $1";
    /// How many requests in quarantine are old.
    COUNT_OLD_QUARANTINED = "SELECT count(*) FROM quarantine WHERE id < $1";

    /// Forgets the closed deliveries of these events, of those that nobody is owed any more and no queue waits for, with their
    /// attempts. One that is opened again at the same moment stays.
    FORGET_DELIVERIES_OF = r"
        WITH closed AS (
            DELETE FROM deliveries
            WHERE event_id = ANY ($1) AND state <> 'pending' AND NOT EXISTS (
                SELECT FROM deliveries AS others LEFT JOIN queues USING (handler, ordering_key)
                WHERE others.event_id = deliveries.event_id
                    AND (others.state = 'pending' OR queues.parked_by = others.id)
            )
            RETURNING id
        )
        DELETE FROM attempts USING closed WHERE attempts.delivery_id = closed.id";

    /// Forgets what arrived with these events, of those that have no deliveries.
    FORGET_CONTENTS = r"
        WITH free AS (
            SELECT id FROM events
            WHERE id = ANY ($1) AND NOT EXISTS (SELECT FROM deliveries WHERE deliveries.event_id = events.id)
        ), bodies AS (
            DELETE FROM event_bodies USING free WHERE event_bodies.event_id = free.id
        ), skipped AS (
            DELETE FROM mirror_skipped USING free WHERE mirror_skipped.event_id = free.id
        )
        UPDATE events SET decode_error = 'it was erased'
        FROM free WHERE events.id = free.id AND decode_error IS NOT NULL";

    /// Which of these events are as they were.
    NOT_FORGOTTEN = r"
        SELECT event_id FROM unnest($1::uuid[]) AS wanted (event_id)
        WHERE EXISTS (SELECT FROM deliveries WHERE deliveries.event_id = wanted.event_id)
            OR EXISTS (SELECT FROM event_bodies WHERE event_bodies.event_id = wanted.event_id)";

    /// Whether there is a table for the bodies of a week, or none can be made: bodies of it are elsewhere already, or those that lie in no week
    /// are so many that to look through them, as is done for each new table, would take its time.
    HAS_WEEK = r"
        SELECT to_regclass($1) IS NOT NULL
            OR EXISTS (SELECT FROM event_bodies WHERE event_id >= $2 AND event_id < $3)
            OR (SELECT count(*) > 10000 FROM (SELECT FROM event_bodies_other LIMIT 10001) AS counted)";

    /// Whether bodies of a range are still needed: for a delivery, or to be mirrored.
    NEEDS_BODIES = r"
        SELECT EXISTS (SELECT FROM deliveries WHERE event_id >= $1 AND event_id < $2)
            OR EXISTS (SELECT FROM mirror_inbox WHERE event_id >= $1 AND event_id < $2)";

    /// Gives up what would have to wait for a lock, and what takes its time while it has one: whoever comes behind would wait, too.
    WAIT_BRIEFLY = "SELECT set_config('lock_timeout', '100ms', true), set_config('statement_timeout', '500ms', true)";

    /// Makes the asker the only one who makes tables for weeks, until the end of the transaction. Returns whether it is.
    LOCK_WEEKS = "SELECT pg_try_advisory_xact_lock(hashtext('lectern: tables of weeks'))";

    /// The tables of bodies all of which are below an identifier, the oldest first, with their bounds and about how many bodies each has. The
    /// first has no lower bound.
    OLD_WEEKS = r"
        SELECT name, first, upper AS end, greatest(bodies, 0) AS bodies
        FROM (
            SELECT relname::text AS name, reltuples::bigint AS bodies,
                substring(bounds FROM $$FROM \('([0-9a-f-]{36})'\)$$)::uuid AS first,
                substring(bounds FROM $$TO \('([0-9a-f-]{36})'\)$$)::uuid AS upper
            FROM pg_class JOIN pg_inherits ON inhrelid = pg_class.oid,
                LATERAL pg_get_expr(relpartbound, pg_class.oid) AS bounds
            WHERE inhparent = 'event_bodies'::regclass
        ) AS weeks
        WHERE upper <= $1 ORDER BY upper";

    /// The tables in which bodies lie that are not of one week: those of no week, and those that were there before there were weeks.
    MIXED_BODIES = r"
        SELECT name FROM unnest(ARRAY['event_bodies_before', 'event_bodies_other']) AS tables (name)
        WHERE to_regclass(name) IS NOT NULL";
}
