"""Locks of a transaction."""

from collections.abc import Callable
from threading import Event, Thread

import pytest
from flask import Flask
from sqlalchemy import update

from models import access
from models.application.trail import TrailEntry
from models.database.locks import Lock, wait_for, wait_for_writers
from tests.conftest import MakeApplication


@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_a_lock_lasts_until_its_transaction_ends(app: Flask, end: str) -> None:
    """By commit or rollback; the lock writes no row."""
    order: list[str] = []
    first, free, tried = Event(), Event(), Event()

    def hold_lock(name: str, then: Callable[[], object]) -> None:
        with app.app_context(), access.everything() as session:
            tried.set()
            wait_for(session, Lock.CLAIM)
            order.append(name)
            then()
            getattr(session, end)()

    one = Thread(target=hold_lock, args=("first", lambda: (first.set(), free.wait(60), order.append("first ends"))))
    two = Thread(target=hold_lock, args=("second", lambda: None))
    one.start()
    assert first.wait(60)
    tried.clear()
    two.start()
    assert tried.wait(60)
    two.join(0.3)  # it would have been there by now
    free.set()
    one.join(60)
    two.join(60)
    assert order == ["first", "first ends", "second"]


@pytest.mark.parametrize("app", ["postgresql"], indirect=True)
def test_waiting_for_writers_ends_after_their_transactions(app: Flask, make_application: MakeApplication) -> None:
    """An entry that has its id, and is not committed yet, counts: afterwards no lower id can appear."""
    make_application()
    written, go_on = Event(), Event()

    def write() -> None:
        with app.app_context(), access.everything() as session:
            session.execute(update(TrailEntry).where(TrailEntry.id == -1).values(opinion=None))
            written.set()
            go_on.wait(60)
            session.rollback()

    def wait() -> None:
        with app.app_context(), access.everything() as session:
            wait_for_writers(session, TrailEntry)
            session.rollback()

    writer, waiter = Thread(target=write), Thread(target=wait)
    writer.start()
    assert written.wait(60)
    waiter.start()
    waiter.join(0.5)
    assert waiter.is_alive()
    go_on.set()
    waiter.join(60)
    writer.join(60)
    assert not waiter.is_alive()
