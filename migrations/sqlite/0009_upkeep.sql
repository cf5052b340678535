-- How an event came here, where it is not that Podium sent it.
ALTER TABLE events ADD COLUMN origin TEXT CHECK (origin IN ('repair', 'lectern'));

-- What is remembered beside events: sealed tokens and secrets, what the watchdog knows, how far a repair is. Only the program
-- reads what is in them. `version` counts the writes.
CREATE TABLE notes (
    name       TEXT    NOT NULL PRIMARY KEY,
    content    BLOB    NOT NULL,
    version    INTEGER NOT NULL CHECK (version > 0),
    written_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What one process does at a time.
CREATE TABLE tasks (
    name         TEXT    NOT NULL PRIMARY KEY,
    lease        BLOB    NOT NULL,
    leased_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
