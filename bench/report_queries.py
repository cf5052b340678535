#!/usr/bin/env python3
"""Writes the part of docs/performance.md on queries from the figures of one run: RESULTS [PAGE]

Without a page, prints it.
"""

import sys
from statistics import median

from report import judged, machine, medians, read, spread, table, whole, write

BEGIN = "<!-- Written by bench/queries, up to the next mark. -->"
END = "<!-- The end of what bench/queries writes. -->"


def questions(figures):
    """The questions that were asked, in the order in which they were."""
    return [subject for measurement, subject, key in figures if measurement == "one" and key == "p50"]


def answers(figures):
    """How long each took."""
    rows = [
        [question, *(f"{figures['one', question, key][0]:.2f} ms" for key in ("p50", "p99"))]
        for question in questions(figures)
    ]
    return table(["", "p50", "p99"], rows)


def beside(figures):
    """The API beside pgbench."""
    names = {"api": "through the API", "pgbench": "`pgbench`, the same statements"}
    rows = [
        [name, whole(median(figures["both", subject, "a_second"])), spread(figures["both", subject, "a_second"], whole)]
        for subject, name in names.items()
    ]
    return table(["the messages of a conversation, 8 clients", "a second", "lowest to highest round"], rows)


def targets(figures):
    """What is to be reached, and whether it is."""
    middle = medians(figures)
    slowest = lambda is_search: max(
        middle["one", question, "p99"] for question in questions(figures) if question.startswith("search") == is_search
    )
    return judged([
        ("lists, pages and filters: p99 at most 20 ms, the slowest of them", lambda: slowest(False), "{:.1f} ms", lambda it: it <= 20),
        ("search: p99 at most 100 ms, the slowest", lambda: slowest(True), "{:.1f} ms", lambda it: it <= 100),
        ("at least half of what `pgbench` gets", lambda: middle["both", "api", "a_second"] / middle["both", "pgbench", "a_second"], "{:.2f}", lambda it: it >= 0.5),
    ])


def section(figures):
    """All that stands between the marks."""
    amounts = {key: whole(figures["amount", "all", key][0]) for key in ("events", "conversations")}
    return "\n\n".join([
        f"Machine: {machine(figures)}.",
        "#### Targets",
        targets(figures),
        "#### With {events} events and {conversations} conversations, one question after another".format(**amounts),
        answers(figures),
        "#### Beside pgbench",
        beside(figures),
    ])


if __name__ == "__main__":
    write(section(read(sys.argv[1])), BEGIN, END)
