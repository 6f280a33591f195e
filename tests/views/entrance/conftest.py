"""What the tests of signing in with a key stand on."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from tests.views.keys import ORIGIN

Put = Callable[[Callable[[], Any]], str]


@pytest.fixture
def house(app: Flask) -> Flask:
    """The application at an address where browsers offer keys."""
    app.config["BASE_URL"] = ORIGIN
    return app


@pytest.fixture
def asking(app: Flask) -> Flask:
    """The application with 验证码 switched on."""
    app.config["CAPTCHA"] = True
    return app


@pytest.fixture
def put(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Put:
    """Puts another view behind an address of the house; errors are answered as they are in production."""

    def at_an_address(view: Callable[[], Any]) -> str:
        app.config["PROPAGATE_EXCEPTIONS"] = False
        monkeypatch.setitem(app.view_functions, "password", view)
        return "/password"

    return at_an_address
