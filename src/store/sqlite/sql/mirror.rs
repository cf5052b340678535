//! The statements of the mirror, and of what it shows. Lists come in as JSON arrays.

use crate::store::statements::statements;

/// The columns of a resource.
macro_rules! resource_columns {
    () => {
        "resources.kind, resources.uid, resources.at, resources.conversation_uid, resources.contact_uid, \
         resources.location_uid, resources.organization_uid, resources.user_uid, resources.channel_type, \
         resources.channel_identifier, resources.direction, resources.status, resources.name, \
         resources.merged_into, resources.is_awaiting, resources.data, resources.first_at, resources.inbound, \
         resources.outbound, resources.last_message_uid"
    };
}

/// A page of resources: from where, and what is written out of the conditions. SQLite plans before it knows the values, and without
/// statistics: so the index is named, and the bounds of the page are always there.
macro_rules! resources_where {
    ($from:literal, $condition:literal) => {
        concat!(
            "SELECT ",
            resource_columns!(),
            " FROM ",
            $from,
            " WHERE kind = ?1 AND ",
            $condition,
            "
            AND (at, uid) < (?2, ?3) AND at >= ?4 AND at < ?5
            AND (?6 IS NULL OR conversation_uid = ?6)
            AND (?7 IS NULL OR contact_uid IN (SELECT value FROM json_each(?7)))
            AND (?8 IS NULL OR location_uid = ?8)
            AND (?9 IS NULL OR organization_uid = ?9)
            AND (?10 IS NULL OR user_uid = ?10)
            AND (?11 IS NULL OR channel_type = ?11)
            AND (?12 IS NULL OR channel_identifier = ?12)
            AND (?13 IS NULL OR direction = ?13)
            AND (?14 IS NULL OR status = ?14)
            AND (?15 IS NULL OR merged_into = ?15)
            AND (?16 IS NULL OR is_awaiting = ?16)"
        )
    };
}

/// The same, with words that are looked for among the rest, and in order.
macro_rules! resources_by {
    ($from:literal, $condition:literal) => {
        concat!(
            resources_where!($from, $condition),
            "
            AND (?17 IS NULL OR number IN (SELECT rowid FROM resource_words WHERE resource_words MATCH ?17))
            ORDER BY at DESC, uid DESC LIMIT ?18"
        )
    };
}

/// The newest message of a conversation, of those for which the condition is written out.
macro_rules! of_last_message {
    ($what:literal, $condition:literal) => {
        concat!(
            "(SELECT ",
            $what,
            " FROM resources AS messages WHERE messages.kind = 'message'
                AND messages.conversation_uid = resources.uid AND ",
            $condition,
            " ORDER BY messages.at DESC, messages.uid DESC LIMIT 1)"
        )
    };
}

