"""What pages say after an act is in the language of its reader: flashed sentences, and 消息 about the act."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask, message_flashed

from tests.browsing import Browser
from tests.views.pages import form_of
from tests.views.screens.acts_done import WORDS, act
from tests.views.screens.filled_forms import fill
from tests.views.screens.saved_forms import opened, save
from tests.views.test_records_in_chinese import reading
from tests.views.walking import READERS, furnish
from tests.views.words_of_pages import chinese_in, data_in, words_of

pytestmark = [pytest.mark.slow, pytest.mark.parametrize("app", ["sqlite"], indirect=True)]
AGENT = "91320000567800303F"
TYPED = ["复核", "新词", "国庆", "停机维护", WORDS]  # in acts that may be refused, so that no table has them
CHOICES = re.compile(r"<any\(([^)]*)\):\w+>")
LEAVING = re.compile("^/(login|logout|password|verify|witness|visits|online)")
Flashes = list[str]


@pytest.fixture
def flashes(app: Flask) -> Iterator[Flashes]:
    """Every sentence that the test's requests flash, in order."""
    found: Flashes = []

    def note(_sender: Flask, message: Any, **_more: Any) -> None:
        found.append(str(message))

    with message_flashed.connected_to(note, app):
        yield found


def addresses(app: Flask) -> Iterator[str]:
    """Every address that takes a POST, once for each act in it."""
    for rule in app.url_map.iter_rules():
        if "POST" in (rule.methods or ()) and not LEAVING.match(rule.rule):
            acts = CHOICES.search(rule.rule)
            for each in acts[1].replace("'", "").split(", ") if acts else [""]:
                yield CHOICES.sub(each, rule.rule)


def test_whatever_is_posted_the_answer_is_flashed_in_english(app: Flask, flashes: Flashes) -> None:
    """Every act on an application in each status, and every other form with one row's id: done or refused."""
    keys, data = furnish(app), data_in(app)
    for username in ("publisher", "reviewer", "national", "operator"):
        browser = reading(app, username, "en")
        for address in addresses(app):
            screen = address.split("/")[1]
            of_application = screen in (*READERS.values(), "review")
            for key in keys.values() if of_application else [1]:
                browser.post(address, query_string={"id": key}, data={"id": key, "opinion": WORDS, "name": "新词"})
    data = [*data, *data_in(app), *TYPED]
    assert len(set(flashes)) > 40
    assert [each for each in dict.fromkeys(flashes) if chinese_in(each, data)] == []


def publisher_works(browser: Browser, keys: dict[str, int]) -> None:
    """Saves, submits what lacks something, withdraws, copies, deletes; 常用查询, an API key, an invitation."""
    key = keys["draft"]
    form = opened(browser, key)
    save(browser, key, form | {"isbn": "9787885182107", "carriers-0-quantity": "一千"})
    save(browser, key, opened(browser, key) | {"_submit": "1"})
    save(browser, key, opened(browser, key) | {"carriers-0-quantity": "1000", "_submit": "1"})
    for action in ("withdraw", "delete"):
        act(browser, "applications", action, key)
    browser.post("/applications/copy/", data={"id": keys["revoked"]})
    browser.post("/applications/duplicate/", data={"id": keys["filed"]})
    for asked in ("title=x", ""):
        browser.post("/queries/keep/", data={"screen": "applications", "asked": asked, "name": "复核"})
    browser.post("/apikeys/make/", data={"name": "复核", "days": "10", "networks": ""})
    browser.post("/apikeys/end/", data={"id": 99})
    fill(browser, "/entrusting/new/", agent=AGENT, since="2026-01-01", until="2099-12-31")
    browser.post("/messages/read-all/")


def reviewer_works(browser: Browser, keys: dict[str, int]) -> None:
    """Takes, puts back, extends, returns, also without an opinion; settings of the province, 常用意见, the feed."""
    key = keys["pending"]
    for action, more in (("take", {}), ("put_back", {}), ("return", {"opinion": ""}), ("extend", {}), ("return", {})):
        act(browser, "review", action, key, **more)
    browser.post("/review/together/grant/", data={"pick": key})
    browser.post("/province/", data=form_of(browser.get("/province/").text, "card-box"))
    browser.post("/province/opinions/add/", data={"act": "return", "text": "新词"})
    for how in ("renew", "stop"):
        browser.post(f"/messages/feed/{how}/")


def operator_works(browser: Browser, _keys: dict[str, int]) -> None:
    """Accounts, the calendar, an announcement."""
    fill(browser, "/accounts/new/", username="newcomer", name="复核", role="national")
    browser.post("/accounts/reset/", data={"id": 1})
    for day in ("2031-10-01", "2031-10-01", "x"):
        browser.post("/calendar/new/", data={"day": day, "kind": "off", "name": "国庆"})
    browser.post("/announcements/new/", data=form_of(browser.get("/announcements/new/").text, "card-box"))
    browser.post("/calendar/import/", data={})


@pytest.mark.parametrize(
    ("username", "works"),
    [("publisher", publisher_works), ("reviewer", reviewer_works), ("operator", operator_works)],
)
def test_a_day_of_work_is_answered_in_english(app: Flask, flashes: Flashes, username: str, works: Any) -> None:
    keys, browser = furnish(app), reading(app, username, "en")
    data = data_in(app)
    works(browser, keys)
    data = [*data, *data_in(app), *TYPED]
    assert len(flashes) >= 5
    assert [each for each in flashes if chinese_in(each, data)] == []
    assert chinese_in(browser.get("/messages/?page_size=100").text, data) == []


def test_messages_about_keys_and_entrustments_are_in_english(app: Flask) -> None:
    """Their details are stored in Chinese; the names in them stay."""
    browser = reading(app, "publisher2", "en")
    browser.post("/apikeys/make/", data={"name": "综合平台", "days": "10", "networks": ""})
    fill(browser, "/entrusting/new/", agent=AGENT, since="2026-01-01", until="2027-12-31")
    words = " ".join(words_of(browser.get("/messages/").text))
    assert "API key “综合平台”" in words
    assert "南京光盘进出口有限公司" in words and "委托" not in words
