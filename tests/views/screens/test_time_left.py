"""The working days left stand below the status of each pending application in every list, at a bounded cost."""

import re
from datetime import datetime

import pytest
from flask import Flask
from sqlalchemy import event

from models import clock
from models.database import db
from models.vocabulary import Status
from tests.browsing import ClientAs
from tests.conftest import MakeApplication
from tests.dates import SetDay
from tests.dates import set_day as set_day
from tests.views.panel.exported import rows_of
from views.translations import COOKIE

LISTS = {"publisher": "/applications/", "reviewer": "/filings/"}
LEFT = re.compile(r'<span class="badge badge-\w+">([^<]*)</span><small class="left left-(\w+)"[^>]*>([^<]*)</small>')


@pytest.mark.slow
def test_applicant_and_province_read_the_words_of_the_desk(
    client_as: ClientAs, make_application: MakeApplication, set_day: SetDay
) -> None:
    """20 working days after 2 March 2026 are over on 30 March."""
    set_day(3, 2)
    make_application(status="pending")
    for day, tone, words in (
        ((3, 2), "light", "还剩 20 个工作日"),
        ((3, 25), "warning", "还剩 3 个工作日"),
        ((3, 30), "warning", "今天到期"),
        ((4, 2), "danger", "已超期 3 个工作日"),
    ):
        set_day(*day)
        for who, address in LISTS.items():
            page = client_as(who).get(address).text
            assert LEFT.findall(page) == [("待审核", tone, words)], (who, day)
            assert 'data-label="办结期限" title="2026-03-30"' in page
            assert words in client_as(who).get("/desk/").text


@pytest.mark.slow
def test_other_applications_have_no_time_left(client_as: ClientAs, make_application: MakeApplication) -> None:
    for status in set(Status) - {Status.PENDING, Status.RETURNED}:
        make_application(status=status)
    for who, address in (LISTS | {"national": "/register/"}).items():
        page = client_as(who).get(address).text
        assert "badge-" in page and 'class="left' not in page, who


def test_a_returned_application_says_that_its_time_has_stopped(
    client_as: ClientAs, make_application: MakeApplication
) -> None:
    make_application(status="returned")
    for who, address in LISTS.items():
        page = client_as(who).get(address).text
        assert LEFT.findall(page) == [("退回", "light", "时限已停止")], who


def test_the_nation_sees_no_pending_application(client_as: ClientAs, make_application: MakeApplication) -> None:
    make_application(status="pending")
    assert "待审核</span>" not in client_as("national").get("/register/").text


def test_a_due_date_beyond_the_calendar_is_marked_as_an_estimate(
    client_as: ClientAs, make_application: MakeApplication, set_day: SetDay
) -> None:
    set_day(12, 21)
    make_application(status="pending")
    publisher = client_as("publisher")
    page = publisher.get("/applications/").text
    assert LEFT.findall(page) == [("待审核", "light", "还剩 20 个工作日（暂估）")]
    assert "2027 年的放假安排尚未登记" in page
    publisher.set_cookie(COOKIE, "en")
    assert "Working days left: 20 (estimated)</small>" in publisher.get("/applications/").text


def test_days_overdue_since_a_former_year_are_counted_with_its_holidays(
    client_as: ClientAs, make_application: MakeApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Due on Sunday 28 September 2025, a working day: 63 more in 2025, and 21 in 2026 up to 30 January."""
    days = [datetime(2025, 9, 1, 10, tzinfo=clock.SHANGHAI), datetime(2026, 1, 30, 10, tzinfo=clock.SHANGHAI)]
    monkeypatch.setattr(clock, "now", lambda: days[0])
    make_application(status="pending")
    days.pop(0)
    for who, address in LISTS.items():
        assert LEFT.findall(client_as(who).get(address).text) == [("待审核", "danger", "已超期 84 个工作日")]


def test_the_calendar_is_read_once_for_a_page_and_not_at_all_without_a_pending_row(
    app: Flask, client_as: ClientAs, make_application: MakeApplication
) -> None:
    statements: list[str] = []
    make_application(status="returned")
    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    browsers = {who: client_as(who) for who in LISTS}
    counts: list[list[int]] = []
    for more in (0, 1, 2):
        for _time in range(more):
            make_application(status="pending")
        counts.append([])
        for who, address in LISTS.items():
            browsers[who].get(address)
            statements.clear()
            assert browsers[who].get(address).text.count('class="left') == 1 + (0, 1, 3)[more]  # 1: returned
            assert sum("calendar_day" in each for each in statements) == (0, 1, 1)[more]
            counts[-1].append(len(statements))
    assert counts[1] == counts[2]


@pytest.mark.slow
def test_an_export_has_the_status_alone(client_as: ClientAs, make_application: MakeApplication) -> None:
    make_application(status="pending")
    for who, address in LISTS.items():
        heads, row, *_rest = rows_of(client_as(who).get(f"{address}export/csv/"), "csv")
        assert row[heads.index("数据状态")] == "待审核"
        assert not any("工作日" in cell for cell in row)
