-- Takes the indexes away while millions of rows are written, but the keys. bench/mirror_conversations.sql makes them again.
CREATE TABLE later AS
SELECT indexdef FROM pg_indexes
WHERE tablename IN ('resources', 'resource_events', 'feed') AND indexname NOT LIKE '%\_pkey' AND indexname NOT LIKE '%\_key';
DO $$
DECLARE
    name text;
BEGIN
    FOR name IN SELECT indexname FROM pg_indexes
        WHERE tablename IN ('resources', 'resource_events', 'feed') AND indexname NOT LIKE '%\_pkey' AND indexname NOT LIKE '%\_key'
    LOOP
        EXECUTE 'DROP INDEX ' || name;
    END LOOP;
END
$$;
