"""在线用户 and 我的登录: sessions in use are seen, and ended at once."""

import re
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from models import clock
from models.database import db
from models.people import signin_failures
from models.people.sessions import Visit
from tests.browsing import Browser, ClientAs
from tests.cast import PASSWORD, account_of
from tests.views.pages import flashed


def visits(app: Flask, username: str) -> list[int]:
    """The ids of this person's sessions, oldest first."""
    with app.app_context():
        of = select(Visit.id).where(Visit.account_id == account_of(username).id)
        return list(db.session.scalars(of.order_by(Visit.id)))


def online(page: str) -> list[str]:
    return re.findall(r'<td class="col-who"[^>]*>(\w+)（', page)


def wrong(app: Flask, username: str, times: int = 5) -> None:
    for _time in range(times):
        Browser(app).post("/login", data={"username": username, "password": "wrong-Pass-1"})


def test_signed_in_accounts_are_listed_by_last_activity(app: Flask, client_as: ClientAs) -> None:
    client_as("publisher"), client_as("reviewer")
    operator = client_as("operator")
    assert online(operator.get("/online/").text) == ["operator", "reviewer", "publisher"]
    assert online(operator.get("/online/?username=REV").text) == ["reviewer"]
    with app.app_context():
        long_ago, visit = clock.now() - timedelta(minutes=31), db.session.get_one(Visit, visits(app, "publisher")[0])
        visit.seen_at = long_ago
        db.session.commit()
    client_as("reviewer").post("/logout")
    assert online(operator.get("/online/").text) == ["operator", "reviewer"]


def test_a_session_ended_by_the_operator_is_signed_out_with_the_reason(app: Flask, client_as: ClientAs) -> None:
    publisher, operator = client_as("publisher"), client_as("operator")
    (key,) = visits(app, "publisher")
    page = operator.post("/online/end/", data={"id": key, "url": "/online/"}, follow_redirects=True).text
    assert flashed(page) == ["publisher 已下线。"]
    assert online(page) == ["operator"]
    answer = publisher.get("/applications/", follow_redirects=True)
    assert answer.request.path == "/login"
    assert "系统管理员已结束这次登录" in answer.text
    page = operator.post("/online/end/", data={"id": key}, follow_redirects=True).text
    assert flashed(page) == ["该用户的这次登录已经结束，无需再次办理。"]
    log = operator.get("/operations/").text
    assert log.count("强制下线") == log.count(">publisher</td>") + 1 == 2  # and the choice of the query form


def test_an_operator_cannot_end_the_own_session(app: Flask, client_as: ClientAs) -> None:
    operator = client_as("operator")
    (key,) = visits(app, "operator")
    assert re.search(rf'value="{key}"[^>]*aria-disabled="true"', operator.get("/online/").text)
    page = operator.post("/online/end/", data={"id": key}, follow_redirects=True).text
    assert flashed(page) == ["这是您本次的登录，请点击右上角“退出”。"]


@pytest.mark.parametrize("who", ["publisher", "reviewer", "national"])
def test_only_the_operator_can_end_other_sessions(app: Flask, client_as: ClientAs, who: str) -> None:
    client_as("agent")
    (key,) = visits(app, "agent")
    browser = client_as(who)
    assert browser.get("/online/").status_code == 403
    for act in ("end", "unlock"):
        assert browser.post(f"/online/{act}/", data={"id": key}).status_code == 403
    assert client_as("operator").post("/online/end/", data={"id": key}, csrf=False).status_code == 400
    assert "agent" in online(client_as("operator").get("/online/").text)


@pytest.mark.slow
def test_a_sign_in_pause_is_shown_and_can_be_lifted(app: Flask, client_as: ClientAs) -> None:
    wrong(app, "publisher")
    wrong(app, "agent", 4)
    wrong(app, "nobody-of-this-name")
    operator = client_as("operator")
    page = operator.get("/online/").text
    (key,) = re.findall(r'name="id" value="(\d+)" formaction="/online/unlock/"', page)
    page = operator.post("/online/unlock/", data={"id": key}, follow_redirects=True).text
    assert flashed(page) == ["publisher 的登录限制已解除，可以立即重新登录。"]
    assert "登录受限" not in page
    page = operator.post("/online/unlock/", data={"id": key}, follow_redirects=True).text
    assert flashed(page) == ["publisher 没有登录限制，无需解除。"]
    browser = Browser(app)
    assert browser.post("/login", data={"username": "publisher", "password": PASSWORD}).status_code == 303


