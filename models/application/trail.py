"""办理过程: one entry for each act, in the same transaction; append-only, a hash chain for each application."""

import json
from collections.abc import Collection, Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import (
    JSON,
    ColumnElement,
    ForeignKey,
    Index,
    Select,
    String,
    Text,
    case,
    cast,
    func,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, defer, mapped_column, relationship
from sqlalchemy.orm.attributes import set_committed_value

from models import clock, workflow
from models.application import Application
from models.application.child import Child
from models.clock import Moment
from models.database import NO_SYNC, Base, seals
from models.database.seals import GENESIS as GENESIS
from models.language import recorded
from models.people.accounts import Account
from models.vocabulary import Action, Role, Status, Step, Word, WordColumn

CUSTOMS = _l("海关")  # the actor of entries without an account
BATCH = 1000  # entries in memory at a time
LONG = 4_000  # characters of changes: those of 3,000 carriers have a million


class TrailEntry(Child, Base):
    """One act: who, when, what, status before and after, opinion."""

    __tablename__ = "trail_entry"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(Moment, info={"label": _l("时间")})
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="RESTRICT"))
    actor_name: Mapped[str] = mapped_column(String(160), info={"label": _l("办理人")})
    role: Mapped[Role | None] = mapped_column(WordColumn(Role))
    act: Mapped[str] = mapped_column(String(32), info={"label": _l("环节")})
    before: Mapped[Status | None] = mapped_column(WordColumn(Status))
    after: Mapped[Status] = mapped_column(WordColumn(Status), info={"label": _l("数据状态")})
    opinion: Mapped[str | None] = mapped_column(Text, info={"label": _l("意见")})
    changes: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    # SHA-256 of what the act wrote: of the content (fingerprint.py), or of the certificate; None before migration 0021
    digest: Mapped[str | None] = mapped_column(String(64))
    algorithm: Mapped[str | None] = mapped_column(String(8))  # of the seal (seals.py); None: SHA-256
    previous: Mapped[str] = mapped_column(String(64))
    seal: Mapped[str] = mapped_column(String(64), unique=True)

    application: Mapped[Application] = relationship(back_populates="trail")

    __table_args__ = (Index(None, "act", "at"), Index(None, "at", "id"), Index(None, "actor_id", "at", "id"))

    @property
    def what(self) -> Word:
        """The act as a word of the vocabulary."""
        return Action(self.act) if self.act in set(Action) else Step(self.act)

    def content(self) -> str:
        """All values of this entry and the previous seal, as JSON: the input of the hash."""
        sealed: list[Any] = [
            self.application_id,
            self.at.timestamp(),
            self.actor_id,
            self.actor_name,
            str(self.role),
            self.act,
        ]
        sealed += [str(self.before), str(self.after), self.opinion, self.changes, self.previous]
        sealed += [self.digest] if self.digest else []  # older entries have none
        sealed += [self.algorithm] if self.algorithm else []
        return json.dumps(sealed, ensure_ascii=False, sort_keys=True)

    def sealed(self) -> str:
        """The hash of the content by the algorithm that this entry names, in hex."""
        return seals.seal(self.content(), self.algorithm)


def record(
    session: Session,
    application: Application,
    act: Word,
    by: Account | None,
    before: Status | None,
    opinion: object = None,
    changes: dict[str, Any] | None = None,
    after: Status | None = None,
    digest: str | None = None,
) -> TrailEntry:
    """Append an entry; flushes. The caller has locked the application, so that no two entries have one predecessor.

    It follows the seal that the application itself holds: if somebody has removed an entry, the link stays broken.
    `opinion` may be a lazy sentence, which is stored in Chinese. `digest`: of what the act wrote, see TrailEntry.
    """
    entry = TrailEntry(
        application=application,
        application_id=application.id,
        at=clock.now().replace(microsecond=0),
        actor_id=by.id if by else None,
        actor_name=_named(by),
        role=by.role if by else None,
        act=act.value,
        before=before,
        after=after or application.status,
        opinion=recorded(opinion or "") or None,
        changes=changes or None,
        digest=digest,
        algorithm=seals.algorithm_of(session),
        previous=application.last_seal or GENESIS,
    )
    entry.seal = entry.sealed()
    session.add(entry)
    session.flush()
    newest: dict[str, Any] = {"last_seal": entry.seal} | ({} if act in workflow.INTERNAL else {"last_change": entry.id})
    noting = update(Application).where(Application.id == application.id).values(newest)
    session.execute(noting, **NO_SYNC)
    set_committed_value(application, "last_seal", entry.seal)
    return entry


