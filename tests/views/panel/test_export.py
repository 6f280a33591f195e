"""导出: the rows of the current query, as a file for Excel in which nothing is a formula."""

import csv
import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from openpyxl import load_workbook
from openpyxl.utils.escape import unescape
from openpyxl.worksheet.worksheet import Worksheet
from sqlalchemy import event
from werkzeug.http import parse_options_header
from werkzeug.test import TestResponse

from models import clock
from models.application.carriers import Carrier
from models.database import db
from tests.cast import FIELDS, make_papers
from tests.conftest import Acting, Browser, Making, Recording
from tests.views.pages import form_of
from views.panel import export
from views.panel.spreadsheet import cell

As = Callable[[str | None], Browser]
DETAILS = [
    "申请单号", "申请日期", "申请单位", "统一社会信用代码", "申请类型", "出版单位", "受理机关", "商品名称",
    "出版物类别", "版号", "ISBN", "ISRC", "著作权人", "内容简介", "境外加工企业", "国别（地区）", "SID 码",
    "加工合同号", "进口口岸", "收货单位", "商品编码", "监管方式", "预计进口日期", "联系人", "联系电话", "数据状态",
    "证明编号", "签发日期", "有效期至", "进口数量合计",
]  # fmt: skip
FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1+1", "\r=1+1", '=HYPERLINK("http://evil.example","点我")']
FORMULAS += ["＝1+1", "﹢1", "＋1", "－1", "﹣1", "＠SUM(A1)", "﹦1", "\N{MINUS SIGN}1"]  # in other widths
HARMLESS = ["1-1", "《=》", "a@b", '引号"，逗号,\n换行', "0012", "<script>"]


def rows_of(answer: TestResponse, kind: str) -> list[list[str]]:
    """The table as Excel would read it."""
    if kind == "csv":
        return list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"), newline="")))
    cells = list(load_workbook(io.BytesIO(answer.data)).active.iter_rows())
    assert {cell.data_type for line in cells for cell in line} <= {"s", "n", "d", "inlineStr"}, (
        "a formula, or what Excel takes for one"
    )
    return [["" if cell.value is None else unescape(str(cell.value)) for cell in line] for line in cells]


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


@pytest.mark.parametrize("unseen", ["\u200b", "\u00a0", "\u3000", "\ufeff", "\u034f", " ", "\n"])
def test_no_unseen_character_hides_a_formula(unseen: str) -> None:
    """Some programs cut them off."""
    assert cell(f"{unseen}=1+1") == f"'{unseen}=1+1"
    assert cell(f"{unseen}茉莉花") in (f"{unseen}茉莉花", f"'{unseen}茉莉花")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_no_cell_can_become_a_formula(as_: As, make_application: Making, kind: str) -> None:
    """AD11: = + - @ tab and CR at the beginning are told apart by an apostrophe; all else is as it was written."""
    for title in FORMULAS + HARMLESS:
        make_application(title=title)
    answer = as_("publisher").get(f"/applications/export/{kind}/")
    head, *rows = rows_of(answer, kind)
    assert head[:5] == ["申请单号", "商品名称", "出版单位", "申请日期", "数据状态"]
    titles = [row[1].replace("\r\n", "\n") for row in rows]
    assert titles[::-1] == [f"'{title}" for title in FORMULAS] + HARMLESS


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_download_says_in_chinese_what_it_is(as_: As, make_application: Making, kind: str) -> None:
    """Excel reads a CSV as GBK unless it begins with a mark; the file is named after the list and the day."""
    make_application(status="filed")
    for username, screen, name in (
        ("publisher", "applications", "申请"),
        ("reviewer", "filings", "全部申请"),
        ("national", "register", "备案证明查询"),
    ):
        answer = as_(username).get(f"/{screen}/export/{kind}/")
        disposition, names = parse_options_header(answer.headers["Content-Disposition"])
        assert disposition == "attachment"
        assert names["filename"] == f"{name}-{clock.today()}.{kind}"
        assert answer.data.startswith(b"\xef\xbb\xbf" if kind == "csv" else b"PK")
        assert answer.headers["Content-Type"].count("charset") == (kind == "csv")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert len(rows_of(answer, kind)) == 2


