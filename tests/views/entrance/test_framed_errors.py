"""Error pages keep bar and menu for signed-in users, and query nothing once the database may have failed."""

import io
import re
from typing import Any

import pytest
from flask import Flask, abort, request
from sqlalchemy import event

from models import access
from models.database import db
from models.workflow import Refused
from tests.browsing import ClientAs
from tests.cast import account_of
from tests.views.entrance.conftest import ReplaceView

LINE = re.compile(r'<li><a href="([^"]+)"')


def lines_of(page: str) -> list[str]:
    """The addresses of the menu of a page; [] for a page without one."""
    return LINE.findall(page.partition('<nav class="side"')[2].partition("</nav>")[0])


@pytest.mark.parametrize("username", ["publisher", "reviewer", "national", "operator"])
def test_every_error_page_has_the_menu_of_its_reader(
    replace_view: ReplaceView, client_as: ClientAs, username: str
) -> None:
    address = replace_view(lambda: abort(int(request.args["status"])))
    browser = client_as(username)
    own = lines_of(browser.get("/", follow_redirects=True).text)
    assert len(own) > 2
    for status in (400, 403, 404, 405, 413, 429, 500, 503):
        assert lines_of(browser.get(address, query_string={"status": status}).text) == own, status
    assert lines_of(browser.get("/nowhere/").text) == own
    stranger = client_as(None).get("/nowhere/").text
    assert lines_of(stranger) == [] and "没有找到这个页面" in stranger


def test_the_refusal_of_an_act_and_a_too_large_form_have_the_menu(
    replace_view: ReplaceView, client_as: ClientAs
) -> None:
    def refuse() -> None:
        raise Refused("当前状态为「待审核」，不能打印。")

    browser = client_as("publisher")
    assert lines_of(browser.get(replace_view(refuse)).text)
    assert lines_of(browser.post("/password", data={"current": "x" * 70_000}).text)
    file = {"kind": "contract", "file": (io.BytesIO(b"x" * (99 << 20)), "合同.pdf")}
    answer = browser.post("/applications/upload/", data=file)
    assert answer.status_code == 413 and lines_of(answer.text)


@pytest.mark.parametrize("status", [403, 409, 413, 429, 500, 503])
def test_the_frame_of_an_error_page_asks_the_database_nothing(
    app: Flask, replace_view: ReplaceView, client_as: ClientAs, status: int
) -> None:
    """The account that is shown was read before the error."""
    asked, failing = list[str](), list[bool]()

    def fail() -> None:
        failing.append(True)
        if status == 409:
            raise Refused("不能打印。")
        abort(status)

    def count(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if failing:
            asked.append(statement)

    address, browser = replace_view(fail), client_as("reviewer")
    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", count)
    try:
        page = browser.get(address)
    finally:
        event.remove(engine, "before_cursor_execute", count)
    assert page.status_code == status and lines_of(page.text) and asked == []


def test_an_account_that_must_change_its_password_gets_no_menu(app: Flask, client_as: ClientAs) -> None:
    browser = client_as("publisher")
    with app.app_context(), access.everything() as session:
        session.merge(account_of("publisher")).must_change = True
        session.commit()
    assert lines_of(browser.get("/nowhere/").text) == []
