"""A saved query is renamed and deleted by its own page, not by one that was opened before it changed."""

import html
import re
from typing import Any

import pytest
from flask import Flask

from models import saved_queries
from tests.apps import engine_of_owner, is_on_sqlite
from tests.browsing import Browser, ClientAs
from tests.conftest import ActAs
from tests.views.pages import flashed, form_of
from tests.views.screens.test_saved_queries import offered, save_query


def rename(browser: Browser, key: int, name: str) -> int:
    """The status of the answer to the form of a saved query."""
    address = f"/queries/edit/?id={key}"
    return browser.post(address, data=form_of(browser.get(address).text, "card-box") | {"name": name}).status_code


def removals(browser: Browser) -> dict[int, str]:
    """Id → address of the button that deletes it, of the queries on the page."""
    found = re.findall(r'name="id" value="(\d+)" formaction="(/queries/remove/[^"]*)"', browser.get("/queries/").text)
    return {int(key): html.unescape(address) for key, address in found}


def test_a_saved_query_can_be_renamed_and_deleted(client_as: ClientAs) -> None:
    browser = client_as("publisher")
    save_query(browser, "退回")
    save_query(browser, "暂存", "status=draft")
    key = offered(browser.get("/applications/").text)["退回"]
    assert rename(browser, key, "暂存") == 422
    assert rename(browser, key, "待补正") == 302
    assert list(offered(browser.get("/applications/").text)) == ["待补正", "暂存"]
    address = removals(browser)[key]
    for _time in range(2):  # a double click
        assert flashed(browser.post(address, data={"id": key}, follow_redirects=True).text) == ["已删除。"]
    assert list(offered(browser.get("/applications/").text)) == ["暂存"]


def test_an_old_page_changes_no_query_that_got_the_number_of_a_deleted_one(
    app: Flask, client_as: ClientAs, act_as: ActAs
) -> None:
    """SQLite gives it again; so does PostgreSQL here, whose sequence is set back. Nor one that was renamed since."""
    browser = client_as("publisher")
    save_query(browser, "退回")
    key = offered(browser.get("/applications/").text)["退回"]
    edit, address = f"/queries/edit/?id={key}", removals(browser)[key]
    old = form_of(browser.get(edit).text, "card-box")
    browser.post(address, data={"id": key})
    if not is_on_sqlite(app):
        with act_as("publisher"), engine_of_owner(app).begin() as connection:
            connection.exec_driver_sql("ALTER SEQUENCE kept_query_id_seq RESTART")
    save_query(browser, "暂存", "status=draft")
    assert offered(browser.get("/applications/").text) == {"暂存": key}
    changed = "这个常用查询在页面打开以后已改名或删除，没有再改动，请刷新页面核对。"
    assert flashed(browser.post(address, data={"id": key}, follow_redirects=True).text) == [changed]
    assert changed in browser.post(edit, data=old | {"name": "待补正"}).text
    address = removals(browser)[key]
    assert rename(browser, key, "我的暂存") == 302
    assert flashed(browser.post(address, data={"id": key}, follow_redirects=True).text)[-1] == changed
    assert list(offered(browser.get("/applications/").text)) == ["我的暂存"]


@pytest.mark.parametrize("app", ["postgresql"], indirect=True)
@pytest.mark.parametrize("change", ["DELETE FROM kept_query", "UPDATE kept_query SET name = '别名'"])
def test_a_query_changed_while_a_request_waits_for_the_lock_is_not_changed_again(
    app: Flask, client_as: ClientAs, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """By another window. One that is deleted twice is no error: a double click."""
    browser = client_as("publisher")
    wait, changed = saved_queries.wait_for, "这个常用查询在页面打开以后已改名或删除，没有再改动，请刷新页面核对。"

    def wait_long(*words: Any) -> None:
        with engine_of_owner(app).begin() as connection:
            connection.exec_driver_sql(change)
        wait(*words)

    for act in ("rename", "remove"):
        save_query(browser, act)
        key = offered(browser.get("/applications/").text)[act]
        edit, address = f"/queries/edit/?id={key}", removals(browser)[key]
        form = form_of(browser.get(edit).text, "card-box") | {"name": "新名"}
        with monkeypatch.context() as patched:
            patched.setattr(saved_queries, "wait_for", wait_long)
            if act == "rename":
                assert changed in browser.post(edit, data=form).text
                browser.post(removals(browser).get(key, address), data={"id": key})
            else:
                told = flashed(browser.post(address, data={"id": key}, follow_redirects=True).text)
                assert told[-1] == ("已删除。" if "DELETE" in change else changed)
