"""Fixtures for tests of sign-in."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.serving import make_server

from models.sign_on.discovery import KNOWN
from tests.independent_portal import IndependentPortal, independent_portal_served
from tests.portal import PortalServer, Quiet, in_thread, portal_served
from tests.views.keys import ORIGIN

ReplaceView = Callable[[Callable[[], Any]], str]


@pytest.fixture
def webauthn_app(app: Flask) -> Flask:
    """The application at an address for which browsers offer security keys."""
    app.config["BASE_URL"] = ORIGIN
    return app


@pytest.fixture
def portal(webauthn_app: Flask, tmp_path: Path) -> Iterator[IndependentPortal]:
    """A conforming portal; the application is served so that it can report sign-outs to it."""
    ours = make_server("127.0.0.1", 0, webauthn_app, threaded=True, request_handler=Quiet)
    with independent_portal_served(tmp_path) as portal, in_thread(ours):
        webauthn_app.config.update(portal.settings())
        portal.register(ORIGIN, f"http://127.0.0.1:{ours.port}")
        KNOWN.clear()
        yield portal


@pytest.fixture
def faulty_portal(webauthn_app: Flask) -> Iterator[PortalServer]:
    """A portal that sends what no conforming one does."""
    with portal_served() as portal:
        webauthn_app.config.update(portal.settings())
        portal.client.redirect_uris = ["http://localhost/login/portal/return"]
        KNOWN.clear()
        yield portal


@pytest.fixture
def captcha_app(app: Flask) -> Flask:
    """The application with 验证码 switched on."""
    app.config["CAPTCHA"] = True
    return app


@pytest.fixture
def replace_view(app: Flask, monkeypatch: pytest.MonkeyPatch) -> ReplaceView:
    """`replace_view(view)`: replace the view of /password, and handle errors as in production; returns that address."""

    def at_an_address(view: Callable[[], Any]) -> str:
        app.config["PROPAGATE_EXCEPTIONS"] = False
        monkeypatch.setitem(app.view_functions, "password", view)
        return "/password"

    return at_an_address
