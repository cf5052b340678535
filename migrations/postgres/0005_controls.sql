-- Replays of many deliveries. `filter` is JSON that only the program reads; `reached` is the last delivery that was looked at.
CREATE TABLE replays (
    id           uuid        NOT NULL PRIMARY KEY,
    filter       text        NOT NULL,
    rate         integer     NOT NULL CHECK (rate > 0),
    created_at   timestamptz NOT NULL,
    created_by   text        NOT NULL,
    matched      bigint      NOT NULL CHECK (matched >= 0),
    replayed     bigint      NOT NULL DEFAULT 0 CHECK (replayed >= 0),
    reached      uuid        NOT NULL,
    state        text        COLLATE "C" NOT NULL CHECK (state IN ('running', 'done', 'cancelled')),
    ended_at     timestamptz,
    lease        uuid,
    leased_until timestamptz,
    CHECK ((state = 'running') = (ended_at IS NULL)),
    CHECK ((lease IS NULL) = (leased_until IS NULL))
);

-- What is looked for every second.
CREATE INDEX replays_running ON replays (id) WHERE state = 'running';

-- What handlers have been doing of late, added up over all processes and kept for an hour.
CREATE TABLE handler_activity (
    slot          timestamptz NOT NULL,
    handler       text        COLLATE "C" NOT NULL,
    done          bigint      NOT NULL CHECK (done >= 0),
    failed        bigint      NOT NULL CHECK (failed >= 0),
    failing_until timestamptz,
    PRIMARY KEY (slot, handler)
);
