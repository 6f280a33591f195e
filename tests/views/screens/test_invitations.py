"""委托邀请: withdrawn, declined, expired, and so many a day."""

import re
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from models import access, clock
from models.people import entrusting
from models.people.accounts import Entrustment
from models.vocabulary import Action
from tests.browsing import ClientAs
from tests.views.pages import flashed, form_of
from tests.views.screens.test_entrusting import AGENT, OTHER, TERM, change, invite, publishers_of_agent


@pytest.mark.parametrize(
    ("who", "what", "word", "told"),
    [
        ("publisher2", "withdraw_offer", "撤销邀请", "委托邀请已撤销"),
        ("agent", "decline_offer", "谢绝", "委托邀请已谢绝"),
    ],
)
def test_an_invitation_is_withdrawn_or_declined(
    app: Flask, client_as: ClientAs, who: str, what: str, word: str, told: str
) -> None:
    """Both units read which of the two it was; nothing is called an ended entrustment.

    The button has no name of an act on applications, whose law the dialog would show.
    """
    invite(client_as("publisher2"))
    page = client_as(who).get("/entrusting/").text
    assert word in page
    assert not {*re.findall('<button[^>]* data-act="([^"]+)"', page)} & {act.value for act in Action}
    assert "已告知对方" in change(app, client_as(who), what)[0]
    for again in ("accept", "decline_offer", "end"):
        assert change(app, client_as("agent"), again) == ["这项委托刚刚已有变化，没有重复办理，请核对列表中的状态。"]
    assert OTHER not in publishers_of_agent(app)
    for unit in ("publisher2", "agent"):
        assert "邀请已取消" in client_as(unit).get("/entrusting/").text
        page = client_as(unit).get("/messages/").text
        assert (page.count(f"{told}：{OTHER}委托{AGENT}"), "委托已终止" in page) == (1, False)


@pytest.mark.parametrize(("who", "what"), [("publisher2", "withdraw_offer"), ("agent", "decline_offer")])
def test_an_entrustment_accepted_meanwhile_is_not_ended_by_who_answers_the_invitation(
    app: Flask, client_as: ClientAs, who: str, what: str
) -> None:
    invite(client_as("publisher2"))
    change(app, client_as("agent"), "accept")
    assert "刚刚已有变化" in change(app, client_as(who), what)[0]
    assert OTHER in publishers_of_agent(app)


def test_an_expired_invitation_cannot_be_accepted(app: Flask, client_as: ClientAs) -> None:
    invite(client_as("publisher2"))
    with app.app_context(), access.everything() as session:
        row = session.scalars(select(Entrustment).order_by(Entrustment.id.desc())).first()
        assert row is not None
        row.since = row.until = clock.today() - timedelta(days=1)
        session.commit()
    assert "没有重复办理" in change(app, client_as("agent"), "accept")[0]


def test_the_number_of_invitations_per_day_is_limited(
    app: Flask, client_as: ClientAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each invitation is a message to two units; one that was withdrawn counts as well, one of the day before not."""
    monkeypatch.setattr(entrusting, "MOST_A_DAY", 2)
    browser = client_as("publisher2")
    for _time in range(2):
        invite(browser)
        change(app, browser, "withdraw_offer")
    sentence = "24 小时内最多发出 2 份委托邀请（含已撤销的），请稍后再试。"
    form = form_of(browser.get("/entrusting/new/").text, "card-box") | {"agent": AGENT} | TERM
    answer = browser.post("/entrusting/new/", data=form)
    assert (answer.status_code, flashed(answer.text)) == (422, [sentence])
    with app.app_context(), access.everything() as session:
        rows = session.scalars(select(Entrustment).where(Entrustment.offered_at.is_not(None))).all()
        assert len(rows) == 2
        for row in rows:
            row.offered_at = clock.now() - timedelta(days=1, seconds=1)
        session.commit()
    assert browser.post("/entrusting/new/", data=form).status_code == 302
