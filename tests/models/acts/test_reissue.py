"""重新申请 is there as a whole or not at all; one certificate takes the place of another, once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select, update
from sqlalchemy.orm.attributes import set_committed_value

from models import access
from models.acts import filing, reissue
from models.application import Application, locking
from models.certificate import Certificate
from models.database import db
from models.files.inspection import INSPECTION
from models.people.accounts import Entrustment
from models.vocabulary import Action
from models.workflow import Refused
from tests.cast import account_of, perform_step
from tests.conftest import ActAs, MakeApplication, StoredRows
from tests.models.acts.at_once import at_once
from tests.views.ledger import ledger
from views.resources import office, store


def copied(act_as: ActAs, key: int, by: str = "publisher") -> int:
    """重新申请, as this person; the new row."""
    with act_as(by) as account:
        draft, left = reissue.copy(db.session(), db.session.get_one(Application, key), account, store())
        assert left == []
        db.session.commit()
        return draft.id


@contextmanager
def failing_at(place: int) -> Iterator[list[str]]:
    """Make the nth statement (from 0) fail; the list has the statements sent so far."""
    asked: list[str] = []

    def count(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        asked.append(statement)
        if len(asked) > place:
            raise MemoryError

    event.listen(db.engine, "before_cursor_execute", count)
    try:
        yield asked
    finally:
        event.remove(db.engine, "before_cursor_execute", count)


@pytest.mark.slow
def test_a_copy_that_fails_at_any_statement_leaves_no_rows(
    app: Flask, act_as: ActAs, make_application: MakeApplication
) -> None:
    """ST5: a failure at each statement of the copy, one after the other; then one without a failure."""
    key, place = make_application(status="revoked", carriers=2), 0
    before = ledger(app)
    while True:
        with act_as("publisher") as account, failing_at(place) as asked:
            try:
                reissue.copy(db.session(), db.session.get_one(Application, key), account, store())
                db.session.commit()
                break
            except MemoryError:
                db.session.rollback()
        assert ledger(app) == before, asked[-1]
        place += 1
    assert place > 20
    assert len(ledger(app)["application"]) == len(before["application"]) + 1


@pytest.mark.slow
def test_a_copy_under_an_ended_entrustment_has_no_publisher(
    app: Flask,
    act_as: ActAs,
    make_application: MakeApplication,
    stored_rows: StoredRows,
    make_publisher: Callable[..., str],
) -> None:
    """Another publisher that entrusts the unit now does not replace it; and no work of another publisher is copied."""
    key = make_application(by="agent", status="revoked")
    make_publisher("440000", by_agent="agent")
    with app.app_context(), access.everything() as session:
        ended = update(Entrustment).where(Entrustment.id == 1).values(until=date(2020, 1, 2))
        session.execute(ended)
        session.commit()
    (row,) = stored_rows(copied(act_as, key, "agent"))["application"]
    assert [row[name] for name in ("publisher_id", "publisher_name", "province", "filing", "replaces_id")] == [None] * 5
    assert row["title"] == "黑胶唱片《茉莉花》"


def rival(app: Flask, draft: int, old: int) -> int:
    """Let another draft claim the same place, as rows may that are older than copied_from."""
    with app.app_context(), access.everything() as session:
        revoked = session.scalars(select(Certificate.id).where(Certificate.application_id == old)).one()
        session.execute(update(Application).where(Application.id == draft).values(replaces_id=revoked))
        session.commit()
    return draft


def copying(app: Flask, key: int) -> Callable[[], int]:
    """重新申请 in a thread of its own: the number of the new row, or of the one that is there."""

    def work() -> int:
        with app.app_context():
            account = account_of("publisher")
            access.enter(account)
            try:
                draft, _left = reissue.copy(db.session(), db.session.get_one(Application, key), account, store())
            except reissue.Begun as begun:
                db.session.rollback()
                return begun.application_id
            db.session.commit()
            return draft.id

    return work


@pytest.mark.slow
def test_parallel_copies_make_one_draft(
    app: Flask, make_application: MakeApplication, stored_rows: StoredRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Double click, two tabs: every request leads to the same row, and nothing else was written."""
    monkeypatch.setattr(INSPECTION.queue, "most", 4)  # more than two of one account would be asked to wait
    key = make_application(status="revoked", carriers=2)
    before = ledger(app)
    outcome = at_once(*[copying(app, key) for _ in range(4)])
    assert len(set(outcome)) == 1 and isinstance(outcome[0], int), outcome
    after = ledger(app)
    assert len(after["application"]) == len(before["application"]) + 1
    assert [entry["act"] for entry in stored_rows(key)["trail_entry"]].count("copy") == 1


