"""The application really served, and Chromium in front of it."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest
from flask import Flask
from playwright.sync_api import Browser, expect, sync_playwright
from werkzeug.serving import WSGIRequestHandler, make_server

from tests.browser.person import PATIENCE, Person
from tests.serving import Server

# The one without windows takes a quarter of the processor time, and neither shows a PDF nor prints.
CHROMIUM, HEADLESS = "/usr/bin/chromium", "/usr/bin/chromium-headless-shell"
in_whole_chromium = pytest.mark.parametrize("chromium", [CHROMIUM], indirect=True)
expect.set_options(timeout=PATIENCE)

BrowseAs = Callable[..., Person]


@pytest.fixture(scope="module")
def chromium(request: pytest.FixtureRequest) -> Iterator[Browser]:
    """One Chromium for a module; where there is none its tests are skipped, on CI they fail."""
    program = getattr(request, "param", HEADLESS)
    if not Path(program).exists():
        if os.environ.get("CI"):
            pytest.fail(f"{program} is missing: install the package {Path(program).name}")
        pytest.skip(f"{program} is missing: the tests in a browser are left out")
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=program, args=flags)
        yield browser
        browser.close()


class Quiet(WSGIRequestHandler):
    """A request handler without access log."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log no requests."""


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    """Where the application is served, 验证码 and all, for as long as the test takes."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    where = f"http://localhost:{server.port}"  # a name: browsers offer keys for no address without one
    app.config.update(CAPTCHA=True, BASE_URL=where, AUTOSAVE_SECONDS=0)  # no autosave during a test
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield where
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def browse_as(app: Flask, address: str, chromium: Browser) -> Iterator[BrowseAs]:
    """`browse_as("reviewer")`: that person, signed in, at their first list; `browse_as()`: nobody, at the login page.

    The test fails at its end if one of these browsers reported an error.
    """
    with visitors(app, address, chromium) as browse:
        yield browse


@pytest.fixture
def browse_server_as(served: Server, chromium: Browser) -> Iterator[BrowseAs]:
    """As `browse_as`, with the application behind gunicorn (fixture `served`: the rows stay for the next test)."""
    with visitors(served.app, served.address, chromium) as browse:
        yield browse


@contextmanager
def visitors(app: Flask, address: str, chromium: Browser) -> Iterator[BrowseAs]:
    """A person in a browser at this address; fails at the end if a browser reported an error."""
    people: list[Person] = []

    def browse(username: str = "", width: int = 1360, height: int = 900, density: float = 1) -> Person:
        person = Person(app, address, chromium, width, height, density)
        people.append(person)
        if username:
            person.enter(username)
            person.open_list()
        return person

    yield browse
    complaints = [complaint for person in people for complaint in person.complaints]
    for person in people:
        person.context.close()
    assert not complaints
