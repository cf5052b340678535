-- Bodies lie in a table a week, by when they were received, which their identifiers tell: so that old ones are forgotten by dropping
-- a table, which takes no time however many they are. The program makes the tables of the weeks ahead. What has none lies in
-- `event_bodies_other`, where bodies are deleted one by one.
ALTER TABLE event_bodies RENAME TO event_bodies_before;
ALTER INDEX event_bodies_pkey RENAME TO event_bodies_before_pkey;

CREATE TABLE event_bodies (
    event_id uuid  NOT NULL PRIMARY KEY,
    headers  text  NOT NULL,
    body     bytea NOT NULL
) PARTITION BY RANGE (event_id);
CREATE TABLE event_bodies_other PARTITION OF event_bodies DEFAULT;

-- All that is there already stays in one table, out of which bodies are deleted one by one until the last of it is old: then it is
-- dropped. It has all identifiers to the end of a week, and weeks are counted from 1970.
DO $$
DECLARE
    newest uuid := (SELECT event_id FROM event_bodies_before ORDER BY event_id DESC LIMIT 1);
    week   bigint := 7 * 24 * 60 * 60 * 1000;
    moment bigint;
BEGIN
    IF newest IS NULL THEN
        DROP TABLE event_bodies_before;
    ELSE
        moment := ('x' || left(replace(newest::text, '-', ''), 12))::bit(48)::bigint;
        EXECUTE format(
            'ALTER TABLE event_bodies ATTACH PARTITION event_bodies_before FOR VALUES FROM (MINVALUE) TO (%L)',
            rpad(lpad(to_hex((moment / week + 1) * week), 12, '0'), 32, '0')::uuid
        );
    END IF;
END
$$;
