"""A block of cells read as carriers: columns by heading, cells by the rules of their columns, no cell ignored."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from flask import Flask

from models.application import MOST_CARRIERS
from models.application.carrier_block import Block, cells_of, read_block
from models.application.carrier_columns import FIELDS
from models.application.carriers import Carrier
from models.files.table_file import FORMULA
from models.workflow import Refused

HEADINGS = ["载体类型", "规格型号", "进口数量", "单位"]


@pytest.fixture(autouse=True)
def _words(app: Flask) -> Iterator[None]:
    with app.test_request_context():
        yield


pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


def column(block: Block, name: str) -> list[object]:
    return [row.values.get(name) for row in block.rows]


def refusal(cells: list[list[str]]) -> str:
    with pytest.raises(Refused) as refused:
        read_block(cells)
    return str(refused.value)


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ("甲\t乙\r\n丙\t丁\r\n", [["甲", "乙"], ["丙", "丁"], [""]]),
        ('"两\n行"\t"有""引号"""\n', [["两\n行", '有"引号"'], [""]]),
        ('12" LP\t7"', [['12" LP', '7"']]),
        ('"没有关上\t乙\n丙', [['"没有关上', "乙"], ["丙"]]),
        ("甲\r乙", [["甲"], ["乙"]]),
        ("\t\t", [["", "", ""]]),
        ('"制表\t符"\t乙', [["制表\t符", "乙"]]),
    ],
)
def test_pasted_text_is_split_into_cells_as_excel_and_wps_write_them(text: str, cells: list[list[str]]) -> None:
    assert cells_of(text) == cells


def test_text_of_quotation_marks_is_split_in_linear_time() -> None:
    """A pattern that tries every pair anew would take hours over this."""
    assert len(cells_of('"a""' + '""' * 200_000)) == 1
    assert len(cells_of('"""a\n' * 4_000)) > 1


def test_columns_are_recognised_by_headings_in_any_order_and_spelling() -> None:
    block = read_block(
        [["数　量（张）", "备 注", "*单位", "序号", "规格", "库位"], ["5", "好", "张", "1", "12 英寸", "A"]]
    )
    assert block.fields == ["quantity", "note", "unit", "specification"]
    assert block.rows[0].texts == {"quantity": "5", "note": "好", "unit": "010-张", "specification": "12 英寸"}
    assert block.notes == ["没有读入的列：库位。"]


def test_every_heading_of_the_form_is_recognised() -> None:
    labels = [str(Carrier.__table__.columns[name].info["label"]) for name in FIELDS]
    block = read_block([labels, ["DVD", "D9", "1", "张", "", "", "", "", ""]])
    assert tuple(block.fields) == FIELDS and not block.notes and not block.wrong


def test_a_block_without_headings_has_the_columns_of_the_form_and_a_note() -> None:
    block = read_block([["1", "黑胶唱片", "甲", "3", "张"], ["2", "黑胶唱片", "乙", "4", "张"]])
    assert block.fields == ["kind", "specification", "quantity", "unit"]
    assert block.notes == [
        "没有标题行，各列依次读作：载体类型、规格型号、进口数量、单位。请核对。",
        "第一列是序号，没有读入。",
    ]
    assert column(block, "quantity") == [3, 4]
    pasted = read_block([["1", "黑胶唱片", "甲", "3", "张"], ["2", "黑胶唱片", "乙", "4", "张"]], start="kind")
    assert (pasted.fields, pasted.notes[1:]) == (block.fields, block.notes[1:])
    assert read_block([["3", "张"], ["4", "盒"]], start="quantity").fields == ["quantity", "unit"]


@pytest.mark.parametrize(
    "typed", ["1000", "1,000", "1，000", "１０００", "１，０００", "1 000", " 1000 ", "1000.0", "\u200b1000"]
)
def test_numbers_are_read_as_people_write_them(typed: str) -> None:
    assert column(read_block([["数量", "单位"], [typed, "张"]]), "quantity") == [Decimal(1000)]


@pytest.mark.parametrize("typed", ["1,5", "一千", "0", "-3", "1e3", "1.234567", "12345678901234"])
def test_an_invalid_amount_keeps_its_text_and_gets_an_error(typed: str) -> None:
    (row,) = read_block([["数量", "单位"], [typed, "张"]]).rows
    assert row.texts["quantity"] == typed and row.errors["quantity"]


@pytest.mark.parametrize("typed", ["010", "10", "010-张", "张", "０１０", "010 张"])
def test_a_code_cell_accepts_code_or_name(typed: str) -> None:
    assert column(read_block([["数量", "单位"], ["1", typed]]), "unit") == ["010"]


def test_required_cells_that_are_blank_and_words_that_are_too_long_are_marked() -> None:
    (row,) = read_block([HEADINGS, ["", "长" * 256, "", "张"]]).rows
    assert row.errors == {"specification": "最多 255 字，现在 256 字。", "quantity": "请填写进口数量。"}


def test_blanks_under_a_filled_cell_are_counted_and_repeated_only_when_asked() -> None:
    cells = [HEADINGS, ["DVD", "甲", "1", "张"], ["", "乙", "", ""], ["BD", "", "3", ""]]
    block = read_block(cells)
    assert block.gaps == {"kind": 1, "specification": 1, "unit": 2}
    assert column(block, "kind") == ["DVD", None, "BD"]
    carried = read_block(cells, carry=["kind", "unit"])
    assert column(carried, "kind") == ["DVD", "DVD", "BD"] and column(carried, "unit") == ["010"] * 3
    assert [row.carried for row in carried.rows] == [set(), {"kind", "unit"}, {"unit"}]
    assert [sorted(row.errors) for row in carried.rows] == [[], ["quantity"], ["specification"]]


