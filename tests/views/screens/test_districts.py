"""关区代码: the operator replaces the table by a file, in two steps."""

import io
import re

import pytest
from flask import Flask
from openpyxl import Workbook
from sqlalchemy import select
from werkzeug.test import TestResponse

from models.codes import District
from models.database import db
from tests.browsing import Browser, ClientAs
from tests.conftest import MakeApplication
from tests.views.ledger import ledger
from tests.views.pages import complaints, flashed, form_of


def table(rows: list[tuple[object, object]], kind: str = "utf-8") -> tuple[io.BytesIO, str]:
    """A table of districts as the operator gets it, and its file name."""
    out = io.BytesIO()
    if kind == "xlsx":
        book = Workbook()
        for row in [("代码", "名称"), *rows]:
            book.active.append(row)
        book.save(out)
    else:
        out.write("".join(f"{code},{name}\r\n" for code, name in [("代码", "名称"), *rows]).encode(kind))
    out.seek(0)
    return out, f"关区.{'xlsx' if kind == 'xlsx' else 'CSV'}"


def districts(app: Flask) -> dict[str, tuple[str, bool]]:
    """Code → (name, ended)."""
    with app.app_context():
        return {row.code: (row.name, row.ended) for row in db.session.scalars(select(District))}


def preview(operator: Browser, file: tuple[io.BytesIO, str] | None) -> TestResponse:
    """The page of the first step."""
    return operator.post("/districts/import/", data={"file": file} if file else {}, follow_redirects=True)


def confirm(operator: Browser, page: str, **ticked: str) -> TestResponse:
    """The second step: the form of the preview, sent."""
    return operator.post(
        "/districts/import/confirm/", data=form_of(page, "confirm-import") | ticked, follow_redirects=True
    )


def counts(page: str) -> list[int]:
    """(added, renamed, ended) in the preview."""
    return [int(re.findall(rf"<b>{word} (\d+) 个</b>", page)[0]) for word in ("新增", "更名", "停用")]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["utf-8", "utf-8-sig", "gb18030", "xlsx"])
def test_the_district_table_is_imported_completely(
    app: Flask, client_as: ClientAs, make_application: MakeApplication, kind: str
) -> None:
    """domain.md: the full table changes. A missing district has ended, and stays readable in old filings."""
    key, operator, before = make_application(), client_as("operator"), districts(app)
    rows: list[tuple[object, object]] = [(100, "北京关区"), ("2233", "浦东机场海关𠮷"), ("9999", "新关"), ("", "空行")]
    shown = preview(operator, table(rows, kind))
    assert (shown.status_code, counts(shown.text)) == (200, [1, 1, len(before) - 2])
    assert "<td>浦东机场 → 浦东机场海关𠮷</td>" in shown.text
    assert "有 1 行没有代码，已略过：第 5 行“空行”。" in shown.text
    assert districts(app) == before
    answer = confirm(operator, shown.text, checked="y")
    assert flashed(answer.text) == [f"已导入 3 个关区，停用 {len(before) - 2} 个。"]
    after = districts(app)
    assert {code: name for code, (name, ended) in after.items() if not ended} == {
        "0100": "北京关区", "2233": "浦东机场海关𠮷", "9999": "新关",
    }  # fmt: skip
    assert after["2201"] == (before["2201"][0], True)
    page = client_as("publisher").get(f"/applications/edit/?id={key}").text
    assert form_of(page)["port"] == "2201"
    assert "2201-浦江海关</option>" in page
    assert "4300-" not in page
    assert "2201-浦江海关</option>" not in client_as("publisher").get("/applications/new/").text


WRONG_TABLES = {
    "no file": None,
    "empty": (io.BytesIO(b""), "a.csv"),
    "a heading alone": table([]),
    "five digits": table([("2233", "好"), ("22335", "坏")]),
    "letters": table([("22a3", "坏")], "xlsx"),
    "no name": table([("2233", "")], "gb18030"),
    "no name but a sign that is none": table([("2233", "\0")]),
    "neither UTF-8 nor GB 18030": (io.BytesIO(b"code,name\n2233,\xff\xff\n"), "a.csv"),
    "no workbook": (io.BytesIO(b"PK\x03\x04 nonsense"), "a.xlsx"),
    "a picture": (io.BytesIO(b"\x89PNG\r\n\x1a\n\0\0"), "a.csv"),
    "one column": (io.BytesIO(b"code\n2233\n"), "a.csv"),
}
SENTENCES = ("关区代码须为四位数字并带名称", "无法读取该文件", "文件中没有数据", "没有找到标题行")


