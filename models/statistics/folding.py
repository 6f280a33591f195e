"""Moves acts from `uncounted_act` into the sums of `act_count`; rebuilds and checks those."""

from collections import Counter
from collections.abc import Iterable, Iterator

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from models.application.act_counts import COUNTED, NATION, ActCount, UncountedAct
from models.application.trail import TrailEntry
from models.database import is_sqlite, uncounted_acts
from models.database.locks import Lock, wait_for
from models.statistics import settled
from models.statistics.figures import FRACTION
from models.statistics.grouping import ONLY_BY_PROVINCE
from models.statistics.periods import Dimension, names_of
from models.statistics.settled import Settled

MANY = 200  # uncounted acts that a page adds up without becoming slow
AT_ONCE = 5000  # acts in memory, with some 100 counts each
UNIT = int(1 / FRACTION)
KEYS = ("dimension", "period", "scope", "key", "act", "measure", "detail")
COUNTED_BY = (None, Dimension.PUBLISHER, Dimension.COUNTRY, Dimension.KIND)

Counts = Counter[tuple[str, ...]]  # KEYS → hundred-thousandths


def fold_due(session: Session) -> None:
    """Fold AT_ONCE acts if more than MANY are uncounted: the other work of a round does not wait for all. Commits."""
    if session.scalar(select(UncountedAct.entry_id).offset(MANY).limit(1)):
        _fold_some(session)


def fold(session: Session) -> int:
    """Move all of `uncounted_act` into `act_count`; returns the number of acts. Commits after each AT_ONCE.

    Waits for another process that folds; no other transaction waits.
    """
    done = 0
    while (folded := _fold_some(session)) == AT_ONCE:
        done += folded
    return done + folded


def _fold_some(session: Session) -> int:
    wait_for(session, Lock.COUNT)
    waiting = select(UncountedAct.entry_id).order_by(UncountedAct.entry_id).limit(AT_ONCE)
    ids = list(session.scalars(waiting))
    _add(session, counted(settled.load(session, TrailEntry.id.in_(ids))))
    session.execute(delete(UncountedAct).where(UncountedAct.entry_id.in_(ids)))
    session.commit()
    return len(ids)


def rebuild(session: Session) -> int:
    """Count all acts again; returns their number. Commits. Meanwhile 统计 is correct but slow."""
    wait_for(session, Lock.COUNT)
    session.execute(delete(ActCount))
    session.execute(delete(UncountedAct))
    uncounted_acts.note_all(session.connection())
    session.commit()
    return fold(session)


def check(session: Session) -> bool:
    """Whether `act_count` and `uncounted_act` together agree with the trail. Reads all of it."""
    expected, last = Counts(), 0
    uncounted = select(UncountedAct.entry_id)
    ids = select(TrailEntry.id).where(TrailEntry.act.in_(COUNTED), TrailEntry.id.not_in(uncounted))
    while found := list(session.scalars(ids.where(TrailEntry.id > last).order_by(TrailEntry.id).limit(AT_ONCE))):
        expected.update(counted(settled.load(session, TrailEntry.id.in_(found))))
        last = found[-1]
    rows = select(*(getattr(ActCount, name) for name in KEYS), ActCount.amount, ActCount.fraction)
    stored = {tuple(row[:-2]): _whole(*row[-2:]) for row in session.execute(rows).yield_per(AT_ONCE)}
    return {key: amount for key, amount in stored.items() if amount} == dict(expected)


def counted(acts: Iterable[Settled]) -> Counts:
    """The amounts that these acts add to `act_count`."""
    counts = Counts()
    for act in acts:
        for key, amount in _parts(act):
            counts[key] += amount
    return counts


def _parts(act: Settled) -> Iterator[tuple[tuple[str, ...], int]]:
    word = act.row.act
    for dimension in COUNTED_BY:
        scopes = (act.row.province,) if dimension in ONLY_BY_PROVINCE else (NATION, act.row.province)
        for key, discs in act.keys(dimension):
            for day, measure, detail, amount in act.amounts(discs):
                parts = int(amount * UNIT)
                for period in names_of(day):
                    for scope in scopes:
                        yield (dimension or "", period, scope, key, word, measure, detail), parts


def _whole(amount: int, fraction: int) -> int:
    return amount * UNIT + fraction


def _add(session: Session, counts: Counts) -> None:
    """Add the counts to the rows of `act_count`, inserting missing ones. The caller commits."""
    insert = sqlite.insert if is_sqlite(session) else postgresql.insert
    rows = [
        dict(zip(KEYS, key, strict=True)) | {"amount": parts // UNIT, "fraction": parts % UNIT}
        for key, parts in sorted(counts.items())
    ]
    new = insert(ActCount)
    sums = {name: getattr(ActCount, name) + new.excluded[name] for name in ("amount", "fraction")}
    if rows:
        session.execute(new.on_conflict_do_update(index_elements=KEYS, set_=sums), rows)
