"""The log of the system: sign-ins, what operators do, and which papers, files and lists leave it. Only ever appended.

What is done to an application stands in its trail (models/application/trail.py), and is not repeated here.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from flask_babel import lazy_gettext as _l
from sqlalchemy import ForeignKey, Index, String, Text, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models import clock
from models.clock import Moment
from models.database import Base
from models.vocabulary import Word


class SignIn(Word):
    """登录日志."""

    SIGNED_IN = "signed_in", _l("登录成功")
    WRONG_PASSWORD = "wrong_password", _l("登录失败：密码不正确")
    UNKNOWN_NAME = "unknown_name", _l("登录失败：没有这个用户名")
    ACCOUNT_DISABLED = "account_disabled", _l("登录失败：账号已停用")
    AWAITS_KEY = "awaits_key", _l("密码正确，等待安全密钥确认")
    KEY_REFUSED = "key_refused", _l("登录失败：安全密钥没有通过核验")
    CARD_REFUSED = "card_refused", _l("登录失败：卡没有通过核验")
    WRONG_CODE = "wrong_code", _l("登录失败：恢复码不正确")
    KEY_COUNTER = "key_counter", _l("安全密钥的使用计数倒退，可能被复制")
    SLOWED = "slowed", _l("登录失败：输错较多，等待期内没有验证")
    SIGNED_OUT = "signed_out", _l("退出")
    OTHERS_ENDED = "others_ended", _l("结束本人的其他登录")
    KEY_ENROLLED = "key_enrolled", _l("登记安全密钥")
    KEY_REMOVED = "key_removed", _l("移除安全密钥")
    PASSWORD_CHANGED = "password_changed", _l("修改密码")
    WRONG_CURRENT = "wrong_current", _l("修改密码失败：当前密码不正确")


class Operation(Word):
    """操作日志: what operators do, on the screens and at the terminal; and how units entrust each other."""

    ACCOUNT_ADDED = "account_added", _l("新增账号")
    ACCOUNT_CHANGED = "account_changed", _l("修改账号")
    PASSWORD_RESET = "password_reset", _l("重置密码")
    KEY_TAKEN = "key_taken", _l("移除他人的安全密钥")
    CARD_BOUND = "card_bound", _l("登记卡证书")
    CARD_REMOVED = "card_removed", _l("移除卡证书")
    CODE_GIVEN = "code_given", _l("发放恢复码")
    VISIT_ENDED = "visit_ended", _l("强制下线")
    UNLOCKED = "unlocked", _l("解除登录限制")
    ORGANISATION_ADDED = "organisation_added", _l("新增单位")
    ORGANISATION_CHANGED = "organisation_changed", _l("修改单位")
    ENTRUSTMENT_ADDED = "entrustment_added", _l("新增委托")
    ENTRUSTMENT_CHANGED = "entrustment_changed", _l("修改委托")
    ENTRUSTMENT_OFFERED = "entrustment_offered", _l("邀请受托")
    ENTRUSTMENT_ACCEPTED = "entrustment_accepted", _l("接受委托")
    ENTRUSTMENT_ENDED = "entrustment_ended", _l("终止委托")
    BLANK_FORM_ADDED = "blank_form_added", _l("上传空白表格")
    BLANK_FORM_REPLACED = "blank_form_replaced", _l("更换空白表格")
    BLANK_FORM_REMOVED = "blank_form_removed", _l("移除空白表格")
    DISTRICTS_IMPORTED = "districts_imported", _l("导入关区代码")
    CALENDAR_IMPORTED = "calendar_imported", _l("导入放假安排")
    DAY_ENTERED = "day_entered", _l("登记工作日历")
    DAY_REMOVED = "day_removed", _l("移除工作日历")
    BACKED_UP = "backed_up", _l("备份")
    RESTORED = "restored", _l("恢复")
    VERIFIED = "verified", _l("核对办理记录")
    CHECKPOINT_SIGNED = "checkpoint_signed", _l("签署检查点")
    SWEPT = "swept", _l("清理")


class Handout(Word):
    """打印与导出日志: what was handed to somebody's browser."""

    PAPER = "paper", _l("打开备案证明")
    PAPERS = "papers", _l("打开合并打印件")
    FILE_SHOWN = "file_shown", _l("查看附件")
    FILE_SAVED = "file_saved", _l("下载附件")
    MESSAGE = "message", _l("下载报文")
    EXPORT = "export", _l("导出")


LOGS: dict[str, type[Word]] = {"signins": SignIn, "operations": Operation, "prints": Handout}
WORDS = {word.value: word for words in LOGS.values() for word in words}
LOG_OF = {word.value: log for log, words in LOGS.items() for word in words}


@dataclass(frozen=True)
class Place:
    """Where a request comes from: address, value of the browser's cookie ("": none), browser and system in short."""

    address: str = ""
    browser: str = ""
    program: str = ""


class Person(Protocol):
    """What an entry takes from an account."""

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
    username: Mapped[str] = mapped_column(String(64), info={"label": _l("用户名")})  # or mark_of() one that is unknown
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
    )

    @property
    def what(self) -> Word:
        """The kind as a word."""
        return WORDS[self.kind]


def mark_of(name: str) -> str:
    """What is kept of a user name that no account has: "#" and 4 hex digits of its SHA-256.

    Equal names have equal marks. People type passwords into this field: 65,536 marks are too few to find one by.
    """
    return f"#{hashlib.sha256(name.encode()).hexdigest()[:4]}"


def entry(
    kind: Word, by: Person | None, place: Place, about: str = "", words: str = "", amount: int | None = None
) -> LogEntry:
    """An entry that is in no session yet. `by`: None for the terminal, and for a name that no account has."""
    return LogEntry(
        at=clock.now(),
        log=LOG_OF[kind.value],
        kind=kind.value,
        account_id=by.id if by else None,
        username=by.username if by else "",
        name=by.name if by else "",
        address=place.address[:45],
        program=place.program[:40],
        about=about[:64],
        words=words,
        amount=amount,
    )


def record(
    session: Session,
    kind: Word,
    by: Person | None,
    place: Place,
    about: str = "",
    words: str = "",
    amount: int | None = None,
) -> None:
    """Add an entry to the transaction of the act; the caller commits."""
    session.add(entry(kind, by, place, about, words, amount))


def has(session: Session, kind: Word, username: str, about: str, words: str, since: datetime) -> bool:
    """Whether just this stands in the log already, from `since` on."""
    own = select(LogEntry.id).where(LogEntry.log == LOG_OF[kind.value], LogEntry.username == username)
    same = own.where(LogEntry.at >= since, LogEntry.kind == kind.value, LogEntry.about == about)
    return session.scalar(same.where(LogEntry.words == words).limit(1)) is not None


def newest(session: Session, kind: Word) -> LogEntry | None:
    """The last entry of this kind."""
    found = select(LogEntry).where(LogEntry.log == LOG_OF[kind.value], LogEntry.kind == kind.value)
    return session.scalar(found.order_by(LogEntry.at.desc(), LogEntry.id.desc()).limit(1))
