"""A fixture that sets the clock."""

from collections.abc import Callable
from datetime import datetime

import pytest

from models import clock


@pytest.fixture
def set_clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """`set_clock(moment)`: set the clock of the application to this moment."""
    return lambda moment: monkeypatch.setattr(clock, "now", lambda: moment)
