#!/usr/bin/env python3
"""Writes the tables of docs/performance.md from the figures of one run: RESULTS [PAGE]

Without a page, prints them.
"""

import datetime
import os
import platform
import re
import subprocess
import sys
from collections import defaultdict
from statistics import median

SUBJECTS = {
    "a": "(a) Lectern on PostgreSQL",
    "b": "(b) Lectern on SQLite",
    "c": "(c) HTTP and signature alone",
    "d": "(d) Express and node-postgres",
}
BEGIN, END = "<!-- Written by bench/run, up to the next mark. -->", "<!-- The end of what bench/run writes. -->"


def read(path):
    """The figures by measurement, subject and key; one for each round."""
    figures = defaultdict(list)
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            measurement, subject, key, value = line.rstrip("\n").split("\t")
            figures[measurement, subject, key].append(value if measurement == "machine" else float(value))
    return figures


def table(head, rows):
    """A Markdown table. The first column is text."""
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def whole(value):
    return f"{value:,.0f}"


def spread(values, show):
    """The lowest and the highest of several rounds."""
    return f"{show(min(values))} to {show(max(values))}"


def milliseconds(values):
    value = median(values)
    return f"{value:.2f} ms" if value < 10 else f"{value:,.0f} ms"


def rates(figures):
    """Events a second with 64 connections."""
    rows = []
    for subject, name in SUBJECTS.items():
        each = figures["rate", subject, "a_second"]
        if not each:
            continue
        handled = figures["rate", subject, "handled"]
        rows.append([
            name,
            whole(median(each)),
            spread(each, whole),
            milliseconds(figures["rate", subject, "p50"]),
            milliseconds(figures["rate", subject, "p99"]),
            f"{median(handled):.0%}" if handled else "",
            whole(sum(figures["rate", subject, "failed"])),
        ])
    head = ["", "acknowledged a second", "lowest to highest round", "p50", "p99", "handled by then", "not 200"]
    return table(head, rows)


def steady(figures):
    """Latency at 2,000 events a second."""
    rows = []
    for subject in "abc":
        if figures["steady", subject, "p99"]:
            each = [milliseconds(figures["steady", subject, key]) for key in ("p50", "p99", "p99.9", "max")]
            rate = whole(median(figures["steady", subject, "a_second"]))
            rows.append([SUBJECTS[subject], rate, *each, spread(figures["steady", subject, "p99"], "{:.2f} ms".format)])
    return table(["", "a second", "p50", "p99", "p99.9", "longest", "p99, lowest to highest round"], rows)


def memory(figures):
    """Resident memory."""
    rows = []
    for subject in "ab":
        if figures["memory", subject, "events"]:
            mebibytes = [f"{figures['memory', subject, key][0] / 1024:.1f} MiB" for key in ("resident", "most")]
            rows.append([SUBJECTS[subject], whole(figures["memory", subject, "events"][0]), *mebibytes])
    return table(["", "events", "resident", "most at any time"], rows)


def resting(figures):
    """Starting, and having nothing to do."""
    rows = []
    for subject in "ab":
        if figures["resting", subject, "start"]:
            value = lambda key, subject=subject: figures["resting", subject, key][0]
            resident = f"{value('resident') / 1024:.1f} MiB"
            rows.append([SUBJECTS[subject], *(f"{value(key):.0f} ms" for key in ("start", "longest")), resident, f"{value('core'):.2f} %"])
    if not rows:
        return "Not measured in this run."
    return table(["", "start to the first 200, median", "longest", "resident at rest", "of a core at rest"], rows)


def filled(figures):
    """The rate with much stored."""
    rows = []
    for subject in "ab":
        if figures["filled", subject, "events"]:
            empty, full = (median(figures[kind, subject, "a_second"]) for kind in ("empty", "filled"))
            stored = [whole(figures["filled", subject, key][0]) for key in ("events", "conversations")]
            rows.append([SUBJECTS[subject], *stored, whole(empty), whole(full), f"{full / empty:.2f}"])
    if not rows:
        return "Not measured in this run: `bench/run --full` does."
    return table(["", "events stored", "conversations", "a second, empty", "a second, filled", "ratio"], rows)


def pruning(figures):
    """What senders notice while old events are forgotten."""
    rows = []
    for subject in "ab":
        if figures["pruning", subject, "events"]:
            p99 = [milliseconds(figures[kind, subject, "p99"]) for kind in ("usual", "pruning")]
            whole_ones = [whole(figures["pruning", subject, key][0]) for key in ("events", "a_second")]
            rows.append([SUBJECTS[subject], *whole_ones, *p99])
    if not rows:
        return "Not measured in this run: `bench/run --full` does."
    return table(["", "events forgotten", "a second", "p99 at 1,000 a second, usual", "p99 meanwhile"], rows)


