"""本月, 上季度, 去年, 近 30 天 … in a date range move with the calendar, saved or not."""

import re
from datetime import date

import pytest
from flask import Flask
from werkzeug.datastructures import MultiDict

from models import clock
from tests.browsing import ClientAs
from tests.conftest import MakeApplication
from tests.views.pages import form_of, numbers
from views.panel import periods
from views.panel.query import OwnQuery
from views.panel.query_words import in_words
from views.translations import COOKIE


@pytest.mark.parametrize(
    ("word", "today", "since", "until"),
    [
        ("本月", "2024-02-10", "2024-02-01", "2024-02-29"),
        ("上月", "2026-01-31", "2025-12-01", "2025-12-31"),
        (" 本 季度\u200b", "2026-11-27", "2026-10-01", "2026-12-31"),
        ("上季度", "2026-01-31", "2025-10-01", "2025-12-31"),
        ("去年", "2026-11-27", "2025-01-01", "2025-12-31"),
        ("今年", "2026-11-27", "2026-01-01", "2026-12-31"),
        ("近30天", "2026-03-01", "2026-01-31", "2026-03-01"),
        ("近 30 天", "2026-03-01", "2026-01-31", "2026-03-01"),
        ("last-month", "2026-03-31", "2026-02-01", "2026-02-28"),
        ("This month", "2024-02-10", "2024-02-01", "2024-02-29"),
    ],
)
def test_a_period_word_means_days_relative_to_today(
    app: Flask, monkeypatch: pytest.MonkeyPatch, word: str, today: str, since: str, until: str
) -> None:
    monkeypatch.setattr(clock, "today", lambda: date.fromisoformat(today))
    with app.test_request_context():
        assert periods.period_of(word) == (date.fromisoformat(since), date.fromisoformat(until))


def test_a_saved_period_moves_with_the_calendar(
    client_as: ClientAs, make_application: MakeApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The field of the last day stays blank, so that the next 查询 has the same parameters."""
    make_application(status="pending")
    browser = client_as("publisher")
    page = browser.get("/applications/?since=本月").text
    assert len(numbers(page)) == 1
    assert re.findall(r'name="(since|until)"[^>]*value="(.*?)"', page) == [("since", "本月"), ("until", "")]
    form = form_of(page, "save-query") | {"name": "本月的"}
    browser.post("/queries/keep/", data=form)
    page = browser.get("/applications/").text
    (where,) = re.findall(r'href="(/queries/ask/\?id=\d+)" title="申请日期：本月"', page)
    assert "since=%E6%9C%AC%E6%9C%88" in browser.get(where).location
    year = clock.today().year + 1
    monkeypatch.setattr(clock, "today", lambda: date(year, 6, 15))
    assert numbers(browser.get(where, follow_redirects=True).text) == []
    assert "起始日期晚于终止日期" in browser.get("/applications/?since=本月&until=2020-01-01").text


def test_a_period_as_the_last_day_means_its_last_day(client_as: ClientAs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "today", lambda: date(2026, 11, 27))
    with client_as("publisher").application.test_request_context():
        asked = {"since": "上季度", "until": "Last month"}
        form = OwnQuery(MultiDict(asked))
        assert (form.since.data, form.until.data) == (date(2026, 7, 1), date(2026, 10, 31))
        assert in_words(form) == "申请日期起：上季度；申请日期止：上月"
        assert OwnQuery(MultiDict({"until": "去年"})).until.data == date(2025, 12, 31)


def test_a_saved_period_is_recognised_in_both_languages(client_as: ClientAs) -> None:
    """After switching the language the saved query is recognised and shown in the new language."""
    browser = client_as("publisher")
    form = form_of(browser.get("/applications/?since=本月").text, "save-query") | {"name": "月"}
    browser.post("/queries/keep/", data=form)
    for language, typed, words in (("en", "This month", "This month"), ("zh", "This month", "本月")):
        browser.set_cookie(COOKIE, language)
        page = browser.get(f"/applications/?since={typed}").text
        assert 'class="save-query"' not in page
        assert re.search(rf'title="[^"]*{words}" aria-current="true"', page)


def test_a_period_is_shown_in_the_language_of_its_reader(client_as: ClientAs) -> None:
    """Independent of the language in which it was typed or saved."""
    browser = client_as("publisher")
    for language, typed, shown in (
        ("zh", "This month", "本月"),
        ("en", "本月", "This month"),
        ("en", "month", "This month"),
    ):
        browser.set_cookie(COOKIE, language)
        page = browser.get(f"/applications/?since={typed}").text
        assert re.findall(r'name="since"[^>]*value="(.*?)"', page) == [shown]
