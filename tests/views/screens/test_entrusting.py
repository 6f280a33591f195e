"""委托: a publisher invites, a unit accepts, either ends it; no one else sees it."""

import pytest
from flask import Flask
from sqlalchemy import select

from models import access, clock
from models.access import Closed
from models.database import db
from models.people import entrusting
from models.people.accounts import Entrustment, Organisation, publishers_for
from models.workflow import Refused
from tests.browsing import Browser, ClientAs
from tests.cast import account_of
from tests.conftest import ActAs, MakeApplication
from tests.views.pages import flashed, form_of

AGENT, OTHER = "南京光盘进出口有限公司", "江苏电子音像出版社"
TERM = {"since": "2026-01-01", "until": "2027-12-31"}


def invite(browser: Browser, unit: str = AGENT, **changed: str) -> list[str]:
    """Send the form for a new entrustment; the messages of the page."""
    form = form_of(browser.get("/entrusting/new/").text, "card-box")
    answer = browser.post("/entrusting/new/", data=form | {"agent": unit} | TERM | changed, follow_redirects=True)
    return flashed(answer.text)


def change(app: Flask, browser: Browser, what: str, number: int = -1) -> list[str]:
    """Accept or end the newest entrustment, or the `number`th; the messages of the page."""
    with app.app_context(), access.everything() as session:
        key = session.scalars(select(Entrustment.id).order_by(Entrustment.id)).all()[number]
    return flashed(browser.post(f"/entrusting/{what}/", data={"id": key}, follow_redirects=True).text)


def publishers_of_agent(app: Flask) -> list[str]:
    with app.app_context(), access.everything() as session:
        return [publisher.name for publisher in publishers_for(session, account_of("agent").organisation_id)]


@pytest.mark.slow
def test_a_publisher_invites_a_unit_which_may_apply_after_accepting(app: Flask, client_as: ClientAs) -> None:
    """By name or by code; until then neither side has changed."""
    publisher, agent = client_as("publisher2"), client_as("agent")
    for unit in (AGENT, "９１３２００００５６７８００３０３f"):
        assert invite(publisher, unit) == ["已保存。"]
        assert OTHER not in publishers_of_agent(app)
        assert "待受托单位接受" in agent.get("/entrusting/").text
        assert "已接受" in change(app, agent, "accept")[0]
        assert OTHER in publishers_of_agent(app)
        assert OTHER in agent.get("/applications/new/").text
        assert "已终止" in change(app, publisher, "end")[0]
        assert OTHER not in publishers_of_agent(app)


@pytest.mark.slow
def test_a_unit_can_end_its_entrustment_and_submitted_applications_continue(
    app: Flask, client_as: ClientAs, make_application: MakeApplication
) -> None:
    """For a draft for that publisher, 申报 says what to do."""
    submitted, draft = (make_application(by="agent", status=status) for status in ("pending", "draft"))
    change(app, client_as("agent"), "end")
    assert "江苏文艺音像出版社" not in publishers_of_agent(app)
    assert client_as("reviewer").get(f"/review/details/?id={submitted}").status_code == 200
    answer = client_as("agent").post("/applications/submit/", data={"id": draft}, follow_redirects=True)
    assert "委托" in " ".join(flashed(answer.text))


@pytest.mark.parametrize(("fields", "sentence"), [
    ({"agent": "没有这个单位"}, "没有找到这个单位"),
    ({"agent": "南京光盘"}, "没有找到这个单位"),
    ({"agent": OTHER}, "不能是同一单位"),
    ({"until": "2025-12-31"}, "终止日期不能早于起始日期"),
    ({"since": "2020-01-01", "until": "2020-12-31"}, "终止日期已经过去"),
    ({"agent": ""}, "必填"),
    ({"since": ""}, "必填"),
])  # fmt: skip
def test_an_invalid_invitation_says_what_to_do_and_keeps_the_typed_values(
    client_as: ClientAs, fields: dict[str, str], sentence: str
) -> None:
    browser = client_as("publisher2")
    form = form_of(browser.get("/entrusting/new/").text, "card-box") | {"agent": AGENT} | TERM | fields
    answer = browser.post("/entrusting/new/", data=form)
    assert (answer.status_code, sentence in answer.text) == (422, True)
    back = form_of(answer.text, "card-box")
    assert {name: back[name] for name in ("agent", "since", "until")} == {
        name: form[name] for name in ("agent", "since", "until")
    }


