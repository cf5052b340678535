-- Replays of many deliveries. `filter` is JSON that only the program reads; `reached` is the last delivery that was looked at.
CREATE TABLE replays (
    id           BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    filter       TEXT    NOT NULL,
    rate         INTEGER NOT NULL CHECK (rate > 0),
    created_at   INTEGER NOT NULL,
    created_by   TEXT    NOT NULL,
    matched      INTEGER NOT NULL CHECK (matched >= 0),
    replayed     INTEGER NOT NULL DEFAULT 0 CHECK (replayed >= 0),
    reached      BLOB    NOT NULL CHECK (length(reached) = 16),
    state        TEXT    NOT NULL CHECK (state IN ('running', 'done', 'cancelled')),
    ended_at     INTEGER,
    lease        BLOB,
    leased_until INTEGER,
    CHECK ((state = 'running') = (ended_at IS NULL)),
    CHECK ((lease IS NULL) = (leased_until IS NULL))
) STRICT;

-- What is looked for every second.
CREATE INDEX replays_running ON replays (id) WHERE state = 'running';

-- What handlers have been doing of late, added up over all processes and kept for an hour.
CREATE TABLE handler_activity (
    slot          INTEGER NOT NULL,
    handler       TEXT    NOT NULL,
    done          INTEGER NOT NULL CHECK (done >= 0),
    failed        INTEGER NOT NULL CHECK (failed >= 0),
    failing_until INTEGER,
    PRIMARY KEY (slot, handler)
) STRICT, WITHOUT ROWID;
