"""接办: while one reviewer has taken a case, the others of the province see the name, and cannot decide."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from models import access, clock
from models.access import Closed
from models.application import Application, lease
from models.application.lease import CaseLease
from models.database import db
from models.notifications import Notification
from tests.browsing import Browser, ClientAs
from tests.cast import account_of
from tests.conftest import ActAs, MakeApplication, StoredRows
from tests.views.pages import flashed, form_of

HOLDER = re.compile(r"由([^，\s<]+)办理至 \d\d:\d\d")


@pytest.fixture
def case(make_application: MakeApplication) -> int:
    """One that waits, made before anybody signs in."""
    return make_application(status="pending")


@pytest.fixture
def two_reviewers(case: int, client_as: ClientAs, add_colleague: Callable[..., None]) -> tuple[Browser, Browser]:
    """Two reviewers of one province."""
    add_colleague("second", like="reviewer")
    return client_as("reviewer"), client_as("second")


def act(browser: Browser, action: str, key: int) -> str:
    """The message after an act of the case page."""
    body = {"id": key, "opinion": "材料需要核对。", "url": f"/review/details/?id={key}"}
    answer = browser.post(f"/review/{action}/", data=body)
    page = answer.text if answer.status_code == 409 else browser.get(f"/review/details/?id={key}").text
    return "".join(flashed(page)) or page


def offered(browser: Browser, key: int) -> set[str]:
    """Of the three acts those that the case page shows."""
    page = browser.get(f"/review/details/?id={key}").text
    return set(re.findall(r'data-act="(take|take_over|put_back)"', page))


def run_out(app: Flask, minutes: int = 31) -> None:
    """So much later: every lease is that much older."""
    with app.app_context(), access.everything() as session:
        for row in session.scalars(select(CaseLease)):
            row.taken_at, row.until = (at - timedelta(minutes=minutes) for at in (row.taken_at, row.until))
        session.commit()


def until(app: Flask) -> list[tuple[int, float]]:
    """(case, minutes from now) of every lease."""
    with app.app_context(), access.everything() as session:
        rows = session.scalars(select(CaseLease)).all()
        return [(row.application_id, round((row.until - clock.now()).total_seconds() / 60)) for row in rows]


def test_list_desk_and_page_name_the_holder_of_a_case_and_only_the_holder_decides(
    two_reviewers: tuple[Browser, Browser], case: int, stored_rows: StoredRows
) -> None:
    key, (first, second) = case, two_reviewers
    assert "由您办理" in act(first, "take", key)
    assert (offered(first, key), offered(second, key)) == ({"put_back"}, {"take_over"})
    for browser, who in ((first, "您"), (second, "陈静")):
        for page in ("/review/", "/desk/", f"/review/details/?id={key}"):
            assert set(HOLDER.findall(browser.get(page).text)) == {who}, page
    assert "我在办的" in first.get("/desk/").text
    assert "我在办的" not in second.get("/desk/").text
    before = stored_rows(key)
    for action in ("grant", "return", "decline", "refuse", "extend", "take"):
        found = act(second, action, key)
        assert "由陈静接办" in found and "先点击接手" in found, action
    refused = stored_rows(key)
    typed = refused.pop("typed_form")  # of the refused, and of whoever took the case: stored for whoever wrote them
    assert [row["fields"]["opinion"] for row in typed] == ["材料需要核对。"] * 2
    assert refused == {name: rows for name, rows in before.items() if name != "typed_form"}
    act(first, "return", key)
    assert stored_rows(key)["application"][0]["status"] == "returned"
    assert stored_rows(key)["case_lease"] == []


def test_a_case_can_be_decided_without_claiming_it(two_reviewers: tuple[Browser, Browser], case: int) -> None:
    key, (first, second) = case, two_reviewers
    assert offered(first, key) == offered(second, key) == {"take"}
    assert act(second, "grant", key).startswith("已准予备案")


def test_a_released_or_expired_case_can_be_claimed_by_anybody(
    app: Flask, two_reviewers: tuple[Browser, Browser], case: int
) -> None:
    key, (first, second) = case, two_reviewers
    act(first, "take", key)
    assert "已放回" in act(first, "put_back", key)
    assert "由您办理" in act(second, "take", key)
    run_out(app)
    assert "无人办理" in act(second, "put_back", key)
    assert first.post(f"/review/renew/?id={key}").status_code == 409
    assert act(first, "return", key).startswith("已退回")


def test_taking_over_a_case_notifies_only_the_former_holder(
    app: Flask, two_reviewers: tuple[Browser, Browser], case: int, stored_rows: StoredRows
) -> None:
    key, (first, second) = case, two_reviewers
    act(first, "take", key)
    assert "已由您接手" in act(second, "take_over", key)
    with app.app_context(), access.everything() as session:
        (message,) = session.scalars(select(Notification).where(Notification.event == "taken_over"))
        assert message.account_id == account_of("reviewer").id
    assert "已由second接手办理" in first.get("/messages/").text
    assert "由second接办" in act(first, "grant", key)
    assert first.post(f"/review/renew/?id={key}").status_code == 409
    assert [entry["act"] for entry in stored_rows(key)["trail_entry"]][-2:] == ["take", "take_over"]


def test_every_one_of_several_quick_takeovers_is_notified(
    app: Flask, two_reviewers: tuple[Browser, Browser], case: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within one second, too."""
    key, (first, second), now = case, two_reviewers, clock.now()
    monkeypatch.setattr(clock, "now", lambda: now)
    act(first, "take", key)
    for browser in (second, first, second):
        assert "已由您接手" in act(browser, "take_over", key)
    with app.app_context(), access.everything() as session:
        found = session.scalars(select(Notification.account_id).where(Notification.event == "taken_over")).all()
        assert sorted(found) == sorted([account_of("reviewer").id] * 2 + [account_of("second").id])