def medians(figures):
    """One figure instead of one for each round. What was not measured is not there."""
    return {key: median(values) for key, values in figures.items() if values and key[0] != "machine"}


def targets(figures):
    """What is to be reached, and whether it is."""
    middle = medians(figures)
    rate = lambda subject, kind="rate": middle[kind, subject, "a_second"]
    resident = lambda subject: middle["memory", subject, "resident"] / 1024
    wanted = [
        ("(a) at least 5 times (d)", lambda: rate("a") / rate("d"), "{:.1f} times", lambda it: it >= 5),
        ("(a) at least a quarter of (c)", lambda: rate("a") / rate("c"), "{:.0%}", lambda it: it >= 0.25),
    ]
    for subject in "ab":
        p99 = lambda subject=subject: middle["steady", subject, "p99"]
        wanted.append((f"({subject}) p99 at 2,000 a second at most 5 ms", p99, "{:.1f} ms", lambda it: it <= 5))
    for subject in "ab":
        size = lambda subject=subject: resident(subject)
        wanted.append((f"({subject}) at most 64 MiB resident", size, "{:.0f} MiB", lambda it: it <= 64))
    wanted.append(("(b) start to the first 200 at most 200 ms", lambda: middle["resting", "b", "longest"], "{:.0f} ms", lambda it: it <= 200))
    for subject in "ab":
        size = lambda subject=subject: middle["resting", subject, "resident"] / 1024
        wanted.append((f"({subject}) at rest at most 40 MiB resident", size, "{:.0f} MiB", lambda it: it <= 40))
        share = lambda subject=subject: middle["resting", subject, "core"]
        wanted.append((f"({subject}) at rest less than 1 % of a core", share, "{:.2f} %", lambda it: it < 1))
    for subject in "ab":
        ratio = lambda subject=subject: rate(subject, "filled") / rate(subject, "empty")
        wanted.append((f"({subject}) filled at least 0.8 of empty", ratio, "{:.2f}", lambda it: it >= 0.8))
    for subject in "ab":
        times = lambda subject=subject: middle["pruning", subject, "p99"] / middle["usual", subject, "p99"]
        wanted.append((f"({subject}) p99 while events are forgotten at most twice the usual", times, "{:.1f} times", lambda it: it <= 2))
    return judged(wanted)


def judged(wanted):
    """A table of targets: what, how to get the figure, how to show it, and when it is reached."""
    rows = []
    for what, figure, shown, reached in wanted:
        try:
            value = figure()
        except KeyError:
            rows.append([what, "", "not measured"])
        else:
            rows.append([what, shown.format(value), "reached" if reached(value) else "**missed**"])
    return table(["target", "measured", ""], rows)


def machine(figures):
    """What it was measured on."""
    with open("/proc/cpuinfo", encoding="utf-8") as lines:
        models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    with open("/proc/meminfo", encoding="utf-8") as lines:
        memory_kib = int(next(line for line in lines if line.startswith("MemTotal")).split()[1])
    node = figures["machine", "node", "version"]
    git = lambda *arguments: subprocess.run(["git", *arguments], capture_output=True, text=True).stdout.strip()
    changed = ", with changes" if git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!docs/performance.md") else ""
    return ", ".join([
        f"{os.cpu_count()} cores ({models[0] if models else platform.machine()})",
        f"{memory_kib / 1024 / 1024:.0f} GiB of memory",
        f"Linux {platform.release()}",
        re.sub(r"^postgres \((PostgreSQL)\) (\S+).*", r"\1 \2", figures["machine", "postgres", "version"][0]),
        *(f"Node.js {version}" for version in node),
        f"commit {git('rev-parse', '--short=10', 'HEAD')}{changed}",
        f"{datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d}",
    ])


def section(figures):
    """All that stands between the marks."""
    parts = [
        f"Machine: {machine(figures)}.",
        "### Targets",
        targets(figures),
        "### Events a second, 64 connections",
        rates(figures),
        "### Answers at a steady 2,000 events a second",
        steady(figures),
        "### Memory",
        memory(figures),
        "### Starting and resting",
        resting(figures),
        "### With much stored",
        filled(figures),
        "### While a million events are forgotten",
        pruning(figures),
    ]
    return "\n\n".join(parts)


def write(text, begin, end):
    """Puts the text between the marks of the page that was named, or prints it."""
    page = sys.argv[2] if len(sys.argv) > 2 else ""
    if not page:
        print(text)
        return
    with open(page, encoding="utf-8") as file:
        old = file.read()
    before, _, rest = old.partition(begin)
    _, mark, after = rest.partition(end)
    if not mark:
        sys.exit(f"{page} has lost its marks; the figures:\n\n{text}")
    with open(page, "w", encoding="utf-8") as file:
        file.write(f"{before}{begin}\n\n{text}\n\n{end}{after}")


if __name__ == "__main__":
    write(section(read(sys.argv[1])), BEGIN, END)
