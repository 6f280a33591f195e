"""Locks of a transaction."""

from collections.abc import Callable
from threading import Event, Thread

import pytest
from flask import Flask
from sqlalchemy import text

from models import access
from models.application.trail import TrailEntry
from models.database.locks import Lock, wait_for
from models.database.settled_keys import settled_key
from models.log import LogEntry


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


@pytest.mark.parametrize("model", [TrailEntry, LogEntry])
@pytest.mark.parametrize("app", ["postgresql"], indirect=True)
def test_a_key_is_settled_once_no_lower_one_can_appear(app: Flask, model: type[TrailEntry | LogEntry]) -> None:
    """Of the trail the INSERT takes the key; of the log a statement before it, which does not lock the table."""
    name = model.__tablename__
    ask = "UPDATE trail_entry SET opinion = NULL WHERE id = -1" if model is TrailEntry else None
    with app.app_context(), access.everything() as slow, access.everything() as session:
        slow.execute(text(ask or f"SELECT nextval('{name}_id_seq')"))
        assert settled_key(session, model, 0.1) is None
        session.rollback()
        slow.rollback()
        assert settled_key(session, model, 5) == (0 if ask else 1)
