"""State × act of messages to customs, through the screen."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from markupsafe import escape
from sqlalchemy import select

from models import access, clock
from models.customs import CustomsMessage
from models.vocabulary import Delivery, Role, Step
from models.workflow import message_refusal
from tests.browsing import Browser, ClientAs
from tests.conftest import MakeApplication, StoredRows
from tests.models.matrix import MESSAGE_CELLS, SETTLED
from tests.views.ledger import ledger
from tests.views.screens.acts_done import WORDS


def message_in(app: Flask, key: int, state: str, long: bool) -> int:
    """Bring the message about an application to this state, sent long ago or just now; its number."""
    sent = {"attempts": 1, "sent_in": 1, "sent_at": clock.now() - timedelta(days=30 * long)}
    sent["next_at"] = clock.now() + timedelta(hours=1)
    values = {"sent": sent, "set_aside": sent | {"set_aside_at": clock.now()}}.get(state, {})
    with app.app_context(), access.everything() as session:
        message = session.scalars(select(CustomsMessage).where(CustomsMessage.application_id == key)).one()
        for name, value in values.items():
            setattr(message, name, value)
        session.commit()
        assert message.state == state
        return message.id


OWN_ORIGIN = {"Origin": "http://localhost"}  # as a page sends it, else a typed opinion is not shown again


BEGINS = {"accepted": "customs_received", "rejected": "customs_failed"}


@pytest.mark.slow
@pytest.mark.parametrize("long", [False, True])
@pytest.mark.parametrize("state", dict.fromkeys(state for state, _act in MESSAGE_CELLS))
def test_every_act_on_a_message_happens_once_or_is_refused_with_its_message(
    app: Flask, client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows, state: str, long: bool
) -> None:
    """In each state, sent long ago or just now: one transition, one trail entry; otherwise no row changes."""
    for act in dict.fromkeys(act for _state, act in MESSAGE_CELLS):
        key = make_application(status=BEGINS.get(state, "filed"))
        message = message_in(app, key, state, long)
        body = {"id": message, "opinion": WORDS, "url": f"/exchange/details/?id={message}"}
        path, before = f"/exchange/{act.replace('_', '-')}/", ledger(app)
        for role, code in {"publisher": 403, "national": 403, "operator": 403, "reviewer2": 404}.items():
            assert client_as(role).post(path, data=body).status_code == code
        assert ledger(app) == before
        if MESSAGE_CELLS[state, act] in ("R", "L") and (long or MESSAGE_CELLS[state, act] == "R"):
            _happens_once(client_as("reviewer"), stored_rows, key, path, body, act)
            continue
        refused = message_refusal(Step(act), Delivery(state), long, Role.REVIEWER) or ""
        answer = client_as("reviewer").post(path, data=body, headers=OWN_ORIGIN)
        assert (answer.status_code, escape(refused) in answer.text, WORDS in answer.text) == (409, True, True)
        assert ledger(app) == before


def _happens_once(
    browser: Browser, stored_rows: StoredRows, key: int, path: str, body: dict[str, Any], act: str
) -> None:
    before = stored_rows(key)
    if act in SETTLED:
        without = browser.post(path, data=body | {"opinion": " "}, headers=OWN_ORIGIN)
        assert (without.status_code, stored_rows(key)) == (409, before)
    assert browser.post(path, data=body, headers=OWN_ORIGIN).status_code == 303
    after = stored_rows(key)
    assert [entry["act"] for entry in after["trail_entry"][len(before["trail_entry"]) :]] == [act]
    begun, ended = SETTLED.get(act, ("filed", "filed"))
    assert (before["application"][0]["status"], after["application"][0]["status"]) == (begun, ended)
    assert after["customs_message"][0]["by_hand"] == (act in SETTLED)
    assert browser.post(path, data=body, headers=OWN_ORIGIN).status_code == 409
    assert stored_rows(key) == after
