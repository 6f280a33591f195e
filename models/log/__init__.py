"""The system log, append-only: sign-ins, acts of operators, and papers, files and lists that were handed out.

chain.py seals its entries. Acts on an application are in its trail (models/application/trail.py), not here.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import ForeignKey, Index, String, Text, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models import clock
from models.clock import Moment
from models.database import Base
from models.language import recorded
from models.log.kinds import LOG_OF, LOGS, REFUSED, WORDS, Handout, Operation, SignIn
from models.vocabulary import Word

__all__ = [
    "LOGS", "LOG_OF", "REFUSED", "WORDS", "Handout", "LogEntry", "Operation", "Place", "SignIn", "entry", "has",
    "mark_of", "newest", "record",
]  # fmt: skip


@dataclass(frozen=True)
class Place:
    """Where a request comes from: address, value of the browser's cookie ("": none), browser and system in short."""

    address: str = ""
    browser: str = ""
    program: str = ""


class Person(Protocol):
    """The attributes of an account that an entry copies."""

    id: Mapped[int]
    username: Mapped[str]
    name: Mapped[str]


class LogEntry(Base):
    """Who did what, when and from where. Row security: operators and the nation see all, others their own."""

    __tablename__ = "log_entry"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(Moment, info={"label": _l("时间")})
    log: Mapped[str] = mapped_column(String(16))
    kind: Mapped[str] = mapped_column(String(32), info={"label": _l("事项")})
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="RESTRICT"))
    username: Mapped[str] = mapped_column(
        String(64), info={"label": _l("用户名")}
    )  # or mark_of() a name that no account has
    name: Mapped[str] = mapped_column(String(50), info={"label": _l("姓名")})
    address: Mapped[str] = mapped_column(String(45), info={"label": _l("地址")})
    program: Mapped[str] = mapped_column(String(40), info={"label": _l("浏览器")})
    about: Mapped[str] = mapped_column(String(64), info={"label": _l("对象")})  # a number, a user name, a list
    words: Mapped[str] = mapped_column(Text, info={"label": _l("说明")})
    amount: Mapped[int | None] = mapped_column(info={"label": _l("数量")})  # exported lines, papers in one file

    __table_args__ = (
        Index(None, "log", "at", "id"),
        Index(None, "log", "kind", "at", "id"),
        Index(None, "log", "username", "at", "id"),
        Index(None, "log", "address", "at", "id"),
        Index(None, "log", "about", "at", "id"),
        # With RETURNING, PostgreSQL requires that the inserting role may read the row (models/access/row_security.py).
        {"implicit_returning": False},
    )

    @property
    def what(self) -> Word:
        """The kind as a word."""
        return WORDS[self.kind]

    def content(self) -> str:
        """All values but the id, as JSON: the input of hashes."""
        values = [self.at.timestamp(), *(getattr(self, name) for name in HASHED[1:])]
        return json.dumps(values, ensure_ascii=False)

    def described(self) -> str:
        """When, who and what, for `trail verify`."""
        who = self.username or _("命令行")
        return _("%(at)s，%(who)s，%(act)s", at=f"{self.at:%Y-%m-%d %H:%M:%S}", who=who, act=self.kind)


# The columns of content(), in order.
HASHED = ("at", "log", "kind", "account_id", "username", "name", "address", "program", "about", "words", "amount")


def in_words(content: str) -> list[str]:
    """The lines «label：value» of a content(), without empty values; raises ValueError for any other text."""
    values = dict(zip(HASHED, json.loads(content), strict=True))
    values["at"] = f"{datetime.fromtimestamp(values['at'], clock.SHANGHAI):%Y-%m-%d %H:%M:%S}"
    values["kind"] = WORDS[values["kind"]].label if values["kind"] in WORDS else values["kind"]
    columns = LogEntry.__table__.columns
    labelled = ((columns[name].info.get("label"), value) for name, value in values.items())
    return [f"{label}：{value}" for label, value in labelled if label and value not in ("", None)]


def mark_of(name: str) -> str:
    """The mark stored for a user name without an account: "#" and 4 hex digits of its SHA-256.

    Equal names have equal marks. People type passwords into this field: 65,536 marks are too few to recover one.
    """
    return f"#{hashlib.sha256(name.encode()).hexdigest()[:4]}"


def entry(
    kind: Word, by: Person | None, place: Place, about: object = "", words: object = "", amount: int | None = None
) -> LogEntry:
    """An entry that is in no session yet. `by`: None for the terminal, and for a name that no account has.

    `about` and `words` may be lazy sentences, which are stored in Chinese.
    """
    return LogEntry(
        at=clock.now(),
        log=LOG_OF[kind.value],
        kind=kind.value,
        account_id=by.id if by else None,
        username=by.username if by else "",
        name=by.name if by else "",
        address=place.address[:45],
        program=place.program[:40],
        about=recorded(about)[:64],
        words=recorded(words),
        amount=amount,
    )


def record(
    session: Session,
    kind: Word,
    by: Person | None,
    place: Place,
    about: object = "",
    words: object = "",
    amount: int | None = None,
) -> None:
    """Add an entry to the transaction of the act; the caller commits."""
    session.add(entry(kind, by, place, about, words, amount))


def has(session: Session, kind: Word, username: str, about: str, words: object, since: datetime) -> bool:
    """Whether the log has an entry with exactly these values since `since`."""
    own = select(LogEntry.id).where(LogEntry.log == LOG_OF[kind.value], LogEntry.username == username)
    same = own.where(LogEntry.at >= since, LogEntry.kind == kind.value, LogEntry.about == about)
    return session.scalar(same.where(LogEntry.words == recorded(words)).limit(1)) is not None


def newest(session: Session, kind: Word, about: str | None = None) -> LogEntry | None:
    """The newest entry of this kind; `about`: of exactly this object."""
    found = select(LogEntry).where(LogEntry.log == LOG_OF[kind.value], LogEntry.kind == kind.value)
    if about is not None:
        found = found.where(LogEntry.about == about)
    return session.scalar(found.order_by(LogEntry.at.desc(), LogEntry.id.desc()).limit(1))
