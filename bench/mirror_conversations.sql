-- The conversations that the messages come to, and the indexes that were taken away.
SET synchronous_commit = off;
SET work_mem = '512MB';
SET maintenance_work_mem = '1GB';
INSERT INTO resources (kind, uid, version, event_id, at, contact_uid, location_uid, organization_uid, user_uid, channel_type,
    channel_identifier, name, is_awaiting, words, data, first_at, inbound, outbound, last_message_uid)
SELECT 'conversation', conversation_uid, version, event_id, at, contact_uid, location_uid, organization_uid, user_uid,
    channel_type, channel_identifier, name, direction = 'inbound',
    array_to_tsvector(ARRAY['ccustomer', 'c' || split_part(name, ' ', 2)]), '{"uid":"' || conversation_uid || '"}', counted.first_at, counted.inbound,
    counted.outbound, uid
FROM (
    SELECT DISTINCT ON (conversation_uid) * FROM resources WHERE kind = 'message' ORDER BY conversation_uid, at DESC, uid DESC
) AS last
JOIN (
    SELECT conversation_uid, min(at) AS first_at, count(*) FILTER (WHERE direction = 'inbound') AS inbound,
        count(*) FILTER (WHERE direction = 'outbound') AS outbound
    FROM resources WHERE kind = 'message' GROUP BY conversation_uid
) AS counted USING (conversation_uid);

DO $$
DECLARE
    definition text;
BEGIN
    FOR definition IN SELECT indexdef FROM later LOOP
        EXECUTE definition;
    END LOOP;
END
$$;
DROP TABLE later;
