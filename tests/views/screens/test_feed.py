"""日历订阅: the deadlines of a reviewer at a secret address; other addresses are empty."""

import re
from collections.abc import Callable
from html import unescape

import pytest
from flask import Flask
from icalendar import Calendar
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import access
from models.application import Application
from models.database import db
from models.notifications.password_reset import reset_password
from models.people import calendar_feeds
from models.people.accounts import Account
from models.people.calendar_feeds import CalendarFeed
from tests.browsing import Browser, ClientAs
from tests.cast import PASSWORD, account_of
from tests.conftest import ActAs, MakeApplication
from tests.models.attempts import session_of
from tests.views.pages import flashed, form_of


def address(browser: Browser) -> str:
    """The path of the address after 生成地址 or 重新生成."""
    page = browser.post("/messages/feed/renew/", follow_redirects=True).text
    (shown,) = re.findall(r'<code class="secret">http://127.0.0.1:8000(.*?)</code>', page)
    return unescape(shown)


def events(browser: Browser, where: str) -> list[tuple[str, str, str]]:
    """(summary, day, url) of each event of the calendar."""
    answer = browser.get(where)
    assert (answer.status_code, answer.mimetype) == (200, "text/calendar")
    found = Calendar.from_ical(answer.data).walk("VEVENT")
    return [(str(each["summary"]), str(each["dtstart"].dt), str(each["url"])) for each in found]


@pytest.mark.slow
def test_the_feed_contains_only_pending_applications_of_the_own_province(
    client_as: ClientAs, make_application: MakeApplication, make_publisher: Callable[..., str], act_as: ActAs
) -> None:
    """Number and day; no title, no drafts, no decided applications, none of another province."""
    make_publisher("440000")
    key = make_application(status="pending")
    for by, status in (("publisher", "draft"), ("publisher", "returned"), ("publisher440000", "pending")):
        make_application(by=by, status=status)
    where, nobody = address(client_as("reviewer")), client_as(None)
    with act_as("reviewer"):
        row = db.session.get_one(Application, key)
        number, due = row.number, str(row.due_on)
    assert events(nobody, where) == [(f"办结期限：{number}", due, f"http://127.0.0.1:8000/review/details/?id={key}")]
    assert "茉莉花" not in nobody.get(where).text
    assert events(client_as("publisher"), where) == events(nobody, where), "whoever is signed in"


def test_the_feed_address_is_shown_once_and_can_be_renewed_and_revoked(client_as: ClientAs) -> None:
    reviewer, nobody = client_as("reviewer"), client_as(None)
    assert "目前没有订阅地址" in reviewer.get("/messages/feed/").text
    first = address(reviewer)
    assert first.rpartition("/")[2].removesuffix(".ics") not in reviewer.get("/messages/feed/").text
    second = address(reviewer)
    assert [nobody.get(where).status_code for where in (first, second, "/feed/x.ics")] == [404, 200, 404]
    assert reviewer.post("/messages/feed/stop/", csrf=False).status_code == 400
    reviewer.post("/messages/feed/stop/")
    assert nobody.get(second).status_code == 404


@pytest.mark.parametrize("how", ["disabled", "one-time password", "another role"])
def test_the_feed_ends_with_the_account(app: Flask, client_as: ClientAs, how: str) -> None:
    where = address(client_as("reviewer"))
    with app.app_context(), access.everything() as session:
        account = account_of("reviewer", session)
        if how == "disabled":
            account.active = False
        elif how == "another role":
            account.role = account_of("national", session).role
        else:
            reset_password(session, account)
        session.commit()
    assert client_as(None).get(where).status_code == 404


def test_the_feed_follows_an_account_to_another_province(
    app: Flask, client_as: ClientAs, make_application: MakeApplication
) -> None:
    make_application(status="pending")
    where = address(client_as("reviewer"))
    assert len(events(client_as(None), where)) == 1
    with app.app_context(), access.everything() as session:
        account_of("reviewer", session).province = "110000"
        session.commit()
    assert events(client_as(None), where) == []


