"""Customs districts: read from sheets as people have them, compared, and replaced as a whole."""

import io
import zipfile
from threading import Barrier, Thread
from typing import Any

import pytest
from flask import Flask
from openpyxl import Workbook
from sqlalchemy import select

from models import access
from models.codes import District, label_of, names_of
from models.codes.districts import compare, fingerprint, import_districts, table_of
from models.codes.sheet import MOST_ROWS, read_sheet
from models.database import db
from models.workflow import Refused
from tests.conftest import ActAs

TWO = {"0100": "北京关区", "2233": "浦东机场"}


def workbook(*rows: tuple[Any, ...]) -> bytes:
    """An XLSX file with these rows."""
    book, out = Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(out)
    return out.getvalue()


SHEETS: dict[str, bytes] = {
    "two columns": "关区代码,关区名称\r\n0100,北京关区\r\n2233,浦东机场\r\n".encode(),
    "a serial number in front": "序号,关区代码,关区名称\n1,0100,北京关区\n2,2233,浦东机场\n".encode(),
    "the other way round": "名称,备注,代码\n北京关区,x,0100\n浦东机场,,2233\n".encode("utf-8-sig"),
    "GB 18030": "代码,名称\n0100,北京关区\n2233,浦东机场\n".encode("gb18030"),
    "English": b"No.;District Code;Name\n1;0100;\xe5\x8c\x97\xe4\xba\xac\xe5\x85\xb3\xe5\x8c\xba\n2;2233;"
    + "浦东机场\n".encode(),
    "Unicode text": "代码\t名称\n0100\t北京关区\n2233\t浦东机场\n".encode("utf-16"),
    "a title and blank rows": "关区代码表,,\n,,\n序号,代码,名称\n1,0100,北京关区\n,,\n2,2233,浦东机场\n".encode(),
    "marks and blanks": "*关区代码（4位）, 关区 名称：\n\u200b0100 , 北京关区\u200b\n２２３３,浦东机场\n".encode(),
    "more names than one": "上级代码,代码,简称,关区名称\n9999,0100,京,北京关区\n9999,2233,沪,浦东机场\n".encode(),
    "zeros that Excel dropped": workbook(("代码", "名称"), (100, "北京关区"), (2233.0, "浦东机场"), (None, None)),
    "numbers as text": workbook(("关区名称", "关区代码"), ("北京关区", "100"), ("浦东机场", "'2233")),
    "no heading": "0100,北京关区\n2233,浦东机场\n".encode(),
    "no heading, not in the first column": workbook((None, 100, "北京关区"), (None, "2233", "浦东机场")),
    "rows without a code": "代码,名称\n0100,北京关区\n2233,浦东机场\n,以上共两个\n".encode(),
}


@pytest.mark.parametrize("sheet", SHEETS.values(), ids=SHEETS)
def test_columns_are_found_by_their_headings(app: Flask, sheet: bytes) -> None:
    with app.app_context():
        table = table_of(read_sheet(sheet))
    assert (table.names, table.doubts) == (TWO, [])


def test_notes_say_how_a_table_was_read(app: Flask) -> None:
    with app.app_context():
        assert table_of(read_sheet(SHEETS["no heading"])).notes == ["没有标题行，已将第一列读作代码、第二列读作名称。"]
        notes = table_of(read_sheet(SHEETS["rows without a code"])).notes
        assert notes == ["有 1 行没有代码，已略过：第 4 行“以上共两个”。"]


def test_a_line_with_a_sum_is_skipped_and_quoted_unchanged(app: Flask) -> None:
    """A former release refused a table with 合计 | 20 below it, and quoted the line as 00合计."""
    with app.app_context():
        table = table_of(read_sheet("代码,名称\n0100,北京关区\n2233,浦东机场\n合计,2\n".encode()))
    assert (table.names, table.notes) == (TWO, ["有 1 行没有代码，已略过：第 4 行“合计”。"])


BAD = "关区代码须为四位数字并带名称（不超过 50 字），有误的行：第 3 行 %s。"
NO_HEADING = "没有找到标题行。请在表格中写明“关区代码”和“关区名称”两列的标题"
REFUSED: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "文件中没有数据"),
    "a heading alone": ("代码,名称\n".encode(), "文件中没有数据"),
    "one column": ("关区代码\n2233\n".encode(), NO_HEADING),
    "a serial number in front and no heading": ("1,0100,北京关区\n2,2233,浦东机场\n".encode(), NO_HEADING),
    "serial numbers for codes and no heading": ("1,北京关区\n2,浦东机场\n".encode(), NO_HEADING),
    "numbers for names and no heading": (b"0100,1\n2233,2\n", NO_HEADING),
    "two columns of one heading": ("代码,名称,名称\n0100,a,b\n".encode(), "有两列的标题都是“名称”"),
    "five digits": ("代码,名称\n0100,好\n22335,坏\n".encode(), BAD % "22335"),
    "letters": ("代码,名称\n0100,好\n22a3,坏\n".encode(), BAD % "22a3"),
    "digits that are none": ("代码,名称\n0100,好\n²²⁰¹,坏\n".encode(), BAD % "²²⁰¹"),
    "no name": ("代码,名称\n0100,好\n2233,\n".encode(), BAD % "2233"),
    "an invisible name": ("代码,名称\n0100,好\n2233,\0\u200b\n".encode(), BAD % "2233"),
    "a formula that failed": (workbook(("代码", "名称"), (100, "好"), (2233, "#N/A")), BAD % "2233"),
    "a name too long": (f"代码,名称\n0100,好\n2233,{'长' * 51}\n".encode(), BAD % "2233"),
    "neither UTF-8 nor GB 18030": (b"code,name\n2233,\xff\xff\n", "无法读取该文件，请使用 CSV 或 XLSX"),
    "no workbook": (b"PK\x03\x04 nonsense", "无法读取该文件，请使用 CSV 或 XLSX"),
    "an old workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "无法读取该文件：它是旧版 Excel"),
    "a row too many": (b"code,name\n" + b"0100,x\n" * MOST_ROWS, "表格超过 20000 行"),
    "a cell in the last row of all": (b"code,name\n" + b"\n" * 1_000_000 + b"0100,x\n", "表格超过 20000 行"),
}


