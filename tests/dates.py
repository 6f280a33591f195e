"""A fixture that sets the date."""

from collections.abc import Callable
from datetime import datetime

import pytest

from models import clock

SetDay = Callable[[int, int], None]


@pytest.fixture
def set_day(monkeypatch: pytest.MonkeyPatch) -> SetDay:
    """`set_day(3, 2)`: set the clock to ten o'clock on 2 March 2026 in Beijing."""

    def moved(month: int, day: int) -> None:
        monkeypatch.setattr(clock, "now", lambda: datetime(2026, month, day, 10, tzinfo=clock.SHANGHAI))

    return moved
