"""系统管理: accounts, organisations, entrustments and the table of customs districts; and no application anywhere."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from models import clock
from models.database import db
from models.people.accounts import Account, Organisation
from models.people.sessions import Visit
from tests.cast import PASSWORD
from tests.conftest import Acting, Browser, Making
from tests.views.ledger import ledger
from tests.views.pages import complaints, form_of, said

As = Callable[[str | None], Browser]
LAWFUL = "91110000600037341L"  # GB 32100-2015, worked in domain.md
MINE = "mine-2026-x"


def fill(browser: Browser, where: str, **fields: object) -> TestResponse:
    """The form at this address, with some fields filled in, sent."""
    form = form_of(browser.get(where).text, "card-box")
    return browser.post(where, data=form | {name: str(value) for name, value in fields.items()})


def one_time(page: str) -> str:
    """The password that the page shows once."""
    (told,) = re.findall(r"的一次性密码：(\S+)（只显示这一次，首次登录须修改）", page)
    return told


def signed_in(as_: As, username: str, password: str) -> Browser:
    """A browser that has come in through the front door."""
    browser = as_(None)
    assert browser.post("/login", data={"username": username, "password": password}).status_code == 303
    return browser


def test_a_new_account_gets_a_password_shown_once_and_must_change_it(app: Flask, as_: As) -> None:
    """The operator never knows the password that is used afterwards; the database never knows one at all."""
    operator = as_("operator")
    answer = fill(operator, "/accounts/new/", username="newcomer", name="钱多", role="reviewer", province="330000")
    assert answer.status_code == 302
    page = operator.get(answer.location).text
    password = one_time(page)
    assert password not in operator.get("/accounts/").text
    newcomer = signed_in(as_, "newcomer", password)
    assert newcomer.get("/review/").location == "/password"
    assert newcomer.post("/review/grant/", data={"id": 1}).location == "/password"
    changed = newcomer.post("/password", data={"current": password, "new": MINE, "repeat": MINE})
    assert changed.status_code == 303
    assert newcomer.get("/review/").status_code == 200
    assert password not in str(ledger(app))
    assert MINE not in str(ledger(app))


def test_a_reset_password_ends_every_visit(as_: As, cast: SimpleNamespace) -> None:
    operator, inside = as_("operator"), as_("publisher")
    assert inside.get("/applications/").status_code == 200
    answer = operator.post("/accounts/reset/", data={"id": cast.publisher}, follow_redirects=True)
    password = one_time(answer.text)
    assert inside.get("/applications/").location.startswith("/login")
    assert as_(None).post("/login", data={"username": "publisher", "password": PASSWORD}).status_code == 401
    assert signed_in(as_, "publisher", password).get("/applications/").location == "/password"


def test_a_one_time_password_is_in_no_cookie_and_in_no_row(app: Flask, as_: As, cast: SimpleNamespace) -> None:
    """26: a flashed message lies readable in the session's cookie, and in every copy of it."""
    operator = as_("operator")
    steps = [
        fill(operator, "/accounts/new/", username="newcomer", name="钱多", role="national"),
        operator.post("/accounts/reset/", data={"id": cast.publisher}),
        operator.get("/password"),  # a page in between takes nothing away
    ]
    with app.app_context(), db.engine.connect() as connection:
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
    assert signed_in(as_, "publisher", passwords[1])


def test_a_note_that_nobody_has_the_key_of_is_no_error(app: Flask, as_: As, cast: SimpleNamespace) -> None:
    """The answer that carried the key was lost: the password is reset again."""
    operator = as_("operator")
    operator.post("/accounts/reset/", data={"id": cast.publisher})
    with operator.session_transaction() as session:
        session["note_key"] = "of another tab"
    assert "一次性密码" not in operator.get("/accounts/").text
    operator.post("/accounts/reset/", data={"id": cast.publisher})
    assert "一次性密码" in operator.get("/accounts/").text


