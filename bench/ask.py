#!/usr/bin/env python3
"""Asks the API one question after another on one connection, and prints how long the answers took.

    bench/ask.py API TIMES CONVERSATIONS EVENTS   (the token comes by LECTERN_API_TOKEN)

A line for each question: its name, p50 and p99 in milliseconds.
"""

import hashlib
import http.client
import json
import os
import random
import sys
import time
import uuid
from urllib.parse import quote, urlsplit


def named(kind, number):
    """A uid that bench/fill_postgres.sql and bench/fill_mirror.sql make of the same number, too."""
    return str(uuid.UUID(hashlib.md5(f"{kind} {number}".encode()).hexdigest()))


class Api:
    """The API, on one connection."""

    def __init__(self, address):
        self.connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=60)
        self.head = {"Authorization": f"Bearer {os.environ['LECTERN_API_TOKEN']}"}

    def get(self, path):
        """The answer, and how many milliseconds it took."""
        begun = time.perf_counter()
        self.connection.request("GET", f"/api/v1/{path}", headers=self.head)
        response = self.connection.getresponse()
        body = response.read()
        took = (time.perf_counter() - begun) * 1000
        if response.status != 200:
            sys.exit(f"{path}: {response.status} {body[:300]!r}")
        return json.loads(body), took


def thousandth(api, path):
    """The path of the thousandth page of a list, or of its last."""
    joint = "&" if "?" in path else "?"
    answer, _ = api.get(f"{path}{joint}limit=10")
    for _ in range(998):
        cursor = answer["metadata"]["nextCursor"]
        if cursor is None:
            break
        place = f"{path.split('?')[0]}?cursor={cursor}"
        answer, _ = api.get(place)
    cursor = answer["metadata"]["nextCursor"]
    return f"{path.split('?')[0]}?cursor={cursor}" if cursor else path


def questions(api, conversations):
    """The questions by name, each a way to make the next path."""
    chance = random.Random(7)
    one = lambda: chance.randrange(conversations)
    number = lambda: quote(f"+1801{one():07}")
    lists = {"messages": "messages", "conversations": "conversations", "events": "events", "deliveries": "deliveries"}
    for name, path in lists.items():
        yield f"{name}: first page", lambda path=path: path
        later = thousandth(api, path)
        yield f"{name}: thousandth page", lambda later=later: later
    yield "a conversation", lambda: f"conversations/{named('conversation', one())}"
    yield "a conversation's messages", lambda: f"conversations/{named('conversation', one())}/messages"
    yield "a conversation's events", lambda: f"events?conversationUid={named('conversation', one())}"
    yield "messages of a contact", lambda: f"messages?contactUid={named('contact', one())}"
    for kind in ("messages", "conversations"):
        yield f"{kind} by number", lambda kind=kind: f"{kind}?channelIdentifier={number()}"
        yield f"{kind} of a location", lambda kind=kind: f"{kind}?locationUid={named('location', one() % 50)}"
        yield f"{kind} of an organization", lambda kind=kind: f"{kind}?organizationUid=3ceaaf30-8142-48ea-b1d9-3080f9b439fc"
        yield f"{kind} of a rare channel", lambda kind=kind: f"{kind}?channelType=whatsapp"
        yield f"{kind} of a channel that is not there", lambda kind=kind: f"{kind}?channelType=fax"
    yield "messages of a sender", lambda: f"messages?senderUid=user-{one() % 200}"
    yield "messages that failed", lambda: "messages?status=failed"
    yield "messages in one direction", lambda: "messages?direction=inbound"
    yield "conversations of a user", lambda: f"conversations?assignedUserUid=user-{one() % 200}"
    yield "conversations that wait", lambda: "conversations?awaitingReply=true"
    yield "conversations that wait at a location", lambda: f"conversations?awaitingReply=true&locationUid={named('location', one() % 50)}"
    yield "search: a common word", lambda: "messages?q=walnut"
    yield "search: a rare word", lambda: f"messages?q=word{chance.randrange(50000)}"
    yield "search: a common and a rare word", lambda: f"messages?q=walnut+word{chance.randrange(50000)}"
    yield "search: a word that is not there", lambda: "messages?q=unheard"
    yield "search: a name", lambda: f"conversations?q=customer+{one()}"


def main():
    api, times, conversations = Api(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    for name, path in questions(api, conversations):
        # The first answers are slow for what they find cold.
        for _ in range(max(2, times // 20)):
            api.get(path())
        took = sorted(api.get(path())[1] for _ in range(times))
        print(name, f"{took[len(took) // 2]:.3f}", f"{took[min(len(took) - 1, len(took) * 99 // 100)]:.3f}", sep="\t", flush=True)


main()