def test_both_units_are_notified_and_the_log_names_the_actor(app: Flask, client_as: ClientAs) -> None:
    """Invited, accepted, ended: three messages to either unit, three entries, none to a stranger."""
    invite(client_as("publisher2"))
    change(app, client_as("agent"), "accept")
    change(app, client_as("publisher2"), "end")
    for who, count in (("publisher2", 3), ("agent", 3), ("publisher", 0)):
        page = client_as(who).get("/messages/").text
        assert [page.count(f"{word}：{OTHER}委托{AGENT}") for word in ("委托邀请", "已登记委托", "委托已终止")] == (
            [count // 3] * 3
        ), who
    log = client_as("operator").get("/operations/").text
    for word in ("邀请受托", "接受委托", "终止委托"):
        assert word in log
    assert log.count("91320000134700202X → 91320000567800303F") >= 3


def test_entrustments_with_overlapping_periods_are_refused(client_as: ClientAs) -> None:
    publisher = client_as("publisher2")
    invite(publisher)
    assert "期限有重叠" in invite(publisher, since="2027-06-01", until="2029-01-01")[0]
    assert invite(publisher, since="2028-01-01", until="2029-01-01") == ["已保存。"]


def test_other_units_can_neither_see_nor_change_an_entrustment(app: Flask, client_as: ClientAs, act_as: ActAs) -> None:
    """Another publisher finds no row; a unit that is no publisher entrusts none; no publisher accepts for the unit."""
    invite(client_as("publisher2"))
    with app.app_context(), access.everything() as session:
        key = session.scalars(select(Entrustment.id).order_by(Entrustment.id.desc())).first()
    stranger = client_as("publisher")
    assert OTHER not in stranger.get("/entrusting/").text
    for what in ("accept", "decline_offer", "withdraw_offer", "end"):
        assert stranger.post(f"/entrusting/{what}/", data={"id": key}).status_code == 404
    assert client_as("agent").get("/entrusting/new/").status_code == 404
    assert "新建" not in client_as("agent").get("/entrusting/").text
    assert "没有重复办理" in change(app, client_as("publisher2"), "accept")[0]
    assert OTHER not in publishers_of_agent(app)
    for who in ("reviewer", "national"):
        with act_as(who):
            assert db.session.scalars(select(Entrustment)).all() == []


def test_the_session_refuses_an_entrustment_in_the_name_of_another_publisher(act_as: ActAs) -> None:
    with act_as("publisher2"):
        publisher, unit = (
            db.session.scalars(select(Organisation).where(Organisation.name == name)).one()
            for name in ("江苏文艺音像出版社", AGENT)
        )
        today = clock.today()
        db.session.add(Entrustment(publisher=publisher, agent=unit, since=today, until=today))
        with pytest.raises(Closed):
            db.session.flush()


def test_one_of_a_parallel_withdrawal_and_acceptance_is_refused(app: Flask, client_as: ClientAs) -> None:
    """One wins; the other is refused and changes nothing."""
    invite(client_as("publisher2"))
    with app.app_context(), access.everything() as first, access.everything() as second:
        first_read, theirs = (
            session.scalars(select(Entrustment).order_by(Entrustment.id.desc())).first() for session in (first, second)
        )
        assert first_read is not None
        assert theirs is not None
        entrusting.withdraw(first, first_read, account_of("publisher2"))
        first.commit()
        with pytest.raises(Refused, match="刚刚已有变化"):
            entrusting.accept(second, theirs, account_of("agent"))


def test_the_operator_confirms_an_invitation_and_cannot_revive_an_ended_entrustment(
    app: Flask, client_as: ClientAs
) -> None:
    invite(client_as("publisher2"))
    operator = client_as("operator")
    assert "待受托单位接受" in operator.get("/entrustments/").text
    form = form_of(operator.get("/entrustments/edit/?id=2").text, "card-box")
    assert operator.post("/entrustments/edit/?id=2", data=form | {"until": "2028-12-31"}).status_code == 302
    assert OTHER in publishers_of_agent(app)
    assert client_as("agent").get("/messages/").text.count("已登记委托") == 1
    change(app, client_as("agent"), "end")
    refused = operator.post("/entrustments/edit/?id=2", data=form | {"until": "2033-12-31"})
    assert (refused.status_code, "已由单位终止，不能修改" in refused.text) == (422, True)
    assert OTHER not in publishers_of_agent(app)


def test_an_entrustment_entered_by_the_operator_is_valid_at_once(app: Flask, client_as: ClientAs) -> None:
    """No acceptance is needed."""
    operator = client_as("operator")
    form = form_of(operator.get("/entrustments/new/").text, "card-box")
    answer = operator.post("/entrustments/new/", data=form | {"publisher": "2", "agent": "3"} | TERM)
    assert answer.status_code == 302
    assert OTHER in publishers_of_agent(app)
