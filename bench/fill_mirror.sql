-- Mirrors the events from :first to :last of :events that bench/fill_postgres.sql has stored, as messages of :conversations. A third of
-- the messages have the word walnut; each of 50,000 other words is in a few. Words have the letter of their kind before them, as the store keeps them.
BEGIN;
SET LOCAL synchronous_commit = off;

CREATE FUNCTION pg_temp.id(at timestamptz, what text) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || substr(md5(what), 1, 3)
        || '8' || substr(md5(what), 4, 15))::uuid
$$;

CREATE TEMPORARY TABLE new ON COMMIT DROP AS
SELECT n, at, conversation, pg_temp.id(at, 'event ' || n) AS event_id, md5('message ' || n)::uuid::text AS uid,
    md5('conversation ' || conversation)::uuid::text AS conversation_uid,
    md5('contact ' || conversation)::uuid::text AS contact_uid,
    md5('location ' || conversation % 50)::uuid::text AS location_uid
FROM (
    SELECT n, n * 7919 % :conversations AS conversation,
        now() - interval '1 minute' - interval :'span' * (1 - n::float8 / :events) AS at
    FROM generate_series(:first::bigint, :last::bigint) AS n
) AS numbered;

INSERT INTO resources (kind, uid, version, event_id, at, conversation_uid, contact_uid, location_uid, organization_uid, user_uid,
    channel_type, channel_identifier, direction, status, name, words, data)
SELECT 'message', uid, decode(lpad(to_hex((extract(epoch FROM at) * 1000000)::bigint), 16, '0') || '00', 'hex') || uuid_send(event_id),
    event_id, at, conversation_uid, contact_uid, location_uid, '3ceaaf30-8142-48ea-b1d9-3080f9b439fc', 'user-' || conversation % 200,
    CASE WHEN conversation % 20 = 0 THEN 'email' WHEN conversation % 4999 = 0 THEN 'whatsapp' ELSE 'phone' END,
    '+1801' || lpad(conversation::text, 7, '0'),
    CASE WHEN n % 2 = 0 THEN 'inbound' ELSE 'outbound' END,
    CASE WHEN n % 2 = 0 THEN 'received' WHEN n % 1001 = 0 THEN 'failed' ELSE 'sent' END,
    'Customer ' || conversation,
    array_to_tsvector(ARRAY['mcustomer', 'mis', 'mstill', 'mfor', 'msale', 'mword' || n % 50000, 'm' || conversation]
        || CASE WHEN n % 3 = 0 THEN ARRAY['mwalnut'] ELSE ARRAY['moak'] END),
    '{"uid":"' || uid || '","body":"' || rpad('Is it still for sale? ', 300, '.') || '","createdAt":"2026-03-10T16:02:11.396552Z","conversation":{"uid":"'
        || conversation_uid || '"},"items":[]}'
FROM new ORDER BY n;

INSERT INTO resource_events (kind, uid, event_id) SELECT 'message', uid, event_id FROM new ORDER BY n;
COMMIT;
