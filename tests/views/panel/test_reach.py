"""A search finds the same rows whether their number is read with the page, before it, or is beyond the reach."""

import pytest
from flask import Flask

from tests.apps import is_on_sqlite
from tests.browsing import ClientAs
from tests.conftest import ActAs
from tests.views.pages import numbers
from tests.views.panel.test_list_order import fill
from views.panel import paging
from views.screens import filing_order


@pytest.mark.slow
def test_a_search_finds_the_same_rows_within_and_beyond_the_reach(
    app: Flask, client_as: ClientAs, act_as: ActAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In every order, on every page, also one beyond the last, which shows the last."""
    fill(app, act_as, 23)
    browser, asked = client_as("publisher"), "/applications/?page_size=10&title=2"
    every = numbers(browser.get("/applications/?page_size=100").text)
    for sort in ("", "&sort=1", "&sort=1&desc=1", "&sort=3"):
        found = numbers(browser.get(f"/applications/?page_size=100&title=2{sort}").text)
        assert sorted(found) == sorted(number for number in every if int(number[-2:]) % 3 == 2)
        for reach in (10_000, 6):
            monkeypatch.setattr(paging, "REACH", reach)
            assert numbers(browser.get(f"{asked}{sort}&page=0").text)[: len(found)] == found, (sort, reach)
            assert numbers(browser.get(f"{asked}{sort}&page=7").text) == found, (sort, reach)
    assert numbers(browser.get("/applications/?title=鼍").text) == []


@pytest.mark.slow
def test_titles_are_counted_up_to_fewer_rows_on_postgresql(
    app: Flask, client_as: ClientAs, act_as: ActAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reads each row that it counts; SQLite counts them in the index, and both count other lists there."""
    fill(app, act_as, 23)
    monkeypatch.setattr(filing_order, "MOST_TITLES", 6)
    browser = client_as("publisher")
    every = numbers(browser.get("/applications/?page_size=100&title=2").text)
    assert len(every) > 6
    page = browser.get("/applications/?title=2&page_size=10").text
    assert f"共 {len(every) if is_on_sqlite(app) else '6+'} 条" in page
    assert numbers(page) == every[:10]
    assert "共 6+ 条" not in browser.get("/applications/?status=draft").text
