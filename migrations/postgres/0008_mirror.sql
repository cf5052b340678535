-- The mirror: the picture that events give of messages, conversations, contacts and so on. It is made off the way of the
-- answer, and can be made anew from the events.

-- Events that are yet to be mirrored. Whoever accepts an event puts it here in the same transaction: a cursor over identifiers
-- would pass by events that are committed late.
CREATE TABLE mirror_inbox (
    event_id uuid NOT NULL PRIMARY KEY
);

-- Everything that is mirrored, of whatever kind. `version` orders what events say of one thing: bytes that compare as they
-- should. `at` is what lists are ordered by. `data` is JSON that only the program reads; what is beside it can be asked for.
CREATE TABLE resources (
    kind               text        COLLATE "C" NOT NULL,
    uid                text        COLLATE "C" NOT NULL,
    version            bytea       NOT NULL,
    event_id           uuid        NOT NULL,
    at                 timestamptz NOT NULL,
    conversation_uid   text        COLLATE "C",
    contact_uid        text        COLLATE "C",
    location_uid       text        COLLATE "C",
    organization_uid   text        COLLATE "C",
    user_uid           text        COLLATE "C",
    channel_type       text        COLLATE "C",
    channel_identifier text        COLLATE "C",
    direction          text        COLLATE "C",
    status             text        COLLATE "C",
    name               text,
    merged_into        text        COLLATE "C",
    is_awaiting        boolean,
    words              tsvector,
    data               text        NOT NULL,
    -- Of conversations, worked out from their messages.
    first_at           timestamptz,
    inbound            bigint,
    outbound           bigint,
    last_message_uid   text        COLLATE "C",
    PRIMARY KEY (kind, uid)
) WITH (fillfactor = 90);

CREATE INDEX resources_in_order ON resources (kind, at, uid);
-- With all that a conversation comes to by its messages.
CREATE INDEX resources_of_conversation ON resources (kind, conversation_uid, at, uid) INCLUDE (direction, status)
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
CREATE INDEX resources_words ON resources USING gin (words);

-- The events behind each of them.
CREATE TABLE resource_events (
    kind     text COLLATE "C" NOT NULL,
    uid      text COLLATE "C" NOT NULL,
    event_id uuid NOT NULL,
    PRIMARY KEY (kind, uid, event_id)
);
CREATE INDEX resource_events_by_event ON resource_events (event_id);

-- Events that gave no picture, and why.
CREATE TABLE mirror_skipped (
    event_id uuid NOT NULL PRIMARY KEY,
    reason   text NOT NULL
);

-- Events in the order in which they were mirrored first, which is that of nothing else: what follows them misses none.
CREATE TABLE feed (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id uuid   NOT NULL UNIQUE
);

-- Who is at the mirror, and how far it is made anew.
CREATE TABLE mirror_work (
    single             boolean NOT NULL PRIMARY KEY DEFAULT true CHECK (single),
    lease              uuid,
    leased_until       timestamptz,
    rebuild_started_at timestamptz,
    rebuild_ended_at   timestamptz,
    rebuild_reached    uuid,
    rebuild_until      uuid,
    rebuild_total      bigint NOT NULL DEFAULT 0,
    rebuild_done       bigint NOT NULL DEFAULT 0,
    CHECK ((lease IS NULL) = (leased_until IS NULL))
);
INSERT INTO mirror_work DEFAULT VALUES;

-- What was received before there was a mirror is mirrored like anything else that is mirrored anew: beside what comes, and not
-- into the feed.
UPDATE mirror_work SET rebuild_started_at = newest.received_at, rebuild_reached = '00000000-0000-0000-0000-000000000000',
    rebuild_until = newest.id, rebuild_total = (SELECT count(*) FROM events)
FROM (SELECT id, received_at FROM events ORDER BY id DESC LIMIT 1) AS newest;
