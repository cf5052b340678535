//! The statements of the mirror, and of what it shows.

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

/// A page of resources.
macro_rules! resources_page {
    () => {
        concat!(
            "SELECT ",
            resource_columns!(),
            " FROM resources
        WHERE kind = $1
            AND ($2::timestamptz IS NULL OR (at, uid) < ($2, $3))
            AND ($4::timestamptz IS NULL OR at >= $4) AND ($5::timestamptz IS NULL OR at < $5)
            AND ($6::text IS NULL OR conversation_uid = $6)
            AND ($7::text[] IS NULL OR contact_uid = ANY ($7))
            AND ($8::text IS NULL OR location_uid = $8)
            AND ($9::text IS NULL OR organization_uid = $9)
            AND ($10::text IS NULL OR user_uid = $10)
            AND ($11::text IS NULL OR channel_type = $11)
            AND ($12::text IS NULL OR channel_identifier = $12)
            AND ($13::text IS NULL OR direction = $13)
            AND ($14::text IS NULL OR status = $14)
            AND ($15::text IS NULL OR merged_into = $15)
            AND ($16::boolean IS NULL OR is_awaiting = $16)
            AND ($17::text IS NULL OR words @@ $17::tsquery)
        ORDER BY at DESC, uid DESC LIMIT $18"
        )
    };
}

