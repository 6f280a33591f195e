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
    PORTAL_AWAITS_KEY = "portal_awaits_key", _l("已在单一窗口登录，等待安全密钥确认")
    PORTAL_ASKED = "portal_asked", _l("单一窗口用户尚未关联账号")
    PORTAL_REFUSED = "portal_refused", _l("登录失败：单一窗口的应答没有通过核验")
    PORTAL_ENDED = "portal_ended", _l("在单一窗口退出，本系统随之退出")
    WRONG_CODE = "wrong_code", _l("登录失败：恢复码不正确")
    KEY_COUNTER = "key_counter", _l("安全密钥的使用计数倒退，可能被复制")
    SLOWED = "slowed", _l("登录失败：输错较多，等待期内没有验证")
    SIGNED_OUT = "signed_out", _l("退出")
    OTHERS_ENDED = "others_ended", _l("结束本人的其他登录")
    KEY_ENROLLED = "key_enrolled", _l("登记安全密钥")
    KEY_REMOVED = "key_removed", _l("移除安全密钥")
    API_KEY_MADE = "api_key_made", _l("生成接口密钥")
    API_KEY_REMOVED = "api_key_removed", _l("撤销接口密钥")
    API_KEY_REFUSED = "api_key_refused", _l("接口密钥没有通过核验")
    PASSWORD_CHANGED = "password_changed", _l("修改密码")
    WRONG_CURRENT = "wrong_current", _l("修改密码失败：当前密码不正确")


REFUSED = (  # refused sign-ins
    SignIn.WRONG_PASSWORD, SignIn.UNKNOWN_NAME, SignIn.ACCOUNT_DISABLED, SignIn.KEY_REFUSED, SignIn.CARD_REFUSED,
    SignIn.PORTAL_REFUSED, SignIn.API_KEY_REFUSED, SignIn.WRONG_CODE, SignIn.SLOWED,
)  # fmt: skip


class Operation(Word):
    """操作日志: acts of operators, on the screens and at the terminal, and 委托 between units."""

    ACCOUNT_ADDED = "account_added", _l("新增账号")
    ACCOUNT_CHANGED = "account_changed", _l("修改账号")
    PASSWORD_RESET = "password_reset", _l("重置密码")
    OTHERS_KEY_REMOVED = "key_taken", _l("移除他人的安全密钥")
    CARD_BOUND = "card_bound", _l("登记卡证书")
    CARD_REMOVED = "card_removed", _l("移除卡证书")
    PORTAL_LINKED = "portal_linked", _l("关联单一窗口用户")
    PORTAL_DECLINED = "portal_declined", _l("不予关联单一窗口用户")
    PORTAL_UNLINKED = "portal_unlinked", _l("移除单一窗口关联")
    CODE_GIVEN = "code_given", _l("发放恢复码")
    OTHERS_API_KEY_REVOKED = "api_key_taken", _l("撤销他人的接口密钥")
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
    DRILLED = "drilled", _l("试恢复")
    HELD = "held", _l("暂停提醒、邮件和报文")
    RELEASED = "mail_released", _l("放行提醒、邮件和报文")
    VERIFIED = "verified", _l("核对办理记录")
    CHECKPOINT_SIGNED = "checkpoint_signed", _l("签署检查点")
    WITNESSED = "witnessed", _l("交存检查点")
    SWEPT = "swept", _l("清理")
    SCANNED = "scanned", _l("附件查毒")
    FILE_SCANNED = "file_scanned", _l("附件查毒结果")  # of one content; 对象: its SHA-256
    ROW_SECURITY_INSTALLED = "wall_built", _l("启用数据库行级安全")
    KEY_INSTALLED = "signing_key_installed", _l("安装签章密钥")


class Handout(Word):
    """打印与导出日志: papers, files and lists that were sent to a browser or program."""

    PAPER = "paper", _l("打开备案证明")
    PAPERS = "papers", _l("打开合并打印件")
    FILE_SHOWN = "file_shown", _l("查看附件")
    FILE_SAVED = "file_saved", _l("下载附件")
    MESSAGE = "message", _l("下载报文")
    EXPORT = "export", _l("导出")
    EXPORT_ENDED = "export_ended", _l("导出完成")  # after the last row: a large file is sent while it is read
    EXPORT_BROKEN = "export_broken", _l("导出中断")
    FEED = "feed", _l("接口读取")


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
        fields = [self.at.timestamp(), self.log, self.kind, self.account_id, self.username, self.name]
        fields += [self.address, self.program, self.about, self.words, self.amount]
        return json.dumps(fields, ensure_ascii=False)

    def described(self) -> str:
        """When, who and what, for `trail verify`."""
        who = self.username or _("命令行")
        return _("%(at)s，%(who)s，%(act)s", at=f"{self.at:%Y-%m-%d %H:%M:%S}", who=who, act=self.kind)


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
