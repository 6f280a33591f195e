"""系统管理: accounts, organisations, entrustments and the table of customs districts; and no application anywhere."""

import re
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from models.database import db
from models.people.accounts import Account, matches
from models.people.sessions import Visit
from tests.apps import engine_of_owner
from tests.browsing import Browser, ClientAs
from tests.cast import PASSWORD
from tests.conftest import ActAs
from tests.views.ledger import ledger
from tests.views.pages import complaints, flashed, form_of
from tests.views.screens.filled_forms import fill

NEW_PASSWORD = "mine-2026-x"


def one_time(page: str) -> str:
    """The password that the page shows once."""
    (sentence,) = re.findall(r"的一次性密码：(\S+)（只显示这一次，首次登录须修改）", page)
    return sentence


def signed_in(client_as: ClientAs, username: str, password: str) -> Browser:
    """A test client that has signed in through the login page."""
    browser = client_as(None)
    assert browser.post("/login", data={"username": username, "password": password}).status_code == 303
    return browser


def test_a_new_account_has_a_one_time_password_shown_once(app: Flask, client_as: ClientAs) -> None:
    """The operator never knows the password that is used afterwards; the database never knows one at all."""
    operator = client_as("operator")
    answer = fill(operator, "/accounts/new/", username="newcomer", name="钱多", role="reviewer", province="330000")
    assert answer.status_code == 302
    page = operator.get(answer.location).text
    password = one_time(page)
    assert password not in operator.get("/accounts/").text
    newcomer = signed_in(client_as, "newcomer", password)
    assert newcomer.get("/review/").location == "/password"
    assert newcomer.post("/review/grant/", data={"id": 1}).location == "/password"
    changed = newcomer.post("/password", data={"current": password, "new": NEW_PASSWORD, "repeat": NEW_PASSWORD})
    assert changed.status_code == 303
    assert newcomer.get("/review/").status_code == 200
    assert password not in str(ledger(app))
    assert NEW_PASSWORD not in str(ledger(app))


def test_a_reset_password_ends_every_visit(client_as: ClientAs, cast: SimpleNamespace) -> None:
    operator, inside = client_as("operator"), client_as("publisher")
    assert inside.get("/applications/").status_code == 200
    answer = operator.post("/accounts/reset/", data={"id": cast.publisher}, follow_redirects=True)
    password = one_time(answer.text)
    assert inside.get("/applications/").location.startswith("/login")
    assert client_as(None).post("/login", data={"username": "publisher", "password": PASSWORD}).status_code == 401
    assert signed_in(client_as, "publisher", password).get("/applications/").location == "/password"


def test_the_question_before_a_reset_names_what_ends_for_that_account(
    app: Flask, client_as: ClientAs, cast: SimpleNamespace
) -> None:
    """Signing out alone for an account that has nothing else; and the address and keys do end."""
    operator, reviewer = client_as("operator"), client_as("reviewer")
    reviewer.post("/messages/feed/renew/")
    reviewer.post("/apikeys/make/", data={"name": "综合业务", "days": "90", "networks": ""})
    client_as("publisher").post("/apikeys/make/", data={"name": "编务系统", "days": "90", "networks": ""})
    with app.app_context(), engine_of_owner(app).begin() as connection:
        connection.execute(update(Account).where(Account.username == "publisher").values(email="wang@example.cn"))
    page = operator.get("/accounts/").text
    asked = dict(re.findall(r'data-act="reset" data-ask="确定要重置 (\w+) 的密码吗？([^"]*)"', page))
    signed_out, again = "该账号将立即退出登录。", "同时失效，仍需使用的须由本人重新生成。"
    assert asked["agent"] == signed_out
    assert asked["reviewer"] == f"{signed_out}现有的日历订阅地址、接口密钥{again}"
    assert asked["publisher"] == f"{signed_out}现有的接口密钥{again}登记的邮箱同时移除。"
    operator.post("/accounts/reset/", data={"id": cast.reviewer})
    assert "现有的" not in re.findall(r'data-ask="确定要重置 reviewer 的[^"]*"', operator.get("/accounts/").text)[0]


