"""对账: compares our messages with customs' ledger, in both directions, and stores the differences."""

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

PART = 1000  # ids in one statement
Ledger = dict[str, tuple[bool | None, int | None]]  # message id → (accepted, sent_in)
Found = list[tuple[str, Difference]]


class Reconciliation(Base):
    """One comparison; `day` is None when it covered everything. `messages`, `ledger_entries`, `found` are counts."""

    __tablename__ = "reconciliation"

    id: Mapped[int] = mapped_column(primary_key=True)
    made_at: Mapped[datetime] = mapped_column(Moment, info={"label": _l("对账时间")})
    day: Mapped[date | None] = mapped_column(info={"label": _l("所对日期")})
    messages: Mapped[int] = mapped_column(info={"label": _l("我方报文")})
    ledger_entries: Mapped[int] = mapped_column(info={"label": _l("海关台账")})
    found: Mapped[int] = mapped_column(info={"label": _l("差异")})
    differences: Mapped[list[list[str]]] = mapped_column(JSON)

    def differences_of(self, prefix: str = "") -> Found:
        """(message id, difference) of the messages whose id begins with `prefix`."""
        return [(name, Difference(kind)) for name, kind in self.differences if name.startswith(prefix)]


def reconcile(session: Session, ask: Callable[[date, date], Any], day: date | None = None) -> Reconciliation:
    """Compare what we sent with what customs received: everything, or what was queued or arrived on `day`. Commits.

    `ask(since, until)` fetches customs' list; raises Refused when its form is wrong. Messages are read before and
    after the request, so that a message in motion is not reported as a difference.
    """
    before, today = ledger(session, day), clock.today()
    session.commit()  # no transaction is open while customs answers
    entries = [_entry(line) for line in _as_list(ask(day or date(2000, 1, 1), today))]
    ledger_answers = {name: accepted for name, accepted, _day in entries}
    after = ledger(session, day)
    arrived = {name for name, _accepted, on in entries if day is None or on == str(day)}
    unknown = arrived - after.keys() - _sent(session, arrived - after.keys())
    found = [(name, Difference.MISSING_HERE) for name in sorted(unknown)]
    times = Counter(name for name, _accepted, _day in entries)
    found += [(name, Difference.DOUBLED) for name, count in sorted(times.items()) if count > 1 and name in after]
    for name, (answer, sent_in) in before.items():
        if name in ledger_answers and after[name][0] != ledger_answers[name]:
            found.append((name, Difference.UNNOTED if after[name][0] is None else Difference.OTHERWISE))
        elif name not in ledger_answers and answer is not None:
            found.append((name, Difference.MISSING_THERE))
        elif name not in ledger_answers and sent_in is not None and after[name] == (answer, sent_in):
            found.append((name, Difference.UNARRIVED))
    row = Reconciliation(made_at=clock.now(), day=day, messages=len(before), found=len(found))
    row.ledger_entries = len(arrived)
    row.differences = [[name, kind.value] for name, kind in found]
    session.add(row)
    session.commit()
    return row


def _as_list(answer: Any) -> list[Any]:
    if not isinstance(answer, list):
        raise Refused(_("海关网关的应答不符合约定格式。"))
    return answer


def _entry(line: Any) -> tuple[str, bool, str]:
    """(message id, accepted, day) of one line of customs' list; raises Refused for any other form."""
    match line:
        case {"message_id": str(name), "accepted": bool(accepted), "day": str(day)}:
            return name, accepted, day
    raise Refused(_("海关网关的应答不符合约定格式。"))


def ledger(session: Session, day: date | None = None) -> Ledger:
    """Message id → (accepted or None without an answer, sent_in), of messages with at least one attempt.

    `day`: only those queued on that day.
    """
    sent = select(CustomsMessage.message_id, CustomsMessage.accepted, CustomsMessage.sent_in)
    sent = sent.where(CustomsMessage.attempts > 0)
    if day:
        begin = datetime.combine(day, time(), SHANGHAI)
        sent = sent.where(CustomsMessage.queued_at >= begin, CustomsMessage.queued_at < begin + timedelta(days=1))
    return {name: (accepted, sent_in) for name, accepted, sent_in in session.execute(sent)}


def _sent(session: Session, names: set[str]) -> set[str]:
    """The message ids in `names` that we have sent, on any day; in batches: a statement takes limited parameters."""
    found: set[str] = set()
    ordered = sorted(names)
    for begin in range(0, len(ordered), PART):
        part = CustomsMessage.message_id.in_(ordered[begin : begin + PART])
        found |= set(session.scalars(select(CustomsMessage.message_id).where(CustomsMessage.attempts > 0, part)))
    return found


def latest(session: Session) -> Reconciliation | None:
    """The most recent comparison, or None."""
    return session.scalar(select(Reconciliation).order_by(Reconciliation.id.desc()).limit(1))