@pytest.mark.slow
@pytest.mark.parametrize(("acts", "again"), [
    ([], False), ([Action.SUBMIT], False), ([Action.SUBMIT, Action.RETURN], False),
    ([Action.DELETE], True), ([Action.SUBMIT, Action.REFUSE], True), ([Action.SUBMIT, Action.DECLINE], True),
])  # fmt: skip
def test_a_second_copy_is_made_after_the_first_is_decided_or_deleted(
    acts: list[Action], again: bool, app: Flask, act_as: ActAs, make_application: MakeApplication
) -> None:
    key = make_application(status="revoked")
    first = copied(act_as, key)
    for act in acts:
        if act is Action.DELETE:
            with act_as("publisher") as account:
                filing.perform(db.session(), act, db.session.get_one(Application, first), account)
                db.session.commit()
        else:
            perform_step(app, act, first, "publisher")
    second = copying(app, key)()
    assert (second != first) is again


@pytest.mark.slow
def test_two_parallel_grants_of_one_replacement_make_one_certificate(
    app: Flask, act_as: ActAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """RC1: the second gets a message, and its application stays pending."""
    old = make_application(status="revoked")
    drafts = [copied(act_as, old), rival(app, make_application(), old)]
    for draft in drafts:
        perform_step(app, Action.SUBMIT, draft, "publisher")

    def granting(key: int) -> Callable[[], str]:
        def work() -> str:
            with app.app_context():
                account = account_of("reviewer")
                access.enter(account)
                row = db.session.get_one(Application, key)
                filing.perform(db.session(), Action.GRANT, row, account, office=office())
                db.session.commit()
                return "granted"

        return work

    outcome = at_once(*map(granting, drafts))
    [refused] = [result for result in outcome if isinstance(result, Refused)]
    assert outcome.count("granted") == 1
    assert "替代，不能再次替代" in str(refused)
    assert sorted(len(stored_rows(draft)["certificate"]) for draft in drafts) == [0, 1]
    assert sorted(stored_rows(draft)["application"][0]["status"] for draft in drafts) == ["filed", "pending"]


@pytest.mark.slow
def test_a_unique_violation_by_a_rival_certificate_is_a_refusal(
    app: Flask,
    act_as: ActAs,
    make_application: MakeApplication,
    stored_rows: StoredRows,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """RC1: a unique violation in the database becomes a message, never a 500."""
    old = make_application(status="revoked")
    first, second = copied(act_as, old), rival(app, make_application(), old)
    for draft in (first, second):
        perform_step(app, Action.SUBMIT, draft, "publisher")
    perform_step(app, Action.GRANT, first, "publisher")
    before = stored_rows(second)
    with act_as("reviewer") as account:
        row = db.session.get_one(Application, second)
        assert row.replaces is not None
        set_committed_value(row.replaces, "replaced_by", None)  # as it was read before the other committed
        with pytest.raises(locking.Conflict, match="刚刚已由另一份申请的证明替代"):
            filing.perform(db.session(), Action.GRANT, row, account, office=office())
        db.session.commit()
    assert stored_rows(second) == before