statements! {
    /// Takes or prolongs the lease of the mirror.
    LEASE_MIRROR = r"
        UPDATE mirror_work SET lease = ?1, leased_until = ?3
        WHERE lease IS NULL OR lease = ?1 OR leased_until <= ?2";

    /// Ends the lease of whoever served this file before.
    END_MIRROR_LEASE = "UPDATE mirror_work SET lease = NULL, leased_until = NULL";

    /// The first events that are yet to be mirrored.
    UNMIRRORED = concat!("SELECT ", event_columns!(), ", length(event_bodies.body) AS size
        FROM mirror_inbox
        JOIN events ON events.id = mirror_inbox.event_id
        LEFT JOIN event_bodies ON event_bodies.event_id = mirror_inbox.event_id
        ORDER BY mirror_inbox.event_id LIMIT ?1");

    /// Whether the lease is still held.
    HOLD_MIRROR = "SELECT single FROM mirror_work WHERE lease = ?1";

    /// States of resources, unless a newer one is there. The state that is there is written once more: what is made of an event
    /// may be another today. Of a conversation, what MIRROR_TALKS works out stays. Answers with those that were written.
    MIRROR_STATES = r"
        INSERT INTO resources (kind, uid, version, event_id, at, conversation_uid, contact_uid, location_uid, organization_uid,
            user_uid, channel_type, channel_identifier, direction, status, name, merged_into, is_awaiting, data)
        SELECT value ->> 'kind', value ->> 'uid', unhex(value ->> 'version'), unhex(value ->> 'event_id'), value ->> 'at',
            value ->> 'conversation_uid', value ->> 'contact_uid', value ->> 'location_uid', value ->> 'organization_uid',
            value ->> 'user_uid', value ->> 'channel_type', value ->> 'channel_identifier', value ->> 'direction',
            value ->> 'status', value ->> 'name', value ->> 'merged_into', value ->> 'is_awaiting', value ->> 'data'
        FROM json_each(?1) WHERE TRUE
        ON CONFLICT (kind, uid) DO UPDATE SET
            version = excluded.version, event_id = excluded.event_id,
            at = iif(resources.kind = 'conversation', resources.at, excluded.at),
            conversation_uid = excluded.conversation_uid, contact_uid = excluded.contact_uid,
            location_uid = excluded.location_uid, organization_uid = excluded.organization_uid,
            user_uid = excluded.user_uid, channel_type = excluded.channel_type,
            channel_identifier = excluded.channel_identifier, direction = excluded.direction, status = excluded.status,
            name = excluded.name, merged_into = excluded.merged_into,
            is_awaiting = iif(resources.kind = 'conversation', resources.is_awaiting, excluded.is_awaiting),
            data = excluded.data
        WHERE resources.version <= excluded.version
        RETURNING number, kind, uid";

    /// Forgets the words of resources.
    FORGET_WORDS = "DELETE FROM resource_words WHERE rowid IN (SELECT value FROM json_each(?1))";

    /// Forgets resources, with their words and which events are behind them.
    FORGET_RESOURCES = r"
        DELETE FROM resources
        WHERE (kind, uid) IN (SELECT value ->> 'kind', value ->> 'uid' FROM json_each(?1))";
    /// See [`FORGET_RESOURCES`].
    FORGET_WORDS_OF = r"
        DELETE FROM resource_words WHERE rowid IN (
            SELECT number FROM json_each(?1) CROSS JOIN resources ON kind = value ->> 'kind' AND uid = value ->> 'uid'
        )";
    /// See [`FORGET_RESOURCES`].
    FORGET_EVENTS_OF = r"
        DELETE FROM resource_events
        WHERE (kind, uid) IN (SELECT value ->> 'kind', value ->> 'uid' FROM json_each(?1))";

    /// The words of resources by kind and uid.
    ADD_WORDS_OF = r"
        INSERT INTO resource_words (rowid, words)
        SELECT number, value ->> 'words'
        FROM json_each(?1) CROSS JOIN resources ON kind = value ->> 'kind' AND uid = value ->> 'uid'
        WHERE value ->> 'words' <> ''";

    /// The words of resources.
    ADD_WORDS = r"
        INSERT INTO resource_words (rowid, words)
        SELECT value ->> 'number', value ->> 'words' FROM json_each(?1)";

    /// The conversations that messages belong to. Each message is looked up by its uid: of itself SQLite would rather walk through
    /// all messages of conversations.
    CONVERSATIONS_OF = r"
        SELECT DISTINCT conversation_uid FROM json_each(?1) AS told CROSS JOIN resources
        WHERE kind = 'message' AND uid = told.value AND +conversation_uid IS NOT NULL";

    /// What the messages of conversations come to. A message that failed is no answer. Who the customer is, not every message
    /// says.
    MIRROR_TALKS = concat!("UPDATE resources SET
            (first_at, inbound, outbound) = (
                SELECT min(at), count(*) FILTER (WHERE direction = 'inbound'), count(*) FILTER (WHERE direction = 'outbound')
                FROM resources AS messages
                WHERE messages.kind = 'message' AND messages.conversation_uid = resources.uid
            ),
            at = coalesce(", of_last_message!("messages.at", "TRUE"), ", at),
            last_message_uid = ", of_last_message!("messages.uid", "TRUE"), ",
            is_awaiting = coalesce(", of_last_message!("messages.direction = 'inbound'", "messages.status IS NOT 'failed'"), ", 0),
            contact_uid = ", of_last_message!("messages.contact_uid", "messages.contact_uid IS NOT NULL"), ",
            name = ", of_last_message!("messages.name", "messages.name IS NOT NULL"), "
        WHERE kind = 'conversation' AND uid IN (SELECT value FROM json_each(?1))");

    /// Which resources events tell of, of those that were not forgotten meanwhile.
    MIRROR_TOLD_BY = r"
        INSERT INTO resource_events (kind, uid, event_id)
        SELECT value ->> 'kind', value ->> 'uid', events.id
        FROM json_each(?1) JOIN events ON events.id = unhex(value ->> 'event_id') WHERE TRUE
        ON CONFLICT DO NOTHING";

    /// Puts events into the feed that are mirrored for the first time.
    FEED = r"
        INSERT INTO feed (event_id)
        SELECT event_id FROM mirror_inbox
        WHERE event_id IN (SELECT unhex(value) FROM json_each(?1)) ORDER BY event_id
        ON CONFLICT DO NOTHING";

    /// Ends the waiting of events.
    LEAVE_INBOX = "DELETE FROM mirror_inbox WHERE event_id IN (SELECT unhex(value) FROM json_each(?1))";

    /// Forgets that events gave no picture.
    UNSKIP = "DELETE FROM mirror_skipped WHERE event_id IN (SELECT unhex(value) FROM json_each(?1))";

    /// Takes down which events gave no picture, of those that were not forgotten meanwhile.
    SKIP = r"
        INSERT INTO mirror_skipped (event_id, reason)
        SELECT events.id, value ->> 'reason'
        FROM json_each(?1) JOIN events ON events.id = unhex(value ->> 'event_id') WHERE TRUE
        ON CONFLICT (event_id) DO UPDATE SET reason = excluded.reason";

    /// How many events there are.
    COUNT_ALL_EVENTS = "SELECT count(*) FROM events";

    /// Asks for the mirror to be made anew.
    BEGIN_REBUILD = r"
        UPDATE mirror_work SET rebuild_started_at = ?1, rebuild_ended_at = NULL, rebuild_reached = zeroblob(16),
            rebuild_until = (SELECT max(id) FROM events), rebuild_total = ?2, rebuild_done = 0";

    /// How far the mirror is made anew, if it is.
    REBUILDING = r"
        SELECT rebuild_reached, rebuild_until FROM mirror_work
        WHERE rebuild_started_at IS NOT NULL AND rebuild_ended_at IS NULL";

    /// The next events to be mirrored again.
    NEXT_OF_REBUILD = concat!("SELECT ", event_columns!(), ", length(event_bodies.body) AS size
        FROM events LEFT JOIN event_bodies ON event_bodies.event_id = events.id
        WHERE events.id > ?1 AND events.id <= ?2
        ORDER BY events.id LIMIT ?3");

    /// Takes down how far the mirror is made anew, unless that was asked for again meanwhile.
    MOVE_REBUILD = r"
        UPDATE mirror_work SET rebuild_reached = ?2, rebuild_done = rebuild_done + ?3
        WHERE rebuild_reached = ?1 AND rebuild_ended_at IS NULL";

    /// Ends making the mirror anew.
    END_REBUILD = r"
        UPDATE mirror_work SET rebuild_ended_at = ?3
        WHERE lease = ?1 AND rebuild_reached = ?2 AND rebuild_ended_at IS NULL";

    /// The next events of the feed.
    FEED_AFTER = concat!("SELECT feed.position, ", event_columns!(), " FROM feed JOIN events ON events.id = feed.event_id
        WHERE feed.position > ?1 ORDER BY feed.position LIMIT ?2");

    /// The last position of the feed.
    FEED_END = "SELECT coalesce(max(position), 0) FROM feed";

    /// How many events arrived, by type, source and hour.
    COUNT_EVENTS = r"
        SELECT event_type, source, received_at / 3600000000 * 3600000000 AS hour, count(*) AS number
        FROM events WHERE id >= ?1 AND id < ?2 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3";

    /// How the deliveries of these events stand.
    COUNT_DELIVERIES = r"
        SELECT state, count(*) AS number FROM deliveries WHERE event_id >= ?1 AND event_id < ?2
        GROUP BY state ORDER BY state";

    /// How long customers waited. The first message of each turn to speak is looked at: that of the customer's, and the next one.
    RESPONSE_TIMES = r"
        WITH said AS (
            SELECT conversation_uid, at, uid, direction, lag(direction) OVER talk AS direction_before
            FROM resources
            WHERE kind = 'message' AND at >= ?1 AND at < ?2 AND conversation_uid IS NOT NULL
                AND status IS NOT 'failed'
            WINDOW talk AS (PARTITION BY conversation_uid ORDER BY at, uid)
        ), turns AS (
            SELECT direction, at, lead(at) OVER (PARTITION BY conversation_uid ORDER BY at, uid) AS next_at
            FROM said WHERE direction_before IS NOT direction
        ), waits AS (
            SELECT next_at - at AS waited
            FROM turns WHERE direction = 'inbound' AND next_at IS NOT NULL
        ), ranked AS (
            SELECT waited, row_number() OVER (ORDER BY waited) AS nth, count(*) OVER () AS number FROM waits
        )
        SELECT count(*) AS number, CAST(avg(waited) AS INTEGER) AS average,
            min(waited) FILTER (WHERE nth * 2 >= number) AS median,
            min(waited) FILTER (WHERE nth * 10 >= number * 9) AS ninetieth
        FROM ranked";

    /// How the mirror stands.
    MIRROR_STATUS = r"
        SELECT (SELECT count(*) FROM (SELECT 1 FROM mirror_inbox LIMIT ?1)) AS waiting,
            (
                SELECT received_at FROM mirror_inbox JOIN events ON events.id = event_id
                ORDER BY event_id LIMIT 1
            ) AS oldest_at,
            (SELECT count(*) FROM mirror_skipped) AS skipped,
            rebuild_started_at, rebuild_ended_at, rebuild_total, rebuild_done
        FROM mirror_work";

    /// Events that gave no picture.
    SKIPPED = "SELECT event_id, reason FROM mirror_skipped WHERE event_id < ?1 ORDER BY event_id DESC LIMIT ?2";

    /// Pages of resources: all of a kind, and those that are narrowed by something that has an index.
    RESOURCES = resources_by!("resources INDEXED BY resources_in_order", "TRUE");
    /// See [`RESOURCES`].
    RESOURCES_OF_CONVERSATION = resources_by!("resources INDEXED BY resources_of_conversation", "conversation_uid = ?6");
    /// See [`RESOURCES`].
    RESOURCES_OF_CONTACT = resources_by!("resources INDEXED BY resources_of_contact", "contact_uid IN (SELECT value FROM json_each(?7))");
    /// See [`RESOURCES`].
    RESOURCES_OF_CHANNEL = resources_by!("resources INDEXED BY resources_of_channel", "channel_identifier = ?12");
    /// See [`RESOURCES`].
    RESOURCES_MERGED = resources_by!("resources INDEXED BY resources_merged", "merged_into = ?15");
    /// See [`RESOURCES`].
    RESOURCES_AWAITING = resources_by!("resources INDEXED BY resources_awaiting", "is_awaiting = ?16");
    /// The same, by whether they wait for an answer at a location.
    RESOURCES_AWAITING_AT_LOCATION = resources_by!(
        "resources INDEXED BY resources_awaiting_at_location",
        "is_awaiting = ?16 AND location_uid = ?8"
    );
    /// See [`RESOURCES`].
    RESOURCES_OF_USER = resources_by!("resources INDEXED BY resources_of_user", "user_uid = ?10");
    /// See [`RESOURCES`].
    RESOURCES_OF_STATUS = resources_by!("resources INDEXED BY resources_of_status", "status = ?14");
    /// See [`RESOURCES`].
    RESOURCES_OF_LOCATION = resources_by!("resources INDEXED BY resources_of_location", "location_uid = ?8");
    /// See [`RESOURCES`].
    RESOURCES_OF_CHANNEL_TYPE = resources_by!("resources INDEXED BY resources_of_channel_type", "channel_type = ?11");
    /// See [`RESOURCES`].
    RESOURCES_OF_ORGANIZATION = resources_by!("resources INDEXED BY resources_of_organization", "organization_uid = ?9");
    /// The same, from the words that they have.
    RESOURCES_WITH_WORDS = concat!(
        resources_where!(
            "resource_words CROSS JOIN resources ON resources.number = resource_words.rowid",
            "resource_words MATCH ?17"
        ),
        " ORDER BY at DESC, uid DESC LIMIT ?18"
    );

    /// Resources by their uids.
    RESOURCES_BY_UID = concat!("SELECT ", resource_columns!(), " FROM resources
        WHERE kind = ?1 AND uid IN (SELECT value FROM json_each(?2))");

    /// What was merged into a resource, directly or by way of others.
    MERGED_UIDS = r"
        WITH RECURSIVE merged (uid) AS (
            SELECT ?2
            UNION
            SELECT resources.uid FROM resources JOIN merged ON resources.merged_into = merged.uid WHERE kind = ?1
        )
        SELECT uid FROM merged LIMIT 1000";

    /// The events behind a resource.
    EVENTS_OF = concat!("SELECT ", event_columns!(), " FROM resource_events
        JOIN events ON events.id = resource_events.event_id
        WHERE kind = ?1 AND uid = ?2 AND resource_events.event_id < ?3
        ORDER BY resource_events.event_id DESC LIMIT ?4");
}