@pytest.mark.parametrize(("sheet", "sentence"), REFUSED.values(), ids=REFUSED)
def test_an_invalid_district_sheet_is_refused_with_a_message(app: Flask, sheet: bytes, sentence: str) -> None:
    with app.app_context(), pytest.raises(Refused) as refused:
        table_of(read_sheet(sheet))
    assert str(refused.value).startswith(sentence)


def test_a_workbook_too_large_when_unpacked_is_not_unpacked(app: Flask) -> None:
    out = io.BytesIO(workbook(("代码", "名称"), ("0100", "北京关区")))
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("xl/more.xml", b" " * (12 << 20))
    with app.app_context(), pytest.raises(Refused, match="工作簿内容过多"):
        read_sheet(out.getvalue())


DOUBTFUL = {
    "代码,名称\n0100,123\n2233,浦东机场\n": "有 1 个名称只有数字，可能读错了列：0100（123）。",
    "代码,名称\n0100,北京\n2233,浦东机场\n0100,北京关区\n": "有 1 个代码重复，采用各自最后一行：0100（北京关区）。",
}


@pytest.mark.parametrize(("sheet", "doubt"), DOUBTFUL.items())
def test_doubtful_rows_are_reported_and_accepted(app: Flask, sheet: str, doubt: str) -> None:
    with app.app_context():
        assert table_of(read_sheet(sheet.encode())).doubts == [doubt]


def replace(names: dict[str, str]) -> Any:
    """Import these districts and commit; the change."""
    change = import_districts(db.session(), names, fingerprint(db.session()))
    db.session.commit()
    return change


def test_a_new_table_of_districts_replaces_the_old(act_as: ActAs) -> None:
    """A district missing from the new table is marked as ended, because old filings refer to it."""
    with act_as("operator"):
        old = names_of("district", db.session())
        change = replace({"2201": "浦江新关", "9001": "新设海关"})
        assert change == expected_change(old, {"2201": "浦江新关", "9001": "新设海关"})
        assert names_of("district", db.session()) == {"2201": "浦江新关", "9001": "新设海关"}
        assert len(db.session.scalars(select(District)).all()) == len(old) + 1
        assert label_of("district", "2233", db.session()) == "2233-浦东机场"


def expected_change(old: dict[str, str], new: dict[str, str]) -> Any:
    """One district added, one renamed, all others ended."""
    ended = {code: name for code, name in old.items() if code not in new}
    return type(compare(db.session(), {}))({"9001": "新设海关"}, {"2201": ("浦江海关", "浦江新关")}, ended, len(old))


def test_a_district_that_is_listed_again_is_valid_again(act_as: ActAs) -> None:
    with act_as("operator"):
        replace({"2201": "浦江海关"})
        assert replace({"2201": "浦江海关", "2233": "浦东机场"}).added == {"2233": "浦东机场"}
        assert not db.session.scalars(select(District).filter_by(code="2233")).one().ended


def test_a_table_changed_since_the_preview_is_not_replaced(act_as: ActAs) -> None:
    with act_as("operator"):
        seen = fingerprint(db.session())
        db.session.scalars(select(District).filter_by(code="2201")).one().name = "改过的名字"
        db.session.commit()
        with pytest.raises(Refused, match="在预览之后已被改动"):
            import_districts(db.session(), TWO, seen)
        db.session.rollback()
        assert "改过的名字" in names_of("district", db.session()).values()


def test_one_of_two_parallel_imports_is_refused(app: Flask) -> None:
    """Both previewed the same table: the later import would end the districts added by the earlier one."""
    tables = ({"9001": "甲关"}, {"9002": "乙关"})
    outcomes: list[str] = []
    start = Barrier(2)
    with app.app_context():
        seen = fingerprint(db.session())

    def confirm(names: dict[str, str]) -> None:
        with app.app_context(), access.everything() as session:
            start.wait()
            try:
                import_districts(session, names, seen)
                session.commit()
                outcomes.append("done")
            except Refused as refused:
                outcomes.append(str(refused)[:11])

    both = [Thread(target=confirm, args=(names,)) for names in tables]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert sorted(outcomes) == ["done", "关区代码表在预览之后已"]
    with app.app_context():
        assert names_of("district", db.session()) in tables
