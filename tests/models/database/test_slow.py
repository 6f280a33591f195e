"""Slow statements are logged without their parameters."""

import logging

import pytest
from sqlalchemy import create_engine, text

from models.database import slow, sqlite

COUNT = text("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :most) SELECT max(i) FROM n")


@pytest.mark.parametrize(("milliseconds", "lines"), [(1, 1), (60_000, 0), (0, 0)])
def test_a_slow_statement_is_logged(caplog: pytest.LogCaptureFixture, milliseconds: int, lines: int) -> None:
    engine = create_engine("sqlite://", module=sqlite.library)
    slow.watch(engine, milliseconds)
    with caplog.at_level(logging.WARNING, "filing.slow"), engine.connect() as connection:
        assert connection.scalar(COUNT, {"most": 198_765}) == 198_765
    assert len(caplog.messages) == lines
    assert all("WITH RECURSIVE" in line and "198765" not in line for line in caplog.messages)
