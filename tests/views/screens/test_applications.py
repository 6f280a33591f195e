"""备案证明申请 for the publisher: the blank form, 保存, 载体信息, 申报, and the read-only page afterwards."""

import re
from decimal import Decimal
from html import escape, unescape

import pytest
from flask import Flask
from sqlalchemy import text
from werkzeug.test import TestResponse

from models.acts import drafts
from models.vocabulary import Status
from tests.apps import engine_of_owner, without_triggers
from tests.browsing import ClientAs
from tests.cast import FIELDS
from tests.conftest import MakeApplication, StoredRows
from tests.views.ledger import ledger
from tests.views.pages import complaints, flashed, form_of
from tests.views.screens.saved_forms import opened, row, save

XHR = {"X-Requested-With": "XMLHttpRequest"}


def summary(page: str) -> dict[str, str]:
    """The list on top of the page: id of the field → sentence."""
    return {name: unescape(sentence) for name, sentence in re.findall(r'<li><a href="#([\w-]+)">(.*?)</a></li>', page)}


def created_id(answer: TestResponse) -> int:
    """The number of the draft that a saved blank form has become."""
    assert answer.status_code == 302, flashed(answer.text) + complaints(answer.text)
    return int(answer.location.rpartition("=")[2])


def test_a_blank_form_creates_nothing_until_it_is_saved(app: Flask, client_as: ClientAs) -> None:
    """手册 第一章: the menu opens the form; the grey boxes are filled, and an only publisher is chosen."""
    before = ledger(app)
    page = client_as("publisher").get("/applications/new/").text
    assert ledger(app) == before
    assert "江苏文艺音像出版社" in page
    assert form_of(page)["publisher_id"] != "__None"
    assert form_of(client_as("agent").get("/applications/new/").text)["publisher_id"] != "__None"


def test_an_incomplete_draft_can_be_saved(client_as: ClientAs, stored_rows: StoredRows) -> None:
    """手册 第一章·小提示: starred fields are required for 申报, not for 保存."""
    browser = client_as("publisher")
    key = created_id(browser.post("/applications/new/", data=form_of(browser.get("/applications/new/").text)))
    (record,) = stored_rows(key)["application"]
    assert (record["status"], record["title"], record["applied_on"]) == (Status.DRAFT, None, None)
    assert record["authority"] == "江苏省新闻出版局"
    assert save(browser, key, opened(browser, key) | {"title": " 黑胶唱片\0《茉莉花》 "}).status_code == 302
    assert stored_rows(key)["application"][0]["title"] == "黑胶唱片《茉莉花》"


def test_a_draft_beyond_the_limit_is_refused_and_the_form_keeps_its_text(
    app: Flask, client_as: ClientAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drafts, "MOST_DRAFTS", 0)
    browser, before = client_as("publisher"), ledger(app)
    typed = form_of(browser.get("/applications/new/").text) | {"title": "黑胶唱片《茉莉花》"}
    answer = browser.post("/applications/new/", data=typed)
    assert (answer.status_code, form_of(answer.text)["title"]) == (422, typed["title"])
    assert "贵单位已有 0 份草稿，请先申报或删除" in answer.text
    assert ledger(app) == before


def test_a_complete_form_is_saved_verbatim(client_as: ClientAs, stored_rows: StoredRows) -> None:
    browser = client_as("publisher")
    typed = form_of(browser.get("/applications/new/").text)
    typed |= {name: str(value) for name, value in FIELDS.items()}
    key = created_id(
        browser.post("/applications/new/", data=typed | row(0, kind="DVD", unit_price="12.50", currency="欧元"))
    )
    record = stored_rows(key)
    assert {name: record["application"][0][name] for name in FIELDS} == FIELDS
    (carrier,) = record["carrier"]
    assert (carrier["kind"], carrier["quantity"], carrier["unit"]) == ("DVD", Decimal(500), "010")
    assert (carrier["unit_price"], carrier["currency"]) == (Decimal("12.5"), "EUR")


