"""进口数量 of an application by unit, stored with it: lists show it and search it without reading any carrier.

Stored by listeners of the session, not by those who change carriers: like a computed column it is no act but follows
from the carriers, and form, import, 复制新建, 重新申请, demo, or code still to be written, cannot forget it. Not by
triggers: SQLite has no decimals to sum, and no trigger that runs once for a statement; of 3,000 carriers each would add
up all others. `trail verify` compares the stored totals with the carriers, `search rebuild` stores them anew.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from sqlalchemy import event, select, update
from sqlalchemy.orm import Session, object_session
from sqlalchemy.orm.attributes import set_committed_value

from models.application import Application
from models.application.carriers import Carrier
from models.application.fingerprint import BATCH, GroupedRows
from models.database import NO_SYNC, GuardedSession, tidy

SHEETS = "010"  # 张, the unit of most discs; as in 统计, 千张 and 万张 are units of their own
KEY = "applications with changed carriers"  # in session.info: their ids


def sums_of(carriers: Iterable[tuple[str | None, Decimal | None]]) -> dict[str, Decimal] | None:
    """Unit → sum of the quantities, by unit; None without carriers, or while a quantity or unit is missing."""
    sums: dict[str, Decimal] = {}
    for unit, quantity in carriers:
        if unit is None or quantity is None:
            return None
        sums[unit] = tidy(sums.get(unit, Decimal()) + quantity)
    return dict(sorted(sums.items())) or None


def columns_of(carriers: Iterable[tuple[str | None, Decimal | None]]) -> dict[str, Any]:
    """The columns `totals` and `sheets` of an application with these carriers.

    `sheets` is None only together with `totals`: the databases sort None at different ends. It is a double, which
    compares up to 15 digits exactly: SQLite has no decimals for an index.
    """
    sums = sums_of(carriers)
    if sums is None:
        return {"totals": None, "sheets": None}
    return {
        "totals": {unit: f"{total:f}" for unit, total in sums.items()},
        "sheets": float(sums.get(SHEETS, 0)),
    }


def differing(session: Session) -> Iterator[tuple[int, str]]:
    """(id, number) of applications whose stored totals are not those of their carriers; few rows are in memory."""
    batches = {"execution_options": {"yield_per": BATCH}}
    wanted = select(Carrier.application_id.label("key"), Carrier.unit, Carrier.quantity)
    carriers = GroupedRows(iter(session.execute(wanted.order_by(Carrier.application_id), **batches)))
    stored = select(Application.id, Application.number, Application.totals, Application.sheets)
    for row in session.execute(stored.order_by(Application.id), **batches):
        computed = columns_of((carrier.unit, carrier.quantity) for carrier in [*carriers.of(row.id)])
        if computed != {"totals": row.totals, "sheets": row.sheets}:
            yield row.id, row.number


def rebuild(session: Session) -> None:
    """Store the totals of the carriers where they differ. The caller locks out other writers, and commits."""
    for key in [key for key, _number in differing(session)]:
        _store(session, key)


def _store(session: Session, key: int) -> dict[str, Any]:
    """Store the totals of this application; returns them."""
    found = columns_of(session.execute(select(Carrier.unit, Carrier.quantity).where(Carrier.application_id == key)))
    session.execute(update(Application).where(Application.id == key).values(**found), **NO_SYNC)
    return found


def _note_carrier(_mapper: Any, _connection: Any, carrier: Carrier) -> None:
    session = object_session(carrier)
    assert session is not None
    session.info.setdefault(KEY, set()).add(carrier.application_id)


for name in ("after_insert", "after_update", "after_delete"):
    event.listen(Carrier, name, _note_carrier)


@event.listens_for(GuardedSession, "after_flush")
def _store_totals(session: Session, _context: Any) -> None:
    """Store the totals of the applications whose carriers this flush has written; their version stays the same."""
    for key in sorted(session.info.pop(KEY, ())):
        found = _store(session, key)
        row = session.identity_map.get(session.identity_key(Application, key))
        for column, value in found.items() if row is not None else ():
            set_committed_value(row, column, value)
