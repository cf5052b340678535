-- When each secret of a source was last used, and for how many events. Secrets are known by 16 bytes of a SHA-256: their
-- names move from one to another in a rotation.
CREATE TABLE secret_uses (
    secret       BLOB    NOT NULL PRIMARY KEY CHECK (length(secret) = 16),
    source       TEXT    NOT NULL,
    name         TEXT    NOT NULL,
    known_since  INTEGER NOT NULL,
    last_used_at INTEGER,
    events       INTEGER NOT NULL CHECK (events >= 0)
) STRICT, WITHOUT ROWID;
