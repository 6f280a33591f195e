"""Beijing time: the one clock of the register (公文日期以北京时间为准)."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import DateTime, Dialect
from sqlalchemy.types import TypeDecorator

SHANGHAI = ZoneInfo("Asia/Shanghai")
SKEW = timedelta(minutes=1)  # between the clocks of several nodes


_FIXED: ContextVar[datetime | None] = ContextVar("fixed", default=None)


def now() -> datetime:
    """This moment, aware, in Asia/Shanghai."""
    return _FIXED.get() or datetime.now(SHANGHAI)


@contextmanager
def fixed(moment: datetime) -> Iterator[None]:
    """Let `now()` return this moment inside the block, in this thread only: for demo data of the past."""
    token = _FIXED.set(moment)
    try:
        yield
    finally:
        _FIXED.reset(token)


def today() -> date:
    """The date in Asia/Shanghai."""
    return now().date()


def is_within(life: timedelta, since: float) -> bool:
    """Whether at most `life` has passed since this Unix time, which another node's clock may have put SKEW ahead."""
    return -SKEW.total_seconds() <= now().timestamp() - since <= life.total_seconds()


class Moment(TypeDecorator[datetime]):
    """An aware moment: stored as UTC (SQLite has no zones), read back in Asia/Shanghai."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(SHANGHAI)
