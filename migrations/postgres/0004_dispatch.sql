-- A lease has columns of its own, which no index holds: leasing, renewing and settling a queue then change nothing but the
-- row. `due_at` only moves when the queue's turn does. `lost` counts the leases that ended unsettled one after
-- another. A parked queue waits for a person to decide about the delivery that is named, and may be empty.
DROP INDEX queues_due;
ALTER TABLE queues
    ADD COLUMN leased_until timestamptz,
    ADD COLUMN lost         integer NOT NULL DEFAULT 0,
    ADD COLUMN parked_by    uuid,
    DROP CONSTRAINT queues_pending_check;
UPDATE queues SET leased_until = due_at WHERE lease IS NOT NULL;
ALTER TABLE queues
    ADD CONSTRAINT queues_check CHECK (
        (pending > 0 OR pending = 0 AND parked_by IS NOT NULL)
        AND lost >= 0 AND (lease IS NULL) = (leased_until IS NULL)
    );
CREATE INDEX queues_due ON queues (handler, due_at) WHERE parked_by IS NULL;
CREATE INDEX queues_parked ON queues (handler) WHERE parked_by IS NOT NULL;

-- Why a person called a delivery done. The foreign key goes: it looked up and locked each event once more, a tenth of the time
-- of an acceptance. Events are forgotten only after their deliveries are gone.
ALTER TABLE deliveries
    ADD COLUMN note text,
    DROP CONSTRAINT deliveries_event_id_fkey;

-- Handlers that are given nothing until they are resumed.
CREATE TABLE paused_handlers (
    handler   text        COLLATE "C" NOT NULL PRIMARY KEY,
    paused_at timestamptz NOT NULL
);
