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
from typing import Any

import psycopg
from flask import Flask
from sqlalchemy import func, select, update

from app import create_app
from models import access
from models.application import Application
from models.certificate import Certificate
from models.customs import CustomsMessage
from models.database import db
from models.people.accounts import Account
from models.vocabulary import Role, Status
from tests.apps import POSTGRESQL, prepare_app
from tests.apps import new_database as database
from tests.bench import bulk
from tests.browsing import Browser, signed_in

TURNS = 9
Pages = dict[str, str]  # name → address


def busiest(app: Flask) -> Iterator[tuple[str, str, Pages]]:
    """(who, user name, their pages): the publisher and the province with most rows, one with few, and the nation."""
    with app.app_context(), access.everything() as session:
        count = func.count(Application.id)
        owners = session.execute(select(Application.owner_id).group_by(Application.owner_id).order_by(count.desc()))
        owner = owners.scalars().first()
        desks = session.scalars(
            select(Application.desk).where(Application.desk.is_not(None)).group_by(Application.desk).order_by(count)
        ).all()
        by = {"publisher": Account.organisation_id == owner, "large": _desk(desks[-1]), "small": _desk(desks[0])}
        by["nation"] = Account.role == Role.NATIONAL
        names = {who: session.scalars(select(Account.username).where(which)).first() for who, which in by.items()}
        people = update(Account).where(Account.username.in_(names.values()))
        session.execute(people.values(active=True, must_change=False))
        session.commit()
        rows = {status: session.scalar(_own(owner, status)) for status in (Status.CUSTOMS_RECEIVED, Status.DRAFT)}
        number, message = session.scalar(select(func.max(Certificate.number))), _message(session, desks[-1])
    lists = {"publisher": "/applications/", "large": "/filings/", "small": "/filings/", "nation": "/register/"}
    for who, name in names.items():
        pages = _of_list(lists[who], who == "publisher")
        if who == "publisher":
            pages |= {
                "details": f"/applications/details/?id={rows[Status.CUSTOMS_RECEIVED]}",
                "edit form": f"/applications/edit/?id={rows[Status.DRAFT]}",
            }
        if who == "nation":
            pages["certificate's number"] = f"/register/?certificate={number}"
        if who in ("large", "small"):
            pages |= _of_exchange(message if who == "large" else "Z")
        pages |= {"desk": "/desk/"}
        if who != "publisher":
            odd = "/statistics/?since=2025-07-05&until=2026-02-25"  # two ends that are no whole thirds of a month
            pages |= {"statistics": "/statistics/", "statistics, odd days": odd}
        yield who, str(name), pages


def _desk(province: str | None) -> Any:
    return (Account.role == Role.REVIEWER) & (Account.province == province)


def _own(owner: int | None, status: Status) -> Any:
    return select(Application.id).where(Application.owner_id == owner, Application.status == status).limit(1)


def _message(session: Any, desk: str | None) -> str:
    newest = select(func.max(CustomsMessage.message_id)).join(CustomsMessage.application)
    return str(session.scalar(newest.where(Application.desk == desk)))[:11]


def _of_list(address: str, own: bool) -> Pages:
    asked = {
        "plain": "", "200 rows": "page_size=200", "row 5,000": "page=249", "beyond the end": "page=499",
        "title, 2 common": "title=梅花", "title, 1 common": "title=花", "title, 6": "title=梅花·交响乐",
        "title, rare": "title=龘𠮷", "title, absent": "title=鼍", "title and status": "title=花&status=revoked",
        "title, dates": "title=花&since=2025-01-01&until=2025-03-31", "status": "status=customs_received",
        "rare status by title": "status=revoked&sort=%(title)s", "dates": "since=2025-01-01&until=2025-12-31",
        "title within dates": "since=2025-01-01&until=2025-12-31&sort=%(title)s", "number": "number=SQ2025000",
        "by title": "sort=%(title)s", "by title, end": "sort=%(title)s&page=499",
    }  # fmt: skip
    if not own:
        asked |= {"publisher, common": "publisher=出版社", "publisher, one": "publisher=第3音像",
                  "publisher, absent": "publisher=鼍", "publisher and title": "publisher=第1&title=花",
                  "amounts, many": "amount_since=1000", "amounts, row 5,000": "amount_since=1000&page=249",
                  "amounts, some": "amount_since=20000&amount_until=21000", "amounts, none": "amount_since=99999999",
                  "amounts by title": "amount_since=1000&sort=%(title)s", "by amount": "sort=%(amount)s&desc=1",
                  "amounts and status": "amount_since=1000&status=revoked"}  # fmt: skip
    if address == "/register/":
        asked |= {
            "province by title": "province=110000&sort=%(title)s",
            "province by publisher": "province=440000&sort=4",
        }
    places = {"title": 3, "amount": 8} if address == "/register/" else {"title": 1, "amount": 5}
    return {name: f"{address}?{question % places}" for name, question in asked.items()}


def _of_exchange(number: str) -> Pages:
    asked = {"": "", ", row 5,000": "page=249", ", rejected": "state=rejected", ", number": f"number={number}",
             ", dates": "since=2025-01-01&until=2025-12-31", ", unanswered": "state=unanswered",
             ", by date": "sort=5&desc=1"}  # fmt: skip
    return {f"exchange{name}": f"/exchange/?{question}" for name, question in asked.items()}


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
        browser, plain = signed_in(app, name), 0.0
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