def test_a_one_time_password_is_in_no_cookie_and_in_no_row(
    app: Flask, client_as: ClientAs, cast: SimpleNamespace
) -> None:
    """26: a flashed message is readable in the session's cookie, and in every copy of it."""
    operator = client_as("operator")
    steps = [
        fill(operator, "/accounts/new/", username="newcomer", name="钱多", role="national"),
        operator.post("/accounts/reset/", data={"id": cast.publisher}),
        operator.get("/password"),  # a page in between takes nothing away
    ]
    with app.app_context(), engine_of_owner(app).connect() as connection:
        visits = str(connection.execute(select(Visit.__table__)).all())
    shown = operator.get("/accounts/")
    passwords = re.findall(r"的一次性密码：(\S+)（", shown.text)
    assert len(passwords) == 2
    serializer: Any = app.session_interface.get_signing_serializer(app)
    cookies = [
        re.match(r"filing=([^;]*)", line) for each in [*steps, shown] for line in each.headers.getlist("Set-Cookie")
    ]
    carried = str([serializer.loads(cookie[1]) for cookie in cookies if cookie and cookie[1]])
    assert "note_key" in carried
    for password in passwords:
        assert password not in carried + visits + str(ledger(app))
    assert not re.findall(r"的一次性密码", operator.get("/accounts/").text)
    assert signed_in(client_as, "publisher", passwords[1])


def test_a_lost_one_time_password_causes_no_error(app: Flask, client_as: ClientAs, cast: SimpleNamespace) -> None:
    """The answer that carried the key was lost: the password is reset again."""
    operator = client_as("operator")
    operator.post("/accounts/reset/", data={"id": cast.publisher})
    with operator.session_transaction() as session:
        session["note_key"] = "of another tab"
    assert "一次性密码" not in operator.get("/accounts/").text
    operator.post("/accounts/reset/", data={"id": cast.publisher})
    assert "一次性密码" in operator.get("/accounts/").text


@pytest.mark.slow
def test_a_disabled_account_is_signed_out_and_cannot_sign_in(client_as: ClientAs, cast: SimpleNamespace) -> None:
    """AD9: disabled, never deleted; and an operator cannot disable their own account."""
    operator, inside = client_as("operator"), client_as("reviewer")
    form = form_of(operator.get(f"/accounts/edit/?id={cast.reviewer}").text, "card-box")
    del form["active"]
    assert operator.post(f"/accounts/edit/?id={cast.reviewer}", data=form).status_code == 302
    assert inside.get("/review/").location.startswith("/login")
    assert client_as(None).post("/login", data={"username": "reviewer", "password": PASSWORD}).status_code == 401
    own = form_of(operator.get(f"/accounts/edit/?id={cast.operator}").text, "card-box")
    del own["active"]
    answer = operator.post(f"/accounts/edit/?id={cast.operator}", data=own)
    assert (answer.status_code, flashed(answer.text)) == (422, ["不能停用自己的账号，请由另一位系统管理员办理。"])
    assert operator.get("/accounts/").status_code == 200
    assert fill(operator, f"/accounts/edit/?id={cast.reviewer}", active="y").status_code == 302
    assert signed_in(client_as, "reviewer", PASSWORD).get("/review/").status_code == 200


def test_user_name_and_role_of_an_account_cannot_be_edited(
    client_as: ClientAs, act_as: ActAs, cast: SimpleNamespace
) -> None:
    """The trail of every act has user name and role, so the edit form has no field for them."""
    answer = fill(
        client_as("operator"), f"/accounts/edit/?id={cast.publisher}",
        name="王小敏", username="other", role="operator", password_hash="x", must_change="y", id="99",
    )  # fmt: skip
    assert answer.status_code == 302
    with act_as("publisher") as account:
        assert (account.name, account.username, account.role) == ("王小敏", "publisher", "publisher")
        assert matches(account.password_hash, PASSWORD)
        assert not account.must_change


SIGNS_OF_A_USER_NAME = "用户名只能由汉字、字母、数字和 . - _ @ 组成，中间不能有空格，请修改后再试。"
WRONG_ACCOUNTS = [
    ({}, ["必填。"] * 3, []),
    ({"username": "  ", "name": "\0", "role": "national"}, ["必填。"] * 2, []),
    ({"username": "publisher", "name": "重名", "role": "national"}, ["已经存在。"], []),
    ({"username": "p", "name": "无单位", "role": "publisher"}, [], ["出版单位账号须选择所属单位。"]),
    ({"username": "p", "name": "x", "role": "publisher", "organisation": "99"}, ["请从下拉列表中选择。"], []),
    ({"username": "p", "name": "x", "role": "publisher", "organisation": "1 OR 1"}, ["请从下拉列表中选择。"], []),
    ({"username": "r", "name": "无省份", "role": "reviewer"}, [], ["省级审核账号须选择所属省份。"]),
    ({"username": "r", "name": "x", "role": "reviewer", "province": "990000"}, ["请从下拉列表中选择。"], []),
    ({"username": "r", "name": "x", "role": "superuser"}, ["必填。"], []),
    ({"username": "Ｐublisher\u200b", "name": "重名", "role": "national"}, ["已经存在。"], []),
    ({"username": "\u200b", "name": "x", "role": "national"}, ["必填。"], []),
    ({"username": "zhang san", "name": "x", "role": "national"}, [SIGNS_OF_A_USER_NAME], []),
    ({"username": "长" * 65, "name": "x", "role": "national"}, ["最多 64 字，现在 65 字。"], []),
]


