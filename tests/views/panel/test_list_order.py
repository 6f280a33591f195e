"""The order and the rows of lists."""

import random
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import product

import pytest
from flask import Flask
from sqlalchemy import insert, select

from models import clock
from models.application import Application, keys_of
from models.database import db
from models.vocabulary import Status
from tests.apps import engine_of_owner, without_triggers
from tests.browsing import ClientAs
from tests.conftest import ActAs, MakeApplication
from tests.views.pages import numbers
from tests.views.panel.found_rows import NOW, found
from views.panel import paging


def fill(app: Flask, act_as: ActAs, count: int) -> None:
    """Drafts of the publisher, by Core: three titles, so that a sort by title has equals."""
    with act_as("publisher") as account:
        same = {"version": 1, "status": Status.DRAFT, "applicant_id": account.organisation_id}
        same |= {"applicant_name": "x", "applicant_code": "x", "created_at": clock.now(), "changed_at": clock.now()}
        titles = [f"第{n % 3}辑" for n in range(count)]
        rows = [
            same | {"number": f"SQ2025{n:08d}", "title": title} | keys_of("title", title)
            for n, title in enumerate(titles)
        ]
        with engine_of_owner(app).begin() as connection:
            connection.execute(insert(Application.__table__), rows)


@pytest.mark.slow
def test_pages_follow_one_another_without_gap_or_overlap(app: Flask, client_as: ClientAs, act_as: ActAs) -> None:
    fill(app, act_as, 45)
    browser = client_as("publisher")
    everything = {f"SQ2025{n:08d}" for n in range(45)}
    for question in ({}, {"sort": 1}, {"sort": 1, "desc": 1}, {"title": "第"}, {"sort": 4}):
        pages = [found(browser, page=page, **question) for page in range(4)]
        assert [len(page) for page in pages] == [20, 20, 5, 5]  # beyond the end: the last one
        assert set().union(*pages) == everything
    assert found(browser) == sorted(everything, reverse=True)[:20]
    assert found(browser, sort=0)[:2] == ["SQ202500000000", "SQ202500000001"]
    by_title = sorted(everything, key=lambda number: (int(number[6:]) % 3, number))
    assert found(browser, sort=1, page_size=50) == by_title  # where titles are equal, the number decides,
    assert found(browser, sort=1, desc=1, page_size=50) == by_title[::-1]  # in the same direction
    page = browser.get("/applications/?title=第1&page_size=10").text
    assert "共 15 条" in page
    assert len(numbers(page)) == 10
    for link in re.findall(r'href="([^"]*page=1[^"]*)"', page):
        assert "title=%E7%AC%AC1" in link
    assert found(browser, to=3) == found(browser, page=2)
    assert found(browser, to=999) == found(browser, page=2)
    assert 'aria-current="page">3</a>' in browser.get("/applications/?to=999").text
    assert len(found(browser, page_size=1000)) == 20  # a size that is not offered


@pytest.mark.slow
def test_each_list_shows_the_statuses_visible_to_its_reader(
    client_as: ClientAs, make_application: MakeApplication
) -> None:
    """Design 2.4: no draft in 全部申请, only issued ones in the nation's register, only pending ones in 待审核."""
    for status in Status:
        make_application(status=status)
    number = {status.value: f"SQ{clock.today().year}{n:08d}" for n, status in enumerate(Status, start=1)}
    reviewer, national = client_as("reviewer"), client_as("national")
    assert set(found(client_as("publisher"))) == set(number.values())
    assert set(found(reviewer, "filings")) == set(number.values()) - {number["draft"]}
    assert found(reviewer, "review") == [number["pending"]]
    issued = {number[status] for status in ("filed", "customs_received", "customs_failed", "revoked")}
    assert set(found(national, "register")) == issued
    for status in Status:  # a status that a reader never meets is not offered, and asking for it finds nothing
        for reader, screen, meets in (
            (reviewer, "filings", status is not Status.DRAFT),
            (national, "register", number[status] in issued),
        ):
            page = reader.get(f"/{screen}/?status={status}").text
            assert numbers(page) == ([number[status]] if meets else [])
            assert (f'value="{status}"' in page) is meets
    assert found(reviewer, "review", status="filed") == [number["pending"]]  # no such question there


