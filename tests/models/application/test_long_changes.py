"""`trail verify` reads applications and entries with thousands of carriers with few of them in memory."""

from typing import Any
from weakref import WeakSet

import pytest
from flask import Flask
from sqlalchemy import event, inspect, select, update

from models import access
from models.application import Application, trail
from models.application.attachments import Store
from models.application.carriers import Carrier
from models.application.trail import LONG, TrailEntry
from models.database import db
from models.integrity import certificates
from models.people.accounts import Account
from models.vocabulary import Action
from tests.apps import engine_of_owner, without_triggers
from tests.conftest import MakeApplication

READ = select(TrailEntry).order_by(TrailEntry.id)


def save_long(app: Flask, key: int, count: int) -> None:
    """Add saves with long changes to the trail of an application."""
    with app.app_context(), access.everything() as session:
        row = session.get_one(Application, key)
        by = session.scalars(select(Account)).first()
        for number in range(count):
            changes = {"title": ["", f"第 {number} 次" + "光盘" * LONG]}
            trail.record(session, row, Action.EDIT, by, row.status, changes=changes)
        session.commit()


def test_long_changes_are_read_one_by_one_and_forgotten_after_their_entry(
    app: Flask, make_application: MakeApplication
) -> None:
    """Ordinary entries cost no statement of their own."""
    key = make_application(status="draft")
    save_long(app, key, 3)
    statements: list[str] = []

    def note(*args: Any) -> None:
        statements.append(args[2])

    with app.app_context(), access.everything() as session:
        expected = {entry.id: entry.content() for entry in session.scalars(READ)}
        session.expunge_all()
        event.listen(db.engine, "before_cursor_execute", note)
        read: list[TrailEntry] = []
        for entry in trail.in_batches(session, READ):
            assert entry.content() == expected[entry.id]
            assert all("changes" in unloaded(before) for before in read)
            read.append(entry)
        event.remove(db.engine, "before_cursor_execute", note)
    assert [entry.id for entry in read] == [*expected]
    assert len(read) > 4 and len(statements) == 1 + 3


def unloaded(entry: TrailEntry) -> set[str]:
    state: Any = inspect(entry)
    return set(state.unloaded)


def test_a_sealed_entry_with_long_changes_is_not_reported_as_broken(
    app: Flask, make_application: MakeApplication
) -> None:
    save_long(app, make_application(status="pending"), 2)
    with app.app_context(), access.everything() as session:
        assert list(trail.broken(session)) == []


def test_carriers_of_certificates_are_compared_few_at_a_time(
    app: Flask, make_application: MakeApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of many certificates can have 3,000; a changed one is found all the same."""
    keys = [make_application(status="filed", carriers=20) for _number in range(3)]
    monkeypatch.setattr(certificates, "ROWS", 5)
    alive, most = WeakSet[Carrier](), 0

    def count(carrier: Carrier, _context: object) -> None:
        nonlocal most
        alive.add(carrier)
        most = max(most, len(alive))

    with app.app_context(), access.everything() as session:
        event.listen(Carrier, "load", count)
        assert list(certificates.contradictions(session, Store(app.config["STORE"]))) == []
        event.remove(Carrier, "load", count)
        assert 5 <= most <= 2 * 5 + 1
    where = Carrier.application_id == keys[1], Carrier.position == 20
    with app.app_context(), engine_of_owner(app).begin() as connection, without_triggers(connection):
        connection.execute(update(Carrier).where(*where).values(quantity=7))
    with app.app_context(), access.everything() as session:
        certificate = session.get_one(Application, keys[1]).certificate
        (found,) = certificates.contradictions(session, Store(app.config["STORE"]))
        assert certificate is not None and certificate.number in found