@pytest.mark.slow
def test_a_disabled_account_is_out_at_once_and_stays_out(as_: As, cast: SimpleNamespace) -> None:
    """AD9: disabled, never deleted; and nobody saws off the branch they sit on."""
    operator, inside = as_("operator"), as_("reviewer")
    form = form_of(operator.get(f"/accounts/edit/?id={cast.reviewer}").text, "card-box")
    del form["active"]
    assert operator.post(f"/accounts/edit/?id={cast.reviewer}", data=form).status_code == 302
    assert inside.get("/review/").location.startswith("/login")
    assert as_(None).post("/login", data={"username": "reviewer", "password": PASSWORD}).status_code == 401
    own = form_of(operator.get(f"/accounts/edit/?id={cast.operator}").text, "card-box")
    del own["active"]
    answer = operator.post(f"/accounts/edit/?id={cast.operator}", data=own)
    assert (answer.status_code, said(answer.text)) == (422, ["不能停用自己的账号，请由另一位系统管理员办理。"])
    assert operator.get("/accounts/").status_code == 200
    assert fill(operator, f"/accounts/edit/?id={cast.reviewer}", active="y").status_code == 302
    assert signed_in(as_, "reviewer", PASSWORD).get("/review/").status_code == 200


def test_what_an_account_is_for_is_said_once(as_: As, acting: Acting, cast: SimpleNamespace) -> None:
    """The user name and the role stand in the trail of every act: they are no field of the edit form."""
    answer = fill(
        as_("operator"), f"/accounts/edit/?id={cast.publisher}",
        name="王小敏", username="other", role="operator", password_hash="x", must_change="y", id="99",
    )  # fmt: skip
    assert answer.status_code == 302
    with acting("publisher") as account:
        assert (account.name, account.username, account.role) == ("王小敏", "publisher", "publisher")
        assert account.has_password(PASSWORD)
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
def test_an_account_that_cannot_be_is_refused_with_sentences(app: Flask, as_: As) -> None:
    """A user name that is taken is a sentence, not a failure; so is everything else."""
    operator, before = as_("operator"), ledger(app)
    for fields, under_fields, at_the_top in WRONG_ACCOUNTS:
        answer = fill(operator, "/accounts/new/", **fields)
        assert (answer.status_code, complaints(answer.text)) == (422, under_fields), fields
        assert said(answer.text) == (at_the_top or ["没有保存，请按红字提示改正后再保存。"])
        assert form_of(answer.text, "card-box")["name"] == fields.get("name", "").strip("\0 ")
    assert ledger(app) == before


SHAPE_OF_A_CODE = "统一社会信用代码为 18 位数字和大写字母（不用 I、O、S、V、Z），请对照证照核对。"
WRONG_UNITS = [
    ({}, ["必填。"] * 4),
    ({"credit_code": "12320000466000101W"}, ["已经存在。"]),
    ({"credit_code": " 12320000466000101w "}, ["已经存在。"]),
    ({"credit_code": "１２３２００００ 466000101-w\u200b"}, ["已经存在。"]),
    ({"credit_code": "12320000466000101X"}, ["校验位与前 17 位不符，请对照证照核对；证照确实如此的，请勾选后再保存。"]),
    ({"credit_code": "91110000600037341I"}, [SHAPE_OF_A_CODE]),
    ({"credit_code": "9111"}, [SHAPE_OF_A_CODE]),
    ({"credit_code": "91110000600037341LL"}, [SHAPE_OF_A_CODE]),
    ({"name": " "}, ["必填。"]),
    ({"trade": "__None"}, ["必填。"]),
    ({"trade": "bank"}, ["必填。"]),
    ({"province": "__None"}, ["必填。"]),
    ({"province": "江苏"}, ["请从下拉列表中选择。"]),
    ({"name": "长" * 101}, ["最多 100 字，现在 101 字。"]),
]


@pytest.mark.slow
def test_an_organisation_needs_a_lawful_code_of_its_own(app: Flask, as_: As, acting: Acting) -> None:
    """GB 32100-2015: a code that cannot be, or that another unit has in other letters, is refused."""
    operator, before = as_("operator"), ledger(app)
    good = {"credit_code": LAWFUL.lower(), "name": "北京音像出版社", "trade": "publisher", "province": "110000"}
    for fields, expected in WRONG_UNITS:
        answer = fill(operator, "/organisations/new/", **(good | fields if fields else {}))
        assert (answer.status_code, complaints(answer.text)) == (422, expected), fields
    assert ledger(app) == before
    assert fill(operator, "/organisations/new/", **good).status_code == 302
    with acting("operator"):
        press = db.session.scalars(select(Organisation).filter_by(credit_code=LAWFUL)).one()
        assert (press.name, press.trade, press.province, press.active) == (
            "北京音像出版社",
            "publisher",
            "110000",
            True,
        )
        key = press.id
    listed = operator.get("/organisations/", query_string={"credit_code": LAWFUL[:6].lower()}).text
    assert "北京音像出版社" in listed
    assert "北京市" in listed
    assert fill(operator, f"/organisations/edit/?id={key}", name="北京声像出版社").status_code == 302
    assert "北京声像出版社" in operator.get("/organisations/").text


