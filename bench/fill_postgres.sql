-- Stores the events from :first to :last of :events, spread over :conversations and the :span up to a minute ago, each with a
-- delivery to :handler: one that is :open, or one that is done.
-- Names are those of bench/make_requests.py, so that its events belong to the same conversations.
BEGIN;
SET LOCAL synchronous_commit = off;
-- Every delivery has its event: there is nothing to look up.
SET LOCAL session_replication_role = replica;
SET LOCAL client_min_messages = warning;

-- A UUID of version 7.
CREATE FUNCTION pg_temp.id(at timestamptz, what text) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || substr(md5(what), 1, 3)
        || '8' || substr(md5(what), 4, 15))::uuid
$$;

-- The smallest of a moment.
CREATE FUNCTION pg_temp.first_id(at timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '70008000000000000000')::uuid
$$;

-- The tables of the weeks, as the program would have made them.
SELECT format('CREATE TABLE IF NOT EXISTS event_bodies_%s PARTITION OF event_bodies FOR VALUES FROM (%L) TO (%L)',
    to_char(week AT TIME ZONE 'UTC', 'YYYY_MM_DD'), pg_temp.first_id(week), pg_temp.first_id(week + interval '7 days'))
FROM generate_series(
    timestamptz 'epoch' + interval '7 days' * floor(extract(epoch FROM now() - interval :'span') / 604800), now(), interval '7 days'
) AS week
\gexec

CREATE TEMPORARY TABLE new ON COMMIT DROP AS
SELECT n, at, pg_temp.id(at, 'event ' || n) AS id, pg_temp.id(at, 'delivery ' || n) AS delivery_id,
    md5('conversation ' || conversation)::uuid::text AS conversation_uid,
    md5('contact ' || conversation)::uuid::text AS contact_uid,
    md5('location ' || conversation % 50)::uuid::text AS location_uid
FROM (
    SELECT n, n * 7919 % :conversations AS conversation,
        now() - interval '1 minute' - interval :'span' * (1 - n::float8 / :events) AS at
    FROM generate_series(:first::bigint, :last::bigint) AS n
) AS numbered;

INSERT INTO events (id, dedup_key, source, event_type, event_uid, subject_uid, conversation_uid, contact_uid,
    location_uid, organization_uid, occurred_at, received_at, verified_by)
SELECT id, decode(md5('key ' || n), 'hex'), 'default', 'message.received', md5('event ' || n)::uuid::text,
    md5('message ' || n)::uuid::text, conversation_uid, contact_uid, location_uid,
    '3ceaaf30-8142-48ea-b1d9-3080f9b439fc', at, at, 'current'
FROM new ORDER BY n;

INSERT INTO event_bodies (event_id, headers, body)
SELECT id,
    '[{"name":"host","value":"127.0.0.1"},{"name":"user-agent","value":"bench"},{"name":"accept","value":"*/*"},'
    || '{"name":"content-type","value":"application/json"},{"name":"content-length","value":"1024"}]',
    convert_to(rpad('{"data":{"uid":"' || md5('message ' || n)::uuid || '","conversation":{"uid":"' || conversation_uid
        || '"}}}', 1024), 'UTF8')
FROM new ORDER BY n;

\if :open
INSERT INTO deliveries (id, event_id, handler, ordering_key, state, opened_at)
SELECT delivery_id, id, :'handler', 'conversation:' || conversation_uid, 'pending', at FROM new ORDER BY n;

INSERT INTO queues (handler, ordering_key, pending, due_at)
SELECT :'handler', 'conversation:' || conversation_uid, count(*), min(at) FROM new GROUP BY conversation_uid
ON CONFLICT (handler, ordering_key) DO UPDATE SET pending = queues.pending + excluded.pending;
\else
INSERT INTO deliveries (id, event_id, handler, ordering_key, state, attempts, opened_at, settled_at)
SELECT delivery_id, id, :'handler', 'conversation:' || conversation_uid, 'done', 1, at, at FROM new ORDER BY n;

INSERT INTO attempts (delivery_id, number, started_at, duration_us, outcome)
SELECT delivery_id, 1, at, 10, 'done' FROM new ORDER BY n;
\endif

COMMIT;
