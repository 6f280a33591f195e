"""PostgreSQL: engine options and timeouts, so that a server that stops answering blocks no request for ever."""

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import Connection, Engine, event

READ_ONLY = "25006"  # SQLSTATE of a write to a server that has become read-only, as after a failover
MARGIN = 3  # seconds after statement_timeout in which the server may report it, before the connection is closed


@dataclass(frozen=True)
class Timeouts:
    """Whole seconds: to connect; to notice a dead network; for a statement, a lock, a pooled connection.

    `statement` includes the wait for locks. A migration lifts `statement` and `lock` (wait_without_end).
    """

    connect: int = 5
    network: int = 15
    statement: int = 30
    lock: int = 20
    pool: int = 10


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


def options(timeouts: Timeouts) -> dict[str, Any]:
    """Keyword arguments for `create_engine`."""
    settings = {
        "timezone": "Asia/Shanghai",
        "statement_timeout": timeouts.statement * 1000,
        "lock_timeout": timeouts.lock * 1000,
        "plan_cache_mode": "force_custom_plan",  # one plan for rare and common words takes 300 ms for the rare ones
    }
    return {
        "pool_pre_ping": True,
        "pool_timeout": timeouts.pool,
        "connect_args": {
            "options": " ".join(f"-c {name}={value}" for name, value in settings.items()),
            "connect_timeout": timeouts.connect,
            "tcp_user_timeout": timeouts.network * 1000,
            "keepalives_idle": timeouts.network,
            "keepalives_interval": max(1, timeouts.network // 3),
            "keepalives_count": 3,
        },
    }


def prepare(engine: Engine, timeouts: Timeouts) -> None:
    """Make this engine open every connection as a `TimedConnection`."""

    def connect(_dialect: Any, _record: Any, arguments: Any, options: Any) -> TimedConnection:
        connection = TimedConnection.connect(*arguments, **options)
        connection.seconds = timeouts.connect  # for SQLAlchemy's own first questions
        return connection

    def limit(connection: Any, _record: Any, _proxy: Any) -> None:
        connection.seconds = timeouts.statement + MARGIN

    def limit_ping(connection: Any, _record: Any) -> None:
        """The next use begins with a ping, before `checkout`."""
        if connection is not None:
            connection.seconds = timeouts.connect

    event.listen(engine, "do_connect", connect)
    event.listen(engine, "checkout", limit)
    event.listen(engine, "checkin", limit_ping)


def wait_without_end(connection: Connection) -> None:
    """No timeouts for the rest of this transaction, nor for answers until the connection returns to the pool."""
    for name in ("statement_timeout", "lock_timeout"):
        connection.exec_driver_sql(f"SET LOCAL {name} = 0")
    driver: Any = connection.connection.driver_connection
    driver.seconds = None


def wait_briefly(connection: Connection, seconds: int) -> None:
    """Timeouts of `seconds` for the rest of this transaction, and for answers until the connection is returned."""
    driver: Any = connection.connection.driver_connection
    driver.seconds = seconds + 1
    for name in ("statement_timeout", "lock_timeout"):
        connection.exec_driver_sql(f"SET LOCAL {name} = {seconds * 1000}")