@pytest.mark.slow
def test_the_people_of_a_disabled_organisation_are_out(as_: As, acting: Acting) -> None:
    operator, inside = as_("operator"), as_("publisher")
    with acting("publisher") as account:
        key = account.organisation_id
    form = form_of(operator.get(f"/organisations/edit/?id={key}").text, "card-box")
    del form["active"]
    assert operator.post(f"/organisations/edit/?id={key}", data=form).status_code == 302
    assert inside.get("/applications/").location.startswith("/login")
    assert as_(None).post("/login", data={"username": "publisher", "password": PASSWORD}).status_code == 401
    assert "江苏文艺音像出版社</option>" not in as_("agent").get("/applications/new/").text


@pytest.mark.slow
def test_an_entrustment_is_between_a_press_and_another_unit_and_has_an_end(app: Flask, as_: As, acting: Acting) -> None:
    operator, before = as_("operator"), ledger(app)
    with acting("operator"):
        press, other, unit = db.session.scalars(select(Organisation.id).order_by(Organisation.id))
    day = clock.today()
    good = {"publisher": other, "agent": unit, "since": day, "until": day + timedelta(days=1)}
    for fields, under_fields, at_the_top in [
        ({"publisher": unit, "agent": press}, [], "委托方须为出版单位。"),
        ({"publisher": press, "agent": press}, [], "委托方与受托方不能是同一单位。"),
        ({"until": day - timedelta(days=1)}, [], "终止日期不能早于起始日期。"),
        ({"since": "", "until": ""}, ["必填。"] * 2, ""),
        ({"since": "31/12/2026"}, ["请按 2026-01-31 的格式填写日期。"], ""),
        ({"publisher": "", "agent": ""}, ["必填。"] * 2, ""),
        ({"publisher": "99"}, ["请从下拉列表中选择。"], ""),
    ]:
        answer = fill(operator, "/entrustments/new/", **(good | fields))
        assert (answer.status_code, complaints(answer.text)) == (422, under_fields), fields
        assert said(answer.text) == [at_the_top or "没有保存，请按红字提示改正后再保存。"]
    assert ledger(app) == before
    assert "江苏电子音像出版社</option>" not in as_("agent").get("/applications/new/").text
    assert fill(operator, "/entrustments/new/", **good).status_code == 302
    assert "江苏电子音像出版社</option>" in as_("agent").get("/applications/new/").text


def test_units_are_looked_up_as_you_type(as_: As) -> None:
    """What comes in the address is clamped, and % and _ ask for nothing."""
    operator = as_("operator")
    for query, count in (("", 3), ("江苏", 2), ("0303F", 1), ("%", 3), ("_", 3), ("\0", 3), ("没有", 0)):
        answer = operator.get("/accounts/ajax/lookup/", query_string={"name": "organisation", "query": query})
        assert len(answer.json) == count, query
    answer = operator.get("/accounts/ajax/lookup/?name=organisation&limit=-1&offset=-9")
    assert answer.json == [[1, "12320000466000101W-江苏文艺音像出版社"]]


