"""Applications of thousands of carrier rows: they fit into a request, and a row costs little."""

import cProfile
import gc
import pstats
import re

import pytest
from flask import Flask
from sqlalchemy import event
from wtforms import Form
from wtforms.validators import DataRequired, InputRequired

from models.application import MOST_CARRIERS
from models.application.carriers import Carrier
from models.columns import written
from models.database import db
from tests.browsing import ClientAs
from tests.conftest import MakeApplication, StoredRows
from tests.views.pages import form_of
from views.panel.fields import AmountField, CodeText, PlainTextField
from views.panel.large_forms import LARGE, collection_paused
from views.panel.shared_attributes import shared_attributes

# As long as a message to customs may be: 1 MB for 3,000 rows.
FULL = {
    "kind": "黑胶唱片", "specification": "12 英寸双张限量版黑胶唱片", "quantity": "1000.5", "unit": "010-张",
    "name": "江苏民歌选集第一辑", "catalogue_number": "ISRC CN-C18-26-0009", "unit_price": "12.5",
    "currency": "USD-美元", "note": "含歌词册一本",
}  # fmt: skip


class Row(Form):
    """One field of each kind that a carrier row has."""

    id = PlainTextField()
    name = PlainTextField("名称", most=200)
    quantity = AmountField("进口数量", [InputRequired()])
    unit = CodeText("单位", [DataRequired()], codes="unit")


def test_a_row_input_is_the_html_of_wtforms(app: Flask) -> None:
    """The attributes of a column contain everything that render_kw, validators and widget set."""

    def attributes(html: str) -> set[str]:
        return set(re.findall(r'[\w-]+(?:="[^"]*")?', html)) - {"input"}

    with app.test_request_context():
        row = Row()
        shared = shared_attributes(row)
        assert list(shared) == ["name", "quantity", "unit"]
        for name, written in shared.items():
            field = row[name]
            whole = field(class_="form-control", **{"aria-label": field.label.text})
            own = {f'id="{name}"', f'name="{name}"', 'value=""'}
            assert attributes(written) | own == attributes(whole)


@pytest.mark.slow
def test_a_row_of_the_form_is_drawn_quickly(app: Flask, client_as: ClientAs, make_application: MakeApplication) -> None:
    """Rendered by WTForms itself a row took 9,100 calls of functions, and a form of 3,000 rows 14 seconds."""
    browser, calls = client_as("publisher"), {}
    for rows in (5, 45):
        address = f"/applications/edit/?id={make_application(carriers=rows)}"
        browser.get(address)
        profile = cProfile.Profile()
        answer = profile.runcall(browser.get, address)
        assert answer.text.count('<tr class="inline-row') == rows + 2  # a blank row, the pattern of new rows
        calls[rows] = pstats.Stats(profile).total_calls  # type: ignore[attr-defined]
    assert (calls[45] - calls[5]) / 40 < 3000


def test_collection_is_paused_for_large_forms_alone() -> None:
    """The last of two requests to end turns it on again."""
    with collection_paused(LARGE - 1):
        assert gc.isenabled()
    with collection_paused(LARGE):
        with collection_paused(LARGE):
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


@pytest.mark.slow
def test_the_number_of_queries_of_the_form_does_not_grow_with_its_rows(
    app: Flask, client_as: ClientAs, make_application: MakeApplication
) -> None:
    """Form, saving and details: as many SELECTs for 40 rows as for 4."""
    browser, asked, statements = client_as("publisher"), {}, list[str]()

    def hear(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    with app.app_context():
        engine = db.engine
    for rows in (4, 40):
        key = make_application(carriers=rows)
        statements.clear()
        event.listen(engine, "before_cursor_execute", hear)
        try:
            page = browser.get(f"/applications/edit/?id={key}").text
            assert browser.post(f"/applications/edit/?id={key}", data=form_of(page)).status_code == 302
            assert browser.get(f"/applications/details/?id={key}").status_code == 200
        finally:
            event.remove(engine, "before_cursor_execute", hear)
        asked[rows] = sum(sql.startswith("SELECT") for sql in statements)
    assert asked[4] == asked[40] > 0


@pytest.mark.slow
def test_the_maximum_number_of_rows_fits_into_a_form(app: Flask, client_as: ClientAs, stored_rows: StoredRows) -> None:
    """Every cell filled, as the browser sends it; each row is stored, and shown in the form."""
    browser = client_as("publisher")
    form = form_of(browser.get("/applications/new/").text)
    form = {name: value for name, value in form.items() if not name.startswith("carriers-")} | {"title": "大套装"}
    for n in range(MOST_CARRIERS):
        form |= {f"carriers-{n}-{name}": value for name, value in FULL.items()} | {f"carriers-{n}-id": ""}
        form[f"carriers-{n}-note"] = f"第 {n} 行"
    answer = browser.post("/applications/new/", data=form)
    assert answer.status_code == 302
    stored = stored_rows(int(answer.location.rpartition("=")[2]))["carrier"]
    assert [row["note"] for row in stored] == [f"第 {n} 行" for n in range(MOST_CARRIERS)]
    assert {row["specification"] for row in stored} == {FULL["specification"]}
    again = form_of(browser.get(answer.location).text)
    assert sum(name.endswith("-specification") for name in again) == MOST_CARRIERS
    again[f"carriers-{MOST_CARRIERS - 1}-note"] = "改过的备注"
    assert browser.post(answer.location, data=again).status_code == 302
    assert stored_rows(stored[0]["application_id"])["carrier"][-1]["note"] == "改过的备注"


@pytest.mark.slow
def test_excessive_text_is_refused(
    app: Flask, client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """12 MB of nonsense a draft went in. A column of 3,000 rows that is pasted one place off still does."""
    browser, key = client_as("publisher"), make_application(carriers=1)
    form = form_of(browser.get(f"/applications/edit/?id={key}").text)
    pasted = {f"carriers-{n}-quantity": "江苏民歌选集第一辑" for n in range(MOST_CARRIERS)}
    sent = form | pasted | {f"carriers-{n}-id": "" for n in range(1, MOST_CARRIERS)}
    answer = browser.post(f"/applications/edit/?id={key}", data=sent)
    assert answer.status_code == 302
    before = stored_rows(key)
    form = form_of(browser.get(f"/applications/edit/?id={key}").text)
    much = {f"carriers-{n}-quantity": "乱" * 3000 for n in range(110)}
    answer = browser.post(f"/applications/edit/?id={key}", data=form | much)
    assert (answer.status_code, "需要改正的内容已超过 300000 字，不能暂存" in answer.text) == (422, True)
    assert stored_rows(key) == before


def test_a_form_of_more_fields_than_there_are_cells_is_refused(client_as: ClientAs) -> None:
    """Without files only our parser counts them. A full table may be replaced by another: each deleted row is sent."""
    form = "application/x-www-form-urlencoded"
    replaced = b"a=1&" * (MOST_CARRIERS * (len(written(Carrier)) + 2) * 2)
    assert client_as("publisher").post("/applications/new/", data=replaced, content_type=form).status_code == 302
    for body in (b"a=1&" * 70_001, b"title=" + b"x" * (9 << 20)):
        answer = client_as("publisher").post("/applications/new/", data=body, content_type=form)
        assert (answer.status_code, "提交的内容过长，没有保存，请精简后重新提交。" in answer.text) == (413, True)
