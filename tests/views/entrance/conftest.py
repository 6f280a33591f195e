"""Fixtures for tests of sign-in."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask

from models.sign_on.discovery import KNOWN
from tests.portal import PortalServer, portal_served
from tests.views.keys import ORIGIN

ReplaceView = Callable[[Callable[[], Any]], str]


@pytest.fixture
def webauthn_app(app: Flask) -> Flask:
    """The application at an address for which browsers offer security keys."""
    app.config["BASE_URL"] = ORIGIN
    return app


@pytest.fixture
def portal(webauthn_app: Flask) -> Iterator[PortalServer]:
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
