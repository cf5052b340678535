-- How an event came here, where it is not that Podium sent it.
ALTER TABLE events ADD COLUMN origin text COLLATE "C" CHECK (origin IN ('repair', 'lectern'));

-- What is remembered beside events: sealed tokens and secrets, what the watchdog knows, how far a repair is. Only the program
-- reads what is in them. `version` counts the writes.
CREATE TABLE notes (
    name       text        COLLATE "C" NOT NULL PRIMARY KEY,
    content    bytea       NOT NULL,
    version    bigint      NOT NULL CHECK (version > 0),
    written_at timestamptz NOT NULL
);

-- What one process does at a time.
CREATE TABLE tasks (
    name         text        COLLATE "C" NOT NULL PRIMARY KEY,
    lease        uuid        NOT NULL,
    leased_until timestamptz NOT NULL
);
