"""Counts of lists: exact up to the reach of the pager; what is far beyond it is not counted again for some minutes."""

import pytest
from flask import Flask

from tests.browsing import Browser, ClientAs
from tests.conftest import ActAs
from tests.views.pages import numbers
from tests.views.panel.test_list_order import fill
from tests.views.panel.test_plans import statements
from views.panel import counting, paging


def counts(app: Flask, browser: Browser, address: str) -> int:
    """How many statements of this page count applications of the list."""
    with statements(app) as asked:
        assert browser.get(address).status_code == 200
    parts = ("FROM (SELECT application.id", "FROM (SELECT 1", "OVER ()", "FROM (SELECT search.rowid")
    return sum(
        "count(*)" in sql and "notification" not in sql and any(part in sql for part in parts) for sql, _ in asked
    )


def test_a_count_far_beyond_the_reach_is_remembered_for_this_question(
    app: Flask, client_as: ClientAs, act_as: ActAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(app, act_as, 13)
    browser = client_as("publisher")
    for reach, spare, again in ((10_000, 1000, 1), (8, 6, 1), (8, 5, 0)):
        monkeypatch.setattr(paging, "REACH", reach)
        monkeypatch.setattr(counting, "SPARE", spare)
        assert counts(app, browser, "/applications/") == 1, reach
        assert counts(app, browser, "/applications/?page=0&sort=1") == again, (reach, spare)
    assert counts(app, browser, "/applications/?status=draft") == 1
    assert counts(app, client_as("publisher2"), "/applications/") == 1
    monkeypatch.setattr(counting, "SECONDS", -1)
    assert counts(app, browser, "/applications/?status=draft&number=SQ") == 1
    assert counts(app, browser, "/applications/?status=draft&number=SQ") == 1


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
