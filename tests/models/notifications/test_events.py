"""Recipients of every event: the whole table; a message and its act are committed together or not at all."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select

from models import access
from models.acts import filing
from models.application import Application
from models.database import db
from models.notifications import Notification
from models.notifications.events import RULES, Event
from models.people.accounts import Account
from models.vocabulary import Action, Role, Step
from tests.cast import account_of
from tests.conftest import ActAs, MakeApplication
from views.resources import office

# By hand: P the accounts of the unit that filed, R the reviewers of the province.
RECIPIENTS = {
    "submit": "R", "return": "P", "decline": "P", "refuse": "P", "extend": "P", "grant": "P", "revoke": "P",
    "customs_accepted": "P", "customs_rejected": "PR", "settle_accepted": "P", "settle_rejected": "P",
    "revocation_rejected": "R", "due_soon": "R", "use_noted": "P", "written_off": "P", "revoked_used": "R",
    "taken_over": "",  # the one reviewer who had taken it
    # of no application
    "entrustment_offered": "", "entrusted": "", "entrustment_changed": "", "entrustment_ended": "",
    "entrustment_declined": "", "entrustment_withdrawn": "", "announced": "", "sign_in_changed": "", "key_ending": "",
}  # fmt: skip
# Nobody is notified: the applicant did it and the province need not know, or nothing has come of it yet.
SILENT = {
    "edit", "withdraw", "delete", "print", "resend", "copy", "duplicate",
    "take", "take_over", "put_back", "start", "attach", "detach", "release", "ask", "set_aside",
}  # fmt: skip


def notified(app: Flask, key: int | None = None) -> list[tuple[str, str]]:
    """(user name, event) of every message (about this application), in order."""
    with app.app_context(), access.everything() as session:
        rows = select(Account.username, Notification.event).join(Account, Account.id == Notification.account_id)
        if key is not None:
            rows = rows.where(Notification.application_id == key)
        return [tuple(row) for row in session.execute(rows.order_by(Notification.id, Account.id)).all()]  # type: ignore[misc]


def test_every_act_and_step_has_its_recipients_in_the_table() -> None:
    letters = {Role.PUBLISHER: "P", Role.REVIEWER: "R"}
    found = {
        word.value: "".join(letters[role] for role in Role if role in telling.to) for word, telling in RULES.items()
    }
    assert found == RECIPIENTS
    assert set(RECIPIENTS) | SILENT == {word.value for kind in (Action, Step, Event) for word in kind}
    assert not set(RECIPIENTS) & SILENT


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
def test_the_filer_is_notified_and_a_publisher_that_cannot_see_the_application_is_not(
    app: Flask, make_application: MakeApplication, status: str, heard: list[tuple[str, str]]
) -> None:
    """One message per event and person; the paper of a certificate gets none besides that of its grant."""
    assert notified(app, make_application(by="agent", status=status)) == heard


def test_a_rejection_by_customs_notifies_applicant_and_province(app: Flask, make_application: MakeApplication) -> None:
    key = make_application(status="customs_failed")
    assert sorted(notified(app, key)[2:]) == [("publisher", "customs_rejected"), ("reviewer", "customs_rejected")]


@pytest.mark.slow
def test_all_active_accounts_of_the_unit_are_notified(
    app: Flask, make_application: MakeApplication, add_colleague: Callable[..., None]
) -> None:
    """And so is a reviewer who shares the desk; an account made later finds no old messages."""
    add_colleague("second", like="publisher")
    add_colleague("gone", like="publisher", active=False)
    add_colleague("third", like="reviewer")
    key = make_application(status="returned")
    add_colleague("late", like="publisher")
    assert sorted(notified(app, key)) == [
        ("publisher", "return"), ("reviewer", "submit"), ("second", "return"), ("third", "submit"),
    ]  # fmt: skip


def test_a_rolled_back_act_leaves_no_notification(app: Flask, make_application: MakeApplication, act_as: ActAs) -> None:
    key = make_application(status="pending")
    before = notified(app)
    with act_as("reviewer") as by:
        application = db.session.get_one(Application, key)
        filing.perform(db.session(), Action.RETURN, application, by, "请补正。", office=office())
        db.session.rollback()
    assert notified(app) == before


def test_a_disabled_unit_gets_no_notification(app: Flask, make_application: MakeApplication) -> None:
    key = make_application(by="publisher2", status="pending")
    with app.app_context(), access.everything() as session:
        account_of("publisher2", session).organisation.active = False  # type: ignore[union-attr]
        session.commit()
    with app.app_context(), access.everything() as session:
        application = session.get_one(Application, key)
        filing.perform(session, Action.RETURN, application, account_of("reviewer"), "请补正。")
        session.commit()
    assert notified(app, key) == [("reviewer", "submit")]
