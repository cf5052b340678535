-- The mirror: the picture that events give of messages, conversations, contacts and so on. It is made off the way of the
-- answer, and can be made anew from the events.

-- Events that are yet to be mirrored. Whoever accepts an event puts it here in the same transaction: a cursor over identifiers
-- would pass by events that are committed late.
CREATE TABLE mirror_inbox (
    event_id BLOB NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- Everything that is mirrored, of whatever kind. `version` orders what events say of one thing: bytes that compare as they
-- should. `at` is what lists are ordered by. `data` is JSON that only the program reads; what is beside it can be asked for.
CREATE TABLE resources (
    number             INTEGER NOT NULL PRIMARY KEY,
    kind               TEXT    NOT NULL,
    uid                TEXT    NOT NULL,
    version            BLOB    NOT NULL,
    event_id           BLOB    NOT NULL,
    at                 INTEGER NOT NULL,
    conversation_uid   TEXT,
    contact_uid        TEXT,
    location_uid       TEXT,
    organization_uid   TEXT,
    user_uid           TEXT,
    channel_type       TEXT,
    channel_identifier TEXT,
    direction          TEXT,
    status             TEXT,
    name               TEXT,
    merged_into        TEXT,
    is_awaiting        INTEGER CHECK (is_awaiting IN (0, 1)),
    data               TEXT    NOT NULL,
    -- Of conversations, worked out from their messages.
    first_at           INTEGER,
    inbound            INTEGER,
    outbound           INTEGER,
    last_message_uid   TEXT,
    UNIQUE (kind, uid)
) STRICT;

CREATE INDEX resources_in_order ON resources (kind, at, uid);
-- With all that a conversation comes to by its messages.
CREATE INDEX resources_of_conversation ON resources (kind, conversation_uid, at, uid, direction, status)
    WHERE conversation_uid IS NOT NULL;
CREATE INDEX resources_of_contact ON resources (kind, contact_uid, at, uid) WHERE contact_uid IS NOT NULL;
CREATE INDEX resources_of_location ON resources (kind, location_uid, at, uid) WHERE location_uid IS NOT NULL;
CREATE INDEX resources_of_organization ON resources (kind, organization_uid, at, uid) WHERE organization_uid IS NOT NULL;
CREATE INDEX resources_of_user ON resources (kind, user_uid, at, uid) WHERE user_uid IS NOT NULL;
CREATE INDEX resources_of_channel_type ON resources (kind, channel_type, at, uid) WHERE channel_type IS NOT NULL;
CREATE INDEX resources_of_channel ON resources (kind, channel_identifier, at, uid) WHERE channel_identifier IS NOT NULL;
CREATE INDEX resources_of_status ON resources (kind, status, at, uid) WHERE status IS NOT NULL;
CREATE INDEX resources_awaiting ON resources (kind, is_awaiting, at, uid) WHERE is_awaiting IS NOT NULL;
CREATE INDEX resources_merged ON resources (merged_into) WHERE merged_into IS NOT NULL;

-- The words by which they are found. What makes words of a text is the program, the same for both databases: here words stand
-- apart by spaces and are in lower case, and `ascii` leaves them as they are.
CREATE VIRTUAL TABLE resource_words USING fts5 (
    words, content = '', contentless_delete = 1, detail = none, tokenize = 'ascii'
);

-- The events behind each of them.
CREATE TABLE resource_events (
    kind     TEXT NOT NULL,
    uid      TEXT NOT NULL,
    event_id BLOB NOT NULL,
    PRIMARY KEY (kind, uid, event_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX resource_events_by_event ON resource_events (event_id);

-- Events that gave no picture, and why.
CREATE TABLE mirror_skipped (
    event_id BLOB NOT NULL PRIMARY KEY,
    reason   TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Events in the order in which they were mirrored first, which is that of nothing else: what follows them misses none.
CREATE TABLE feed (
    position INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    event_id BLOB    NOT NULL UNIQUE
) STRICT;

-- Who is at the mirror, and how far it is made anew.
CREATE TABLE mirror_work (
    single             INTEGER NOT NULL PRIMARY KEY DEFAULT 1 CHECK (single = 1),
    lease              BLOB,
    leased_until       INTEGER,
    rebuild_started_at INTEGER,
    rebuild_ended_at   INTEGER,
    rebuild_reached    BLOB,
    rebuild_until      BLOB,
    rebuild_total      INTEGER NOT NULL DEFAULT 0,
    rebuild_done       INTEGER NOT NULL DEFAULT 0,
    CHECK ((lease IS NULL) = (leased_until IS NULL))
) STRICT;
INSERT INTO mirror_work DEFAULT VALUES;

-- What was received before there was a mirror is mirrored like anything else that is mirrored anew: beside what comes, and not
-- into the feed.
UPDATE mirror_work SET rebuild_started_at = newest.received_at, rebuild_reached = zeroblob(16),
    rebuild_until = newest.id, rebuild_total = (SELECT count(*) FROM events)
FROM (SELECT id, received_at FROM events ORDER BY id DESC LIMIT 1) AS newest;
