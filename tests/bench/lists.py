"""The speed of lists: `python -m tests.bench.lists [N]`, N applications (default: 10,000) on both databases.

Milliseconds of whole pages in this process, the median of some turns, and the ratio to the plain list of the same
person. `python -m tests.bench.lists ADDRESS` measures a database that is already filled, and changes there only the
accounts that it signs in.
"""

import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter, process_time

import psycopg
from flask import Flask

from app import create_app
from models import access
from models.database import db
from tests.apps import POSTGRESQL, prepare_app
from tests.apps import new_database as database
from tests.bench import bulk, traces
from tests.bench.addresses import busiest, visitor
from tests.browsing import Browser, signed_in

TURNS = 9


def timed(browser: Browser, address: str) -> tuple[float, float]:
    """(elapsed, of processor time), milliseconds of one page."""
    elapsed, busy = [], []
    for _turn in range(TURNS + 1):
        began, work = perf_counter(), process_time()
        assert browser.get(address).status_code in (200, 503), address
        elapsed.append(perf_counter() - began)
        busy.append(process_time() - work)
    return statistics.median(elapsed[1:]) * 1000, min(busy[1:]) * 1000


def measure(app: Flask, title: str) -> None:
    """Print one table, with a line for each page of each person."""
    print(f"\n{title:44}{'ms':>8}{'cpu ms':>9}{'× plain':>9}")
    for who, name, pages in busiest(app):
        browser, plain = visitor(app, who, name), 0.0
        for page, address in pages.items():
            elapsed, busy = timed(browser, address)
            plain = plain or elapsed
            print(f"{who + ': ' + page:44}{elapsed:8.1f}{busy:9.1f}{elapsed / plain:9.1f}", flush=True)
    elapsed, busy = timed(signed_in(app, None), "/healthz")
    print(f"{'/healthz':44}{elapsed:8.1f}{busy:9.1f}")


def filled(address: str, folder: Path, count: int) -> Flask:
    """An application on a new database with so many applications."""
    app = prepare_app(address, folder)
    with app.app_context(), access.everything() as session:
        bulk.fill(session, count)
        traces.fill(session, count)
    with app.app_context():
        db.session.remove()
        bulk.vacuum(db.engine)
    return app


def databases(count: int) -> Iterator[tuple[str, str, Flask]]:
    """(name, address, application on it) of SQLite, then PostgreSQL where it answers, with so many rows."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        address = f"sqlite:///{folder}/lists.sqlite"
        yield "SQLite", address, filled(address, folder, count)
        try:
            server = psycopg.connect(f"postgresql://{POSTGRESQL}/postgres", autocommit=True, connect_timeout=3)
        except psycopg.OperationalError:
            print("PostgreSQL does not answer", file=sys.stderr)
            return
        with server, database(server, "filing_bench_lists") as address:
            yield "PostgreSQL", address, filled(address, folder, count)


def run(count: int) -> None:
    """Measure new databases of both kinds with `count` applications."""
    for name, _address, app in databases(count):
        measure(app, f"{name}, {count:,} applications")


def on(address: str) -> None:
    """Measure an existing database."""
    measure(create_app({"TESTING": True, "SQLALCHEMY_DATABASE_URI": address}), address.partition(":")[0])


if __name__ == "__main__":
    argument = sys.argv[1] if len(sys.argv) > 1 else "10000"
    run(int(argument)) if argument.isdigit() else on(argument)
