"""载体信息 from a block of cells: a preview of the result, then all rows are filled in or none."""

import csv
import io
import json

import pytest
from flask import Flask
from openpyxl import Workbook, load_workbook

from tests.browsing import ClientAs
from tests.conftest import MakeApplication, StoredRows
from tests.views.pages import flashed, form_of

PREVIEW, IMPORT = "/applications/carriers/preview/", "/applications/carriers/take/"
SCRIPT = {"X-Requested-With": "XMLHttpRequest"}
HEADINGS = "载体类型\t规格型号\t进口数量\t单位\n"


def as_csv(text: str) -> io.BytesIO:
    out = io.StringIO()
    csv.writer(out).writerows(line.split("\t") for line in text.splitlines())
    return io.BytesIO(out.getvalue().encode("gb18030"))


def test_a_script_gets_the_rows_with_their_errors(client_as: ClientAs) -> None:
    answer = client_as("publisher").post(
        PREVIEW, data={"text": f"{HEADINGS}DVD\tD9\t1,000\t张\n蜡筒\t\t5\t张"}, headers=SCRIPT
    )
    assert answer.status_code == 200 and answer.json is not None
    assert answer.json["fields"] == ["kind", "specification", "quantity", "unit"]
    assert answer.json["rows"] == [["DVD", "D9", "1,000", "010-张"], ["蜡筒", "", "5", "010-张"]]
    assert sorted(answer.json["errors"]["1"]) == ["kind", "specification"]
    assert "有 2 处需要改正" in answer.json["html"]


def test_the_preview_reports_fractions_of_a_piece_and_has_them_filled_in_all_the_same(client_as: ClientAs) -> None:
    """The row is shown though it is beyond the first ones, which alone are listed when nothing is wrong."""
    lines = "DVD\tD9\t2\t张\n" * 40 + "DVD\tD9\t1.5\t张\nDVD\tD9\t1.5\t千张"
    answer = client_as("publisher").post(PREVIEW, data={"text": HEADINGS + lines}, headers=SCRIPT)
    assert answer.json is not None and answer.json["errors"] == {} and len(answer.json["rows"]) == 42
    assert "有 1 行的进口数量不是整数" in answer.json["html"]
    assert answer.json["html"].count("1.5 张不是整数，请核对。") == 1


def test_an_unreadable_block_is_refused_with_a_message(client_as: ClientAs) -> None:
    browser = client_as("publisher")
    answer = browser.post(PREVIEW, data={"text": " \n"}, headers=SCRIPT)
    assert (answer.status_code, answer.json) == (422, {"message": "没有可填入的内容，请核对后重新复制或选择文件。"})
    for cells in ("[", "5", '["a"]', "[[1]]", "[" * 100_000, '[["\\ud800", "DVD"]]'):
        assert browser.post(PREVIEW, data={"cells": cells}, headers=SCRIPT).status_code == 400


@pytest.mark.slow
@pytest.mark.parametrize("sign", ["\t", "\n"])
def test_a_too_wide_or_too_long_block_is_refused_unread(client_as: ClientAs, sign: str) -> None:
    """A row of a million cells would block the process for minutes."""
    browser = client_as("publisher")
    answer = browser.post(PREVIEW, data={"text": f"DVD{sign * 400_000}DVD"}, headers=SCRIPT)
    assert answer.status_code == 422
    assert answer.json["message"].startswith("内容超过 ")
    cells = json.dumps([["DVD"] * 61] if sign == "\t" else [["DVD"]] * 5001)
    assert browser.post(PREVIEW, data={"cells": cells}, headers=SCRIPT).json["message"].startswith("内容超过 ")
    blank = json.dumps([["DVD", "D5", *[""] * 16_382]])  # a whole row of a sheet
    assert browser.post(PREVIEW, data={"cells": blank}, headers=SCRIPT).status_code == 200


