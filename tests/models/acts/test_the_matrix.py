"""The hand-written matrix against the acts: a forbidden act changes nothing, an allowed one leads to its status."""

from collections.abc import Callable
from itertools import product

import pytest
from flask import Flask

from models import access, workflow
from models.acts import filing
from models.application import Application, lease
from models.people.accounts import Account
from models.vocabulary import Action, Role, Status
from models.workflow import Refused, refusal
from tests.conftest import MakeApplication, StoredRows
from tests.models.matrix import CELLS, LEADS_TO, LEASE_HOLDERS, LETTERS
from views.resources import office


@pytest.mark.slow
@pytest.mark.parametrize("status", list(Status))
def test_a_forced_act_changes_nothing_and_says_why(
    app: Flask, make_application: MakeApplication, stored_rows: StoredRows, status: Status
) -> None:
    """ST2: each act that the table does not allow is refused by the models themselves, row by row unchanged."""
    key = make_application(status=status)
    before = stored_rows(key)
    with app.app_context(), access.everything() as session:
        accounts = {role: session.query(Account).filter_by(role=role).first() for role in Role}
        for action, role in product(Action, Role):
            account = accounts[role]
            assert account is not None
            if LETTERS[role] in CELLS[status, action]:
                continue
            with pytest.raises(Refused) as refused:
                filing.perform(session, action, session.get_one(Application, key), account, "理由", office=office())
            assert str(refused.value) == refusal(action, status, role)
            session.commit()  # the worst a caller can do after a refusal
    assert stored_rows(key) == before


@pytest.mark.parametrize("status", list(Status))
def test_an_allowed_act_leads_to_the_status_of_the_table(
    app: Flask,
    make_application: MakeApplication,
    stored_rows: StoredRows,
    add_colleague: Callable[..., None],
    status: Status,
) -> None:
    """ST2: each act that the table allows moves the status to its one destination, or leaves it."""
    add_colleague("second", like="reviewer")
    key = make_application(status=status)
    with app.app_context(), access.everything() as session:
        for (name, act), cell in CELLS.items():
            for role in (role for role, letter in LETTERS.items() if name == status and letter in cell):
                account = session.query(Account).filter_by(role=role).order_by(Account.id).first()
                assert account is not None
                row = session.get_one(Application, key)
                if act in LEASE_HOLDERS:
                    holder = session.query(Account).filter_by(username=LEASE_HOLDERS[act]).one()
                    lease.begin(session, row, holder, 30)
                filing.perform(session, Action(act), row, account, "理由", office=office())
                assert session.get_one(Application, key).status == LEADS_TO.get(act, status)
                session.rollback()
    assert stored_rows(key)["application"][0]["status"] is status


def test_the_progress_of_a_revoked_application_still_shows_the_customs_receipt() -> None:
    """办理进度: 备案 is what ended; 海关接收 had been reached, or had not."""
    before = {Status.DRAFT, Status.PENDING, Status.FILED, Status.REVOKED}
    for passed, last in ((before, "wait"), (before | {Status.CUSTOMS_RECEIVED}, "finish")):
        hows = [how for _stage, how in workflow.progress(Status.REVOKED, passed)]
        assert hows == ["finish", "finish", "finish", "error", last]
    assert [how for _stage, how in workflow.progress(Status.RETURNED, before)] == ["error"] + ["wait"] * 4
