"""The operator saves an invitation: it is in force without the unit's acceptance, which is said and logged."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from models import access, clock
from models.database import NO_SYNC, db
from models.log import LogEntry, Operation
from models.people.accounts import Entrustment
from tests.browsing import ClientAs
from tests.views.pages import flashed, form_of
from tests.views.screens.test_entrusting import invite
from views.panel.logged import LoggedScreen

WHERE = "/entrustments/edit/?id=2"


def test_an_invitation_in_force_without_an_acceptance_is_said_and_logged(app: Flask, client_as: ClientAs) -> None:
    """Also when nothing else was changed; a second save changes and says nothing more."""
    invite(client_as("publisher2"))
    operator = client_as("operator")
    for said in ("已保存。这项委托不待受托单位接受，直接生效。", "已保存。"):
        form = form_of(operator.get(WHERE).text, "card-box")
        assert flashed(operator.post(WHERE, data=form, follow_redirects=True).text) == [said]
    with app.app_context(), access.everything() as session:
        logged = select(LogEntry.words).where(LogEntry.kind == Operation.ENTRUSTMENT_CHANGED.value)
        assert session.scalars(logged).all() == ["不待受托单位接受，直接生效"]


def test_an_invitation_that_is_withdrawn_before_the_row_is_locked_is_not_saved(
    client_as: ClientAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    invite(client_as("publisher2"))
    operator, save_and_log = client_as("operator"), LoggedScreen.save_and_log

    def withdraw_then_save(self: LoggedScreen, form: Any, model: Any) -> Any:
        ended = update(Entrustment).where(Entrustment.id == model.id).values(ended_at=clock.now())
        db.session.execute(ended, **NO_SYNC)
        return save_and_log(self, form, model)

    form = form_of(operator.get(WHERE).text, "card-box")
    monkeypatch.setattr(LoggedScreen, "save_and_log", withdraw_then_save)
    refused = operator.post(WHERE, data=form)
    assert (refused.status_code, "已由单位终止，不能修改" in refused.text) == (422, True)
