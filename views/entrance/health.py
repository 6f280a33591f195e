"""/healthz: whether the house is well, for whoever watches over it; what is not is one word a line, and no secret."""

from collections.abc import Iterator
from threading import Lock
from time import monotonic

from flask import Flask, Response, current_app, request
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from models import access
from models.backup import registered_store, unfinished_restore
from models.certificate import paper_queue
from models.customs import health as exchange
from models.database import version
from models.files.store_errors import StoreUnusable
from models.people.accounts import Account
from models.vocabulary import Role
from views.certificate import paper_worker
from views.resources import keys, pace, store


class Prober:
    """Writes into the store and reads back, no more often than each `every` seconds; in between the last result."""

    every = 10.0

    def __init__(self) -> None:
        self.lock, self.results = Lock(), dict[str, tuple[float, bool]]()

    def is_well(self, address: str) -> bool:
        """Whether the store at this address can be used; one probe at a time."""
        with self.lock:
            at, well = self.results.get(address, (-self.every, False))
            if monotonic() >= at + self.every:
                well = self._probe()
                self.results = {address: (monotonic(), well)}
            return well

    def _probe(self) -> bool:
        try:
            store().probe()
        except StoreUnusable:
            current_app.logger.exception("the store cannot be used")
            return False
        return True


PROBER = Prober()


def init_app(app: Flask) -> None:
    """Hang the one page on the application."""
    app.add_url_rule("/healthz", view_func=health)


def health() -> Response:
    """`ok`, or 503 with the words of ills().

    `?details` adds a line with the kind and version of the database, once that has answered, and one with what the
    last `sweep --check` found.
    """
    wrong = list(ills())
    lines = [*(wrong or ["ok"]), *(details("database" in wrong) if "details" in request.args else ())]
    return Response("".join(f"{line}\n" for line in lines), 503 if wrong else 200, mimetype="text/plain")


def details(mute: bool) -> Iterator[str]:
    """What is known besides; `mute`: the database does not answer."""
    if known := version():
        yield known
    if mute:
        return
    with access.everything() as session:
        if found := registered_store.last_check(session):
            yield f"missing files {found[1]} ({found[0]:%Y-%m-%d %H:%M})"


def ills() -> Iterator[str]:
    """What is not well now, in words: database, restore (broken off), keys, missing (files), store (full, read-only or
    away); of the messages to customs deliverer (none is running), overdue, set_aside, rejected, unanswered;
    papers (no worker has made them in time) and papers_set_aside (none could make them)."""
    found: list[str] = []
    try:
        if unfinished_restore.is_there():
            yield "restore"
            return  # the tables may be half there
        with access.everything() as session:
            found = [*_of_files(session), *exchange.health(session, pace()).ill]
            found += paper_queue.unwell(session, paper_worker.pace())
    except SQLAlchemyError:
        current_app.logger.exception("the database does not answer")
        yield "database"
        return
    if not PROBER.is_well(current_app.config["STORE"]):
        yield "store"
    yield from found


def _of_files(session: Session) -> Iterator[str]:
    """Whether a province that decides lacks its keys, and whether the last check found files missing."""
    reviewers = select(Account.province).where(Account.role == Role.REVIEWER, Account.active).distinct()
    try:
        if keys().missing(str(province) for province in session.scalars(reviewers)):
            yield "keys"
    except OSError:
        current_app.logger.exception("the keys cannot be read")
        yield "keys"
    last = registered_store.last_check(session)
    if last and last[1]:
        yield "missing"
