"""A database failure during a request: a message, an incident number, and the typed text is returned."""

import re
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, event, select
from werkzeug.test import TestResponse

from app import create_app
from models import access
from models.application import Application
from models.database import db
from tests.browsing import signed_in
from tests.conftest import MakeApplication
from tests.serving import SHARED
from tests.views.pages import form_of
from views.entrance import security

SENTENCE = "系统暂时无法访问数据库，请稍后重试"
LONG = "写了很久的内容" * 250
OWN_ORIGIN = {"Origin": "http://localhost"}


class Cable:
    """A proxy before PostgreSQL; `cut()` ends all connections and refuses new ones."""

    def __init__(self) -> None:
        self.listener, self.is_cut = socket.create_server(("127.0.0.1", 0)), False
        self.port, self.sockets = self.listener.getsockname()[1], list[socket.socket]()
        Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        while True:
            try:
                client, _address = self.listener.accept()
            except OSError:
                return
            if self.is_cut:
                client.close()
                continue
            server = socket.create_connection(("127.0.0.1", 5432))
            self.sockets += [client, server]
            for one, other in ((client, server), (server, client)):
                Thread(target=self.forward, args=(one, other), daemon=True).start()

    def forward(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(1 << 16):
                other.sendall(data)

    def cut(self) -> None:
        self.is_cut = True
        for each in self.sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        self.is_cut = False


@dataclass
class Failing:
    """The application on the database of the test, which fails; `mend()` ends fail().

    `fail()`: PostgreSQL loses every connection; SQLite may not take another page (SQLITE_FULL, as on a full disk).
    `go_away()`: reading fails, too.
    """

    app: Flask
    fail: Callable[[], None]
    mend: Callable[[], None]
    go_away: Callable[[], None]


@pytest.fixture
def failing_database(app: Flask) -> Iterator[Failing]:
    cable = Cable()
    settings = {name: app.config[name] for name in (*SHARED, "CAPTCHA")}
    settings["SQLALCHEMY_DATABASE_URI"] = settings["SQLALCHEMY_DATABASE_URI"].replace(":5432", f":{cable.port}")
    other = create_app(settings)
    with other.app_context():
        engine = db.engine
    if engine.dialect.name == "sqlite":
        yield limited(other, engine)
        with suppress(OSError):
            Path(str(engine.url.database)).rmdir()  # of go_away()
    else:
        yield Failing(other, cable.cut, cable.mend, cable.cut)
    engine.dispose()
    cable.listener.close()


def limited(app: Flask, engine: Engine) -> Failing:
    """On SQLite."""
    most = {"pages": 1 << 30}

    def limit(connection: Any, *_rest: object) -> None:
        connection.execute(f"PRAGMA max_page_count={most['pages']}")

    def go_away() -> None:
        """Where the file was there is a folder now; the next test puts its own file there."""
        engine.dispose()
        file = Path(str(engine.url.database))
        file.unlink()
        file.mkdir()

    event.listen(engine, "checkout", limit)
    return Failing(app, lambda: most.update(pages=1), lambda: most.update(pages=1 << 30), go_away)


def given_back(page: str) -> dict[str, str]:
    pairs = re.findall("<dt>(.*?)</dt><dd>(.*?)</dd>", page, re.S)
    return {unescape(label): unescape(text) for label, text in pairs}


def filled(browser: FlaskClient, address: str) -> dict[str, str]:
    """The form at this address, with a long text; 进口口岸 has its names in the database."""
    return form_of(browser.get(address).text) | {"title": "重要的题名", "summary": LONG, "port": "0201"}


def check_page(answer: TestResponse) -> None:
    page = answer.text
    assert answer.status_code == 503, page
    assert SENTENCE in page
    assert re.search("事件编号 <b>[0-9A-F]{8}</b>", page)
    assert given_back(page)["商品名称"] == "重要的题名"
    assert given_back(page)["内容简介"] == LONG


@pytest.mark.slow
@pytest.mark.parametrize("blank", [True, False])
def test_a_failed_save_returns_the_typed_text(
    failing_database: Failing, make_application: MakeApplication, blank: bool
) -> None:
    """The same page sends it again: then it is saved, once."""
    key = 0 if blank else make_application()
    address = "/applications/new/" if blank else f"/applications/edit/?id={key}"
    browser = signed_in(failing_database.app, "publisher")
    form = filled(browser, address)
    failing_database.fail()
    answer = browser.post(address, data=form, headers=OWN_ORIGIN)
    check_page(answer)
    assert int(answer.headers["Retry-After"]) > 0
    again = form_of(answer.text, "again")
    assert again == form
    failing_database.mend()
    assert browser.post(address, data=again, headers=OWN_ORIGIN).status_code == 302
    with failing_database.app.app_context(), access.everything() as session:
        assert session.scalars(select(Application.summary)).all() == [LONG]


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["before_cursor_execute", "commit", "before_flush"])
def test_a_database_failure_at_any_statement_returns_the_typed_text(
    failing_database: Failing, make_application: MakeApplication, moment: str
) -> None:
    """At each statement of a save in turn, at its flush and at its commit."""
    browser = signed_in(failing_database.app, "publisher")
    key = make_application()
    address = f"/applications/edit/?id={key}"
    with failing_database.app.app_context():
        target = db.session if moment == "before_flush" else db.engine
    tried, broken = 0, True
    while broken and tried < 40:
        form = filled(browser, address) | {"summary": LONG, "title": "重要的题名", "phone": str(tried)}
        left = [tried]

        def count(*_arguments: object, left: list[int] = left) -> None:
            if left[0] == 0:
                failing_database.fail()
            left[0] -= 1

        event.listen(target, moment, count)
        answer = browser.post(address, data=form, headers=OWN_ORIGIN)
        event.remove(target, moment, count)
        failing_database.mend()
        broken, tried = left[0] < 0, tried + 1
        if answer.status_code != 302:
            check_page(answer)
    assert tried > 1
    assert answer.status_code == 302


@pytest.mark.slow
def test_every_page_says_that_the_database_is_unavailable(failing_database: Failing) -> None:
    browser = signed_in(failing_database.app, "publisher")
    browser.get("/applications/")
    failing_database.go_away()
    for address in ("/applications/", "/verify/Z32202600000153?code=AAAA-BBBB-CCCC", "/verify/Z32202600000153"):
        answer = browser.get(address)
        assert (answer.status_code, SENTENCE in answer.text) == (503, True), address
        assert int(answer.headers["Retry-After"]) > 0
    script = browser.get("/applications/", headers={"X-Requested-With": "XMLHttpRequest"})
    assert script.status_code == 503
    assert {"message", "incident"} <= set(script.json)


@pytest.mark.slow
def test_the_error_page_without_a_template_contains_the_typed_text(
    failing_database: Failing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a template, as a last resort."""

    def broken(*_names: object, **_values: object) -> str:
        raise RuntimeError

    browser = signed_in(failing_database.app, "publisher")
    form = filled(browser, "/applications/new/") | {"title": "重要的题名", "carriers-0-note": "<b>粗</b>"}
    failing_database.fail()
    monkeypatch.setattr(security, "render_template", broken)
    answer = browser.post("/applications/new/", data=form, headers=OWN_ORIGIN)
    check_page(answer)
    assert given_back(answer.text)["载体信息第 1 行 备注"] == "<b>粗</b>"
    assert "<b>粗" not in answer.text