@pytest.mark.slow
def test_an_unreadable_table_changes_nothing(app: Flask, client_as: ClientAs) -> None:
    """All or nothing, with a message that names the error."""
    operator, before = client_as("operator"), ledger(app)
    for name, file in WRONG_TABLES.items():
        copy = (io.BytesIO(file[0].getvalue()), file[1]) if file else None
        (sentence,) = flashed(preview(operator, copy).text)
        assert sentence.startswith(SENTENCES), name
    assert ledger(app) == before


def test_a_serial_number_column_is_not_read_as_codes(app: Flask, client_as: ClientAs) -> None:
    """Formerly columns were read by position: 0001 → 0100, 0002 → 0101, …"""
    operator, now = client_as("operator"), districts(app)
    lines = [f"{number},{code},{name}" for number, (code, (name, _ended)) in enumerate(now.items(), start=1)]
    file = io.BytesIO("\n".join(["序号,关区代码,关区名称", *lines]).encode())
    shown = preview(operator, (file, "a.csv"))
    assert counts(shown.text) == [0, 0, 0]
    assert "与现有的关区代码表一致，无需导入。" in shown.text


def most_of(app: Flask, share: float) -> list[tuple[object, object]]:
    """This share of the present table, as rows of a file."""
    now = [(code, name) for code, (name, _ended) in sorted(districts(app).items())]
    return list(now[: round(len(now) * share)])


@pytest.mark.slow
def test_a_doubtful_table_is_imported_only_after_confirmation(app: Flask, client_as: ClientAs) -> None:
    """Nothing is imported before 我已核对 is ticked; a table that shrinks by a tenth at most needs no tick."""
    operator, before = client_as("operator"), districts(app)
    doubtful = {
        "将停用，请确认文件是完整的": most_of(app, 0.8),
        "个代码重复，采用各自最后一行：9001（乙）": [*most_of(app, 1), ("9001", "甲"), ("9001", "乙")],
        "个名称只有数字，可能读错了列：9001（0101）": [*most_of(app, 1), ("9001", "0101")],
    }
    for doubt, rows in doubtful.items():
        shown = preview(operator, table(rows))
        assert doubt in shown.text
        again = confirm(operator, shown.text)
        assert (again.status_code, complaints(again.text)) == (
            422,
            ["没有导入。核对无误请勾选“我已核对”，再点击确定导入。"],
        )
        assert districts(app) == before
    assert flashed(confirm(operator, again.text, checked="y").text) == [f"已导入 {len(before) + 1} 个关区，停用 0 个。"]
    quiet = preview(operator, table(most_of(app, 0.95)))
    assert "我已核对" not in quiet.text
    assert flashed(confirm(operator, quiet.text).text)[0].startswith("已导入")


def test_a_table_that_changed_since_the_preview_is_not_replaced(app: Flask, client_as: ClientAs) -> None:
    operator = client_as("operator")
    first, second = (preview(operator, table([("9001", name)])).text for name in ("甲关", "乙关"))
    assert flashed(confirm(operator, first, checked="y").text)[0].startswith("已导入 1 个关区")
    after = districts(app)
    assert flashed(confirm(operator, second, checked="y").text) == [
        "关区代码表在预览之后已被改动，没有导入。请重新上传文件并核对。"
    ]
    assert districts(app) == after


def test_rows_without_a_preview_are_not_imported(app: Flask, client_as: ClientAs) -> None:
    """They were checked when the preview was made, and are signed."""
    operator, before = client_as("operator"), ledger(app)
    for rows in ("", "x", '{"names": {"9001": "甲"}}'):
        answer = operator.post("/districts/import/confirm/", data={"rows": rows, "checked": "y"}, follow_redirects=True)
        assert flashed(answer.text) == ["预览已失效，请重新上传文件并核对。"]
    assert ledger(app) == before
