"""单一窗口用户: the operator links a portal user to an account, or declines; a link can be removed."""

import pytest
from flask import Flask
from sqlalchemy import select

from models import access
from models.notifications import Notification
from models.people.portal_links import PortalLink, PortalRequest, request_link
from tests.browsing import Browser, ClientAs
from tests.cast import account_of
from tests.views.pages import flashed
from tests.views.screens.read_logs import entries_of

ISSUER, CODE = "https://portal.example.cn", "12320000466000101W"


@pytest.fixture
def link_request(app: Flask) -> int:
    """The id of the request of 王敏, of the first publisher."""
    return ask(app, "sw-1")


def ask(app: Flask, subject: str, code: str = CODE) -> int:
    with app.app_context(), access.everything() as session:
        found = {"name": "王\u202e敏", "organisation": "江苏文艺音像出版社", "credit_code": code}
        made = request_link(session, ISSUER, subject, found, "10.0.0.1")
        session.commit()
        return made.id


def decide(operator: Browser, act: str, key: int, username: str = "") -> str:
    answer = operator.post(f"/portal/{act}/", data={"id": key, "username": username}, follow_redirects=True)
    return flashed(answer.text)[-1]


def test_the_operator_links_the_suggested_or_another_account(
    app: Flask, client_as: ClientAs, link_request: int
) -> None:
    """On both databases. The owner is notified, and the log has an entry."""
    operator = client_as("operator")
    page = operator.get("/portal/").text
    assert "王敏" in page and "该单位的账号：publisher<" in page and "\u202e" not in page
    assert decide(operator, "link", link_request, "nobody") == "没有这个用户名，请核对后再关联。"
    assert decide(operator, "link", link_request, "operator").startswith("不能为自己的账号办理关联")
    assert decide(operator, "link", link_request, "Publisher") == "已关联，“王敏”可以从单一窗口登录账号 publisher。"
    assert decide(operator, "link", link_request, "publisher") == "这项申请已经办理，请刷新页面核对。"
    assert "没有等待关联的用户" in operator.get("/portal/").text
    with app.app_context(), access.everything() as session:
        assert "关联了单一窗口用户“王敏”" in session.scalars(select(Notification)).one().sentence
    assert entries_of(app)[-1][::2] == ("portal_linked", "publisher")
    assert "已关联单一窗口用户：王敏" in client_as("publisher").get("/visits/").text


def test_each_account_is_linked_to_one_portal_user(app: Flask, client_as: ClientAs, link_request: int) -> None:
    operator, other = client_as("operator"), ask(app, "sw-2")
    decide(operator, "link", link_request, "publisher")
    assert decide(operator, "link", other, "publisher").startswith("publisher 已关联其他单一窗口用户")
    assert "该单位的账号：" not in operator.get("/portal/").text  # linked already, so that it is not suggested


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
def test_a_declined_portal_user_stays_declined_until_linked(app: Flask, client_as: ClientAs, link_request: int) -> None:
    operator = client_as("operator")
    assert decide(operator, "decline", link_request) == "已记录不予关联，对方再次登录时会看到。"
    assert decide(operator, "decline", link_request) == "这项申请已经不予关联，无需再次办理。"
    assert [kind for kind, *_rest in entries_of(app)].count("portal_declined") == 1
    assert ask(app, "sw-1") == link_request
    with app.app_context(), access.everything() as session:
        assert session.get_one(PortalRequest, link_request).declined_at is not None
    assert decide(operator, "link", link_request, "publisher").startswith("已关联")


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
def test_removing_a_link_ends_the_sessions_of_its_account(app: Flask, client_as: ClientAs, link_request: int) -> None:
    operator, owner = client_as("operator"), client_as("publisher")
    decide(operator, "link", link_request, "publisher")
    with app.app_context(), access.everything() as session:
        (number,) = session.scalars(select(PortalLink.id)).all()
        key = account_of("publisher").id
    assert "sw-1" in operator.get(f"/accounts/keys/?id={key}").text
    page = operator.post("/accounts/portal/unlink/", data={"id": number}, follow_redirects=True).text
    assert flashed(page)[-1] == "已移除，publisher 已退出登录。"
    assert owner.get("/visits/").location.startswith("/login")
    assert entries_of(app)[-1][::2] == ("portal_unlinked", "publisher")


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
@pytest.mark.parametrize("code", ["12320000466000101I", "x", "", None])
def test_an_invalid_credit_code_suggests_no_account(app: Flask, client_as: ClientAs, code: str) -> None:
    ask(app, "sw-3", code)
    page = client_as("operator").get("/portal/").text
    assert "没有提供信用代码" in page and "该单位的账号：" not in page