@pytest.mark.slow
def test_the_application_that_is_due_first_comes_first_with_the_days_it_has_waited(
    client_as: ClientAs, make_application: MakeApplication, set_clock: Callable[[datetime], None]
) -> None:
    """DL4: days of Beijing, not of Greenwich; 23:30 and 00:30 are two days. Returning starts the wait anew, while the
    limit goes on: a resubmission is not put behind cases that can wait longer."""
    moments = [NOW.replace(day=22, hour=23, minute=30), NOW.replace(hour=0, minute=30), NOW - timedelta(days=30)]
    for moment in moments:
        set_clock(moment)
        make_application(status="pending")
    set_clock(NOW)
    page = client_as("reviewer").get("/review/").text
    assert numbers(page) == ["SQ202600000003", "SQ202600000001", "SQ202600000002"]
    assert re.findall(r'<td class="col-waited"[^>]*>(.*?)</td>', page) == ["30 天", "1 天", "今天"]
    key = int(re.findall(r"/review/details/\?id=(\d+)", page)[0])
    client_as("reviewer").post("/review/return/", data={"id": key, "opinion": "请补充"})
    client_as("publisher").post("/applications/submit/", data={"id": key})
    page = client_as("reviewer").get("/review/").text
    assert numbers(page) == ["SQ202600000003", "SQ202600000001", "SQ202600000002"]
    assert re.findall(r'<td class="col-waited"[^>]*>(.*?)</td>', page) == ["今天", "1 天", "今天"]


TITLES = [
    "12 首夜曲",
    "ＢＡＣＨ",
    "Beethoven",
    "《阿炳》",
    "长江之歌",
    "重庆",
    "西安",
    "先生",
    "银行",
    "中国",
]  # by pinyin


@pytest.mark.slow
def test_names_are_sorted_by_pinyin_and_statuses_in_workflow_order(
    app: Flask, client_as: ClientAs, act_as: ActAs
) -> None:
    """The same on both databases, whose own collations differ; backwards too."""
    states = [*Status, *Status][: len(TITLES)]
    with act_as("publisher") as account:
        same = {"version": 1, "applicant_id": account.organisation_id, "applicant_name": "x", "applicant_code": "x"}
        same |= {"created_at": clock.now(), "changed_at": clock.now()}
        rows = [
            same
            | {"number": f"SQ2025{n:08d}", "title": title, "publisher_name": title, "status": state}
            | keys_of("title", title)
            | keys_of("publisher_name", title)
            for n, (title, state) in enumerate(zip(TITLES, reversed(states), strict=True))
        ]
        db.session.rollback()  # PostgreSQL drops no trigger under a transaction that has read the table
        # Rows come with the status they ended in.
        with engine_of_owner(app).begin() as connection, without_triggers(connection):
            connection.execute(insert(Application.__table__), random.Random(1).sample(rows, len(rows)))
    browser, by_pinyin = client_as("publisher"), [row["number"] for row in rows]
    by_status = [row["number"] for row in sorted(rows, key=lambda row: list(Status).index(row["status"]))]
    for column in (1, 2):  # 商品名称, 出版单位
        assert found(browser, sort=column) == by_pinyin
        assert found(browser, sort=column, desc=1) == by_pinyin[::-1]
    shown = [rows[int(number[6:])]["status"] for number in found(browser, sort=4)]
    assert shown == [rows[int(number[6:])]["status"] for number in by_status]
    for status in Status:
        asked = found(browser, status=status.value)
        assert sorted(asked) == sorted(row["number"] for row in rows if row["status"] is status)


@pytest.mark.slow
def test_drafts_without_a_value_come_after_those_with_one_on_both_databases(
    app: Flask, client_as: ClientAs, act_as: ActAs, make_application: MakeApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By 申请日期, 数量, 商品名称 and 出版单位; descending before them; searched, and beyond the reach, too."""
    pending = [make_application(status="pending", title=f"第{n}辑") for n in (1, 2)]
    with act_as("publisher") as account:
        blank = {"version": 1, "status": Status.DRAFT, "applicant_id": account.organisation_id, "applicant_name": "x"}
        blank |= {"applicant_code": "x", "created_at": clock.now(), "changed_at": clock.now()}
        submitted = set(db.session.scalars(select(Application.number).where(Application.id.in_(pending))))
        with engine_of_owner(app).begin() as connection:
            connection.execute(insert(Application.__table__), [blank | {"number": f"SQ2025{n:08d}"} for n in (1, 2, 3)])
    browser = client_as("publisher")
    for reach in (10_000, 2):
        monkeypatch.setattr(paging, "REACH", reach)
        for column, asked in product((1, 2, 3, 5), ({}, {"number": "SQ"})):
            forwards = found(browser, sort=column, page_size=100, **asked)
            backwards = found(browser, sort=column, desc=1, page_size=100, **asked)
            assert set(forwards[:2]) == submitted and backwards == forwards[::-1], (column, asked)
