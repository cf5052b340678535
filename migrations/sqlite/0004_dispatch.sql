-- A lease has columns of its own, which no index holds: leasing, renewing and settling a queue then change nothing but the
-- row. `due_at` only moves when the queue's turn does. `lost` counts the leases that ended unsettled one after
-- another. A parked queue waits for a person to decide about the delivery that is named, and may be empty.
DROP INDEX queues_due;
ALTER TABLE queues RENAME TO queues_before;
CREATE TABLE queues (
    handler      TEXT    NOT NULL,
    ordering_key TEXT    NOT NULL,
    pending      INTEGER NOT NULL,
    due_at       INTEGER NOT NULL,
    lease        BLOB,
    leased_until INTEGER,
    lost         INTEGER NOT NULL DEFAULT 0,
    parked_by    BLOB,
    PRIMARY KEY (handler, ordering_key),
    CHECK ((pending > 0 OR pending = 0 AND parked_by IS NOT NULL)
        AND lost >= 0 AND (lease IS NULL) = (leased_until IS NULL))
) STRICT, WITHOUT ROWID;
INSERT INTO queues (handler, ordering_key, pending, due_at, lease, leased_until)
SELECT handler, ordering_key, pending, due_at, lease, iif(lease IS NULL, NULL, due_at) FROM queues_before;
DROP TABLE queues_before;
CREATE INDEX queues_due ON queues (handler, due_at) WHERE parked_by IS NULL;
CREATE INDEX queues_parked ON queues (handler) WHERE parked_by IS NOT NULL;

-- Why a person called a delivery done.
ALTER TABLE deliveries ADD COLUMN note TEXT;

-- Handlers that are given nothing until they are resumed.
CREATE TABLE paused_handlers (
    handler   TEXT    NOT NULL PRIMARY KEY,
    paused_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
