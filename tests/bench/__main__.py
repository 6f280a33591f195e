"""`make bench`: one table of pages and acts on both databases, which is printed and written into the README.

`python -m tests.bench [N] [TURNS]`: N applications (default: a million), each page opened TURNS times (default: 9).
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests import ROOT
from tests.bench import carriers, certificates, exchange, lists, pages, server, table
from tests.bench.table import LIMIT, Goal, Line

PASTED = 3  # turns of what takes seconds


def acts(turns: int) -> list[Line]:
    """The acts that take longer than a page: making a certificate, delivering a message to the simulated customs."""
    with tempfile.TemporaryDirectory() as folder:
        app = certificates.made(Path(folder))
        key = certificates.grant(app, certificates.submitted(app, 1, certificates.small_pdf).pop())
        own, bare, stored = certificates.typesetting(app, key, turns)
    messages, commits = exchange.rates(10 * turns)
    typeset, again = Goal(certificates.SLOWEST, LIMIT), Goal(1 / certificates.STORED, LIMIT)
    return [
        Line("certificate typeset and signed", own * 1000, None, "", bare * 1000, None, typeset),
        Line("certificate printed again", stored * 1000, None, "", own * 1000, None, again),
        Line("message claimed, signed, sent, receipt noted", 1000 / messages, None, "", 1000 / commits, None, None),
    ]


def measured(count: int, turns: int, notes: list[str]) -> Iterator[tuple[str, Line]]:
    """(database, line) of every measurement, the acts last; appends to `notes` what is no line of the table."""
    for name, address, app in lists.databases(count):
        for line in pages.measure(app, turns, address):
            yield name, line
        yield name, server.exported(app)
        for line in carriers.lines(app, min(turns, PASTED)):
            yield name, line
        notes.append(f"{name}: {server.resource_use(app)}.")
    for line in acts(turns):
        yield "SQLite", line


def main(count: int, turns: int) -> None:
    """Measure, print the table, and write it into the README."""
    notes: list[str] = []
    rows = list(measured(count, turns, notes))
    ends = "\n".join(notes)
    text = f"{table.machine()}; {count:,} applications, medians of {turns}.\n\n{table.markdown(rows)}\n{ends}\n"
    print(text, flush=True)
    table.write(ROOT / "README.md", text)


if __name__ == "__main__":
    numbers = [int(number) for number in sys.argv[1:]]
    main(*(numbers + [1_000_000, 9][len(numbers) :]))
    sys.stdout.flush()
    os._exit(0)  # the typesetter's process need not be waited for
