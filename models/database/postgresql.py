"""PostgreSQL: how a connection is opened, and how long we wait for what; a server that falls silent stops nobody."""

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import Connection, Engine, event

MARGIN = 3  # seconds that the server has to tell that a statement took too long, before we give the connection up


@dataclass(frozen=True)
class Timeouts:
    """Whole seconds: to connect, until a dead network is noticed, for a statement, a lock, a connection of the pool.

    `statement` includes the wait for locks. A migration has no end to its statements.
    """

    connect: int = 5
    network: int = 15
    statement: int = 30
    lock: int = 20
    pool: int = 10


class TimedConnection(psycopg.Connection[Any]):
    """Gives itself up when no answer comes: a proxy may take what we send, so that TCP notices nothing."""

    seconds: float | None = None  # for one answer; None waits for ever

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """As psycopg's own. The connection is closed when it raises OperationalError for want of an answer."""
        try:
            return super().wait(gen, interval, self.seconds if timeout is None else timeout)
        except psycopg.OperationalError:
            if timeout is None and self.info.transaction_status == TransactionStatus.ACTIVE:
                self.close()
            raise


def options(timeouts: Timeouts) -> dict[str, Any]:
    """Arguments of `create_engine`."""
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
    """Open every connection of this engine as a `TimedConnection`."""

    def connect(_dialect: Any, _record: Any, arguments: Any, options: Any) -> TimedConnection:
        return TimedConnection.connect(*arguments, **options)

    def limit(connection: Any, _record: Any, _proxy: Any) -> None:
        connection.seconds = timeouts.statement + MARGIN

    event.listen(engine, "do_connect", connect)
    event.listen(engine, "checkout", limit)


def wait_without_end(connection: Connection) -> None:
    """For the rest of this transaction, and until the connection is back in the pool, nothing takes too long."""
    for name in ("statement_timeout", "lock_timeout"):
        connection.exec_driver_sql(f"SET LOCAL {name} = 0")
    driver: Any = connection.connection.driver_connection
    driver.seconds = None
