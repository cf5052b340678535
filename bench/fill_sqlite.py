#!/usr/bin/env python3
"""Does to an SQLite file what bench/fill_postgres.sql does to PostgreSQL: FILE EVENTS CONVERSATIONS"""

import hashlib
import sqlite3
import sys
import time
import uuid

from make_requests import LOCATIONS, named

BATCH = 100_000
DAYS = 60
HEADERS = (
    '[{"name":"host","value":"127.0.0.1"},{"name":"user-agent","value":"bench"},{"name":"accept","value":"*/*"},'
    '{"name":"content-type","value":"application/json"},{"name":"content-length","value":"1024"}]'
)
ORGANIZATION = "3ceaaf30-8142-48ea-b1d9-3080f9b439fc"

EVENTS = """
    INSERT INTO events (id, dedup_key, source, event_type, event_uid, subject_uid, conversation_uid, contact_uid,
        location_uid, organization_uid, occurred_at, received_at, verified_by)
    VALUES (?, ?, 'default', 'message.received', ?, ?, ?, ?, ?, ?, ?, ?, 'current')"""
BODIES = "INSERT INTO event_bodies (event_id, headers, body) VALUES (?, ?, ?)"
DELIVERIES = """
    INSERT INTO deliveries (id, event_id, handler, ordering_key, state, attempts, opened_at, settled_at)
    VALUES (?, ?, 'log', ?, 'done', 1, ?, ?)"""
ATTEMPTS = """
    INSERT INTO attempts (delivery_id, number, started_at, duration_us, outcome) VALUES (?, 1, ?, 10, 'done')"""


def identifier(at, what):
    """A UUID of version 7."""
    chance = hashlib.md5(what.encode()).digest()
    versioned = bytes([0x70 | chance[0] & 15, chance[1], 0x80 | chance[2] & 63])
    return (at // 1000).to_bytes(6, "big") + versioned + chance[3:10]


def rows(first, last, events, conversations, now):
    """The rows of each table."""
    tables = ([], [], [], [])
    for n in range(first, last):
        at = now - DAYS * 86_400_000_000 * (events - n) // events
        conversation = n * 7919 % conversations
        conversation_uid, contact = named("conversation", conversation), named("contact", conversation)
        event, delivery = identifier(at, f"event {n}"), identifier(at, f"delivery {n}")
        message = named("message", n)
        key = hashlib.md5(f"key {n}".encode()).digest()
        location = named("location", conversation % LOCATIONS)
        uids = (named("event", n), message, conversation_uid, contact, location, ORGANIZATION)
        tables[0].append((event, key, *uids, at, at))
        tables[1].append((event, HEADERS, f'{{"data":{{"uid":"{message}"'.ljust(1024).encode()))
        tables[2].append((delivery, event, f"conversation:{conversation_uid}", at, at))
        tables[3].append((delivery, at))
    return tables


def main():
    path, events, conversations = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    now = int(time.time() * 1_000_000) - 60_000_000
    database = sqlite3.connect(path)
    # Nobody else is at the file, and if this ends early it is thrown away.
    database.execute("PRAGMA synchronous = OFF")
    database.execute("PRAGMA cache_size = -2000000")
    for first in range(0, events, BATCH):
        with database:
            tables = rows(first, min(first + BATCH, events), events, conversations, now)
            for statement, table in zip((EVENTS, BODIES, DELIVERIES, ATTEMPTS), tables):
                database.executemany(statement, table)
        if first // BATCH % 5 == 4:
            print(f"  {first + BATCH}", file=sys.stderr)
    database.execute("ANALYZE")
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()


if __name__ == "__main__":
    main()