@pytest.mark.slow
def test_what_is_exported_is_what_was_asked(as_: As, make_application: Making, a_press: Callable[..., str]) -> None:
    """The link carries the query; no query exports a row that the account does not see."""
    a_press("440000")
    make_application(status="pending", title="茉莉花")
    make_application(status="filed", title="茉莉花开")
    make_application(status="filed", title="紫竹调")
    make_application(by="press440000", status="filed", title="茉莉花")
    publisher = as_("publisher")
    page = publisher.get("/applications/?title=茉莉&status=filed").text
    link = "/applications/export/csv/?title=%E8%8C%89%E8%8E%89&amp;status=filed"
    assert f'href="{link}"' in page
    assert [row[1] for row in rows_of(publisher.get(link.replace("&amp;", "&")), "csv")[1:]] == ["茉莉花开"]
    unreadable = publisher.get("/applications/export/csv/?since=nonsense&title=茉莉")
    assert unreadable.location == "/applications/?title=%E8%8C%89%E8%8E%89&since=nonsense"
    assert len(rows_of(as_("reviewer").get("/filings/export/csv/?title=茉莉"), "csv")[1:]) == 2
    head, row = rows_of(as_("national").get("/register/export/xlsx/?title=茉莉&province=440000"), "xlsx")
    told = dict(zip(head, row, strict=True))
    assert told["证明编号"].startswith("Z44")
    assert [told[name] for name in ("商品名称", "出版单位", "省份", "数据状态")] == [
        "茉莉花", "440000音像出版社", "440000-广东省", "已备案"
    ]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_what_its_owner_has_deleted_bears_the_mark_in_the_province_s_table(
    as_: As, make_application: Making, kind: str
) -> None:
    """As in the list: 申请人已删除; its owner does not see the row, nor the column."""
    make_application(status="refused", title="还在")
    gone, owner = make_application(status="refused", title="已删"), as_("publisher")
    owner.post("/applications/delete/", data={"id": gone})
    head, *rows = rows_of(as_("reviewer").get(f"/filings/export/{kind}/"), kind)
    told = {row[head.index("商品名称")]: row[head.index("申请人已删除")] or "" for row in rows}
    assert told == {"还在": "", "已删": "是"}
    assert "申请人已删除" not in rows_of(owner.get(f"/applications/export/{kind}/"), kind)[0]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("who", "screen"), [("publisher", "applications"), ("reviewer", "filings"), ("national", "register")]
)
def test_a_program_that_reads_ascii_alone_finds_a_name_too(
    app: Flask, as_: As, make_application: Making, on_record: Recording, who: str, screen: str
) -> None:
    """RFC 6266, 4.3: filename beside filename*, and it says what the file is."""
    key, browser = make_application(status="filed"), as_(who)
    make_papers(app)
    day = f"{clock.today():%Y%m%d}"
    job = browser.post(f"/{screen}/print-all/", data={"pick": key}).location
    file = on_record(key)["attachment"][0]
    for address, plain in (
        (f"/{screen}/export/xlsx/", f"{screen}-{clock.today()}.xlsx"),
        (f"/{screen}/export/csv/", f"{screen}-{clock.today()}.csv"),
        (job, f"certificates-{day}.pdf"),
        (f"/{screen}/attachment/?id={file['id']}", f"attachment-{file['id']}.pdf"),
    ):
        said = browser.get(address).headers["Content-Disposition"]
        assert re.search(r"; filename=\"?([^\";]+)", said)[1] == plain, said  # type: ignore[index]
        assert "; filename*=UTF-8''%E" in said


def test_no_other_format_is_made(as_: As) -> None:
    for kind in ("json", "html", "yaml", "csv.php", "..", "CSV"):
        assert as_("publisher").get(f"/applications/export/{kind}/").status_code in (308, 404)


