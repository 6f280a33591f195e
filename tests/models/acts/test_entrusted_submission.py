"""申报 by an entrusted unit while its entrustment is being ended: one of the two is first, and the other one knows."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import select

from models import access
from models.acts import filing
from models.application import Application
from models.database import db
from models.people import entrusting
from models.people.accounts import Account, Entrustment
from models.vocabulary import Action
from models.workflow import Refused
from tests.conftest import MakeApplication, StoredRows
from tests.models.acts.at_once import Work, work_of


def submitting(app: Flask, key: int, before_commit: Callable[[], object] = lambda: None) -> Work:
    """申报 by the agent, as a task for a thread."""

    def act(by: Account) -> None:
        filing.perform(db.session(), Action.SUBMIT, db.session.get_one(Application, key), by)
        before_commit()

    return work_of(app, "agent", act)


def ending(app: Flask, before_commit: Callable[[], object] = lambda: None) -> Work:
    """The end of the entrustment by the publisher, as a task for a thread."""

    def act(by: Account) -> None:
        entrusting.end(db.session(), db.session.scalars(select(Entrustment)).one(), by)
        before_commit()

    return work_of(app, "publisher", act)


def while_uncommitted(first: Callable[[Callable[[], None]], Work], late: Work) -> "Future[object]":
    """Start `late` while `first` is written and not yet committed, and check that it waits; returns its outcome."""
    with ThreadPoolExecutor(1) as threads:
        begun = list[Future[object]]()

        def begin() -> None:
            begun.append(threads.submit(late))
            time.sleep(1)
            assert not begun[0].done()

        first(begin)()
    return begun[0]


def test_a_submission_is_refused_when_its_entrustment_ended_first(
    app: Flask, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """The end is written and not yet committed when 申报 begins, which waits for it and is refused."""
    key = make_application(by="agent")
    late = while_uncommitted(partial(ending, app), submitting(app, key))
    with pytest.raises(Refused, match="没有受该出版单位委托"):
        late.result()
    assert stored_rows(key)["application"][0]["status"] == "draft"


def test_a_submission_made_before_the_entrustment_ended_stands(
    app: Flask, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """The entrustment ends only after 申报 is committed: nothing is submitted under an ended one."""
    key = make_application(by="agent")
    while_uncommitted(partial(submitting, app, key), ending(app)).result()
    assert stored_rows(key)["application"][0]["status"] == "pending"
    with app.app_context(), access.everything() as session:
        assert session.scalars(select(Entrustment.ended_at)).one() is not None
