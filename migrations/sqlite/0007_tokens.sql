-- What a token may do, until when, and when it was last used. Those that were made before could do everything, and so can
-- those that an older Lectern makes beside this one.
ALTER TABLE tokens ADD COLUMN role TEXT NOT NULL DEFAULT 'admin' CHECK (role IN ('read', 'admin'));
ALTER TABLE tokens ADD COLUMN expires_at INTEGER;
ALTER TABLE tokens ADD COLUMN last_used_at INTEGER;