@pytest.mark.slow
def test_the_operator_sees_no_application_anywhere(as_: As, make_application: Making) -> None:
    """Design 2.6: administration and decision are separate duties."""
    key = make_application(status="filed", title="机密标题")
    operator = as_("operator")
    menu = operator.get("/accounts/").text
    assert re.findall(r'<li><a href="(/\w+/)"', menu) == [
        "/desk/",
        "/accounts/",
        "/organisations/",
        "/entrustments/",
        "/announcements/",
        "/blanks/",
        "/districts/",
        "/calendar/",
        "/traffic/",
        "/condition/",
        "/online/",
        "/signins/",
        "/operations/",
        "/prints/",
        "/handbook/",
    ]
    for screen in ("applications", "review", "filings", "exchange", "register"):
        for place in ("", f"details/?id={key}", "export/csv/"):
            assert operator.get(f"/{screen}/{place}").status_code == 403
    as_("reviewer").get("/filings/export/csv/?title=机密标题")
    for screen in (
        "accounts", "organisations", "entrustments", "districts", "traffic", "signins", "operations", "prints",
        "condition",
    ):  # fmt: skip
        page = operator.get(f"/{screen}/").text
        assert "机密标题" not in page
        assert "SQ20" not in page


def test_accounts_are_found_by_name_and_role(as_: As, acting: Acting) -> None:
    operator = as_("operator")
    with acting("operator"):
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


def test_the_same_account_entered_twice_at_once_is_made_once(as_: As) -> None:
    """A double click, or two colleagues: one makes it, the other reads a sentence."""
    operators = [as_("operator") for _ in range(4)]
    with ThreadPoolExecutor(len(operators)) as at_once:
        answers = list(
            at_once.map(lambda who: fill(who, "/accounts/new/", username="twin", name="孪", role="national"), operators)
        )
    assert sorted(answer.status_code for answer in answers) == [302, 422, 422, 422]
    told = [said(answer.text) + complaints(answer.text) for answer in answers if answer.status_code == 422]
    assert all(words[0].startswith(("相同的内容刚刚已经登记", "没有保存")) for words in told)


def test_ones_own_password_is_not_reset_but_changed(app: Flask, as_: As, cast: SimpleNamespace) -> None:
    """The one-time password would be shown on the login page to whoever looks at the screen next."""
    operator, before = as_("operator"), ledger(app)
    answer = operator.post("/accounts/reset/", data={"id": cast.operator}, follow_redirects=True)
    assert said(answer.text) == ["自己的密码请点击右上角“修改密码”更换。"]
    assert ledger(app) == before


def test_the_operator_sees_whom_the_upgrade_renamed(as_: As, acting: Acting, cast: SimpleNamespace) -> None:
    with acting("operator"):
        db.session.get(Account, cast.publisher2).former_username = "Publisher\u200b"
        db.session.commit()
    assert "publisher2（升级前为 Publisher&lt;U+200B&gt;）" in as_("operator").get("/accounts/").text


ISSUED_SO = "12320000466000101X"  # shape right, check sign wrong


def test_a_code_with_a_wrong_check_sign_is_registered_once_it_is_confirmed(as_: As, acting: Acting) -> None:
    """Some units were issued such codes. The tick is asked for only then, and the list marks what was confirmed."""
    operator = as_("operator")
    assert "confirmed" not in operator.get("/organisations/new/").text
    unit = {"credit_code": " 1232 0000 466000101x", "name": "某音像出版社", "trade": "publisher", "province": "320000"}
    answer = fill(operator, "/organisations/new/", **unit)
    assert answer.status_code == 422
    assert "校验位不符仍登记" in answer.text
    assert form_of(answer.text, "card-box")["name"] == "某音像出版社"
    assert fill(operator, "/organisations/new/", **unit, confirmed="y").status_code == 302
    with acting("operator"):
        key = db.session.scalars(select(Organisation.id).filter_by(credit_code=ISSUED_SO)).one()
    listed = operator.get("/organisations/").text
    assert listed.count("校验位不符") == 1
    assert f'{ISSUED_SO} <span class="badge badge-warning">校验位不符</span>' in listed
    assert fill(operator, f"/organisations/edit/?id={key}", name="某声像出版社").status_code == 302
    assert fill(operator, f"/organisations/edit/?id={key}", credit_code=LAWFUL[:-1] + "X").status_code == 422


def edited(operator: Browser, where: str, **fields: object) -> tuple[int, list[str]]:
    """What the form at this address answers: its status and every sentence but the general one."""
    answer = fill(operator, where, **fields)
    general = "没有保存，请按红字提示改正后再保存。"
    return answer.status_code, [words for words in said(answer.text) if words != general] + complaints(answer.text)