statements! {
    /// Takes or prolongs the lease of the mirror.
    LEASE_MIRROR = r"
        UPDATE mirror_work SET lease = $1, leased_until = $3
        WHERE lease IS NULL OR lease = $1 OR leased_until <= $2";

    /// The first events that are yet to be mirrored. (OFFSET 0 has each looked up by itself, whatever the tables were like when this was planned.)
    UNMIRRORED = concat!("SELECT ", event_columns!(), ", octet_length(bodies.body)::bigint AS size
        FROM (SELECT event_id FROM mirror_inbox ORDER BY event_id LIMIT $1) AS first
        CROSS JOIN LATERAL (SELECT * FROM events WHERE events.id = first.event_id OFFSET 0) AS events
        LEFT JOIN LATERAL (SELECT body FROM event_bodies WHERE event_bodies.event_id = first.event_id OFFSET 0) AS bodies ON true
        ORDER BY first.event_id");

    /// Whether the lease is still held. Whoever writes to the mirror holds this row until the commit: so one writes after another,
    /// sees what the one before has written, and positions in the feed are given in the order of commits.
    HOLD_MIRROR = "SELECT single FROM mirror_work WHERE lease = $1 FOR UPDATE";

    /// Holds the same row for whoever takes out of the mirror what is erased: so nobody writes to it meanwhile.
    LOCK_MIRROR = "SELECT single FROM mirror_work FOR UPDATE";

    /// States of resources, unless a newer one is there. The state that is there is written once more: what is made of an event
    /// may be another today. Of a conversation, what MIRROR_TALKS works out stays.
    MIRROR_STATES = r#"
        INSERT INTO resources (kind, uid, version, event_id, at, conversation_uid, contact_uid, location_uid, organization_uid,
            user_uid, channel_type, channel_identifier, direction, status, name, merged_into, is_awaiting, words, data)
        SELECT kind, uid, decode(version, 'hex'), event_id, timestamptz 'epoch' + at * interval '1 microsecond',
            conversation_uid, contact_uid, location_uid, organization_uid, user_uid, channel_type, channel_identifier,
            direction, status, name, merged_into, is_awaiting, array_to_tsvector(string_to_array(words, ' ')), data
        FROM json_to_recordset($1::text::json) AS new (kind text, uid text, version text, event_id uuid, at bigint,
            conversation_uid text, contact_uid text, location_uid text, organization_uid text, user_uid text,
            channel_type text, channel_identifier text, direction text, status text, name text, merged_into text,
            is_awaiting boolean, words text, data text)
        ON CONFLICT (kind, uid) DO UPDATE SET
            version = excluded.version, event_id = excluded.event_id,
            at = CASE WHEN resources.kind = 'conversation' THEN resources.at ELSE excluded.at END,
            conversation_uid = excluded.conversation_uid, contact_uid = excluded.contact_uid,
            location_uid = excluded.location_uid, organization_uid = excluded.organization_uid,
            user_uid = excluded.user_uid, channel_type = excluded.channel_type,
            channel_identifier = excluded.channel_identifier, direction = excluded.direction, status = excluded.status,
            name = excluded.name, merged_into = excluded.merged_into,
            is_awaiting = CASE WHEN resources.kind = 'conversation' THEN resources.is_awaiting ELSE excluded.is_awaiting END,
            words = excluded.words, data = excluded.data
        WHERE resources.version <= excluded.version"#;

    /// The conversations that messages belong to.
    CONVERSATIONS_OF = r"
        SELECT DISTINCT conversation_uid FROM resources
        WHERE kind = 'message' AND uid = ANY ($1) AND conversation_uid IS NOT NULL";

    /// What the messages of conversations come to. A statement of its own: it sees what MIRROR_STATES has written. A message
    /// that failed is no answer. Who the customer is, not every message says.
    MIRROR_TALKS = r#"
        UPDATE resources SET at = coalesce(last_at, resources.at), first_at = counted.first_at, inbound = counted.inbound,
            outbound = counted.outbound, last_message_uid = last_uid, is_awaiting = coalesce(is_inbound, false),
            contact_uid = known.contact_uid, name = named.name
        FROM unnest($1::text[]) AS told (uid)
        CROSS JOIN LATERAL (
            SELECT min(at) AS first_at, count(*) FILTER (WHERE direction = 'inbound') AS inbound,
                count(*) FILTER (WHERE direction = 'outbound') AS outbound
            FROM resources AS messages WHERE kind = 'message' AND conversation_uid = told.uid
        ) AS counted
        LEFT JOIN LATERAL (
            SELECT at AS last_at, uid AS last_uid
            FROM resources AS messages WHERE kind = 'message' AND conversation_uid = told.uid
            ORDER BY kind DESC, conversation_uid DESC, at DESC, uid DESC LIMIT 1
        ) AS last ON true
        LEFT JOIN LATERAL (
            SELECT direction = 'inbound' AS is_inbound
            FROM resources AS messages
            WHERE kind = 'message' AND conversation_uid = told.uid AND status IS DISTINCT FROM 'failed'
            ORDER BY kind DESC, conversation_uid DESC, at DESC, uid DESC LIMIT 1
        ) AS word ON true
        LEFT JOIN LATERAL (
            SELECT contact_uid
            FROM resources AS messages
            WHERE kind = 'message' AND conversation_uid = told.uid AND contact_uid IS NOT NULL
            ORDER BY kind DESC, conversation_uid DESC, at DESC, uid DESC LIMIT 1
        ) AS known ON true
        LEFT JOIN LATERAL (
            SELECT name
            FROM resources AS messages
            WHERE kind = 'message' AND conversation_uid = told.uid AND name IS NOT NULL
            ORDER BY kind DESC, conversation_uid DESC, at DESC, uid DESC LIMIT 1
        ) AS named ON true
        WHERE resources.kind = 'conversation' AND resources.uid = told.uid"#;

    /// Which resources events tell of, of those that were not forgotten meanwhile.
    MIRROR_TOLD_BY = r"
        INSERT INTO resource_events (kind, uid, event_id)
        SELECT kind, uid, event_id
        FROM json_to_recordset($1::text::json) AS new (kind text, uid text, event_id uuid) JOIN events ON events.id = event_id
        ON CONFLICT DO NOTHING";

    /// Ends the waiting of events and puts them into the feed, takes down which gave no picture and which do so no more, and
    /// how far making the mirror anew is, if they are of it and it was not asked for again meanwhile.
    MIRROR_DONE = r"
        WITH gone AS (
            DELETE FROM mirror_inbox WHERE event_id = ANY ($1) RETURNING event_id
        ), fed AS (
            INSERT INTO feed (event_id) SELECT event_id FROM gone ORDER BY event_id ON CONFLICT DO NOTHING
        ), fitting AS (
            DELETE FROM mirror_skipped WHERE event_id = ANY ($3)
        ), moved AS (
            UPDATE mirror_work SET rebuild_reached = $5, rebuild_done = rebuild_done + cardinality($1)
            WHERE rebuild_reached = $4 AND rebuild_ended_at IS NULL
        )
        INSERT INTO mirror_skipped (event_id, reason)
        SELECT event_id, reason
        FROM json_to_recordset($2::text::json) AS new (event_id uuid, reason text) JOIN events ON events.id = event_id
        ON CONFLICT (event_id) DO UPDATE SET reason = excluded.reason";

    /// Forgets resources, and which events are behind them.
    FORGET_RESOURCES = r"
        WITH named AS (
            SELECT * FROM unnest($1::text[], $2::text[]) AS named (kind, uid)
        ), told_of AS (
            DELETE FROM resource_events USING named
            WHERE resource_events.kind = named.kind AND resource_events.uid = named.uid
        )
        DELETE FROM resources USING named WHERE resources.kind = named.kind AND resources.uid = named.uid";

    /// How many events there are.
    COUNT_ALL_EVENTS = "SELECT count(*) FROM events";

    /// Asks for the mirror to be made anew.
    BEGIN_REBUILD = r"
        UPDATE mirror_work SET rebuild_started_at = $1, rebuild_ended_at = NULL,
            rebuild_reached = '00000000-0000-0000-0000-000000000000',
            rebuild_until = (SELECT id FROM events ORDER BY id DESC LIMIT 1), rebuild_total = $2, rebuild_done = 0";

    /// How far the mirror is made anew, if it is.
    REBUILDING = r"
        SELECT rebuild_reached, rebuild_until FROM mirror_work
        WHERE rebuild_started_at IS NOT NULL AND rebuild_ended_at IS NULL";

    /// The next events to be mirrored again.
    NEXT_OF_REBUILD = concat!("SELECT ", event_columns!(), ", octet_length(bodies.body)::bigint AS size
        FROM (SELECT * FROM events WHERE id > $1 AND id <= $2 ORDER BY id LIMIT $3) AS events
        LEFT JOIN LATERAL (SELECT body FROM event_bodies WHERE event_bodies.event_id = events.id OFFSET 0) AS bodies ON true
        ORDER BY events.id");

    /// Ends making the mirror anew.
    END_REBUILD = r"
        UPDATE mirror_work SET rebuild_ended_at = $3
        WHERE lease = $1 AND rebuild_reached = $2 AND rebuild_ended_at IS NULL";

    /// The next events of the feed.
    FEED_AFTER = concat!("SELECT feed.position, ", event_columns!(), " FROM feed JOIN events ON events.id = feed.event_id
        WHERE feed.position > $1 ORDER BY feed.position LIMIT $2");

    /// The last position of the feed.
    FEED_END = "SELECT coalesce(max(position), 0)::bigint FROM feed";

    /// How many events arrived, by type, source and hour.
    COUNT_EVENTS = r"
        SELECT event_type, source, date_trunc('hour', received_at, 'UTC') AS hour, count(*) AS number
        FROM events WHERE id >= $1 AND id < $2 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3";

    /// How the deliveries of these events stand.
    COUNT_DELIVERIES = r"
        SELECT state, count(*) AS number FROM deliveries WHERE event_id >= $1 AND event_id < $2
        GROUP BY state ORDER BY state";

    /// How long customers waited. The first message of each turn to speak is looked at: that of the customer's, and the next one.
    RESPONSE_TIMES = r"
        WITH said AS (
            SELECT conversation_uid, at, uid, direction, lag(direction) OVER talk AS direction_before
            FROM resources
            WHERE kind = 'message' AND at >= $1 AND at < $2 AND conversation_uid IS NOT NULL
                AND status IS DISTINCT FROM 'failed'
            WINDOW talk AS (PARTITION BY conversation_uid ORDER BY at, uid)
        ), turns AS (
            SELECT direction, at, lead(at) OVER (PARTITION BY conversation_uid ORDER BY at, uid) AS next_at
            FROM said WHERE direction_before IS DISTINCT FROM direction
        ), waits AS (
            SELECT (extract(epoch FROM next_at - at) * 1000000)::bigint AS waited
            FROM turns WHERE direction = 'inbound' AND next_at IS NOT NULL
        ), ranked AS (
            SELECT waited, row_number() OVER (ORDER BY waited) AS nth, count(*) OVER () AS number FROM waits
        )
        SELECT count(*) AS number, avg(waited)::bigint AS average,
            min(waited) FILTER (WHERE nth * 2 >= number) AS median,
            min(waited) FILTER (WHERE nth * 10 >= number * 9) AS ninetieth
        FROM ranked";

    /// How the mirror stands.
    MIRROR_STATUS = r"
        SELECT (SELECT count(*) FROM (SELECT FROM mirror_inbox LIMIT $1) AS counted) AS waiting,
            (
                SELECT received_at FROM mirror_inbox JOIN events ON events.id = event_id
                ORDER BY event_id LIMIT 1
            ) AS oldest_at,
            (SELECT count(*) FROM mirror_skipped) AS skipped,
            rebuild_started_at, rebuild_ended_at, rebuild_total, rebuild_done
        FROM mirror_work";

    /// Events that gave no picture.
    SKIPPED = "SELECT event_id, reason FROM mirror_skipped WHERE event_id < $1 ORDER BY event_id DESC LIMIT $2";

    /// A page of resources. Run without a kept plan: with the values at hand, what is not asked for falls away, and what is asked
    /// for finds its index.
    RESOURCES = resources_page!();

    /// The same where the words are in few: all of those first. By itself PostgreSQL would walk in order until it has met
    /// enough, which for what is rare is the whole table: of a word that is not among the most common it only knows that.
    RESOURCES_WITH_RARE_WORDS = concat!(
        "WITH resources AS MATERIALIZED (SELECT * FROM resources WHERE kind = $1 AND words @@ $17::tsquery) ",
        resources_page!()
    );

    /// Whether statistics say of all of these words that they are in many resources, and together in more than this. What they do not know
    /// is not among the most common.
    ARE_SAID_TO_BE_COMMON = r"
        SELECT count(*) = cardinality($1::text[])
            AND exp(sum(ln(share::float8))) * (SELECT reltuples FROM pg_class WHERE oid = 'resources'::regclass) > $2
        FROM pg_stats, unnest(most_common_elems::text::text[], most_common_elem_freqs) AS known (word, share)
        WHERE schemaname = current_schema() AND tablename = 'resources' AND attname = 'words'
            AND word = ANY ($1) AND share > 0";

    /// Whether there are more resources with these words than this. Of what is common it would be slow: the index gives all of them
    /// before the first is looked at.
    ARE_COMMON = r"
        SELECT count(*) > $2 FROM (SELECT FROM resources WHERE words @@ $1::text::tsquery LIMIT $2 + 1) AS counted";

    /// Resources by their uids.
    RESOURCES_BY_UID = concat!("SELECT ", resource_columns!(), " FROM resources WHERE kind = $1 AND uid = ANY ($2)");

    /// What was merged into a resource, directly or by way of others.
    MERGED_UIDS = r#"
        WITH RECURSIVE merged (uid) AS (
            SELECT $2::text COLLATE "C"
            UNION
            SELECT resources.uid FROM resources JOIN merged ON resources.merged_into = merged.uid WHERE kind = $1
        )
        SELECT uid FROM merged LIMIT 1000"#;

    /// The events behind a resource.
    EVENTS_OF = concat!("SELECT ", event_columns!(), " FROM resource_events
        JOIN events ON events.id = resource_events.event_id
        WHERE kind = $1 AND uid = $2 AND resource_events.event_id < $3
        ORDER BY resource_events.event_id DESC LIMIT $4");
}
