"""psycopg's connection with a limit for each answer; imported only where the database is PostgreSQL."""

from typing import Any

import psycopg
from psycopg.pq import TransactionStatus


class TimedConnection(psycopg.Connection[Any]):
    """Closes itself when no answer comes: behind a proxy that accepts our bytes, TCP notices no failure."""

    seconds: float | None = None  # to wait for one answer; None: without limit

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """As psycopg's own; also closes the connection when no answer came in time (OperationalError)."""
        try:
            return super().wait(gen, interval, self.seconds if timeout is None else timeout)
        except psycopg.OperationalError:
            if timeout is None and self.info.transaction_status == TransactionStatus.ACTIVE:
                self.close()
            raise


def connect(seconds: float, _dialect: Any, _record: Any, arguments: Any, options: Any) -> TimedConnection:
    """Listener of the engine's `do_connect`; `seconds`: to wait for an answer to SQLAlchemy's own first queries."""
    connection = TimedConnection.connect(*arguments, **options)
    connection.seconds = seconds
    return connection
