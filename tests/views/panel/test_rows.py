"""The rows of a list: each has its own buttons, a number is found by its beginning, no page is beyond the last."""

import re

import pytest
from flask import Flask
from sqlalchemy import select

from models import clock, workflow
from models.acts.effects import EFFECTS, no_hindrance
from models.application import Application
from models.database import db
from models.vocabulary import Action
from tests.browsing import ClientAs
from tests.conftest import ActAs, MakeApplication
from tests.views.pages import numbers
from tests.views.panel.test_list_order import fill
from views import SCREENS
from views.panel import paging
from views.screens.filing import FilingScreen

BUTTON = re.compile(r'<button type="submit" form="act"[^>]*>')


@pytest.mark.slow
def test_every_button_of_a_list_acts_on_its_own_row(
    client_as: ClientAs, act_as: ActAs, make_application: MakeApplication
) -> None:
    """They are drawn once for all rows of a status."""
    keys = [make_application(status=status) for status in ("draft", "draft", "returned", "pending", "draft")]
    browser = client_as("publisher")
    with act_as("publisher"):
        rows = {str(row.id): (row.number, row.version) for row in db.session.scalars(select(Application))}
    for row in re.findall(r"<tr[^>]*>(.*?)</tr>", browser.get("/applications/").text, re.S):
        for button in BUTTON.findall(row):
            key = re.search(r'name="id" value="(\d+)"', button)
            assert key
            number, version = rows[key[1]]
            assert f">{number}<" in row
            assert f"?version={version}" in button
            assert re.findall(r"SQ\d+", button) in ([], [number], [number, number])
            rows.setdefault(f"seen {key[1]}", (number, version))
    assert len(rows) == 2 * len(keys)


@pytest.mark.parametrize("screen", [screen for screen, *_rest in SCREENS if issubclass(screen, FilingScreen)])
def test_the_acts_of_a_list_depend_on_the_status_alone(screen: type[FilingScreen]) -> None:
    for act in screen.acts:
        rule, effect = workflow.ACTS[act], EFFECTS[act]
        assert not (rule.once or rule.if_rejected)
        # 待审核 draws each row with an infected file by itself (`special`).
        assert effect.hindrance is no_hindrance or act is Action.GRANT


@pytest.mark.slow
def test_a_number_is_found_by_its_prefix_in_every_sort_order(
    app: Flask, client_as: ClientAs, act_as: ActAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where more are found than the pager reaches."""
    fill(app, act_as, 13)
    browser = client_as("publisher")
    every = numbers(browser.get("/applications/").text)
    assert len(every) == 13
    wanted = [number for number in every if number.startswith(every[0][:-1])]
    assert 1 < len(wanted) < 13
    for reach in (10_000, 2):
        monkeypatch.setattr(paging, "REACH", reach)
        for sort in ("", "&sort=0", "&sort=1", "&sort=3&desc=1"):
            page = browser.get(f"/applications/?page_size=100&number=%20{every[0][:-1].lower()}{sort}").text
            assert set(numbers(page)) == set(wanted), (reach, sort)
    assert numbers(browser.get("/applications/?number=SQ2_").text) == []
    assert numbers(browser.get("/applications/?number=%25").text) == []


@pytest.mark.slow
def test_a_number_is_found_by_the_digits_after_its_year(
    client_as: ClientAs, make_application: MakeApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As they are read on paper, with zeros or a dash before them or without, and in every year."""
    for _number in range(2):
        make_application()
    make_application(by="publisher2")
    years, later = (clock.today().year, clock.today().year + 1), clock.now().replace(year=clock.now().year + 1, day=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    for _number in range(12):
        make_application()
    browser = client_as("publisher")
    for typed in ("2", "002", "00000002", "-2", "－０００００２"):
        for sort in ("", "&sort=1", "&sort=3&desc=1"):
            page = browser.get(f"/applications/?number={typed}{sort}").text
            assert set(numbers(page)) == {f"SQ{year}00000002" for year in years}, (typed, sort)
    assert numbers(browser.get("/applications/?number=12").text) == [f"SQ{years[1]}00000012"]
    assert numbers(browser.get(f"/applications/?number={years[1]}00000012").text) == [f"SQ{years[1]}00000012"]
    assert len(numbers(browser.get(f"/applications/?number={years[1]}0000001").text)) == 3
    for nobodys in ("0", "13", "99999999", "000000002"):
        assert numbers(browser.get(f"/applications/?number={nobodys}").text) == [], nobodys
    assert numbers(client_as("publisher2").get("/applications/?number=2").text) == []


def test_a_page_beyond_the_end_shows_the_last_one(app: Flask, client_as: ClientAs, act_as: ActAs) -> None:
    fill(app, act_as, 23)
    browser = client_as("publisher")
    last = numbers(browser.get("/applications/?page_size=10&page=2").text)
    assert len(last) == 3
    for beyond in ("page=3", "page=900", "to=77"):
        answer = browser.get(f"/applications/?page_size=10&{beyond}").text
        assert numbers(answer) == last, beyond
        assert 'aria-current="page">3</a>' in answer, beyond
