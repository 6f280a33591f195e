"""Which event tells whom: the whole table, and that a message is there with its act, or neither."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select

from models import access
from models.acts import filing
from models.application import Application
from models.database import db
from models.notifications import Notification
from models.notifications.events import TELLS, Event
from models.people.accounts import Account
from models.vocabulary import Action, Role, Step
from tests.cast import account_of
from tests.conftest import Acting, Making
from views.resources import office

# By hand: P the accounts of the unit that filed, R the reviewers of the province.
TOLD = {
    "submit": "R", "return": "P", "decline": "P", "refuse": "P", "extend": "P", "grant": "P", "revoke": "P",
    "customs_accepted": "P", "customs_rejected": "PR", "settle_accepted": "P", "settle_rejected": "P",
    "revocation_rejected": "R", "due_soon": "R",
    "taken_over": "",  # the one reviewer who had taken it
    # of no application
    "entrustment_offered": "", "entrusted": "", "entrustment_changed": "", "entrustment_ended": "", "announced": "",
    "sign_in_changed": "",
}  # fmt: skip
# Nobody is told: it is the applicant's own doing and none of the province's business, or nothing has come of it yet.
SILENT = {
    "edit", "withdraw", "delete", "print", "resend", "copy", "duplicate",
    "take", "take_over", "put_back", "start", "attach", "detach", "release", "ask", "set_aside",
}  # fmt: skip


def told(app: Flask, key: int | None = None) -> list[tuple[str, str]]:
    """(user name, event) of every message (about this application), in order."""
    with app.app_context(), access.everything() as session:
        rows = select(Account.username, Notification.event).join(Account, Account.id == Notification.account_id)
        if key is not None:
            rows = rows.where(Notification.application_id == key)
        return [tuple(row) for row in session.execute(rows.order_by(Notification.id, Account.id)).all()]  # type: ignore[misc]


def test_each_act_and_step_tells_whom_it_should_and_a_new_one_has_to_be_decided() -> None:
    letters = {Role.PUBLISHER: "P", Role.REVIEWER: "R"}
    found = {
        word.value: "".join(letters[role] for role in Role if role in telling.to) for word, telling in TELLS.items()
    }
    assert found == TOLD
    assert set(TOLD) | SILENT == {word.value for kind in (Action, Step, Event) for word in kind}
    assert not set(TOLD) & SILENT


@pytest.mark.slow
@pytest.mark.parametrize(
    ("status", "heard"),
    [
        ("draft", []),
        ("pending", [("reviewer", "submit")]),
        ("returned", [("reviewer", "submit"), ("agent", "return")]),
        ("refused", [("reviewer", "submit"), ("agent", "refuse")]),
        ("customs_received", [("reviewer", "submit"), ("agent", "grant"), ("agent", "customs_accepted")]),
        ("revoked", [("reviewer", "submit"), ("agent", "grant"), ("agent", "revoke")]),
    ],
)
def test_whoever_filed_is_told_and_the_press_that_cannot_see_it_is_not(
    app: Flask, make_application: Making, status: str, heard: list[tuple[str, str]]
) -> None:
    """One message for each event and person; the paper of a certificate is not told of on top of its grant."""
    assert told(app, make_application(by="agent", status=status)) == heard


def test_what_customs_rejects_is_told_to_both_sides(app: Flask, make_application: Making) -> None:
    key = make_application(status="customs_failed")
    assert sorted(told(app, key)[2:]) == [("publisher", "customs_rejected"), ("reviewer", "customs_rejected")]


@pytest.mark.slow
def test_everybody_of_the_unit_is_told_but_who_is_disabled(
    app: Flask, make_application: Making, colleague: Callable[..., None]
) -> None:
    """And so is a reviewer who shares the desk; an account made later finds no old messages."""
    colleague("second", like="publisher")
    colleague("gone", like="publisher", active=False)
    colleague("third", like="reviewer")
    key = make_application(status="returned")
    colleague("late", like="publisher")
    assert sorted(told(app, key)) == [
        ("publisher", "return"), ("reviewer", "submit"), ("second", "return"), ("third", "submit"),
    ]  # fmt: skip


def test_a_message_stays_only_if_its_act_does(app: Flask, make_application: Making, acting: Acting) -> None:
    key = make_application(status="pending")
    before = told(app)
    with acting("reviewer") as by:
        application = db.session.get_one(Application, key)
        filing.perform(db.session(), Action.RETURN, application, by, "请补正。", office=office())
        db.session.rollback()
    assert told(app) == before


def test_a_unit_that_is_disabled_is_told_nothing(app: Flask, make_application: Making) -> None:
    key = make_application(by="publisher2", status="pending")
    with app.app_context():
        account_of("publisher2").organisation.active = False  # type: ignore[union-attr]
        db.session.commit()
    with app.app_context(), access.everything() as session:
        application = session.get_one(Application, key)
        filing.perform(session, Action.RETURN, application, account_of("reviewer"), "请补正。")
        session.commit()
    assert told(app, key) == [("reviewer", "submit")]
