"""An export has everything that the details show, as numbers and dates."""

import io
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet
from sqlalchemy import event

from models.application.carriers import Carrier
from models.database import db
from tests.browsing import ClientAs
from tests.cast import FIELDS, account_of
from tests.conftest import ActAs, MakeApplication
from tests.views.pages import form_of
from tests.views.panel.exported import rows_of
from views.panel import export

DETAILS = [
    "申请单号", "申请日期", "申请单位", "统一社会信用代码", "申请类型", "出版单位", "受理机关", "商品名称",
    "出版物类别", "版号", "ISBN", "ISRC", "著作权人", "内容简介", "境外加工企业", "国别（地区）", "SID 码",
    "加工合同号", "进口口岸", "收货单位", "商品编码", "监管方式", "预计进口日期", "联系人", "联系电话", "数据状态",
    "证明编号", "签发日期", "有效期至", "进口数量合计",
]  # fmt: skip


def line_of(sheet: Worksheet, row: int = 2) -> dict[str, Any]:
    """The cells of a row under their headings."""
    return {str(head.value): cell for head, cell in zip(sheet[1], sheet[row], strict=True)}


@contextmanager
def queries(app: Flask) -> Iterator[list[str]]:
    """Every SQL statement sent within the block."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        sent.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    yield sent
    event.remove(engine, "before_cursor_execute", note)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_an_export_has_all_fields_of_the_details(
    client_as: ClientAs, make_application: MakeApplication, kind: str
) -> None:
    """The table alone shows the certificate, its dates, and the quantities."""
    make_application(status="filed", carriers=3)
    for username, screen in (("publisher", "applications"), ("reviewer", "filings"), ("national", "register")):
        head, row = rows_of(client_as(username).get(f"/{screen}/export/{kind}/"), kind)
        assert set(DETAILS) <= set(head)
        assert len(head) == len(set(head))
        found = dict(zip(head, row, strict=True))
        assert found["证明编号"].startswith("Z32")
        assert found["国别（地区）"] == "DEU-德国"
        assert found["进口口岸"].startswith("2201-")
        assert (found["进口数量合计"], found["进口数量（张）"]) == ("3003 张", "3003")


def test_quantities_are_summed_by_unit(
    app: Flask, client_as: ClientAs, make_application: MakeApplication, act_as: ActAs
) -> None:
    """Sheets and boxes do not add up to anything; a unit that one application lacks is an empty cell."""
    make_application(carriers=1)
    key = make_application(carriers=2)
    with act_as("publisher"):
        extra = {"specification": "盒装", "unit": "140", "position": 3}
        db.session.add(Carrier(application_id=key, quantity="20.5", **extra))
        db.session.add(Carrier(application_id=key, quantity="0.25", **extra | {"position": 4}))
        db.session.commit()
    book = load_workbook(io.BytesIO(client_as("publisher").get("/applications/export/xlsx/").data))
    both, one = line_of(book.worksheets[0], 2), line_of(book.worksheets[0], 3)
    assert both["进口数量合计"].value == "2001 张；20.75 盒"
    assert [both[f"进口数量（{unit}）"].value for unit in "张盒"] == [2001, 20.75]
    assert [one[f"进口数量（{unit}）"].value for unit in "张盒"] == [1000, None]


@pytest.mark.slow
def test_cells_have_the_type_of_their_value(client_as: ClientAs, make_application: MakeApplication) -> None:
    """A date sorts as a date and a quantity adds up; Excel turns no code into 8.5E9 and drops no leading zero."""
    make_application(status="filed", phone="02583210000", contract_number="0012", sid_code="1E5", title="#N/A")
    book = load_workbook(io.BytesIO(client_as("publisher").get("/applications/export/xlsx/").data))
    sheet, carriers = book.worksheets
    row, carrier = line_of(sheet), line_of(carriers)
    for name in ("申请日期", "预计进口日期", "签发日期"):
        assert (type(row[name].value), row[name].number_format) == (datetime, "yyyy-mm-dd"), name
    assert row["预计进口日期"].value.date() == FIELDS["expected_on"]
    texts = {
        "商品编码": "8523499030", "统一社会信用代码": "12320000466000101W", "联系电话": "02583210000",
        "加工合同号": "0012", "SID 码": "1E5", "商品名称": "#N/A",
    }  # fmt: skip
    assert {name: row[name].value for name in texts} == texts
    assert {(row[name].data_type, row[name].number_format) for name in texts} == {("s", "@")}
    assert (carrier["进口数量"].value, carrier["进口数量"].data_type, carrier["单位"].value) == (1000, "n", "010-张")
    assert carrier["申请单号"].value == row["申请单号"].value


def test_a_workbook_has_frozen_headings_filters_and_column_widths(
    client_as: ClientAs, make_application: MakeApplication
) -> None:
    """Headings bold, frozen and with filters; columns wide enough; a sheet for the applications, one for carriers."""
    make_application(status="filed", carriers=2)
    book = load_workbook(io.BytesIO(client_as("reviewer").get("/filings/export/xlsx/").data))
    assert book.sheetnames == ["全部申请", "载体信息"]
    for sheet, rows in zip(book.worksheets, (2, 3), strict=True):
        assert sheet.freeze_panes == "B2"
        assert sheet.auto_filter.ref == f"A1:{sheet.cell(1, sheet.max_column).column_letter}{rows}"
        assert all(cell.font.bold for cell in sheet[1])
        assert all(len(str(cell.value)) <= sheet.column_dimensions[cell.column_letter].width for cell in sheet[1])


@pytest.mark.slow
@pytest.mark.parametrize("screen", ["applications", "register"])
def test_ten_applications_take_as_many_queries_as_one(
    app: Flask, client_as: ClientAs, make_application: MakeApplication, screen: str
) -> None:
    """Ports, certificates and carriers are read in one query each, not per row."""
    browser = client_as("publisher" if screen == "applications" else "national")
    counted = []
    for ports in (["2201"], ["2233", "2248", "5301", "5304"]):
        for port in ports:
            make_application(status="filed", port=port, carriers=2)
        with queries(app) as sent:
            assert browser.get(f"/{screen}/export/xlsx/").status_code == 200
        counted.append(len(sent))
    assert counted[0] == counted[1], sent


def test_omitted_carriers_are_counted_in_a_note(
    client_as: ClientAs, make_application: MakeApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "MOST_CARRIERS", 2)
    make_application(carriers=3)
    book = load_workbook(io.BytesIO(client_as("publisher").get("/applications/export/xlsx/").data))
    assert [row[0].value for row in book["载体信息"].iter_rows()][3] == "只导出了前 2 条，请缩小查询范围后分次导出。"
    assert line_of(book.worksheets[0])["进口数量合计"].value == "3003 张"


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_draft_without_quantity_or_unit_is_exported(
    client_as: ClientAs, make_application: MakeApplication, kind: str
) -> None:
    """A draft may have blank cells; it must not break the export of all the others."""
    key, browser = make_application(carriers=3), client_as("publisher")
    form = form_of(browser.get(f"/applications/edit/?id={key}").text)
    blanks = {"carriers-0-quantity": "", "carriers-1-unit": ""}
    assert browser.post(f"/applications/edit/?id={key}", data=form | blanks).status_code == 302
    answer = browser.get(f"/applications/export/{kind}/")
    assert answer.status_code == 200
    head, line = rows_of(answer, kind)[:2]
    assert line[head.index("进口数量合计")] == "1002 张；1001（未填单位）"
    assert [line[head.index(f"进口数量（{unit}）")] for unit in ("张", "未填单位")] == ["1002", "1001"]


def test_carriers_are_read_in_parts_of_limited_size(
    app: Flask, make_application: MakeApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    """500 applications may have 1.5 million of them. Applications with more than the limit are read by halves."""
    made = {make_application(carriers=count): count for count in (9, 1, 1, 1)}
    monkeypatch.setattr(export, "CARRIERS", 7, raising=False)
    with queries(app) as sent, app.app_context():
        lines = [*export.Applications(array("q", made), account_of("publisher")).lines(())]
    assert [(line.row.id, len(line.carriers)) for line in lines] == [*made.items()]
    has_limit = ["LIMIT" in statement for statement in sent if "carrier.position" in statement]
    assert has_limit == [True, True, False, False, True]  # all, 9 + 1, 9, 1, 1 + 1