@pytest.mark.slow
def test_a_file_is_imported_into_the_draft_without_javascript(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """Preview page, merged cells repeated, then all rows at once, after those that are there or in their place."""
    key = make_application(carriers=2)
    browser = client_as("publisher")
    table = f"{HEADINGS}DVD\tD9\t1,000\t张\n\tD5\t2\t\n"
    page = browser.post(f"{PREVIEW}?id={key}", data={"file": (as_csv(table), "清单.csv")})
    assert page.status_code == 200 and "有 1 处需要改正" in page.text and len(stored_rows(key)["carrier"]) == 2
    form = form_of(page.text, "card-box")
    form.pop("how")
    again = browser.post(f"{PREVIEW}?id={key}", data=form | {"carry": "unit"})
    assert "没有发现错误" in again.text
    form = form_of(again.text, "card-box")
    assert form["carry"] == "unit"
    answer = browser.post(f"{IMPORT}?id={key}", data=form | {"how": "append"}, follow_redirects=True)
    assert flashed(answer.text) == ["已填入 2 条载体信息。"]
    rows = stored_rows(key)["carrier"]
    assert [(row["position"], row["specification"], row["unit"]) for row in rows[2:]] == [
        (3, "D9", "010"),
        (4, "D5", "010"),
    ]
    entry = stored_rows(key)["trail_entry"][-1]
    assert entry["act"] == "edit" and entry["changes"]["carrier_count"] == [2, 4]
    late = browser.post(f"{IMPORT}?id={key}", data=form | {"how": "replace"}, follow_redirects=True)
    assert "您的操作没有保存" in flashed(late.text)[0]
    form["version"] = str(stored_rows(key)["application"][0]["version"])
    browser.post(f"{IMPORT}?id={key}", data=form | {"how": "replace"})
    assert [row["specification"] for row in stored_rows(key)["carrier"]] == ["D9", "D5"]


def test_a_page_that_was_the_last_to_save_conflicts_with_a_later_import(
    client_as: ClientAs, stored_rows: StoredRows
) -> None:
    """Otherwise its rows, which the import has replaced, would come back beside the new ones."""
    browser = client_as("publisher")
    form = form_of(browser.get("/applications/new/").text) | {"title": "甲"}
    made = browser.post("/applications/new/", data=form)
    key = int(made.location.partition("id=")[2].partition("&")[0])
    cells = json.dumps([["规格", "数量", "单位"], ["D9", "1", "张"]])
    version = str(stored_rows(key)["application"][0]["version"])
    browser.post(f"{IMPORT}?id={key}", data={"cells": cells, "version": version, "how": "replace"})
    late = browser.post(f"/applications/edit/?id={key}", data=form | {"version": version, "title": "乙"})
    assert late.status_code == 409
    assert [row["specification"] for row in stored_rows(key)["carrier"]] == ["D9"]


def test_an_unreadable_cell_is_stored_as_typed(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    key = make_application(carriers=0)
    version = stored_rows(key)["application"][0]["version"]
    cells = json.dumps([["规格", "数量", "单位"], ["D9", "一千", "张"], ["", "5", "张"]])
    answer = client_as("publisher").post(
        f"{IMPORT}?id={key}", data={"cells": cells, "version": version}, follow_redirects=True
    )
    assert flashed(answer.text) == ["已填入 2 条载体信息。有 2 处还需改正，见红字。"]
    first, second = stored_rows(key)["carrier"]
    assert (first["unread"], first["quantity"], second["specification"]) == ({"quantity": "一千"}, None, None)
    assert 'value="一千"' in answer.text


def test_a_formula_without_a_result_is_marked_from_the_file_to_the_draft(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """Also through the page without JavaScript; a typed text that begins alike is read."""
    key, browser, book, out = make_application(carriers=0), client_as("publisher"), Workbook(), io.BytesIO()
    for row in (["规格", "数量", "单位", "备注"], ["D9", "=5*2", "张", "赠品"]):
        book.active.append(row)
    book.active["D2"].value, book.active["D2"].data_type = "=赠品，随书", "s"
    book.save(out)
    page = browser.post(f"{PREVIEW}?id={key}", data={"file": (io.BytesIO(out.getvalue()), "清单.xlsx")})
    assert "单元格是公式，没有计算结果，请填写结果。" in page.text and "有 1 处需要改正" in page.text
    browser.post(f"{IMPORT}?id={key}", data=form_of(page.text, "card-box"))
    (stored,) = stored_rows(key)["carrier"]
    assert (stored["unread"], stored["note"]) == ({"quantity": "=5*2"}, "=赠品，随书")


def test_too_many_rows_are_refused_whole(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    key = make_application(carriers=1)
    version = stored_rows(key)["application"][0]["version"]
    cells = json.dumps([["规格", "数量", "单位"], *[["D9", "5", "张"]] * 3000])
    answer = client_as("publisher").post(
        f"{IMPORT}?id={key}", data={"cells": cells, "version": version, "how": "append"}, follow_redirects=True
    )
    assert flashed(answer.text) == ["一份申请最多录入 3000 条载体信息，请分成几份申请。"]
    assert len(stored_rows(key)["carrier"]) == 1


@pytest.mark.parametrize("who", ["publisher2", "reviewer", "national", "operator", None])
def test_other_accounts_cannot_import_carriers(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows, who: str | None
) -> None:
    key = make_application(carriers=1)
    browser = client_as(who)
    data = {"cells": json.dumps([["D9"]]), "version": stored_rows(key)["application"][0]["version"]}
    refused = {browser.post(f"{address}?id={key}", data=data).status_code for address in (PREVIEW, IMPORT)}
    assert refused <= {302, 401, 403, 404}
    assert len(stored_rows(key)["carrier"]) == 1


def test_a_submitted_application_accepts_no_imported_rows(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    key = make_application(status="pending", carriers=1)
    data = {"cells": json.dumps([["D9"]]), "version": stored_rows(key)["application"][0]["version"]}
    client_as("publisher").post(f"{IMPORT}?id={key}", data=data)
    assert len(stored_rows(key)["carrier"]) == 1


def test_the_template_has_the_headings_of_the_form_and_the_code_lists(app: Flask, client_as: ClientAs) -> None:
    """The filled template is imported unchanged."""
    book = load_workbook(io.BytesIO(client_as("publisher").get("/applications/carriers/template/").data))
    assert [cell.value for cell in book["载体信息"][1]][:4] == ["载体类型", "*规格型号", "*进口数量", "*单位"]
    lists = list(book["代码"].values)
    assert lists[0] == ("载体类型", "单位", "币制") and lists[1][1:] == ("010-张", "CNY-人民币")
    assert len(lists) > 100
