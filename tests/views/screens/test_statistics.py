"""统计 on the screen: what each role is shown, where each number leads, and the table as a file."""

import re
from collections.abc import Callable
from datetime import datetime
from html import unescape

import pytest
from flask import Flask

from models import clock
from models.vocabulary import Action
from tests.browsing import Browser, ClientAs
from tests.cast import create_application, perform_step
from tests.conftest import MakeApplication
from tests.views.pages import numbers

NOW = datetime(2026, 11, 23, 10, tzinfo=clock.SHANGHAI)
DIMENSIONS = ("month", "quarter", "publisher", "kind", "country")
CELL = re.compile(r"<t([hd])[^>]*>(?:<a href=\"([^\"]*)\">)?(.*?)(?:</a>)?</t\1>")


def figures(page: str) -> dict[str, dict[str, tuple[str, str]]]:
    """Name of the row → heading → (number, where it leads)."""
    table = re.search(r'<table[^>]*id="figures".*?</table>', page, re.DOTALL)
    assert table
    head, *lines = (CELL.findall(line) for line in re.findall(r"<tr>(.*?)</tr>", table[0], re.DOTALL))
    headings = [text for _kind, _link, text in head]
    return {
        line[0][2]: {
            name: (text, unescape(link)) for name, (_kind, link, text) in zip(headings[1:], line[1:], strict=True)
        }
        for line in lines
    }


@pytest.fixture
def cases_of_two_provinces(app: Flask, monkeypatch: pytest.MonkeyPatch, make_publisher: Callable[..., str]) -> None:
    """Two provinces: submitted on the 2nd, decided on the 5th of November 2026; one more a quarter before."""
    make_publisher("440000")
    monkeypatch.setattr(clock, "now", lambda: NOW.replace(month=8))
    create_application(app, status="filed")
    for by, step in (
        ("publisher", None), ("publisher", Action.GRANT), ("publisher", Action.DECLINE), ("publisher", Action.REFUSE),
        ("publisher440000", Action.GRANT), ("publisher440000", Action.GRANT),
    ):  # fmt: skip
        monkeypatch.setattr(clock, "now", lambda: NOW.replace(day=2))
        key = create_application(app, by=by, status="pending")
        monkeypatch.setattr(clock, "now", lambda: NOW.replace(day=5))
        if step:
            perform_step(app, step, key, by)
    perform_step(app, Action.REVOKE, key, "publisher440000")
    monkeypatch.setattr(clock, "now", lambda: NOW)


@pytest.mark.slow
def test_each_number_links_to_a_list_of_that_length(client_as: ClientAs, cases_of_two_provinces: None) -> None:
    """By every dimension, in the rows and in the total; amounts of discs lead to the certificates that they are of."""
    for who, dimensions in (("reviewer", DIMENSIONS), ("national", ("province", *DIMENSIONS))):
        browser = client_as(who)
        for dimension in dimensions:
            found, followed = figures(browser.get(f"/statistics/?dimension={dimension}").text), 0
            for name, row in found.items():
                for heading, (number, link) in row.items():
                    assert bool(link) is (number != "0" and "--" not in number), (who, dimension, name, heading)
                    if not link:
                        continue
                    listed, followed = numbers(browser.get(link).text), followed + 1
                    counts = number if "数" not in heading else row["准予备案"][0]
                    wanted = 3 if who == "reviewer" and "天数" in heading else int(counts)
                    assert len(listed) == wanted, (who, dimension, name, heading, link)
            assert followed >= 8, (who, dimension)


@pytest.mark.slow
def test_the_default_statistics_of_the_nation_are_this_quarter_by_province(
    client_as: ClientAs, cases_of_two_provinces: None
) -> None:
    """How many certificates, how many discs, this quarter, 江苏: without a single question."""
    found = figures(client_as("national").get("/statistics/").text)
    assert {name: text for name, (text, _link) in found["江苏省"].items()} == {
        "准予备案": "1", "作废": "0", "进口数量（张）": "1,000", "办结天数（中位数）": "3",
    }  # fmt: skip
    assert {name: text for name, (text, _link) in found["合计"].items()} == {
        "准予备案": "3", "作废": "1", "进口数量（张）": "3,000", "办结天数（中位数）": "3",
    }  # fmt: skip
    assert len(found) == 32 + ("台湾省" in found) * (len(found) - 32)
    assert found["西藏自治区"]["准予备案"] == ("0", "")


