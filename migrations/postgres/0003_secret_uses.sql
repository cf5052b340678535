-- When each secret of a source was last used, and for how many events. Secrets are known by 16 bytes of a SHA-256: their
-- names move from one to another in a rotation.
CREATE TABLE secret_uses (
    secret       bytea       NOT NULL PRIMARY KEY CHECK (octet_length(secret) = 16),
    source       text        COLLATE "C" NOT NULL,
    name         text        COLLATE "C" NOT NULL,
    known_since  timestamptz NOT NULL,
    last_used_at timestamptz,
    events       bigint      NOT NULL CHECK (events >= 0)
);
