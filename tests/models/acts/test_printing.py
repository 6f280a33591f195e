"""Prints are counted one by one, and those of a bundle are recorded together or not at all."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select

from models import access
from models.acts import filing, printing
from models.application import Application
from models.database import db
from models.vocabulary import Action
from models.workflow import Refused
from tests.cast import account_of
from tests.conftest import ActAs, MakeApplication, StoredRows
from tests.models.acts.at_once import at_once
from tests.views.ledger import ledger


def copies(stored_rows: StoredRows, key: int) -> list[list[int]]:
    """[before, after] of every print in the history."""
    return [entry["changes"]["copy"] for entry in stored_rows(key)["trail_entry"] if entry["act"] == "print"]


def test_many_prints_at_once_are_counted_one_by_one(
    app: Flask, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """RC1: no two of them are the same copy, though each had read the history before."""
    key, people = make_application(status="filed"), 8

    def once() -> str:
        with app.app_context():
            account = account_of("publisher")
            access.enter(account)
            row = db.session.get_one(Application, key)
            assert row.trail
            filing.perform(db.session(), Action.PRINT, row, account)
            db.session.commit()
            return "printed"

    assert at_once(*[once] * people) == ["printed"] * people
    assert copies(stored_rows, key) == [[n, n + 1] for n in range(people)]


@pytest.mark.slow
def test_bundles_that_share_certificates_do_not_deadlock(
    app: Flask, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """RC1: ticked upwards by one and downwards by the other; both are printed."""
    keys = [make_application(status="filed") for _ in range(4)]

    def in_order(order: list[int]) -> Callable[[], str]:
        def work() -> str:
            with app.app_context():
                account = account_of("publisher")
                access.enter(account)
                printing.record(db.session(), [db.session.get_one(Application, key) for key in order], account)
                db.session.commit()
                return "printed"

        return work

    assert at_once(*[in_order(keys), in_order(keys[::-1])] * 3) == ["printed"] * 6
    assert [copies(stored_rows, key) for key in keys] == [[[n, n + 1] for n in range(6)]] * 4


def test_a_certificate_revoked_meanwhile_rolls_back_every_print_of_the_bundle(
    app: Flask, act_as: ActAs, make_application: MakeApplication
) -> None:
    """The last of three is refused after two were written: all are rolled back, and the message names it."""
    keys = [make_application(status=status) for status in ("filed", "filed", "revoked")]
    before = ledger(app)
    with act_as("publisher") as account:
        rows = db.session.scalars(select(Application).where(Application.id.in_(keys))).all()
        with pytest.raises(Refused, match=r"^SQ\d+：当前状态为「已作废」.*没有打印任何一份"):
            printing.record(db.session(), rows, account)
        db.session.commit()
    assert ledger(app) == before
