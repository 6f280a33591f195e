"""Accounts, organisations, and entrustments to apply for a publisher."""

import re
import secrets
import unicodedata
from datetime import date, datetime
from typing import TYPE_CHECKING

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import UserMixin
from sqlalchemy import ColumnElement, ForeignKey, Index, String, false, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship, validates

from models import clock
from models.clock import Moment
from models.database import Base
from models.people.mail_address import LONGEST_ADDRESS, MailWish, normal_address
from models.people.passwords import assert_strong
from models.text import normalize_code, without_format_characters
from models.vocabulary import Role, Trade, WordColumn
from models.workflow import Refused

if TYPE_CHECKING:
    from models.people.sessions import Visit

HASHER = PasswordHasher()
ENTRUSTED = {"earliest": date(1990, 1, 1), "latest": date(2099, 12, 31)}  # 2099-12-31: open-ended
SPOKEN_SIGNS = "abcdefghjkmnpqrstuvwxyz23456789"  # of one-time passwords: easy to tell apart on the telephone
CODE_SIGNS = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def check_sign(body: str) -> str:
    """The check character (18th) of a 统一社会信用代码 for the first 17, `body`: GB 32100-2015, weights 3^i mod 31."""
    total = sum(CODE_SIGNS.index(sign) * pow(3, place, 31) for place, sign in enumerate(body))
    return CODE_SIGNS[-total % 31]


def credit_code_refusal(code: str) -> str | None:
    """Why this cannot be a 统一社会信用代码 (length, characters), or None. The check character is not verified."""
    if len(code) == 18 and set(code) <= set(CODE_SIGNS):
        return None
    return _("统一社会信用代码为 18 位数字和大写字母（不用 I、O、S、V、Z），请对照证照核对。")


def valid_credit_code(code: str) -> bool:
    """Whether the check character is right too. Some issued codes have a wrong one: the operator confirms these."""
    return credit_code_refusal(code) is None and check_sign(code[:17]) == code[17]


def normal_username(typed: str | None) -> str:
    """The one stored spelling of a user name: NFKC, case folded, no format characters, no blanks around it.

    NFKC is applied again at the end, because the result of case folding may not be in NFKC.
    """
    folded = unicodedata.normalize("NFKC", without_format_characters(typed or "")).casefold()
    return without_format_characters(unicodedata.normalize("NFKC", folded)).strip()


def username_refusal(username: str) -> str | None:
    """Why a new account cannot have this user name (in its normal form), or None.

    Checked for new names only: names given before this rule stay valid.
    """
    if not username:
        return _("请填写用户名。")
    if re.fullmatch(r"[\w.@-]+", username):
        return None
    return _("用户名只能由汉字、字母、数字和 . - _ @ 组成，中间不能有空格，请修改后再试。")


class Organisation(Base):
    """A publisher, or a unit that publishers entrust. Disabled, not deleted, once a filing refers to it."""

    __tablename__ = "organisation"

    id: Mapped[int] = mapped_column(primary_key=True)
    credit_code: Mapped[str] = mapped_column(
        String(18), unique=True, info={"label": _l("统一社会信用代码"), "required": True}
    )
    name: Mapped[str] = mapped_column(String(100), info={"label": _l("单位名称"), "required": True})
    trade: Mapped[Trade] = mapped_column(WordColumn(Trade), info={"label": _l("单位类型"), "required": True})
    province: Mapped[str] = mapped_column(
        String(6), info={"label": _l("所在省份"), "required": True, "codes": "province"}
    )
    active: Mapped[bool] = mapped_column(default=True, info={"label": _l("启用")})

    def __str__(self) -> str:
        return f"{self.credit_code}-{self.name}"

    @validates("credit_code")
    def _normalize_credit_code(self, _key: str, typed: str) -> str:
        """Stores capitals and digits only; raises Refused for an invalid code."""
        code = normalize_code(typed) or ""
        if sentence := credit_code_refusal(code):
            raise Refused(sentence)
        return code

    def assert_complete(self) -> None:
        """No-op: the columns themselves are required, and a credit code is checked when it is set."""


