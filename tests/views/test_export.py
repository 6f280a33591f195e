"""导出: the rows of the present question, as a file that Excel reads and that cannot run."""

import csv
import io
from collections.abc import Callable

import pytest
from openpyxl import load_workbook
from werkzeug.http import parse_options_header
from werkzeug.test import TestResponse

from tests.conftest import Browser, Making
from views import export

As = Callable[[str | None], Browser]
FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1+1", "\r=1+1", '=HYPERLINK("http://evil.example","点我")']
HARMLESS = ["1-1", "《=》", "a@b", '引号"，逗号,\n换行', "0012", "<script>"]


def rows_of(answer: TestResponse, kind: str) -> list[list[str]]:
    """The table as Excel would read it."""
    if kind == "csv":
        return list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"), newline="")))
    cells = list(load_workbook(io.BytesIO(answer.data)).active.iter_rows())
    assert {cell.data_type for line in cells for cell in line} <= {"s", "n", "inlineStr"}, (
        "a formula, or what Excel takes for one"
    )
    return [["" if cell.value is None else str(cell.value) for cell in line] for line in cells]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_no_cell_can_become_a_formula(as_: As, make_application: Making, kind: str) -> None:
    """AD11: = + - @ tab and CR at the beginning are told apart by an apostrophe; all else is as it was written."""
    for title in FORMULAS + HARMLESS:
        make_application(title=title)
    answer = as_("publisher").get(f"/applications/export/{kind}/")
    head, *rows = rows_of(answer, kind)
    assert head == ["申请单号", "商品名称", "出版单位", "申请日期", "数据状态"]
    titles = [row[1].replace("\r\n", "\n") for row in rows]
    assert titles[::-1] == [f"'{title}" for title in FORMULAS] + HARMLESS


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_download_says_in_chinese_what_it_is(as_: As, make_application: Making, kind: str) -> None:
    """Excel reads a CSV as GBK unless it begins with a mark; the file is named after the list and the moment."""
    make_application(status="filed")
    for username, screen, name in (
        ("publisher", "applications", "查询"),
        ("reviewer", "filings", "全部申请"),
        ("national", "register", "备案证明查询"),
    ):
        answer = as_(username).get(f"/{screen}/export/{kind}/")
        disposition, names = parse_options_header(answer.headers["Content-Disposition"])
        assert disposition == "attachment"
        assert names["filename"].startswith(f"{name}-20")
        assert names["filename"].endswith(f".{kind}")
        assert answer.data.startswith(b"\xef\xbb\xbf" if kind == "csv" else b"PK")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert len(rows_of(answer, kind)) == 2


def test_what_is_exported_is_what_was_asked(as_: As, make_application: Making, a_press: Callable[..., str]) -> None:
    """The question goes with the link; whatever it is, nobody gets a row that they do not see."""
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
    assert rows_of(publisher.get("/applications/export/csv/?since=nonsense"), "csv")[1:] == []
    assert len(rows_of(as_("reviewer").get("/filings/export/csv/?title=茉莉"), "csv")[1:]) == 2
    national = rows_of(as_("national").get("/register/export/xlsx/?title=茉莉&province=440000"), "xlsx")
    (row,) = national[1:]
    assert row[1].startswith("Z44")
    assert row[2:5] + row[6:] == ["茉莉花", "440000音像出版社", "440000-广东省", "已备案"]


def test_no_other_format_is_made(as_: As) -> None:
    for kind in ("json", "html", "yaml", "csv.php", "..", "CSV"):
        assert as_("publisher").get(f"/applications/export/{kind}/").status_code in (308, 404)


def test_an_export_that_leaves_rows_out_says_so(
    as_: As, make_application: Making, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table that ends in silence would be taken for the whole."""
    monkeypatch.setattr(export, "MOST", 2)
    for said in ([], [], ["只导出了前 2 条，请缩小查询范围后分次导出。"]):
        make_application()
        _head, *rows = rows_of(as_("publisher").get("/applications/export/csv/"), "csv")
        assert [line for line in rows if len(line) == 1] == ([said] if said else [])
        assert len([line for line in rows if len(line) > 1]) <= 2