def test_a_feed_address_is_stored_as_a_hash_and_invisible_to_others(app: Flask, client_as: ClientAs) -> None:
    token = address(client_as("reviewer")).rpartition("/")[2].removesuffix(".ics")
    for who in ("reviewer2", "publisher", "national", ""):  # the operator ends it, and sees the hash
        with app.app_context():
            assert session_of(who).scalars(select(CalendarFeed)).all() == [], who
    with app.app_context():
        stored = session_of("reviewer").scalars(select(CalendarFeed.token_hash)).one()
    assert len(stored) == 64
    assert token not in stored
    for who in ("publisher", "national", "operator"):
        assert client_as(who).get("/messages/feed/").status_code == 404
        assert client_as(who).post("/messages/feed/renew/").status_code == 404
        assert "/messages/feed/" not in client_as(who).get("/messages/").text


@pytest.mark.parametrize("how", ["reset", "own password", "disabled"])
def test_a_new_password_revokes_the_feed_address(app: Flask, client_as: ClientAs, how: str) -> None:
    """A copied address is invalid; a reset account has no e-mail address either."""
    browser = client_as("reviewer")
    where = address(browser)
    with app.app_context(), access.everything() as session:
        account = account_of("reviewer", session)
        account.email, key = "chen@example.cn", account.id
        session.commit()
    if how == "own password":
        new = {"current": PASSWORD, "new": "mine-2026-x", "repeat": "mine-2026-x"}
        assert browser.post("/password", data=new).status_code == 303
    elif how == "reset":
        assert client_as("operator").post("/accounts/reset/", data={"id": key}).status_code == 303
    else:
        page = client_as("operator").get(f"/accounts/edit/?id={key}").text
        form = {name: value for name, value in form_of(page, "card-box").items() if name != "active"}
        assert client_as("operator").post(f"/accounts/edit/?id={key}", data=form).status_code == 302
    with app.app_context(), access.everything() as session:
        account = account_of("reviewer", session)
        account.active, account.must_change = True, False
        session.commit()
        assert account.email == (None if how == "reset" else "chen@example.cn")
    assert client_as(None).get(where).status_code == 404


def test_guessing_feed_addresses_is_rate_limited(client_as: ClientAs) -> None:
    nobody = client_as(None)
    answers = [nobody.get(f"/feed/{n}.ics").status_code for n in range(301)]
    assert (answers[0], answers[299], answers[300]) == (404, 404, 429)


def test_a_busy_calendar_program_does_not_block_the_feeds_of_colleagues(client_as: ClientAs) -> None:
    """Thirty a minute of one address; a whole office may share a network."""
    nobody, busy, quiet = client_as(None), address(client_as("reviewer")), address(client_as("reviewer2"))
    assert [nobody.get(busy).status_code for _time in range(31)] == [200] * 30 + [429]
    assert nobody.get(quiet).status_code == 200


@pytest.mark.parametrize("former", [False, True])
def test_one_of_two_feed_addresses_created_in_parallel_is_valid(
    client_as: ClientAs, monkeypatch: pytest.MonkeyPatch, former: bool
) -> None:
    """Both saw the same state; the second gets a message, and the first one's address stays."""
    reviewer, nobody, winner = client_as("reviewer"), client_as(None), list[str]()
    if former:
        address(reviewer)
    really = calendar_feeds.feed_of

    def overtaken(session: Session, account: Account) -> CalendarFeed | None:
        """The stale read, before the other session has committed."""
        monkeypatch.setattr(calendar_feeds, "feed_of", really)
        seen = really(session, account)
        if seen is not None:
            session.expunge(seen)
        session.rollback()
        with access.everything() as other:
            winner.append(calendar_feeds.renew(other, other.get_one(Account, account.id)))
            other.commit()
        session.rollback()
        return seen

    monkeypatch.setattr(calendar_feeds, "feed_of", overtaken)
    answer = reviewer.post("/messages/feed/renew/", follow_redirects=True)
    assert answer.status_code == 200
    assert flashed(answer.text) == [
        "订阅地址刚刚已在另一个页面生成或停止，这里没有再改。下面是现在的情况；需要时可以重新生成。"
    ]
    assert nobody.get(f"/feed/{winner[0]}.ics").status_code == 200