class Account(Base, UserMixin):
    """A person who signs in. Disabled, never deleted: the trail refers to it."""

    __tablename__ = "account"
    __allow_unmapped__ = True

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(64), unique=True, info={"label": _l("用户名"), "required": True})
    # The user name before migration 0006, where another account had the same normal form: still signs in, see sign_in.
    former_username: Mapped[str | None] = mapped_column(String(64), info={"label": _l("升级前的用户名")})
    name: Mapped[str] = mapped_column(String(50), info={"label": _l("姓名"), "required": True})
    role: Mapped[Role] = mapped_column(WordColumn(Role), info={"label": _l("角色"), "required": True})
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id", ondelete="RESTRICT"))
    organisation: Mapped[Organisation | None] = relationship(lazy="joined", info={"label": _l("所属单位")})
    province: Mapped[str | None] = mapped_column(String(6), info={"label": _l("所属省份"), "codes": "province"})
    password_hash: Mapped[str] = mapped_column(String(200))
    must_change: Mapped[bool] = mapped_column(default=True, info={"label": _l("待改密码")})
    active: Mapped[bool] = mapped_column(default=True, info={"label": _l("启用")})
    email: Mapped[str | None] = mapped_column(
        String(LONGEST_ADDRESS), info={"label": _l("邮箱地址"), "read": normal_address}
    )
    mail_wish: Mapped[MailWish] = mapped_column(
        WordColumn(MailWish), default=MailWish.NONE, server_default=MailWish.NONE.value, info={"label": _l("邮件提醒")}
    )
    # Address to be confirmed, when its code was sent, and how many codes were typed: mail_confirmation.py.
    email_new: Mapped[str | None] = mapped_column(String(LONGEST_ADDRESS))
    email_asked_at: Mapped[datetime | None] = mapped_column(Moment)
    email_tries: Mapped[int] = mapped_column(default=0, server_default="0")
    __table_args__ = (Index(None, "organisation_id"), Index(None, "province"))

    visit: "Visit | None" = None  # the session of this request; set by attach_visit() and resume_visit_and_commit()

    @validates("username")
    def _normalize_username(self, _key: str, username: str) -> str:
        """Stores the normal form; raises Refused when a new account cannot have it."""
        username = normal_username(username)
        if sentence := username_refusal(username):
            raise Refused(sentence)
        return username

    @validates("email")
    def _normalize_email(self, _key: str, typed: str | None) -> str | None:
        """Stores the trimmed address; raises Unreadable, a Refused, for an invalid one."""
        return normal_address(typed)

    def get_id(self) -> str:
        """Flask-Login's id for the cookie: the token of the session, not the id of the account."""
        assert self.visit is not None
        return self.visit.token

    @property
    def is_active(self) -> bool:
        return self.active and (self.organisation is None or self.organisation.active)

    def set_password(self, password: str, *, must_change: bool = False) -> None:
        """Store the argon2 hash; raises Refused when the password is too short or can be guessed."""
        assert_strong(password, (self.username, self.name, self.organisation.name if self.organisation else None))
        self.password_hash = HASHER.hash(password)
        self.must_change = must_change

    @property
    def has_password(self) -> bool:
        return bool(self.password_hash)

    def remove_password(self) -> None:
        """Leave no password that signs in, and none to change."""
        self.password_hash, self.must_change = "", False

    def reset_password(self) -> str:
        """Set a one-time password that must be changed at the next login; returned in clear only here."""
        password = "-".join("".join(secrets.choice(SPOKEN_SIGNS) for _sign in range(5)) for _group in range(3))
        self.set_password(password, must_change=True)
        return password

    @property
    def is_complete(self) -> bool:
        """Whether it has what its role requires: an organisation for a publisher, a province for a reviewer."""
        needs = {Role.PUBLISHER: self.organisation or self.organisation_id, Role.REVIEWER: self.province}
        return bool(needs.get(self.role, True))

    def assert_complete(self) -> None:
        """Raises Refused unless is_complete. Flush first: a cleared relation is visible only after a flush."""
        if not self.is_complete:
            publisher = self.role is Role.PUBLISHER
            raise Refused(_("出版单位账号须选择所属单位。") if publisher else _("省级审核账号须选择所属省份。"))


def matches(password_hash: str, password: str) -> bool:
    """Constant-effort comparison by argon2."""
    try:
        return HASHER.verify(password_hash, password)
    except VerifyMismatchError:
        return False


class Entrustment(Base):
    """A publisher has entrusted a unit to apply for it, from `since` until `until` (both included) or `ended_at`.

    `pending`: the unit was invited and has not accepted yet; without effect until then. Row security: both units.
    """

    __tablename__ = "entrustment"

    id: Mapped[int] = mapped_column(primary_key=True)
    publisher_id: Mapped[int] = mapped_column(ForeignKey("organisation.id", ondelete="RESTRICT"), index=True)
    agent_id: Mapped[int] = mapped_column(ForeignKey("organisation.id", ondelete="RESTRICT"), index=True)
    publisher: Mapped[Organisation] = relationship(
        foreign_keys=[publisher_id], lazy="joined", info={"label": _l("委托出版单位"), "required": True}
    )
    agent: Mapped[Organisation] = relationship(
        foreign_keys=[agent_id], lazy="joined", info={"label": _l("受托单位"), "required": True}
    )
    since: Mapped[date] = mapped_column(info={"label": _l("起始日期"), "required": True} | ENTRUSTED)
    until: Mapped[date] = mapped_column(info={"label": _l("终止日期"), "required": True} | ENTRUSTED)
    pending: Mapped[bool] = mapped_column(default=False, server_default=false())
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    offered_at: Mapped[datetime | None] = mapped_column(Moment)  # None: entered by the operator

    def assert_complete(self) -> None:
        """Raises Refused unless it has two organisations, the first a publisher, and does not end before it begins."""
        if self.publisher.trade is not Trade.PUBLISHER:
            raise Refused(_("委托方须为出版单位。"), "publisher")
        if self.publisher is self.agent:
            raise Refused(_("委托方与受托方不能是同一单位。"), "agent")
        if self.until < self.since:
            raise Refused(_("终止日期不能早于起始日期。"), "until")


def holding(agent_id: int | None, day: date | None = None) -> tuple[ColumnElement[bool], ...]:
    """SQL conditions: the entrustments that hold on a day for this unit."""
    day = day or clock.today()
    return (
        Entrustment.agent_id == agent_id,
        Entrustment.since <= day,
        Entrustment.until >= day,
        ~Entrustment.pending,
        Entrustment.ended_at.is_(None),
    )


def publishers_for(session: Session, organisation_id: int | None, on: date | None = None) -> list[Organisation]:
    """The publishers `organisation_id` may apply for on a day: itself, if a publisher, and those that entrust it."""
    entrusting = select(Entrustment.publisher_id).where(*holding(organisation_id, on))
    own = (Organisation.id == organisation_id) & (Organisation.trade == Trade.PUBLISHER)
    query = select(Organisation).where(Organisation.active, or_(own, Organisation.id.in_(entrusting)))
    return list(session.scalars(query.order_by(Organisation.name)))
