"""单位 and 委托, edited by the operator."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from flask import Flask
from sqlalchemy import select

from models import clock
from models.database import db
from models.people.accounts import Account, Organisation
from tests.browsing import Browser, ClientAs
from tests.cast import PASSWORD
from tests.conftest import ActAs, MakeApplication
from tests.views.ledger import ledger
from tests.views.pages import complaints, flashed, form_of
from tests.views.screens.filled_forms import fill

LAWFUL = "91110000600037341L"  # GB 32100-2015, worked in domain.md


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
def test_an_organisation_needs_a_valid_unique_credit_code(app: Flask, client_as: ClientAs, act_as: ActAs) -> None:
    """GB 32100-2015: a code that cannot be, or that another unit has in other letters, is refused."""
    operator, before = client_as("operator"), ledger(app)
    good = {"credit_code": LAWFUL.lower(), "name": "北京音像出版社", "trade": "publisher", "province": "110000"}
    for fields, expected in WRONG_UNITS:
        answer = fill(operator, "/organisations/new/", **(good | fields if fields else {}))
        assert (answer.status_code, complaints(answer.text)) == (422, expected), fields
    assert ledger(app) == before
    assert fill(operator, "/organisations/new/", **good).status_code == 302
    with act_as("operator"):
        publisher = db.session.scalars(select(Organisation).filter_by(credit_code=LAWFUL)).one()
        assert (publisher.name, publisher.trade, publisher.province, publisher.active) == (
            "北京音像出版社",
            "publisher",
            "110000",
            True,
        )
        key = publisher.id
    listed = operator.get("/organisations/", query_string={"credit_code": LAWFUL[:6].lower()}).text
    assert "北京音像出版社" in listed
    assert "北京市" in listed
    assert fill(operator, f"/organisations/edit/?id={key}", name="北京声像出版社").status_code == 302
    assert "北京声像出版社" in operator.get("/organisations/").text


@pytest.mark.slow
def test_accounts_of_a_disabled_organisation_are_signed_out(client_as: ClientAs, act_as: ActAs) -> None:
    operator, inside = client_as("operator"), client_as("publisher")
    with act_as("publisher") as account:
        key = account.organisation_id
    form = form_of(operator.get(f"/organisations/edit/?id={key}").text, "card-box")
    del form["active"]
    assert operator.post(f"/organisations/edit/?id={key}", data=form).status_code == 302
    assert inside.get("/applications/").location.startswith("/login")
    assert client_as(None).post("/login", data={"username": "publisher", "password": PASSWORD}).status_code == 401
    assert "江苏文艺音像出版社</option>" not in client_as("agent").get("/applications/new/").text


@pytest.mark.slow
def test_an_entrustment_needs_a_publisher_another_unit_and_an_end(
    app: Flask, client_as: ClientAs, act_as: ActAs
) -> None:
    operator, before = client_as("operator"), ledger(app)
    with act_as("operator"):
        publisher, other, unit = db.session.scalars(select(Organisation.id).order_by(Organisation.id))
    day = clock.today()
    good = {"publisher": other, "agent": unit, "since": day, "until": day + timedelta(days=1)}
    for fields, under_fields in [
        ({"publisher": unit, "agent": publisher}, ["委托方须为出版单位。"]),
        ({"publisher": publisher, "agent": publisher}, ["委托方与受托方不能是同一单位。"]),
        ({"until": day - timedelta(days=1)}, ["终止日期不能早于起始日期。"]),
        ({"since": "", "until": ""}, ["必填。"] * 2),
        ({"since": "31/12/2026"}, ["请按 2026-01-31 的格式填写日期。"]),
        ({"publisher": "", "agent": ""}, ["必填。"] * 2),
        ({"publisher": "99"}, ["请从下拉列表中选择。"]),
    ]:
        answer = fill(operator, "/entrustments/new/", **(good | fields))
        assert (answer.status_code, complaints(answer.text)) == (422, under_fields), fields
        assert flashed(answer.text) == ["没有保存，请按红字提示改正后再保存。"]
    assert ledger(app) == before
    assert "江苏电子音像出版社</option>" not in client_as("agent").get("/applications/new/").text
    assert fill(operator, "/entrustments/new/", **good).status_code == 302
    assert "江苏电子音像出版社</option>" in client_as("agent").get("/applications/new/").text


def test_units_are_searched_while_typing(client_as: ClientAs) -> None:
    """Parameters of the address are limited, and % and _ are no wildcards."""
    operator = client_as("operator")
    for query, count in (("", 3), ("江苏", 2), ("0303F", 1), ("%", 3), ("_", 3), ("\0", 3), ("没有", 0)):
        answer = operator.get("/accounts/ajax/lookup/", query_string={"name": "organisation", "query": query})
        assert len(answer.json) == count, query
    answer = operator.get("/accounts/ajax/lookup/?name=organisation&limit=-1&offset=-9")
    assert answer.json == [[1, "12320000466000101W-江苏文艺音像出版社"]]


ISSUED_SO = "12320000466000101X"  # shape right, check sign wrong


def test_a_code_with_a_wrong_check_sign_is_registered_once_it_is_confirmed(client_as: ClientAs, act_as: ActAs) -> None:
    """Some units were issued such codes. Only then a confirmation is requested, and the list marks them."""
    operator = client_as("operator")
    assert "confirmed" not in operator.get("/organisations/new/").text
    unit = {"credit_code": " 1232 0000 466000101x", "name": "某音像出版社", "trade": "publisher", "province": "320000"}
    answer = fill(operator, "/organisations/new/", **unit)
    assert answer.status_code == 422
    assert "校验位不符仍登记" in answer.text
    assert form_of(answer.text, "card-box")["name"] == "某音像出版社"
    assert fill(operator, "/organisations/new/", **unit, confirmed="y").status_code == 302
    with act_as("operator"):
        key = db.session.scalars(select(Organisation.id).filter_by(credit_code=ISSUED_SO)).one()
    listed = operator.get("/organisations/").text
    assert listed.count("校验位不符") == 1
    assert f'{ISSUED_SO} <span class="badge badge-warning">校验位不符</span>' in listed
    assert fill(operator, f"/organisations/edit/?id={key}", name="某 ABC 声像出版社").status_code == 302
    assert ISSUED_SO in operator.get("/organisations/?name=abc").text
    assert fill(operator, f"/organisations/edit/?id={key}", credit_code=LAWFUL[:-1] + "X").status_code == 422


def edited(operator: Browser, where: str, **fields: object) -> tuple[int, list[str]]:
    """The status of the form's answer at this address, and every message but the general one."""
    answer = fill(operator, where, **fields)
    general = "没有保存，请按红字提示改正后再保存。"
    return answer.status_code, [words for words in flashed(answer.text) if words != general] + complaints(answer.text)


