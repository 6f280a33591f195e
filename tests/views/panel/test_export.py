"""导出: the rows of the current query, as a file for Excel in which nothing is a formula."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from werkzeug.http import parse_options_header

from models import clock
from tests.browsing import ClientAs
from tests.cast import make_papers
from tests.conftest import MakeApplication, StoredRows
from tests.views.panel.exported import rows_of
from views.panel.spreadsheet import cell

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1+1", "\r=1+1", '=HYPERLINK("http://evil.example","点我")']
FORMULAS += ["＝1+1", "﹢1", "＋1", "－1", "﹣1", "＠SUM(A1)", "﹦1", "\N{MINUS SIGN}1"]  # in other widths
HARMLESS = ["1-1", "《=》", "a@b", '引号"，逗号,\n换行', "0012", "<script>"]


@pytest.mark.parametrize("unseen", ["\u200b", "\u00a0", "\u3000", "\ufeff", "\u034f", " ", "\n"])
def test_an_invisible_character_does_not_hide_a_formula(unseen: str) -> None:
    """Some programs cut them off."""
    assert cell(f"{unseen}=1+1") == f"'{unseen}=1+1"
    assert cell(f"{unseen}茉莉花") in (f"{unseen}茉莉花", f"'{unseen}茉莉花")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_no_cell_can_become_a_formula(client_as: ClientAs, make_application: MakeApplication, kind: str) -> None:
    """AD11: = + - @ tab and CR at the beginning get an apostrophe; other text stays unchanged."""
    for title in FORMULAS + HARMLESS:
        make_application(title=title)
    answer = client_as("publisher").get(f"/applications/export/{kind}/")
    head, *rows = rows_of(answer, kind)
    assert head[:5] == ["申请单号", "商品名称", "出版单位", "申请日期", "数据状态"]
    titles = [row[1].replace("\r\n", "\n") for row in rows]
    assert titles[::-1] == [f"'{title}" for title in FORMULAS] + HARMLESS


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_download_has_a_chinese_file_name_and_a_byte_order_mark(
    client_as: ClientAs, make_application: MakeApplication, kind: str
) -> None:
    """Excel reads a CSV as GBK unless it begins with a mark; the file is named after the list and the day."""
    make_application(status="filed")
    for username, screen, name in (
        ("publisher", "applications", "申请"),
        ("reviewer", "filings", "全部申请"),
        ("national", "register", "备案证明查询"),
    ):
        answer = client_as(username).get(f"/{screen}/export/{kind}/")
        disposition, names = parse_options_header(answer.headers["Content-Disposition"])
        assert disposition == "attachment"
        assert names["filename"] == f"{name}-{clock.today()}.{kind}"
        assert answer.data.startswith(b"\xef\xbb\xbf" if kind == "csv" else b"PK")
        assert answer.headers["Content-Type"].count("charset") == (kind == "csv")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert len(rows_of(answer, kind)) == 2


@pytest.mark.slow
def test_an_export_has_the_rows_of_the_query(
    client_as: ClientAs, make_application: MakeApplication, make_publisher: Callable[..., str]
) -> None:
    """The link carries the query; no query exports a row that the account does not see."""
    make_publisher("440000")
    make_application(status="pending", title="茉莉花")
    make_application(status="filed", title="茉莉花开")
    make_application(status="filed", title="紫竹调")
    make_application(by="publisher440000", status="filed", title="茉莉花")
    publisher = client_as("publisher")
    page = publisher.get("/applications/?title=茉莉&status=filed").text
    link = "/applications/export/csv/?title=%E8%8C%89%E8%8E%89&amp;status=filed"
    assert f'href="{link}"' in page
    assert [row[1] for row in rows_of(publisher.get(link.replace("&amp;", "&")), "csv")[1:]] == ["茉莉花开"]
    unreadable = publisher.get("/applications/export/csv/?since=nonsense&title=茉莉")
    assert unreadable.location == "/applications/?title=%E8%8C%89%E8%8E%89&since=nonsense"
    assert len(rows_of(client_as("reviewer").get("/filings/export/csv/?title=茉莉"), "csv")[1:]) == 2
    head, row = rows_of(client_as("national").get("/register/export/xlsx/?title=茉莉&province=440000"), "xlsx")
    found = dict(zip(head, row, strict=True))
    assert found["证明编号"].startswith("Z44")
    assert [found[name] for name in ("商品名称", "出版单位", "省份", "数据状态")] == [
        "茉莉花", "440000音像出版社", "440000-广东省", "已备案"
    ]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_an_application_deleted_by_its_owner_is_marked_in_the_export_of_the_province(
    client_as: ClientAs, make_application: MakeApplication, kind: str
) -> None:
    """As in the list: 申请人已删除; its owner does not see the row, nor the column."""
    make_application(status="refused", title="还在")
    deleted, owner = make_application(status="refused", title="已删"), client_as("publisher")
    owner.post("/applications/delete/", data={"id": deleted})
    head, *rows = rows_of(client_as("reviewer").get(f"/filings/export/{kind}/"), kind)
    found = {row[head.index("商品名称")]: row[head.index("申请人已删除")] or "" for row in rows}
    assert found == {"还在": "", "已删": "是"}
    assert "申请人已删除" not in rows_of(owner.get(f"/applications/export/{kind}/"), kind)[0]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("who", "screen"), [("publisher", "applications"), ("reviewer", "filings"), ("national", "register")]
)
def test_a_download_has_an_ascii_file_name_too(
    app: Flask, client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows, who: str, screen: str
) -> None:
    """RFC 6266, 4.3: filename beside filename*, and it names the content."""
    key, browser = make_application(status="filed"), client_as(who)
    make_papers(app)
    day = f"{clock.today():%Y%m%d}"
    job = browser.post(f"/{screen}/print-all/", data={"pick": key}).location
    file = stored_rows(key)["attachment"][0]
    for address, plain in (
        (f"/{screen}/export/xlsx/", f"{screen}-{clock.today()}.xlsx"),
        (f"/{screen}/export/csv/", f"{screen}-{clock.today()}.csv"),
        (job, f"certificates-{day}.pdf"),
        (f"/{screen}/attachment/?id={file['id']}", f"attachment-{file['id']}.pdf"),
    ):
        header = browser.get(address).headers["Content-Disposition"]
        assert re.search(r"; filename=\"?([^\";]+)", header)[1] == plain, header  # type: ignore[index]
        assert "; filename*=UTF-8''%E" in header


def test_other_export_formats_are_not_found(client_as: ClientAs) -> None:
    for kind in ("json", "html", "yaml", "csv.php", "..", "CSV"):
        assert client_as("publisher").get(f"/applications/export/{kind}/").status_code in (308, 404)
