-- The ledger: what is filtered, listed and deduplicated on. The identifiers are UUIDs of version 7 whose order is the
-- order of received_at, so the primary key also serves ranges of time; without a rowid it is the table itself.
CREATE TABLE events (
    id               BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    dedup_key        BLOB    NOT NULL UNIQUE CHECK (length(dedup_key) = 16),
    source           TEXT    NOT NULL,
    event_type       TEXT    NOT NULL,
    event_uid        TEXT,
    subject_uid      TEXT,
    conversation_uid TEXT,
    contact_uid      TEXT,
    location_uid     TEXT,
    organization_uid TEXT,
    occurred_at      INTEGER,
    received_at      INTEGER NOT NULL,
    verified_by      TEXT,
    decode_error     TEXT
) STRICT, WITHOUT ROWID;

-- Lists of one conversation or one location. Types and sources have few values: for them the primary key is read
-- backwards.
CREATE INDEX events_of_conversation ON events (conversation_uid, id) WHERE conversation_uid IS NOT NULL;
CREATE INDEX events_of_location ON events (location_uid, id) WHERE location_uid IS NOT NULL;

-- What arrived, apart from the ledger, so that lists never read it. Bodies and attempts are only ever written and
-- forgotten in one statement or transaction with what they belong to: a foreign key would look it up once more for
-- each, which was a fifth of the time of a settlement.
CREATE TABLE event_bodies (
    event_id BLOB NOT NULL PRIMARY KEY,
    headers  TEXT NOT NULL,
    body     BLOB NOT NULL
) STRICT;

-- One handler's duty to one event. `position` orders a queue. The foreign key stops the forgetting of an event whose
-- delivery is opened again at the same moment.
CREATE TABLE deliveries (
    position     INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    id           BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    event_id     BLOB    NOT NULL REFERENCES events,
    handler      TEXT    NOT NULL,
    ordering_key TEXT    NOT NULL,
    state        TEXT    NOT NULL CHECK (state IN ('pending', 'done', 'dead')),
    attempts     INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    failures     INTEGER NOT NULL DEFAULT 0 CHECK (failures >= 0),
    opened_at    INTEGER NOT NULL,
    settled_at   INTEGER,
    UNIQUE (event_id, handler),
    CHECK ((state = 'pending') = (settled_at IS NULL))
) STRICT;

-- The open deliveries of a queue, in order.
CREATE INDEX deliveries_open ON deliveries (handler, ordering_key, position) WHERE state = 'pending';
-- What waits for a person. Nothing on the way to the answer writes to it.
CREATE INDEX deliveries_dead ON deliveries (id) WHERE state = 'dead';

-- The queues that have open deliveries, and how many. A lease is due_at moved to the lease's end, and its token.
CREATE TABLE queues (
    handler      TEXT    NOT NULL,
    ordering_key TEXT    NOT NULL,
    pending      INTEGER NOT NULL CHECK (pending > 0),
    due_at       INTEGER NOT NULL,
    lease        BLOB,
    PRIMARY KEY (handler, ordering_key)
) STRICT, WITHOUT ROWID;

CREATE INDEX queues_due ON queues (handler, due_at);

-- Every attempt, as it went.
CREATE TABLE attempts (
    delivery_id BLOB    NOT NULL,
    number      INTEGER NOT NULL CHECK (number > 0),
    started_at  INTEGER NOT NULL,
    duration_us INTEGER NOT NULL CHECK (duration_us >= 0),
    outcome     TEXT    NOT NULL CHECK (outcome IN ('done', 'failed', 'timed_out')),
    status      INTEGER,
    output      TEXT,
    error       TEXT,
    PRIMARY KEY (delivery_id, number)
) STRICT;

-- What opens the internal API, known by its SHA-256 only.
CREATE TABLE tokens (
    id         BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    name       TEXT    NOT NULL UNIQUE,
    digest     BLOB    NOT NULL UNIQUE CHECK (length(digest) = 32),
    created_at INTEGER NOT NULL
) STRICT;
