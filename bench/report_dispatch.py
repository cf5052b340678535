#!/usr/bin/env python3
"""Writes the part of docs/performance.md on dispatch from the figures of one run: RESULTS [PAGE]

Without a page, prints it.
"""

import sys
from statistics import median

from report import judged, machine, medians, milliseconds, read, spread, table, whole, write

BEGIN = "<!-- Written by bench/dispatch, up to the next mark. -->"
END = "<!-- The end of what bench/dispatch writes. -->"

# Measurement and handler, and what they are called.
ROUNDS = {
    ("rate", "nothing"): "nothing",
    ("rate", "http"): "`http`",
    ("healthy", "http"): "`http`, all is well",
    ("failing", "http"): "`http`, one conversation of {conversations} always fails: the others",
    ("empty", "nothing"): "nothing, with nothing else stored",
    ("settled", "nothing"): "nothing, with {settled} settled deliveries stored",
}


def rates(figures, amounts):
    """Deliveries a second from a backlog."""
    rows = []
    for (measurement, handler), name in ROUNDS.items():
        each = figures[measurement, handler, "a_second"]
        if each:
            rows.append([name.format(**amounts), whole(median(each)), spread(each, whole)])
    return table(["what the handler does", "deliveries a second", "lowest to highest round"], rows)


def starts(figures):
    """From acceptance to the start of the handler."""
    each = [figures["start", "nothing", key] for key in ("p50", "p99", "longest")]
    if not each[0]:
        return "Not measured in this run."
    row = [*(milliseconds(values) for values in each), spread(each[0], "{:.2f} ms".format)]
    return table(["", "p50", "p99", "longest", "p50, lowest to highest round"], [["20 events a second", *row]])


def targets(figures):
    """What is to be reached, and whether it is."""
    middle = medians(figures)
    rate = lambda measurement, handler: middle[measurement, handler, "a_second"]
    return judged([
        ("a handler that does nothing: at least 30,000 a second", lambda: rate("rate", "nothing"), "{:,.0f}", lambda it: it >= 30_000),
        ("`http`: at least 8,000 a second", lambda: rate("rate", "http"), "{:,.0f}", lambda it: it >= 8_000),
        ("from acceptance to the handler's start: p50 at most 10 ms", lambda: middle["start", "nothing", "p50"], "{:.1f} ms", lambda it: it <= 10),
        ("one conversation that always fails: the others lose less than 5 %", lambda: 1 - rate("failing", "http") / rate("healthy", "http"), "{:.1%}", lambda it: it < 0.05),
        ("beside settled deliveries: at least 0.8 of without", lambda: rate("settled", "nothing") / rate("empty", "nothing"), "{:.2f}", lambda it: it >= 0.8),
    ])


def section(figures):
    """All that stands between the marks."""
    amounts = {key: whole(figures["amount", "all", key][0]) for key in ("backlog", "conversations", "settled")}
    return "\n\n".join([
        f"Machine: {machine(figures)}.",
        "#### Targets",
        targets(figures),
        "#### Deliveries a second from a backlog of {backlog} in {conversations} conversations".format(**amounts),
        rates(figures, amounts),
        "#### From acceptance to the start of the handler",
        starts(figures),
    ])


if __name__ == "__main__":
    write(section(read(sys.argv[1])), BEGIN, END)
