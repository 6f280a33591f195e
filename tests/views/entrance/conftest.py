"""What the tests of signing in with a key stand on."""

import pytest
from flask import Flask

from tests.views.keys import ORIGIN


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