@pytest.mark.slow
def test_an_edited_organisation_is_validated_like_a_new_one(
    app: Flask, client_as: ClientAs, act_as: ActAs, cast: SimpleNamespace, make_application: MakeApplication
) -> None:
    """Emptied or contradictory, nothing is saved; a message says why, and no account is locked out."""
    make_application()
    operator = client_as("operator")
    with act_as("operator"):
        publisher, other, unit = db.session.scalars(select(Organisation.id).order_by(Organisation.id))
        db.session.get(Organisation, other).active = False
        db.session.commit()
    before = ledger(app)
    account, reviewer = f"/accounts/edit/?id={cast.publisher}", f"/accounts/edit/?id={cast.reviewer}"
    trust, organisation_form = "/entrustments/edit/?id=1", f"/organisations/edit/?id={publisher}"
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
        (trust, {"agent": publisher}, "委托方与受托方不能是同一单位。"),
        (trust, {"agent": other}, disabled),
        (trust, {"until": "2019-12-31"}, "终止日期不能早于起始日期。"),
        (trust, {"until": ""}, "必填。"),
        (
            organisation_form,
            {"trade": "agent"},
            "已有以该单位为出版单位的申请，单位类型不能更改；不再办理业务的，请取消“启用”。",
        ),
        (organisation_form, {"trade": "__None"}, "必填。"),
        (organisation_form, {"province": "__None"}, "必填。"),
        (organisation_form, {"name": ""}, "必填。"),
    ]:
        assert edited(operator, where, **fields) == (422, [sentence]), (where, fields)
    assert ledger(app) == before
    assert client_as("publisher").get("/applications/new/").status_code == 200


def test_the_trade_of_an_entrusting_publisher_cannot_be_changed(app: Flask, client_as: ClientAs, act_as: ActAs) -> None:
    """Until the entrustment has ended; an agent may become a publisher."""
    operator = client_as("operator")
    with act_as("operator"):
        publisher, _other, unit = db.session.scalars(select(Organisation.id).order_by(Organisation.id))
    sentence = "该单位作为出版单位的委托尚未到期，请先在“委托”中修改终止日期，再更改单位类型。"
    assert edited(operator, f"/organisations/edit/?id={publisher}", trade="agent") == (422, [sentence])
    assert fill(operator, "/entrustments/edit/?id=1", until="2020-12-31").status_code == 302
    assert fill(operator, f"/organisations/edit/?id={publisher}", trade="agent").status_code == 302
    assert fill(operator, f"/organisations/edit/?id={unit}", trade="publisher").status_code == 302


def test_an_account_of_a_disabled_unit_can_be_edited(client_as: ClientAs, act_as: ActAs, cast: SimpleNamespace) -> None:
    with act_as("operator"):
        db.session.get(Account, cast.publisher).organisation.active = False
        db.session.commit()
    assert fill(client_as("operator"), f"/accounts/edit/?id={cast.publisher}", name="王小敏").status_code == 302
