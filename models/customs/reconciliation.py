"""对账: our ledger against customs', both ways, and what was found, kept to be shown."""

from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import JSON, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models import clock
from models.clock import SHANGHAI, Moment
from models.customs import CustomsMessage
from models.database import Base
from models.vocabulary import Difference
from models.workflow import Refused

PART = 1000
Ledger = dict[str, tuple[bool | None, int | None]]
Found = list[tuple[str, Difference]]


class Reconciliation(Base):
    """One comparison; `day` is None where it was of everything."""

    __tablename__ = "reconciliation"

    id: Mapped[int] = mapped_column(primary_key=True)
    made_at: Mapped[datetime] = mapped_column(Moment, info={"label": _l("对账时间")})
    day: Mapped[date | None] = mapped_column(info={"label": _l("所对日期")})
    ours: Mapped[int] = mapped_column(info={"label": _l("我方报文")})
    theirs: Mapped[int] = mapped_column(info={"label": _l("海关台账")})
    found: Mapped[int] = mapped_column(info={"label": _l("差异")})
    differences: Mapped[list[list[str]]] = mapped_column(JSON)

    def told(self, begins: str = "") -> Found:
        """(message id, difference), of those whose id begins so."""
        return [(name, Difference(kind)) for name, kind in self.differences if name.startswith(begins)]


def reconcile(session: Session, ask: Callable[[date, date], Any], day: date | None = None) -> Reconciliation:
    """Compare what we sent with what customs received: all of it, or what was queued, or arrived, on `day`.

    `ask(since, until)` is customs' list. Ours is read before and after: what moves meanwhile is no difference.
    """
    before, today = ledger(session, day), clock.today()
    entries = [_entry(told) for told in _listed(ask(day or date(2000, 1, 1), today))]
    theirs = {name: accepted for name, accepted, _day in entries}
    after = ledger(session, day)
    arrived = {name for name, _accepted, on in entries if day is None or on == str(day)}
    strangers = arrived - after.keys() - _known(session, arrived - after.keys())
    found = [(name, Difference.MISSING_HERE) for name in sorted(strangers)]
    times = Counter(name for name, _accepted, _day in entries)
    found += [(name, Difference.DOUBLED) for name, count in sorted(times.items()) if count > 1 and name in after]
    for name, (answer, sent_in) in before.items():
        if name in theirs and after[name][0] != theirs[name]:
            found.append((name, Difference.UNNOTED if after[name][0] is None else Difference.OTHERWISE))
        elif name not in theirs and answer is not None:
            found.append((name, Difference.MISSING_THERE))
        elif name not in theirs and sent_in is not None and after[name] == (answer, sent_in):
            found.append((name, Difference.UNARRIVED))
    row = Reconciliation(made_at=clock.now(), day=day, ours=len(before), theirs=len(arrived), found=len(found))
    row.differences = [[name, kind.value] for name, kind in found]
    session.add(row)
    session.commit()
    return row


def _listed(told: Any) -> list[Any]:
    if not isinstance(told, list):
        raise Refused(_("海关网关的应答不符合约定格式。"))
    return told


def _entry(told: Any) -> tuple[str, bool, str]:
    """(message id, accepted, day) of one line of customs' list; a line of any other form makes it no list."""
    match told:
        case {"message_id": str(name), "accepted": bool(accepted), "day": str(day)}:
            return name, accepted, day
    raise Refused(_("海关网关的应答不符合约定格式。"))


def ledger(session: Session, day: date | None = None) -> Ledger:
    """Every message tried at least once: whether customs accepted it (None: no answer), and the attempt it is out in.

    Commits.
    """
    sent = select(CustomsMessage.message_id, CustomsMessage.accepted, CustomsMessage.sent_in)
    sent = sent.where(CustomsMessage.attempts > 0)
    if day:
        begin = datetime.combine(day, time(), SHANGHAI)
        sent = sent.where(CustomsMessage.queued_at >= begin, CustomsMessage.queued_at < begin + timedelta(days=1))
    found = {name: (accepted, sent_in) for name, accepted, sent_in in session.execute(sent)}
    session.commit()
    return found


def _known(session: Session, names: set[str]) -> set[str]:
    """Those that we did send, on another day; asked in parts, for a statement takes only so many names."""
    found: set[str] = set()
    ordered = sorted(names)
    for begin in range(0, len(ordered), PART):
        part = CustomsMessage.message_id.in_(ordered[begin : begin + PART])
        found |= set(session.scalars(select(CustomsMessage.message_id).where(CustomsMessage.attempts > 0, part)))
    return found


def latest(session: Session) -> Reconciliation | None:
    """The last comparison."""
    return session.scalar(select(Reconciliation).order_by(Reconciliation.id.desc()).limit(1))
