"""载体信息 in the form: rows are added, edited and deleted in place."""

import json
import re
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import select

from models import access
from models.application import Application, totals
from models.codes import code_of
from models.text import is_blank
from tests.browsing import ClientAs
from tests.conftest import MakeApplication, StoredRows
from tests.views.ledger import ledger
from tests.views.pages import complaints, flashed, form_of
from tests.views.screens.saved_forms import opened, row, save
from tests.views.screens.uploaded import XHR


@pytest.mark.slow
def test_one_save_stores_three_hundred_and_six_hundred_rows(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """Flask's own limit of 1000 parts would answer 413 to a hundred rows, and lose them all.

    No empty value among the multipart rows: Werkzeug 3.1.9 runs an empty part into the next one where a chunk of
    64 KB ends between them. Our page is safe, because its form is urlencoded.
    """
    key, browser = make_application(carriers=0), client_as("publisher")
    page = browser.get(f"/applications/edit/?id={key}").text
    assert "enctype" not in re.findall(r'<form id="application"[^>]*>', page)[0]
    for count, kind in ((300, "multipart/form-data"), (600, "application/x-www-form-urlencoded")):
        form = opened(browser, key)
        for number in range(len(stored_rows(key)["carrier"]), count):
            form |= row(number, id="new", quantity=str(number + 1), name=f"第 {number + 1} 张")
        answer = browser.post(f"/applications/edit/?id={key}", data=form, content_type=kind)
        assert answer.status_code == 302, flashed(answer.text) + complaints(answer.text)
        carriers = stored_rows(key)["carrier"]
        assert [carrier["position"] for carrier in carriers] == list(range(1, count + 1))
        assert [carrier["quantity"] for carrier in carriers] == [Decimal(n) for n in range(1, count + 1)]


@pytest.mark.slow
def test_carriers_are_added_edited_and_deleted_in_place(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """手册 第一章·载体信息: 录入, 编辑, 删除, then 保存."""
    key, browser = make_application(carriers=3), client_as("publisher")
    form = opened(browser, key) | {"carriers-0-quantity": "7", "del-carriers-1": "on"} | row(3, unit="盒")
    assert save(browser, key, form).status_code == 302
    rows = stored_rows(key)["carrier"]
    assert sorted((r["position"], r["quantity"], r["unit"]) for r in rows) == [
        (1, Decimal(7), "010"),
        (2, Decimal(1002), "010"),
        (3, Decimal(500), "140"),
    ]
    page = browser.get(f"/applications/edit/?id={key}").text
    assert "载体信息：3 条 → 3 条" not in page  # a count that has not changed is no news
    assert [form_of(page)[f"carriers-{n}-quantity"] for n in range(3)] == ["7", "1002", "500"]


def test_a_duplicated_row_follows_its_original(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """The page sends its rows in the order in which they stand, whatever their numbers; so does a refused save."""
    key, browser = make_application(carriers=2), client_as("publisher")
    form = opened(browser, key)
    last = {name: form.pop(name) for name in list(form) if name.startswith("carriers-1-")}
    refused = browser.post(f"/applications/edit/?id={key}", data=form | row(7) | last | {"publisher_id": "99"}).text
    rows_shown = re.findall(r'<tr class="inline-row[^>]*id="carriers-(\d)"', refused)
    assert rows_shown == ["0", "7", "1", "8"]  # the last is the blank row
    assert save(browser, key, form | row(7, quantity="7") | last).status_code == 302
    rows = sorted(stored_rows(key)["carrier"], key=lambda each: each["position"])
    assert [each["quantity"] for each in rows] == [Decimal(1000), Decimal(7), Decimal(1001)]


def test_rows_keep_the_names_of_their_page_where_numbers_are_missing(
    client_as: ClientAs, stored_rows: StoredRows
) -> None:
    """Rows that were removed before the first save leave gaps; the page stays open, and goes on by its own names."""
    browser = client_as("publisher")
    form = form_of(browser.get("/applications/new/").text) | {"_quiet": "1"}
    form = {name: value for name, value in form.items() if not name.startswith("carriers-")}
    draft = browser.post("/applications/new/", data=form | row(1) | row(3) | row(4, unit="盒"), headers=XHR).json
    ids = [carrier["id"] for carrier in stored_rows(draft["id"])["carrier"]]
    assert draft["carriers"] == dict(zip(("carriers-1", "carriers-3", "carriers-4"), ids, strict=True))
    form |= {"version": draft["version"], "del-carriers-3": "on"}
    for number, carrier in zip((1, 3, 4), ids, strict=True):
        form |= row(number, id=carrier)
    assert save(browser, draft["id"], form).status_code == 200
    assert [carrier["id"] for carrier in stored_rows(draft["id"])["carrier"]] == [ids[0], ids[2]]


@pytest.mark.slow
def test_deleting_a_missing_row_does_not_recreate_it(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """A row that a colleague took out meanwhile, marked for deletion in a form that still shows it, is not reborn."""
    key, browser = make_application(), client_as("publisher")
    before = stored_rows(key)["carrier"]
    for missing in ({"carriers-1-id": "99999"}, row(1, id="99999"), row(1)):
        form = opened(browser, key) | missing | {"del-carriers-1": "on"}
        assert save(browser, key, form).status_code == 302
        assert stored_rows(key)["carrier"] == before


ACCEPTED = {
    "quantity": {
        "1": "1", "１２": "12", "1,000": "1000", " 7 ": "7", "0.00001": "0.00001", "１，０００．５": "1000.5",
        "9999999999999.99999": "9999999999999.99999", "+5": "5", "0012.50": "12.5", "1\u00a0000\u00a0": "1000",
        "\u200b\u202d2000\u202c": "2000",
    },
    "unit": {"010": "010", "张": "010", "010-张": "010", "千张": "058", " 盒 ": "140", "20": "020", "０２０": "020",
             "020": "020", "片": "020", "020-片": "020", "20 － 片\u200b": "020", "10": "010"},
    "kind": {"DVD": "DVD", "dvd": "DVD", "CD-ROM": "CD-ROM", "黑胶": "黑胶唱片", "ＣＤ－ｒｏｍ": "CD-ROM", "": None},
    "currency": {"USD": "USD", "usd": "USD", "美元": "USD", "USD-美元": "USD", "ｕｓｄ": "USD", "\u3000": None},
    "name": {"\u200b第一张\ufeff ": "第一张", "第\u200b二张": "第二张", "葛\U000e0100城": "葛\U000e0100城",
             "\u3164": None},
}  # fmt: skip


REFUSED = {
    "quantity": ("0", "-1", "0.000001", "NaN", "sNaN", "Infinity", "-Infinity", "1e3", "1e-999999", "1" * 14,
                 "三", "1.2.3", "²", "5²", "", "   ", "\u200b", "1,5", "1，5", "1,00", "0,500", "1,000,00", "12 34",
                 "1\t200", "１０００张", "\u202e500\u202c", "0x10", "张\0三"),
    "unit": ("010-盒", "01", "件儿", "999", "", "  ", "\u200b", "张张", "\0"),
    "kind": ("软盘", "光碟机", "CD"),
    "currency": ("钱", "USDT", "元元"),
    "specification": ("", "  ", "\0", "\u200b\u3164", "120\u202e mm", "长" * 256),
    "unit_price": ("0", "-0.5", "NaN", "贵"),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("field", ACCEPTED)
def test_a_carrier_accepts_common_spellings(
    field: str, client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """A code, a name or both; a number as Chinese keyboards and spreadsheets write it; exact on both databases."""
    key, browser = make_application(), client_as("publisher")
    form = opened(browser, key)
    for typed, stored in ACCEPTED[field].items():
        form["version"] = str(stored_rows(key)["application"][0]["version"])
        assert save(browser, key, form | {f"carriers-0-{field}": typed}).status_code == 302, typed
        recorded = stored_rows(key)["carrier"][0][field]
        assert (recorded if recorded is None else str(recorded)) == stored, typed


@pytest.mark.slow
def test_a_carrier_refuses_nonsense(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """手册 第一章: 规格型号, 进口数量, 单位 are required; CU9: what customs cannot take is only marked."""
    key, browser = make_application(carriers=0), client_as("publisher")
    wrong = [(field, typed) for field, values in REFUSED.items() for typed in values]
    form = opened(browser, key)
    for number, (field, typed) in enumerate(wrong):
        form |= row(number, **{field: typed})
    assert save(browser, key, form).status_code == 302
    rows = browser.get(f"/applications/edit/?id={key}").text.split('<tr class="inline-row')[1:-2]  # blank, pattern
    for (field, typed), shown in zip(wrong, rows, strict=True):
        found = re.findall(r'<td class="col-(\w+) wrong"', shown)
        assert found == [field], (field, typed)
        assert len(complaints(shown)) == 1, (field, typed)
        assert all(complaints(shown)), (field, typed)
    for (field, typed), recorded in zip(wrong, stored_rows(key)["carrier"], strict=True):
        assert recorded[field] is None, (field, typed)
        assert (recorded["unread"] or {}).get(field, "") == ("" if is_blank(typed) else typed.strip())


def test_a_row_number_in_foreign_digits_is_refused(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """`²` is a digit to one library and none to another: a forged field must not become a 500."""
    key, browser = make_application(), client_as("publisher")
    before = stored_rows(key)
    form = opened(browser, key) | {"carriers-²-specification": "120 mm"}
    assert browser.post(f"/applications/edit/?id={key}", data=form).status_code == 400
    assert stored_rows(key) == before


def test_a_too_long_row_number_is_refused(app: Flask, client_as: ClientAs, make_application: MakeApplication) -> None:
    """5,000 digits are more than Python reads as a number: a forged field must not become a 500."""
    key, browser = make_application(), client_as("publisher")
    before = ledger(app)
    for where in (f"/applications/edit/?id={key}", "/applications/new/"):
        for digits in (7, 5000):
            assert browser.post(where, data={f"carriers-{'9' * digits}-id": "1"}).status_code == 400
    assert ledger(app) == before


@pytest.mark.slow
def test_the_stored_totals_follow_every_way_in_which_carriers_are_saved(
    app: Flask, client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """Form, import, 复制新建 and 重新申请."""
    key, revoked = make_application(carriers=2), make_application(carriers=3, status="revoked")
    browser = client_as("publisher")
    save(browser, key, opened(browser, key) | {"carriers-0-quantity": "7", "del-carriers-1": "on"} | row(3, unit="张"))
    version = stored_rows(key)["application"][0]["version"]
    cells = json.dumps([["规格", "数量", "单位"], ["D9", "0.5", "盒"]])
    browser.post(f"/applications/carriers/take/?id={key}", data={"cells": cells, "version": version, "how": "append"})
    for act, old in (("duplicate", key), ("copy", revoked)):
        assert browser.post(f"/applications/{act}/", data={"id": old}).status_code in (302, 303)
    with app.app_context(), access.everything() as session:
        found = session.execute(select(Application.totals, Application.sheets).order_by(Application.id)).all()
        box = code_of("unit", "盒")
        edited, copied = ({"010": "507", box: "0.5"}, 507.0), ({"010": "3003"}, 3003.0)
        assert [tuple(row) for row in found] == [edited, copied, edited, copied]
        assert list(totals.differing(session)) == []
