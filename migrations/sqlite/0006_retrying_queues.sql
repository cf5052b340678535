-- Whether the last call for a queue failed and it waits to be tried again. A handler that fails throughout is probed with
-- what is new; without this nothing tells it from what has just become due for another try.
ALTER TABLE queues ADD COLUMN is_retrying INTEGER NOT NULL DEFAULT 0 CHECK (is_retrying IN (0, 1));