@pytest.mark.slow
def test_an_invalid_account_is_refused_with_messages(app: Flask, client_as: ClientAs) -> None:
    """An existing user name gets a message, not an error; so does every other wrong input."""
    operator, before = client_as("operator"), ledger(app)
    for fields, under_fields, at_the_top in WRONG_ACCOUNTS:
        answer = fill(operator, "/accounts/new/", **fields)
        assert (answer.status_code, complaints(answer.text)) == (422, under_fields), fields
        assert flashed(answer.text) == (at_the_top or ["没有保存，请按红字提示改正后再保存。"])
        assert form_of(answer.text, "card-box")["name"] == fields.get("name", "").strip("\0 ")
    assert ledger(app) == before


def test_accounts_are_found_by_name_and_role(client_as: ClientAs, act_as: ActAs) -> None:
    operator = client_as("operator")
    with act_as("operator"):
        everybody = len(list(db.session.scalars(select(Account))))
    questions: dict[str, int] = {
        "?username=ＰUBLISHER": 2,
        "": everybody,
        "?role=reviewer": 2,
        "?name=王&role=publisher": 1,
    }
    for asked, count in (questions | {"?username=%25": 0}).items():
        assert f"共 {count} 条" in operator.get(f"/accounts/{asked}").text, asked
    page = operator.get("/accounts/?role=nobody").text
    assert 'id="role-error"' in page and "共 " not in page


def test_an_account_sent_in_parallel_is_created_once(client_as: ClientAs) -> None:
    """A double click, or two colleagues: one makes it, the other reads a sentence."""
    operators = [client_as("operator") for _ in range(4)]
    with ThreadPoolExecutor(len(operators)) as at_once:
        answers = list(
            at_once.map(lambda who: fill(who, "/accounts/new/", username="twin", name="孪", role="national"), operators)
        )
    assert sorted(answer.status_code for answer in answers) == [302, 422, 422, 422]
    sentences = [flashed(answer.text) + complaints(answer.text) for answer in answers if answer.status_code == 422]
    assert all(words[0].startswith(("相同的内容刚刚已经登记", "没有保存")) for words in sentences)


def test_an_operator_cannot_reset_the_own_password(app: Flask, client_as: ClientAs, cast: SimpleNamespace) -> None:
    """The one-time password would be shown on the login page to the next person at the screen."""
    operator, before = client_as("operator"), ledger(app)
    answer = operator.post("/accounts/reset/", data={"id": cast.operator}, follow_redirects=True)
    assert flashed(answer.text) == ["自己的密码请点击右上角“修改密码”更换。"]
    assert ledger(app) == before


def test_the_operator_sees_user_names_changed_by_the_upgrade(
    client_as: ClientAs, act_as: ActAs, cast: SimpleNamespace
) -> None:
    with act_as("operator"):
        db.session.get(Account, cast.publisher2).former_username = "Publisher\u200b"
        db.session.commit()
    assert "publisher2（升级前为 Publisher&lt;U+200B&gt;）" in client_as("operator").get("/accounts/").text


@pytest.mark.parametrize("username", ["publisher", "reviewer"])
def test_an_account_without_organisation_or_province_gets_a_message_on_every_page(
    app: Flask, client_as: ClientAs, username: str
) -> None:
    """Old data: the operator could empty the field. Signing out and the password stay open."""
    emptied = update(Account).where(Account.username == username).values(organisation_id=None, province=None)
    with app.app_context(), engine_of_owner(app).begin() as connection:
        connection.execute(emptied)
    browser = client_as(username)
    for where in ("/", "/applications/", "/applications/new/", "/review/", "/filings/", "/exchange/"):
        answer = browser.get(where)
        assert answer.status_code == 403, where
        assert "您的账号没有指定所属单位或所属省份，暂时不能办理业务。请联系系统管理员补全" in answer.text
    assert browser.get("/applications/", headers={"X-Requested-With": "fetch"}).is_json
    assert browser.get("/password").status_code == 200
    assert browser.post("/logout").status_code == 303
