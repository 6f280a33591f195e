"""Users of the portal (单点登录): each linked to one account, once an operator has confirmed it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import ForeignKey, Select, String, UniqueConstraint, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from models import clock
from models.clock import Moment
from models.database import NO_SYNC, Base
from models.people.accounts import Account, Organisation, credit_code_refusal
from models.text import normalize_code, without_format_characters
from models.workflow import Refused

LONGEST = 255  # characters of an issuer and a subject
LONGEST_NAME = 100


class PortalLink(Base):
    """A user of the portal who signs in to an account. Row security: its own account's, operators see and write all."""

    __tablename__ = "portal_link"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="RESTRICT"))
    account: Mapped[Account] = relationship(lazy="joined")
    issuer: Mapped[str] = mapped_column(String(LONGEST))
    subject: Mapped[str] = mapped_column(String(LONGEST))
    name: Mapped[str] = mapped_column(String(LONGEST_NAME))
    added_at: Mapped[datetime] = mapped_column(Moment)
    used_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (
        UniqueConstraint("issuer", "subject"),
        UniqueConstraint("account_id", "issuer"),
        {"sqlite_autoincrement": True},
    )


class PortalRequest(Base):
    """A request to link a user of the portal to an account. Row security: operators only."""

    __tablename__ = "portal_request"

    id: Mapped[int] = mapped_column(primary_key=True)
    issuer: Mapped[str] = mapped_column(String(LONGEST))
    subject: Mapped[str] = mapped_column(String(LONGEST), info={"label": _l("单一窗口用户")})
    name: Mapped[str] = mapped_column(String(LONGEST_NAME), info={"label": _l("姓名")})
    organisation: Mapped[str] = mapped_column(String(LONGEST_NAME), info={"label": _l("单位")})
    credit_code: Mapped[str] = mapped_column(String(18), info={"label": _l("统一社会信用代码")})
    address: Mapped[str] = mapped_column(String(45), info={"label": _l("地址")})
    asked_at: Mapped[datetime] = mapped_column(Moment, info={"label": _l("申请时间")})
    declined_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (UniqueConstraint("issuer", "subject"), {"sqlite_autoincrement": True})


def link_of(session: Session, issuer: str, subject: str) -> PortalLink | None:
    """The link of this user of the portal; None: there is none. For a session that sees everything."""
    same = (PortalLink.issuer == issuer) & (PortalLink.subject == subject)
    return session.scalar(select(PortalLink).where(same))


def mark_used(link: PortalLink) -> None:
    link.used_at = clock.now()


def last_used(session: Session) -> datetime | None:
    """When any existing link was last used to sign on; None: never."""
    return session.scalar(select(func.max(PortalLink.used_at)))


def links_of(session: Session, account_id: int) -> list[PortalLink]:
    return list(session.scalars(select(PortalLink).where(PortalLink.account_id == account_id).order_by(PortalLink.id)))


def request_link(session: Session, issuer: str, subject: str, claims: Mapping[str, Any], address: str) -> PortalRequest:
    """The request of a user without an account, made at the first sign-on (`claims`: name, organisation, credit_code).

    A declined request stays declined until an operator links it. Flushes; IntegrityError when one was made meanwhile.
    """
    same = (PortalRequest.issuer == issuer) & (PortalRequest.subject == subject)
    asked = session.scalar(select(PortalRequest).where(same))
    if asked is None:
        asked = PortalRequest(issuer=issuer, subject=subject, asked_at=clock.now(), address=address[:45])
        session.add(asked)
    if asked.declined_at is None:
        asked.name, asked.organisation = (_shown(claims.get(name))[:LONGEST_NAME] for name in ("name", "organisation"))
        code = normalize_code(_shown(claims.get("credit_code"))) or ""
        asked.credit_code = "" if credit_code_refusal(code) else code
    session.flush()
    return asked


def _shown(claim: Any) -> str:
    """A claim as one line of text without invisible characters; "" unless it is a string."""
    return " ".join(without_format_characters(claim if isinstance(claim, str) else "").split())


def open_requests() -> Select[Any]:
    """All requests: open ones first, then declined ones; the oldest first."""
    return select(PortalRequest).order_by(PortalRequest.declined_at.is_not(None), PortalRequest.asked_at)


def suggested(session: Session, asked: PortalRequest) -> list[Account]:
    """Enabled accounts of the organisation with the credit code that the portal names; none linked yet."""
    linked = select(PortalLink.account_id).where(PortalLink.issuer == asked.issuer)
    found = select(Account).join(Organisation).where(Organisation.credit_code == asked.credit_code, Account.active)
    return list(session.scalars(found.where(Account.id.not_in(linked)).order_by(Account.username)))


def link(session: Session, asked: PortalRequest, account: Account) -> PortalLink:
    """Link the user to the account and delete the request. Flushes; the caller commits.

    Raises Refused; IntegrityError when the user or the account was linked meanwhile.
    """
    if not account.is_active:
        raise Refused(_("%(name)s 已停用，请先启用，或选择其他账号。", name=account.username))
    if links_of(session, account.id):
        raise Refused(_("%(name)s 已关联其他单一窗口用户，请先在账号中移除原来的关联。", name=account.username))
    made = PortalLink(account_id=account.id, issuer=asked.issuer, subject=asked.subject, added_at=clock.now())
    made.name = asked.name or asked.subject[:LONGEST_NAME]
    session.add(made)
    session.delete(asked)
    session.flush()
    return made


def decline(session: Session, asked: PortalRequest) -> None:
    """Decline a request; raises Refused when it was declined before. The caller commits."""
    if asked.declined_at is not None:
        raise Refused(_("这项申请已经不予关联，无需再次办理。"))
    asked.declined_at = clock.now()
    session.flush()


def unlink(session: Session, link_id: int) -> None:
    """Delete a link; raises Refused when it is deleted already. Does not commit."""
    deleted = session.scalar(delete(PortalLink).where(PortalLink.id == link_id).returning(PortalLink.id), **NO_SYNC)
    if deleted is None:
        raise Refused(_("这项关联已经移除，请刷新页面核对。"))