@pytest.mark.slow
def test_an_account_that_waits_because_of_its_network_is_found_by_its_user_name_and_unlocked(
    app: Flask, client_as: ClientAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a failure of its own it is in no list until the operator asks for it."""
    operator = client_as("operator")
    monkeypatch.setattr(signin_failures, "NETWORK_TRIES", 3)
    assert "登录受限" not in operator.get("/online/?username=publisher").text
    for number in range(3):
        wrong(app, f"nobody-{number}", 1)
    right = {"username": "publisher", "password": PASSWORD}
    assert "该网络一小时内输错密码较多" in Browser(app).post("/login", data=right).text
    page = operator.get("/online/").text
    assert "请在下方按用户名查询，向本人核实后解锁" in page and "/online/unlock/" not in page
    page = operator.get("/online/?username=PUBLISHER").text
    keys = re.findall(r'name="id" value="(\d+)" formaction="/online/unlock/"', page)
    assert len(keys) == page.count("因网络受限") == 2  # publisher and publisher2
    page = operator.post("/online/unlock/", data={"id": keys[0]}, follow_redirects=True).text
    assert flashed(page) == ["publisher 的登录限制已解除，可以立即重新登录。"]
    assert Browser(app).post("/login", data=right).status_code == 303
    assert Browser(app).post("/login", data=right | {"username": "publisher2"}).status_code != 303


def test_the_last_sign_in_is_shown_once(app: Flask) -> None:
    def first_page() -> tuple[Browser, list[str]]:
        browser = Browser(app)
        browser.post("/login", data={"username": "publisher", "password": PASSWORD})
        return browser, flashed(browser.get("/desk/").text)

    assert first_page()[1] == []
    browser, (sentence,) = first_page()
    assert re.match(r"上次登录：\d{4}-\d\d-\d\d \d\d:\d\d，来自 127\.0\.0\.1。如非本人操作，请修改密码", sentence)
    assert flashed(browser.get("/desk/").text) == []


class TestOwnVisits:
    def test_an_account_sees_only_its_own_sessions(self, app: Flask, client_as: ClientAs) -> None:
        wrong(app, "publisher", 1)
        client_as("publisher"), client_as("publisher2")
        for who in ("publisher", "publisher2", "reviewer", "national", "operator"):
            page = client_as(who).get("/visits/").text
            assert page.count("本次登录") == 1
            assert ("密码不正确" in page) is (who == "publisher")
        assert len(visits(app, "publisher")) == 2

    def test_an_account_can_end_its_other_sessions(self, app: Flask, client_as: ClientAs) -> None:
        first, second, present = client_as("publisher"), client_as("publisher"), client_as("publisher")
        key = visits(app, "publisher")[0]
        page = present.post("/visits/end/", data={"id": key}, follow_redirects=True).text
        assert flashed(page) == ["已结束 1 个其他登录。"]
        assert first.get("/desk/").status_code == 302
        assert second.get("/desk/").status_code == 200
        assert flashed(present.post("/visits/end/", follow_redirects=True).text) == ["已结束 1 个其他登录。"]
        assert second.get("/desk/").status_code == 302
        page = present.post("/visits/end/", follow_redirects=True).text
        assert flashed(page) == ["没有其他登录需要结束，可能已经退出或超时。"]
        assert page.count("结束本人的其他登录") == 2

    @pytest.mark.parametrize("key", ["", "0", "-1", "abc", "９", "9" * 40])
    def test_an_invalid_session_id_ends_no_session(self, app: Flask, client_as: ClientAs, key: str) -> None:
        other, present = client_as("publisher"), client_as("publisher")
        present.post("/visits/end/", data={"id": key})
        assert other.get("/desk/").status_code == 200

    def test_foreign_and_current_sessions_cannot_be_ended(self, app: Flask, client_as: ClientAs) -> None:
        stranger, present = client_as("publisher2"), client_as("publisher")
        for key in visits(app, "publisher2") + visits(app, "publisher"):
            present.post("/visits/end/", data={"id": key})
        assert stranger.get("/desk/").status_code == present.get("/desk/").status_code == 200
