"""What time it is."""

from collections.abc import Callable
from datetime import datetime

import pytest

from models import clock


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """`at(moment)`: from now on the clock of the register stands there."""
    return lambda moment: monkeypatch.setattr(clock, "now", lambda: moment)