def last_id(session: Session, application_id: int) -> int:
    """The id of the last entry; 0: there is none."""
    return session.scalar(select(func.max(TrailEntry.id)).where(TrailEntry.application_id == application_id)) or 0


def newest(session: Session, application_id: int, act: Word, count: int, since: int = 0) -> list[TrailEntry]:
    """The newest `count` entries of this act after the entry `since`, newest first."""
    entries = select(TrailEntry).where(
        TrailEntry.application_id == application_id, TrailEntry.act == act.value, TrailEntry.id > since
    )
    return list(session.scalars(entries.order_by(TrailEntry.id.desc()).limit(count)))


def of_act(act: Word) -> ColumnElement[bool]:
    """Entries of this act, in a statement about several applications.

    The column is inside an expression, so that no index of it is used: SQLite, which has no statistics of its values,
    would read the entries of this act of all applications.
    """
    return func.coalesce(TrailEntry.act, TrailEntry.act) == act.value


def applications_with(session: Session, act: Word, keys: Collection[int]) -> set[int]:
    """Which of these applications have an entry of this act."""
    entries = select(TrailEntry.application_id).where(TrailEntry.application_id.in_(keys), of_act(act))
    return set(session.scalars(entries.distinct())) if keys else set()


def moments(session: Session, act: Word, keys: Collection[int]) -> dict[int, datetime]:
    """Application id → when this act was last done to it; without those it was never done to."""
    last = select(TrailEntry.application_id, func.max(TrailEntry.at)).group_by(TrailEntry.application_id)
    found = last.where(TrailEntry.application_id.in_(keys), of_act(act))
    return dict(session.execute(found).all()) if keys else {}


def open_opinions(session: Session, keys: Collection[int]) -> dict[int, TrailEntry]:
    """Application id → the entry that led to its current status, of those where it has an opinion."""
    moves = select(func.max(TrailEntry.id)).where(
        TrailEntry.application_id.in_(keys), TrailEntry.before != TrailEntry.after
    )
    last = select(TrailEntry).where(TrailEntry.id.in_(moves.group_by(TrailEntry.application_id)))
    return {entry.application_id: entry for entry in session.scalars(last) if entry.opinion} if keys else {}


def passed(session: Session, application_id: int) -> set[Status]:
    """Every status that the application has had."""
    return set(session.scalars(select(TrailEntry.after).where(TrailEntry.application_id == application_id).distinct()))


def decided_in(first: date, last: date) -> Select[Any]:
    """The entries of decisions on these days of Beijing time, both included."""
    begin, end = (datetime.combine(day, time.min, clock.SHANGHAI) for day in (first, last + timedelta(days=1)))
    decisions = [action.value for action in workflow.DECISIONS]
    return select(TrailEntry).where(TrailEntry.act.in_(decisions), TrailEntry.at >= begin, TrailEntry.at < end)


def _named(by: Account | None) -> str:
    if by is None:
        return recorded(CUSTOMS)
    return f"{by.name}（{by.organisation.name}）" if by.organisation else by.name


def in_batches(session: Session, entries: Select[TrailEntry]) -> Iterator[TrailEntry]:
    """The entries of a statement, BATCH at a time; LONG changes are read one by one, when they are asked for."""
    length = func.length(cast(TrailEntry.changes, Text))
    short = case((length <= LONG, TrailEntry.changes))
    rows = session.execute(
        entries.options(defer(TrailEntry.changes)).add_columns(length, short).execution_options(yield_per=BATCH)
    )
    for entry, size, changes in rows:
        if (size or 0) <= LONG:
            set_committed_value(entry, "changes", changes)
        yield entry
        session.expire(entry, ["changes"])  # the batch holds the entry until its end


def broken(session: Session) -> Iterator[TrailEntry]:
    """Every entry with a wrong seal, a wrong link to the entry before, or an unrecorded change of status after it."""
    entries = select(TrailEntry).order_by(TrailEntry.application_id, TrailEntry.id)
    previous, owner = GENESIS, None
    for entry in in_batches(session, entries):
        if entry.application_id != owner:
            previous, owner = GENESIS, entry.application_id
        if entry.seal != entry.sealed() or entry.previous != previous:
            yield entry
        previous = entry.seal
    last = select(func.max(TrailEntry.id)).group_by(TrailEntry.application_id)
    moved_on = TrailEntry.after != Application.status
    yield from session.scalars(select(TrailEntry).join(TrailEntry.application).where(TrailEntry.id.in_(last), moved_on))