@pytest.mark.slow
def test_a_mistake_is_saved_as_typed_and_marked(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """One bad cell does not stop a draft: correct cells are saved, a wrong one is shown with its message."""
    key, browser = make_application(carriers=2), client_as("publisher")
    typed = opened(browser, key) | row(2, name="<b>新的一行</b>", quantity="许多", unit="铢", note="附注")
    typed |= row(3, specification="  ", quantity="", unit="")  # into which nothing was typed
    typed |= {"title": "改过的“标题”", "hs_code": "85", "expected_on": "2027-02-30", "isbn": "9" * 30, "country": "XXX"}
    answer = save(browser, key, typed)
    assert (answer.status_code, answer.location) == (302, f"/applications/edit/?id={key}")
    page = browser.get(answer.location).text
    (found,) = flashed(page)
    assert re.fullmatch(r"已于 \d\d:\d\d 保存；有 6 处还需改正，见红字。", found)
    wrong = {
        "hs_code": "商品编码：请填写 8 位或 10 位数字。",
        "expected_on": "预计进口日期：没有这一天，请核对后按 2026-01-31 的格式填写日期。",
        "isbn": "ISBN：最多 20 字，现在 30 字。",
        "country": "国别（地区）：请从下拉列表中选择。",
        "carriers-2-quantity": "第 3 行 进口数量：请只填写数字，例如 1000 或 12.5。",
        "carriers-2-unit": "第 3 行 单位：“铢”不在代码表中，请从下拉列表中选择。",
    }
    assert summary(page) == wrong
    assert sorted(complaints(page)) == sorted(sentence.partition("：")[2] for sentence in wrong.values())
    for name in wrong:
        (control,) = re.findall(rf'<[^>]*\bname="{name}"[^>]*>', page)
        assert 'aria-invalid="true"' in control and f'aria-describedby="{name}-note"' in control
        assert f'id="{name}-note"' in page
    again = form_of(page)
    lost = {name: value for name, value in typed.items() if again.get(name) != value}
    assert {name for name, value in lost.items() if value.strip()} == {
        "country",
        "version",
        "last_entry",
        "page_key",
    }  # no such code
    record = stored_rows(key)
    stored = record["application"][0]
    assert {name: stored[name] for name in ("title", "hs_code", "expected_on", "isbn", "country")} == {
        "title": "改过的“标题”", "hs_code": None, "expected_on": None, "isbn": None, "country": None,
    }  # fmt: skip
    assert (record["carrier"][2]["name"], record["carrier"][2]["quantity"]) == ("<b>新的一行</b>", None)
    assert all(text not in str(record["trail_entry"]) for text in ("许多", "铢", "2027-02-30"))
    assert not {"unread"} & set(record["trail_entry"][-1]["changes"])


@pytest.mark.slow
def test_a_marked_mistake_prevents_submission_until_corrected(
    app: Flask, client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """From the form and from the list: 申报 names each wrong cell; once corrected, no message remains."""
    key, browser = make_application(), client_as("publisher")
    wrong = {"hs_code": "12", "carriers-0-quantity": "abc", "carriers-0-unit": ""}
    assert save(browser, key, opened(browser, key) | wrong).status_code == 302
    for send in (
        lambda: save(browser, key, opened(browser, key) | {"_submit": "1"}),
        lambda: browser.post("/applications/submit/", data={"id": key}),
    ):
        answer = send()
        assert answer.location == f"/applications/edit/?id={key}&check=1"
        page = browser.get(answer.location).text
        assert flashed(page) == ["还有 3 项没有完成，暂不能申报。"]
        assert summary(page) == {
            "hs_code": "商品编码：请填写 8 位或 10 位数字。",
            "carriers-0-quantity": "第 1 行 进口数量：请只填写数字，例如 1000 或 12.5。",
            "carriers-0-unit": "第 1 行 单位：必填。",
        }
    assert stored_rows(key)["application"][0]["status"] == Status.DRAFT
    right = {"hs_code": "8523499030", "carriers-0-quantity": "500", "carriers-0-unit": "010"}
    answer = save(browser, key, opened(browser, key) | right | {"_submit": "1"})
    assert answer.location == f"/applications/details/?id={key}"
    record = stored_rows(key)
    assert (record["application"][0]["unread"], record["carrier"][0]["unread"]) == (None, None)


def test_a_quiet_save_returns_the_ids_of_draft_and_rows(client_as: ClientAs, stored_rows: StoredRows) -> None:
    """Before the first file of a blank form: the page stays open, so it needs the ids of its draft and rows."""
    browser = client_as("publisher")
    form = form_of(browser.get("/applications/new/").text) | {"title": "先写名称", "_quiet": "1"}
    blank = row(0, specification="", quantity="", unit="")
    draft = browser.post("/applications/new/", data=form | blank | row(1), headers=XHR).json
    record = stored_rows(draft["id"])
    assert draft["carriers"] == {"carriers-1": record["carrier"][0]["id"]}
    assert (draft["number"], draft["version"]) == (
        record["application"][0]["number"],
        record["application"][0]["version"],
    )
    again = form | {"version": draft["version"], "hs_code": "8523499030"} | row(1, id=draft["carriers"]["carriers-1"])
    assert save(browser, draft["id"], again | {"_quiet": "1"}).status_code == 200
    assert len(stored_rows(draft["id"])["carrier"]) == 1
    assert flashed(browser.get(draft["edit"]).text) == []


@pytest.mark.parametrize(("field", "value", "told"), [
    ("publisher_id", "99", "出版单位：请从下拉列表中选择。"),
    ("summary", "字" * 4001, "内容简介：现在 4001 字，超过 4000 字的不能暂存，请删减后再保存。"),
    ("carriers-1-note", "字" * 4001, "第 1 行 备注：现在 4001 字，超过 4000 字的不能暂存，请删减后再保存。"),
])  # fmt: skip
def test_a_quiet_save_tells_what_prevents_a_draft(client_as: ClientAs, field: str, value: str, told: str) -> None:
    """And not that the 商品编码 is wrong, with which a draft is saved."""
    browser = client_as("publisher")
    form = form_of(browser.get("/applications/new/").text) | {"hs_code": "12", "_quiet": "1"} | row(1)
    answer = browser.post("/applications/new/", data=form | {field: value}, headers=XHR)
    assert (answer.status_code, answer.json) == (409, {"message": told})


def test_text_of_others_is_escaped_in_the_page(client_as: ClientAs, make_application: MakeApplication) -> None:
    """AC6: text returned to a form after a mistake is escaped as well."""
    key, browser = make_application(), client_as("publisher")
    evil = "\"><script>alert(1)</script>'"
    typed = opened(browser, key) | {"title": evil, "hs_code": evil, "expected_on": evil, "carriers-0-quantity": evil}
    page = save(browser, key, typed | {"carriers-0-unit": evil, "publisher_id": evil, "summary": evil}).text
    assert "<script>alert" not in page
    assert page.count(escape("<script>alert(1)</script>")) >= 5


@pytest.mark.slow
@pytest.mark.parametrize("typed", ["٨٥٢٣٤٩٩٠٣٠", "⁸⁵²³⁴⁹⁹⁰", "8523499.0", "85234990305", "8,523,499,030", "8.52E+09"])
def test_a_commodity_code_has_ascii_digits_only(
    client_as: ClientAs, make_application: MakeApplication, typed: str
) -> None:
    """Customs and the certificate accept 0–9 only. Refused text stays in the field."""
    key, browser = make_application(), client_as("publisher")
    page = browser.get(save(browser, key, opened(browser, key) | {"hs_code": typed}).location).text
    assert complaints(page) == ["请填写 8 位或 10 位数字。"]
    assert form_of(page)["hs_code"] == typed


@pytest.mark.slow
@pytest.mark.parametrize("field", ["title", "summary", "hs_code", "expected_on", "carriers-0-quantity"])
def test_invalid_input_is_stored_up_to_a_length_and_refused_beyond(
    app: Flask, client_as: ClientAs, make_application: MakeApplication, field: str
) -> None:
    """4,000 characters a cell: a longer text is neither cut nor lost: nothing is saved, and the page shows it."""
    key, browser = make_application(), client_as("publisher")
    form, before = opened(browser, key), ledger(app)
    answer = save(browser, key, form | {field: "长" * 4001})
    assert answer.status_code == 422
    assert complaints(answer.text) == ["现在 4001 字，超过 4000 字的不能暂存，请删减后再保存。"]
    assert form_of(answer.text)[field] == "长" * 4001
    assert ledger(app) == before
    assert save(browser, key, form | {field: "长" * 4000}).status_code == 302
    assert opened(browser, key)[field] == "长" * 4000


def test_a_draft_whose_trail_is_lost_can_still_be_edited(
    app: Flask, client_as: ClientAs, make_application: MakeApplication
) -> None:
    key = make_application()
    with app.app_context(), engine_of_owner(app).begin() as connection, without_triggers(connection):
        connection.execute(text("DELETE FROM trail_entry WHERE application_id = :key"), {"key": key})
    browser = client_as("publisher")
    assert save(browser, key, opened(browser, key) | {"title": "改过的名称"}).status_code == 302