@pytest.mark.slow
def test_an_edit_is_judged_like_a_new_entry(
    app: Flask, as_: As, acting: Acting, cast: SimpleNamespace, make_application: Making
) -> None:
    """Emptied or made to contradict itself, nothing is saved; it is told by a sentence, and nobody is locked out."""
    make_application()
    operator = as_("operator")
    with acting("operator"):
        press, other, unit = db.session.scalars(select(Organisation.id).order_by(Organisation.id))
        db.session.get(Organisation, other).active = False
        db.session.commit()
    before = ledger(app)
    account, reviewer = f"/accounts/edit/?id={cast.publisher}", f"/accounts/edit/?id={cast.reviewer}"
    trust, house = "/entrustments/edit/?id=1", f"/organisations/edit/?id={press}"
    disabled = "该单位已停用，请选择其他单位，或先在“单位”中启用。"
    for where, fields, sentence in [
        (account, {"organisation": ""}, "出版单位账号须选择所属单位。"),
        (account, {"organisation": "99"}, "请从下拉列表中选择。"),
        (account, {"organisation": other}, disabled),
        (account, {"name": "\u3000"}, "必填。"),
        (reviewer, {"province": "__None"}, "省级审核账号须选择所属省份。"),
        (trust, {"publisher": ""}, "必填。"),
        (trust, {"agent": ""}, "必填。"),
        (trust, {"publisher": unit}, "委托方须为出版单位。"),
        (trust, {"agent": press}, "委托方与受托方不能是同一单位。"),
        (trust, {"agent": other}, disabled),
        (trust, {"until": "2019-12-31"}, "终止日期不能早于起始日期。"),
        (trust, {"until": ""}, "必填。"),
        (house, {"trade": "agent"}, "已有以该单位为出版单位的申请，单位类型不能更改；不再办理业务的，请取消“启用”。"),
        (house, {"trade": "__None"}, "必填。"),
        (house, {"province": "__None"}, "必填。"),
        (house, {"name": ""}, "必填。"),
    ]:
        assert edited(operator, where, **fields) == (422, [sentence]), (where, fields)
    assert ledger(app) == before
    assert as_("publisher").get("/applications/new/").status_code == 200


def test_a_press_that_entrusts_somebody_stays_a_press(app: Flask, as_: As, acting: Acting) -> None:
    """Until the entrustment has ended; a unit that is no press may become one."""
    operator = as_("operator")
    with acting("operator"):
        press, _other, unit = db.session.scalars(select(Organisation.id).order_by(Organisation.id))
    sentence = "该单位作为出版单位的委托尚未到期，请先在“委托”中修改终止日期，再更改单位类型。"
    assert edited(operator, f"/organisations/edit/?id={press}", trade="agent") == (422, [sentence])
    assert fill(operator, "/entrustments/edit/?id=1", until="2020-12-31").status_code == 302
    assert fill(operator, f"/organisations/edit/?id={press}", trade="agent").status_code == 302
    assert fill(operator, f"/organisations/edit/?id={unit}", trade="publisher").status_code == 302


def test_who_belongs_to_a_disabled_unit_can_still_be_edited(as_: As, acting: Acting, cast: SimpleNamespace) -> None:
    with acting("operator"):
        db.session.get(Account, cast.publisher).organisation.active = False
        db.session.commit()
    assert fill(as_("operator"), f"/accounts/edit/?id={cast.publisher}", name="王小敏").status_code == 302


@pytest.mark.parametrize("username", ["publisher", "reviewer"])
def test_an_account_without_what_its_role_needs_reads_a_sentence_on_every_page(
    app: Flask, as_: As, acting: Acting, username: str
) -> None:
    """Old data: the operator could empty the field. Signing out and the password stay open."""
    with acting(username) as account:
        account.organisation = account.province = None
        db.session.commit()
    browser = as_(username)
    for where in ("/", "/applications/", "/applications/new/", "/review/", "/filings/", "/exchange/"):
        answer = browser.get(where)
        assert answer.status_code == 403, where
        assert "您的账号没有指定所属单位或所属省份，暂时不能办理业务。请联系系统管理员补全" in answer.text
    assert browser.get("/applications/", headers={"X-Requested-With": "fetch"}).is_json
    assert browser.get("/password").status_code == 200
    assert browser.post("/logout").status_code == 303