def test_working_on_a_case_renews_its_lease_by_the_setting_of_the_province(
    app: Flask, two_reviewers: tuple[Browser, Browser], case: int
) -> None:
    key, (first, second) = case, two_reviewers
    form = form_of(first.get("/province/").text, "card-box")
    assert first.post("/province/", data=form | {"lease_minutes": "4"}).status_code == 422
    assert first.post("/province/", data=form | {"lease_minutes": "10"}).status_code == 302
    act(first, "take", key)
    run_out(app, 7)
    second.get(f"/review/details/?id={key}")
    assert until(app) == [(key, 3)]
    assert "由您办理至" in first.post(f"/review/renew/?id={key}").json["until"]  # type: ignore[index]
    assert until(app) == [(key, 10)]
    run_out(app, 7)
    first.get(f"/review/details/?id={key}")
    assert until(app) == [(key, 10)]


def test_the_applicant_does_not_see_the_claim_and_can_no_longer_withdraw(
    client_as: ClientAs, two_reviewers: tuple[Browser, Browser], case: int, stored_rows: StoredRows
) -> None:
    key, publisher = case, client_as("publisher")
    two_reviewers[0].post("/review/take/", data={"id": key})  # from the list: the page was never opened
    assert stored_rows(key)["application"][0]["opened_at"]
    page = publisher.get(f"/applications/details/?id={key}").text
    assert not HOLDER.search(page) and "接办" not in page
    publisher.post("/applications/withdraw/", data={"id": key})
    assert stored_rows(key)["application"][0]["status"] == "pending"
    assert "接办" in two_reviewers[1].get(f"/review/details/?id={key}").text.partition('id="trail"')[2]


@pytest.fixture
def other_case(make_application: MakeApplication) -> int:
    return make_application(status="pending", title="昆曲《牡丹亭》")


def test_a_batch_act_reports_rows_held_by_another_reviewer(
    other_case: int, case: int, two_reviewers: tuple[Browser, Browser], stored_rows: StoredRows
) -> None:
    free, claimed, (first, second) = case, other_case, two_reviewers
    act(first, "take", claimed)
    rows = {f"version-{key}": stored_rows(key)["application"][0]["version"] for key in (claimed, free)}
    page = second.post("/review/together/grant/", data={"pick": [claimed, free]} | rows).text
    assert "已办理 1 份，没有办理 1 份" in page and "由陈静接办" in page
    assert [stored_rows(key)["application"][0]["status"] for key in (claimed, free)] == ["pending", "filed"]


def test_other_provinces_and_roles_cannot_see_or_make_a_lease(
    app: Flask, two_reviewers: tuple[Browser, Browser], act_as: ActAs, case: int
) -> None:
    key = case
    act(two_reviewers[0], "take", key)
    for who in ("reviewer2", "publisher", "national", "operator"):
        with act_as(who) as account:
            assert db.session.scalars(select(CaseLease)).all() == [], who
            now = clock.now()
            row = CaseLease(application_id=key, account_id=account.id, taken_at=now, until=now)
            db.session.add(row)
            with pytest.raises(Closed):
                db.session.flush()
    with act_as("second"):
        assert [row.application_id for row in db.session.scalars(select(CaseLease))] == [key]


@pytest.mark.parametrize(("status", "who"), [("pending", "reviewer2"), ("pending", "publisher"), ("filed", "reviewer")])
def test_the_database_refuses_a_lease_of_the_wrong_person_or_case(
    app: Flask, make_application: MakeApplication, status: str, who: str
) -> None:
    key = make_application(status=status)
    with app.app_context(), access.everything() as session:
        with pytest.raises(DBAPIError, match="只能追加或依程序办理"):
            lease.begin(session, session.get_one(Application, key), account_of(who), 30)
        session.rollback()
        assert session.scalar(text("SELECT count(*) FROM case_lease")) == 0