def test_rows_other_than_carriers_are_reported() -> None:
    block = read_block(
        [["江苏某社进口清单"], ["序号", *HEADINGS], ["1", "DVD", "D9", "5", "张"], [""], ["合 计", "", "", "5"], [""]]
    )
    assert block.notes == ["标题行以上没有读入：江苏某社进口清单。", "略过了 1 个空行。"]
    assert block.rows[1].errors["kind"] == "像是合计行，不是载体，请删去这一行。"


@pytest.mark.parametrize(
    "above", [["编号：", "001", "单位：", "江苏某社"], ["名称：", "黑胶唱片", "备注：", "加急"], ["说明"]]
)
def test_a_line_of_the_whole_form_is_not_taken_for_the_heading(above: list[str]) -> None:
    block = read_block([above, HEADINGS, ["DVD", "D9", "5", "张"]])
    assert (block.fields, block.wrong, len(block.rows)) == (["kind", "specification", "quantity", "unit"], 0, 1)
    assert block.notes == [f"标题行以上没有读入：{' '.join(above)}。"]


def test_an_impossible_block_is_refused_whole() -> None:
    assert refusal([]) == refusal([["", " "], ["\u3000"]]) == "没有可填入的内容，请核对后重新复制或选择文件。"
    assert refusal([["序号"], ["1"], ["合计"]]) == "没有可填入的内容，请核对后重新复制或选择文件。"
    assert refusal([HEADINGS]) == "只有标题行，没有载体信息，请核对后重新复制或选择文件。"
    assert refusal([["数量", "进口数量", "单位"], ["1", "2", "张"]]) == "有两列的标题都是“进口数量”，请只保留一列。"
    most = [HEADINGS, *[["DVD", "D9", "1", "张"]] * MOST_CARRIERS]
    assert len(read_block(most).rows) == MOST_CARRIERS
    assert refusal([*most, ["DVD", "D9", "1", "张"]]).startswith(
        "共有 3001 行，一份申请最多录入 3000 条载体信息，没有填入"
    )


def test_a_cell_is_read_as_the_form_reads_it() -> None:
    """Preview and form accept the same cells, because they use the same rules."""
    (row,) = read_block(
        [["版号", "备注", "规格", "数量", "单位"], [" ISRC\u200b CN-C18 ", "\u00ad", "甲\u200b乙", "1", "张"]]
    ).rows
    assert row.values == {
        "catalogue_number": "ISRC CN-C18", "note": None, "specification": "甲乙", "quantity": 1, "unit": "010"
    }  # fmt: skip


def test_a_formula_error_is_marked_in_every_column() -> None:
    """Also where any words would do, as in 备注."""
    (row,) = read_block([["规格", "数量", "单位", "备注"], ["#REF!", "#DIV/0!", "#N/A", "#NAME?"]]).rows
    assert row.errors == {
        name: f"单元格是公式错误 {error}，请填写正确的内容。"
        for name, error in {"specification": "#REF!", "quantity": "#DIV/0!", "unit": "#N/A", "note": "#NAME?"}.items()
    }
    (row,) = read_block([["规格", "数量", "单位"], ["#1 号 #N/A", "1", "张"]]).rows
    assert row.errors == {}


def test_a_formula_without_a_result_is_marked_in_every_column() -> None:
    formulas = ["=A1", "=B1*2", "=C1", '=A2&"红"']
    block = read_block(
        [["清单", f"{FORMULA}=A9"], ["规格", "数量", "单位", "备注"], [FORMULA + each for each in formulas]]
    )
    (row,) = block.rows
    assert (list(row.texts.values()), block.notes) == (formulas, ["标题行以上没有读入：清单 =A9。"])
    assert set(row.errors) == {"specification", "quantity", "unit", "note"}
    assert set(row.errors.values()) == {"单元格是公式，没有计算结果，请填写结果。"}


def test_a_typed_text_that_begins_like_a_formula_is_text() -> None:
    (row,) = read_block([["规格", "数量", "单位", "备注"], ["D9", "5", "张", "=赠品，随书"]]).rows
    assert (row.errors, row.values["note"]) == ({}, "=赠品，随书")


def test_each_row_keeps_its_place_below_the_headings_or_the_first_line() -> None:
    """Over rows that are there, a value would otherwise come into the row above, by one for each blank line."""
    assert [row.place for row in read_block([["7"], [""], ["9"]], "quantity").rows] == [0, 2]
    assert [row.place for row in read_block([[""], ["9"]], "quantity").rows] == [1]
    block = read_block([["清单"], [], HEADINGS, ["DVD", "D9", "1", "张"], [], ["DVD", "D5", "2", "张"]])
    assert [row.place for row in block.rows] == [0, 2]


@pytest.mark.parametrize("heading", [[["序号", *HEADINGS]], []], ids=["named", "by place"])
def test_rows_that_hold_only_their_number_are_left_out_with_a_note(heading: list[list[str]]) -> None:
    block = read_block([*heading, ["1", "DVD", "D9", "5", "张"], ["2", "", "", "", ""], ["3", "", "", "", ""]])
    assert column(block, "specification") == ["D9"] and not block.wrong and not block.gaps
    assert block.notes[-1] == "略过了 2 个只有序号的行。"


def test_a_single_column_of_numbers_is_no_column_of_row_numbers() -> None:
    block = read_block([["1"], ["2"], ["3"]])
    assert [row.texts for row in block.rows] == [{"kind": "1"}, {"kind": "2"}, {"kind": "3"}] and block.wrong == 3
