"""常用查询: named queries of a list, saved by a person for themselves."""

import json
from hashlib import sha256

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import JSON, ForeignKey, String, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.database import Base
from models.database.locks import Lock, wait_for
from models.people.accounts import Account
from models.text import clean_line
from models.workflow import Refused

MOST, MOST_NAME = 30, 20  # queries of one person; characters of a name, which is a button above the list
MOST_VALUE = 100  # characters of one value, as in the query forms

Asked = dict[str, str]  # name of a field of the query form, or of the list (sort, page size) → value as typed


class Gone(Refused):
    """The query was deleted meanwhile."""


class SavedQuery(Base):
    """A saved query of an account for one screen. Row security: the account's own.

    `asked`: the fields that were filled in, as typed (views/panel/saved_queries.py); `words`: the same in words.
    """

    __tablename__ = "kept_query"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="RESTRICT"))
    screen: Mapped[str] = mapped_column(String(32), info={"label": _l("所在列表")})
    name: Mapped[str] = mapped_column(String(MOST_NAME), info={"label": _l("名称"), "required": True})
    asked: Mapped[Asked] = mapped_column(JSON)
    words: Mapped[str] = mapped_column(String(1000), info={"label": _l("查询条件")})

    __table_args__ = (UniqueConstraint("account_id", "screen", "name"),)

    @property
    def mark(self) -> str:
        """A digest of what a page shows of this query: on SQLite a later query may get the id of a deleted one."""
        shown = json.dumps([self.screen, self.name, self.asked], ensure_ascii=False, sort_keys=True)
        return sha256(shown.encode()).hexdigest()[:16]


def listed(session: Session, screen: str) -> list[SavedQuery]:
    """The saved queries of one screen that this session sees, oldest first."""
    return list(session.scalars(select(SavedQuery).where(SavedQuery.screen == screen).order_by(SavedQuery.id)))


def save(session: Session, screen: str, name: str, asked: Asked, words: str, by: Account) -> SavedQuery:
    """Save a query; returns the existing row if it is the same. Raises Refused; the caller commits."""
    name = _read(name)
    if not asked:
        raise Refused(_("现在没有查询条件，请先填写条件、点击查询，再存为常用查询。"))
    if any(len(value) > MOST_VALUE for value in asked.values()):
        raise Refused(_("查询条件过长，不能保存，请精简。"))
    wait_for(session, Lock.SAVED_QUERY)  # serialises concurrent saves, for the limits below
    same = _named(session, by, screen, name)
    if same is not None and same.asked == asked:
        return same
    if same is not None:
        raise Refused(_name_in_use(name), "name")
    if (session.scalar(select(func.count(SavedQuery.id)).where(SavedQuery.account_id == by.id)) or 0) >= MOST:
        raise Refused(_("每人最多保存 %(most)s 个常用查询，请先删除不用的。", most=MOST))
    row = SavedQuery(account_id=by.id, screen=screen, name=name, asked=asked, words=words[:1000])
    session.add(row)
    session.flush()
    return row


def rename(session: Session, row: SavedQuery, name: str, mark: str, by: Account) -> None:
    """Rename a query; `mark`: of the page. Raises Refused for a bad or existing name, another mark, or a deleted query.

    The same name again is no error, whatever the mark: a double click. The caller commits.
    """
    name = _read(name)
    if not _is_still_there(session, row):
        raise Gone(_changed())
    if name != row.name:
        _assert_shown(row, mark)
    other = _named(session, by, row.screen, name)
    if other is not None and other is not row:
        raise Refused(_name_in_use(name), "name")
    row.name = name
    session.flush()


def remove(session: Session, row: SavedQuery, mark: str) -> None:
    """Delete a query; raises Refused unless `mark`, of the page, is that of the row. The caller commits.

    One that another window has just deleted is no error: a double click.
    """
    if _is_still_there(session, row):
        _assert_shown(row, mark)
        session.delete(row)
        session.flush()


def _is_still_there(session: Session, row: SavedQuery) -> bool:
    """Acquire the lock and read the row again, which another window may have changed, or deleted, meanwhile."""
    wait_for(session, Lock.SAVED_QUERY)
    return session.get(SavedQuery, row.id, populate_existing=True) is not None


def _assert_shown(row: SavedQuery, mark: str) -> None:
    if mark != row.mark:
        raise Refused(_changed())


def _changed() -> str:
    return _("这个常用查询在页面打开以后已改名或删除，没有再改动，请刷新页面核对。")


def _named(session: Session, by: Account, screen: str, name: str) -> SavedQuery | None:
    of_list = (SavedQuery.account_id == by.id, SavedQuery.screen == screen)
    return session.scalar(select(SavedQuery).where(*of_list, SavedQuery.name == name))


def _read(typed: str) -> str:
    name = clean_line(typed) or ""
    if not name:
        raise Refused(_("请填写常用查询的名称。"), "name")
    if len(name) > MOST_NAME:
        words = _("名称最多 %(most)s 字，现在 %(length)s 字，请精简。", most=MOST_NAME, length=len(name))
        raise Refused(words, "name")
    return name


def _name_in_use(name: str) -> str:
    return _("这个列表已有名为「%(name)s」的常用查询，请换一个名称，或先删除原来的。", name=name)
