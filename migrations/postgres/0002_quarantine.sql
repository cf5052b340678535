-- Requests that failed verification. Their number is bounded, so one table does: the body lies apart by itself where it is
-- large. The order of the identifiers is the order of received_at. `weight` is what a request counts against the bound
-- in bytes.
CREATE TABLE quarantine (
    id          uuid        NOT NULL PRIMARY KEY,
    source      text        COLLATE "C" NOT NULL,
    received_at timestamptz NOT NULL,
    reason      text        COLLATE "C" NOT NULL,
    held        boolean     NOT NULL,
    weight      bigint      NOT NULL CHECK (weight >= 0),
    headers     text        NOT NULL,
    body        bytea       NOT NULL
);

-- What there is room for, and what makes room: without a look at the rows.
CREATE INDEX quarantine_room ON quarantine (held, id, weight);
