"""通知公告: announcements of the operator to all accounts of some roles, for a period, with a trail of changes."""

from datetime import date, datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import JSON, ColumnElement, ForeignKey, String, Text, and_, cast, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models import clock, log
from models.clock import Moment
from models.columns import WordSet, labels_in_order
from models.database import Base
from models.database.locks import Lock, wait_for
from models.language import in_chinese, in_clauses
from models.log import Operation, Place
from models.people.accounts import Account
from models.vocabulary import Role
from models.workflow import Refused

MOST_TEXT = 4000


class Announcement(Base):
    """Shown from `since` until `until`, both included, unless withdrawn. Row security: during that time its roles;
    operators always."""

    __tablename__ = "announcement"

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column()
    title: Mapped[str] = mapped_column(String(100), info={"label": _l("标题"), "required": True})
    text: Mapped[str] = mapped_column(Text, info={"label": _l("内容"), "required": True, "most": MOST_TEXT})
    roles: Mapped[frozenset[Role]] = mapped_column(WordSet(Role), info={"label": _l("发给"), "required": True})
    since: Mapped[date] = mapped_column(info={"label": _l("起始日期"), "required": True})
    until: Mapped[date] = mapped_column(info={"label": _l("终止日期"), "required": True})
    withdrawn_at: Mapped[datetime | None] = mapped_column(Moment)
    page_key: Mapped[str | None] = mapped_column(String(32))  # of the blank form that made it

    __mapper_args__ = {"version_id_col": version}

    @property
    def is_current(self) -> bool:
        return self.withdrawn_at is None and self.since <= clock.today() <= self.until


class AnnouncementChange(Base):
    """One change by one operator; only ever appended. `changes`: field → [old, new]. Row security: operators."""

    __tablename__ = "announcement_change"

    id: Mapped[int] = mapped_column(primary_key=True)
    announcement_id: Mapped[int] = mapped_column(ForeignKey("announcement.id", ondelete="RESTRICT"), index=True)
    at: Mapped[datetime] = mapped_column(Moment)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="RESTRICT"))
    actor_name: Mapped[str] = mapped_column(String(160))
    what: Mapped[str] = mapped_column(String(32))  # publish, change, withdraw
    changes: Mapped[dict[str, Any]] = mapped_column(JSON)


FIELDS = ("title", "text", "roles", "since", "until")
LOGGED = {
    "publish": Operation.ANNOUNCED,
    "change": Operation.ANNOUNCEMENT_CHANGED,
    "withdraw": Operation.ANNOUNCEMENT_WITHDRAWN,
}


def current(role: Role, today: Any = None) -> ColumnElement[bool]:
    """SQL condition: announcements shown to this role on the day `today`, a date or SQL; None: that of the clock."""
    today = clock.today() if today is None else today
    return and_(
        cast(Announcement.roles, String).contains(f" {role.value} "),
        Announcement.since <= today,
        Announcement.until >= today,
        Announcement.withdrawn_at.is_(None),
    )


def save(
    session: Session,
    row: Announcement | None,
    values: dict[str, Any],
    by: Account,
    place: Place,
    page_key: str | None = None,
) -> Announcement:
    """Insert an announcement (None), or change it, with its trail and log entries. Raises Refused; the caller commits.

    A form (`page_key`) sent twice with the same values inserts one.
    """
    if row is None and page_key and (made := _made_by_page(session, page_key, values)):
        return made
    if row is not None and row.withdrawn_at is not None:
        raise Refused(_("已撤回的公告不能修改，需要时请另行新建。"))
    if values["until"] < values["since"]:
        raise Refused(_("终止日期不能早于起始日期。"))
    if values["until"] < clock.today():
        raise Refused(_("终止日期已经过去，公告不会显示，请核对。"))
    announcement = row or Announcement(page_key=page_key)
    changes = {name: [_plain(getattr(row, name, None)), _plain(values[name])] for name in FIELDS}
    for name in FIELDS:
        setattr(announcement, name, values[name])
    session.add(announcement)
    session.flush()
    changes = {name: pair for name, pair in changes.items() if pair[0] != pair[1]}
    if changes:
        _record(session, announcement, "change" if row else "publish", changes, by, place)
    return announcement


def _made_by_page(session: Session, page_key: str, values: dict[str, Any]) -> Announcement | None:
    wait_for(session, Lock.ANNOUNCE)  # of two concurrent posts of a form the second finds the row of the first
    same = (getattr(Announcement, name) == values[name] for name in FIELDS)
    return session.scalar(select(Announcement).where(Announcement.page_key == page_key, *same).limit(1))


def withdraw(session: Session, row: Announcement, by: Account, place: Place) -> None:
    """Withdraw it: afterwards only operators see it. Raises Refused; the caller commits."""
    if row.withdrawn_at is not None:
        raise Refused(_("这份公告已经撤回。"))
    row.withdrawn_at = clock.now()
    session.flush()
    _record(session, row, "withdraw", {}, by, place)


def _record(session: Session, row: Announcement, what: str, changes: dict[str, Any], by: Account, place: Place) -> None:
    entry = AnnouncementChange(announcement_id=row.id, what=what, changes=changes, actor_id=by.id, actor_name=by.name)
    entry.at = clock.now().replace(microsecond=0)
    session.add(entry)
    log.record(session, LOGGED[what], by, place, row.title, _in_words(changes))
    session.flush()


def _in_words(changes: dict[str, Any]) -> str:
    """The changes for the log; of the text, which may be long, that it has changed: the trail has its words."""
    labels = {name: Announcement.__table__.columns[name].info["label"] for name in changes}
    with in_chinese():
        return in_clauses(
            str(labels[name])
            if name == "text"
            else _("%(label)s：%(before)s → %(after)s", label=labels[name], before=old or _("（无）"), after=new)
            for name, (old, new) in changes.items()
        )


def _plain(value: Any) -> str | None:
    """A value of a field as text for the trail, in JSON."""
    if isinstance(value, frozenset | set):
        with in_chinese():
            return labels_in_order(Role, value)
    return None if value is None else str(value)
