"""进口数量 in the lists of applications: a column, a filter by 张, an order, and the export."""

import re
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import select

from models import access
from models.application import Application
from models.application.carriers import Carrier
from models.database import db
from models.log import LogEntry
from models.vocabulary import Action
from tests.browsing import ClientAs
from tests.cast import perform_step
from tests.conftest import ActAs, MakeApplication
from tests.views.panel.exported import rows_of
from tests.views.panel.found_rows import found

ALL = [("reviewer", "filings"), ("national", "register"), ("publisher", "applications")]


@pytest.fixture
def three(app: Flask, make_application: MakeApplication, act_as: ActAs) -> list[str]:
    """Issued applications of 1,000 张 and 20 套, of 3,003 张, and of 2.5 盒 alone; their numbers."""

    def add_sets(application: Application) -> None:
        application.carriers.append(Carrier(position=2, specification="CD", unit="006", quantity=Decimal(20)))

    def put_in_boxes(application: Application) -> None:
        application.carriers[0].unit, application.carriers[0].quantity = "140", Decimal("2.5")

    numbers = []
    for carriers, change in ((1, add_sets), (3, None), (1, put_in_boxes)):
        key = make_application(carriers=carriers)
        with act_as("publisher"):
            application = db.session.get_one(Application, key)
            numbers.append(application.number)
            if change:
                change(application)
            db.session.commit()
        for step in (Action.SUBMIT, Action.GRANT):
            perform_step(app, step, key, "publisher")
    return numbers


@pytest.mark.slow
@pytest.mark.parametrize(("who", "screen"), ALL)
def test_the_column_has_the_totals_by_unit(client_as: ClientAs, three: list[str], who: str, screen: str) -> None:
    page = client_as(who).get(f"/{screen}/").text
    assert page.count("只计单位为“张”的数量，千张、万张不计。") == 1
    cells = re.findall(r'<td class="col-amounts"[^>]*>(.*?)</td>', page)
    assert [re.sub("<[^>]*>", "", cell) for cell in cells] == [
        "2.5 盒",
        "3,003 张",
        "20 套\N{NO-BREAK SPACE}· 1,000 张",
    ]


@pytest.mark.slow
@pytest.mark.parametrize(("who", "screen"), ALL)
def test_the_filter_is_by_sheets_both_ends_count_and_the_largest_comes_first(
    client_as: ClientAs, three: list[str], who: str, screen: str
) -> None:
    sets, sheets, boxes = three
    browser = client_as(who)
    assert found(browser, screen, amount_since="1000") == [sheets, sets]
    assert found(browser, screen, amount_since="1,000", amount_until="１０００") == [sets]
    assert found(browser, screen, amount_until="3003") == [sheets, sets]
    assert found(browser, screen, amount_since="1000.00001", amount_until="3002.99999") == []
    column = "8" if screen == "register" else "5"
    assert found(browser, screen, amount_since="1", sort=column, desc="0") == [sets, sheets]
    assert found(browser, screen, sort=column, desc="1") == [sheets, sets, boxes]
    assert found(browser, screen, sort=column, desc="0") == [boxes, sets, sheets]


@pytest.mark.parametrize(("who", "screen"), ALL)
def test_a_list_in_the_order_of_a_range_says_so_unless_a_column_was_chosen(
    client_as: ClientAs, three: list[str], who: str, screen: str
) -> None:
    browser, by_amount, by_date = client_as(who), "按数量（张）从多到少排列", "按申请日期从新到旧排列"
    for asked, notes in (
        ("amount_since=1", [by_amount]), ("since=2000-01-01", [by_date]), ("", []), ("amount_since=1&sort=0", []),
        ("since=2000-01-01&amount_since=1", [by_date]), ("amount_since=99999", []),
    ):  # fmt: skip
        page = browser.get(f"/{screen}/?{asked}").text
        assert [note for note in (by_amount, by_date) if f"<span>{note}</span>" in page] == notes, asked


@pytest.mark.parametrize(("who", "screen"), ALL)
def test_an_amount_that_cannot_be_read_or_a_range_upside_down_finds_nothing_and_says_why(
    client_as: ClientAs, three: list[str], who: str, screen: str
) -> None:
    for asked, sentence in (
        ({"amount_since": "一千"}, "数"),
        ({"amount_since": "-5"}, "请填写大于 0 的数"),
        ({"amount_since": "9", "amount_until": "8"}, "最小数量大于最大数量，请核对。"),
    ):
        page = client_as(who).get(f"/{screen}/", query_string=asked).text
        assert sentence in "".join(re.findall(r'<em role="alert"[^>]*>(.*?)</em>', page))
        assert found(client_as(who), screen, **asked) == []


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_an_export_of_the_query_has_the_amounts(app: Flask, client_as: ClientAs, three: list[str], kind: str) -> None:
    """In words and as numbers, once each; the log has the query in words."""
    asked = "?amount_since=1&amount_until=1000"
    head, *rows = rows_of(client_as("national").get(f"/register/export/{kind}/{asked}"), kind)
    with app.app_context(), access.everything() as session:
        words = session.scalars(select(LogEntry.words).where(LogEntry.kind == "export")).all()
    assert words == ["数量（张）不少于：1；数量（张）不超过：1000"]
    found_row = dict(zip(head, rows[0], strict=True))
    assert len(rows) == 1
    assert (found_row["进口数量合计"], found_row["进口数量（张）"]) == ("20 套；1000 张", "1000")
    assert [name for name in head if "进口数量" in name] == ["进口数量合计", "进口数量（套）", "进口数量（张）"]
