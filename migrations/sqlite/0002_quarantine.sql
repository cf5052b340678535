-- Requests that failed verification. Their number is bounded, so one table does: the body stands last, and lies apart by
-- itself where it is large. The order of the identifiers is the order of received_at. `weight` is what a request counts
-- against the bound in bytes.
CREATE TABLE quarantine (
    id          BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    source      TEXT    NOT NULL,
    received_at INTEGER NOT NULL,
    reason      TEXT    NOT NULL,
    held        INTEGER NOT NULL CHECK (held IN (0, 1)),
    weight      INTEGER NOT NULL CHECK (weight >= 0),
    headers     TEXT    NOT NULL,
    body        BLOB    NOT NULL
) STRICT;

-- What there is room for, and what makes room: without a look at the rows.
CREATE INDEX quarantine_room ON quarantine (held, id, weight);
