"""Logs slow SQL statements, without their parameters."""

import logging
from time import perf_counter
from typing import Any

from sqlalchemy import Engine, event

LOG = logging.getLogger("filing.slow")
BEGAN = "statement_began"  # in Connection.info


def watch(engine: Engine, milliseconds: int) -> None:
    """Log every statement of this engine that takes longer than `milliseconds`; 0: none."""
    if not milliseconds:
        return

    def begin(connection: Any, *_statement: Any) -> None:
        connection.info[BEGAN] = perf_counter()

    def end(connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        took = (perf_counter() - connection.info.pop(BEGAN, perf_counter())) * 1000
        if took >= milliseconds:
            LOG.warning("slow statement, %d ms: %s", took, " ".join(statement.split())[:2000])

    event.listen(engine, "before_cursor_execute", begin)
    event.listen(engine, "after_cursor_execute", end)