@pytest.mark.slow
def test_a_province_sees_its_own_figures_and_every_decision(client_as: ClientAs, cases_of_two_provinces: None) -> None:
    page = client_as("reviewer").get("/statistics/?province=440000&dimension=publisher").text
    found = figures(page)
    assert set(found) == {"江苏文艺音像出版社", "合计"}
    assert [text for text, _link in found["合计"].values()] == ["4", "1", "1", "1", "0", "1,000", "3"]
    assert "440000音像出版社" not in page
    assert 'name="province"' not in page


@pytest.mark.slow
def test_the_table_is_exported_with_its_total_and_period(client_as: ClientAs, cases_of_two_provinces: None) -> None:
    answer = client_as("national").get("/statistics/export/csv/?dimension=province&province=320000")
    assert answer.data.decode("utf-8-sig").splitlines() == [
        "省份,准予备案,作废,进口数量（张）,办结天数（中位数）",
        "江苏省,1,0,1000,3",
        "合计,1,0,1000,3",
        "期间：2026-10-01 至 2026-12-31；省份：江苏省,,,,",
    ]
    assert client_as("reviewer").get("/statistics/export/xlsx/").data[:2] == b"PK"
    assert client_as("reviewer").get("/statistics/export/pdf/").status_code == 404


def test_an_invalid_period_has_an_error_beside_its_field(client_as: ClientAs) -> None:
    browser = client_as("reviewer")
    for asked, sentence in (
        ("since=2026-12-01&until=2026-11-01", "起始日期晚于终止日期，请核对。"),
        ("since=2026-12-01", "请填写起始日期和终止日期。"),
        ("since=2000-01-01&until=2026-11-01", "一次最多统计 5 年，请缩短期间。"),
        ("since=2021-01-01&until=2026-01-01", "一次最多统计 5 年，请缩短期间。"),
        ("since=昨天&until=2026-11-01", "请按 2026-01-31 的格式填写日期。"),
    ):  # fmt: skip
        page = browser.get(f"/statistics/?{asked}").text
        assert (sentence in page, 'id="figures"' in page) == (True, False), asked
        assert browser.get(f"/statistics/export/csv/?{asked}").status_code == 302
    assert browser.get("/statistics/?dimension=province").text.count('id="figures"') == 0
    assert 'id="figures"' in browser.get("/statistics/?since=2021-01-01&until=2025-12-31").text


def test_publishers_and_operators_have_no_statistics(client_as: ClientAs) -> None:
    for who in ("publisher", "agent", "operator"):
        assert client_as(who).get("/statistics/").status_code == 403
        assert "/statistics/" not in client_as(who).get("/", follow_redirects=True).text


@pytest.mark.slow
def test_the_register_shows_and_filters_by_number_and_date_of_issue(
    client_as: ClientAs, make_application: MakeApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    """备案证明查询 and 全部申请: 签发日期 from a day to a day, both included, and 证明编号 in any usual spelling."""
    for day in (1, 3):
        monkeypatch.setattr(clock, "now", lambda day=day: NOW.replace(day=day))
        make_application(status="filed")
    one, two = (f"SQ2026{n:08d}" for n in (1, 2))
    for who, screen in (("national", "register"), ("reviewer", "filings")):
        browser = client_as(who)

        def found(browser: Browser = browser, screen: str = screen, **asked: str) -> list[str]:
            return numbers(browser.get(f"/{screen}/", query_string=asked).text)

        assert found(issued_since="2026-11-02") == [two]
        assert found(issued_until="2026-11-02") == [one]
        assert found(issued_since="2026-11-01", issued_until="2026-11-03") == [two, one]
        assert found(issued_since="2026-11-04", issued_until="2026-11-01") == []
        assert found(act="revoke") == []
        assert found(act="decided", acted_since="2026-11-02") == [two]
        assert found(country="德国") == found(country="DEU") == [two, one]
        assert found(country="德国国") == []
        assert found(kind="DVD") == found(publisher_code="91320000134700202X") == []
    page = client_as("national").get("/register/").text
    number = re.findall(r"Z32\w+", page)
    assert len(set(number)) == 2
    assert "2026-11-03" in page
    assert numbers(client_as("reviewer").get(f"/filings/?certificate={number[0].lower()}").text) == [two]
