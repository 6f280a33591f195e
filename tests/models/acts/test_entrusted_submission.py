"""申报 by an entrusted unit while its entrustment is being ended: one of the two is first, and the other one knows."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import select

from models import access
from models.acts import filing
from models.application import Application
from models.database import db
from models.people import entrusting
from models.people.accounts import Entrustment
from models.vocabulary import Action
from models.workflow import Refused
from tests.cast import account_of
from tests.conftest import MakeApplication, StoredRows


def submit(app: Flask, key: int, before_commit: Callable[[], object] = lambda: None) -> None:
    with app.app_context():
        access.enter(by := account_of("agent"))
        filing.perform(db.session(), Action.SUBMIT, db.session.get_one(Application, key), by)
        before_commit()
        db.session.commit()


def end(app: Flask, before_commit: Callable[[], object] = lambda: None) -> None:
    with app.app_context():
        access.enter(by := account_of("publisher"))
        entrusting.end(db.session(), db.session.scalars(select(Entrustment)).one(), by)
        before_commit()
        db.session.commit()


def test_a_submission_is_refused_when_its_entrustment_ended_first(
    app: Flask, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """The end is written and not yet committed when 申报 begins, which waits for it and is refused."""
    key = make_application(by="agent")
    with ThreadPoolExecutor(1) as threads:
        late = []

        def begin() -> None:
            late.append(threads.submit(submit, app, key))
            time.sleep(1)
            assert not late[0].done()

        end(app, begin)
        with pytest.raises(Refused, match="没有受该出版单位委托"):
            late[0].result(timeout=60)
    assert stored_rows(key)["application"][0]["status"] == "draft"


def test_a_submission_made_before_the_entrustment_ended_stands(
    app: Flask, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """The entrustment ends only after 申报 is committed: nothing is submitted under an ended one."""
    key = make_application(by="agent")
    with ThreadPoolExecutor(1) as threads:
        late = []

        def begin() -> None:
            late.append(threads.submit(end, app))
            time.sleep(1)
            assert not late[0].done()

        submit(app, key, begin)
        late[0].result(timeout=60)
    assert stored_rows(key)["application"][0]["status"] == "pending"
    with app.app_context(), access.everything() as session:
        assert session.scalars(select(Entrustment.ended_at)).one() is not None
