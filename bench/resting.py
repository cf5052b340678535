#!/usr/bin/env python3
"""How long a Lectern takes from its start to the first event that it answers with 200, and what it has and does when nothing comes:
PROGRAM HOST:PORT SECRET_FILE STARTS SECONDS

Prints the median and the longest start in milliseconds, the KiB that are resident, and the share of a core that it takes, in percent."""

import hashlib
import hmac
import http.client
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import time


def main():
    program, address, secret = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3]).read_text().strip()
    starts, seconds = int(sys.argv[4]), int(sys.argv[5])
    took = []
    for number in range(starts):
        begun = time.monotonic()
        process = subprocess.Popen([program, "--log", "warn"], stdout=subprocess.DEVNULL)
        try:
            while not answers(address, secret, f"start-{begun}-{number}"):
                if process.poll() is not None:
                    sys.exit(f"{program} has ended with {process.returncode}")
                time.sleep(0.001)
            took.append((time.monotonic() - begun) * 1000)
            if number == starts - 1:
                resident, share = rest(process.pid, seconds)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()
    print(f"{statistics.median(took):.1f} {max(took):.1f} {resident} {share:.2f}")


def answers(address, secret, uid):
    """Whether a new event is answered with 200."""
    body = f'{{"data":{{"uid":"{uid}"}},"metadata":{{"eventType":"message.received","eventUid":"{uid}"}}}}'.encode()
    timestamp = str(int(time.time() * 1000))
    signature = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    headers = {"content-type": "application/json", "podium-timestamp": timestamp, "podium-signature": signature}
    connection = http.client.HTTPConnection(address, timeout=5)
    try:
        connection.request("POST", "/webhooks/podium", body, headers)
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def rest(process, seconds):
    """What is resident, and the share of a core, after a while in which what the start began has ended."""
    time.sleep(min(seconds, 10))
    before = ticks(process)
    time.sleep(seconds)
    share = 100 * (ticks(process) - before) / os.sysconf("SC_CLK_TCK") / seconds
    status = pathlib.Path(f"/proc/{process}/status").read_text()
    resident = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:"))
    return resident, share


def ticks(process):
    """How much time it has had of a core, in its own mode and the system's."""
    fields = pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


main()
