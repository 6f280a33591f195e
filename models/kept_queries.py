"""常用查询: queries of a list that a person has named, to ask them again; each person's own."""

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


class KeptQuery(Base):
    """What one account asks of one screen. Row security: the account's own.

    `asked` is what the screen knew when it was kept (views/panel/kept_queries.py); `words`: the same for people.
    """

    __tablename__ = "kept_query"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="RESTRICT"))
    screen: Mapped[str] = mapped_column(String(32), info={"label": _l("所在列表")})
    name: Mapped[str] = mapped_column(String(MOST_NAME), info={"label": _l("名称"), "required": True})
    asked: Mapped[Asked] = mapped_column(JSON)
    words: Mapped[str] = mapped_column(String(1000), info={"label": _l("查询条件")})

    __table_args__ = (UniqueConstraint("account_id", "screen", "name"),)


def listed(session: Session, screen: str) -> list[KeptQuery]:
    """What this session sees of one screen, oldest first."""
    return list(session.scalars(select(KeptQuery).where(KeptQuery.screen == screen).order_by(KeptQuery.id)))


def keep(session: Session, screen: str, name: str, asked: Asked, words: str, by: Account) -> KeptQuery:
    """A new one, or the one that already says just this. Raises Refused; the caller commits."""
    name = _read(name)
    if not asked:
        raise Refused(_("现在没有查询条件，请先填写条件、点击查询，再存为常用查询。"))
    if any(len(value) > MOST_VALUE for value in asked.values()):
        raise Refused(_("查询条件过长，不能保存，请精简。"))
    wait_for(session, Lock.KEPT_QUERY)  # of two at once the second sees the first
    same = _named(session, by, screen, name)
    if same is not None and same.asked == asked:
        return same
    if same is not None:
        raise Refused(_taken(name))
    if (session.scalar(select(func.count(KeptQuery.id)).where(KeptQuery.account_id == by.id)) or 0) >= MOST:
        raise Refused(_("每人最多保存 %(most)s 个常用查询，请先删除不用的。", most=MOST))
    row = KeptQuery(account_id=by.id, screen=screen, name=name, asked=asked, words=words[:1000])
    session.add(row)
    session.flush()
    return row


def rename(session: Session, row: KeptQuery, name: str, by: Account) -> None:
    """Raises Refused; the caller commits."""
    name = _read(name)
    wait_for(session, Lock.KEPT_QUERY)
    other = _named(session, by, row.screen, name)
    if other is not None and other is not row:
        raise Refused(_taken(name))
    row.name = name
    session.flush()


def _named(session: Session, by: Account, screen: str, name: str) -> KeptQuery | None:
    mine = (KeptQuery.account_id == by.id, KeptQuery.screen == screen)
    return session.scalar(select(KeptQuery).where(*mine, KeptQuery.name == name))


def _read(typed: str) -> str:
    name = clean_line(typed) or ""
    if not name:
        raise Refused(_("请填写常用查询的名称。"))
    if len(name) > MOST_NAME:
        raise Refused(_("名称最多 %(most)s 字，现在 %(length)s 字，请精简。", most=MOST_NAME, length=len(name)))
    return name


def _taken(name: str) -> str:
    return _("这个列表已有名为「%(name)s」的常用查询，请换一个名称，或先删除原来的。", name=name)
