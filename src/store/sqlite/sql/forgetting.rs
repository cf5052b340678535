//! The statements of forgetting, by age and by name.

use crate::store::statements::statements;

statements! {
    /// Where the deliveries end at which a step looks, if there are more.
    WINDOW_OF_DELIVERIES = r"
        SELECT event_id FROM deliveries WHERE event_id >= ?1 AND event_id < ?2 ORDER BY event_id LIMIT 1 OFFSET ?3";
    /// Closed deliveries of old events, but for those for whose sake a queue waits, and their events.
    OLD_DELIVERIES = r"
        SELECT id, event_id FROM deliveries
        WHERE event_id >= ?1 AND event_id < ?2 AND +state <> 'pending' AND NOT EXISTS (
            SELECT 1 FROM queues
            WHERE queues.handler = deliveries.handler AND queues.ordering_key = deliveries.ordering_key
                AND queues.parked_by = deliveries.id
        )
        ORDER BY event_id LIMIT ?3";
    /// See [`WINDOW_OF_DELIVERIES`].
    WINDOW_OF_BODIES = r"
        SELECT event_id FROM event_bodies WHERE event_id >= ?1 AND event_id < ?2 ORDER BY event_id LIMIT 1 OFFSET ?3";
    /// Old bodies of events that have no deliveries and are mirrored.
    OLD_BODIES = r"
        SELECT event_id, event_id FROM event_bodies
        WHERE event_id >= ?1 AND event_id < ?2
            AND NOT EXISTS (SELECT 1 FROM deliveries WHERE deliveries.event_id = event_bodies.event_id)
            AND NOT EXISTS (SELECT 1 FROM mirror_inbox WHERE mirror_inbox.event_id = event_bodies.event_id)
        ORDER BY event_id LIMIT ?3";
    /// See [`WINDOW_OF_DELIVERIES`].
    WINDOW_OF_EVENTS = "SELECT id FROM events WHERE id >= ?1 AND id < ?2 ORDER BY id LIMIT 1 OFFSET ?3";
    /// Old events that have neither deliveries nor a body.
    OLD_EVENTS = r"
        SELECT id, id FROM events
        WHERE id >= ?1 AND id < ?2
            AND NOT EXISTS (SELECT 1 FROM deliveries WHERE deliveries.event_id = events.id)
            AND NOT EXISTS (SELECT 1 FROM event_bodies WHERE event_bodies.event_id = events.id)
        ORDER BY id LIMIT ?3";
    /// See [`WINDOW_OF_DELIVERIES`].
    WINDOW_OF_QUARANTINE = "SELECT id FROM quarantine WHERE id >= ?1 AND id < ?2 ORDER BY id LIMIT 1 OFFSET ?3";
    /// Old requests in quarantine. Those that are held were answered 200: whatever their age, they are a person's to decide on.
    OLD_QUARANTINED = r"
        SELECT id, id FROM quarantine WHERE id >= ?1 AND id < ?2 AND NOT held ORDER BY id LIMIT ?3";

    /// How many deliveries belong to old events.
    COUNT_OLD_DELIVERIES = "SELECT count(*) FROM deliveries WHERE event_id < ?1";
    /// How many bodies are old.
    COUNT_OLD_BODIES = "SELECT count(*) FROM event_bodies WHERE event_id < ?1";
    /// How many events are old.
    COUNT_OLD_EVENTS = "SELECT count(*) FROM events WHERE id < ?1";
    /// How many requests in quarantine are old.
    COUNT_OLD_QUARANTINED = "SELECT count(*) FROM quarantine WHERE id < ?1";

    /// Forgets the attempts of deliveries.
    FORGET_ATTEMPTS = "DELETE FROM attempts WHERE delivery_id IN (SELECT unhex(value) FROM json_each(?1))";
    /// Forgets deliveries.
    FORGET_DELIVERIES = "DELETE FROM deliveries WHERE id IN (SELECT unhex(value) FROM json_each(?1))";
    /// Forgets what arrived with events.
    FORGET_BODIES = "DELETE FROM event_bodies WHERE event_id IN (SELECT unhex(value) FROM json_each(?1))";
    /// Forgets that events are yet to be mirrored, gave no picture, tell of resources, are in the feed.
    FORGET_UNMIRRORED = "DELETE FROM mirror_inbox WHERE event_id IN (SELECT unhex(value) FROM json_each(?1))";
    /// See [`FORGET_UNMIRRORED`].
    FORGET_SKIPPED = "DELETE FROM mirror_skipped WHERE event_id IN (SELECT unhex(value) FROM json_each(?1))";
    /// See [`FORGET_UNMIRRORED`].
    FORGET_TOLD_BY = "DELETE FROM resource_events WHERE event_id IN (SELECT unhex(value) FROM json_each(?1))";
    /// See [`FORGET_UNMIRRORED`].
    FORGET_FED = "DELETE FROM feed WHERE event_id IN (SELECT unhex(value) FROM json_each(?1))";
    /// Forgets events.
    FORGET_EVENTS = "DELETE FROM events WHERE id IN (SELECT unhex(value) FROM json_each(?1))";

    /// Has what is deleted on this connection from now on overwritten.
    OVERWRITE = "PRAGMA secure_delete = ON";

    /// Which of these events have an open delivery, or one for whose sake a queue waits.
    EVENTS_THAT_STAY = r"
        SELECT DISTINCT event_id FROM deliveries LEFT JOIN queues USING (handler, ordering_key)
        WHERE event_id IN (SELECT unhex(value) FROM json_each(?1))
            AND (+state = 'pending' OR queues.parked_by = deliveries.id)";
    /// The deliveries of these events.
    DELIVERIES_OF = "SELECT id FROM deliveries WHERE event_id IN (SELECT unhex(value) FROM json_each(?1))";
    /// Forgets what the ledger says of bodies that could not be read.
    FORGET_WHAT_WAS_READ = r"
        UPDATE events SET decode_error = 'it was erased'
        WHERE id IN (SELECT unhex(value) FROM json_each(?1)) AND decode_error IS NOT NULL";

    /// Takes words out of the index that are deleted in it, and only marked so, by writing about so many pages of it anew. A first time, with
    /// the number below zero, has all of it written anew; further times go on with that.
    MERGE_WORDS = "INSERT INTO resource_words (resource_words, rank) VALUES ('merge', ?1)";
    /// What this connection has changed so far. A merge that had nothing to do adds less than two to it.
    CHANGES = "SELECT total_changes()";
    /// Takes all of the write-ahead log into the file, and leaves nothing of it. Its row says first whether somebody who reads kept it from that.
    EMPTY_LOG = "PRAGMA wal_checkpoint(TRUNCATE)";
}
