"""PostgreSQL: engine options and timeouts, so that a server that stops answering blocks no request for ever."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine, event

# Key in Connection.info: this login has no privilege of its own, only those of a role that it sets for a transaction.
UNDER_ROW_SECURITY = "under_row_security"
IS_UNDER_ROW_SECURITY = """SELECT NOT me.rolsuper
  AND EXISTS (SELECT FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid
              WHERE g.rolname = 'filing_jobs' AND m.member = me.oid)
  AND NOT EXISTS (SELECT FROM pg_class WHERE oid = to_regclass('public.application') AND relowner = me.oid)
FROM pg_roles me WHERE me.rolname = session_user"""
UNIQUE_VIOLATION = "23505"  # SQLSTATE of a row whose values exist already
READ_ONLY = "25006"  # SQLSTATE of a write to a server that has become read-only, as after a failover
# For functions of triggers. Temporary tables come last: otherwise one of the same name would replace the application's.
PLPGSQL = "LANGUAGE plpgsql SET search_path = public, pg_temp"
KEEPS_PLANS = "keeps_plans"  # key in Connection.info, of a transaction that writes
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


def settings_of(timeouts: Timeouts) -> dict[str, str | int]:
    """Settings of each connection or, behind a pooler, of each transaction."""
    return {
        "timezone": "Asia/Shanghai",
        "statement_timeout": timeouts.statement * 1000,
        "lock_timeout": timeouts.lock * 1000,
        "plan_cache_mode": "force_custom_plan",  # one plan for rare and common words takes 300 ms for the rare ones
    }


def options(timeouts: Timeouts, pooled: bool = False) -> dict[str, Any]:
    """Keyword arguments for `create_engine`; `pooled`: behind PgBouncer, where the server changes between transactions.

    PgBouncer refuses `options`, and statements prepared on one server are unknown to the next.
    """
    settings = " ".join(f"-c {name}={value}" for name, value in settings_of(timeouts).items())
    options: dict[str, Any] = {"prepare_threshold": None} if pooled else {"options": settings}
    return {
        "pool_pre_ping": True,
        "pool_timeout": timeouts.pool,
        "connect_args": options
        | {
            "connect_timeout": timeouts.connect,
            "tcp_user_timeout": timeouts.network * 1000,
            "keepalives_idle": timeouts.network,
            "keepalives_interval": max(1, timeouts.network // 3),
            "keepalives_count": 3,
        },
    }


def prepare(engine: Engine, timeouts: Timeouts, pooled: bool = False) -> None:
    """Make this engine open every connection as a `TimedConnection`; `pooled`: as options() has it."""
    from models.database.postgresql_connection import connect

    def limit(connection: Any, _record: Any, _proxy: Any) -> None:
        connection.seconds = timeouts.statement + MARGIN

    def limit_ping(connection: Any, _record: Any) -> None:
        """The next use begins with a ping, before `checkout`."""
        if connection is not None:
            connection.seconds = timeouts.connect

    def recognise(connection: Any, record: Any) -> None:
        record.info[UNDER_ROW_SECURITY] = connection.execute(IS_UNDER_ROW_SECURITY).fetchone()[0]
        connection.rollback()

    assignments = ", ".join(f"set_config('{name}', '{value}', true)" for name, value in settings_of(timeouts).items())
    if pooled:
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(f"SELECT {assignments}"))
    event.listen(engine, "begin", lambda connection: connection.info.pop(KEEPS_PLANS, None))
    event.listen(engine, "before_cursor_execute", keep_plans)
    event.listen(engine, "do_connect", partial(connect, timeouts.connect))
    event.listen(engine, "connect", recognise)
    event.listen(engine, "checkout", limit)
    event.listen(engine, "checkin", limit_ping)


def keep_plans(
    connection: Connection, cursor: Any, _statement: str, _parameters: Any, context: Any, _executemany: bool
) -> None:
    """Before the first write of a transaction: plans are kept in it, or triggers and foreign keys plan for each row."""
    writes = context is not None and (context.isinsert or context.isupdate or context.isdelete)
    if writes and not connection.info.get(KEEPS_PLANS):
        connection.info[KEEPS_PLANS] = True
        cursor.execute("SET LOCAL plan_cache_mode = auto")


def wait_without_end(connection: Connection) -> None:
    """No timeouts for the rest of this transaction, nor for answers until the connection returns to the pool."""
    for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
        connection.exec_driver_sql(f"SET LOCAL {name} = 0")
    driver: Any = connection.connection.driver_connection
    driver.seconds = None


def wait_briefly(connection: Connection, seconds: int) -> None:
    """Timeouts of `seconds` for the rest of this transaction, and for answers until the connection is returned."""
    driver: Any = connection.connection.driver_connection
    driver.seconds = seconds + 1
    settings = (f"set_config('{name}', '{seconds * 1000}', true)" for name in ("statement_timeout", "lock_timeout"))
    connection.exec_driver_sql(f"SELECT {', '.join(settings)}")
