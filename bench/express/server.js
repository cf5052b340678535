'use strict';
// What people write by hand: two processes, the signature verified over the raw body, one INSERT an event, 200.

const cluster = require('node:cluster');
const crypto = require('node:crypto');
const express = require('express');
const { Pool } = require('pg');

const PROCESSES = 2;
const { DATABASE_URL, PODIUM_WEBHOOK_SECRET, PORT } = process.env;

const TABLE = `
  CREATE TABLE webhooks (
    uid         text        PRIMARY KEY,
    type        text        NOT NULL,
    body        jsonb       NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now()
  )`;
const INSERT = 'INSERT INTO webhooks (uid, type, body) VALUES ($1, $2, $3) ON CONFLICT (uid) DO NOTHING';

function isGenuine(request) {
  const signed = crypto.createHmac('sha256', PODIUM_WEBHOOK_SECRET);
  signed.update(`${request.get('podium-timestamp')}.`).update(request.body);
  const given = Buffer.from(request.get('podium-signature') ?? '', 'hex');
  const expected = signed.digest();
  return given.length === expected.length && crypto.timingSafeEqual(given, expected);
}

function serve() {
  const pool = new Pool({ connectionString: DATABASE_URL });
  const app = express();
  app.post('/webhooks/podium', express.raw({ type: '*/*', limit: '1mb' }), async (request, response) => {
    if (!isGenuine(request)) {
      response.sendStatus(401);
      return;
    }
    const text = request.body.toString('utf8');
    const { eventUid, eventType } = JSON.parse(text).metadata;
    await pool.query(INSERT, [eventUid, eventType, text]);
    response.sendStatus(200);
  });
  app.get('/readyz', (_request, response) => response.sendStatus(200));
  app.listen(Number(PORT), '127.0.0.1');
}

async function start() {
  const pool = new Pool({ connectionString: DATABASE_URL });
  await pool.query(TABLE);
  await pool.end();
  for (let i = 0; i < PROCESSES; i++) cluster.fork();
  process.on('SIGTERM', () => {
    for (const worker of Object.values(cluster.workers)) worker.kill();
    cluster.disconnect(() => process.exit());
  });
}

if (cluster.isPrimary) start();
else serve();
