"""Counts of decisions and revocations by period, so that 统计 need not read the applications.

The content of a decided application never changes, so its decision is counted once. Two tables: a trigger adds a row to
`uncounted_act` in the transaction of the act (models/database/uncounted_acts.py), without any lock, and
models/statistics/folding.py moves these rows into `act_count`.
"""

from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from models import workflow
from models.application.child import Child
from models.database import Base
from models.vocabulary import Action

COUNTED = (*workflow.DECISIONS, Action.REVOKE)
NATION = "000000"  # the scope of all provinces together


class Measure(StrEnum):
    """The numbers counted, each on a day. `ActCount.detail`: the number of days (DAYS), the unit (QUANTITY)."""

    SUBMITTED = "submitted"  # decided applications, 申请日期
    ACTED = "acted"  # grants by 签发日期, other acts on their day
    DAYS = "days"  # decisions by the calendar days they took, on their day
    QUANTITY = "quantity"  # discs of the certificates, 签发日期


class UncountedAct(Child, Base):
    """An act that `act_count` does not contain yet."""

    __tablename__ = "uncounted_act"

    entry_id: Mapped[int] = mapped_column(ForeignKey("trail_entry.id", ondelete="RESTRICT"), primary_key=True)


class ActCount(Base):
    """The sum of one measure in a period. Row security: a province sees its own, the nation what is issued.

    `key`: a value of `dimension`; both empty: all. `period`: 2026, 2026-03, a third of a month, 2026-03/1 (上旬), or a
    day, 2026-0315. `scope`: a province, or NATION, which publishers do not have. The number is `amount` plus `fraction`
    hundred-thousandths.
    """

    __tablename__ = "act_count"
    on_replica = True  # may be read from there (models/database/replica.py)

    dimension: Mapped[str] = mapped_column(String(32), primary_key=True)
    period: Mapped[str] = mapped_column(String(9), primary_key=True)
    scope: Mapped[str] = mapped_column(String(6), primary_key=True)
    key: Mapped[str] = mapped_column(String(20), primary_key=True)
    act: Mapped[str] = mapped_column(String(32), primary_key=True)
    measure: Mapped[str] = mapped_column(String(32), primary_key=True)
    detail: Mapped[str] = mapped_column(String(8), primary_key=True)
    amount: Mapped[int] = mapped_column(BigInteger)
    fraction: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")

    __table_args__ = ({"sqlite_with_rowid": False},)