@pytest.mark.slow
def test_an_export_that_leaves_rows_out_says_so(
    as_: As, make_application: Making, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the note the table would be taken for complete."""
    monkeypatch.setattr(export, "MOST", 2)
    for said in ([], [], ["只导出了前 2 条，请缩小查询范围后分次导出。"]):
        make_application()
        _head, *rows = rows_of(as_("publisher").get("/applications/export/csv/"), "csv")
        notes = [line[0] for line in rows if not any(line[1:])]
        assert notes == said
        assert len(rows) - len(notes) <= 2


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_an_export_tells_all_that_the_details_tell(as_: As, make_application: Making, kind: str) -> None:
    """The table alone shows the certificate, its dates, and the quantities."""
    make_application(status="filed", carriers=3)
    for username, screen in (("publisher", "applications"), ("reviewer", "filings"), ("national", "register")):
        head, row = rows_of(as_(username).get(f"/{screen}/export/{kind}/"), kind)
        assert set(DETAILS) <= set(head)
        assert len(head) == len(set(head))
        told = dict(zip(head, row, strict=True))
        assert told["证明编号"].startswith("Z32")
        assert told["国别（地区）"] == "DEU-德国"
        assert told["进口口岸"].startswith("2201-")
        assert (told["进口数量合计"], told["进口数量（张）"]) == ("3003 张", "3003")


def test_quantities_are_summed_by_unit(app: Flask, as_: As, make_application: Making, acting: Acting) -> None:
    """Sheets and boxes do not add up to anything; a unit that one application lacks is an empty cell."""
    make_application(carriers=1)
    key = make_application(carriers=2)
    with acting("publisher"):
        extra = {"specification": "盒装", "unit": "140", "position": 3}
        db.session.add(Carrier(application_id=key, quantity="20.5", **extra))
        db.session.add(Carrier(application_id=key, quantity="0.25", **extra | {"position": 4}))
        db.session.commit()
    book = load_workbook(io.BytesIO(as_("publisher").get("/applications/export/xlsx/").data))
    both, one = line_of(book.worksheets[0], 2), line_of(book.worksheets[0], 3)
    assert both["进口数量合计"].value == "2001 张；20.75 盒"
    assert [both[f"进口数量（{unit}）"].value for unit in "张盒"] == [2001, 20.75]
    assert [one[f"进口数量（{unit}）"].value for unit in "张盒"] == [1000, None]


@pytest.mark.slow
def test_cells_are_what_they_say(as_: As, make_application: Making) -> None:
    """A date sorts as a date and a quantity adds up; Excel turns no code into 8.5E9 and drops no leading zero."""
    make_application(status="filed", phone="02583210000", contract_number="0012", sid_code="1E5", title="#N/A")
    book = load_workbook(io.BytesIO(as_("publisher").get("/applications/export/xlsx/").data))
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


def test_a_workbook_is_ready_to_be_read(as_: As, make_application: Making) -> None:
    """Headings bold, frozen and with filters; columns wide enough; a sheet for the applications, one for carriers."""
    make_application(status="filed", carriers=2)
    book = load_workbook(io.BytesIO(as_("reviewer").get("/filings/export/xlsx/").data))
    assert book.sheetnames == ["全部申请", "载体信息"]
    for sheet, rows in zip(book.worksheets, (2, 3), strict=True):
        assert sheet.freeze_panes == "B2"
        assert sheet.auto_filter.ref == f"A1:{sheet.cell(1, sheet.max_column).column_letter}{rows}"
        assert all(cell.font.bold for cell in sheet[1])
        assert all(len(str(cell.value)) <= sheet.column_dimensions[cell.column_letter].width for cell in sheet[1])


@pytest.mark.slow
@pytest.mark.parametrize("screen", ["applications", "register"])
def test_ten_applications_take_as_many_queries_as_one(
    app: Flask, as_: As, make_application: Making, screen: str
) -> None:
    """Ports, certificates and carriers are read in one query each, not per row."""
    browser = as_("publisher" if screen == "applications" else "national")
    counted = []
    for ports in (["2201"], ["2233", "2248", "5301", "5304"]):
        for port in ports:
            make_application(status="filed", port=port, carriers=2)
        with queries(app) as sent:
            assert browser.get(f"/{screen}/export/xlsx/").status_code == 200
        counted.append(len(sent))
    assert counted[0] == counted[1], sent


def test_carriers_that_are_left_out_are_counted_and_told(
    as_: As, make_application: Making, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "MOST_CARRIERS", 2)
    make_application(carriers=3)
    book = load_workbook(io.BytesIO(as_("publisher").get("/applications/export/xlsx/").data))
    assert [row[0].value for row in book["载体信息"].iter_rows()][3] == "只导出了前 2 条，请缩小查询范围后分次导出。"
    assert line_of(book.worksheets[0])["进口数量合计"].value == "3003 张"


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_draft_that_lacks_a_quantity_or_a_unit_is_exported_as_it_stands(
    as_: As, make_application: Making, kind: str
) -> None:
    """A draft may have blank cells; it must not break the export of all the others."""
    key, browser = make_application(carriers=3), as_("publisher")
    form = form_of(browser.get(f"/applications/edit/?id={key}").text)
    blanks = {"carriers-0-quantity": "", "carriers-1-unit": ""}
    assert browser.post(f"/applications/edit/?id={key}", data=form | blanks).status_code == 302
    answer = browser.get(f"/applications/export/{kind}/")
    assert answer.status_code == 200
    head, line = rows_of(answer, kind)[:2]
    assert line[head.index("进口数量合计")] == "1002 张；1001（未填单位）"
    assert [line[head.index(f"进口数量（{unit}）")] for unit in ("张", "未填单位")] == ["1002", "1001"]
