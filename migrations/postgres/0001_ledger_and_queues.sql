-- The ledger: what is filtered, listed and deduplicated on. The identifiers are UUIDs of version 7 whose order is the
-- order of received_at, so the primary key also serves ranges of time.
CREATE TABLE events (
    id               uuid        NOT NULL PRIMARY KEY,
    dedup_key        bytea       NOT NULL UNIQUE CHECK (octet_length(dedup_key) = 16),
    source           text        COLLATE "C" NOT NULL,
    event_type       text        COLLATE "C" NOT NULL,
    event_uid        text        COLLATE "C",
    subject_uid      text        COLLATE "C",
    conversation_uid text        COLLATE "C",
    contact_uid      text        COLLATE "C",
    location_uid     text        COLLATE "C",
    organization_uid text        COLLATE "C",
    occurred_at      timestamptz,
    received_at      timestamptz NOT NULL,
    verified_by      text,
    decode_error     text
);

-- Lists of one conversation or one location. Types and sources have few values: for them the primary key is read
-- backwards.
CREATE INDEX events_of_conversation ON events (conversation_uid, id) WHERE conversation_uid IS NOT NULL;
CREATE INDEX events_of_location ON events (location_uid, id) WHERE location_uid IS NOT NULL;

-- What arrived, apart from the ledger, so that lists never read it. Bodies and attempts are only ever written and
-- forgotten in one statement or transaction with what they belong to: a foreign key would look it up once more for
-- each, which was a fifth of the time of a settlement.
CREATE TABLE event_bodies (
    event_id uuid  NOT NULL PRIMARY KEY,
    headers  text  NOT NULL,
    body     bytea NOT NULL
);

-- One handler's duty to one event. `position` orders a queue. The foreign key stops the forgetting of an event whose
-- delivery is opened again at the same moment.
CREATE TABLE deliveries (
    id           uuid        NOT NULL PRIMARY KEY,
    position     bigint      GENERATED ALWAYS AS IDENTITY,
    event_id     uuid        NOT NULL REFERENCES events,
    handler      text        COLLATE "C" NOT NULL,
    ordering_key text        COLLATE "C" NOT NULL,
    state        text        COLLATE "C" NOT NULL CHECK (state IN ('pending', 'done', 'dead')),
    attempts     integer     NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    failures     integer     NOT NULL DEFAULT 0 CHECK (failures >= 0),
    opened_at    timestamptz NOT NULL,
    settled_at   timestamptz,
    UNIQUE (event_id, handler),
    CHECK ((state = 'pending') = (settled_at IS NULL))
);

-- The open deliveries of a queue, in order.
CREATE INDEX deliveries_open ON deliveries (handler, ordering_key, position) WHERE state = 'pending';
-- What waits for a person. Nothing on the way to the answer writes to it.
CREATE INDEX deliveries_dead ON deliveries (id) WHERE state = 'dead';

-- The queues that have open deliveries, and how many. A lease is due_at moved to the lease's end, and its token.
-- Rows change at every step: with room in the page, a grown `pending` touches no index.
CREATE TABLE queues (
    handler      text        COLLATE "C" NOT NULL,
    ordering_key text        COLLATE "C" NOT NULL,
    pending      integer     NOT NULL CHECK (pending > 0),
    due_at       timestamptz NOT NULL,
    lease        uuid,
    PRIMARY KEY (handler, ordering_key)
) WITH (fillfactor = 70);

CREATE INDEX queues_due ON queues (handler, due_at);

-- Every attempt, as it went.
CREATE TABLE attempts (
    delivery_id uuid        NOT NULL,
    number      integer     NOT NULL CHECK (number > 0),
    started_at  timestamptz NOT NULL,
    duration_us bigint      NOT NULL CHECK (duration_us >= 0),
    outcome     text        COLLATE "C" NOT NULL CHECK (outcome IN ('done', 'failed', 'timed_out')),
    status      integer,
    output      text,
    error       text,
    PRIMARY KEY (delivery_id, number)
);

-- What opens the internal API, known by its SHA-256 only.
CREATE TABLE tokens (
    id         uuid        NOT NULL PRIMARY KEY,
    name       text        COLLATE "C" NOT NULL UNIQUE,
    digest     bytea       NOT NULL UNIQUE CHECK (octet_length(digest) = 32),
    created_at timestamptz NOT NULL
);
