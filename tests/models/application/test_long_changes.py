"""Entries with the changes of thousands of carriers are read with few of them in memory."""

from typing import Any

from flask import Flask
from sqlalchemy import event, inspect, select

from models import access
from models.application import Application, trail
from models.application.trail import LONG, TrailEntry
from models.database import db
from models.people.accounts import Account
from models.vocabulary import Action
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
