#!/usr/bin/env python3
"""Writes requests as Podium sends them, signed, each an event of its own, for bench/load.lua to send.

    bench/make_requests.py FILE COUNT CONVERSATIONS   (the secret comes by PODIUM_WEBHOOK_SECRET)

There is nothing between them. All are of one length, which is how they are found again.
"""

import hashlib
import hmac
import os
import random
import sys
import time
import uuid

BODY_BYTES = 1024
LOCATIONS = 50

BODY = (
    '{"data":{"uid":"%(message)s","body":"%(text)s","createdAt":"%(at)s","failureReason":null,'
    '"contactName":"Marisol Okafor","senderUid":null,"attachmentUrl":null,'
    '"contact":{"name":"Marisol Okafor","uid":"%(contact)s","externalIdentifier":null},"sender":{},'
    '"conversation":{"uid":"%(conversation)s","assignedUserUid":null,"startedAt":"%(at)s",'
    '"channel":{"type":"phone","identifier":"+18015550142"}},'
    '"location":{"uid":"%(location)s","organizationUid":"3ceaaf30-8142-48ea-b1d9-3080f9b439fc"},'
    '"items":[{"uid":"%(message)s","type":"message","body":"%(text)s","sendBody":null,"sourceType":"inbound",'
    '"deliveryStatus":null,"attachmentUrl":null,"createdAt":"%(at)s"}]},'
    '"metadata":{"eventType":"message.received","eventUid":"%(event)s","version":"2021.04.01"}}'
)

HEAD = (
    "POST /webhooks/podium HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: bench\r\nAccept: */*\r\n"
    "Content-Type: application/json\r\nContent-Length: %d\r\npodium-timestamp: %s\r\npodium-signature: "
)


def named(kind, number):
    """A uid that bench/fill_postgres.sql and bench/fill_sqlite.py make of the same number, too."""
    return str(uuid.UUID(hashlib.md5(f"{kind} {number}".encode()).hexdigest()))


def template(at):
    """The body in pieces: between them come message, contact, conversation, location, message and event."""
    gaps = {key: "\0" * 36 for key in ("message", "contact", "conversation", "location", "event")}
    fitting = lambda text: (BODY % {"text": text, "at": at, **gaps}).encode()
    room = BODY_BYTES - len(fitting(""))
    text = "Is the walnut sideboard from your window still for sale? ".ljust(room // 2, ".")[: room // 2]
    body = fitting(text) + b" " * (room % 2)  # an odd byte: JSON may end in a space
    assert len(body) == BODY_BYTES
    return body.split(b"\0" * 36)


def write(path, count, conversations, secret):
    """Writes the file. The same name brings the same conversations in the same order."""
    chance = random.Random(os.path.basename(path))
    now = time.time()
    timestamp = str(int(now * 1000))
    at = time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime(now))
    pieces = template(at)
    head = (HEAD % (BODY_BYTES, timestamp)).encode()
    prefix = timestamp.encode() + b"."
    key = secret.encode()
    # A million names are worth keeping; making them anew for each event would take longer than signing it.
    places = {}
    with open(path, "wb", buffering=1 << 20) as file:
        for _ in range(count):
            conversation = int(chance.random() * conversations)
            place = places.get(conversation)
            if place is None:
                location = named("location", conversation % LOCATIONS)
                place = places[conversation] = (
                    named("contact", conversation).encode(),
                    named("conversation", conversation).encode(),
                    location.encode(),
                )
            message, event = unique(), unique()
            gaps = (message, *place, message, event)
            body = b"".join(part for pair in zip(pieces, gaps) for part in pair) + pieces[-1]
            signature = hmac.digest(key, prefix + body, "sha256").hex().encode()
            file.write(b"%b%b\r\n\r\n%b" % (head, signature, body))


def unique():
    """A random uid. uuid.uuid4 takes five times as long."""
    text = os.urandom(16).hex().encode()
    return b"%b-%b-4%b-8%b-%b" % (text[:8], text[8:12], text[13:16], text[17:20], text[20:])


def main():
    path, count, conversations = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    write(path, count, conversations, os.environ["PODIUM_WEBHOOK_SECRET"])


if __name__ == "__main__":
    main()
